//! Incomplete LU without fill, ILU(0), and its modified form MILU(0).
//!
//! A ≈ M = L D U with unit triangles on the pattern of A, such that M agrees with A on that pattern
//! (Saad, 2003, *Iterative Methods for Sparse Linear Systems*, section 10.3). The recurrences stand in
//! `pattern.rs`.

use super::pattern::{self, Numeric, PivotRule};
use super::pivot::{bad_pivot, check_share};
use super::sweep::LduFactor;
use super::{LinearPreconditioner, Preconditioner, Refresh};
use crate::SparseRows;
use crate::error::{SolveError, check_square};
use residua_data::{CsrMatrix, Scalar};

const NAME: &str = "ilu0";

/// Parameters of [`Ilu0`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ilu0Options {
    /// Share ω of the dropped fill that is added to the diagonal, 0 ≤ ω ≤ 1. Default 0: plain ILU(0).
    pub relaxation: f64,
    /// A pivot smaller than 1e-10 (1e-4 in single precision) times the largest entry of its row is replaced
    /// by this times that entry. Default 1e-2; 0 makes such a pivot an error.
    pub pivot_replacement: f64,
    /// Whether the sweeps read L and U in single precision where A is in double: a fifth faster, and
    /// iterations do not change, as the rounding is far below what the factorization leaves out. Default
    /// true.
    pub compact: bool,
}

impl Default for Ilu0Options {
    fn default() -> Self {
        Self { relaxation: 0.0, pivot_replacement: 1e-2, compact: true }
    }
}

impl Ilu0Options {
    fn check(self) -> Result<Self, SolveError> {
        check_share("relaxation", self.relaxation)?;
        check_share("pivot_replacement", self.pivot_replacement)?;
        Ok(self)
    }
}

/// M = L D U ≈ A for a square A: ILU(0) or MILU(0).
///
/// For GMRES, BiCGSTAB and IDR(s). It exists for M-matrices; elsewhere small pivots are replaced and
/// counted ([`replaced_pivots`](Self::replaced_pivots)). Where A has zeros on its diagonal, permute its rows
/// first so that large entries come there, or use ILUT.
///
/// **Cost** of z = M⁻¹ r in double precision: 8 (nnz(A) − n) + 48 n bytes (12 where not compact).
/// **Storage**: 16 nnz(A) + 12 n bytes.
#[derive(Debug, Clone)]
pub struct Ilu0<T = f64> {
    factor: LduFactor<T>,
    options: Ilu0Options,
    replaced_pivots: usize,
}

impl<T: Scalar> Ilu0<T> {
    /// Plain ILU(0) of a square matrix.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`]; [`SolveError::FactorizationFailed`] if a row is zero or not finite.
    pub fn new<A: SparseRows<T> + ?Sized>(a: &A) -> Result<Self, SolveError> {
        Self::with_options(a, Ilu0Options::default())
    }

    /// ILU(0) with these options.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`SolveError::InvalidOption`].
    pub fn with_options<A: SparseRows<T> + ?Sized>(a: &A, options: Ilu0Options) -> Result<Self, SolveError> {
        check_square(NAME, a.nrows(), a.ncols())?;
        let options = options.check()?;
        let mut ilu0 = Self { factor: pattern::symbolic(a.csr()), options, replaced_pivots: 0 };
        ilu0.factorize(a.csr())?;
        Ok(ilu0)
    }

    /// Pivots that were too small to divide by and were replaced. Many of them make a poor preconditioner.
    pub fn replaced_pivots(&self) -> usize {
        self.replaced_pivots
    }

    /// L, D and U.
    pub fn factor(&self) -> &LduFactor<T> {
        &self.factor
    }

    fn factorize(&mut self, a: &CsrMatrix<T>) -> Result<(), SolveError> {
        let rule = PivotRule {
            shift: 0.0,
            relaxation: self.options.relaxation,
            positive: false,
            replacement: self.options.pivot_replacement,
        };
        match pattern::numeric(&mut self.factor, a, rule) {
            Numeric::Done { replaced } => {
                self.replaced_pivots = replaced;
                if self.options.compact {
                    self.factor.compress();
                }
                Ok(())
            }
            Numeric::BadPivot { row } => Err(bad_pivot(NAME, row, self.options.pivot_replacement)),
        }
    }
}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Refresh<A> for Ilu0<T> {
    /// Factorizes `a` anew on the same pattern; allocates nothing. After an error the preconditioner must
    /// be built anew.
    fn refresh(&mut self, a: &A) -> Result<(), SolveError> {
        if !pattern::has_pattern(&self.factor, a.csr()) {
            return Err(SolveError::PatternChanged { what: NAME });
        }
        self.factorize(a.csr())
    }
}

impl<T: Scalar> Preconditioner<T> for Ilu0<T> {
    fn name(&self) -> &'static str {
        NAME
    }
    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        self.factor.apply(r, z)
    }
    fn apply_dot(&mut self, r: &[T], z: &mut [T]) -> Result<T, SolveError> {
        self.factor.apply_dot(r, z)
    }
}
impl<T: Scalar> LinearPreconditioner<T> for Ilu0<T> {}
