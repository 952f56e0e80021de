//! Thin walls: bodies one point thick, which a coarse grid cannot see.
//!
//! *Walls*: straight walls (plates in 3D) at random places, and barriers across the whole domain that leave one slit
//! open. *Maze*: a tree of channels between rooms, 16 along each side in 2D and 6 in 3D (fewer where a room would have
//! less than two points). Both are drawn in the unit square (cube) from the seed alone, so that a refined grid sees the
//! same walls, still one point thick. Pockets that are sealed off become solid, as with
//! [`obstacles`](super::obstacles).

use super::grid::Grid;
use super::obstacles::{number, reachable};
use crate::splitmix::SplitMix64;

/// Straight walls, and barriers with a slit.
const WALLS: usize = 10;
const BARRIERS: usize = 2;
/// Length of a wall, as a part of the side.
const LENGTHS: (f64, f64) = (0.25, 0.65);
/// Width of a slit, as a part of the side; at least two points.
const SLIT: f64 = 0.03;
/// Rooms along each side of a maze.
const ROOMS_2D: usize = 16;
const ROOMS_3D: usize = 6;

/// Keeps the streams apart from those of the other bodies.
const STREAM: u64 = 0x7468_696E_7761_6C6C;

/// Walls and barriers: for each point its unknown, or `u32::MAX` in a wall.
pub(super) fn walls(grid: Grid, seed: u64) -> Vec<u32> {
    let n = grid.n();
    let mut solid = vec![false; grid.points()];
    if n >= 8 {
        let mut random = SplitMix64::new(STREAM ^ seed);
        let mut uniform = || 0.5 * (random.uniform() + 1.0);
        for _ in 0..WALLS {
            if grid.dim() == 2 {
                segment(grid, &mut uniform, &mut solid);
            } else {
                plate(grid, &mut uniform, &mut solid);
            }
        }
        for _ in 0..BARRIERS {
            barrier(grid, &mut uniform, &mut solid);
        }
    }
    number(&reachable(grid, &solid))
}

/// A straight line of points in any direction; its points meet at corners or sides, so nothing leaks through.
fn segment(grid: Grid, uniform: &mut impl FnMut() -> f64, solid: &mut [bool]) {
    let n = grid.n() as f64;
    let (x, y, angle) = (uniform() * n, uniform() * n, uniform() * std::f64::consts::PI);
    let length = (LENGTHS.0 + (LENGTHS.1 - LENGTHS.0) * uniform()) * n;
    let (dx, dy) = (angle.cos(), angle.sin());
    // One point a step along the axis that the line follows more closely.
    let longer = dx.abs().max(dy.abs());
    let steps = (length * longer) as usize;
    for step in 0..=steps {
        let t = step as f64 / longer;
        let (px, py) = ((x + t * dx).floor(), (y + t * dy).floor());
        if px >= 0.0 && py >= 0.0 && px < n && py < n {
            solid[grid.index([px as usize, py as usize, 0])] = true;
        }
    }
}

/// A rectangle across a random axis.
fn plate(grid: Grid, uniform: &mut impl FnMut() -> f64, solid: &mut [bool]) {
    let n = grid.n() as f64;
    let axis = ((3.0 * uniform()) as usize).min(2);
    let mut ranges: [std::ops::Range<usize>; 3] = std::array::from_fn(|_| {
        let length = LENGTHS.0 + (LENGTHS.1 - LENGTHS.0) * uniform();
        let low = uniform() * (1.0 - length);
        (low * n) as usize..((low + length) * n) as usize
    });
    let at = ranges[axis].start;
    ranges[axis] = at..at + 1;
    fill(grid, &ranges, true, solid);
}

/// A wall from side to side, with a slit (a square hole in 3D).
fn barrier(grid: Grid, uniform: &mut impl FnMut() -> f64, solid: &mut [bool]) {
    let n = grid.n();
    let axis = ((grid.dim() as f64 * uniform()) as usize).min(grid.dim() - 1);
    let at = 1 + (uniform() * (n - 2) as f64) as usize;
    let width = ((SLIT * n as f64) as usize).max(2);
    let whole = |a: usize| if a < grid.dim() { 0..n } else { 0..1 };
    let mut wall: [_; 3] = std::array::from_fn(whole);
    wall[axis] = at..at + 1;
    fill(grid, &wall, true, solid);
    let mut slit: [_; 3] = std::array::from_fn(|a| {
        let low = (uniform() * (n - width) as f64) as usize;
        if a < grid.dim() { low..low + width } else { 0..1 }
    });
    slit[axis] = at..at + 1;
    fill(grid, &slit, false, solid);
}

fn fill(grid: Grid, ranges: &[std::ops::Range<usize>; 3], value: bool, solid: &mut [bool]) {
    for z in ranges[2].clone() {
        for y in ranges[1].clone() {
            for x in ranges[0].clone() {
                solid[grid.index([x, y, z])] = value;
            }
        }
    }
}

/// A maze: for each point its unknown, or `u32::MAX` in a wall.
pub(super) fn maze(grid: Grid, seed: u64) -> Vec<u32> {
    let (n, dim) = (grid.n(), grid.dim());
    let rooms = if dim == 2 { ROOMS_2D } else { ROOMS_3D }.min(n / 3).max(1);
    let extent = |a: usize| if a < dim { rooms } else { 1 };
    let index = |p: [usize; 3]| (p[2] * extent(1) + p[1]) * rooms + p[0];
    let mut random = SplitMix64::new(!STREAM ^ seed);
    let mut draw = |below: usize| ((0.5 * (random.uniform() + 1.0) * below as f64) as usize).min(below - 1);
    // A random depth-first tree: passages[a][room] is open towards the next room along a.
    let total = rooms.pow(dim as u32);
    let mut passages = vec![vec![false; total]; 3];
    let mut visited = vec![false; total];
    let mut path = vec![[0usize; 3]];
    visited[0] = true;
    while let Some(&room) = path.last() {
        let mut ways = Vec::new();
        for a in 0..dim {
            for high in [false, true] {
                let mut to = room;
                to[a] = if high { room[a] + 1 } else { room[a].wrapping_sub(1) };
                if to[a] < extent(a) && !visited[index(to)] {
                    ways.push((a, if high { room } else { to }, to));
                }
            }
        }
        if ways.is_empty() {
            path.pop();
            continue;
        }
        let (a, low, to) = ways[draw(ways.len())];
        passages[a][index(low)] = true;
        visited[index(to)] = true;
        path.push(to);
    }
    // The wall behind room k lies on the last point before the next room.
    let room_of = |p: usize| p * rooms / n;
    let is_wall = |p: usize| p + 1 < n && room_of(p) != room_of(p + 1);
    let solid: Vec<bool> = (0..grid.points())
        .map(|at| {
            let point = grid.point(at);
            let walls: Vec<usize> = (0..dim).filter(|&a| is_wall(point[a])).collect();
            let room = std::array::from_fn(|a| if a < dim { room_of(point[a]) } else { 0 });
            match walls[..] {
                [] => false,
                [a] => !passages[a][index(room)],
                _ => true,
            }
        })
        .collect();
    number(&reachable(grid, &solid))
}
