//! Aggressive coarsening: the C points of a first splitting are split once more.
//!
//! In the graph S² of the first C points, i depends on j when j is reached from i by one or two strong couplings
//! (A1 of De Sterck, Yang and Heys 2006, section 5; Stüben 2001, section 7.1.2). Those that this second
//! splitting keeps stay C, the others become F. About one point in sixteen is left in three dimensions, one in
//! ten in two, which is what makes the operators of all coarser grids cheap.

use super::graph::Graph;
use super::{Splitting, pmis};
use crate::SolveError;
use crate::precond::amg::rows;
use rayon::prelude::*;

/// The C points that stay, among all points of `graph`. Rows longer than `long` are not walked through.
pub(super) fn thin(
    graph: &Graph,
    first: &Splitting,
    long: usize,
    seed: u64,
) -> Result<Vec<bool>, SolveError> {
    let points: Vec<u32> = (0..graph.len() as u32).filter(|&i| first.is_coarse[i as usize]).collect();
    let second = Graph::new(rows::build(
        points.len(),
        || vec![false; points.len()],
        |seen: &mut Vec<bool>, i, out| {
            let start = out.cols.len();
            seen[i] = true;
            let mut visit = |j: u32| {
                let number = first.number[j as usize];
                if first.is_coarse[j as usize] && !seen[number as usize] {
                    seen[number as usize] = true;
                    out.cols.push(number);
                }
            };
            for &j in graph.row(points[i] as usize) {
                visit(j);
                let next = graph.row(j as usize);
                if next.len() <= long {
                    next.iter().for_each(|&k| visit(k));
                }
            }
            let row = &mut out.cols[start..];
            row.iter().for_each(|&j| seen[j as usize] = false);
            seen[i] = false;
            row.sort_unstable();
            out.vals.resize(out.cols.len(), ());
        },
    )?);
    let mut kept = pmis::split(&second, seed);
    // A first C point that reaches no kept one stays as well: interpolation could not reach one either.
    let lost: Vec<bool> = (0..points.len())
        .into_par_iter()
        .with_min_len(rows::ROWS)
        .map(|i| !kept[i] && !second.row(i).iter().any(|&j| kept[j as usize]))
        .collect();
    kept.iter_mut().zip(&lost).for_each(|(kept, &lost)| *kept |= lost);
    let mut is_coarse = first.is_coarse.clone();
    points.iter().zip(&kept).for_each(|(&i, &kept)| is_coarse[i as usize] = kept);
    Ok(is_coarse)
}
