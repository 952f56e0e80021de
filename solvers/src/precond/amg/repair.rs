//! Prolongation for unknowns that join the others or leave them.
//!
//! Where an obstacle moves through a grid, its cells keep a row that is that of the identity, and their neighbours lose or
//! win a connection. A prolongation P₀ that was made for another place of the obstacle is wrong in these rows only:
//!
//! - an unknown that is now alone (no connections) must not carry the coarse correction, which would couple its neighbours
//!   to it: its row is zero;
//! - an unknown that was alone and is not now had no row: it gets the mean of its neighbours' rows,
//!   p_i = Σ_j |a_ij| p_j / Σ_j |a_ij| over the neighbours that have one, which keeps constants. Where PᵀAP would get an
//!   entry that it has no place for, it gets the row of one neighbour, or none.
//!
//! The result depends on P₀ and the present matrix only, not on what came between.

use super::rows::{self, ROWS};
use crate::SolveError;
use rayon::prelude::*;
use residua_data::CsrMatrix;
use std::collections::BTreeMap;

/// Times that rows are sought for unknowns whose neighbours had none.
const PASSES: usize = 2;

/// A row of P.
type Row = Vec<(u32, f64)>;

/// Whether each unknown has no connections.
pub(super) fn alone(a: &CsrMatrix<f64>) -> Vec<bool> {
    (0..a.nrows()).into_par_iter().with_min_len(ROWS).map(|i| is_alone(a, i)).collect()
}

fn is_alone(a: &CsrMatrix<f64>, i: usize) -> bool {
    let (cols, values) = a.row(i);
    cols.iter().zip(values).all(|(&j, &v)| j as usize == i || v == 0.0)
}

/// P for `a`, where it differs from `p0`, made for a matrix in which the unknowns `before` were alone; none if it does not.
/// The entries of PᵀAP lie within the pattern of `coarse`, as those of `p0` do.
pub(super) fn repaired(
    p0: &CsrMatrix<f64>,
    before: &[bool],
    a: &CsrMatrix<f64>,
    coarse: &CsrMatrix<f64>,
) -> Result<Option<CsrMatrix<f64>>, SolveError> {
    let changed = |&i: &usize| is_alone(a, i) != before[i];
    let changed: Vec<usize> = (0..before.len()).into_par_iter().with_min_len(ROWS).filter(changed).collect();
    if changed.is_empty() {
        return Ok(None);
    }
    let (mut joined, left): (Vec<usize>, Vec<usize>) = changed.into_iter().partition(|&i| before[i]);
    let rows = left.into_iter().map(|i| (i, Row::new())).collect();
    let mut mending = Mending { p0, before, a, coarse, rows };
    for _ in 0..PASSES {
        joined.retain(|&i| match mending.row(i) {
            Some(row) => mending.rows.insert(i, row).is_some(),
            None => true,
        });
    }
    with_rows(p0, &mending.rows).map(Some)
}

struct Mending<'a> {
    p0: &'a CsrMatrix<f64>,
    before: &'a [bool],
    a: &'a CsrMatrix<f64>,
    coarse: &'a CsrMatrix<f64>,
    rows: BTreeMap<usize, Row>,
}

impl Mending<'_> {
    /// The present row of an unknown; empty if it has none.
    fn present(&self, j: usize) -> Row {
        match self.rows.get(&j) {
            Some(row) => row.clone(),
            None if self.before[j] => Row::new(),
            None => {
                let (cols, weights) = self.p0.row(j);
                cols.iter().copied().zip(weights.iter().copied()).collect()
            }
        }
    }

    /// A row for unknown i that fits into the pattern; none if no neighbour has one that does.
    fn row(&self, i: usize) -> Option<Row> {
        let (cols, values) = self.a.row(i);
        let neighbours: Vec<(f64, Row)> = cols
            .iter()
            .zip(values)
            .filter(|&(&j, &v)| j as usize != i && v != 0.0)
            .map(|(&j, &v)| (v.abs(), self.present(j as usize)))
            .filter(|(_, row)| !row.is_empty())
            .collect();
        let fits = |row: &Row| {
            neighbours.iter().all(|(_, other)| self.has_places(row, other)) && self.has_places(row, row)
        };
        let mut candidates: Vec<&(f64, Row)> = neighbours.iter().collect();
        candidates.sort_by(|p, q| q.0.total_cmp(&p.0));
        mean(&neighbours)
            .filter(fits)
            .or_else(|| candidates.into_iter().map(|(_, row)| row).find(|row| fits(row)).cloned())
    }

    /// Whether the coarse matrix has places for all pairs, both ways.
    fn has_places(&self, row: &Row, other: &Row) -> bool {
        let has = |c: u32, d: u32| self.coarse.row(c as usize).0.binary_search(&d).is_ok();
        row.iter().all(|&(c, _)| other.iter().all(|&(d, _)| has(c, d) && has(d, c)))
    }
}

