//! Multicolour Gauss-Seidel: rows of one colour do not couple, so each colour is updated in parallel.
//!
//! ```text
//! before   colours 0, 1, …, C − 1:   x_i ← (b_i − Σ_{j ≠ i} a_ij x_j) / a_ii, from x = 0
//! after    colours C − 1, …, 1, 0:   the adjoint sweep
//! ```
//! The rows are stored colour by colour, so that each sweep reads the matrix once and in order. From zero the first colour
//! needs no row of A, and after the sweep the last one has no residual: with two colours the first sweep and the
//! residual cost one pass over A together. Adams and Ortega (1982), *A multi-color SOR method for parallel computation*.

use super::Smooth;
use crate::precond::amg::rows::{ROWS, split_by_rows};
use crate::precond::sweep::SharedSlice;
use crate::{Scalar, SolveError};
use rayon::prelude::*;
use residua_data::CsrMatrix;
use std::ops::Range;

/// Rows of a colour below which a second thread does not pay.
const MIN_PARALLEL: usize = 4 * ROWS;

pub(in crate::precond::amg) struct Colors<T> {
    /// Rows in the order of their colours; within one, in natural order.
    rows: Vec<u32>,
    /// Colour c holds the places `colors[c] .. colors[c + 1]`.
    colors: Vec<u32>,
    row_ptr: Vec<u32>,
    cols: Vec<u32>,
    vals: Vec<T>,
    diagonal: Vec<T>,
    inverse: Vec<T>,
}

impl<T: Scalar> Colors<T> {
    /// None if more than `most` colours would be needed, or the pattern is not symmetric.
    pub(super) fn try_new(a: &CsrMatrix<f64>, most: usize) -> Option<Self> {
        let (rows, colors) = color(a, most)?;
        let n = a.nrows();
        let mut row_ptr = vec![0u32; n + 1];
        for (k, &i) in rows.iter().enumerate() {
            row_ptr[k + 1] = row_ptr[k] + a.row(i as usize).0.iter().filter(|&&j| j != i).count() as u32;
        }
        let nnz = row_ptr[n] as usize;
        let (mut cols, mut vals) = (vec![0u32; nnz], vec![T::zero(); nnz]);
        let (mut diagonal, mut inverse) = (vec![T::zero(); n], vec![T::zero(); n]);
        let col_parts = split_by_rows(&row_ptr, &mut cols);
        let val_parts = split_by_rows(&row_ptr, &mut vals);
        let d_parts = diagonal.chunks_mut(ROWS).zip(inverse.chunks_mut(ROWS));
        let parts: Vec<_> = col_parts.into_iter().zip(val_parts).zip(d_parts).collect();
        parts.into_par_iter().for_each(|(((first, cols), (_, vals)), (diagonal, inverse))| {
            let mut out = cols.iter_mut().zip(vals);
            for (k, &i) in rows[first..].iter().take(ROWS).enumerate() {
                let (a_cols, a_vals) = a.row(i as usize);
                for (&j, &v) in a_cols.iter().zip(a_vals) {
                    if j == i {
                        diagonal[k] = T::of(v);
                        inverse[k] = if v == 0.0 { T::zero() } else { T::of(1.0 / v) };
                    } else if let Some((col, val)) = out.next() {
                        (*col, *val) = (j, T::of(v));
                    }
                }
            }
        });
        Some(Self { rows, colors, row_ptr, cols, vals, diagonal, inverse })
    }

    fn color(&self, c: usize) -> Range<usize> {
        self.colors[c] as usize..self.colors[c + 1] as usize
    }

    fn count(&self) -> usize {
        self.colors.len() - 1
    }

    /// Σ_{j ≠ i} a_ij x_j of the row at place k.
    ///
    /// # Safety
    /// No thread writes an x_j of this row meanwhile; x has the length n.
    #[inline(always)]
    unsafe fn off_diagonal(&self, k: usize, x: SharedSlice<'_, T>) -> T {
        let range = self.row_ptr[k] as usize..self.row_ptr[k + 1] as usize;
        residua_data::csr::prefetch(&self.vals, range.start + 256);
        residua_data::csr::prefetch(&self.cols, range.start + 256);
        let mut sum = T::zero();
        for (&j, &v) in self.cols[range.clone()].iter().zip(&self.vals[range]) {
            // SAFETY: columns are below n, and not written meanwhile by the caller's promise.
            sum += v * unsafe { x.get(j as usize) };
        }
        sum
    }

