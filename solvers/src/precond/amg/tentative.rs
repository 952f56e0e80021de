//! The tentative prolongation T: near-null-space vectors cut at the borders of the aggregates.
//!
//! For k near-null-space vectors B (n × k), the rows of B that belong to aggregate I are factorized, B_I = Q_I R_I; Q_I is
//! the block of T, R_I the rows of the coarse level's B, so that T B_c = B (Vaněk, Mandel, Brezina 1996, algorithm 4.1).
//! With B = 1 and no given vectors, T holds ones.

use super::aggregates::{Aggregates, NONE};

/// T, with k entries in each row: row i has the columns k·I .. k·I + k of its node's aggregate I.
#[derive(Debug, Clone)]
pub(super) struct Tentative {
    /// The aggregate of each node.
    pub aggregates: Aggregates,
    /// Unknowns of a node.
    pub block_size: usize,
    /// Columns of an aggregate, k.
    pub vectors: usize,
    /// n × k by rows; empty for all ones.
    values: Vec<f64>,
}

impl Tentative {
    /// One unknown a node, constants as the near null space.
    pub(super) fn constant(aggregates: Aggregates) -> Self {
        Self { aggregates, block_size: 1, vectors: 1, values: Vec::new() }
    }

    /// From k near-null-space vectors, `b` by rows (n × k); returns the coarse level's ones too.
    pub(super) fn fitted(aggregates: Aggregates, block_size: usize, b: &[f64], k: usize) -> (Self, Vec<f64>) {
        let mut nodes: Vec<Vec<u32>> = vec![Vec::new(); aggregates.count];
        for (node, &aggregate) in aggregates.of.iter().enumerate() {
            if aggregate != NONE {
                nodes[aggregate as usize].push(node as u32);
            }
        }
        let mut values = vec![0.0; b.len()];
        let mut coarse = vec![0.0; aggregates.count * k * k];
        for (nodes, r) in nodes.iter().zip(coarse.chunks_exact_mut(k * k)) {
            let rows: Vec<usize> = nodes
                .iter()
                .flat_map(|&v| (0..block_size).map(move |c| v as usize * block_size + c))
                .collect();
            let mut q: Vec<Vec<f64>> = (0..k).map(|c| rows.iter().map(|&i| b[i * k + c]).collect()).collect();
            orthonormalise(&mut q, r);
            for (l, &i) in rows.iter().enumerate() {
                q.iter().enumerate().for_each(|(c, q)| values[i * k + c] = q[l]);
            }
        }
        (Self { aggregates, block_size, vectors: k, values }, coarse)
    }

    pub(super) fn ncols(&self) -> usize {
        self.aggregates.count * self.vectors
    }

    /// The aggregate of row i's node, or [`NONE`].
    #[inline(always)]
    fn aggregate(&self, i: usize) -> u32 {
        // All ones is for nodes of one unknown: no division in the common case.
        self.aggregates.of[if self.values.is_empty() { i } else { i / self.block_size }]
    }

    /// Whether row i has entries.
    #[inline(always)]
    pub(super) fn has(&self, i: usize) -> bool {
        self.aggregate(i) != NONE
    }

    /// Columns and values of row i; none if its node has no aggregate.
    #[inline(always)]
    pub(super) fn for_each(&self, i: usize, mut f: impl FnMut(u32, f64)) {
        let aggregate = self.aggregate(i);
        if aggregate == NONE {
            return;
        }
        if self.values.is_empty() {
            return f(aggregate, 1.0);
        }
        let k = self.vectors;
        for (c, &v) in self.values[i * k..][..k].iter().enumerate() {
            f(aggregate * k as u32 + c as u32, v);
        }
    }
}

/// A vector that keeps less than this of its length depends on those before it.
const DEPENDENT: f64 = 1e-8;

/// Columns q ← orthonormal ones, r (k × k by rows) ← their coefficients: twice modified Gram-Schmidt. A dependent column
/// becomes zero.
fn orthonormalise(q: &mut [Vec<f64>], r: &mut [f64]) {
    let k = q.len();
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    for c in 0..k {
        let before = norm(&q[c]);
        for _ in 0..2 {
            for l in 0..c {
                let (done, rest) = q.split_at_mut(c);
                let dot: f64 = done[l].iter().zip(&rest[0]).map(|(x, y)| x * y).sum();
                r[l * k + c] += dot;
                rest[0].iter_mut().zip(&done[l]).for_each(|(y, x)| *y -= dot * x);
            }
        }
        let after = norm(&q[c]);
        let scale = if after > DEPENDENT * before { 1.0 / after } else { 0.0 };
        q[c].iter_mut().for_each(|x| *x *= scale);
        r[c * k + c] = if scale > 0.0 { after } else { 0.0 };
    }
}
