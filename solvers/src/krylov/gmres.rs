//! GMRES(m), preconditioned from the right.
//!
//! In each cycle x ← x + M⁻¹ V y with the y that minimises ‖r − A M⁻¹ V y‖₂ over the Krylov space
//! K_m(A M⁻¹, r); the next cycle starts from the new true residual. Preconditioning from the right keeps
//! the norm that is minimised that of b − A x itself.
//!
//! Saad and Schultz (1986), SIAM J. Sci. Stat. Comput. 7(3); right-preconditioned form: Saad (2003),
//! *Iterative Methods for Sparse Linear Systems*, Algorithm 9.5.
//!
//! Differences: Gram-Schmidt is classical with selective repetition, see `arnoldi.rs`; a cycle ends at a column
//! of the Hessenberg matrix that depends on earlier ones to rounding.

use super::arnoldi::Arnoldi;
use crate::control::{resize, run};
use crate::error::{SolveError, check_square};
use crate::precond::Identity;
use crate::{
    LinearOperator, LinearPreconditioner, LinearSystem, Monitor, Outcome, Solver, StopRule, kernels,
};
use residua_data::Scalar;

/// Default number of steps between restarts.
pub(super) const DEFAULT_RESTART: usize = 50;

/// Restarted GMRES for A x = b, A ∈ Tⁿˣⁿ any square matrix.
///
/// The residual never grows, and without a restart it is the smallest in x₀ + K_k(A M⁻¹, r₀). Use it for
/// nonsymmetric or indefinite systems with a good preconditioner; for many steps without one, short
/// recurrences ([`Bicgstab`](super::Bicgstab), [`Idrs`](super::Idrs)) cost less. For a preconditioner that
/// changes between steps use [`Fgmres`](super::Fgmres).
///
/// **Parameter** `restart`, at least 1, default 50 (never more than n are used): longer cycles converge in
/// fewer steps and hang less often, but store and read that many vectors.
/// **Cost** of step k of a cycle: 1 product with A, 1 application of M⁻¹, 2 passes over k vectors (3 where
/// orthogonalisation is repeated), 2 (3) sums over ranks: 8 n (2k + 7) bytes in double precision.
/// **Storage**: (restart + 3) n; the iterate is formed at the end of a cycle only.
/// **Fails** with [`ZeroDenominator`](crate::Breakdown::ZeroDenominator) if the Krylov space is exhausted
/// before the residual is (A is singular on it), with [`Stagnation`](crate::Breakdown::Stagnation) if whole
/// cycles change nothing: raise `restart`.
#[derive(Debug, Clone)]
pub struct Gmres<P = Identity, T = f64> {
    precond: P,
    restart: usize,
    arnoldi: Arnoldi<T>,
    r: Vec<T>,
    z: Vec<T>,
}

impl<T: Scalar> Default for Gmres<Identity, T> {
    fn default() -> Self {
        Self::new(Identity)
    }
}

impl<P, T: Scalar> Gmres<P, T> {
    /// GMRES(50) with the preconditioner `precond`; [`Identity`] for none.
    pub fn new(precond: P) -> Self {
        Self { precond, restart: DEFAULT_RESTART, arnoldi: Arnoldi::new(), r: Vec::new(), z: Vec::new() }
    }

    /// Cycles of `restart` steps.
    #[must_use]
    pub fn with_restart(mut self, restart: usize) -> Self {
        self.restart = restart;
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

/// Refuses a restart of 0; never more steps than unknowns (over all ranks) are useful.
pub(super) fn effective_restart<T: Scalar, A: LinearOperator<T> + ?Sized>(
    a: &A,
    restart: usize,
) -> Result<usize, SolveError> {
    if restart == 0 {
        return Err(SolveError::InvalidOption {
            name: "restart",
            value: restart.to_string(),
            expected: "at least 1, the number of steps between restarts (default 50)",
        });
    }
    Ok(restart.min(global_order(a)).max(1))
}

/// The order of A over all ranks.
pub(super) fn global_order<T: Scalar, A: LinearOperator<T> + ?Sized>(a: &A) -> usize {
    let mut n = [T::of(a.nrows() as f64)];
    a.sum_over_ranks(&mut n);
    n[0].real_f64() as usize
}

impl<T: Scalar, A: LinearOperator<T> + ?Sized, P: LinearPreconditioner<T>> Solver<A, T> for Gmres<P, T> {
    fn name(&self) -> &'static str {
        "gmres"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square("gmres", a.nrows(), a.ncols())?;
        let n = a.nrows();
        self.arnoldi.resize(n, effective_restart(a, self.restart)?);
        let Self { precond, arnoldi, r, z, .. } = self;
        let is_identity = precond.is_identity();
        resize(r, n);
        if !is_identity {
            resize(z, n);
        }
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            let end = arnoldi.cycle(a, control, r, r_norm, |control, _, v, w| {
                control.operator_applies += 1;
                if is_identity {
                    a.apply(v, w);
                    return Ok(());
                }
                precond.apply(v, z)?; // w ← A M⁻¹ v
                control.preconditioner_applies += 1;
                a.apply(z, w);
                Ok(())
            })?;
            if is_identity {
                kernels::multi_axpy(arnoldi.y(), arnoldi.basis(), x);
            } else if !arnoldi.y().is_empty() {
                precond.apply(arnoldi.combine(), z)?; // x ← x + M⁻¹ V y
                control.preconditioner_applies += 1;
                kernels::axpy(T::one(), z, x);
            }
            Ok(end)
        })
    }
}
