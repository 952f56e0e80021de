//! Incomplete factorization on the pattern of A: what IC(0), MIC(0), ILU(0) and MILU(0) share.
//!
//! Row i of A ≈ L D U, with rows taken in the order of a [`Schedule`] and N the pattern of A
//! (Saad, 2003, Algorithms 10.3 and 10.4, in the form with unit U):
//!
//! ```text
//! w ← row i of A, with a_ii (1 + α)
//! for k before i in N(i):  l_ik = w_k / d_k
//!                          w_j ← w_j − w_k u_kj    for j after k in N(i)
//!                          s   ← s + w_k u_kj      for j after k not in N(i)
//! d_i = w_i − ω s,   u_ij = w_j / d_i for j after i in N(i)
//! ```
//!
//! ω = 0 drops the fill, ω = 1 adds it to the diagonal, which keeps row sums (Gustafsson, 1978, BIT 18(2)).

use super::pivot::{Pivot, general_pivot, positive_pivot};
use super::sweep::{Coupling, LduFactor, Schedule, SharedSlice, Triangle};
use crate::SolveError;
use rayon::prelude::*;
use residua_data::{CsrMatrix, Scalar};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows up to this long are searched from the front.
const SHORT_ROW: usize = 16;

/// Rows that a task of the symbolic phase takes at a time.
const ROWS_PER_TASK: usize = 4096;

/// The factor's structure for the pattern of a square `a`, values zero.
pub(super) fn symbolic<T: Scalar>(a: &CsrMatrix<T>) -> LduFactor<T> {
    symbolic_in(a, Schedule::new(a, Coupling::Pattern))
}

/// As [`symbolic`], for sweeps in the order of `schedule`, which was made for `a`.
pub(crate) fn symbolic_in<T: Scalar>(a: &CsrMatrix<T>, schedule: Schedule) -> LduFactor<T> {
    let (n, position) = (a.nrows(), schedule.position());
    let (mut lower_ptr, mut upper_ptr) = (vec![0u32; n + 1], vec![0u32; n + 1]);
    let counts =
        lower_ptr[1..].par_iter_mut().zip(&mut upper_ptr[1..]).with_min_len(ROWS_PER_TASK).enumerate();
    counts.for_each(|(i, (before, after))| {
        for &j in a.row(i).0 {
            *before += u32::from(position[j as usize] < position[i]);
            *after += u32::from(position[j as usize] > position[i]);
        }
    });
    for i in 0..n {
        lower_ptr[i + 1] += lower_ptr[i];
        upper_ptr[i + 1] += upper_ptr[i];
    }
    let (lower_nnz, upper_nnz) = (lower_ptr[n] as usize, upper_ptr[n] as usize);
    let (mut lower_cols, mut upper_cols) = (vec![0u32; lower_nnz], vec![0u32; upper_nnz]);
    let (lower_out, upper_out) = (SharedSlice::new(&mut lower_cols), SharedSlice::new(&mut upper_cols));
    (0..n).into_par_iter().with_min_len(ROWS_PER_TASK).for_each(|i| {
        let (lower_range, upper_range) = (bounds(&lower_ptr, i), bounds(&upper_ptr, i));
        // SAFETY: the ranges of two rows do not overlap, and the last ends at the length.
        let (before, after) = unsafe {
            (
                lower_out.slice_mut(lower_range.0, lower_range.1),
                upper_out.slice_mut(upper_range.0, upper_range.1),
            )
        };
        let (mut next_before, mut next_after) = (0, 0);
        for &j in a.row(i).0 {
            if position[j as usize] < position[i] {
                before[next_before] = j;
                next_before += 1;
            } else if j as usize != i {
                after[next_after] = j;
                next_after += 1;
            }
        }
        sort_by_place(before, position);
        sort_by_place(after, position);
    });
    let lower = Triangle { row_ptr: lower_ptr, col_idx: lower_cols, values: vec![T::zero(); lower_nnz] };
    let upper = Triangle { row_ptr: upper_ptr, col_idx: upper_cols, values: vec![T::zero(); upper_nnz] };
    LduFactor::new(schedule, lower, vec![T::zero(); n], upper)
}

/// Columns come sorted by number, which in most rows is their order already.
fn sort_by_place(cols: &mut [u32], position: &[u32]) {
    if !cols.is_sorted_by_key(|&j| position[j as usize]) {
        cols.sort_unstable_by_key(|&j| position[j as usize]);
    }
}

/// Whether `a` has the pattern for which `factor` was made (a missing diagonal entry counts as stored).
pub(crate) fn has_pattern<T: Scalar>(factor: &LduFactor<T>, a: &CsrMatrix<T>) -> bool {
    let position = factor.schedule().position();
    a.nrows() == factor.len()
        && a.ncols() == factor.len()
        && (0..a.nrows()).into_par_iter().with_min_len(ROWS_PER_TASK).all(|i| {
            let (lower, upper) = (factor.lower(), factor.upper());
            let (lower, upper) = (&lower.col_idx[lower.range(i)], &upper.col_idx[upper.range(i)]);
            let mut found = 0;
            let (cols, _) = a.row(i);
            let all = cols.iter().filter(|&&j| j as usize != i).all(|&j| {
                let side = if position[j as usize] < position[i] { lower } else { upper };
                found += 1;
                find(side, j, position, 0).is_some()
            });
            all && found == lower.len() + upper.len()
        })
}

