//! Relaxation methods against plain dense implementations, known spectral radii and known failures.
#![allow(clippy::unwrap_used)]

use super::testing::*;
use super::*;
use crate::{
    Breakdown, Converged, History, Limit, LinearSystem, Outcome, Progress, SolveError, Solver, StopReason,
    StopRule,
};
use num_complex::Complex;
use proptest::prelude::*;
use residua_data::{CsrMatrix, Scalar};
use std::ops::ControlFlow;
use std::time::Duration;

type Method<'a, T> = &'a mut dyn Solver<CsrMatrix<T>, T>;

fn solve<T: Scalar>(method: Method<'_, T>, a: &CsrMatrix<T>, b: &[T], stop: &StopRule) -> (Outcome, Vec<T>) {
    let mut x = vec![T::zero(); a.ncols()];
    let outcome = method.solve(&LinearSystem::new(a, b).unwrap(), &mut x, stop, &mut ()).unwrap();
    (outcome, x)
}

/// A nonsymmetric, in T = Complex also non-Hermitian, diagonally dominant matrix.
fn nonsymmetric<T: Scalar>(phase: T) -> CsrMatrix<T> {
    scaled_entries(&grid_laplacian(6, 5), |i, j| {
        if i == j { T::of(1.3) + phase * T::of(0.2) } else { phase * T::of(if i > j { 1.2 } else { 0.5 }) }
    })
}

fn waves<T: Scalar>(n: usize) -> Vec<T> {
    (0..n).map(|i| T::of((1.0 + i as f64).sin())).collect()
}

/// x_i ← (1 − ω) x_i + (ω / a_ii) (b_i − Σ_{j≠i} a_ij x_j) over `rows`: the textbook's form.
fn naive_sweep<T: Scalar>(a: &[Vec<T>], b: &[T], omega: f64, x: &mut [T], rows: impl Iterator<Item = usize>) {
    for i in rows {
        let rest = (0..x.len()).filter(|&j| j != i).fold(b[i], |s, j| s - a[i][j] * x[j]);
        x[i] = T::of(1.0 - omega) * x[i] + T::of(omega) * rest / a[i][i];
    }
}

fn naive_solve<T: Scalar>(
    a: &[Vec<T>],
    b: &[T],
    rtol: f64,
    mut iterate: impl FnMut(&mut [T]),
) -> (usize, Vec<T>) {
    let (mut x, mut iterations) = (vec![T::zero(); b.len()], 0);
    let target = rtol * naive_residual_norm(a, b, &x);
    while naive_residual_norm(a, b, &x) > target && iterations < 5000 {
        iterate(&mut x);
        iterations += 1;
    }
    (iterations, x)
}

fn check_against_naive<T: Scalar>(a: &CsrMatrix<T>, rtol: f64) {
    let (n, full) = (a.nrows(), dense(a));
    let b = waves::<T>(n);
    for omega in [0.6, 1.0, 1.25] {
        for kind in [SweepKind::Forward, SweepKind::Backward, SweepKind::Symmetric] {
            let (count, expected) = naive_solve(&full, &b, rtol, |x| {
                if kind != SweepKind::Backward {
                    naive_sweep(&full, &b, omega, x, 0..n);
                }
                if kind != SweepKind::Forward {
                    naive_sweep(&full, &b, omega, x, (0..n).rev());
                }
            });
            let mut sor = Sor::<T>::new(omega).unwrap().with_sweep(kind);
            let (outcome, x) = solve(&mut sor, a, &b, &StopRule::rtol(rtol));
            assert_eq!(outcome.reason, StopReason::Converged(Converged::RelativeTolerance));
            assert_eq!(outcome.iterations, count, "{kind:?}, omega = {omega}");
            let difference =
                x.iter().zip(&expected).map(|(&x, &e)| (x - e).modulus_f64()).fold(0.0, f64::max);
            assert!(difference < 1e3 * T::epsilon_f64(), "{kind:?}, omega = {omega}: {difference:e}");
            let naive = naive_residual_norm(&full, &b, &x);
            assert!(
                (outcome.residual_norm - naive).abs()
                    < 20.0 * T::epsilon_f64() * outcome.residual_norm.max(1.0)
            );
        }
    }
    let (count, expected) = naive_solve(&full, &b, rtol, |x| {
        let old = x.to_vec();
        for i in 0..n {
            let r = (0..n).fold(b[i], |r, j| r - full[i][j] * old[j]);
            x[i] = old[i] + T::of(0.9) * r / full[i][i];
        }
    });
    let (outcome, x) = solve(&mut JacobiIteration::<T>::new(0.9).unwrap(), a, &b, &StopRule::rtol(rtol));
    assert_eq!(outcome.iterations, count);
    let difference = x.iter().zip(&expected).map(|(&x, &e)| (x - e).modulus_f64()).fold(0.0, f64::max);
    assert!(difference < 1e3 * T::epsilon_f64(), "jacobi: {difference:e}");
}

