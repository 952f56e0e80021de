//! Matrix-free geometric multigrid for diffusion on a box of points: one cycle as a preconditioner, and solvers.
//!
//! ```text
//! x ← p(D⁻¹A) D⁻¹ r                    pre-smoothing from 0, ν steps
//! x ← x + P B_H Pᵀ (r − A x)           correction on the next level
//! x ← ν steps from x                   post-smoothing
//! ```
//!
//! The post-smoother is the adjoint of the pre-smoother in the energy product, restriction is Pᵀ, the coarsest level is
//! solved exactly and each smoother contracts; so the cycle B is symmetric positive definite whatever the coarse
//! matrices are (Bramble, Pasciak, Xu 1991, Math. Comp. 56). Trottenberg, Oosterlee, Schüller (2001), *Multigrid*.
//!
//! - **Levels** are of two kinds, chosen by the coefficients. *Cells*: pairs of points along each coarsened axis, for any
//!   size, with face coefficients from resistances in series; constant coefficients stay constant while sizes are even;
//!   transfers are flux-limited linear. *Vertices*: every second point, operator-dependent interpolation and Galerkin's
//!   matrices, where face coefficients differ by more than 8 or more than a quarter of the walls are one point thick.
//! - **Semi-coarsening** along strong axes.
//! - **Smoother**: by default ν = 2 Jacobi steps at the roots of the Chebyshev polynomial on [λ, 2], λ bounding the modes
//!   that the coarse grid lacks (1/d where all axes are alike).
//! - **One pass over memory** for each half of a level: a wavefront over slabs in rings that stay in cache; threads take
//!   chunks of slabs and the result does not depend on their number.
//!
//! # Cost
//! Bytes a cycle and finest unknown, constant coefficients, single precision inside: the pre-smoothing half reads r
//! (8) and writes x (4, and 4 to allocate the line), the other half reads r and x (12) and writes z (8, 8), norm of r
//! 8: 52, and 8/7 (3D) or 4/3 (2D) of 36 for the coarser levels together about 57 and 64. Face coefficients and weights
//! add to each half, on the finest level, 28 (2D: 20) with cells and 30 (21) with vertices; a point of a coarser level of
//! vertices has 60 (24) of couplings and 14 (9) of weights.
//!
//! Compiled for AVX2 (detected at run time; the same arithmetic, so the same bits) a cycle with constant coefficients in
//! cache takes 16 to 20% less time than without, one with face coefficients 5%, the stencil product 25% and 10%.
//!
//! Measured on two shared cores: 2.8·10⁸ points a second and cycle at 1024² and 2.5·10⁸ at 128³, which is 1.5 and 1.3 products
//! with the matrix in memory, or 4.5 and 3 with [`StencilOperator`].
//!
//! [`full_multigrid`](GeometricMultigrid::full_multigrid) with two corrections, −Δu = f, u a product of sines; the error
//! is that against u over the discretisation's own, the algebraic one that against the exact discrete solution over the
//! same:
//!
//! | | time | products, matrix in memory | products, stencil | error | algebraic |
//! |---|---|---|---|---|---|
//! | 1024² | 20 ms | 8 | 21 | 1.03 | 0.11 |
//! | 128³ | 39 ms | 6 | 14 | 1.21 | 0.21 |
//!
//! # What is supported
//! Iterations of CG to 1e-8, right-hand side random:
//!
//! | | levels | 2D | 3D |
//! |---|---|---|---|
//! | constant, Neumann, anisotropic along axes | cells | 7 to 8 | 8 to 9 |
//! | obstacles thicker than a point | cells | 12 | 11 |
//! | checkerboard of 4 blocks a side, 1e4, any size | vertices | 7 to 9 | 8 to 11 |
//! | checkerboard of small blocks off the coarse lines, 1e4 (1e6) | vertices | 11 to 26 (12 to 37) | 17 to 46 (23 to 73) |
//! | slits, combs, winding channels of 5 points and more | vertices | 7 to 19 | 7 |
//! | combs of channels of 2 points, mazes of 3 | vertices | 26 to 66 | 10 to 11 |
//! | random blocks of 5 points, 1e4 (1e-4) | vertices | 49 (17) | 31 (10) |
//! | the same with solid blocks among them | vertices | over 300 | 55 |
//! | 30% of the points solid | vertices | 45 to 81 | 14 |
//! | every point its own coefficient, 1 or 1e4 | vertices | 209 | 118 |
//!
//! The last five and small blocks are the weak points: a structure thinner than two coarse points has none of its own. [`Cycle::W`]
//! takes a third to a half off jumps. Regions that no boundary value reaches must be left out: with them A is
//! singular. Not supported: convection, cross derivatives, curved or refined grids; use
//! [`Amg`](crate::precond::Amg) or ILU(0) for those.

