//! Damped Jacobi iteration: W = D/ω.
//!
//! ```text
//! y = ω D⁻¹ r,   x ← x + y,   r ← r − A y
//! ```
//!
//! Saad (2003), *Iterative Methods for Sparse Linear Systems*, section 4.1. One pass over A does all three:
//! with the old y at hand, row i updates x_i and r_i and leaves the next y_i in a second vector. Converges
//! for every start iff ρ(I − ω D⁻¹A) < 1: for ω = 1 if A is strictly or irreducibly diagonally dominant,
//! and for Hermitian positive definite A iff ω < 2/λmax(D⁻¹A).

use super::{Splitting, check_omega};
use crate::control::{Control, CycleEnd, fused_norm, resize, run};
use crate::error::{SolveError, check_square};
use crate::{LinearSystem, Monitor, Outcome, Solver, SparseRows, StopRule, kernels};
use residua_data::Scalar;

/// Damped Jacobi iteration for A x = b, A ∈ Tⁿˣⁿ with a nonzero diagonal.
///
/// A smoother and a yardstick; as a solver, SOR needs at most half its iterations on the usual matrices.
/// It is the only relaxation whose unknowns are all updated at once.
///
/// **Cost** an iteration: 1 pass over A, 1 reduction; in double precision 12 nnz + 4n + 8 · 7n bytes.
/// **Storage**: 4n and 4n bytes.
/// **Fails** with [`Breakdown::Divergence`](crate::Breakdown::Divergence) where ρ(I − ω D⁻¹A) > 1.
#[derive(Debug, Clone)]
pub struct JacobiIteration<T = f64> {
    omega: f64,
    splitting: Splitting<T>,
    r: Vec<T>,
    y: Vec<T>,
    y_next: Vec<T>,
}

impl<T: Scalar> Default for JacobiIteration<T> {
    fn default() -> Self {
        Self { omega: 1.0, splitting: Splitting::new(), r: Vec::new(), y: Vec::new(), y_next: Vec::new() }
    }
}

impl<T: Scalar> JacobiIteration<T> {
    /// Jacobi iteration damped by 0 < `omega` < 2; [`default`](Self::default) is ω = 1, undamped.
    ///
    /// # Errors
    /// [`SolveError::InvalidOption`].
    pub fn new(omega: f64) -> Result<Self, SolveError> {
        check_omega(omega)?;
        Ok(Self { omega, ..Self::default() })
    }

    /// ω.
    pub fn omega(&self) -> f64 {
        self.omega
    }
}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Solver<A, T> for JacobiIteration<T> {
    fn name(&self) -> &'static str {
        "jacobi"
    }

    /// # Errors
    /// [`SolveError::NotSquare`], [`SolveError::ZeroDiagonal`], [`SolveError::DimensionMismatch`].
    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square("jacobi", a.nrows(), a.ncols())?;
        let Self { omega, splitting, r, y, y_next } = self;
        splitting.refresh("jacobi", a.csr())?;
        for v in [&mut *r, y, y_next] {
            resize(v, a.nrows());
        }
        let (omega, inverse) = (T::of(*omega), splitting.inverse());
        run(system, x, r, stop, monitor, |control, x, r, _| {
            cycle(a, omega, inverse, control, x, r, y, y_next)
        })
    }
}

/// Jacobi iteration from the true residual r until it claims convergence or is stopped.
#[allow(clippy::too_many_arguments)]
fn cycle<'v, T: Scalar, A: SparseRows<T> + ?Sized>(
    a: &A,
    omega: T,
    inverse: &[T],
    control: &mut Control<'_, T>,
    x: &mut [T],
    r: &mut [T],
    mut y: &'v mut [T],
    mut y_next: &'v mut [T],
) -> Result<CycleEnd, SolveError> {
    kernels::multiply_elementwise(inverse, r, y);
    kernels::scale(omega, y);
    loop {
        let r_sq = iterate(a, omega, inverse, y, x, r, y_next);
        control.operator_applies += 1;
        if let Some(end) = control.step(fused_norm(a, r_sq, r), Some(x)) {
            return Ok(end);
        }
        std::mem::swap(&mut y, &mut y_next);
    }
}

/// x ← x + y, r ← r − A y, y_next ← ω D⁻¹ r; returns ‖r‖₂². One pass over A, threaded.
fn iterate<T: Scalar, A: SparseRows<T> + ?Sized>(
    a: &A,
    omega: T,
    inverse: &[T],
    y: &[T],
    x: &mut [T],
    r: &mut [T],
    y_next: &mut [T],
) -> T::RealField {
    type Slices<'a, T> = (&'a [T], &'a mut [T], &'a mut [T], &'a mut [T]);
    kernels::reduce((y, x, r, y_next), kernels::ROW_GRAIN, &|(part, x, r, y_next): Slices<'_, T>| {
        let start = kernels::offset_in(y, part);
        let mut sq = T::zero().abs_sq();
        a.csr().for_each_row_product(start..start + part.len(), y, r, |ay, i, r| {
            let k = i - start;
            *r -= ay;
            sq += r.abs_sq();
            x[k] += part[k];
            y_next[k] = omega * (inverse[i] * *r);
        });
        sq
    })
}
