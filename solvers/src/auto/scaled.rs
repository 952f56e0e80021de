//! Solving on an equilibrated copy, verified on the original.
//!
//! With R, C diagonal, A x = b is (R A C) y = R b, x = C y. The inner method sees the scaled system; the
//! outer loop recomputes b − A x on the matrix as given and solves again for the rest, so the tolerance
//! means what it says.

use crate::control::{CycleEnd, resize, run};
use crate::scaling::Equilibration;
use crate::{
    Breakdown, CsrMatrix, LinearSystem, Monitor, Outcome, Scalar, SolveError, Solver, StopReason, StopRule,
    kernels,
};

/// A solver for the equilibrated matrix, wrapped so that it solves the original.
pub struct Scaled<S, T = f64> {
    scaling: Equilibration,
    negated: bool,
    matrix: CsrMatrix<T>,
    inner: S,
    r: Vec<T>,
    rhs: Vec<T>,
    y: Vec<T>,
}

/// The inner solve reduces the scaled residual at most this far at once; the outer loop repeats it.
const MOST_REDUCTION: f64 = 1e-12;

impl<S, T: Scalar> Scaled<S, T> {
    /// Wraps `inner`, which was set up for `matrix` = R A C, or −R A C if `negated`.
    pub fn new(scaling: Equilibration, negated: bool, matrix: CsrMatrix<T>, inner: S) -> Self {
        Self { scaling, negated, matrix, inner, r: Vec::new(), rhs: Vec::new(), y: Vec::new() }
    }
}

impl<T: Scalar, S: Solver<CsrMatrix<T>, T>> Solver<CsrMatrix<T>, T> for Scaled<S, T> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, CsrMatrix<T>, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let Self { scaling, negated, matrix, inner, r, rhs, y } = self;
        resize(r, system.operator().nrows());
        resize(rhs, system.operator().nrows());
        resize(y, system.operator().ncols());
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            kernels::copy(r, rhs);
            scaling.scale_rhs(rhs)?;
            if *negated {
                kernels::scale(-T::one(), rhs);
            }
            y.fill(T::zero());
            let scaled = LinearSystem::new(&*matrix, rhs)?;
            let rtol = (0.1 * control.target() / r_norm).clamp(MOST_REDUCTION, 0.1);
            let outcome = control.nested(rtol, scaled.rhs_norm(), r_norm, |stop, monitor| {
                inner.solve(&scaled, y, stop, monitor)
            })?;
            scaling.unscale_solution(y)?;
            if y.iter().any(|v| !v.is_finite()) {
                return Ok(CycleEnd::Stop(StopReason::Failed(Breakdown::NonFinite)));
            }
            kernels::axpy(T::one(), y, x);
            Ok(match outcome.reason {
                StopReason::Converged(_) => CycleEnd::Claimed,
                StopReason::Failed(reason) => CycleEnd::Broken(reason),
                reason @ StopReason::Stopped(_) => CycleEnd::Stop(reason),
            })
        })
    }
}
