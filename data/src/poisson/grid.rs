//! The grid of points and the conditions on its sides.

use super::PoissonError;

/// What holds on a side of the square or cube.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// u = 0 at distance h outside the outermost points; eliminated.
    Dirichlet,
    /// ∂u/∂ν = 0: no flux through the face.
    Neumann,
}

/// n points per side of the unit square or cube, at x = (i + 1) h, h = 1/(n + 1), x fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    dim: usize,
    n: usize,
}

impl Grid {
    /// The grid with `n` points per side in `dim` = 2 or 3 dimensions.
    ///
    /// # Errors
    /// [`PoissonError::Dimension`], [`PoissonError::EmptyGrid`], or [`PoissonError::TooLarge`] if the
    /// stencil matrix would have more than 2³² − 1 entries (n > 29 308 in 2D, n > 850 in 3D).
    pub fn new(dim: usize, n: usize) -> Result<Self, PoissonError> {
        if dim != 2 && dim != 3 {
            return Err(PoissonError::Dimension { found: dim });
        }
        if n == 0 {
            return Err(PoissonError::EmptyGrid);
        }
        let max = if dim == 2 { MAX_SIDE_2D } else { MAX_SIDE_3D };
        if n > max {
            return Err(PoissonError::TooLarge { dim, n, max });
        }
        Ok(Self { dim, n })
    }

    /// 2 or 3.
    pub fn dim(self) -> usize {
        self.dim
    }

    /// Points per side.
    pub fn n(self) -> usize {
        self.n
    }

    /// h = 1/(n + 1).
    pub fn spacing(self) -> f64 {
        1.0 / (self.n as f64 + 1.0)
    }

    /// Number of points, nᵈ.
    pub fn points(self) -> usize {
        self.lines() * self.n
    }

    /// Number of lines of points along x, nᵈ⁻¹.
    pub fn lines(self) -> usize {
        self.n.pow(self.dim as u32 - 1)
    }

    /// Points along each axis; 1 along z in 2D.
    pub fn extents(self) -> [usize; 3] {
        [self.n, self.n, if self.dim == 3 { self.n } else { 1 }]
    }

    /// The number of the point (x, y, z), each 0-based; z = 0 in 2D.
    pub fn index(self, [x, y, z]: [usize; 3]) -> usize {
        (z * self.n + y) * self.n + x
    }

    /// The point (x, y, z) with number `index`.
    pub fn point(self, index: usize) -> [usize; 3] {
        let line = index / self.n;
        [index % self.n, line % self.n, line / self.n]
    }

    /// Entries of the full stencil matrix: (2d + 1) nᵈ less one for each point of each side.
    pub fn stencil_nnz(self) -> usize {
        (2 * self.dim + 1) * self.points() - 2 * self.dim * self.lines()
    }
}

/// The largest sides whose stencil matrix has at most 2³² − 1 entries.
const MAX_SIDE_2D: usize = 29_308;
const MAX_SIDE_3D: usize = 850;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_grids_just_fit() {
        for (dim, max) in [(2, MAX_SIDE_2D), (3, MAX_SIDE_3D)] {
            let fits = |n: usize| Grid { dim, n }.stencil_nnz() <= u32::MAX as usize;
            assert!(fits(max) && !fits(max + 1), "{dim}D");
            assert!(Grid::new(dim, max).is_ok());
            assert_eq!(Grid::new(dim, max + 1), Err(PoissonError::TooLarge { dim, n: max + 1, max }));
        }
        assert!(matches!(Grid::new(3, usize::MAX), Err(PoissonError::TooLarge { .. })));
    }

    #[test]
    fn numbers_and_points_are_inverse() {
        for dim in [2, 3] {
            let grid = Grid::new(dim, 4).unwrap();
            assert!((0..grid.points()).all(|i| grid.index(grid.point(i)) == i));
            assert_eq!(grid.point(5), [1, 1, 0]);
        }
    }
}
