//! Sweeps in the natural order by several threads: a pipeline of small blocks.
//!
//! The rows are cut into contiguous blocks, far fewer rows than the bandwidth of A, with a cut wherever a row does not
//! couple to the one before (the end of a grid line) or such a line not to the line before (the end of a plane): a
//! block across such a place would chain what is independent. A block starts when the earlier blocks that it couples
//! to are finished; on a grid, that lets a wavefront run across the lines. Threads take the
//! blocks in order, so that the first unfinished block never waits and there is no deadlock, however few threads
//! there are; and as every row sees exactly the values of the sequential sweep, so does the result. Point-to-point
//! waiting instead of barriers: Park, Smelyanskiy, Sundaram and Dubey (2014), ISC, LNCS 8488.

use rayon::prelude::*;
use residua_data::CsrMatrix;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Most blocks of a pipeline: their flags live on the stack of the sweep.
const MAX_BLOCKS: usize = 4096;

/// Rows of a block, from the cheapest to the finest: a block of 128 rows outlasts the hand-over between cores.
const BLOCK_ROWS: [usize; 4] = [1024, 512, 256, 128];

/// Blocks that could run at once, on average, which make finer blocks pointless …
const GOOD_PARALLELISM: f64 = 6.0;

/// … and below which a pipeline is not worth its waiting.
const MIN_PARALLELISM: f64 = 1.8;

/// Looks at a flag this many times before it lets another thread run.
const SPINS: usize = 200;

/// Where blocks begin and which couple.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pipeline {
    /// First row of each block, and n.
    bounds: Vec<u32>,
    before: Lists,
    after: Lists,
    /// Blocks in the longest chain that wait for each other.
    longest: usize,
}

impl Pipeline {
    /// The pipeline for sweeps over the square matrix `a`, if one pays.
    pub(super) fn new<T>(a: &CsrMatrix<T>) -> Option<Self> {
        let mut best: Option<Self> = None;
        for rows in BLOCK_ROWS {
            let Some(candidate) = Self::with_blocks(a, rows.max(2 * a.nrows() / MAX_BLOCKS)) else {
                break;
            };
            if best.as_ref().is_none_or(|best| candidate.parallelism() > best.parallelism()) {
                best = Some(candidate);
            }
            if best.as_ref().is_some_and(|best| best.parallelism() >= GOOD_PARALLELISM) {
                break;
            }
        }
        best.filter(|best| best.parallelism() >= MIN_PARALLELISM)
    }

