//! A matrix on a box whose points are coupled to their 3^d − 1 neighbours.
//!
//! ```text
//! (A x)_i = e_i x_i + Σ_d w_{i,d} (x_i − x_{i+d}),   w_{i,d} = w_{i+d,−d}
//! ```
//!
//! so e is the row sum. Differences lose nothing to cancellation whatever the contrast.

use super::coarsen::{Fine, STRONG, sum};
use nalgebra::DMatrix;
use rayon::prelude::*;

/// Directions by (dz + 1) 9 + (dy + 1) 3 + dx + 1; those after the centre are stored.
pub(super) const DIRECTIONS: usize = 27;
pub(super) const CENTRE: usize = 13;

/// The step of a direction.
#[inline(always)]
pub(super) fn step(direction: usize) -> [isize; 3] {
    [direction % 3, direction / 3 % 3, direction / 9].map(|d| d as isize - 1)
}

/// p + d, if in the box.
#[inline(always)]
pub(super) fn moved(dims: [usize; 3], p: [usize; 3], d: [isize; 3]) -> Option<[usize; 3]> {
    let q: [usize; 3] = std::array::from_fn(|a| p[a].wrapping_add_signed(d[a]));
    (0..3).all(|a| q[a] < dims[a]).then_some(q)
}

/// Symmetric couplings and row sums in double precision.
#[derive(Debug, Clone)]
pub(super) struct BoxMatrix {
    pub(super) dims: [usize; 3],
    /// For each direction after the centre its couplings, behind [`pad`](Self::pad) zeros, or nothing where all are 0;
    /// 0 out of the box.
    pub(super) w: [Vec<f64>; CENTRE],
    pub(super) excess: Vec<f64>,
}

impl BoxMatrix {
    /// Zeros in front of an array of couplings, so that the coupling backwards of any point can be read.
    pub(super) fn pad(&self) -> usize {
        self.dims[0] * (self.dims[1] + 1) + 1
    }

    pub(super) fn offset(&self, d: [isize; 3]) -> isize {
        let [nx, ny, _] = self.dims.map(|n| n as isize);
        d[0] + nx * (d[1] + ny * d[2])
    }

    #[inline(always)]
    pub(super) fn index(&self, [i, j, k]: [usize; 3]) -> usize {
        (k * self.dims[1] + j) * self.dims[0] + i
    }

    /// The matrix of face coefficients.
    pub(super) fn of_faces(fine: &Fine<'_>) -> Self {
        let dims = fine.dims;
        let n = dims.iter().product();
        let mut a = Self { dims, w: std::array::from_fn(|_| Vec::new()), excess: vec![0.0; n] };
        let pad = a.pad();
        for (axis, direction) in [(0, 14), (1, 16), (2, 22)] {
            if dims[axis] > 1 {
                let w = &mut a.w[direction - CENTRE - 1];
                *w = vec![0.0; pad + n];
                w[pad..].par_chunks_mut(dims[0]).enumerate().for_each(|(row, w)| {
                    for (i, w) in w.iter_mut().enumerate() {
                        let mut high = [i, row % dims[1], row / dims[1]];
                        high[axis] += 1;
                        if high[axis] < dims[axis] {
                            *w = fine.face(axis, high);
                        }
                    }
                });
            }
        }
        a.excess.par_chunks_mut(dims[0]).enumerate().for_each(|(row, excess)| {
            for (i, excess) in excess.iter_mut().enumerate() {
                let p = [i, row % dims[1], row / dims[1]];
                for axis in 0..3 {
                    if p[axis] == 0 {
                        *excess += fine.face(axis, p);
                    }
                    if p[axis] + 1 == dims[axis] {
                        let mut high = p;
                        high[axis] += 1;
                        *excess += fine.face(axis, high);
                    }
                }
            }
        });
        a
    }

    /// Coupling of point `at` in `direction`, 0 out of the box.
    #[inline(always)]
    pub(super) fn coupling(&self, at: usize, direction: usize) -> f64 {
        if direction > CENTRE {
            self.w[direction - CENTRE - 1].get(self.pad() + at).copied().unwrap_or(0.0)
        } else {
            let back = DIRECTIONS - 1 - direction;
            let w = &self.w[back - CENTRE - 1];
            let at = (self.pad() + at) as isize - self.offset(step(back));
            w.get(at as usize).copied().unwrap_or(0.0)
        }
    }

    /// Couplings in `direction` of the row of points that begins at `at`; of one in [`directions`](Self::directions).
    pub(super) fn row_couplings(&self, at: usize, direction: usize) -> &[f64] {
        let forward = direction.max(DIRECTIONS - 1 - direction);
        let back = if direction > CENTRE { 0 } else { self.offset(step(forward)) };
        &self.w[forward - CENTRE - 1][(self.pad() + at).wrapping_add_signed(-back)..][..self.dims[0]]
    }

    /// The directions in which there are couplings, both ways.
    pub(super) fn directions(&self) -> Vec<usize> {
        (0..DIRECTIONS)
            .filter(|&d| {
                let forward = d.max(DIRECTIONS - 1 - d);
                forward > CENTRE && !self.w[forward - CENTRE - 1].is_empty()
            })
            .collect()
    }

    /// Mean coupling along each axis, those of all directions to one side together.
    fn strengths(&self) -> [f64; 3] {
        let mut strength = [0.0; 3];
        for (w, direction) in self.w.iter().zip(CENTRE + 1..) {
            let sum = sum(w);
            (0..3).filter(|&a| step(direction)[a] != 0).for_each(|a| strength[a] += sum);
        }
        strength.map(|s| s.max(0.0))
    }

    /// The axes to coarsen.
    pub(super) fn axes_to_coarsen(&self) -> [bool; 3] {
        let k = self.strengths();
        let largest = k.iter().copied().fold(0.0, f64::max);
        std::array::from_fn(|a| self.dims[a] > 1 && k[a] * STRONG >= largest)
    }

    /// About the least eigenvalue of D⁻¹A on the modes that the coarse grid lacks.
    pub(super) fn smoothing_bound(&self, coarsen: [bool; 3]) -> f64 {
        let k = self.strengths();
        let total: f64 = k.iter().sum();
        let least = (0..3).filter(|&a| coarsen[a]).map(|a| k[a]).fold(total, f64::min);
        if total > 0.0 { (least / total).clamp(0.05, 1.0) } else { 1.0 }
    }

    /// The matrix, for few points.
    pub(super) fn dense(&self) -> DMatrix<f64> {
        let [nx, ny, nz] = self.dims;
        let n = nx * ny * nz;
        let mut a = DMatrix::<f64>::zeros(n, n);
        for row in 0..n {
            let p = [row % nx, row / nx % ny, row / (nx * ny)];
            a[(row, row)] += self.excess[row];
            for d in self.directions() {
                if let Some(q) = moved(self.dims, p, step(d)) {
                    let w = self.coupling(row, d);
                    a[(row, row)] += w;
                    a[(row, self.index(q))] -= w;
                }
            }
        }
        a
    }
}
