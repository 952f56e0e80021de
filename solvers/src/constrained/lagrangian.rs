//! Newton's method with the exact augmented Lagrangian as merit function, for problems without bounds.
//!
//! ```text
//! L_η(x, λ) = L + (η₁/2) ‖c‖² + (η₂/2) ‖∇ₓL‖²
//! ∇ₓL_η = ∇ₓL + η₂ H ∇ₓL + η₁ Jᵀc,   ∇_λL_η = c + η₂ J ∇ₓL
//! ```
//!
//! with H the Hessian of the Lagrangian (Hong, Na, Mahoney and Kolar 2023, section 3; Pillo and Grippo 1979). A step z of the
//! Newton system must descend, (∇L_η)ᵀz ≤ −(η₂/2) ‖∇L‖²; where it does not the system is solved more accurately, η₁ is
//! raised (by ν², or by ν: see [`LagrangianConstants::eta1_growth`](super::LagrangianConstants::eta1_growth)) and η₂ lowered to η₂/ν. The step length is halved until the Armijo test with β holds against
//! the largest of the last few merit values. A first trial that fails is corrected once by a second solve with the same matrix
//! and the gradient at the trial point, which removes the second-order error of the constraints (Maratos effect).

use super::accuracy::Condition;
use super::kkt::Reached;
use super::model::Model;
use super::newton::{At, Newton, NewtonFailure};
use super::options::{Accuracy, MinimizeOptions};
use super::outcome::{IterationRecord, MinimizeStatus};
use super::point::Point;
use super::run::{Run, Verdict};
use super::sparse::{all_finite, dot, norm2};
use std::collections::VecDeque;

/// A merit change below this many roundings of the merit cannot be told from none.
const ROUNDING: f64 = 10.0 * f64::EPSILON;

/// A merit value in its parts, so that it can be told for other penalties.
#[derive(Debug, Clone, Copy)]
struct Merit {
    lagrangian: f64,
    c_sq: f64,
    g_sq: f64,
}

impl Merit {
    fn at(&self, eta1: f64, eta2: f64) -> f64 {
        self.lagrangian + 0.5 * eta1 * self.c_sq + 0.5 * eta2 * self.g_sq
    }
}

fn merit(p: &Point, lambda: &[f64], gradient: &mut [f64]) -> Merit {
    p.lagrangian_gradient(lambda, gradient);
    Merit { lagrangian: p.f + dot(lambda, &p.c), c_sq: dot(&p.c, &p.c), g_sq: dot(gradient, gradient) }
}

