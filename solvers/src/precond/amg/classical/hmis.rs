//! First pass of Ruge and Stüben's coarsening, whose coarse points PMIS starts from: HMIS (De Sterck, Yang and
//! Heys 2006, section 4).
//!
//! The undecided point of the largest measure |{j undecided: j depends on i}| + 2 |{j fine: j depends on i}| becomes
//! coarse and those that depend on it fine, until no measure is left. Blocks of rows of a fixed size are passed
//! through independently, so that the result does not depend on the number of threads; a coarse point with
//! neighbours in another block is given back to PMIS.

use super::graph::Graph;
use rayon::prelude::*;

/// Rows of a block, many times as many as couple to the next block.
pub(super) const BLOCK_ROWS: usize = 1 << 18;

/// Coarse points of the first pass over blocks of about `block_rows` rows.
pub(super) fn first_pass(graph: &Graph, block_rows: usize) -> Vec<bool> {
    let n = graph.len();
    let rows = n.div_ceil((n / block_rows.max(1)).max(1)).max(1);
    let degrees = graph.in_degrees();
    let mut is_coarse = vec![false; n];
    is_coarse
        .par_chunks_mut(rows)
        .enumerate()
        .for_each(|(block, part)| pass_block(graph, block * rows, &degrees, part));
    is_coarse
}

/// The pass over the rows from `first` on.
fn pass_block(graph: &Graph, first: usize, degrees: &[u32], is_coarse: &mut [bool]) {
    let n = is_coarse.len();
    let inside = |i: usize| {
        let row = graph.row(first + i).iter().map(move |&j| (j as usize).wrapping_sub(first));
        row.filter(move |&j| j < n && j != i)
    };
    // Who depends on each point, within the block.
    let mut starts = vec![0usize; n + 1];
    (0..n).for_each(|i| inside(i).for_each(|j| starts[j + 1] += 1));
    let mut measure: Vec<usize> = starts[1..].to_vec();
    (0..n).for_each(|i| starts[i + 1] += starts[i]);
    let mut free = starts.clone();
    let mut dependents = vec![0u32; starts[n]];
    for i in 0..n {
        for j in inside(i) {
            dependents[free[j]] = i as u32;
            free[j] += 1;
        }
    }
    // A point is in the bucket of each measure it has had; only the entry of the present one counts.
    let most = measure.iter().max().map_or(0, |&m| 2 * m);
    let mut buckets: Vec<Vec<u32>> = vec![Vec::new(); most + 1];
    let mut is_decided: Vec<bool> = (0..n).map(|i| graph.row(first + i).is_empty()).collect();
    (0..n).rev().filter(|&i| !is_decided[i]).for_each(|i| buckets[measure[i]].push(i as u32));
    let mut top = most;
    while top > 0 {
        let Some(i) = buckets[top].pop().map(|i| i as usize) else {
            top -= 1;
            continue;
        };
        if is_decided[i] || measure[i] != top {
            continue;
        }
        is_decided[i] = true;
        is_coarse[i] = true;
        for &j in &dependents[starts[i]..starts[i + 1]] {
            let j = j as usize;
            if !is_decided[j] {
                is_decided[j] = true;
                for k in inside(j).filter(|&k| !is_decided[k]) {
                    measure[k] += 1;
                    buckets[measure[k]].push(k as u32);
                    top = top.max(measure[k]);
                }
            }
        }
        for k in inside(i).filter(|&k| !is_decided[k]) {
            measure[k] -= 1;
            buckets[measure[k]].push(k as u32);
        }
    }
    for (i, is_coarse) in is_coarse.iter_mut().enumerate() {
        let depends_inside = graph.row(first + i).iter().all(|&j| (j as usize).wrapping_sub(first) < n);
        *is_coarse &= depends_inside && degrees[first + i] as usize == starts[i + 1] - starts[i];
    }
}
