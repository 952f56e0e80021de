//! The front door.

use super::choice::kkt_solver;
use super::finish::finish;
use super::model::Model;
use super::newton::Newton;
use super::options::MinimizeOptions;
use super::outcome::{IterationRecord, MinimizeError, MinimizeOutcome, MinimizeStatus};
use super::phases::{Final, phases};
use super::run::{MinimizeMonitor, Run, Verdict};
use super::start::{check, starting_point};
use residua_data::nlp::NonlinearProblem;

/// Minimises f(x) subject to the problem's constraints and bounds, from `start` = (x, λ) or the problem's own start.
///
/// `monitor` sees every iteration and may stop the run. A problem that has no solution, or that cannot be solved, is an
/// outcome; its status is `Converged` only if the KKT residual, recomputed from the problem's functions, meets
/// `options.tol`.
///
/// # Errors
/// [`MinimizeError`] if the call is wrong: lengths, patterns, NaN in the start or the bounds, options.
pub fn minimize(
    problem: &dyn NonlinearProblem,
    options: &MinimizeOptions,
    start: Option<(&[f64], Option<&[f64]>)>,
    monitor: &mut MinimizeMonitor<'_>,
) -> Result<MinimizeOutcome, MinimizeError> {
    check(options)?;
    let mut model = Model::with(problem, options.matrix_free)?;
    let (x, given) = starting_point(problem, start)?;
    // The monitor's lifetime is shortened to this call.
    let mut forward = |record: &IterationRecord| monitor(record);
    let mut run = Run::new(options, &mut forward);
    let mut last = Final {
        w: model.w_of(&x),
        lambda: vec![0.0; model.m],
        z_lower: vec![0.0; model.n],
        z_upper: vec![0.0; model.n],
    };
    let solver = kkt_solver(&model, &last.w, options)?;
    let mut newton = Newton::new(&model, solver, options.hessian_shift, options.lagrangian.xi_b);
    let verdict = match model.crossing_bounds() {
        Some(detail) => Verdict::new(MinimizeStatus::Infeasible, detail),
        None => phases(&mut model, options, &mut newton, &mut run, given.as_deref(), &mut last),
    };
    if let Some(error) = verdict.error {
        return Err(error);
    }
    finish(&model, options, newton, &run, verdict, last)
}
