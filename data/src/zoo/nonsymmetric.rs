//! Square nonsymmetric systems of full rank.

use super::{Facts, ZooSystem, from_entries, from_fn};
use crate::poisson::{PoissonError, PoissonKind, PoissonProblem};
use crate::splitmix::SplitMix64;
use crate::{CsrError, CsrMatrix};

pub(super) fn systems() -> Result<Vec<ZooSystem>, PoissonError> {
    let facts = Facts::NONSYMMETRIC;
    let mut zoo = vec![
        ZooSystem::solvable("skew-two", from_entries(2, 2, [(0, 1, 1.0), (1, 0, -1.0)])?, facts),
        ZooSystem::solvable("skew", skew(40)?, facts),
        ZooSystem::solvable("nonsymmetric-random", nonsymmetric_random(60)?, facts),
        ZooSystem::solvable("grcar", grcar(50)?, facts),
        ZooSystem::solvable("jordan", jordan(30)?, facts),
        circulant_shift(30)?,
        ZooSystem::solvable("badly-scaled-rows", scaled(30, true)?, facts.extreme()),
        badly_scaled_cols(30)?,
    ];
    let convection = PoissonProblem::new(PoissonKind::Convection, 2, 12).build()?;
    zoo.push(ZooSystem::solvable("convection", convection.matrix, facts));
    Ok(zoo)
}

/// Aᵀ = −A: eigenvalues on the imaginary axis, xᵀAx = 0 for every x. The path of even order is nonsingular.
fn skew(n: usize) -> Result<CsrMatrix, CsrError> {
    let weight = |i: usize| 1.0 + (i % 3) as f64;
    from_entries(n, n, (1..n).flat_map(|i| [(i - 1, i, weight(i)), (i, i - 1, -weight(i))]))
}

/// Five random entries a row beside a diagonal that dominates them.
fn nonsymmetric_random(n: usize) -> Result<CsrMatrix, CsrError> {
    let mut random = SplitMix64::new(61);
    let mut entries = Vec::new();
    for i in 0..n {
        entries.push((i, i, 5.5));
        entries.extend((0..5).map(|_| (i, random.below(n), random.uniform())));
    }
    from_entries(n, n, entries)
}

/// Grcar (1989): a Toeplitz matrix with sensitive eigenvalues; −1 below the diagonal, 1 on it and on three
/// diagonals above.
fn grcar(n: usize) -> Result<CsrMatrix, CsrError> {
    from_fn(n, n, |i, j| match j as isize - i as isize {
        -1 => -1.0,
        0..=3 => 1.0,
        _ => 0.0,
    })
}

/// One Jordan block with eigenvalue 2: defective, one eigenvector.
fn jordan(n: usize) -> Result<CsrMatrix, CsrError> {
    from_fn(n, n, |i, j| match j.wrapping_sub(i) {
        0 => 2.0,
        1 => 1.0,
        _ => 0.0,
    })
}

/// x ↦ (xₙ, x₁, …) with b = e₁: GMRES makes no progress until step n (Nachtigal, Reddy, Trefethen 1992).
fn circulant_shift(n: usize) -> Result<ZooSystem, CsrError> {
    let matrix = from_entries(n, n, (0..n).map(|j| ((j + 1) % n, j, 1.0)))?;
    let exact = (0..n).map(|j| if j + 1 == n { 1.0 } else { 0.0 }).collect();
    Ok(ZooSystem::with_solution("circulant-shift", matrix, exact, Facts::NONSYMMETRIC))
}

/// tridiag(−2, 4, −1) with rows (or columns) scaled by 2⁻⁵⁰⁰ to 2⁵⁰⁰ in no order: 1e−150 to 1e150.
fn scaled(n: usize, rows: bool) -> Result<CsrMatrix, CsrError> {
    from_fn(n, n, |i, j| {
        let factor = scale_factor(n, if rows { i } else { j });
        match j as isize - i as isize {
            -1 => -2.0 * factor,
            0 => 4.0 * factor,
            1 => -factor,
            _ => 0.0,
        }
    })
}

fn scale_factor(n: usize, i: usize) -> f64 {
    2f64.powi((i * 7 % n) as i32 * 1000 / (n as i32 - 1) - 500)
}

/// The unknowns are scaled inversely, so that b is of order one.
fn badly_scaled_cols(n: usize) -> Result<ZooSystem, CsrError> {
    let exact = super::some_solution(n).iter().enumerate().map(|(j, x)| x / scale_factor(n, j)).collect();
    let facts = Facts::NONSYMMETRIC.extreme();
    Ok(ZooSystem::with_solution("badly-scaled-cols", scaled(n, false)?, exact, facts))
}
