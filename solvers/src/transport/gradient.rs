//! Derivatives of the regularised cost W(a, b, x, y), by the envelope theorem: at the solution only the explicit
//! dependence counts, so no solve is differentiated.
//!
//! ∂W/∂a = f and ∂W/∂b = g, up to constants since masses stay equal; ∂W/∂C = P, hence
//! ∂W/∂x_i = Σ_j P_ij ∇_x c(x_i, y_j) for points.

use super::visit::{add, fold_rows, map_rows};
use super::{Cost, Ground, PlanOperator, Potentials, TransportError, TransportProblem};

/// ∂W/∂a (length n) and ∂W/∂b (length m), each of mean zero: the derivative in directions that keep the mass.
pub fn weight_gradient(potentials: &Potentials) -> (Vec<f64>, Vec<f64>) {
    let centred = |f: &[f64]| {
        let mean = f.iter().sum::<f64>() / f.len().max(1) as f64;
        f.iter().map(|f| f - mean).collect()
    };
    (centred(&potentials.source), centred(&potentials.target))
}

/// ∂W/∂x (n × d) and ∂W/∂y (m × d), point after point, in one pass over all pairs. Where two points coincide, l1
/// and l2 have no derivative; their pair counts as zero.
///
/// # Errors
/// If the potentials do not fit the problem, or its cost is not one of points.
pub fn point_gradient(
    problem: &TransportProblem,
    potentials: &Potentials,
    epsilon: f64,
) -> Result<(Vec<f64>, Vec<f64>), TransportError> {
    let Cost::Points(points) = problem.cost() else {
        return Err(TransportError::Unknown {
            what: "cost for a gradient with respect to points",
            found: "a stored matrix".to_owned(),
            expected: "two point clouds",
        });
    };
    let operator = PlanOperator::new(problem, potentials, epsilon)?;
    let (ground, dim) = (points.ground(), points.source().dim());
    let pull = |i: usize, j: usize, cost: f64, mass: f64, f: &mut dyn FnMut(usize, f64)| {
        let (x, y) = (points.source().point(i), points.target().point(j));
        for (k, (x, y)) in x.iter().zip(y).enumerate() {
            f(k, mass * slope(ground, x - y, cost));
        }
    };
    let source = map_rows(problem.cost(), |i, costs| {
        let mut sum = vec![0.0; dim];
        operator.for_each(i, costs, |j, c, p| pull(i, j, c, p, &mut |k, d| sum[k] += d));
        sum
    });
    let target = fold_rows(
        problem.cost(),
        &vec![0.0; dim * problem.target().len()],
        |i, costs, sums: &mut Vec<f64>| {
            operator.for_each(i, costs, |j, c, p| pull(i, j, c, p, &mut |k, d| sums[dim * j + k] -= d));
        },
        |all, part| add(all, &part),
    );
    Ok((source.concat(), target))
}

/// ∂c/∂x_k where `difference` = x_k − y_k and `cost` = c(x, y).
fn slope(ground: Ground, difference: f64, cost: f64) -> f64 {
    match ground {
        Ground::SqEuclidean => 2.0 * difference,
        Ground::L1 if difference == 0.0 => 0.0,
        Ground::L1 => difference.signum(),
        Ground::L2 if cost == 0.0 => 0.0,
        Ground::L2 => difference / cost,
    }
}
