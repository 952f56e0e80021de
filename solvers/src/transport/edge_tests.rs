//! Weights of zero, forbidden pairs, bad input, limits, starts.

#![allow(clippy::unwrap_used)]

use super::testing::*;
use super::*;
use std::ops::ControlFlow;

#[test]
fn weights_of_zero_are_left_out_and_get_finite_potentials() {
    let problem = random_problem(19, 20, 15);
    let (cost, mut a, mut b) = problem.clone().into_parts();
    for i in [0, 7, 19] {
        a[i] = 0.0;
    }
    b[3] = 0.0;
    let normalise = |w: &mut Vec<f64>| {
        let sum: f64 = w.iter().sum();
        w.iter_mut().for_each(|w| *w /= sum);
    };
    normalise(&mut a);
    normalise(&mut b);
    let problem = TransportProblem::new(cost, a, b).unwrap();
    for relative in [1e-1, 1e-3] {
        let outcome = run(&problem, relative, TransportMethod::Auto);
        assert!(outcome.converged());
        let all = outcome.potentials.source.iter().chain(&outcome.potentials.target);
        assert!(all.clone().all(|x| x.is_finite()));
        assert!(by_definition(&problem, &outcome.potentials, outcome.epsilon).1 < 1.1e-8);
        let plan = plan(&problem, &outcome.potentials, outcome.epsilon, 0.0).unwrap();
        assert!(plan.matrix.row(7).0.is_empty());
    }
}

#[test]
fn trivial_problems() {
    let one = TransportProblem::uniform(Cost::dense(1, 1, vec![3.0]).unwrap()).unwrap();
    let outcome = run(&one, 1e-3, TransportMethod::Auto);
    assert!(outcome.converged() && (outcome.transport_cost - 3.0).abs() < 1e-8);
    // A constant cost, also 0, and points that are all the same: the product plan.
    for value in [0.0, 2.0] {
        let problem = TransportProblem::uniform(Cost::dense(4, 5, vec![value; 20]).unwrap()).unwrap();
        let outcome = run(&problem, 1e-2, TransportMethod::Auto);
        assert!(outcome.converged() && (outcome.transport_cost - value).abs() < 1e-8);
        let plan = plan(&problem, &outcome.potentials, outcome.epsilon, 0.0).unwrap();
        assert!(plan.matrix.values().iter().all(|p| (p - 0.05).abs() < 1e-9));
    }
    let cloud = PointCloud::new(2, vec![1.0; 8]).unwrap();
    let problem = TransportProblem::uniform(Cost::points(cloud.clone(), cloud, Ground::L2).unwrap()).unwrap();
    assert!(run(&problem, 1e-2, TransportMethod::Auto).converged());
}

#[test]
fn forbidden_pairs() {
    let x = f64::INFINITY;
    let weights = || vec![0.5, 0.5];
    let feasible = Cost::dense(2, 2, vec![1.0, x, 2.0, 0.5]).unwrap();
    let problem = TransportProblem::new(feasible, weights(), weights()).unwrap();
    let outcome = run(&problem, 0.05, TransportMethod::Auto);
    let all = outcome.potentials.source.iter().chain(&outcome.potentials.target);
    assert!(all.clone().all(|x| x.is_finite()));
    assert!((outcome.transport_cost - 0.75).abs() < 1e-6, "{outcome:?}");
    let blocked = Cost::dense(2, 2, vec![1.0, x, 1.0, x]).unwrap();
    let problem = TransportProblem::new(blocked, weights(), weights()).unwrap();
    let outcome = run(&problem, 0.05, TransportMethod::Auto);
    assert_eq!(outcome.status, TransportStatus::Infeasible);
    let all = outcome.potentials.source.iter().chain(&outcome.potentials.target);
    assert!(all.clone().all(|x| x.is_finite()));
}

#[test]
fn bad_input_is_refused() {
    let cost = || Cost::dense(2, 2, vec![1.0; 4]).unwrap();
    assert!(matches!(Cost::dense(2, 2, vec![1.0; 3]), Err(TransportError::Size { .. })));
    assert!(matches!(
        Cost::dense(2, 1, vec![1.0, f64::NAN]),
        Err(TransportError::Cost { row: 1, col: 0, .. })
    ));
    assert!(matches!(Cost::dense(1, 1, vec![f64::INFINITY]), Err(TransportError::NoFiniteCost)));
    assert!(matches!(PointCloud::new(2, vec![1.0; 3]), Err(TransportError::Size { .. })));
    assert!(matches!(PointCloud::new(1, vec![f64::NAN]), Err(TransportError::Coordinate { .. })));
    let new = |a: [f64; 2], b: [f64; 2]| TransportProblem::new(cost(), a.to_vec(), b.to_vec());
    assert!(matches!(new([-1.0, 2.0], [0.5, 0.5]), Err(TransportError::Weight { index: 0, .. })));
    assert!(matches!(new([0.0, 0.0], [0.5, 0.5]), Err(TransportError::Mass { .. })));
    let message = new([1.0, 0.5], [0.5, 0.5]).unwrap_err().to_string();
    assert!(message.contains("1.5") && message.contains("to 1:"), "{message}");
    let problem = new([0.5, 0.5], [0.5, 0.5]).unwrap();
    for epsilon in [Epsilon::Absolute(0.0), Epsilon::Relative(-1.0), Epsilon::Absolute(f64::NAN)] {
        assert!(solve(&problem, &TransportOptions::new(epsilon), None, &mut ()).is_err());
    }
    let error = solve(&problem, &TransportOptions::new(Epsilon::Absolute(1e-12)), None, &mut ()).unwrap_err();
    assert!(matches!(error, TransportError::EpsilonTooSmall { limit: 1e-8, .. }), "{error}");
}

#[test]
fn limits_and_monitors_stop_a_solve() {
    let problem = random_problem(23, 50, 50);
    let options = TransportOptions { max_iters: Some(2), ..TransportOptions::new(Epsilon::Relative(1e-3)) };
    assert_eq!(solve(&problem, &options, None, &mut ()).unwrap().status, TransportStatus::MaxIterations);
    let options = TransportOptions::new(Epsilon::Relative(1e-3));
    let mut stop = |_: &TransportProgress| ControlFlow::Break(());
    let outcome = solve(&problem, &options, None, &mut stop).unwrap();
    assert_eq!(outcome.status, TransportStatus::Interrupted);
    assert!(outcome.potentials.source.iter().all(|x| x.is_finite()));
    let options = TransportOptions { time_limit: Some(std::time::Duration::ZERO), ..options };
    assert_eq!(solve(&problem, &options, None, &mut ()).unwrap().status, TransportStatus::TimeLimit);
}

#[test]
fn a_solution_as_start_is_a_solution_at_once() {
    let problem = random_problem(29, 40, 30);
    let options = TransportOptions::new(Epsilon::Relative(1e-3));
    let first = solve(&problem, &options, None, &mut ()).unwrap();
    let again = solve(&problem, &options, Some(&first.potentials), &mut ()).unwrap();
    assert!(again.converged() && again.sinkhorn_iterations <= 2);
}
