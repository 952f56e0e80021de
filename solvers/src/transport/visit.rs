//! Passes over the rows of a cost for everything that is not the solve itself.
//!
//! Rows are cut into blocks whose number depends on the size alone, and what blocks accumulate is added in
//! their order, so that results do not depend on the number of threads.

use super::Cost;
use rayon::prelude::*;

/// Most blocks, and so private accumulators.
const MAX_BLOCKS: usize = 48;

/// Pairs that are worth a block.
const BLOCK_PAIRS: usize = 16 * 1024;

/// Rows of a block of an n × m problem.
fn block_rows(n: usize, m: usize) -> usize {
    let blocks = (n.saturating_mul(m) / BLOCK_PAIRS).clamp(1, MAX_BLOCKS);
    n.div_ceil(blocks).max(1)
}

/// Row `i` of the cost: a view where it is stored, else computed into `buffer` (length m).
pub(super) fn row<'a>(cost: &'a Cost, i: usize, buffer: &'a mut [f64]) -> &'a [f64] {
    match cost {
        Cost::Dense(dense) => {
            let m = cost.cols();
            &dense.values()[i * m..(i + 1) * m]
        }
        Cost::Points(points) => {
            let x = points.source().point(i);
            for (j, c) in buffer.iter_mut().enumerate() {
                *c = points.ground().between(x, points.target().point(j));
            }
            buffer
        }
    }
}

/// f(i, costs of row i) for every row, in parallel.
pub(super) fn map_rows<T: Send>(cost: &Cost, f: impl Fn(usize, &[f64]) -> T + Sync) -> Vec<T> {
    let (n, m) = (cost.rows(), cost.cols());
    (0..n)
        .into_par_iter()
        .with_min_len(block_rows(n, m).min(64))
        .map_init(|| vec![0.0; m], |buffer, i| f(i, row(cost, i, buffer)))
        .collect()
}

/// Calls `f(i, costs of row i, accumulator)` for every row, and joins the accumulators of the blocks in
/// their order; each begins as `start`.
pub(super) fn fold_rows<A: Clone + Send + Sync>(
    cost: &Cost,
    start: &A,
    f: impl Fn(usize, &[f64], &mut A) + Sync,
    join: impl Fn(&mut A, A),
) -> A {
    let (n, m) = (cost.rows(), cost.cols());
    let rows = block_rows(n, m);
    let blocks: Vec<A> = (0..n.div_ceil(rows))
        .into_par_iter()
        .map(|block| {
            let (mut accumulator, mut buffer) = (start.clone(), vec![0.0; m]);
            for i in block * rows..((block + 1) * rows).min(n) {
                f(i, row(cost, i, &mut buffer), &mut accumulator);
            }
            accumulator
        })
        .collect();
    let mut all = start.clone();
    blocks.into_iter().for_each(|block| join(&mut all, block));
    all
}

/// p ← p + q.
pub(super) fn add(p: &mut [f64], q: &[f64]) {
    p.iter_mut().zip(q).for_each(|(p, q)| *p += q);
}
