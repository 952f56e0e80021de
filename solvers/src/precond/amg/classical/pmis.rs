//! Parallel modified independent set: which points become coarse (C), which stay fine (F).
//!
//! Each point has the weight wᵢ = (number of points that depend on i) + ρᵢ, ρᵢ a hash of i in [0, 1). In
//! rounds, the undecided points whose weight is the largest among their undecided neighbours, in either
//! direction, become C, and the undecided points that depend on a C point become F (De Sterck, Yang and
//! Heys 2006, section 3). C is a maximal independent set where the graph is symmetric. Each
//! round works on what the last one left.
//!
//! A point on which nobody depends, or that depends on nobody, is F from the start.
//!
//! All that concurrent tasks write to a cell within a pass is one and the same value, so that their order
//! does not matter.

use super::graph::Graph;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Points that one task looks at, at least.
const GRAIN: usize = 4096;

/// What a point is so far.
const UNDECIDED: u8 = 0;
const COARSE: u8 = 1;
const FINE: u8 = 2;
/// Undecided, and lighter than some undecided neighbour.
const LIGHTER: u8 = 3;

/// Whether each vertex is coarse.
pub(super) fn split(graph: &Graph, seed: u64) -> Vec<bool> {
    split_from(graph, seed, |_| false)
}

/// [`split`] with some points coarse from the start.
pub(super) fn split_from(graph: &Graph, seed: u64, is_coarse: impl Fn(usize) -> bool + Sync) -> Vec<bool> {
    let n = graph.len();
    let mut weights: Vec<u64> = graph.in_degrees().into_iter().map(u64::from).collect();
    weights.par_iter_mut().with_min_len(GRAIN).enumerate().for_each(|(i, w)| {
        *w = *w << 32 | hash(seed, i as u64) >> 32;
    });
    let state: Vec<AtomicU8> = (0..n)
        .into_par_iter()
        .with_min_len(GRAIN)
        .map(|i| {
            let lonely = graph.row(i).is_empty() || weights[i] >> 32 == 0;
            let depends = || graph.row(i).iter().any(|&j| is_coarse(j as usize));
            AtomicU8::new(match lonely {
                false if is_coarse(i) => COARSE,
                false if !depends() => UNDECIDED,
                _ => FINE,
            })
        })
        .collect();
    let get = |i: u32| state[i as usize].load(Relaxed);
    let set = |i: u32, value: u8| state[i as usize].store(value, Relaxed);
    let undecided = |active: &[u32]| -> Vec<u32> {
        active.par_iter().with_min_len(GRAIN).copied().filter(|&i| get(i) == UNDECIDED).collect()
    };

    let mut active = undecided(&(0..n as u32).collect::<Vec<_>>());
    // Each round settles the heaviest undecided point at least, so this ends.
    while !active.is_empty() {
        active.par_iter().with_min_len(GRAIN).for_each(|&i| {
            let weight = (weights[i as usize], i);
            for &j in graph.row(i as usize) {
                let other = get(j);
                if j != i && (other == UNDECIDED || other == LIGHTER) {
                    set(if weight > (weights[j as usize], j) { j } else { i }, LIGHTER);
                }
            }
        });
        active.par_iter().with_min_len(GRAIN).for_each(|&i| {
            if get(i) == UNDECIDED {
                set(i, COARSE);
            }
        });
        active.par_iter().with_min_len(GRAIN).for_each(|&i| {
            if get(i) != COARSE {
                let depends = graph.row(i as usize).iter().any(|&j| get(j) == COARSE);
                set(i, if depends { FINE } else { UNDECIDED });
            }
        });
        active = undecided(&active);
    }
    state.into_par_iter().with_min_len(GRAIN).map(|s| s.into_inner() == COARSE).collect()
}

/// 64 well mixed bits for point `i`: the output function of splitmix64 (Steele, Lea and Flood 2014).
fn hash(seed: u64, i: u64) -> u64 {
    let z = seed.wrapping_add((i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
