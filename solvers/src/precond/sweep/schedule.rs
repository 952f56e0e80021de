//! In which order, and by which independent tasks, a sweep visits the rows.

use super::pipeline::Pipeline;
use rayon::prelude::*;
use residua_data::CsrMatrix;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};

/// Most blocks of rows that are swept at once. Sweeps are bound by memory bandwidth, which a dozen cores
/// saturate; each further block costs separator rows and so, slightly, convergence.
const MAX_BLOCKS: usize = 16;

/// Fewest rows of a block: a sweep over fewer is over before a second thread has woken up.
const MIN_BLOCK_ROWS: usize = 8192;

/// The number of blocks is halved until at most this share of the rows are separators …
const GOOD_SEPARATOR_SHARE: f64 = 0.125;

/// … and two blocks are given up if they would have more than this share.
const MAX_SEPARATOR_SHARE: f64 = 0.25;

/// Stages after which the separator rows that are left become one sequential task.
const MAX_STAGES: u8 = 4;

/// Level sets narrower than this on average cost more in synchronisation than they gain.
const MIN_LEVEL_ROWS: usize = 8192;

/// How rows of one stage may come to couple beyond the pattern that the schedule is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coupling {
    /// The sweep couples row i to row j only where A or Aᵀ has an entry (i, j): SOR, IC(0), ILU(0).
    Pattern,
    /// Elimination fills in entries beyond the pattern (ICT, ILUT). Fill stays within an interior and its
    /// separators, but couples separators with each other, so these form one sequential task.
    Fill,
}

/// An order of the rows 0 .. n, cut into stages of independent tasks; it depends on the pattern alone.
///
/// The stages follow each other; the tasks of a stage do not couple and run in parallel; the rows of a
/// task follow each other in their natural order. Rows are handed out as *runs*, maximal contiguous ranges,
/// so that a sweep on a banded matrix reads its arrays in order and needs no permutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Runs of rows, in order.
    runs: Vec<Range<u32>>,
    /// Task t holds the runs `tasks[t] .. tasks[t + 1]`.
    tasks: Vec<u32>,
    /// Stage s holds the tasks `stages[s] .. stages[s + 1]`.
    stages: Vec<u32>,
    /// The place of each row in the order.
    position: Vec<u32>,
    /// Which tasks wait for which, where that lets the tasks of consecutive stages overlap.
    pipeline: Option<Pipeline>,
}

impl Schedule {
    /// A schedule for sweeps over the rows of the square matrix `a`, from the pattern of A + Aᵀ.
    ///
    /// O(nnz), threaded.
    ///
    /// # Panics
    /// If `a` is not square.
    pub fn new<T: Sync>(a: &CsrMatrix<T>, coupling: Coupling) -> Self {
        assert_eq!(a.nrows(), a.ncols(), "a sweep needs a square matrix");
        let most = (a.nrows() / MIN_BLOCK_ROWS).clamp(1, MAX_BLOCKS);
        Self::with_blocks(a, coupling, most, MIN_LEVEL_ROWS)
    }

    /// [`new`](Self::new) with at most `blocks` blocks, and level sets of at least `level_rows` rows.
    fn with_blocks<T: Sync>(a: &CsrMatrix<T>, coupling: Coupling, blocks: usize, level_rows: usize) -> Self {
        let n = a.nrows();
        let mut count = blocks;
        while count > 1 {
            let bounds = block_bounds(a, count);
            let stage_of = AtomicStages::first(n);
            let separators = stage_of.peel(a, &bounds, 1);
            let share = separators as f64 / n as f64;
            if share <= GOOD_SEPARATOR_SHARE || (count == 2 && share <= MAX_SEPARATOR_SHARE) {
                return Self::from_blocks(a, &bounds, stage_of, separators, coupling);
            }
            count /= 2;
        }
        if blocks > 1
            && coupling == Coupling::Pattern
            && let Some(levels) = level_sets(a, level_rows)
        {
            return Self::from_levels(&levels, level_rows);
        }
        Self::sequential(n)
    }

    /// One task: the natural order.
    pub fn sequential(n: usize) -> Self {
        let mut builder = Builder::new(n);
        builder.push_rows(0..n);
        builder.end_task();
        builder.end_stage();
        builder.finish()
    }

    /// The natural order for sweeps over the square matrix `a`, in a pipeline of blocks where that pays: the same
    /// answer as [`sequential`](Self::sequential) by several threads. Each block is a task and a stage.
    ///
    /// # Panics
    /// If `a` is not square.
    pub fn natural<T>(a: &CsrMatrix<T>) -> Self {
        assert_eq!(a.nrows(), a.ncols(), "a sweep needs a square matrix");
        let n = a.nrows();
        if n < 2 * MIN_BLOCK_ROWS {
            return Self::sequential(n);
        }
        let Some(pipeline) = Pipeline::new(a) else {
            return Self::sequential(n);
        };
        let mut builder = Builder::new(n);
        for block in pipeline.bounds().windows(2) {
            builder.push_rows(block[0] as usize..block[1] as usize);
            builder.end_task();
            builder.end_stage();
        }
        Self { pipeline: Some(pipeline), ..builder.finish() }
    }

