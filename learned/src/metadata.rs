//! Grid metadata of a matrix: comment lines that say which points of a box its unknowns are.
//!
//! ```text
//! residua-grid: 64 64             points along x, y (and z), x fastest
//! residua-unknowns: 10 3 51 ...   lengths of runs of points that are unknowns and that are not, in turn
//! ```
//!
//! Without the second line every point is an unknown. Faces come from the matrix: off-diagonals −w between neighbours, and
//! what is left of the diagonal is the conductance to boundary values, on the sides where the box ends.

use crate::LearnedError;
use residua_data::CsrMatrix;
use residua_solvers::precond::multigrid::{Coefficients, GridProblem};

const GRID: &str = "residua-grid:";
const UNKNOWNS: &str = "residua-unknowns:";

/// Runs of one line: the format allows 1024 characters.
const RUNS_A_LINE: usize = 90;

/// The points of a box, and which are unknowns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridMetadata {
    /// Points along each axis, 2 or 3 axes.
    pub dims: Vec<usize>,
    /// For each point its unknown, `u32::MAX` where there is none; `None`: all are.
    pub unknown_of_point: Option<Vec<u32>>,
}

impl GridMetadata {
    /// The comment lines.
    pub fn to_comments(&self) -> Vec<String> {
        let join = |v: &[usize]| v.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
        let mut lines = vec![format!("{GRID} {}", join(&self.dims))];
        if let Some(unknowns) = &self.unknown_of_point {
            let (mut runs, mut is_unknown, mut length) = (Vec::new(), true, 0usize);
            for &u in unknowns {
                if (u != u32::MAX) != is_unknown {
                    runs.push(std::mem::take(&mut length));
                    is_unknown = !is_unknown;
                }
                length += 1;
            }
            runs.push(length);
            lines.extend(runs.chunks(RUNS_A_LINE).map(|runs| format!("{UNKNOWNS} {}", join(runs))));
        }
        lines
    }

    /// From the comment lines of a file, without their `%`; none where they have no grid.
    ///
    /// # Errors
    /// [`LearnedError::Geometry`] for lines that make no sense.
    pub fn from_comments<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Option<Self>, LearnedError> {
        let numbers = |line: &str, text: &str| -> Result<Vec<usize>, LearnedError> {
            let parse = |word: &str| word.parse::<usize>();
            let all: Result<Vec<usize>, _> = text.split_ascii_whitespace().map(parse).collect();
            all.map_err(|_| LearnedError::geometry(format!("\"{line}\""), "whole numbers"))
        };
        let (mut dims, mut runs) = (None, Vec::new());
        for line in lines {
            let line = line.trim();
            if let Some(text) = line.strip_prefix(GRID) {
                dims = Some(numbers(line, text)?);
            } else if let Some(text) = line.strip_prefix(UNKNOWNS) {
                runs.extend(numbers(line, text)?);
            }
        }
        let Some(dims) = dims else { return Ok(None) };
        let points = dims.iter().try_fold(1usize, |p, &n| p.checked_mul(n)).unwrap_or(0);
        if !matches!(dims.len(), 2 | 3) || points == 0 || points >= u32::MAX as usize {
            return Err(LearnedError::geometry(format!("a grid of {dims:?} points"), "2 or 3 sizes"));
        }
        if runs.is_empty() {
            return Ok(Some(Self { dims, unknown_of_point: None }));
        }
        let sum = runs.iter().try_fold(0usize, |sum, &run| sum.checked_add(run));
        if sum != Some(points) {
            let found = format!("runs of {sum:?} points");
            return Err(LearnedError::geometry(found, format!("{points}, as many as the grid has")));
        }
        let mut unknowns = Vec::with_capacity(points);
        let mut next = 0u32;
        for (k, &run) in runs.iter().enumerate() {
            for _ in 0..run {
                unknowns.push(if k % 2 == 0 { next } else { u32::MAX });
                next += u32::from(k % 2 == 0);
            }
        }
        Ok(Some(Self { dims, unknown_of_point: Some(unknowns) }))
    }

