//! Residua solves sparse linear systems A x = b, and proves each answer by its true residual.
//!
//! ```
//! use residua::prelude::*;
//!
//! let a: CsrMatrix = matrix_market::read_csr("data/matrices/poisson2d.mtx")?.matrix;
//! let b = vec![1.0; a.nrows()];
//! let mut x = vec![0.0; a.ncols()];
//!
//! let system = LinearSystem::new(&a, &b)?;
//! let mut cg = Cg::new(Ic0::new(&a)?);
//! let outcome = cg.solve(&system, &mut x, &StopRule::rtol(1e-10), &mut ())?;
//!
//! match outcome.reason {
//!     StopReason::Converged(_) => println!("{} iterations", outcome.iterations),
//!     StopReason::Stopped(limit) => println!("{limit:?} at {:e}", outcome.relative_residual),
//!     StopReason::Failed(breakdown) => println!("{breakdown:?}: {}", outcome.reason.advice()),
//! }
//! assert!(outcome.converged() && outcome.relative_residual <= 1e-10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which method
//!
//! | your matrix is … | use … |
//! |---|---|
//! | anything, and you do not want to choose | [`Session`](auto::Session), the `auto` of the command line |
//! | Hermitian positive definite | [`Cg`](krylov::Cg) with [`Ic0`](precond::Ic0), [`Ict`](precond::Ict) or [`Jacobi`](precond::Jacobi) |
//! | the same, from a 5- or 7-point stencil | [`EisenstatCg`](krylov::EisenstatCg): SSOR or incomplete Cholesky at the price of plain CG |
//! | the same, with a preconditioner that changes | [`Fcg`](krylov::Fcg) |
//! | Hermitian, indefinite or singular | [`Minres`](krylov::Minres) |
//! | nonsymmetric | [`Gmres`](krylov::Gmres), [`Bicgstab`](krylov::Bicgstab) or [`Idrs`](krylov::Idrs) with [`Ilu0`](precond::Ilu0) or [`Ilut`](precond::Ilut) |
//! | the same, with a preconditioner that changes | [`Fgmres`](krylov::Fgmres) |
//! | rectangular | [`Lsmr`](krylov::Lsmr) |
//! | small, or with little fill | [`Direct`](direct::Direct): Cholesky, LDLᴴ, LU, QR |
//! | for many right-hand sides | [`BlockCg`](krylov::BlockCg): one pass over A for all |
//! | known only by its product with a vector | any Krylov method with an [`FnOperator`](operator::FnOperator) |
//!
//! Moving one distribution onto another at least cost is not a linear system but is solved by many of them:
//! [`transport`], for stored costs and point clouds.
//!
//! # What a call looks like
//!
//! A tolerance is relative to ‖b‖₂ and comes with the call ([`StopRule`]); a solver owns its workspace
//! and can be used again. A **warm start** is a call whose `x` holds a guess:
//!
//! ```
//! # use residua::prelude::*;
//! # let a = CsrMatrix::try_new(2, 2, vec![0, 2, 4], vec![0, 1, 0, 1], vec![2.0, -1.0, -1.0, 2.0])?;
//! # let b = [1.0, 0.0];
//! # let system = LinearSystem::new(&a, &b)?;
//! let mut minres = Minres::new(Identity);
//! let mut x = vec![0.0; 2];
//! minres.solve(&system, &mut x, &StopRule::rtol(1e-2), &mut ())?;
//! minres.solve(&system, &mut x, &StopRule::rtol(1e-10), &mut ())?; // goes on from x
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A **matrix-free operator** is a closure that sets y ← A x:
//!
//! ```
//! # use residua::prelude::*;
//! let n = 100;
//! let laplacian = FnOperator::new(n, |x: &[f64], y: &mut [f64]| {
//!     for i in 0..x.len() {
//!         let left = if i > 0 { x[i - 1] } else { 0.0 };
//!         y[i] = 2.0 * x[i] - left - x.get(i + 1).unwrap_or(&0.0);
//!     }
//! });
//! let b = vec![1.0; n];
//! let mut x = vec![0.0; n];
//! let mut cg = Cg::new(Identity);
//! assert!(cg.solve(&LinearSystem::new(&laplacian, &b)?, &mut x, &StopRule::default(), &mut ())?.converged());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A **callback** sees every iteration and may stop the solve:
//!
//! ```
//! # use residua::prelude::*;
//! use std::ops::ControlFlow;
//! # let a = CsrMatrix::try_new(2, 2, vec![0, 2, 4], vec![0, 1, 0, 1], vec![2.0, -1.0, -1.0, 2.0])?;
//! # let (b, mut x) = ([1.0, 0.0], [0.0; 2]);
//! let mut stop_at_once = |progress: &Progress<'_>| {
//!     println!("{}: {:e}", progress.iteration, progress.residual_norm);
//!     if progress.iteration >= 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
//! };
//! let system = LinearSystem::new(&a, &b)?;
//! let outcome = Cg::new(Identity).solve(&system, &mut x, &StopRule::default(), &mut stop_at_once)?;
//! assert_eq!(outcome.reason, StopReason::Stopped(Limit::MonitorRequest));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A **sequence** of matrices with one pattern keeps its solver and refreshes the preconditioner:
//!
//! ```
//! # use residua::prelude::*;
//! let mut a = CsrMatrix::try_new(2, 2, vec![0, 2, 4], vec![0, 1, 0, 1], vec![2.0, -1.0, -1.0, 2.0])?;
//! let (b, mut x) = ([1.0, 0.0], [0.0; 2]);
//! let mut cg = Cg::new(Ic0::new(&a)?);
//! for step in 0..3 {
//!     a.values_mut()[0] += 0.1 * f64::from(step); // time passes
//!     cg.precond_mut().refresh(&a)?;
//!     let outcome = cg.solve(&LinearSystem::new(&a, &b)?, &mut x, &StopRule::default(), &mut ())?;
//!     outcome.require_converged()?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! Nothing is called converged unless ‖b − A x‖₂, recomputed from A, x and b, meets the tolerance. Every other
//! end has its name ([`StopReason`]). Results do not depend on the number of threads, to the last bit. A
//! second solve of the same size allocates nothing.

