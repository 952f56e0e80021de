//! The whole solver against closed forms, exact linear programs, and a long plain Sinkhorn.

#![allow(clippy::unwrap_used)]

use super::testing::*;
use super::*;

#[test]
fn reported_figures_are_those_of_the_returned_potentials() {
    let problem = random_problem(3, 60, 45);
    for relative in [0.1, 1e-2, 1e-3, 1e-4, 1e-5] {
        let outcome = run(&problem, relative, TransportMethod::Auto);
        assert!(outcome.converged(), "{relative}: {}", outcome.status);
        let (cost, error) = by_definition(&problem, &outcome.potentials, outcome.epsilon);
        assert!((cost - outcome.transport_cost).abs() < 1e-9);
        assert!((error - outcome.marginal_error).abs() < 1e-9 && error <= 1.1e-8, "{relative}: {error}");
        assert!((outcome.regularised_cost - outcome.dual_objective).abs() < 1e-8);
    }
}

#[test]
fn methods_agree_with_a_long_plain_sinkhorn() {
    let problem = random_problem(5, 40, 40);
    let options = TransportOptions {
        method: TransportMethod::Sinkhorn,
        omega: Some(1.0),
        tol: 1e-12,
        ..TransportOptions::new(Epsilon::Relative(0.02))
    };
    let reference = solve(&problem, &options, None, &mut ()).unwrap();
    assert!(reference.converged());
    for method in TransportMethod::ALL {
        let outcome = run(&problem, 0.02, method);
        assert!(outcome.converged(), "{method}: {}", outcome.status);
        assert!((outcome.transport_cost - reference.transport_cost).abs() < 1e-8, "{method}");
        for (x, y) in outcome.potentials.source.iter().zip(&reference.potentials.source) {
            assert!((x - y).abs() < 1e-6, "{method}: {x} {y}");
        }
    }
}

#[test]
fn the_published_method_makes_few_newton_steps_where_the_plan_is_sparse() {
    let problem = TransportProblem::uniform(Cost::dense(100, 100, uniform(7, 10_000)).unwrap()).unwrap();
    let options = TransportOptions {
        method: TransportMethod::Sns,
        sns_density: Some(0.15),
        ..TransportOptions::new(Epsilon::Relative(2e-3))
    };
    let outcome = solve(&problem, &options, None, &mut ()).unwrap();
    assert!(outcome.converged(), "{}", outcome.status);
    assert!((1..=15).contains(&outcome.newton_iterations), "{}", outcome.newton_iterations);
    assert!((outcome.hessian_density - 0.15).abs() < 1e-3);
}

#[test]
fn the_published_method_takes_the_newton_steps_of_the_tables() {
    // ε = 1/1200, n = 500: docs/benchmarks.md has 7 steps after 20 sweeps, 5 after 100, and many where λ is 2/n.
    let problem = TransportProblem::uniform(Cost::dense(500, 500, uniform(9, 250_000)).unwrap()).unwrap();
    for (sweeps, kept, expected) in
        [(20, 5.0, 4..=11), (20, 15.0, 4..=9), (100, 15.0, 3..=7), (20, 2.0, 12..=80)]
    {
        let options = TransportOptions {
            method: TransportMethod::Sns,
            sns_sweeps: sweeps,
            sns_density: Some(kept / 500.0),
            ..TransportOptions::new(Epsilon::Absolute(1.0 / 1200.0))
        };
        let outcome = solve(&problem, &options, None, &mut ()).unwrap();
        assert!(outcome.converged(), "{sweeps} {kept}: {}", outcome.status);
        assert!(
            expected.contains(&outcome.newton_iterations),
            "{sweeps} {kept}: {}",
            outcome.newton_iterations
        );
    }
}

#[test]
fn one_dimension_tends_to_the_monotone_matching() {
    let (mut x, mut y) = (uniform(11, 50), uniform(13, 50));
    let clouds = |x: &[f64], y: &[f64]| {
        let cloud = |x: &[f64]| PointCloud::new(1, x.to_vec()).unwrap();
        TransportProblem::uniform(Cost::points(cloud(x), cloud(y), Ground::SqEuclidean).unwrap()).unwrap()
    };
    let problem = clouds(&x, &y);
    x.sort_by(f64::total_cmp);
    y.sort_by(f64::total_cmp);
    let exact = x.iter().zip(&y).map(|(x, y)| (x - y) * (x - y) / 50.0).sum::<f64>();
    let mut last = f64::INFINITY;
    for relative in [1e-2, 1e-3, 1e-4, 1e-5] {
        let outcome = run(&problem, relative, TransportMethod::Auto);
        assert!(outcome.converged(), "{relative}");
        let gap = outcome.transport_cost - exact;
        assert!(gap > -1e-8 && gap <= outcome.epsilon * (2500_f64).ln() + 1e-8, "{relative}: {gap}");
        assert!(gap < last + 1e-8);
        last = gap;
    }
}

