//! Multigrid as a solver: x ← x + B (b − A x), and CG with B on the operator without a matrix.

use super::grid::GridProblem;
use super::{GeometricMultigrid, MultigridOptions, StencilOperator};
use crate::control::{CycleEnd, run};
use crate::precond::Preconditioner;
use crate::{Cg, LinearOperator, LinearSystem, Monitor, Outcome, SolveError, Solver, StopRule, kernels};
use residua_data::poisson::{Grid, Medium, PoissonSystem};

/// The stationary iteration x ← x + B (b − A x), B one cycle.
///
/// Started from x = 0 it can begin by full multigrid. CG with the same cycle ([`PoissonMultigrid`]) needs fewer
/// iterations, and bears contrasts that this iteration does not.
///
/// **Cost** an iteration: 1 product with A, 1 cycle. **Storage**: 2n beside the cycle's.
#[derive(Debug)]
pub struct Multigrid {
    precond: GeometricMultigrid,
    full_start: bool,
    r: Vec<f64>,
    z: Vec<f64>,
}

impl Multigrid {
    /// The iteration with the cycle `precond`.
    pub fn new(precond: GeometricMultigrid) -> Self {
        Self { precond, full_start: false, r: Vec::new(), z: Vec::new() }
    }

    /// The same with a start by full multigrid wherever the initial guess is 0.
    #[must_use]
    pub fn with_full_start(self) -> Self {
        Self { full_start: true, ..self }
    }

    /// The cycle.
    pub fn precond(&self) -> &GeometricMultigrid {
        &self.precond
    }
}

impl<A: LinearOperator<f64> + ?Sized> Solver<A, f64> for Multigrid {
    fn name(&self) -> &'static str {
        "mg"
    }

    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, f64>,
        x: &mut [f64],
        stop: &StopRule,
        monitor: &mut dyn Monitor<f64>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        crate::error::check_square("mg", a.nrows(), a.ncols())?;
        let Self { precond, full_start, r, z } = self;
        for v in [&mut *r, z] {
            v.resize(a.nrows(), 0.0);
        }
        if *full_start && x.len() == a.nrows() && x.iter().all(|&x| x == 0.0) {
            precond.full_multigrid(a, system.rhs(), 0, x)?;
        }
        run(system, x, r, stop, monitor, |control, x, r, _| {
            loop {
                precond.apply(r, z)?;
                control.preconditioner_applies += 1;
                kernels::axpy(1.0, z, x);
                system.residual(x, r);
                control.operator_applies += 1;
                if let Some(end) = control.step(kernels::norm2(r), Some(x)) {
                    return Ok::<CycleEnd, SolveError>(end);
                }
            }
        })
    }
}

/// CG preconditioned by one cycle, with no matrix anywhere: the fastest way to solve a system of the Poisson family.
#[derive(Debug)]
pub struct PoissonMultigrid {
    operator: StencilOperator,
    cg: Cg<GeometricMultigrid>,
}

impl PoissonMultigrid {
    /// Set-up for an assembled system, whose matrix is not read.
    ///
    /// # Errors
    /// As [`GeometricMultigrid::new`].
    pub fn new(system: &PoissonSystem, options: MultigridOptions) -> Result<Self, SolveError> {
        Self::from_grid(&GridProblem::of_system(system)?, options)
    }

    /// Set-up from grid and medium, as `PoissonProblem::medium` gives them without assembling.
    ///
    /// # Errors
    /// As [`GeometricMultigrid::new`].
    pub fn from_medium(grid: Grid, medium: &Medium, options: MultigridOptions) -> Result<Self, SolveError> {
        Self::from_grid(&GridProblem::new(grid, medium)?, options)
    }

    /// Set-up for any stencil on a box.
    ///
    /// # Errors
    /// As [`GeometricMultigrid::from_grid`].
    pub fn from_grid(problem: &GridProblem, options: MultigridOptions) -> Result<Self, SolveError> {
        let (operator, precond) = rayon::join(
            || StencilOperator::from_grid(problem),
            || GeometricMultigrid::from_grid(problem, options),
        );
        Ok(Self { operator: operator?, cg: Cg::new(precond?) })
    }

    /// A.
    pub fn operator(&self) -> &StencilOperator {
        &self.operator
    }

    /// The cycle.
    pub fn precond(&self) -> &GeometricMultigrid {
        self.cg.precond()
    }

    /// Solves A x = b from the initial guess in `x`; both have one entry an unknown.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`], [`SolveError::NonFinite`].
    pub fn solve(
        &mut self,
        b: &[f64],
        x: &mut [f64],
        stop: &StopRule,
        monitor: &mut dyn Monitor<f64>,
    ) -> Result<Outcome, SolveError> {
        let system = LinearSystem::new(&self.operator, b)?;
        self.cg.solve(&system, x, stop, monitor)
    }
}
