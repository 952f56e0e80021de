//! One solve: the state that all methods share, the limits, the record.

use super::anderson::Anderson;
use super::newton::{Aim, Effort, Newton};
use super::reduced::Reduced;
use super::rescue::Rescue;
use super::solver::evaluate;
use super::stage::Saved;
use super::sweep::{Ask, Pass, Sums, column_log_sum, sweep};
use super::{
    Potentials, TransportMethod, TransportMonitor, TransportOptions, TransportOutcome, TransportProblem,
    TransportProgress, TransportStatus,
};
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// What a solver keeps between problems.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// f/ε of the kept rows.
    pub(super) u: Vec<f64>,
    /// g/ε of the kept columns.
    pub(super) v: Vec<f64>,
    pub(super) sums: Sums,
    newton: Newton,
    pub(super) rescue: Rescue,
    /// P_IJ.
    plan: Vec<f64>,
    /// y_J.
    moves: Vec<f64>,
    pub(super) saved: Saved,
    pub(super) anderson: Anderson,
}

impl Work {
    /// Entries that the last sweep collected, if not too many.
    pub(super) fn collected(&self) -> Option<usize> {
        let blocks = &self.sums.blocks;
        blocks.iter().all(|b| !b.support.overflow).then(|| blocks.iter().map(|b| b.support.cols.len()).sum())
    }

    /// Newton's method on what the last sweep collected.
    pub(super) fn newton_excursion(&mut self, problem: &Reduced<'_>, aim: Aim) -> Effort {
        self.newton.support.assemble(&mut self.sums.blocks, &self.sums.rows, &self.sums.cols);
        let effort = self.newton.excursion(&problem.a, &problem.b, &mut self.v, aim);
        // The rows' part makes good shifts for the sweep that follows.
        for (i, u) in self.u.iter_mut().enumerate() {
            *u += self.newton.row_factor(i).ln();
        }
        effort
    }

    /// A coarse step from the plan over clusters of the last sweep, and the Sinkhorn step within the clusters.
    pub(super) fn coarse_step(&mut self, problem: &Reduced<'_>, omega: f64, aim: Aim) -> Effort {
        let Some(clusters) = &problem.clusters else { return Effort::default() };
        clusters.assemble(&self.sums.blocks, omega, &mut self.plan, &mut self.newton.support);
        self.moves.clear();
        self.moves.resize(clusters.cols, 0.0);
        let effort = self.newton.excursion(&clusters.a, &clusters.b, &mut self.moves, aim);
        clusters.spread_rows(|k| self.newton.row_factor(k).ln(), &mut self.u);
        clusters.spread_cols(&self.moves, &problem.b, &self.sums.cols, &mut self.v);
        effort
    }

    /// The starting potentials over ε.
    pub(super) fn reset(
        &mut self,
        reduced: &Reduced<'_>,
        epsilon: f64,
        start: Option<&Potentials>,
        problem: &TransportProblem,
    ) {
        self.u.clear();
        self.v.clear();
        match start {
            Some(start) => {
                let log_mass = problem.mass().ln();
                self.u.extend(reduced.rows.iter().map(|i| start.source[*i as usize] / epsilon - log_mass));
                self.v.extend(reduced.cols.iter().map(|j| start.target[*j as usize] / epsilon));
            }
            None => self.start(reduced),
        }
    }

    /// The starting potentials where none are given.
    pub(super) fn start(&mut self, reduced: &Reduced<'_>) {
        self.u.clear();
        self.v.clear();
        // NaN: the first sweep takes the row's maximum as shift.
        self.u.resize(reduced.n(), f64::NAN);
        self.v.extend(&reduced.log_b);
    }
}

/// T of what sweeps to the error `tol` may leave out: a ten-thousandth of it.
pub(super) fn skip_for(tol: f64) -> f64 {
    (5.0 + (1e4 / tol).ln()).clamp(5.0, 40.0)
}

