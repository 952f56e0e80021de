//! MINRES, preconditioned with a positive definite M.
//!
//! The Lanczos process on M⁻¹A builds vectors vₖ, orthonormal in the inner product of M, and uₖ = M vₖ, with
//! A V = U T, T tridiagonal; a plane rotation a step keeps T triangular, and x minimises ‖r‖ in the norm of
//! M⁻¹ (Paige and Saunders 1975, SIAM J. Numer. Anal. 12(4), section 6; the notation is that of their
//! program: α, β of Lanczos, c, s of the rotation, φ the new component of x in the direction w).
//!
//! The norm that is minimised is not the one to stop by. With M = I both are φ̄. Else the residual itself is
//! carried: since rₖ = φ̄ₖ qₖ with qₖ = sₖ qₖ₋₁ − cₖ uₖ₊₁,
//!
//! ```text
//! rₖ = sₖ² rₖ₋₁ − φ̄ₖ cₖ uₖ₊₁
//! ```
//!
//! which costs one pass.
//!
//! A consistent singular system needs nothing special. For an inconsistent one ‖A r‖ tends to zero while r
//! does not; with M = I, ‖A rₖ₋₁‖ = φ̄ₖ₋₁ (γ̄ₖ² + δₖ₊₁²)^½ (Choi, Paige and Saunders 2011, SIAM J. Sci. Comput.
//! 33(4), Lemma 3.3), with M in the norm of M⁻¹. Rounding keeps that estimate far above zero in a long Lanczos
//! process, and x grows without bound once it is as small as it gets. So the first time that it falls below
//! √ε ‖A‖ ‖r‖ the method starts afresh from the true residual. That is now a combination of eigenvectors
//! whose eigenvalues are tiny, or zero: in the first case the new cycle, whose first vector it is, reduces it
//! within a few steps; if it does not, r is a null vector.

use crate::control::{Control, CycleEnd, fused_norm, resize, run};
use crate::error::{SolveError, check_square};
use crate::precond::Identity;
use crate::{
    Breakdown, LinearOperator, LinearSystem, Monitor, Outcome, Solver, SpdPreconditioner, StopReason,
    StopRule, kernels,
};
use residua_data::Scalar;

/// ‖A r‖ ≤ this many roundings of ‖A‖ ‖r‖ means that r is a null vector of A.
const NULL_VECTOR: f64 = 100.0;

/// ‖A r‖ ≤ this many √ε ‖A‖ ‖r‖ makes r suspect of being a null vector. On inconsistent Neumann problems with
/// 10 to 10⁴ unknowns the estimate falls to between 10⁻¹³ and 2·10⁻⁸ before it rises again; on a consistent
/// system of condition 10⁹ it stayed above 10⁻⁵.
const SUSPICION: f64 = 5.0;

/// Steps that a cycle may take to show that its first residual is no null vector …
const EXAMINATION_STEPS: usize = 50;

/// … by leaving less than this share of it.
const EXAMINATION_PROGRESS: f64 = 0.9;

/// A Lanczos β below this many roundings of ‖A‖ is zero.
const ROUNDING: f64 = 10.0;

/// MINRES for A x = b, A ∈ Tⁿˣⁿ Hermitian: indefinite, or singular.
///
/// Minimises ‖b − A x‖ in the norm of M⁻¹ over x₀ + K_k(M⁻¹A, M⁻¹r₀). For a definite A, [`Cg`](super::Cg)
/// needs less storage; A must be Hermitian (it is not checked).
///
/// **Cost** a step: 1 product with A, 1 application of M⁻¹, 2 sums over ranks (3 with M); 8 n · 15 bytes in
/// double precision (8 n · 20 with M) beside A and M.
/// **Storage**: 7n.
/// **Fails** with [`Breakdown::SingularInconsistent`] if the residual has become a null vector of A: x is
/// then a least squares solution (in the norm of M⁻¹); with [`Breakdown::IndefinitePreconditioner`] if
/// rᴴM⁻¹r < 0.
#[derive(Debug, Clone)]
pub struct Minres<P = Identity, T = f64> {
    precond: P,
    r: Vec<T>,
    u_old: Vec<T>,
    u: Vec<T>,
    v: Vec<T>,
    q: Vec<T>,
    w_old: Vec<T>,
    w: Vec<T>,
}

