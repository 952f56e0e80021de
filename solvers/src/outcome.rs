//! How a solve ended. Every end has a name, and the number reported is recomputed from A, x and b.

use std::fmt;
use std::time::Duration;

/// The end of one solve.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Why the method ended.
    pub reason: StopReason,
    /// Iterations done.
    pub iterations: usize,
    /// ‖b − A x‖₂, recomputed from the returned x.
    pub residual_norm: f64,
    /// `residual_norm` / ‖b‖₂; the residual norm itself where b = 0.
    pub relative_residual: f64,
    /// Products with A (and with Aᴴ).
    pub operator_applies: usize,
    /// Applications of the preconditioner.
    pub preconditioner_applies: usize,
    /// Wall time of the solve, without the preconditioner's set-up.
    pub elapsed: Duration,
}

impl Outcome {
    /// Whether the true residual meets the tolerance.
    pub fn converged(&self) -> bool {
        matches!(self.reason, StopReason::Converged(_))
    }

    /// The outcome if it converged, else an error that can be sent up with `?`.
    ///
    /// # Errors
    /// [`NotConverged`] with the whole outcome.
    pub fn require_converged(self) -> Result<Self, NotConverged> {
        if self.converged() { Ok(self) } else { Err(NotConverged(self)) }
    }
}

/// The outcome of a solve that did not converge, as an error.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{} after {} iterations at a relative residual of {:.3e}: {}", .0.reason, .0.iterations, .0.relative_residual, .0.reason.advice())]
pub struct NotConverged(pub Outcome);

/// Why a method ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// The true residual meets the tolerance.
    Converged(Converged),
    /// A limit of the caller's was reached first.
    Stopped(Limit),
    /// The method cannot go on.
    Failed(Breakdown),
}

/// How a solve converged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Converged {
    /// ‖b − A x‖₂ ≤ rtol ‖b‖₂.
    RelativeTolerance,
    /// ‖b − A x‖₂ ≤ atol.
    AbsoluteTolerance,
    /// b = 0, so x = 0 is the answer.
    ZeroRhs,
}

/// Which limit stopped a solve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// `max_iters` iterations were done.
    MaxIterations,
    /// `time_limit` has passed.
    TimeLimit,
    /// The monitor asked to stop.
    MonitorRequest,
}

/// Why a method cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Breakdown {
    /// A direction with pᴴAp ≤ 0 was met: A is not positive definite.
    IndefiniteOperator,
    /// rᴴM⁻¹r ≤ 0 was met: the preconditioner is not positive definite.
    IndefinitePreconditioner,
    /// A denominator of the recurrence vanished, and a restart does not help.
    ZeroDenominator,
    /// The residual no longer shrinks: the attainable accuracy is reached, or the method is stuck.
    Stagnation,
    /// The residual grew far beyond its first value.
    Divergence,
    /// NaN or an infinity appeared.
    NonFinite,
    /// A is singular and b is not in its range; x is a least-squares solution as far as the method found one.
    SingularInconsistent,
}

impl StopReason {
    /// What a user may do about it, in one sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Converged(_) => "the true residual meets the tolerance",
            Self::Stopped(Limit::MaxIterations) => "raise max_iters, or use a stronger preconditioner",
            Self::Stopped(Limit::TimeLimit) => "raise the time limit, or use a stronger preconditioner",
            Self::Stopped(Limit::MonitorRequest) => "the solve was interrupted; x is the last iterate",
            Self::Failed(Breakdown::IndefiniteOperator) => {
                "use minres if the matrix is symmetric, gmres otherwise, or let auto choose"
            }
            Self::Failed(Breakdown::IndefinitePreconditioner) => "use another preconditioner, or gmres",
            Self::Failed(Breakdown::ZeroDenominator) => "use another method, such as gmres or direct",
            Self::Failed(Breakdown::Stagnation) => {
                "loosen rtol, scale the system, or use a stronger preconditioner or a direct method"
            }
            Self::Failed(Breakdown::Divergence) => {
                "the method does not converge for this matrix: use another one"
            }
            Self::Failed(Breakdown::NonFinite) => "scale the system, or use a direct method",
            Self::Failed(Breakdown::SingularInconsistent) => {
                "b is outside the range of the matrix: no solution exists, x is a least-squares one as far as the method found it"
            }
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Converged(Converged::RelativeTolerance) => "converged to the relative tolerance",
            Self::Converged(Converged::AbsoluteTolerance) => "converged to the absolute tolerance",
            Self::Converged(Converged::ZeroRhs) => "converged: the right-hand side is zero",
            Self::Stopped(Limit::MaxIterations) => "stopped by the iteration limit",
            Self::Stopped(Limit::TimeLimit) => "stopped by the time limit",
            Self::Stopped(Limit::MonitorRequest) => "stopped by the monitor",
            Self::Failed(Breakdown::IndefiniteOperator) => "failed: the operator is not positive definite",
            Self::Failed(Breakdown::IndefinitePreconditioner) => {
                "failed: the preconditioner is not positive definite"
            }
            Self::Failed(Breakdown::ZeroDenominator) => "failed: a denominator vanished",
            Self::Failed(Breakdown::Stagnation) => "failed: stagnated",
            Self::Failed(Breakdown::Divergence) => "failed: diverged",
            Self::Failed(Breakdown::NonFinite) => "failed: not finite",
            Self::Failed(Breakdown::SingularInconsistent) => "failed: singular and inconsistent",
        })
    }
}