    /// The grid and the faces of `a`.
    ///
    /// # Errors
    /// [`LearnedError::Geometry`] if `a` is no stencil of this grid with conductances that are not negative.
    pub fn problem(&self, a: &CsrMatrix<f64>) -> Result<GridProblem, LearnedError> {
        let dims = match self.dims[..] {
            [x, y] => [x, 1, y],
            [x, y, z] => [x, y, z],
            _ => return Err(LearnedError::geometry(format!("{} axes", self.dims.len()), "2 or 3")),
        };
        let [nx, ny, nz] = dims;
        let points = nx * ny * nz;
        let mut point_of: Vec<u32> = Vec::new();
        match &self.unknown_of_point {
            None => point_of.extend(0..points as u32),
            Some(unknowns) => {
                let is_unknown = |at: &u32| unknowns.get(*at as usize).is_some_and(|&u| u != u32::MAX);
                point_of.extend((0..points as u32).filter(is_unknown));
            }
        }
        if point_of.len() != a.nrows() || a.nrows() != a.ncols() {
            let found = format!("a matrix of {} x {}", a.nrows(), a.ncols());
            return Err(LearnedError::geometry(
                found,
                format!("{} unknowns, as its grid has", point_of.len()),
            ));
        }
        let pitch = [1, nx + 1, (nx + 1) * (ny + 1)];
        let place = |p: [usize; 3]| p[0] + pitch[1] * p[1] + pitch[2] * p[2];
        let mut w: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; (nx + 1) * (ny + 1) * (nz + 1)]);
        let strides = [1, nx, nx * ny];
        for (row, &at) in point_of.iter().enumerate() {
            let at = at as usize;
            let p = [at % nx, at / nx % ny, at / (nx * ny)];
            let refuse = |what: String| {
                Err(LearnedError::geometry(
                    format!("row {} {what}", row + 1),
                    "a stencil of face neighbours with \
                    off-diagonals that are not positive",
                ))
            };
            let (mut rest, mut largest) = (0.0, 0.0f64);
            let (cols, values) = a.row(row);
            for (&col, &v) in cols.iter().zip(values) {
                rest += v;
                largest = largest.max(v.abs());
                if col as usize == row || v == 0.0 {
                    continue;
                }
                let to = point_of[col as usize] as usize;
                let axis = (0..3).find(|&a| {
                    let step = strides[a];
                    dims[a] > 1 && (to == at + step && p[a] + 1 < dims[a] || to + step == at && p[a] > 0)
                });
                let Some(axis) = axis.filter(|_| v < 0.0) else {
                    return refuse(format!("has {v} in column {}", col + 1));
                };
                let mut face = p;
                face[axis] += usize::from(to > at);
                let face = &mut w[axis][place(face)];
                if *face != 0.0 && *face != -v {
                    return refuse("is not symmetric".to_owned());
                }
                *face = -v;
            }
            if rest.abs() <= 1e-12 * largest {
                continue;
            }
            let ends: Vec<(usize, usize)> = (0..3)
                .filter(|&a| dims[a] > 1)
                .flat_map(|a| [(a, 0), (a, 1)])
                .filter(|&(a, high)| if high == 1 { p[a] + 1 == dims[a] } else { p[a] == 0 })
                .collect();
            if rest < 0.0 || ends.is_empty() {
                return refuse(format!("sums to {rest}, which no boundary value explains"));
            }
            for &(a, high) in &ends {
                let mut face = p;
                face[a] += high;
                w[a][place(face)] = rest / ends.len() as f64;
            }
        }
        Ok(GridProblem {
            dims,
            coefficients: Coefficients::Faces { w },
            unknown_of_point: self.unknown_of_point.clone(),
            null_space: false,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use residua_data::poisson::{PoissonKind, PoissonProblem};
    use residua_solvers::LinearOperator;
    use residua_solvers::precond::multigrid::StencilOperator;

    #[test]
    fn the_matrix_of_the_grid_is_the_matrix() {
        for (kind, dim, n) in [
            (PoissonKind::Obstacles, 2, 40),
            (PoissonKind::Walls, 3, 12),
            (PoissonKind::Jump, 2, 16),
            (PoissonKind::Constant, 3, 7),
        ] {
            let system = PoissonProblem::new(kind, dim, n).with_seed(2).build().unwrap();
            let unknown_of_point = system.medium.unknown_of_point().map(<[u32]>::to_vec);
            let metadata = GridMetadata { dims: vec![n; dim], unknown_of_point };
            let lines = metadata.to_comments();
            assert!(lines.iter().all(|l| l.len() < 1000));
            let read = GridMetadata::from_comments(lines.iter().map(String::as_str)).unwrap().unwrap();
            assert_eq!(read, metadata);
            let operator = StencilOperator::from_grid(&read.problem(&system.matrix).unwrap()).unwrap();
            let x = &system.rhs;
            let (mut y, mut expected) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            operator.apply(x, &mut y);
            system.matrix.multiply(x, &mut expected);
            assert!(y.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-10), "{kind}");
        }
    }

    #[test]
    fn other_matrices_and_lines_are_refused() {
        let a = PoissonProblem::new(PoissonKind::Constant, 2, 6).build().unwrap().matrix;
        let grid = |text: &str| GridMetadata::from_comments([text]);
        assert_eq!(grid("a matrix").unwrap(), None);
        assert!(grid("residua-grid: 6 x").is_err() && grid("residua-grid: 6").is_err());
        assert!(GridMetadata::from_comments(["residua-grid: 6 6", "residua-unknowns: 30 5"]).is_err());
        assert!(grid("residua-grid: 6 7").unwrap().unwrap().problem(&a).is_err());
        assert!(grid("residua-grid: 9 4").unwrap().unwrap().problem(&a).is_err());
        assert!(grid("residua-grid: 6 6").unwrap().unwrap().problem(&a).is_ok());
    }
}