#[test]
fn iterates_and_counts_equal_the_textbook_form() {
    check_against_naive(&grid_laplacian(10, 10), 1e-8);
    check_against_naive(&nonsymmetric(1.0), 1e-8);
    check_against_naive(&nonsymmetric(Complex::new(0.6, 0.8)), 1e-8);
    check_against_naive(&nonsymmetric(1.0f32), 1e-4);
    check_against_naive(&nonsymmetric(Complex::new(0.6f32, 0.8)), 1e-4);
}

#[test]
fn the_monitored_norm_and_iterate_belong_together() {
    let a = nonsymmetric(Complex::new(0.6, 0.8));
    let (full, b) = (dense(&a), waves::<Complex<f64>>(a.nrows()));
    let methods: [Method<'_, Complex<f64>>; 4] = [
        &mut Sor::new(1.1).unwrap(),
        &mut Sor::new(1.1).unwrap().with_sweep(SweepKind::Backward),
        &mut Sor::symmetric(1.1).unwrap(),
        &mut JacobiIteration::default(),
    ];
    for method in methods {
        let mut seen = 0;
        let mut monitor = |progress: &Progress<'_, Complex<f64>>| {
            let naive = naive_residual_norm(&full, &b, progress.x.unwrap());
            assert!(
                (progress.residual_norm / naive - 1.0).abs() < 1e-6,
                "{naive:e} {}",
                progress.residual_norm
            );
            seen += 1;
            ControlFlow::Continue(())
        };
        let mut x = vec![Complex::new(0.5, -1.0); a.ncols()];
        let system = LinearSystem::new(&a, &b).unwrap();
        let outcome = method.solve(&system, &mut x, &StopRule::rtol(1e-7), &mut monitor).unwrap();
        assert!(outcome.converged());
        assert_eq!(seen, outcome.iterations + 1);
    }
}

/// The factor by which an iteration shrinks the residual in the long run.
fn asymptotic_rate(method: Method<'_, f64>, a: &CsrMatrix) -> f64 {
    let mut history = History::new();
    let b = waves::<f64>(a.nrows());
    let mut x = vec![0.0; a.nrows()];
    let stop = StopRule::rtol(1e-250).with_max_iters(900);
    method.solve(&LinearSystem::new(a, &b).unwrap(), &mut x, &stop, &mut history).unwrap();
    // The recurrence shrinks far below what x can show.
    let r = history.relative_residuals();
    let k = r.iter().position(|&r| r < 1e-130).unwrap_or(r.len() - 1);
    (r[k] / r[k / 2]).powf(1.0 / (k - k / 2) as f64)
}

#[test]
fn rates_on_the_model_problem_are_youngs() {
    let a = grid_laplacian(10, 10);
    let beta = (std::f64::consts::PI / 11.0).cos();
    let jacobi = asymptotic_rate(&mut JacobiIteration::default(), &a);
    assert!((jacobi - beta).abs() < 2e-4, "{jacobi} {beta}");
    let damped = asymptotic_rate(&mut JacobiIteration::new(0.8).unwrap(), &a);
    assert!((damped - (1.0 - 0.8 * (1.0 - beta))).abs() < 2e-4, "{damped}");
    // Gauss-Seidel is twice as fast as Jacobi; below the best omega Young's formula, above it omega - 1.
    for omega in [0.7, 1.0, 1.3, 1.5, 1.65, 1.8, 1.9] {
        let measured = asymptotic_rate(&mut Sor::new(omega).unwrap(), &a);
        let expected = sor_rate(omega, jacobi);
        assert!((measured - expected).abs() < 4e-3, "omega = {omega}: {measured} {expected}");
    }
    assert!((sor_rate(1.0, beta) - beta * beta).abs() < 1e-15);
    let best = optimal_omega(beta);
    assert!((best - 2.0 / (1.0 + (std::f64::consts::PI / 11.0).sin())).abs() < 1e-14);
    assert!((sor_rate(best, beta) - (best - 1.0)).abs() < 1e-6);
}

#[test]
fn the_fastest_omega_is_near_youngs() {
    let a = grid_laplacian(10, 10);
    let b = waves::<f64>(100);
    let count =
        |omega: f64| solve(&mut Sor::new(omega).unwrap(), &a, &b, &StopRule::rtol(1e-10)).0.iterations;
    let fastest = (0..40).map(|k| 1.0 + 0.025 * f64::from(k)).min_by_key(|&omega| count(omega)).unwrap();
    let best = optimal_omega((std::f64::consts::PI / 11.0).cos());
    assert!((fastest - best).abs() <= 0.05, "{fastest} {best}");
    assert!(4 * count(fastest) < count(1.0));
}

