//! One pass over all pairs that serves both half-steps of a Sinkhorn iteration.
//!
//! With u = f/ε, v = g/ε, a row i needs s = Σ_j exp(u_i + v_j − C_ij/ε). From it follow the exact row update
//! u_i + log(a_i/s), its relaxation u_i + ω log(a_i/s), and, because the exponentials are still in the first-level cache,
//! the row's share of the column sums c_j = Σ_i P_ij of the *new* u: one exponential per pair and iteration.
//! The old u_i serves as the shift of the exponents; where it is so far off that s leaves the safe range, the row's
//! maximum is subtracted instead.
//!
//! # What is left out
//!
//! With m columns and n rows, an entry below e^−T min(a_i/m, min b/n) changes no sum of a row or column by more than e^−T
//! of its weight, all such entries together included. Chunks of eight columns whose every exponent is
//! below that floor are left out, and for point clouds whole tiles by their boxes ([`super::tiles`]) before an exponent is
//! computed. The floor holds for the old u_i: a row whose sum is below a_i/150 is done again without it,
//! so e^−T grows by 150 at most. [`Pass::Evaluate`] leaves nothing out.
//!
//! Rows are cut into blocks whose number depends on n and m alone; every block has its own column sums, and these
//! are added in the order of the blocks. So the result does not depend on the number of threads.

use super::reduced::Reduced;
use super::row::{Row, with_row};
use super::simd::{self, LANES};
use super::support::Collected;
use super::tiles::{GROUP, tile_tops};
use rayon::prelude::*;

/// Most row blocks, and so private column sums.
const MAX_BLOCKS: usize = 48;

/// Pairs that are worth a block.
const BLOCK_PAIRS: usize = 16 * 1024;

/// What a pass does with a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pass {
    /// u_i ← u_i + ω log(a_i / s), and sums of the new plan.
    Relax(f64),
    /// Sums of the plan of (u, v) as given, and ⟨C, P⟩.
    Evaluate,
}

/// What else a pass has to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    /// T of what may be left out; infinite for nothing.
    pub(super) skip: f64,
    /// Collect the support: its ω, and the most entries.
    pub(super) support: Option<(f64, usize)>,
    /// Sum the plan over pairs of clusters.
    pub(super) coarse: bool,
}

impl Ask {
    /// Sums of everything, and nothing else.
    pub(super) const ALL: Self = Self { skip: f64::INFINITY, support: None, coarse: false };
}

/// What a block of rows owns.
#[derive(Debug, Default)]
pub(super) struct Block {
    sums: Vec<f64>,
    /// Terms of a row.
    exps: Vec<f64>,
    live: Vec<u32>,
    runs: Vec<(u32, u32)>,
    /// Costs of a row, for clouds in many dimensions.
    costs: Vec<f64>,
    /// The plan over (run of rows, cluster of columns).
    pub(super) coarse: Vec<f64>,
    /// The support.
    pub(super) support: Collected,
}

/// Vectors of a sweep, kept between sweeps.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// P 1.
    pub(super) rows: Vec<f64>,
    /// Pᵀ 1.
    pub(super) cols: Vec<f64>,
    /// Σ_j C_ij P_ij; filled by [`Pass::Evaluate`].
    pub(super) costs: Vec<f64>,
    pub(super) blocks: Vec<Block>,
    /// b_j / n.
    col_share: Vec<f64>,
    tops: Vec<f64>,
}

/// Rows of a block: whole groups and whole clusters where rows are in order.
pub(super) fn block_rows(problem: &Reduced<'_>) -> usize {
    let (n, m) = (problem.n(), problem.m());
    let blocks = (n.saturating_mul(m) / BLOCK_PAIRS).clamp(1, MAX_BLOCKS);
    let unit =
        if problem.tiles.is_some() { problem.clusters.as_ref().map_or(1, |c| c.run).max(GROUP) } else { 1 };
    n.div_ceil(blocks).next_multiple_of(unit)
}