impl<T: Scalar> Default for Minres<Identity, T> {
    fn default() -> Self {
        Self::new(Identity)
    }
}

impl<P, T: Scalar> Minres<P, T> {
    /// MINRES with the preconditioner `precond`; [`Identity`] for none.
    pub fn new(precond: P) -> Self {
        let [r, u_old, u, v, q, w_old, w] = std::array::from_fn(|_| Vec::new());
        Self { precond, r, u_old, u, v, q, w_old, w }
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

impl<T: Scalar, A: LinearOperator<T> + ?Sized, P: SpdPreconditioner<T>> Solver<A, T> for Minres<P, T> {
    fn name(&self) -> &'static str {
        "minres"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square("minres", a.nrows(), a.ncols())?;
        let Self { precond, r, u_old, u, v, q, w_old, w } = self;
        for vector in [&mut *r, u_old, u, v, q, w_old, w] {
            resize(vector, a.nrows());
        }
        let (mut suspicion, mut a_norm) = (Suspicion::None, 0.0);
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            let scale = control.normalise(r, r_norm);
            let vectors = Vectors { u_old, u, v, q, w_old, w };
            cycle(a, precond, control, scale, x, r, vectors, &mut suspicion, &mut a_norm)
        })
    }
}

/// The workspace of a cycle: the last two u, not normalised, v = M⁻¹u normalised, the last two w, and room
/// for A v and then M⁻¹u.
struct Vectors<'a, T> {
    u_old: &'a mut [T],
    u: &'a mut [T],
    v: &'a mut [T],
    q: &'a mut [T],
    w_old: &'a mut [T],
    w: &'a mut [T],
}

/// What is known of the residual being a null vector of A, over all cycles.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Suspicion {
    /// ‖A r‖ has not been small.
    None,
    /// ‖A r‖ was small: this cycle started from r to find out why.
    Examined,
    /// It was not a null vector.
    Refuted,
}

impl Suspicion {
    /// What ‖A r‖ = `a_r` ‖r‖ means for ‖A‖ = `a_norm`, after `steps` of a cycle that left the share `left`
    /// of the residual.
    fn end<T: Scalar>(&mut self, a_r: f64, a_norm: f64, steps: usize, left: f64) -> Option<CycleEnd> {
        const IS_NULL: CycleEnd = CycleEnd::Stop(StopReason::Failed(Breakdown::SingularInconsistent));
        if a_r <= NULL_VECTOR * T::epsilon_f64() * a_norm {
            return Some(IS_NULL);
        }
        match self {
            Self::None if a_r <= SUSPICION * T::epsilon_f64().sqrt() * a_norm => {
                *self = Self::Examined;
                return Some(CycleEnd::Restart);
            }
            Self::Examined if left < EXAMINATION_PROGRESS => *self = Self::Refuted,
            Self::Examined if steps >= EXAMINATION_STEPS => return Some(IS_NULL),
            _ => {}
        }
        None
    }
}

/// The rotations so far, as far as the next step needs them.
struct Rotation {
    c: f64,
    s: f64,
    delta_bar: f64,
    epsilon: f64,
    phi_bar: f64,
}

/// β = (uᴴ M⁻¹ u)^½, with M⁻¹ u left in q unless M = I; `u_sq` is the local ‖u‖².
fn lanczos_norm<T: Scalar, A: LinearOperator<T> + ?Sized, P: SpdPreconditioner<T>>(
    a: &A,
    precond: &mut P,
    control: &mut Control<'_, T>,
    u: &[T],
    u_sq: T::RealField,
    q: &mut [T],
) -> Result<Result<f64, CycleEnd>, SolveError> {
    if precond.is_identity() {
        return Ok(Ok(fused_norm(a, u_sq, u)));
    }
    precond.apply(u, q)?;
    control.preconditioner_applies += 1;
    let mut sq = [kernels::dot(u, q)];
    a.sum_over_ranks(&mut sq);
    let sq = sq[0].real_f64();
    Ok(if !sq.is_finite() {
        Err(CycleEnd::Broken(Breakdown::NonFinite))
    } else if sq < 0.0 {
        Err(CycleEnd::Stop(StopReason::Failed(Breakdown::IndefinitePreconditioner)))
    } else {
        Ok(sq.sqrt())
    })
}

