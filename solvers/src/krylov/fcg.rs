//! Flexible conjugate gradients, FCG(m).
//!
//! The preconditioner may be another map at every step and need not be linear: the new direction is made
//! A-orthogonal to the last m directions explicitly,
//!
//! ```text
//! z = M⁻¹ r,   p = z − Σᵢ (qᵢᴴz / pᵢᴴqᵢ) pᵢ,   q = A p,   α = pᴴr / pᴴq,   x ← x + α p,   r ← r − α q
//! ```
//!
//! Notay (2000), SIAM J. Sci. Comput. 22(4), section 2, in the truncated form; m = 1 is CG with the
//! coefficient of Polak and Ribière. m = 2 is the recurrence of deep conjugate direction methods (Kaneda et
//! al. 2023), which take z from a network. Since α minimises ‖x − x*‖_A along p, that norm never grows,
//! whatever M does.

use crate::control::{Control, CycleEnd, fused_norm, resize, run};
use crate::error::{SolveError, check_square};
use crate::precond::Identity;
use crate::{
    Breakdown, LinearOperator, LinearSystem, Monitor, Outcome, Preconditioner, Solver, StopReason, StopRule,
    kernels,
};
use residua_data::Scalar;

/// Default number of directions kept.
const DEFAULT_WINDOW: usize = 1;

/// Flexible conjugate gradients for A x = b, A ∈ Tⁿˣⁿ Hermitian positive definite, with any
/// [`Preconditioner`].
///
/// Use it where M is a network, an inner iteration, or slightly unsymmetric; with a fixed positive definite
/// M it takes the steps of [`Cg`](super::Cg), which costs less.
///
/// **Parameter** `window`, the number m of directions that a new one is made A-orthogonal to; default 1.
/// 0 is preconditioned steepest descent. Each costs 2n storage, and reading them once or twice a step.
/// **Cost** a step: 1 product with A, 1 application of M⁻¹, 4 sums over ranks; 8 n (3m + 11) bytes in double
/// precision beside A and M.
/// **Storage**: (2m + 4) n with m ≥ 1.
/// **Fails** with [`Breakdown::IndefiniteOperator`] if pᴴAp ≤ 0 is met, and with
/// [`Breakdown::ZeroDenominator`] if M gives nothing but kept directions.
#[derive(Debug, Clone)]
pub struct Fcg<P = Identity, T = f64> {
    precond: P,
    window: usize,
    r: Vec<T>,
    p: Vec<T>,
    q: Vec<T>,
    kept: Kept<T>,
}

/// The last directions p, their images q = A p and curvatures pᴴq, in a cyclic buffer of `window` columns.
#[derive(Debug, Clone, Default)]
struct Kept<T> {
    p: Vec<T>,
    q: Vec<T>,
    curvature: Vec<T>,
    coefficients: Vec<T>,
    partials: Vec<T>,
    steps: usize,
}

impl<T: Scalar> Default for Fcg<Identity, T> {
    fn default() -> Self {
        Self::new(Identity)
    }
}

impl<P, T: Scalar> Fcg<P, T> {
    /// FCG(1) with the preconditioner `precond`; [`Identity`] for none.
    pub fn new(precond: P) -> Self {
        let (r, p, q) = (Vec::new(), Vec::new(), Vec::new());
        Self { precond, window: DEFAULT_WINDOW, r, p, q, kept: Kept::default() }
    }

