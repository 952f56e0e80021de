//! IDR(s), with bi-orthogonal residual differences, preconditioned from the right.
//!
//! Residuals are forced into the Sonneveld spaces G₀ ⊃ G₁ ⊃ …, G_j = (I − ω_j A M⁻¹)(G_{j−1} ∩ P^⊥), with a
//! fixed shadow space P of dimension s; in exact arithmetic r = 0 after at most n + n/s products. A cycle
//! over k = 0 … s − 1 makes directions U and residual differences G = A U with pᵢᴴ gₖ = 0 for i < k, one
//! product each, and a last product chooses the next ω.
//!
//! van Gijzen and Sonneveld (2011), ACM Trans. Math. Softw. 38(1), Algorithm 913, with its "maintaining the
//! convergence" for ω (Sleijpen and van der Vorst 1995).
//!
//! Differences: the coefficients of the bi-orthogonalisation against g₀ … gₖ₋₁ come from one pass over P and
//! a triangular solve instead of k passes, after Collignon and van Gijzen (2011, Numer. Linear Algebra
//! Appl. 18): 2 sums over ranks instead of k + 1; Pᴴgₖ is recomputed from the vector that results.

use super::bicgstab::{preconditioned, stabilising_omega};
use super::gmres::global_order;
use super::random::fill_random;
use crate::control::{Control, CycleEnd, fused_norm, resize, run};
use crate::error::{SolveError, check_square};
use crate::precond::Identity;
use crate::system::norm_from_global_sq;
use crate::{
    Breakdown, LinearOperator, LinearPreconditioner, LinearSystem, Monitor, Outcome, Solver, StopRule,
    kernels,
};
use residua_data::Scalar;

/// Default dimension of the shadow space.
const DEFAULT_S: usize = 4;

/// pₖᴴgₖ below this many roundings of ‖gₖ‖ has vanished.
const ROUNDING: f64 = 10.0;

/// IDR(s) for A x = b, A ∈ Tⁿˣⁿ any square matrix.
///
/// Short recurrences; s = 1 behaves as BiCGSTAB, larger s come close to full GMRES. One iteration is one
/// product with A.
///
/// **Parameters** `s`, at least 1, default 4 (never more than n are used): more of it saves products and
/// costs storage and passes. `seed`, default 0: of the random shadow space, the same for every solve.
/// **Cost** a step, on average: 1 product with A, 1 application of M⁻¹, 3 sums over ranks; about
/// 8 n (5 s / 2 + 10) bytes in double precision beside A and M.
/// **Storage**: (3 s + 3) n.
/// **Fails** with [`Breakdown::ZeroDenominator`] if P and G, or A r and r, become orthogonal and starting
/// afresh does not help.
#[derive(Debug, Clone)]
pub struct Idrs<P = Identity, T = f64> {
    precond: P,
    s: usize,
    seed: u64,
    r: Vec<T>,
    space: Space<T>,
}

/// The shadow space and the directions, s columns of length n each, and their small matrices.
#[derive(Debug, Clone, Default)]
struct Space<T> {
    s: usize,
    shadow: Vec<T>,
    shadow_seed: Option<u64>,
    g: Vec<T>,
    u: Vec<T>,
    v: Vec<T>,
    z: Vec<T>,
    m: Vec<T>,
    f: Vec<T>,
    c: Vec<T>,
    partials: Vec<T>,
}

impl<T: Scalar> Default for Idrs<Identity, T> {
    fn default() -> Self {
        Self::new(Identity)
    }
}

impl<P, T: Scalar> Idrs<P, T> {
    /// IDR(4) with the preconditioner `precond`; [`Identity`] for none.
    pub fn new(precond: P) -> Self {
        Self { precond, s: DEFAULT_S, seed: 0, r: Vec::new(), space: Space::default() }
    }

    /// A shadow space of dimension `s`.
    #[must_use]
    pub fn with_s(mut self, s: usize) -> Self {
        self.s = s;
        self
    }

    /// The shadow space that `seed` draws.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The preconditioner.
    pub fn precond(&self) -> &P {
        &self.precond
    }

    /// The preconditioner, to refresh it for a new matrix.
    pub fn precond_mut(&mut self) -> &mut P {
        &mut self.precond
    }
}

