//! Dense least squares of small systems, for matrices that nothing else can solve.
//!
//! Column-pivoted Householder QR, A P = Q R with |R₁₁| ≥ |R₂₂| ≥ … (Golub and Van Loan 2013,
//! *Matrix Computations*, Algorithm 5.4.1). With numerical rank k, the basic solution is
//! x = P [R₁₁⁻¹ (Qᴴb)₁…ₖ; 0]: it minimises ‖b − A x‖₂ over the k pivot columns.

use super::FaerScalar;
use crate::control::{CycleEnd, resize, run};
use crate::error::{SolveError, check_len};
use crate::{
    Breakdown, LinearOperator, LinearSystem, Monitor, Outcome, Solver, StopReason, StopRule, kernels,
};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::householder;
use faer::linalg::solvers::ColPivQr;
use faer::{Conj, Mat, Par};
use residua_data::CsrMatrix;

/// A dense rank-revealing factorization of a small matrix (m n entries are stored).
///
/// As a [`Solver`] it refines as [`Direct`](super::Direct) does. A residual that refinement cannot shrink is
/// orthogonal to the range of A: if A has not full row rank, that is a
/// [`Breakdown::SingularInconsistent`], and x is the basic least-squares solution.
pub struct DenseLeastSquares<T: FaerScalar> {
    qr: ColPivQr<T>,
    nrows: usize,
    ncols: usize,
    rank: usize,
    r: Vec<T>,
    d: Vec<T>,
}

impl<T: FaerScalar> std::fmt::Debug for DenseLeastSquares<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DenseLeastSquares").field("rank", &self.rank).finish_non_exhaustive()
    }
}

impl<T: FaerScalar> DenseLeastSquares<T> {
    /// Factorizes `a`; O(m n min(m, n)) operations.
    ///
    /// # Errors
    /// [`SolveError::NonFinite`].
    pub fn new(a: &CsrMatrix<T>) -> Result<Self, SolveError> {
        if a.first_non_finite().is_some() {
            return Err(SolveError::NonFinite { what: "the matrix", index: 0 });
        }
        let (nrows, ncols) = (a.nrows(), a.ncols());
        let mut dense = Mat::<T>::zeros(nrows, ncols);
        for i in 0..nrows {
            let (cols, vals) = a.row(i);
            cols.iter().zip(vals).for_each(|(&j, &v)| dense[(i, j as usize)] = v);
        }
        let qr = dense.as_ref().col_piv_qr();
        let size = nrows.min(ncols);
        let first = if size > 0 { qr.R()[(0, 0)].modulus_f64() } else { 0.0 };
        let threshold = first * T::epsilon_f64() * nrows.max(ncols) as f64;
        let rank = (0..size).take_while(|&k| qr.R()[(k, k)].modulus_f64() > threshold).count();
        Ok(Self { qr, nrows, ncols, rank, r: Vec::new(), d: Vec::new() })
    }

    /// Numerical rank: diagonal entries of R above max(m, n) ε |R₁₁|.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// x ← the basic least-squares solution for `b`; `b` has length m, `x` length n.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    pub fn solve(&self, b: &[T], x: &mut [T]) -> Result<(), SolveError> {
        check_len("b", self.nrows, b.len())?;
        check_len("x", self.ncols, x.len())?;
        let mut y = Mat::<T>::from_fn(self.nrows, 1, |i, _| b[i]);
        let block = self.qr.Q_coeff().nrows();
        let request = householder::apply_block_householder_sequence_transpose_on_the_left_in_place_scratch::<T>(
            self.nrows, block, 1,
        );
        householder::apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj(
            self.qr.Q_basis(),
            self.qr.Q_coeff(),
            Conj::Yes,
            y.as_mut(),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(request)),
        );
        let r = self.qr.R();
        for k in (0..self.rank).rev() {
            let mut sum = y[(k, 0)];
            for j in k + 1..self.rank {
                sum -= r[(k, j)] * y[(j, 0)];
            }
            y[(k, 0)] = sum / r[(k, k)];
        }
        x.fill(T::zero());
        let (forward, _) = self.qr.P().arrays();
        for k in 0..self.rank {
            x[forward[k]] = y[(k, 0)];
        }
        Ok(())
    }
}

/// A refinement step that leaves more than this share of the residual has found its least-squares limit.
const LEAST_SQUARES_LIMIT: f64 = 0.5;

impl<T: FaerScalar, A: LinearOperator<T> + ?Sized> Solver<A, T> for DenseLeastSquares<T> {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let (mut r, mut d) = (std::mem::take(&mut self.r), std::mem::take(&mut self.d));
        resize(&mut r, self.nrows);
        resize(&mut d, self.ncols);
        let mut before = f64::INFINITY;
        let outcome = run(system, x, &mut r, stop, monitor, |control, x, r, r_norm| {
            let at_limit = r_norm > LEAST_SQUARES_LIMIT * before;
            before = r_norm;
            if at_limit {
                let inconsistent = self.rank < self.nrows;
                let reason =
                    if inconsistent { Breakdown::SingularInconsistent } else { Breakdown::Stagnation };
                return Ok(CycleEnd::Stop(StopReason::Failed(reason)));
            }
            DenseLeastSquares::solve(self, r, &mut d)?;
            kernels::axpy(T::one(), &d, x);
            control.preconditioner_applies += 1;
            Ok(match control.step(control.target(), Some(x)) {
                Some(CycleEnd::Claimed) | None => CycleEnd::Restart,
                Some(end) => end,
            })
        });
        (self.r, self.d) = (r, d);
        outcome
    }
}
