//! The plan as an operator: P v, Pᵀ u and the barycentric map, from the potentials and without storing P.

use super::visit::{add, fold_rows, map_rows};
use super::{PointCloud, Potentials, TransportError, TransportProblem};

/// P_ij = exp((f_i + g_j − C_ij)/ε) where both weights are positive, else 0. Each product is one pass over all
/// pairs; nothing of size n × m is stored.
#[derive(Debug, Clone, Copy)]
pub struct PlanOperator<'a> {
    problem: &'a TransportProblem,
    potentials: &'a Potentials,
    epsilon: f64,
}

impl<'a> PlanOperator<'a> {
    /// The plan of `potentials` at the absolute ε of their solve.
    ///
    /// # Errors
    /// If the potentials have other lengths than the weights, or ε is not positive and finite.
    pub fn new(
        problem: &'a TransportProblem,
        potentials: &'a Potentials,
        epsilon: f64,
    ) -> Result<Self, TransportError> {
        let (n, m) = (problem.cost().rows(), problem.cost().cols());
        check_len("the source potential", potentials.source.len(), n)?;
        check_len("the target potential", potentials.target.len(), m)?;
        if !(epsilon > 0.0 && epsilon.is_finite()) {
            let expected = "the regularisation must be positive and finite";
            return Err(TransportError::Option { name: "epsilon", value: epsilon, expected });
        }
        Ok(Self { problem, potentials, epsilon })
    }

    /// Calls `f(j, C_ij, P_ij)` for the entries of row `i` that are not zero.
    pub(super) fn for_each(&self, i: usize, costs: &[f64], mut f: impl FnMut(usize, f64, f64)) {
        if self.problem.source()[i] <= 0.0 {
            return;
        }
        let (u, b) = (self.potentials.source[i], self.problem.target());
        for (j, (&c, &g)) in costs.iter().zip(&self.potentials.target).enumerate() {
            let p = ((u + g - c) / self.epsilon).exp();
            if p > 0.0 && b[j] > 0.0 {
                f(j, c, p);
            }
        }
    }

    /// P v for v of length m.
    ///
    /// # Errors
    /// If `v` has another length.
    pub fn apply(&self, v: &[f64]) -> Result<Vec<f64>, TransportError> {
        check_len("the vector", v.len(), self.problem.cost().cols())?;
        Ok(map_rows(self.problem.cost(), |i, costs| {
            let mut sum = 0.0;
            self.for_each(i, costs, |j, _, p| sum += p * v[j]);
            sum
        }))
    }

    /// Pᵀ u for u of length n.
    ///
    /// # Errors
    /// If `u` has another length.
    pub fn apply_transpose(&self, u: &[f64]) -> Result<Vec<f64>, TransportError> {
        check_len("the vector", u.len(), self.problem.cost().rows())?;
        let start = vec![0.0; self.problem.cost().cols()];
        Ok(fold_rows(
            self.problem.cost(),
            &start,
            |i, costs, sums: &mut Vec<f64>| self.for_each(i, costs, |j, _, p| sums[j] += p * u[i]),
            |all, part| add(all, &part),
        ))
    }

    /// P1 and Pᵀ1.
    pub fn marginals(&self) -> (Vec<f64>, Vec<f64>) {
        let (n, m) = (self.problem.cost().rows(), self.problem.cost().cols());
        // The lengths are right by construction.
        (
            self.apply(&vec![1.0; m]).unwrap_or_default(),
            self.apply_transpose(&vec![1.0; n]).unwrap_or_default(),
        )
    }

    /// ‖P1 − a‖₁ + ‖Pᵀ1 − b‖₁.
    pub fn marginal_error(&self) -> f64 {
        let (rows, cols) = self.marginals();
        let distance = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>();
        distance(&rows, self.problem.source()) + distance(&cols, self.problem.target())
    }

    /// Where each source goes on average: Σ_j P_ij y_j / Σ_j P_ij for the target points y (m in ℝᵈ), n × d by rows.
    /// The map that minimises Σ P_ij |T(x_i) − y_j|². NaN where a source has no mass.
    ///
    /// # Errors
    /// If there are not m target points.
    pub fn barycentric_map(&self, target: &PointCloud) -> Result<Vec<f64>, TransportError> {
        check_len("the target points", target.len(), self.problem.cost().cols())?;
        let rows = map_rows(self.problem.cost(), |i, costs| {
            let (mut mass, mut mean) = (0.0, vec![0.0; target.dim()]);
            self.for_each(i, costs, |j, _, p| {
                mass += p;
                mean.iter_mut().zip(target.point(j)).for_each(|(x, y)| *x += p * y);
            });
            mean.iter_mut().for_each(|x| *x /= mass);
            mean
        });
        Ok(rows.concat())
    }
}

pub(super) fn check_len(what: &'static str, found: usize, expected: usize) -> Result<(), TransportError> {
    if found == expected { Ok(()) } else { Err(TransportError::Size { what, found, expected }) }
}
