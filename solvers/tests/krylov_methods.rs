//! What every Krylov method promises, on systems with a known answer.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::*;
use residua_data::{CsrMatrix, Scalar};
use residua_solvers::krylov::*;
use residua_solvers::precond::{Identity, Jacobi};
use residua_solvers::{
    Breakdown, Converged, History, Limit, LinearSystem, Progress, SolveError, Solver, StopReason, StopRule,
    operator::FnOperator,
};
use std::ops::ControlFlow;
use std::time::Duration;

fn tolerance<T: Scalar>() -> f64 {
    if T::epsilon_f64() > 1e-10 { 1e-5 } else { 1e-11 }
}

/// Solves with every method and compares with dense LU.
fn check_against_lu<T: Scalar>(a: &CsrMatrix<T>, methods: Vec<Method<CsrMatrix<T>, T>>, condition: f64) {
    let b = vector::<T>(a.nrows(), 1);
    let exact = dense_solve(a, &b);
    let rtol = tolerance::<T>();
    for mut method in methods {
        let mut x = vec![T::zero(); a.ncols()];
        let outcome = solve_checked(&mut *method, a, &b, &mut x, &StopRule::rtol(rtol));
        assert_eq!(
            outcome.reason,
            StopReason::Converged(Converged::RelativeTolerance),
            "{}: {outcome:?}",
            method.name()
        );
        let error = distance(&x, &exact) / norm(&exact);
        assert!(error <= 4.0 * condition * rtol, "{}: error {error:.1e}", method.name());
    }
}

fn check_scalar<T: Scalar>() {
    let a = definite::<T>(60);
    check_against_lu(&a, plain_methods(), 50.0);
    check_against_lu(&a, jacobi_methods(&a), 50.0);
    let a = indefinite::<T>(60);
    let not_definite = |name: &str| name == "cg" || name == "fcg";
    let keep = |m: Vec<Method<CsrMatrix<T>, T>>| m.into_iter().filter(|m| !not_definite(m.name())).collect();
    check_against_lu(&a, keep(plain_methods()), 20.0);
    let a = convection::<T>(60, 0.7);
    let general = |m: Vec<Method<CsrMatrix<T>, T>>| m.into_iter().skip(3).collect::<Vec<_>>();
    check_against_lu(&a, general(plain_methods()), 20.0);
    check_against_lu(&a, general(jacobi_methods(&a)), 20.0);
}

#[test]
fn all_methods_agree_with_lu_in_f64() {
    check_scalar::<f64>();
}

#[test]
fn all_methods_agree_with_lu_in_f32() {
    check_scalar::<f32>();
}

#[test]
fn all_methods_agree_with_lu_in_complex_f64() {
    check_scalar::<C64>();
}

#[test]
fn all_methods_agree_with_lu_in_complex_f32() {
    check_scalar::<C32>();
}

#[test]
fn k_distinct_eigenvalues_take_k_steps() {
    // Five eigenvalues, all with a part of b: the Krylov space has dimension 5.
    let values: Vec<f64> = (0..200).map(|i| 1.0 + (i % 5) as f64).collect();
    let a = diagonal(&values);
    let b = vector::<f64>(200, 3);
    for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
        let mut x = vec![0.0; 200];
        let outcome = solve_checked(&mut *method, &a, &b, &mut x, &StopRule::rtol(1e-12));
        assert!(outcome.converged());
        // The methods with two products a step need no more steps; IDR(4) one more product for each ω.
        let most = match method.name() {
            "idrs" => 5 + 5usize.div_ceil(4),
            "bicgstabl" => 3,
            _ => 5,
        };
        assert!(outcome.iterations <= most, "{}: {}", method.name(), outcome.iterations);
        if matches!(method.name(), "cg" | "fcg" | "minres" | "gmres" | "fgmres") {
            assert_eq!(outcome.iterations, 5, "{}", method.name());
        }
    }
}

