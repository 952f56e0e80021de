//! Incomplete factorizations as smoothers: S = (L U)⁻¹ or (L Lᵀ)⁻¹.

use super::Smooth;
use crate::precond::{Ic0, Ilu0, Preconditioner};
use crate::{LinearOperator, Scalar, SolveError, kernels};
use residua_data::CsrMatrix;

pub(in crate::precond::amg) struct Factor<T: Scalar> {
    a: CsrMatrix<T>,
    inner: Box<dyn Preconditioner<T>>,
    z: Vec<T>,
}

impl<T: Scalar> Factor<T> {
    pub(super) fn ilu0(a: CsrMatrix<T>) -> Result<Self, SolveError> {
        Ok(Self { inner: Box::new(Ilu0::new(&a)?), z: vec![T::zero(); a.nrows()], a })
    }

    pub(super) fn ic0(a: CsrMatrix<T>) -> Result<Self, SolveError> {
        Ok(Self { inner: Box::new(Ic0::new(&a)?), z: vec![T::zero(); a.nrows()], a })
    }
}

impl<T: Scalar> Smooth<T> for Factor<T> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn bytes(&self) -> usize {
        super::bytes(&self.a)
    }

    fn open(&self) -> usize {
        self.a.nrows()
    }

    fn residual(&self, b: &[T], x: &[T], r: &mut [T]) {
        self.a.residual(b, x, r);
    }

    fn before(&mut self, b: &[T], x: &mut [T], r: &mut [T]) -> Result<(), SolveError> {
        self.inner.apply(b, x)?;
        self.a.residual(b, x, r);
        Ok(())
    }

    fn after(&mut self, b: &[T], x: &mut Vec<T>, r: &mut Vec<T>) -> Result<(), SolveError> {
        self.a.residual(b, x, r);
        self.inner.apply(r, &mut self.z)?;
        kernels::axpy(T::one(), &self.z, x);
        Ok(())
    }
}
