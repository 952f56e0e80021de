//! Second-order conditions at a KKT point, and how to leave one that is no minimum.
//!
//! ```text
//! [ H + Σ + δ  Jᵀ ] [ v ⁺ ]   [ v ]
//! [ J          0  ] [ y   ] = [ 0 ]       v⁺ = Z (Zᵀ(H + Σ)Z + δ)⁻¹ Zᵀ v
//! ```
//!
//! is a step of inverse iteration on the null space of J; with δ just large enough for the right inertia it converges to the
//! direction of least curvature. If the curvature along it is negative or next to nothing, points w ± t v, moved back onto
//! the constraints by the same factors, are compared with w: the lowest of them that is lower by more than the first-order terms
//! can explain is where the method goes on (Moré and Sorensen 1979, Math. Program. 16, combine both kinds of directions in
//! every step).

use super::bounds::Bounds;
use super::kkt::Direct;
use super::model::Model;
use super::newton::{At, Newton};
use super::options::{HessianShift, MinimizeOptions};
use super::phases::Final;
use super::point::Point;
use super::sparse::{Rows, all_finite, dot, norm_inf, norm2, scattered};

/// Curvatures above this (of a model with gradients up to 100) are no reason for doubt.
const SMALL: f64 = 1e-2;

/// Steps of inverse iteration, and the change of the curvature that ends them.
const STEPS: usize = 20;
const SETTLED: f64 = 1e-3;

/// Lengths of the trials, times the size of w.
const LENGTHS: [f64; 8] = [1.0, 0.5, 0.25, 0.1, 0.03, 0.01, 1e-3, 1e-4];

/// Moves back onto the constraints, at most.
const CORRECTIONS: usize = 8;

/// The share of the way to a bound that a trial may go.
const TAU: f64 = 0.99;

/// Operations that the test may take though the run took fewer.
const FREE: f64 = 1e8;

/// A feasible point with a lower objective than the KKT point `last`; `None` where the curvature on the null space is
/// positive, where no such point is found, or where a factorization would cost more than the run has.
pub(crate) fn lower_point(
    model: &Model<'_>,
    options: &MinimizeOptions,
    newton: &Newton,
    last: &Final,
) -> Option<Vec<f64>> {
    let (n, m) = (model.n, model.m);
    let h = newton.h.as_ref().filter(|_| n > m)?;
    let mut p = Point::new(model);
    p.w.copy_from_slice(&last.w);
    p.evaluate(model).then_some(())?;
    let (flops, sparse) = Direct::analyse(h, &p.j);
    if flops > newton.flops.max(FREE) {
        return None;
    }
    let direct = Direct::with_analysis("curvature", sparse);
    let bounds = Bounds::new(&model.lower, &model.upper);
    let diagonal: Vec<f64> = (0..n)
        .map(|i| {
            let part = |z: f64, s: f64| if s.is_finite() { z / s.max(f64::MIN_POSITIVE) } else { 0.0 };
            part(last.z_lower[i], p.w[i] - bounds.lower[i]) + part(last.z_upper[i], bounds.upper[i] - p.w[i])
        })
        .collect();
    let mut core = Newton::new(model, Box::new(direct), HessianShift::Gentle, options.lagrangian.xi_b);
    let at = At { w: &p.w, lambda: &last.lambda, sigma: 1.0, diagonal: &diagonal, j: &p.j };
    core.evaluate_hessian(model, &at).then_some(())?;
    let (v, curvature) = least(model, &mut core, &at)?;
    (curvature <= SMALL).then_some(())?;
    trials(model, options, &mut core, &at, &p, &bounds, &v)
}

/// The direction of least curvature, of length 1, and its curvature.
fn least(model: &Model<'_>, core: &mut Newton, at: &At<'_>) -> Option<(Vec<f64>, f64)> {
    let n = model.n;
    let (mut b, mut z) = (vec![0.0; n + model.m], vec![0.0; n + model.m]);
    (0..n).for_each(|i| b[i] = scattered(i));
    let info = core.step(model, at, &b, &mut z, 1e-9).ok()?;
    let mut curved = vec![0.0; n];
    let mut before = f64::INFINITY;
    for _ in 0..STEPS {
        let length = norm2(&z[..n]);
        if !(length > 0.0 && length.is_finite()) {
            return None;
        }
        (0..n).for_each(|i| b[i] = z[i] / length);
        core.system(model, at).apply_hessian(&b[..n], &mut curved);
        let curvature = dot(&b[..n], &curved) - info.delta_w;
        if (curvature - before).abs() <= SETTLED * curvature.abs() {
            before = curvature;
            break;
        }
        before = curvature;
        core.solve_on(model, at, &b, &mut z, 1e-9);
    }
    b.truncate(n);
    (all_finite(&b) && before.is_finite()).then_some((b, before))
}

fn trials(
    model: &Model<'_>,
    options: &MinimizeOptions,
    core: &mut Newton,
    at: &At<'_>,
    p: &Point,
    bounds: &Bounds,
    v: &[f64],
) -> Option<Vec<f64>> {
    let (n, m) = (model.n, model.m);
    let mut gradient = vec![0.0; n];
    p.lagrangian_gradient(at.lambda, &mut gradient);
    let allowed = norm_inf(&p.c).max(options.tol * at_least_scale(model));
    let multipliers: f64 = at.lambda.iter().map(|l| l.abs()).sum();
    let size = norm_inf(&p.w).max(1.0) / norm_inf(v).max(f64::MIN_POSITIVE);
    let mut trial = Point { j: Rows::default(), ..p.clone() };
    let (mut b, mut z) = (vec![0.0; n + m], vec![0.0; n + m]);
    let mut best: Option<(f64, Vec<f64>)> = None;
    for t in LENGTHS {
        for sign in [1.0, -1.0] {
            let d: Vec<f64> = v.iter().map(|v| sign * t * size * v).collect();
            let alpha = bounds.largest_step(&p.w, &d, TAU);
            (0..n).for_each(|i| trial.w[i] = p.w[i] + alpha * d[i]);
            let mut defined = trial.evaluate_values(model);
            for _ in 0..CORRECTIONS {
                if !defined || norm_inf(&trial.c) <= allowed {
                    break;
                }
                b[..n].fill(0.0);
                b[n..].iter_mut().zip(&trial.c).for_each(|(b, c)| *b = -c);
                core.solve_on(model, at, &b, &mut z, 1e-9);
                let alpha = bounds.largest_step(&trial.w, &z[..n], TAU);
                (0..n).for_each(|i| trial.w[i] += alpha * z[i]);
                defined = all_finite(&trial.w) && trial.evaluate_values(model);
            }
            if !defined || !(norm_inf(&trial.c) <= allowed) {
                continue;
            }
            let first_order: f64 = (0..n).map(|i| (gradient[i] * (trial.w[i] - p.w[i])).abs()).sum();
            let explained = 2.0 * (first_order + multipliers * allowed) + 1e-9 * p.f.abs().max(1.0);
            let lowest = best.as_ref().map_or(p.f - explained, |b| b.0);
            if trial.f < lowest {
                best = Some((trial.f, trial.w.clone()));
            }
        }
    }
    best.map(|(_, w)| w)
}

/// The least factor of a constraint: a scaled violation up to the tolerance times it is within the tolerance.
fn at_least_scale(model: &Model<'_>) -> f64 {
    model.c_scale.iter().fold(1.0, |m: f64, d| m.min(*d))
}
