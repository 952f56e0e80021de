//! The best ω of SSOR-preconditioned CG from estimates of the spectrum: the baseline without learning.
//!
//! With B = I − D⁻¹A = L + U, M(B) its largest eigenvalue and β̄ ≥ S(LU) the spectral radius of the product of its
//! triangles (Hageman and Young 1981, *Applied Iterative Methods*, chapter 13; Young 1977), the condition number of SSOR is
//! near its smallest at
//!
//! ```text
//! ω = 2 / (1 + √(1 − 2 M(B) + 4 β̄)),   β̄ ≤ 1/4
//! ω = 2 / (1 + √(1 − 4 β̄)),            M(B) > 4 β̄
//! ```
//!
//! β̄ = 1/4 for the five- and seven-point stencils in their natural order. M(B) is taken from the first matrix by a few dozen steps
//! of the Lanczos process on D^½ B D^-½, and follows the mean of Σ_{j≠i} |a_ij| / a_ii from one matrix to the next.

use super::model_omega::mean_ratio;
use residua_data::CsrMatrix;

/// Steps of the power iteration on ½(I + D^-½ (D − A) D^-½), whose largest eigenvalue is that of M(B).
const STEPS: usize = 60;

/// β̄ of stencils.
const TRIANGLE_BOUND: f64 = 0.25;

/// ω of SSOR for a sequence of symmetric matrices with positive diagonals.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AdaptiveSsor {
    /// M(B) over the mean ratio of the first matrix.
    scale: Option<f64>,
}

impl AdaptiveSsor {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// ω for `a` in [1, 2); the first call costs some 60 products with `a`. 1 where a diagonal entry is not positive.
    pub fn omega(&mut self, a: &CsrMatrix) -> f64 {
        let mean = mean_ratio(a);
        if self.scale.is_none() && mean > 0.0 {
            self.scale = largest_eigenvalue(a).map(|m| m / mean);
        }
        let m = self.scale.map_or(0.0, |scale| scale * mean);
        omega_of(m.clamp(0.0, 1.0))
    }
}

/// ω of a given M(B) in [0, 1], with β̄ = min(1/4, M²/4).
fn omega_of(m: f64) -> f64 {
    // LU has no larger a spectral radius than a quarter of M² where L = Uᵀ and the order is consistent.
    let bound = TRIANGLE_BOUND.min(0.25 * m * m);
    if m <= 4.0 * bound {
        2.0 / (1.0 + (1.0 - 2.0 * m + 4.0 * bound).max(0.0).sqrt())
    } else {
        2.0 / (1.0 + (1.0 - 4.0 * bound).max(0.0).sqrt())
    }
    .clamp(1.0, 1.999)
}

/// The largest eigenvalue of I − D^-½ A D^-½, from below; `None` where it is not finite or a diagonal entry not positive.
fn largest_eigenvalue(a: &CsrMatrix) -> Option<f64> {
    let n = a.nrows();
    let scale: Vec<f64> = a.diagonal().iter().map(|d| d.sqrt().recip()).collect();
    if scale.iter().any(|s| !s.is_finite()) {
        return None;
    }
    // The eigenvector has no sign changes on the matrices in question: a positive start is near it.
    let mut v: Vec<f64> = scale.iter().map(|s| s.recip()).collect();
    let (mut w, mut scaled) = (vec![0.0; n], vec![0.0; n]);
    let mut eigenvalue = 0.0;
    for _ in 0..STEPS {
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm == 0.0 || !norm.is_finite() {
            return None;
        }
        for ((s, x), d) in scaled.iter_mut().zip(&mut v).zip(&scale) {
            *x /= norm;
            *s = *x * d;
        }
        a.multiply(&scaled, &mut w);
        eigenvalue = 0.0;
        for ((y, x), d) in w.iter_mut().zip(&v).zip(&scale) {
            let b = x - d * *y;
            eigenvalue += x * b;
            *y = 0.5 * (x + b);
        }
        std::mem::swap(&mut v, &mut w);
    }
    Some(eigenvalue).filter(|m| m.is_finite())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use residua_data::sequence::{HeatEquation, Sequence};
    use residua_solvers::krylov::EisenstatCg;
    use residua_solvers::{LinearSystem, Solver, StopRule};

    #[test]
    fn the_estimate_is_that_of_the_laplacian() {
        // M(B) = cos(π/(n + 1)) on the square.
        let p =
            residua_data::poisson::PoissonProblem::new(residua_data::poisson::PoissonKind::Constant, 2, 9);
        let a = p.build().unwrap().matrix;
        let m = largest_eigenvalue(&a).unwrap();
        assert!((m - (std::f64::consts::PI / 10.0).cos()).abs() < 2e-3, "{m}");
    }

    #[test]
    fn on_the_heat_equation_it_is_near_the_best_fixed_omega() {
        let totals = |omega: &mut dyn FnMut(&CsrMatrix) -> f64| {
            let mut heat = HeatEquation::new(25, 60).unwrap();
            let (mut x, mut total) = (Vec::new(), 0);
            while heat.advance(&x).unwrap() {
                let system = LinearSystem::new(heat.matrix(), heat.rhs()).unwrap();
                x = heat.guess().map_or_else(|| vec![0.0; heat.rhs().len()], <[f64]>::to_vec);
                let mut cg = EisenstatCg::ssor(heat.matrix(), omega(heat.matrix())).unwrap();
                total += cg.solve(&system, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap().iterations;
            }
            total
        };
        let mut adaptive = AdaptiveSsor::new();
        let adapted = totals(&mut |a| adaptive.omega(a));
        let best = (0..10).map(|k| totals(&mut |_| 1.0 + 0.1 * k as f64)).min().unwrap();
        assert!(10 * adapted <= 11 * best, "{adapted} against {best}");
    }

    #[test]
    fn matrices_without_a_positive_diagonal_get_one() {
        for diagonal in [&[1.0, 0.0][..], &[-1.0], &[]] {
            let a = CsrMatrix::from_diagonal(diagonal).unwrap();
            assert!((AdaptiveSsor::new().omega(&a) - 1.0).abs() < 1e-15);
        }
    }
}
