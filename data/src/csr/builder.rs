//! Assembly from entries in any order; duplicates are added, as in finite elements.

use super::{CsrError, CsrMatrix, check_size};
use crate::Scalar;

/// Collects entries (i, j, value) and makes a [`CsrMatrix`]; entries at the same place are added, in the
/// order in which they came.
///
/// ```
/// use residua_data::CooBuilder;
/// let mut coo = CooBuilder::new(2, 2)?;
/// coo.push(1, 0, 3.0)?;
/// coo.push(0, 0, 1.0)?;
/// coo.push(0, 0, 1.0)?;
/// let a = coo.build()?;
/// assert_eq!((a.nnz(), a.get(0, 0), a.get(1, 0)), (2, 2.0, 3.0));
/// # Ok::<(), residua_data::CsrError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CooBuilder<T = f64> {
    nrows: usize,
    ncols: usize,
    rows: Vec<u32>,
    cols: Vec<u32>,
    values: Vec<T>,
}

impl<T: Scalar> CooBuilder<T> {
    /// An empty `nrows` × `ncols` matrix.
    ///
    /// # Errors
    /// [`CsrError::TooLarge`] if a size does not fit 32-bit indices.
    pub fn new(nrows: usize, ncols: usize) -> Result<Self, CsrError> {
        check_size("nrows", nrows)?;
        check_size("ncols", ncols)?;
        Ok(Self { nrows, ncols, rows: Vec::new(), cols: Vec::new(), values: Vec::new() })
    }

    /// Reserves room for `additional` more entries.
    pub fn reserve(&mut self, additional: usize) {
        self.rows.reserve(additional);
        self.cols.reserve(additional);
        self.values.reserve(additional);
    }

    /// Adds `value` to the entry (i, j), 0-based.
    ///
    /// # Errors
    /// [`CsrError::RowOutOfRange`] or [`CsrError::ColumnOutOfRange`].
    pub fn push(&mut self, i: usize, j: usize, value: T) -> Result<(), CsrError> {
        if i >= self.nrows {
            return Err(CsrError::RowOutOfRange { row: i, nrows: self.nrows });
        }
        if j >= self.ncols {
            return Err(CsrError::ColumnOutOfRange { row: i, col: j, ncols: self.ncols });
        }
        self.rows.push(i as u32);
        self.cols.push(j as u32);
        self.values.push(value);
        Ok(())
    }

    /// Sorts the entries, adds duplicates, and returns the matrix.
    ///
    /// # Errors
    /// [`CsrError::TooLarge`] if there are more entries than 32-bit indices can address.
    pub fn build(self) -> Result<CsrMatrix<T>, CsrError> {
        check_size("nnz", self.values.len())?;
        let Self { nrows, ncols, rows, cols, values } = self;
        let row_ptr = count_to_offsets(nrows, rows.iter().copied());
        let mut next = row_ptr.clone();
        let mut col_idx = vec![0u32; values.len()];
        let mut sorted = vec![T::zero(); values.len()];
        for ((&i, &j), &v) in rows.iter().zip(&cols).zip(&values) {
            let k = next[i as usize] as usize;
            col_idx[k] = j;
            sorted[k] = v;
            next[i as usize] += 1;
        }
        drop((rows, cols, values));
        Ok(sort_and_add_rows(nrows, ncols, row_ptr, col_idx, sorted).0)
    }
}

/// Offsets of each bucket from the bucket of each item: length `buckets + 1`.
pub(crate) fn count_to_offsets(buckets: usize, items: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut offsets = vec![0u32; buckets + 1];
    for i in items {
        offsets[i as usize + 1] += 1;
    }
    for i in 0..buckets {
        offsets[i + 1] += offsets[i];
    }
    offsets
}

/// Sorts each row by column (stably, so that sums of duplicates do not depend on anything but their
/// order in the input) and adds duplicates in place. Returns the matrix and how many entries were merged.
pub(crate) fn sort_and_add_rows<T: Scalar>(
    nrows: usize,
    ncols: usize,
    mut row_ptr: Vec<u32>,
    mut col_idx: Vec<u32>,
    mut values: Vec<T>,
) -> (CsrMatrix<T>, usize) {
    let before = values.len();
    let mut scratch: Vec<(u32, T)> = Vec::new();
    let mut write = 0;
    let mut start = 0;
    for i in 0..nrows {
        let end = row_ptr[i + 1] as usize;
        if !col_idx[start..end].is_sorted() {
            scratch.clear();
            scratch.extend(col_idx[start..end].iter().copied().zip(values[start..end].iter().copied()));
            scratch.sort_by_key(|&(c, _)| c);
            for (k, &(c, v)) in scratch.iter().enumerate() {
                col_idx[start + k] = c;
                values[start + k] = v;
            }
        }
        let row_start = write;
        for k in start..end {
            if write > row_start && col_idx[write - 1] == col_idx[k] {
                let value = values[k];
                values[write - 1] += value;
            } else {
                col_idx[write] = col_idx[k];
                values[write] = values[k];
                write += 1;
            }
        }
        row_ptr[i + 1] = write as u32;
        start = end;
    }
    col_idx.truncate(write);
    values.truncate(write);
    (CsrMatrix::from_parts(nrows, ncols, row_ptr, col_idx, values), before - write)
}
