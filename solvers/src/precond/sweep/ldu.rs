//! M = L D U with unit triangles, and z = M⁻¹ r by two sweeps.

use super::{Schedule, SharedSlice};
use crate::error::{SolveError, check_len};
use residua_data::Scalar;
use std::ops::Range;

/// Rows whose products are summed at once in rᴴz, so that rounding grows with the blocks and not the rows.
const DOT_ROWS: usize = 1024;

/// The strict part of a unit triangle: row i holds its columns and values at `row_ptr[i] .. row_ptr[i + 1]`.
///
/// Rows and columns keep their numbers in A. *Lower* and *upper* are meant in the order of a schedule: a
/// lower triangle couples row i to rows at earlier positions. Columns are sorted by position.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Triangle<T> {
    pub(crate) row_ptr: Vec<u32>,
    pub(crate) col_idx: Vec<u32>,
    pub(crate) values: Vec<T>,
}

impl<T: Copy> Triangle<T> {
    #[inline(always)]
    pub(crate) fn range(&self, i: usize) -> Range<usize> {
        self.row_ptr[i] as usize..self.row_ptr[i + 1] as usize
    }
}

/// M = L D U ≈ A: the result of an incomplete factorization, applied by one forward and one backward sweep
/// of its [`Schedule`].
///
/// With unit triangles, the value just computed enters the next row by one multiplication and one
/// subtraction, and no division: the sweep is bound by memory, not by the chain of operations.
///
/// **Cost** of z = M⁻¹ r in double precision: 12 nnz(L + U) + 48 n bytes.
#[derive(Debug, Clone)]
pub struct LduFactor<T = f64> {
    schedule: Schedule,
    lower: Triangle<T>,
    inv_diag: Vec<T>,
    upper: Triangle<T>,
    /// rᴴz of each task, so that the sum does not depend on who computed what.
    task_dots: Vec<T>,
}

impl<T: Scalar> LduFactor<T> {
    /// The factor with strict triangles `lower` and `upper` and the inverse of D.
    ///
    /// The triangles may couple only rows that `schedule` orders; that is what the sweeps' safety rests on,
    /// and every builder in this crate keeps it by construction.
    pub(crate) fn new(schedule: Schedule, lower: Triangle<T>, inv_diag: Vec<T>, upper: Triangle<T>) -> Self {
        debug_assert!(
            is_ordered(&schedule, &lower, false),
            "L couples rows that the schedule does not order"
        );
        debug_assert!(is_ordered(&schedule, &upper, true), "U couples rows that the schedule does not order");
        debug_assert_eq!(inv_diag.len(), schedule.len());
        let task_dots = vec![T::zero(); schedule.task_count()];
        Self { schedule, lower, inv_diag, upper, task_dots }
    }

    /// Order n.
    pub fn len(&self) -> usize {
        self.inv_diag.len()
    }

    /// Whether the order is 0.
    pub fn is_empty(&self) -> bool {
        self.inv_diag.is_empty()
    }

    /// The order of the sweeps.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Entries of L and U, the unit diagonals left out.
    pub fn nnz(&self) -> usize {
        self.lower.values.len() + self.upper.values.len()
    }

    pub(crate) fn lower(&self) -> &Triangle<T> {
        &self.lower
    }

    pub(crate) fn upper(&self) -> &Triangle<T> {
        &self.upper
    }

    /// y ← M x = L D U x; both have length n. For tests and diagnosis: allocates, one thread.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    pub fn multiply(&self, x: &[T], y: &mut [T]) -> Result<(), SolveError> {
        check_len("x", self.len(), x.len())?;
        check_len("y", self.len(), y.len())?;
        let row_sum = |triangle: &Triangle<T>, i: usize, v: &[T]| {
            let range = triangle.range(i);
            let entries = triangle.col_idx[range.clone()].iter().zip(&triangle.values[range]);
            entries.fold(v[i], |sum, (&j, &value)| sum + value * v[j as usize])
        };
        let scaled: Vec<T> = (0..self.len()).map(|i| row_sum(&self.upper, i, x) / self.inv_diag[i]).collect();
        y.iter_mut().enumerate().for_each(|(i, y)| *y = row_sum(&self.lower, i, &scaled));
        Ok(())
    }

    /// The schedule, and L, D⁻¹, U whose *values* a new factorization on the same pattern overwrites.
    pub(crate) fn parts_mut(&mut self) -> (&Schedule, &mut Triangle<T>, &mut [T], &mut Triangle<T>) {
        (&self.schedule, &mut self.lower, &mut self.inv_diag, &mut self.upper)
    }

    /// z ← M⁻¹ r; both have length n.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    pub fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        self.apply_dot(r, z).map(|_| ())
    }

    /// z ← M⁻¹ r, and returns rᴴ z from the same pass.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    pub fn apply_dot(&mut self, r: &[T], z: &mut [T]) -> Result<T, SolveError> {
        check_len("r", self.len(), r.len())?;
        check_len("z", self.len(), z.len())?;
        self.task_dots.fill(T::zero());
        let dots = SharedSlice::new(&mut self.task_dots);
        let z = SharedSlice::new(z);
        let (lower, upper, inv_diag) = (&self.lower, &self.upper, &self.inv_diag[..]);
        let schedule = &self.schedule;
        schedule.in_pool(|| {
            // SAFETY (both): the lengths were checked, runs are ranges of 0 .. n, and the triangles couple
            // only rows that the schedule orders, so no row is read while another thread writes it. A task
            // is run by one thread and is alone in touching its element of `dots`.
            schedule.forward(|_, run| unsafe { forward_run(lower, run, r, z) });
            schedule.backward(|task, run| unsafe {
                let dot = backward_run(upper, inv_diag, run, r, z);
                dots.set(task, dots.get(task) + dot);
            });
        });
        Ok(self.task_dots.iter().fold(T::zero(), |sum, &dot| sum + dot))
    }
}

