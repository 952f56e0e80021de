//! BiCGSTAB, preconditioned from the right.
//!
//! From r = b − A x, a fixed shadow vector r̂, p = r, ρ = r̂ᴴr:
//!
//! ```text
//! v = A M⁻¹ p,  α = ρ / r̂ᴴv,  s = r − α v,  t = A M⁻¹ s,  ω = tᴴs / tᴴt,
//! x ← x + α M⁻¹ p + ω M⁻¹ s,  r ← s − ω t,  β = (ρnew / ρ)(α / ω),  p ← r + β (p − ω v)
//! ```
//!
//! van der Vorst (1992), SIAM J. Sci. Stat. Comput. 13(2); Saad (2003), *Iterative Methods for Sparse
//! Linear Systems*, Algorithm 7.7.
//!
//! Differences: r̂ is r in the first cycle and a fixed random vector in those that follow a breakdown; where
//! s is nearly orthogonal to t, ω is enlarged ([`stabilising_omega`]).

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

/// A denominator below this many roundings of the product of its factors' norms has vanished.
const ROUNDING: f64 = 10.0;

/// Smallest cosine between t and s for which ω = tᴴs / tᴴt is taken as it is (Sleijpen and van der Vorst
/// 1995, Numer. Algorithms 10, "maintaining the convergence").
const MIN_COSINE: f64 = 0.7;

/// BiCGSTAB for A x = b, A ∈ Tⁿˣⁿ any square matrix.
///
/// Short recurrences: the storage does not grow, but nothing is minimised, and the residual may jump. Where
/// it stalls on eigenvalues near the imaginary axis use [`BicgstabL`](super::BicgstabL) or
/// [`Idrs`](super::Idrs).
///
/// **Cost** a step: 2 products with A, 2 applications of M⁻¹, 4 sums over ranks; 8 · 21 n bytes in double
/// precision beside A and M.
/// **Storage**: 7n (5n without a preconditioner).
/// **Fails** with [`Breakdown::ZeroDenominator`] if r̂ᴴr, r̂ᴴv or tᴴs vanishes and starting afresh from the
/// true residual with another r̂ does not help: certainly for real skew-symmetric A, where tᴴs = 0.
#[derive(Debug, Clone)]
pub struct Bicgstab<P = Identity, T = f64> {
    precond: P,
    r: Vec<T>,
    shadow: Vec<T>,
    p: Vec<T>,
    v: Vec<T>,
    t: Vec<T>,
    p_hat: Vec<T>,
    s_hat: Vec<T>,
}

impl<T: Scalar> Default for Bicgstab<Identity, T> {
    fn default() -> Self {
        Self::new(Identity)
    }
}

impl<P, T: Scalar> Bicgstab<P, T> {
    /// BiCGSTAB with the preconditioner `precond`; [`Identity`] for none.
    pub fn new(precond: P) -> Self {
        let [r, shadow, p, v, t, p_hat, s_hat] = std::array::from_fn(|_| Vec::new());
        Self { precond, r, shadow, p, v, t, p_hat, s_hat }
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

/// ω = tᴴs / tᴴt, which minimises ‖s − ω t‖, enlarged to 0.7 / cos(t, s) times that where the cosine is
/// below 0.7: a tiny ω spoils the next coefficients more than a larger residual does. `None` if t or the
/// cosine vanishes.
pub(super) fn stabilising_omega<T: Scalar>(ts: T, t_norm: f64, s_norm: f64) -> Option<T> {
    let cosine = ts.modulus_f64() / t_norm / s_norm;
    if !cosine.is_finite() || cosine <= ROUNDING * T::epsilon_f64() {
        return None;
    }
    let omega = ts / T::of(t_norm) / T::of(t_norm);
    Some(if cosine < MIN_COSINE { omega * T::of(MIN_COSINE / cosine) } else { omega })
}

/// M⁻¹ v: in `z`, or v itself where M = I.
pub(super) fn preconditioned<'a, T: Scalar, P: LinearPreconditioner<T>>(
    precond: &mut P,
    control: &mut Control<'_, T>,
    v: &'a [T],
    z: &'a mut [T],
) -> Result<&'a [T], SolveError> {
    if precond.is_identity() {
        return Ok(v);
    }
    precond.apply(v, z)?;
    control.preconditioner_applies += 1;
    Ok(z)
}

