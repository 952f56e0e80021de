//! A hierarchy for other values of the same matrix.
//!
//! In a sequence of systems the matrix changes a little from step to step. Interpolation that was good for one step is good
//! for the next ones: P and the numbering of each level are kept, and only A_{l+1} = Pᵀ A_l P, its smoother and the coarsest
//! inverse are computed anew, the products into the patterns that are there already. On the finest level P is mended where
//! unknowns joined the others or left them (see `repair`).

use super::coarse::CoarseInverse;
use super::cycle::Hierarchy;
use super::hierarchy::{Kept, Pair, is_dense};
use super::options::AmgOptions;
use super::transfer::Transfer;
use super::{product, repair, smoother};
use crate::{Scalar, SolveError};
use residua_data::CsrMatrix;

/// # Errors
/// [`SolveError::PatternChanged`] for entries that the first matrix had no place for, or what set-up returns; the hierarchy
/// then belongs to neither matrix.
pub(super) fn refresh<T: Scalar>(
    hierarchy: &mut Hierarchy<T>,
    kept: &mut Kept,
    a: &CsrMatrix<f64>,
    options: &AmgOptions,
    symmetric: bool,
) -> Result<(), SolveError> {
    let is_mended = mend(kept, a)?;
    let levels = hierarchy.levels_mut();
    let last = levels.len().saturating_sub(1);
    for (l, (level, coloring)) in levels.iter_mut().zip(&kept.colorings).enumerate() {
        let place = l.saturating_sub(1).min(kept.matrices.len());
        let (finer, coarser) = kept.matrices.split_at_mut(place);
        let transfer = match l {
            0 => None,
            1 => finest_transfer(&kept.mended, &kept.transfers),
            _ => kept.transfers.get(l - 1),
        };
        let current = match (transfer, coarser.first_mut()) {
            (Some((p, r)), Some(matrix)) => {
                product::galerkin_into(r, finer.last().unwrap_or(a), p, matrix)?;
                fill_empty_rows(matrix);
                &*matrix
            }
            _ => a,
        };
        level.set_smoother(if l == last && is_dense(current.nrows(), options) {
            Box::new(CoarseInverse::new(current, symmetric)?)
        } else {
            smoother::rebuild(options.smoother, current, symmetric, coloring.as_deref())?
        });
    }
    if is_mended
        && let (Some((p, r)), Some(finest)) =
            (finest_transfer(&kept.mended, &kept.transfers), levels.first_mut())
    {
        let coloring = |l: usize| kept.colorings.get(l).and_then(Option::as_deref);
        finest.connect(Transfer::new((p, r), (coloring(0), coloring(1)), finest.open())?);
    }
    Ok(())
}

/// P and R of the finest level, as they are now.
fn finest_transfer<'k>(mended: &'k Option<Pair>, transfers: &'k [Pair]) -> Option<&'k Pair> {
    mended.as_ref().or(transfers.first())
}

/// Makes the finest P fit `a`; whether it is another than before.
fn mend(kept: &mut Kept, a: &CsrMatrix<f64>) -> Result<bool, SolveError> {
    let (Some((p, _)), Some(coarse)) = (kept.transfers.first(), kept.matrices.first()) else {
        return Ok(false);
    };
    if kept.alone.len() != a.nrows() {
        return Ok(false);
    }
    let mended = repair::repaired(p, &kept.alone, a, coarse)?;
    let mended = mended.map(|p| product::transpose(&p).map(|r| (p, r))).transpose()?;
    let is_other = mended.is_some() || kept.mended.is_some();
    kept.mended = mended;
    Ok(is_other)
}

/// Rows without a value get a diagonal of 1, as at set-up, where they have a place for it.
fn fill_empty_rows(a: &mut CsrMatrix<f64>) {
    let (row_ptr, cols, values) = a.parts_mut();
    for i in 0..row_ptr.len() - 1 {
        let range = row_ptr[i] as usize..row_ptr[i + 1] as usize;
        if values[range.clone()].iter().all(|&v| v == 0.0)
            && let Ok(k) = cols[range.clone()].binary_search(&(i as u32))
        {
            values[range.start + k] = 1.0;
        }
    }
}
