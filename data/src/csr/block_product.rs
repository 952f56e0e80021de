//! Y ← A X for several vectors at once, reading A once.

use super::CsrMatrix;
use crate::Scalar;
use rayon::prelude::*;

/// Rows that one task takes at a time.
const ROWS_PER_TASK: usize = 1024;

/// Below this many multiplications a product is done before a second thread has woken up.
const MIN_PARALLEL_FLOPS: usize = 50_000;

impl<T: Scalar> CsrMatrix<T> {
    /// Y ← A X for `k` vectors, interleaved: entry (i, c) of X is `x[i * k + c]`, likewise Y.
    ///
    /// Each column is summed in the order of [`multiply`](Self::multiply) and equals its result to the bit.
    /// Moves 12 nnz + 4 (m + 1) + 8 k (m + n) bytes in double precision, where `k` products move k times the
    /// first two terms.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn multiply_block(&self, k: usize, x: &[T], y: &mut [T]) {
        assert_eq!(x.len(), self.ncols * k, "x must have length ncols * k");
        assert_eq!(y.len(), self.nrows * k, "y must have length nrows * k");
        if k == 0 {
            return;
        }
        if self.nnz() * k < MIN_PARALLEL_FLOPS {
            return self.multiply_block_rows(0, k, x, y);
        }
        y.par_chunks_mut(ROWS_PER_TASK * k).enumerate().for_each(|(task, y)| {
            self.multiply_block_rows(task * ROWS_PER_TASK, k, x, y);
        });
    }

    fn multiply_block_rows(&self, start: usize, k: usize, x: &[T], y: &mut [T]) {
        for (i, y) in y.chunks_exact_mut(k).enumerate() {
            let (cols, vals) = self.row(start + i);
            let mut c = 0;
            while c < k {
                c += match k - c {
                    8.. => row_product::<T, 8>(cols, vals, k, c, x, y),
                    4.. => row_product::<T, 4>(cols, vals, k, c, x, y),
                    2.. => row_product::<T, 2>(cols, vals, k, c, x, y),
                    _ => row_product::<T, 1>(cols, vals, k, c, x, y),
                };
            }
        }
    }
}

/// Columns c … c + G − 1 of one row's product; returns G.
#[inline(always)]
fn row_product<T: Scalar, const G: usize>(
    cols: &[u32],
    vals: &[T],
    k: usize,
    c: usize,
    x: &[T],
    y: &mut [T],
) -> usize {
    let mut sums = [T::zero(); G];
    for (&j, &v) in cols.iter().zip(vals) {
        let x = &x[j as usize * k + c..][..G];
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum += v * x;
        }
    }
    y[c..c + G].copy_from_slice(&sums);
    G
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::CooBuilder;

    #[test]
    fn every_column_equals_a_single_product() {
        let (m, n) = (700, 501);
        let mut coo = CooBuilder::new(m, n).unwrap();
        for i in 0..m {
            for d in 0..12 {
                coo.push(i, (i * 7 + d * d * 11) % n, ((i + 3 * d) as f64).sin()).unwrap();
            }
        }
        let a = coo.build().unwrap();
        for k in [1, 2, 3, 4, 7, 8, 13, 16] {
            let x: Vec<f64> = (0..n * k).map(|i| (i as f64 * 0.37).cos()).collect();
            let mut y = vec![f64::NAN; m * k];
            a.multiply_block(k, &x, &mut y);
            for c in 0..k {
                let column: Vec<f64> = (0..n).map(|i| x[i * k + c]).collect();
                let mut single = vec![0.0; m];
                a.multiply(&column, &mut single);
                assert!((0..m).all(|i| y[i * k + c] == single[i]), "k = {k}, column {c}");
            }
        }
        a.multiply_block(0, &[], &mut []);
    }
}
