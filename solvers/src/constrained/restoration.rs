//! Reducing the violation of the constraints when no step serves both it and the objective.
//!
//! ```text
//! min ρ Σ (p_i + q_i) + (ζ/2) ‖D (w − w_R)‖²   subject to  g(w) − p + q = 0,  l ≤ w ≤ u,  p, q ≥ 0
//! ```
//!
//! with ρ = 1000, ζ = √μ and D = diag(min(1, 1/|w_R|)): Wächter and Biegler (2006), eqs. (30) and (31). It is a nonlinear
//! program like any other and is solved by the same barrier method, which is left as soon as the violation has fallen to 0.9
//! of what it was at a point that the filter accepts. A solution with p + q > 0 is a local minimum of the violation.

use super::barrier::{Barrier, BarrierEnd, BarrierState};
use super::bounds::{Bounds, Duals};
use super::certificate::proves_infeasible;
use super::filter::Filter;
use super::kkt::Direct;
use super::model::Model;
use super::newton::Newton;
use super::options::{HessianShift, MinimizeOptions};
use super::outcome::{MinimizeError, MinimizeStatus};
use super::point::Point;
use super::run::{Run, Verdict};
use super::sparse::{Rows, one_norm};
use residua_data::nlp::{EvaluationError, NonlinearProblem, SparsePattern};

const RHO: f64 = 1000.0;
/// κ_resto: the violation must fall to this share.
const SHARE: f64 = 0.9;

struct Feasibility<'a> {
    model: &'a Model<'a>,
    reference: Vec<f64>,
    weights: Vec<f64>,
    zeta: f64,
    jacobian: SparsePattern,
    hessian: Option<SparsePattern>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    start: Vec<f64>,
}

fn undefined(function: &str) -> EvaluationError {
    EvaluationError { function: function.to_owned(), reason: "it has no finite value here".to_owned() }
}

impl<'a> Feasibility<'a> {
    fn new(model: &'a Model<'a>, bounds: &Bounds, p: &Point, mu: f64) -> Self {
        let (n, m) = (model.n, model.m);
        let (j, h) = model.matrices();
        let (mut row_starts, mut columns) = (vec![0], Vec::new());
        for i in 0..m {
            columns.extend_from_slice(j.row(i).0);
            columns.extend([(n + i) as u32, (n + m + i) as u32]);
            row_starts.push(columns.len());
        }
        let jacobian = SparsePattern { row_starts, columns };
        let hessian = h.map(|h| {
            let mut row_starts = h.starts.clone();
            row_starts.resize(n + 2 * m + 1, h.columns.len());
            SparsePattern { row_starts, columns: h.columns }
        });
        let mut lower = bounds.lower.clone();
        let mut upper = bounds.upper.clone();
        lower.resize(n + 2 * m, 0.0);
        upper.resize(n + 2 * m, f64::INFINITY);
        let mut start = p.w.clone();
        let q = |c: f64| {
            let half = (mu - RHO * c) / (2.0 * RHO);
            half + (half * half + mu * c / (2.0 * RHO)).max(0.0).sqrt()
        };
        start.extend(p.c.iter().map(|&c| (c + q(c)).max(1e-8)));
        start.extend(p.c.iter().map(|&c| q(c).max(1e-8)));
        let weights = p.w.iter().map(|w| (1.0 / w.abs()).min(1.0).powi(2)).collect();
        Self {
            model,
            reference: p.w.clone(),
            weights,
            zeta: mu.sqrt(),
            jacobian,
            hessian,
            lower,
            upper,
            start,
        }
    }
}

impl NonlinearProblem for Feasibility<'_> {
    fn name(&self) -> &str {
        "restoration"
    }
    fn variables(&self) -> usize {
        self.start.len()
    }
    fn constraints(&self) -> usize {
        self.model.m
    }
    fn initial_point(&self, x: &mut [f64]) {
        x.copy_from_slice(&self.start);
    }
    fn variable_bounds(&self) -> (&[f64], &[f64]) {
        (&self.lower, &self.upper)
    }
    fn objective(&self, x: &[f64]) -> Result<f64, EvaluationError> {
        let n = self.model.n;
        let distance: f64 = (0..n).map(|i| self.weights[i] * (x[i] - self.reference[i]).powi(2)).sum();
        Ok(RHO * x[n..].iter().sum::<f64>() + 0.5 * self.zeta * distance)
    }
    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> Result<(), EvaluationError> {
        let n = self.model.n;
        gradient[n..].fill(RHO);
        (0..n).for_each(|i| gradient[i] = self.zeta * self.weights[i] * (x[i] - self.reference[i]));
        Ok(())
    }
    fn constraint_values(&self, x: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        let (n, m) = (self.model.n, self.model.m);
        if !self.model.constraints(&x[..n], values) {
            return Err(undefined("constraints"));
        }
        (0..m).for_each(|i| values[i] += x[n + m + i] - x[n + i]);
        Ok(())
    }
    fn jacobian_pattern(&self) -> &SparsePattern {
        &self.jacobian
    }
    fn jacobian_values(&self, x: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        let (mut j, _) = self.model.matrices();
        if !self.model.jacobian(&x[..self.model.n], &mut j) {
            return Err(undefined("Jacobian"));
        }
        for i in 0..self.model.m {
            let at = self.jacobian.row_starts[i];
            let row = j.row(i).1;
            values[at..at + row.len()].copy_from_slice(row);
            values[at + row.len()] = -1.0;
            values[at + row.len() + 1] = 1.0;
        }
        Ok(())
    }
    fn hessian_pattern(&self) -> Option<&SparsePattern> {
        self.hessian.as_ref()
    }
    fn hessian_values(
        &self,
        x: &[f64],
        sigma: f64,
        lambda: &[f64],
        values: &mut [f64],
    ) -> Result<(), EvaluationError> {
        let n = self.model.n;
        let (_, Some(mut h)) = self.model.matrices() else { return Err(undefined("Hessian")) };
        if !self.model.hessian(&x[..n], 0.0, lambda, &mut h) {
            return Err(undefined("Hessian"));
        }
        values.copy_from_slice(&h.values);
        for i in 0..n {
            values[h.starts[i + 1] - 1] += sigma * self.zeta * self.weights[i]; // the diagonal ends each row
        }
        Ok(())
    }
    fn hessian_product(
        &self,
        x: &[f64],
        sigma: f64,
        lambda: &[f64],
        v: &[f64],
        product: &mut [f64],
    ) -> Result<(), EvaluationError> {
        let n = self.model.n;
        product.fill(0.0);
        if !self.model.hessian_product(&x[..n], 0.0, lambda, &v[..n], &mut product[..n]) {
            return Err(undefined("Hessian"));
        }
        (0..n).for_each(|i| product[i] += sigma * self.zeta * self.weights[i] * v[i]);
        Ok(())
    }
}

