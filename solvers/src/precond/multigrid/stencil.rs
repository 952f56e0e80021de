//! Row kernels of a level whose points are coupled to all 3^d − 1 neighbours.

use super::box_matrix::{BoxMatrix, step};
use super::ops::{Rows, Stencil};
use super::real::Real;
use rayon::prelude::*;

/// The couplings of a [`BoxMatrix`] in the level's precision, and the inverse of a diagonal D with A ≤ 2D.
#[derive(Debug, Clone)]
pub(super) struct BoxStencil<T, const MIDDLE: bool> {
    dims: [usize; 3],
    pad: usize,
    /// Directions with couplings: step, distance in memory, couplings behind `pad` zeros.
    couplings: Vec<([isize; 3], usize, Vec<T>)>,
    excess: Vec<T>,
    /// 0 where a point has no coupling.
    inverse: Vec<T>,
}

impl<T: Real, const MIDDLE: bool> BoxStencil<T, MIDDLE> {
    /// D is the diagonal, or half of the sum of the row's absolute values where that is more.
    pub(super) fn new(a: &BoxMatrix) -> Self {
        let [nx, ny, _] = a.dims.map(|n| n as isize);
        let directions = a.directions();
        let couplings =
            a.w.iter()
                .zip(14..)
                .filter(|(w, _)| !w.is_empty())
                .map(|(w, direction)| {
                    let d = step(direction);
                    let distance = (d[0] + nx * (d[1] + ny * d[2])) as usize;
                    (d, distance, w.par_iter().map(|&w| T::of(w)).collect())
                })
                .collect();
        let inverse = (0..a.excess.len())
            .into_par_iter()
            .map(|at| {
                let (mut diagonal, mut absolute) = (a.excess[at], 0.0);
                for &d in &directions {
                    let w = a.coupling(at, d);
                    diagonal += w;
                    absolute += w.abs();
                }
                let d = diagonal.max(0.5 * (diagonal + absolute));
                T::of(if d > 0.0 { 1.0 / d } else { 0.0 })
            })
            .collect();
        let excess = a.excess.par_iter().map(|&e| T::of(e)).collect();
        Self { dims: a.dims, pad: a.pad(), couplings, excess, inverse }
    }

    #[inline(always)]
    fn at(&self, j: usize, k: usize) -> usize {
        (k * self.dims[1] + j) * self.dims[0]
    }
}

impl<T: Real, const MIDDLE: bool> Stencil<T> for BoxStencil<T, MIDDLE> {
    const MIDDLE: bool = MIDDLE;
    const CORNERS: bool = true;

    fn ghosts(&self) -> [[T; 2]; 3] {
        [[T::ZERO; 2]; 3]
    }

    #[inline(always)]
    fn scaled(&self, omega: T, j: usize, k: usize, r: &[T], out: &mut [T]) {
        let n = out.len() - 2;
        let inverse = &self.inverse[self.at(j, k)..][..n];
        for ((out, &r), &d) in out[1..][..n].iter_mut().zip(&r[1..][..n]).zip(inverse) {
            *out = omega * (d * r);
        }
    }

    #[inline(always)]
    fn relax(&self, omega: T, j: usize, k: usize, r: &[T], x: Rows<'_, T>, out: &mut [T]) {
        self.defect(j, k, r, x, out);
        let n = out.len() - 2;
        let inverse = &self.inverse[self.at(j, k)..][..n];
        for ((out, &x), &d) in out[1..][..n].iter_mut().zip(&x.c[1..][..n]).zip(inverse) {
            *out = x + omega * (d * *out);
        }
    }

    #[inline(always)]
    fn defect(&self, j: usize, k: usize, r: &[T], x: Rows<'_, T>, out: &mut [T]) {
        let n = out.len() - 2;
        let at = self.at(j, k);
        let (c, out) = (&x.c[1..][..n], &mut out[1..][..n]);
        for (((out, &r), &c), &e) in out.iter_mut().zip(&r[1..][..n]).zip(c).zip(&self.excess[at..][..n]) {
            *out = r - e * c;
        }
        for (d, distance, w) in &self.couplings {
            let from = |d: [isize; 3]| &x.row(d[1], d[2])[(1 + d[0]) as usize..][..n];
            let (high, low) = (from(*d), from(d.map(|d| -d)));
            let forward = &w[self.pad + at..][..n];
            let backward = &w[self.pad + at - distance..][..n];
            for i in 0..n {
                let v = c[i];
                out[i] += forward[i] * (high[i] - v) + backward[i] * (low[i] - v);
            }
        }
    }
}
