//! The one place where the command meets the toolkit's readers and writers.

mod stub;

use crate::cases::{Source, plain};
use num_complex::Complex64;
use residua_data::CsrMatrix;
use residua_solvers::PrecondKind;
use std::path::Path;

/// Whether this version knows only the name.
pub(crate) fn is_of_a_later_version(precond: PrecondKind) -> bool {
    matches!(precond, PrecondKind::Amg | PrecondKind::Learned)
}

/// The preconditioners that a user may choose.
pub(crate) fn preconds() -> impl Iterator<Item = PrecondKind> {
    PrecondKind::ALL.iter().copied().filter(|p| !is_of_a_later_version(*p))
}

/// Real or complex, as the file says.
#[derive(Debug, Clone)]
pub(crate) enum Either<R, C> {
    Real(R),
    Complex(C),
}

/// A matrix as it was read.
#[derive(Debug)]
pub(crate) struct MatrixFile {
    /// All entries, those of the other triangle included.
    pub(crate) matrix: Either<CsrMatrix<f64>, CsrMatrix<Complex64>>,
    /// real, complex, integer or pattern.
    pub(crate) field: &'static str,
    /// Entries that were added to another at the same place.
    pub(crate) duplicates: usize,
}

impl MatrixFile {
    pub(crate) fn rows(&self) -> usize {
        match &self.matrix {
            Either::Real(a) => a.nrows(),
            Either::Complex(a) => a.nrows(),
        }
    }

    pub(crate) fn cols(&self) -> usize {
        match &self.matrix {
            Either::Real(a) => a.ncols(),
            Either::Complex(a) => a.ncols(),
        }
    }

    /// Stored entries, those of the other triangle included.
    pub(crate) fn nnz(&self) -> usize {
        match &self.matrix {
            Either::Real(a) => a.nnz(),
            Either::Complex(a) => a.nnz(),
        }
    }

    /// A = Aᵀ, exactly.
    pub(crate) fn is_symmetric(&self) -> bool {
        match &self.matrix {
            Either::Real(a) => *a == a.transpose(),
            Either::Complex(a) => *a == a.transpose(),
        }
    }
}

/// One or more vectors.
pub(crate) type Columns = Either<Vec<Vec<f64>>, Vec<Vec<Complex64>>>;

/// Reads a matrix; the error is one line, `FILE:LINE: what is wrong: what was expected`.
pub(crate) fn read_matrix(source: &Source) -> Result<MatrixFile, String> {
    match source {
        Source::File(path) => stub::read_matrix(path),
        Source::Stdin => stub::read_matrix(Path::new("/dev/stdin")),
        Source::Unusable(message) => Err(message.clone()),
    }
}

/// Reads right-hand sides; the error is one line, `FILE:LINE: what is wrong: what was expected`.
pub(crate) fn read_columns(path: &Path) -> Result<Columns, String> {
    stub::read_columns(path)
}

/// Writes `columns` as an array file, as a whole or not at all, making the folders above it.
///
/// The error is one line.
pub(crate) fn write_columns(path: &Path, columns: &Columns) -> Result<(), String> {
    let parent = path.parent().unwrap_or(Path::new(""));
    let written = std::fs::create_dir_all(parent).and_then(|()| match columns {
        Either::Real(columns) => stub::write_columns(path, columns),
        Either::Complex(columns) => stub::write_columns(path, columns),
    });
    written.map_err(|e| {
        format!("{}: cannot be written ({}): expected a writable folder with room", path.display(), plain(&e))
    })
}
