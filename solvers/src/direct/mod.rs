//! Sparse direct methods: faer's factorizations behind the toolkit's [`Solver`] trait.
//!
//! ```text
//! Cholesky  P A Pᵀ = L Lᴴ           A Hermitian positive definite
//! LDLᴴ      P A Pᵀ = L B Lᴴ         A Hermitian, Bunch-Kaufman pivots within supernodes
//! LU        P A Q  = L U            any square A, partial pivoting
//! QR        A Q    = Q̃ R            m ≥ n, full rank: least squares
//! ```
//!
//! Each solve is followed by iterative refinement, x ← x + F⁻¹ (b − A x), until the true residual meets
//! the tolerance or stops shrinking (Higham 2002, *Accuracy and Stability*, chapter 12). Columns are
//! ordered by AMD (Cholesky, LDLᴴ) or COLAMD (LU, QR). Factorizations run on one thread, so that they
//! give the same bits for any number of threads.

mod factor;
mod rank_revealing;

pub use factor::{CholeskyEstimate, DirectKind, Factorization, FaerScalar, estimate_cholesky};
pub use rank_revealing::DenseLeastSquares;

use crate::control::{CycleEnd, resize, run};
use crate::precond::{LinearPreconditioner, Preconditioner};
use crate::{LinearOperator, LinearSystem, Monitor, Outcome, SolveError, Solver, StopRule, kernels};
use residua_data::CsrMatrix;

/// A sparse factorization with iterative refinement.
///
/// Set-up ([`Direct::new`], [`Direct::refresh`]) factorizes; [`Solver::solve`] works for any operator of
/// the same order, so a factorization of an older matrix can serve a slightly changed one. Also a
/// [`Preconditioner`], for GMRES on a matrix whose factorization is inaccurate.
///
/// **Storage**: the factors, and 2n.
#[derive(Debug)]
pub struct Direct<T: FaerScalar = f64> {
    factorization: Factorization<T>,
    r: Vec<T>,
    d: Vec<T>,
}

impl<T: FaerScalar> Direct<T> {
    /// Factorizes `a` by `kind`.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`], [`SolveError::NonFinite`], or [`SolveError::FactorizationFailed`] with the
    /// row where a pivot vanished (Cholesky: was not positive).
    pub fn new(kind: DirectKind, a: &CsrMatrix<T>) -> Result<Self, SolveError> {
        Ok(Self { factorization: Factorization::new(kind, a)?, r: Vec::new(), d: Vec::new() })
    }

    /// Factorizes a matrix with the same pattern, reusing the ordering and the symbolic factorization.
    ///
    /// # Errors
    /// [`SolveError::PatternChanged`], or as [`Direct::new`].
    pub fn refresh(&mut self, a: &CsrMatrix<T>) -> Result<(), SolveError> {
        self.factorization.refresh(a)
    }

    /// Which factorization this is.
    pub fn kind(&self) -> DirectKind {
        self.factorization.kind()
    }

    /// Entries of the factors.
    pub fn factor_nnz(&self) -> usize {
        self.factorization.factor_nnz()
    }
}

impl<T: FaerScalar, A: LinearOperator<T> + ?Sized> Solver<A, T> for Direct<T> {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let Self { factorization, r, d } = self;
        let (m, n) = (system.operator().nrows(), system.operator().ncols());
        factorization.check_shape(m, n)?;
        resize(r, m);
        resize(d, m);
        run(system, x, r, stop, monitor, |control, x, r, _| {
            kernels::copy(r, d);
            factorization.solve_in_place(d);
            if d[..n].iter().any(|v| !v.is_finite()) {
                return Ok(CycleEnd::Stop(crate::StopReason::Failed(crate::Breakdown::ZeroDenominator)));
            }
            kernels::axpy(T::one(), &d[..n], x);
            control.preconditioner_applies += 1;
            // The norm is only known once `run` has recomputed the residual, so the step is claimed.
            Ok(control.step(control.target(), Some(x)).unwrap_or(CycleEnd::Claimed))
        })
    }
}

impl<T: FaerScalar> Preconditioner<T> for Direct<T> {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        self.factorization.check_shape(r.len(), z.len())?;
        kernels::copy(r, z);
        self.factorization.solve_in_place(z);
        Ok(())
    }
}
impl<T: FaerScalar> LinearPreconditioner<T> for Direct<T> {}
