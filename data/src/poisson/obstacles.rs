//! Random solid blobs: a union of discs (balls), drawn in the unit square (cube) from the seed alone, so
//! that a refined grid sees the same bodies.
//!
//! Fluid that no path of fluid points joins to the open sides x = 0 or x = 1 is a sealed pocket: a
//! component with Neumann conditions all round, on which A would be singular. Pockets become solid. So
//! every unknown is joined to a Dirichlet side, A is irreducibly dominant on each component, and positive
//! definite.

use super::grid::Grid;
use crate::splitmix::SplitMix64;

/// Number and radii of the bodies: about a third of the domain is solid in either dimension.
const BODIES_2D: usize = 24;
const RADII_2D: (f64, f64) = (0.04, 0.10);
const BODIES_3D: usize = 40;
const RADII_3D: (f64, f64) = (0.08, 0.18);

/// Keeps the stream of the bodies apart from that of the right-hand side.
const STREAM: u64 = 0x6F62_7374_6163_6C65;

/// A disc or ball.
struct Body {
    centre: [f64; 3],
    radius: f64,
}

/// For each point its unknown, counted from 0 in the order of points, or `u32::MAX` in a solid.
///
/// At least one point is fluid: on a grid so coarse that the bodies cover every way in, the last ones
/// drawn are left out until a way is open.
pub(super) fn unknown_of_point(grid: Grid, seed: u64) -> Vec<u32> {
    let bodies = draw(grid.dim(), seed);
    (0..=bodies.len())
        .rev()
        .map(|kept| number(&reachable(grid, &solid(grid, &bodies[..kept]))))
        .find(|unknowns| unknowns.iter().any(|&u| u != u32::MAX))
        // Without bodies every point is fluid, so the search ends before this.
        .unwrap_or_default()
}

fn draw(dim: usize, seed: u64) -> Vec<Body> {
    let (bodies, (low, high)) = if dim == 2 { (BODIES_2D, RADII_2D) } else { (BODIES_3D, RADII_3D) };
    let mut random = SplitMix64::new(STREAM ^ seed);
    let mut uniform = || 0.5 * (random.uniform() + 1.0);
    (0..bodies)
        .map(|_| Body {
            centre: [uniform(), uniform(), if dim == 3 { uniform() } else { 0.0 }],
            radius: low + (high - low) * uniform(),
        })
        .collect()
}

/// Which points lie in a body; each body visits the points of its bounding box only.
fn solid(grid: Grid, bodies: &[Body]) -> Vec<bool> {
    let h = grid.spacing();
    let mut solid = vec![false; grid.points()];
    for Body { centre, radius } in bodies {
        // Point p lies at (p + 1) h.
        let range = |axis: usize| {
            let low = ((centre[axis] - radius) / h - 1.0).ceil().max(0.0) as usize;
            let high = ((centre[axis] + radius) / h).floor().max(0.0) as usize;
            low..high.min(grid.n())
        };
        for z in if grid.dim() == 3 { range(2) } else { 0..1 } {
            for y in range(1) {
                for x in range(0) {
                    let point = [x, y, z];
                    let distance_sq: f64 = (0..grid.dim())
                        .map(|axis| ((point[axis] + 1) as f64 * h - centre[axis]).powi(2))
                        .sum();
                    if distance_sq <= radius * radius {
                        solid[grid.index(point)] = true;
                    }
                }
            }
        }
    }
    solid
}

/// The fluid points joined to x = 0 or x = 1 by fluid points: a flood from those sides.
pub(super) fn reachable(grid: Grid, solid: &[bool]) -> Vec<bool> {
    let n = grid.n();
    let mut reached = vec![false; solid.len()];
    let mut front: Vec<usize> = Vec::new();
    let mut visit = |index: usize, front: &mut Vec<usize>| {
        if !solid[index] && !reached[index] {
            reached[index] = true;
            front.push(index);
        }
    };
    for line in 0..grid.lines() {
        visit(line * n, &mut front);
        visit(line * n + n - 1, &mut front);
    }
    while let Some(index) = front.pop() {
        let point = grid.point(index);
        let mut stride = 1;
        for &p in &point[..grid.dim()] {
            if p > 0 {
                visit(index - stride, &mut front);
            }
            if p + 1 < n {
                visit(index + stride, &mut front);
            }
            stride *= n;
        }
    }
    reached
}

/// Numbers the fluid points in their order.
pub(super) fn number(fluid: &[bool]) -> Vec<u32> {
    let mut next = 0;
    fluid
        .iter()
        .map(|&fluid| {
            let unknown = if fluid { next } else { u32::MAX };
            next += u32::from(fluid);
            unknown
        })
        .collect()
}
