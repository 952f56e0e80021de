use crate::support::*;
use num_complex::Complex;
use proptest::prelude::*;
use residua_solvers::precond::{Ic0, Ic0Options, Identity, Jacobi};
use residua_solvers::{CsrMatrix, Preconditioner, Refresh, SolveError};

#[test]
fn it_is_exact_for_a_tridiagonal_matrix() {
    let a = tridiagonal(300, -1.0, -1.0);
    let mut ic0 = Ic0::new(&a).unwrap();
    assert!(mismatch(ic0.factor(), &a) < 1e-14);
    assert_eq!(ic0.shift(), 0.0);
    let factor = ic0.factor().clone();
    assert!(factor.is_compact());
    let rounding = apply_error(&mut ic0, &factor, &random(300, 1));
    assert!(rounding < 1e-6 && rounding > 1e-10, "single precision must show: {rounding:e}");
    assert_eq!(solve_by_cg(&a, ic0, 1e-6).iterations, 1);
    let mut full = Ic0::with_options(&a, Ic0Options { compact: false, ..Ic0Options::default() }).unwrap();
    assert!(apply_error(&mut full, &factor, &random(300, 1)) < 1e-13);
    assert_eq!(solve_by_cg(&a, full, 1e-10).iterations, 1);
}

proptest! {
    #[test]
    fn it_agrees_with_a_on_the_pattern(a in spd()) {
        let ic0 = Ic0::new(&a).unwrap();
        prop_assert_eq!(ic0.shift(), 0.0);
        prop_assert!(mismatch_on_pattern(ic0.factor(), &a) < 1e-12);
    }

    #[test]
    fn it_is_symmetric_and_positive(a in spd(), seed in 0u64..1000, relaxation in 0.0f64..1.0) {
        let mut ic0 = Ic0::with_options(&a, Ic0Options::modified(relaxation)).unwrap();
        let (x, y) = (random(a.nrows(), seed), random(a.nrows(), seed + 1));
        let (xy, yx) = (form(&mut ic0, &x, &y), form(&mut ic0, &y, &x));
        let scale = (form(&mut ic0, &x, &x) * form(&mut ic0, &y, &y)).sqrt();
        prop_assert!((xy - yx).abs() <= 1e-13 * scale);
        prop_assert!(form(&mut ic0, &x, &x) > 0.0);
    }
}

#[test]
fn values_beyond_single_precision_keep_the_sweeps_in_double() {
    // l = 1e-30 / 1e-80 = 1e50.
    let a = matrix(2, [(0, 0, 1e-80), (0, 1, 1e-30), (1, 0, 1e-30), (1, 1, 1e30)]);
    let mut ic0 = Ic0::new(&a).unwrap();
    assert!(!ic0.factor().is_compact());
    let factor = ic0.factor().clone();
    assert!(apply_error(&mut ic0, &factor, &[1e-80, 1.0]) < 1e-12);
}

#[test]
fn full_relaxation_keeps_row_sums() {
    let a = laplacian(12);
    let ones = vec![1.0; a.nrows()];
    let (mut mx, mut ax) = (ones.clone(), ones.clone());
    let row_sum_error =
        |mx: &[f64], ax: &[f64]| mx.iter().zip(ax).map(|(m, a)| (m - a).abs()).fold(0.0, f64::max);
    a.multiply(&ones, &mut ax);
    Ic0::with_options(&a, Ic0Options::modified(1.0)).unwrap().factor().multiply(&ones, &mut mx).unwrap();
    assert!(row_sum_error(&mx, &ax) < 1e-12);
    Ic0::new(&a).unwrap().factor().multiply(&ones, &mut mx).unwrap();
    assert!(row_sum_error(&mx, &ax) > 0.1, "plain IC(0) must not keep them");
}

#[test]
fn a_breakdown_is_cured_by_a_shift_and_reported() {
    let a = kershaw();
    let ic0 = Ic0::new(&a).unwrap();
    assert!(ic0.shift() >= 1e-3 && ic0.shift() < 2.0, "{}", ic0.shift());
    let mut shifted = a.clone();
    for i in 0..4 {
        let k = shifted.row_ptr()[i] as usize + shifted.row(i).0.binary_search(&(i as u32)).unwrap();
        shifted.values_mut()[k] *= 1.0 + ic0.shift();
    }
    assert!(mismatch_on_pattern(ic0.factor(), &shifted) < 1e-12);
    assert!(solve_by_cg(&a, ic0, 1e-10).converged());
    let asked = Ic0::with_options(&a, Ic0Options { shift: 5.0, ..Ic0Options::default() }).unwrap();
    assert_eq!(asked.shift(), 5.0);
}

