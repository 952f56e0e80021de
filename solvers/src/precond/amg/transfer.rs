//! Restriction and prolongation between two levels, in the numbering of their vectors.
//!
//! Only the unknowns that the finer level's smoother leaves open take part (see `Smooth::open`): P lacks the rows of
//! the others and R their columns.

use super::rows;
use super::smoother::{self, Coloring};
use crate::{Scalar, SolveError, kernels};
use rayon::prelude::*;
use residua_data::CsrMatrix;

/// P and R between a level and the next coarser one.
pub(super) struct Transfer<T> {
    p: CsrMatrix<T>,
    r: CsrMatrix<T>,
    open: usize,
}

impl<T: Scalar> Transfer<T> {
    /// `(P, R)` in the matrices' numbering for vectors that are numbered by the colourings of the finer and the coarser
    /// level; only the first `open` unknowns of the finer level take part.
    pub(super) fn new(
        (p, r): (&CsrMatrix<f64>, &CsrMatrix<f64>),
        (finer, coarser): (Option<&Coloring>, Option<&Coloring>),
        open: usize,
    ) -> Result<Self, SolveError> {
        let p = renumbered(p, (finer, open), (coarser, p.ncols()))?;
        let r = renumbered(r, (coarser, r.nrows()), (finer, open))?;
        Ok(Self { p, r, open })
    }

    pub(super) fn bytes(&self) -> usize {
        smoother::bytes(&self.p) + smoother::bytes(&self.r)
    }

    /// b ← R r, b on the coarser level.
    pub(super) fn restrict(&self, r: &[T], b: &mut [T]) {
        self.r.multiply(&r[..self.open], b);
    }

    /// x ← x + s P e, e on the coarser level.
    pub(super) fn add_prolongated(&self, s: T, e: &[T], x: &mut [T]) {
        let rows = 4 * kernels::BLOCK;
        let x = &mut x[..self.open];
        let add = |(block, x): (usize, &mut [T])| {
            let start = block * rows;
            self.p.for_each_row_product(start..start + x.len(), e, x, |pe, _, x| *x += s * pe);
        };
        if x.len() < 8 * rows {
            x.chunks_mut(rows).enumerate().for_each(add);
        } else {
            x.par_chunks_mut(rows).enumerate().for_each(add);
        }
    }
}

/// The leading part of `m` of `nrows` × `ncols` in new numberings of its rows and columns; `None` keeps the old one.
fn renumbered<T: Scalar>(
    m: &CsrMatrix<f64>,
    (row_numbers, nrows): (Option<&Coloring>, usize),
    (column_numbers, ncols): (Option<&Coloring>, usize),
) -> Result<CsrMatrix<T>, SolveError> {
    let built = rows::build(nrows, Vec::new, |sorted: &mut Vec<u64>, k, out| {
        let (cols, vals) = m.row(row_numbers.map_or(k, |numbers| numbers.order[k] as usize));
        let Some(numbers) = column_numbers else {
            out.cols.extend_from_slice(cols);
            out.vals.extend(vals.iter().map(|&v| T::of(v)));
            return;
        };
        sorted.clear();
        for (&j, place) in cols.iter().zip(0u64..) {
            let j = numbers.place[j as usize];
            if (j as usize) < ncols {
                sorted.push(u64::from(j) << 32 | place);
            }
        }
        sorted.sort_unstable();
        out.cols.extend(sorted.iter().map(|&key| (key >> 32) as u32));
        out.vals.extend(sorted.iter().map(|&key| T::of(vals[key as u32 as usize])));
    })?;
    rows::to_matrix(nrows, ncols, built)
}