#[test]
fn trivial_systems_are_exact() {
    for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
        let name = method.name();
        // b = 0, from a wrong guess
        let a = definite::<f64>(20);
        let mut x = vector::<f64>(20, 1);
        let outcome = solve_checked(&mut *method, &a, &[0.0; 20], &mut x, &StopRule::default());
        assert_eq!(outcome.reason, StopReason::Converged(Converged::ZeroRhs), "{name}");
        assert!(x.iter().all(|&x| x == 0.0) && outcome.residual_norm == 0.0);
        // an exact guess
        let mut x = vec![1.0; 20];
        let mut b = vec![0.0; 20];
        a.multiply(&x, &mut b);
        let outcome = solve_checked(&mut *method, &a, &b, &mut x, &StopRule::default());
        assert!(outcome.converged() && outcome.iterations == 0 && x == [1.0; 20], "{name}");
        // the identity, and order 1
        for n in [1, 33] {
            let a = CsrMatrix::<f64>::identity(n).unwrap();
            let b = vector::<f64>(n, 2);
            let mut x = vec![0.5; n];
            let outcome = solve_checked(&mut *method, &a, &b, &mut x, &StopRule::rtol(1e-14));
            assert!(outcome.converged() && outcome.iterations == 1, "{name}: {outcome:?}");
        }
        // order 0
        let a = CsrMatrix::<f64>::identity(0).unwrap();
        let outcome = solve_checked(&mut *method, &a, &[], &mut [], &StopRule::default());
        assert_eq!(outcome.reason, StopReason::Converged(Converged::ZeroRhs), "{name}");
    }
}

#[test]
fn a_warm_start_costs_fewer_steps_and_keeps_the_target() {
    let a = definite::<f64>(300);
    let b = vector::<f64>(300, 1);
    let exact = dense_solve(&a, &b);
    for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
        let mut cold = vec![0.0; 300];
        let cold = solve_checked(&mut *method, &a, &b, &mut cold, &StopRule::rtol(1e-10));
        let mut warm: Vec<f64> = exact.iter().map(|x| x * (1.0 + 1e-5)).collect();
        let warm = solve_checked(&mut *method, &a, &b, &mut warm, &StopRule::rtol(1e-10));
        assert!(cold.converged() && warm.converged(), "{}", method.name());
        assert!(warm.iterations < cold.iterations, "{}", method.name());
    }
}

#[test]
fn scaling_the_system_changes_nothing() {
    let a = definite::<f64>(80);
    let b = vector::<f64>(80, 1);
    // Powers of two are exact, so even the roundings agree; the extremes are where squares overflow.
    for mut method in jacobi_methods(&a) {
        let mut reference = vec![0.0; 80];
        let steps = solve_checked(&mut *method, &a, &b, &mut reference, &StopRule::rtol(1e-9)).iterations;
        for exponent in [-900, -300, 5, 300, 900] {
            let c = 2f64.powi(exponent);
            let cb: Vec<f64> = b.iter().map(|b| b * c).collect();
            let system = LinearSystem::new(&a, &cb).unwrap();
            let mut x = vec![0.0; 80];
            let outcome = method.solve(&system, &mut x, &StopRule::rtol(1e-9), &mut ()).unwrap();
            assert!(outcome.converged(), "{} at 2^{exponent}: {outcome:?}", method.name());
            assert!(outcome.iterations.abs_diff(steps) <= 1, "{} at 2^{exponent}", method.name());
            let back: Vec<f64> = x.iter().map(|x| x / c).collect();
            assert!(distance(&back, &reference) <= 1e-7 * norm(&reference), "{}", method.name());
        }
    }
    for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
        let mut reference = vec![0.0; 80];
        let steps = solve_checked(&mut *method, &a, &b, &mut reference, &StopRule::rtol(1e-9)).iterations;
        for exponent in [-200, -3, 40, 200] {
            let c = 2f64.powi(exponent);
            let (ca, cb) = (a.map(|v| v * c), b.iter().map(|b| b * c).collect::<Vec<f64>>());
            let mut x = vec![0.0; 80];
            let system = LinearSystem::new(&ca, &cb).unwrap();
            let outcome = method.solve(&system, &mut x, &StopRule::rtol(1e-9), &mut ()).unwrap();
            assert!(outcome.converged(), "{} at 2^{exponent}: {outcome:?}", method.name());
            assert!(
                outcome.iterations.abs_diff(steps) <= 1,
                "{} at 2^{exponent}: {outcome:?} {steps}",
                method.name()
            );
            assert!(distance(&x, &reference) <= 1e-7 * norm(&reference), "{}", method.name());
        }
    }
}

