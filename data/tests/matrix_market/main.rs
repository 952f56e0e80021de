//! Matrix Market files: what is read, what is refused and how, what is written, and how peers read the same.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod collection;
mod faults;
mod legal;
mod round_trip;

use residua_data::CsrMatrix;
use residua_data::matrix_market::{DenseColumns, FileScalar, MatrixMarket, MatrixMarketError, Source};

/// Reads a matrix from text that is called `t.mtx`.
fn read<T: FileScalar>(text: impl AsRef<[u8]>) -> Result<MatrixMarket<CsrMatrix<T>>, MatrixMarketError> {
    Source::from_reader("t.mtx", text.as_ref())?.read_csr()
}

/// Reads dense columns from text that is called `t.mtx`.
fn read_dense<T: FileScalar>(
    text: impl AsRef<[u8]>,
) -> Result<MatrixMarket<DenseColumns<T>>, MatrixMarketError> {
    Source::from_reader("t.mtx", text.as_ref())?.read_dense()
}

/// All entries of a small matrix, row by row.
fn dense_rows<T: FileScalar>(a: &CsrMatrix<T>) -> Vec<Vec<T>> {
    (0..a.nrows()).map(|i| (0..a.ncols()).map(|j| a.get(i, j)).collect()).collect()
}
