//! The front door: checks, phases in order, and the single exit.

use super::barrier::{Barrier, BarrierEnd, BarrierState, one_norm};
use super::bounds::{Bounds, Duals};
use super::choice::kkt_solver;
use super::filter::Filter;
use super::lagrangian;
use super::model::Model;
use super::multipliers::least_squares;
use super::newton::Newton;
use super::options::{Accuracy, MinimizeOptions};
use super::outcome::{MinimizeError, MinimizeOutcome, MinimizeStatus};
use super::point::Point;
use super::residual::kkt_residual;
use super::restoration::{Restored, is_affine, restore};
use super::run::{MinimizeMonitor, Run, Verdict, violation};
use residua_data::nlp::NonlinearProblem;
use std::sync::atomic::Ordering;

/// Where a phase left the variables: w, λ of the model, and the multipliers of its bounds.
pub(crate) struct Final {
    pub(crate) w: Vec<f64>,
    pub(crate) lambda: Vec<f64>,
    pub(crate) z_lower: Vec<f64>,
    pub(crate) z_upper: Vec<f64>,
}

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
    let mut model = Model::new(problem)?;
    let (x, given) = starting_point(problem, start)?;
    // The monitor's lifetime is shortened to this call.
    let mut forward = |record: &super::outcome::IterationRecord| monitor(record);
    let mut run = Run::new(options, &mut forward);
    let mut last = Final {
        w: model.w_of(&x),
        lambda: vec![0.0; model.m],
        z_lower: vec![0.0; model.n],
        z_upper: vec![0.0; model.n],
    };
    let solver = kkt_solver(&model, options)?;
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

fn phases(
    model: &mut Model<'_>,
    options: &MinimizeOptions,
    newton: &mut Newton,
    run: &mut Run<'_>,
    given: Option<&[f64]>,
    last: &mut Final,
) -> Verdict {
    if options.scaling {
        model.scale(&last.w);
        last.w = model.w_of(&model.x_of(&last.w));
    }
    let model = &*model;
    let mut p = Point::new(model);
    p.w.copy_from_slice(&last.w);
    if !p.evaluate(model) {
        return Verdict::new(MinimizeStatus::NonFinite, "a function has no finite value at the start");
    }
    let mut lambda = match given {
        Some(given) => given.iter().zip(&model.c_scale).map(|(l, d)| l * model.f_scale / d).collect(),
        None => least_squares(&p.g, &p.j),
    };
    if !model.is_bounded() {
        let verdict = lagrangian::iterate(model, options, newton, run, &mut p, &mut lambda);
        last.w.copy_from_slice(&p.w);
        last.lambda.copy_from_slice(&lambda);
        match verdict {
            Some(verdict) => return verdict,
            None if options.accuracy != Accuracy::Lazy => {
                return Verdict::new(MinimizeStatus::Stagnated, "no step improves the merit function");
            }
            None => {}
        }
    }
    barrier_phase(model, options, newton, run, p, lambda, last)
}

/// Returns to the barrier method from a restoration, at most.
const RESTORATIONS: usize = 50;

/// Times that a point where the violation is stationary is disturbed before it is called infeasible.
const DISTURBANCES: usize = 2;

#[allow(clippy::too_many_arguments)]
fn barrier_phase(
    model: &Model<'_>,
    options: &MinimizeOptions,
    newton: &mut Newton,
    run: &mut Run<'_>,
    mut p: Point,
    mut lambda: Vec<f64>,
    last: &mut Final,
) -> Verdict {
    let barrier = Barrier { model, options, bounds: Bounds::new(&model.lower, &model.upper) };
    let bounded = model.is_bounded();
    if bounded {
        barrier.bounds.push_inside(&mut p.w, options.barrier.push);
        if !p.evaluate(model) {
            return Verdict::new(
                MinimizeStatus::NonFinite,
                "a function has no finite value between the bounds at the start",
            );
        }
    }
    let mu = options.barrier.mu;
    let duals = Duals::new(&barrier.bounds, &p.w, if bounded { 1.0 } else { 0.0 });
    let mut state = BarrierState { mu, duals, filter: Filter::default() };
    let mut disturbed = 0;
    let mut best_violation = f64::INFINITY;
    for _ in 0..RESTORATIONS {
        let end = barrier.iterate(newton, run, &mut p, &mut lambda, &mut state, &mut |_| false);
        *last = barrier.final_point(&p, &lambda, &state);
        let reason = match end {
            BarrierEnd::Over(verdict) => return verdict,
            BarrierEnd::Restore(reason) => reason,
        };
        if model.m == 0 || violation(model, &p.c) <= 1e-2 * options.tol {
            return Verdict::new(MinimizeStatus::Stagnated, reason);
        }
        let accepts = |q: &Point| {
            let phi = q.f - if bounded { state.mu * barrier.bounds.log_sum(&q.w) } else { 0.0 };
            state.filter.accepts(one_norm(&q.c), phi)
        };
        let restored = restore(&barrier, run, &mut p, state.mu, &accepts);
        match restored {
            Err(error) => return Verdict::error(error),
            Ok(Restored::Over(verdict)) => {
                *last = barrier.final_point(&p, &lambda, &state);
                return verdict;
            }
            Ok(Restored::Acceptable) => {}
            Ok(Restored::Infeasible | Restored::Stuck) => {
                let v = violation(model, &p.c);
                *last = barrier.final_point(&p, &lambda, &state);
                if v <= options.tol {
                    state.filter = Filter::default();
                } else if disturbed < DISTURBANCES && v < 0.99 * best_violation {
                    disturbed += 1;
                    best_violation = v;
                    disturb(&mut p.w, disturbed);
                    state.filter = Filter::default();
                } else {
                    return infeasible(model, &p, v);
                }
                if bounded {
                    barrier.bounds.push_inside(&mut p.w, 1e-8);
                }
                if !p.evaluate(model) {
                    return Verdict::new(
                        MinimizeStatus::NonFinite,
                        "a function has no finite value near an iterate",
                    );
                }
            }
        }
        lambda = least_squares(&p.g, &p.j);
        if bounded {
            state.duals = Duals::new(&barrier.bounds, &p.w, state.mu);
        }
        *last = barrier.final_point(&p, &lambda, &state);
    }
    Verdict::new(MinimizeStatus::Stagnated, "the restoration phase was needed too often")
}

