//! A preconditioner for singular systems: z = P M⁻¹ r, P the projector off the null space.

use super::{LinearPreconditioner, Preconditioner, SpdPreconditioner};
use crate::null_space::NullSpace;
use crate::{Scalar, SolveError};
use std::sync::Arc;

/// M⁻¹ followed by the orthogonal projection off the constant null vectors.
///
/// On a consistent system every residual r is orthogonal to the null space, where P M⁻¹ is symmetric and
/// positive definite if M is; so CG may use it, and its iterates gain no component that A cannot see.
#[derive(Debug, Clone)]
pub struct Projected<P> {
    inner: P,
    null_space: Arc<NullSpace>,
}

impl<P> Projected<P> {
    /// `inner` followed by the projection off `null_space`.
    pub fn new(inner: P, null_space: Arc<NullSpace>) -> Self {
        Self { inner, null_space }
    }
}

impl<T: Scalar, P: Preconditioner<T>> Preconditioner<T> for Projected<P> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        self.inner.apply(r, z)?;
        self.null_space.project(z);
        Ok(())
    }
}
impl<T: Scalar, P: LinearPreconditioner<T>> LinearPreconditioner<T> for Projected<P> {}
impl<T: Scalar, P: SpdPreconditioner<T>> SpdPreconditioner<T> for Projected<P> {}
