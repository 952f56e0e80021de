//! The second half of a cycle on one level: the coarse correction, and smoothing after it.

use super::super::io::{Layout, Part, PlainSource, Source};
use super::super::ops::Stencil;
use super::super::real::Real;
use super::super::transfer::Transfer;
use super::chunks::{chunk_slabs, cutting, for_each_chunk, runs_serially, widened};
use super::scratch::{Pool, Scratch};
use super::simd::{Kernel, run_wide};
use super::sweep::{Step, relax_slab};
use std::ops::Range;

/// out ← the steps from x + P e for A x = r, and dots_k ← Σ over slab k of r · out: one pass.
#[allow(clippy::too_many_arguments)]
pub(in super::super) fn ascend<T: Real, S: Stencil<T>, P: Transfer<T>, L: Layout<T>>(
    s: &S,
    p: &P,
    steps: &[Step<T>],
    pool: &Pool<T>,
    r: &impl Source<T>,
    x: &[T],
    e: &[T],
    layout: &L,
    out: &mut [L::Element],
    dots: &mut [f64],
) {
    let shape = *p.shape();
    let dims @ [_, _, nz] = shape.fine;
    let chunk = chunk_slabs(dims);
    let body = |c: usize, (mut out, mut dots): (Part<'_, L::Element>, Part<'_, f64>)| {
        pool.with(&shape, steps.len(), |scratch| {
            let range = c * chunk..((c + 1) * chunk).min(nz);
            run_wide(Chunk {
                s,
                p,
                steps,
                scratch,
                source: r,
                x,
                e,
                range,
                layout,
                out: &mut out,
                dots: &mut dots,
            });
        });
    };
    let cut = cutting(|(out, dots), c| {
        let (o0, o1) = out.split(layout.slab_start(c * chunk));
        let (d0, d1) = dots.split(c * chunk);
        ((o0, d0), (o1, d1))
    });
    let parts = (Part::new(out), Part::new(dots));
    for_each_chunk(0..nz.div_ceil(chunk), runs_serially(dims), parts, &cut, &body);
}

/// The slabs of one task.
struct Chunk<'a, 'b, T, S, P, R, L: Layout<T>> {
    s: &'a S,
    p: &'a P,
    steps: &'a [Step<T>],
    scratch: &'a mut Scratch<T>,
    source: &'a R,
    x: &'a [T],
    e: &'a [T],
    range: Range<usize>,
    layout: &'a L,
    out: &'a mut Part<'b, L::Element>,
    dots: &'a mut Part<'b, f64>,
}

impl<T: Real, S: Stencil<T>, P: Transfer<T>, R: Source<T>, L: Layout<T>> Kernel
    for Chunk<'_, '_, T, S, P, R, L>
{
    #[inline(always)]
    fn run(self) {
        let Self { s, p, steps, scratch, source, x, e, range, layout, out, dots } = self;
        let dims @ [nx, ny, nz] = p.shape().fine;
        let n_steps = steps.len();
        let Scratch { r, stages, rows, .. } = scratch;
        let x = PlainSource { dims, data: x };
        // Stage 0 is x + P e, stage q the result of step q − 1.
        let needed = |q: usize| widened(&range, n_steps - q, nz);
        for t in needed(0).start..needed(0).end + n_steps {
            for q in 0..=n_steps {
                let Some(k) = t.checked_sub(q).filter(|k| needed(q).contains(k)) else { continue };
                if q == 0 {
                    p.begin_slab(k, e, rows);
                    for j in 0..ny {
                        source.load(j, k, r.row_mut(j, k));
                        let row = stages[0].row_mut(j, k);
                        x.load(j, k, row);
                        p.prolong(j, k, e, rows, row);
                    }
                    stages[0].close_slab(k, nz, &s.ghosts(), S::MIDDLE);
                } else {
                    let (from, to) = stages.split_at_mut(q);
                    relax_slab(s, dims, k, steps[q - 1], r, &from[q - 1], &mut to[0]);
                }
                if q == n_steps {
                    let mut sum = 0.0;
                    for j in 0..ny {
                        let row = stages[q].row(j as isize, k as isize);
                        layout.store(j, k, row, out);
                        sum += row_dot(&r.row(j as isize, k as isize)[1..][..nx], &row[1..][..nx]);
                    }
                    dots.slice(k, 1)[0] = sum;
                }
            }
        }
    }
}

/// Σ a b in double precision, by eight running sums.
#[inline(always)]
pub(in super::super) fn row_dot<T: Real>(a: &[T], b: &[T]) -> f64 {
    let ((a8, a_rest), (b8, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a8.iter().zip(b8) {
        for l in 0..8 {
            sums[l] += a[l].wide() * b[l].wide();
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a.wide() * b.wide()).sum();
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest
}
