//! The solver: one workspace, one entry, one exit where every reported figure is recomputed.

use super::feasible::is_feasible;
use super::plan::check_potentials;
use super::reduced::Reduced;
use super::restore::restore;
use super::run::{Run, Work};
use super::sweep::{Ask, Pass, sweep};
use super::{
    Potentials, TransportError, TransportMethod, TransportMonitor, TransportOptions, TransportOutcome,
    TransportProblem, TransportStatus,
};
use std::time::Instant;

/// A solver that keeps its workspace between problems.
#[derive(Debug, Default)]
pub struct TransportSolver {
    work: Work,
}

/// Solves one problem; see [`TransportSolver::solve`].
///
/// # Errors
/// As [`TransportSolver::solve`].
pub fn solve(
    problem: &TransportProblem,
    options: &TransportOptions,
    start: Option<&Potentials>,
    monitor: &mut dyn TransportMonitor,
) -> Result<TransportOutcome, TransportError> {
    TransportSolver::new().solve(problem, options, start, monitor)
}

impl TransportSolver {
    /// A solver with an empty workspace.
    pub fn new() -> Self {
        Self::default()
    }

    /// Solves `problem`, from the potentials `start` if given (of any ε).
    ///
    /// # Errors
    /// For options out of range, an ε too small for double precision, a start that does not fit. A solve that does
    /// not converge is no error: see [`TransportOutcome::status`].
    pub fn solve(
        &mut self,
        problem: &TransportProblem,
        options: &TransportOptions,
        start: Option<&Potentials>,
        monitor: &mut dyn TransportMonitor,
    ) -> Result<TransportOutcome, TransportError> {
        let began = Instant::now();
        options.check()?;
        let epsilon = options.absolute_epsilon(problem.cost().max_abs())?;
        if let Some(start) = start {
            check_potentials(problem, start)?;
        }
        let reduced = Reduced::new(problem, options.method == TransportMethod::Auto);
        self.work.reset(&reduced, epsilon, start, problem);
        let feasible = !problem.cost().has_forbidden() || is_feasible(&reduced);
        let mut run = Run::new(&reduced, options, epsilon, problem.mass(), &mut self.work, monitor, began);
        let status = if feasible {
            run.solve(problem.cost().max_abs(), start.is_some())
        } else {
            TransportStatus::Infeasible
        };
        let mut outcome = run.finish(status);
        let work = &mut self.work;
        outcome.potentials = restore(problem, &reduced, epsilon, &work.u, &work.v);
        outcome.elapsed = began.elapsed();
        Ok(outcome)
    }

    /// Solves one problem for decreasing values of ε, each from the potentials of the one before.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_path(
        &mut self,
        problem: &TransportProblem,
        epsilons: &[super::Epsilon],
        options: &TransportOptions,
        monitor: &mut dyn TransportMonitor,
    ) -> Result<Vec<TransportOutcome>, TransportError> {
        let mut outcomes: Vec<TransportOutcome> = Vec::with_capacity(epsilons.len());
        for &epsilon in epsilons {
            let options = TransportOptions { epsilon, ..options.clone() };
            let start = outcomes.last().map(|o| &o.potentials);
            let outcome = self.solve(problem, &options, start, monitor)?;
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }
}

/// The sums of the plan of the workspace's potentials, recomputed: ⟨C, P⟩, Σ P and the L1 marginal error, for mass 1.
pub(super) fn evaluate(problem: &Reduced<'_>, inv_eps: f64, work: &mut Work) -> (f64, f64, f64) {
    sweep(problem, inv_eps, Pass::Evaluate, Ask::ALL, &mut work.u, &work.v, &mut work.sums);
    let distance = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).abs()).sum::<f64>();
    let error = distance(&work.sums.rows, &problem.a) + distance(&work.sums.cols, &problem.b);
    (work.sums.costs.iter().sum(), work.sums.rows.iter().sum(), error)
}
