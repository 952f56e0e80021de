//! Strength of connection: which neighbours the error at a point follows after smoothing.
//!
//! Point i depends strongly on j when
//!
//! ```text
//! −s aᵢⱼ ≥ θ max_{k≠i} (−s aᵢₖ) > 0,   s = sign(aᵢᵢ)
//! ```
//!
//! (Ruge and Stüben 1987, eq. 3.1), so couplings with the sign of the diagonal are always weak. A row whose
//! diagonal outweighs its couplings, |Σⱼ aᵢⱼ| > 0.9 |aᵢᵢ|, depends on nothing: relaxation alone solves it
//! (the `max_row_sum` of BoomerAMG; Henson and Yang 2002).

use super::graph::Graph;
use crate::SolveError;
use crate::precond::amg::rows::{self, ROWS};
use rayon::prelude::*;
use residua_data::CsrMatrix;

/// Above this ratio of row sum to diagonal a row needs no coarse grid.
const MAX_ROW_SUM: f64 = 0.9;

/// The strong couplings of a matrix.
pub(super) struct Strength {
    /// For each stored entry of A, whether it is a strong coupling.
    pub(super) strong: Vec<bool>,
    /// Row i lists the points that i depends on strongly.
    pub(super) graph: Graph,
}

impl Strength {
    /// Of a square matrix A, with threshold θ = `threshold` in [0, 1].
    pub(super) fn new(a: &CsrMatrix<f64>, threshold: f64) -> Result<Self, SolveError> {
        let (n, row_ptr) = (a.nrows(), a.row_ptr());
        let mut strong = vec![false; a.nnz()];
        rows::split_by_rows(row_ptr, &mut strong).into_par_iter().for_each(|(first, strong)| {
            for i in first..(first + ROWS).min(n) {
                let (cols, vals) = a.row(i);
                let at = (row_ptr[i] - row_ptr[first]) as usize;
                mark_row(i, cols, vals, threshold, &mut strong[at..at + cols.len()]);
            }
        });
        let graph = Graph::new(rows::build(
            n,
            || (),
            |(), i, buffer| {
                let cols = a.row(i).0;
                let strong = &strong[row_ptr[i] as usize..][..cols.len()];
                buffer.cols.extend(cols.iter().zip(strong).filter(|&(_, &s)| s).map(|(&j, _)| j));
                buffer.vals.resize(buffer.cols.len(), ());
            },
        )?);
        Ok(Self { strong, graph })
    }
}

/// Marks the strong couplings of row `i`.
fn mark_row(i: usize, cols: &[u32], vals: &[f64], threshold: f64, strong: &mut [bool]) {
    let (mut diagonal, mut sum) = (0.0, 0.0);
    let (mut lowest, mut highest) = (0.0, 0.0);
    for (&j, &v) in cols.iter().zip(vals) {
        sum += v;
        if j as usize == i {
            diagonal = v;
        } else {
            lowest = if v < lowest { v } else { lowest };
            highest = if v > highest { v } else { highest };
        }
    }
    let sign = if diagonal < 0.0 { -1.0 } else { 1.0 };
    let largest = if diagonal < 0.0 { highest } else { -lowest };
    // A row sum of NaN fails the comparison: the row then has no strong coupling.
    let is_coupled = sum.abs() <= MAX_ROW_SUM * f64::abs(diagonal) || (diagonal == 0.0 && !sum.is_nan());
    if !is_coupled || largest <= 0.0 {
        return;
    }
    let bound = threshold * largest;
    for ((strong, &j), &v) in strong.iter_mut().zip(cols).zip(vals) {
        let coupling = -sign * v;
        *strong = coupling >= bound && coupling > 0.0 && j as usize != i;
    }
}
