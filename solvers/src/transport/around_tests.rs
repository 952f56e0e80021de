//! Tests of what stands around the solve: derivatives against differences, bounds, divergence, unbalanced, batches.
#![allow(clippy::unwrap_used)]

use super::*;

const EPSILON: f64 = 0.1;

/// Numbers in [0, 1) that look random.
fn numbers(count: usize, seed: usize) -> Vec<f64> {
    (0..count)
        .map(|k| ((k + 1) as f64 * 0.618_034 + (seed as f64) * 0.271_9 + (k * k % 17) as f64 * 0.13).fract())
        .collect()
}

fn weights(n: usize, seed: usize) -> Vec<f64> {
    let w: Vec<f64> = numbers(n, seed).iter().map(|w| w + 0.2).collect();
    let sum: f64 = w.iter().sum();
    w.iter().map(|w| w / sum).collect()
}

fn clouds(ground: Ground) -> (Vec<f64>, Vec<f64>, Ground) {
    (numbers(2 * 7, 1), numbers(2 * 5, 2), ground)
}

fn problem((x, y, ground): &(Vec<f64>, Vec<f64>, Ground), a: Vec<f64>, b: Vec<f64>) -> TransportProblem {
    let cloud = |p: &Vec<f64>| PointCloud::new(2, p.clone()).unwrap();
    TransportProblem::new(Cost::points(cloud(x), cloud(y), *ground).unwrap(), a, b).unwrap()
}

fn options() -> TransportOptions {
    TransportOptions { tol: 1e-11, ..TransportOptions::new(Epsilon::Absolute(EPSILON)) }
}

fn solved(problem: &TransportProblem) -> TransportOutcome {
    let outcome = solve(problem, &options(), None, &mut ()).unwrap();
    assert!(outcome.converged(), "{}", outcome.status);
    outcome
}

#[test]
fn gradients_agree_with_differences() {
    for ground in Ground::ALL {
        let points = clouds(ground);
        let (a, b) = (weights(7, 3), weights(5, 4));
        let base = problem(&points, a.clone(), b.clone());
        let outcome = solved(&base);
        let (dx, dy) = point_gradient(&base, &outcome.potentials, outcome.epsilon).unwrap();
        let h = 1e-5;
        let value = |p: &TransportProblem| solved(p).dual_objective;
        for k in [0, 3, 9] {
            let moved = |side: usize, h: f64| {
                let mut points = points.clone();
                if side == 0 {
                    points.0[k] += h
                } else {
                    points.1[k] += h
                }
                value(&problem(&points, a.clone(), b.clone()))
            };
            for (side, gradient) in [(0, &dx), (1, &dy)] {
                let difference = (moved(side, h) - moved(side, -h)) / (2.0 * h);
                assert!(
                    (difference - gradient[k]).abs() < 1e-6,
                    "{ground} {side} {k}: {difference} {}",
                    gradient[k]
                );
            }
        }
        // Mass from one source to another.
        let (da, _) = weight_gradient(&outcome.potentials);
        let shifted = |h: f64| {
            let mut a = a.clone();
            (a[1], a[4]) = (a[1] + h, a[4] - h);
            value(&problem(&points, a, b.clone()))
        };
        let difference = (shifted(h) - shifted(-h)) / (2.0 * h);
        assert!((difference - (da[1] - da[4])).abs() < 1e-6, "{ground}: {difference}");
    }
    let stored = TransportProblem::uniform(Cost::dense(1, 1, vec![1.0]).unwrap()).unwrap();
    let zero = Potentials { source: vec![0.0], target: vec![0.0] };
    assert!(point_gradient(&stored, &zero, 1.0).is_err());
}

#[test]
fn bounds_enclose_the_least_cost_and_the_operator_is_the_plan() {
    let points = clouds(Ground::L2);
    let base = problem(&points, weights(7, 3), weights(5, 4));
    let outcome = solved(&base);
    let whole = plan(&base, &outcome.potentials, outcome.epsilon, 0.0).unwrap().matrix;
    let rounded = round_plan(&base, &whole).unwrap();
    let bound = lp_bound(&base, &outcome.potentials).unwrap();
    assert!(bound.value <= rounded.transport_cost + 1e-14);
    assert!(rounded.transport_cost - bound.value < EPSILON * (35.0_f64).ln());
    let (f, g) = (&bound.potentials.source, &bound.potentials.target);
    assert!((0..35).all(|k| f[k / 5] + g[k % 5] <= base.cost().entry(k / 5, k % 5) + 1e-14));
    let operator = PlanOperator::new(&base, &outcome.potentials, outcome.epsilon).unwrap();
    assert!((operator.marginal_error() - outcome.marginal_error).abs() < 1e-13);
    let v = numbers(5, 9);
    let product = operator.apply(&v).unwrap();
    let expected: Vec<f64> = (0..7)
        .map(|i| {
            let (j, p) = whole.row(i);
            j.iter().zip(p).map(|(j, p)| p * v[*j as usize]).sum()
        })
        .collect();
    assert!(product.iter().zip(&expected).all(|(p, q): (&f64, &f64)| (p - q).abs() < 1e-14));
    let u = numbers(7, 10);
    let dot = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| p * q).sum::<f64>();
    assert!((dot(&u, &product) - dot(&operator.apply_transpose(&u).unwrap(), &v)).abs() < 1e-14);
    assert!(operator.apply(&u).is_err());
    // One target: every source goes there.
    let one = problem(&(points.0.clone(), vec![3.0, 4.0], Ground::L1), weights(7, 3), vec![1.0]);
    let outcome = solved(&one);
    let operator = PlanOperator::new(&one, &outcome.potentials, outcome.epsilon).unwrap();
    let map = operator.barycentric_map(&PointCloud::new(2, vec![3.0, 4.0]).unwrap()).unwrap();
    assert!(map.chunks(2).all(|y| (y[0] - 3.0).abs() < 1e-12 && (y[1] - 4.0).abs() < 1e-12));
}

