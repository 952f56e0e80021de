//! A zoo of small named systems, each with what is known of it, and seeded random families.
//!
//! A solver is tested on every system that it claims, and on the others for an honest refusal: the facts
//! say which is which. Real systems come from [`all`] or [`by_name`], complex ones from [`all_complex`],
//! endless ones from [`random()`].
//!
//! ```
//! use residua_data::zoo;
//! for system in zoo::all().into_iter().filter(|s| s.facts.is_spd()) {
//!     assert!(system.matrix.is_symmetric(), "{}", system.name);
//! }
//! ```

mod complex;
mod nonsymmetric;
mod random;
mod rectangular;
mod singular;
mod symmetric;

pub use complex::all_complex;
pub use random::{RandomKind, random};

use crate::{CooBuilder, CsrError, CsrMatrix, Scalar};

/// The signs of the eigenvalues of a Hermitian matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Definiteness {
    /// All positive.
    Positive,
    /// None negative, some zero.
    Semidefinite,
    /// Some negative.
    Indefinite,
    /// The matrix is not Hermitian, or not square.
    NotHermitian,
}

/// What is known of a system A x = b.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// A = Aᵀ, exactly.
    pub symmetric: bool,
    /// The signs of the eigenvalues; [`Definiteness::NotHermitian`] if A ≠ Aᴴ.
    pub definiteness: Definiteness,
    /// rank A = min(m, n).
    pub full_rank: bool,
    /// Some x solves A x = b.
    pub consistent: bool,
    /// Entries span hundreds of decades: squares of them over- or underflow.
    pub extreme_scale: bool,
}

impl Facts {
    /// Real symmetric or complex Hermitian, and positive definite.
    pub fn is_spd(&self) -> bool {
        self.definiteness == Definiteness::Positive
    }

    const SPD: Self = Self {
        symmetric: true,
        definiteness: Definiteness::Positive,
        full_rank: true,
        consistent: true,
        extreme_scale: false,
    };
    const INDEFINITE: Self = Self { definiteness: Definiteness::Indefinite, ..Self::SPD };
    const NONSYMMETRIC: Self =
        Self { symmetric: false, definiteness: Definiteness::NotHermitian, ..Self::SPD };

    const fn rank_deficient(self) -> Self {
        Self { full_rank: false, ..self }
    }
    const fn inconsistent(self) -> Self {
        Self { consistent: false, ..self }
    }
    const fn extreme(self) -> Self {
        Self { extreme_scale: true, ..self }
    }
}

/// A named system with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ZooSystem<T = f64> {
    /// Its name, lower case with hyphens.
    pub name: &'static str,
    /// A, m × n.
    pub matrix: CsrMatrix<T>,
    /// b, length m.
    pub rhs: Vec<T>,
    /// A solution, length n, up to the rounding of b = A x: the only one if A has full column rank. None for
    /// an inconsistent system.
    pub exact: Option<Vec<T>>,
    /// All eigenvalues in increasing order, where a formula gives them.
    pub eigenvalues: Option<Vec<f64>>,
    /// What is known.
    pub facts: Facts,
}

impl<T: Scalar> ZooSystem<T> {
    /// The system with b = A `exact`.
    fn with_solution(name: &'static str, matrix: CsrMatrix<T>, exact: Vec<T>, facts: Facts) -> Self {
        let mut rhs = vec![T::zero(); matrix.nrows()];
        matrix.multiply(&exact, &mut rhs);
        Self { name, matrix, rhs, exact: Some(exact), eigenvalues: None, facts }
    }

    /// The system with a right-hand side that no x reaches.
    fn inconsistent(name: &'static str, matrix: CsrMatrix<T>, rhs: Vec<T>, facts: Facts) -> Self {
        Self { name, matrix, rhs, exact: None, eigenvalues: None, facts: facts.inconsistent() }
    }
}

impl ZooSystem {
    /// The system with b = A x for a solution x of multiples of 1/4, none zero.
    fn solvable(name: &'static str, matrix: CsrMatrix, facts: Facts) -> Self {
        let exact = some_solution(matrix.ncols());
        Self::with_solution(name, matrix, exact, facts)
    }

    fn with_eigenvalues(self, mut eigenvalues: Vec<f64>) -> Self {
        eigenvalues.sort_by(f64::total_cmp);
        Self { eigenvalues: Some(eigenvalues), ..self }
    }
}

/// xⱼ in {±1/4, …, ±11/4}, of no simple shape.
fn some_solution(n: usize) -> Vec<f64> {
    (0..n).map(|j| (((j * 7 + 3) % 12) as f64 - 5.5) / 2.0).collect()
}

/// The matrix with these entries; entries at one place are added.
fn from_entries<T: Scalar>(
    nrows: usize,
    ncols: usize,
    entries: impl IntoIterator<Item = (usize, usize, T)>,
) -> Result<CsrMatrix<T>, CsrError> {
    let mut coo = CooBuilder::new(nrows, ncols)?;
    for (i, j, v) in entries {
        coo.push(i, j, v)?;
    }
    coo.build()
}

/// The matrix with entry (i, j) = `f(i, j)`, zeros left out.
fn from_fn<T: Scalar>(
    nrows: usize,
    ncols: usize,
    f: impl Fn(usize, usize) -> T,
) -> Result<CsrMatrix<T>, CsrError> {
    let dense: Vec<T> = (0..nrows * ncols).map(|k| f(k / ncols, k % ncols)).collect();
    CsrMatrix::from_row_major(nrows, ncols, &dense)
}

/// Every real system of the zoo, symmetric ones first.
pub fn all() -> Vec<ZooSystem> {
    // The sizes are constants and fit; a failure here would leave a group out, which a test would notice.
    [symmetric::systems(), nonsymmetric::systems(), singular::systems(), rectangular::systems()]
        .into_iter()
        .flat_map(Result::unwrap_or_default)
        .collect()
}

/// The names of the real systems, in the order of [`all`].
pub fn names() -> Vec<&'static str> {
    all().into_iter().map(|system| system.name).collect()
}

/// The real system of this name.
pub fn by_name(name: &str) -> Option<ZooSystem> {
    all().into_iter().find(|system| system.name == name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
