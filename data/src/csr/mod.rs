//! Compressed sparse rows (CSR) with 32-bit indices.
//!
//! Row i of an m × n matrix A holds its entries at `row_ptr[i] .. row_ptr[i+1]` of `col_idx` and
//! `values`. Columns are strictly increasing in a row. An entry costs 4 + `size_of::<T>()` bytes, so a
//! product y = Ax moves 12 nnz + 4 (m + 1) + 8 (m + n) bytes in double precision, a quarter less than
//! with 64-bit indices.

mod analysis;
mod builder;
mod convert;
mod product;
mod transform;

use crate::Scalar;
use rayon::prelude::*;

pub use analysis::{Bandwidth, DiagonalDominance};
pub use builder::CooBuilder;
pub(crate) use builder::{count_to_offsets, sort_and_add_rows};
pub use product::prefetch;

/// Why arrays do not form a CSR matrix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrError {
    /// `row_ptr` has the wrong length.
    #[error("row_ptr has length {found}, expected nrows + 1 = {expected}")]
    RowPtrLength {
        /// nrows + 1.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// `row_ptr` does not start at 0, decreases, or does not end at the number of entries.
    #[error(
        "row_ptr[{index}] = {found}: row pointers must start at 0, never decrease, and end at nnz = {nnz}"
    )]
    RowPtrValue {
        /// The first bad position.
        index: usize,
        /// The value there.
        found: u32,
        /// The number of stored entries.
        nnz: usize,
    },
    /// `col_idx` and `values` have different lengths.
    #[error("col_idx has length {col_idx} and values has length {values}: they must be equal")]
    LengthMismatch {
        /// Length of `col_idx`.
        col_idx: usize,
        /// Length of `values`.
        values: usize,
    },
    /// A dense array does not have nrows · ncols entries.
    #[error("a dense {nrows} x {ncols} matrix was given {found} entries: expected nrows * ncols")]
    DenseLength {
        /// Number of rows.
        nrows: usize,
        /// Number of columns.
        ncols: usize,
        /// What was given.
        found: usize,
    },
    /// A column index is not below the number of columns.
    #[error("row {row} (counted from 0) has column {col}, but the matrix has {ncols} columns")]
    ColumnOutOfRange {
        /// 0-based row.
        row: usize,
        /// 0-based column.
        col: usize,
        /// Number of columns.
        ncols: usize,
    },
    /// A row index is not below the number of rows.
    #[error("an entry has row {row} (counted from 0), but the matrix has {nrows} rows")]
    RowOutOfRange {
        /// 0-based row.
        row: usize,
        /// Number of rows.
        nrows: usize,
    },
    /// Columns of a row are not strictly increasing.
    #[error(
        "row {row} (counted from 0) has column {col} after a column that is not smaller: columns must be strictly increasing"
    )]
    NotSorted {
        /// 0-based row.
        row: usize,
        /// 0-based column that breaks the order.
        col: usize,
    },
    /// More rows, columns or entries than 32-bit indices can address.
    #[error("{what} = {found} does not fit 32-bit indices: at most {max} are supported")]
    TooLarge {
        /// "nrows", "ncols" or "nnz".
        what: &'static str,
        /// What was asked for.
        found: u64,
        /// The largest supported value.
        max: u64,
    },
}

/// A sparse m × n matrix in compressed sparse rows, 32-bit indices.
///
/// Immutable in structure: the pattern is checked once, at construction, and every method relies on it.
/// Values can be changed in place ([`values_mut`](Self::values_mut)) for sequences with one pattern.
///
/// ```
/// use residua_data::CsrMatrix;
/// // [ 2 -1 ]
/// // [-1  2 ]
/// let a = CsrMatrix::try_new(2, 2, vec![0, 2, 4], vec![0, 1, 0, 1], vec![2.0, -1.0, -1.0, 2.0])?;
/// let mut y = [0.0; 2];
/// a.multiply(&[1.0, 1.0], &mut y);
/// assert_eq!(y, [1.0, 1.0]);
/// # Ok::<(), residua_data::CsrError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CsrMatrix<T = f64> {
    nrows: usize,
    ncols: usize,
    row_ptr: Vec<u32>,
    col_idx: Vec<u32>,
    values: Vec<T>,
}

