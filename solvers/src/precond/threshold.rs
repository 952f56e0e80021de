//! What the threshold factorizations ICT and ILUT share: rows whose pattern is found while they are
//! computed, task by task.
//!
//! Here rows and columns are *places* in the order of a [`Schedule`] with [`Coupling::Fill`]: the rows of a
//! task have consecutive places, an interior fills in only within itself and at separators, and all
//! separators are one task.

use super::sweep::{Coupling, LduFactor, Schedule, SharedSlice, Triangle};
use crate::SolveError;
use rayon::prelude::*;
use residua_data::{CsrMatrix, Scalar};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Rows of a triangle under construction.
#[derive(Default)]
pub(super) struct RowList<T> {
    ends: Vec<usize>,
    pub(super) cols: Vec<u32>,
    pub(super) values: Vec<T>,
}

impl<T: Copy> RowList<T> {
    /// Where row `k` (counted from the first of the list) stands in `cols` and `values`.
    #[inline(always)]
    pub(super) fn range(&self, k: usize) -> Range<usize> {
        (if k == 0 { 0 } else { self.ends[k - 1] })..self.ends[k]
    }

    /// Appends a row.
    pub(super) fn push_row(&mut self, entries: impl Iterator<Item = (u32, T)>) {
        for (col, value) in entries {
            self.cols.push(col);
            self.values.push(value);
        }
        self.ends.push(self.cols.len());
    }
}

/// The rows of L, D, U that one task computed. ICT leaves `lower` empty.
pub(super) struct TaskRows<T> {
    /// Place of the first row.
    pub(super) first: usize,
    pub(super) lower: RowList<T>,
    pub(super) diag: Vec<T>,
    pub(super) upper: RowList<T>,
    pub(super) replaced_pivots: usize,
}

impl<T: Scalar> TaskRows<T> {
    pub(super) fn new(first: usize) -> Self {
        let empty = || RowList { ends: vec![], cols: vec![], values: vec![] };
        Self { first, lower: empty(), diag: vec![], upper: empty(), replaced_pivots: 0 }
    }
}

/// The task of `done` or `own` that holds the row at `place`, and the row's number in it.
#[inline(always)]
pub(super) fn locate<'a, T>(
    done: &'a [TaskRows<T>],
    own: &'a TaskRows<T>,
    place: usize,
) -> (&'a TaskRows<T>, usize) {
    let task = if place >= own.first { own } else { &done[done.partition_point(|t| t.first <= place) - 1] };
    (task, place - task.first)
}

/// Dense scratch of length n for one task at a time, all zero in between.
pub(super) struct Scratch<T> {
    /// The row being computed.
    pub(super) w: Vec<T>,
    /// Whether `w` holds an entry.
    pub(super) is_entry: Vec<bool>,
    /// Which finished rows have an entry in which column (ICT).
    pub(super) waiting: WaitingRows,
}

/// Finished rows, each waiting in the list of the column of its next entry.
pub(super) struct WaitingRows {
    heads: Vec<u32>,
    links: Vec<u32>,
    cursors: Vec<usize>,
}

impl WaitingRows {
    const NONE: u32 = u32::MAX;

    fn new(n: usize) -> Self {
        Self { heads: vec![Self::NONE; n], links: vec![Self::NONE; n], cursors: vec![0; n] }
    }

    /// Empties the lists of the columns `places`.
    pub(super) fn clear(&mut self, places: Range<usize>) {
        self.heads[places].fill(Self::NONE);
    }

    /// Lets row `k` wait for the column of its entry at `cursor`, if its entries do not end there at `end`
    /// and the column is one of `places`.
    #[inline(always)]
    pub(super) fn wait(&mut self, k: usize, cursor: usize, end: usize, cols: &[u32], places: &Range<usize>) {
        if cursor < end && places.contains(&(cols[cursor] as usize)) {
            let j = cols[cursor] as usize;
            self.cursors[k] = cursor;
            self.links[k] = self.heads[j];
            self.heads[j] = k as u32;
        }
    }

    /// Takes a row out of the list of column `i`: the row, and where its entry in column i stands.
    #[inline(always)]
    pub(super) fn take(&mut self, i: usize) -> Option<(usize, usize)> {
        let k = self.heads[i];
        if k == Self::NONE {
            return None;
        }
        self.heads[i] = self.links[k as usize];
        Some((k as usize, self.cursors[k as usize]))
    }
}

/// Runs `factorize(places, finished tasks, scratch)` for every task, stage by stage, tasks of a stage in
/// parallel.
///
/// # Errors
/// The first place, in the order of the schedule, at which a task failed.
pub(super) fn run_tasks<T: Scalar>(
    schedule: &Schedule,
    with_waiting: bool,
    factorize: impl Fn(Range<usize>, &[TaskRows<T>], &mut Scratch<T>) -> Result<TaskRows<T>, usize> + Sync,
) -> Result<Vec<TaskRows<T>>, usize> {
    let n = schedule.len();
    let list_len = if with_waiting { n } else { 0 };
    let fresh =
        || Scratch { w: vec![T::zero(); n], is_entry: vec![false; n], waiting: WaitingRows::new(list_len) };
    let spare = Mutex::new(Vec::<Scratch<T>>::new());
    let mut done = Vec::with_capacity(schedule.task_count());
    let mut first = 0;
    for stage in schedule.stages() {
        let places: Vec<Range<usize>> = stage
            .map(|task| {
                let start = first;
                first += schedule.runs(task).map(|run| run.len()).sum::<usize>();
                start..first
            })
            .collect();
        let results: Vec<Result<TaskRows<T>, usize>> = places
            .into_par_iter()
            .with_max_len(1)
            .map(|places| {
                let taken = spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut scratch = taken.unwrap_or_else(fresh);
                let rows = factorize(places, &done, &mut scratch)?;
                spare.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
                Ok(rows)
            })
            .collect();
        for rows in results {
            done.push(rows?);
        }
    }
    Ok(done)
}

