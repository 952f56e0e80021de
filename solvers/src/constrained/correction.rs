//! Second-order corrections: where the first trial point w + α d violates the constraints more than w, the curvature of g along d
//! is made up for,
//!
//! ```text
//! K z' = −(∇φ_μ + Jᵀλ, α g(w) + g(w + α d)),
//! ```
//! with the factors at hand, while each correction cuts θ. Without them Newton steps are refused near a solution (Maratos 1978).
//! Wächter and Biegler (2006), *Math. Program.* 106, section 2.4.

use super::barrier::Barrier;
use super::filter::{Filter, acceptable};
use super::newton::{At, Newton};
use super::options::BarrierConstants;
use super::point::Point;
use super::sparse::one_norm;

/// κ_soc: a correction must cut θ to this share of the one before.
const PROGRESS: f64 = 0.99;

/// What a line search starts from.
pub(super) struct Search<'a> {
    pub(super) filter: &'a Filter,
    pub(super) mu: f64,
    pub(super) tau: f64,
    /// The length of the first trial.
    pub(super) alpha: f64,
    /// θ and φ_μ at the point.
    pub(super) now: (f64, f64),
    /// ∇φ_μᵀ d.
    pub(super) slope: f64,
    pub(super) theta_min: f64,
}

impl Search<'_> {
    /// Whether a trial point with θ and φ_μ of `pair`, at length `alpha`, is taken; by Armijo's test or not.
    pub(super) fn accepts(&self, constants: &BarrierConstants, pair: (f64, f64), alpha: f64) -> Option<bool> {
        acceptable(constants, self.filter, self.now, pair, self.slope, alpha, self.theta_min)
    }
}

impl Barrier<'_> {
    /// Corrects `trial`, the first one, which has the step of K z = `b`: the accepted step's length, and whether it passed by
    /// Armijo.
    pub(super) fn correct(
        &self,
        newton: &mut Newton,
        at: &At<'_>,
        p: &Point,
        trial: &mut Point,
        b: &[f64],
        search: &Search<'_>,
    ) -> Option<(f64, bool)> {
        let (n, constants) = (self.model.n, &self.options.barrier);
        let mut c: Vec<f64> = p.c.iter().zip(&trial.c).map(|(c, t)| search.alpha * c + t).collect();
        let mut b = b.to_vec();
        let mut z = vec![0.0; b.len()];
        let mut before = one_norm(&trial.c);
        for _ in 0..constants.corrections {
            b[n..].iter_mut().zip(&c).for_each(|(b, c)| *b = -c);
            newton.solve_on(self.model, at, &b, &mut z, 1e-9);
            let length = self.bounds.largest_step(&p.w, &z[..n], search.tau);
            (0..n).for_each(|i| trial.w[i] = p.w[i] + length * z[i]);
            if !trial.evaluate_values(self.model) || !self.phi(trial, search.mu).is_finite() {
                return None;
            }
            let pair = (one_norm(&trial.c), self.phi(trial, search.mu));
            if let Some(armijo) = search.accepts(constants, pair, search.alpha) {
                return Some((length, armijo));
            }
            if pair.0 > PROGRESS * before {
                return None;
            }
            before = pair.0;
            c.iter_mut().zip(&trial.c).for_each(|(c, t)| *c = length * *c + t);
        }
        None
    }
}
