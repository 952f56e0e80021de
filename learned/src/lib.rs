//! Learned preconditioners: networks in the place of M⁻¹.
//!
//! This crate is where the ONNX runtime will live, and the only one that links it, so that everything else
//! builds without a native library. What belongs here:
//!
//! - loading an `.onnx` model, with its names, shapes and types checked against the grid it was trained on;
//! - the preconditioner that applies it: residual to grid, scaled to norm one, to single precision, through
//!   the network, and back. A network is neither linear nor the same at every call, so it implements
//!   `residua_solvers::Preconditioner` and none of its markers: flexible CG and flexible GMRES take it, CG
//!   and GMRES refuse it at compile time;
//! - the small shipped models, and the program that trains them.
//!
//! None of that is here yet. Until it is, asking for a model is answered by [`LearnedError::NotAvailable`];
//! the loop that it would run in, flexible CG truncated to two directions, is in the solvers.

/// Why there is no learned preconditioner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LearnedError {
    /// This build has no runtime for networks.
    #[error("learned preconditioners are not available in this build: choose another, such as amg or ic0")]
    NotAvailable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_says_what_to_do_instead() {
        let text = LearnedError::NotAvailable.to_string();
        assert!(text.contains("not available") && text.contains("choose another"), "{text}");
    }
}
