//! Writing matrices and dense columns.
//!
//! What is written is read back bit for bit: matrix values as the shortest decimal that rounds to the same
//! number, dense columns with 17 significant digits (9 for `f32`).

use super::output::Output;
use super::{
    DenseColumns, Field, FileScalar, Format, Header, MatrixMarketError, MatrixMarketErrorKind as Kind,
    Symmetry,
};
use crate::csr::CsrMatrix;
use std::io::{self, Write};
use std::path::Path;

/// How a matrix is written; the default is `general`, real or complex by its type, without comments.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// List only the triangle that the symmetry needs; `None` is general. The matrix must have that symmetry
    /// exactly.
    pub symmetry: Option<Symmetry>,
    /// The field; `None` is real or complex by the type. `Integer` asks for integers up to 2⁵³, `Pattern`
    /// for ones.
    pub field: Option<Field>,
    /// Comment lines, written after the first line; a line end in one begins another.
    pub comments: Vec<String>,
}

/// What stands in the way of writing: the matrix, or the output.
pub(super) enum WriteError {
    Refused(Kind),
    Io(io::Error),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writes a matrix to a file in coordinate format, compressed if the name ends in `.gz`.
///
/// The file appears whole or not at all: it is written beside its place and then renamed (a pipe or a
/// device is written directly).
///
/// # Errors
/// [`MatrixMarketError`] names the file: values that are not finite, a symmetry or field that the matrix has
/// not, and every failure of the system, a full disk included.
pub fn write_csr<T: FileScalar>(
    path: impl AsRef<Path>,
    matrix: &CsrMatrix<T>,
    options: &WriteOptions,
) -> Result<(), MatrixMarketError> {
    Output::create(path.as_ref())?.write(|out| matrix_to(out, matrix, options))
}

/// Writes a matrix in coordinate format to `out`, which errors call `name`. Flushes, so that no error is
/// lost.
///
/// # Errors
/// As [`write_csr`].
pub fn write_csr_to<T: FileScalar>(
    name: &str,
    out: impl Write,
    matrix: &CsrMatrix<T>,
    options: &WriteOptions,
) -> Result<(), MatrixMarketError> {
    Output::to_writer(name, out).write(|out| matrix_to(out, matrix, options))
}

/// Writes dense columns to a file in array format, 17 significant digits, compressed if the name ends in
/// `.gz`; whole or not at all, as [`write_csr`]. Each string is a comment line.
///
/// # Errors
/// [`MatrixMarketError`] names the file: values that are not finite, and every failure of the system.
pub fn write_dense<T: FileScalar>(
    path: impl AsRef<Path>,
    columns: &DenseColumns<T>,
    comments: &[String],
) -> Result<(), MatrixMarketError> {
    Output::create(path.as_ref())?.write(|out| columns_to(out, columns, comments))
}

/// Writes dense columns in array format to `out`, which errors call `name`. Flushes.
///
/// # Errors
/// As [`write_dense`].
pub fn write_dense_to<T: FileScalar>(
    name: &str,
    out: impl Write,
    columns: &DenseColumns<T>,
    comments: &[String],
) -> Result<(), MatrixMarketError> {
    Output::to_writer(name, out).write(|out| columns_to(out, columns, comments))
}

fn write_start(out: &mut dyn Write, header: &Header, comments: &[String]) -> io::Result<()> {
    let Header { format, field, symmetry, rows, cols, entries } = header;
    writeln!(out, "%%MatrixMarket matrix {format} {field} {symmetry}")?;
    for line in comments.iter().flat_map(|comment| comment.split(['\n', '\r'])) {
        writeln!(out, "% {line}")?;
    }
    match format {
        Format::Coordinate => writeln!(out, "{rows} {cols} {entries}"),
        Format::Array => writeln!(out, "{rows} {cols}"),
    }
}

fn columns_to<T: FileScalar>(
    out: &mut dyn Write,
    columns: &DenseColumns<T>,
    comments: &[String],
) -> Result<(), WriteError> {
    let (rows, cols) = (columns.nrows(), columns.ncols());
    let field = if T::is_complex_type() { Field::Complex } else { Field::Real };
    let entries = columns.values().len() as u64;
    let header = Header { format: Format::Array, field, symmetry: Symmetry::General, rows, cols, entries };
    for (k, &value) in columns.values().iter().enumerate() {
        check_value(k % rows, k / rows, value, field).map_err(WriteError::Refused)?;
    }
    write_start(out, &header, comments)?;
    let digits = if size_of::<T::RealField>() == 4 { 8 } else { 16 };
    for &value in columns.values() {
        match (value.parts(), T::is_complex_type()) {
            ((re, _), false) => writeln!(out, "{re:.digits$e}")?,
            ((re, im), true) => writeln!(out, "{re:.digits$e} {im:.digits$e}")?,
        }
    }
    Ok(())
}

fn matrix_to<T: FileScalar>(
    out: &mut dyn Write,
    matrix: &CsrMatrix<T>,
    options: &WriteOptions,
) -> Result<(), WriteError> {
    let symmetry = options.symmetry.unwrap_or(Symmetry::General);
    let field = options.field.unwrap_or(if T::is_complex_type() { Field::Complex } else { Field::Real });
    check_options(field, symmetry, T::is_complex_type()).map_err(WriteError::Refused)?;
    check_symmetry(matrix, symmetry).map_err(WriteError::Refused)?;
    let mut entries = 0;
    for (i, j, value) in listed(matrix, symmetry) {
        check_value(i, j as usize, value, field).map_err(WriteError::Refused)?;
        entries += 1;
    }
    let (rows, cols) = (matrix.nrows(), matrix.ncols());
    let header = Header { format: Format::Coordinate, field, symmetry, rows, cols, entries };
    write_start(out, &header, &options.comments)?;
    for (i, j, value) in listed(matrix, symmetry) {
        let (re, im) = value.parts();
        write!(out, "{} {}", i + 1, j + 1)?;
        match field {
            Field::Pattern => writeln!(out)?,
            Field::Integer => writeln!(out, " {re}")?,
            Field::Complex => writeln!(out, " {} {}", shortest::<T>(re), shortest::<T>(im))?,
            Field::Real => writeln!(out, " {}", shortest::<T>(re))?,
        }
    }
    Ok(())
}

/// The entries that a file of this symmetry lists: all, or those on and below the diagonal (strictly below
/// if skew-symmetric).
fn listed<T: FileScalar>(
    matrix: &CsrMatrix<T>,
    symmetry: Symmetry,
) -> impl Iterator<Item = (usize, u32, T)> + '_ {
    let is_listed = move |i: usize, j: u32| match symmetry {
        Symmetry::General => true,
        Symmetry::Symmetric | Symmetry::Hermitian => j as usize <= i,
        Symmetry::SkewSymmetric => (j as usize) < i,
    };
    (0..matrix.nrows()).flat_map(move |i| {
        let (cols, values) = matrix.row(i);
        let entries = cols.iter().zip(values).map(move |(&j, &value)| (i, j, value));
        entries.filter(move |&(i, j, _)| is_listed(i, j))
    })
}

