//! Extended+i interpolation: a fine point from coarse points up to two strong couplings away.
//!
//! ```text
//! Ĉᵢ  = Cᵢ ∪ ⋃_{k ∈ Fᵢ} Cₖ
//! wᵢⱼ = −1/ãᵢᵢ (aᵢⱼ + Σ_{k ∈ Fᵢ} aᵢₖ āₖⱼ / bᵢₖ),        bᵢₖ = Σ_{l ∈ Ĉᵢ ∪ {i}} āₖₗ,   j ∈ Ĉᵢ
//! ãᵢᵢ = aᵢᵢ + Σ_{weak n ∉ Ĉᵢ} aᵢₙ + Σ_{k ∈ Fᵢ} aᵢₖ āₖᵢ / bᵢₖ
//! ```
//!
//! Cᵢ and Fᵢ are the coarse and fine points that i depends on strongly; āₖₗ = aₖₗ if its sign is against that of
//! aₖₖ, else 0 (De Sterck, Falgout, Nolting and Yang 2008, eqs. 4.9 and 4.10). A fine neighbour without any
//! such path goes to the diagonal, so that the weights sum to one wherever the row of A sums to zero.
//!
//! Work for a row is Σ_{k ∈ Fᵢ} (entries of row k). Rows above `long` entries are not walked through, and are
//! interpolated directly themselves, so that one dense row cannot make the whole quadratic.

use super::row::{Row, Truncation};
use super::{Splitting, direct};
use crate::precond::amg::rows::Buffer;
use residua_data::CsrMatrix;

/// Appends row `i` of P for a fine point.
pub(super) fn interpolate(
    (a, strong): (&CsrMatrix<f64>, &[bool]),
    splitting: &Splitting,
    truncation: Truncation,
    long: usize,
    row: &mut Row,
    i: usize,
    out: &mut Buffer<f64>,
) {
    let row_ptr = a.row_ptr();
    let entries = |k: usize| row_ptr[k] as usize..row_ptr[k + 1] as usize;
    let is_long = |k: usize| entries(k).len() > long;
    if is_long(i) {
        return direct::interpolate((a, strong), splitting, truncation, row, i, out);
    }
    let (col_idx, values, is_coarse) = (a.col_idx(), a.values(), &splitting.is_coarse[..]);
    for e in entries(i) {
        if !strong[e] {
            continue;
        }
        let j = col_idx[e] as usize;
        if is_coarse[j] {
            row.insert(j as u32);
        } else if !is_long(j) {
            for f in entries(j) {
                let l = col_idx[f];
                if strong[f] && is_coarse[l as usize] {
                    row.insert(l);
                }
            }
        }
    }
    if row.len() == 0 {
        return;
    }

    let mut diagonal = 0.0;
    for e in entries(i) {
        let (k, v) = (col_idx[e], values[e]);
        if row.add(k, v) {
            continue;
        }
        if !strong[e] || is_long(k as usize) || !distribute(a, row, i as u32, k as usize, v, &mut diagonal) {
            diagonal += v;
        }
    }
    row.flush(-1.0 / diagonal, truncation, |j| splitting.number[j as usize], out);
}

/// Gives the coupling `v` of the fine point `i` to the fine point `k` to the points of Ĉᵢ and to i itself, in
/// proportion to k's couplings to them. False if k has none.
#[inline]
fn distribute(a: &CsrMatrix<f64>, row: &mut Row, i: u32, k: usize, v: f64, diagonal: &mut f64) -> bool {
    let (cols, vals) = a.row(k);
    let own = cols.binary_search(&(k as u32)).map_or(1.0, |d| vals[d]);
    let is_against = |v: f64| v * own < 0.0;
    let mut sum = 0.0;
    for (&l, &w) in cols.iter().zip(vals) {
        if is_against(w) && (l == i || row.contains(l)) {
            sum += w;
        }
    }
    if sum == 0.0 {
        return false;
    }
    let share = v / sum;
    for (&l, &w) in cols.iter().zip(vals) {
        if is_against(w) {
            if l == i {
                *diagonal += share * w;
            } else {
                row.add(l, share * w);
            }
        }
    }
    true
}
