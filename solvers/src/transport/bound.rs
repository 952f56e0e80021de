//! A lower bound on the unregularised cost, from the potentials of a regularised solve.
//!
//! Any f gives with its c-transform g_j = min_i (C_ij − f_i) a feasible point of the dual linear program
//! max Σ a f + Σ b g over f_i + g_j ≤ C_ij, so its value is at most the least transport cost. Starting
//! from g, one transform to f and one back never lowers it.

use super::plan::check_potentials;
use super::visit::{fold_rows, map_rows};
use super::{Potentials, TransportError, TransportProblem};

/// A feasible point of the dual linear program.
#[derive(Debug, Clone, PartialEq)]
pub struct LpBound {
    /// Σ a f + Σ b g ≤ min ⟨C, P⟩. With the cost of a plan with exact marginals (see
    /// [`round_plan`](super::round_plan)) it encloses the unregularised optimum.
    pub value: f64,
    /// f and g with f_i + g_j ≤ C_ij for all pairs of positive weight; a start for a network simplex. +∞ where
    /// a weight is zero and every pair is forbidden.
    pub potentials: Potentials,
}

/// The bound from two c-transforms, each a pass over all pairs.
///
/// # Errors
/// If the potentials do not fit the problem.
pub fn lp_bound(problem: &TransportProblem, potentials: &Potentials) -> Result<LpBound, TransportError> {
    check_potentials(problem, potentials)?;
    let (a, b) = (problem.source(), problem.target());
    let source = map_rows(problem.cost(), |_, costs| {
        let pairs = costs.iter().zip(&potentials.target).zip(b);
        pairs.filter(|(_, b)| **b > 0.0).map(|((c, g), _)| c - g).fold(f64::INFINITY, f64::min)
    });
    let target = fold_rows(
        problem.cost(),
        &vec![f64::INFINITY; b.len()],
        |i, costs, least: &mut Vec<f64>| {
            if a[i] > 0.0 && source[i].is_finite() {
                least.iter_mut().zip(costs).for_each(|(least, c)| *least = least.min(c - source[i]));
            }
        },
        |all, part| all.iter_mut().zip(part).for_each(|(all, part)| *all = all.min(part)),
    );
    let dot =
        |w: &[f64], f: &[f64]| w.iter().zip(f).filter(|(w, _)| **w > 0.0).map(|(w, f)| w * f).sum::<f64>();
    let value = dot(a, &source) + dot(b, &target);
    Ok(LpBound { value, potentials: Potentials { source, target } })
}