/// Keeps the `limit` entries of `row` that are largest by `size`, and sorts them by column. Ties fall to the
/// smaller column, so that the choice is determined.
pub(super) fn keep_largest<T: Scalar>(
    row: &mut Vec<(u32, T)>,
    limit: usize,
    size: impl Fn(&(u32, T)) -> f64,
) {
    if row.len() > limit {
        if limit > 0 {
            row.select_nth_unstable_by(limit - 1, |x, y| size(y).total_cmp(&size(x)).then(x.0.cmp(&y.0)));
        }
        row.truncate(limit);
    }
    row.sort_unstable_by_key(|&(col, _)| col);
}

/// Puts the rows of all tasks together, in A's numbering. Without lower rows (ICT), L = Uᴴ.
///
/// # Errors
/// [`SolveError::FactorizationFailed`] if the factor has more entries than 32-bit indices can address.
pub(super) fn assemble<T: Scalar>(
    what: &'static str,
    schedule: Schedule,
    done: &[TaskRows<T>],
    hermitian: bool,
) -> Result<LduFactor<T>, SolveError> {
    let order = schedule.order();
    let too_large = || SolveError::FactorizationFailed {
        what,
        row: 0,
        reason: "the factor has more than 2^32 entries: raise drop_tol or lower max_fill".into(),
    };
    let upper = triangle(&order, done, |task| &task.upper).ok_or_else(too_large)?;
    let lower = if hermitian {
        adjoint(&upper, &order)
    } else {
        triangle(&order, done, |task| &task.lower).ok_or_else(too_large)?
    };
    let mut inv_diag = vec![T::zero(); order.len()];
    for task in done {
        for (k, &d) in task.diag.iter().enumerate() {
            inv_diag[order[task.first + k] as usize] = T::one() / d;
        }
    }
    Ok(LduFactor::new(schedule, lower, inv_diag, upper))
}

fn triangle<T: Scalar>(
    order: &[u32],
    done: &[TaskRows<T>],
    rows_of: impl Fn(&TaskRows<T>) -> &RowList<T> + Sync,
) -> Option<Triangle<T>> {
    let n = order.len();
    u32::try_from(done.iter().map(|task| rows_of(task).cols.len()).sum::<usize>()).ok()?;
    let mut row_ptr = vec![0u32; n + 1];
    for task in done {
        for k in 0..task.diag.len() {
            row_ptr[order[task.first + k] as usize + 1] = rows_of(task).range(k).len() as u32;
        }
    }
    for i in 0..n {
        row_ptr[i + 1] += row_ptr[i];
    }
    let nnz = row_ptr[n] as usize;
    let (mut col_idx, mut values) = (vec![0u32; nnz], vec![T::zero(); nnz]);
    let (cols_out, values_out) = (SharedSlice::new(&mut col_idx), SharedSlice::new(&mut values));
    done.par_iter().for_each(|task| {
        let rows = rows_of(task);
        for k in 0..task.diag.len() {
            let i = order[task.first + k] as usize;
            let (start, end) = (row_ptr[i] as usize, row_ptr[i + 1] as usize);
            // SAFETY: the ranges of two rows do not overlap, and each row is in one task.
            let (cols, vals) = unsafe { (cols_out.slice_mut(start, end), values_out.slice_mut(start, end)) };
            let range = rows.range(k);
            vals.copy_from_slice(&rows.values[range.clone()]);
            cols.iter_mut().zip(&rows.cols[range]).for_each(|(col, &place)| *col = order[place as usize]);
        }
    });
    Some(Triangle { row_ptr, col_idx, values })
}

/// Uᴴ, each row sorted by place.
fn adjoint<T: Scalar>(upper: &Triangle<T>, order: &[u32]) -> Triangle<T> {
    let n = order.len();
    let mut row_ptr = vec![0u32; n + 1];
    upper.col_idx.iter().for_each(|&j| row_ptr[j as usize + 1] += 1);
    for i in 0..n {
        row_ptr[i + 1] += row_ptr[i];
    }
    let mut next = row_ptr.clone();
    let mut col_idx = vec![0u32; upper.col_idx.len()];
    let mut values = vec![T::zero(); upper.values.len()];
    for &i in order {
        let range = upper.range(i as usize);
        for (&j, &u) in upper.col_idx[range.clone()].iter().zip(&upper.values[range]) {
            let slot = next[j as usize] as usize;
            next[j as usize] += 1;
            col_idx[slot] = i;
            values[slot] = u.conjugate();
        }
    }
    Triangle { row_ptr, col_idx, values }
}

/// The schedule for a factorization of `a` with fill.
pub(super) fn schedule<T: Scalar>(a: &CsrMatrix<T>) -> Schedule {
    Schedule::new(a, Coupling::Fill)
}

/// Refuses a drop tolerance outside [0, 1).
pub(super) fn check_drop_tol(drop_tol: f64) -> Result<(), SolveError> {
    if (0.0..1.0).contains(&drop_tol) {
        return Ok(());
    }
    Err(SolveError::InvalidOption {
        name: "drop_tol",
        value: drop_tol.to_string(),
        expected: "entries are dropped relative to their row's size: 0 <= drop_tol < 1",
    })
}
