//! Plans that fall apart, and properties that hold for every problem.

#![allow(clippy::unwrap_used)]

use super::testing::*;
use super::*;
use proptest::prelude::*;

#[test]
fn two_far_clusters_with_a_weak_link_converge() {
    // Sources and targets in two clusters each, whose masses differ by `moved`, which has to go the long way.
    let two = |seed, n: usize| {
        let draws = uniform(seed, 2 * n);
        let x = draws
            .chunks(2)
            .enumerate()
            .flat_map(|(i, p)| [0.1 * p[0] + if i % 2 == 0 { 0.0 } else { 1.0 }, 0.1 * p[1]]);
        PointCloud::new(2, x.collect()).unwrap()
    };
    let cost = Cost::points(two(41, 80), two(43, 60), Ground::SqEuclidean).unwrap();
    for moved in [0.1, 1e-3, 1e-6] {
        let weights = |n: usize, first: f64| -> Vec<f64> {
            (0..n).map(|i| if i % 2 == 0 { first } else { 1.0 - first } * 2.0 / n as f64).collect()
        };
        let problem =
            TransportProblem::new(cost.clone(), weights(80, 0.5 + moved), weights(60, 0.5)).unwrap();
        for relative in [1e-2, 1e-3, 1e-4] {
            let outcome = run(&problem, relative, TransportMethod::Auto);
            assert!(outcome.converged(), "{moved} {relative}: {}", outcome.status);
            // Mass crosses one link of weight near 0: plain sweeps would take thousands and more.
            assert!(outcome.sinkhorn_iterations < 150, "{moved} {relative}: {}", outcome.sinkhorn_iterations);
            let (_, error) = by_definition(&problem, &outcome.potentials, outcome.epsilon);
            assert!(error <= 1.1e-8, "{moved} {relative}: {error}");
        }
    }
}

/// The mean of |x − y|ᵖ over the monotone matching of points in one dimension with weights: its quantiles matched.
fn monotone(x: &[f64], a: &[f64], y: &[f64], b: &[f64], power: i32) -> f64 {
    let sorted = |x: &[f64], w: &[f64]| {
        let mut all: Vec<(f64, f64)> = x.iter().copied().zip(w.iter().copied()).collect();
        all.sort_by(|p, q| p.0.total_cmp(&q.0));
        all
    };
    let (mut x, mut y) = (sorted(x, a), sorted(y, b));
    let (mut i, mut j, mut cost) = (0, 0, 0.0);
    while i < x.len() && j < y.len() {
        let moved = x[i].1.min(y[j].1);
        cost += moved * (x[i].0 - y[j].0).abs().powi(power);
        (x[i].1, y[j].1) = (x[i].1 - moved, y[j].1 - moved);
        (i, j) = if x[i].1 <= y[j].1 { (i + 1, j) } else { (i, j + 1) };
    }
    cost
}

/// Whether two solves of one problem, the second `factor` times as large, agree as well as their marginal errors allow.
///
/// Each plan is optimal for its own marginals. Between these and the true ones, with D their L1 distance, the dual
/// optimum is convex, so a dual objective misses by at most D times the difference of the potentials. The change of
/// the plan is an electrical flow of value D/2 in the network with conductances P: paths of which no edge is used
/// against the flow, each of at most min(n, m) edges from a row to a column. So ⟨C, P⟩ differs by at most
/// ½ D min(n, m) max C, whatever ε, and however weak the links.
fn agree(
    problem: &TransportProblem,
    one: &TransportOutcome,
    other: &TransportOutcome,
    factor: f64,
) -> Result<(), TestCaseError> {
    let (n, m) = (problem.source().len(), problem.target().len());
    let scale = factor.max(1.0);
    let error = one.marginal_error + other.marginal_error * if factor == 1.0 { 1.0 } else { 0.01 };
    let bound = 0.5 * error * n.min(m) as f64 * problem.cost().max_abs() + 1e-12;
    let difference = one.transport_cost - other.transport_cost / scale;
    prop_assert!(difference.abs() <= bound, "{difference:e} {bound:e}");
    Ok(())
}