/// Runs a pass; `u` is changed by [`Pass::Relax`].
pub(super) fn sweep(
    problem: &Reduced<'_>,
    inv_eps: f64,
    pass: Pass,
    ask: Ask,
    u: &mut [f64],
    v: &[f64],
    sums: &mut Sums,
) {
    let (n, m) = (problem.n(), problem.m());
    let rows = block_rows(problem);
    let blocks = n.div_ceil(rows);
    sums.rows.resize(n, 0.0);
    sums.costs.resize(n, 0.0);
    sums.cols.resize(m, 0.0);
    sums.blocks.resize_with(blocks, Block::default);
    if ask.support.is_some() {
        sums.col_share.clear();
        sums.col_share.extend(problem.b.iter().map(|b| b / n as f64));
    }
    tile_tops(v, &mut sums.tops);
    let Sums { rows: row_sums, cols, costs, blocks: all, col_share, tops } = sums;
    let job = BlockJob { problem, inv_eps, pass, ask, v, col_share, tops, blocks };
    all.par_iter_mut()
        .zip(u.par_chunks_mut(rows))
        .zip(row_sums.par_chunks_mut(rows).zip(costs.par_chunks_mut(rows)))
        .enumerate()
        .for_each(|(k, ((block, u), (row_sums, costs)))| {
            simd::dispatch(
                #[inline(always)]
                || job.run(k * rows, block, u, row_sums, costs),
            );
        });
    let all = &*all;
    cols.par_chunks_mut(512).enumerate().for_each(|(k, cols)| {
        let start = 512 * k;
        cols.fill(0.0);
        for block in all {
            cols.iter_mut().zip(&block.sums[start..]).for_each(|(c, p)| *c += p);
        }
    });
}

/// What all blocks share.
struct BlockJob<'a> {
    problem: &'a Reduced<'a>,
    inv_eps: f64,
    pass: Pass,
    ask: Ask,
    v: &'a [f64],
    col_share: &'a [f64],
    tops: &'a [f64],
    blocks: usize,
}

impl BlockJob<'_> {
    /// The rows of a block, the first of which is `first`.
    #[inline(always)]
    fn run(&self, first: usize, block: &mut Block, u: &mut [f64], row_sums: &mut [f64], costs: &mut [f64]) {
        let Self { problem, inv_eps, pass, ask, v, .. } = *self;
        let (n, m) = (problem.n(), problem.m());
        let chunks = m / LANES;
        let Block { sums, exps, live, runs, costs: buffer, coarse, support } = block;
        sums.clear();
        sums.resize(m, 0.0);
        exps.resize(m + LANES, 0.0);
        live.resize(chunks + 1, 0);
        buffer.resize(m, 0.0);
        support.clear();
        let clusters = problem.clusters.as_ref().filter(|_| ask.coarse);
        coarse.clear();
        if let Some(clusters) = clusters {
            coarse.resize(u.len().div_ceil(clusters.run) * clusters.cols, 0.0);
        }
        runs.clear();
        runs.push((0, chunks as u32));
        let rare = problem.least_b / n as f64;
        for r in 0..u.len() {
            let i = first + r;
            let a = problem.a[i];
            let floor = (a / m as f64).min(rare).ln() - ask.skip;
            if let Some(tiles) = problem.tiles.as_ref().filter(|_| r % GROUP == 0 && ask.skip.is_finite()) {
                let group = r..(r + GROUP).min(u.len());
                let top = u[group.clone()]
                    .iter()
                    .copied()
                    .fold(f64::NEG_INFINITY, |x, y| if x > y { x } else { y });
                let least = problem.a[i..first + group.end].iter().copied().fold(f64::INFINITY, f64::min);
                let floor = (least / m as f64).min(rare).ln() - ask.skip;
                tiles.live(i / GROUP, inv_eps, floor - top, self.tops, chunks, runs);
            }
            let (row_sum, cost) = (&mut row_sums[r], &mut costs[r]);
            let row = Row { pass, inv_eps, a, floor, runs, u: &mut u[r], v, row_sum, cost, exps, live, sums };
            let (w, count) = with_row(problem, i, buffer, row);
            let terms = &exps[..count * LANES + m % LANES];
            if let Some((omega, limit)) = ask.support {
                let share = omega * a / m as f64;
                support.take(terms, &live[..count], w, share, omega, self.col_share, limit / self.blocks);
            }
            if let Some(clusters) = clusters {
                let slot = r / clusters.run * clusters.cols;
                clusters.add(w, terms, &live[..count], m, &mut coarse[slot..slot + clusters.cols]);
            }
        }
    }
}

/// log Σ_i exp(u_i − C_ij/ε) of single columns, for those whose sum is out of range.
pub(super) fn column_log_sum(problem: &Reduced<'_>, inv_eps: f64, u: &[f64], j: usize) -> f64 {
    let exponent = |i: usize| problem.entry(i, j).mul_add(-inv_eps, u[i]);
    let max = (0..problem.n()).map(exponent).fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return max;
    }
    max + (0..problem.n()).map(|i| (exponent(i) - max).exp()).sum::<f64>().ln()
}
