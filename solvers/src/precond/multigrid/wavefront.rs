//! Both halves of a cycle on one level, each as one pass over memory.
//!
//! A pass walks over the slabs (rows in 2D, planes in 3D). While slab t is read, stage s works on slab t − s: sweep 1
//! on slab t − 1, sweep 2 on slab t − 2, the residual behind them, its restriction last. A stage keeps its last few
//! slabs in a [`Ring`] that stays in cache, so only r, x and the coarse vector touch memory. Threads take chunks of
//! slabs, and do the few slabs that a neighbour's chunk needs as well twice; so a result does not depend on who
//! did it.

use super::io::{Layout, Part, Source};
use super::ops::Stencil;
use super::real::Real;
use super::ring::Ring;
use super::transfer::{RowScratch, Shape, Transfer};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// One step of the smoother: x ← x + ω D⁻¹ (r − A x), on all points or on those with (i + j + k) mod 2 = colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step<T> {
    pub(super) omega: T,
    pub(super) colour: Option<usize>,
}

/// What one task needs.
#[derive(Debug, Clone)]
pub(super) struct Scratch<T> {
    r: Ring<T>,
    stages: Vec<Ring<T>>,
    rows: RowScratch<T>,
    defect: Vec<T>,
    /// Coarse planes of four fine slabs: what goes to the parent, and to its outward neighbour.
    own: Vec<T>,
    next: Vec<T>,
}

impl<T: Real> Scratch<T> {
    pub(super) fn new(shape: &Shape, steps: usize) -> Self {
        let plane = shape.coarse[0] * shape.coarse[1];
        Self {
            r: Ring::new(shape.fine, steps + 2),
            stages: vec![Ring::new(shape.fine, 0); steps + 1],
            rows: RowScratch::new(shape),
            defect: vec![T::ZERO; shape.fine[0] + 2],
            own: vec![T::ZERO; 4 * plane],
            next: vec![T::ZERO; 4 * plane],
        }
    }
}

/// Scratch that tasks borrow; as many as there are threads, or more if ever needed.
#[derive(Debug, Default)]
pub(super) struct Pool<T>(Mutex<Vec<Scratch<T>>>);

impl<T: Real> Pool<T> {
    pub(super) fn new(shape: &Shape, steps: usize, tasks: usize) -> Self {
        Self(Mutex::new((0..tasks).map(|_| Scratch::new(shape, steps)).collect()))
    }
    fn with(&self, shape: &Shape, steps: usize, body: impl FnOnce(&mut Scratch<T>)) {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = lock().pop();
        let mut scratch = taken.unwrap_or_else(|| Scratch::new(shape, steps));
        body(&mut scratch);
        lock().push(scratch);
    }
}

/// Points below which a pass is over before a second thread has woken up.
const MIN_PARALLEL: usize = 1 << 15;
/// Slabs of a chunk: enough to hide the ones done twice.
const CHUNK_3D: usize = 16;
const CHUNK_2D: usize = 64;

pub(super) fn chunk_slabs([_, ny, _]: [usize; 3]) -> usize {
    if ny > 1 { CHUNK_3D } else { CHUNK_2D }
}

/// Whether a pass over so few points is left to one thread.
pub(super) fn runs_serially(dims: [usize; 3]) -> bool {
    dims.iter().product::<usize>() < MIN_PARALLEL
}

/// `body(chunk, its part)` for all chunks, in parallel; `cut` splits before a chunk.
pub(super) fn for_each_chunk<P: Send>(
    chunks: Range<usize>,
    serial: bool,
    part: P,
    cut: &(impl Fn(P, usize) -> (P, P) + Sync),
    body: &(impl Fn(usize, P) + Sync),
) {
    if chunks.len() <= 1 {
        return body(chunks.start, part);
    }
    let mid = chunks.start + chunks.len().div_ceil(2);
    let (low, high) = cut(part, mid);
    let left = || for_each_chunk(chunks.start..mid, serial, low, cut, body);
    let right = || for_each_chunk(mid..chunks.end, serial, high, cut, body);
    if serial {
        left();
        right();
    } else {
        rayon::join(left, right);
    }
}

/// Two outputs that are cut together.
pub(super) type Pair<'a, A, B> = (Part<'a, A>, Part<'a, B>);

