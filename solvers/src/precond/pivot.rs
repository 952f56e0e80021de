//! Pivots of incomplete factorizations: which are good, and what is done about the others.

use crate::error::SolveError;
use rayon::prelude::*;
use residua_data::{CsrMatrix, Scalar};

/// The first shift after a breakdown; it is doubled until the factorization exists.
const FIRST_SHIFT: f64 = 1e-3;

/// Past this shift M is hardly more than the diagonal, and Jacobi is cheaper.
pub(super) const MAX_SHIFT: f64 = 1e3;

/// Rows of which a task checks the diagonal at least.
const ROWS_PER_TASK: usize = 8192;

/// A pivot after judgement.
pub(super) enum Pivot<T> {
    /// As computed.
    Good(T),
    /// Too small, and replaced.
    Replaced(T),
    /// Nothing can be divided by it.
    Bad,
}

/// A pivot of a Hermitian positive definite matrix whose diagonal entry is `a_ii`: real, positive, and not
/// so far below a_ii that it is but a rounding error (a semidefinite matrix, or a breakdown narrowly missed).
pub(super) fn positive_pivot<T: Scalar>(pivot: T, a_ii: f64) -> Pivot<T> {
    let real = pivot.real_f64();
    let tiny = T::epsilon_f64().powf(2.0 / 3.0);
    if real > tiny * a_ii && pivot.is_finite() { Pivot::Good(T::from_real(pivot.real())) } else { Pivot::Bad }
}

/// A pivot of any matrix, in a row of size `row_size`; one that is tiny against its row becomes
/// `replacement` times the row's size, with its own sign.
pub(super) fn general_pivot<T: Scalar>(pivot: T, row_size: f64, replacement: f64) -> Pivot<T> {
    let size = pivot.modulus_f64();
    let tiny = T::epsilon_f64().powf(0.6);
    let replacement = replacement * row_size;
    if size > tiny * row_size && size.is_finite() {
        Pivot::Good(pivot)
    } else if replacement > 0.0 && replacement.is_finite() && size.is_finite() {
        let sign = if size > 0.0 { pivot / T::of(size) } else { T::one() };
        Pivot::Replaced(sign * T::of(replacement))
    } else {
        Pivot::Bad
    }
}

/// The error for a pivot that was [`Pivot::Bad`] under this replacement.
pub(super) fn bad_pivot(what: &'static str, row: usize, replacement: f64) -> SolveError {
    let reason = if replacement > 0.0 {
        "the row is zero or not finite, or the factor overflowed: scale the matrix, or use a direct method"
    } else {
        "the pivot is zero or tiny: allow pivot_replacement, or permute large entries to the diagonal"
    };
    SolveError::FactorizationFailed { what, row, reason: reason.into() }
}

/// Refuses a share outside 0 ..= 1.
pub(super) fn check_share(name: &'static str, share: f64) -> Result<(), SolveError> {
    if (0.0..=1.0).contains(&share) {
        return Ok(());
    }
    Err(SolveError::InvalidOption { name, value: share.to_string(), expected: "it is a share, 0 ..= 1" })
}

/// Refuses diagonal entries that a positive definite matrix cannot have.
pub(super) fn check_positive_diagonal<T: Scalar>(
    what: &'static str,
    a: &CsrMatrix<T>,
) -> Result<(), SolveError> {
    let rows = (0..a.nrows()).into_par_iter().with_min_len(ROWS_PER_TASK);
    let Some(row) = rows.find_first(|&row| !is_positive(a.get(row, row))) else { return Ok(()) };
    let d = a.get(row, row);
    if d == T::zero() {
        return Err(SolveError::ZeroDiagonal { what, row });
    }
    let reason = format!(
        "the diagonal entry {d} is not real and positive, so the matrix is not positive definite: use minres if \
         it is Hermitian, ilu0 with gmres otherwise"
    );
    Err(SolveError::FactorizationFailed { what, row, reason })
}

/// Whether `d` is positive and, up to rounding, real.
fn is_positive<T: Scalar>(d: T) -> bool {
    let (real, imaginary) = (d.real_f64(), T::from_real(d.imaginary()).modulus_f64());
    real > 0.0 && real.is_finite() && imaginary <= 1e-5 * real
}

/// Calls `attempt(α)` with α = `first`, then growing, until it succeeds; returns that α. A failed attempt
/// returns the row of the bad pivot.
pub(super) fn with_growing_shift<T: Scalar>(
    what: &'static str,
    a: &CsrMatrix<T>,
    first: f64,
    mut attempt: impl FnMut(f64) -> Result<(), usize>,
) -> Result<f64, SolveError> {
    let mut shift = first;
    loop {
        let Err(row) = attempt(shift) else { return Ok(shift) };
        if shift == first
            && let Some((row, col)) = a.first_non_finite()
        {
            let reason = format!("the entry in column {col} is not finite");
            return Err(SolveError::FactorizationFailed { what, row, reason });
        }
        if shift >= MAX_SHIFT {
            let reason = format!(
                "the pivot is not positive even for A + {shift:.0} diag(A): the matrix is far from positive \
                 definite, use minres, or ilu0 with gmres"
            );
            return Err(SolveError::FactorizationFailed { what, row, reason });
        }
        shift = (2.0 * shift).max(FIRST_SHIFT);
    }
}
