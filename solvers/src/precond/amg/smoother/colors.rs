//! Multicolour Gauss-Seidel: rows of one colour do not couple, so each colour is updated in parallel.
//!
//! With the unknowns numbered colour by colour, A = L + D + U with block triangles L and U and a diagonal D:
//!
//! ```text
//! before   c = 0, …, C − 1:   x_c ← D_c⁻¹ (b_c − L_c x), from x = 0;    r_c ← −U_c x
//! after    c = C − 1, …, 0:   x_c ← D_c⁻¹ (b_c − L_c x − U_c x), the adjoint sweep
//! ```
//! From zero a row sees earlier colours alone, and what its residual then still lacks are the later ones: the sweep and the
//! residual cost one pass over A together. The last colour's residual is zero and the sweep after the correction sets its
//! unknowns anew, so neither transfer needs them: with two colours, half of P and R. Adams and Ortega (1982), *A
//! multi-color SOR method for parallel computation*.

use super::coloring::Coloring;
use super::{Smooth, to_precision};
use crate::precond::amg::rows::{self, Blocks};
use crate::{Scalar, SolveError, kernels};
use rayon::prelude::*;
use residua_data::CsrMatrix;
use std::ops::Range;

/// Rows that one task updates.
const TASK_ROWS: usize = 4 * kernels::BLOCK;

/// Entries of a colour below which a second thread does not pay.
const MIN_PARALLEL: usize = 50_000;

/// The rows of one colour, which are `inverse.len()` consecutive ones from `start` on.
struct Color<T> {
    start: usize,
    /// Couplings with earlier colours; columns count from 0.
    lower: Part<T>,
    /// Couplings with later colours; columns count from the end of this colour.
    upper: Part<T>,
    /// D⁻¹.
    inverse: Vec<T>,
}

pub(in crate::precond::amg) struct Colors<T> {
    colors: Vec<Color<T>>,
}

impl<T: Scalar> Colors<T> {
    /// Vectors are then numbered by `coloring`. None if a diagonal entry is zero.
    pub(super) fn new(a: &CsrMatrix<f64>, coloring: &Coloring) -> Result<Option<Self>, SolveError> {
        let mut colors = Vec::with_capacity(coloring.starts.len() - 1);
        for range in coloring.starts.windows(2) {
            let (start, end) = (range[0], range[1]);
            let rows = &coloring.order[start..end];
            let inverse: Vec<T> = rows
                .par_iter()
                .with_min_len(rows::ROWS)
                .map(|&i| T::of(1.0 / a.get(i as usize, i as usize)))
                .collect();
            if inverse.iter().any(|d| !d.is_finite()) {
                return Ok(None);
            }
            let (lower, upper) = couplings(a, coloring, start..end)?;
            colors.push(Color { start, lower, upper, inverse });
        }
        Ok(Some(Self { colors }))
    }
}

/// A matrix, unless it would have no entries.
type Part<T> = Option<CsrMatrix<T>>;

/// The couplings of the rows `range` with those before and with those behind, in the new numbering.
fn couplings<T: Scalar>(
    a: &CsrMatrix<f64>,
    coloring: &Coloring,
    range: Range<usize>,
) -> Result<(Part<T>, Part<T>), SolveError> {
    let n = coloring.order.len();
    let rows = &coloring.order[range.clone()];
    let (start, end) = (range.start as u32, range.end as u32);
    let [lower, upper] = rows::try_build_many(rows.len(), Vec::new, |sorted: &mut Vec<u64>, k, out| {
        let (cols, vals) = a.row(rows[k] as usize);
        sorted.clear();
        let places = cols.iter().map(|&j| u64::from(coloring.place[j as usize]));
        sorted.extend(places.zip(0u64..).map(|(j, entry)| j << 32 | entry));
        sorted.sort_unstable();
        for &key in &*sorted {
            let (j, v) = ((key >> 32) as u32, vals[key as u32 as usize]);
            if j < start {
                out[0].push(j, to_precision(v)?);
            } else if j >= end {
                out[1].push(j - end, to_precision(v)?);
            } else if j != start + k as u32 && v != 0.0 {
                return Err(SolveError::PatternChanged { what: "amg" });
            }
        }
        Ok::<_, SolveError>(())
    })?;
    let part = |ncols: usize, built: Blocks<T>| -> Result<Part<T>, SolveError> {
        let built = built.join()?;
        if built.1.is_empty() {
            return Ok(None);
        }
        rows::to_matrix(rows.len(), ncols, built).map(Some)
    };
    Ok((part(range.start, lower)?, part(n - range.end, upper)?))
}