/// A number of `T`'s precision as the shortest decimal that rounds to it.
fn shortest<T: FileScalar>(part: f64) -> Shortest {
    if size_of::<T::RealField>() == 4 { Shortest::Single(part as f32) } else { Shortest::Double(part) }
}

enum Shortest {
    Single(f32),
    Double(f64),
}

impl std::fmt::Display for Shortest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Single(x) => write!(f, "{x:e}"),
            Self::Double(x) => write!(f, "{x:e}"),
        }
    }
}

fn check_options(field: Field, symmetry: Symmetry, is_complex: bool) -> Result<(), Kind> {
    let refuse = |found, expected| Err(Kind::WriteOptions { found, expected });
    match (field, symmetry) {
        (Field::Real | Field::Integer, _) if is_complex => {
            refuse("a complex matrix as field real or integer", "complex")
        }
        (Field::Complex, _) if !is_complex => refuse("a real matrix as field complex", "real or integer"),
        (Field::Real | Field::Integer, Symmetry::Hermitian) => {
            refuse("a real matrix as hermitian", "symmetric, which means the same")
        }
        (Field::Pattern, Symmetry::SkewSymmetric | Symmetry::Hermitian) => {
            refuse("a pattern that is skew-symmetric or hermitian", "general or symmetric")
        }
        _ => Ok(()),
    }
}

/// Refuses a value that the field cannot hold.
fn check_value<T: FileScalar>(i: usize, j: usize, value: T, field: Field) -> Result<(), Kind> {
    /// Integers up to here are doubles, so that none was rounded.
    const MAX_EXACT: f64 = (1u64 << 53) as f64;
    let (re, im) = value.parts();
    let expected = match field {
        _ if !(re.is_finite() && im.is_finite()) => "a finite number",
        Field::Integer if re.fract() != 0.0 || re.abs() > MAX_EXACT => "an integer of at most 2^53",
        Field::Pattern if (re, im) != (1.0, 0.0) => "1",
        _ => return Ok(()),
    };
    let found = if T::is_complex_type() { format!("{re:e} + {im:e}i") } else { format!("{re:e}") };
    Err(Kind::Unwritable { target: field.as_str(), row: i as u64 + 1, col: j as u64 + 1, found, expected })
}

/// Refuses a matrix that has not exactly this symmetry. A missing entry counts as zero.
fn check_symmetry<T: FileScalar>(matrix: &CsrMatrix<T>, symmetry: Symmetry) -> Result<(), Kind> {
    let (image, expected) = match symmetry {
        Symmetry::General => return Ok(()),
        Symmetry::Hermitian => (matrix.adjoint(), "the conjugate of the entry across the diagonal"),
        Symmetry::Symmetric => (matrix.transpose(), "the entry across the diagonal"),
        Symmetry::SkewSymmetric => {
            (matrix.transpose().map(|&v| -v), "the negative of the entry across the diagonal")
        }
    };
    if !matrix.is_square() {
        let (rows, cols) = (matrix.nrows() as u64, matrix.ncols() as u64);
        return Err(Kind::NotSquare { symmetry, rows, cols });
    }
    for i in 0..matrix.nrows() {
        if matrix.row(i) == image.row(i) {
            continue;
        }
        // The patterns may differ by stored zeros, which would not come back: the pair must be stored.
        let columns = matrix.row(i).0.iter().chain(image.row(i).0);
        for j in columns.map(|&j| j as usize) {
            let value = matrix.get(i, j);
            let missing_below = symmetry != Symmetry::SkewSymmetric
                && matrix.row(i).0.contains(&(j as u32)) != image.row(i).0.contains(&(j as u32));
            if value != image.get(i, j) || missing_below {
                let (re, im) = value.parts();
                let found =
                    if T::is_complex_type() { format!("{re:e} + {im:e}i") } else { format!("{re:e}") };
                let (row, col) = (i as u64 + 1, j as u64 + 1);
                return Err(Kind::Unwritable { target: symmetry.as_str(), row, col, found, expected });
            }
        }
    }
    Ok(())
}
