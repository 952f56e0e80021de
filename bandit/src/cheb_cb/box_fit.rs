//! Least squares in a box: min θᵀGθ − 2 s hᵀθ subject to |θ_j| ≤ bound_j.
//!
//! If the least-squares solution of least norm lies in the box, it is the answer. Otherwise coordinates are
//! minimised in turn from its projection, θ_j ← clamp(θ_j + (s h − Gθ)_j / G_jj), which descends to the optimum since
//! the constraints separate: Bertsekas (1999), *Nonlinear Programming*, section 2.7.

use crate::normal::NormalEquations;

/// Sweeps over the coordinates at most.
const SWEEPS: usize = 400;

/// A sweep that moves no coordinate by more than this part of its bound ends the descent.
const TOLERANCE: f64 = 1e-10;

/// Part of the trace of G that is added to its diagonal so that the solution is the one of least norm.
const LEAST_NORM: f64 = 1e-9;

/// The minimiser, given the normal equations (G, h), the factor `scale` on h, and the bounds.
pub(super) fn minimise(equations: &NormalEquations, scale: f64, bounds: &[f64]) -> Vec<f64> {
    let m = bounds.len();
    let trace: f64 = (0..m).map(|j| equations.gram(j, j)).sum();
    let mut theta = equations.solve(LEAST_NORM * trace, scale, 0.0).unwrap_or_else(|| vec![0.0; m]);
    if theta.iter().zip(bounds).all(|(t, b)| t.abs() <= *b) {
        return theta;
    }
    theta.iter_mut().zip(bounds).for_each(|(t, b)| *t = t.clamp(-b, *b));
    for _ in 0..SWEEPS {
        let mut moved: f64 = 0.0;
        for j in 0..m {
            let curvature = equations.gram(j, j);
            if curvature > 0.0 {
                let product: f64 = (0..m).map(|k| equations.gram(j, k) * theta[k]).sum();
                let free = theta[j] + (scale * equations.cross()[j] - product) / curvature;
                let next = free.clamp(-bounds[j], bounds[j]);
                moved = moved.max((next - theta[j]).abs() / bounds[j]);
                theta[j] = next;
            }
        }
        if moved <= TOLERANCE {
            break;
        }
    }
    theta
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The conditions of Karush, Kuhn and Tucker: the gradient vanishes inside and points outwards at a bound.
        #[test]
        fn the_optimum_is_optimal(
            points in prop::collection::vec((-1.0..1.0_f64, -3.0..3.0_f64), 8..20),
            bound in 0.05..2.0_f64,
        ) {
            let mut equations = NormalEquations::new(3);
            for (x, y) in points {
                equations.add(&[1.0, x, 2.0 * x * x - 1.0], y);
            }
            let bounds = [bound, bound / 2.0, bound / 4.0];
            let theta = minimise(&equations, 1.0, &bounds);
            for j in 0..3 {
                let product: f64 = (0..3).map(|k| equations.gram(j, k) * theta[k]).sum();
                let gradient = product - equations.cross()[j];
                let slack = 1e-6 * equations.gram(j, j);
                prop_assert!(theta[j].abs() <= bounds[j] * (1.0 + 1e-12));
                if theta[j] < bounds[j] {
                    prop_assert!(gradient > -slack, "{gradient} at {j}");
                }
                if theta[j] > -bounds[j] {
                    prop_assert!(gradient < slack, "{gradient} at {j}");
                }
            }
        }
    }

    #[test]
    fn one_observation_gives_the_solution_of_least_norm() {
        let mut equations = NormalEquations::new(2);
        equations.add(&[1.0, 0.5], 1.0);
        let theta = minimise(&equations, 1.0, &[9.0, 9.0]);
        assert!((theta[0] - 0.8).abs() < 1e-6 && (theta[1] - 0.4).abs() < 1e-6, "{theta:?}");
    }
}