    fn from_blocks<T: Sync>(
        a: &CsrMatrix<T>,
        bounds: &[usize],
        stage_of: AtomicStages,
        mut separators: usize,
        coupling: Coupling,
    ) -> Self {
        let mut last = 1;
        if coupling == Coupling::Pattern {
            while separators > 0 && last < MAX_STAGES {
                last += 1;
                separators = stage_of.peel(a, bounds, last);
            }
        }
        let stage_of = stage_of.into_inner();
        let mut builder = Builder::new(a.nrows());
        for stage in 1..=last {
            for block in bounds.windows(2) {
                builder.push_rows((block[0]..block[1]).filter(|&i| stage_of[i] == stage));
                builder.end_task();
            }
            builder.end_stage();
        }
        if separators > 0 {
            builder.push_rows((0..a.nrows()).filter(|&i| stage_of[i] > last));
            builder.end_task();
            builder.end_stage();
        }
        builder.finish()
    }

    fn from_levels(levels: &[u32], level_rows: usize) -> Self {
        let count = levels.iter().max().map_or(0, |&l| l as usize + 1);
        let mut rows_of = vec![Vec::new(); count];
        levels.iter().enumerate().for_each(|(i, &level)| rows_of[level as usize].push(i));
        let mut builder = Builder::new(levels.len());
        let task_rows = (level_rows / 4).max(1);
        for rows in rows_of {
            for task in rows.chunks(task_rows.max(rows.len().div_ceil(MAX_BLOCKS))) {
                builder.push_rows(task.iter().copied());
                builder.end_task();
            }
            builder.end_stage();
        }
        builder.finish()
    }

    /// Number of rows n.
    pub fn len(&self) -> usize {
        self.position.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.position.is_empty()
    }

    /// Stages, that is, synchronisations of a sweep.
    pub fn stage_count(&self) -> usize {
        self.stages.len() - 1
    }

    /// Tasks over all stages.
    pub fn task_count(&self) -> usize {
        self.tasks.len() - 1
    }

    /// Whether the order is the natural one, in one task.
    pub fn is_sequential(&self) -> bool {
        self.task_count() <= 1
    }

    /// The place of each row in the order, length n: row j is visited before row i if
    /// `position()[j] < position()[i]`.
    pub fn position(&self) -> &[u32] {
        &self.position
    }

    /// The row at each place, length n: the inverse of [`position`](Self::position).
    pub fn order(&self) -> Vec<u32> {
        let mut order = vec![0; self.len()];
        self.position.iter().zip(0..).for_each(|(&place, row)| order[place as usize] = row);
        order
    }

    /// The tasks of each stage, in order.
    pub fn stages(&self) -> impl DoubleEndedIterator<Item = Range<usize>> + '_ {
        self.stages.windows(2).map(|s| s[0] as usize..s[1] as usize)
    }

    /// The runs of task `task`, in order.
    pub fn runs(&self, task: usize) -> impl DoubleEndedIterator<Item = Range<usize>> + '_ {
        self.runs[self.tasks[task] as usize..self.tasks[task + 1] as usize]
            .iter()
            .map(|run| run.start as usize..run.end as usize)
    }

    /// Calls `visit(task, run)` for every run of rows, first to last: tasks of a stage in parallel, runs of
    /// a task in order. `visit` takes the rows of a run in ascending order.
    ///
    /// While it visits row i, no other thread visits a row that couples to i.
    pub fn forward(&self, visit: impl Fn(usize, Range<usize>) + Sync) {
        if let Some(pipeline) = &self.pipeline {
            return pipeline.forward(&|task| self.runs(task).for_each(|run| visit(task, run)));
        }
        self.in_pool(|| {
            for stage in self.stages() {
                for_each_task(stage, &|task| self.runs(task).for_each(|run| visit(task, run)));
            }
        });
    }

    /// [`forward`](Self::forward) in exactly the opposite order; `visit` takes the rows of a run in
    /// descending order.
    pub fn backward(&self, visit: impl Fn(usize, Range<usize>) + Sync) {
        if let Some(pipeline) = &self.pipeline {
            return pipeline.backward(&|task| self.runs(task).rev().for_each(|run| visit(task, run)));
        }
        self.in_pool(|| {
            for stage in self.stages().rev() {
                for_each_task(stage, &|task| self.runs(task).rev().for_each(|run| visit(task, run)));
            }
        });
    }

    /// Runs `sweeps` on a thread of the pool if there is anything to share out, so that the pool is entered
    /// once and not once a stage.
    pub fn in_pool<R: Send>(&self, sweeps: impl FnOnce() -> R + Send) -> R {
        if self.is_sequential() { sweeps() } else { rayon::join(sweeps, || ()).0 }
    }
}

