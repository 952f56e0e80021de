use crate::support::*;
use num_complex::Complex;
use proptest::prelude::*;
use residua_solvers::precond::{Ic0, Ict, IctOptions, Ilut, IlutOptions};
use residua_solvers::{Refresh, SolveError};

const COMPLETE_ICT: IctOptions = IctOptions { drop_tol: 0.0, max_fill: usize::MAX };
const COMPLETE_ILUT: IlutOptions =
    IlutOptions { drop_tol: 0.0, max_fill: usize::MAX, pivot_replacement: 0.0 };

proptest! {
    #[test]
    fn without_dropping_ict_is_complete(a in spd()) {
        let ict = Ict::with_options(&a, COMPLETE_ICT).unwrap();
        prop_assert_eq!(ict.shift(), 0.0);
        prop_assert!(mismatch(ict.factor(), &a) < 1e-12);
    }

    #[test]
    fn without_dropping_ilut_is_complete(a in dominant()) {
        let ilut = Ilut::with_options(&a, COMPLETE_ILUT).unwrap();
        prop_assert!(mismatch(ilut.factor(), &a) < 1e-12);
    }

    #[test]
    fn ict_is_symmetric_and_positive(a in spd(), seed in 0u64..1000, drop_tol in 0.0f64..0.5) {
        let mut ict = Ict::with_options(&a, IctOptions { drop_tol, max_fill: 1 }).unwrap();
        let (x, y) = (random(a.nrows(), seed), random(a.nrows(), seed + 1));
        let (xy, yx) = (form(&mut ict, &x, &y), form(&mut ict, &y, &x));
        let scale = (form(&mut ict, &x, &x) * form(&mut ict, &y, &y)).sqrt();
        prop_assert!((xy - yx).abs() <= 1e-13 * scale);
        prop_assert!(form(&mut ict, &x, &x) > 0.0);
    }

    #[test]
    fn rows_stay_within_the_fill_limit(a in dominant(), max_fill in 0usize..3) {
        let ilut = Ilut::with_options(&a, IlutOptions { drop_tol: 0.0, max_fill, ..IlutOptions::default() }).unwrap();
        prop_assert!(ilut.factor().nnz() <= a.nnz() - a.nrows() + 2 * max_fill * a.nrows());
    }
}

/// In several blocks: the separators fill in with each other.
#[test]
fn complete_factorizations_in_blocks_solve_in_one_step() {
    // A strip, so that the complete factor stays small.
    let (width, n) = (4, 4 * 8192);
    let mut entries = vec![];
    for i in 0..n {
        entries.push((i, i, 4.01));
        for (j, coupled) in [(i + 1, i % width + 1 < width), (i + width, true)] {
            if coupled && j < n {
                entries.extend([(i, j, -1.0), (j, i, -1.0)]);
            }
        }
    }
    let a = matrix(n, entries);
    let ict = Ict::with_options(&a, COMPLETE_ICT).unwrap();
    assert!(ict.factor().schedule().task_count() > 2);
    assert_eq!(solve_by_cg(&a, ict, 1e-10).iterations, 1);
    let mut ilut = Ilut::with_options(&a, COMPLETE_ILUT).unwrap();
    let x = random(n, 4);
    let mut b = vec![0.0; n];
    a.multiply(&x, &mut b);
    let mut z = vec![0.0; n];
    residua_solvers::Preconditioner::apply(&mut ilut, &b, &mut z).unwrap();
    assert!(z.iter().zip(&x).all(|(z, x)| (z - x).abs() < 1e-10));
}

#[test]
fn a_smaller_tolerance_gives_fewer_iterations_and_more_fill() {
    let a = laplacian(64);
    let ict = |drop_tol| Ict::with_options(&a, IctOptions { drop_tol, max_fill: 20 }).unwrap();
    let run = |drop_tol| (solve_by_cg(&a, ict(drop_tol), 1e-8).iterations, ict(drop_tol).factor().nnz());
    let (loose, tight) = (run(1e-2), run(1e-3));
    let ic0 = solve_by_cg(&a, Ic0::new(&a).unwrap(), 1e-8).iterations;
    assert!(tight.0 < loose.0 && loose.0 < ic0, "{tight:?} {loose:?} {ic0}");
    assert!(tight.1 > loose.1);
}

