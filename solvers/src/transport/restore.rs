//! From a solution of the reduced problem to potentials of the whole one.
//!
//! A weight that is zero would have the potential −∞. It gets the finite one of a weight of [`ZERO_WEIGHT`] of the
//! mass: ε log(ZERO_WEIGHT) less the soft maximum of (g_j − C_ij)/ε, first for columns over the rows that
//! have mass, then for rows over all columns, so that exp((f_i + g_j − C_ij)/ε) is negligible for every such pair.

use super::reduced::Reduced;
use super::{Potentials, TransportProblem};
use rayon::prelude::*;

/// The share of the mass that stands for zero in a potential.
pub const ZERO_WEIGHT: f64 = 1e-30;

/// Potentials in the units of the cost, shifted so that Σ a f = Σ b g.
pub(super) fn restore(
    problem: &TransportProblem,
    reduced: &Reduced<'_>,
    epsilon: f64,
    u: &[f64],
    v: &[f64],
) -> Potentials {
    let (n, m) = (problem.source().len(), problem.target().len());
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let log_mass = problem.mass().ln();
    let t = 0.5 * (dot(&reduced.b, v) - dot(&reduced.a, u) - log_mass);
    let mut source = vec![f64::NAN; n];
    let mut target = vec![f64::NAN; m];
    for (i, u) in reduced.rows.iter().zip(u) {
        source[*i as usize] = (u + log_mass + t) * epsilon;
    }
    for (j, v) in reduced.cols.iter().zip(v) {
        target[*j as usize] = (v - t) * epsilon;
    }
    let cost = problem.cost();
    let tiny = ZERO_WEIGHT.ln() + log_mass;
    let soft = |values: &mut dyn Iterator<Item = f64>| {
        let all: Vec<f64> = values.collect();
        let max = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // A weight of zero whose every pair is forbidden: any potential will do.
        if max == f64::NEG_INFINITY {
            0.0
        } else {
            tiny - max - all.iter().map(|t| (t - max).exp()).sum::<f64>().ln()
        }
    };
    let fill = |j: usize| {
        soft(&mut reduced.rows.iter().map(|i| (source[*i as usize] - cost.entry(*i as usize, j)) / epsilon))
    };
    let zero_cols: Vec<usize> = (0..m).filter(|j| target[*j].is_nan()).collect();
    let values: Vec<f64> = zero_cols.par_iter().map(|j| fill(*j)).collect();
    zero_cols.iter().zip(values).for_each(|(j, v)| target[*j] = v * epsilon);
    let fill = |i: usize| soft(&mut (0..m).map(|j| (target[j] - cost.entry(i, j)) / epsilon));
    let zero_rows: Vec<usize> = (0..n).filter(|i| source[*i].is_nan()).collect();
    let values: Vec<f64> = zero_rows.par_iter().map(|i| fill(*i)).collect();
    zero_rows.iter().zip(values).for_each(|(i, u)| source[*i] = u * epsilon);
    Potentials { source, target }
}
