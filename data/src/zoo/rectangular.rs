//! More rows than columns, or fewer.

use super::{Facts, ZooSystem, from_entries, from_fn};
use crate::poisson::PoissonError;
use crate::splitmix::SplitMix64;
use crate::{CsrError, CsrMatrix};

pub(super) fn systems() -> Result<Vec<ZooSystem>, PoissonError> {
    let facts = Facts::NONSYMMETRIC;
    let (tall, wide) = (tall(40, 12)?, tall(40, 12)?.transpose());
    // Row 1 again as row 0, with another right-hand side.
    let contradiction = from_fn(12, 40, |i, j| wide.get(if i == 0 { 1 } else { i }, j))?;
    let b = (0..12).map(|i| i as f64 + 1.0).collect();
    let ones = vec![1.0; 40];
    Ok(vec![
        ZooSystem::solvable("tall", tall.clone(), facts),
        ZooSystem::inconsistent("tall-inconsistent", tall, ones, facts),
        ZooSystem::solvable("wide", wide, facts),
        ZooSystem::inconsistent("wide-inconsistent", contradiction, b, facts.rank_deficient()),
    ])
}

/// Two random entries a row, and 4 on the diagonal of the first n rows: full column rank.
fn tall(m: usize, n: usize) -> Result<CsrMatrix, CsrError> {
    let mut random = SplitMix64::new(40);
    let mut entries: Vec<_> = (0..n).map(|j| (j, j, 4.0)).collect();
    for i in 0..m {
        entries.extend((0..2).map(|_| (i, random.below(n), random.uniform())));
    }
    from_entries(m, n, entries)
}
