//! Geometric multigrid.

mod coarsen;
mod coarsest;
mod grid;
mod hierarchy;
mod io;
mod ops;
mod options;
mod real;
mod ring;
mod transfer;
mod wavefront;

pub use grid::{Coefficients, GridProblem};
pub use options::{Cycle, MultigridOptions, Precision, Smoother};

use crate::precond::{LinearPreconditioner, Preconditioner, SpdPreconditioner};
use crate::{SolveError, kernels};
use hierarchy::Hierarchy;
use residua_data::poisson::PoissonSystem;

#[derive(Debug)]
enum Levels {
    Single(Hierarchy<f32>),
    Double(Hierarchy<f64>),
}

/// One multigrid cycle as a preconditioner, z ← B r ≈ A⁻¹ r.
#[derive(Debug)]
pub struct GeometricMultigrid {
    unknowns: usize,
    null_space: bool,
    levels: Levels,
    projected: Vec<f64>,
}

impl GeometricMultigrid {
    /// For a system of the Poisson family; its matrix is not read.
    ///
    /// # Errors
    /// As [`from_grid`](Self::from_grid), and for convection.
    pub fn new(system: &PoissonSystem, options: MultigridOptions) -> Result<Self, SolveError> {
        Self::from_grid(&GridProblem::of_system(system)?, options)
    }

    /// For any stencil on a box.
    ///
    /// # Errors
    /// [`SolveError::InvalidOption`], [`SolveError::DimensionMismatch`].
    pub fn from_grid(problem: &GridProblem, options: MultigridOptions) -> Result<Self, SolveError> {
        problem.check()?;
        let invalid = |name: &'static str, value: usize, expected: &'static str| {
            Err(SolveError::InvalidOption { name, value: value.to_string(), expected })
        };
        if !(1..=8).contains(&options.pre_sweeps) {
            return invalid("pre_sweeps", options.pre_sweeps, "it must lie in 1 to 8");
        }
        if options.post_sweeps != options.pre_sweeps {
            return invalid("post_sweeps", options.post_sweeps, "as many as pre_sweeps, else the cycle is not symmetric");
        }
        if !(1..=2048).contains(&options.coarsest_points) {
            return invalid("coarsest_points", options.coarsest_points, "it must lie in 1 to 2048");
        }
        let levels = match options.precision {
            Precision::Single => Levels::Single(Hierarchy::new(problem, &options)?),
            Precision::Double => Levels::Double(Hierarchy::new(problem, &options)?),
        };
        let unknowns = problem.unknowns();
        let projected = vec![0.0; if problem.null_space { unknowns } else { 0 }];
        Ok(Self { unknowns, null_space: problem.null_space, levels, projected })
    }

    /// Points along x, y, z of each level, the finest first.
    pub fn level_sizes(&self) -> &[[usize; 3]] {
        match &self.levels {
            Levels::Single(h) => h.sizes(),
            Levels::Double(h) => h.sizes(),
        }
    }
}

fn subtract_mean(v: &mut [f64]) {
    let sum = kernels::reduce(&*v, kernels::VECTOR_GRAIN, &|v: &[f64]| v.iter().sum::<f64>());
    let mean = sum / v.len() as f64;
    kernels::for_each_block(v, kernels::VECTOR_GRAIN, &|v: &mut [f64]| v.iter_mut().for_each(|v| *v -= mean));
}

impl Preconditioner<f64> for GeometricMultigrid {
    fn name(&self) -> &'static str {
        "mg"
    }

    fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        self.apply_dot(r, z).map(|_| ())
    }

    fn apply_dot(&mut self, r: &[f64], z: &mut [f64]) -> Result<f64, SolveError> {
        crate::error::check_len("r", self.unknowns, r.len())?;
        crate::error::check_len("z", self.unknowns, z.len())?;
        let norm = kernels::norm2(r);
        if !norm.is_finite() {
            let index = r.iter().position(|v| !v.is_finite()).unwrap_or(0);
            return Err(SolveError::NonFinite { what: "r", index });
        }
        if norm == 0.0 {
            z.fill(0.0);
            return Ok(0.0);
        }
        let exponent = norm.log2().floor().clamp(-1000.0, 1000.0) as i32;
        let scale = 2f64.powi(-exponent);
        let r = if self.null_space {
            self.projected.copy_from_slice(r);
            subtract_mean(&mut self.projected);
            &self.projected[..]
        } else {
            r
        };
        let dot = match &mut self.levels {
            Levels::Single(h) => h.apply(r, scale, z),
            Levels::Double(h) => h.apply(r, scale, z),
        };
        if self.null_space {
            subtract_mean(z);
        }
        Ok(dot / scale / scale)
    }
}
impl LinearPreconditioner<f64> for GeometricMultigrid {}
impl SpdPreconditioner<f64> for GeometricMultigrid {}