mod box_matrix;
mod choice;
mod coarsen;
mod coarsest;
mod fine;
mod full;
mod galerkin;
mod grid;
mod hierarchy;
mod interpolation;
mod io;
mod level;
mod operator;
mod ops;
mod options;
mod real;
mod residual;
mod ring;
mod solver;
mod stencil;
mod transfer;
mod vertex;
mod wavefront;

pub use fine::FineLevel;
pub use grid::{Coefficients, GridProblem};
pub use operator::StencilOperator;
pub use options::{Cycle, MultigridOptions, Precision, Smoother};
pub use solver::{Multigrid, PoissonMultigrid};

use crate::precond::{LinearPreconditioner, Preconditioner, SpdPreconditioner};
use crate::{LinearOperator, SolveError, kernels};
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
    /// r and z of full multigrid, empty before its first use.
    work: [Vec<f64>; 2],
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
            return invalid(
                "post_sweeps",
                options.post_sweeps,
                "as many as pre_sweeps, else the cycle is not symmetric",
            );
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
        Ok(Self { unknowns, null_space: problem.null_space, levels, projected, work: Default::default() })
    }

    /// Points along x, y, z of each level, the finest first.
    pub fn level_sizes(&self) -> &[[usize; 3]] {
        match &self.levels {
            Levels::Single(h) => h.sizes(),
            Levels::Double(h) => h.sizes(),
        }
    }
}

impl GeometricMultigrid {
    /// x ← an approximate solution of A x = b by full multigrid, followed by `cycles` corrections x ← x + B (b − A x) on
    /// the finest grid; `b` and `x` have length n. Two corrections reach the accuracy of the discretisation (an
    /// error at most 1.5 times its own) for a smooth solution and constant coefficients. `a` is the operator that this was built for, as a [`StencilOperator`] or a matrix.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`], [`SolveError::NonFinite`].
    pub fn full_multigrid<A: LinearOperator<f64> + ?Sized>(
        &mut self,
        a: &A,
        b: &[f64],
        cycles: usize,
        x: &mut [f64],
    ) -> Result<(), SolveError> {
        crate::error::check_len("rows of a", self.unknowns, a.nrows())?;
        crate::error::check_len("x", self.unknowns, x.len())?;
        crate::error::check_len("r", self.unknowns, b.len())?;
        let Some(scale) = scale_of(b)? else {
            x.fill(0.0);
            return Ok(());
        };
        let b_mean_free = self.project(b);
        let given = if self.null_space { &b_mean_free[..] } else { b };
        match &mut self.levels {
            Levels::Single(h) => h.full_start(given, scale, x),
            Levels::Double(h) => h.full_start(given, scale, x),
        }
        self.projected = b_mean_free;
        if self.null_space {
            subtract_mean(x);
        }
        if cycles == 0 {
            return Ok(());
        }
        let [mut r, mut z] = std::mem::take(&mut self.work);
        r.resize(x.len(), 0.0);
        z.resize(x.len(), 0.0);
        let mut outcome = Ok(());
        for _ in 0..cycles {
            a.residual(b, x, &mut r);
            outcome = self.apply(&r, &mut z);
            if outcome.is_err() {
                break;
            }
            kernels::axpy(1.0, &z, x);
        }
        self.work = [r, z];
        outcome
    }

    /// r less its mean where the constants are the null space, in the workspace for it.
    fn project(&mut self, r: &[f64]) -> Vec<f64> {
        let mut projected = std::mem::take(&mut self.projected);
        if self.null_space {
            projected.copy_from_slice(r);
            subtract_mean(&mut projected);
        }
        projected
    }
}

/// A power of two that brings ‖r‖ near 1, for cycles in single precision; none where r = 0.
///
/// # Errors
/// [`SolveError::NonFinite`] with the first entry that is not finite.
pub fn scale_of(r: &[f64]) -> Result<Option<f64>, SolveError> {
    let norm = kernels::norm2(r);
    if !norm.is_finite() {
        let index = r.iter().position(|v| !v.is_finite()).unwrap_or(0);
        return Err(SolveError::NonFinite { what: "r", index });
    }
    let exponent = norm.log2().floor().clamp(-1000.0, 1000.0) as i32;
    Ok((norm > 0.0).then(|| 2f64.powi(-exponent)))
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
        crate::error::check_len("z", self.unknowns, z.len())?;
        crate::error::check_len("r", self.unknowns, r.len())?;
        let Some(scale) = scale_of(r)? else {
            z.fill(0.0);
            return Ok(0.0);
        };
        let projected = self.project(r);
        let r = if self.null_space { &projected[..] } else { r };
        let dot = match &mut self.levels {
            Levels::Single(h) => h.apply(r, scale, z),
            Levels::Double(h) => h.apply(r, scale, z),
        };
        self.projected = projected;
        if self.null_space {
            subtract_mean(z);
        }
        Ok(dot / scale / scale)
    }
}
impl LinearPreconditioner<f64> for GeometricMultigrid {}
impl SpdPreconditioner<f64> for GeometricMultigrid {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
