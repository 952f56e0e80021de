//! The coarsest level: A⁻¹ itself, from a dense Cholesky factorization.
//!
//! A region of m nodes that no boundary value reaches has the constants as null space. There A + s u uᵀ is factored, u the
//! region's unit constant and s its mean diagonal, and A⁺ = (A + s u uᵀ)⁻¹ − u uᵀ / s: the pseudo-inverse, which
//! maps what rounding leaves of the constants to 0 (a small shift in its place would magnify it).

use super::graph::Graph;
use crate::LearnedError;
use nalgebra::DMatrix;

/// A dense inverse, or the pseudo-inverse where regions are singular.
#[derive(Debug, Clone)]
pub(super) struct Coarsest {
    pub(super) n: usize,
    pub(super) inverse: Vec<f32>,
}

impl Coarsest {
    pub(super) fn new(graph: &Graph) -> Result<Self, LearnedError> {
        let n = graph.len();
        let (d, _) = graph.diagonal();
        let mut a = DMatrix::<f64>::zeros(n, n);
        for i in 0..n {
            for e in graph.edges_of(i) {
                a[(i, e.to as usize)] -= f64::from(e.w);
                a[(i, i)] += f64::from(e.w);
            }
            // A node without a conductance is no unknown.
            if d[i] <= 0.0 {
                a[(i, i)] = 1.0;
            }
        }
        graph.outer.iter().for_each(|o| a[(o.node as usize, o.node as usize)] += f64::from(o.w));
        let sealed: Vec<Vec<usize>> = sealed_regions(graph).into_iter().filter(|r| d[r[0]] > 0.0).collect();
        let shifts: Vec<f64> =
            sealed.iter().map(|r| r.iter().map(|&i| a[(i, i)]).sum::<f64>() / r.len() as f64).collect();
        for (region, shift) in sealed.iter().zip(&shifts) {
            add_to(&mut a, region, shift / region.len() as f64);
        }
        let factor = nalgebra::Cholesky::new(a).ok_or_else(|| {
            LearnedError::geometry(
                "the coarsest level is not positive definite",
                "a problem whose coefficients differ by less than 1e6",
            )
        })?;
        let mut inverse = factor.inverse();
        for (region, shift) in sealed.iter().zip(&shifts) {
            add_to(&mut inverse, region, -1.0 / (shift * region.len() as f64));
        }
        let is_isolated = |i: usize| d[i] <= 0.0;
        let entry = |at: usize| {
            let (i, j) = (at / n, at % n);
            // Symmetric to the last bit, so that the cycle is.
            if is_isolated(i) { 0.0 } else { inverse[(i.min(j), i.max(j))] as f32 }
        };
        Ok(Self { n, inverse: (0..n * n).map(entry).collect() })
    }

    /// x ← A⁻¹ r.
    pub(super) fn solve(&self, r: &[f32], x: &mut [f32]) {
        for (row, x) in self.inverse.chunks_exact(self.n.max(1)).zip(x) {
            *x = row.iter().zip(r).map(|(a, r)| a * r).sum();
        }
    }
}

/// Adds `value` to every pair of nodes of `region`.
fn add_to(a: &mut DMatrix<f64>, region: &[usize], value: f64) {
    for &i in region {
        region.iter().for_each(|&j| a[(i, j)] += value);
    }
}

/// The nodes of each region without a boundary value.
pub(super) fn sealed_regions(graph: &Graph) -> Vec<Vec<usize>> {
    let mut seen = vec![false; graph.len()];
    let mut regions = Vec::new();
    let mut collect = |start: Vec<usize>| {
        let mut nodes = start;
        nodes.iter().for_each(|&i| seen[i] = true);
        let mut next = 0;
        while let Some(&i) = nodes.get(next) {
            next += 1;
            for e in graph.edges_of(i) {
                if !std::mem::replace(&mut seen[e.to as usize], true) {
                    nodes.push(e.to as usize);
                }
            }
        }
        nodes
    };
    let mut open: Vec<usize> = graph.outer.iter().map(|o| o.node as usize).collect();
    open.dedup();
    let open = collect(open);
    let mut is_open = vec![false; graph.len()];
    open.iter().for_each(|&i| is_open[i] = true);
    let mut is_taken = is_open;
    for i in 0..graph.len() {
        if !is_taken[i] {
            let region = collect(vec![i]);
            region.iter().for_each(|&j| is_taken[j] = true);
            regions.push(region);
        }
    }
    regions
}