/// Moves w by about 1e-3, or 1e-1 the second time, so that it leaves a saddle point of the violation.
fn disturb(w: &mut [f64], time: usize) {
    let size = if time == 1 { 1e-3 } else { 1e-1 };
    for (i, w) in w.iter_mut().enumerate() {
        *w += size
            * w.abs().max(1.0)
            * (0.5 + ((i * 7 + 3) % 5) as f64 / 5.0)
            * if i % 3 == 1 { -1.0 } else { 1.0 };
    }
}

fn infeasible(model: &Model<'_>, p: &Point, violation: f64) -> Verdict {
    if is_affine(model, &p.w) {
        let detail = format!("the constraints are linear, and their least violation is {violation:.3e}");
        Verdict::new(MinimizeStatus::Infeasible, detail)
    } else {
        let detail =
            format!("the violation of the constraints cannot be reduced below {violation:.3e} near here");
        Verdict::new(MinimizeStatus::LocallyInfeasible, detail)
    }
}

fn check(options: &MinimizeOptions) -> Result<(), MinimizeError> {
    let invalid = |name, value: String, expected| Err(MinimizeError::Option { name, value, expected });
    let c = &options.lagrangian;
    if !(options.tol > 0.0 && options.tol.is_finite()) {
        return invalid("tol", options.tol.to_string(), "it must be positive and finite");
    }
    if !(c.eta1 > 0.0 && c.eta2 > 0.0 && c.delta > 0.0 && c.nu > 1.0 && c.xi_b > 0.0) {
        return invalid(
            "lagrangian",
            format!("{c:?}"),
            "eta1, eta2, delta and xi_b must be positive, nu above 1",
        );
    }
    if !(c.beta > 0.0 && c.beta < 0.5) {
        return invalid("beta", c.beta.to_string(), "it must lie between 0 and 1/2");
    }
    let b = &options.barrier;
    let shares = [b.kappa_mu, b.tau_min, b.push];
    if !(b.mu > 0.0 && b.mu.is_finite() && b.theta_mu > 1.0 && b.theta_mu < 2.0 && b.kappa_epsilon > 0.0)
        || shares.iter().any(|v| !(*v > 0.0 && *v < 1.0))
    {
        return invalid(
            "barrier",
            format!("{b:?}"),
            "mu and kappa_epsilon must be positive, theta_mu between 1 and 2, kappa_mu, tau_min and push between 0 and 1",
        );
    }
    Ok(())
}

type StartingPoint = (Vec<f64>, Option<Vec<f64>>);

fn starting_point(
    problem: &dyn NonlinearProblem,
    start: Option<(&[f64], Option<&[f64]>)>,
) -> Result<StartingPoint, MinimizeError> {
    let (n, m) = (problem.variables(), problem.constraints());
    let (x, lambda) = match start {
        Some((x, lambda)) => (x.to_vec(), lambda.map(<[f64]>::to_vec)),
        None => {
            let mut x = vec![0.0; n];
            problem.initial_point(&mut x);
            (x, problem.initial_multipliers().map(<[f64]>::to_vec))
        }
    };
    let vectors = [("the start", n, Some(&x)), ("the multipliers of the start", m, lambda.as_ref())];
    for (what, expected, vector) in vectors {
        let Some(vector) = vector else { continue };
        if vector.len() != expected {
            return Err(MinimizeError::Length { what, expected, found: vector.len() });
        }
        if let Some(index) = vector.iter().position(|v| !v.is_finite()) {
            return Err(MinimizeError::NotANumber { what, index });
        }
    }
    Ok((x, lambda))
}

/// Everything about x recomputed from the problem's functions.
fn finish(
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
