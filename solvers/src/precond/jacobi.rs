//! Jacobi: M = D, the diagonal of A.

use super::{LinearPreconditioner, Preconditioner, Refresh, SpdPreconditioner};
use crate::error::{SolveError, check_len, check_square};
use crate::{SparseRows, kernels};
use residua_data::Scalar;

/// M = diag(A); z = D⁻¹ r costs one multiplication an unknown and is fused into the passes of CG.
///
/// Symmetric positive definite if every diagonal entry is real and positive; that is checked when CG meets
/// rᴴM⁻¹r ≤ 0, not here, since GMRES and BiCGSTAB take any nonzero diagonal.
#[derive(Debug, Clone, PartialEq)]
pub struct Jacobi<T = f64> {
    inverse: Vec<T>,
}

impl<T: Scalar> Jacobi<T> {
    /// From the diagonal of a square matrix.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`], [`SolveError::ZeroDiagonal`].
    pub fn new<A: SparseRows<T> + ?Sized>(a: &A) -> Result<Self, SolveError> {
        check_square("jacobi", a.nrows(), a.ncols())?;
        let mut jacobi = Self { inverse: vec![T::zero(); a.nrows()] };
        jacobi.refresh(a)?;
        Ok(jacobi)
    }
}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Refresh<A> for Jacobi<T> {
    fn refresh(&mut self, a: &A) -> Result<(), SolveError> {
        check_len("the matrix given to refresh", self.inverse.len(), a.nrows())?;
        for (row, inverse) in self.inverse.iter_mut().enumerate() {
            let d = T::one() / a.csr().get(row, row);
            if !d.is_finite() {
                return Err(SolveError::ZeroDiagonal { what: "jacobi", row });
            }
            *inverse = d;
        }
        Ok(())
    }
}

impl<T: Scalar> Preconditioner<T> for Jacobi<T> {
    fn name(&self) -> &'static str {
        "jacobi"
    }
    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        check_len("r", self.inverse.len(), r.len())?;
        kernels::multiply_elementwise(&self.inverse, r, z);
        Ok(())
    }
    fn as_diagonal(&self) -> Option<&[T]> {
        Some(&self.inverse)
    }
}
impl<T: Scalar> LinearPreconditioner<T> for Jacobi<T> {}
impl<T: Scalar> SpdPreconditioner<T> for Jacobi<T> {}
