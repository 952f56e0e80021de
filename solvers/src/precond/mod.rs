//! Preconditioners M ≈ A. `apply` is always z = M⁻¹ r.
//!
//! The marker traits state mathematics that a method relies on: [`LinearPreconditioner`] is the same linear
//! map at every call (GMRES, BiCGSTAB, IDR), [`SpdPreconditioner`] is symmetric (Hermitian) positive
//! definite as well (CG, MINRES). Methods that bear anything, such as a network, take any
//! [`Preconditioner`] (FCG, FGMRES).

pub mod amg;
mod block_jacobi;
mod chebyshev;
mod ic0;
mod ict;
mod identity;
mod ilu0;
mod ilut;
mod jacobi;
mod matching;
pub mod multigrid;
pub(crate) mod pattern;
mod pivot;
mod projected;
mod ssor;
pub mod sweep;
mod threshold;

pub use amg::{Amg, AmgOptions};
pub use block_jacobi::{BlockJacobi, SpdBlockJacobi};
pub use chebyshev::Chebyshev;
pub use ic0::{Ic0, Ic0Options};
pub use ict::{Ict, IctOptions};
pub use identity::Identity;
pub use ilu0::{Ilu0, Ilu0Options};
pub use ilut::{Ilut, IlutOptions};
pub use jacobi::Jacobi;
pub use matching::{Matched, RowMatching};
pub use multigrid::GeometricMultigrid;
pub use projected::Projected;
pub(crate) use ssor::fill_triangle;
pub use ssor::{Ssor, SweepOrder};

use crate::{SolveError, kernels};
use residua_data::Scalar;

/// z = M⁻¹ r.
pub trait Preconditioner<T: Scalar = f64>: Send {
    /// The name as on the command line.
    fn name(&self) -> &'static str;

    /// z ← M⁻¹ r; both have length n.
    ///
    /// # Errors
    /// [`SolveError::ApplyFailed`] if a part broke (a network); [`SolveError::DimensionMismatch`].
    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError>;

    /// z ← M⁻¹ r, and returns rᴴ z, which some preconditioners have from the same pass.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    fn apply_dot(&mut self, r: &[T], z: &mut [T]) -> Result<T, SolveError> {
        self.apply(r, z)?;
        Ok(kernels::dot(r, z))
    }

    /// The diagonal of M⁻¹ if M is diagonal: methods then fuse it into their own passes.
    fn as_diagonal(&self) -> Option<&[T]> {
        None
    }

    /// Whether M is the identity: methods then skip it.
    fn is_identity(&self) -> bool {
        false
    }

    /// What its user should know, if anything: that it holds many times the memory of A, say.
    fn warning(&self) -> Option<String> {
        None
    }
}

/// A preconditioner that is the same linear map at every call.
pub trait LinearPreconditioner<T: Scalar = f64>: Preconditioner<T> {}

/// A linear preconditioner that is symmetric (Hermitian) positive definite.
pub trait SpdPreconditioner<T: Scalar = f64>: LinearPreconditioner<T> {}

/// Rebuilds a part for a matrix with the same pattern; explicit, as nothing can notice a changed A.
pub trait Refresh<A: ?Sized> {
    /// Rebuilds from `a`, reusing what depends on the pattern alone.
    ///
    /// # Errors
    /// [`SolveError::PatternChanged`], or what set-up returns.
    fn refresh(&mut self, a: &A) -> Result<(), SolveError>;
}

macro_rules! forward {
    ($t:ty) => {
        impl<T: Scalar, P: Preconditioner<T> + ?Sized> Preconditioner<T> for $t {
            fn name(&self) -> &'static str {
                (**self).name()
            }
            fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
                (**self).apply(r, z)
            }
            fn apply_dot(&mut self, r: &[T], z: &mut [T]) -> Result<T, SolveError> {
                (**self).apply_dot(r, z)
            }
            fn as_diagonal(&self) -> Option<&[T]> {
                (**self).as_diagonal()
            }
            fn is_identity(&self) -> bool {
                (**self).is_identity()
            }
            fn warning(&self) -> Option<String> {
                (**self).warning()
            }
        }
        impl<T: Scalar, P: LinearPreconditioner<T> + ?Sized> LinearPreconditioner<T> for $t {}
        impl<T: Scalar, P: SpdPreconditioner<T> + ?Sized> SpdPreconditioner<T> for $t {}
    };
}
forward!(&mut P);
forward!(Box<P>);
