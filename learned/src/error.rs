//! Why there is no learned preconditioner, or why it stopped.

use residua_solvers::SolveError;

/// What can go wrong with a model, its geometry or its runtime.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LearnedError {
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// In the system's words.
        reason: String,
    },
    /// The bytes are no ONNX model, or none that this toolkit can use.
    #[error("the model is not usable: {found}: expected {expected}")]
    Model {
        /// What was met.
        found: String,
        /// What should have been there.
        expected: String,
    },
    /// The model does not suit the problem.
    #[error("the model does not suit this problem: {found}: expected {expected}")]
    Geometry {
        /// What was met.
        found: String,
        /// What should have been there.
        expected: String,
    },
    /// ONNX Runtime's shared library is missing or of the wrong version.
    #[error(
        "ONNX Runtime is not available ({reason}): set ORT_DYLIB_PATH to libonnxruntime.so, version 1.24 or later (it \
comes with the Python package onnxruntime), or unset it and use the embedded runtime"
    )]
    RuntimeMissing {
        /// In the loader's words.
        reason: String,
    },
    /// The runtime refused the model or failed while it ran.
    #[error("the ONNX model does not run: {reason}")]
    Runtime {
        /// In its words.
        reason: String,
    },
    /// An option is outside its range.
    #[error("{name} = {value} is invalid: {expected}")]
    Option {
        /// The option's name.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// The solvers refused the call.
    #[error(transparent)]
    Solve(#[from] SolveError),
}

impl LearnedError {
    pub(crate) fn model(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Model { found: found.into(), expected: expected.into() }
    }

    pub(crate) fn geometry(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Geometry { found: found.into(), expected: expected.into() }
    }
}

impl From<LearnedError> for SolveError {
    fn from(error: LearnedError) -> Self {
        match error {
            LearnedError::Solve(error) => error,
            other => Self::ApplyFailed { what: "the learned preconditioner", reason: other.to_string() },
        }
    }
}
