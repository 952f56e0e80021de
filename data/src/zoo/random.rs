//! Seeded random families, for tests over thousands of systems.
//!
//! The facts hold by construction, not by chance: nonsingular matrices are products of triangular ones
//! with a nonzero diagonal, singular ones have exact null vectors. Factors are multiples of 1/8, so their
//! products are exact and a singular matrix is singular in floating point too.

use super::{Definiteness, Facts, ZooSystem, from_entries, some_solution};
use crate::splitmix::SplitMix64;
use crate::{CsrError, CsrMatrix};
use std::fmt;
use std::str::FromStr;

/// A family of random systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RandomKind {
    /// Symmetric positive definite: L D Lᵀ, D > 0.
    Spd,
    /// Symmetric indefinite: L D Lᵀ with both signs in D (for n = 1: negative).
    Indefinite,
    /// Nonsymmetric: L U.
    Nonsymmetric,
    /// Singular with a solution: a graph Laplacian, or L U with a zero row in U.
    SingularConsistent,
    /// The same matrices with a right-hand side outside the range.
    SingularInconsistent,
    /// L U or L D Lᵀ with rows and columns scaled by powers of two: entries from 1e−150 to 1e150.
    BadlyScaled,
}

impl RandomKind {
    /// Every family.
    pub const ALL: [Self; 6] = [
        Self::Spd,
        Self::Indefinite,
        Self::Nonsymmetric,
        Self::SingularConsistent,
        Self::SingularInconsistent,
        Self::BadlyScaled,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spd => "spd",
            Self::Indefinite => "indefinite",
            Self::Nonsymmetric => "nonsymmetric",
            Self::SingularConsistent => "singular-consistent",
            Self::SingularInconsistent => "singular-inconsistent",
            Self::BadlyScaled => "badly-scaled",
        }
    }
}

impl fmt::Display for RandomKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for RandomKind {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name);
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| format!("unknown family \"{name}\": choose one of {}", names.join(", ")))
    }
}

/// The system of order `n` that `seed` draws from the family.
///
/// # Errors
/// [`CsrError::TooLarge`] if the matrix does not fit 32-bit indices.
pub fn random(kind: RandomKind, n: usize, seed: u64) -> Result<ZooSystem, CsrError> {
    let mut draw = Draw { random: SplitMix64::new(((kind as u64) << 56) ^ seed), n };
    match kind {
        RandomKind::Spd => Ok(ZooSystem::solvable(kind.name(), draw.symmetric(false)?, Facts::SPD)),
        RandomKind::Indefinite => {
            let facts = if n == 0 { Facts::SPD } else { Facts::INDEFINITE };
            Ok(ZooSystem::solvable(kind.name(), draw.symmetric(true)?, facts))
        }
        RandomKind::Nonsymmetric => {
            let (lower, upper) = (draw.lower(), draw.upper(None));
            let matrix = product(n, &lower, &upper)?;
            let facts = facts_of_product(&matrix, &upper);
            Ok(ZooSystem::solvable(kind.name(), matrix, facts))
        }
        RandomKind::SingularConsistent => draw.singular(kind.name(), seed, false),
        RandomKind::SingularInconsistent => draw.singular(kind.name(), seed, true),
        RandomKind::BadlyScaled => draw.badly_scaled(kind.name(), seed),
    }
}

/// Entries (column, value) of each row.
type Rows = Vec<Vec<(usize, f64)>>;

struct Draw {
    random: SplitMix64,
    n: usize,
}

impl Draw {
    /// A nonzero multiple of 1/8 in [−`bound`/8, `bound`/8].
    fn eighths(&mut self, bound: usize) -> f64 {
        let magnitude = (1 + self.random.below(bound)) as f64 / 8.0;
        if self.random.bits() & 1 == 0 { magnitude } else { -magnitude }
    }

    /// Unit lower triangular, at most two entries a row below the diagonal, of modulus at most 1/2.
    fn lower(&mut self) -> Rows {
        (0..self.n)
            .map(|i| {
                let mut row = vec![(i, 1.0)];
                if i > 0 {
                    for _ in 0..self.random.below(3) {
                        let entry = (self.random.below(i), self.eighths(4));
                        row.push(entry);
                    }
                }
                row
            })
            .collect()
    }

    /// Upper triangular with a diagonal of modulus 1 to 3; row `zero` is left empty.
    fn upper(&mut self, zero: Option<usize>) -> Rows {
        (0..self.n)
            .map(|i| {
                let diagonal = self.eighths(16);
                let mut row = vec![(i, diagonal + diagonal.signum())];
                for _ in 0..self.random.below(3) {
                    if i + 1 < self.n {
                        let entry = (i + 1 + self.random.below(self.n - i - 1), self.eighths(4));
                        row.push(entry);
                    }
                }
                if zero == Some(i) { Vec::new() } else { row }
            })
            .collect()
    }

