//! No preconditioner: M = I.

use super::{LinearPreconditioner, Preconditioner, SpdPreconditioner};
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
