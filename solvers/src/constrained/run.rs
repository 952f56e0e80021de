//! What every outer method reports to: counts, limits, the monitor, and the tests that end a run.

use super::model::Model;
use super::options::MinimizeOptions;
use super::outcome::{IterationRecord, MinimizeError, MinimizeStatus};
use super::point::Point;
use super::residual::scale;
use super::sparse::norm_inf;
use std::ops::ControlFlow;
use std::time::Instant;

/// A feasible objective below this falls without bound.
const UNBOUNDED: f64 = -1e15;

/// The violation at such a point may be this share of the largest variable: rounding.
const FEASIBLE: f64 = 1e-12;

/// Entries of x beyond this have run away.
const DIVERGED: f64 = 1e20;

/// Why a run ended.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) status: MinimizeStatus,
    pub(crate) detail: String,
    pub(crate) error: Option<MinimizeError>,
}

impl Verdict {
    pub(crate) fn new(status: MinimizeStatus, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), error: None }
    }

    pub(crate) fn error(error: MinimizeError) -> Self {
        Self { status: MinimizeStatus::Breakdown, detail: error.to_string(), error: Some(error) }
    }
}

/// The monitor of a minimisation.
pub type MinimizeMonitor<'m> = dyn FnMut(&IterationRecord) -> ControlFlow<()> + 'm;

/// Counts and limits of one minimisation.
pub(crate) struct Run<'m> {
    pub(crate) iterations: usize,
    pub(crate) start: Instant,
    options: MinimizeOptions,
    monitor: &'m mut MinimizeMonitor<'m>,
    /// Whether the monitor sees the steps.
    shown: bool,
    started: bool,
    /// Of the last record: its residual over that before, and its shift; none where no step led to it.
    last: Option<(f64, f64)>,
    last_kkt: f64,
}

/// Newton's method gains more than this in its last steps, unless the solution is degenerate.
const LINEAR: f64 = 0.1;

impl<'m> Run<'m> {
    pub(crate) fn new(options: &MinimizeOptions, monitor: &'m mut MinimizeMonitor<'m>) -> Self {
        Self {
            iterations: 0,
            start: Instant::now(),
            options: options.clone(),
            monitor,
            shown: true,
            started: false,
            last: None,
            last_kkt: f64::NAN,
        }
    }

    /// The record of a point that no step of the calling phase led to.
    pub(crate) fn start_record(&self) -> IterationRecord {
        IterationRecord {
            phase: if self.started { "restart" } else { "start" },
            ..IterationRecord::default()
        }
    }

    /// Shows a point of an unbounded problem and tests for an end. `gradient` is ∇ₓL.
    pub(crate) fn observe(
        &mut self,
        model: &Model<'_>,
        p: &Point,
        lambda: &[f64],
        gradient: &[f64],
        record: &mut IterationRecord,
    ) -> Option<Verdict> {
        let violation = violation(model, &p.c);
        let sum: f64 = lambda.iter().zip(&model.c_scale).map(|(l, d)| (l * d / model.f_scale).abs()).sum();
        let s = scale(norm_inf(&p.g) / model.f_scale, sum, model.m);
        let kkt = norm_inf(&[norm_inf(gradient) / model.f_scale / s, violation]);
        record.objective = p.f / model.f_scale;
        (record.constraint_violation, record.kkt_residual) = (violation, kkt);
        self.finish_iteration(p, record)
    }

    /// Counts the step, shows it, and tests for an end; the record's residual is filled in.
    pub(crate) fn finish_iteration(&mut self, p: &Point, record: &mut IterationRecord) -> Option<Verdict> {
        if record.phase != "start" && record.phase != "restart" {
            self.iterations += 1;
        }
        self.started = true;
        if self.shown {
            let is_step = record.step > 0.0;
            self.last = is_step.then_some((record.kkt_residual / self.last_kkt, record.hessian_shift));
            self.last_kkt = record.kkt_residual;
        }
        record.iteration = self.iterations;
        if self.shown && (self.monitor)(record).is_break() {
            return Some(Verdict::new(MinimizeStatus::Interrupted, "the monitor asked to stop"));
        }
        if record.kkt_residual <= self.options.tol {
            return Some(Verdict::new(MinimizeStatus::Converged, ""));
        }
        if record.objective < UNBOUNDED
            && record.constraint_violation <= self.options.tol.max(1e-6).max(FEASIBLE * norm_inf(&p.w))
        {
            return Some(Verdict::new(
                MinimizeStatus::Unbounded,
                "the objective fell below -1e15 at feasible points",
            ));
        }
        if norm_inf(&p.w) > DIVERGED {
            return Some(Verdict::new(MinimizeStatus::Diverged, "a variable grew beyond 1e20"));
        }
        self.limits()
    }

    /// Whether the point may be no minimum though the KKT conditions hold: no step led there, the Hessian was shifted,
    /// nothing is known of its curvature, or convergence was no faster than linear, which says that the curvature
    /// vanishes along the last steps.
    pub(crate) fn is_doubtful(&self, curvature_is_known: bool) -> bool {
        !curvature_is_known || self.last.is_none_or(|(ratio, shift)| shift > 0.0 || !(ratio <= LINEAR))
    }

    /// A phase whose problem is another one: its objective and residual say nothing to the monitor, but its steps and
    /// limits count.
    pub(crate) fn nested<T>(&mut self, phase: impl FnOnce(&mut Self) -> T) -> T {
        let (shown, tol) = (self.shown, self.options.tol);
        (self.shown, self.options.tol) = (false, (0.01 * tol).max(1e-10));
        let result = phase(self);
        (self.shown, self.options.tol) = (shown, tol);
        result
    }

    /// The limits of the caller.
    pub(crate) fn limits(&self) -> Option<Verdict> {
        if self.iterations >= self.options.max_iters {
            return Some(Verdict::new(MinimizeStatus::MaxIterations, "the iteration limit was reached"));
        }
        if self.options.time_limit.is_some_and(|limit| self.start.elapsed() >= limit) {
            return Some(Verdict::new(MinimizeStatus::TimeLimit, "the time limit was reached"));
        }
        None
    }
}

/// max |c_i| of the constraints as given.
pub(crate) fn violation(model: &Model<'_>, c: &[f64]) -> f64 {
    c.iter().zip(&model.c_scale).fold(0.0, |m: f64, (c, d)| m.max((c / d).abs()))
}
