//! The one place where the command meets the toolkit's readers, writers and choices.

use crate::cases::{Source, unreadable};
use num_complex::Complex64;
use residua_solvers::precond::amg::automatic_coarsening;
use std::any::Any;

use residua_data::CsrMatrix;
use residua_data::matrix_market::{self, AnyMatrix, DenseColumns, Field};
use residua_solvers::auto::{AutoScalar, Options, Session, estimate_condition};
use residua_solvers::{Method, PrecondKind, SolveError, StopRule};
use std::path::Path;

/// Whether this version has `method` with `precond`: asked of the solvers themselves, on the identity of
/// order 2.
///
/// # Errors
/// [`SolveError::InvalidOption`] if it has not.
pub(crate) fn check_combination(method: Method, precond: PrecondKind) -> Result<(), SolveError> {
    if precond == PrecondKind::Learned {
        // It is no part of the solvers, and runs in one method.
        return if matches!(method, Method::Auto | Method::Fcg) {
            Ok(())
        } else {
            Err(SolveError::InvalidOption {
                name: "method",
                value: method.to_string(),
                expected: "fcg with the learned preconditioner",
            })
        };
    }
    let identity = CsrMatrix::from_diagonal(&[1.0, 1.0]).ok();
    let Some(a) = identity else { return Ok(()) };
    let mut options = Options::default();
    (options.method, options.precond) = (method, precond);
    let solved = Session::new(&a, &options)
        .and_then(|mut session| session.solve(&[1.0, 1.0], &mut [0.0; 2], &StopRule::default(), &mut ()));
    match solved {
        Err(error @ SolveError::InvalidOption { .. }) => Err(error),
        _ => Ok(()),
    }
}

/// Real or complex, as the file says.
#[derive(Debug, Clone)]
pub(crate) enum Either<R, C> {
    Real(R),
    Complex(C),
}

/// One or more vectors of the same length.
pub(crate) type Columns = Either<DenseColumns<f64>, DenseColumns<Complex64>>;

/// A matrix as it was read.
#[derive(Debug)]
pub(crate) struct MatrixFile {
    /// All entries, those of the other triangle included.
    pub(crate) matrix: Either<CsrMatrix<f64>, CsrMatrix<Complex64>>,
    /// real, complex, integer or pattern.
    pub(crate) field: Field,
    /// Entries that were added to another at the same place.
    pub(crate) duplicates: usize,
}

/// `$body` with `$a` bound to the matrix in `$file`, whichever type it has.
macro_rules! with_matrix {
    ($file:expr, $a:ident => $body:expr) => {
        match &$file.matrix {
            Either::Real($a) => $body,
            Either::Complex($a) => $body,
        }
    };
}

impl MatrixFile {
    pub(crate) fn rows(&self) -> usize {
        with_matrix!(self, a => a.nrows())
    }

    pub(crate) fn cols(&self) -> usize {
        with_matrix!(self, a => a.ncols())
    }

    /// Stored entries, those of the other triangle included.
    pub(crate) fn nnz(&self) -> usize {
        with_matrix!(self, a => a.nnz())
    }

    /// A = Aᵀ, exactly.
    pub(crate) fn is_symmetric(&self) -> bool {
        with_matrix!(self, a => a.is_symmetric())
    }
}

/// Reads a matrix; the error is one line, `FILE:LINE: what is wrong: what was expected`.
pub(crate) fn read_matrix(source: &Source) -> Result<MatrixFile, String> {
    let file = match source {
        Source::File(path) => {
            check_openable(path)?;
            matrix_market::read(path)
        }
        Source::Stdin => {
            matrix_market::Source::from_reader("-", std::io::stdin()).and_then(matrix_market::Source::read)
        }
        Source::Unusable(message) => return Err(message.clone()),
    };
    let file = file.map_err(|e| e.to_string())?;
    let matrix = match file.matrix {
        AnyMatrix::Real(a) => Either::Real(a),
        AnyMatrix::Complex(a) => Either::Complex(a),
    };
    Ok(MatrixFile { matrix, field: file.header.field, duplicates: file.duplicates })
}

/// Reads right-hand sides; the error is one line, `FILE:LINE: what is wrong: what was expected`.
pub(crate) fn read_columns(path: &Path) -> Result<Columns, String> {
    check_openable(path)?;
    let source = matrix_market::Source::open(path).map_err(|e| e.to_string())?;
    let columns = if source.header().field == Field::Complex {
        source.read_dense().map(|file| Either::Complex(file.matrix))
    } else {
        source.read_dense().map(|file| Either::Real(file.matrix))
    };
    columns.map_err(|e| e.to_string())
}

/// A path that cannot be opened has no line that is wrong.
fn check_openable(path: &Path) -> Result<(), String> {
    let checked = std::fs::metadata(path);
    checked.map(|_| ()).map_err(|error| format!("{}: {}", path.display(), unreadable(&error)))
}

/// Writes `columns` as an array file, as a whole or not at all, making the folders above it. Nothing is
/// written of vectors that are not finite, which no reader would take: false.
///
/// The error is one line.
pub(crate) fn write_columns(path: &Path, columns: &Columns) -> Result<bool, String> {
    let is_finite = match columns {
        Either::Real(x) => x.values().iter().all(|v| v.is_finite()),
        Either::Complex(x) => x.values().iter().all(|v| v.is_finite()),
    };
    if !is_finite {
        return Ok(false);
    }
    if let Some(parent) = path.parent() {
        let made = std::fs::create_dir_all(parent);
        made.map_err(|error| format!("{}: {}", parent.display(), crate::cases::unwritable(&error)))?;
    }
    let written = match columns {
        Either::Real(x) => matrix_market::write_dense(path, x, &[]),
        Either::Complex(x) => matrix_market::write_dense(path, x, &[]),
    };
    written.map(|()| true).map_err(|e| e.to_string())
}

/// What suits a matrix, and why.
#[derive(Debug, Clone)]
pub(crate) struct Advice {
    /// An estimate of the condition number in the 1-norm; none where it is too expensive or the matrix is
    /// singular.
    pub(crate) condition_estimate: Option<f64>,
    pub(crate) method: Method,
    pub(crate) precond: PrecondKind,
    pub(crate) reason: String,
}

/// What `auto` would try first for `a`.
///
/// # Errors
/// What the analysis refuses.
pub(crate) fn advise<T: AutoScalar>(a: &CsrMatrix<T>) -> Result<Advice, SolveError> {
    let session = Session::new(a, &Options::default())?;
    let (method, precond, reason) = session.suggestion().unwrap_or_default();
    let condition_estimate = estimate_condition(a, session.facts()).filter(|c| c.is_finite());
    let mut reason = reason.to_owned();
    if precond == PrecondKind::Amg
        && let Some(a) = (a as &dyn Any).downcast_ref::<CsrMatrix<f64>>()
    {
        let (coarsening, why) = automatic_coarsening(a);
        reason.push_str(&format!("; its multigrid coarsens by {coarsening}: {why}"));
    }
    Ok(Advice { condition_estimate, method, precond, reason })
}
