use crate::support::*;
use num_complex::Complex;
use proptest::prelude::*;
use residua_solvers::precond::{Ilu0, Ilu0Options};
use residua_solvers::{CsrMatrix, LinearOperator, Preconditioner, Refresh, SolveError};

#[test]
fn it_is_exact_for_a_tridiagonal_matrix() {
    let a = tridiagonal(200, -1.5, 0.25);
    let full = Ilu0Options { compact: false, ..Ilu0Options::default() };
    let mut ilu0 = Ilu0::with_options(&a, full).unwrap();
    assert!(mismatch(ilu0.factor(), &a) < 1e-14);
    let factor = ilu0.factor().clone();
    assert!(apply_error(&mut ilu0, &factor, &random(200, 1)) < 1e-13);
    assert_eq!(ilu0.replaced_pivots(), 0);
}

proptest! {
    #[test]
    fn it_agrees_with_a_on_the_pattern(a in dominant()) {
        let ilu0 = Ilu0::new(&a).unwrap();
        prop_assert!(mismatch_on_pattern(ilu0.factor(), &a) < 1e-12);
        prop_assert_eq!(ilu0.factor().nnz() + a.nrows(), a.nnz());
    }

    #[test]
    fn full_relaxation_keeps_row_sums(a in dominant()) {
        let options = Ilu0Options { relaxation: 1.0, ..Ilu0Options::default() };
        let Ok(milu) = Ilu0::with_options(&a, options) else { return Ok(()) };
        prop_assume!(milu.replaced_pivots() == 0);
        let ones = vec![1.0; a.nrows()];
        let (mut mx, mut ax) = (ones.clone(), ones.clone());
        milu.factor().multiply(&ones, &mut mx).unwrap();
        a.multiply(&ones, &mut ax);
        prop_assert!(mx.iter().zip(&ax).all(|(m, a)| (m - a).abs() < 1e-9 * a.abs().max(1.0)));
    }

    #[test]
    fn the_sweeps_invert_the_product(a in dominant(), seed in 0u64..99) {
        for (compact, bound) in [(true, 1e-5), (false, 1e-12)] {
            let mut ilu0 = Ilu0::with_options(&a, Ilu0Options { compact, ..Ilu0Options::default() }).unwrap();
            let factor = ilu0.factor().clone();
            prop_assert!(apply_error(&mut ilu0, &factor, &random(a.nrows(), seed)) < bound);
        }
    }
}

/// ‖r‖ after so many steps of x ← x + M⁻¹ (b − A x), over ‖b‖.
fn richardson(a: &CsrMatrix, precond: &mut impl Preconditioner, steps: usize) -> f64 {
    let b = random(a.nrows(), 5);
    let (mut x, mut r, mut z) = (vec![0.0; b.len()], b.clone(), b.clone());
    for _ in 0..steps {
        precond.apply(&r, &mut z).unwrap();
        x.iter_mut().zip(&z).for_each(|(x, z)| *x += z);
        a.residual(&b, &x, &mut r);
    }
    let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    norm(&r) / norm(&b)
}

#[test]
fn it_is_nearly_exact_downwind() {
    // With a strong wind along the order of the rows, A is nearly lower triangular.
    let a = convection(50, 100.0);
    let mut ilu0 = Ilu0::new(&a).unwrap();
    assert!(richardson(&a, &mut ilu0, 10) < 1e-10);
}

#[test]
fn tiny_pivots_are_replaced_and_counted_or_named() {
    // The second pivot is 1 − 1 · 1 = 0.
    let a = matrix(
        3,
        [(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.0), (1, 2, 2.0), (2, 1, 1.0), (2, 2, 1.0)],
    );
    let ilu0 = Ilu0::new(&a).unwrap();
    assert_eq!(ilu0.replaced_pivots(), 1);
    let strict = Ilu0Options { pivot_replacement: 0.0, ..Ilu0Options::default() };
    let error = Ilu0::with_options(&a, strict).unwrap_err();
    assert!(matches!(error, SolveError::FactorizationFailed { what: "ilu0", row: 1, .. }), "{error}");
    // A missing diagonal entry is a zero.
    let anti = matrix(2, [(0, 1, 1.0), (1, 0, 1.0)]);
    assert!(matches!(Ilu0::with_options(&anti, strict), Err(SolveError::FactorizationFailed { row: 0, .. })));
    assert_eq!(Ilu0::new(&anti).unwrap().replaced_pivots(), 1);
    let empty_row = matrix(2, [(0, 0, 1.0)]);
    assert!(matches!(Ilu0::new(&empty_row), Err(SolveError::FactorizationFailed { row: 1, .. })));
}

#[test]
fn wrong_calls_are_refused() {
    let wide = CsrMatrix::try_new(1, 2, vec![0, 1], vec![0], vec![1.0]).unwrap();
    assert!(matches!(Ilu0::new(&wide), Err(SolveError::NotSquare { .. })));
    let options = Ilu0Options { pivot_replacement: 2.0, ..Ilu0Options::default() };
    let result = Ilu0::with_options(&laplacian(3), options);
    assert!(matches!(result, Err(SolveError::InvalidOption { name: "pivot_replacement", .. })));
}

#[test]
fn refresh_equals_a_new_one_and_notices_other_patterns() {
    let a = convection(150, 1.0);
    let mut refreshed = Ilu0::new(&a).unwrap();
    let b = convection(150, 3.0);
    refreshed.refresh(&b).unwrap();
    let r = random(a.nrows(), 2);
    let (mut z1, mut z2) = (r.clone(), r.clone());
    refreshed.apply(&r, &mut z1).unwrap();
    Ilu0::new(&b).unwrap().apply(&r, &mut z2).unwrap();
    assert_eq!(z1, z2);
    let other = matrix(a.nrows(), (0..a.nrows()).map(|i| (i, i, 1.0)));
    assert_eq!(refreshed.refresh(&other).unwrap_err(), SolveError::PatternChanged { what: "ilu0" });
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let a = convection(200, 2.0);
    assert!(Ilu0::new(&a).unwrap().factor().schedule().task_count() > 4);
    assert_same_bits(&a, |a| Ilu0::new(a).unwrap());
}

#[test]
fn complex_matrices_are_factorized() {
    let a = tridiagonal(30, -1.0, 0.5).map(|&v| Complex::new(v, 0.3 * v));
    assert!(mismatch(Ilu0::new(&a).unwrap().factor(), &a) < 1e-13);
}

#[test]
fn unstable_solves_show_in_the_inverse_norm() {
    let estimate = |a: &CsrMatrix| Ilu0::new(a).unwrap().factor().clone().inverse_norm_estimate().unwrap();
    // z_i = 1 + 3 z_(i-1): the last is about 3^n / 2.
    let n = 30;
    let unstable = matrix(n, (0..n).map(|i| (i, i, 1.0)).chain((1..n).map(|i| (i, i - 1, -3.0))));
    let exact = (3f64.powi(n as i32) - 1.0) / 2.0;
    assert!((estimate(&unstable) / exact - 1.0).abs() < 1e-6);
    assert!(estimate(&convection(10, 1.0)) < 100.0);
    let overflowing = matrix(900, (0..900).map(|i| (i, i, 1.0)).chain((1..900).map(|i| (i, i - 1, -3.0))));
    assert!(!estimate(&overflowing).is_finite());
}