#[test]
fn small_assignments_tend_to_the_best_permutation() {
    fn best(cost: &[f64], n: usize, row: usize, used: u32) -> f64 {
        if row == n {
            return 0.0;
        }
        (0..n)
            .filter(|j| used & (1 << j) == 0)
            .map(|j| cost[row * n + j] + best(cost, n, row + 1, used | (1 << j)))
            .fold(f64::INFINITY, f64::min)
    }
    for seed in 1..6 {
        let values = uniform(seed, 36);
        let exact = best(&values, 6, 0, 0) / 6.0;
        let problem = TransportProblem::uniform(Cost::dense(6, 6, values).unwrap()).unwrap();
        let outcome = run(&problem, 1e-4, TransportMethod::Auto);
        assert!(outcome.converged());
        assert!((outcome.transport_cost - exact).abs() < 1e-3, "{seed}: {} {exact}", outcome.transport_cost);
    }
}

#[test]
fn clouds_agree_with_their_stored_cost() {
    for dim in [1, 2, 3, 5] {
        for ground in Ground::ALL {
            let cloud = |seed, n| PointCloud::new(dim, uniform(seed, n * dim)).unwrap();
            let cost = Cost::points(cloud(1, 37), cloud(2, 29), ground).unwrap();
            let values = (0..37 * 29).map(|k| cost.entry(k / 29, k % 29)).collect();
            let stored = TransportProblem::uniform(Cost::dense(37, 29, values).unwrap()).unwrap();
            let computed = TransportProblem::uniform(cost).unwrap();
            let (x, y) =
                (run(&stored, 5e-3, TransportMethod::Auto), run(&computed, 5e-3, TransportMethod::Auto));
            assert!(x.converged() && y.converged());
            assert!((x.transport_cost - y.transport_cost).abs() < 1e-8);
        }
    }
}

#[test]
fn large_clouds_with_tiles_and_clusters_left_out_meet_the_tolerance_by_definition() {
    // Enough pairs for the smaller problem, tiles, coarse steps; n no multiple of a run or chunk; uneven weights.
    let cloud = |seed, n: usize| {
        let points = uniform(seed, 2 * n).iter().map(|x| x * x * 3.0).collect();
        PointCloud::new(2, points).unwrap()
    };
    let weights = |seed, n: usize| -> Vec<f64> {
        let w: Vec<f64> = uniform(seed, n).iter().map(|w| w * w + 1e-3).collect();
        let sum: f64 = w.iter().sum();
        w.iter().map(|w| w / sum).collect()
    };
    let (n, m) = (2203, 2005);
    let mut costs = Vec::new();
    for ground in [Ground::SqEuclidean, Ground::L1] {
        let cost = Cost::points(cloud(1, n), cloud(2, m), ground).unwrap();
        let problem = TransportProblem::new(cost, weights(3, n), weights(4, m)).unwrap();
        let outcome = run(&problem, 1e-3, TransportMethod::Auto);
        assert!(outcome.converged(), "{ground}: {}", outcome.status);
        let (cost, error) = by_definition(&problem, &outcome.potentials, outcome.epsilon);
        assert!(error <= 1.1e-8 && (cost - outcome.transport_cost).abs() < 1e-9, "{ground}: {error}");
        assert!(outcome.sinkhorn_iterations <= 60 && outcome.newton_iterations <= 30, "{ground}");
        costs.push(cost);
    }
    assert!(costs[0] < costs[1]);
}

#[test]
fn bits_do_not_depend_on_threads() {
    let problem = random_problem(17, 300, 280);
    let cloud = |seed| PointCloud::new(2, uniform(seed, 4200)).unwrap();
    let clouds = Cost::points(cloud(1), cloud(2), Ground::SqEuclidean).unwrap();
    let clouds = TransportProblem::uniform(clouds).unwrap();
    for (relative, method, problem) in [
        (1e-2, TransportMethod::Auto, &problem),
        (1e-3, TransportMethod::Auto, &problem),
        (1e-1, TransportMethod::Sns, &problem),
        (2e-3, TransportMethod::Auto, &clouds),
    ] {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(problem, relative, method))
        };
        let one = with(1);
        for threads in [2, 3] {
            let other = with(threads);
            assert_eq!(other.potentials, one.potentials);
            assert_eq!(other.transport_cost.to_bits(), one.transport_cost.to_bits());
        }
    }
}
