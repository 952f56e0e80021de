//! The coefficient of each face of a point, for each kind.

use super::assembly::{FACES, assemble};
use super::grid::{Boundary, Grid};
use super::{PoissonError, PoissonKind, obstacles, walls};
use crate::CsrMatrix;

/// Blocks of the checkerboard along each axis.
const BLOCKS: usize = 4;

/// The wind of the convection problem.
const WIND: [f64; 3] = [1.0, 0.5, 0.25];

/// What fills the domain: the coefficients, and what holds on its sides.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Medium {
    /// One coefficient per axis, the same on all sides.
    Axes {
        /// k along x, y, z.
        k: [f64; 3],
        /// What holds on every side.
        sides: Boundary,
    },
    /// Coefficient 1 or `contrast` on a checkerboard of 4ᵈ blocks, harmonic means on faces, Dirichlet. At an
    /// outer side the face has the coefficient of its point.
    Checkerboard {
        /// The coefficient of the odd blocks.
        contrast: f64,
    },
    /// Coefficient 1 with solid points left out; Dirichlet at x = 0 and x = 1, no flux elsewhere.
    Obstacles {
        /// For each point its unknown, counted from 0, or `u32::MAX` in a solid.
        unknown_of_point: Vec<u32>,
    },
    /// −ε Δu + w·∇u, first-order upwind, Dirichlet.
    Convection {
        /// ε.
        epsilon: f64,
        /// w, constant; the components are not negative.
        wind: [f64; 3],
    },
}

impl Medium {
    pub(super) fn new(kind: PoissonKind, grid: Grid, contrast: f64, seed: u64) -> Self {
        match kind {
            PoissonKind::Constant => Self::Axes { k: [1.0; 3], sides: Boundary::Dirichlet },
            PoissonKind::Neumann => Self::Axes { k: [1.0; 3], sides: Boundary::Neumann },
            PoissonKind::Anisotropic => {
                let mut k = [1.0; 3];
                k[grid.dim() - 1] = 1.0 / contrast;
                Self::Axes { k, sides: Boundary::Dirichlet }
            }
            PoissonKind::Jump => Self::Checkerboard { contrast },
            PoissonKind::Obstacles => {
                Self::Obstacles { unknown_of_point: obstacles::unknown_of_point(grid, seed) }
            }
            PoissonKind::Walls => Self::Obstacles { unknown_of_point: walls::walls(grid, seed) },
            PoissonKind::Maze => Self::Obstacles { unknown_of_point: walls::maze(grid, seed) },
            PoissonKind::Convection => Self::Convection { epsilon: 1.0 / contrast, wind: WIND },
        }
    }

    /// For each point of the grid its unknown, `u32::MAX` in a solid; none where every point is one.
    pub fn unknown_of_point(&self) -> Option<&[u32]> {
        match self {
            Self::Obstacles { unknown_of_point } => Some(unknown_of_point),
            _ => None,
        }
    }

    /// What holds on the low and the high side of each axis.
    pub fn sides(&self) -> [[Boundary; 2]; 3] {
        match self {
            Self::Axes { sides, .. } => [[*sides; 2]; 3],
            Self::Obstacles { .. } => {
                [[Boundary::Dirichlet; 2], [Boundary::Neumann; 2], [Boundary::Neumann; 2]]
            }
            Self::Checkerboard { .. } | Self::Convection { .. } => [[Boundary::Dirichlet; 2]; 3],
        }
    }

    /// The diffusion coefficient at a point; of the last axis where they differ, 0 in a solid.
    pub fn coefficient(&self, grid: Grid, point: [usize; 3]) -> f64 {
        match self {
            Self::Axes { k, .. } => k[grid.dim() - 1],
            Self::Checkerboard { contrast } => checkerboard(grid, point, *contrast),
            Self::Obstacles { unknown_of_point } => {
                f64::from(u8::from(unknown_of_point[grid.index(point)] != u32::MAX))
            }
            Self::Convection { epsilon, .. } => *epsilon,
        }
    }

    /// The matrix on `grid`, scaled by h².
    pub(super) fn assemble(&self, grid: Grid) -> Result<CsrMatrix<f64>, PoissonError> {
        let sides = self.sides();
        match self {
            Self::Axes { k: [x, y, z], .. } => {
                let faces = [*z, *y, *x, *x, *y, *z];
                assemble(grid, sides, None, |_| faces)
            }
            Self::Checkerboard { contrast } => {
                assemble(grid, sides, None, |point| checkerboard_faces(grid, point, *contrast))
            }
            Self::Obstacles { unknown_of_point } => {
                assemble(grid, sides, Some(unknown_of_point), |_| [1.0; FACES])
            }
            Self::Convection { epsilon, wind: [x, y, z] } => {
                let (h, e) = (grid.spacing(), *epsilon);
                let faces = [e + h * z, e + h * y, e + h * x, e, e, e];
                assemble(grid, sides, None, |_| faces)
            }
        }
    }
}

/// 1 or `contrast` by the parity of the block of `point`.
fn checkerboard(grid: Grid, point: [usize; 3], contrast: f64) -> f64 {
    let odd = point.iter().map(|&p| p * BLOCKS / grid.n()).sum::<usize>() % 2 == 1;
    if odd { contrast } else { 1.0 }
}

/// Harmonic means 2ab/(a + b) with the six neighbours; a itself at an outer side.
fn checkerboard_faces(grid: Grid, [x, y, z]: [usize; 3], contrast: f64) -> [f64; FACES] {
    let a = checkerboard(grid, [x, y, z], contrast);
    let mean = |point: [usize; 3]| {
        let inside = point.iter().zip(grid.extents()).all(|(&p, extent)| p < extent);
        // A step below 0 wraps to usize::MAX, which is not inside.
        if !inside {
            return a;
        }
        let b = checkerboard(grid, point, contrast);
        2.0 * a * b / (a + b)
    };
    let (down, up) = (|p: usize| p.wrapping_sub(1), |p: usize| p + 1);
    [
        mean([x, y, down(z)]),
        mean([x, down(y), z]),
        mean([down(x), y, z]),
        mean([up(x), y, z]),
        mean([x, up(y), z]),
        mean([x, y, up(z)]),
    ]
}
