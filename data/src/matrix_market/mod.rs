//! Matrix Market files: matrices, right-hand sides and solutions as text.
//!
//! The format is that of Boisvert, Pozo and Remington (1996), "The Matrix Market exchange formats: initial
//! design", NISTIR 5935. Everything legal is read: `coordinate` and `array`; `real`, `integer`, `complex`,
//! `pattern`; `general`, `symmetric`, `skew-symmetric`, `hermitian`; words in any case, comments and blank
//! lines anywhere, any line ends, Fortran exponents (`1D+3`), and all of it compressed by gzip.
//!
//! ```no_run
//! use residua_data::matrix_market;
//! let file = matrix_market::read_csr::<f64>("bcsstk13.mtx")?;
//! println!("{} x {}, {}", file.matrix.nrows(), file.matrix.ncols(), file.header.symmetry);
//! let b = matrix_market::read_dense::<f64>("bcsstk13_b.mtx")?.matrix;
//! assert_eq!(b.nrows(), file.matrix.nrows());
//! # Ok::<(), matrix_market::MatrixMarketError>(())
//! ```
//!
//! **What a matrix becomes.** Mirrored entries are stored, so the matrix is whole. Entries at the same
//! place are added in the order of the file, and their number is reported. A symmetric file should list
//! the lower triangle; entries above the diagonal are taken as well, each with its mirror image, so a file
//! that lists both triangles has all its off-diagonal entries twice, which
//! [`duplicates`](MatrixMarket::duplicates) shows. Values are the nearest `f64` to the decimal number, to
//! the last bit, and then rounded to the type that was asked for.
//!
//! **What is refused**, with the line and the reason in a [`MatrixMarketError`]: anything malformed, NaN and
//! infinities, more or fewer entries than declared, sizes that 32-bit indices cannot address or that the
//! length of the file gives no reason for. Memory never follows a declared size before the file has
//! proved it.
//!
//! **Cost.** Blocks of lines are parsed on all threads of the current rayon pool, each number once; memory
//! peaks at the matrix and its entries as triplets, (4 + s) nnz + (8 + s) entries + 8 m bytes with s
//! bytes a value, and never holds the text. The result does not depend on the number of threads.

mod assemble;
mod blocks;
mod decimal;
mod dense;
mod entries;
mod error;
mod header;
mod output;
mod scalar;
mod source;
mod write;

use crate::csr::CsrMatrix;
use num_complex::Complex;
use std::path::Path;

pub use dense::DenseColumns;
pub use error::{MatrixMarketError, MatrixMarketErrorKind};
pub use header::{Field, Format, Header, Symmetry};
pub use scalar::FileScalar;
pub use source::Source;
pub use write::{WriteOptions, write_csr, write_csr_to, write_dense, write_dense_to};

/// What a file holds: `matrix` is a [`CsrMatrix`], an [`AnyMatrix`] or [`DenseColumns`].
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixMarket<M> {
    /// The matrix, mirrored entries included.
    pub matrix: M,
    /// What the file says of itself.
    pub header: Header,
    /// Listed entries that were added to an earlier one at the same place.
    pub duplicates: usize,
}

impl<M> MatrixMarket<M> {
    /// The same file with its matrix converted.
    pub fn map<N>(self, f: impl FnOnce(M) -> N) -> MatrixMarket<N> {
        MatrixMarket { matrix: f(self.matrix), header: self.header, duplicates: self.duplicates }
    }
}

/// A matrix of the field that its file declares.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyMatrix {
    /// From a real, integer or pattern file.
    Real(CsrMatrix<f64>),
    /// From a complex file.
    Complex(CsrMatrix<Complex<f64>>),
}

/// Reads only the header of a file.
///
/// # Errors
/// [`MatrixMarketError`] if the file cannot be opened, or its header is wrong.
pub fn read_header(path: impl AsRef<Path>) -> Result<Header, MatrixMarketError> {
    Source::open(path).map(|source| source.header().clone())
}

/// Reads a matrix from a file, complex if its field is complex, else real.
///
/// # Errors
/// [`MatrixMarketError`] names the first thing wrong and its line.
pub fn read(path: impl AsRef<Path>) -> Result<MatrixMarket<AnyMatrix>, MatrixMarketError> {
    Source::open(path)?.read()
}

/// Reads a matrix from a file, with values of type `T`; see [`Source::read_csr`].
///
/// # Errors
/// [`MatrixMarketError`] names the first thing wrong and its line.
pub fn read_csr<T: FileScalar>(
    path: impl AsRef<Path>,
) -> Result<MatrixMarket<CsrMatrix<T>>, MatrixMarketError> {
    Source::open(path)?.read_csr()
}

/// Reads dense columns (right-hand sides) from a file; see [`Source::read_dense`].
///
/// # Errors
/// [`MatrixMarketError`] names the first thing wrong and its line.
pub fn read_dense<T: FileScalar>(
    path: impl AsRef<Path>,
) -> Result<MatrixMarket<DenseColumns<T>>, MatrixMarketError> {
    Source::open(path)?.read_dense()
}
