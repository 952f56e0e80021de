//! One stage of the default method: sweeps and excursions at one ε.
//!
//! A sweep may also collect what an excursion needs: the support of the plan for Newton's method, or the plan over
//! clusters for a coarse step. The next sweep is the test of the excursion: where the dual objective is worse than
//! before, it is undone and the plain step taken.

use super::TransportStatus;
use super::newton::Aim;
use super::reduced::Reduced;
use super::rescue::needs_support;
use super::run::{Run, Work, skip_for};
use super::sweep::Ask;

/// Entries of a support that may be dense.
const SMALL_SUPPORT: usize = 300_000;

/// Of larger supports, pairs for each entry: it takes 12 bytes, the pair 8 in a stored cost.
const SUPPORT_SHARE: usize = 4;

/// ω of the links that tell groups for a rescue: no more than 1/32 of all pairs are as large.
const STRONG: f64 = 64.0;

/// Entries of any support at most.
const LARGEST_SUPPORT: usize = 30_000_000;

/// Sweeps without a better error, by 1 % at least, before a stage gives up.
const PATIENCE: usize = 2_000;

/// The same where the error is that of rounding.
const ROUNDING_PATIENCE: usize = 200;

/// Sweeps in which the error has not halved, after which Newton's method is tried on any support.
const CRAWL: usize = 40;

/// Rescues in a row that did not halve the error, after which no more are tried.
const MOST_LOST: usize = 2;

/// Largest ω of a support that was too large at the usual one.
const COARSEST: f64 = 0.3;

/// Contraction of a coarse step that is worth another.
const COARSE_WORTH: f64 = 0.65;

/// The state before an excursion; its vectors are kept.
#[derive(Debug, Default)]
pub(super) struct Saved {
    u: Vec<f64>,
    v: Vec<f64>,
    cols: Vec<f64>,
    dual: f64,
    error: f64,
}

/// What a sweep collects for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Next {
    Plain,
    Newton,
    Coarse,
    /// The links that tell groups for a rescue.
    Strong,
    Rescue,
}

impl Work {
    /// Anderson's combination of the last step with those before.
    fn accelerate(&mut self, problem: &Reduced<'_>) {
        self.anderson.step(&self.saved.v, &mut self.v, &problem.b);
    }

    /// Notes the state.
    fn save(&mut self, dual: f64, error: f64) {
        let Self { saved, u, v, sums, .. } = self;
        for (to, from) in [(&mut saved.u, &*u), (&mut saved.v, &*v), (&mut saved.cols, &sums.cols)] {
            to.clear();
            to.extend_from_slice(from);
        }
        (saved.dual, saved.error) = (dual, error);
    }

    /// Puts it back. The row potentials belong to it: a column sum that underflowed is computed again from them.
    fn restore(&mut self) {
        let Self { saved, u, v, sums, .. } = self;
        u.copy_from_slice(&saved.u);
        v.copy_from_slice(&saved.v);
        sums.cols.copy_from_slice(&saved.cols);
    }
}

