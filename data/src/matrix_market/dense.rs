//! Dense columns: right-hand sides and solutions.

use super::assemble::mirrored;
use super::blocks::Piece;
use super::entries::{Values, check_array_diagonal};
use super::{FileScalar, Header, MatrixMarketErrorKind as Kind, Symmetry};
use crate::csr::{CsrMatrix, count_to_offsets};

/// A dense m × k matrix stored by columns: k right-hand sides or solutions of length m.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseColumns<T = f64> {
    nrows: usize,
    ncols: usize,
    values: Vec<T>,
}

impl<T> DenseColumns<T> {
    /// Takes over `values`, column by column; `None` unless its length is `nrows * ncols`.
    pub fn try_new(nrows: usize, ncols: usize, values: Vec<T>) -> Option<Self> {
        (nrows.checked_mul(ncols) == Some(values.len())).then_some(Self { nrows, ncols, values })
    }

    /// One column.
    pub fn from_column(values: Vec<T>) -> Self {
        Self { nrows: values.len(), ncols: 1, values }
    }

    /// Length m of each column.
    pub fn nrows(&self) -> usize {
        self.nrows
    }

    /// Number k of columns.
    pub fn ncols(&self) -> usize {
        self.ncols
    }

    /// All values, column by column, length m k.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Column `j`, length m.
    ///
    /// # Panics
    /// If `j >= ncols`.
    pub fn column(&self, j: usize) -> &[T] {
        assert!(j < self.ncols, "column {j} of {}", self.ncols);
        &self.values[j * self.nrows..(j + 1) * self.nrows]
    }

    /// The columns in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &[T]> {
        (0..self.ncols).map(|j| self.column(j))
    }

    /// The values, given up.
    pub fn into_values(self) -> Vec<T> {
        self.values
    }
}

/// A fault at the entry of this 0-based number.
pub(super) struct EntryFault {
    pub(super) entry: u64,
    pub(super) kind: Kind,
}

/// An array file: all values, or the packed lower triangle column by column (without the diagonal if
/// skew-symmetric). There are as many values as the header says.
pub(super) fn from_array<T: FileScalar>(
    header: &Header,
    pieces: &[Values<T>],
) -> Result<DenseColumns<T>, EntryFault> {
    let Header { rows: nrows, cols: ncols, symmetry, .. } = *header;
    let listed = pieces.iter().flat_map(|piece| piece.values.iter().copied());
    if symmetry == Symmetry::General {
        return Ok(DenseColumns { nrows, ncols, values: listed.collect() });
    }
    let mut values = vec![T::zero(); nrows * ncols];
    let strict = usize::from(symmetry == Symmetry::SkewSymmetric);
    let places = (0..ncols).flat_map(|j| (j + strict..nrows).map(move |i| (i, j)));
    for (entry, ((i, j), value)) in (0..).zip(places.zip(listed)) {
        if i == j {
            check_array_diagonal(value, symmetry).map_err(|kind| EntryFault { entry, kind })?;
        } else {
            values[i * nrows + j] = mirrored(value, symmetry);
        }
        values[j * nrows + i] = value;
    }
    Ok(DenseColumns { nrows, ncols, values })
}

/// A coordinate file as dense columns, entries at the same place added. Returns how many were.
pub(super) fn from_matrix<T: FileScalar>(matrix: &CsrMatrix<T>) -> DenseColumns<T> {
    let (nrows, ncols) = (matrix.nrows(), matrix.ncols());
    let mut values = vec![T::zero(); nrows * ncols];
    for i in 0..nrows {
        let (cols, row) = matrix.row(i);
        for (&j, &value) in cols.iter().zip(row) {
            values[j as usize * nrows + i] = value;
        }
    }
    DenseColumns { nrows, ncols, values }
}

/// A dense matrix as a sparse one, without its zeros.
pub(super) fn to_matrix<T: FileScalar>(dense: &DenseColumns<T>) -> CsrMatrix<T> {
    let DenseColumns { nrows, ncols, .. } = *dense;
    let nonzero = |(i, &value): (usize, &T)| (value != T::zero()).then_some((i as u32, value));
    let rows = dense.columns().flat_map(|column| column.iter().enumerate().filter_map(nonzero));
    let row_ptr = count_to_offsets(nrows, rows.map(|(i, _)| i));
    let nnz = row_ptr[nrows] as usize;
    let (mut col_idx, mut values) = (vec![0u32; nnz], vec![T::zero(); nnz]);
    let mut next = row_ptr.clone();
    for (j, column) in (0u32..).zip(dense.columns()) {
        for (i, value) in column.iter().enumerate().filter_map(nonzero) {
            let k = next[i as usize] as usize;
            next[i as usize] += 1;
            col_idx[k] = j;
            values[k] = value;
        }
    }
    CsrMatrix::from_parts(nrows, ncols, row_ptr, col_idx, values)
}

/// Lines before entry `entry` (0-based) in the text of these pieces.
pub(super) fn lines_before<P: Piece>(pieces: &[P], entry: u64) -> u64 {
    let mut entries = 0;
    let mut lines = 0;
    for piece in pieces {
        if entry < entries + piece.len() {
            let index = entry - entries;
            return lines + index + piece.skips().before(index);
        }
        entries += piece.len();
        lines += piece.len() + piece.skips().before(u64::MAX);
    }
    lines
}