/// Names the lifetimes of a closure that cuts.
pub(super) fn cutting<'a, A: 'a, B: 'a, F>(cut: F) -> F
where
    F: Fn(Pair<'a, A, B>, usize) -> (Pair<'a, A, B>, Pair<'a, A, B>),
{
    cut
}

/// Runs `$body` compiled for AVX2 where the machine has it; the arithmetic is the same.
macro_rules! with_wide_vectors {
    ($body:expr) => {{
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2")]
            fn wide(body: impl FnOnce()) {
                body();
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the feature was just detected.
                unsafe { wide(|| $body) };
            } else {
                $body
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        $body
    }};
}

pub(super) use with_wide_vectors;

/// Puts the values of the other colour back: those of `old`, or 0 where there are none.
#[inline(always)]
fn keep_other_colour<T: Real>(colour: Option<usize>, jk: usize, old: Option<&[T]>, out: &mut [T]) {
    let Some(colour) = colour else { return };
    let n = out.len() - 2;
    // The first point of the other colour: (i + jk + colour) odd.
    let first = (jk + colour + 1) % 2;
    for i in (first..n).step_by(2) {
        out[i + 1] = old.map_or(T::ZERO, |old| old[i + 1]);
    }
}

#[inline(always)]
fn relax_slab<T: Real, S: Stencil<T>>(
    s: &S,
    [_, ny, nz]: [usize; 3],
    k: usize,
    step: Step<T>,
    r: &Ring<T>,
    from: &Ring<T>,
    to: &mut Ring<T>,
) {
    for j in 0..ny {
        let x = from.rows(j, k);
        let out = to.row_mut(j, k);
        s.relax(step.omega, j, k, r.row(j as isize, k as isize), x, out);
        keep_other_colour(step.colour, j + k, Some(x.c), out);
    }
    to.close_slab(k, nz, &s.ghosts(), S::MIDDLE);
}

/// Slabs from `before` in front of `range` to `after` behind it, within the domain.
fn widened(range: &Range<usize>, by: usize, n: usize) -> Range<usize> {
    range.start.saturating_sub(by)..(range.end + by).min(n)
}

/// x ← ν steps from 0 for A x = r, and rc ← Pᵀ (r − A x): one pass. Returns nothing; `x` has one element a point.
#[allow(clippy::too_many_arguments)]
pub(super) fn descend<T: Real, S: Stencil<T>, P: Transfer<T>>(
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
            with_wide_vectors!(descend_chunk(s, p, steps, scratch, r, range.clone(), &mut x, &mut rc));
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

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn descend_chunk<T: Real, S: Stencil<T>, P: Transfer<T>>(
    s: &S,
    p: &P,
    steps: &[Step<T>],
    scratch: &mut Scratch<T>,
    source: &impl Source<T>,
    range: Range<usize>,
    x: &mut Part<'_, T>,
    rc: &mut Part<'_, T>,
) {
    let shape = *p.shape();
    let dims @ [nx, ny, nz] = shape.fine;
    let n_steps = steps.len();
    let Scratch { r, stages, rows, defect, own, next } = scratch;
    let coarse_plane = shape.coarse[0] * shape.coarse[1];
    let halo = usize::from(shape.coarsen[2]);
    let defects = widened(&range, halo, nz);
    // Stage q (0-based) of the smoother is needed on this range.
    let needed = |q: usize| widened(&range, halo + n_steps - q, nz);
    let plain = super::io::Plain { dims };
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
                    super::io::Layout::<T>::store(&plain, j, k, stages[q].row(j as isize, k as isize), x);
                }
            }
        }
        let Some(k) = t.checked_sub(n_steps).filter(|k| defects.contains(k)) else { continue };
        let slot = k % 4 * coarse_plane..(k % 4 + 1) * coarse_plane;
        let (own_k, next_k) = (&mut own[slot.clone()], &mut next[slot]);
        own_k.fill(T::ZERO);
        next_k.fill(T::ZERO);
        for j in 0..ny {
            let x = stages[n_steps - 1].rows(j, k);
            s.defect(j, k, r.row(j as isize, k as isize), x, &mut defect[..nx + 2]);
            p.restrict(j, k, defect, rows, own_k, next_k);
        }
        emit_coarse(&shape, k, &range, own, next, rc);
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

/// out ← the steps from x + P e for A x = r, and dots_k ← Σ over slab k of r · out: one pass.
#[allow(clippy::too_many_arguments)]
pub(super) fn ascend<T: Real, S: Stencil<T>, P: Transfer<T>, L: Layout<T>>(
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
            with_wide_vectors!(ascend_chunk(
                s,
                p,
                steps,
                scratch,
                r,
                x,
                e,
                range.clone(),
                layout,
                &mut out,
                &mut dots
            ));
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

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn ascend_chunk<T: Real, S: Stencil<T>, P: Transfer<T>, L: Layout<T>>(
    s: &S,
    p: &P,
    steps: &[Step<T>],
    scratch: &mut Scratch<T>,
    source: &impl Source<T>,
    x: &[T],
    e: &[T],
    range: Range<usize>,
    layout: &L,
    out: &mut Part<'_, L::Element>,
    dots: &mut Part<'_, f64>,
) {
    let dims @ [nx, ny, nz] = p.shape().fine;
    let n_steps = steps.len();
    let Scratch { r, stages, rows, .. } = scratch;
    let x = super::io::PlainSource { dims, data: x };
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

/// Σ a b in double precision, by eight running sums.
#[inline(always)]
pub(super) fn row_dot<T: Real>(a: &[T], b: &[T]) -> f64 {
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
