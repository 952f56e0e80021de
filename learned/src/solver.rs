//! Flexible CG with a preconditioner that is not trusted.
//!
//! The exact line search of FCG keeps ‖x − x*‖_A from growing for any direction, so a bad model cannot do harm, only waste
//! time. Therefore: an application that fails, is not finite, or has zᵀr ≤ 1e-10 ‖z‖ ‖r‖ is replaced by Jacobi's; and
//! where the residual has lost less than a decade in 8 iterations, or three applications were replaced, the solve goes on
//! from the same x with algebraic multigrid.

use crate::LearnedError;
use residua_solvers::krylov::Fcg;
use residua_solvers::precond::{Amg, Jacobi};
use residua_solvers::{
    Cg, CsrMatrix, Limit, LinearOperator, LinearSystem, Monitor, Outcome, Preconditioner, Progress,
    SolveError, Solver, StopReason, StopRule, kernels,
};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Least zᵀr / (‖z‖ ‖r‖).
const LEAST_COSINE: f64 = 1e-10;

/// Replaced applications after which the model is given up.
const MOST_REPLACED: usize = 3;

/// Iterations in which the residual must lose a decade.
const WINDOW: usize = 8;

/// A preconditioner whose every application is looked at.
pub struct Guarded {
    inner: Box<dyn Preconditioner<f64>>,
    jacobi: Jacobi<f64>,
    replaced: Arc<AtomicUsize>,
}

impl Guarded {
    /// `inner`, with Jacobi's for `a` in its place where it fails.
    ///
    /// # Errors
    /// [`SolveError::ZeroDiagonal`].
    pub fn new(inner: Box<dyn Preconditioner<f64>>, a: &CsrMatrix<f64>) -> Result<Self, SolveError> {
        Ok(Self { inner, jacobi: Jacobi::new(a)?, replaced: Arc::default() })
    }
}

impl Preconditioner<f64> for Guarded {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        // The cycle of the learned multigrid has rᵀz from its last pass.
        let is_sound = self.inner.apply_dot(r, z).is_ok_and(|zr| {
            let z_norm = kernels::norm2(z);
            z_norm.is_finite()
                && zr.is_finite()
                && (zr > LEAST_COSINE * z_norm * kernels::norm2(r) || z_norm == 0.0)
        });
        if !is_sound {
            self.replaced.fetch_add(1, Ordering::Relaxed);
            self.jacobi.apply(r, z)?;
        }
        Ok(())
    }
}

/// Stops a solve that is too slow, or whose preconditioner failed too often.
struct Rate<'a> {
    monitor: &'a mut dyn Monitor<f64>,
    replaced: Arc<AtomicUsize>,
    last: [f64; WINDOW],
    gave_up: bool,
}

