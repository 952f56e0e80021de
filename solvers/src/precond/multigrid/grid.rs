//! What the multigrid is built from: a box of points, its face coefficients, and which points are unknowns.
//!
//! Point (i, j, k) has the balance Σ_f w_f (x − x_f) = b over its six faces, with x_f = 0 behind an outer face. A face
//! with w = 0 is a wall. Axes are x, y, z with x fastest in memory; in 2D the *last* axis is stored as z and the
//! middle one has a single point, so that the slowest axis always counts slabs.

use super::coarsen::by_points;
use crate::SolveError;
use rayon::prelude::*;
use residua_data::poisson::{Boundary, Grid, Medium, PoissonSystem};

/// Face coefficients.
#[derive(Debug, Clone, PartialEq)]
pub enum Coefficients {
    /// One coefficient an axis; `sides[a]` holds, for the low and the high outer face, its coefficient as a multiple of
    /// `k[a]`, in [0, 2]: 0 is a wall, 1 a Dirichlet point at distance h, 2 a Dirichlet face at h/2.
    Axes {
        /// Along x, y, z; 0 along an axis with a single point.
        k: [f64; 3],
        /// Outer faces, low and high.
        sides: [[f64; 2]; 3],
    },
    /// Every face has its own: `w[a]` holds, at `(k (ny + 1) + j)(nx + 1) + i`, the low face along axis a of point
    /// (i, j, k); the high face is the low face of the next index.
    Faces {
        /// Along x, y, z, each of length (nx + 1)(ny + 1)(nz + 1).
        w: [Vec<f64>; 3],
    },
}

/// A symmetric positive (semi)definite stencil matrix without its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct GridProblem {
    /// Points along x, y, z.
    pub dims: [usize; 3],
    /// Face coefficients.
    pub coefficients: Coefficients,
    /// For each point its unknown, in increasing order, `u32::MAX` where there is none; `None`: all are.
    pub unknown_of_point: Option<Vec<u32>>,
    /// Whether the constants are the null space.
    pub null_space: bool,
}

impl GridProblem {
    /// From the grid and the medium of the Poisson family, without any matrix.
    ///
    /// # Errors
    /// [`SolveError::InvalidOption`] for convection, whose matrix is not symmetric.
    pub fn new(grid: Grid, medium: &Medium) -> Result<Self, SolveError> {
        let n = grid.n();
        let flat = grid.dim() == 2;
        let dims = [n, if flat { 1 } else { n }, n];
        // Family order (x, y, z) to stored order.
        let stored = |v: [f64; 3]| if flat { [v[0], 0.0, v[1]] } else { v };
        let side = |b: Boundary| f64::from(u8::from(b == Boundary::Dirichlet));
        let sides = medium.sides().map(|s| s.map(side));
        let sides = if flat { [sides[0], [0.0; 2], sides[1]] } else { sides };
        let (coefficients, unknown_of_point, null_space) = match medium {
            Medium::Axes { k, sides: s } => {
                (Coefficients::Axes { k: stored(*k), sides }, None, *s == Boundary::Neumann)
            }
            Medium::Checkerboard { .. } => {
                let point = |[i, j, k]: [usize; 3]| if flat { [i, k, 0] } else { [i, j, k] };
                let w = faces(dims, sides, |p| medium.coefficient(grid, point(p)));
                (Coefficients::Faces { w }, None, false)
            }
            Medium::Obstacles { unknown_of_point } => {
                let index = |[i, j, k]: [usize; 3]| (k * dims[1] + j) * n + i;
                let open = |p| f64::from(u8::from(unknown_of_point[index(p)] != u32::MAX));
                (Coefficients::Faces { w: faces(dims, sides, open) }, Some(unknown_of_point.clone()), false)
            }
            _ => {
                return Err(SolveError::InvalidOption {
                    name: "mg",
                    value: "convection".to_owned(),
                    expected: "geometric multigrid needs a symmetric diffusion problem; use bicgstab or gmres with ilu0",
                });
            }
        };
        Ok(Self { dims, coefficients, unknown_of_point, null_space })
    }

    /// From an assembled system; its matrix is not read.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_system(system: &PoissonSystem) -> Result<Self, SolveError> {
        Self::new(system.grid, &system.medium)
    }

    /// Number of points.
    pub fn points(&self) -> usize {
        self.dims.iter().product()
    }

    /// Number of unknowns.
    pub fn unknowns(&self) -> usize {
        match &self.unknown_of_point {
            None => self.points(),
            Some(unknowns) => unknowns.iter().filter(|&&u| u != u32::MAX).count(),
        }
    }

    /// Refuses arrays of the wrong size, coefficients that are negative or not finite, and unknowns out of order.
    ///
    /// # Errors
    /// [`SolveError::InvalidOption`], [`SolveError::DimensionMismatch`].
    pub fn check(&self) -> Result<(), SolveError> {
        let invalid = |name: &'static str, value: String, expected: &'static str| {
            Err(SolveError::InvalidOption { name, value, expected })
        };
        let points = self.dims.iter().try_fold(1usize, |p, &n| p.checked_mul(n)).unwrap_or(0);
        if points == 0 || points > u32::MAX as usize {
            let value = format!("{:?}", self.dims);
            return invalid("dims", value, "every axis needs a point, all together at most 2^32 - 1");
        }
        match &self.coefficients {
            Coefficients::Axes { k, sides } => {
                let finite = |v: f64| v.is_finite() && v >= 0.0;
                if !k.iter().all(|&k| finite(k)) || !sides.iter().flatten().all(|&c| finite(c) && c <= 2.0) {
                    let value = format!("{k:?} with sides {sides:?}");
                    return invalid(
                        "coefficients",
                        value,
                        "k must be finite and not negative, sides in [0, 2]",
                    );
                }
            }
            Coefficients::Faces { w } => {
                let expected = self.dims.iter().map(|n| n + 1).product();
                for w in w {
                    crate::error::check_len("w", expected, w.len())?;
                    let bad =
                        w.par_iter().with_min_len(1 << 14).find_first(|v| !(v.is_finite() && **v >= 0.0));
                    if let Some(v) = bad {
                        return invalid("w", v.to_string(), "coefficients must be finite and not negative");
                    }
                }
            }
        }
        if let Some(unknowns) = &self.unknown_of_point {
            crate::error::check_len("unknown_of_point", points, unknowns.len())?;
            let numbered = unknowns.iter().copied().filter(|&u| u != u32::MAX);
            if let Some((u, _)) = numbered.zip(0u32..).find(|(u, expected)| u != expected) {
                return invalid(
                    "unknown_of_point",
                    u.to_string(),
                    "unknowns must be numbered in the order of points",
                );
            }
        }
        Ok(())
    }
}

/// Harmonic means of the coefficients of points; at an outer face that of the point times the side's. Threaded.
fn faces(
    dims: [usize; 3],
    sides: [[f64; 2]; 3],
    coefficient: impl Fn([usize; 3]) -> f64 + Sync,
) -> [Vec<f64>; 3] {
    std::array::from_fn(|axis| {
        by_points(dims.map(|n| n + 1), |q| {
            // Past the last point along another axis there is no face.
            if (0..3).any(|a| a != axis && q[a] == dims[a]) {
                return 0.0;
            }
            let mut low = q;
            low[axis] = low[axis].wrapping_sub(1);
            if q[axis] == 0 {
                return coefficient(q) * sides[axis][0];
            }
            let a = coefficient(low);
            if q[axis] == dims[axis] {
                return a * sides[axis][1];
            }
            let b = coefficient(q);
            if a + b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 }
        })
    })
}
