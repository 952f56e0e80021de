//! The default: ε-scaling, sweeps, Newton on the support, every excursion closed by a sweep.
//!
//! Stages ε_k = 4ᵏ ε from a quarter of the largest cost down to ε, each but the last to a marginal error of 1e-2 only, as
//! the entropic error dominates there; from ε ≥ 5e-3 of the largest cost at once at ε. In a stage, a sweep also collects
//! the entries P_ij ≥ ω min(a_i/m, b_j/n), ω a share of the marginal error. In the plan of that sweep, what is left out
//! of a row or column is at most ω of its weight; nothing bounds it at the potentials that Newton's method arrives at,
//! where the model only scales it with the row or column. Where the entries are few, or sweeps contract slowly,
//! Newton's method runs on them. The next sweep is the test: if the dual objective is worse than before, the excursion
//! is undone and the plain step taken.
//! So the dual objective never gets worse, and every round contains an exact Sinkhorn step: Sinkhorn's convergence is
//! inherited, whatever the model does.

use super::TransportStatus;
use super::newton::Aim;
use super::run::{Run, Work};

/// Ratio of two stages' ε.
const FACTOR: f64 = 4.0;

/// Marginal error at which a stage that is not the last ends.
const STAGE_TOL: f64 = 1e-2;

/// Share of the largest cost above which no stages are needed.
const DIRECT: f64 = 5e-3;

/// Entries of a support that may be dense.
const SMALL_SUPPORT: usize = 3_000_000;

/// Entries of any support at most.
const LARGEST_SUPPORT: usize = 30_000_000;

/// Sweeps without a better error, by 1 % at least, before a stage gives up.
const PATIENCE: usize = 2_000;

/// The same where the error is that of rounding.
const ROUNDING_PATIENCE: usize = 200;

/// Sweeps in which the error has not halved, after which Newton's method is tried on any support.
const CRAWL: usize = 40;

/// Largest ω of a support that was too large at the usual one.
const COARSEST: f64 = 0.3;

/// The state before an excursion.
struct Saved {
    u: Vec<f64>,
    v: Vec<f64>,
    cols: Vec<f64>,
    dual: f64,
    error: f64,
}

impl Saved {
    fn of(work: &Work, dual: f64, error: f64) -> Self {
        Self { u: work.u.clone(), v: work.v.clone(), cols: work.sums.cols.clone(), dual, error }
    }

    /// Puts it back. The row potentials belong to it: a column sum that underflowed is computed again from them.
    fn restore(&self, work: &mut Work) {
        work.u.copy_from_slice(&self.u);
        work.v.copy_from_slice(&self.v);
        work.sums.cols.copy_from_slice(&self.cols);
    }
}