    /// `row(k)` for the places of a colour, in parallel.
    fn for_each_of(&self, c: usize, row: impl Fn(usize) + Sync) {
        let range = self.color(c);
        if range.len() < MIN_PARALLEL {
            return range.for_each(row);
        }
        let chunks = range.len().div_ceil(ROWS);
        (0..chunks).into_par_iter().for_each(|chunk| {
            let start = range.start + chunk * ROWS;
            (start..(start + ROWS).min(range.end)).for_each(&row);
        });
    }

    fn update(&self, c: usize, b: &[T], x: SharedSlice<'_, T>) {
        self.for_each_of(c, |k| {
            let i = self.rows[k] as usize;
            // SAFETY: row i writes x_i alone; the rows of one colour do not couple (checked when they were coloured, on a
            // symmetric pattern), so no other row of it reads x_i. `rows` is a permutation of 0 .. n.
            unsafe { x.set(i, self.inverse[k] * (b[i] - self.off_diagonal(k, x))) };
        });
    }
}

/// Greedy colouring in natural order: rows by colour, and where each colour starts. None for more than `most` colours (64 at
/// most) or an unsymmetric pattern.
fn color(a: &CsrMatrix<f64>, most: usize) -> Option<(Vec<u32>, Vec<u32>)> {
    let n = a.nrows();
    let most = most.min(64);
    let mut of = vec![0u8; n];
    let mut counts = vec![0u32; 64];
    for i in 0..n {
        let (cols, _) = a.row(i);
        let mut taken = 0u64;
        for &j in cols.iter().take_while(|&&j| (j as usize) < i) {
            taken |= 1 << of[j as usize];
        }
        let c = taken.trailing_ones() as usize;
        if c >= most {
            return None;
        }
        of[i] = c as u8;
        counts[c] += 1;
    }
    // An entry above the diagonal without its mirror image was not seen from the later row.
    let clash = (0..n.div_ceil(ROWS)).into_par_iter().any(|block| {
        (block * ROWS..((block + 1) * ROWS).min(n))
            .any(|i| a.row(i).0.iter().any(|&j| j as usize != i && of[j as usize] == of[i]))
    });
    if clash {
        return None;
    }
    let used = counts.iter().take_while(|&&c| c > 0).count();
    let mut colors = vec![0u32; used + 1];
    for c in 0..used {
        colors[c + 1] = colors[c] + counts[c];
    }
    let mut next = colors.clone();
    let mut rows = vec![0u32; n];
    for (i, &c) in of.iter().enumerate() {
        let place = &mut next[c as usize];
        rows[*place as usize] = i as u32;
        *place += 1;
    }
    Some((rows, colors))
}

impl<T: Scalar> Smooth<T> for Colors<T> {
    fn name(&self) -> &'static str {
        "multicolor-gauss-seidel"
    }

    fn before(&mut self, _: &CsrMatrix<T>, b: &[T], x: &mut [T], r: &mut [T]) -> Result<(), SolveError> {
        let count = self.count();
        if count > 1 {
            x.fill(T::zero());
        }
        let x = SharedSlice::new(x);
        self.for_each_of(0, |k| {
            let i = self.rows[k] as usize;
            // SAFETY: each row writes its own x_i, and none is read.
            unsafe { x.set(i, self.inverse[k] * b[i]) };
        });
        (1..count).for_each(|c| self.update(c, b, x));
        let r = SharedSlice::new(r);
        for c in 0..count {
            self.for_each_of(c, |k| {
                let i = self.rows[k] as usize;
                // SAFETY: each row writes its own r_i; x is only read.
                unsafe {
                    // The last colour's equations hold, but for a zero diagonal.
                    let residual = if c + 1 == count && self.diagonal[k] != T::zero() {
                        T::zero()
                    } else {
                        b[i] - self.diagonal[k] * x.get(i) - self.off_diagonal(k, x)
                    };
                    r.set(i, residual);
                }
            });
        }
        Ok(())
    }

    fn after(&mut self, _: &CsrMatrix<T>, b: &[T], x: &mut Vec<T>, _: &mut Vec<T>) -> Result<(), SolveError> {
        let x = SharedSlice::new(x);
        (0..self.count()).rev().for_each(|c| self.update(c, b, x));
        Ok(())
    }
}
