//! Direct assembly of a stencil matrix in compressed rows, threaded over lines of points.
//!
//! Two passes: the first counts the unknowns and entries of each line, whose running sums say where each
//! line's part of the arrays starts; the second fills the parts, which are disjoint. Nothing is sorted.

use super::PoissonError;
use super::grid::{Boundary, Grid};
use crate::CsrMatrix;
use rayon::prelude::*;

/// Faces of a point, in the order of their columns: z−, y−, x−, x+, y+, z+.
pub(super) const FACES: usize = 6;

/// Faces by axis and direction, in their order.
const AXIS: [usize; FACES] = [2, 1, 0, 0, 1, 2];
const HIGH: [bool; FACES] = [false, false, false, true, true, true];

/// The order in which the diagonal sums its faces. In 2D x−, x+, y−, y+ and in 3D that of the columns, to
/// agree in the last bit with the matrices that other programs were measured on.
const SUM_ORDER_2D: [usize; 4] = [2, 3, 1, 4];
const SUM_ORDER_3D: [usize; FACES] = [0, 1, 2, 3, 4, 5];

/// What lies behind a face.
#[derive(Clone, Copy, PartialEq)]
enum Behind {
    /// The unknown in this column.
    Unknown(u32),
    /// A value that is given and was eliminated.
    Dirichlet,
    /// Nothing: no flux.
    Wall,
}

/// Grid, sides and the numbering of unknowns.
struct Stencil<'a> {
    grid: Grid,
    sides: [[Boundary; 2]; 3],
    unknown_of_point: Option<&'a [u32]>,
}

impl Stencil<'_> {
    /// The unknown at point number `index`; none in a solid.
    #[inline(always)]
    fn unknown(&self, index: usize) -> Option<u32> {
        match self.unknown_of_point {
            None => Some(index as u32),
            Some(unknowns) => Some(unknowns[index]).filter(|&u| u != u32::MAX),
        }
    }

    /// What lies behind each face of the point; walls along z in 2D.
    #[inline(always)]
    fn behind(&self, point: [usize; 3]) -> [Behind; FACES] {
        let (n, dim) = (self.grid.n(), self.grid.dim());
        let index = self.grid.index(point);
        let stride = [1, n, n * n];
        std::array::from_fn(|f| {
            let (axis, high) = (AXIS[f], HIGH[f]);
            if axis >= dim {
                return Behind::Wall;
            }
            let at_side = if high { point[axis] + 1 == n } else { point[axis] == 0 };
            if at_side {
                return match self.sides[axis][usize::from(high)] {
                    Boundary::Dirichlet => Behind::Dirichlet,
                    Boundary::Neumann => Behind::Wall,
                };
            }
            let neighbour = if high { index + stride[axis] } else { index - stride[axis] };
            self.unknown(neighbour).map_or(Behind::Wall, Behind::Unknown)
        })
    }

    /// Unknowns and entries of line `line`.
    fn count(&self, line: usize) -> (usize, usize) {
        let n = self.grid.n();
        (line * n..(line + 1) * n).filter(|&index| self.unknown(index).is_some()).fold(
            (0, 0),
            |(unknowns, entries), index| {
                let behind = self.behind(self.grid.point(index));
                let neighbours = behind.iter().filter(|b| matches!(b, Behind::Unknown(_))).count();
                (unknowns + 1, entries + 1 + neighbours)
            },
        )
    }
}

/// A line's parts of the three arrays, and how many entries lie before it.
struct LinePart<'a> {
    before: usize,
    row_ends: &'a mut [u32],
    cols: &'a mut [u32],
    values: &'a mut [f64],
}

/// The matrix with diagonal Σ k_f over the faces that are no walls and −k_f where a face leads to an
/// unknown. `faces` gives k_f at a point, in the order of [`FACES`].
pub(super) fn assemble(
    grid: Grid,
    sides: [[Boundary; 2]; 3],
    unknown_of_point: Option<&[u32]>,
    faces: impl Fn([usize; 3]) -> [f64; FACES] + Sync,
) -> Result<CsrMatrix<f64>, PoissonError> {
    let stencil = Stencil { grid, sides, unknown_of_point };
    let counts: Vec<_> = (0..grid.lines()).into_par_iter().map(|line| stencil.count(line)).collect();
    let (unknowns, nnz) = counts.iter().fold((0, 0), |(u, e), &(du, de)| (u + du, e + de));

    let mut row_ptr = vec![0u32; unknowns + 1];
    let mut col_idx = vec![0u32; nnz];
    let mut values = vec![0.0; nnz];
    let mut parts = Vec::with_capacity(counts.len());
    let (mut row_ends, mut cols, mut vals) = (&mut row_ptr[1..], &mut col_idx[..], &mut values[..]);
    let mut before = 0;
    for &(unknowns, entries) in &counts {
        let part = LinePart {
            before,
            row_ends: row_ends.split_off_mut(..unknowns).unwrap_or_default(),
            cols: cols.split_off_mut(..entries).unwrap_or_default(),
            values: vals.split_off_mut(..entries).unwrap_or_default(),
        };
        parts.push(part);
        before += entries;
    }
    parts.into_par_iter().enumerate().for_each(|(line, part)| fill_line(&stencil, line, part, &faces));
    Ok(CsrMatrix::try_new(unknowns, unknowns, row_ptr, col_idx, values)?)
}

/// Writes the rows of one line.
fn fill_line(
    stencil: &Stencil<'_>,
    line: usize,
    part: LinePart<'_>,
    faces: &impl Fn([usize; 3]) -> [f64; FACES],
) {
    let n = stencil.grid.n();
    let LinePart { before, row_ends, cols, values } = part;
    let (mut row, mut k) = (0, 0);
    for x in 0..n {
        let index = line * n + x;
        let Some(unknown) = stencil.unknown(index) else { continue };
        let point = [x, line % n, line / n];
        let (behind, coefficients) = (stencil.behind(point), faces(point));
        let open = |f: usize| if behind[f] == Behind::Wall { 0.0 } else { coefficients[f] };
        let diagonal: f64 = if stencil.grid.dim() == 2 {
            SUM_ORDER_2D.iter().fold(0.0, |d, &f| d + open(f))
        } else {
            SUM_ORDER_3D.iter().fold(0.0, |d, &f| d + open(f))
        };
        let mut push = |col: u32, value: f64| {
            cols[k] = col;
            values[k] = value;
            k += 1;
        };
        for f in 0..FACES {
            if f == FACES / 2 {
                push(unknown, diagonal);
            }
            if let Behind::Unknown(col) = behind[f] {
                push(col, -coefficients[f]);
            }
        }
        row_ends[row] = (before + k) as u32;
        row += 1;
    }
}
