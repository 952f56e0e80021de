//! Complex systems: Hermitian, symmetric, neither.

use super::{Definiteness, Facts, ZooSystem, from_fn, some_solution};
use crate::{CsrError, CsrMatrix};
use num_complex::Complex;

type C64 = Complex<f64>;

/// Every complex system of the zoo.
pub fn all_complex() -> Vec<ZooSystem<C64>> {
    systems().unwrap_or_default()
}

fn systems() -> Result<Vec<ZooSystem<C64>>, CsrError> {
    let neither = Facts::NONSYMMETRIC;
    let hermitian = Facts { symmetric: false, ..Facts::SPD };
    let indefinite = Facts { definiteness: Definiteness::Indefinite, ..hermitian };
    let symmetric = Facts { symmetric: true, ..neither };
    let n = 40;
    Ok(vec![
        solvable("complex-hermitian", hermitian_band(n, 2.5)?, hermitian),
        solvable("complex-hermitian-indefinite", hermitian_band(n, 0.7)?, indefinite),
        solvable("complex-symmetric", symmetric_band(n)?, symmetric),
        solvable("complex-general", general_band(n)?, neither),
    ])
}

fn solvable(name: &'static str, matrix: CsrMatrix<C64>, facts: Facts) -> ZooSystem<C64> {
    let exact = some_solution(matrix.ncols())
        .iter()
        .enumerate()
        .map(|(j, &x)| Complex::new(x, (j % 5) as f64 - 2.0))
        .collect();
    ZooSystem::with_solution(name, matrix, exact, facts)
}

/// `d` on the diagonal, ±i beside it: unitarily similar to tridiag(1, d, 1), with eigenvalues
/// d + 2 cos(π k / (n + 1)). For d = 0.7 none of them is near zero when n = 40.
fn hermitian_band(n: usize, d: f64) -> Result<CsrMatrix<C64>, CsrError> {
    from_fn(n, n, |i, j| match j as isize - i as isize {
        -1 => Complex::new(0.0, -1.0),
        0 => Complex::new(d, 0.0),
        1 => Complex::new(0.0, 1.0),
        _ => Complex::ZERO,
    })
}

/// The second difference with a damped shift, as in time-harmonic waves: A = Aᵀ ≠ Aᴴ.
fn symmetric_band(n: usize) -> Result<CsrMatrix<C64>, CsrError> {
    from_fn(n, n, |i, j| match i.abs_diff(j) {
        0 => Complex::new(2.0 - 0.3, 0.4),
        1 => Complex::new(-1.0, 0.0),
        _ => Complex::ZERO,
    })
}

/// Four diagonals of complex numbers, dominant: neither Hermitian nor symmetric.
fn general_band(n: usize) -> Result<CsrMatrix<C64>, CsrError> {
    from_fn(n, n, |i, j| match j as isize - i as isize {
        -2 => Complex::new(0.5, (i % 3) as f64 * 0.25),
        0 => Complex::new(2.0, 2.0),
        1 => Complex::new(-1.0, 0.25),
        5 => Complex::new(0.0, 0.5),
        _ => Complex::ZERO,
    })
}