#[test]
fn jacobi_on_a_tridiagonal_matrix_has_its_known_rate() {
    let n = 20;
    let mut coo = residua_data::CooBuilder::new(n, n).unwrap();
    for i in 0..n {
        coo.push(i, i, 2.0).unwrap();
        if i > 0 {
            coo.push(i, i - 1, -1.0).unwrap();
            coo.push(i - 1, i, -1.0).unwrap();
        }
    }
    let rate = asymptotic_rate(&mut JacobiIteration::default(), &coo.build().unwrap());
    assert!((rate - (std::f64::consts::PI / 21.0).cos()).abs() < 1e-4, "{rate}");
}

#[test]
fn omega_outside_its_range_is_refused_with_the_reason() {
    let error = Sor::<f64>::new(2.1).unwrap_err().to_string();
    assert!(error.starts_with("omega = 2.1 ") && error.contains("outside (0, 2)"), "{error}");
    for omega in [0.0, 2.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Sor::<f64>::new(omega), Err(SolveError::InvalidOption { name: "omega", .. })));
        assert!(Sor::<f64>::symmetric(omega).is_err() && JacobiIteration::<f64>::new(omega).is_err());
    }
    let mut sor = Sor::<f64>::new(1.5).unwrap();
    assert!(sor.set_omega(3.0).is_err());
    assert_eq!(sor.omega(), 1.5);
}

fn all_methods() -> [Box<dyn Solver<CsrMatrix>>; 4] {
    [
        Box::new(JacobiIteration::default()),
        Box::new(Sor::default()),
        Box::new(Sor::default().with_sweep(SweepKind::Backward)),
        Box::new(Sor::default().with_sweep(SweepKind::Symmetric)),
    ]
}

#[test]
fn unusable_matrices_are_named() {
    let b = [1.0; 3];
    let missing = CsrMatrix::try_new(3, 3, vec![0, 1, 2, 3], vec![0, 2, 2], vec![1.0; 3]).unwrap();
    let zero =
        CsrMatrix::try_new(3, 3, vec![0, 1, 2, 4], vec![0, 1, 0, 2], vec![1.0, 2.0, 1.0, 0.0]).unwrap();
    let wide = CsrMatrix::try_new(3, 4, vec![0, 1, 2, 3], vec![0, 1, 2], vec![1.0; 3]).unwrap();
    for mut method in all_methods() {
        let mut error = |a: &CsrMatrix, n: usize| {
            let system = LinearSystem::new(a, &b).unwrap();
            method.solve(&system, &mut vec![0.0; n], &StopRule::default(), &mut ()).unwrap_err()
        };
        assert!(matches!(error(&missing, 3), SolveError::ZeroDiagonal { row: 1, .. }));
        assert!(matches!(error(&zero, 3), SolveError::ZeroDiagonal { row: 2, .. }));
        assert!(matches!(error(&wide, 4), SolveError::NotSquare { nrows: 3, ncols: 4, .. }));
        let good = CsrMatrix::identity(3).unwrap();
        assert!(matches!(error(&good, 2), SolveError::DimensionMismatch { expected: 3, found: 2, .. }));
    }
}

#[test]
fn every_end_has_its_reason_and_the_residual_is_that_of_x() {
    let a = grid_laplacian(9, 7);
    let (full, b) = (dense(&a), waves::<f64>(63));
    for mut method in all_methods() {
        let mut end = |stop: StopRule, b: &[f64]| {
            let (outcome, x) = solve(&mut *method, &a, b, &stop);
            let naive = naive_residual_norm(&full, b, &x);
            assert!((outcome.residual_norm - naive).abs() <= 1e-12 * (1.0 + naive));
            (outcome.reason, outcome.iterations)
        };
        let capped = StopRule::rtol(1e-12).with_max_iters(7);
        assert_eq!(end(capped, &b), (StopReason::Stopped(Limit::MaxIterations), 7));
        let late = StopRule::default().with_time_limit(Duration::ZERO);
        assert_eq!(end(late, &b).0, StopReason::Stopped(Limit::TimeLimit));
        assert_eq!(end(StopRule::rtol(0.0), &[0.0; 63]), (StopReason::Converged(Converged::ZeroRhs), 0));
        let impossible = StopRule { rtol: 0.0, ..StopRule::default() }.with_max_iters(3000);
        assert_ne!(end(impossible, &b).0, StopReason::Converged(Converged::RelativeTolerance));
        // After all that the same object still solves.
        assert_eq!(end(StopRule::rtol(1e-9), &b).0, StopReason::Converged(Converged::RelativeTolerance));
        let mut calls = 0;
        let mut monitor = |_: &Progress<'_, f64>| {
            calls += 1;
            if calls == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let system = LinearSystem::new(&a, &b).unwrap();
        let outcome = method.solve(&system, &mut [0.0; 63], &StopRule::default(), &mut monitor).unwrap();
        assert_eq!((outcome.reason, outcome.iterations), (StopReason::Stopped(Limit::MonitorRequest), 3));
    }
}

