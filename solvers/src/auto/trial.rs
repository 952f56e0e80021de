//! How fast Krylov methods with Jacobi converge on a matrix, found out by a few iterations.
//!
//! Well-conditioned matrices (mass matrices, Markov chains, strongly dominant ones) need a dozen iterations with the
//! cheapest preconditioner there is, a small part of what any factorization costs. No bound tells: Gershgorin's is void
//! for mass matrices of finite elements. The trial costs eight iterations where it says no.

use crate::precond::Jacobi;
use crate::{Cg, CsrMatrix, LinearSystem, Scalar, Solver, StopRule, krylov::Bicgstab};
use residua_data::poisson::uniform_rhs;

/// Iterations of the trial.
const ITERATIONS: usize = 8;

/// Decimal digits that the residual of a random right-hand side loses in an iteration, over [`ITERATIONS`]; `None` where
/// the method breaks down. `definite`: CG, else BiCGSTAB.
pub(super) fn jacobi_digits<T: Scalar>(a: &CsrMatrix<T>, definite: bool) -> Option<f64> {
    let b: Vec<T> = uniform_rhs(a.nrows(), 1).into_iter().map(T::of).collect();
    let system = LinearSystem::new(a, &b).ok()?;
    let mut x = vec![T::zero(); a.nrows()];
    let stop = StopRule { rtol: 1e-12, max_iters: ITERATIONS, ..StopRule::default() };
    let jacobi = Jacobi::new(a).ok()?;
    let outcome = if definite {
        Cg::new(jacobi).solve(&system, &mut x, &stop, &mut ())
    } else {
        Bicgstab::new(jacobi).solve(&system, &mut x, &stop, &mut ())
    };
    let outcome = outcome.ok().filter(|o| o.relative_residual.is_finite() && o.iterations > 0)?;
    Some(-outcome.relative_residual.max(1e-16).log10() / outcome.iterations as f64)
}
