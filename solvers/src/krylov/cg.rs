//! Conjugate gradients.
//!
//! For A Hermitian positive definite and M likewise, from r = b − A x, z = M⁻¹ r, p = z:
//!
//! ```text
//! α = rᴴz / pᴴAp,  x ← x + α p,  r ← r − α A p,  z = M⁻¹ r,  β = (rᴴz)new / (rᴴz)old,  p ← z + β p
//! ```
//!
//! Hestenes and Stiefel (1952), J. Res. NBS 49(6), eqs. 3:1a-f; preconditioned form: Saad (2003),
//! *Iterative Methods for Sparse Linear Systems*, Algorithm 9.1. Here x ← x + αp waits until p is next
//! written, so that one pass does both.

use crate::control::{Control, CycleEnd, fused_norm, resize, run};
use crate::error::{SolveError, check_square};
use crate::precond::Identity;
use crate::{
    Breakdown, LinearOperator, LinearSystem, Monitor, Outcome, Solver, SpdPreconditioner, StopReason,
    StopRule, kernels,
};
use residua_data::Scalar;

/// Conjugate gradients for A x = b, A ∈ Tⁿˣⁿ Hermitian positive definite.
///
/// Minimises ‖x − x*‖_A over x₀ + K_k(M⁻¹A, M⁻¹r₀). For a preconditioner that changes between steps or is
/// not linear use flexible CG; for an indefinite A, MINRES.
///
/// **Cost** a step: 1 product with A, 1 application of M⁻¹, 2 reductions. Bytes, double precision, beside A
/// and M: 12 n vectors' worth is 8 · 10 n with no preconditioner, 8 · 12 n with Jacobi (fused), 8 · 15 n
/// otherwise.
/// **Storage**: 4n (3n with a diagonal M).
/// **Fails** with [`Breakdown::IndefiniteOperator`] if pᴴAp ≤ 0 is met, and with
/// [`Breakdown::IndefinitePreconditioner`] if rᴴz ≤ 0.
#[derive(Debug, Clone)]
pub struct Cg<P = Identity, T = f64> {
    precond: P,
    r: Vec<T>,
    z: Vec<T>,
    p: Vec<T>,
    q: Vec<T>,
}

impl<T: Scalar> Default for Cg<Identity, T> {
    fn default() -> Self {
        Self::new(Identity)
    }
}

impl<P, T: Scalar> Cg<P, T> {
    /// CG with the preconditioner `precond`; [`Identity`] for none.
    pub fn new(precond: P) -> Self {
        Self { precond, r: Vec::new(), z: Vec::new(), p: Vec::new(), q: Vec::new() }
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

impl<T: Scalar, A: LinearOperator<T> + ?Sized, P: SpdPreconditioner<T>> Solver<A, T> for Cg<P, T> {
    fn name(&self) -> &'static str {
        "cg"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square("cg", a.nrows(), a.ncols())?;
        let Self { precond, r, z, p, q } = self;
        for v in [&mut *r, p, q] {
            resize(v, a.nrows());
        }
        if precond.as_diagonal().is_none() && !precond.is_identity() {
            resize(z, a.nrows());
        }
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            let scale = control.normalise(r, r_norm);
            cycle(a, precond, control, scale, x, r, z, p, q)
        })
    }
}