/// One solve.
pub(super) struct Run<'a> {
    pub(super) problem: &'a Reduced<'a>,
    pub(super) options: &'a TransportOptions,
    pub(super) epsilon: f64,
    pub(super) work: &'a mut Work,
    mass: f64,
    monitor: &'a mut dyn TransportMonitor,
    pub(super) began: Instant,
    max_iters: usize,
    pub(super) sweeps: usize,
    pub(super) newton: usize,
    pub(super) density: f64,
    pub(super) cg: usize,
    pub(super) factorizations: usize,
    /// Whether a coarse step has proved its worth.
    pub(super) coarse_worth: bool,
    pub(super) coarse_tried: bool,
    /// Whether to try no more of them.
    pub(super) coarse_off: bool,
    /// T of the last sweep.
    skip: f64,
    history: Vec<TransportProgress>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        problem: &'a Reduced<'a>,
        options: &'a TransportOptions,
        epsilon: f64,
        mass: f64,
        work: &'a mut Work,
        monitor: &'a mut dyn TransportMonitor,
        began: Instant,
    ) -> Self {
        let default = if options.method == TransportMethod::Sinkhorn { 100_000 } else { 5_000 };
        Self {
            problem,
            options,
            epsilon,
            work,
            mass,
            monitor,
            began,
            max_iters: options.max_iters.unwrap_or(default),
            sweeps: 0,
            newton: 0,
            density: 0.0,
            cg: 0,
            factorizations: 0,
            coarse_worth: false,
            coarse_tried: false,
            coarse_off: false,
            skip: f64::INFINITY,
            history: Vec::new(),
        }
    }

    /// A run of another problem within this one's time.
    pub(super) fn with<'b>(
        &self,
        problem: &'b Reduced<'b>,
        options: &'b TransportOptions,
        epsilon: f64,
        work: &'b mut Work,
        monitor: &'b mut dyn TransportMonitor,
    ) -> Run<'b> {
        Run::new(problem, options, epsilon, self.mass, work, monitor, self.began)
    }

    pub(super) fn solve(&mut self, max_cost: f64, warm: bool) -> TransportStatus {
        match self.options.method {
            TransportMethod::Auto => self.auto(max_cost, warm),
            TransportMethod::Sinkhorn => self.sinkhorn(),
            TransportMethod::Sns => self.sns(),
        }
    }

    /// Over-relaxed sweeps at the target ε.
    fn sinkhorn(&mut self) -> TransportStatus {
        let inv_eps = 1.0 / self.epsilon;
        let (mut last, mut since) = (f64::INFINITY, 0);
        let mut omega = self.options.omega.unwrap_or(1.0);
        let ask = Ask { skip: skip_for(self.options.tol), ..Ask::ALL };
        loop {
            let error = self.sweep(inv_eps, omega, ask);
            if let Err(status) = self.record(self.epsilon, error) {
                return status;
            }
            if error <= self.options.tol {
                return TransportStatus::Converged;
            }
            let contraction = error / last;
            since += 1;
            if self.options.omega.is_none() {
                if omega > 1.0 && (error > 1.5 * last || since > 200) {
                    (omega, since) = (1.0, 0);
                } else if omega == 1.0 && since >= 10 && contraction < 1.0 {
                    (omega, since) = ((2.0 / (1.0 + (1.0 - contraction).sqrt())).min(1.9), 0);
                }
            }
            self.update_columns(inv_eps, omega);
            last = error;
        }
    }

    /// Σ a u + Σ b v − Σ P of the last sweep.
    pub(super) fn dual(&self) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let total: f64 = self.work.sums.rows.iter().sum();
        dot(&self.problem.a, &self.work.u) + dot(&self.problem.b, &self.work.v) - total
    }

    /// One pass with relaxation ω: new u, its column sums, and what `ask` wants. Returns the L1 error of (u, v).
    pub(super) fn sweep(&mut self, inv_eps: f64, omega: f64, ask: Ask) -> f64 {
        let work = &mut *self.work;
        self.skip = ask.skip;
        sweep(self.problem, inv_eps, Pass::Relax(omega), ask, &mut work.u, &work.v, &mut work.sums);
        self.sweeps += 1;
        let distance = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).abs()).sum::<f64>();
        distance(&work.sums.rows, &self.problem.a) + distance(&work.sums.cols, &self.problem.b)
    }

    /// v_j ← v_j + ω log(b_j / c_j) with the column sums of the last sweep. Sums of which what was left out may be a
    /// hundredth or more are computed again.
    pub(super) fn update_columns(&mut self, inv_eps: f64, omega: f64) {
        let work = &mut *self.work;
        let (problem, u, cols) = (self.problem, &work.u, &work.sums.cols);
        let least = 1e4 * (-self.skip).exp();
        work.v.par_iter_mut().with_min_len(256).enumerate().for_each(|(j, v)| {
            let c = cols[j];
            let log = if c > 1e-200 && c > least * problem.b[j] {
                c.ln()
            } else {
                *v + column_log_sum(problem, inv_eps, u, j)
            };
            *v += omega * (problem.log_b[j] - log);
        });
    }

    /// Notes the state after a sweep, and says whether to stop.
    pub(super) fn record(&mut self, epsilon: f64, error: f64) -> Result<(), TransportStatus> {
        let dual = self.dual();
        let progress = TransportProgress {
            epsilon,
            sweeps: self.sweeps,
            newton: self.newton,
            marginal_error: error * self.mass,
            objective: self.mass * epsilon * (dual + self.mass.ln()),
        };
        self.history.push(progress);
        if self.monitor.observe(&progress).is_break() {
            return Err(TransportStatus::Interrupted);
        }
        if !error.is_finite() {
            return Err(TransportStatus::NonFinite);
        }
        self.limits(error)
    }

    fn limits(&self, error: f64) -> Result<(), TransportStatus> {
        if error <= self.options.tol {
            return Ok(());
        }
        if self.sweeps + self.newton >= self.max_iters {
            return Err(TransportStatus::MaxIterations);
        }
        self.check_time()
    }

    /// Whether the time limit has passed.
    pub(super) fn check_time(&self) -> Result<(), TransportStatus> {
        let limit = self.options.time_limit.unwrap_or(Duration::MAX);
        if self.began.elapsed() >= limit { Err(TransportStatus::TimeLimit) } else { Ok(()) }
    }

    /// The outcome, every figure from one pass over all pairs with the final potentials.
    pub(super) fn finish(mut self, mut status: TransportStatus) -> TransportOutcome {
        let work = &mut *self.work;
        // Before the first sweep, or where the allowed pairs leave a row empty, potentials may not be numbers yet.
        for x in work.u.iter_mut().chain(work.v.iter_mut()).filter(|x| !x.is_finite()) {
            *x = 0.0;
        }
        let (cost, total, error) = evaluate(self.problem, 1.0 / self.epsilon, work);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (mass, eps, log_mass) = (self.mass, self.epsilon, self.mass.ln());
        // With P = mass · p and log P = u + v + log mass − C/ε.
        let log_terms = dot(&work.sums.rows, &work.u) + dot(&work.sums.cols, &work.v);
        let dual = dot(&self.problem.a, &work.u) + dot(&self.problem.b, &work.v);
        if status == TransportStatus::Converged && !(error <= self.options.tol * 1.01) {
            status = TransportStatus::Stagnated;
        }
        TransportOutcome {
            potentials: Potentials { source: Vec::new(), target: Vec::new() },
            epsilon: eps,
            status,
            transport_cost: mass * cost,
            regularised_cost: mass * eps * (log_terms + (log_mass - 1.0) * total),
            dual_objective: mass * eps * (dual + log_mass - total),
            marginal_error: mass * error,
            sinkhorn_iterations: self.sweeps,
            newton_iterations: self.newton,
            hessian_density: self.density,
            cg_iterations: self.cg,
            factorizations: self.factorizations,
            elapsed: self.began.elapsed(),
            history: std::mem::take(&mut self.history),
        }
    }
}