    /// Keeps `window` directions.
    #[must_use]
    pub fn with_window(mut self, window: usize) -> Self {
        self.window = window;
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

impl<T: Scalar> Kept<T> {
    fn resize(&mut self, n: usize, window: usize) {
        resize(&mut self.p, n * window);
        resize(&mut self.q, n * window);
        resize(&mut self.curvature, window);
        resize(&mut self.coefficients, window + 1);
        resize(&mut self.partials, kernels::multi_dot_workspace(n, window + 1));
        self.steps = 0;
    }

    /// p ← p − Σᵢ (qᵢᴴp / pᵢᴴqᵢ) pᵢ over the kept directions; returns pᴴr and ‖p‖² of the new p.
    fn orthogonalise<A: LinearOperator<T> + ?Sized>(&mut self, a: &A, r: &[T], p: &mut [T]) -> (T, T) {
        let (n, count) = (p.len(), self.steps.min(self.curvature.len()));
        let c = &mut self.coefficients[..count];
        if count > 0 {
            kernels::multi_dot(&self.q[..count * n], p, &mut self.partials, c);
            a.sum_over_ranks(c);
            c.iter_mut().zip(&self.curvature).for_each(|(c, &curvature)| *c = -*c / curvature);
        }
        kernels::multi_axpy(c, &self.p, p);
        let (rp, p_sq) = kernels::dot_and_norm2_sq(r, p);
        let mut sums = [rp.conjugate(), T::from_real(p_sq)];
        a.sum_over_ranks(&mut sums);
        (sums[0], sums[1])
    }

    /// Keeps p and q in the place of the oldest.
    fn push(&mut self, p: &[T], q: &[T], curvature: T) {
        let (n, window) = (p.len(), self.curvature.len());
        if window > 0 {
            let slot = self.steps % window;
            kernels::copy(p, &mut self.p[slot * n..(slot + 1) * n]);
            kernels::copy(q, &mut self.q[slot * n..(slot + 1) * n]);
            self.curvature[slot] = curvature;
            self.steps += 1;
        }
    }
}

impl<T: Scalar, A: LinearOperator<T> + ?Sized, P: Preconditioner<T>> Solver<A, T> for Fcg<P, T> {
    fn name(&self) -> &'static str {
        "fcg"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square("fcg", a.nrows(), a.ncols())?;
        let Self { precond, window, r, p, q, kept } = self;
        for v in [&mut *r, p, q] {
            resize(v, a.nrows());
        }
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            kept.resize(r.len(), *window);
            let scale = control.normalise(r, r_norm);
            cycle(a, precond, control, scale, x, r, p, q, kept)
        })
    }
}

/// FCG from the true residual, `scale` times r, until it claims convergence, fails or is stopped.
#[allow(clippy::too_many_arguments)]
fn cycle<T: Scalar, A: LinearOperator<T> + ?Sized, P: Preconditioner<T>>(
    a: &A,
    precond: &mut P,
    control: &mut Control<'_, T>,
    scale: T,
    x: &mut [T],
    r: &mut [T],
    p: &mut [T],
    q: &mut [T],
    kept: &mut Kept<T>,
) -> Result<CycleEnd, SolveError> {
    loop {
        precond.apply(r, p)?;
        control.preconditioner_applies += 1;
        let (pr, p_sq) = kept.orthogonalise(a, r, p);
        if !p_sq.is_finite() || !pr.is_finite() {
            return Ok(CycleEnd::Broken(Breakdown::NonFinite));
        }
        if p_sq == T::zero() {
            return Ok(CycleEnd::Broken(Breakdown::ZeroDenominator));
        }
        let curvature = a.apply_dot(p, q); // q ← A p
        control.operator_applies += 1;
        if !curvature.is_finite() {
            return Ok(CycleEnd::Broken(Breakdown::NonFinite));
        }
        if curvature.real_f64() <= 0.0 {
            return Ok(CycleEnd::Stop(StopReason::Failed(Breakdown::IndefiniteOperator)));
        }
        let alpha = pr / curvature;
        kernels::axpy(scale * alpha, p, x);
        let r_sq = kernels::axpy_norm2_sq(-alpha, q, r);
        let r_norm = fused_norm(a, r_sq, r);
        if let Some(end) = control.step(r_norm, Some(x)) {
            return Ok(end);
        }
        kept.push(p, q, curvature);
    }
}
