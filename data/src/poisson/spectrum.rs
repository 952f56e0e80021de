//! Exact eigenvalues and eigenvectors where the coefficients are constant along each axis.
//!
//! The matrix is a sum of Kronecker products of the one-dimensional tridiag(−1, 2, −1), so its eigenvalues
//! are sums over the axes, λ = Σ_a 4 k_a sin²(θ_a / 2), with θ = π m/(n + 1), m = 1..n for Dirichlet sides
//! and θ = π m/n, m = 0..n−1 for Neumann sides (1 in place of 2 at both ends). The eigenvectors are products
//! of sines and of cosines: the discrete sine and cosine transforms; Strang (1999), SIAM Review 41(1).

use super::coefficients::Medium;
use super::grid::{Boundary, Grid};
use std::f64::consts::PI;

/// All eigenvalues of the matrix, in increasing order; none where no formula is known (jumps, obstacles,
/// convection). nᵈ numbers.
pub fn eigenvalues(grid: Grid, medium: &Medium) -> Option<Vec<f64>> {
    let Medium::Axes { k, sides } = medium else { return None };
    let line = |m: usize| 4.0 * (0.5 * angle(grid, *sides, m)).sin().powi(2);
    let mut values: Vec<f64> = (0..grid.points())
        .map(|index| {
            let modes = grid.point(index);
            (0..grid.dim()).map(|axis| k[axis] * line(modes[axis])).sum()
        })
        .collect();
    values.sort_by(f64::total_cmp);
    Some(values)
}

/// The eigenvector with `modes[a]` + 1 half-waves along each axis a for Dirichlet sides, `modes[a]` for
/// Neumann sides, and its eigenvalue. Modes lie in 0..n (that of z does not matter in 2D); none where one
/// does not, or where no formula is known.
pub fn eigenvector(grid: Grid, medium: &Medium, modes: [usize; 3]) -> Option<(f64, Vec<f64>)> {
    let Medium::Axes { k, sides } = medium else { return None };
    if modes[..grid.dim()].iter().any(|&m| m >= grid.n()) {
        return None;
    }
    let theta = modes.map(|m| angle(grid, *sides, m));
    let value = (0..grid.dim()).map(|axis| 4.0 * k[axis] * (0.5 * theta[axis]).sin().powi(2)).sum();
    let wave = |axis: usize, p: usize| match sides {
        Boundary::Dirichlet => (theta[axis] * (p as f64 + 1.0)).sin(),
        Boundary::Neumann => (theta[axis] * (p as f64 + 0.5)).cos(),
    };
    let vector = (0..grid.points())
        .map(|index| {
            let point = grid.point(index);
            (0..grid.dim()).map(|axis| wave(axis, point[axis])).product()
        })
        .collect();
    Some((value, vector))
}

/// θ of the 0-based mode m.
fn angle(grid: Grid, sides: Boundary, m: usize) -> f64 {
    match sides {
        Boundary::Dirichlet => PI * (m as f64 + 1.0) / (grid.n() as f64 + 1.0),
        Boundary::Neumann => PI * m as f64 / grid.n() as f64,
    }
}
