//! How accurately a Newton system is solved.
//!
//! Published (Hong, Na, Mahoney and Kolar 2023, and their release):
//!
//! ```text
//! ‖K‖_F Ψ ‖r‖ ≤ θ δ ‖∇L‖,   Ψ = 20 max(‖B‖²_F, 1) / (min(ξ_G, 1) min(ξ_B, 1)),   ξ_G = λ_min(J Jᵀ)
//! δ ≤ (½ − β) η₂ / ((1 + η₁ + η₂) Υ² Ψ²),   Υ = max(‖J‖_F, ‖H‖_F, 1)
//! ```
//!
//! with θ = 1 or 1/(k + 1). Ψ is 10⁴ and more, so the bound asks for residuals near rounding. The lazy rule
//! starts from min(0.1, ‖∇L‖^½) and divides by 10 where the step does not descend.

use super::kkt::KktSystem;
use super::options::{Accuracy, LagrangianConstants, MinimizeOptions};
use faer::{Mat, Side};

/// Residuals below this share are rounding.
const FLOOR: f64 = 1e-14;

/// The largest dimension for which ξ_G is computed; 1 is taken above it.
const DENSE: usize = 500;

/// The state of the accuracy rule over a run.
pub(crate) struct Condition {
    accuracy: Accuracy,
    delta: f64,
    /// θ / (‖K‖_F Ψ), and Υ²Ψ², at the current point.
    factor: f64,
    product: f64,
    beta: f64,
    xi_b: f64,
}

impl Condition {
    pub(crate) fn new(options: &MinimizeOptions) -> Self {
        Self {
            accuracy: options.accuracy,
            delta: options.lagrangian.delta,
            factor: 1.0,
            product: 1.0,
            beta: options.lagrangian.beta,
            xi_b: options.lagrangian.xi_b,
        }
    }

    /// What is asked for before anything else is known.
    pub(crate) fn first_target(&self, b_norm: f64, _iteration: usize, _options: &MinimizeOptions) -> f64 {
        match self.accuracy {
            Accuracy::Lazy => b_norm.sqrt().clamp(FLOOR, 0.1),
            Accuracy::Published | Accuracy::PublishedSuperlinear => 0.1,
        }
    }

    /// The constants of the published bound at the point of `system`.
    pub(crate) fn bind(&mut self, system: &KktSystem<'_>, eta1: f64, eta2: f64, iteration: usize) {
        let h = system.h.map_or(1.0, |h| h.frobenius(true));
        let b = h + system.delta_w * (system.n() as f64).sqrt();
        let j = system.j.frobenius(false);
        let psi = 20.0 * (b * b).max(1.0) / (least_singular_sq(system).min(1.0) * self.xi_b.min(1.0));
        let upsilon = j.max(h).max(1.0);
        let k = (b * b + 2.0 * j * j).sqrt();
        let theta = match self.accuracy {
            Accuracy::PublishedSuperlinear => 1.0 / (iteration as f64 + 1.0),
            _ => 1.0,
        };
        self.factor = theta / (k * psi).max(f64::MIN_POSITIVE);
        self.product = (upsilon * psi).powi(2);
        let trial = self.trial(eta1, eta2);
        self.delta = self.delta.min(trial).max(DELTA_MIN);
    }

    fn trial(&self, eta1: f64, eta2: f64) -> f64 {
        (0.5 - self.beta) * eta2 / ((1.0 + eta1 + eta2) * self.product)
    }

    /// The relative residual that is asked for now.
    pub(crate) fn target(&self, _b_norm: f64) -> f64 {
        (self.factor * self.delta).max(FLOOR)
    }

    /// The least relative residual that makes sense.
    pub(crate) fn floor(&self) -> f64 {
        FLOOR
    }

    /// The next target after one that did not give descent.
    pub(crate) fn tighten(
        &mut self,
        constants: &LagrangianConstants,
        eta1: f64,
        eta2: f64,
        requested: f64,
        b_norm: f64,
    ) -> f64 {
        match self.accuracy {
            Accuracy::Lazy => (0.1 * requested).max(FLOOR),
            Accuracy::Published | Accuracy::PublishedSuperlinear => {
                let trial = self.trial(eta1, eta2);
                self.delta = (self.delta / constants.nu.powi(4)).min(trial).max(constants.delta_min);
                self.target(b_norm)
            }
        }
    }
}

/// Least δ of the release.
const DELTA_MIN: f64 = 1e-6;

/// ξ_G = λ_min(J Jᵀ).
fn least_singular_sq(system: &KktSystem<'_>) -> f64 {
    let m = system.m();
    if m == 0 || m > DENSE {
        return 1.0;
    }
    let mut column = vec![0.0; system.n()];
    let mut image = vec![0.0; m];
    let mut gram = Mat::<f64>::zeros(m, m);
    for i in 0..m {
        column.fill(0.0);
        let (columns, values) = system.j.row(i);
        columns.iter().zip(values).for_each(|(&j, &v)| column[j as usize] = v);
        system.j.multiply(&column, &mut image);
        (0..m).for_each(|k| gram[(k, i)] = image[k]);
    }
    gram.self_adjoint_eigenvalues(Side::Lower)
        .map_or(1.0, |values| values.iter().copied().fold(f64::INFINITY, f64::min).max(f64::MIN_POSITIVE))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::constrained::model::Model;
    use crate::constrained::sparse::Rows;
    use residua_data::nlp::expression::Model as Expressions;

    /// The bound for H = diag(2, 4), J = (3, 4), from its definition.
    #[test]
    fn the_published_bound_is_that_of_its_formula() {
        let m = Expressions::new("bound");
        let x = m.variables(&[1.0, 1.0]);
        m.minimize(x[0].powi(2) + 2.0 * x[1].powi(2));
        m.equality(3.0 * x[0] + 4.0 * x[1], 0.0);
        let problem = m.problem().unwrap();
        let model = Model::new(&problem).unwrap();
        let (mut j, h) = model.matrices();
        let mut h: Rows = h.unwrap();
        assert!(model.jacobian(&[1.0, 1.0], &mut j) && model.hessian(&[1.0, 1.0], 1.0, &[0.0], &mut h));
        let zero = [0.0; 2];
        let system = KktSystem {
            model: &model,
            w: &[1.0, 1.0],
            lambda: &[0.0],
            sigma: 1.0,
            h: Some(&h),
            diagonal: &zero,
            j: &j,
            delta_w: 0.0,
            delta_c: 0.0,
        };
        for (accuracy, theta) in [(Accuracy::Published, 1.0), (Accuracy::PublishedSuperlinear, 0.25)] {
            let options = MinimizeOptions { accuracy, ..MinimizeOptions::published() };
            let c = options.lagrangian;
            let mut condition = Condition::new(&options);
            condition.bind(&system, c.eta1, c.eta2, 3);
            // ‖B‖² = 20, ξ_G = 25, ξ_B = 0.1, ‖K‖² = 20 + 2·25, Υ = 5.
            let psi = 20.0 * 20.0 / 0.1;
            let trial = (0.5 - c.beta) * c.eta2 / ((1.0 + c.eta1 + c.eta2) * (5.0 * psi) * (5.0 * psi));
            let delta = c.delta.min(trial).max(c.delta_min);
            let expected = theta * delta / (70f64.sqrt() * psi);
            assert!((condition.target(1.0) - expected).abs() <= 1e-12 * expected);
        }
    }
}
