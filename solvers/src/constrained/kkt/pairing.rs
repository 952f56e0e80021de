//! Constraints that are a discretised elliptic equation for some of the variables.
//!
//! ```text
//! J = [ A  B ],   A square: column p_i of J belongs to row i
//! ```
//!
//! p_i is the column of the largest entry of row i. [`pair`] accepts A if the p_i differ, A is symmetric, its diagonal has one
//! sign and is weakly dominant: then ±A is positive (semi)definite, and multigrid solves with it. Nothing is known of the
//! problem but its matrices.

use crate::constrained::sparse::Rows;

/// Rounding that dominance and symmetry may miss, relative to the diagonal.
const ROUNDING: f64 = 1e-10;

/// A of J = [A B].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pairing {
    /// p: the column of J that belongs to each row.
    pub(crate) column: Vec<u32>,
    /// The row that a column belongs to; `u32::MAX` for columns of B.
    pub(crate) row: Vec<u32>,
    /// 1 where A is positive definite, −1 where −A is.
    pub(crate) sign: f64,
    /// Stored entries of A.
    pub(crate) nnz: usize,
}

/// A, if there is one; `None` for constraints of any other kind.
pub(crate) fn pair(j: &Rows) -> Option<Pairing> {
    let m = j.nrows();
    let mut column = vec![u32::MAX; m];
    let mut row = vec![u32::MAX; j.ncols];
    let mut diagonal = vec![0.0; m];
    for i in 0..m {
        let (columns, values) = j.row(i);
        for (&c, &v) in columns.iter().zip(values) {
            if v.abs() > f64::abs(diagonal[i]) {
                (column[i], diagonal[i]) = (c, v);
            }
        }
        let taken = row.get_mut(column[i] as usize)?; // an empty row has the column u32::MAX
        if *taken != u32::MAX {
            return None;
        }
        *taken = i as u32;
    }
    let sign = f64::signum(*diagonal.first()?);
    let mut nnz = 0;
    for i in 0..m {
        let (columns, values) = j.row(i);
        let mut rest = 0.0;
        for (&c, &v) in columns.iter().zip(values) {
            let k = row[c as usize];
            if k == u32::MAX {
                continue;
            }
            nnz += 1;
            if k as usize != i {
                rest += v.abs();
                let mirrored = entry(j, k as usize, column[i]);
                if (v - mirrored).abs() > ROUNDING * diagonal[i].abs() {
                    return None;
                }
            }
        }
        if !(sign * diagonal[i] > 0.0 && rest <= (1.0 + ROUNDING) * diagonal[i].abs()) {
            return None;
        }
    }
    Some(Pairing { column, row, sign, nnz })
}

/// J_ic, 0 where it is not stored.
fn entry(j: &Rows, i: usize, c: u32) -> f64 {
    let (columns, values) = j.row(i);
    columns.binary_search(&c).map_or(0.0, |k| values[k])
}
