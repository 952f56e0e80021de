//! The filter: pairs (θ, φ) of violation and objective that no later point may be worse than in both
//! (Fletcher and Leyffer 2002; with the margins of Wächter and Biegler 2006, eqs. (18), (22)).

/// θ_max and θ_min of (21), times max(1, θ) at the start.
const MAX: f64 = 1e4;
const MIN: f64 = 1e-4;

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
