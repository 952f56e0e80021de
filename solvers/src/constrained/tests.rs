#![allow(clippy::unwrap_used)]
use super::*;
use residua_data::nlp::NonlinearProblem;
use residua_data::nlp::expression::{Expr, ExpressionProblem, Model};
use std::ops::ControlFlow;

fn build(name: &str, make: impl Fn(&Model)) -> ExpressionProblem {
    let m = Model::new(name);
    make(&m);
    m.problem().unwrap()
}

fn hs6() -> ExpressionProblem {
    build("HS6", |m| {
        let x = m.variables(&[-1.2, 1.0]);
        m.minimize((1.0 - x[0]).powi(2));
        m.equality(10.0 * (x[1] - x[0].powi(2)), 0.0);
        m.known_optimum(0.0);
    })
}

fn hs7() -> ExpressionProblem {
    build("HS7", |m| {
        let x = m.variables(&[2.0, 2.0]);
        m.minimize((1.0 + x[0].powi(2)).ln() - x[1]);
        m.equality((1.0 + x[0].powi(2)).powi(2) + x[1].powi(2), 4.0);
        m.known_optimum(-(3f64.sqrt()));
    })
}

fn hs26() -> ExpressionProblem {
    build("HS26", |m| {
        let x = m.variables(&[-2.6, 2.0, 2.0]);
        m.minimize((x[0] - x[1]).powi(2) + (x[1] - x[2]).powi(4));
        m.equality((1.0 + x[1].powi(2)) * x[0] + x[2].powi(4), 3.0);
        m.known_optimum(0.0);
    })
}

fn hs28() -> ExpressionProblem {
    build("HS28", |m| {
        let x = m.variables(&[-4.0, 1.0, 1.0]);
        m.minimize((x[0] + x[1]).powi(2) + (x[1] + x[2]).powi(2));
        m.equality(x[0] + 2.0 * x[1] + 3.0 * x[2], 1.0);
        m.known_optimum(0.0);
    })
}

fn hs40() -> ExpressionProblem {
    build("HS40", |m| {
        let x = m.variables(&[0.8; 4]);
        m.minimize(-x[0] * x[1] * x[2] * x[3]);
        m.equality(x[0].powi(3) + x[1].powi(2), 1.0);
        m.equality(x[0].powi(2) * x[3] - x[2], 0.0);
        m.equality(x[3].powi(2) - x[1], 0.0);
        m.known_optimum(-0.25);
    })
}

fn bt11() -> ExpressionProblem {
    build("BT11", |m| {
        let x = m.variables(&[2.0; 5]);
        m.minimize(
            (x[0] - 1.0).powi(2)
                + (x[0] - x[1]).powi(2)
                + (x[1] - x[2]).powi(2)
                + (x[2] - x[3]).powi(4)
                + (x[3] - x[4]).powi(4),
        );
        m.equality(x[0] + x[1].powi(2) + x[2].powi(3), -2.0 + 18f64.sqrt());
        m.equality(x[1] + x[3] - x[2].powi(2), -2.0 + 8f64.sqrt());
        m.equality(x[0] - x[4], 2.0);
        m.known_optimum(0.824891777);
    })
}