pub mod sequence;

pub use residua_bandit as bandit;
pub use residua_data::{self as data, matrix_market, nlp, poisson, zoo};
pub use residua_solvers::{
    auto, choice, constrained, direct, error, kernels, krylov, monitor, null_space, operator, ordering,
    outcome, precond, scaling, solver, stationary, system, transport,
};

pub use residua_data::{CooBuilder, CsrMatrix, Scalar};
pub use residua_solvers::{
    Breakdown, History, Limit, LinearOperator, LinearSystem, Monitor, Outcome, Preconditioner, Progress,
    SolveError, Solver, StopReason, StopRule,
};

/// What most programs need, to be imported at once.
pub mod prelude {
    pub use residua_data::nlp::NonlinearProblem;
    pub use residua_data::{CooBuilder, CsrMatrix, matrix_market};
    pub use residua_solvers::auto::{Options, Session};
    pub use residua_solvers::constrained::{
        IterationRecord, KktMethod, MinimizeOptions, MinimizeOutcome, MinimizeStatus, minimize,
    };
    pub use residua_solvers::direct::{Direct, DirectKind};
    pub use residua_solvers::krylov::{
        Bicgstab, BlockCg, Cg, EisenstatCg, Fcg, Fgmres, Gmres, Idrs, Lsmr, Minres,
    };
    pub use residua_solvers::operator::FnOperator;
    pub use residua_solvers::precond::{Ic0, Ict, Identity, Ilu0, Ilut, Jacobi, Ssor};
    pub use residua_solvers::stationary::Sor;
    pub use residua_solvers::transport::{
        self, Cost, Epsilon, Ground, PointCloud, TransportMethod, TransportOptions, TransportOutcome,
        TransportProblem, TransportStatus,
    };
    pub use residua_solvers::{
        Breakdown, Converged, History, Limit, LinearOperator, LinearSystem, Monitor, Outcome, Preconditioner,
        Progress, Refresh, Solver, SparseRows, StopReason, StopRule,
    };
}
