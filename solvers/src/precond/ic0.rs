//! Incomplete Cholesky without fill, IC(0), and its modified form MIC(0).
//!
//! A ≈ M = L D Lᴴ, L unit lower triangular with the pattern of A's lower triangle and D > 0, so that M
//! agrees with A on that pattern (Meijerink and van der Vorst, 1977, Math. Comp. 31(137)). MIC adds a share
//! ω of the dropped fill to the diagonal; with ω = 1, M has A's row sums, and for elliptic problems the
//! condition of M⁻¹A falls from O(h⁻²) to O(h⁻¹) (Gustafsson, 1978, BIT 18(2)). The recurrences stand in
//! `pattern.rs`.
//!
//! The factorization exists for M- and H-matrices. For others a pivot may turn out negative; then A + α
//! diag(A) is factorized instead, with growing α (Manteuffel, 1980, Math. Comp. 34(150)).

use super::pattern::{self, Numeric, PivotRule};
use super::pivot::{MAX_SHIFT, check_positive_diagonal, check_share, with_growing_shift};
use super::sweep::{LduFactor, Schedule};
use super::{LinearPreconditioner, Preconditioner, Refresh, SpdPreconditioner};
use crate::SparseRows;
use crate::error::{SolveError, check_square};
use residua_data::{CsrMatrix, Scalar};

const NAME: &str = "ic0";

/// Parameters of [`Ic0`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ic0Options {
    /// Share ω of the dropped fill that is added to the diagonal, 0 ≤ ω ≤ 1. Default 0: plain IC(0). Values
    /// near 0.97 halve the iterations for M-matrices of elliptic problems on fine grids. For matrices with
    /// positive off-diagonal entries (elasticity) they cause breakdowns, and the shift then costs more
    /// iterations than ω saves.
    pub relaxation: f64,
    /// α ≥ 0 of the first attempt, which factorizes A + α diag(A). Default 0.
    pub shift: f64,
    /// Whether the sweeps read L and U in single precision where A is in double: a fifth faster, and
    /// iterations do not change, as the rounding is far below what the factorization leaves out. Default
    /// true.
    pub compact: bool,
}

impl Default for Ic0Options {
    fn default() -> Self {
        Self { relaxation: 0.0, shift: 0.0, compact: true }
    }
}

impl Ic0Options {
    /// Modified IC with this relaxation ω.
    pub fn modified(relaxation: f64) -> Self {
        Self { relaxation, ..Self::default() }
    }

    fn check(self) -> Result<Self, SolveError> {
        check_share("relaxation", self.relaxation)?;
        if !(0.0..=MAX_SHIFT).contains(&self.shift) {
            return Err(SolveError::InvalidOption {
                name: "shift",
                value: self.shift.to_string(),
                expected: "the diagonal shift is relative to the diagonal and lies in 0 ..= 1000",
            });
        }
        Ok(self)
    }
}

/// M = L D Lᴴ ≈ A, A Hermitian positive definite: IC(0) or MIC(0).
///
/// Use it with CG on matrices from elliptic problems that are too small or too irregular for multigrid. Only
/// A's pattern is stored: no memory can run out. Rows are eliminated in the order of
/// [`Schedule`], near the natural one, so the result is the same for any number of
/// threads.
///
/// **Cost** of z = M⁻¹ r in double precision: 8 (nnz(A) − n) + 48 n bytes (12 where not compact).
/// **Storage**: 16 nnz(A) + 12 n bytes. M is Hermitian to the last bit and positive definite, whatever A is.
///
/// ```
/// use residua_solvers::{CsrMatrix, LinearSystem, Solver, StopRule, krylov::Cg, precond::Ic0};
/// // [ 2 -1  0 ]
/// // [-1  2 -1 ]   tridiagonal: there is no fill, so M = A
/// // [ 0 -1  2 ]
/// let a = CsrMatrix::try_new(3, 3, vec![0, 2, 5, 7], vec![0, 1, 0, 1, 2, 1, 2],
///     vec![2.0, -1.0, -1.0, 2.0, -1.0, -1.0, 2.0])?;
/// let mut cg = Cg::new(Ic0::new(&a)?);
/// let mut x = [0.0; 3];
/// let outcome = cg.solve(&LinearSystem::new(&a, &[1.0, 2.0, 3.0])?, &mut x, &StopRule::default(), &mut ())?;
/// assert!(outcome.iterations <= 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ic0<T = f64> {
    factor: LduFactor<T>,
    options: Ic0Options,
    shift: f64,
}

impl<T: Scalar> Ic0<T> {
    /// Plain IC(0) of a Hermitian positive definite matrix, of which the triangle after the diagonal in the
    /// order of the sweep counts.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`]; [`SolveError::ZeroDiagonal`]; [`SolveError::FactorizationFailed`] if a
    /// diagonal entry is not real and positive, the pattern is not symmetric, or no shift helps.
    pub fn new<A: SparseRows<T> + ?Sized>(a: &A) -> Result<Self, SolveError> {
        Self::with_options(a, Ic0Options::default())
    }

    /// IC(0) with these options.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`SolveError::InvalidOption`].
    pub fn with_options<A: SparseRows<T> + ?Sized>(a: &A, options: Ic0Options) -> Result<Self, SolveError> {
        check_square(NAME, a.nrows(), a.ncols())?;
        let options = options.check()?;
        check_positive_diagonal(NAME, a.csr())?;
        // Separators that come last lose most of what the modification gains: MIC(0) keeps the natural order.
        let factor = if options.relaxation > 0.0 {
            pattern::symbolic_in(a.csr(), Schedule::natural(a.csr()))
        } else {
            pattern::symbolic(a.csr())
        };
        let mut ic0 = Self { factor, options, shift: 0.0 };
        ic0.factorize(a.csr())?;
        Ok(ic0)
    }

    /// The α with which A + α diag(A) was factorized; 0 if the first attempt succeeded.
    pub fn shift(&self) -> f64 {
        self.shift
    }

    /// L, D and Lᴴ.
    pub fn factor(&self) -> &LduFactor<T> {
        &self.factor
    }

    fn factorize(&mut self, a: &CsrMatrix<T>) -> Result<(), SolveError> {
        let relaxation = self.options.relaxation;
        self.shift = with_growing_shift(NAME, a, self.options.shift, |shift| {
            let rule = PivotRule { shift, relaxation, positive: true, replacement: 0.0 };
            match pattern::numeric(&mut self.factor, a, rule) {
                Numeric::Done { .. } => Ok(()),
                Numeric::BadPivot { row } => Err(row),
            }
        })?;
        pattern::mirror_upper(&mut self.factor, NAME)?;
        if self.options.compact {
            self.factor.compress();
        }
        Ok(())
    }
}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Refresh<A> for Ic0<T> {
    /// Factorizes `a` anew on the same pattern; allocates nothing. After an error the preconditioner must
    /// be built anew.
    fn refresh(&mut self, a: &A) -> Result<(), SolveError> {
        if !pattern::has_pattern(&self.factor, a.csr()) {
            return Err(SolveError::PatternChanged { what: NAME });
        }
        check_positive_diagonal(NAME, a.csr())?;
        self.factorize(a.csr())
    }
}

impl<T: Scalar> Preconditioner<T> for Ic0<T> {
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
impl<T: Scalar> LinearPreconditioner<T> for Ic0<T> {}
impl<T: Scalar> SpdPreconditioner<T> for Ic0<T> {}