/// min xᵀAx on the sphere, A = tridiag(−1, 2, −1): the smallest eigenvalue.
fn sphere(n: usize) -> ExpressionProblem {
    build("sphere", |m| {
        let start: Vec<f64> = (0..n).map(|i| 1.0 + 0.1 * i as f64).collect();
        let x = m.variables(&start);
        let square: Expr<'_> = x.iter().map(|x| x.powi(2)).sum();
        let cross: Expr<'_> = x.windows(2).map(|w| w[0] * w[1]).sum();
        m.minimize(2.0 * square - 2.0 * cross);
        m.equality(x.iter().map(|x| x.powi(2)).sum::<Expr<'_>>(), 1.0);
        let angle = std::f64::consts::PI / (n + 1) as f64;
        m.known_optimum(2.0 - 2.0 * angle.cos());
    })
}

fn solve(
    problem: &dyn NonlinearProblem,
    options: &MinimizeOptions,
) -> (MinimizeOutcome, Vec<IterationRecord>) {
    let mut records = Vec::new();
    let outcome = minimize(problem, options, None, &mut |r: &IterationRecord| {
        records.push(*r);
        ControlFlow::Continue(())
    })
    .unwrap();
    (outcome, records)
}

fn with(method: KktMethod) -> MinimizeOptions {
    MinimizeOptions { method, ..MinimizeOptions::default() }
}

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
fn the_merit_descends_at_every_accepted_step() {
    let options = MinimizeOptions { memory: 1, ..with(KktMethod::Direct) };
    for problem in [hs6(), hs7(), hs40(), bt11(), sphere(12)] {
        let (_, records) = solve(&problem, &options);
        for r in &records[1..] {
            assert!(r.merit.1 <= r.merit.0 + 1e-12 * r.merit.0.abs(), "{} {r:?}", problem.name());
        }
    }
}

#[test]
fn convergence_is_superlinear_close_to_a_solution() {
    for problem in [hs7(), hs40(), sphere(12)] {
        let options = MinimizeOptions { tol: 1e-12, ..with(KktMethod::Direct) };
        let (outcome, records) = solve(&problem, &options);
        assert_eq!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
        let last = records.len() - 1;
        let (a, b) = (records[last - 2].kkt_residual, records[last - 1].kkt_residual);
        assert!(b <= a.powf(1.5).max(1e-12) * 100.0, "{} {a} {b}", problem.name());
        assert_eq!(records[last].step, 1.0);
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
fn wrong_calls_are_refused() {
    let problem = hs6();
    let call = |options: &MinimizeOptions, start: Option<(&[f64], Option<&[f64]>)>| {
        minimize(&problem, options, start, &mut |_| ControlFlow::Continue(())).unwrap_err()
    };
    let options = MinimizeOptions::default();
    assert!(matches!(call(&options, Some((&[1.0], None))), MinimizeError::Length { .. }));
    assert!(matches!(
        call(&options, Some((&[1.0, f64::NAN], None))),
        MinimizeError::NotANumber { index: 1, .. }
    ));
    assert!(matches!(call(&options, Some((&[1.0, 1.0], Some(&[1.0, 2.0])))), MinimizeError::Length { .. }));
    assert!(matches!(call(&MinimizeOptions { tol: 0.0, ..options }, None), MinimizeError::Option { .. }));
}

#[test]
fn the_monitor_and_the_limits_stop_a_run() {
    let problem = bt11();
    let stopped = minimize(&problem, &MinimizeOptions::default(), None, &mut |r: &IterationRecord| {
        if r.iteration == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!((stopped.status, stopped.iterations), (MinimizeStatus::Interrupted, 2));
    let (limited, _) = solve(&problem, &MinimizeOptions { max_iters: 3, ..MinimizeOptions::default() });
    assert_eq!((limited.status, limited.iterations), (MinimizeStatus::MaxIterations, 3));
    let limit = Some(std::time::Duration::ZERO);
    let (limited, _) = solve(&problem, &MinimizeOptions { time_limit: limit, ..MinimizeOptions::default() });
    assert_eq!(limited.status, MinimizeStatus::TimeLimit);
}

#[test]
fn a_warm_start_with_multipliers_needs_no_steps() {
    let problem = hs40();
    let (outcome, _) = solve(&problem, &MinimizeOptions { tol: 1e-10, ..MinimizeOptions::default() });
    let start = (&outcome.x[..], Some(&outcome.multipliers[..]));
    let again =
        minimize(&problem, &MinimizeOptions::default(), Some(start), &mut |_| ControlFlow::Continue(()))
            .unwrap();
    assert_eq!((again.status, again.iterations), (MinimizeStatus::Converged, 0));
}

#[test]
fn derivatives_are_checked() {
    for problem in [hs7(), hs26(), hs40(), bt11()] {
        let mut x = vec![0.0; problem.variables()];
        problem.initial_point(&mut x);
        let lambda: Vec<f64> = (0..problem.constraints()).map(|i| 1.0 + i as f64).collect();
        let report = check_derivatives(&problem, &x, &lambda).unwrap();
        assert!(report.max() < 1e-6, "{} {report:?}", problem.name());
    }
    assert!(check_derivatives(&hs7(), &[1.0], &[1.0]).is_err());
}

/// HS48: quadratic, linear constraints.
fn hs48() -> ExpressionProblem {
    build("HS48", |m| {
        let x = m.variables(&[3.0, 5.0, -3.0, 2.0, -2.0]);
        m.minimize((x[0] - 1.0).powi(2) + (x[1] - x[2]).powi(2) + (x[3] - x[4]).powi(2));
        m.equality(x.iter().copied().sum::<Expr<'_>>(), 5.0);
        m.equality(x[2] - 2.0 * (x[3] + x[4]), -3.0);
        m.known_optimum(0.0);
    })
}

fn sketched(sketch: SketchKind, seed: u64) -> MinimizeOptions {
    MinimizeOptions { sketch, seed, ..with(KktMethod::Sketched) }
}

#[test]
fn sketches_solve_small_problems_for_every_seed() {
    for problem in [hs6(), hs28(), hs48()] {
        for &kind in SketchKind::ALL {
            for seed in 0..5 {
                let (outcome, _) = solve(&problem, &sketched(kind, seed));
                let label = format!("{} {kind} {seed}: {outcome:?}", problem.name());
                assert!(outcome.kkt_residual <= 1e-6 && outcome.objective.abs() < 1e-4, "{label}");
                assert!(outcome.kkt_solver.starts_with("sketched"), "{label}");
                assert!(outcome.inner_iterations > 0 && outcome.inner_flops > 0.0, "{label}");
            }
        }
    }
}

#[test]
fn sketches_are_those_of_the_seed_and_kind() {
    let bits = |kind, seed| {
        let (outcome, records) = solve(&hs48(), &sketched(kind, seed));
        let x: Vec<u64> = outcome.x.iter().map(|v| v.to_bits()).collect();
        (x, outcome.inner_iterations, records.len())
    };
    for &kind in SketchKind::ALL {
        assert_eq!(bits(kind, 3), bits(kind, 3), "{kind}");
    }
    assert_ne!(bits(SketchKind::Kaczmarz, 3), bits(SketchKind::Kaczmarz, 4));
    assert_ne!(bits(SketchKind::Kaczmarz, 3), bits(SketchKind::Gaussian, 3));
}

#[test]
fn stalled_sketches_fall_over_with_a_warning_only_if_they_may() {
    let short = MinimizeOptions { max_inner: 3, ..sketched(SketchKind::Kaczmarz, 0) };
    let (outcome, _) = solve(&hs28(), &short);
    assert_eq!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
    assert!(outcome.warnings.iter().any(|w| w.contains("not solved by sketched")), "{:?}", outcome.warnings);
    let alone = MinimizeOptions { fall_over: false, max_iters: 3, ..short };
    let (outcome, _) = solve(&hs28(), &alone);
    assert_ne!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
    assert!(!outcome.warnings.iter().any(|w| w.contains("not solved by sketched")));
}
