//! What W-cycles and full multigrid need of a level beside its two passes: its residual, and a diagonal step.

use super::io::{Layout, Part, Plain, PlainSource, Source};
use super::ops::Stencil;
use super::real::Real;
use super::ring::Ring;

/// Scratch of one thread.
#[derive(Debug, Default)]
pub(super) struct Residual<T> {
    ring: Ring<T>,
    r: Vec<T>,
    out: Vec<T>,
}

impl<T: Real> Residual<T> {
    pub(super) fn new(dims: [usize; 3]) -> Self {
        let row = vec![T::ZERO; dims[0] + 2];
        Self { ring: Ring::new(dims, 0), r: row.clone(), out: row }
    }

    /// y ← r − A x in one pass.
    pub(super) fn run<S: Stencil<T>>(&mut self, s: &S, dims: [usize; 3], r: &[T], x: &[T], y: &mut [T]) {
        let [_, ny, nz] = dims;
        let Self { ring, r: r_row, out } = self;
        let (r, x) = (PlainSource { dims, data: r }, PlainSource { dims, data: x });
        let mut y = Part::new(y);
        for t in 0..=nz {
            if t < nz {
                (0..ny).for_each(|j| x.load(j, t, ring.row_mut(j, t)));
                ring.close_slab(t, nz, &s.ghosts(), S::MIDDLE);
            }
            let Some(k) = t.checked_sub(1) else { continue };
            for j in 0..ny {
                r.load(j, k, r_row);
                s.defect(j, k, r_row, ring.rows(j, k, S::CORNERS), out);
                Plain { dims }.store(j, k, out, &mut y);
            }
        }
    }

    /// y ← y + ω D⁻¹ r.
    pub(super) fn add_scaled<S: Stencil<T>>(
        &mut self,
        s: &S,
        dims: [usize; 3],
        omega: T,
        r: &[T],
        y: &mut [T],
    ) {
        let [nx, ny, nz] = dims;
        let r = PlainSource { dims, data: r };
        for (row, y) in (0..ny * nz).zip(y.chunks_exact_mut(nx)) {
            let (j, k) = (row % ny, row / ny);
            r.load(j, k, &mut self.r);
            s.scaled(omega, j, k, &self.r, &mut self.out);
            y.iter_mut().zip(&self.out[1..]).for_each(|(y, &v)| *y += v);
        }
    }
}
