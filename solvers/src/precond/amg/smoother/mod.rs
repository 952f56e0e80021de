//! Smoothers: what damps the errors that a coarser level cannot see.
//!
//! A smoother S ≈ A⁻¹ is used twice in a cycle: x = S b from zero before the coarse correction, x ← x + Sᵀ(b − A x) after
//! it. With the adjoint in the second place the cycle of a symmetric A is symmetric; it is positive definite if
//! ‖I − S A‖ < 1 in the energy norm.

mod chebyshev;
mod colors;
mod diagonal;
mod factor;
mod hybrid;

pub(super) use chebyshev::Chebyshev;
pub(super) use colors::Colors;
pub(super) use diagonal::Diagonal;
pub(super) use factor::Factor;
pub(super) use hybrid::Hybrid;

use super::options::Smoother;
use crate::{Scalar, SolveError};
use residua_data::CsrMatrix;

/// A smoother of one level with matrix A.
pub(super) trait Smooth<T: Scalar>: Send {
    /// The name as in reports.
    fn name(&self) -> &'static str;

    /// x ← S b, r ← b − A x.
    fn before(&mut self, a: &CsrMatrix<T>, b: &[T], x: &mut [T], r: &mut [T]) -> Result<(), SolveError>;

    /// x ← x + Sᵀ(b − A x); `r` is workspace.
    fn after(&mut self, a: &CsrMatrix<T>, b: &[T], x: &mut Vec<T>, r: &mut Vec<T>) -> Result<(), SolveError>;
}

/// Colours above which a level's sweeps are cut too small, and Chebyshev is used.
const MAX_COLORS: usize = 24;

/// The smoother of `choice` for the level with matrix `a` (`low` in the precision of the cycle).
pub(super) fn build<T: Scalar>(
    choice: Smoother,
    a: &CsrMatrix<f64>,
    low: &CsrMatrix<T>,
    symmetric: bool,
) -> Result<Box<dyn Smooth<T>>, SolveError> {
    Ok(match choice {
        Smoother::Auto if !symmetric => build(Smoother::Ilu0, a, low, symmetric)?,
        Smoother::Auto => match Colors::try_new(a, MAX_COLORS) {
            Some(colors) => Box::new(colors),
            None => Box::new(Chebyshev::new(a, 2)),
        },
        Smoother::Jacobi { omega } => Box::new(Diagonal::jacobi(a, omega)),
        Smoother::L1Jacobi => Box::new(Diagonal::l1(a)),
        Smoother::Spai0 => Box::new(Diagonal::spai0(a)),
        Smoother::Chebyshev { degree } => Box::new(Chebyshev::new(a, degree)),
        Smoother::MulticolorGaussSeidel => match Colors::try_new(a, usize::MAX) {
            Some(colors) => Box::new(colors),
            None => Box::new(Chebyshev::new(a, 2)),
        },
        Smoother::HybridGaussSeidel => Box::new(Hybrid::new(a)),
        Smoother::Ilu0 => Box::new(Factor::ilu0(low)?),
        Smoother::Ic0 => Box::new(Factor::ic0(low)?),
    })
}

/// 1/d with the sign of d; 0 where d is 0, which leaves that unknown alone.
fn inverse_of<T: Scalar>(d: &[f64]) -> Vec<T> {
    d.iter().map(|&d| if d == 0.0 { T::zero() } else { T::of(1.0 / d) }).collect()
}