/// CG from the true residual, `scale` times r, until it claims convergence, fails or is stopped.
#[allow(clippy::too_many_arguments)]
fn cycle<T: Scalar, A: LinearOperator<T> + ?Sized, P: SpdPreconditioner<T>>(
    a: &A,
    precond: &mut P,
    control: &mut Control<'_, T>,
    scale: T,
    x: &mut [T],
    r: &mut [T],
    z: &mut [T],
    p: &mut [T],
    q: &mut [T],
) -> Result<CycleEnd, SolveError> {
    let (mut step, mut beta) = (T::zero(), T::zero());
    let mut rho = [T::zero()];
    p.fill(T::zero());
    // ρ = rᴴz with z = M⁻¹ r, for the first step; later steps get it from the pass that updates r.
    if let Some(d) = precond.as_diagonal() {
        rho[0] = kernels::axpy_norms_diagonal(T::zero(), q, d, r).1;
    } else if precond.is_identity() {
        rho[0] = kernels::dot(r, r);
    } else {
        rho[0] = precond.apply_dot(r, z)?;
        control.preconditioner_applies += 1;
    }
    a.sum_over_ranks(&mut rho);
    loop {
        if !rho[0].is_finite() {
            kernels::axpy(step, p, x);
            return Ok(CycleEnd::Broken(Breakdown::NonFinite));
        }
        if rho[0].real_f64() <= 0.0 {
            kernels::axpy(step, p, x);
            return Ok(CycleEnd::Stop(StopReason::Failed(Breakdown::IndefinitePreconditioner)));
        }
        // x ← x + scale α p of the step before; p ← z + β p.
        if let Some(d) = precond.as_diagonal() {
            kernels::update_x_and_p_diagonal(step, d, r, beta, x, p);
        } else {
            kernels::update_x_and_p(step, if precond.is_identity() { r } else { z }, beta, x, p);
        }
        let curvature = a.apply_dot(p, q);
        control.operator_applies += 1;
        if !curvature.is_finite() {
            return Ok(CycleEnd::Broken(Breakdown::NonFinite));
        }
        if curvature.real_f64() <= 0.0 {
            return Ok(CycleEnd::Stop(StopReason::Failed(Breakdown::IndefiniteOperator)));
        }
        let alpha = rho[0] / curvature;
        step = scale * alpha;
        // r ← r − α q, with ‖r‖ and the next ρ from the same pass where M allows it.
        let mut next_rho = [T::zero()];
        let r_sq = if let Some(d) = precond.as_diagonal() {
            let (sq, rz) = kernels::axpy_norms_diagonal(-alpha, q, d, r);
            next_rho[0] = rz;
            sq
        } else {
            kernels::axpy_norm2_sq(-alpha, q, r)
        };
        let r_norm = fused_norm(a, r_sq, r);
        if let Some(end) = control.step(r_norm, None) {
            kernels::axpy(step, p, x);
            return Ok(end);
        }
        if precond.is_identity() {
            next_rho[0] = T::from_real(r_sq);
        } else if precond.as_diagonal().is_none() {
            next_rho[0] = precond.apply_dot(r, z)?;
            control.preconditioner_applies += 1;
        }
        a.sum_over_ranks(&mut next_rho);
        beta = next_rho[0] / rho[0];
        rho = next_rho;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::precond::Jacobi;
    use crate::{CsrMatrix, LinearSystem};

    fn laplacian(n: usize) -> CsrMatrix {
        let mut coo = residua_data::CooBuilder::new(n, n).unwrap();
        for i in 0..n {
            coo.push(i, i, 2.0 + (i % 7) as f64).unwrap();
            if i + 1 < n {
                coo.push(i, i + 1, -1.0).unwrap();
                coo.push(i + 1, i, -1.0).unwrap();
            }
        }
        coo.build().unwrap()
    }

    #[test]
    fn it_solves_and_is_reusable() {
        let a = laplacian(500);
        let exact: Vec<f64> = (0..500).map(|i| (i as f64).cos()).collect();
        let mut b = vec![0.0; 500];
        a.multiply(&exact, &mut b);
        let system = LinearSystem::new(&a, &b).unwrap();
        let mut cg = Cg::new(Jacobi::new(&a).unwrap());
        for _ in 0..2 {
            let mut x = vec![0.0; 500];
            let outcome = cg.solve(&system, &mut x, &StopRule::rtol(1e-12), &mut ()).unwrap();
            assert!(outcome.converged(), "{outcome:?}");
            assert!(x.iter().zip(&exact).all(|(x, e)| (x - e).abs() < 1e-9));
        }
    }
}
