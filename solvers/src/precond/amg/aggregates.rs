//! Grouping of the unknowns into aggregates along strong couplings.
//!
//! Greedy (after Vaněk, Mandel, Brezina 1996, algorithm 5.1, with neighbours of neighbours): the unknowns are visited
//! in their natural order; one that has no aggregate yet founds one with its free neighbours. Remaining ones join the
//! aggregate of a neighbour. Blocks of rows of a fixed size are grouped independently and in parallel, so that
//! the result does not depend on the number of threads.

use super::graph::Graph;
use rayon::prelude::*;

/// No aggregate: the unknown has no strong coupling and is left to the smoother.
pub(super) const NONE: u32 = u32::MAX;

/// The aggregate of each unknown, or [`NONE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aggregates {
    pub of: Vec<u32>,
    pub count: usize,
}

/// Rows of a block that is grouped on its own. At its ends aggregates are cut short, so it must be many times as large
/// as the boundary between two blocks.
const BLOCK_ROWS: usize = 1 << 18;

/// Not visited.
const FREE: u32 = u32::MAX - 1;

/// Groups in natural order.
pub(super) fn greedy(graph: &Graph) -> Aggregates {
    let n = graph.len();
    let blocks = (n / BLOCK_ROWS).max(1);
    let rows = n.div_ceil(blocks).max(1);
    let mut of = vec![FREE; n];
    let counts: Vec<u32> =
        of.par_chunks_mut(rows).enumerate().map(|(block, of)| found_block(graph, block * rows, of)).collect();
    let mut starts = Vec::with_capacity(counts.len());
    let mut count = 0;
    for c in counts {
        starts.push(count);
        count += c;
    }
    of.par_chunks_mut(rows).zip(starts).for_each(|(of, start)| {
        for a in of.iter_mut().filter(|a| **a < FREE) {
            *a += start;
        }
    });
    Aggregates { of, count: count as usize }
}

/// Founds aggregates of the rows from `first` on; returns their number.
fn found_block(graph: &Graph, first: usize, of: &mut [u32]) -> u32 {
    let n = of.len();
    let inside = |j: u32| (j as usize).wrapping_sub(first);
    let mut count = 0;
    // First pass: a row whose neighbours are all free founds an aggregate with them.
    for k in 0..n {
        if of[k] != FREE {
            continue;
        }
        let neighbours = graph.of(first + k);
        if neighbours.is_empty() {
            of[k] = NONE;
            continue;
        }
        if neighbours.iter().all(|&j| inside(j) >= n || of[inside(j)] == FREE) {
            of[k] = count;
            for &j in neighbours {
                if inside(j) < n {
                    of[inside(j)] = count;
                }
            }
            count += 1;
        }
    }
    // Second pass: the rest join the aggregate of a neighbour as the first pass left it.
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for k in 0..n {
        if of[k] == FREE
            && let Some(&j) = graph.of(first + k).iter().find(|&&j| inside(j) < n && of[inside(j)] < FREE)
        {
            joined.push((k as u32, of[inside(j)]));
        }
    }
    for (k, aggregate) in joined {
        of[k as usize] = aggregate;
    }
    // Third pass: what is left groups among itself.
    for k in 0..n {
        if of[k] == FREE {
            of[k] = count;
            for &j in graph.of(first + k) {
                if inside(j) < n && of[inside(j)] == FREE {
                    of[inside(j)] = count;
                }
            }
            count += 1;
        }
    }
    count
}