    /// With blocks of at most `rows` rows; none if these are too many.
    fn with_blocks<T>(a: &CsrMatrix<T>, rows: usize) -> Option<Self> {
        let bounds = block_bounds(a, rows);
        let count = bounds.len() - 1;
        if count > MAX_BLOCKS {
            return None;
        }
        let mut block_of = vec![0u32; a.nrows()];
        for (block, ends) in (0u32..).zip(bounds.windows(2)) {
            block_of[ends[0] as usize..ends[1] as usize].fill(block);
        }
        // Pairs (earlier, later) of coupled blocks, by A + Aᵀ.
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        let mut seen = vec![u32::MAX; count];
        for (i, &block) in block_of.iter().enumerate() {
            for &j in a.row(i).0 {
                let other = block_of[j as usize];
                if other != block && seen[other as usize] != block {
                    seen[other as usize] = block;
                    pairs.push((block.min(other), block.max(other)));
                }
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut depth = vec![1u32; count];
        for &(earlier, later) in &pairs {
            // Sorted by the earlier block, whose depth is final when it comes up.
            depth[later as usize] = depth[later as usize].max(depth[earlier as usize] + 1);
        }
        let longest = depth.iter().max().map_or(1, |&d| d as usize);
        let after = Lists::new(count, pairs.iter().copied());
        let before = Lists::new(count, pairs.iter().map(|&(earlier, later)| (later, earlier)));
        Some(Self { bounds, before, after, longest })
    }

    /// First row of each block, and n.
    pub(super) fn bounds(&self) -> &[u32] {
        &self.bounds
    }

    /// Blocks that could run at once, on average.
    fn parallelism(&self) -> f64 {
        self.after.len() as f64 / self.longest as f64
    }

    /// `run(block)` for every block, first to last.
    pub(super) fn forward(&self, run: &(impl Fn(usize) + Sync)) {
        sweep(&self.before, self.parallelism(), |k| k, run);
    }

    /// `run(block)` for every block, last to first.
    pub(super) fn backward(&self, run: &(impl Fn(usize) + Sync)) {
        let last = self.after.len().wrapping_sub(1);
        sweep(&self.after, self.parallelism(), |k| last - k, run);
    }
}

/// Bounds of blocks of at most `rows` rows. Rows that couple to the row before form a line; long lines are cut
/// evenly, and short ones joined while each couples to the one before.
fn block_bounds<T>(a: &CsrMatrix<T>, rows: usize) -> Vec<u32> {
    let n = a.nrows();
    let couples =
        |i: usize, to: std::ops::Range<usize>| a.row(i).0.iter().any(|&j| to.contains(&(j as usize)));
    let is_break = |i: usize| !couples(i, i - 1..i) && !couples(i - 1, i..i + 1);
    let mut bounds = vec![0u32];
    // The line before the present one, and whether the last block may still grow.
    let (mut before, mut may_grow) = (0..0, false);
    let mut start = 0;
    while start < n {
        let end = (start + 1..n).find(|&i| is_break(i)).unwrap_or(n);
        let last = bounds.len() - 1;
        let grown = end - bounds[last.saturating_sub(1)] as usize;
        if may_grow && grown <= rows && (start..end).any(|i| couples(i, before.clone())) {
            bounds[last] = end as u32;
        } else {
            let pieces = (end - start).div_ceil(rows);
            bounds.extend((1..=pieces).map(|k| (start + (end - start) * k / pieces) as u32));
            may_grow = pieces == 1;
        }
        before = start..end;
        start = end;
    }
    bounds
}

/// Runs the blocks, the k-th to be taken being `block(k)`, each after those in `waits`.
fn sweep(
    waits: &Lists,
    parallelism: f64,
    block: impl Fn(usize) -> usize + Sync,
    run: &(impl Fn(usize) + Sync),
) {
    let count = waits.len();
    let workers = rayon::current_num_threads().min(parallelism.ceil() as usize);
    if workers <= 1 {
        return (0..count).for_each(|k| run(block(k)));
    }
    let finished = [const { AtomicBool::new(false) }; MAX_BLOCKS];
    let (next, is_aborted) = (AtomicUsize::new(0), AtomicBool::new(false));
    (0..workers).into_par_iter().with_max_len(1).for_each(|_| {
        let guard = AbortOnPanic(&is_aborted);
        loop {
            let k = next.fetch_add(1, Ordering::Relaxed);
            if k >= count {
                break;
            }
            let block = block(k);
            if !waits.of(block).iter().all(|&other| wait(&finished[other as usize], &is_aborted)) {
                break;
            }
            run(block);
            finished[block].store(true, Ordering::Release);
        }
        std::mem::forget(guard);
    });
}

/// Tells the other workers not to wait for a worker that panicked.
struct AbortOnPanic<'a>(&'a AtomicBool);

impl Drop for AbortOnPanic<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Waits until the flag is set; false if a worker panicked.
#[inline]
fn wait(flag: &AtomicBool, is_aborted: &AtomicBool) -> bool {
    let mut spins = 0;
    while !flag.load(Ordering::Acquire) {
        if is_aborted.load(Ordering::Acquire) {
            return false;
        }
        spins += 1;
        if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
    }
    true
}

/// A list of blocks for each block.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lists {
    offsets: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    fn new(count: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut offsets = vec![0u32; count + 1];
        pairs.clone().for_each(|(owner, _)| offsets[owner as usize + 1] += 1);
        (0..count).for_each(|k| offsets[k + 1] += offsets[k]);
        let mut next = offsets.clone();
        let mut items = vec![0u32; offsets[count] as usize];
        for (owner, item) in pairs {
            items[next[owner as usize] as usize] = item;
            next[owner as usize] += 1;
        }
        Self { offsets, items }
    }

    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    #[inline]
    fn of(&self, block: usize) -> &[u32] {
        &self.items[self.offsets[block] as usize..self.offsets[block + 1] as usize]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::precond::sweep::{Schedule, SharedSlice};
    use crate::stationary::testing::{grid_laplacian, shuffled, with_threads};

    #[test]
    fn a_grid_has_a_wavefront_and_a_path_has_none() {
        // Lines longer and shorter than a block.
        for nx in [512, 300, 70] {
            let grid = Pipeline::with_blocks(&grid_laplacian(nx, 200), 128).unwrap();
            let expected = nx.div_ceil(128) as f64;
            assert!(grid.parallelism() > 0.9 * expected, "{nx}: {}", grid.parallelism());
        }
        let (bounds, n) = (block_bounds(&grid_laplacian(50, 9), 128), 450);
        assert_eq!(bounds, [0, 100, 200, 300, 400, n]);
        assert_eq!(block_bounds(&grid_laplacian(300, 2), 128), [0, 100, 200, 300, 400, 500, 600]);
        assert!(Pipeline::new(&grid_laplacian(1, 40_000)).is_none());
    }

    #[test]
    fn every_row_sees_what_the_sequential_sweep_shows_it() {
        // z_i = 1 + Σ_{j before i} z_j mod a prime: order matters.
        let random = shuffled(&grid_laplacian(60, 30), 5);
        for a in [grid_laplacian(300, 90), grid_laplacian(50, 500), random] {
            let n = a.nrows();
            let pipeline = Pipeline::with_blocks(&a, 64).unwrap();
            let sweep = |forward: bool, threads: usize| {
                let mut z = vec![0u64; n];
                let shared = SharedSlice::new(&mut z);
                let row = |i: usize| {
                    let is_before = |j: usize| if forward { j < i } else { j > i };
                    let before = a.row(i).0.iter().map(|&j| j as usize).filter(|&j| is_before(j));
                    // SAFETY: blocks that couple never run at once.
                    unsafe { shared.set(i, before.fold(1, |s, j| (s * 3 + shared.get(j)) % 1_000_003)) };
                };
                let block = |k: usize| {
                    let rows = pipeline.bounds()[k] as usize..pipeline.bounds()[k + 1] as usize;
                    if forward { rows.for_each(row) } else { rows.rev().for_each(row) }
                };
                with_threads(threads, || {
                    if forward { pipeline.forward(&block) } else { pipeline.backward(&block) }
                });
                z
            };
            for forward in [true, false] {
                let one = sweep(forward, 1);
                for threads in [2, 3, 4] {
                    assert!(sweep(forward, threads) == one);
                }
            }
        }
    }

    #[test]
    fn a_panic_in_a_block_ends_the_sweep() {
        let pipeline = Pipeline::with_blocks(&grid_laplacian(300, 90), 64).unwrap();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            with_threads(3, || pipeline.forward(&|k| assert!(k != 50, "block 50")));
        }));
        assert!(result.is_err());
    }

    #[test]
    fn the_natural_schedule_keeps_the_natural_order() {
        let a = grid_laplacian(300, 90);
        let schedule = Schedule::natural(&a);
        assert!(schedule.task_count() > 1);
        assert!(schedule.position().iter().zip(0u32..).all(|(&p, i)| p == i));
    }
}
