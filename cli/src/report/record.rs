//! One case's result, as the JSON fields say it.

use residua_solvers::transport::TransportStatus;
use residua_solvers::{Breakdown, Limit, StopReason};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Converged,
    MaxIterations,
    TimeLimit,
    Breakdown,
    Indefinite,
    Stagnated,
    Diverged,
    NonFinite,
    SingularInconsistent,
    Interrupted,
    Infeasible,
    InvalidInput,
}

impl From<StopReason> for Status {
    fn from(reason: StopReason) -> Self {
        match reason {
            StopReason::Converged(_) => Self::Converged,
            StopReason::Stopped(Limit::MaxIterations) => Self::MaxIterations,
            StopReason::Stopped(Limit::TimeLimit) => Self::TimeLimit,
            StopReason::Stopped(_) => Self::Interrupted,
            StopReason::Failed(Breakdown::IndefiniteOperator | Breakdown::IndefinitePreconditioner) => {
                Self::Indefinite
            }
            StopReason::Failed(Breakdown::Stagnation) => Self::Stagnated,
            StopReason::Failed(Breakdown::Divergence) => Self::Diverged,
            StopReason::Failed(Breakdown::NonFinite) => Self::NonFinite,
            StopReason::Failed(Breakdown::SingularInconsistent) => Self::SingularInconsistent,
            StopReason::Failed(_) => Self::Breakdown,
        }
    }
}

impl From<TransportStatus> for Status {
    fn from(status: TransportStatus) -> Self {
        match status {
            TransportStatus::Converged => Self::Converged,
            TransportStatus::MaxIterations => Self::MaxIterations,
            TransportStatus::TimeLimit => Self::TimeLimit,
            TransportStatus::Stagnated => Self::Stagnated,
            TransportStatus::NonFinite => Self::NonFinite,
            TransportStatus::Interrupted => Self::Interrupted,
            TransportStatus::Infeasible => Self::Infeasible,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Converged => "converged",
            Self::MaxIterations => "max_iterations",
            Self::TimeLimit => "time_limit",
            Self::Breakdown => "breakdown",
            Self::Indefinite => "indefinite",
            Self::Stagnated => "stagnated",
            Self::Diverged => "diverged",
            Self::NonFinite => "non_finite",
            Self::SingularInconsistent => "singular_inconsistent",
            Self::Interrupted => "interrupted",
            Self::Infeasible => "infeasible",
            Self::InvalidInput => "invalid_input",
        })
    }
}

/// One column of several right-hand sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ColumnRecord {
    pub(crate) status: Status,
    pub(crate) iterations: usize,
    pub(crate) relative_residual: Option<f64>,
    pub(crate) backward_error: Option<f64>,
}

/// One case of `residua solve`: its JSON object, field by field and in this order. What is not known
/// (an input that could not be read has no rows) or not finite is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SolveRecord {
    pub(crate) case: String,
    pub(crate) rows: Option<usize>,
    pub(crate) cols: Option<usize>,
    pub(crate) nnz: Option<usize>,
    /// A = Aᵀ, exactly.
    pub(crate) symmetric: Option<bool>,
    /// real, complex, integer or pattern.
    pub(crate) field: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) precond: Option<String>,
    pub(crate) threads: usize,
    pub(crate) status: Status,
    /// Summed over right-hand sides.
    pub(crate) iterations: Option<usize>,
    /// ‖b − Ax‖₂/‖b‖₂, from the matrix as read; the worst of several right-hand sides. ‖b − Ax‖₂ where b = 0.
    pub(crate) relative_residual: Option<f64>,
    /// ‖b − Ax‖∞/(‖A‖∞‖x‖∞ + ‖b‖∞), likewise.
    pub(crate) backward_error: Option<f64>,
    pub(crate) read_seconds: Option<f64>,
    pub(crate) setup_seconds: Option<f64>,
    pub(crate) solve_seconds: Option<f64>,
    /// The largest resident set of the process during this case; during the run so far where the system
    /// cannot forget an earlier peak.
    pub(crate) peak_memory_bytes: Option<u64>,
    /// Advice where it did not converge, the error where the input cannot be used, else null.
    pub(crate) message: Option<String>,
    /// Why this method and preconditioner.
    pub(crate) why: Option<String>,
    /// What the user should know of the preconditioner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) warning: Option<String>,
    /// Where b comes from: ones, consistent, random, or a file.
    pub(crate) rhs: Option<String>,
    pub(crate) rhs_columns: Option<usize>,
    /// Each right-hand side, if there is more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) columns: Option<Vec<ColumnRecord>>,
    /// What was written, relative to the output folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) solution: Option<String>,
    /// What the result depends on beside the files; `--resume` compares it.
    pub(crate) options: String,
    /// Size and time of the files; `--resume` compares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<String>,
    /// ‖r‖₂/‖b‖₂ of every iteration, the initial one first; of the worst right-hand side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<Vec<Option<f64>>>,
}

impl SolveRecord {
    /// A record of which nothing is known yet.
    pub(crate) fn new(case: &str, threads: usize, options: &str) -> Self {
        Self {
            case: case.to_owned(),
            rows: None,
            cols: None,
            nnz: None,
            symmetric: None,
            field: None,
            method: None,
            precond: None,
            threads,
            status: Status::InvalidInput,
            iterations: None,
            relative_residual: None,
            backward_error: None,
            read_seconds: None,
            setup_seconds: None,
            solve_seconds: None,
            peak_memory_bytes: None,
            message: None,
            why: None,
            warning: None,
            rhs: None,
            rhs_columns: None,
            columns: None,
            solution: None,
            options: options.to_owned(),
            input: None,
            history: None,
        }
    }

    /// The same case as one that cannot be used.
    #[must_use]
    pub(crate) fn invalid(self, message: String) -> Self {
        Self { status: Status::InvalidInput, message: Some(message), ..self }
    }
}

/// `value` if it is finite: JSON has no other numbers.
pub(crate) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
