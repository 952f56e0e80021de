//! Symmetric systems, definite and not, of full rank.

use super::{Facts, ZooSystem, from_entries, from_fn};
use crate::poisson::{PoissonError, PoissonKind, PoissonProblem, eigenvalues};
use crate::splitmix::SplitMix64;
use crate::{CsrError, CsrMatrix};
use std::f64::consts::PI;

pub(super) fn systems() -> Result<Vec<ZooSystem>, PoissonError> {
    let spd = Facts::SPD;
    let mut zoo = vec![
        ZooSystem::solvable("one-by-one", CsrMatrix::from_diagonal(&[4.0])?, spd).with_eigenvalues(vec![4.0]),
        ZooSystem::solvable("identity", CsrMatrix::identity(20)?, spd).with_eigenvalues(vec![1.0; 20]),
        diagonal()?,
        tridiagonal()?,
        zero_rhs()?,
        ZooSystem::solvable("spd-random", spd_random(60)?, spd),
        ZooSystem::solvable("wathen", wathen(6, 5)?, spd),
        ZooSystem::solvable("arrow", arrow(50)?, spd),
        ZooSystem::solvable("hilbert", from_fn(8, 8, |i, j| 1.0 / (i + j + 1) as f64)?, spd),
        ZooSystem::solvable("trefethen", trefethen(64)?, spd),
        ZooSystem::solvable("kkt-saddle", kkt(40, 15)?, Facts::INDEFINITE),
        ZooSystem::solvable("zero-diagonal", zero_diagonal(24)?, Facts::INDEFINITE),
        ZooSystem::solvable("badly-scaled-spd", badly_scaled_spd(40)?, spd.extreme()),
    ];
    zoo.extend(poisson_systems()?);
    Ok(zoo)
}

/// 1, 1/2, …, with every sign: symmetric indefinite with known eigenvalues.
fn diagonal() -> Result<ZooSystem, CsrError> {
    let d: Vec<f64> = (0..30).map(|i| if i % 3 == 2 { -1.0 } else { 1.0 } / (i + 1) as f64).collect();
    let system = ZooSystem::solvable("diagonal", CsrMatrix::from_diagonal(&d)?, Facts::INDEFINITE);
    Ok(system.with_eigenvalues(d))
}

/// tridiag(−1, 2, −1): eigenvalues 4 sin²(π k / (2 (n + 1))).
fn tridiagonal() -> Result<ZooSystem, CsrError> {
    let n = 50;
    let values = (1..=n).map(|k| 4.0 * (PI * k as f64 / (2 * (n + 1)) as f64).sin().powi(2)).collect();
    Ok(ZooSystem::solvable("tridiagonal", second_difference(n)?, Facts::SPD).with_eigenvalues(values))
}

fn second_difference(n: usize) -> Result<CsrMatrix, CsrError> {
    let off = (1..n).flat_map(|i| [(i, i - 1, -1.0), (i - 1, i, -1.0)]);
    from_entries(n, n, (0..n).map(|i| (i, i, 2.0)).chain(off))
}

fn zero_rhs() -> Result<ZooSystem, CsrError> {
    let n = 30;
    Ok(ZooSystem::with_solution("zero-rhs", second_difference(n)?, vec![0.0; n], Facts::SPD))
}

/// The grid problems: Poisson, and Poisson less a shift between two eigenvalues, as in Helmholtz.
fn poisson_systems() -> Result<Vec<ZooSystem>, PoissonError> {
    let plain = PoissonProblem::new(PoissonKind::Constant, 2, 12).build()?;
    let jump = PoissonProblem::new(PoissonKind::Jump, 3, 6).build()?;
    let mut zoo = vec![
        ZooSystem::solvable("poisson-jump", jump.matrix, Facts::SPD),
        ZooSystem::solvable("poisson", plain.matrix.clone(), Facts::SPD),
    ];
    if let Some(values) = eigenvalues(plain.grid, &plain.medium) {
        // Halfway between the 20th eigenvalue and the next different one: 20 negative eigenvalues or so.
        let next = values.iter().copied().find(|v| *v > values[19] + 1e-8).unwrap_or(values[20]);
        // Rounded, so that the matrix does not depend on the last bit of a sine.
        let shift = (500.0 * (values[19] + next)).round() / 1000.0;
        let mut shifted = plain.matrix;
        for i in 0..shifted.nrows() {
            let start = shifted.row_ptr()[i] as usize;
            let k = start + shifted.row(i).0.partition_point(|&j| (j as usize) < i);
            shifted.values_mut()[k] -= shift;
        }
        zoo.push(
            ZooSystem::solvable("helmholtz", shifted, Facts::INDEFINITE)
                .with_eigenvalues(values.iter().map(|v| v - shift).collect()),
        );
    }
    Ok(zoo)
}