#[test]
fn limits_stop_exactly_there() {
    let a = definite::<f64>(200);
    let b = vector::<f64>(200, 1);
    let system = LinearSystem::new(&a, &b).unwrap();
    for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
        let name = method.name();
        for cap in [0, 1, 3, 7] {
            let mut x = vec![0.0; 200];
            let rule = StopRule::rtol(1e-13).with_max_iters(cap);
            let mut history = History::new();
            let outcome = method.solve(&system, &mut x, &rule, &mut history).unwrap();
            check_reported(name, &a, &b, &x, &outcome);
            assert_eq!(outcome.reason, StopReason::Stopped(Limit::MaxIterations), "{name}");
            assert_eq!(outcome.iterations, cap, "{name}");
            assert_eq!(history.relative_residuals().len(), cap + 1, "{name}: once first, once an iteration");
        }
        let mut x = vec![0.0; 200];
        let mut seen = 0;
        let mut monitor = |p: &Progress<'_, f64>| {
            assert_eq!(p.iteration, seen);
            seen += 1;
            if p.iteration == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let outcome = method.solve(&system, &mut x, &StopRule::rtol(1e-13), &mut monitor).unwrap();
        check_reported(name, &a, &b, &x, &outcome);
        assert_eq!(outcome.reason, StopReason::Stopped(Limit::MonitorRequest), "{name}");
        assert_eq!(outcome.iterations, 4, "{name}");

        let mut x = vec![0.0; 200];
        let rule = StopRule::rtol(1e-13).with_time_limit(Duration::ZERO);
        let outcome = method.solve(&system, &mut x, &rule, &mut ()).unwrap();
        assert_eq!(outcome.reason, StopReason::Stopped(Limit::TimeLimit), "{name}");
        assert_eq!((outcome.iterations, x), (0, vec![0.0; 200]), "{name}");

        // and after all that, the same object still solves
        let mut x = vec![0.0; 200];
        assert!(solve_checked(&mut *method, &a, &b, &mut x, &StopRule::rtol(1e-12)).converged(), "{name}");
    }
}

#[test]
fn the_reported_residuals_are_true_ones_along_the_way() {
    // Stopping after k steps gives x_k; what the monitor saw for step k must be its residual.
    let a = definite::<f64>(100);
    let b = vector::<f64>(100, 1);
    for mut method in jacobi_methods(&a) {
        let system = LinearSystem::new(&a, &b).unwrap();
        let mut history = History::new();
        let rule = StopRule::rtol(1e-10);
        method.solve(&system, &mut vec![0.0; 100], &rule, &mut history).unwrap();
        for k in (0..history.relative_residuals().len()).step_by(3) {
            let mut x = vec![0.0; 100];
            method.solve(&system, &mut x, &rule.with_max_iters(k), &mut ()).unwrap();
            let truth = naive_residual(&a, &b, &x) / norm(&b);
            let seen = history.relative_residuals()[k];
            assert!(
                (truth - seen).abs() <= 1e-9 * truth + 1e-15,
                "{} step {k}: {truth} {seen}",
                method.name()
            );
        }
    }
}

#[test]
fn an_unattainable_tolerance_is_stagnation() {
    let a = definite::<f64>(120);
    let b = vector::<f64>(120, 1);
    for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
        let mut x = vec![0.0; 120];
        let outcome = solve_checked(&mut *method, &a, &b, &mut x, &StopRule::rtol(1e-18));
        assert_eq!(outcome.reason, StopReason::Failed(Breakdown::Stagnation), "{}", method.name());
        assert!(outcome.relative_residual < 1e-14, "{}: {outcome:?}", method.name());
        assert!(outcome.iterations < 1000, "{}: {outcome:?}", method.name());
    }
}