#[test]
fn with_fill_kershaws_matrix_needs_no_shift() {
    assert_eq!(Ict::with_options(&kershaw(), COMPLETE_ICT).unwrap().shift(), 0.0);
    let poor = Ict::with_options(&kershaw(), IctOptions { drop_tol: 0.0, max_fill: 0 }).unwrap();
    assert!(solve_by_cg(&kershaw(), poor, 1e-10).converged());
}

#[test]
fn dropping_ignores_the_scale_of_the_unknowns() {
    let a = laplacian(10);
    let mut scaled = a.clone();
    let scale = |i: usize| 2f64.powi((i * 7 % 40) as i32 - 20);
    let mut k = 0;
    for i in 0..a.nrows() {
        for &j in a.row(i).0 {
            scaled.values_mut()[k] *= scale(i) * scale(j as usize);
            k += 1;
        }
    }
    let nnz = |m| Ict::with_options(m, IctOptions { drop_tol: 1e-2, max_fill: 3 }).unwrap().factor().nnz();
    assert_eq!(nnz(&a), nnz(&scaled));
}

#[test]
fn bad_matrices_and_options_are_named() {
    let indefinite = matrix(2, [(0, 0, 1.0), (0, 1, 1e9), (1, 0, 1e9), (1, 1, 1.0)]);
    assert!(matches!(
        Ict::new(&indefinite),
        Err(SolveError::FactorizationFailed { what: "ict", row: 1, .. })
    ));
    let zero = matrix(2, [(0, 0, 1.0), (0, 1, 1.0)]);
    assert_eq!(Ict::new(&zero).unwrap_err(), SolveError::ZeroDiagonal { what: "ict", row: 1 });
    assert!(matches!(Ilut::new(&zero), Err(SolveError::FactorizationFailed { what: "ilut", row: 1, .. })));
    let anti = matrix(2, [(0, 1, 1.0), (1, 0, 1.0)]);
    assert_eq!(Ilut::new(&anti).unwrap().replaced_pivots(), 1);
    assert!(matches!(
        Ilut::with_options(&anti, COMPLETE_ILUT),
        Err(SolveError::FactorizationFailed { row: 0, .. })
    ));
    for drop_tol in [-1.0, 1.0, f64::NAN] {
        let result = Ict::with_options(&laplacian(3), IctOptions { drop_tol, ..IctOptions::default() });
        assert!(matches!(result, Err(SolveError::InvalidOption { name: "drop_tol", .. })));
        let result = Ilut::with_options(&laplacian(3), IlutOptions { drop_tol, ..IlutOptions::default() });
        assert!(matches!(result, Err(SolveError::InvalidOption { name: "drop_tol", .. })));
    }
}

#[test]
fn refresh_equals_a_new_one() {
    let (a, b) = (laplacian(20), laplacian(20).map(|v| if *v > 0.0 { 5.0 } else { -0.5 }));
    let r = random(400, 1);
    let mut ict = Ict::new(&a).unwrap();
    ict.refresh(&b).unwrap();
    assert_eq!(form(&mut ict, &r, &r), form(&mut Ict::new(&b).unwrap(), &r, &r));
    let mut ilut = Ilut::new(&a).unwrap();
    ilut.refresh(&b).unwrap();
    assert_eq!(form(&mut ilut, &r, &r), form(&mut Ilut::new(&b).unwrap(), &r, &r));
    assert!(matches!(ilut.refresh(&laplacian(3)), Err(SolveError::DimensionMismatch { .. })));
    assert!(matches!(ict.refresh(&laplacian(3)), Err(SolveError::DimensionMismatch { .. })));
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let a = laplacian(200);
    assert!(Ict::new(&a).unwrap().factor().schedule().task_count() > 4);
    assert_same_bits(&a, |a| Ict::new(a).unwrap());
    assert_same_bits(&convection(200, 1.0), |a| Ilut::new(a).unwrap());
}

#[test]
fn complex_hermitian_matrices_are_factorized() {
    let i = Complex::new(0.0, 1.0);
    let off = (1..30)
        .flat_map(|k| [(k, k - 1, i), (k - 1, k, -i)])
        .chain((5..30).flat_map(|k| [(k, k - 5, i * 0.5), (k - 5, k, i * -0.5)]));
    let a = matrix(30, (0..30).map(|k| (k, k, Complex::from(4.0))).chain(off));
    assert!(mismatch(Ict::with_options(&a, COMPLETE_ICT).unwrap().factor(), &a) < 1e-13);
    assert!(mismatch(Ilut::with_options(&a, COMPLETE_ILUT).unwrap().factor(), &a) < 1e-13);
}