impl<T: Scalar, A: LinearOperator<T> + ?Sized, P: LinearPreconditioner<T>> Solver<A, T> for Bicgstab<P, T> {
    fn name(&self) -> &'static str {
        "bicgstab"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square("bicgstab", a.nrows(), a.ncols())?;
        let n = a.nrows();
        for v in [&mut self.r, &mut self.shadow, &mut self.p, &mut self.v, &mut self.t] {
            resize(v, n);
        }
        if !self.precond.is_identity() {
            resize(&mut self.p_hat, n);
            resize(&mut self.s_hat, n);
        }
        let Self { precond, r, shadow, p, v, t, p_hat, s_hat } = self;
        let mut breakdowns = 0;
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            let scale = control.normalise(r, r_norm);
            if breakdowns == 0 {
                kernels::copy(r, shadow);
            } else {
                fill_random(breakdowns, shadow);
            }
            let vectors = Vectors { shadow, p, v, t, p_hat, s_hat };
            let end = cycle(a, precond, control, scale, x, r, vectors)?;
            breakdowns += u64::from(matches!(end, CycleEnd::Broken(_)));
            Ok(end)
        })
    }
}

/// The workspace of a cycle.
struct Vectors<'a, T> {
    shadow: &'a [T],
    p: &'a mut [T],
    v: &'a mut [T],
    t: &'a mut [T],
    p_hat: &'a mut [T],
    s_hat: &'a mut [T],
}

/// BiCGSTAB from the true residual, `scale` times r, until it claims convergence, breaks down or is stopped.
fn cycle<T: Scalar, A: LinearOperator<T> + ?Sized, P: LinearPreconditioner<T>>(
    a: &A,
    precond: &mut P,
    control: &mut Control<'_, T>,
    scale: T,
    x: &mut [T],
    r: &mut [T],
    Vectors { shadow, p, v, t, p_hat, s_hat }: Vectors<'_, T>,
) -> Result<CycleEnd, SolveError> {
    const BROKEN: CycleEnd = CycleEnd::Broken(Breakdown::ZeroDenominator);
    let vanished = |value: T, norms: f64| value.modulus_f64() <= ROUNDING * T::epsilon_f64() * norms;
    let (shadow_r, r_sq) = kernels::dot_and_norm2_sq(shadow, r);
    let mut sums = [shadow_r, T::from_real(r_sq), T::from_real(kernels::norm2_sq(shadow))];
    a.sum_over_ranks(&mut sums);
    let (mut rho, mut r_norm) = (sums[0], sums[1].real_f64().sqrt());
    let shadow_norm = sums[2].real_f64().sqrt();
    kernels::copy(r, p);
    loop {
        if vanished(rho, shadow_norm * r_norm) {
            return Ok(BROKEN);
        }
        let p_hat = preconditioned(precond, control, p, p_hat)?;
        a.apply(p_hat, v); // v ← A M⁻¹ p
        control.operator_applies += 1;
        let (shadow_v, v_sq) = kernels::dot_and_norm2_sq(shadow, v);
        let mut sums = [shadow_v, T::from_real(v_sq)];
        a.sum_over_ranks(&mut sums);
        let v_norm = norm_from_global_sq(a, sums[1], v);
        if !v_norm.is_finite() || !rho.is_finite() {
            return Ok(CycleEnd::Broken(Breakdown::NonFinite));
        }
        if vanished(sums[0], shadow_norm * v_norm) {
            return Ok(BROKEN);
        }
        let alpha = rho / sums[0];
        let s_sq = kernels::axpy_norm2_sq(-alpha, v, r); // s = r − α v, in the place of r
        let s_norm = fused_norm(a, s_sq, r);
        if control.is_met_by(s_norm) {
            kernels::axpy(scale * alpha, p_hat, x);
            return Ok(control.step(s_norm, Some(x)).unwrap_or(CycleEnd::Claimed));
        }
        let s_hat = preconditioned(precond, control, r, s_hat)?;
        a.apply(s_hat, t); // t ← A M⁻¹ s
        control.operator_applies += 1;
        let (st, t_sq) = kernels::dot_and_norm2_sq(r, t);
        let mut sums = [st.conjugate(), T::from_real(t_sq)];
        a.sum_over_ranks(&mut sums);
        let t_norm = norm_from_global_sq(a, sums[1], t);
        if !t_norm.is_finite() {
            return Ok(CycleEnd::Broken(Breakdown::NonFinite));
        }
        let Some(omega) = stabilising_omega(sums[0], t_norm, s_norm) else {
            // Half a step is still a step: s is the residual of x + α M⁻¹ p.
            kernels::axpy(scale * alpha, p_hat, x);
            return Ok(control.step(s_norm, Some(x)).unwrap_or(BROKEN));
        };
        kernels::axpy2(scale * alpha, p_hat, scale * omega, s_hat, x);
        let (shadow_r, r_sq) = kernels::axpy_dot_norm2_sq(-omega, t, shadow, r); // r ← s − ω t
        let mut sums = [shadow_r, T::from_real(r_sq)];
        a.sum_over_ranks(&mut sums);
        r_norm = norm_from_global_sq(a, sums[1], r);
        if let Some(end) = control.step(r_norm, Some(x)) {
            return Ok(end);
        }
        let beta = (sums[0] / rho) * (alpha / omega);
        rho = sums[0];
        kernels::update_bicgstab_direction(r, beta, omega, v, p);
    }
}
