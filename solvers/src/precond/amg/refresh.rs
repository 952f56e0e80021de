//! A hierarchy for other values of the same matrix.
//!
//! In a sequence of systems the matrix changes a little from step to step. Interpolation that was good for one step is good
//! for the next ones: P and the numbering of each level are kept, and only A_{l+1} = Pᵀ A_l P, its smoother and the coarsest
//! inverse are computed anew, the products into the patterns that are there already.

use super::coarse::CoarseInverse;
use super::cycle::Hierarchy;
use super::hierarchy::{Kept, is_dense};
use super::options::AmgOptions;
use super::{product, smoother};
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
    let levels = hierarchy.levels_mut();
    let last = levels.len().saturating_sub(1);
    for (l, (level, coloring)) in levels.iter_mut().zip(&kept.colorings).enumerate() {
        let place = l.saturating_sub(1).min(kept.matrices.len());
        let (finer, coarser) = kept.matrices.split_at_mut(place);
        let current = match (l.checked_sub(1).and_then(|l| kept.transfers.get(l)), coarser.first_mut()) {
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
    Ok(())
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
