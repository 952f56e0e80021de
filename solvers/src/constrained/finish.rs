//! The single exit: everything that is reported about x is recomputed from the problem's functions.

use super::model::Model;
use super::newton::Newton;
use super::options::MinimizeOptions;
use super::outcome::{MinimizeError, MinimizeOutcome, MinimizeStatus};
use super::phases::Final;
use super::residual::kkt_residual;
use super::run::{Run, Verdict};
use std::sync::atomic::Ordering;

/// Everything about x recomputed from the problem's functions.
pub(super) fn finish(
    model: &Model<'_>,
    options: &MinimizeOptions,
    mut newton: Newton,
    run: &Run<'_>,
    verdict: Verdict,
    last: Final,
) -> Result<MinimizeOutcome, MinimizeError> {
    let problem = model.problem;
    let x = model.x_of(&last.w);
    let multipliers: Vec<f64> =
        last.lambda.iter().zip(&model.c_scale).map(|(l, d)| l * d / model.f_scale).collect();
    let (mut lower_multipliers, mut upper_multipliers) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    for (k, &i) in model.free.iter().enumerate() {
        lower_multipliers[i] = last.z_lower[k] / model.f_scale;
        upper_multipliers[i] = last.z_upper[k] / model.f_scale;
    }
    fixed_multipliers(model, &x, &multipliers, &mut lower_multipliers, &mut upper_multipliers);
    let residual = kkt_residual(problem, &x, &multipliers, &lower_multipliers, &upper_multipliers)?;
    let kkt = residual.max();
    let mut status = verdict.status;
    let mut detail = verdict.detail;
    if kkt <= options.tol && !matches!(status, MinimizeStatus::Infeasible) {
        (status, detail) = (MinimizeStatus::Converged, String::new());
    } else if status == MinimizeStatus::Converged {
        status = MinimizeStatus::Stagnated;
        detail = format!("the residual recomputed from the problem's functions is {kkt:.3e}");
    }
    let message =
        if detail.is_empty() { status.advice().to_owned() } else { format!("{detail}: {}", status.advice()) };
    let mut warnings = std::mem::take(&mut newton.warnings);
    warnings.extend(newton.solver.take_warnings());
    Ok(MinimizeOutcome {
        status,
        x,
        multipliers,
        lower_multipliers,
        upper_multipliers,
        objective: residual.objective,
        kkt_residual: kkt,
        constraint_violation: residual.violation,
        iterations: run.iterations,
        objective_evaluations: model.objective_evaluations.load(Ordering::Relaxed),
        inner_iterations: newton.inner_iterations,
        inner_flops: newton.flops,
        elapsed: run.start.elapsed(),
        kkt_solver: newton.solver.describe(),
        message,
        warnings,
    })
}

/// The multipliers of fixed variables, which take what is left of their part of the gradient.
fn fixed_multipliers(model: &Model<'_>, x: &[f64], lambda: &[f64], lower: &mut [f64], upper: &mut [f64]) {
    let problem = model.problem;
    let (x_l, x_u) = problem.variable_bounds();
    if x_l.len() != x.len() || x_u.len() != x.len() || !(0..x.len()).any(|i| x_l[i] == x_u[i]) {
        return;
    }
    let pattern = problem.jacobian_pattern();
    let (mut g, mut j) = (vec![0.0; x.len()], vec![0.0; pattern.nnz()]);
    if problem.gradient(x, &mut g).is_err() || (model.m > 0 && problem.jacobian_values(x, &mut j).is_err()) {
        return;
    }
    for i in 0..model.m {
        for k in pattern.row_starts[i]..pattern.row_starts[i + 1] {
            g[pattern.columns[k] as usize] += lambda[i] * j[k];
        }
    }
    for i in (0..x.len()).filter(|&i| x_l[i] == x_u[i] && g[i].is_finite()) {
        (lower[i], upper[i]) = (g[i].max(0.0), (-g[i]).max(0.0));
    }
}
