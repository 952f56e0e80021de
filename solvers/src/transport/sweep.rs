//! One pass over all pairs that serves both half-steps of a Sinkhorn iteration.
//!
//! With u = f/ε, v = g/ε, a row i needs s = Σ_j exp(u_i + v_j − C_ij/ε). From it follow the exact row update
//! u_i + log(a_i/s), its relaxation u_i + ω log(a_i/s), and, because the exponentials are still in the first-level cache,
//! the row's share of the column sums c_j = Σ_i P_ij of the *new* u: one exponential per pair and iteration.
//! The old u_i serves as the shift of the exponents; where it is so far off that s leaves the safe range, the row's
//! maximum is subtracted instead.
//!
//! Rows are cut into blocks whose number depends on n and m alone; every block has its own column sums, and these
//! are added in the order of the blocks. So the result does not depend on the number of threads.

use super::Ground;
use super::reduced::{Costs, Reduced};
use super::simd::{self, CloudRow, CostRow, Euclid, Manhattan, Rule, Square};
use super::support::Collected;
use rayon::prelude::*;
use std::marker::PhantomData;

/// Most row blocks, and so private column sums.
const MAX_BLOCKS: usize = 48;

/// Pairs that are worth a block.
const BLOCK_PAIRS: usize = 16 * 1024;

/// Sums outside 1/SAFE .. SAFE are computed again with the row's maximum as shift.
const SAFE: f64 = 1e100;

/// What a pass does with a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pass {
    /// u_i ← u_i + ω log(a_i / s), and sums of the new plan.
    Relax(f64),
    /// Sums of the plan of (u, v) as given, and ⟨C, P⟩.
    Evaluate,
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
    partial: Vec<f64>,
    /// The support, block by block; filled on request.
    pub(super) collected: Vec<Collected>,
    /// b_j / n.
    col_share: Vec<f64>,
}

/// Rows of a block.
pub(super) fn block_rows(n: usize, m: usize) -> usize {
    let blocks = (n.saturating_mul(m) / BLOCK_PAIRS).clamp(1, MAX_BLOCKS);
    n.div_ceil(blocks)
}

/// Runs a pass; `u` is changed by [`Pass::Relax`].
pub(super) fn sweep(
    problem: &Reduced<'_>,
    inv_eps: f64,
    pass: Pass,
    collect: Option<(f64, usize)>,
    u: &mut [f64],
    v: &[f64],
    sums: &mut Sums,
) {
    let (n, m) = (problem.n(), problem.m());
    let rows = block_rows(n, m);
    let blocks = n.div_ceil(rows);
    sums.rows.resize(n, 0.0);
    sums.costs.resize(n, 0.0);
    sums.cols.resize(m, 0.0);
    // The column sums of the block, one row of exponentials, and for clouds in many dimensions one row of costs.
    let width = 3 * m;
    sums.partial.resize(blocks * width, 0.0);
    sums.collected.resize_with(blocks, Collected::default);
    if collect.is_some() {
        sums.col_share.clear();
        sums.col_share.extend(problem.b.iter().map(|b| b / n as f64));
    }
    let Sums { rows: row_sums, cols, costs, partial, collected, col_share } = sums;
    let col_share = &*col_share;
    partial
        .par_chunks_mut(width)
        .zip(u.par_chunks_mut(rows))
        .zip(row_sums.par_chunks_mut(rows).zip(costs.par_chunks_mut(rows)))
        .zip(collected.par_iter_mut())
        .enumerate()
        .for_each(|(k, (((scratch, u), (row_sums, costs)), collected))| {
            simd::dispatch(
                #[inline(always)]
                || {
                    let (sums, scratch) = scratch.split_at_mut(m);
                    let (exps, buffer) = scratch.split_at_mut(m);
                    sums.fill(0.0);
                    collected.row_len.clear();
                    collected.cols.clear();
                    collected.values.clear();
                    collected.overflow = false;
                    for (r, ((u, row_sum), cost)) in u.iter_mut().zip(row_sums).zip(costs).enumerate() {
                        let i = k * rows + r;
                        let row = Row { pass, inv_eps, a: problem.a[i], u, v, row_sum, cost, exps, sums };
                        let w = with_row(problem, i, buffer, row);
                        if let Some((omega, limit)) = collect {
                            let share = omega * problem.a[i] / m as f64;
                            take(collected, exps, w, share, omega, col_share, limit / blocks);
                        }
                    }
                },
            );
        });
    let partial = &*partial;
    cols.par_chunks_mut(512).enumerate().for_each(|(k, cols)| {
        let start = 512 * k;
        cols.copy_from_slice(&partial[start..start + cols.len()]);
        for block in 1..blocks {
            let part = &partial[block * width + start..];
            cols.iter_mut().zip(part).for_each(|(c, p)| *c += p);
        }
    });
}

