//! Interpolation after aggressive coarsening, in two stages: P = P₁ P₂.
//!
//! P₁ interpolates all points from the C points of the first splitting, P₂ those from the ones that were kept,
//! both by extended+i on A itself (Yang 2010, section 3.3): a first C point has a kept one within two strong
//! couplings, which is what extended+i reaches. Costs one product more than multipass interpolation (Stüben
//! 2001) and takes a fifth to a third off the iterations.

use super::row::{Row, Truncation};
use super::{Splitting, extended};
use crate::SolveError;
use crate::precond::amg::rows::{self, Buffer, Rows};
use residua_data::CsrMatrix;

/// The rows of P, from the splittings before and after thinning; rows of A above `long` entries are not walked
/// through.
pub(super) fn interpolate(
    (a, strong): (&CsrMatrix<f64>, &[bool]),
    (first, second): (&Splitting, &Splitting),
    truncation: Truncation,
    long: usize,
) -> Result<Rows<f64>, SolveError> {
    let n = a.nrows();
    let make = |splitting: &Splitting, row: &mut Row, i: usize, out: &mut Buffer<f64>| {
        if splitting.is_coarse[i] {
            out.cols.push(splitting.number[i]);
            out.vals.push(1.0);
        } else {
            extended::interpolate((a, strong), splitting, truncation, long, row, i, out);
        }
    };
    let points: Vec<u32> = (0..n as u32).filter(|&i| first.is_coarse[i as usize]).collect();
    let (row_ptr, cols, vals) =
        rows::build(points.len(), || Row::new(n), |row, k, out| make(second, row, points[k] as usize, out))?;
    let new = || (Row::new(n), Row::new(second.coarse), Buffer::for_rows(1));
    rows::build(n, new, |(row, sum, stage), i, out| {
        make(first, row, i, stage);
        for (&k, &w) in stage.cols.iter().zip(&stage.vals) {
            let range = row_ptr[k as usize] as usize..row_ptr[k as usize + 1] as usize;
            for (&j, &v) in cols[range.clone()].iter().zip(&vals[range]) {
                sum.insert(j);
                sum.add(j, w * v);
            }
        }
        stage.cols.clear();
        stage.vals.clear();
        sum.flush(1.0, truncation, |j| j, out);
    })
}
