//! One solve: the state that all methods share, the limits, the record.

use super::newton::{Aim, Effort, Newton};
use super::reduced::Reduced;
use super::solver::evaluate;
use super::sweep::{Pass, Sums, column_log_sum, sweep};
use super::{
    Potentials, TransportMethod, TransportMonitor, TransportOptions, TransportOutcome, TransportProblem,
    TransportProgress, TransportStatus,
};
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
}

impl Work {
    /// Entries that the last sweep collected, if not too many.
    pub(super) fn collected(&self) -> Option<usize> {
        let blocks = &self.sums.collected;
        blocks.iter().all(|b| !b.overflow).then(|| blocks.iter().map(|b| b.cols.len()).sum())
    }

    /// Newton's method on what the last sweep collected.
    pub(super) fn newton_excursion(&mut self, problem: &Reduced<'_>, aim: Aim) -> Effort {
        self.newton.support.assemble(&self.sums.collected, &self.sums.rows, &self.sums.cols);
        self.newton.excursion(&problem.a, &problem.b, &mut self.v, aim)
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
            None => {
                // NaN: the first sweep takes the row's maximum as shift.
                self.u.resize(reduced.n(), f64::NAN);
                self.v.resize(reduced.m(), 0.0);
            }
        }
    }
}

/// One solve.
pub(super) struct Run<'a> {
    pub(super) problem: &'a Reduced<'a>,
    pub(super) options: &'a TransportOptions,
    pub(super) epsilon: f64,
    pub(super) work: &'a mut Work,
    mass: f64,
    monitor: &'a mut dyn TransportMonitor,
    began: Instant,
    max_iters: usize,
    pub(super) sweeps: usize,
    pub(super) newton: usize,
    pub(super) density: f64,
    pub(super) cg: usize,
    pub(super) factorizations: usize,
    history: Vec<TransportProgress>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        problem: &'a Reduced<'a>,
        options: &'a TransportOptions,
        epsilon: f64,
        whole: &TransportProblem,
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
            mass: whole.mass(),
            monitor,
            began,
            max_iters: options.max_iters.unwrap_or(default),
            sweeps: 0,
            newton: 0,
            density: 0.0,
            cg: 0,
            factorizations: 0,
            history: Vec::new(),
        }
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
        loop {
            let error = self.sweep(inv_eps, omega, None);
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

    /// One pass with relaxation ω: new u, its column sums; with `collect` = (ω of the support, most entries) also the
    /// support. Returns the L1 error of (u, v).
    pub(super) fn sweep(&mut self, inv_eps: f64, omega: f64, collect: Option<(f64, usize)>) -> f64 {
        let work = &mut *self.work;
        sweep(self.problem, inv_eps, Pass::Relax(omega), collect, &mut work.u, &work.v, &mut work.sums);
        self.sweeps += 1;
        let distance = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).abs()).sum::<f64>();
        distance(&work.sums.rows, &self.problem.a) + distance(&work.sums.cols, &self.problem.b)
    }

    /// v_j ← v_j + ω log(b_j / c_j) with the column sums of the last sweep.
    pub(super) fn update_columns(&mut self, inv_eps: f64, omega: f64) {
        let work = &mut *self.work;
        for (j, v) in work.v.iter_mut().enumerate() {
            let c = work.sums.cols[j];
            let log =
                if c > 1e-200 { c.ln() } else { *v + column_log_sum(self.problem, inv_eps, &work.u, j) };
            *v += omega * (self.problem.log_b[j] - log);
        }
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
