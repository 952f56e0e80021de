//! Entropic optimal transport.
//!
//! For a cost C ∈ ℝⁿˣᵐ and weights a, b of the same mass,
//!
//! ```text
//! min ⟨C, P⟩ + ε Σ P_ij (log P_ij − 1)   over P ≥ 0, P1 = a, Pᵀ1 = b
//! max Σ a_i f_i + Σ b_j g_j − ε Σ exp((f_i + g_j − C_ij)/ε)
//! ```
//!
//! are dual to each other, and P_ij = exp((f_i + g_j − C_ij)/ε) joins their solutions.

// Loops over several arrays at once read best by index; negated comparisons send NaN down the failing branch.
#![allow(clippy::needless_range_loop, clippy::neg_cmp_op_on_partial_ord, clippy::too_many_arguments)]

mod anderson;
mod auto;
mod batch;
mod bound;
mod cloud;
mod coarse;
mod cost;
mod damped;
mod divergence;
mod error;
mod feasible;
mod gradient;
mod levels;
mod newton;
mod operator;
mod options;
mod order;
mod outcome;
mod plan;
mod problem;
mod reduced;
mod rescue;
mod restore;
mod rounding;
mod row;
mod run;
mod simd;
mod sns;
mod soft;
mod solver;
mod stage;
mod support;
mod sweep;
mod tiles;
mod unbalanced;
mod visit;

#[cfg(test)]
mod around_tests;
#[cfg(test)]
mod damped_tests;
#[cfg(test)]
mod edge_tests;
#[cfg(test)]
mod hard_tests;
#[cfg(test)]
mod simd_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use batch::solve_batch;
pub use bound::{LpBound, lp_bound};
pub use cost::{Cost, DenseCost, Ground, PointCloud, PointCost};
pub use divergence::{SinkhornDivergence, sinkhorn_divergence};
pub use error::{MIN_RELATIVE_EPSILON, TransportError};
pub use gradient::{point_gradient, weight_gradient};
pub use operator::PlanOperator;
pub use options::{Epsilon, TransportMethod, TransportMonitor, TransportOptions, TransportProgress};
pub use outcome::{Potentials, TransportOutcome, TransportStatus};
pub use plan::{Plan, plan};
pub use problem::TransportProblem;
pub use restore::ZERO_WEIGHT;
pub use rounding::{RoundedPlan, round_plan};
pub use solver::{TransportSolver, solve};
pub use unbalanced::{UnbalancedOptions, UnbalancedOutcome, solve_unbalanced};
