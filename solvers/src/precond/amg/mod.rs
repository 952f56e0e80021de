//! Algebraic multigrid (AMG): a multigrid cycle whose coarser levels are made from the matrix alone.
//!
//! A smoother damps the errors that the matrix punishes, a coarser level removes those that it hardly sees:
//!
//! ```text
//! M⁻¹ = one cycle on A_0 = A,  A_{l+1} = P_lᵀ A_l P_l,  dense inverse on the last level
//! ```
//!
//! | coarsening | unknowns of the coarser level | prolongation P |
//! |---|---|---|
//! | smoothed aggregation | groups of strongly coupled unknowns, k near-null-space vectors each | damped Jacobi step on the vectors cut at the groups' borders |
//! | classical | a maximal independent set of the strong couplings (PMIS) | extended+i or direct interpolation |
//!
//! Vaněk, Mandel, Brezina (1996), *Computing* 56, for the first; Ruge and Stüben (1987) and De Sterck, Falgout, Nolting,
//! Yang (2008) for the second. The cycle computes with 32-bit numbers unless asked otherwise: the outer iteration's residual
//! is the true one, and half the bytes move.

mod aggregates;
mod classical;
mod coarse;
mod cycle;
mod graph;
mod hierarchy;
mod k_cycle;
#[cfg(test)]
mod odd_tests;
mod options;
mod product;
mod refresh;
mod repair;
mod rows;
mod select;
mod smoothed;
mod smoother;
mod tentative;
#[cfg(test)]
mod tests;
mod transfer;
mod util;
mod vectors;

pub use crate::precond::multigrid::{Cycle, Precision};
pub use classical::{ClassicalOptions, Coarsening as ClassicalCoarsening, Interpolation};
pub use k_cycle::{FlexibleAmg, FlexibleCycle};
pub use options::{AggregationOptions, AmgOptions, Coarsening, Smoother, Strength};
pub(crate) use select::NEARLY_SYMMETRIC;

use super::{LinearPreconditioner, Preconditioner, Refresh, SpdPreconditioner};
use crate::error::{check_len, check_square};
use crate::{Scalar, SolveError};
use cycle::Hierarchy;
use hierarchy::{Kept, NearNullSpace};
use residua_data::CsrMatrix;

/// Sizes of the levels, the finest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Complexity {
    /// Unknowns of each level.
    pub rows: Vec<usize>,
    /// Stored entries of each level's matrix.
    pub nnz: Vec<usize>,
}

impl Complexity {
    /// Entries of all levels over those of the finest.
    pub fn operator(&self) -> f64 {
        self.nnz.iter().sum::<usize>() as f64 / self.nnz.first().copied().unwrap_or(1).max(1) as f64
    }

    /// Unknowns of all levels over those of the finest.
    pub fn grid(&self) -> f64 {
        self.rows.iter().sum::<usize>() as f64 / self.rows.first().copied().unwrap_or(1).max(1) as f64
    }
}

/// One multigrid cycle from zero.
///
/// Symmetric positive definite for a symmetric positive definite A (see [`Smoother`]), and a fixed linear map for any A;
/// nonsymmetric matrices are smoothed by ILU(0), nearly symmetric ones by multicolour Gauss-Seidel.
///
/// **Storage**: about 1.3 to 1.6 times the entries of A, at 8 bytes each in single precision.
pub struct Amg {
    levels: Levels,
    complexity: Complexity,
    n: usize,
    options: AmgOptions,
    near_null: Option<NearNullSpace>,
    symmetric: bool,
    kept: Kept,
    /// Residuals are scaled by this power of two into the middle of the range of 32-bit numbers.
    scale: f64,
    /// The coarsening's name, and why it was chosen.
    coarsening: (&'static str, &'static str),
}

enum Levels {
    Single(Hierarchy<f32>),
    Double(Hierarchy<f64>),
}

impl std::fmt::Debug for Amg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Amg").field("complexity", &self.complexity).finish_non_exhaustive()
    }
}

impl Amg {
    /// For a square matrix with the default options.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`]; [`SolveError::NonFinite`]; [`SolveError::ZeroDiagonal`];
    /// [`SolveError::FactorizationFailed`] from the coarsest level.
    pub fn new(a: &CsrMatrix<f64>) -> Result<Self, SolveError> {
        Self::with_options(a, &AmgOptions::default())
    }