/// Where `j` is in `cols`, which is sorted by position; `hint` is tried first.
#[inline(always)]
fn find(cols: &[u32], j: u32, position: &[u32], hint: usize) -> Option<usize> {
    if cols.get(hint) == Some(&j) {
        return Some(hint);
    }
    if cols.len() <= SHORT_ROW {
        return cols.iter().position(|&c| c == j);
    }
    cols.binary_search_by_key(&position[j as usize], |&c| position[c as usize]).ok()
}

/// How pivots are treated.
#[derive(Debug, Clone, Copy)]
pub(super) struct PivotRule {
    /// α: a_ii is multiplied by 1 + α.
    pub(super) shift: f64,
    /// ω: the share of the dropped fill that is added to the diagonal.
    pub(super) relaxation: f64,
    /// Whether pivots must be real and positive.
    pub(super) positive: bool,
    /// Tiny pivots become this times the largest entry of their row; 0: they are bad.
    pub(super) replacement: f64,
}

/// What a numeric factorization met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numeric {
    /// Done; so many pivots were replaced.
    Done {
        /// Pivots that were too small.
        replaced: usize,
    },
    /// The pivot of this row cannot be divided by.
    BadPivot {
        /// 0-based row, the first in the order of the schedule.
        row: usize,
    },
}

/// Factorizes `a`, whose pattern `factor` was made for, into `factor`.
pub(super) fn numeric<T: Scalar>(factor: &mut LduFactor<T>, a: &CsrMatrix<T>, rule: PivotRule) -> Numeric {
    let (schedule, lower, inv_diag, upper) = factor.parts_mut();
    let rows = RowFactorizer {
        a,
        rule,
        position: schedule.position(),
        lower_ptr: &lower.row_ptr,
        lower_cols: &lower.col_idx,
        lower_values: SharedSlice::new(&mut lower.values),
        upper_ptr: &upper.row_ptr,
        upper_cols: &upper.col_idx,
        upper_values: SharedSlice::new(&mut upper.values),
        inv_diag: SharedSlice::new(inv_diag),
    };
    let (replaced, bad_place) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    schedule.forward(|_, run| {
        for i in run {
            // SAFETY: the schedule was made from the pattern of A + Aᵀ, so while row i is visited no other
            // thread visits a row that couples to it; the rows before it that it reads are finished.
            match unsafe { rows.factorize(i) } {
                Pivot::Good(_) => {}
                Pivot::Replaced(_) => {
                    replaced.fetch_add(1, Ordering::Relaxed);
                }
                Pivot::Bad => {
                    bad_place.fetch_min(rows.position[i] as usize, Ordering::Relaxed);
                }
            }
        }
    });
    match bad_place.into_inner() {
        usize::MAX => Numeric::Done { replaced: replaced.into_inner() },
        place => {
            let row = rows.position.iter().position(|&p| p as usize == place).unwrap_or(0);
            Numeric::BadPivot { row }
        }
    }
}

/// The state of a factorization that its tasks share.
struct RowFactorizer<'a, T> {
    a: &'a CsrMatrix<T>,
    rule: PivotRule,
    position: &'a [u32],
    lower_ptr: &'a [u32],
    lower_cols: &'a [u32],
    lower_values: SharedSlice<'a, T>,
    upper_ptr: &'a [u32],
    upper_cols: &'a [u32],
    upper_values: SharedSlice<'a, T>,
    inv_diag: SharedSlice<'a, T>,
}

