//! The multigrid cycle: smooth, correct from the coarser level, smooth (Trottenberg, Oosterlee, Schüller 2001, section 2.4).
//!
//! ```text
//! x ← S b;  r ← b − A x;  e ← cycle(R r), γ times;  x ← x + P e;  x ← x + Sᵀ (b − A x)
//! ```
//! V: γ = 1. W: γ = 2. Every cycle starts from zero, so it is a fixed linear map, symmetric if A is. (An F-cycle, whose
//! second visits are V-cycles, is not symmetric, so CG could not use it.)

use super::coarse::CoarseInverse;
use super::options::AmgOptions;
use super::smoother::Smooth;
use crate::precond::multigrid::Cycle;
use crate::{LinearOperator, Scalar, SolveError, kernels};
use residua_data::CsrMatrix;

/// Sweeps that stand for a solve on a coarsest level that is too large for a factorization.
const COARSE_SWEEPS: usize = 20;

/// One level: its matrix, its smoother and the way to the next one.
pub(super) struct Level<T> {
    a: CsrMatrix<T>,
    /// P and R = Pᵀ; none on the coarsest level.
    transfer: Option<(CsrMatrix<T>, CsrMatrix<T>)>,
    smoother: Box<dyn Smooth<T>>,
    x: Vec<T>,
    b: Vec<T>,
    r: Vec<T>,
    /// The first visit's correction, where there is a second one.
    sum: Vec<T>,
}

impl<T: Scalar> Level<T> {
    pub(super) fn new(
        a: CsrMatrix<T>,
        p: CsrMatrix<T>,
        r: CsrMatrix<T>,
        smoother: Box<dyn Smooth<T>>,
    ) -> Self {
        Self { transfer: Some((p, r)), ..Self::coarsest(a, smoother) }
    }

    pub(super) fn coarsest(a: CsrMatrix<T>, smoother: Box<dyn Smooth<T>>) -> Self {
        let zeros = || vec![T::zero(); a.nrows()];
        let (x, b, r, sum) = (zeros(), zeros(), zeros(), zeros());
        Self { a, transfer: None, smoother, x, b, r, sum }
    }

    /// x ← an approximation of A⁻¹ b by sweeps.
    fn relax(&mut self, sweeps: usize) -> Result<(), SolveError> {
        self.smoother.before(&self.a, &self.b, &mut self.x, &mut self.r)?;
        self.smoother.after(&self.a, &self.b, &mut self.x, &mut self.r)?;
        for _ in 1..sweeps {
            self.smoother.after(&self.a, &self.b, &mut self.x, &mut self.r)?;
        }
        Ok(())
    }
}

/// All levels, and the solve on the coarsest one.
pub(super) struct Hierarchy<T> {
    levels: Vec<Level<T>>,
    coarse: Option<CoarseInverse<T>>,
    cycle: Cycle,
}

impl<T: Scalar> Hierarchy<T> {
    pub(super) fn new(levels: Vec<Level<T>>, coarse: Option<CoarseInverse<T>>, options: &AmgOptions) -> Self {
        Self { levels, coarse, cycle: options.cycle }
    }

    pub(super) fn smoother_names(&self) -> impl Iterator<Item = &'static str> {
        self.levels.iter().map(|level| level.smoother.name())
    }

    /// Bytes of matrices and transfers.
    pub(super) fn bytes(&self) -> usize {
        let size = |m: &CsrMatrix<T>| m.nnz() * (4 + size_of::<T>()) + 4 * m.nrows();
        self.levels
            .iter()
            .map(|l| size(&l.a) + l.transfer.as_ref().map_or(0, |(p, r)| size(p) + size(r)))
            .sum()
    }

    /// The right-hand side of the finest level, to be filled.
    pub(super) fn rhs_mut(&mut self) -> &mut [T] {
        self.levels.first_mut().map_or(&mut [], |level| &mut level.b)
    }

    /// The solution of the finest level.
    pub(super) fn solution(&self) -> &[T] {
        self.levels.first().map_or(&[], |level| &level.x)
    }

    /// x ← one cycle for b, on the finest level.
    pub(super) fn run(&mut self) -> Result<(), SolveError> {
        visit(&mut self.levels, self.coarse.as_ref(), self.cycle)
    }
}

fn visit<T: Scalar>(
    levels: &mut [Level<T>],
    coarse: Option<&CoarseInverse<T>>,
    cycle: Cycle,
) -> Result<(), SolveError> {
    let Some((level, rest)) = levels.split_first_mut() else { return Ok(()) };
    let Some(next) = rest.first_mut() else {
        match coarse {
            Some(inverse) => inverse.apply(&level.b, &mut level.x),
            None => level.relax(COARSE_SWEEPS)?,
        }
        return Ok(());
    };
    let Some((p, r)) = &level.transfer else { return Ok(()) };
    level.smoother.before(&level.a, &level.b, &mut level.x, &mut level.r)?;
    r.multiply(&level.r, &mut next.b);
    visit(rest, coarse, cycle)?;
    if cycle != Cycle::V && rest.len() > 1 {
        let next = &mut rest[0];
        next.sum.copy_from_slice(&next.x);
        next.a.residual(&next.b, &next.sum, &mut next.r);
        std::mem::swap(&mut next.b, &mut next.r);
        let keep = std::mem::take(&mut next.sum);
        let done = visit(rest, coarse, cycle);
        rest[0].sum = keep;
        done?;
        let next = &mut rest[0];
        kernels::axpy(T::one(), &next.sum, &mut next.x);
    }
    add_product(p, &rest[0].x, &mut level.x);
    level.smoother.after(&level.a, &level.b, &mut level.x, &mut level.r)
}

/// x ← x + P e.
fn add_product<T: Scalar>(p: &CsrMatrix<T>, e: &[T], x: &mut [T]) {
    use rayon::prelude::*;
    let rows = 4 * kernels::BLOCK;
    let add = |(block, x): (usize, &mut [T])| {
        let start = block * rows;
        p.for_each_row_product(start..start + x.len(), e, x, |pe, _, x| *x += pe);
    };
    if x.len() < 8 * rows {
        x.chunks_mut(rows).enumerate().for_each(add);
    } else {
        x.par_chunks_mut(rows).enumerate().for_each(add);
    }
}