impl<T: Scalar> Space<T> {
    /// Makes room, and draws the shadow space where size or seed are new.
    fn resize<A: LinearOperator<T> + ?Sized>(&mut self, a: &A, s: usize, seed: u64, with_precond: bool) {
        let n = a.nrows();
        self.s = s;
        for columns in [&mut self.g, &mut self.u] {
            resize(columns, n * s);
        }
        resize(&mut self.v, n);
        if with_precond {
            resize(&mut self.z, n);
        }
        resize(&mut self.m, s * s);
        resize(&mut self.f, s);
        resize(&mut self.c, 2 * s + 1);
        resize(&mut self.partials, kernels::multi_dot_workspace(n, s + 1));
        if self.shadow.len() != n * s || self.shadow_seed != Some(seed) {
            resize(&mut self.shadow, n * s);
            self.draw_shadow(a, n, seed);
        }
    }

    /// Random columns, orthonormal up to rounding: each is orthogonalised twice against those before it.
    fn draw_shadow<A: LinearOperator<T> + ?Sized>(&mut self, a: &A, n: usize, seed: u64) {
        fill_random(seed, &mut self.shadow);
        for k in 0..self.s {
            let (before, column) = self.shadow.split_at_mut(k * n);
            let column = &mut column[..n];
            for _ in 0..2 {
                let c = &mut self.c[..k];
                kernels::multi_dot(before, column, &mut self.partials, c);
                a.sum_over_ranks(c);
                c.iter_mut().for_each(|c| *c = -*c);
                kernels::multi_axpy(c, before, column);
            }
            let norm = fused_norm(a, kernels::norm2_sq(column), column);
            kernels::scale(T::of(1.0 / norm), column);
        }
        self.shadow_seed = Some(seed);
    }
}

impl<T: Scalar, A: LinearOperator<T> + ?Sized, P: LinearPreconditioner<T>> Solver<A, T> for Idrs<P, T> {
    fn name(&self) -> &'static str {
        "idrs"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square("idrs", a.nrows(), a.ncols())?;
        if self.s == 0 {
            return Err(SolveError::InvalidOption {
                name: "s",
                value: self.s.to_string(),
                expected: "at least 1, the dimension of the shadow space (default 4)",
            });
        }
        let Self { precond, s, seed, r, space } = self;
        let mut seed = *seed;
        let (s, with_precond) = ((*s).min(global_order(a)).max(1), !precond.is_identity());
        resize(r, a.nrows());
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            space.resize(a, s, seed, with_precond);
            let scale = control.normalise(r, r_norm);
            let end = cycle(a, precond, control, scale, x, r, space)?;
            if matches!(end, CycleEnd::Broken(_)) {
                seed = seed.wrapping_add(1);
            }
            Ok(end)
        })
    }
}

/// Solves the lower triangular system of `m` (s × s, column-major) from row `k` on, in place.
fn solve_lower<T: Scalar>(m: &[T], s: usize, k: usize, c: &mut [T]) {
    for j in k..s {
        c[j] /= m[j * s + j];
        for i in j + 1..s {
            let known = m[j * s + i] * c[j];
            c[i] -= known;
        }
    }
}

/// IDR(s) from the true residual, `scale` times r, until it claims convergence, breaks down or is stopped.
fn cycle<T: Scalar, A: LinearOperator<T> + ?Sized, P: LinearPreconditioner<T>>(
    a: &A,
    precond: &mut P,
    control: &mut Control<'_, T>,
    scale: T,
    x: &mut [T],
    r: &mut [T],
    space: &mut Space<T>,
) -> Result<CycleEnd, SolveError> {
    let s = space.s;
    for v in [&mut space.g, &mut space.u, &mut space.m] {
        v.fill(T::zero());
    }
    (0..s).for_each(|k| space.m[k * s + k] = T::one());
    let mut omega = T::one();
    let mut r_norm = fused_norm(a, kernels::norm2_sq(r), r);
    loop {
        kernels::multi_dot(&space.shadow, r, &mut space.partials, &mut space.f); // f ← Pᴴ r
        a.sum_over_ranks(&mut space.f);
        for k in 0..s {
            r_norm = match space.step(a, precond, control, k, omega, scale, x, r)? {
                Ok(r_norm) => r_norm,
                Err(end) => return Ok(end),
            };
            if let Some(end) = control.step(r_norm, Some(x)) {
                return Ok(end);
            }
        }
        // The residual enters the next space: r ← r − ω A M⁻¹ r.
        let z = preconditioned(precond, control, r, &mut space.z)?;
        a.apply(z, &mut space.v);
        control.operator_applies += 1;
        let (rt, t_sq) = kernels::dot_and_norm2_sq(r, &space.v);
        let mut sums = [rt.conjugate(), T::from_real(t_sq)];
        a.sum_over_ranks(&mut sums);
        let t_norm = norm_from_global_sq(a, sums[1], &space.v);
        if !t_norm.is_finite() {
            return Ok(CycleEnd::Broken(Breakdown::NonFinite));
        }
        omega = match stabilising_omega(sums[0], t_norm, r_norm) {
            Some(omega) => omega,
            None => return Ok(CycleEnd::Broken(Breakdown::ZeroDenominator)),
        };
        kernels::axpy(scale * omega, z, x);
        let r_sq = kernels::axpy_norm2_sq(-omega, &space.v, r);
        r_norm = fused_norm(a, r_sq, r);
        if let Some(end) = control.step(r_norm, Some(x)) {
            return Ok(end);
        }
    }
}