/// A problem and its transpose.
fn transpose(problem: &TransportProblem) -> TransportProblem {
    let (n, m) = (problem.source().len(), problem.target().len());
    let transposed = (0..n * m).map(|k| problem.cost().entry(k % n, k / n)).collect();
    let cost = Cost::dense(m, n, transposed).unwrap();
    TransportProblem::new(cost, problem.target().to_vec(), problem.source().to_vec()).unwrap()
}

fn line(seed: u64, n: usize, m: usize) -> Result<(), TestCaseError> {
    let (x, y) = (uniform(seed, n), uniform(seed + 7, m));
    let (_, a, b) = random_problem(seed, n, m).into_parts();
    let cloud = |x: &[f64]| PointCloud::new(1, x.to_vec()).unwrap();
    for (ground, power) in [(Ground::L1, 1), (Ground::SqEuclidean, 2)] {
        let exact = monotone(&x, &a, &y, &b, power);
        let cost = Cost::points(cloud(&x), cloud(&y), ground).unwrap();
        let problem = TransportProblem::new(cost, a.clone(), b.clone()).unwrap();
        let outcome = run(&problem, 1e-3, TransportMethod::Auto);
        prop_assert!(outcome.converged(), "{}", outcome.status);
        // The entropic plan costs at least the least, and at most ε log(nm) more.
        let gap = outcome.transport_cost - exact;
        prop_assert!(gap > -1e-7 && gap <= outcome.epsilon * ((n * m) as f64).ln() + 1e-7, "{gap}");
    }
    Ok(())
}

fn symmetry(seed: u64, n: usize, m: usize, power: f64) -> Result<(), TestCaseError> {
    let relative = 10_f64.powf(power);
    let problem = random_problem(seed, n, m);
    let outcome = run(&problem, relative, TransportMethod::Auto);
    prop_assert!(outcome.converged(), "{}", outcome.status);
    prop_assert!(outcome.marginal_error <= 1.1e-8);
    let other = run(&transpose(&problem), relative, TransportMethod::Auto);
    prop_assert!(other.converged(), "{}", other.status);
    agree(&problem, &outcome, &other, 1.0)?;
    let (f, g) = (&outcome.potentials, &other.potentials);
    let apart = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
    let apart = apart(&f.source, &g.target).max(apart(&f.target, &g.source));
    let dual = (outcome.dual_objective - other.dual_objective).abs();
    prop_assert!(dual <= (outcome.marginal_error + other.marginal_error) * apart + 1e-13, "{dual:e} {apart}");
    // To the twelfth digit.
    let options = TransportOptions { tol: 1e-12, ..TransportOptions::new(Epsilon::Relative(relative)) };
    let sharp = |p: &TransportProblem| solve(p, &options, None, &mut ()).unwrap();
    let (one, other) = (sharp(&problem), sharp(&transpose(&problem)));
    prop_assert!(one.marginal_error <= 1e-11 && other.marginal_error <= 1e-11, "{}", one.marginal_error);
    prop_assert!((one.transport_cost - other.transport_cost).abs() <= 1e-10);
    agree(&problem, &outcome, &one, 1.0)?;
    // Ten times the cost, ten times ε, a hundred times the mass.
    let values = (0..n * m).map(|k| 10.0 * problem.cost().entry(k / m, k % m)).collect();
    let scale = |w: &[f64]| w.iter().map(|w| 100.0 * w).collect::<Vec<_>>();
    let cost = Cost::dense(n, m, values).unwrap();
    let scaled = TransportProblem::new(cost, scale(problem.source()), scale(problem.target())).unwrap();
    let other = run(&scaled, relative, TransportMethod::Auto);
    prop_assert!(other.converged(), "{}", other.status);
    agree(&problem, &outcome, &other, 1000.0)?;
    // Potentials may be shifted against each other.
    let shifted = Potentials {
        source: outcome.potentials.source.iter().map(|f| f + 0.5).collect(),
        target: outcome.potentials.target.iter().map(|g| g - 0.5).collect(),
    };
    let (cost, error) = by_definition(&problem, &shifted, outcome.epsilon);
    prop_assert!((cost - outcome.transport_cost).abs() < 1e-9 && error < 1.2e-8);
    Ok(())
}