/// Adds the entries w e_j of a row that are at least min(`share`, ω b_j / n) to what the block collected.
#[inline(always)]
fn take(into: &mut Collected, exps: &[f64], w: f64, share: f64, omega: f64, col_share: &[f64], limit: usize) {
    if into.overflow {
        return;
    }
    let before = into.cols.len();
    for (j, (e, b)) in exps.iter().zip(col_share).enumerate() {
        let p = w * e;
        if p >= share || p >= omega * b {
            into.cols.push(j as u32);
            into.values.push(p);
        }
    }
    into.row_len.push((into.cols.len() - before) as u32);
    into.overflow = into.cols.len() > limit;
}

/// A job for one row of costs.
pub(super) trait RowJob {
    /// What comes out.
    type Output;
    /// Does it.
    fn run<C: CostRow>(self, costs: &C) -> Self::Output;
}

/// Calls `job` with the costs of row i in the form that suits the problem.
#[inline(always)]
pub(super) fn with_row<J: RowJob>(problem: &Reduced<'_>, i: usize, buffer: &mut [f64], job: J) -> J::Output {
    match &problem.costs {
        Costs::Dense(c) => {
            let m = problem.m();
            job.run(&&c[i * m..(i + 1) * m])
        }
        Costs::Points { x, y, dim, ground } => match ground {
            Ground::L1 => cloud_row::<Manhattan, J>(x, y, *dim, problem, i, buffer, job),
            Ground::L2 => cloud_row::<Euclid, J>(x, y, *dim, problem, i, buffer, job),
            Ground::SqEuclidean => cloud_row::<Square, J>(x, y, *dim, problem, i, buffer, job),
        },
    }
}

#[inline(always)]
fn cloud_row<G: Rule, J: RowJob>(
    x: &[f64],
    y: &[f64],
    dim: usize,
    problem: &Reduced<'_>,
    i: usize,
    buffer: &mut [f64],
    job: J,
) -> J::Output {
    let (n, m) = (problem.n(), problem.m());
    let ground = PhantomData::<G>;
    let axis = |k: usize| &y[k * m..(k + 1) * m];
    match dim {
        1 => job.run(&CloudRow { x: [x[i]], y: [axis(0)], ground }),
        2 => job.run(&CloudRow { x: [x[i], x[n + i]], y: [axis(0), axis(1)], ground }),
        3 => job.run(&CloudRow { x: [x[i], x[n + i], x[2 * n + i]], y: [axis(0), axis(1), axis(2)], ground }),
        _ => {
            let buffer = &mut buffer[..m];
            buffer.fill(0.0);
            for k in 0..dim {
                let x = x[k * n + i];
                buffer.iter_mut().zip(axis(k)).for_each(|(c, y)| *c += G::term(x - y));
            }
            buffer.iter_mut().for_each(|c| *c = G::finish(*c));
            job.run(&&*buffer)
        }
    }
}

/// One row of a sweep.
struct Row<'a> {
    pass: Pass,
    inv_eps: f64,
    a: f64,
    u: &'a mut f64,
    v: &'a [f64],
    row_sum: &'a mut f64,
    cost: &'a mut f64,
    exps: &'a mut [f64],
    sums: &'a mut [f64],
}

impl RowJob for Row<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<C: CostRow>(self, costs: &C) -> f64 {
        let Self { pass, inv_eps, a, u, v, row_sum, cost, exps, sums } = self;
        let old = *u;
        let mut shift = old;
        let mut s = simd::exp_row(costs, v, inv_eps, shift, exps);
        match pass {
            Pass::Evaluate => {
                *row_sum = s;
                *cost = simd::cost_row(costs, exps);
                simd::axpy(1.0, exps, sums);
                1.0
            }
            Pass::Relax(omega) => {
                if !(s > 1.0 / SAFE && s < SAFE) {
                    shift = -simd::max_row(costs, v, inv_eps);
                    s = simd::exp_row(costs, v, inv_eps, shift, exps);
                }
                let exact = shift + (a / s).ln();
                let mut new = exact + (1.0 - omega) * (old - exact);
                if omega == 1.0 || !new.is_finite() {
                    new = exact;
                }
                let w = if new == exact { a / s } else { (new - shift).exp() };
                *u = new;
                *row_sum = s * w;
                simd::axpy(w, exps, sums);
                w
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
