//! A x = b for each of several right-hand sides, and what came of them all.

use super::rhs::System;
use super::verify::{Quality, measure};
use super::watch::{Trace, Watch};
use crate::interrupt;
use crate::report::{ColumnRecord, Progress, SolveRecord, Status, finite};
use residua_data::poisson::{Grid, Medium};
use residua_solvers::auto::{AutoScalar, Options, Report, Session};
use residua_solvers::precond::multigrid::{MultigridOptions, PoissonMultigrid};
use residua_solvers::{Limit, Outcome, SolveError, StopReason, StopRule};
use std::time::{Duration, Instant};

/// One right-hand side's end.
struct Column {
    record: ColumnRecord,
    quality: Quality,
    message: Option<String>,
    method: String,
    precond: String,
    why: String,
    warning: Option<String>,
}

/// The ends of all right-hand sides.
pub(crate) struct SolvedColumns<T> {
    columns: Vec<Column>,
    /// Which of them speaks for all: the first that did not converge, else the largest residual.
    worst: usize,
    /// The solutions, each of length n, one after the other.
    pub(crate) x: Vec<T>,
    /// The history of the worst.
    pub(crate) trace: Trace,
    setup: Duration,
    solve: Duration,
    /// Whether Ctrl-C came between two of them.
    is_cut_short: bool,
}

/// One solve's end, its times, and what to call it.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) setup: Duration,
    pub(super) solve: Duration,
    pub(super) method: String,
    pub(super) precond: String,
    pub(super) why: String,
    pub(super) warning: Option<String>,
}

/// Solves `system` from x = 0 for each right-hand side in turn, with one set-up. The time limit is for all together.
///
/// # Errors
/// What the first refused solve says; those before it are given up.
pub(crate) fn solve<T: AutoScalar>(
    system: &System<T>,
    options: &Options,
    stop: &StopRule,
    keeps_history: bool,
    progress: &mut Progress,
) -> Result<SolvedColumns<T>, SolveError> {
    let start = Instant::now();
    let mut session = Session::new(&system.a, options)?;
    solve_each(system, start, stop, keeps_history, progress, |b, x, stop, watch| {
        let Report { outcome, setup, solve, method, precond, why, warning, .. } =
            session.solve(b, x, stop, watch)?;
        let (method, precond) = (method.to_string(), precond.to_string());
        Ok(Ended { outcome, setup, solve, method, precond, why, warning })
    })
}

/// The same by CG with geometric multigrid, matrix-free on the grid of `medium`; the residual reported is that of the
/// stored matrix all the same.
///
/// # Errors
/// What the grid, its set-up or the first refused solve says.
pub(crate) fn solve_on_grid(
    system: &System<f64>,
    grid: Grid,
    medium: &Medium,
    stop: &StopRule,
    progress: &mut Progress,
) -> Result<SolvedColumns<f64>, SolveError> {
    let start = Instant::now();
    let mut solver = PoissonMultigrid::from_medium(grid, medium, MultigridOptions::default())?;
    let mut setup = start.elapsed();
    solve_each(system, start, stop, false, progress, |b, x, stop, watch| {
        let start = Instant::now();
        let outcome = solver.solve(b, x, stop, watch)?;
        Ok(Ended {
            outcome,
            setup: std::mem::take(&mut setup),
            solve: start.elapsed(),
            method: "cg".to_owned(),
            precond: "mg".to_owned(),
            why: String::new(),
            warning: None,
        })
    })
}

