//! Smoothers: what damps the errors that a coarser level cannot see.
//!
//! A smoother S ≈ A⁻¹ is used twice in a cycle: x = S b from zero before the coarse correction, x ← x + Sᵀ(b − A x) after
//! it. With the adjoint in the second place the cycle of a symmetric A is symmetric; it is positive definite if
//! ‖I − S A‖ < 1 in the energy norm.

mod chebyshev;
mod coloring;
mod colors;
mod diagonal;
mod factor;
mod hybrid;

pub(super) use chebyshev::Chebyshev;
pub(super) use coloring::Coloring;
pub(super) use colors::Colors;
pub(super) use diagonal::Diagonal;
pub(super) use factor::Factor;
pub(super) use hybrid::Hybrid;

use super::options::Smoother as Choice;
use super::rows;
use crate::{Scalar, SolveError};
use residua_data::CsrMatrix;
use std::sync::Arc;

/// A smoother of one level; it holds the level's matrix A in the form that it needs.
pub(super) trait Smooth<T: Scalar>: Send {
    /// The name as in reports.
    fn name(&self) -> &'static str;

    /// Bytes of the matrix and what a sweep reads beside it.
    fn bytes(&self) -> usize;

    /// Leading unknowns that the coarse correction concerns: from here on `before` leaves no residual (it need not set r),
    /// and `after` does not look at x.
    fn open(&self) -> usize;

    /// x ← S b, r ← b − A x.
    fn before(&mut self, b: &[T], x: &mut [T], r: &mut [T]) -> Result<(), SolveError>;

    /// x ← x + Sᵀ(b − A x); `r` is workspace.
    fn after(&mut self, b: &[T], x: &mut Vec<T>, r: &mut Vec<T>) -> Result<(), SolveError>;

    /// r ← b − A x.
    fn residual(&self, b: &[T], x: &[T], r: &mut [T]);
}

/// A level's smoother and the numbering of the vectors that it works on.
pub(super) struct Smoother<T> {
    pub(super) sweeps: Box<dyn Smooth<T>>,
    /// None for the matrix's own numbering.
    pub(super) coloring: Option<Arc<Coloring>>,
}

/// Colours above which a level's sweeps are cut too small, and Chebyshev is used.
const MAX_COLORS: usize = 24;

/// The smoother of `choice` for the matrix `a` of level `level` (0 is the finest), in the precision T.
pub(super) fn build<T: Scalar>(
    choice: Choice,
    a: &CsrMatrix<f64>,
    level: usize,
    symmetric: bool,
) -> Result<Smoother<T>, SolveError> {
    let low = || lower(a);
    let sweeps: Box<dyn Smooth<T>> = match choice {
        Choice::Auto if !symmetric => Box::new(Factor::ilu0(low()?)?),
        Choice::Auto if level == 0 => return multicolor(a, MAX_COLORS),
        // Galerkin matrices have long rows: many colours, each of them a walk over all unknowns.
        Choice::Auto => Box::new(Chebyshev::new(a, low()?, 2)),
        Choice::MulticolorGaussSeidel => return multicolor(a, usize::MAX),
        Choice::Jacobi { omega } => Box::new(Diagonal::jacobi(a, low()?, omega)),
        Choice::L1Jacobi => Box::new(Diagonal::l1(a, low()?)),
        Choice::Spai0 => Box::new(Diagonal::spai0(a, low()?)),
        Choice::Chebyshev { degree } => Box::new(Chebyshev::new(a, low()?, degree)),
        Choice::HybridGaussSeidel => Box::new(Hybrid::new(a, low()?)),
        Choice::Ilu0 => Box::new(Factor::ilu0(low()?)?),
        Choice::Ic0 => Box::new(Factor::ic0(low()?)?),
    };
    Ok(Smoother { sweeps, coloring: None })
}

/// Multicolour Gauss-Seidel where at most `most` colours do, else Chebyshev.
fn multicolor<T: Scalar>(a: &CsrMatrix<f64>, most: usize) -> Result<Smoother<T>, SolveError> {
    if let Some(coloring) = Coloring::greedy(a, most)
        && let Some(colors) = Colors::new(a, &coloring)?
    {
        return Ok(Smoother { sweeps: Box::new(colors), coloring: Some(Arc::new(coloring)) });
    }
    Ok(Smoother { sweeps: Box::new(Chebyshev::new(a, lower(a)?, 2)), coloring: None })
}

/// As [`build`] chose once, for other values of the matrix: with the same numbering.
pub(super) fn rebuild<T: Scalar>(
    choice: Choice,
    a: &CsrMatrix<f64>,
    symmetric: bool,
    coloring: Option<&Coloring>,
) -> Result<Box<dyn Smooth<T>>, SolveError> {
    if let Some(coloring) = coloring {
        return match Colors::new(a, coloring)? {
            Some(colors) => Ok(Box::new(colors)),
            None => Err(SolveError::PatternChanged { what: "amg" }),
        };
    }
    let choice = match choice {
        Choice::Auto if symmetric => Choice::Chebyshev { degree: 2 },
        Choice::MulticolorGaussSeidel => Choice::Chebyshev { degree: 2 },
        other => other,
    };
    Ok(build(choice, a, 1, symmetric)?.sweeps)
}

/// `v` in the precision T, unless it is out of its range.
#[inline(always)]
pub(super) fn to_precision<T: Scalar>(v: f64) -> Result<T, SolveError> {
    let low = T::of(v);
    if low.is_finite() && (v == 0.0 || low != T::zero()) {
        return Ok(low);
    }
    Err(out_of_range())
}

pub(super) fn out_of_range() -> SolveError {
    SolveError::InvalidOption {
        name: "precision",
        value: "single".to_owned(),
        expected: "entries within the range of 32-bit numbers: use 64-bit ones",
    }
}

/// `a` in the precision T.
fn lower<T: Scalar>(a: &CsrMatrix<f64>) -> Result<CsrMatrix<T>, SolveError> {
    let values: Result<Vec<T>, SolveError> = a.values().iter().map(|&v| to_precision(v)).collect();
    rows::to_matrix(a.nrows(), a.ncols(), (a.row_ptr().to_vec(), a.col_idx().to_vec(), values?))
}

/// Bytes of a stored matrix.
pub(super) fn bytes<T>(a: &CsrMatrix<T>) -> usize {
    a.nnz() * (4 + size_of::<T>()) + 4 * (a.nrows() + 1)
}

/// 1/d with the sign of d; 0 where d is 0, which leaves that unknown alone.
fn inverse_of<T: Scalar>(d: &[f64]) -> Vec<T> {
    d.iter().map(|&d| if d == 0.0 { T::zero() } else { T::of(1.0 / d) }).collect()
}