impl<T: Scalar> RowFactorizer<'_, T> {
    /// Computes row i of L, D and U.
    ///
    /// # Safety
    /// No other thread visits row i or writes the rows before it to which it couples.
    unsafe fn factorize(&self, i: usize) -> Pivot<T> {
        let (lower_range, upper_range) = (bounds(self.lower_ptr, i), bounds(self.upper_ptr, i));
        let lower_cols = &self.lower_cols[lower_range.0..lower_range.1];
        let upper_cols = &self.upper_cols[upper_range.0..upper_range.1];
        // SAFETY: row i belongs to this thread, by the caller's promise, and rows do not overlap.
        let (lower, upper) = unsafe {
            (
                self.lower_values.slice_mut(lower_range.0, lower_range.1),
                self.upper_values.slice_mut(upper_range.0, upper_range.1),
            )
        };
        let a_ii = self.load(i, lower_cols, lower, upper_cols, upper);
        let mut pivot = a_ii + a_ii * T::of(self.rule.shift);
        let mut dropped = T::zero();
        for p in 0..lower_cols.len() {
            let (k, w_k) = (lower_cols[p] as usize, lower[p]);
            let (start, end) = bounds(self.upper_ptr, k);
            // SAFETY: row k comes before i and couples to it, so it is finished.
            let (u_k, inv_d_k) = unsafe { (self.upper_values.slice(start, end), self.inv_diag.get(k)) };
            lower[p] = w_k * inv_d_k;
            let (mut q, mut s) = (p + 1, 0);
            for (&j, &u) in self.upper_cols[start..end].iter().zip(u_k) {
                let place = self.position[j as usize];
                let update = w_k * u;
                if place < self.position[i] {
                    while q < lower_cols.len() && self.position[lower_cols[q] as usize] < place {
                        q += 1;
                    }
                    if q < lower_cols.len() && lower_cols[q] == j {
                        lower[q] -= update
                    } else {
                        dropped += update
                    }
                } else if j as usize == i {
                    pivot -= update;
                } else {
                    while s < upper_cols.len() && self.position[upper_cols[s] as usize] < place {
                        s += 1;
                    }
                    if s < upper_cols.len() && upper_cols[s] == j {
                        upper[s] -= update
                    } else {
                        dropped += update
                    }
                }
            }
        }
        pivot -= dropped * T::of(self.rule.relaxation);
        let verdict = if self.rule.positive {
            positive_pivot(pivot, a_ii.real_f64() * (1.0 + self.rule.shift))
        } else {
            let row_size = self.a.row(i).1.iter().map(|v| v.modulus_f64()).fold(0.0, f64::max);
            general_pivot(pivot, row_size, self.rule.replacement)
        };
        if let Pivot::Good(pivot) | Pivot::Replaced(pivot) = verdict {
            let inverse = T::one() / pivot;
            // SAFETY: row i belongs to this thread.
            unsafe { self.inv_diag.set(i, inverse) };
            upper.iter_mut().for_each(|u| *u *= inverse);
        }
        verdict
    }

    /// Copies row i of A into its slots and returns a_ii.
    fn load(&self, i: usize, lower_cols: &[u32], lower: &mut [T], upper_cols: &[u32], upper: &mut [T]) -> T {
        let mut a_ii = T::zero();
        let (mut next_lower, mut next_upper) = (0, 0);
        let (cols, vals) = self.a.row(i);
        for (&j, &v) in cols.iter().zip(vals) {
            if j as usize == i {
                a_ii = v;
            } else if self.position[j as usize] < self.position[i] {
                if let Some(slot) = find(lower_cols, j, self.position, next_lower) {
                    lower[slot] = v;
                    next_lower = slot + 1;
                }
            } else if let Some(slot) = find(upper_cols, j, self.position, next_upper) {
                upper[slot] = v;
                next_upper = slot + 1;
            }
        }
        a_ii
    }
}

#[inline(always)]
fn bounds(row_ptr: &[u32], i: usize) -> (usize, usize) {
    (row_ptr[i] as usize, row_ptr[i + 1] as usize)
}

/// L ← Uᴴ, entry by entry, so that L D U is Hermitian to the last bit.
///
/// # Errors
/// [`SolveError::FactorizationFailed`] if the pattern is not symmetric.
pub(super) fn mirror_upper<T: Scalar>(
    factor: &mut LduFactor<T>,
    what: &'static str,
) -> Result<(), SolveError> {
    let (schedule, lower, _, upper) = factor.parts_mut();
    let position = schedule.position();
    let Triangle { row_ptr, col_idx, values } = lower;
    let lower_values = SharedSlice::new(values);
    let one_sided = AtomicUsize::new(usize::MAX);
    (0..schedule.len()).into_par_iter().with_min_len(ROWS_PER_TASK).for_each(|i| {
        let (start, end) = bounds(row_ptr, i);
        for (p, &k) in (start..end).zip(&col_idx[start..end]) {
            let range = upper.range(k as usize);
            match find(&upper.col_idx[range.clone()], i as u32, position, 0) {
                // SAFETY: the ranges of two rows of L do not overlap.
                Some(slot) => unsafe { lower_values.set(p, upper.values[range.start + slot].conjugate()) },
                None => {
                    one_sided.fetch_min(i, Ordering::Relaxed);
                }
            }
        }
    });
    let mut row = one_sided.into_inner();
    let one_more = upper.col_idx.len() > col_idx.len();
    if row == usize::MAX && one_more {
        // Every entry of L has its mirror in U, so some entry of U has none in L.
        let lacks = |i: &usize| {
            let mut cols = upper.col_idx[upper.range(*i)].iter();
            cols.any(|&j| {
                let (start, end) = bounds(row_ptr, j as usize);
                find(&col_idx[start..end], *i as u32, position, 0).is_none()
            })
        };
        row = (0..schedule.len()).find(lacks).unwrap_or(0);
    }
    if row == usize::MAX {
        return Ok(());
    }
    let reason = "an entry of this row has no counterpart across the diagonal, so the matrix is not \
                  Hermitian: use ilu0 with gmres or bicgstab";
    Err(SolveError::FactorizationFailed { what, row, reason: reason.into() })
}