/// BᵀB + I with three entries of B a row.
fn spd_random(n: usize) -> Result<CsrMatrix, CsrError> {
    let mut random = SplitMix64::new(60);
    let mut entries: Vec<_> = (0..n).map(|i| (i, i, 1.0)).collect();
    for _ in 0..n {
        let row: Vec<_> = (0..3).map(|_| (random.below(n), random.uniform())).collect();
        entries.extend(row.iter().flat_map(|&(i, v)| row.iter().map(move |&(j, w)| (i, j, v * w))));
    }
    from_entries(n, n, entries)
}

/// Wathen (1987), IMA J. Numer. Anal. 7(4): the mass matrix of serendipity elements on nx × ny cells with
/// random densities; 3 nx ny + 2 nx + 2 ny + 1 unknowns, as in Higham's test matrix toolbox.
fn wathen(nx: usize, ny: usize) -> Result<CsrMatrix, CsrError> {
    const E1: [[f64; 4]; 4] =
        [[6.0, -6.0, 2.0, -8.0], [-6.0, 32.0, -6.0, 20.0], [2.0, -6.0, 6.0, -6.0], [-8.0, 20.0, -6.0, 32.0]];
    const E2: [[f64; 4]; 4] =
        [[3.0, -8.0, 2.0, -6.0], [-8.0, 16.0, -8.0, 20.0], [2.0, -8.0, 3.0, -8.0], [-6.0, 20.0, -8.0, 16.0]];
    let element = |r: usize, c: usize| if (r < 4) == (c < 4) { E1[r % 4][c % 4] } else { E2[r % 4][c % 4] };
    let mut random = SplitMix64::new(1987);
    let mut entries = Vec::new();
    for j in 1..=ny {
        for i in 1..=nx {
            let density = 50.0 * (random.uniform() + 1.0) + 1.0;
            let corner = 3 * j * nx + 2 * i + 2 * j;
            let middle = (3 * j - 1) * nx + 2 * j + i - 2;
            let below = 3 * (j - 1) * nx + 2 * i + 2 * j - 4;
            let nodes = [corner, corner - 1, corner - 2, middle, below, below + 1, below + 2, middle + 1];
            for (r, &row) in nodes.iter().enumerate() {
                for (c, &col) in nodes.iter().enumerate() {
                    entries.push((row, col, element(r, c) * density / 45.0));
                }
            }
        }
    }
    let n = 3 * nx * ny + 2 * nx + 2 * ny + 1;
    from_entries(n, n, entries)
}

/// A dense first row and column on a diagonal: elimination in natural order fills everything.
fn arrow(n: usize) -> Result<CsrMatrix, CsrError> {
    from_fn(n, n, |i, j| match (i, j) {
        (0, 0) => n as f64,
        _ if i == j => 1.0 + i as f64 / n as f64,
        _ if i == 0 || j == 0 => 0.5,
        _ => 0.0,
    })
}

/// Trefethen's Problem 7 of the hundred-digit challenge: primes on the diagonal, 1 where |i − j| is a
/// power of two.
fn trefethen(n: usize) -> Result<CsrMatrix, CsrError> {
    let is_prime = |p: &usize| (2..*p).take_while(|d| d * d <= *p).all(|d| !p.is_multiple_of(d));
    let primes: Vec<f64> = (2..).filter(is_prime).take(n).map(|p| p as f64).collect();
    from_fn(n, n, |i, j| {
        if i == j {
            primes[i]
        } else if i.abs_diff(j).is_power_of_two() {
            1.0
        } else {
            0.0
        }
    })
}

/// [H Bᵀ; B 0] with H positive definite and B of full row rank (an identity beside random entries).
fn kkt(n: usize, m: usize) -> Result<CsrMatrix, CsrError> {
    let mut random = SplitMix64::new(77);
    let mut entries = Vec::new();
    for i in 0..n {
        entries.push((i, i, 3.0 + random.uniform()));
        if i > 0 {
            entries.extend([(i, i - 1, -1.0), (i - 1, i, -1.0)]);
        }
    }
    for c in 0..m {
        let (row, other) = (n + c, m + random.below(n - m));
        let v = random.uniform();
        entries.extend([(row, c, 1.0), (c, row, 1.0), (row, other, v), (other, row, v)]);
    }
    from_entries(n + m, n + m, entries)
}

/// Nothing on the diagonal: pairs of unknowns coupled to each other, and weakly to the next pair.
fn zero_diagonal(n: usize) -> Result<CsrMatrix, CsrError> {
    from_fn(n, n, |i, j| match (i.min(j), i.abs_diff(j)) {
        (k, 1) if k % 2 == 0 => 2.0,
        (_, 1) => 0.5,
        _ => 0.0,
    })
}

/// D T D with T = tridiag(−1, 4, −1) and D from 2⁻²⁵⁰ to 2²⁵⁰ in no order: entries from 1e−150 to 1e150.
fn badly_scaled_spd(n: usize) -> Result<CsrMatrix, CsrError> {
    let d = |i: usize| 2f64.powi((i * 7 % n) as i32 * 500 / (n as i32 - 1) - 250);
    from_fn(n, n, |i, j| match i.abs_diff(j) {
        0 => 4.0 * d(i) * d(j),
        1 => -d(i) * d(j),
        _ => 0.0,
    })
}