#[test]
fn the_divergence_is_zero_only_for_equal_measures() {
    let (x, y, ground) = clouds(Ground::SqEuclidean);
    let cloud = |p: &[f64]| PointCloud::new(2, p.to_vec()).unwrap();
    let (x, y) = (cloud(&x), cloud(&y));
    let (mut a, b) = (weights(7, 3), weights(5, 4));
    let divergence = |p: (&PointCloud, &[f64]), q: (&PointCloud, &[f64])| {
        sinkhorn_divergence(p, q, ground, &options(), &mut ()).unwrap()
    };
    let own = divergence((&x, &a), (&x, &a));
    assert!(own.converged && own.value.abs() < 1e-9, "{}", own.value);
    let both = divergence((&x, &a), (&y, &b));
    assert!(both.converged && both.value > 1e-4);
    assert!((both.value - divergence((&y, &b), (&x, &a)).value).abs() < 1e-9, "symmetric");
    let h = 1e-5;
    let mut value = |h: f64| {
        (a[0], a[2]) = (a[0] + h, a[2] - h);
        let value = divergence((&x, &a), (&y, &b)).value;
        (a[0], a[2]) = (a[0] - h, a[2] + h);
        value
    };
    let difference = (value(h) - value(-h)) / (2.0 * h);
    let gradient = both.source_weight_gradient[0] - both.source_weight_gradient[2];
    // With the product measure as reference the term ε log a cancels between the two problems.
    assert!((difference - gradient).abs() < 1e-5, "{difference} {gradient}");
}

#[test]
fn unbalanced_problems_meet_their_dual_and_tend_to_the_balanced_one() {
    let points = clouds(Ground::SqEuclidean);
    let (a, mut b) = (weights(7, 3), weights(5, 4));
    let base = problem(&points, a.clone(), b.clone());
    let balanced = solved(&base);
    let stiff = solve_unbalanced(base.cost(), &a, &b, &UnbalancedOptions::new(EPSILON, 1e6)).unwrap();
    assert!(stiff.converged && (stiff.transport_cost - balanced.transport_cost).abs() < 1e-5);
    b.iter_mut().for_each(|b| *b *= 3.0);
    b[2] = 0.0;
    for rho in [0.05, 1.0, 20.0] {
        let outcome = solve_unbalanced(base.cost(), &a, &b, &UnbalancedOptions::new(EPSILON, rho)).unwrap();
        assert!(outcome.converged, "{rho}");
        assert!((outcome.objective - outcome.dual_objective).abs() < 1e-7, "{rho}: {outcome:?}");
        let mass: f64 = outcome.source_marginal.iter().sum();
        assert!(mass > 0.0 && mass < 3.0 && outcome.target_marginal[2] == 0.0);
    }
    assert!(solve_unbalanced(base.cost(), &a, &b, &UnbalancedOptions::new(EPSILON, -1.0)).is_err());
    assert!(solve_unbalanced(base.cost(), &b, &a, &UnbalancedOptions::new(EPSILON, 1.0)).is_err());
}

#[test]
fn unbalanced_problems_converge_at_a_small_epsilon() {
    for (seed, ground) in [(1, Ground::L1), (2, Ground::L2), (3, Ground::SqEuclidean)] {
        let points = (numbers(2 * 30, seed), numbers(2 * 20, seed + 7), ground);
        let (a, b) = (weights(30, 3), weights(20, 4));
        let base = problem(&points, a.clone(), b.clone());
        let b: Vec<f64> = b.iter().map(|b| 1.6 * b).collect();
        for (epsilon, rho) in [(1e-3, 0.1), (1e-4, 10.0), (1e-5, 1.0)] {
            let options = UnbalancedOptions { max_iters: 1000, ..UnbalancedOptions::new(epsilon, rho) };
            let outcome = solve_unbalanced(base.cost(), &a, &b, &options).unwrap();
            assert!(outcome.converged, "{ground} {epsilon} {rho}");
            let gap = (outcome.objective - outcome.dual_objective).abs();
            assert!(gap < 1e-9, "{ground} {epsilon} {rho}: {gap}");
            // The optimality conditions of the marginals.
            let (f, p) = (&outcome.potentials.source, &outcome.source_marginal);
            assert!((0..30).all(|i| (p[i] - a[i] * (-f[i] / rho).exp()).abs() < 1e-7));
        }
    }
}

#[test]
fn a_batch_is_its_problems() {
    let base = problem(&clouds(Ground::L1), weights(7, 3), weights(5, 4));
    let mut pairs: Vec<_> = (0..6).map(|k| (weights(7, k), weights(5, k + 9))).collect();
    pairs[3].0[0] = f64::NAN;
    let outcomes = solve_batch(base.cost(), &pairs, &options());
    for (k, (outcome, (a, b))) in outcomes.iter().zip(&pairs).enumerate() {
        if k == 3 {
            assert!(outcome.is_err());
        } else {
            let alone = solved(&problem(&clouds(Ground::L1), a.clone(), b.clone()));
            assert_eq!(outcome.as_ref().unwrap().potentials, alone.potentials);
        }
    }
}
