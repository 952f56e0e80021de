//! Direct interpolation: a fine point from its own strong coarse neighbours only.
//!
//! ```text
//! wᵢⱼ = −α aᵢⱼ / (aᵢᵢ + Σ₊ aᵢₖ),   α = Σ₋ aᵢₖ / Σ_{k ∈ Cᵢ} aᵢₖ,   j ∈ Cᵢ
//! ```
//!
//! with Cᵢ the coarse points that i depends on strongly, Σ₋ over all couplings against the sign of the
//! diagonal and Σ₊ over those with it, which go to the diagonal (Stüben 2001, section 7.2.1). Where the row
//! sum is zero, the weights sum to one.

use super::Splitting;
use super::row::{Row, Truncation};
use crate::precond::amg::rows::Buffer;
use residua_data::CsrMatrix;

/// Appends row `i` of P for a fine point; empty without strong coarse neighbours.
pub(super) fn interpolate(
    (a, strong): (&CsrMatrix<f64>, &[bool]),
    splitting: &Splitting,
    truncation: Truncation,
    row: &mut Row,
    i: usize,
    out: &mut Buffer<f64>,
) {
    let (cols, vals) = a.row(i);
    let strong = &strong[a.row_ptr()[i] as usize..][..cols.len()];
    let (mut diagonal, mut with, mut against, mut coarse) = (0.0, 0.0, 0.0, 0.0);
    let own = cols.binary_search(&(i as u32)).map_or(0.0, |k| vals[k]);
    for ((&j, &v), &strong) in cols.iter().zip(vals).zip(strong) {
        if j as usize == i {
            diagonal = v;
        } else if v * own < 0.0 || own == 0.0 {
            against += v;
            if strong && splitting.is_coarse[j as usize] {
                coarse += v;
                row.insert(j);
                row.add(j, v);
            }
        } else {
            with += v;
        }
    }
    let scale = -(against / coarse) / (diagonal + with);
    row.flush(scale, truncation, |j| splitting.number[j as usize], out);
}
