//! Derivatives against central differences.
//!
//! (F(x + h e_j) − F(x − h e_j)) / 2h with h = ε^⅓ max(1, |x_j|) has an error of about ε^⅔ times the size of F
//! and its third derivative.

use super::outcome::MinimizeError;
use super::sparse::pattern_fault;
use residua_data::nlp::{EvaluationError, NonlinearProblem};

/// The largest disagreement of each derivative, |given − difference| / max(1, |difference|), and where.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct DerivativeReport {
    /// Of ∇f, and the variable.
    pub gradient: (f64, usize),
    /// Of J, the row and the column; entries outside the pattern count.
    pub jacobian: (f64, usize, usize),
    /// Of ∇²(σf + λᵀc) with the given λ and σ = 1, the row and the column, from differences of the given first
    /// derivatives.
    pub hessian: (f64, usize, usize),
    /// Of the product with the Hessian, for one vector.
    pub hessian_product: f64,
}

impl DerivativeReport {
    /// The largest disagreement of all.
    pub fn max(&self) -> f64 {
        [self.gradient.0, self.jacobian.0, self.hessian.0, self.hessian_product]
            .into_iter()
            .fold(0.0, |m: f64, v| if v.is_nan() { f64::INFINITY } else { m.max(v) })
    }
}

/// Why derivatives could not be checked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DerivativeError {
    /// A wrong call.
    #[error(transparent)]
    Call(#[from] MinimizeError),
    /// A function has no value at or next to the point.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
}

/// Compares the derivatives of `problem` at x (length n) and λ (length m) with central differences: 4n
/// evaluations of first derivatives.
///
/// # Errors
/// [`DerivativeError`]: a wrong length or pattern, or a function without a value there.
pub fn check_derivatives(
    problem: &dyn NonlinearProblem,
    x: &[f64],
    lambda: &[f64],
) -> Result<DerivativeReport, DerivativeError> {
    let (n, m) = (problem.variables(), problem.constraints());
    for (what, expected, found) in [("x", n, x.len()), ("the multipliers", m, lambda.len())] {
        if expected != found {
            return Err(MinimizeError::Length { what, expected, found }.into());
        }
    }
    let pattern = problem.jacobian_pattern();
    if let Some((row, reason)) = pattern_fault(pattern, m, n, false) {
        return Err(MinimizeError::Pattern { what: "Jacobian", row, reason }.into());
    }
    let hessian_pattern = problem.hessian_pattern();
    if let Some((row, reason)) = hessian_pattern.and_then(|p| pattern_fault(p, n, n, true)) {
        return Err(MinimizeError::Pattern { what: "Hessian", row, reason }.into());
    }
    let mut report = DerivativeReport::default();
    let mut g = vec![0.0; n];
    problem.gradient(x, &mut g)?;
    let mut j = vec![0.0; pattern.nnz()];
    let mut h = vec![0.0; hessian_pattern.map_or(0, |p| p.nnz())];
    if m > 0 {
        problem.jacobian_values(x, &mut j)?;
    }
    if hessian_pattern.is_some() {
        problem.hessian_values(x, 1.0, lambda, &mut h)?;
    }
    let direction: Vec<f64> = (0..n).map(|i| 1.0 / (1.0 + i as f64)).collect();
    let (mut product, mut expected) = (vec![0.0; n], vec![0.0; n]);
    problem.hessian_product(x, 1.0, lambda, &direction, &mut product)?;
    let mut at = x.to_vec();
    let (mut c, mut gradients) = ([vec![0.0; m], vec![0.0; m]], [vec![0.0; n], vec![0.0; n]]);
    for k in 0..n {
        let step = f64::EPSILON.cbrt() * x[k].abs().max(1.0);
        let mut f = [0.0; 2];
        let mut points = [0.0; 2];
        for (side, sign) in [(0, 1.0), (1, -1.0)] {
            at[k] = x[k] + sign * step;
            points[side] = at[k];
            f[side] = problem.objective(&at)?;
            if m > 0 {
                problem.constraint_values(&at, &mut c[side])?;
            }
            lagrangian_gradient(problem, &at, lambda, &mut gradients[side])?;
        }
        at[k] = x[k];
        let width = points[0] - points[1];
        let error = difference(g[k], (f[0] - f[1]) / width);
        if error > report.gradient.0 {
            report.gradient = (error, k);
        }
        for i in 0..m {
            let given = entry(pattern.row(i), k).map_or(0.0, |e| j[pattern.row_starts[i] + e]);
            let error = difference(given, (c[0][i] - c[1][i]) / width);
            if error > report.jacobian.0 {
                report.jacobian = (error, i, k);
            }
        }
        for i in 0..n {
            let second = (gradients[0][i] - gradients[1][i]) / width;
            expected[i] += second * direction[k];
            if let (Some(p), true) = (hessian_pattern, i >= k) {
                let given = entry(p.row(i), k).map_or(0.0, |e| h[p.row_starts[i] + e]);
                let error = difference(given, second);
                if error > report.hessian.0 {
                    report.hessian = (error, i, k);
                }
            }
        }
    }
    report.hessian_product =
        product.iter().zip(&expected).map(|(a, b)| difference(*a, *b)).fold(0.0, f64::max);
    Ok(report)
}

fn difference(given: f64, expected: f64) -> f64 {
    let error = (given - expected).abs() / expected.abs().max(1.0);
    if error.is_nan() { f64::INFINITY } else { error }
}

fn entry(row: &[u32], column: usize) -> Option<usize> {
    row.binary_search(&(column as u32)).ok()
}

fn lagrangian_gradient(
    problem: &dyn NonlinearProblem,
    x: &[f64],
    lambda: &[f64],
    out: &mut [f64],
) -> Result<(), EvaluationError> {
    problem.gradient(x, out)?;
    if lambda.is_empty() {
        return Ok(());
    }
    let pattern = problem.jacobian_pattern();
    let mut values = vec![0.0; pattern.nnz()];
    problem.jacobian_values(x, &mut values)?;
    for (i, l) in lambda.iter().enumerate() {
        let at = pattern.row_starts[i];
        pattern.row(i).iter().zip(&values[at..]).for_each(|(&k, v)| out[k as usize] += l * v);
    }
    Ok(())
}
