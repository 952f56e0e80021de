//! Sketch and project for a consistent system A z = b:
//!
//! ```text
//! z ← z − AᵀS (SᵀAAᵀS)⁺ Sᵀ(A z − b)
//! ```
//!
//! z is projected onto the solutions of the sketched system SᵀA z = Sᵀb (Gower and Richtárik 2015, SIAM J. Matrix Anal.
//! 36(4), eq. (2.3) with B = I). With V = AᵀS and d = Sᵀb that is z ← z − V (VᵀV)⁺ (Vᵀz − d): the residual is never needed,
//! only the rows of A that S touches. The kinds of S:
//!
//! | kind | S | rows touched | rate of E‖z − z*‖² |
//! |---|---|---|---|
//! | `Gaussian` | one vector of N(0, 1) | all | about 1 − σ²_min/‖A‖²_F |
//! | `Kaczmarz` | e_i, i uniform | one | 1 − σ²_min(DA)/N, rows of DA of norm 1 |
//! | `Count` | each row ± in one of k buckets | all | not worse than one Gaussian |
//! | `Block` | k rows of a partition drawn once | k | by the blocks' condition |
//!
//! Convergence is linear and slow where A is ill-conditioned; it wins only where rows are well conditioned or accuracy is low.
//! [`SketchSolver`] is this as a solver, [`SketchLeastSquares`] the other use of a sketch: as a preconditioner of LSMR.

// Negated comparisons send NaN down the failing branch.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

mod gram;
mod least_squares;
mod project;
mod rows;
mod solver;
#[cfg(test)]
mod tests;

pub use least_squares::SketchLeastSquares;
pub use project::{SketchProject, SketchReport, SketchStop};
pub use rows::SparseRows;
pub use solver::SketchSolver;

use rand::{RngExt, rngs::StdRng};

/// Rows of a block, and buckets of a count sketch, at most.
pub const BLOCK: usize = 32;

/// Fills with N(0, 1) by the polar method (Marsaglia and Bray 1964).
fn fill_normal(rng: &mut StdRng, values: &mut [f64]) {
    for pair in values.chunks_mut(2) {
        let (a, b) = loop {
            let (u, v) = (2.0 * rng.random::<f64>() - 1.0, 2.0 * rng.random::<f64>() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let scale = (-2.0 * s.ln() / s).sqrt();
                break (u * scale, v * scale);
            }
        };
        pair[0] = a;
        if let Some(second) = pair.get_mut(1) {
            *second = b;
        }
    }
}
