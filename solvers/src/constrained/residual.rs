//! How far a point is from satisfying the first-order (KKT) conditions of the problem as given.
//!
//! ```text
//! stationarity     ‖∇f + Jᵀλ − z_L + z_U‖_∞ / s
//! violation        max(c_L − c, c − c_U, x_L − x, x − x_U, 0)
//! complementarity  max(z_L (x − x_L), z_U (x_U − x), λ⁺ (c_U − c), λ⁻ (c − c_L)) / s
//! s = max(1, ‖∇f‖_∞ / 100, mean(|λ|, z_L, z_U) / 100)
//! ```
//!
//! s keeps rounding in large gradients and multipliers from hiding a solution (Wächter and Biegler 2006, eqs. (5)
//! and (6), has the mean of the multipliers). It is 1 where neither exceeds 100. A multiplier whose bound is infinite counts as a whole.

use super::outcome::MinimizeError;
use super::patterns::bounds;
use super::sparse::norm_inf;
use residua_data::nlp::NonlinearProblem;

/// Gradients and multipliers above this make the residual relative.
const LARGE: f64 = 100.0;

/// The parts of the KKT residual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KktResidual {
    /// f(x).
    pub objective: f64,
    /// Scaled ‖∇ₓL‖_∞.
    pub stationarity: f64,
    /// Largest violation of a constraint or bound.
    pub violation: f64,
    /// Scaled complementarity; 0 without bounds.
    pub complementarity: f64,
}

impl KktResidual {
    /// The largest part; NaN where a part is.
    pub fn max(&self) -> f64 {
        norm_inf(&[self.stationarity, self.violation, self.complementarity])
    }
}

/// s of the module's formula.
pub(crate) fn scale(gradient: f64, sum: f64, count: usize) -> f64 {
    let mean = if count == 0 { 0.0 } else { sum / count as f64 };
    1f64.max(gradient / LARGE).max(mean / LARGE)
}

/// The KKT residual at x with multipliers λ, z_L and z_U, from the problem's functions. At fixed variables
/// (x_L = x_U) stationarity holds for some z and is not counted. NaN where a function has no value.
///
/// # Errors
/// [`MinimizeError::Length`], [`MinimizeError::NotANumber`].
pub fn kkt_residual(
    problem: &dyn NonlinearProblem,
    x: &[f64],
    lambda: &[f64],
    z_lower: &[f64],
    z_upper: &[f64],
) -> Result<KktResidual, MinimizeError> {
    let (n, m) = (problem.variables(), problem.constraints());
    for (what, expected, found) in [
        ("x", n, x.len()),
        ("the multipliers", m, lambda.len()),
        ("the lower multipliers", n, z_lower.len()),
        ("the upper multipliers", n, z_upper.len()),
    ] {
        if expected != found {
            return Err(MinimizeError::Length { what, expected, found });
        }
    }
    let (x_l, x_u) =
        bounds("variable bounds", problem.variable_bounds(), n, f64::NEG_INFINITY, f64::INFINITY)?;
    let (c_l, c_u) = bounds("constraint bounds", problem.constraint_bounds(), m, 0.0, 0.0)?;
    let (mut g, mut c) = (vec![0.0; n], vec![0.0; m]);
    let pattern = problem.jacobian_pattern();
    let mut j = vec![0.0; pattern.nnz()];
    let objective = problem.objective(x).unwrap_or(f64::NAN);
    let defined = problem.gradient(x, &mut g).is_ok()
        && (m == 0
            || problem.constraint_values(x, &mut c).is_ok() && problem.jacobian_values(x, &mut j).is_ok());
    if !defined {
        let nan = f64::NAN;
        return Ok(KktResidual { objective, stationarity: nan, violation: nan, complementarity: nan });
    }
    let gradient_norm = norm_inf(&g);
    for i in 0..m {
        for k in pattern.row_starts[i]..pattern.row_starts[i + 1] {
            if let (Some(g), Some(v)) =
                (pattern.columns.get(k).and_then(|&p| g.get_mut(p as usize)), j.get(k))
            {
                *g += lambda[i] * v;
            }
        }
    }
    let (mut violation, mut complementarity) = (0.0, 0.0);
    for i in 0..n {
        violation = worse(violation, (x_l[i] - x[i]).max(x[i] - x_u[i]));
        if x_l[i] == x_u[i] {
            g[i] = 0.0;
            continue;
        }
        g[i] += z_upper[i] - z_lower[i];
        complementarity = worse(complementarity, product(z_lower[i], x[i] - x_l[i]));
        complementarity = worse(complementarity, product(z_upper[i], x_u[i] - x[i]));
    }
    for i in 0..m {
        violation = worse(violation, (c_l[i] - c[i]).max(c[i] - c_u[i]));
        if c_l[i] != c_u[i] {
            complementarity = worse(complementarity, product(lambda[i].max(0.0), c_u[i] - c[i]));
            complementarity = worse(complementarity, product((-lambda[i]).max(0.0), c[i] - c_l[i]));
        }
    }
    let bounded = x_l.iter().chain(&x_u).filter(|b| b.is_finite()).count();
    let sum = [lambda, z_lower, z_upper].iter().flat_map(|v| v.iter()).map(|v| v.abs()).sum();
    let s = scale(gradient_norm, sum, m + bounded);
    Ok(KktResidual {
        objective,
        stationarity: norm_inf(&g) / s,
        violation,
        complementarity: complementarity / s,
    })
}

/// The larger, NaN if either is.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// z · distance, z itself where the bound is infinite; |·| so that a point outside counts too.
fn product(z: f64, distance: f64) -> f64 {
    if distance.is_infinite() { z.abs() } else { (z * distance).abs() }
}