/// Iterates from `p` (evaluated) and λ; returns the verdict, or `None` if the search can do no more and another method
/// should go on from the point it leaves.
pub(crate) fn iterate(
    model: &Model<'_>,
    options: &MinimizeOptions,
    newton: &mut Newton,
    run: &mut Run<'_>,
    p: &mut Point,
    lambda: &mut Vec<f64>,
) -> Option<Verdict> {
    let (n, m) = (model.n, model.m);
    let constants = &options.lagrangian;
    let (mut eta1, mut eta2) = (constants.eta1, constants.eta2);
    let mut condition = Condition::new(options);
    let zero = vec![0.0; n];
    let (mut gradient, mut curved) = (vec![0.0; n], vec![0.0; n]);
    let (mut slope_x, mut slope_l) = (vec![0.0; n], vec![0.0; m]);
    let (mut b, mut z) = (vec![0.0; n + m], vec![0.0; n + m]);
    let (mut trial, mut trial_lambda, mut trial_gradient) = (p.clone(), lambda.clone(), vec![0.0; n]);
    let mut memory: VecDeque<Merit> = VecDeque::with_capacity(options.memory.max(1));
    let mut record = IterationRecord { eta1, eta2, ..run.start_record() };
    loop {
        let now = merit(p, lambda, &mut gradient);
        if let Some(verdict) = run.observe(model, p, lambda, &gradient, &mut record) {
            return Some(verdict);
        }
        if memory.len() >= options.memory.max(1) {
            memory.pop_front();
        }
        memory.push_back(now);
        let at = At { w: &p.w, lambda, sigma: 1.0, diagonal: &zero, j: &p.j };
        if !newton.evaluate_hessian(model, &at) {
            return Some(Verdict::new(
                MinimizeStatus::NonFinite,
                "the Hessian has no finite value at an iterate",
            ));
        }
        b[..n].iter_mut().zip(&gradient).for_each(|(b, g)| *b = -g);
        b[n..].iter_mut().zip(&p.c).for_each(|(b, c)| *b = -c);
        let b_norm = norm2(&b);
        let target = condition.first_target(b_norm, run.iterations, options);
        let mut info = match newton.step(model, &at, &b, &mut z, target) {
            Ok(info) => info,
            Err(NewtonFailure::Call(error)) => return Some(Verdict::error(error)),
            Err(_) => return None,
        };
        let system = newton.system(model, &at);
        system.apply_lagrangian_hessian(&gradient, &mut curved);
        p.j.multiply(&gradient, &mut slope_l);
        let jg = slope_l.clone();
        let mut jtc = vec![0.0; n];
        p.j.add_transposed(1.0, &p.c, &mut jtc);
        if options.accuracy != Accuracy::Lazy {
            condition.bind(&system, eta1, eta2, run.iterations);
        }
        if options.accuracy != Accuracy::Lazy {
            info.reached =
                more(newton.solve_on(model, &at, &b, &mut z, condition.target(b_norm)), info.reached);
            info.requested = condition.target(b_norm);
        }
        // Penalties and accuracy until z descends.
        let slope = loop {
            (0..n).for_each(|i| slope_x[i] = gradient[i] + eta2 * curved[i] + eta1 * jtc[i]);
            (0..m).for_each(|i| slope_l[i] = p.c[i] + eta2 * jg[i]);
            let slope = dot(&slope_x, &z[..n]) + dot(&slope_l, &z[n..]);
            if slope <= -0.5 * eta2 * b_norm * b_norm {
                break slope;
            }
            if eta1 > constants.eta1_max || eta2 < constants.eta2_min {
                break slope;
            }
            if !newton.solver.is_exact() && !info.reached.exhausted && info.requested > condition.floor() {
                let target = condition.tighten(constants, eta1, eta2, info.requested, b_norm);
                info.reached = more(newton.solve_on(model, &at, &b, &mut z, target), info.reached);
                info.requested = target;
                if options.accuracy == Accuracy::Lazy && info.requested > 1e-3 {
                    continue;
                }
            }
            (eta1, eta2) = (eta1 * constants.eta1_growth, eta2 / constants.nu);
        };
        if !(slope < 0.0) || !all_finite(&z) {
            return None;
        }
        let reference = memory.iter().map(|v| v.at(eta1, eta2)).fold(f64::NEG_INFINITY, f64::max);
        let before = now.at(eta1, eta2);
        let slack = ROUNDING * before.abs();
        let (mut alpha, mut phase) = (1.0, "newton");
        let accepted = loop {
            (0..n).for_each(|i| trial.w[i] = p.w[i] + alpha * z[i]);
            (0..m).for_each(|i| trial_lambda[i] = lambda[i] + alpha * z[n + i]);
            let mut defined = trial.evaluate(model);
            let mut after = merit(&trial, &trial_lambda, &mut trial_gradient);
            let passes =
                |after: &Merit| after.at(eta1, eta2) <= reference + alpha * constants.beta * slope + slack;
            if defined
                && !passes(&after)
                && alpha == 1.0
                && options.second_order_correction
                && newton.solver.is_exact()
            {
                let correction = correct(model, newton, &at, &trial, &trial_gradient, &mut b);
                (0..n).for_each(|i| trial.w[i] += correction[i]);
                (0..m).for_each(|i| trial_lambda[i] += correction[n + i]);
                defined = trial.evaluate(model);
                after = merit(&trial, &trial_lambda, &mut trial_gradient);
                phase = "correction";
            }
            if defined && passes(&after) {
                break Some(after);
            }
            phase = "newton";
            alpha *= 0.5;
            if alpha < constants.alpha_min {
                break None;
            }
        };
        let after = accepted?;
        std::mem::swap(p, &mut trial);
        std::mem::swap(lambda, &mut trial_lambda);
        record = IterationRecord {
            step: alpha,
            merit: (before, after.at(eta1, eta2)),
            eta1,
            eta2,
            hessian_shift: info.delta_w,
            constraint_shift: info.delta_c,
            requested_residual: if newton.solver.is_exact() { 0.0 } else { info.requested },
            reached_residual: info.reached.relative_residual,
            inner_iterations: info.reached.iterations,
            flops: info.reached.flops,
            phase,
            ..IterationRecord::default()
        };
        if info.delta_c > 0.0 && info.delta_w == 0.0 {
            newton.note_dependent_rows("a Newton system was singular");
        }
    }
}

/// The step from the trial point by the same matrix.
fn correct(
    model: &Model<'_>,
    newton: &mut Newton,
    at: &At<'_>,
    trial: &Point,
    trial_gradient: &[f64],
    b: &mut [f64],
) -> Vec<f64> {
    let n = model.n;
    b[..n].iter_mut().zip(trial_gradient).for_each(|(b, g)| *b = -g);
    b[n..].iter_mut().zip(&trial.c).for_each(|(b, c)| *b = -c);
    let mut z = vec![0.0; b.len()];
    newton.solve_on(model, at, b, &mut z, 0.0);
    if !all_finite(&z) {
        z.fill(0.0);
    }
    z
}

fn more(new: Reached, old: Reached) -> Reached {
    Reached { iterations: new.iterations + old.iterations, flops: new.flops + old.flops, ..new }
}
