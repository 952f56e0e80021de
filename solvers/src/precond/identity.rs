//! No preconditioner: M = I.

use super::{LinearPreconditioner, Preconditioner, Refresh, SpdPreconditioner};
use crate::{SolveError, kernels};
use residua_data::Scalar;

/// M = I, of any size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Identity;

impl<T: Scalar> Preconditioner<T> for Identity {
    fn name(&self) -> &'static str {
        "none"
    }
    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        kernels::copy(r, z);
        Ok(())
    }
    fn is_identity(&self) -> bool {
        true
    }
}
impl<T: Scalar> LinearPreconditioner<T> for Identity {}
impl<T: Scalar> SpdPreconditioner<T> for Identity {}

impl<A: ?Sized> Refresh<A> for Identity {
    /// There is nothing to rebuild.
    fn refresh(&mut self, _: &A) -> Result<(), SolveError> {
        Ok(())
    }
}
