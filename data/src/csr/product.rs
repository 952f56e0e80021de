//! y ← A x, the kernel that everything else waits for.

use super::CsrMatrix;
use crate::Scalar;
use rayon::prelude::*;
use std::ops::Range;

/// Rows a task of the threaded product takes at a time: long enough to hide the cost of a task, short
/// enough to balance rows of uneven length.
const ROWS_PER_TASK: usize = 4096;

/// Below this many entries a product is done before a second thread has woken up.
const MIN_PARALLEL_NNZ: usize = 50_000;

impl<T: Scalar> CsrMatrix<T> {
    /// y ← A x, threaded over blocks of rows. `x` has length n, `y` length m.
    ///
    /// Each y_i is summed in the order of its columns, so the result does not depend on the number of
    /// threads. Moves 12 nnz + 4 (m + 1) + 8 (m + n) bytes in double precision.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn multiply(&self, x: &[T], y: &mut [T]) {
        assert_eq!(x.len(), self.ncols, "x must have length ncols");
        assert_eq!(y.len(), self.nrows, "y must have length nrows");
        if self.nnz() < MIN_PARALLEL_NNZ {
            return self.multiply_rows(0..self.nrows, x, y);
        }
        y.par_chunks_mut(ROWS_PER_TASK).enumerate().for_each(|(block, y)| {
            let start = block * ROWS_PER_TASK;
            self.multiply_rows(start..start + y.len(), x, y);
        });
    }

    /// y ← (A x) restricted to `rows`, on the calling thread. `y` has the length of `rows`.
    ///
    /// # Panics
    /// If `rows` is out of range or a length is wrong.
    #[inline]
    pub fn multiply_rows(&self, rows: Range<usize>, x: &[T], y: &mut [T]) {
        self.for_each_row_product(rows, x, y, |ax, _, y| *y = ax);
    }

    /// Calls `store((A x)_i, i, &mut y_i)` for each row i of `rows`, in order: one pass over A that a
    /// caller fuses with what it does to y (a residual, a dot product).
    ///
    /// # Panics
    /// If `rows` is out of range or a length is wrong.
    #[inline(always)]
    pub fn for_each_row_product(
        &self,
        rows: Range<usize>,
        x: &[T],
        y: &mut [T],
        mut store: impl FnMut(T, usize, &mut T),
    ) {
        assert_eq!(x.len(), self.ncols, "x must have length ncols");
        assert_eq!(y.len(), rows.len(), "y must have the length of rows");
        assert!(rows.end <= self.nrows, "rows out of range");
        let row_ptr = &self.row_ptr[rows.start..=rows.end];
        let mut start = row_ptr[0] as usize;
        for (k, (y, &end)) in y.iter_mut().zip(&row_ptr[1..]).enumerate() {
            let end = end as usize;
            let mut sum = T::zero();
            // SAFETY: construction checked that row pointers never decrease and end at nnz, the length of
            // both arrays, and that every column is below ncols = x.len(). Fields are private and the
            // pattern is never changed afterwards.
            unsafe {
                let cols = self.col_idx.get_unchecked(start..end);
                let vals = self.values.get_unchecked(start..end);
                for (&j, &v) in cols.iter().zip(vals) {
                    sum += v * *x.get_unchecked(j as usize);
                }
            }
            store(sum, rows.start + k, y);
            start = end;
        }
    }
}
