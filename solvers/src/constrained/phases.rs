//! The methods in order: merit function without bounds, then barrier and filter, restoration where that fails.

use super::barrier::{Barrier, BarrierEnd, BarrierState};
use super::bounds::{Bounds, Duals};
use super::curvature::lower_point;
use super::filter::Filter;
use super::lagrangian;
use super::model::Model;
use super::multipliers::least_squares;
use super::newton::Newton;
use super::options::{Accuracy, MinimizeOptions};
use super::outcome::MinimizeStatus;
use super::point::Point;
use super::restoration::{Restored, is_affine, restore};
use super::run::{Run, Verdict, violation};
use super::sparse::one_norm;

/// Where a phase left the variables: w, λ of the model, and the multipliers of its bounds.
pub(crate) struct Final {
    pub(crate) w: Vec<f64>,
    pub(crate) lambda: Vec<f64>,
    pub(crate) z_lower: Vec<f64>,
    pub(crate) z_upper: Vec<f64>,
}

/// Points that are left along a direction of negative curvature, at most.
const ESCAPES: usize = 10;

/// The phases in order, again from every point that turned out to be no minimum.
pub(super) fn phases(
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
    let mut lambda: Option<Vec<f64>> =
        given.map(|g| g.iter().zip(&model.c_scale).map(|(l, d)| l * model.f_scale / d).collect());
    for escape in 0.. {
        let verdict = descend(model, options, newton, run, lambda.take(), last);
        if verdict.status != MinimizeStatus::Converged {
            return verdict;
        }
        let proven = newton.solver.proves_inertia();
        let Some(w) = run.is_doubtful(proven).then(|| lower_point(model, options, newton, last)).flatten()
        else {
            return verdict;
        };
        if escape == ESCAPES {
            newton.warnings.push(
                "the KKT conditions hold, but the objective is lower along a direction of zero or negative curvature"
                    .to_owned(),
            );
            return verdict;
        }
        last.w = w;
    }
    Verdict::new(MinimizeStatus::Stagnated, "")
}

/// One descent from `last.w`.
fn descend(
    model: &Model<'_>,
    options: &MinimizeOptions,
    newton: &mut Newton,
    run: &mut Run<'_>,
    given: Option<Vec<f64>>,
    last: &mut Final,
) -> Verdict {
    let mut p = Point::new(model);
    p.w.copy_from_slice(&last.w);
    if !p.evaluate(model) {
        return Verdict::new(MinimizeStatus::NonFinite, "a function has no finite value at the start");
    }
    let mut lambda = given.unwrap_or_else(|| least_squares(&p.g, &p.j));
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
            Ok(Restored::Stuck { is_proved }) => {
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
                    return infeasible(model, &p, v, is_proved);
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

/// The end of a restoration that found no feasible point. Affine constraints are called infeasible only with a proof, since
/// no other start could help there.
fn infeasible(model: &Model<'_>, p: &Point, violation: f64, is_proved: bool) -> Verdict {
    match (is_affine(model, &p.w), is_proved) {
        (true, true) => {
            let detail = format!("the constraints are linear, and their least violation is {violation:.3e}");
            Verdict::new(MinimizeStatus::Infeasible, detail)
        }
        (true, false) => {
            let detail = format!(
                "the search for a feasible point ended at a violation of {violation:.3e}, without a proof that there is none"
            );
            Verdict::new(MinimizeStatus::Stagnated, detail)
        }
        (false, _) => {
            let detail =
                format!("the violation of the constraints cannot be reduced below {violation:.3e} near here");
            Verdict::new(MinimizeStatus::LocallyInfeasible, detail)
        }
    }
}
