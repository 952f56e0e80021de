//! Bounds and sparse patterns of a model from those of its problem.

use super::outcome::MinimizeError;
use super::sparse::Rows;
use residua_data::nlp::SparsePattern;

/// The source of an entry that belongs to a slack.
pub(super) const SLACK: usize = usize::MAX;

/// Bounds of length n, with the defaults where none are given.
pub(crate) fn bounds(
    what: &'static str,
    (lower, upper): (&[f64], &[f64]),
    n: usize,
    default_lower: f64,
    default_upper: f64,
) -> Result<(Vec<f64>, Vec<f64>), MinimizeError> {
    let one = |given: &[f64], default: f64| {
        let values = if given.is_empty() { vec![default; n] } else { given.to_vec() };
        if values.len() != n {
            return Err(MinimizeError::Length { what, expected: n, found: values.len() });
        }
        match values.iter().position(|v| v.is_nan()) {
            Some(index) => Err(MinimizeError::NotANumber { what, index }),
            None => Ok(values),
        }
    };
    Ok((one(lower, default_lower)?, one(upper, default_upper)?))
}

/// The Jacobian of g, and the entry of the problem's that each of its own is.
pub(super) fn jacobian(
    pattern: &SparsePattern,
    place: &[Option<usize>],
    is_slack_row: &[bool],
    nfree: usize,
    n: usize,
) -> (Rows, Vec<usize>) {
    let (mut starts, mut columns, mut source) = (vec![0], Vec::new(), Vec::new());
    let mut slacks = 0;
    for (i, &slack) in is_slack_row.iter().enumerate() {
        for k in pattern.row_starts[i]..pattern.row_starts[i + 1] {
            if let Some(Some(j)) = place.get(pattern.columns[k] as usize) {
                columns.push(*j as u32);
                source.push(k);
            }
        }
        if slack {
            columns.push((nfree + slacks) as u32);
            source.push(SLACK);
            slacks += 1;
        }
        starts.push(columns.len());
    }
    (Rows::new(starts, columns, n), source)
}

/// The Hessian's lower triangle with every diagonal entry, and the entry of the problem's that each is, if any.
pub(super) fn hessian(
    pattern: &SparsePattern,
    free: &[usize],
    place: &[Option<usize>],
    n: usize,
) -> (Option<Rows>, Vec<Option<usize>>) {
    let (mut starts, mut columns, mut source) = (vec![0], Vec::new(), Vec::new());
    for k in 0..n {
        if let Some(&i) = free.get(k) {
            for e in pattern.row_starts[i]..pattern.row_starts[i + 1] {
                let j = pattern.columns[e] as usize;
                if let (Some(Some(p)), true) = (place.get(j), j < i) {
                    columns.push(*p as u32);
                    source.push(Some(e));
                }
            }
            let row = pattern.row(i);
            columns.push(k as u32);
            source.push((row.last() == Some(&(i as u32))).then(|| pattern.row_starts[i + 1] - 1));
        } else {
            columns.push(k as u32);
            source.push(None);
        }
        starts.push(columns.len());
    }
    (Some(Rows::new(starts, columns, n)), source)
}

/// A full lower triangle.
pub(super) fn dense_lower(n: usize) -> Rows {
    let starts = (0..=n).map(|i| i * (i + 1) / 2).collect();
    Rows::new(starts, (0..n).flat_map(|i| 0..=i as u32).collect(), n)
}
