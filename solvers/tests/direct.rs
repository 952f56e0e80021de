//! Sparse factorizations against known answers, each other, and bad input.
#![allow(clippy::unwrap_used)]

use num_complex::Complex;
use residua_data::zoo::{self, RandomKind};
use residua_solvers::direct::{DenseLeastSquares, Direct, DirectKind, Factorization, FaerScalar};
use residua_solvers::krylov::Gmres;
use residua_solvers::{Breakdown, CsrMatrix, LinearSystem, SolveError, Solver, StopReason, StopRule};

const KINDS: [DirectKind; 4] = [DirectKind::Cholesky, DirectKind::Ldlt, DirectKind::Lu, DirectKind::Qr];

fn solve<T: FaerScalar>(kind: DirectKind, a: &CsrMatrix<T>, exact: &[T]) -> f64 {
    let mut b = vec![T::zero(); a.nrows()];
    a.multiply(exact, &mut b);
    let mut x = vec![T::zero(); a.ncols()];
    let system = LinearSystem::new(a, &b).unwrap();
    let rtol = 1e3 * T::epsilon_f64();
    let outcome =
        Direct::new(kind, a).unwrap().solve(&system, &mut x, &StopRule::rtol(rtol), &mut ()).unwrap();
    assert!(outcome.converged(), "{kind:?}: {outcome:?}");
    x.iter().zip(exact).map(|(&x, &e)| (x - e).modulus_f64()).fold(0.0, f64::max)
}

/// [4 1 0; 1 5 2; 0 2 6], times i above and −i below the diagonal if `complex`.
fn hermitian<T: FaerScalar>(off: [T; 2], conjugates: [T; 2]) -> CsrMatrix<T> {
    let d = [T::of(4.0), T::of(5.0), T::of(6.0)];
    let values = vec![d[0], off[0], conjugates[0], d[1], off[1], conjugates[1], d[2]];
    CsrMatrix::try_new(3, 3, vec![0, 2, 5, 7], vec![0, 1, 0, 1, 2, 1, 2], values).unwrap()
}

#[test]
fn every_kind_solves_in_every_precision() {
    let i = Complex::new(0.0, 1.0);
    let i32 = Complex::new(0.0f32, 1.0);
    for kind in KINDS {
        assert!(solve(kind, &hermitian([1.0, 2.0], [1.0, 2.0]), &[1.0, -2.0, 3.0]) < 1e-13);
        assert!(solve(kind, &hermitian([1.0f32, 2.0], [1.0, 2.0]), &[1.0, -2.0, 3.0]) < 1e-4);
        let complex = hermitian([i, i * 2.0], [-i, -i * 2.0]);
        assert!(solve(kind, &complex, &[i, i + 1.0, Complex::new(2.0, 0.0)]) < 1e-13, "{kind:?}");
        let complex = hermitian([i32, i32 * 2.0], [-i32, -i32 * 2.0]);
        assert!(solve(kind, &complex, &[i32, i32 + 1.0, Complex::new(2.0, 0.0)]) < 1e-4, "{kind:?}");
    }
}

#[test]
fn lu_and_qr_solve_what_is_not_symmetric() {
    for seed in 0..40 {
        let system = zoo::random(RandomKind::Nonsymmetric, 1 + seed as usize, seed).unwrap();
        let exact: Vec<f64> = (0..system.matrix.ncols()).map(|i| (i as f64).cos()).collect();
        for kind in [DirectKind::Lu, DirectKind::Qr] {
            assert!(solve(kind, &system.matrix, &exact) < 1e-5, "{kind:?}, {seed}");
        }
    }
}

#[test]
fn a_refresh_equals_a_new_factorization() {
    let a = hermitian([1.0, 2.0], [1.0, 2.0]);
    let mut changed = a.clone();
    changed.values_mut().iter_mut().for_each(|v| *v *= 1.7);
    for kind in KINDS {
        let mut refreshed = Factorization::new(kind, &a).unwrap();
        refreshed.refresh(&changed).unwrap();
        let (mut x, mut y) = ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]);
        refreshed.solve_in_place(&mut x);
        Factorization::new(kind, &changed).unwrap().solve_in_place(&mut y);
        assert_eq!(x, y, "{kind:?}");
        let other = CsrMatrix::identity(3).unwrap();
        assert!(matches!(refreshed.refresh(&other), Err(SolveError::PatternChanged { .. })));
    }
}

#[test]
fn the_adjoint_solve_solves_with_the_adjoint() {
    let system = zoo::random(RandomKind::Nonsymmetric, 20, 5).unwrap();
    let exact: Vec<f64> = (0..20).map(|i| f64::from(i) - 7.0).collect();
    let mut b = vec![0.0; 20];
    system.matrix.adjoint().multiply(&exact, &mut b);
    Factorization::new(DirectKind::Lu, &system.matrix).unwrap().solve_adjoint_in_place(&mut b);
    assert!(b.iter().zip(&exact).all(|(x, e)| (x - e).abs() < 1e-5), "{b:?}");
}

