//! Constrained optimisation by Newton's method on the KKT conditions.
//!
//! ```text
//! min f(x)  subject to  c_L ≤ c(x) ≤ c_U,  x_L ≤ x ≤ x_U
//! ```
//!
//! Problems without bounds use the exact augmented Lagrangian as merit function (`lagrangian`); problems with bounds or
//! inequalities, and those where that gets stuck, a primal-dual barrier method with a filter (`barrier`), which has a
//! restoration phase (`restoration`). Both share one Newton core (`newton`): K is shifted until its inertia is right.
//! Only the single exit (`solve`) says `converged`, from a residual recomputed from the problem's functions.
//!
//! [`KktMethod::Gmres`] is FGMRES with a constraint preconditioner, or CG on the Schur complement with multigrid; `Direct` factorizes K;
//! `Auto` takes what is predicted to cost least (`choice`).
//! [`KktMethod::Sketched`] is sketch and project ([`crate::sketch`]); where that stalls the factors solve, and the outcome's
//! `warnings` say how often.

// Loops over several arrays at once read best by index; negated comparisons send NaN down the failing branch.
#![allow(clippy::needless_range_loop, clippy::neg_cmp_op_on_partial_ord)]

mod accuracy;
mod barrier;
mod bounds;
mod certificate;
mod choice;
mod correction;
mod curvature;
mod derivatives;
mod filter;
mod finish;
mod kkt;
mod lagrangian;
mod model;
mod multipliers;
mod newton;
mod null_space;
mod options;
mod outcome;
mod patterns;
mod phases;
mod point;
mod residual;
mod restoration;
mod run;
mod solve;
mod sparse;
mod start;
#[cfg(test)]
mod tests;

pub use derivatives::{DerivativeError, DerivativeReport, check_derivatives};
pub use options::{
    Accuracy, BarrierConstants, HessianShift, KktMethod, LagrangianConstants, MinimizeOptions, SketchKind,
    UnknownName,
};
pub use outcome::{IterationRecord, MinimizeError, MinimizeOutcome, MinimizeStatus};
pub use residual::{KktResidual, kkt_residual};
pub use run::MinimizeMonitor;
pub use solve::minimize;
