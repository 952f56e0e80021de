//! The pattern of the 5-point stencil on a rectangle, and its values in place.
//!
//! Point (x, y) of an nx × ny grid is unknown y nx + x; its row holds south, west, centre, east and north, in
//! this order, as far as they are points of the grid.

use super::SequenceError;
use crate::CsrMatrix;

/// Entries of the longest row.
const ROW: usize = 5;

/// Columns and values of a row, in the order south, west, centre, east, north.
pub(super) type Row = [f64; ROW];

/// Place of the centre in a [`Row`].
pub(super) const CENTRE: usize = 2;

/// The largest side n of a grid with `aspect` n² points.
pub(super) fn max_side(aspect: usize) -> usize {
    (u32::MAX as usize / (ROW * aspect)).isqrt()
}

/// Refuses a number `found` of points a side that is below `min` or too large for an `aspect` n² grid;
/// `extra` is what a side has more than points.
pub(super) fn checked_side(
    what: &'static str,
    found: usize,
    min: usize,
    aspect: usize,
    extra: usize,
) -> Result<usize, SequenceError> {
    let max = max_side(aspect) + extra;
    if found < min {
        Err(SequenceError::TooSmall { what, found, min })
    } else if found > max {
        Err(SequenceError::TooLarge { what, found, max })
    } else {
        Ok(found - extra)
    }
}

/// Which of south, west, centre, east, north are points.
fn present(x: usize, y: usize, nx: usize, ny: usize) -> [bool; ROW] {
    [y > 0, x > 0, true, x + 1 < nx, y + 1 < ny]
}

/// The pattern on nx × ny points, with all values 0.
pub(super) fn five_point(nx: usize, ny: usize) -> Result<CsrMatrix<f64>, SequenceError> {
    let n = nx * ny;
    let mut row_ptr = Vec::with_capacity(n + 1);
    let mut col_idx = Vec::with_capacity(ROW * n);
    row_ptr.push(0);
    for y in 0..ny {
        for x in 0..nx {
            let i = y * nx + x;
            // Where there is no such neighbour the number is never used.
            let places = [i.wrapping_sub(nx), i.wrapping_sub(1), i, i + 1, i + nx];
            let here = present(x, y, nx, ny);
            col_idx.extend(places.into_iter().zip(here).filter(|&(_, here)| here).map(|(j, _)| j as u32));
            row_ptr.push(col_idx.len() as u32);
        }
    }
    let values = vec![0.0; col_idx.len()];
    Ok(CsrMatrix::try_new(n, n, row_ptr, col_idx, values)?)
}

/// Writes the values of `matrix`, a [`five_point`] pattern of lines of `nx` points; `row` gives those of point
/// (x, y), of which the neighbours outside the grid are left out.
pub(super) fn fill(matrix: &mut CsrMatrix<f64>, nx: usize, mut row: impl FnMut(usize, usize) -> Row) {
    let ny = matrix.nrows() / nx.max(1);
    let mut values = matrix.values_mut().iter_mut();
    for y in 0..ny {
        for x in 0..nx {
            for (value, here) in row(x, y).into_iter().zip(present(x, y, nx, ny)) {
                if here && let Some(place) = values.next() {
                    *place = value;
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_name_the_neighbours_of_a_rectangle() {
        let mut a = five_point(3, 2).unwrap();
        fill(&mut a, 3, |x, y| {
            let i = (y * 3 + x) as f64;
            [i - 3.0, i - 1.0, i, i + 1.0, i + 3.0]
        });
        assert_eq!(a.nnz(), 6 + 2 * (2 * 2 + 3));
        for i in 0..6 {
            let (cols, values) = a.row(i);
            assert!(cols.iter().zip(values).all(|(&c, &v)| f64::from(c) == v), "row {i}");
        }
        assert_eq!(a.row(1).0, [0, 1, 2, 4]);
    }

    #[test]
    fn sides_are_checked_at_both_ends() {
        assert_eq!(checked_side("n", 2, 2, 1, 1).unwrap(), 1);
        assert!(matches!(checked_side("n", 1, 2, 1, 1), Err(SequenceError::TooSmall { .. })));
        let max = max_side(1);
        assert!(5 * max * max <= u32::MAX as usize && 5 * (max + 1) * (max + 1) > u32::MAX as usize);
        assert!(matches!(checked_side("n", usize::MAX, 1, 2, 0), Err(SequenceError::TooLarge { .. })));
    }
}
