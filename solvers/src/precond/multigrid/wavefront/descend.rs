//! The first half of a cycle on one level: smoothing from 0, and the restriction of the residual.

use super::super::io::{Layout, Part, Plain, Source};
use super::super::ops::Stencil;
use super::super::real::Real;
use super::super::transfer::{Shape, Transfer};
use super::chunks::{chunk_slabs, cutting, for_each_chunk, runs_serially, widened};
use super::scratch::{Pool, Scratch};
use super::simd::{Kernel, run_wide};
use super::sweep::{Step, keep_other_colour, relax_slab};
use std::ops::Range;

/// x ← ν steps from 0 for A x = r, and rc ← Pᵀ (r − A x): one pass. `x` has one element a point.
#[allow(clippy::too_many_arguments)]
pub(in super::super) fn descend<T: Real, S: Stencil<T>, P: Transfer<T>>(
    s: &S,
    p: &P,
    steps: &[Step<T>],
    pool: &Pool<T>,
    r: &impl Source<T>,
    x: &mut [T],
    rc: &mut [T],
) {
    let shape = *p.shape();
    let dims @ [nx, ny, nz] = shape.fine;
    let (slab, plane) = (nx * ny, shape.coarse[0] * shape.coarse[1]);
    let chunk = chunk_slabs(dims);
    let parent = |k: usize| if shape.coarsen[2] { k.div_ceil(2) } else { k };
    let body = |c: usize, (mut x, mut rc): (Part<'_, T>, Part<'_, T>)| {
        pool.with(&shape, steps.len(), |scratch| {
            let range = c * chunk..((c + 1) * chunk).min(nz);
            run_wide(Chunk { s, p, steps, scratch, source: r, range, x: &mut x, rc: &mut rc });
        });
    };
    let cut = cutting(|(x, rc), c| {
        let (x0, x1) = x.split(c * chunk * slab);
        let (r0, r1) = rc.split(parent(c * chunk) * plane);
        ((x0, r0), (x1, r1))
    });
    let parts = (Part::new(x), Part::new(rc));
    for_each_chunk(0..nz.div_ceil(chunk), runs_serially(dims), parts, &cut, &body);
}

/// The slabs of one task.
struct Chunk<'a, 'b, T, S, P, R> {
    s: &'a S,
    p: &'a P,
    steps: &'a [Step<T>],
    scratch: &'a mut Scratch<T>,
    source: &'a R,
    range: Range<usize>,
    x: &'a mut Part<'b, T>,
    rc: &'a mut Part<'b, T>,
}

impl<T: Real, S: Stencil<T>, P: Transfer<T>, R: Source<T>> Kernel for Chunk<'_, '_, T, S, P, R> {
    #[inline(always)]
    fn run(self) {
        let Self { s, p, steps, scratch, source, range, x, rc } = self;
        let shape = *p.shape();
        let dims @ [nx, ny, nz] = shape.fine;
        let n_steps = steps.len();
        let Scratch { r, stages, rows, defect, own, next } = scratch;
        let coarse_plane = shape.coarse[0] * shape.coarse[1];
        let halo = usize::from(shape.coarsen[2]);
        let defects = widened(&range, halo, nz);
        // Stage q (0-based) of the smoother is needed on this range.
        let needed = |q: usize| widened(&range, halo + n_steps - q, nz);
        let plain = Plain { dims };
        let first = needed(0).start;
        // Lags: step q at slab t − q, the residual at t − n_steps.
        for t in first..needed(0).end + n_steps + 1 {
            for (q, step) in steps.iter().enumerate() {
                let Some(k) = t.checked_sub(q).filter(|k| needed(q).contains(k)) else { continue };
                if q == 0 {
                    for j in 0..ny {
                        source.load(j, k, r.row_mut(j, k));
                        let out = stages[0].row_mut(j, k);
                        s.scaled(step.omega, j, k, r.row(j as isize, k as isize), out);
                        keep_other_colour(step.colour, j + k, None, out);
                    }
                    stages[0].close_slab(k, nz, &s.ghosts(), S::MIDDLE);
                } else {
                    let (from, to) = stages.split_at_mut(q);
                    relax_slab(s, dims, k, *step, r, &from[q - 1], &mut to[0]);
                }
                if q + 1 == n_steps && range.contains(&k) {
                    for j in 0..ny {
                        Layout::<T>::store(&plain, j, k, stages[q].row(j as isize, k as isize), x);
                    }
                }
            }
            let Some(k) = t.checked_sub(n_steps).filter(|k| defects.contains(k)) else { continue };
            let slot = k % 4 * coarse_plane..(k % 4 + 1) * coarse_plane;
            let (own_k, next_k) = (&mut own[slot.clone()], &mut next[slot]);
            own_k.fill(T::ZERO);
            next_k.fill(T::ZERO);
            for j in 0..ny {
                let x = stages[n_steps - 1].rows(j, k, S::CORNERS);
                s.defect(j, k, r.row(j as isize, k as isize), x, &mut defect[..nx + 2]);
                p.restrict(j, k, defect, rows, own_k, next_k);
            }
            emit_coarse(&shape, k, &range, own, next, rc);
        }
    }
}

/// Writes the coarse slab that is complete once fine slab `k` was restricted, if it belongs to `range`.
#[inline(always)]
fn emit_coarse<T: Real>(
    shape: &Shape,
    k: usize,
    range: &Range<usize>,
    own: &[T],
    next: &[T],
    rc: &mut Part<'_, T>,
) {
    let (plane, nz) = (shape.coarse[0] * shape.coarse[1], shape.fine[2]);
    let slot = |k: usize| k % 4 * plane..(k % 4 + 1) * plane;
    if !shape.coarsen[2] {
        if range.contains(&k) {
            rc.slice(k * plane, plane).copy_from_slice(&own[slot(k)]);
        }
        return;
    }
    let mut write = |parent: usize| {
        let low = 2 * parent;
        if !range.contains(&low) {
            return;
        }
        let out = rc.slice(parent * plane, plane);
        out.copy_from_slice(&own[slot(low)]);
        let mut add = |part: &[T]| out.iter_mut().zip(part).for_each(|(out, &v)| *out += v);
        if low + 1 < nz {
            add(&own[slot(low + 1)]);
        }
        if low > 0 {
            add(&next[slot(low - 1)]);
        }
        if low + 2 < nz {
            add(&next[slot(low + 2)]);
        }
    };
    // Parent K is complete after fine slab 2K + 2, or the last.
    if k.is_multiple_of(2) && k >= 2 {
        write(k / 2 - 1);
    }
    if k + 1 == nz {
        write(k / 2);
    }
}
