//! The Arnoldi process and the small least squares problem that GMRES and FGMRES share.
//!
//! From v₀ = r / β, β = ‖r‖, step k forms w = A zₖ with zₖ = M⁻¹ vₖ and orthogonalises it against
//! v₀ … vₖ, so that A Z_k = V_{k+1} H̄_k. Then min ‖r − A Z_k y‖ = min ‖β e₁ − H̄_k y‖, whose Givens
//! rotations give the residual norm before x is formed (Saad and Schultz 1986, SIAM J. Sci. Stat. Comput.
//! 7(3), sections 3.1 and 3.2; flexible: Saad 1993, SIAM J. Sci. Comput. 14(2), Algorithm 2.2).
//!
//! Orthogonalisation is classical Gram-Schmidt, repeated where more than half of ‖w‖² was removed ("twice
//! is enough", Daniel, Gragg, Kaufman and Stewart 1976, Math. Comp. 30; Giraud, Langou and Rozložník 2005).
//! It reads the basis two times (three, if repeated) where modified Gram-Schmidt reads it twice, vector by
//! vector, and needs two (three) sums over ranks where that needs k + 2.

use super::hessenberg::HessenbergLsq;
use crate::control::{Control, CycleEnd, fused_norm, resize};
use crate::{Breakdown, LinearOperator, SolveError, kernels};
use residua_data::Scalar;

/// Share of ‖w‖² that must survive a pass of Gram-Schmidt for it to be the only one.
const KEPT_SQ: f64 = 0.5;

/// A vector that orthogonalisation shrank below this many roundings of its norm is zero.
const ROUNDING: f64 = 10.0;

/// A normalised Krylov basis of up to `restart` + 1 vectors, and what comes with it: (restart + 1) n.
#[derive(Debug, Clone)]
pub(super) struct Arnoldi<T> {
    n: usize,
    restart: usize,
    basis: Vec<T>,
    partials: Vec<T>,
    h: Vec<T>,
    coefficients: Vec<T>,
    lsq: HessenbergLsq<T>,
    y: Vec<T>,
}

impl<T: Scalar> Arnoldi<T> {
    pub(super) fn new() -> Self {
        Self {
            n: 0,
            restart: 0,
            basis: Vec::new(),
            partials: Vec::new(),
            h: Vec::new(),
            coefficients: Vec::new(),
            lsq: HessenbergLsq::default(),
            y: Vec::new(),
        }
    }

    /// Makes room for cycles of `restart` steps on vectors of length `n`.
    pub(super) fn resize(&mut self, n: usize, restart: usize) {
        (self.n, self.restart) = (n, restart);
        resize(&mut self.basis, (restart + 1) * n);
        resize(&mut self.partials, kernels::multi_dot_workspace(n, restart + 1));
        resize(&mut self.h, restart + 1);
        resize(&mut self.coefficients, 2 * restart);
        resize(&mut self.y, restart);
        self.lsq.resize(restart);
    }

    /// The coefficients of the correction that the last cycle found, in the basis it used.
    pub(super) fn y(&self) -> &[T] {
        &self.y[..self.lsq.rank()]
    }

    /// The vectors v₀ … that [`y`](Self::y) goes with.
    pub(super) fn basis(&self) -> &[T] {
        &self.basis[..self.lsq.rank() * self.n]
    }

    /// V y, in the room of a basis vector that is no longer needed.
    pub(super) fn combine(&mut self) -> &mut [T] {
        let used = self.lsq.rank();
        let (v, rest) = self.basis.split_at_mut(used * self.n);
        let sum = &mut rest[..self.n];
        sum.fill(T::zero());
        kernels::multi_axpy(&self.y[..used], v, sum);
        sum
    }

    /// One cycle from the true residual r: `expand(control, k, vₖ, w)` sets w ← A M⁻¹ vₖ. The correction's
    /// coefficients are in [`y`](Self::y) afterwards, however the cycle ended.
    pub(super) fn cycle<A: LinearOperator<T> + ?Sized>(
        &mut self,
        a: &A,
        control: &mut Control<'_, T>,
        r: &[T],
        r_norm: f64,
        mut expand: impl FnMut(&mut Control<'_, T>, usize, &[T], &mut [T]) -> Result<(), SolveError>,
    ) -> Result<CycleEnd, SolveError> {
        let n = self.n;
        kernels::copy(r, &mut self.basis[..n]);
        kernels::scale(T::of(1.0 / r_norm), &mut self.basis[..n]);
        self.lsq.start(r_norm);
        let (mut end, mut residual_norm) = (CycleEnd::Restart, r_norm);
        for k in 0..self.restart {
            let (v, w) = self.basis.split_at_mut((k + 1) * n);
            expand(control, k, &v[k * n..], &mut w[..n])?;
            let next = self.orthogonalise(a, k + 1);
            if !next.is_finite() {
                end = CycleEnd::Broken(Breakdown::NonFinite);
                break;
            }
            let residual = self.lsq.push(&self.h[..k + 1], next);
            residual_norm = residual.unwrap_or(residual_norm);
            if let Some(reason) = control.step(residual_norm, None) {
                end = reason;
                break;
            }
            // The Krylov space is exhausted before the residual is.
            if residual.is_none() || next == 0.0 {
                end = CycleEnd::Broken(Breakdown::ZeroDenominator);
                break;
            }
        }
        self.lsq.solve(&mut self.y);
        Ok(end)
    }

    /// Orthogonalises basis vector `k` against those before it, with the coefficients in `h`, and normalises
    /// it; returns its norm before that, 0 if nothing but rounding was left of it.
    fn orthogonalise<A: LinearOperator<T> + ?Sized>(&mut self, a: &A, k: usize) -> f64 {
        let (v, w) = self.basis.split_at_mut(k * self.n);
        let w = &mut w[..self.n];
        let sums = &mut self.h[..k + 1];
        kernels::multi_dot(v, w, &mut self.partials, sums); // h ← Vᴴ w, and ‖w‖²
        a.sum_over_ranks(sums);
        let norm_sq = sums[k].real_f64();
        let h = &mut sums[..k];
        let removed_sq: f64 = h.iter().map(|h| h.modulus_f64().powi(2)).sum();
        let (minus, again) = self.coefficients.split_at_mut(self.restart);
        let (minus, again) = (&mut minus[..k], &mut again[..k]);
        minus.iter_mut().zip(&*h).for_each(|(minus, &h)| *minus = -h);
        let is_kept = kernels::is_safe_sq::<T>(norm_sq) && norm_sq - removed_sq > KEPT_SQ * norm_sq;
        if !is_kept {
            // w ← w − V h, and what is left along V, in one pass
            kernels::multi_axpy_multi_dot(minus, v, w, v, &mut self.partials, again);
            a.sum_over_ranks(again);
            for ((h, minus), &again) in h.iter_mut().zip(&mut *minus).zip(&*again) {
                *h += again;
                *minus = -again;
            }
        }
        let sq = kernels::multi_axpy_norm2_sq(minus, v, w); // w ← w − V h
        let norm = fused_norm(a, sq, w);
        let before = h.iter().fold(norm, |sum, h| sum.hypot(h.modulus_f64()));
        if norm <= ROUNDING * T::epsilon_f64() * before {
            return 0.0;
        }
        kernels::scale(T::of(1.0 / norm), w);
        norm
    }
}
