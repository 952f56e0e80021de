//! Which parts of a row can matter, from boxes around runs of points.
//!
//! Rows come in groups I and columns in tiles J, each with a box around its points. With c(I, J) the cost between the
//! nearest points of two boxes, every exponent of the pair is at most
//!
//! ```text
//! max_I u + max_J v − c(I, J)/ε
//! ```
//!
//! and a tile whose bound is below the floor of the sweep is skipped: see [`super::sweep`] for what that leaves out.

use super::Ground;
use super::simd::{Euclid, LANES, Manhattan, Rule, Square};

/// Rows of a group.
pub(super) const GROUP: usize = 16;

/// Columns of a tile.
pub(super) const TILE: usize = 32;

/// Boxes around groups of rows and tiles of columns.
#[derive(Debug)]
pub(super) struct Tiles {
    dim: usize,
    ground: Ground,
    /// For each group the lower corner and the upper.
    groups: Vec<f64>,
    tiles: Vec<f64>,
}

/// Boxes around runs of `size` points given axis by axis.
fn boxes(points: &[f64], dim: usize, size: usize) -> Vec<f64> {
    let n = points.len() / dim;
    let mut all = Vec::with_capacity(2 * dim * n.div_ceil(size));
    for start in (0..n).step_by(size) {
        let run = |k: usize| &points[k * n + start..k * n + (start + size).min(n)];
        all.extend((0..dim).map(|k| run(k).iter().copied().fold(f64::INFINITY, f64::min)));
        all.extend((0..dim).map(|k| run(k).iter().copied().fold(f64::NEG_INFINITY, f64::max)));
    }
    all
}

impl Tiles {
    /// Boxes of points given axis by axis.
    pub(super) fn new(x: &[f64], y: &[f64], dim: usize, ground: Ground) -> Self {
        Self { dim, ground, groups: boxes(x, dim, GROUP), tiles: boxes(y, dim, TILE) }
    }

    /// Chunks of columns, in runs, that rows of group `group` need: where `top` + the tile's v − c/ε ≥ `floor`.
    pub(super) fn live(
        &self,
        group: usize,
        inv_eps: f64,
        margin: f64,
        tile_tops: &[f64],
        chunks: usize,
        runs: &mut Vec<(u32, u32)>,
    ) {
        match self.ground {
            Ground::L1 => self.find::<Manhattan>(group, inv_eps, margin, tile_tops, chunks, runs),
            Ground::L2 => self.find::<Euclid>(group, inv_eps, margin, tile_tops, chunks, runs),
            Ground::SqEuclidean => self.find::<Square>(group, inv_eps, margin, tile_tops, chunks, runs),
        }
    }

    fn find<G: Rule>(
        &self,
        group: usize,
        inv_eps: f64,
        margin: f64,
        tile_tops: &[f64],
        chunks: usize,
        runs: &mut Vec<(u32, u32)>,
    ) {
        runs.clear();
        let width = 2 * self.dim;
        let (low, high) = self.groups[group * width..(group + 1) * width].split_at(self.dim);
        for (tile, (corners, top)) in self.tiles.chunks_exact(width).zip(tile_tops).enumerate() {
            let (from, to) = corners.split_at(self.dim);
            let mut sum = 0.0;
            for k in 0..self.dim {
                sum += G::term((from[k] - high[k]).max(low[k] - to[k]).max(0.0));
            }
            // NaN counts as live.
            if top - G::finish(sum) * inv_eps < margin {
                continue;
            }
            let start = (tile * TILE / LANES) as u32;
            let end = ((tile + 1) * TILE / LANES).min(chunks) as u32;
            match runs.last_mut() {
                Some(last) if last.1 == start => last.1 = end,
                _ => runs.push((start, end)),
            }
        }
    }
}

/// The largest entry of every tile.
pub(super) fn tile_tops(v: &[f64], tops: &mut Vec<f64>) {
    tops.clear();
    tops.extend(v.chunks(TILE).map(|v| v.iter().copied().fold(f64::NEG_INFINITY, f64::max)));
}