    /// L D Lᵀ with |D| from 1 to 3; with `signs`, every second entry of D is negative from the first on.
    fn symmetric(&mut self, signs: bool) -> Result<CsrMatrix, CsrError> {
        let lower = self.lower();
        let mut upper: Rows = vec![Vec::new(); self.n];
        for (k, upper) in upper.iter_mut().enumerate() {
            let d = 1.0 + self.eighths(16).abs();
            upper.push((k, if signs && k % 2 == 0 { -d } else { d }));
        }
        for (j, row) in lower.iter().enumerate() {
            for &(k, l) in row.iter().filter(|e| e.0 != j) {
                let d = upper[k][0].1;
                upper[k].push((j, d * l));
            }
        }
        product(self.n, &lower, &upper)
    }

    /// An even seed: the Laplacian of a connected graph; an odd one: L U with an empty row in U.
    fn singular(&mut self, name: &'static str, seed: u64, outside: bool) -> Result<ZooSystem, CsrError> {
        let (matrix, direction, facts) = if seed.is_multiple_of(2) {
            let facts = Facts { definiteness: Definiteness::Semidefinite, ..Facts::SPD };
            // A is symmetric, so its range is orthogonal to its null space, the constants.
            (self.laplacian()?, vec![1.0; self.n], facts)
        } else {
            let zero = self.random.below(self.n.max(1));
            let (lower, upper) = (self.lower(), self.upper(Some(zero)));
            let matrix = product(self.n, &lower, &upper)?;
            // The range is L applied to the vectors with a zero at `zero`; column `zero` of L is outside.
            let column =
                lower.iter().map(|row| row.iter().filter(|e| e.0 == zero).map(|e| e.1).sum()).collect();
            let facts = facts_of_product(&matrix, &upper);
            (matrix, column, facts)
        };
        let system = ZooSystem::solvable(name, matrix, facts.rank_deficient());
        if !outside || self.n == 0 {
            return Ok(system);
        }
        let size = 1.0 + system.rhs.iter().map(|b| b * b).sum::<f64>().sqrt();
        let rhs = system.rhs.iter().zip(&direction).map(|(b, d)| b + size * d).collect();
        Ok(ZooSystem::inconsistent(name, system.matrix, rhs, system.facts))
    }

    /// Weights in eighths on a path and on as many random edges, so that row sums are exactly zero.
    fn laplacian(&mut self) -> Result<CsrMatrix, CsrError> {
        let n = self.n;
        let mut entries: Vec<_> = (0..n).map(|i| (i, i, 0.0)).collect();
        let mut join = |i: usize, j: usize, w: f64| {
            if i != j {
                entries.extend([(i, i, w), (j, j, w), (i, j, -w), (j, i, -w)]);
            }
        };
        for i in 1..n {
            join(i - 1, i, self.eighths(16).abs());
            join(self.random.below(n), i, self.eighths(16).abs());
        }
        from_entries(n, n, entries)
    }

    /// Row i times 2^rᵢ, column j times 2^cⱼ, each exponent within ±248 (1e±74.6); xⱼ times 2^−cⱼ. An even
    /// seed keeps the matrix symmetric positive definite with r = c.
    fn badly_scaled(&mut self, name: &'static str, seed: u64) -> Result<ZooSystem, CsrError> {
        let n = self.n;
        let symmetric = seed.is_multiple_of(2);
        let (mut matrix, upper) = if symmetric {
            (self.symmetric(false)?, None)
        } else {
            let (lower, upper) = (self.lower(), self.upper(None));
            (product(n, &lower, &upper)?, Some(upper))
        };
        let mut powers =
            || (0..n).map(|_| 2f64.powi(self.random.below(497) as i32 - 248)).collect::<Vec<_>>();
        let rows = powers();
        let cols = if symmetric { rows.clone() } else { powers() };
        matrix.scale_rows(&rows);
        matrix.scale_cols(&cols);
        let exact = some_solution(n).iter().zip(&cols).map(|(x, c)| x / c).collect();
        // Scaling by positive numbers keeps the signs of the pivots.
        let facts = upper.map_or(Facts::SPD, |upper| facts_of_product(&matrix, &upper));
        Ok(ZooSystem::with_solution(name, matrix, exact, facts.extreme()))
    }
}

/// What is known of A = L U with L unit triangular. Where A is symmetric (small ones are, by chance),
/// L⁻¹ A L⁻ᵀ = U L⁻ᵀ is both symmetric and triangular, so it is diag U, and A has its signs (Sylvester).
fn facts_of_product(a: &CsrMatrix, upper: &Rows) -> Facts {
    if !a.is_symmetric() {
        return Facts::NONSYMMETRIC;
    }
    let pivot = |i: usize| upper[i].iter().filter(|e| e.0 == i).map(|e| e.1).sum::<f64>();
    let smallest = (0..upper.len()).map(pivot).fold(f64::INFINITY, f64::min);
    let definiteness = match smallest {
        p if p > 0.0 => Definiteness::Positive,
        0.0 => Definiteness::Semidefinite,
        _ => Definiteness::Indefinite,
    };
    Facts { definiteness, ..Facts::SPD }
}

/// The product of two matrices given by rows; sums that vanish are left out.
fn product(n: usize, left: &Rows, right: &Rows) -> Result<CsrMatrix, CsrError> {
    let entries = left.iter().enumerate().flat_map(|(i, row)| {
        row.iter().flat_map(move |&(k, l)| right[k].iter().map(move |&(j, r)| (i, j, l * r)))
    });
    Ok(from_entries(n, n, entries)?.prune_zeros())
}
