//! Stationary (relaxation) methods, one file each.
//!
//! With A = D + L + U (diagonal, strictly lower, strictly upper triangle) and an easily solved W ≈ A, they
//! correct x ← x + W⁻¹ r, r = b − A x, so that the residual obeys r ← (I − A W⁻¹) r. Since
//! A = W − (W − A), with y = W⁻¹ r the next residual is
//!
//! ```text
//! r_new = r − A y = (W − A) y
//! ```
//!
//! which needs neither b, nor x, nor a full product: see each method for its W − A. The residual norm of
//! every iteration is therefore known at no extra pass over A.

mod jacobi;
mod sor;
mod splitting;

pub use jacobi::JacobiIteration;
pub use sor::{Sor, SweepKind, optimal_omega, sor_rate};
pub(crate) use splitting::{Splitting, check_omega};

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
