//! The last few padded slabs of a stage: what the next stage of a wavefront reads.

use super::ops::Rows;
use super::real::Real;

/// Slabs kept: the three that a stencil reads and the one being written beside a ghost slab.
const SLOTS: usize = 4;

/// A ring of padded slabs of (ny + 2)(nx + 2) numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Ring<T> {
    data: Vec<T>,
    slots: usize,
    pitch: usize,
    rows: usize,
}

impl<T: Real> Ring<T> {
    /// For slabs of nx by ny points; `extra` slabs more than a stencil needs.
    pub(super) fn new([nx, ny, _]: [usize; 3], extra: usize) -> Self {
        let (pitch, rows, slots) = (nx + 2, ny + 2, SLOTS + extra);
        Self { data: vec![T::ZERO; pitch * rows * slots], slots, pitch, rows }
    }

    #[inline(always)]
    fn start(&self, k: isize) -> usize {
        (k + self.slots as isize) as usize % self.slots * self.pitch * self.rows
    }

    /// Padded row j (0-based, −1 and ny are ghosts) of slab k.
    #[inline(always)]
    pub(super) fn row(&self, j: isize, k: isize) -> &[T] {
        &self.data[self.start(k) + (j + 1) as usize * self.pitch..][..self.pitch]
    }

    #[inline(always)]
    pub(super) fn row_mut(&mut self, j: usize, k: usize) -> &mut [T] {
        let start = self.start(k as isize) + (j + 1) * self.pitch;
        &mut self.data[start..][..self.pitch]
    }

    /// Row (j, k) with its neighbours, those at the corners too if asked for.
    #[inline(always)]
    pub(super) fn rows(&self, j: usize, k: usize, corners: bool) -> Rows<'_, T> {
        let (j, k) = (j as isize, k as isize);
        let c = self.row(j, k);
        let corners = if corners {
            [(-1, -1), (1, -1), (-1, 1), (1, 1)].map(|(dy, dz)| self.row(j + dy, k + dz))
        } else {
            [c; 4]
        };
        Rows {
            corners,
            c,
            ym: self.row(j - 1, k),
            yp: self.row(j + 1, k),
            zm: self.row(j, k - 1),
            zp: self.row(j, k + 1),
        }
    }

    /// Fills the ghosts of slab `k` of `nz` after all its rows were written: factor times the outermost points.
    #[inline(always)]
    pub(super) fn close_slab(&mut self, k: usize, nz: usize, ghosts: &[[T; 2]; 3], middle: bool) {
        let (p, ny) = (self.pitch, self.rows - 2);
        let start = self.start(k as isize);
        let slab = &mut self.data[start..][..p * self.rows];
        for row in slab.chunks_exact_mut(p) {
            row[0] = ghosts[0][0] * row[1];
            row[p - 1] = ghosts[0][1] * row[p - 2];
        }
        if middle {
            for (ghost, own, factor) in [(0, 1, ghosts[1][0]), (ny + 1, ny, ghosts[1][1])] {
                for i in 0..p {
                    slab[ghost * p + i] = factor * slab[own * p + i];
                }
            }
        }
        for (at_side, ghost, factor) in
            [(k == 0, k as isize - 1, ghosts[2][0]), (k + 1 == nz, k as isize + 1, ghosts[2][1])]
        {
            if at_side {
                let to = self.start(ghost);
                for i in 0..p * self.rows {
                    self.data[to + i] = factor * self.data[start + i];
                }
            }
        }
    }
}
