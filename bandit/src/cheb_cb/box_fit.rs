//! Least squares in a box: min θᵀ(G + εI)θ − 2 s hᵀθ subject to |θ_j| ≤ bound_j, with ε so small that it only makes
//! the solution the one of least norm where observations are few.
//!
//! The active-set method of Stark and Parker (1995), Computational Statistics 10(2), BVLS: some coordinates are held
//! at a bound, the others solve their least-squares problem. If that leaves the box, go there until the first
//! bound and hold that coordinate too; otherwise release the held coordinate along which the objective falls
//! fastest. When none is left, the conditions of optimality hold. Coordinate descent needs thousands of sweeps
//! for the same, since Chebyshev terms at clustered contexts are nearly dependent.

use crate::normal::{NormalEquations, dot};

/// Part of the trace of G that ε is.
const LEAST_NORM: f64 = 1e-9;

/// A gradient below this part of the trace times the bound does not release a coordinate.
const TOLERANCE: f64 = 1e-12;

/// Changes of the held set at most, for each coordinate; rounding could make it cycle.
const CHANGES: usize = 20;

/// The minimiser, given the normal equations (G, h), the factor `scale` on h, and the bounds.
pub(super) fn minimise(equations: &NormalEquations, scale: f64, bounds: &[f64]) -> Vec<f64> {
    let m = bounds.len();
    let trace: f64 = (0..m).map(|j| equations.gram(j, j)).sum();
    let epsilon = LEAST_NORM * trace;
    let inside = |theta: &[f64]| theta.iter().zip(bounds).all(|(t, b)| t.abs() <= *b);
    if trace <= 0.0 {
        return vec![0.0; m];
    }
    match equations.solve(epsilon, scale, 0.0) {
        Some(theta) if inside(&theta) => return theta,
        _ => {}
    }
    let mut theta = vec![0.0; m];
    let mut free: Vec<usize> = (0..m).collect();
    for _ in 0..CHANGES * m {
        let Some(target) = equations.restricted(&free, &theta, scale).solve(epsilon, 1.0, 0.0) else {
            break;
        };
        // How far towards the target the box allows to go, and the coordinate that stops it.
        let reach = |(&j, &goal): (&usize, &f64)| match goal.abs() > bounds[j] {
            true => ((bounds[j].copysign(goal) - theta[j]) / (goal - theta[j])).max(0.0),
            false => 1.0,
        };
        let first = free.iter().zip(&target).map(reach).enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        let (stop, part) = first.unwrap_or((0, 1.0));
        for (&j, &goal) in free.iter().zip(&target) {
            theta[j] = (theta[j] + part * (goal - theta[j])).clamp(-bounds[j], bounds[j]);
        }
        if part < 1.0 {
            let j = free.remove(stop);
            theta[j] = bounds[j].copysign(theta[j]);
            continue;
        }
        // Half the descent direction; inwards where its sign is not that of the bound.
        let descent = |j: usize| {
            let row: Vec<f64> = (0..m).map(|k| equations.gram(j, k)).collect();
            scale * equations.cross()[j] - dot(&row, &theta) - epsilon * theta[j]
        };
        let held = (0..m).filter(|j| !free.contains(j)).map(|j| (j, -descent(j) * theta[j].signum()));
        match held.max_by(|a, b| a.1.total_cmp(&b.1)) {
            Some((j, inwards)) if inwards > TOLERANCE * trace * bounds[j] => free.push(j),
            _ => break,
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
