//! One row of a sweep: its terms, its sum, its new potential, its share of the column sums.

use super::Ground;
use super::reduced::{Costs, Reduced};
use super::simd::{self, CloudRow, CostRow, Euclid, Live, Manhattan, Rule, Square};
use super::sweep::Pass;
use std::marker::PhantomData;

/// Sums s outside a/SAFE .. 1e100 are computed again, from all columns and with the row's maximum as shift.
const SAFE: f64 = 150.0;

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
pub(super) struct Row<'a> {
    pub(super) pass: Pass,
    pub(super) inv_eps: f64,
    pub(super) a: f64,
    /// Exponents below are left out.
    pub(super) floor: f64,
    /// Chunks of columns that may have exponents above.
    pub(super) runs: &'a [(u32, u32)],
    pub(super) u: &'a mut f64,
    pub(super) v: &'a [f64],
    pub(super) row_sum: &'a mut f64,
    pub(super) cost: &'a mut f64,
    pub(super) exps: &'a mut [f64],
    pub(super) live: &'a mut [u32],
    pub(super) sums: &'a mut [f64],
}

impl RowJob for Row<'_> {
    /// The plan's entries are w times the terms of the chunks.
    type Output = (f64, usize);

    #[inline(always)]
    fn run<C: CostRow>(self, costs: &C) -> (f64, usize) {
        let Self { pass, inv_eps, a, floor, runs, u, v, row_sum, cost, exps, live, sums } = self;
        let rest = v.len() % simd::LANES;
        let whole = [(0, (v.len() / simd::LANES) as u32)];
        let old = *u;
        let Live { mut sum, mut chunks } = simd::exp_row(costs, v, inv_eps, old, floor, runs, exps, live);
        let mut w = 1.0;
        match pass {
            Pass::Evaluate => {
                *row_sum = sum;
                *cost = simd::cost_row(costs, &exps[..chunks * simd::LANES + rest], &live[..chunks]);
            }
            Pass::Relax(omega) => {
                let mut shift = old;
                if !(sum * SAFE > a && sum < 1e100) {
                    shift = a.ln() - simd::max_row(costs, v, inv_eps);
                    Live { sum, chunks } = simd::exp_row(costs, v, inv_eps, shift, floor, &whole, exps, live);
                }
                let exact = shift + (a / sum).ln();
                let mut new = exact + (1.0 - omega) * (old - exact);
                if omega == 1.0 || !new.is_finite() {
                    new = exact;
                }
                w = if new == exact { a / sum } else { (new - shift).exp() };
                *u = new;
                *row_sum = sum * w;
            }
        }
        simd::axpy(w, &exps[..chunks * simd::LANES + rest], &live[..chunks], sums);
        (w, chunks)
    }
}
