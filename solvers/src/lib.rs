//! Solvers for sparse linear systems A x = b.
//!
//! Every method works on a [`LinearSystem`], stops by a [`StopRule`] on the unpreconditioned residual
//! ‖b − A x‖₂ ≤ max(rtol ‖b‖₂, atol), and returns an [`Outcome`] whose residual norm was recomputed from
//! A, x and b when the method ended, whatever the reason.

pub mod auto;
pub mod choice;
pub mod constrained;
pub mod control;
pub mod direct;
pub mod error;
pub mod kernels;
pub mod krylov;
pub mod monitor;
pub mod null_space;
pub mod operator;
pub mod ordering;
pub mod outcome;
pub mod precond;
pub mod scaling;
pub mod sketch;
pub mod solver;
pub mod stationary;
pub mod system;
pub mod transport;

pub use choice::{Method, PrecondKind};
pub use error::SolveError;
pub use krylov::Cg;
pub use monitor::{History, Monitor, Progress};
pub use operator::{LinearOperator, SparseRows, TransposeOperator};
pub use outcome::{Breakdown, Converged, Limit, Outcome, StopReason};
pub use precond::{LinearPreconditioner, Preconditioner, Refresh, SpdPreconditioner};
pub use residua_data::{CsrMatrix, Scalar};
pub use solver::Solver;
pub use system::{LinearSystem, StopRule};