#[test]
fn wrong_calls_are_errors() {
    let a = definite::<f64>(10);
    assert_eq!(
        LinearSystem::new(&a, &[1.0; 9]).unwrap_err(),
        SolveError::DimensionMismatch { what: "b", expected: 10, found: 9 }
    );
    let b = [1.0; 10];
    let system = LinearSystem::new(&a, &b).unwrap();
    let wide = CsrMatrix::<f64>::try_new(1, 2, vec![0, 1], vec![0], vec![1.0]).unwrap();
    let one = [1.0];
    let rectangular = LinearSystem::new(&wide, &one).unwrap();
    for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
        let error = method.solve(&system, &mut [0.0; 9], &StopRule::default(), &mut ()).unwrap_err();
        assert_eq!(error, SolveError::DimensionMismatch { what: "x", expected: 10, found: 9 });
        let mut x = [0.0; 10];
        x[3] = f64::NAN;
        let error = method.solve(&system, &mut x, &StopRule::default(), &mut ()).unwrap_err();
        assert_eq!(error, SolveError::NonFinite { what: "the initial guess x", index: 3 });
        let error = method.solve(&rectangular, &mut [0.0; 2], &StopRule::default(), &mut ()).unwrap_err();
        assert_eq!(error, SolveError::NotSquare { what: method.name(), nrows: 1, ncols: 2 });
    }
    for (name, error) in [
        (
            "restart",
            Gmres::default().with_restart(0).solve(&system, &mut [0.0; 10], &StopRule::default(), &mut ()),
        ),
        (
            "restart",
            Fgmres::default().with_restart(0).solve(&system, &mut [0.0; 10], &StopRule::default(), &mut ()),
        ),
        ("s", Idrs::default().with_s(0).solve(&system, &mut [0.0; 10], &StopRule::default(), &mut ())),
        (
            "degree",
            BicgstabL::default().with_degree(0).solve(&system, &mut [0.0; 10], &StopRule::default(), &mut ()),
        ),
        (
            "degree",
            BicgstabL::default().with_degree(9).solve(&system, &mut [0.0; 10], &StopRule::default(), &mut ()),
        ),
    ] {
        assert!(matches!(error, Err(SolveError::InvalidOption { name: n, .. }) if n == name));
    }
}

#[test]
fn nan_from_the_preconditioner_is_named_and_leaves_x_finite() {
    let a = definite::<f64>(50);
    let b = vector::<f64>(50, 1);
    for good_calls in [0, 5] {
        for mut method in methods_with::<f64, CsrMatrix<f64>, _>(|| Failing { good_calls }) {
            let mut x = vec![0.0; 50];
            let outcome = solve_checked(&mut *method, &a, &b, &mut x, &StopRule::rtol(1e-12));
            let name = method.name();
            assert_eq!(outcome.reason, StopReason::Failed(Breakdown::NonFinite), "{name}: {outcome:?}");
            // Methods that form x by M⁻¹ at the end of a cycle cannot save it.
            if !matches!(name, "gmres" | "bicgstabl") {
                assert!(x.iter().all(|x| x.is_finite()), "{name}");
            }
        }
    }
}

#[test]
fn negative_definite_systems() {
    let a = definite::<f64>(40).map(|v| -v);
    let b = vector::<f64>(40, 1);
    for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
        let mut x = vec![0.0; 40];
        let outcome = solve_checked(&mut *method, &a, &b, &mut x, &StopRule::rtol(1e-10));
        let expected = match method.name() {
            "cg" | "fcg" => StopReason::Failed(Breakdown::IndefiniteOperator),
            _ => StopReason::Converged(Converged::RelativeTolerance),
        };
        assert_eq!(outcome.reason, expected, "{}", method.name());
    }
    // Jacobi's M = D is negative definite as well: CG and MINRES name it.
    let (mut cg, mut minres) = (Cg::new(Jacobi::new(&a).unwrap()), Minres::new(Jacobi::new(&a).unwrap()));
    let methods: [&mut dyn Solver<_>; 2] = [&mut cg, &mut minres];
    for method in methods {
        let outcome = solve_checked(method, &a, &b, &mut [0.0; 40], &StopRule::default());
        assert_eq!(outcome.reason, StopReason::Failed(Breakdown::IndefinitePreconditioner));
    }
}

#[test]
fn singular_consistent_systems_solve() {
    let a = neumann::<f64>(40);
    let mut b = vec![0.0; 40];
    a.multiply(&vector::<f64>(40, 1), &mut b);
    for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
        let mut x = vec![0.0; 40];
        let outcome = solve_checked(&mut *method, &a, &b, &mut x, &StopRule::rtol(1e-9));
        assert!(outcome.converged(), "{}: {outcome:?}", method.name());
        assert!(norm(&x) < 1e3 * norm(&b), "{}: the null space component grew", method.name());
    }
}

#[test]
fn singular_inconsistent_systems_never_converge() {
    for n in [10, 40, 150] {
        let a = neumann::<f64>(n);
        let b: Vec<f64> = vector::<f64>(n, 1).iter().map(|v| v + 1.0).collect();
        let mean = b.iter().sum::<f64>() / n as f64;
        let least = mean.abs() * (n as f64).sqrt();
        for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
            let mut x = vec![0.0; n];
            let rule = StopRule::rtol(1e-9).with_max_iters(5000);
            let outcome = solve_checked(&mut *method, &a, &b, &mut x, &rule);
            assert!(matches!(outcome.reason, StopReason::Failed(_)), "{}: {outcome:?}", method.name());
            if method.name() == "minres" {
                assert_eq!(outcome.reason, StopReason::Failed(Breakdown::SingularInconsistent));
                assert!((outcome.residual_norm - least).abs() < 1e-8 * least, "{outcome:?} {least}");
            }
        }
    }
}

