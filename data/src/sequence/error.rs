//! Why a sequence cannot be made, or not go on.

use crate::CsrError;
use crate::matrix_market::MatrixMarketError;

/// Why a sequence cannot be made, or not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SequenceError {
    /// A grid that is too coarse for the problem.
    #[error("{what} = {found} is too small: expected at least {min}")]
    TooSmall {
        /// The parameter.
        what: &'static str,
        /// What was given.
        found: usize,
        /// The smallest value that works.
        min: usize,
    },
    /// A grid whose matrix 32-bit indices cannot address.
    #[error("{what} = {found} is too large for 32-bit indices: expected at most {max}")]
    TooLarge {
        /// The parameter.
        what: &'static str,
        /// What was given.
        found: usize,
        /// The largest value that works.
        max: usize,
    },
    /// A number outside its range.
    #[error("{what} = {found} is not usable: expected a number from {low:e} to {high:e}")]
    Parameter {
        /// The parameter.
        what: &'static str,
        /// What was given.
        found: f64,
        /// Its lowest value.
        low: f64,
        /// Its highest value.
        high: f64,
    },
    /// The solution that was passed on does not belong to the last system.
    #[error(
        "the last solution has length {found}: expected {expected}, or an empty one if there is no solution"
    )]
    SolutionLength {
        /// The length that was given.
        found: usize,
        /// Unknowns of the last system.
        expected: usize,
    },
    /// The solution that was passed on has an infinity or NaN in it.
    #[error(
        "entry {index} (counted from 0) of the last solution is {found}: expected finite numbers, or an empty solution if the system was not solved"
    )]
    NonFiniteSolution {
        /// The first bad entry, from 0.
        index: usize,
        /// Its value.
        found: f64,
    },
    /// The simulation overflowed.
    #[error("the simulation overflowed at {label}: expected solutions that solve the systems given out")]
    Overflow {
        /// The step.
        label: String,
    },
    /// A folder cannot be listed.
    #[error("{path}: the folder cannot be read: {source}: expected a folder with .mtx or .mtx.gz files")]
    Folder {
        /// The folder.
        path: String,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A folder without matrices.
    #[error("{path}: there is no matrix in this folder: expected .mtx or .mtx.gz files")]
    EmptyFolder {
        /// The folder.
        path: String,
    },
    /// A file that is not a real Matrix Market file.
    #[error(transparent)]
    File(#[from] MatrixMarketError),
    /// A matrix that is not square.
    #[error("{path}: the matrix is {nrows} x {ncols}: expected as many rows as columns")]
    NotSquare {
        /// The file.
        path: String,
        /// Rows.
        nrows: usize,
        /// Columns.
        ncols: usize,
    },
    /// A right-hand side that does not fit its matrix.
    #[error("{path}: the right-hand side is {nrows} x {ncols}: expected {expected} x 1, as {matrix} has it")]
    RhsShape {
        /// The file of the right-hand side.
        path: String,
        /// Its rows.
        nrows: usize,
        /// Its columns.
        ncols: usize,
        /// Rows of the matrix.
        expected: usize,
        /// The file of the matrix.
        matrix: String,
    },
    /// The arrays do not form a matrix: an error of this module.
    #[error("the assembled matrix is invalid: {0}")]
    Assembly(#[from] CsrError),
}
