//! From a matrix and a wish to an answer or an honest reason.
//!
//! [`analyse`] measures the matrix, [`solve`] carries out the wish in [`Options`]: a named method with a
//! named preconditioner, or `auto`, which decides from the measured facts, says why in one sentence, and
//! falls back in a fixed order (the table in [`plan`]).

mod build;
mod condition;

pub mod facts;
pub mod plan;
mod scaled;
mod session;
mod trial;

pub use build::{AutoScalar, mic_relaxation};
pub use condition::estimate_condition;
pub use facts::{MatrixFacts, analyse};
pub use scaled::Scaled;
pub use session::Session;

use crate::choice::{Method, PrecondKind};
use crate::{CsrMatrix, Monitor, Outcome, SolveError, StopRule};
use std::time::Duration;

/// What the caller wants; the default leaves everything to `auto`.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The method.
    pub method: Method,
    /// The preconditioner, for methods that take one.
    pub precond: PrecondKind,
    /// Relaxation parameter of SOR and SSOR, in (0, 2); default 1.
    pub omega: Option<f64>,
    /// Restart length of GMRES and FGMRES, window of FCG, s of IDR(s); default the method's own.
    pub restart: Option<usize>,
    /// Seed of methods that draw random vectors.
    pub seed: u64,
}

/// How a solve went, and what was used.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The end of the solve that produced x.
    pub outcome: Outcome,
    /// The method that produced x.
    pub method: Method,
    /// Its preconditioner.
    pub precond: PrecondKind,
    /// Why this method and preconditioner, in one sentence.
    pub why: String,
    /// What the user should know of the preconditioner, if anything.
    pub warning: Option<String>,
    /// Wall time of analysis, factorizations and preconditioners, over all attempts.
    pub setup: Duration,
    /// Wall time of iterations, over all attempts.
    pub solve: Duration,
}

/// Solves A x = b from the initial guess in `x` (length n), as `options` say; `b` has length m.
///
/// # Errors
/// [`SolveError`] if the call is wrong, or a named preconditioner cannot be built from this matrix.
pub fn solve<T: AutoScalar>(
    a: &CsrMatrix<T>,
    b: &[T],
    x: &mut [T],
    options: &Options,
    stop: &StopRule,
    monitor: &mut dyn Monitor<T>,
) -> Result<Report, SolveError> {
    Session::new(a, options)?.solve(b, x, stop, monitor)
}
