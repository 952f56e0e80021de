//! Eisenstat's CG against plain preconditioned CG, which shares nothing with it but the preconditioner.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::krylov::Cg;
use crate::precond::{Ic0, Ic0Options, Ssor};
use crate::stationary::testing::*;
use crate::{Converged, History, Limit, Progress, SpdPreconditioner};
use num_complex::Complex;
use std::ops::ControlFlow;

fn waves<T: Scalar>(n: usize) -> Vec<T> {
    (0..n).map(|i| T::of((1.0 + i as f64).sin())).collect()
}

/// Both give the same residual norm at every step, and the same x.
fn check_same<T: Scalar>(
    a: &CsrMatrix<T>,
    precond: impl SpdPreconditioner<T>,
    mut eisenstat: EisenstatCg<T>,
    rtol: f64,
) {
    let n = a.nrows();
    let b = waves::<T>(n);
    let system = LinearSystem::new(a, &b).unwrap();
    let (mut x, mut expected) = (vec![T::of(0.5); n], vec![T::of(0.5); n]);
    let (mut history, mut expected_history) = (History::new(), History::new());
    let stop = StopRule::rtol(rtol);
    let outcome = eisenstat.solve(&system, &mut x, &stop, &mut history).unwrap();
    let plain = Cg::new(precond).solve(&system, &mut expected, &stop, &mut expected_history).unwrap();
    assert!(outcome.converged() && plain.converged(), "{outcome:?} {plain:?}");
    assert_eq!(outcome.iterations, plain.iterations);
    let pairs = history.relative_residuals().iter().zip(expected_history.relative_residuals());
    for (step, (h, e)) in pairs.enumerate() {
        // The recurrences part by rounding: relative to the residual, and to b as x is.
        let close = (1e9 * T::epsilon_f64() * (step + 1) as f64).min(0.05) * e + 2e3 * T::epsilon_f64();
        assert!((h - e).abs() < close, "step {step}: {h:e} {e:e}");
    }
    let difference = x.iter().zip(&expected).map(|(&x, &e)| (x - e).modulus_f64()).fold(0.0, f64::max);
    assert!(difference < 1e2 * rtol, "{difference:e}");
    let naive = naive_residual_norm(&dense(a), &b, &x);
    assert!((outcome.residual_norm - naive).abs() <= 1e-2 * naive);
}

/// Varying coefficients: D S A S with a smooth S, still an M-matrix.
fn varied<T: Scalar>(phase: impl Fn(f64) -> T) -> CsrMatrix<T> {
    let s = |i: usize| 1.0 + 0.9 * (i as f64 * 0.37).sin();
    scaled_entries(&grid_laplacian(23, 19), |i, j| phase(i as f64 - j as f64) * T::of(s(i) * s(j)))
}

#[test]
fn it_takes_the_steps_of_preconditioned_cg() {
    let a = varied(|_| 1.0);
    for omega in [0.7, 1.0, 1.6] {
        check_same(&a, Ssor::new(&a, omega).unwrap(), EisenstatCg::ssor(&a, omega).unwrap(), 1e-9);
    }
    // Eisenstat's form reads A itself, in double: so must the factor be read.
    let full = Ic0Options { compact: false, ..Ic0Options::default() };
    check_same(&a, Ic0::with_options(&a, full).unwrap(), EisenstatCg::dic(&a).unwrap(), 1e-9);
    // Modified pivots need row sums that are not negative.
    let m = grid_laplacian(23, 19);
    let mic = Ic0::with_options(&m, Ic0Options { relaxation: 0.95, ..full }).unwrap();
    assert_eq!(mic.shift(), 0.0);
    check_same(&m, mic, EisenstatCg::modified_dic(&m, 0.95).unwrap(), 1e-9);
    let z = varied(|d| Complex::from_polar(1.0, d));
    check_same(&z, Ssor::new(&z, 1.3).unwrap(), EisenstatCg::ssor(&z, 1.3).unwrap(), 1e-9);
    check_same(&z, Ic0::new(&z).unwrap(), EisenstatCg::dic(&z).unwrap(), 1e-9);
    let s = varied(|_| 1.0f32);
    check_same(&s, Ssor::new(&s, 1.3).unwrap(), EisenstatCg::ssor(&s, 1.3).unwrap(), 1e-3);
    let c = varied(|d| Complex::from_polar(1.0f32, d as f32));
    check_same(&c, Ssor::new(&c, 1.3).unwrap(), EisenstatCg::ssor(&c, 1.3).unwrap(), 1e-3);
}

#[test]
fn extreme_scales_and_reuse() {
    let a = grid_laplacian(20, 20);
    let mut cg = EisenstatCg::ssor(&a, 1.5).unwrap();
    let mut counts = Vec::new();
    for scale in [1.0, 1e-250, 1e250, 1.0] {
        let b: Vec<f64> = waves::<f64>(400).iter().map(|v| v * scale).collect();
        let mut x = vec![0.0; 400];
        let outcome =
            cg.solve(&LinearSystem::new(&a, &b).unwrap(), &mut x, &StopRule::rtol(1e-10), &mut ()).unwrap();
        assert!(outcome.converged());
        counts.push(outcome.iterations);
    }
    assert!(counts.iter().all(|&c| c == counts[0]), "{counts:?}");
}

