//! Prolongation from vertices with a weight for every fine and coarse point, and restriction by its transpose, by rows.
//!
//! Coarse point I lies on fine point 2I. Fine point 2I + 1 takes from I and I + 1, along each axis that is coarsened.
//! So a fine row takes from m = 1, 2 or 4 coarse rows, and has for each of them three rows of weights: of even points
//! on I, of odd points on I, of odd points on I + 1.

use super::real::Real;
use super::transfer::{RowScratch, Shape, Transfer};
use rayon::prelude::*;

/// Weights, rows of a slab one after the other.
#[derive(Debug, Clone)]
pub(super) struct VertexWeights<T> {
    pub(super) shape: Shape,
    /// Where each row begins, one more at the end.
    pub(super) start: Vec<usize>,
    pub(super) weights: Vec<T>,
}

/// Rows of weights that belong to one coarse row.
pub(super) const fn per_row(coarsen_x: bool) -> usize {
    if coarsen_x { 3 } else { 1 }
}

impl<T: Real> VertexWeights<T> {
    /// With all weights 0.
    pub(super) fn zeros(shape: Shape) -> Self {
        let [_, ny, nz] = shape.fine;
        let width = shape.coarse[0] * per_row(shape.coarsen[0]);
        let mut start = vec![0];
        let mut end = 0;
        for (k, j) in (0..nz).flat_map(|k| (0..ny).map(move |j| (k, j))) {
            end += width * parents(&shape, 1, j) * parents(&shape, 2, k);
            start.push(end);
        }
        Self { shape, start, weights: vec![T::ZERO; end] }
    }

    /// In another precision.
    pub(super) fn of(other: &VertexWeights<f64>) -> Self {
        let weights = other.weights.par_iter().map(|&w| T::of(w)).collect();
        Self { shape: other.shape, start: other.start.clone(), weights }
    }

    #[inline(always)]
    pub(super) fn row(&self, j: usize, k: usize) -> &[T] {
        let row = k * self.shape.fine[1] + j;
        &self.weights[self.start[row]..self.start[row + 1]]
    }

    /// For each coarse row of fine row (j, k): its place, and its weights.
    #[inline(always)]
    pub(super) fn rows(&self, j: usize, k: usize) -> impl Iterator<Item = ((usize, usize), &[T])> {
        let shape = self.shape;
        let width = shape.coarse[0] * per_row(shape.coarsen[0]);
        let my = parents(&shape, 1, j);
        let (cj, ck) = (shape.parent(1, j), shape.parent(2, k));
        self.row(j, k).chunks_exact(width).enumerate().map(move |(c, w)| ((cj + c % my, ck + c / my), w))
    }
}

/// How many coarse points fine index `i` takes from along `axis`.
#[inline(always)]
pub(super) fn parents(shape: &Shape, axis: usize, i: usize) -> usize {
    if shape.coarsen[axis] && i % 2 == 1 && i / 2 + 1 < shape.coarse[axis] { 2 } else { 1 }
}

impl<T: Real> Transfer<T> for VertexWeights<T> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    #[inline(always)]
    fn begin_slab(&self, _: usize, _: &[T], _: &mut RowScratch<T>) {}

    #[inline(always)]
    fn prolong(&self, j: usize, k: usize, e: &[T], _: &mut RowScratch<T>, out: &mut [T]) {
        let Shape { fine: [fine, ..], coarse: [n, ny, _], coarsen } = self.shape;
        let out = &mut out[1..][..fine];
        for ((cj, ck), w) in self.rows(j, k) {
            let c = &e[(ck * ny + cj) * n..][..n];
            if !coarsen[0] {
                out.iter_mut().zip(w).zip(c).for_each(|((out, &w), &c)| *out += w * c);
                continue;
            }
            let (even, odd) = w.split_at(n);
            let (low, high) = odd.split_at(n);
            let (pairs, last) = out.as_chunks_mut::<2>();
            let full = pairs.len();
            // The last pair may have no coarse point behind it.
            let inner = full.min(n - 1);
            for (i, out) in pairs[..inner].iter_mut().enumerate() {
                out[0] += even[i] * c[i];
                out[1] += low[i] * c[i] + high[i] * c[i + 1];
            }
            if let Some(out) = pairs.get_mut(inner) {
                out[0] += even[inner] * c[inner];
                out[1] += low[inner] * c[inner];
            }
            if let [out] = last {
                *out += even[n - 1] * c[n - 1];
            }
        }
    }

    #[inline(always)]
    fn restrict(&self, j: usize, k: usize, r: &[T], _: &mut RowScratch<T>, own: &mut [T], next: &mut [T]) {
        let Shape { fine: [fine, ..], coarse: [n, ..], coarsen } = self.shape;
        let r = &r[1..][..fine];
        let parent = self.shape.parent(2, k);
        for ((cj, ck), w) in self.rows(j, k) {
            let plane = if ck == parent { &mut *own } else { &mut *next };
            let c = &mut plane[cj * n..][..n];
            if !coarsen[0] {
                c.iter_mut().zip(w).zip(r).for_each(|((c, &w), &r)| *c += w * r);
                continue;
            }
            let (even, odd) = w.split_at(n);
            let (low, high) = odd.split_at(n);
            let (pairs, last) = r.as_chunks::<2>();
            for (((c, r), &even), &low) in c.iter_mut().zip(pairs).zip(even).zip(low) {
                *c += even * r[0] + low * r[1];
            }
            if let [r] = last {
                c[n - 1] += even[n - 1] * *r;
            }
            for ((c, r), &high) in c[1..].iter_mut().zip(pairs).zip(high) {
                *c += high * r[1];
            }
        }
    }
}
