//! Problems with known solutions.

use super::*;

#[test]
fn known_problems_reach_their_optimum_with_every_method() {
    for problem in [hs6(), hs7(), hs26(), hs28(), hs40(), bt11(), sphere(12)] {
        for &method in KktMethod::ALL {
            let (outcome, _) = solve(&problem, &with(method));
            assert_eq!(outcome.status, MinimizeStatus::Converged, "{} {method}: {outcome:?}", problem.name());
            assert!(outcome.kkt_residual <= 1e-6);
            let optimum = problem.known_optimum().unwrap();
            let error = (outcome.objective - optimum).abs() / optimum.abs().max(1.0);
            assert!(error < 1e-4, "{} {method}: {} for {optimum}", problem.name(), outcome.objective);
        }
    }
}

#[test]
fn bounds_and_inequalities() {
    let active = build("quadratic", |m| {
        let x = m.bounded_variables(&[0.5, 0.5], 0.0, 1.0);
        m.minimize((x[0] - 2.0).powi(2) + (x[1] + 1.0).powi(2));
        m.known_optimum(2.0);
    });
    let hs71 = build("HS71", |m| {
        let x: Vec<Expr<'_>> = [1.0, 5.0, 5.0, 1.0].iter().map(|&s| m.variable(s, 1.0, 5.0)).collect();
        m.minimize(x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2]);
        m.at_least(x[0] * x[1] * x[2] * x[3], 25.0);
        m.equality(x.iter().map(|x| x.powi(2)).sum::<Expr<'_>>(), 40.0);
        m.known_optimum(17.0140173);
    });
    let lp = build("linear", |m| {
        let x = m.bounded_variables(&[1.0, 1.0, 1.0], 0.0, f64::INFINITY);
        m.minimize(x[0] + 2.0 * x[1] + 3.0 * x[2]);
        m.equality(x[0] + x[1] + x[2], 2.0);
        m.at_most(x[0], 1.5);
        m.known_optimum(2.5);
    });
    let fixed = build("fixed", |m| {
        let x = m.variable(1.0, 3.0, 3.0);
        let y = m.variable(0.0, f64::NEG_INFINITY, f64::INFINITY);
        m.minimize((x + y).powi(2));
        m.known_optimum(0.0);
    });
    for problem in [active, hs71, lp, fixed] {
        for &method in KktMethod::ALL {
            let (outcome, _) = solve(&problem, &with(method));
            assert_eq!(outcome.status, MinimizeStatus::Converged, "{} {method} {outcome:?}", problem.name());
            let optimum = problem.known_optimum().unwrap();
            assert!((outcome.objective - optimum).abs() < 1e-5, "{} {}", problem.name(), outcome.objective);
        }
    }
}

#[test]
fn square_and_overdetermined_equations() {
    let square = build("BOOTH", |m| {
        let x = m.variables(&[0.0, 0.0]);
        m.equality(x[0] + 2.0 * x[1], 7.0);
        m.equality(2.0 * x[0] + x[1], 5.0);
    });
    let helix = build("cubes", |m| {
        let x = m.variables(&[2.0, 1.5]);
        m.equality(x[0].powi(3) - x[1], 0.0);
        m.equality(x[0] * x[1], 1.0);
    });
    let over = build("three lines", |m| {
        let x = m.variables(&[5.0, -3.0]);
        m.equality(x[0] + x[1], 2.0);
        m.equality(x[0] - x[1], 0.0);
        m.equality(x[0].powi(2) + x[1].powi(2), 2.0);
    });
    for problem in [square, helix, over] {
        for &method in KktMethod::ALL {
            let (outcome, _) = solve(&problem, &with(method));
            assert_eq!(outcome.status, MinimizeStatus::Converged, "{} {method} {outcome:?}", problem.name());
        }
    }
}

#[test]
fn problems_without_variables_or_constraints() {
    let empty = build("empty", |m| m.minimize(m.constant(3.0)));
    let (outcome, _) = solve(&empty, &MinimizeOptions::default());
    assert_eq!((outcome.status, outcome.objective), (MinimizeStatus::Converged, 3.0));
    let free = build("rosenbrock", |m| {
        let x = m.variables(&[-1.2, 1.0]);
        m.minimize(100.0 * (x[1] - x[0].powi(2)).powi(2) + (1.0 - x[0]).powi(2));
    });
    for &method in KktMethod::ALL {
        let (outcome, _) = solve(&free, &with(method));
        assert_eq!(outcome.status, MinimizeStatus::Converged, "{method} {outcome:?}");
        assert!(outcome.objective < 1e-8, "{method} {outcome:?}");
    }
}

