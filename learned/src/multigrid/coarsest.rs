//! The coarsest level: A⁻¹ itself, from a dense Cholesky factorization.

use super::graph::Graph;
use crate::LearnedError;
use nalgebra::DMatrix;

/// A dense inverse; nodes of a region that no boundary value reaches have the constants as null space, which a small shift
/// takes away: their residual is free of it.
#[derive(Debug, Clone)]
pub(super) struct Coarsest {
    pub(super) n: usize,
    pub(super) inverse: Vec<f32>,
}

/// Relative shift of the diagonal.
const SHIFT: f64 = 1e-7;

impl Coarsest {
    pub(super) fn new(graph: &Graph) -> Result<Self, LearnedError> {
        let n = graph.len();
        let (d, _) = graph.diagonal();
        let mut a = DMatrix::<f64>::zeros(n, n);
        for i in 0..n {
            // A node without a conductance is no unknown.
            a[(i, i)] = if d[i] > 0.0 { f64::from(d[i]) * (1.0 + SHIFT) } else { 1.0 };
            for e in graph.edges_of(i) {
                a[(i, e.to as usize)] -= f64::from(e.w);
            }
        }
        let factor = nalgebra::Cholesky::new(a).ok_or_else(|| {
            LearnedError::geometry(
                "the coarsest level is not positive definite",
                "a problem whose coefficients differ by less than 1e6",
            )
        })?;
        let inverse = factor.inverse();
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
