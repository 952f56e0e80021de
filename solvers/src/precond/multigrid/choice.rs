//! Which levels suit a problem.
//!
//! Cells have the cheaper coarse matrices (d face coefficients a point, not (3^d − 1)/2 couplings) and serve blobs and
//! smooth coefficients best; but a coarse cell has one value, which is wrong where it lies across a jump or a thin wall.
//! Vertices with Galerkin's matrices follow both.

use super::coarsen::Fine;
use super::grid::Coefficients;
use rayon::prelude::*;

/// Ratio of face coefficients beyond which levels are made of vertices.
const VARIED: f64 = 8.0;

impl Fine<'_> {
    /// Whether levels should be made of vertices.
    pub(super) fn suits_vertices(&self) -> bool {
        self.is_varied() || self.has_thin_walls()
    }

    /// Whether open faces differ by more than [`VARIED`].
    pub(super) fn is_varied(&self) -> bool {
        let Coefficients::Faces { w } = &*self.coefficients else { return false };
        w.iter().any(|w| {
            let widest = |(low, high): (f64, f64), w: f64| {
                if w > 0.0 { (w.min(low), w.max(high)) } else { (low, high) }
            };
            let none = || (f64::INFINITY, 0.0f64);
            let (low, high) = w
                .par_chunks(1 << 14)
                .map(|w| w.iter().fold(none(), |range, &w| widest(range, w)))
                .reduce(none, |a, b| (a.0.min(b.0), a.1.max(b.1)));
            high > VARIED * low
        })
    }

    /// Whether more than a quarter of the walls that lines of points run into are at most one point thick: coarse
    /// cells glue together what is on either side of those.
    fn has_thin_walls(&self) -> bool {
        if !matches!(*self.coefficients, Coefficients::Faces { .. }) {
            return false;
        }
        let dims = self.dims;
        let is_open = |p: [usize; 3]| {
            (0..3).any(|axis| {
                let mut high = p;
                high[axis] += 1;
                self.face(axis, p) > 0.0 || self.face(axis, high) > 0.0
            })
        };
        let (mut walls, mut thin) = (0, 0);
        for axis in (0..3).filter(|&a| dims[a] > 1) {
            let (b, c) = ((axis + 1) % 3, (axis + 2) % 3);
            let counts = (0..dims[b] * dims[c]).into_par_iter().map(|line| {
                let mut p = [0; 3];
                (p[b], p[c]) = (line % dims[b], line / dims[b]);
                let (mut walls, mut thin, mut last) = (0, 0, None);
                for i in 0..dims[axis] {
                    p[axis] = i;
                    if !is_open(p) {
                        continue;
                    }
                    let closed = i > 0 && self.face(axis, p) <= 0.0;
                    if let Some(last) = last.filter(|_| closed) {
                        walls += 1;
                        thin += usize::from(i - last <= 2);
                    }
                    last = Some(i);
                }
                (walls, thin)
            });
            let (w, t) = counts.reduce(|| (0, 0), |a: (usize, usize), b| (a.0 + b.0, a.1 + b.1));
            walls += w;
            thin += t;
        }
        4 * thin > walls
    }
}