impl Run<'_> {
    /// One ε, to the error `tol`.
    pub(super) fn stage(&mut self, epsilon: f64, tol: f64, max_cost: f64) -> Result<(), TransportStatus> {
        let inv_eps = 1.0 / epsilon;
        let pairs = self.problem.n() * self.problem.m();
        let limit = SMALL_SUPPORT.max(pairs / SUPPORT_SHARE).min(LARGEST_SUPPORT);
        let (mut last, mut omega, mut wait, mut since, mut best) =
            (f64::INFINITY, 1.0_f64, 1, 0, f64::INFINITY);
        let (mut patience, mut stuck, mut bad_coarse) = (1, 0, 0);
        let (mut mark, mut crawl, mut coarse) = (f64::INFINITY, 0, 0.0_f64);
        let mut lost = 0;
        // A relative rounding of the largest exponent changes every entry of the plan by as much.
        let rounding = 16.0 * f64::EPSILON * max_cost * inv_eps;
        // Clouds whose support is too large for Newton's method stay with coarse steps.
        let mut forced = false;
        self.work.anderson.reset();
        let mut next = Next::Plain;
        let mut excursion: Option<Next> = None;
        loop {
            let threshold = (0.05 * last.min(1.0)).clamp(1e-12, 1e-2).max(coarse.min(COARSEST));
            let relax = if next != Next::Plain || excursion.is_some() { 1.0 } else { omega };
            let ask = Ask {
                skip: skip_for(tol),
                support: match next {
                    Next::Newton => Some((threshold, limit)),
                    Next::Strong => Some((STRONG, limit)),
                    _ => None,
                },
                coarse: next == Next::Coarse,
            };
            let error = self.sweep(inv_eps, relax, ask);
            let dual = self.dual();
            if error.is_finite() || excursion.is_none() {
                self.record(epsilon, error)?;
            }
            let tested = excursion.take();
            if let Some(kind) = tested {
                let before = (self.work.saved.dual, self.work.saved.error);
                if !error.is_finite() || dual < before.0 - 1e-12 * (1.0 + before.0.abs()) {
                    // Undo, and take the Sinkhorn step from there.
                    self.work.restore();
                    self.update_columns(inv_eps, 1.0);
                    patience = (2 * patience).min(16);
                    bad_coarse += usize::from(kind == Next::Coarse);
                    lost += usize::from(kind == Next::Rescue);
                    self.work.anderson.reset();
                    (wait, last, since, omega) = (patience, before.1, 0, 1.0);
                    next = Next::Plain;
                    self.check_time()?;
                    continue;
                }
                if kind == Next::Rescue {
                    lost = if error < 0.5 * before.1 { 0 } else { lost + 1 };
                } else if kind == Next::Coarse {
                    let worth = error < COARSE_WORTH * before.1;
                    bad_coarse = if worth { 0 } else { bad_coarse + 1 };
                    (self.coarse_worth, self.coarse_tried) = (self.coarse_worth | worth, true);
                } else {
                    last = f64::INFINITY;
                }
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
            if crawl > CRAWL && lost < MOST_LOST {
                (last, since, wait, omega) = (error, 0, 1, 1.0);
                if needs_support(self.problem) && next != Next::Strong {
                    self.update_columns(inv_eps, 1.0);
                    next = Next::Strong;
                    continue;
                }
                self.work.save(dual, error);
                self.newton += self.rescue(inv_eps, 0.3 * tol);
                self.check_time()?;
                (mark, crawl) = (error, 0);
                (excursion, next) = (Some(Next::Rescue), Next::Newton);
                continue;
            }
            let contraction = error / last;
            let left = (error / tol).ln() / -contraction.min(0.999).ln();
            if next == Next::Coarse {
                self.work.save(dual, error);
                let aim = Aim { target: (0.02 * error).max(0.3 * tol), radius: 20.0, steps: 12 };
                let effort = self.work.coarse_step(self.problem, 1e-3 * error.min(1.0), aim);
                self.cg += effort.cg;
                self.factorizations += effort.factorizations;
                self.work.accelerate(self.problem);
                self.check_time()?;
                (excursion, last, since) = (Some(Next::Coarse), error, 0);
                next = if bad_coarse < 2 || forced { Next::Coarse } else { Next::Plain };
                (wait, omega) = (1, 1.0);
                continue;
            }
            if next == Next::Newton {
                let nnz = self.work.collected();
                let density = nnz.map_or(f64::INFINITY, |k| k as f64 / pairs as f64);
                let slow = crawl > CRAWL || (contraction > 0.5 && left > 6.0);
                if nnz.is_some() && (density < 0.05 || slow || last == f64::INFINITY) {
                    self.work.save(dual, error);
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
                    (excursion, last, since, next) = (Some(Next::Newton), error, 0, Next::Newton);
                    continue;
                }
                // Too many entries: fewer where sweeps alone do not get on.
                if nnz.is_none() && crawl > CRAWL {
                    coarse = (4.0 * threshold).min(COARSEST);
                }
                forced |= nnz.is_none() && self.problem.clusters.is_some();
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
            let plain = next == Next::Plain;
            let worth_a_try =
                bad_coarse < 2 && !self.coarse_off && contraction > 0.2 && left > 3.0 && last.is_finite();
            next = if self.problem.clusters.is_some() && (forced || worth_a_try) {
                Next::Coarse
            } else if wait == 0 {
                Next::Newton
            } else {
                Next::Plain
            };
            let relax = if relax == 1.0 && plain && next == Next::Plain { omega } else { relax };
            self.update_columns(inv_eps, relax);
            last = error;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::*;
    use super::*;
    use std::time::Instant;

    #[test]
    fn an_undone_excursion_leaves_no_trace_even_where_a_column_sum_underflows() {
        // Column 1 costs so much at v = 0 that its sum is below the smallest number: it takes the logarithmic way.
        let cost = Cost::dense(2, 2, vec![0.0, 1.0, 0.1, 1.0]).unwrap();
        let problem = TransportProblem::uniform(cost).unwrap();
        let reduced = Reduced::new(&problem, true);
        let options = TransportOptions::default();
        let (mut work, mut monitor) = (Work::default(), ());
        work.reset(&reduced, 1e-3, None, &problem);
        let mut run = Run::new(&reduced, &options, 1e-3, 1.0, &mut work, &mut monitor, Instant::now());
        run.sweep(1e3, 1.0, Ask::ALL);
        assert_eq!(run.work.sums.cols[1], 0.0);
        run.work.save(0.0, 1.0);
        run.update_columns(1e3, 1.0);
        let expected = run.work.v.clone();
        run.work.u.fill(f64::NAN);
        run.work.v.fill(7.0);
        run.work.sums.cols.fill(7.0);
        run.work.restore();
        run.update_columns(1e3, 1.0);
        assert_eq!(run.work.v, expected);
        assert!(expected.iter().all(|v| v.is_finite()));
    }
}
