//! Square systems that are singular: some with solutions, some without.

use super::{Definiteness, Facts, ZooSystem, from_entries, from_fn};
use crate::poisson::{PoissonError, PoissonKind, PoissonProblem};
use crate::{CsrError, CsrMatrix};

pub(super) fn systems() -> Result<Vec<ZooSystem>, PoissonError> {
    let semidefinite = Facts { definiteness: Definiteness::Semidefinite, ..Facts::SPD }.rank_deficient();
    let nonsymmetric = Facts::NONSYMMETRIC.rank_deficient();
    let n = 20;
    let with_one_at = |row: usize| (0..n).map(|i| f64::from(u8::from(i == row))).collect::<Vec<_>>();
    let mut zoo = vec![
        ZooSystem::solvable("empty-row", empty_row(n)?, nonsymmetric),
        ZooSystem::inconsistent("empty-row-inconsistent", empty_row(n)?, vec![1.0; n], nonsymmetric),
        ZooSystem::solvable("nilpotent", nilpotent(n)?, nonsymmetric),
        ZooSystem::inconsistent("nilpotent-inconsistent", nilpotent(n)?, with_one_at(n - 1), nonsymmetric),
        ZooSystem::solvable("directed-cycle", directed_cycle(n)?, nonsymmetric),
        ZooSystem::inconsistent(
            "directed-cycle-inconsistent",
            directed_cycle(n)?,
            with_one_at(3),
            nonsymmetric,
        ),
        ZooSystem::inconsistent(
            "zero-matrix",
            CsrMatrix::from_diagonal(&[0.0; 5])?,
            vec![1.0; 5],
            semidefinite,
        ),
    ];
    let neumann = PoissonProblem::new(PoissonKind::Neumann, 2, 10).build()?;
    let b = (0..100).map(|i| 1.0 + (i % 5) as f64).collect();
    zoo.push(ZooSystem::inconsistent("neumann-inconsistent", neumann.matrix.clone(), b, semidefinite));
    zoo.push(ZooSystem::solvable("neumann", neumann.matrix, semidefinite));
    Ok(zoo)
}

/// tridiag(−1, 3, −2) with row 7 left out: a zero row, and a zero in b where the system is consistent.
fn empty_row(n: usize) -> Result<CsrMatrix, CsrError> {
    from_fn(n, n, |i, j| match (i, j as isize - i as isize) {
        (7, _) => 0.0,
        (_, -1) => -1.0,
        (_, 0) => 3.0,
        (_, 1) => -2.0,
        _ => 0.0,
    })
}

/// Ones above the diagonal: Aⁿ = 0, so that A⁻¹ is no polynomial in A and Krylov methods break down.
fn nilpotent(n: usize) -> Result<CsrMatrix, CsrError> {
    from_entries(n, n, (1..n).map(|i| (i - 1, i, 1.0)))
}

/// I − P with P a cyclic shift: the null space of A and of Aᵀ are the constants, and A is not symmetric.
fn directed_cycle(n: usize) -> Result<CsrMatrix, CsrError> {
    from_entries(n, n, (0..n).flat_map(|i| [(i, i, 1.0), (i, (i + 1) % n, -1.0)]))
}
