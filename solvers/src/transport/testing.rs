//! What tests of the whole solver share.

#![allow(clippy::unwrap_used)]

use super::*;

/// Uniform numbers in [0, 1).
pub(super) fn uniform(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        })
        .collect()
}

pub(super) fn random_problem(seed: u64, n: usize, m: usize) -> TransportProblem {
    let weights = |seed, k| -> Vec<f64> {
        let w: Vec<f64> = uniform(seed, k).iter().map(|w| w + 0.05).collect();
        let sum: f64 = w.iter().sum();
        w.iter().map(|w| w / sum).collect()
    };
    let cost = Cost::dense(n, m, uniform(seed, n * m)).unwrap();
    TransportProblem::new(cost, weights(seed + 1, n), weights(seed + 2, m)).unwrap()
}

pub(super) fn run(problem: &TransportProblem, relative: f64, method: TransportMethod) -> TransportOutcome {
    let options = TransportOptions { method, ..TransportOptions::new(Epsilon::Relative(relative)) };
    solve(problem, &options, None, &mut ()).unwrap()
}

/// Plan, transport cost and L1 marginal error straight from the definition.
pub(super) fn by_definition(problem: &TransportProblem, potentials: &Potentials, epsilon: f64) -> (f64, f64) {
    let (a, b) = (problem.source(), problem.target());
    let (mut rows, mut cols, mut cost) = (vec![0.0; a.len()], vec![0.0; b.len()], 0.0);
    for i in 0..a.len() {
        for j in 0..b.len() {
            let c = problem.cost().entry(i, j);
            let p = ((potentials.source[i] + potentials.target[j] - c) / epsilon).exp();
            rows[i] += p;
            cols[j] += p;
            cost += if p > 0.0 { p * c } else { 0.0 };
        }
    }
    let distance = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).abs()).sum::<f64>();
    (cost, distance(&rows, a) + distance(&cols, b))
}
