use crate::support::*;
use num_complex::Complex;
use proptest::prelude::*;
use residua_solvers::precond::{BlockJacobi, Jacobi};
use residua_solvers::{Preconditioner, Refresh, SolveError};

proptest! {
    #[test]
    fn a_block_as_large_as_the_matrix_inverts_it(a in dominant(), seed in 0u64..99) {
        let n = a.nrows();
        let x = random(n, seed);
        let (mut b, mut z) = (x.clone(), x.clone());
        a.multiply(&x, &mut b);
        BlockJacobi::new(&a, n).unwrap().apply(&b, &mut z).unwrap();
        prop_assert!(z.iter().zip(&x).all(|(z, x)| (z - x).abs() < 1e-9));
    }

    #[test]
    fn only_the_blocks_count(a in spd(), size in 1usize..8, seed in 0u64..99) {
        // The matrix with everything outside its blocks removed.
        let n = a.nrows();
        let inside = matrix(n, (0..n).flat_map(|i| {
            let (cols, values) = a.row(i);
            let kept = cols.iter().zip(values).filter(|e| *e.0 as usize / size == i / size);
            kept.map(|(&j, &v)| (i, j as usize, v)).collect::<Vec<_>>()
        }));
        let x = random(n, seed);
        let (mut b, mut z) = (x.clone(), x.clone());
        inside.multiply(&x, &mut b);
        let mut blocks = BlockJacobi::spd(&a, size).unwrap();
        blocks.apply(&b, &mut z).unwrap();
        prop_assert!(z.iter().zip(&x).all(|(z, x)| (z - x).abs() < 1e-9));
        let y = random(n, seed + 1);
        prop_assert!((form(&mut blocks, &x, &y) - form(&mut blocks, &y, &x)).abs() < 1e-9);
        prop_assert!(form(&mut blocks, &x, &x) > 0.0);
    }
}

#[test]
fn blocks_of_one_are_jacobi() {
    let a = tridiagonal(9000, -1.0, -1.0);
    let r = random(9000, 2);
    let (mut z1, mut z2) = (r.clone(), r.clone());
    BlockJacobi::new(&a, 1).unwrap().apply(&r, &mut z1).unwrap();
    Jacobi::new(&a).unwrap().apply(&r, &mut z2).unwrap();
    assert!(z1.iter().zip(&z2).all(|(a, b)| (a - b).abs() < 1e-15));
}

#[test]
fn larger_blocks_save_iterations() {
    let a = laplacian(40);
    let iterations = |size| solve_by_cg(&a, BlockJacobi::spd(&a, size).unwrap(), 1e-8).iterations;
    assert!(iterations(80) < iterations(1), "{} {}", iterations(80), iterations(1));
}

#[test]
fn bad_blocks_are_named() {
    let singular = matrix(4, [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (2, 3, 1.0), (3, 2, 1.0), (3, 3, 1.0)]);
    for error in [BlockJacobi::new(&singular, 2).unwrap_err(), BlockJacobi::spd(&singular, 2).unwrap_err()] {
        assert!(
            matches!(error, SolveError::FactorizationFailed { what: "block_jacobi", row: 2, .. }),
            "{error}"
        );
    }
    let negative = matrix(2, [(0, 0, 1.0), (1, 1, -1.0)]);
    assert!(BlockJacobi::new(&negative, 1).is_ok());
    assert!(matches!(BlockJacobi::spd(&negative, 1), Err(SolveError::FactorizationFailed { row: 1, .. })));
    let complex = negative.map(|&v| Complex::new(v, 0.0));
    assert!(matches!(BlockJacobi::spd(&complex, 1), Err(SolveError::FactorizationFailed { row: 1, .. })));
    for size in [0, 513] {
        assert!(matches!(BlockJacobi::new(&negative, size), Err(SolveError::InvalidOption { .. })));
    }
}

#[test]
fn refresh_equals_a_new_one() {
    let (a, b) = (tridiagonal(101, -1.0, -1.0), tridiagonal(101, -0.5, 0.25));
    let mut blocks = BlockJacobi::new(&a, 7).unwrap();
    blocks.refresh(&b).unwrap();
    assert_eq!(blocks, BlockJacobi::new(&b, 7).unwrap());
    assert!(matches!(blocks.refresh(&laplacian(3)), Err(SolveError::DimensionMismatch { .. })));
}

#[test]
fn the_result_does_not_depend_on_threads() {
    assert_same_bits(&laplacian(100), |a| BlockJacobi::new(a, 13).unwrap());
}