#[test]
fn matrix_free_operators_give_the_same_answer() {
    let a = definite::<f64>(90);
    let b = vector::<f64>(90, 1);
    let copy = a.clone();
    let operator = FnOperator::new(90, move |x: &[f64], y: &mut [f64]| copy.multiply(x, y));
    fn check<F: Fn(&[f64], &mut [f64]) + Sync + 'static>(op: &FnOperator<F>, b: &[f64], stored: &CsrMatrix) {
        let system = LinearSystem::new(op, b).unwrap();
        let pairs = plain_methods::<f64, FnOperator<F>>().into_iter().zip(plain_methods::<f64, CsrMatrix>());
        for (mut free, mut method) in pairs {
            let (mut x, mut y) = (vec![0.0; b.len()], vec![0.0; b.len()]);
            let outcome = free.solve(&system, &mut x, &StopRule::rtol(1e-10), &mut ()).unwrap();
            let expected = solve_checked(&mut *method, stored, b, &mut y, &StopRule::rtol(1e-10));
            assert!(outcome.converged() && outcome.iterations.abs_diff(expected.iterations) <= 1);
            assert!(distance(&x, &y) <= 1e-8 * norm(&y), "{}", free.name());
        }
    }
    check(&operator, &b, &a);
}

#[test]
fn results_do_not_depend_on_threads() {
    // Long enough for every kernel to be cut among threads.
    let n = 70_000;
    let a = convection::<f64>(n, 0.0);
    let b = vector::<f64>(n, 1);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut answers = Vec::new();
            for mut method in jacobi_methods(&a) {
                let mut x = vec![0.0; n];
                let system = LinearSystem::new(&a, &b).unwrap();
                let rule = StopRule::rtol(1e-10).with_max_iters(9);
                let outcome = method.solve(&system, &mut x, &rule, &mut ()).unwrap();
                answers.push((x, outcome.iterations, outcome.residual_norm.to_bits()));
            }
            answers
        })
    };
    let one = run(1);
    for threads in [2, 3] {
        for (k, (got, expected)) in run(threads).iter().zip(&one).enumerate() {
            assert!(got == expected, "method {k} with {threads} threads");
        }
    }
}

#[test]
fn a_solver_can_be_reused_for_other_sizes() {
    for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
        for n in [50, 7, 120, 50] {
            let a = definite::<f64>(n);
            let b = vector::<f64>(n, n);
            let mut x = vec![0.0; n];
            let outcome = solve_checked(&mut *method, &a, &b, &mut x, &StopRule::rtol(1e-11));
            assert!(outcome.converged(), "{} n = {n}: {outcome:?}", method.name());
            let mut fresh_x = vec![0.0; n];
            let fresh =
                plain_methods::<f64, CsrMatrix<f64>>().into_iter().find(|m| m.name() == method.name());
            solve_checked(&mut *fresh.unwrap(), &a, &b, &mut fresh_x, &StopRule::rtol(1e-11));
            assert_eq!(x, fresh_x, "{}: a used solver solves as a new one", method.name());
        }
    }
}

#[test]
fn identity_preconditioning_is_no_preconditioning() {
    // An identity that does not say so takes the preconditioned path.
    let a = definite::<f64>(60);
    let b = vector::<f64>(60, 1);
    let unknown = methods_with::<f64, CsrMatrix<f64>, _>(|| Failing { good_calls: usize::MAX });
    for (mut unknown, mut plain) in unknown.into_iter().zip(methods_with(|| Identity)) {
        let (mut x, mut y) = (vec![0.0; 60], vec![0.0; 60]);
        let with = solve_checked(&mut *unknown, &a, &b, &mut x, &StopRule::rtol(1e-10));
        let without = solve_checked(&mut *plain, &a, &b, &mut y, &StopRule::rtol(1e-10));
        assert!(with.iterations.abs_diff(without.iterations) <= 1, "{}", plain.name());
        assert!(distance(&x, &y) <= 1e-8 * norm(&y) && with.preconditioner_applies > 0);
        assert_eq!(
            without.preconditioner_applies,
            if plain.name().starts_with('f') { without.iterations } else { 0 }
        );
    }
}
