//! Problems without solutions, points that are no minima, dependent constraints.

use super::*;

#[test]
fn problems_without_a_solution_are_named() {
    use MinimizeStatus::{Infeasible, LocallyInfeasible, Unbounded};
    let cases = [
        (
            Infeasible,
            build("linear infeasible", |m| {
                let x = m.variables(&[0.0, 1.0]);
                m.minimize(x[0].powi(2));
                m.equality(x[0] + x[1], 1.0);
                m.equality(x[0] + x[1], 2.0);
            }),
        ),
        (
            LocallyInfeasible,
            build("curved infeasible", |m| {
                let x = m.variables(&[1.0, 1.0]);
                m.minimize(x[0] + x[1]);
                m.equality(x[0].powi(2) + x[1].powi(2), -1.0);
            }),
        ),
        (
            LocallyInfeasible,
            build("bounded infeasible", |m| {
                let x = m.bounded_variables(&[1.0, 1.0], 0.0, 1.0);
                m.minimize(x[0]);
                m.equality(x[0].powi(2) + x[1].powi(2), 9.0);
            }),
        ),
        (
            Unbounded,
            build("linear unbounded", |m| {
                let x = m.variables(&[0.0, 1.0]);
                m.minimize(x[0] + x[1]);
                m.equality(x[0] - x[1], 1.0);
            }),
        ),
        (
            Unbounded,
            build("curved unbounded", |m| {
                let x = m.variables(&[1.0, 1.0]);
                m.minimize(-x[0].powi(2) + x[1].powi(2));
            }),
        ),
        (
            Unbounded,
            build("cubic unbounded", |m| {
                let x = m.bounded_variables(&[1.0], 0.0, f64::INFINITY);
                m.minimize(-x[0].powi(3));
            }),
        ),
    ];
    for (expected, problem) in &cases {
        for method in [KktMethod::Direct, KktMethod::Auto] {
            let (outcome, _) = solve(problem, &with(method));
            assert_eq!(outcome.status, *expected, "{} {outcome:?}", problem.name());
        }
    }
}

#[test]
fn linear_constraints_of_any_scale_are_infeasible_only_where_they_are() {
    // min −x + 1e6 y, 1e-6 x + 1e6 y ≤ 1, 0 ≤ x ≤ 1e6, 0 ≤ y ≤ 1e-6: feasible at (1, 0), where the solver starts.
    let problem = build("far scales", |m| {
        let x = m.bounded_variables(&[1.0], 0.0, 1e6);
        let y = m.bounded_variables(&[0.0], 0.0, 1e-6);
        m.minimize(-x[0] + 1e6 * y[0]);
        m.range(f64::NEG_INFINITY, 1e-6 * x[0] + 1e6 * y[0], 1.0);
    });
    let (outcome, _) = solve(&problem, &with(KktMethod::Direct));
    assert_ne!(outcome.status, MinimizeStatus::Infeasible, "{outcome:?}");
    // Infeasible by the bounds alone, one part in ten.
    let problem = build("bounds in the way", |m| {
        let x = m.bounded_variables(&[0.5, 0.5, 0.5], 0.0, 1.0);
        m.minimize(x[0]);
        m.range(3.3, x[0] + x[1] + x[2], f64::INFINITY);
    });
    let (outcome, _) = solve(&problem, &with(KktMethod::Direct));
    assert_eq!(outcome.status, MinimizeStatus::Infeasible, "{outcome:?}");
}

#[test]
fn a_start_where_the_jacobian_vanishes_is_left() {
    let problem = build("circle", |m| {
        let x = m.variables(&[0.0, 0.0]);
        m.minimize(x[0] + x[1]);
        m.equality(x[0].powi(2) + x[1].powi(2), 1.0);
    });
    let (outcome, _) = solve(&problem, &with(KktMethod::Direct));
    assert_eq!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
}

#[test]
fn dependent_constraints_are_regularised_and_reported() {
    let problem = build("twice", |m| {
        let x = m.variables(&[2.0, 1.0, 0.0]);
        m.minimize(x.iter().map(|x| x.powi(2)).sum());
        m.equality(x[0] + x[1] + x[2], 3.0);
        m.equality(2.0 * x[0] + 2.0 * x[1] + 2.0 * x[2], 6.0);
        m.equality(x[0] * x[1] + x[2], 2.0);
    });
    for &method in KktMethod::ALL {
        let (outcome, _) = solve(&problem, &with(method));
        assert_eq!(outcome.status, MinimizeStatus::Converged, "{method} {outcome:?}");
        if matches!(method, KktMethod::Direct | KktMethod::Auto) {
            assert!(outcome.warnings.iter().any(|w| w.contains("rank")), "{outcome:?}");
        }
    }
}

#[test]
fn points_of_zero_or_negative_curvature_are_left() {
    let cubic = |start: f64| {
        build("cubic", move |m| {
            let x = m.variables(&[start]);
            m.minimize(x[0].powi(3));
        })
    };
    let tied = build("tied cubic", |m| {
        let x = m.variables(&[1.0, 0.3, 0.0]);
        m.minimize(x[0].powi(3) + x[1].powi(2));
        m.equality(x[0] + x[1] + x[2], 0.0);
    });
    let monkey = build("monkey saddle", |m| {
        let x = m.variables(&[0.0, 0.0]);
        m.minimize(x[0].powi(3) - 3.0 * x[0] * x[1].powi(2));
    });
    for problem in [cubic(1.0), cubic(0.0), tied, monkey] {
        for &method in KktMethod::ALL {
            let (outcome, _) = solve(&problem, &with(method));
            assert_eq!(outcome.status, MinimizeStatus::Unbounded, "{} {method} {outcome:?}", problem.name());
        }
    }
    let saddle = build("saddle in a box", |m| {
        let x = m.bounded_variables(&[0.0, 0.0], -2.0, 2.0);
        m.minimize(x[0].powi(2) - x[1].powi(2));
    });
    let maximum = build("maximum on a sphere", |m| {
        let x = m.variables(&[1.0, 0.0, 0.0]);
        m.minimize(x[0]);
        m.equality(x.iter().map(|x| x.powi(2)).sum::<Expr<'_>>(), 1.0);
    });
    for (problem, optimum) in [(saddle, -4.0), (maximum, -1.0)] {
        for &method in KktMethod::ALL {
            let (outcome, _) = solve(&problem, &with(method));
            assert_eq!(outcome.status, MinimizeStatus::Converged, "{} {method} {outcome:?}", problem.name());
            assert!((outcome.objective - optimum).abs() < 1e-5, "{} {method} {outcome:?}", problem.name());
        }
    }
}

#[test]
fn flat_minima_are_kept() {
    let quartic = build("quartic", |m| {
        let x = m.variables(&[1.0, 2.0]);
        m.minimize(x[0].powi(4) + (x[0] - x[1]).powi(2));
    });
    let linear = build("a line of minima", |m| {
        let x = m.variables(&[1.0, 2.0]);
        m.minimize((x[0] + x[1]).powi(2));
    });
    for problem in [quartic, linear] {
        for &method in KktMethod::ALL {
            let (outcome, records) = solve(&problem, &with(method));
            assert_eq!(outcome.status, MinimizeStatus::Converged, "{} {method} {outcome:?}", problem.name());
            assert!(outcome.objective < 1e-7, "{method} {outcome:?}");
            assert!(!outcome.warnings.iter().any(|w| w.contains("lower along")), "{method} {outcome:?}");
            assert!(records.iter().all(|r| r.phase != "restart"), "{} {method}", problem.name());
        }
    }
}