/// The largest number of rows, columns or entries: row pointers hold nnz itself, so 2³² − 1.
const MAX_INDEX: u64 = u32::MAX as u64;

/// Rows that one task checks at a time.
const ROWS_PER_CHECK: usize = 16384;

/// What is wrong with the columns of a row.
fn check_row(row: usize, cols: &[u32], ncols: usize) -> Option<CsrError> {
    if let Some(k) = cols.windows(2).position(|c| c[0] >= c[1]) {
        return Some(CsrError::NotSorted { row, col: cols[k + 1] as usize });
    }
    let last = *cols.last().filter(|&&c| c as usize >= ncols)?;
    Some(CsrError::ColumnOutOfRange { row, col: last as usize, ncols })
}

/// Refuses sizes that 32-bit indices cannot address.
pub(crate) fn check_size(what: &'static str, found: usize) -> Result<(), CsrError> {
    if found as u64 > MAX_INDEX {
        return Err(CsrError::TooLarge { what, found: found as u64, max: MAX_INDEX });
    }
    Ok(())
}

impl<T> CsrMatrix<T> {
    /// Takes over the three arrays after checking them in one pass.
    ///
    /// `row_ptr` has length `nrows + 1`; `col_idx` and `values` have length `row_ptr[nrows]`; columns are
    /// 0-based and strictly increasing in each row. Stored zeros are allowed and kept.
    ///
    /// # Errors
    /// [`CsrError`] names the first array, row and value that break a rule.
    pub fn try_new(
        nrows: usize,
        ncols: usize,
        row_ptr: Vec<u32>,
        col_idx: Vec<u32>,
        values: Vec<T>,
    ) -> Result<Self, CsrError> {
        check_size("nrows", nrows)?;
        check_size("ncols", ncols)?;
        check_size("nnz", col_idx.len())?;
        if row_ptr.len() != nrows + 1 {
            return Err(CsrError::RowPtrLength { expected: nrows + 1, found: row_ptr.len() });
        }
        if col_idx.len() != values.len() {
            return Err(CsrError::LengthMismatch { col_idx: col_idx.len(), values: values.len() });
        }
        let nnz = col_idx.len();
        let bad = |index: usize| CsrError::RowPtrValue { index, found: row_ptr[index], nnz };
        if row_ptr[0] != 0 {
            return Err(bad(0));
        }
        if let Some(i) = row_ptr.windows(2).position(|w| w[0] > w[1]) {
            return Err(bad(i + 1));
        }
        if row_ptr[nrows] as usize != nnz {
            return Err(bad(nrows));
        }
        let faulty =
            row_ptr[..nrows].par_chunks(ROWS_PER_CHECK).enumerate().find_map_first(|(block, part)| {
                let first = block * ROWS_PER_CHECK;
                (first..first + part.len()).find_map(|row| {
                    check_row(row, &col_idx[row_ptr[row] as usize..row_ptr[row + 1] as usize], ncols)
                })
            });
        if let Some(error) = faulty {
            return Err(error);
        }
        Ok(Self { nrows, ncols, row_ptr, col_idx, values })
    }

    /// For callers inside the crate that build the arrays by an algorithm which keeps the rules.
    pub(crate) fn from_parts(
        nrows: usize,
        ncols: usize,
        row_ptr: Vec<u32>,
        col_idx: Vec<u32>,
        values: Vec<T>,
    ) -> Self {
        debug_assert_eq!(row_ptr.len(), nrows + 1);
        debug_assert_eq!(col_idx.len(), values.len());
        debug_assert_eq!(row_ptr[nrows] as usize, values.len());
        Self { nrows, ncols, row_ptr, col_idx, values }
    }

    /// Number of rows m.
    pub fn nrows(&self) -> usize {
        self.nrows
    }

    /// Number of columns n.
    pub fn ncols(&self) -> usize {
        self.ncols
    }

    /// Number of stored entries, stored zeros included.
    pub fn nnz(&self) -> usize {
        self.values.len()
    }

    /// Whether m = n.
    pub fn is_square(&self) -> bool {
        self.nrows == self.ncols
    }

    /// Row pointers, length m + 1.
    pub fn row_ptr(&self) -> &[u32] {
        &self.row_ptr
    }