    /// For a square matrix.
    ///
    /// # Errors
    /// As [`Amg::new`]; [`SolveError::InvalidOption`] for a block size that does not divide n.
    pub fn with_options(a: &CsrMatrix<f64>, options: &AmgOptions) -> Result<Self, SolveError> {
        Self::build(a, options, None)
    }

    /// With near-null-space vectors, each of length n: rigid-body modes for elasticity. Aggregation reproduces them
    /// exactly on every level.
    ///
    /// # Errors
    /// As [`Amg::with_options`]; [`SolveError::DimensionMismatch`] for a vector of another length.
    pub fn with_near_null_space(
        a: &CsrMatrix<f64>,
        options: &AmgOptions,
        vectors: &[Vec<f64>],
    ) -> Result<Self, SolveError> {
        for v in vectors {
            check_len("a near-null-space vector", a.nrows(), v.len())?;
            if let Some(index) = v.iter().position(|v| !v.is_finite()) {
                return Err(SolveError::NonFinite { what: "a near-null-space vector", index });
            }
        }
        if vectors.is_empty() {
            return Self::build(a, options, None);
        }
        let values = (0..a.nrows()).flat_map(|i| vectors.iter().map(move |v| v[i])).collect();
        Self::build(a, options, Some(NearNullSpace { values, vectors: vectors.len() }))
    }

    fn build(
        a: &CsrMatrix<f64>,
        options: &AmgOptions,
        near_null: Option<NearNullSpace>,
    ) -> Result<Self, SolveError> {
        let (n, block_size) = (a.nrows(), options.block_size);
        let symmetric = check(a, options)?;
        let near_null = near_null.or_else(|| {
            let values = || util::translations(n, block_size);
            (block_size > 1).then(|| NearNullSpace { values: values(), vectors: block_size })
        });
        let mut options = options.clone();
        let mut reason = "asked for";
        if options.coarsening == Coarsening::Auto {
            let selected = select::select(a, symmetric, near_null.is_some());
            (options.coarsening, reason) = (selected.coarsening, selected.reason);
        }
        if options.smoother == Smoother::Auto && !symmetric && select::is_nearly_symmetric(a) {
            options.smoother = Smoother::MulticolorGaussSeidel;
        }
        let coarsening = (options.coarsening.name(), reason);
        let single = match options.precision {
            Precision::Single => build_in(a, &options, symmetric, near_null.as_ref(), Levels::Single),
            Precision::Double => Err(smoother::out_of_range()),
        };
        let (levels, complexity, kept) = match single {
            Err(SolveError::InvalidOption { name: "precision", .. }) => {
                build_in(a, &options, symmetric, near_null.as_ref(), Levels::Double)?
            }
            done => done?,
        };
        Ok(Self { levels, complexity, n, options, near_null, symmetric, kept, scale: 1.0, coarsening })
    }

    /// Sizes of the levels.
    pub fn complexity(&self) -> &Complexity {
        &self.complexity
    }

    /// Bytes of the matrices and transfers that a cycle reads.
    pub fn bytes(&self) -> usize {
        match &self.levels {
            Levels::Single(h) => h.bytes(),
            Levels::Double(h) => h.bytes(),
        }
    }

    /// The coarsening as in reports: `smoothed-aggregation` or `classical`.
    pub fn coarsening(&self) -> &'static str {
        self.coarsening.0
    }

    /// Why this coarsening was chosen (see [`Coarsening::Auto`]).
    pub fn coarsening_reason(&self) -> &'static str {
        self.coarsening.1
    }

    /// Whether each level, the finest first, is visited twice in a cycle of the level above (see
    /// [`AmgOptions::second_visit`]).
    pub fn visited_twice(&self) -> Vec<bool> {
        match &self.levels {
            Levels::Single(h) => h.visited_twice(),
            Levels::Double(h) => h.visited_twice(),
        }
    }

    /// The smoother of each level, the finest first.
    pub fn smoothers(&self) -> Vec<&'static str> {
        match &self.levels {
            Levels::Single(h) => h.smoother_names().collect(),
            Levels::Double(h) => h.smoother_names().collect(),
        }
    }
}

/// What [`Coarsening::Auto`] stands for with this matrix, as in reports, and why.
pub fn automatic_coarsening(a: &CsrMatrix<f64>) -> (&'static str, &'static str) {
    let selected = select::select(a, a.is_symmetric(), false);
    (selected.coarsening.name(), selected.reason)
}