#[allow(clippy::too_many_arguments)]
/// MINRES from the true residual, `scale` times r, until it claims convergence, fails or is stopped.
fn cycle<T: Scalar, A: LinearOperator<T> + ?Sized, P: SpdPreconditioner<T>>(
    a: &A,
    precond: &mut P,
    control: &mut Control<'_, T>,
    scale: T,
    x: &mut [T],
    r: &mut [T],
    Vectors { mut u_old, mut u, v, mut q, mut w_old, mut w }: Vectors<'_, T>,
    suspicion: &mut Suspicion,
    a_norm: &mut f64,
) -> Result<CycleEnd, SolveError> {
    let is_identity = precond.is_identity();
    for vector in [&mut *u_old, w_old, w] {
        vector.fill(T::zero());
    }
    kernels::copy(r, u);
    let mut beta = match lanczos_norm(a, precond, control, u, kernels::norm2_sq(u), q)? {
        Ok(beta) if beta > 0.0 || !beta.is_finite() => beta,
        Ok(_) => return Ok(CycleEnd::Stop(StopReason::Failed(Breakdown::IndefinitePreconditioner))),
        Err(end) => return Ok(end),
    };
    let mut rotation = Rotation { c: -1.0, s: 0.0, delta_bar: 0.0, epsilon: 0.0, phi_bar: beta };
    let (mut beta_old, first, mut steps) = (f64::INFINITY, beta, 0);
    loop {
        kernels::scaled_copy(T::of(1.0 / beta), if is_identity { u } else { q }, v); // v ← M⁻¹ u / β
        let alpha = a.apply_dot(v, q).real_f64(); // q ← A v
        control.operator_applies += 1;
        let (minus_old, minus) = (T::of(-beta / beta_old), T::of(-alpha / beta));
        let u_sq = kernels::axpy2_norm2_sq(minus_old, u_old, minus, u, q); // the next u
        (u_old, u, q) = (u, q, u_old);
        let mut beta_next = match lanczos_norm(a, precond, control, u, u_sq, q)? {
            Ok(beta_next) => beta_next,
            Err(end) => return Ok(end),
        };
        if !alpha.is_finite() || !beta_next.is_finite() {
            return Ok(CycleEnd::Broken(Breakdown::NonFinite));
        }
        let beta_before = if beta_old.is_finite() { beta } else { 0.0 };
        let column = alpha.hypot(beta_before).hypot(beta_next); // of T
        *a_norm = a_norm.max(column);
        if beta_next <= ROUNDING * T::epsilon_f64() * *a_norm {
            beta_next = 0.0;
        }
        let Rotation { c, s, delta_bar, epsilon, phi_bar } = rotation;
        let delta = c * delta_bar + s * alpha;
        let gamma_bar = s * delta_bar - c * alpha;
        let next_delta_bar = -c * beta_next;
        if let Some(end) =
            suspicion.end::<T>(gamma_bar.hypot(next_delta_bar), *a_norm, steps, phi_bar / first)
        {
            return Ok(end);
        }
        let gamma = gamma_bar.hypot(beta_next);
        let (c, next_s) = (gamma_bar / gamma, beta_next / gamma);
        let phi = c * phi_bar;
        let coefficients = (T::of(epsilon), T::of(delta), T::of(1.0 / gamma), scale * T::of(phi));
        kernels::update_minres_direction(coefficients, v, w, w_old, x); // w ← (v − ε w₋₂ − δ w₋₁) / γ
        (w_old, w) = (w, w_old);
        rotation = Rotation {
            c,
            s: next_s,
            delta_bar: next_delta_bar,
            epsilon: s * beta_next,
            phi_bar: next_s * phi_bar,
        };
        let r_norm = if is_identity || beta_next == 0.0 {
            rotation.phi_bar
        } else {
            let along_u = T::of(-rotation.phi_bar * c / beta_next);
            let r_sq = kernels::axpby_norm2_sq(along_u, u, T::of(next_s * next_s), r);
            fused_norm(a, r_sq, r)
        };
        if let Some(end) = control.step(r_norm, Some(x)) {
            return Ok(end);
        }
        if beta_next == 0.0 {
            return Ok(CycleEnd::Restart); // the Krylov space is exhausted
        }
        (beta_old, beta) = (beta, beta_next);
        steps += 1;
    }
}
