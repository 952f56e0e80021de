//! y ← A x, Y ← A X and y ← Aᴴ x, the kernels that everything else waits for.

use super::CsrMatrix;
use crate::Scalar;
use rayon::prelude::*;
use std::ops::Range;

/// Rows a task of the threaded product takes at a time: long enough to hide the cost of a task, short
/// enough to balance rows of uneven length.
const ROWS_PER_TASK: usize = 4096;

/// Entries that a product asks the memory for ahead of their use. Short rows with an indirect access between keep
/// the hardware's own prefetcher too near: measured on the 7-point matrix of 128³, one thread, 13.0 ms
/// without, 10.5 at 64, 8.4 at 128, 7.8 at 256 to 512, 9.3 at 1024.
const PREFETCH_DISTANCE: usize = 256;

/// Below this many entries the matrix stays in the last cache, and asking would cost some 7 %.
const MIN_PREFETCH_NNZ: usize = 1 << 20;

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
        let prefetches = self.nnz() >= MIN_PREFETCH_NNZ;
        for (k, (y, &end)) in y.iter_mut().zip(&row_ptr[1..]).enumerate() {
            let end = end as usize;
            if prefetches {
                prefetch(&self.values, start + PREFETCH_DISTANCE);
                prefetch(&self.col_idx, start + PREFETCH_DISTANCE);
            }
            // SAFETY: construction checked that row pointers never decrease and end at nnz, the length of
            // both arrays, and that every column is below ncols = x.len(). Fields are private and the
            // pattern is never changed afterwards.
            let sum = unsafe {
                let cols = self.col_idx.get_unchecked(start..end);
                let vals = self.values.get_unchecked(start..end);
                // The row lengths of the usual stencils get straight code: a loop of seven turns ends in a
                // branch that is hard to foresee. The order of the sum is the same.
                match end - start {
                    3 => fixed_row::<T, 3>(cols, vals, x),
                    4 => fixed_row::<T, 4>(cols, vals, x),
                    5 => fixed_row::<T, 5>(cols, vals, x),
                    6 => fixed_row::<T, 6>(cols, vals, x),
                    7 => fixed_row::<T, 7>(cols, vals, x),
                    8 => fixed_row::<T, 8>(cols, vals, x),
                    9 => fixed_row::<T, 9>(cols, vals, x),
                    _ => any_row(cols, vals, x),
                }
            };
            store(sum, rows.start + k, y);
            start = end;
        }
    }

    /// Y ← A X for `k` vectors at once, interleaved: entry (i, c) of X is `x[i * k + c]`, likewise Y. `x` has
    /// length n k, `y` length m k.
    ///
    /// A is read from memory once, whatever k is, so k vectors cost 12 nnz + 8 k (m + n) bytes in double
    /// precision against k (12 nnz + 8 (m + n)) for k products. Each entry of Y is summed in the order of
    /// its columns: the result equals that of k calls of [`multiply`](Self::multiply) in every bit.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn multiply_block(&self, k: usize, x: &[T], y: &mut [T]) {
        assert_eq!(Some(x.len()), self.ncols.checked_mul(k), "x must have length ncols * k");
        assert_eq!(Some(y.len()), self.nrows.checked_mul(k), "y must have length nrows * k");
        if k == 0 {
            return;
        }
        if self.nnz() < MIN_PARALLEL_NNZ / k {
            return self.block_rows(0, k, x, y);
        }
        let rows = ROWS_PER_TASK.div_ceil(k);
        y.par_chunks_mut(rows * k).enumerate().for_each(|(task, y)| self.block_rows(task * rows, k, x, y));
    }

    /// The rows of Y from `first` on, as many as `y` holds; the panel is fixed at compile time where k is
    /// one of the usual widths.
    fn block_rows(&self, first: usize, k: usize, x: &[T], y: &mut [T]) {
        match k {
            1 => self.multiply_rows(first..first + y.len(), x, y),
            2 => {
                y.as_chunks_mut().0.iter_mut().enumerate().for_each(|(i, y)| self.panel::<2>(first + i, x, y))
            }
            4 => {
                y.as_chunks_mut().0.iter_mut().enumerate().for_each(|(i, y)| self.panel::<4>(first + i, x, y))
            }
            8 => {
                y.as_chunks_mut().0.iter_mut().enumerate().for_each(|(i, y)| self.panel::<8>(first + i, x, y))
            }
            _ => y.chunks_exact_mut(k).enumerate().for_each(|(i, y)| self.wide_row(first + i, k, x, y)),
        }
    }

    /// (A X)_i for exactly K interleaved vectors, summed in registers.
    #[inline(always)]
    fn panel<const K: usize>(&self, i: usize, x: &[T], y: &mut [T; K]) {
        let (cols, vals) = self.row(i);
        let x = x.as_chunks::<K>().0;
        let mut sums = [T::zero(); K];
        for (&j, &v) in cols.iter().zip(vals) {
            let x = &x[j as usize];
            for c in 0..K {
                sums[c] += v * x[c];
            }
        }
        *y = sums;
    }

    /// (A X)_i for any k, in panels of 8, 4, 2 and 1 vectors: a row stays in the cache from one to the next.
    fn wide_row(&self, i: usize, k: usize, x: &[T], y: &mut [T]) {
        let mut c = 0;
        while c < k {
            c += match k - c {
                8.. => self.strided_panel::<8>(i, k, c, x, y),
                4.. => self.strided_panel::<4>(i, k, c, x, y),
                2.. => self.strided_panel::<2>(i, k, c, x, y),
                _ => self.strided_panel::<1>(i, k, c, x, y),
            };
        }
    }

    /// The entries c .. c + K of row i of Y; returns K.
    #[inline(always)]
    fn strided_panel<const K: usize>(&self, i: usize, k: usize, c: usize, x: &[T], y: &mut [T]) -> usize {
        let (cols, vals) = self.row(i);
        let mut sums = [T::zero(); K];
        for (&j, &v) in cols.iter().zip(vals) {
            let x = &x[j as usize * k + c..][..K];
            for l in 0..K {
                sums[l] += v * x[l];
            }
        }
        y[c..c + K].copy_from_slice(&sums);
        K
    }

    /// y ← Aᴴ x, on the calling thread; `x` has length m, `y` length n.
    ///
    /// Rows are scattered into y in their order, so each y_j is summed over i = 0, 1, …: the result equals
    /// [`adjoint`](Self::adjoint)`().multiply(x, y)` in every bit. A caller that applies Aᴴ more than a few
    /// times and has 12 nnz bytes to spare is faster with that stored adjoint, whose product is threaded.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn multiply_adjoint(&self, x: &[T], y: &mut [T]) {
        assert_eq!(x.len(), self.nrows, "x must have length nrows");
        assert_eq!(y.len(), self.ncols, "y must have length ncols");
        y.fill(T::zero());
        for (i, &x) in x.iter().enumerate() {
            let (cols, vals) = self.row(i);
            for (&j, &v) in cols.iter().zip(vals) {
                y[j as usize] += v.conjugate() * x;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "product_tests.rs"]
mod tests;

/// `Σ vals[k] x[cols[k]]`, in order.
///
/// # Safety
/// Every column is below the length of `x`.
#[inline(always)]
unsafe fn any_row<T: Scalar>(cols: &[u32], vals: &[T], x: &[T]) -> T {
    let mut sum = T::zero();
    for (&j, &v) in cols.iter().zip(vals) {
        // SAFETY: the caller's promise.
        sum += v * unsafe { *x.get_unchecked(j as usize) };
    }
    sum
}

/// As [`any_row`], unrolled.
///
/// # Safety
/// Every column is below the length of `x`, and both slices have length `LEN`.
#[inline(always)]
unsafe fn fixed_row<T: Scalar, const LEN: usize>(cols: &[u32], vals: &[T], x: &[T]) -> T {
    // SAFETY: the caller's promise on the lengths.
    let (cols, vals) = unsafe { (&*cols.as_ptr().cast::<[u32; LEN]>(), &*vals.as_ptr().cast::<[T; LEN]>()) };
    let mut sum = T::zero();
    for k in 0..LEN {
        // SAFETY: the caller's promise on the columns.
        sum += vals[k] * unsafe { *x.get_unchecked(cols[k] as usize) };
    }
    sum
}

/// Asks the memory for `array[index]`, which need not exist: a hint without effect on any value. The entries of
/// a matrix are used once a product, so they should not push x out of the caches.
#[inline(always)]
pub fn prefetch<T>(array: &[T], index: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch of any address is allowed; none is dereferenced.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_NTA, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_NTA>(array.as_ptr().wrapping_add(index).cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = (array, index);
}
