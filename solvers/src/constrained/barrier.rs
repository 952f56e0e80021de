//! A primal-dual barrier method with a filter line search, for problems with bounds, and for the ones where the merit
//! function gets stuck.
//!
//! ```text
//! min φ_μ(w) = φ(w) − μ Σ log(w − l) − μ Σ log(u − w)   subject to  g(w) = 0
//! [ H + Σ + δ_w  Jᵀ  ] [ dw ]     [ ∇φ_μ + Jᵀλ ]
//! [ J           −δ_c ] [ dλ ] = − [ g          ],        Σ = z_L/(w − l) + z_U/(u − w)
//! ```
//!
//! A trial point is kept if it improves θ = ‖g‖₁ or φ_μ against the current point and against every pair (θ, φ_μ) in
//! the filter; where φ_μ descends enough and θ is small it must pass the Armijo test instead. The first trial may be
//! corrected for the curvature of g. Where the step becomes too short the restoration phase takes over.
//! Wächter and Biegler (2006), *Math. Program.* 106, Algorithms A and, for restoration, section 3.3.

use super::bounds::{Bounds, Duals};
use super::correction::Search;
use super::filter::{Filter, ROUNDING, least_step};
use super::model::Model;
use super::newton::{At, Newton, NewtonFailure, StepInfo};
use super::options::MinimizeOptions;
use super::outcome::{IterationRecord, MinimizeStatus};
use super::phases::Final;
use super::point::Point;
use super::residual::scale;
use super::run::{Run, Verdict, violation};
use super::sparse::{dot, norm_inf, one_norm};

/// How the barrier method ended.
pub(crate) enum BarrierEnd {
    Over(Verdict),
    /// The steps became too short, or no Newton step exists: the violation must be reduced first.
    Restore(&'static str),
}

/// What is kept from one call to the next: filter, μ and duals.
pub(crate) struct BarrierState {
    pub(crate) mu: f64,
    pub(crate) duals: Duals,
    pub(crate) filter: Filter,
}

/// The multipliers, bounds and tolerances of one call.
pub(crate) struct Barrier<'a> {
    pub(crate) model: &'a Model<'a>,
    pub(crate) options: &'a MinimizeOptions,
    pub(crate) bounds: Bounds,
}

/// Parts of the optimality error at barrier parameter μ, scaled model.
fn error(p: &Point, lambda: &[f64], duals: &Duals, bounds: &Bounds, mu: f64, gradient: &mut [f64]) -> f64 {
    p.lagrangian_gradient(lambda, gradient);
    duals.add_to(gradient);
    let sum = lambda.iter().map(|v| v.abs()).sum::<f64>() + duals.sum();
    let s = scale(0.0, sum, lambda.len() + bounds.count());
    norm_inf(&[norm_inf(gradient) / s, norm_inf(&p.c), bounds.complementarity(&p.w, duals, mu) / s])
}