/// How a restoration ended.
pub(crate) enum Restored {
    /// `p` is acceptable again.
    Acceptable,
    /// Nothing better than `p` was found; with a proof that affine constraints have no solution, or without.
    Stuck {
        is_proved: bool,
    },
    Over(Verdict),
}

/// Moves `p` to a point with less violation that `accepts`.
pub(crate) fn restore(
    barrier: &Barrier<'_>,
    run: &mut Run<'_>,
    p: &mut Point,
    mu: f64,
    accepts: &dyn Fn(&Point) -> bool,
) -> Result<Restored, MinimizeError> {
    let (n, theta) = (barrier.model.n, one_norm(&p.c));
    let mu = mu.max(p.c.iter().fold(0.0, |m: f64, c| m.max(c.abs())));
    let feasibility = Feasibility::new(barrier.model, &barrier.bounds, p, mu);
    let model = Model::new(&feasibility)?;
    if model.matrices().1.is_none() {
        return Ok(Restored::Stuck { is_proved: false });
    }
    let options = MinimizeOptions { tol: (0.01 * barrier.options.tol).max(1e-10), ..barrier.options.clone() };
    let inner = Barrier { model: &model, options: &options, bounds: Bounds::new(&model.lower, &model.upper) };
    let mut newton = Newton::new(
        &model,
        Box::new(Direct::new("restoration")),
        HessianShift::Gentle,
        options.lagrangian.xi_b,
    );
    let mut inner_point = Point::new(&model);
    inner_point.w.copy_from_slice(&feasibility.start);
    inner.bounds.push_inside(&mut inner_point.w, 1e-8);
    if !inner_point.evaluate(&model) {
        return Ok(Restored::Stuck { is_proved: false });
    }
    let duals = Duals::new(&inner.bounds, &inner_point.w, mu);
    let mut state = BarrierState { mu, duals, filter: Filter::default() };
    let mut lambda = vec![0.0; model.m];
    let mut found = None;
    let mut candidate = p.clone();
    let (mut best, mut best_theta) = (p.w.clone(), theta);
    let end = run.nested(|run| {
        inner.iterate(&mut newton, run, &mut inner_point, &mut lambda, &mut state, &mut |q| {
            candidate.w.copy_from_slice(&q.w[..n]);
            if !candidate.evaluate(barrier.model) {
                return false;
            }
            let now = one_norm(&candidate.c);
            if now < best_theta {
                (best_theta, best) = (now, candidate.w.clone());
            }
            let done = now <= SHARE * theta && accepts(&candidate);
            if done {
                found = Some(candidate.w.clone());
            }
            done
        })
    });
    let restored = found.is_some();
    p.w.copy_from_slice(found.as_deref().unwrap_or(&best));
    if !p.evaluate(barrier.model) {
        return Ok(Restored::Stuck { is_proved: false });
    }
    if restored {
        return Ok(Restored::Acceptable);
    }
    if let BarrierEnd::Over(verdict) = end
        && !matches!(verdict.status, MinimizeStatus::Converged | MinimizeStatus::Stagnated)
    {
        return Ok(Restored::Over(verdict));
    }
    Ok(Restored::Stuck { is_proved: proves_infeasible(p, &barrier.bounds, &lambda) })
}

/// Whether the constraints are affine as far as their Hessian says: it is zero at two points.
pub(crate) fn is_affine(model: &Model<'_>, w: &[f64]) -> bool {
    let (_, Some(mut h)) = model.matrices() else { return false };
    let lambda: Vec<f64> = (0..model.m).map(|i| 1.0 + 0.37 * (i % 11) as f64).collect();
    let other: Vec<f64> = w.iter().enumerate().map(|(i, w)| w + 0.5 + 0.1 * (i % 7) as f64).collect();
    let zero =
        |w: &[f64], h: &mut Rows| model.hessian(w, 0.0, &lambda, h) && h.values.iter().all(|v| *v == 0.0);
    zero(w, &mut h) && zero(&other, &mut h)
}