#[test]
fn divergence_is_reported_as_such() {
    // I + 2 (ones off the diagonal): I - D^-1 A has the eigenvalue -4; SOR's radius is above 1 as well.
    let a = CsrMatrix::try_new(
        3,
        3,
        vec![0, 3, 6, 9],
        vec![0, 1, 2, 0, 1, 2, 0, 1, 2],
        vec![1.0, 2.0, 2.0, 2.0, 1.0, 2.0, 2.0, 2.0, 1.0],
    )
    .unwrap();
    for mut method in all_methods() {
        let (outcome, _) = solve(&mut *method, &a, &[1.0, 2.0, 3.0], &StopRule::default());
        assert_eq!(outcome.reason, StopReason::Failed(Breakdown::Divergence), "{}", method.name());
    }
}

#[test]
fn a_warm_start_at_the_solution_needs_no_iteration() {
    let a = grid_laplacian(5, 5);
    let exact = waves::<f64>(25);
    let mut b = vec![0.0; 25];
    a.multiply(&exact, &mut b);
    for mut method in all_methods() {
        let mut x = exact.clone();
        let system = LinearSystem::new(&a, &b).unwrap();
        let outcome = method.solve(&system, &mut x, &StopRule::default(), &mut ()).unwrap();
        assert_eq!((outcome.iterations, outcome.converged()), (0, true));
        assert_eq!(x, exact);
    }
}

#[test]
fn results_do_not_depend_on_threads() {
    let a = grid_laplacian(230, 200);
    let b = waves::<f64>(a.nrows());
    let stop = StopRule::rtol(1e-10).with_max_iters(12);
    let run = |threads: usize| {
        with_threads(threads, || {
            all_methods().map(|mut method| {
                let (outcome, x) = solve(&mut *method, &a, &b, &stop);
                (outcome.residual_norm.to_bits(), x.into_iter().map(f64::to_bits).collect::<Vec<_>>())
            })
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3));
}

#[test]
fn extreme_scales_converge_in_the_same_number_of_iterations() {
    let a = grid_laplacian(6, 6);
    let b = waves::<f64>(36);
    for mut method in all_methods() {
        let count = solve(&mut *method, &a, &b, &StopRule::rtol(1e-6)).0.iterations;
        for scale in [1e-290, 1e-200, 1e200, 1e290] {
            let tiny: Vec<f64> = b.iter().map(|b| b * scale).collect();
            let (outcome, _) = solve(&mut *method, &a, &tiny, &StopRule::rtol(1e-6));
            assert_eq!((outcome.iterations, outcome.converged()), (count, true), "{scale:e}");
        }
    }
}

proptest! {
    #[test]
    fn sor_converges_for_every_positive_definite_matrix(
        omega in 0.3f64..1.7,
        entries in prop::collection::vec((0usize..12, 0usize..12, -1.0f64..1.0), 0..40),
    ) {
        // B Bᵀ + I/2 with B = I + entries: definite, not dominant.
        let mut dense = vec![vec![0.0; 12]; 12];
        (0..12).for_each(|i| dense[i][i] = 1.0);
        entries.iter().for_each(|&(i, j, v)| dense[i][j] += v);
        let mut coo = residua_data::CooBuilder::new(12, 12).unwrap();
        for i in 0..12 {
            for j in 0..12 {
                let dot: f64 = (0..12).map(|k| dense[i][k] * dense[j][k]).sum();
                coo.push(i, j, dot + if i == j { 0.5 } else { 0.0 }).unwrap();
            }
        }
        let a = coo.build().unwrap();
        for kind in [SweepKind::Forward, SweepKind::Backward, SweepKind::Symmetric] {
            let mut sor = Sor::new(omega).unwrap().with_sweep(kind);
            let (outcome, _) = solve(&mut sor, &a, &waves(12), &StopRule::rtol(1e-8).with_max_iters(100_000));
            prop_assert!(outcome.converged(), "{:?}: {:?}", kind, outcome);
        }
    }
}
