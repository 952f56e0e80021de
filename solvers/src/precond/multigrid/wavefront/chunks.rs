//! Chunks of slabs, shared out among threads with the parts of the outputs that belong to them.

use super::super::io::Part;
use std::ops::Range;

/// Points below which a pass is over before a second thread has woken up.
const MIN_PARALLEL: usize = 1 << 15;
/// Slabs of a chunk: enough to hide the ones done twice.
const CHUNK_3D: usize = 16;
const CHUNK_2D: usize = 64;

pub(in super::super) fn chunk_slabs([_, ny, _]: [usize; 3]) -> usize {
    if ny > 1 { CHUNK_3D } else { CHUNK_2D }
}

/// Whether a pass over so few points is left to one thread.
pub(in super::super) fn runs_serially(dims: [usize; 3]) -> bool {
    dims.iter().product::<usize>() < MIN_PARALLEL
}

/// `body(chunk, its part)` for all chunks, in parallel; `cut` splits before a chunk.
pub(in super::super) fn for_each_chunk<P: Send>(
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
pub(in super::super) type Pair<'a, A, B> = (Part<'a, A>, Part<'a, B>);

/// Names the lifetimes of a closure that cuts.
pub(in super::super) fn cutting<'a, A: 'a, B: 'a, F>(cut: F) -> F
where
    F: Fn(Pair<'a, A, B>, usize) -> (Pair<'a, A, B>, Pair<'a, A, B>),
{
    cut
}

/// Slabs from `before` in front of `range` to `after` behind it, within the domain.
pub(super) fn widened(range: &Range<usize>, by: usize, n: usize) -> Range<usize> {
    range.start.saturating_sub(by)..(range.end + by).min(n)
}