#[test]
fn matrices_that_are_not_positive_definite_are_named() {
    let zero = matrix(3, [(0, 0, 1.0), (1, 0, 1.0), (2, 2, 1.0)]);
    assert_eq!(Ic0::new(&zero).unwrap_err(), SolveError::ZeroDiagonal { what: "ic0", row: 1 });
    let failed_row = |a: &CsrMatrix| match Ic0::new(a).unwrap_err() {
        SolveError::FactorizationFailed { row, reason, .. } => (row, reason),
        other => panic!("{other}"),
    };
    let (row, reason) = failed_row(&matrix(2, [(0, 0, 1.0), (1, 1, -1.0)]));
    assert!(row == 1 && reason.contains("not real and positive"), "{reason}");
    let (row, reason) = failed_row(&matrix(2, [(0, 0, 1.0), (0, 1, 1e9), (1, 0, 1e9), (1, 1, 1.0)]));
    assert!(row == 1 && reason.contains("far from positive definite"), "{reason}");
    let (row, reason) = failed_row(&matrix(3, [(0, 0, 1.0), (1, 1, 1.0), (1, 2, 0.1), (2, 2, 1.0)]));
    assert!(row == 1 && reason.contains("not Hermitian"), "{reason}");
    let (row, reason) = failed_row(&matrix(3, [(0, 0, 1.0), (1, 1, 1.0), (2, 1, 0.1), (2, 2, 1.0)]));
    assert!(row == 2 && reason.contains("not Hermitian"), "{reason}");
    let nan = matrix(2, [(0, 0, 1.0), (0, 1, f64::NAN), (1, 0, f64::NAN), (1, 1, 1.0)]);
    assert!(failed_row(&nan).1.contains("not finite"));
}

#[test]
fn wrong_calls_are_refused() {
    let a = laplacian(4);
    let wide = CsrMatrix::try_new(1, 2, vec![0, 1], vec![0], vec![1.0]).unwrap();
    assert!(matches!(Ic0::new(&wide), Err(SolveError::NotSquare { .. })));
    for relaxation in [-0.1, 1.1, f64::NAN] {
        let result = Ic0::with_options(&a, Ic0Options::modified(relaxation));
        assert!(matches!(result, Err(SolveError::InvalidOption { name: "relaxation", .. })));
    }
    let options = Ic0Options { shift: -1.0, ..Ic0Options::default() };
    assert!(matches!(Ic0::with_options(&a, options), Err(SolveError::InvalidOption { name: "shift", .. })));
    let mut ic0 = Ic0::new(&a).unwrap();
    assert!(matches!(ic0.apply(&[1.0], &mut [0.0; 16]), Err(SolveError::DimensionMismatch { .. })));
    assert!(matches!(ic0.apply(&[1.0; 16], &mut [0.0; 1]), Err(SolveError::DimensionMismatch { .. })));
}

#[test]
fn an_empty_matrix_is_no_special_case() {
    let empty = matrix::<f64>(0, []);
    Ic0::new(&empty).unwrap().apply(&[], &mut []).unwrap();
}

#[test]
fn refresh_equals_a_new_one() {
    // Large enough for several blocks.
    let a = laplacian(200);
    let mut b = a.clone();
    for (k, v) in b.values_mut().iter_mut().enumerate() {
        *v *= if *v > 0.0 { 1.0 + (k % 3) as f64 } else { 0.5 };
    }
    let mut refreshed = Ic0::new(&a).unwrap();
    refreshed.refresh(&b).unwrap();
    let mut fresh = Ic0::new(&b).unwrap();
    let r = random(a.nrows(), 3);
    let (mut z1, mut z2) = (r.clone(), r.clone());
    refreshed.apply(&r, &mut z1).unwrap();
    fresh.apply(&r, &mut z2).unwrap();
    assert_eq!(z1, z2);
    let sparser = matrix(40_000, (0..40_000).map(|i| (i, i, 1.0)));
    for other in [sparser, laplacian(199)] {
        assert_eq!(refreshed.refresh(&other).unwrap_err(), SolveError::PatternChanged { what: "ic0" });
    }
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let a = laplacian(200);
    let ic0 = Ic0::new(&a).unwrap();
    assert!(ic0.factor().schedule().task_count() > 4, "the test must have something to share out");
    assert_same_bits(&a, |a| Ic0::with_options(a, Ic0Options::modified(0.9)).unwrap());
}

