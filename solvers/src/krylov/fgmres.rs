//! FGMRES(m): GMRES with a preconditioner that may be another one at every step.
//!
//! As GMRES, but zₖ = Mₖ⁻¹ vₖ is kept, so that A Z = V H̄ holds whatever Mₖ was, and x ← x + Z y.
//!
//! Saad (1993), SIAM J. Sci. Comput. 14(2), Algorithm 2.2.

use super::arnoldi::Arnoldi;
use super::gmres::{DEFAULT_RESTART, effective_restart};
use crate::control::{resize, run};
use crate::error::{SolveError, check_square};
use crate::precond::Identity;
use crate::{LinearOperator, LinearSystem, Monitor, Outcome, Preconditioner, Solver, StopRule, kernels};
use residua_data::Scalar;

/// Restarted flexible GMRES for A x = b, A ∈ Tⁿˣⁿ any square matrix, with any [`Preconditioner`]: a
/// network, or an inner iteration.
///
/// The residual never grows. With a fixed linear M it takes the steps of [`Gmres`](super::Gmres), which
/// needs half the storage.
///
/// **Parameter** `restart`, at least 1, default 50 (never more than n are used).
/// **Cost** of step k of a cycle: as GMRES; the end of a cycle needs no M⁻¹.
/// **Storage**: (2 restart + 2) n.
/// **Fails** as GMRES; a preconditioner that returns dependent directions makes it
/// [`ZeroDenominator`](crate::Breakdown::ZeroDenominator).
#[derive(Debug, Clone)]
pub struct Fgmres<P = Identity, T = f64> {
    precond: P,
    restart: usize,
    arnoldi: Arnoldi<T>,
    r: Vec<T>,
    directions: Vec<T>,
}

impl<T: Scalar> Default for Fgmres<Identity, T> {
    fn default() -> Self {
        Self::new(Identity)
    }
}

impl<P, T: Scalar> Fgmres<P, T> {
    /// FGMRES(50) with the preconditioner `precond`; [`Identity`] for none.
    pub fn new(precond: P) -> Self {
        let (r, directions) = (Vec::new(), Vec::new());
        Self { precond, restart: DEFAULT_RESTART, arnoldi: Arnoldi::new(), r, directions }
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

impl<T: Scalar, A: LinearOperator<T> + ?Sized, P: Preconditioner<T>> Solver<A, T> for Fgmres<P, T> {
    fn name(&self) -> &'static str {
        "fgmres"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square("fgmres", a.nrows(), a.ncols())?;
        let (n, restart) = (a.nrows(), effective_restart(a, self.restart)?);
        self.arnoldi.resize(n, restart);
        let Self { precond, arnoldi, r, directions, .. } = self;
        resize(r, n);
        resize(directions, restart * n);
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            let end = arnoldi.cycle(a, control, r, r_norm, |control, k, v, w| {
                let z = &mut directions[k * n..(k + 1) * n];
                precond.apply(v, z)?; // zₖ ← Mₖ⁻¹ vₖ
                control.preconditioner_applies += 1;
                a.apply(z, w);
                control.operator_applies += 1;
                Ok(())
            })?;
            kernels::multi_axpy(arnoldi.y(), directions, x); // x ← x + Z y
            Ok(end)
        })
    }
}
