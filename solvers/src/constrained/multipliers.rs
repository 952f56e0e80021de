//! Least-squares multipliers: λ = argmin ‖∇φ + Jᵀλ‖₂, from
//!
//! ```text
//! [ I  Jᵀ ] [ t ]     [ ∇φ ]
//! [ J  −δ ] [ λ ] = − [ 0  ]
//! ```
//!
//! (Wächter and Biegler 2006, eq. (36)). By LSMR on Jᵀ, which needs no factorization and gives the least-norm λ where
//! J lacks full row rank.

use super::sparse::{Rows, all_finite, norm_inf};
use crate::krylov::Lsmr;
use crate::{LinearOperator, LinearSystem, Solver, StopRule, TransposeOperator};

/// Larger estimates are worse than none.
const LARGEST: f64 = 1e3;

/// Up to this many constraints λ is computed to rounding.
const SMALL: usize = 200;

struct Transposed<'a>(&'a Rows);

impl LinearOperator<f64> for Transposed<'_> {
    fn nrows(&self) -> usize {
        self.0.ncols
    }
    fn ncols(&self) -> usize {
        self.0.nrows()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        y.fill(0.0);
        self.0.add_transposed(1.0, x, y);
    }
}

impl TransposeOperator<f64> for Transposed<'_> {
    fn apply_adjoint(&self, x: &[f64], y: &mut [f64]) {
        self.0.multiply(x, y);
    }
}

/// λ for the gradient `g`; zero where the estimate is useless.
pub(crate) fn least_squares(g: &[f64], j: &Rows) -> Vec<f64> {
    let mut lambda = vec![0.0; j.nrows()];
    if lambda.is_empty() || g.is_empty() {
        return lambda;
    }
    let b: Vec<f64> = g.iter().map(|g| -g).collect();
    let operator = Transposed(j);
    let Ok(system) = LinearSystem::new(&operator, &b) else { return lambda };
    // Many constraints: a rough estimate, as an accurate one would cost more than the Newton steps that it saves.
    let stop = if j.nrows() <= SMALL {
        StopRule::rtol(1e-10).with_max_iters(500)
    } else {
        StopRule::rtol(1e-2).with_max_iters(20)
    };
    let solved = Lsmr::default().solve(&system, &mut lambda, &stop, &mut ());
    if solved.is_err() || !all_finite(&lambda) || norm_inf(&lambda) > LARGEST {
        lambda.fill(0.0);
    }
    lambda
}
