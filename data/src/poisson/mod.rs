//! The Poisson family: −∇·(k ∇u) = f on the unit square or cube, and what makes it harder.
//!
//! The (2d + 1)-point stencil on n points per side, spacing h = 1/(n + 1), scaled by h². Boundary values
//! are eliminated, points are numbered with x fastest. Row i has diagonal Σ_f k_f over its faces f and
//! −k_f where face f leads to another unknown; a face on a Neumann side or on an obstacle has k_f = 0.
//!
//! | kind | k on a face | sides | matrix |
//! |---|---|---|---|
//! | `constant` | 1 | Dirichlet | symmetric positive definite |
//! | `anisotropic` | 1, but 1/contrast on the last axis (y in 2D, z in 3D) | Dirichlet | s.p.d. |
//! | `jump` | harmonic mean of the points' coefficients, 1 and contrast on a checkerboard of 4ᵈ blocks | Dirichlet | s.p.d. |
//! | `obstacles` | 1; 0 on random solid blobs, whose points are no unknowns | Dirichlet at x = 0 and 1, else Neumann | s.p.d. |
//! | `walls` | as `obstacles`, with straight walls one point thick and slits | as `obstacles` | s.p.d. |
//! | `maze` | as `obstacles`, with a maze of walls one point thick | as `obstacles` | s.p.d. |
//! | `neumann` | 1 | Neumann | semidefinite, A·1 = 0 |
//! | `convection` | ε = 1/contrast, plus h wᵢ on the upwind face for the wind w = (1, ½, ¼) | Dirichlet | nonsymmetric M-matrix |
//!
//! The stencils are the standard ones of Trottenberg, Oosterlee, Schüller (2001), *Multigrid*: anisotropy in
//! chapter 5, upwind convection and jumping coefficients in chapter 7.
//!
//! The right-hand side is uniform on (−1, 1) from a splitmix64 stream ([`uniform_rhs`]); for `neumann` its
//! mean is subtracted, so that the singular system is consistent.

mod assembly;
mod coefficients;
mod grid;
mod obstacles;
mod rhs;
mod spectrum;
mod walls;

pub use coefficients::Medium;
pub use grid::{Boundary, Grid};
pub use rhs::uniform_rhs;
pub use spectrum::{eigenvalues, eigenvector};

use crate::{CsrError, CsrMatrix};
use std::fmt;
use std::str::FromStr;

/// A member of the family; the module's head says what each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PoissonKind {
    /// k = 1, Dirichlet.
    Constant,
    /// Weak coupling along the last axis.
    Anisotropic,
    /// A checkerboard of two coefficients.
    Jump,
    /// Random solid bodies in the way.
    Obstacles,
    /// Thin walls and slits.
    Walls,
    /// A maze of thin walls.
    Maze,
    /// Pure Neumann: singular, consistent.
    Neumann,
    /// Upwind convection-diffusion: nonsymmetric.
    Convection,
}

impl PoissonKind {
    /// Every kind, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Constant,
        Self::Anisotropic,
        Self::Jump,
        Self::Obstacles,
        Self::Walls,
        Self::Maze,
        Self::Neumann,
        Self::Convection,
    ];

    /// The name as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Anisotropic => "anisotropic",
            Self::Jump => "jump",
            Self::Obstacles => "obstacles",
            Self::Walls => "walls",
            Self::Maze => "maze",
            Self::Neumann => "neumann",
            Self::Convection => "convection",
        }
    }

    /// The contrast where none is given; none for a kind that has no such parameter.
    ///
    /// `anisotropic`: 10³ (coefficient 10⁻³ on the last axis). `jump`: 10⁴. `convection`: 10³ (ε = 10⁻³).
    pub fn default_contrast(self) -> Option<f64> {
        match self {
            Self::Anisotropic | Self::Convection => Some(1e3),
            Self::Jump => Some(1e4),
            Self::Constant | Self::Obstacles | Self::Walls | Self::Maze | Self::Neumann => None,
        }
    }
}

impl fmt::Display for PoissonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for PoissonKind {
    type Err = PoissonError;
    fn from_str(name: &str) -> Result<Self, PoissonError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| PoissonError::UnknownKind { found: name.to_owned() })
    }
}

/// Why a problem cannot be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PoissonError {
    /// Not the name of a kind.
    #[error(
        "unknown problem \"{found}\": choose constant, anisotropic, jump, obstacles, walls, maze, neumann or convection"
    )]
    UnknownKind {
        /// What was given.
        found: String,
    },
    /// The dimension is neither 2 nor 3.
    #[error("dim = {found} is not supported: choose 2 or 3")]
    Dimension {
        /// What was given.
        found: usize,
    },
    /// No unknowns.
    #[error("n = 0: a grid needs at least one unknown per side")]
    EmptyGrid,
    /// More entries than 32-bit indices can address.
    #[error("n = {n} in {dim}D is too large for 32-bit indices: at most n = {max} is supported")]
    TooLarge {
        /// Dimension.
        dim: usize,
        /// Unknowns per side that were asked for.
        n: usize,
        /// The largest n.
        max: usize,
    },
    /// The contrast is not a number that makes sense.
    #[error("contrast = {found} is not usable: it must lie between {MIN_CONTRAST:e} and {MAX_CONTRAST:e}")]
    Contrast {
        /// What was given.
        found: f64,
    },
    /// A contrast for a kind without one.
    #[error(
        "contrast has no meaning for the {kind} problem: leave it out, or choose anisotropic, jump or convection"
    )]
    ContrastUnused {
        /// The kind.
        kind: PoissonKind,
    },
    /// The arrays do not form a matrix: an error of this module.
    #[error("the assembled matrix is invalid: {0}")]
    Assembly(#[from] CsrError),
}