impl Barrier<'_> {
    pub(super) fn phi(&self, p: &Point, mu: f64) -> f64 {
        p.f - mu * self.bounds.log_sum(&p.w)
    }

    /// The residual of the problem as given; `gradient` is ∇ₓL with the duals.
    fn unscaled(&self, p: &Point, lambda: &[f64], duals: &Duals, gradient: &[f64]) -> (f64, f64) {
        let (model, fs) = (self.model, self.model.f_scale);
        let nfree = model.free.len();
        let sum: f64 = lambda.iter().zip(&model.c_scale).map(|(l, d)| (l * d / fs).abs()).sum();
        let s = scale(
            norm_inf(&p.g) / fs,
            sum + duals.sum_first(nfree) / fs,
            model.m + self.bounds.count_first(nfree),
        );
        // Slack stationarity is −λ − z_L + z_U = 0 in the units of its constraint.
        let mut stationarity = norm_inf(&gradient[..nfree]) / fs;
        for (k, &i) in model.slack_rows.iter().enumerate() {
            stationarity = stationarity.max(gradient[nfree + k].abs() * model.c_scale[i] / fs);
        }
        let v = violation(model, &p.c);
        let complementarity = self.bounds.complementarity(&p.w, duals, 0.0) / fs;
        (norm_inf(&[stationarity / s, v, complementarity / s]), v)
    }

    /// Iterates from `p` (evaluated, strictly between its bounds).
    pub(crate) fn iterate(
        &self,
        newton: &mut Newton,
        run: &mut Run<'_>,
        p: &mut Point,
        lambda: &mut Vec<f64>,
        state: &mut BarrierState,
        watch: &mut dyn FnMut(&Point) -> bool,
    ) -> BarrierEnd {
        let (model, constants) = (self.model, &self.options.barrier);
        let (n, m) = (model.n, model.m);
        let tol = self.options.tol;
        let bounded = self.bounds.count() > 0;
        let (mut gradient, mut diagonal) = (vec![0.0; n], vec![0.0; n]);
        let (mut b, mut z) = (vec![0.0; n + m], vec![0.0; n + m]);
        let mut trial = p.clone();
        let mut record = IterationRecord { mu: state.mu, ..run.start_record() };
        let mut small_steps = 0;
        loop {
            error(p, lambda, &state.duals, &self.bounds, 0.0, &mut gradient);
            let (kkt, v) = self.unscaled(p, lambda, &state.duals, &gradient);
            (record.objective, record.kkt_residual, record.constraint_violation) =
                (p.f / model.f_scale, kkt, v);
            if let Some(verdict) = run.finish_iteration(p, &mut record) {
                return BarrierEnd::Over(verdict);
            }
            if watch(p) {
                return BarrierEnd::Over(Verdict::new(MinimizeStatus::Interrupted, "restored"));
            }
            while bounded
                && state.mu > tol / 100.0
                && error(p, lambda, &state.duals, &self.bounds, state.mu, &mut gradient)
                    <= constants.kappa_epsilon * state.mu
            {
                state.mu =
                    (constants.kappa_mu * state.mu).min(state.mu.powf(constants.theta_mu)).max(tol / 100.0);
                state.filter.clear();
            }
            let mu = if bounded { state.mu } else { 0.0 };
            let tau = constants.tau_min.max(1.0 - mu);
            // The Newton system.
            state.duals.sigma(&self.bounds, &p.w, &mut diagonal);
            let at = At { w: &p.w, lambda, sigma: 1.0, diagonal: &diagonal, j: &p.j };
            if !newton.evaluate_hessian(model, &at) {
                return BarrierEnd::Restore("the Hessian has no finite value");
            }
            p.lagrangian_gradient(lambda, &mut gradient);
            self.bounds.add_barrier_gradient(&p.w, mu, &mut gradient);
            (0..n).for_each(|i| b[i] = -gradient[i]);
            (0..m).for_each(|i| b[n + i] = -p.c[i]);
            let info = match newton.step(model, &at, &b, &mut z, 1e-9) {
                Ok(info) => info,
                Err(NewtonFailure::Call(error)) => return BarrierEnd::Over(Verdict::error(error)),
                Err(_) => return BarrierEnd::Restore("a Newton system could not be solved"),
            };
            if info.delta_c > 0.0 && info.delta_w == 0.0 {
                newton.note_dependent_rows("a Newton system was singular");
            }
            let theta = one_norm(&p.c);
            let phi = self.phi(p, mu);
            let mut barrier_gradient = p.g.clone();
            self.bounds.add_barrier_gradient(&p.w, mu, &mut barrier_gradient);
            let slope = dot(&barrier_gradient, &z[..n]);
            let theta_min = state.filter.theta_min(theta);
            let alpha_min = least_step(constants.gamma_theta, constants.gamma_phi, theta, slope, theta_min);
            let alpha_max = self.bounds.largest_step(&p.w, &z[..n], tau);
            let search = Search {
                filter: &state.filter,
                mu,
                tau,
                alpha: alpha_max,
                now: (theta, phi),
                slope,
                theta_min,
            };
            let mut alpha = alpha_max;
            let mut phase = "newton";
            let mut accepted = false;
            let mut augment = true;
            let tiny = (0..n).all(|i| z[i].abs() <= ROUNDING * (1.0 + p.w[i].abs()));
            while alpha >= alpha_min || alpha == alpha_max {
                (0..n).for_each(|i| trial.w[i] = p.w[i] + alpha * z[i]);
                let defined = trial.evaluate_values(model) && self.phi(&trial, mu).is_finite();
                let mut verdict = None;
                if defined {
                    let pair = (one_norm(&trial.c), self.phi(&trial, mu));
                    verdict = search.accepts(constants, pair, alpha);
                    if verdict.is_none()
                        && alpha == alpha_max
                        && pair.0 >= theta
                        && m > 0
                        && self.options.second_order_correction
                        && let Some((length, armijo)) = self.correct(newton, &at, p, &mut trial, &b, &search)
                    {
                        verdict = Some(armijo);
                        alpha = length.min(alpha_max);
                        phase = "correction";
                    }
                    if tiny && verdict.is_none() {
                        verdict = Some(true);
                    }
                }
                if let Some(armijo) = verdict {
                    (accepted, augment) = (true, !armijo);
                    break;
                }
                phase = "newton";
                alpha *= 0.5;
            }
            if tiny {
                small_steps += 1;
                if small_steps > 3 {
                    let bad = v > tol;
                    return if bad {
                        BarrierEnd::Restore("the Newton step vanished")
                    } else {
                        BarrierEnd::Over(Verdict::new(MinimizeStatus::Stagnated, "the Newton step vanished"))
                    };
                }
                if bounded && state.mu > tol / 100.0 {
                    state.mu = (0.2 * state.mu).max(tol / 100.0);
                    state.filter.clear();
                }
            } else {
                small_steps = 0;
            }
            if !accepted || !trial.evaluate_derivatives(model) {
                state.filter.add(theta, phi, constants.gamma_theta, constants.gamma_phi);
                return BarrierEnd::Restore("no step is acceptable to the filter");
            }
            if augment {
                state.filter.add(theta, phi, constants.gamma_theta, constants.gamma_phi);
            }
            state.duals.step(&self.bounds, &p.w, &z[..n], mu, tau);
            std::mem::swap(p, &mut trial);
            (0..m).for_each(|i| lambda[i] += alpha * z[n + i]);
            state.duals.reset(&self.bounds, &p.w, mu);
            record = self.record(&info, alpha, (phi, self.phi(p, mu)), mu, phase);
        }
    }

    fn record(
        &self,
        info: &StepInfo,
        alpha: f64,
        merit: (f64, f64),
        mu: f64,
        phase: &'static str,
    ) -> IterationRecord {
        IterationRecord {
            step: alpha,
            merit,
            mu,
            hessian_shift: info.delta_w,
            constraint_shift: info.delta_c,
            requested_residual: info.requested,
            reached_residual: info.reached.relative_residual,
            inner_iterations: info.reached.iterations,
            flops: info.reached.flops,
            phase,
            ..IterationRecord::default()
        }
    }

    /// What is reported at the end.
    pub(crate) fn final_point(&self, p: &Point, lambda: &[f64], state: &BarrierState) -> Final {
        let (z_lower, z_upper) = state.duals.parts();
        Final { w: p.w.clone(), lambda: lambda.to_vec(), z_lower, z_upper }
    }
}