#[test]
fn a_line_on_which_one_source_feeds_a_far_target() {
    // Stagnated at an error of 2e-3 when links between parts of the plan were left to sweeps.
    line(730, 33, 12).unwrap();
}

#[test]
fn random_weights_at_a_small_epsilon() {
    // Stagnated.
    symmetry(922, 19, 7, -3.947001553893357).unwrap();
}

#[test]
fn the_transpose_costs_the_same_across_a_weak_link() {
    // Both solves met the tolerance and their costs differed by more than 1e-7.
    symmetry(560, 5, 21, -2.895530521231345).unwrap();
}

/// Weights of four kinds: even, over six decades, integers, and even but for a millionth.
fn hard_weights(seed: u64, n: usize, kind: usize) -> Vec<f64> {
    let draw = uniform(seed, n);
    let weight = |x: &f64| match kind {
        0 => 1.0,
        1 => 10_f64.powf(-6.0 * x),
        2 => 1.0 + (3.0 * x).floor(),
        _ => 1.0 + 1e-6 * x,
    };
    let w: Vec<f64> = draw.iter().map(weight).collect();
    let sum: f64 = w.iter().sum();
    w.iter().map(|w| w / sum).collect()
}

/// Costs of five kinds: random, with ties, over four decades, a hidden permutation, and far clusters.
fn hard_cost(seed: u64, n: usize, m: usize, kind: usize) -> Cost {
    let draw = uniform(seed, n * m);
    let value = |(k, x): (usize, &f64)| match kind {
        0 => *x,
        1 => (6.0 * x).floor(),
        2 => 10_f64.powf(-4.0 * x),
        3 => 0.05 * x + if (7 * (k / m)) % m == k % m { 0.0 } else { 0.5 },
        _ => 0.01 * x + if (k / m) % 3 == (k % m) % 3 { 0.0 } else { 1.0 },
    };
    Cost::dense(n, m, draw.iter().enumerate().map(value).collect()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn convex_costs_on_a_line_tend_to_the_monotone_plan(seed in 1_u64..1000, n in 2_usize..40, m in 2_usize..40) {
        line(seed, n, m)?;
    }

    #[test]
    fn marginals_symmetry_and_scaling(seed in 1_u64..1000, n in 2_usize..25, m in 2_usize..25, power in -4.0..-0.5_f64) {
        symmetry(seed, n, m, power)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn auto_converges_on_hard_problems_down_to_a_ten_millionth(
        seed in 1_u64..1_000_000,
        (n, m) in (2_usize..50, 2_usize..50),
        kinds in (0_usize..4, 0_usize..4, 0_usize..5),
        power in -7.0..-0.5_f64,
    ) {
        let cost = hard_cost(seed, n, m, kinds.2);
        let (a, b) = (hard_weights(seed + 1, n, kinds.0), hard_weights(seed + 2, m, kinds.1));
        let problem = TransportProblem::new(cost, a, b).unwrap();
        if problem.cost().max_abs() > 0.0 {
            let outcome = run(&problem, 10_f64.powf(power), TransportMethod::Auto);
            // Exponents of size 1/ε are rounded, and every entry of the plan with them, by as much relative to itself.
            let rounding = 4.0 * f64::EPSILON / 10_f64.powf(power);
            let stagnated = outcome.status == TransportStatus::Stagnated;
            let is_rounded = rounding > 1e-9 && stagnated && outcome.marginal_error <= 1e-8 + rounding;
            prop_assert!(outcome.converged() || is_rounded, "{} {}", outcome.status, outcome.marginal_error);
            let (_, error) = by_definition(&problem, &outcome.potentials, outcome.epsilon);
            prop_assert!(error <= 1e-8 + 1e-9 + rounding, "{error}");
        }
    }
}