/// IC(0) in natural order by the textbook, and CG likewise: iterations to ‖r‖ ≤ rtol ‖b‖.
fn oracle_iterations(a: &CsrMatrix, rtol: f64) -> usize {
    let n = a.nrows();
    let mut l = a.clone(); // lower part: Cholesky factor
    for i in 0..n {
        let cols = a.row(i).0.to_vec();
        for &k in cols.iter().filter(|&&k| k as usize <= i) {
            let k = k as usize;
            let common = cols.iter().map(|&j| j as usize).filter(|&j| j < k);
            let sum = common.fold(l.get(i, k), |sum, j| sum - l.get(i, j) * l.get(k, j));
            let value = if k == i { sum.sqrt() } else { sum / l.get(k, k) };
            let slot = l.row_ptr()[i] as usize + cols.binary_search(&(k as u32)).unwrap();
            l.values_mut()[slot] = value;
        }
    }
    let apply = |r: &[f64]| {
        let mut z = r.to_vec();
        for i in 0..n {
            let (cols, values) = l.row(i);
            let lower = cols.iter().zip(values).filter(|e| (*e.0 as usize) < i);
            z[i] = lower.fold(z[i], |sum, (&j, v)| sum - v * z[j as usize]) / l.get(i, i);
        }
        for i in (0..n).rev() {
            z[i] /= l.get(i, i);
            let (cols, values) = l.row(i);
            for (&j, v) in cols.iter().zip(values).filter(|e| (*e.0 as usize) < i) {
                z[j as usize] -= v * z[i];
            }
        }
        z
    };
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let b = random(n, 12345);
    let (mut r, mut q) = (b.clone(), vec![0.0; n]);
    let mut z = apply(&r);
    let mut p = z.clone();
    let mut rho = dot(&r, &z);
    for iteration in 1..10_000 {
        a.multiply(&p, &mut q);
        let alpha = rho / dot(&p, &q);
        r.iter_mut().zip(&q).for_each(|(r, q)| *r -= alpha * q);
        if dot(&r, &r) <= rtol * rtol * dot(&b, &b) {
            return iteration;
        }
        z = apply(&r);
        let next = dot(&r, &z);
        p.iter_mut().zip(&z).for_each(|(p, z)| *p = z + next / rho * *p);
        rho = next;
    }
    usize::MAX
}

#[test]
fn iterations_are_those_of_the_textbook() {
    // One task: the natural order itself.
    let small = laplacian(64);
    let expected = oracle_iterations(&small, 1e-8);
    assert_eq!(solve_by_cg(&small, Ic0::new(&small).unwrap(), 1e-8).iterations, expected);
    // Several blocks: another order, and hardly more iterations.
    let large = laplacian(200);
    let expected = oracle_iterations(&large, 1e-8);
    let found = solve_by_cg(&large, Ic0::new(&large).unwrap(), 1e-8).iterations;
    let full = Ic0::with_options(&large, Ic0Options { compact: false, ..Ic0Options::default() }).unwrap();
    let in_double = solve_by_cg(&large, full, 1e-8).iterations;
    assert!(found.abs_diff(in_double) <= 1, "rounding the factor costs nothing: {found} {in_double}");
    assert!(found as f64 <= 1.03 * expected as f64, "{found} against {expected}");
}

#[test]
fn each_refinement_saves_iterations() {
    let a = laplacian(96);
    let iterations = |relaxation| {
        solve_by_cg(&a, Ic0::with_options(&a, Ic0Options::modified(relaxation)).unwrap(), 1e-8).iterations
    };
    let (none, jacobi) = (
        solve_by_cg(&a, Identity, 1e-8).iterations,
        solve_by_cg(&a, Jacobi::new(&a).unwrap(), 1e-8).iterations,
    );
    assert!(2 * iterations(0.0) < jacobi && jacobi <= none);
    assert!(3 * iterations(0.97) < 2 * iterations(0.0), "{} {}", iterations(0.97), iterations(0.0));
}

#[test]
fn complex_hermitian_matrices_are_factorized() {
    let i = Complex::new(0.0, 1.0);
    let n = 40;
    let mut entries = vec![];
    for k in 0..n {
        entries.push((k, k, Complex::from(4.0)));
        for d in [1, 7] {
            if k + d < n {
                entries.push((k, k + d, i * (d as f64 / 7.0) - 0.3));
                entries.push((k + d, k, (i * (d as f64 / 7.0) - 0.3).conj()));
            }
        }
    }
    let a = matrix(n, entries);
    let mut ic0 = Ic0::new(&a).unwrap();
    assert!(mismatch_on_pattern(ic0.factor(), &a) < 1e-13);
    let vector = |seed| {
        random(n, seed)
            .into_iter()
            .zip(random(n, seed + 9))
            .map(|(re, im)| Complex::new(re, im))
            .collect::<Vec<_>>()
    };
    let (x, y) = (vector(1), vector(2));
    assert!((form(&mut ic0, &x, &y) - form(&mut ic0, &y, &x).conj()).norm() < 1e-13);
    let own = form(&mut ic0, &x, &x);
    assert!(own.re > 0.0 && own.im.abs() < 1e-14);
}

#[test]
fn single_precision_works() {
    let a = tridiagonal(50, -1.0, -1.0).map(|&v| v as f32);
    assert!(mismatch(Ic0::new(&a).unwrap().factor(), &a) < 1e-5);
}