/// The weighted mean of rows; none of none.
fn mean(rows: &[(f64, Row)]) -> Option<Row> {
    let total: f64 = rows.iter().map(|(weight, _)| weight).sum();
    let mut sum: Row = rows
        .iter()
        .flat_map(|(weight, row)| row.iter().map(move |&(c, w)| (c, weight * w / total)))
        .collect();
    sum.sort_by_key(|&(c, _)| c);
    sum.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 += next.1;
        }
        is_same
    });
    (!sum.is_empty()).then_some(sum)
}

/// `p0` with other rows in some places, ascending.
fn with_rows(p0: &CsrMatrix<f64>, rows: &BTreeMap<usize, Row>) -> Result<CsrMatrix<f64>, SolveError> {
    let added: usize = rows.values().map(Vec::len).sum();
    let mut row_ptr = Vec::with_capacity(p0.nrows() + 1);
    let mut cols = Vec::with_capacity(p0.nnz() + added);
    let mut values = Vec::with_capacity(p0.nnz() + added);
    row_ptr.push(0_u32);
    let mut from = 0;
    let (end, none) = (p0.nrows(), Row::new());
    for (row, entries) in rows.iter().chain([(&end, &none)]) {
        let old = p0.row_ptr()[from] as usize..p0.row_ptr()[*row] as usize;
        let shift = cols.len() as u32;
        let start = old.start as u32;
        row_ptr.extend(p0.row_ptr()[from + 1..=*row].iter().map(|&end| end - start + shift));
        cols.extend_from_slice(&p0.col_idx()[old.clone()]);
        values.extend_from_slice(&p0.values()[old]);
        if *row < p0.nrows() {
            cols.extend(entries.iter().map(|&(c, _)| c));
            values.extend(entries.iter().map(|&(_, w)| w));
            row_ptr.push(cols.len() as u32);
            from = row + 1;
        }
    }
    rows::to_matrix(p0.nrows(), p0.ncols(), (row_ptr, cols, values))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A line of five unknowns; those in `out` are alone.
    fn line(out: &[usize]) -> CsrMatrix<f64> {
        let (mut row_ptr, mut cols, mut values) = (vec![0], vec![], vec![]);
        for i in 0..5_usize {
            for j in i.saturating_sub(1)..=(i + 1).min(4) {
                cols.push(j as u32);
                let is_cut = out.contains(&i) || out.contains(&j);
                values.push(if i == j {
                    2.0
                } else if is_cut {
                    0.0
                } else {
                    -1.0
                });
            }
            row_ptr.push(cols.len() as u32);
        }
        CsrMatrix::try_new(5, 5, row_ptr, cols, values).unwrap()
    }

    #[test]
    fn rows_that_changed_and_no_others_are_new() {
        // Unknown 2 was alone; now 4 is.
        let a0 = line(&[2]);
        let p0 = CsrMatrix::try_new(5, 2, vec![0, 1, 2, 2, 3, 4], vec![0, 0, 1, 1], vec![1.0; 4]).unwrap();
        let before = alone(&a0);
        assert_eq!(before, [false, false, true, false, false]);
        let full = CsrMatrix::try_new(2, 2, vec![0, 2, 4], vec![0, 1, 0, 1], vec![0.0; 4]).unwrap();
        assert!(repaired(&p0, &before, &a0, &full).unwrap().is_none());
        let p = repaired(&p0, &before, &line(&[4]), &full).unwrap().unwrap();
        let expected: [(&[u32], &[f64]); 5] =
            [(&[0], &[1.0]), (&[0], &[1.0]), (&[0, 1], &[0.5, 0.5]), (&[1], &[1.0]), (&[], &[])];
        for (i, row) in expected.into_iter().enumerate() {
            assert_eq!(p.row(i), row, "row {i}");
        }
        // Without a place for the pair of coarse unknowns, none of its neighbours' rows fits.
        let diagonal = CsrMatrix::try_new(2, 2, vec![0, 1, 2], vec![0, 1], vec![0.0; 2]).unwrap();
        let p = repaired(&p0, &before, &line(&[4]), &diagonal).unwrap().unwrap();
        assert!(p.row(2).0.is_empty());
    }

    #[test]
    fn what_joined_behind_another_one_has_a_row_too() {
        for (out, joined) in [([2, 3, 4], [2, 3, 4]), ([0, 1, 2], [0, 1, 2])] {
            let first = if out[0] == 0 { 3 } else { 0 };
            let row_ptr = (0..=5).map(|i| if i <= first { 0 } else { (i - first).min(2) as u32 }).collect();
            let p0 = CsrMatrix::try_new(5, 1, row_ptr, vec![0, 0], vec![1.0; 2]).unwrap();
            let one = CsrMatrix::try_new(1, 1, vec![0, 1], vec![0], vec![0.0]).unwrap();
            let p = repaired(&p0, &alone(&line(&out)), &line(&[]), &one).unwrap().unwrap();
            // In the order of their numbers a line is followed at once; against it one more in each pass.
            let with_row = joined.iter().filter(|&&i| p.row(i).1 == [1.0]).count();
            assert_eq!(with_row, if first == 0 { 3 } else { PASSES });
        }
    }
}
