//! One step of the smoother on one slab.

use super::super::ops::Stencil;
use super::super::real::Real;
use super::super::ring::Ring;

/// One step of the smoother: x ← x + ω D⁻¹ (r − A x), on all points or on those with (i + j + k) mod 2 = colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Step<T> {
    pub(in super::super) omega: T,
    pub(in super::super) colour: Option<usize>,
}

/// Puts the values of the other colour back: those of `old`, or 0 where there are none.
#[inline(always)]
pub(super) fn keep_other_colour<T: Real>(colour: Option<usize>, jk: usize, old: Option<&[T]>, out: &mut [T]) {
    let Some(colour) = colour else { return };
    let n = out.len() - 2;
    // The first point of the other colour: (i + jk + colour) odd.
    let first = (jk + colour + 1) % 2;
    for i in (first..n).step_by(2) {
        out[i + 1] = old.map_or(T::ZERO, |old| old[i + 1]);
    }
}

#[inline(always)]
pub(super) fn relax_slab<T: Real, S: Stencil<T>>(
    s: &S,
    [_, ny, nz]: [usize; 3],
    k: usize,
    step: Step<T>,
    r: &Ring<T>,
    from: &Ring<T>,
    to: &mut Ring<T>,
) {
    for j in 0..ny {
        let x = from.rows(j, k, S::CORNERS);
        let out = to.row_mut(j, k);
        s.relax(step.omega, j, k, r.row(j as isize, k as isize), x, out);
        keep_other_colour(step.colour, j + k, Some(x.c), out);
    }
    to.close_slab(k, nz, &s.ghosts(), S::MIDDLE);
}