impl<T: Scalar> Space<T> {
    /// Step k within a space: a new direction uₖ and difference gₖ, and r ← r − β gₖ; returns ‖r‖.
    #[allow(clippy::too_many_arguments)]
    fn step<A: LinearOperator<T> + ?Sized, P: LinearPreconditioner<T>>(
        &mut self,
        a: &A,
        precond: &mut P,
        control: &mut Control<'_, T>,
        k: usize,
        omega: T,
        scale: T,
        x: &mut [T],
        r: &mut [T],
    ) -> Result<Result<f64, CycleEnd>, SolveError> {
        let Self { s, shadow, g, u, v, z, m, f, c, partials, .. } = self;
        let (s, n) = (*s, r.len());
        let (c, minus) = c.split_at_mut(s);
        c.copy_from_slice(f);
        solve_lower(m, s, k, c); // M c = f, rows and columns from k on
        minus.iter_mut().zip(&*c).for_each(|(minus, &c)| *minus = -c);
        kernels::copy(r, v);
        kernels::multi_axpy(&minus[k..s], &g[k * n..], v); // v ← r − G c
        let z = preconditioned(precond, control, v, z)?;
        // uₖ ← ω M⁻¹ v + U c, of which column k is a part
        let (u_before, u_rest) = u.split_at_mut(k * n);
        let (u_k, u_after) = u_rest.split_at_mut(n);
        kernels::axpby(omega, z, c[k], u_k);
        kernels::multi_axpy(&c[k + 1..], u_after, u_k);
        let (g_before, g_rest) = g.split_at_mut(k * n);
        let g_k = &mut g_rest[..n];
        a.apply(u_k, g_k);
        control.operator_applies += 1;
        // Against p₀ … pₖ₋₁, with g₀ … gₖ₋₁: coefficients from the leading k × k part of M.
        let alpha = &mut c[..k];
        kernels::multi_dot(&shadow[..k * n], g_k, partials, alpha);
        a.sum_over_ranks(alpha);
        for j in 0..k {
            alpha[j] /= m[j * s + j];
            for i in j + 1..k {
                let known = m[j * s + i] * alpha[j];
                alpha[i] -= known;
            }
        }
        alpha.iter_mut().for_each(|alpha| *alpha = -*alpha);
        kernels::multi_axpy(alpha, u_before, u_k);
        let column = &mut minus[k..=s]; // and ‖gₖ‖²
        kernels::multi_axpy_multi_dot(alpha, g_before, g_k, &shadow[k * n..], partials, column);
        a.sum_over_ranks(column);
        m[k * s + k..(k + 1) * s].copy_from_slice(&column[..s - k]); // column k of M ← Pᴴ gₖ
        let (pivot, g_norm) = (column[0], norm_from_global_sq(a, column[s - k], g_k));
        if !g_norm.is_finite() {
            return Ok(Err(CycleEnd::Broken(Breakdown::NonFinite)));
        }
        if pivot.modulus_f64() <= ROUNDING * T::epsilon_f64() * g_norm {
            return Ok(Err(CycleEnd::Broken(Breakdown::ZeroDenominator)));
        }
        let beta = f[k] / pivot;
        kernels::axpy(scale * beta, u_k, x);
        let r_sq = kernels::axpy_norm2_sq(-beta, g_k, r);
        f[k] = T::zero();
        f[k + 1..].iter_mut().zip(&column[1..s - k]).for_each(|(f, &m)| *f -= beta * m);
        Ok(Ok(fused_norm(a, r_sq, r)))
    }
}
