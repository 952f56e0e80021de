//! What makes a call wrong, as opposed to a solve that did not converge (that is an [`Outcome`](crate::Outcome)).

/// A wrong call, or a part that cannot be built from this matrix.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SolveError {
    /// A vector or matrix has the wrong size.
    #[error("{what} has length {found}, expected {expected}")]
    DimensionMismatch {
        /// Which argument.
        what: &'static str,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// The method needs a square matrix.
    #[error("{what} needs a square matrix, this one is {nrows} x {ncols}; for rectangular systems use LSMR")]
    NotSquare {
        /// The method or preconditioner.
        what: &'static str,
        /// Rows of the matrix.
        nrows: usize,
        /// Columns of the matrix.
        ncols: usize,
    },
    /// An input holds NaN or an infinity.
    #[error("{what} is not finite at index {index} (counted from 0)")]
    NonFinite {
        /// Which argument.
        what: &'static str,
        /// 0-based position.
        index: usize,
    },
    /// A diagonal entry that the method divides by is zero or missing.
    #[error("{what} divides by the diagonal, but entry ({row}, {row}) (counted from 0) is zero or missing")]
    ZeroDiagonal {
        /// The method or preconditioner.
        what: &'static str,
        /// 0-based row.
        row: usize,
    },
    /// A factorization met a pivot that it cannot divide by.
    #[error("{what} broke down at row {row} (counted from 0): {reason}")]
    FactorizationFailed {
        /// The preconditioner or direct method.
        what: &'static str,
        /// 0-based row.
        row: usize,
        /// What was wrong there and what to try.
        reason: String,
    },
    /// An option is outside its range.
    #[error("{name} = {value} is invalid: {expected}")]
    InvalidOption {
        /// The option's name.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is allowed, and why.
        expected: &'static str,
    },
    /// `refresh` was given a matrix with another pattern than the one that the part was built for.
    #[error("{what} was set up for another sparsity pattern: build it anew for this matrix")]
    PatternChanged {
        /// The preconditioner or direct method.
        what: &'static str,
    },
    /// A preconditioner or operator failed while it was applied.
    #[error("{what} failed: {reason}")]
    ApplyFailed {
        /// Which part.
        what: &'static str,
        /// Its own words.
        reason: String,
    },
}

/// Refuses a vector whose length is not `expected`.
pub fn check_len(what: &'static str, expected: usize, found: usize) -> Result<(), SolveError> {
    if expected == found { Ok(()) } else { Err(SolveError::DimensionMismatch { what, expected, found }) }
}

/// Refuses a matrix that is not square.
pub(crate) fn check_square(what: &'static str, nrows: usize, ncols: usize) -> Result<(), SolveError> {
    if nrows == ncols { Ok(()) } else { Err(SolveError::NotSquare { what, nrows, ncols }) }
}
