//! Why a step cannot be solved, or a state not be used.

use residua_bandit::PolicyError;
use residua_solvers::SolveError;
use std::path::PathBuf;

/// Why a step cannot be solved, or a state not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SequenceError {
    /// The call is wrong.
    #[error(transparent)]
    Solve(#[from] SolveError),
    /// The policy refuses its context or its state.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A state file that cannot be read, written or used.
    #[error("{}: {reason}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what was expected.
        reason: String,
    },
}