/// Beyond these bounds one coefficient is lost in the rounding of the other.
const MIN_CONTRAST: f64 = 1e-15;
const MAX_CONTRAST: f64 = 1e15;

/// What to build: the parameters of one system of the family.
///
/// ```
/// use residua_data::poisson::{PoissonKind, PoissonProblem};
/// let system = PoissonProblem::new(PoissonKind::Jump, 2, 32).with_contrast(1e6).build()?;
/// assert_eq!((system.matrix.nrows(), system.rhs.len()), (1024, 1024));
/// assert!(system.matrix.is_symmetric());
/// # Ok::<(), residua_data::poisson::PoissonError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoissonProblem {
    /// Which member of the family.
    pub kind: PoissonKind,
    /// 2 or 3.
    pub dim: usize,
    /// Points per side.
    pub n: usize,
    /// Strength, in [10⁻¹⁵, 10¹⁵]; none: [`PoissonKind::default_contrast`].
    pub contrast: Option<f64>,
    /// Draws the right-hand side, and the obstacles. Default 0.
    pub seed: u64,
}

impl PoissonProblem {
    /// The problem with default contrast and seed 0.
    pub fn new(kind: PoissonKind, dim: usize, n: usize) -> Self {
        Self { kind, dim, n, contrast: None, seed: 0 }
    }

    /// The same problem with this contrast.
    #[must_use]
    pub fn with_contrast(self, contrast: f64) -> Self {
        Self { contrast: Some(contrast), ..self }
    }

    /// The same problem with this seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The grid and the coefficients, without assembling anything: what a matrix-free method needs.
    ///
    /// # Errors
    /// [`PoissonError`] names the parameter that is wrong and its range.
    pub fn medium(&self) -> Result<(Grid, Medium), PoissonError> {
        let grid = Grid::new(self.dim, self.n)?;
        Ok((grid, Medium::new(self.kind, grid, self.checked_contrast()?, self.seed)))
    }

    fn checked_contrast(&self) -> Result<f64, PoissonError> {
        match (self.contrast, self.kind.default_contrast()) {
            (Some(_), None) => Err(PoissonError::ContrastUnused { kind: self.kind }),
            (Some(found), _) if !(MIN_CONTRAST..=MAX_CONTRAST).contains(&found) => {
                Err(PoissonError::Contrast { found })
            }
            (given, default) => Ok(given.or(default).unwrap_or(1.0)),
        }
    }

    /// Assembles the matrix and the right-hand side, threaded; the result does not depend on the number of
    /// threads.
    ///
    /// # Errors
    /// [`PoissonError`] names the parameter that is wrong and its range.
    pub fn build(&self) -> Result<PoissonSystem, PoissonError> {
        let (grid, medium) = self.medium()?;
        let matrix = medium.assemble(grid)?;
        let mut rhs = uniform_rhs(matrix.nrows(), self.seed);
        let null_space = self.kind == PoissonKind::Neumann;
        if null_space {
            rhs::subtract_mean(&mut rhs);
        }
        Ok(PoissonSystem { problem: *self, grid, medium, matrix, rhs, null_space })
    }
}

/// An assembled system, with the grid that it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonSystem {
    /// What was built.
    pub problem: PoissonProblem,
    /// The grid of points; every point is an unknown unless [`Medium::unknown_of_point`] says otherwise.
    pub grid: Grid,
    /// The coefficients and boundary conditions.
    pub medium: Medium,
    /// A, scaled by h².
    pub matrix: CsrMatrix<f64>,
    /// b, one entry an unknown.
    pub rhs: Vec<f64>,
    /// Whether A is singular with the constants as its null space (then b has mean zero).
    pub null_space: bool,
}

impl PoissonSystem {
    /// One line for people, such as `jump 3D, n = 64, contrast 1e4: 262144 unknowns, 1810432 nonzeros,
    /// symmetric positive definite`.
    pub fn description(&self) -> String {
        let PoissonProblem { kind, dim, n, contrast, seed } = self.problem;
        let contrast = contrast
            .or(kind.default_contrast())
            .map_or_else(String::new, |contrast| format!(", contrast {contrast:e}"));
        let seed = if seed == 0 { String::new() } else { format!(", seed {seed}") };
        let nature = match kind {
            PoissonKind::Convection => "nonsymmetric",
            PoissonKind::Neumann => "symmetric positive semidefinite, null space of constants",
            _ => "symmetric positive definite",
        };
        format!(
            "{kind} {dim}D, n = {n}{contrast}{seed}: {} unknowns, {} nonzeros, {nature}",
            self.matrix.nrows(),
            self.matrix.nnz()
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