/// Solves each right-hand side by `solve(b, x, stop, watch)` and measures its answer; the time limit counts from `start`.
pub(super) fn solve_each<T: AutoScalar>(
    system: &System<T>,
    start: Instant,
    stop: &StopRule,
    keeps_history: bool,
    progress: &mut Progress,
    mut solve: impl FnMut(&[T], &mut [T], &StopRule, &mut Watch<'_>) -> Result<Ended, SolveError>,
) -> Result<SolvedColumns<T>, SolveError> {
    let (n, k) = (system.a.ncols(), system.b.ncols());
    let mut all = SolvedColumns {
        columns: Vec::with_capacity(k),
        worst: 0,
        x: vec![T::zero(); n * k],
        trace: Trace::new(keeps_history),
        setup: Duration::ZERO,
        solve: Duration::ZERO,
        is_cut_short: false,
    };
    for (c, b) in system.b.columns().enumerate() {
        if c > 0 && interrupt::requested() {
            all.is_cut_short = true;
            break;
        }
        let time_limit = stop.time_limit.map(|limit| limit.saturating_sub(start.elapsed()));
        let stop = StopRule { time_limit, ..*stop };
        let mut watch =
            Watch { bar: &mut *progress, trace: Trace::new(keeps_history), max_iters: stop.max_iters };
        let x = &mut all.x[c * n..(c + 1) * n];
        let solving = interrupt::Solving::new();
        let ended = solve(b, x, &stop, &mut watch)?;
        drop(solving);
        let trace = watch.trace;
        all.setup += ended.setup;
        all.solve += ended.solve;
        let quality = measure(&system.a, x, b);
        all.push(Column::new(ended, quality, &stop), trace);
    }
    Ok(all)
}

impl Column {
    fn new(ended: Ended, quality: Quality, stop: &StopRule) -> Self {
        let (status, message) = judge(ended.outcome.reason, &quality, stop);
        Self {
            record: ColumnRecord {
                status,
                iterations: ended.outcome.iterations,
                relative_residual: finite(quality.relative_residual()),
                backward_error: finite(quality.backward_error),
            },
            quality,
            message,
            method: ended.method,
            precond: ended.precond,
            why: ended.why,
            warning: ended.warning,
        }
    }

    /// Whether this end is worse than `other`. A residual that is not a number is worse than any.
    fn is_worse_than(&self, other: &Self) -> bool {
        let failed = |column: &Self| column.record.status != Status::Converged;
        match (failed(self), failed(other)) {
            (true, false) => true,
            (false, true) => false,
            _ => {
                let (mine, theirs) = (self.quality.relative_residual(), other.quality.relative_residual());
                !theirs.is_nan() && (mine.is_nan() || mine > theirs)
            }
        }
    }
}

impl<T> SolvedColumns<T> {
    fn push(&mut self, column: Column, trace: Trace) {
        let is_first = self.columns.is_empty();
        if is_first || column.is_worse_than(&self.columns[self.worst]) {
            self.worst = self.columns.len();
            self.trace = trace;
        }
        self.columns.push(column);
    }

    /// Set-up and solve, over all right-hand sides.
    pub(crate) fn elapsed(&self) -> Duration {
        self.setup + self.solve
    }

    /// Enters the worst column and the sums.
    pub(crate) fn describe(&self, record: &mut SolveRecord) {
        record.rhs_columns = Some(self.columns.len());
        record.setup_seconds = Some(self.setup.as_secs_f64());
        record.solve_seconds = Some(self.solve.as_secs_f64());
        record.iterations = Some(self.columns.iter().map(|column| column.record.iterations).sum());
        record.history = self.trace.history().map(|values| values.iter().map(|&v| finite(v)).collect());
        if let Some(worst) = self.columns.get(self.worst) {
            record.status = worst.record.status;
            record.relative_residual = worst.record.relative_residual;
            record.backward_error =
                finite(self.columns.iter().map(|c| c.quality.backward_error).fold(0.0, nan_max));
            record.message = worst.message.clone();
            record.method = Some(worst.method.clone());
            record.precond = Some(worst.precond.clone());
            record.warning = worst.warning.clone();
            record.why = Some(worst.why.clone()).filter(|why| !why.is_empty());
        }
        if self.is_cut_short {
            let reason = StopReason::Stopped(Limit::MonitorRequest);
            record.status = Status::from(reason);
            record.message = Some(reason.advice().to_owned());
        }
        if self.columns.len() > 1 {
            record.columns = Some(self.columns.iter().map(|column| column.record.clone()).collect());
        }
    }
}

/// The larger of two numbers; NaN if one is.
fn nan_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

/// The backward error of an answer that is as good as the arithmetic: a few units of rounding.
const ROUNDED: f64 = 4.0 * f64::EPSILON;

/// The status to report, and advice: a claim of convergence counts only if the recomputed residual agrees.
fn judge(reason: StopReason, quality: &Quality, stop: &StopRule) -> (Status, Option<String>) {
    let status = Status::from(reason);
    if status == Status::Stagnated && quality.backward_error <= ROUNDED {
        let message = format!(
            "{reason}: no method gets further in double precision: x solves a system that differs from this one by \
rounding only (backward error {:.1e}), and the matrix is ill conditioned or badly scaled: loosen rtol, or scale the system",
            quality.backward_error
        );
        return (status, Some(message));
    }
    if status != Status::Converged {
        return (status, Some(format!("{reason}: {}", reason.advice())));
    }
    if quality.meets(stop.rtol, stop.atol) {
        return (status, None);
    }
    let message = format!(
        "the method reports convergence, but the residual recomputed from the matrix is {:.3e} relative to b: \
loosen rtol, or scale the system",
        quality.relative_residual()
    );
    (Status::Stagnated, Some(message))
}

/// The status of a solve that was refused: a factorization or a preconditioner that fails is a breakdown, all
/// else is an input that the chosen method cannot be used on.
pub(crate) fn status_of(error: &SolveError) -> Status {
    match error {
        SolveError::FactorizationFailed { .. } | SolveError::ApplyFailed { .. } => Status::Breakdown,
        _ => Status::InvalidInput,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use residua_solvers::{Breakdown, Converged};

    fn quality(residual_norm: f64) -> Quality {
        Quality { residual_norm, rhs_norm: 2.0, backward_error: residual_norm }
    }

    #[test]
    fn a_false_claim_of_convergence_is_not_believed() {
        let claim = StopReason::Converged(Converged::RelativeTolerance);
        let stop = StopRule::rtol(1e-8);
        assert_eq!(judge(claim, &quality(2e-8), &stop), (Status::Converged, None));
        let (status, message) = judge(claim, &quality(2.1e-8), &stop);
        assert_eq!(status, Status::Stagnated);
        assert!(message.is_some_and(|m| m.contains("1.050e-8")));
        assert_eq!(judge(claim, &quality(f64::NAN), &stop).0, Status::Stagnated);
        let stagnated = StopReason::Failed(Breakdown::Stagnation);
        let exact = Quality { backward_error: 1e-17, ..quality(1e-5) };
        assert!(judge(stagnated, &exact, &stop).1.is_some_and(|m| m.contains("ill conditioned")));
        assert!(judge(stagnated, &quality(1e-5), &stop).1.is_some_and(|m| m.contains("direct method")));
        let failed = judge(StopReason::Failed(Breakdown::IndefiniteOperator), &quality(0.0), &stop);
        assert_eq!(failed.0, Status::Indefinite);
        assert!(failed.1.is_some_and(|m| m.contains("minres")));
    }
}