/// The levels in one precision.
fn build_in<T: Scalar>(
    a: &CsrMatrix<f64>,
    options: &AmgOptions,
    symmetric: bool,
    near_null: Option<&NearNullSpace>,
    levels: impl FnOnce(Hierarchy<T>) -> Levels,
) -> Result<(Levels, Complexity, Kept), SolveError> {
    let (hierarchy, complexity, kept) = hierarchy::build::<T>(a, options, symmetric, near_null)?;
    Ok((levels(hierarchy), complexity, kept))
}

/// Refuses what no hierarchy can be made of; returns whether A is symmetric.
fn check(a: &CsrMatrix<f64>, options: &AmgOptions) -> Result<bool, SolveError> {
    check_square("amg", a.nrows(), a.ncols())?;
    options.check(a.nrows())?;
    if let Some((row, _)) = a.first_non_finite() {
        return Err(SolveError::NonFinite { what: "the matrix's row", index: row });
    }
    if let Some(row) = util::diagonal(a).iter().position(|&d| d == 0.0) {
        return Err(SolveError::ZeroDiagonal { what: "amg", row });
    }
    Ok(a.is_symmetric())
}

impl Refresh<CsrMatrix<f64>> for Amg {
    /// For other values, or with [`AmgOptions::reuse_prolongation`] unset any matrix of the same size. After an error the
    /// preconditioner must be built anew.
    fn refresh(&mut self, a: &CsrMatrix<f64>) -> Result<(), SolveError> {
        if a.nrows() != self.n {
            return Err(SolveError::PatternChanged { what: "amg" });
        }
        if self.options.reuse_prolongation {
            let symmetric = check(a, &self.options)?;
            let (kept, options) = (&mut self.kept, &self.options);
            let done = match &mut self.levels {
                _ if symmetric != self.symmetric => Err(smoother::out_of_range()),
                Levels::Single(h) => refresh::refresh(h, kept, a, options, symmetric),
                Levels::Double(h) => refresh::refresh(h, kept, a, options, symmetric),
            };
            match done {
                // Another kind of matrix needs another hierarchy.
                Err(SolveError::InvalidOption { name: "precision", .. }) => {}
                done => return done,
            }
        }
        *self = Self::build(a, &self.options, self.near_null.take())?;
        Ok(())
    }
}

/// Residuals within this range of the largest modulus need no other scale.
const SAFE: std::ops::Range<f64> = 1e-9..1e9;

/// Operator complexities from here on are warned of.
const LARGE: f64 = 3.0;

impl Preconditioner<f64> for Amg {
    fn name(&self) -> &'static str {
        "amg"
    }

    fn warning(&self) -> Option<String> {
        let complexity = self.complexity.operator();
        (complexity > LARGE).then(|| {
            format!(
                "the levels of algebraic multigrid hold {complexity:.1} times the entries of A: \
                 a higher strength threshold or an incomplete factorization needs less memory"
            )
        })
    }

    fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        self.load(r, z)?;
        match &mut self.levels {
            Levels::Single(h) => h.run()?,
            Levels::Double(h) => h.run()?,
        }
        self.store(z);
        Ok(())
    }
}

impl Amg {
    /// The right-hand side of the finest level from `r`, for a solution that goes to `z`.
    fn load(&mut self, r: &[f64], z: &[f64]) -> Result<(), SolveError> {
        check_len("r", self.n, r.len())?;
        check_len("z", self.n, z.len())?;
        let largest = match &mut self.levels {
            Levels::Single(h) => {
                let largest = h.set_rhs(r, self.scale);
                if largest > 0.0 && largest.is_finite() && !SAFE.contains(&(largest * self.scale)) {
                    self.scale = (-largest.log2().round()).clamp(-1000.0, 1000.0).exp2();
                    h.set_rhs(r, self.scale)
                } else {
                    largest
                }
            }
            Levels::Double(h) => h.set_rhs(r, self.scale),
        };
        if largest.is_finite() {
            return Ok(());
        }
        Err(SolveError::ApplyFailed { what: "amg", reason: "the residual is not finite".to_owned() })
    }

    /// z ← the solution of the finest level.
    fn store(&self, z: &mut [f64]) {
        match &self.levels {
            Levels::Single(h) => h.solution(1.0 / self.scale, z),
            Levels::Double(h) => h.solution(1.0 / self.scale, z),
        }
    }
}
impl LinearPreconditioner<f64> for Amg {}
impl SpdPreconditioner<f64> for Amg {}