/// `run(task)` for each, in parallel; one task is done here and now.
fn for_each_task(tasks: Range<usize>, run: &(impl Fn(usize) + Sync)) {
    if tasks.len() == 1 {
        run(tasks.start);
    } else {
        tasks.into_par_iter().with_max_len(1).for_each(run);
    }
}

/// Block boundaries, `count + 1` of them, that share out the work of a sweep evenly.
fn block_bounds<T>(a: &CsrMatrix<T>, count: usize) -> Vec<usize> {
    let (n, row_ptr) = (a.nrows(), a.row_ptr());
    // A row costs about as much as four entries beside its own.
    let work = |i: usize| u64::from(row_ptr[i]) + 4 * i as u64;
    let bound = |k: usize| {
        let target = work(n) * k as u64 / count as u64;
        let (mut low, mut high) = (0, n);
        while low < high {
            let mid = (low + high) / 2;
            if work(mid) < target { low = mid + 1 } else { high = mid }
        }
        low
    };
    (0..=count).map(bound).collect()
}

/// The stage of each row while it is being found, from 1.
struct AtomicStages(Vec<AtomicU8>);

impl AtomicStages {
    /// All rows in stage 1.
    fn first(n: usize) -> Self {
        Self((0..n).map(|_| AtomicU8::new(1)).collect())
    }

    /// Moves the rows of `stage` that couple to a row of `stage` in a later block to the next stage, and
    /// returns how many they are. Coupling is by A + Aᵀ: an entry in either direction moves the row of the
    /// earlier block, so A's transpose is not needed.
    fn peel<T: Sync>(&self, a: &CsrMatrix<T>, bounds: &[usize], stage: u8) -> usize {
        // A row moved by another thread meanwhile still counts as a row of this stage.
        let here = |i: usize| self.0[i].load(Ordering::Relaxed) >= stage;
        let blocks: Vec<_> = bounds.windows(2).map(|b| b[0]..b[1]).collect();
        blocks.par_iter().for_each(|block| {
            for i in block.clone().filter(|&i| here(i)) {
                let (cols, _) = a.row(i);
                let moved = |k: usize| self.0[k].store(stage + 1, Ordering::Relaxed);
                cols.iter()
                    .map(|&j| j as usize)
                    .take_while(|&j| j < block.start)
                    .filter(|&j| here(j))
                    .for_each(moved);
                if cols.iter().rev().map(|&j| j as usize).take_while(|&j| j >= block.end).any(here) {
                    moved(i);
                }
            }
        });
        self.0.par_iter().with_min_len(1 << 16).filter(|s| s.load(Ordering::Relaxed) > stage).count()
    }

    fn into_inner(self) -> Vec<u8> {
        self.0.into_iter().map(AtomicU8::into_inner).collect()
    }
}

/// The level of each row in the natural order, 0 for rows that wait for none; none if the levels have
/// fewer than `min_rows` rows on average.
fn level_sets<T>(a: &CsrMatrix<T>, min_rows: usize) -> Option<Vec<u32>> {
    let n = a.nrows();
    let mut level = vec![0u32; n];
    let most = n / min_rows;
    for i in 0..n {
        let (cols, _) = a.row(i);
        let own = cols
            .iter()
            .take_while(|&&j| (j as usize) < i)
            .map(|&j| level[j as usize] + 1)
            .fold(level[i], u32::max);
        if own as usize >= most {
            return None;
        }
        level[i] = own;
        for &j in cols.iter().rev().take_while(|&&j| j as usize > i) {
            level[j as usize] = level[j as usize].max(own + 1);
        }
    }
    Some(level)
}

/// Collects runs, tasks and stages; empty ones are left out.
struct Builder {
    schedule: Schedule,
    placed: u32,
}

impl Builder {
    fn new(n: usize) -> Self {
        let schedule =
            Schedule { runs: vec![], tasks: vec![0], stages: vec![0], position: vec![0; n], pipeline: None };
        Self { schedule, placed: 0 }
    }

    fn push_rows(&mut self, rows: impl Iterator<Item = usize>) {
        let Schedule { runs, tasks, position, .. } = &mut self.schedule;
        let first_run = tasks.last().map_or(0, |&t| t as usize);
        for i in rows {
            position[i] = self.placed;
            self.placed += 1;
            let i = i as u32;
            match runs[first_run..].last_mut() {
                Some(run) if run.end == i => run.end += 1,
                _ => runs.push(i..i + 1),
            }
        }
    }

    fn end_task(&mut self) {
        let Schedule { runs, tasks, .. } = &mut self.schedule;
        if tasks.last() != Some(&(runs.len() as u32)) {
            tasks.push(runs.len() as u32);
        }
    }

    fn end_stage(&mut self) {
        let Schedule { tasks, stages, .. } = &mut self.schedule;
        let count = tasks.len() as u32 - 1;
        if stages.last() != Some(&count) {
            stages.push(count);
        }
    }

    fn finish(self) -> Schedule {
        debug_assert_eq!(self.placed as usize, self.schedule.position.len());
        self.schedule
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