#[test]
fn undefined_trial_points_cut_the_step() {
    // Newton's first step from 2.5 leaves the domain of the logarithm.
    let problem = build("log", |m| {
        let x = m.variables(&[2.5]);
        m.minimize(x[0] - x[0].ln());
    });
    let (outcome, _) = solve(&problem, &with(KktMethod::Direct));
    assert_eq!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
    assert!((outcome.x[0] - 1.0).abs() < 1e-6);
    let nowhere = build("nowhere", |m| {
        let x = m.variables(&[-1.0]);
        m.minimize(x[0].ln());
    });
    let (outcome, _) = solve(&nowhere, &with(KktMethod::Direct));
    assert_eq!(outcome.status, MinimizeStatus::NonFinite);
}

#[test]
fn closures_are_problems() {
    use residua_data::nlp::closure::{ClosureProblem, Dual, DualNum};
    let circle = ClosureProblem::new(vec![1.0, 0.5], |x: &[Dual]| x[0] + x[1] * 2.0)
        .with_equalities(1, |x, c| c[0] = x[0].powi(2) + x[1].powi(2) - 1.0);
    let hs71 =
        ClosureProblem::new(vec![1.0, 5.0, 5.0, 1.0], |x: &[Dual]| x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2])
            .with_variable_bounds(vec![1.0; 4], vec![5.0; 4])
            .with_constraints(vec![25.0, 40.0], vec![f64::INFINITY, 40.0], |x, c| {
                c[0] = x[0] * x[1] * x[2] * x[3];
                c[1] = x[0].powi(2) + x[1].powi(2) + x[2].powi(2) + x[3].powi(2);
            });
    for (problem, optimum) in [(&circle, -(5f64.sqrt())), (&hs71, 17.0140173)] {
        let mut x = vec![0.0; problem.variables()];
        problem.initial_point(&mut x);
        let lambda = vec![0.7; problem.constraints()];
        assert!(check_derivatives(problem, &x, &lambda).unwrap().max() < 1e-6);
        let (outcome, _) = solve(problem, &with(KktMethod::Direct));
        assert_eq!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
        assert!((outcome.objective - optimum).abs() < 1e-5, "{}", outcome.objective);
    }
}

#[test]
fn many_samples_by_products_and_the_hessian_of_some() {
    use residua_data::nlp::problems::{SparseSamples, SphereLogistic};
    let problem = SphereLogistic::new("logistic", SparseSamples::synthetic(3000, 12, 1), 1);
    let (full, _) = solve(&problem, &with(KktMethod::Direct));
    for method in [KktMethod::Gmres, KktMethod::Sketched, KktMethod::Auto] {
        let (free, _) = solve(&problem, &MinimizeOptions { matrix_free: true, ..with(method) });
        assert_eq!(free.status, MinimizeStatus::Converged, "{method} {free:?}");
        assert!((free.objective - full.objective).abs() < 1e-6, "{method} {free:?}");
        let expected = if method == KktMethod::Sketched { "sketched: the Hessian of some" } else { "gmres" };
        assert!(free.kkt_solver.starts_with(expected), "{}", free.kkt_solver);
    }
}

#[test]
fn optimal_control_problems_end_where_another_solver_does() {
    // IPOPT 3.14 on the same discretisations; the limits of N → ∞ are published with the collection.
    for (name, optimum) in [
        ("catmix:200", -0.0480589),
        ("chain:400", 5.0686217),
        ("robot:100", 9.1426861),
        ("rocket:100", -1.0128317),
        ("steering:200", 0.5545770),
        ("torsion:50", -0.4180857),
    ] {
        let problem = residua_data::nlp::problems::by_name(name, 0).unwrap();
        let (outcome, _) = solve(problem.as_ref(), &MinimizeOptions::default());
        assert_eq!(outcome.status, MinimizeStatus::Converged, "{name}");
        assert!(
            (outcome.objective - optimum).abs() < 2e-5 * optimum.abs().max(1.0),
            "{name} {}",
            outcome.objective
        );
        assert!(outcome.iterations <= 60, "{name} {}", outcome.iterations);
    }
}