/// z_i ← r_i − Σ l_ij z_j for the rows of a run, ascending.
///
/// # Safety
/// `run` lies in 0 .. n, the length of `r` and `z` and the order of `lower`; no other thread touches these
/// rows of z or writes the rows to which they couple.
#[inline]
unsafe fn forward_run<T: Scalar>(lower: &Triangle<T>, run: Range<usize>, r: &[T], z: SharedSlice<'_, T>) {
    // SAFETY: row pointers never decrease and end at the length of both arrays, and columns are below n:
    // a triangle is built from a checked CSR pattern. The rest is the caller's promise.
    unsafe {
        let mut start = *lower.row_ptr.get_unchecked(run.start) as usize;
        for i in run {
            let end = *lower.row_ptr.get_unchecked(i + 1) as usize;
            let cols = lower.col_idx.get_unchecked(start..end);
            let vals = lower.values.get_unchecked(start..end);
            let mut sum = *r.get_unchecked(i);
            // The neighbour just computed comes last, so that only its product is waited for.
            for (&j, &l) in cols.iter().zip(vals) {
                sum -= l * z.get(j as usize);
            }
            z.set(i, sum);
            start = end;
        }
    }
}

/// z_i ← z_i / d_i − Σ u_ij z_j for the rows of a run, descending; returns Σ conj(r_i) z_i.
///
/// # Safety
/// As [`forward_run`].
#[inline]
unsafe fn backward_run<T: Scalar>(
    upper: &Triangle<T>,
    inv_diag: &[T],
    run: Range<usize>,
    r: &[T],
    z: SharedSlice<'_, T>,
) -> T {
    let mut dot = T::zero();
    let (first, mut rows_end) = (run.start, run.end);
    while rows_end > first {
        let rows_start = rows_end.saturating_sub(DOT_ROWS).max(first);
        let mut chunk_dot = T::zero();
        // SAFETY: as in `forward_run`.
        unsafe {
            let mut end = *upper.row_ptr.get_unchecked(rows_end) as usize;
            for i in (rows_start..rows_end).rev() {
                let start = *upper.row_ptr.get_unchecked(i) as usize;
                let cols = upper.col_idx.get_unchecked(start..end);
                let vals = upper.values.get_unchecked(start..end);
                let mut sum = z.get(i) * *inv_diag.get_unchecked(i);
                for (&j, &u) in cols.iter().zip(vals).rev() {
                    sum -= u * z.get(j as usize);
                }
                z.set(i, sum);
                chunk_dot += r.get_unchecked(i).conjugate() * sum;
                end = start;
            }
        }
        dot += chunk_dot;
        rows_end = rows_start;
    }
    dot
}

/// Whether every entry (i, j) of the triangle couples i to a row of an earlier stage or an earlier row of
/// the same task (`upper`: later).
fn is_ordered<T: Copy>(schedule: &Schedule, triangle: &Triangle<T>, upper: bool) -> bool {
    let n = schedule.len();
    let mut task_and_stage = vec![(0, 0); n];
    for (stage, tasks) in schedule.stages().enumerate() {
        for task in tasks {
            schedule.runs(task).flatten().for_each(|i| task_and_stage[i] = (task, stage));
        }
    }
    let precedes = |j: usize, i: usize| {
        let ((task_j, stage_j), (task_i, stage_i)) = (task_and_stage[j], task_and_stage[i]);
        stage_j < stage_i || (task_j == task_i && schedule.position()[j] < schedule.position()[i])
    };
    (0..n).all(|i| {
        triangle.col_idx[triangle.range(i)]
            .iter()
            .map(|&j| j as usize)
            .all(|j| j < n && if upper { precedes(i, j) } else { precedes(j, i) })
    })
}