/// Calls `task(first row, its x)` for blocks of the rows of a colour.
fn for_each_block<T: Scalar>(entries: usize, x: &mut [T], task: impl Fn(usize, &mut [T]) + Sync) {
    if entries < MIN_PARALLEL {
        x.chunks_mut(TASK_ROWS).enumerate().for_each(|(block, x)| task(block * TASK_ROWS, x));
    } else {
        x.par_chunks_mut(TASK_ROWS).enumerate().for_each(|(block, x)| task(block * TASK_ROWS, x));
    }
}

impl<T: Scalar> Color<T> {
    fn end(&self) -> usize {
        self.start + self.inverse.len()
    }

    fn entries(&self) -> usize {
        [&self.lower, &self.upper].into_iter().flatten().map(CsrMatrix::nnz).sum()
    }

    /// x_c ← D⁻¹ (b_c − L_c x − U_c x), the latter where `with_upper`.
    fn update(&self, b: &[T], x: &mut [T], with_upper: bool) {
        let b = &b[self.start..self.end()];
        let (before, rest) = x.split_at_mut(self.start);
        let (x, after) = rest.split_at_mut(self.inverse.len());
        let upper = self.upper.as_ref().filter(|_| with_upper);
        for_each_block(self.entries(), x, |first, x| {
            let rows = first..first + x.len();
            let (b, inverse) = (&b[rows.clone()], &self.inverse[rows.clone()]);
            match (&self.lower, upper) {
                (Some(lower), Some(upper)) => {
                    lower.for_each_row_product(rows.clone(), before, x, |lx, i, x| *x = b[i - first] - lx);
                    upper
                        .for_each_row_product(rows, after, x, |ux, i, x| *x = inverse[i - first] * (*x - ux));
                }
                (Some(lower), None) => lower.for_each_row_product(rows, before, x, |lx, i, x| {
                    *x = inverse[i - first] * (b[i - first] - lx);
                }),
                (None, Some(upper)) => upper.for_each_row_product(rows, after, x, |ux, i, x| {
                    *x = inverse[i - first] * (b[i - first] - ux);
                }),
                (None, None) => {
                    x.iter_mut().zip(b.iter().zip(inverse)).for_each(|(x, (&b, &inverse))| *x = inverse * b);
                }
            }
        });
    }

    /// r_c ← −U_c x.
    fn rest(&self, x: &[T], r: &mut [T]) {
        let r = &mut r[self.start..self.end()];
        match &self.upper {
            None => r.fill(T::zero()),
            Some(upper) => for_each_block(upper.nnz(), r, |first, r| {
                upper.for_each_row_product(first..first + r.len(), &x[self.end()..], r, |ux, _, r| *r = -ux);
            }),
        }
    }
}

impl<T: Scalar> Smooth<T> for Colors<T> {
    fn name(&self) -> &'static str {
        "multicolor-gauss-seidel"
    }

    fn bytes(&self) -> usize {
        let parts = self.colors.iter().flat_map(|c| [&c.lower, &c.upper]).flatten();
        parts.map(super::bytes).sum()
    }

    fn open(&self) -> usize {
        self.colors.last().map_or(0, |c| c.start)
    }

    fn before(&mut self, b: &[T], x: &mut [T], r: &mut [T]) -> Result<(), SolveError> {
        self.colors.iter().for_each(|c| c.update(b, x, false));
        let last = self.colors.len().saturating_sub(1);
        self.colors[..last].iter().for_each(|c| c.rest(x, r));
        Ok(())
    }

    fn after(&mut self, b: &[T], x: &mut Vec<T>, _: &mut Vec<T>) -> Result<(), SolveError> {
        self.colors.iter().rev().for_each(|c| c.update(b, x, true));
        Ok(())
    }

    fn residual(&self, b: &[T], x: &[T], r: &mut [T]) {
        for c in &self.colors {
            let rows = c.start..c.end();
            c.rest(x, r);
            let r = &mut r[rows.clone()];
            if let Some(lower) = &c.lower {
                for_each_block(lower.nnz(), r, |first, r| {
                    lower.for_each_row_product(first..first + r.len(), &x[..c.start], r, |lx, _, r| *r -= lx);
                });
            }
            let own = b[rows.clone()].iter().zip(&x[rows]).zip(&c.inverse);
            r.iter_mut().zip(own).for_each(|(r, ((&b, &x), &inverse))| *r += b - x / inverse);
        }
    }
}
