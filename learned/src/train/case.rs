//! One problem of training, and what a cycle is worth on several.

use super::{STEPS, WORST};
use crate::coefficients::Coefficients;
use crate::{LearnedError, LearnedMultigrid};
use residua_data::poisson::{PoissonKind, PoissonProblem, uniform_rhs};
use residua_solvers::precond::multigrid::{GridProblem, StencilOperator};
use residua_solvers::{Cg, LinearSystem, Solver, StopRule};

pub(super) struct Case {
    problem: GridProblem,
    operator: StencilOperator,
    rhs: Vec<f64>,
}

impl Case {
    pub(super) fn of_kind(kind: PoissonKind, dim: usize, n: usize, seed: u64) -> Result<Self, LearnedError> {
        let refused =
            |e: residua_data::poisson::PoissonError| LearnedError::geometry(e.to_string(), "a problem");
        let (grid, medium) = PoissonProblem::new(kind, dim, n).with_seed(seed).medium().map_err(refused)?;
        Self::new(GridProblem::new(grid, &medium)?, dim, seed)
    }

    /// With a right-hand side drawn from `seed`, its means taken from regions that no boundary value reaches.
    pub(super) fn new(problem: GridProblem, dim: usize, seed: u64) -> Result<Self, LearnedError> {
        let operator = StencilOperator::from_grid(&problem)?;
        let mut rhs = uniform_rhs(problem.unknowns(), seed);
        LearnedMultigrid::new(&problem, &Coefficients::derived(dim))?.project(&mut rhs);
        Ok(Self { problem, operator, rhs })
    }

    /// Iterations, and the relative residual, under `stop`.
    pub(super) fn solve(
        &self,
        coefficients: &Coefficients,
        stop: &StopRule,
    ) -> Result<(usize, f64), LearnedError> {
        let precond = LearnedMultigrid::new(&self.problem, coefficients)?;
        let system = LinearSystem::new(&self.operator, &self.rhs)?;
        let mut x = vec![0.0; self.rhs.len()];
        let outcome = Cg::new(precond).solve(&system, &mut x, stop, &mut ())?;
        Ok((outcome.iterations, outcome.relative_residual))
    }
}

/// See the head of the module above.
pub(super) fn objective(cases: &[Case], coefficients: &Coefficients) -> Result<f64, LearnedError> {
    let stop = StopRule { rtol: 1e-14, max_iters: STEPS, ..StopRule::default() };
    let (mut sum, mut worst) = (0.0, f64::NEG_INFINITY);
    for case in cases {
        let (steps, residual) = case.solve(coefficients, &stop)?;
        let rate = residual.max(1e-16).log10() / steps.max(1) as f64;
        sum += rate;
        worst = worst.max(rate);
    }
    let loss = sum / cases.len().max(1) as f64 + WORST * worst;
    Ok(if loss.is_finite() { loss } else { f64::INFINITY })
}