impl Run<'_> {
    /// All stages.
    pub(super) fn auto(&mut self, max_cost: f64, warm: bool) -> TransportStatus {
        let mut stages = 0;
        if !warm && self.epsilon < DIRECT * max_cost {
            while self.epsilon * FACTOR.powi(stages + 1) <= 0.25 * max_cost {
                stages += 1;
            }
        }
        let mut previous = self.epsilon;
        for k in (0..=stages).rev() {
            let epsilon = self.epsilon * FACTOR.powi(k);
            if k != stages {
                let ratio = previous / epsilon;
                self.work.u.iter_mut().chain(self.work.v.iter_mut()).for_each(|x| *x *= ratio);
            } else if k > 0 {
                let ratio = self.epsilon / epsilon;
                self.work.u.iter_mut().chain(self.work.v.iter_mut()).for_each(|x| *x *= ratio);
            }
            previous = epsilon;
            let tol = if k == 0 { self.options.tol } else { STAGE_TOL.max(self.options.tol) };
            if let Err(status) = self.stage(epsilon, tol, max_cost) {
                // Back to the units of the target.
                let ratio = epsilon / self.epsilon;
                self.work.u.iter_mut().chain(self.work.v.iter_mut()).for_each(|x| *x *= ratio);
                return status;
            }
        }
        TransportStatus::Converged
    }

    /// One ε, to the error `tol`.
    fn stage(&mut self, epsilon: f64, tol: f64, max_cost: f64) -> Result<(), TransportStatus> {
        let inv_eps = 1.0 / epsilon;
        let (n, m) = (self.problem.n(), self.problem.m());
        let pairs = n * m;
        let limit = SMALL_SUPPORT.max(pairs / 2).min(LARGEST_SUPPORT);
        let mut saved: Option<Saved> = None;
        let (mut last, mut omega, mut wait, mut since, mut best) =
            (f64::INFINITY, 1.0_f64, 1, 0, f64::INFINITY);
        let (mut patience, mut worst_allowed, mut stuck) = (1, 1e-12, 0);
        let (mut mark, mut crawl, mut coarse) = (f64::INFINITY, 0, 0.0_f64);
        // A relative rounding of the largest exponent changes every entry of the plan by as much.
        let rounding = 16.0 * f64::EPSILON * max_cost * inv_eps;
        loop {
            let collect = wait == 0;
            let threshold = (0.05 * last.min(1.0)).clamp(1e-12, 1e-2).max(coarse.min(COARSEST));
            let relax = if collect || saved.is_some() { 1.0 } else { omega };
            let error = self.sweep(inv_eps, relax, collect.then_some((threshold, limit)));
            let dual = self.dual();
            if error.is_finite() || saved.is_none() {
                self.record(epsilon, error)?;
            }
            if let Some(before) = saved.take() {
                let worst = before.dual - worst_allowed * (1.0 + before.dual.abs());
                if !error.is_finite() || dual < worst {
                    // Undo, and take the Sinkhorn step from there.
                    before.restore(self.work);
                    self.update_columns(inv_eps, 1.0);
                    patience = (2 * patience).min(16);
                    (wait, last, since, omega) = (patience, before.error, 0, 1.0);
                    self.check_time()?;
                    continue;
                }
                last = f64::INFINITY;
                worst_allowed = 1e-12;
            }
            if error <= tol {
                return Ok(());
            }
            if error < 0.99 * best {
                (best, stuck) = (error, 0);
            } else {
                stuck += 1;
                if stuck > if error < rounding { ROUNDING_PATIENCE } else { PATIENCE } {
                    return Err(TransportStatus::Stagnated);
                }
            }
            crawl += 1;
            if error < 0.5 * mark {
                (mark, crawl) = (error, 0);
            }
            let contraction = error / last;
            if collect {
                let nnz = self.work.collected();
                let density = nnz.map_or(f64::INFINITY, |k| k as f64 / pairs as f64);
                let left = (error / tol).ln() / -contraction.min(0.999).ln();
                let slow = crawl > CRAWL || (contraction > 0.5 && left > 6.0);
                if nnz.is_some() && (density < 0.05 || slow || last == f64::INFINITY) {
                    saved = Some(Saved::of(self.work, dual, error));
                    self.density = density;
                    let aim = Aim {
                        target: (0.02 * error).max(0.3 * tol),
                        radius: (0.5 * (1.0 / threshold).ln()).max(1.0),
                        steps: 12,
                    };
                    let effort = self.work.newton_excursion(self.problem, aim);
                    self.newton += effort.newton;
                    self.cg += effort.cg;
                    self.factorizations += effort.factorizations;
                    self.check_time()?;
                    (wait, last, since) = (0, error, 0);
                    continue;
                }
                // Too many entries: fewer where sweeps alone do not get on.
                if nnz.is_none() && crawl > CRAWL {
                    coarse = (4.0 * threshold).min(COARSEST);
                }
                wait = if density.is_finite() { 2 } else { 8 };
            } else {
                wait -= 1;
            }
            // Over-relaxation from the contraction of plain steps.
            since += 1;
            if omega > 1.0 && error > 1.5 * last {
                (omega, since) = (1.0, 0);
            } else if omega == 1.0 && since >= 4 && contraction < 1.0 {
                omega = (2.0 / (1.0 + (1.0 - contraction).sqrt())).min(1.9);
                since = 0;
            }
            self.update_columns(inv_eps, if relax == 1.0 && !collect { omega } else { relax });
            last = error;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::reduced::Reduced;
    use super::super::*;
    use super::*;
    use std::time::Instant;

    #[test]
    fn an_undone_excursion_leaves_no_trace_even_where_a_column_sum_underflows() {
        // Column 1 costs so much at v = 0 that its sum is below the smallest number: it takes the logarithmic way.
        let cost = Cost::dense(2, 2, vec![0.0, 1.0, 0.1, 1.0]).unwrap();
        let problem = TransportProblem::uniform(cost).unwrap();
        let reduced = Reduced::new(&problem);
        let options = TransportOptions::default();
        let (mut work, mut monitor) = (Work::default(), ());
        work.reset(&reduced, 1e-3, None, &problem);
        let mut run = Run::new(&reduced, &options, 1e-3, &problem, &mut work, &mut monitor, Instant::now());
        run.sweep(1e3, 1.0, None);
        assert_eq!(run.work.sums.cols[1], 0.0);
        let saved = Saved::of(run.work, 0.0, 1.0);
        run.update_columns(1e3, 1.0);
        let expected = run.work.v.clone();
        run.work.u.fill(f64::NAN);
        run.work.v.fill(7.0);
        run.work.sums.cols.fill(7.0);
        saved.restore(run.work);
        run.update_columns(1e3, 1.0);
        assert_eq!(run.work.v, expected);
        assert!(expected.iter().all(|v| v.is_finite()));
    }
}
