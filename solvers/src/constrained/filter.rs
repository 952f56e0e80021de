//! The filter: pairs (θ, φ) of violation and objective that no later point may be worse than in both
//! (Fletcher and Leyffer 2002; with the margins of Wächter and Biegler 2006, eqs. (18), (22)).

use super::options::BarrierConstants;

/// θ_max and θ_min of (21), times max(1, θ) at the start.
const MAX: f64 = 1e4;
const MIN: f64 = 1e-4;

/// s_θ, s_φ and δ of (19).
const S_THETA: f64 = 1.1;
const S_PHI: f64 = 2.3;
const DELTA: f64 = 1.0;

/// γ_α of (23).
const SAFETY: f64 = 0.05;

/// Changes below this share of a value cannot be told from none.
pub(crate) const ROUNDING: f64 = 10.0 * f64::EPSILON;

#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pairs: Vec<(f64, f64)>,
    first: Option<f64>,
}

impl Filter {
    /// θ_min; the first call says what θ was at the start.
    pub(crate) fn theta_min(&mut self, theta: f64) -> f64 {
        MIN * self.first.get_or_insert(theta).max(1.0)
    }

    pub(crate) fn accepts(&self, theta: f64, phi: f64) -> bool {
        let largest = MAX * self.first.unwrap_or(theta).max(1.0);
        theta.is_finite()
            && phi.is_finite()
            && theta <= largest
            && self.pairs.iter().all(|&(t, p)| theta < t || phi < p)
    }

    pub(crate) fn add(&mut self, theta: f64, phi: f64, gamma_theta: f64, gamma_phi: f64) {
        let pair = ((1.0 - gamma_theta) * theta, phi - gamma_phi * theta);
        self.pairs.retain(|&(t, p)| t < pair.0 || p < pair.1);
        self.pairs.push(pair);
    }

    pub(crate) fn clear(&mut self) {
        self.pairs.clear();
    }
}

/// α_min of (23).
pub(crate) fn least_step(gamma_theta: f64, gamma_phi: f64, theta: f64, slope: f64, theta_min: f64) -> f64 {
    if slope < 0.0 {
        let mut bound = gamma_theta.min(gamma_phi * theta / -slope);
        if theta <= theta_min {
            bound = bound.min(DELTA * theta.powf(S_THETA) / (-slope).powf(S_PHI));
        }
        (SAFETY * bound).max(1e-14)
    } else {
        SAFETY * gamma_theta
    }
}

/// Whether a trial is kept; `Some(true)` if by descent of φ_μ alone, so that the filter stays.
pub(crate) fn acceptable(
    constants: &BarrierConstants,
    filter: &Filter,
    (theta, phi): (f64, f64),
    (new_theta, new_phi): (f64, f64),
    slope: f64,
    alpha: f64,
    theta_min: f64,
) -> Option<bool> {
    let slack = ROUNDING * phi.abs();
    if !filter.accepts(new_theta, new_phi - slack) {
        return None;
    }
    let switching = slope < 0.0 && alpha * (-slope).powf(S_PHI) > DELTA * theta.powf(S_THETA);
    if switching && theta <= theta_min {
        return (new_phi - slack <= phi + constants.eta_phi * alpha * slope).then_some(true);
    }
    let better = new_theta <= (1.0 - constants.gamma_theta) * theta
        || new_phi - slack <= phi - constants.gamma_phi * theta;
    better.then_some(false)
}