#[test]
fn cholesky_names_the_indefinite() {
    let a = CsrMatrix::from_diagonal(&[1.0, -1.0, 2.0]).unwrap();
    let error = Direct::new(DirectKind::Cholesky, &a).unwrap_err();
    assert!(matches!(error, SolveError::FactorizationFailed { what: "cholesky", .. }), "{error}");
    assert!(error.to_string().contains("not positive definite"), "{error}");
}

#[test]
fn lu_names_the_structurally_singular_and_the_numerically_singular() {
    let empty_column = CsrMatrix::try_new(2, 2, vec![0, 1, 2], vec![0, 0], vec![1.0, 1.0]).unwrap();
    match Direct::new(DirectKind::Lu, &empty_column) {
        Err(error) => assert!(matches!(error, SolveError::FactorizationFailed { .. }), "{error}"),
        Ok(mut direct) => {
            let b = [1.0, 2.0];
            let system = LinearSystem::new(&empty_column, &b).unwrap();
            let outcome = direct.solve(&system, &mut [0.0; 2], &StopRule::default(), &mut ()).unwrap();
            assert!(matches!(outcome.reason, StopReason::Failed(_)), "{outcome:?}");
        }
    }
    let rank_one = CsrMatrix::try_new(2, 2, vec![0, 2, 4], vec![0, 1, 0, 1], vec![1.0; 4]).unwrap();
    let b = [1.0, 2.0];
    let system = LinearSystem::new(&rank_one, &b).unwrap();
    let mut direct = Direct::new(DirectKind::Lu, &rank_one).unwrap();
    let outcome = direct.solve(&system, &mut [0.0; 2], &StopRule::default(), &mut ()).unwrap();
    assert!(matches!(outcome.reason, StopReason::Failed(_)), "{outcome:?}");
}

#[test]
fn shapes_are_checked() {
    let tall = CsrMatrix::try_new(3, 1, vec![0, 1, 2, 3], vec![0; 3], vec![1.0; 3]).unwrap();
    for kind in [DirectKind::Cholesky, DirectKind::Ldlt, DirectKind::Lu] {
        assert!(matches!(Direct::new(kind, &tall), Err(SolveError::NotSquare { .. })));
    }
    assert!(matches!(Direct::new(DirectKind::Qr, &tall.transpose()), Err(SolveError::NotSquare { .. })));
    let mut direct = Direct::new(DirectKind::Lu, &CsrMatrix::<f64>::identity(3).unwrap()).unwrap();
    let other = CsrMatrix::identity(4).unwrap();
    let b = [1.0; 4];
    let system = LinearSystem::new(&other, &b).unwrap();
    let wrong = direct.solve(&system, &mut [0.0; 4], &StopRule::default(), &mut ());
    assert!(matches!(wrong, Err(SolveError::DimensionMismatch { .. })));
}

#[test]
fn qr_finds_the_least_squares_solution() {
    // The mean of 1, 2 and 6 is the least-squares solution of x = 1, x = 2, x = 6.
    let a = CsrMatrix::try_new(3, 1, vec![0, 1, 2, 3], vec![0; 3], vec![1.0; 3]).unwrap();
    let mut d = [1.0f64, 2.0, 6.0];
    Factorization::new(DirectKind::Qr, &a).unwrap().solve_in_place(&mut d);
    assert!((d[0] - 3.0).abs() < 1e-14);
}

#[test]
fn a_factorization_of_a_near_matrix_is_a_preconditioner() {
    let system = zoo::random(RandomKind::Nonsymmetric, 40, 11).unwrap();
    let mut near = system.matrix.clone();
    near.values_mut().iter_mut().enumerate().for_each(|(k, v)| *v *= 1.0 + 1e-6 * (k as f64).sin());
    let mut gmres = Gmres::new(Direct::new(DirectKind::Lu, &near).unwrap());
    let linear_system = LinearSystem::new(&system.matrix, &system.rhs).unwrap();
    let mut x = vec![0.0; 40];
    let outcome = gmres.solve(&linear_system, &mut x, &StopRule::default(), &mut ()).unwrap();
    assert!(outcome.converged() && outcome.iterations <= 10, "{outcome:?}");
}

#[test]
fn the_dense_solver_finds_the_rank_and_the_verdict() {
    let rank_two =
        CsrMatrix::try_new(3, 3, vec![0, 2, 3, 5], vec![0, 2, 1, 0, 2], vec![1.0, 2.0, 5.0, 1.0, 2.0])
            .unwrap();
    let mut dense = DenseLeastSquares::new(&rank_two).unwrap();
    assert_eq!(dense.rank(), 2);
    let run = |dense: &mut DenseLeastSquares<f64>, b: [f64; 3]| {
        let mut x = [0.0; 3];
        Solver::solve(
            dense,
            &LinearSystem::new(&rank_two, &b).unwrap(),
            &mut x,
            &StopRule::default(),
            &mut (),
        )
        .unwrap()
        .reason
    };
    assert!(matches!(run(&mut dense, [3.0, 5.0, 3.0]), StopReason::Converged(_)));
    assert_eq!(run(&mut dense, [3.0, 5.0, 4.0]), StopReason::Failed(Breakdown::SingularInconsistent));
}