impl Monitor<f64> for Rate<'_> {
    fn observe(&mut self, progress: &Progress<'_, f64>) -> ControlFlow<()> {
        self.monitor.observe(progress)?;
        let slot = &mut self.last[progress.iteration % WINDOW];
        let before = std::mem::replace(slot, progress.residual_norm);
        let is_slow = progress.iteration >= WINDOW && progress.residual_norm > 0.1 * before;
        let is_bad = self.replaced.load(Ordering::Relaxed) >= MOST_REPLACED;
        if (is_slow || is_bad) && progress.residual_norm > progress.target {
            self.gave_up = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// FCG(m) with a guarded preconditioner, and CG with algebraic multigrid where that does not serve.
pub struct SafeFcg {
    fcg: Fcg<Guarded>,
}

/// How a solve went.
#[derive(Debug, Clone)]
pub struct SafeOutcome {
    /// The end, with all iterations.
    pub outcome: Outcome,
    /// What was given up, and why; none where the model served to the end.
    pub fallback: Option<String>,
}

impl SafeFcg {
    /// FCG(`window`) with `precond` for `a`; 1 suits a linear preconditioner, 2 is the loop of DCDM.
    ///
    /// # Errors
    /// As [`Guarded::new`].
    pub fn new(
        precond: Box<dyn Preconditioner<f64>>,
        a: &CsrMatrix<f64>,
        window: usize,
    ) -> Result<Self, LearnedError> {
        Ok(Self { fcg: Fcg::new(Guarded::new(precond, a)?).with_window(window) })
    }

    /// Solves A x = b from the guess in `x`.
    ///
    /// # Errors
    /// What the solvers refuse.
    pub fn solve(
        &mut self,
        a: &CsrMatrix<f64>,
        b: &[f64],
        x: &mut [f64],
        stop: &StopRule,
        monitor: &mut dyn Monitor<f64>,
    ) -> Result<SafeOutcome, LearnedError> {
        self.solve_by(a, a, b, x, stop, monitor)
    }

    /// The same with `operator` for the products with A, a matrix-free stencil for one; `a`, the same matrix assembled, is
    /// read only where algebraic multigrid has to take over.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_by<A: LinearOperator<f64> + ?Sized>(
        &mut self,
        operator: &A,
        a: &CsrMatrix<f64>,
        b: &[f64],
        x: &mut [f64],
        stop: &StopRule,
        monitor: &mut dyn Monitor<f64>,
    ) -> Result<SafeOutcome, LearnedError> {
        let system = LinearSystem::new(operator, b)?;
        let replaced = Arc::clone(&self.fcg.precond().replaced);
        replaced.store(0, Ordering::Relaxed);
        let mut rate =
            Rate { monitor, replaced: Arc::clone(&replaced), last: [f64::INFINITY; WINDOW], gave_up: false };
        let first = self.fcg.solve(&system, x, stop, &mut rate)?;
        let has_failed = matches!(first.reason, StopReason::Failed(_));
        let is_limit = matches!(first.reason, StopReason::Stopped(Limit::MaxIterations | Limit::TimeLimit));
        if first.converged() || is_limit || !(rate.gave_up || has_failed) {
            return Ok(SafeOutcome { outcome: first, fallback: None });
        }
        if x.iter().any(|x| !x.is_finite()) {
            x.fill(0.0);
        }
        let why = match replaced.load(Ordering::Relaxed) {
            0 => "the residual lost less than a decade in 8 iterations".to_owned(),
            n => format!("{n} of its applications were not usable"),
        };
        let rest = StopRule {
            max_iters: stop.max_iters.saturating_sub(first.iterations),
            time_limit: stop.time_limit.map(|limit| limit.saturating_sub(first.elapsed)),
            ..*stop
        };
        let mut outcome =
            Cg::new(Amg::new(a)?).solve(&LinearSystem::new(a, b)?, x, &rest, &mut *rate.monitor)?;
        let fallback = format!(
            "the learned preconditioner was given up after {} iterations ({why}); cg with amg went on from there",
            first.iterations
        );
        outcome.iterations += first.iterations;
        outcome.operator_applies += first.operator_applies;
        outcome.preconditioner_applies += first.preconditioner_applies;
        outcome.elapsed += first.elapsed;
        Ok(SafeOutcome { outcome, fallback: Some(fallback) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Coefficients, LearnedMultigrid};
    use residua_data::poisson::{PoissonKind, PoissonProblem};
    use residua_solvers::precond::multigrid::{GridProblem, StencilOperator};

    /// What a network may do.
    struct Bad(u8);

    impl Preconditioner<f64> for Bad {
        fn name(&self) -> &'static str {
            "bad"
        }
        fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
            match self.0 {
                0 => z.fill(f64::NAN),
                1 => z.iter_mut().zip(r).for_each(|(z, r)| *z = -r),
                2 => return Err(SolveError::ApplyFailed { what: "network", reason: "broken".to_owned() }),
                3 => z.iter_mut().enumerate().for_each(|(i, z)| *z = ((i * 7919) % 101) as f64 - 50.0),
                _ => z.iter_mut().zip(r).for_each(|(z, r)| *z = 1e-3 * r.abs().sqrt() * r.signum()),
            }
            Ok(())
        }
    }

    #[test]
    fn no_model_however_bad_keeps_the_answer_away() {
        let system = PoissonProblem::new(PoissonKind::Obstacles, 2, 40).build().unwrap();
        for bad in 0..5 {
            let mut solver = SafeFcg::new(Box::new(Bad(bad)), &system.matrix, 2).unwrap();
            let mut x = vec![0.0; system.rhs.len()];
            let stop = StopRule::rtol(1e-8);
            let end = solver.solve(&system.matrix, &system.rhs, &mut x, &stop, &mut ()).unwrap();
            assert!(end.outcome.converged() && end.fallback.is_some(), "{bad}: {end:?}");
        }
    }

    /// With the stencil in the place of the matrix, through the change of methods as well.
    #[test]
    fn the_operator_may_be_matrix_free() {
        let system = PoissonProblem::new(PoissonKind::Obstacles, 2, 40).build().unwrap();
        let problem = GridProblem::of_system(&system).unwrap();
        let stencil = StencilOperator::from_grid(&problem).unwrap();
        let stop = StopRule::rtol(1e-8);
        let m = LearnedMultigrid::new(&problem, &Coefficients::derived(2)).unwrap();
        let all: [Box<dyn Preconditioner<f64>>; 2] = [Box::new(m), Box::new(Bad(0))];
        for (precond, falls_back) in all.into_iter().zip([false, true]) {
            let mut solver = SafeFcg::new(precond, &system.matrix, 1).unwrap();
            let mut x = vec![0.0; system.rhs.len()];
            let end = solver.solve_by(&stencil, &system.matrix, &system.rhs, &mut x, &stop, &mut ()).unwrap();
            assert!(end.outcome.converged() && end.fallback.is_some() == falls_back, "{end:?}");
            let mut r = vec![0.0; x.len()];
            LinearSystem::new(&system.matrix, &system.rhs).unwrap().residual(&x, &mut r);
            assert!(kernels::norm2(&r) <= 1.01e-8 * kernels::norm2(&system.rhs));
        }
    }

    #[test]
    fn a_good_one_serves_to_the_end() {
        let system = PoissonProblem::new(PoissonKind::Walls, 2, 60).build().unwrap();
        let problem = GridProblem::of_system(&system).unwrap();
        let m = LearnedMultigrid::new(&problem, &Coefficients::derived(2)).unwrap();
        let mut solver = SafeFcg::new(Box::new(m), &system.matrix, 1).unwrap();
        for _ in 0..2 {
            let mut x = vec![0.0; system.rhs.len()];
            let stop = StopRule::rtol(1e-8);
            let end = solver.solve(&system.matrix, &system.rhs, &mut x, &stop, &mut ()).unwrap();
            assert!(end.outcome.converged() && end.fallback.is_none(), "{end:?}");
            assert!(end.outcome.iterations < 25, "{end:?}");
        }
    }
}