#[test]
fn every_end_has_its_reason() {
    let a = grid_laplacian(15, 15);
    let (full, b) = (dense(&a), waves::<f64>(225));
    let system = LinearSystem::new(&a, &b).unwrap();
    let mut cg = EisenstatCg::dic(&a).unwrap();
    let mut x = vec![0.0; 225];
    let outcome = cg.solve(&system, &mut x, &StopRule::rtol(1e-12).with_max_iters(5), &mut ()).unwrap();
    assert_eq!((outcome.reason, outcome.iterations), (StopReason::Stopped(Limit::MaxIterations), 5));
    assert!((outcome.residual_norm / naive_residual_norm(&full, &b, &x) - 1.0).abs() < 1e-12);
    let mut monitor = |p: &Progress<'_, f64>| {
        if p.iteration == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    x.fill(0.0);
    let outcome = cg.solve(&system, &mut x, &StopRule::default(), &mut monitor).unwrap();
    assert_eq!((outcome.reason, outcome.iterations), (StopReason::Stopped(Limit::MonitorRequest), 3));
    let zero = [0.0; 225];
    let outcome =
        cg.solve(&LinearSystem::new(&a, &zero).unwrap(), &mut x, &StopRule::default(), &mut ()).unwrap();
    assert_eq!(outcome.reason, StopReason::Converged(Converged::ZeroRhs));
    // Past the attainable accuracy it says so.
    let tight = StopRule::rtol(0.0).with_max_iters(100_000);
    let outcome = cg.solve(&system, &mut x, &tight, &mut ()).unwrap();
    assert!(!outcome.converged() && outcome.relative_residual < 1e-13, "{outcome:?}");
    assert!(outcome.iterations < 1000, "{outcome:?}");
}

#[test]
fn what_is_not_positive_definite_is_named() {
    // Positive diagonal, indefinite.
    let a = CsrMatrix::try_new(2, 2, vec![0, 2, 4], vec![0, 1, 0, 1], vec![1.0, 3.0, 3.0, 1.0]).unwrap();
    let b = [1.0, -1.0];
    let outcome = EisenstatCg::ssor(&a, 1.0)
        .unwrap()
        .solve(&LinearSystem::new(&a, &b).unwrap(), &mut [0.0; 2], &StopRule::default(), &mut ())
        .unwrap();
    assert_eq!(outcome.reason, StopReason::Failed(Breakdown::IndefiniteOperator));
    let error = EisenstatCg::dic(&a).unwrap_err();
    assert!(matches!(error, SolveError::FactorizationFailed { row: 1, .. }), "{error}");
    let negative = CsrMatrix::from_diagonal(&[1.0, -2.0]).unwrap();
    assert!(matches!(EisenstatCg::ssor(&negative, 1.0), Err(SolveError::FactorizationFailed { row: 1, .. })));
    let zero = CsrMatrix::from_diagonal(&[0.0, 2.0]).unwrap();
    assert!(matches!(EisenstatCg::ssor(&zero, 1.0), Err(SolveError::ZeroDiagonal { row: 0, .. })));
    let turned = CsrMatrix::from_diagonal(&[Complex::new(1.0, 1.0)]).unwrap();
    assert!(matches!(EisenstatCg::ssor(&turned, 1.0), Err(SolveError::FactorizationFailed { row: 0, .. })));
    assert!(matches!(EisenstatCg::ssor(&zero, 2.0), Err(SolveError::InvalidOption { name: "omega", .. })));
    let relaxation = EisenstatCg::modified_dic(&zero, 1.5);
    assert!(matches!(relaxation, Err(SolveError::InvalidOption { name: "relaxation", .. })));
}

#[test]
fn a_refreshed_one_equals_a_new_one_and_a_stale_one_never_lies() {
    let (a, n) = (grid_laplacian(12, 12), 144);
    let c = scaled_entries(&a, |i, j| if i == j { 1.25 } else { 0.8 });
    let b = waves::<f64>(n);
    let system = LinearSystem::new(&c, &b).unwrap();
    let stop = StopRule::rtol(1e-10);
    let mut cg = EisenstatCg::dic(&a).unwrap();
    let stale = cg.solve(&system, &mut vec![0.0; n], &stop, &mut ()).unwrap();
    assert!(!stale.converged() || stale.relative_residual <= 1e-10);
    cg.refresh(&c).unwrap();
    let (mut x, mut expected) = (vec![0.0; n], vec![0.0; n]);
    let outcome = cg.solve(&system, &mut x, &stop, &mut ()).unwrap();
    EisenstatCg::dic(&c).unwrap().solve(&system, &mut expected, &stop, &mut ()).unwrap();
    assert!(outcome.converged());
    assert_eq!(x, expected);
    let other = cg.refresh(&grid_laplacian(144, 1)).unwrap_err();
    assert_eq!(other, SolveError::PatternChanged { what: NAME });
}

#[test]
fn it_does_not_depend_on_threads() {
    let a = grid_laplacian(300, 200);
    let b = waves::<f64>(a.nrows());
    let solve = |threads: usize| {
        with_threads(threads, || {
            let methods = [EisenstatCg::dic(&a), EisenstatCg::ssor(&a, 1.0), EisenstatCg::ssor(&a, 1.8)];
            methods.map(|method| {
                let mut x = vec![0.0; b.len()];
                let stop = StopRule::rtol(1e-10).with_max_iters(20);
                let system = LinearSystem::new(&a, &b).unwrap();
                let outcome = method.unwrap().solve(&system, &mut x, &stop, &mut ()).unwrap();
                (outcome.residual_norm.to_bits(), x.into_iter().map(f64::to_bits).collect::<Vec<_>>())
            })
        })
    };
    let one = solve(1);
    assert!(one == solve(2) && one == solve(3));
}