    /// 0-based column of each entry, length nnz.
    pub fn col_idx(&self) -> &[u32] {
        &self.col_idx
    }

    /// Value of each entry, length nnz.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The values, for a new matrix with the same pattern.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// Row pointers, columns, and the values for a new matrix with the same pattern.
    pub fn parts_mut(&mut self) -> (&[u32], &[u32], &mut [T]) {
        (&self.row_ptr, &self.col_idx, &mut self.values)
    }

    /// Columns and values of row `i`.
    ///
    /// # Panics
    /// If `i >= nrows`.
    #[inline]
    pub fn row(&self, i: usize) -> (&[u32], &[T]) {
        let range = self.row_ptr[i] as usize..self.row_ptr[i + 1] as usize;
        (&self.col_idx[range.clone()], &self.values[range])
    }

    /// The three arrays, given up: `(row_ptr, col_idx, values)`.
    pub fn into_parts(self) -> (Vec<u32>, Vec<u32>, Vec<T>) {
        (self.row_ptr, self.col_idx, self.values)
    }

    /// Whether `other` has the same shape and the same pattern (values may differ).
    pub fn same_pattern<U>(&self, other: &CsrMatrix<U>) -> bool {
        self.nrows == other.nrows
            && self.ncols == other.ncols
            && self.row_ptr == other.row_ptr
            && self.col_idx == other.col_idx
    }

    /// The same pattern with each value mapped.
    pub fn map<U>(&self, f: impl Fn(&T) -> U) -> CsrMatrix<U> {
        CsrMatrix {
            nrows: self.nrows,
            ncols: self.ncols,
            row_ptr: self.row_ptr.clone(),
            col_idx: self.col_idx.clone(),
            values: self.values.iter().map(f).collect(),
        }
    }
}

impl<T: Scalar> CsrMatrix<T> {
    /// The entry (i, j), zero where nothing is stored.
    ///
    /// # Panics
    /// If `i >= nrows`.
    pub fn get(&self, i: usize, j: usize) -> T {
        let (cols, vals) = self.row(i);
        u32::try_from(j).ok().and_then(|j| cols.binary_search(&j).ok()).map_or(T::zero(), |k| vals[k])
    }

    /// The diagonal, length min(m, n); zero where nothing is stored.
    pub fn diagonal(&self) -> Vec<T> {
        (0..self.nrows.min(self.ncols)).map(|i| self.get(i, i)).collect()
    }

    /// The n × n identity.
    ///
    /// # Errors
    /// [`CsrError::TooLarge`] if n does not fit 32-bit indices.
    pub fn identity(n: usize) -> Result<Self, CsrError> {
        Self::from_diagonal(&vec![T::one(); n])
    }

    /// The square matrix with this diagonal.
    ///
    /// # Errors
    /// [`CsrError::TooLarge`] if its order does not fit 32-bit indices.
    pub fn from_diagonal(diagonal: &[T]) -> Result<Self, CsrError> {
        let n = diagonal.len();
        check_size("nrows", n)?;
        let n32 = n as u32;
        Ok(Self::from_parts(n, n, (0..=n32).collect(), (0..n32).collect(), diagonal.to_vec()))
    }

    /// Largest modulus of a stored value, as `f64`; 0 for an empty matrix, NaN if one is NaN.
    pub fn max_abs(&self) -> f64 {
        self.values.iter().map(|v| v.modulus_f64()).fold(0.0, |m, v| if v > m || v.is_nan() { v } else { m })
    }

    /// ‖A‖∞, the largest row sum of moduli, as `f64`.
    pub fn norm_inf(&self) -> f64 {
        (0..self.nrows).map(|i| self.row(i).1.iter().map(|v| v.modulus_f64()).sum::<f64>()).fold(
            0.0,
            |m, v| {
                if v > m || v.is_nan() { v } else { m }
            },
        )
    }

    /// The first stored value that is infinite or NaN, as (row, column), 0-based.
    pub fn first_non_finite(&self) -> Option<(usize, usize)> {
        let k = self.values.par_iter().with_min_len(ROWS_PER_CHECK).position_first(|v| !v.is_finite())?;
        let i = self.row_ptr.partition_point(|&p| p as usize <= k) - 1;
        Some((i, self.col_idx[k] as usize))
    }
}
