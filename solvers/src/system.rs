//! The system A x = b, checked once, and when to stop.

use crate::error::{SolveError, check_len};
use crate::kernels;
use crate::operator::LinearOperator;
use residua_data::Scalar;
use std::time::Duration;

/// A x = b with A ∈ Tᵐˣⁿ and b ∈ Tᵐ; shapes and the finiteness of b are checked here and nowhere else.
#[derive(Debug)]
pub struct LinearSystem<'a, A: ?Sized, T = f64> {
    a: &'a A,
    b: &'a [T],
    rhs_norm: f64,
}

impl<A: ?Sized, T: Copy> Clone for LinearSystem<'_, A, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<A: ?Sized, T: Copy> Copy for LinearSystem<'_, A, T> {}

impl<'a, T: Scalar, A: LinearOperator<T> + ?Sized> LinearSystem<'a, A, T> {
    /// The system A x = b; `b` has length m = `a.nrows()`.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`] or [`SolveError::NonFinite`].
    pub fn new(a: &'a A, b: &'a [T]) -> Result<Self, SolveError> {
        check_len("b", a.nrows(), b.len())?;
        if let Some(index) = b.iter().position(|v| !v.is_finite()) {
            return Err(SolveError::NonFinite { what: "b", index });
        }
        Ok(Self { a, b, rhs_norm: global_norm(a, b) })
    }

    /// A.
    pub fn operator(&self) -> &'a A {
        self.a
    }

    /// b, length m.
    pub fn rhs(&self) -> &'a [T] {
        self.b
    }

    /// ‖b‖₂.
    pub fn rhs_norm(&self) -> f64 {
        self.rhs_norm
    }

    /// r ← b − A x; `x` has length n, `r` length m.
    pub fn residual(&self, x: &[T], r: &mut [T]) {
        self.a.residual(self.b, x, r);
    }
}

/// ‖v‖₂ over all ranks.
pub(crate) fn global_norm<T: Scalar, A: LinearOperator<T> + ?Sized>(a: &A, v: &[T]) -> f64 {
    let mut sq = [T::from_real(kernels::norm2_sq(v))];
    a.sum_over_ranks(&mut sq);
    norm_from_global_sq(a, sq[0], v)
}

/// ‖v‖₂ given its sum of squares over all ranks, recomputed where that over- or underflowed.
///
/// Every decision rests on values that are the same on all ranks, so that all take part in the same sums.
pub(crate) fn norm_from_global_sq<T: Scalar, A: LinearOperator<T> + ?Sized>(a: &A, sq: T, v: &[T]) -> f64 {
    let sq = sq.real_f64();
    if kernels::is_safe_sq::<T>(sq) {
        return sq.sqrt();
    }
    let local = kernels::norm2(v);
    let mut scale = [T::of(local)];
    a.sum_over_ranks(&mut scale);
    let scale = scale[0].real_f64();
    if scale == 0.0 || !scale.is_finite() {
        return scale;
    }
    let mut sum = [T::of((local / scale) * (local / scale))];
    a.sum_over_ranks(&mut sum);
    scale * sum[0].real_f64().sqrt()
}

/// When to stop: ‖b − A x‖₂ ≤ max(`rtol` ‖b‖₂, `atol`), or a limit.
///
/// The norm is always that of the unpreconditioned residual, and relative to b also on a warm start, so
/// that a tolerance means the same for every method, preconditioner and initial guess.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StopRule {
    /// Relative tolerance. Default 1e-8.
    pub rtol: f64,
    /// Absolute tolerance, in the units of b. Default 0.
    pub atol: f64,
    /// Most iterations. Default 10 000.
    pub max_iters: usize,
    /// Most wall time; default none. Looked at once an iteration.
    pub time_limit: Option<Duration>,
}

impl Default for StopRule {
    fn default() -> Self {
        Self { rtol: 1e-8, atol: 0.0, max_iters: 10_000, time_limit: None }
    }
}

impl StopRule {
    /// The default rule with this relative tolerance.
    pub fn rtol(rtol: f64) -> Self {
        Self { rtol, ..Self::default() }
    }

    /// The same rule with at most `max_iters` iterations.
    #[must_use]
    pub fn with_max_iters(self, max_iters: usize) -> Self {
        Self { max_iters, ..self }
    }

    /// The same rule with at most `limit` of wall time.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self { time_limit: Some(limit), ..self }
    }
}
