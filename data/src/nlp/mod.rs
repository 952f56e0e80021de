//! Nonlinear programs, as the methods of constrained optimisation see them:
//!
//! min f(x) subject to c_L ≤ c(x) ≤ c_U and x_L ≤ x ≤ x_U, x ∈ ℝⁿ, c: ℝⁿ → ℝᵐ.
//!
//! An equality is a constraint with c_L = c_U; a missing bound is ±∞. [`NonlinearProblem`] gives values and
//! derivatives at a point and keeps no state that a caller could see: every method takes the point it is for.
//! The Jacobian and the Hessian are sparse, their patterns fixed for the life of the problem.

pub mod closure;
pub mod expression;
pub mod nl;
mod problem;
pub mod problems;

pub use problem::{EvaluationError, NonlinearProblem, SparsePattern};
