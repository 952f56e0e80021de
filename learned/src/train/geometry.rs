//! Geometries of the user's own: what is open in an image, or the grid of a matrix.

use crate::LearnedError;
use residua_solvers::precond::multigrid::{Coefficients, GridProblem};

/// A problem with a name for reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// A file's name, or what says the same.
    pub name: String,
    /// Its grid.
    pub problem: GridProblem,
}

/// What is trained on, and what is held out: every fifth; of two to four the last; of one nothing.
pub(super) fn split(all: &[Geometry]) -> (Vec<&Geometry>, Vec<&Geometry>) {
    let last = all.len().saturating_sub(1);
    let is_held_out = |k: usize| if all.len() < 5 { k == last && last > 0 } else { k % 5 == 4 };
    let pick = |wanted: bool| {
        let own = all.iter().enumerate().filter(move |(k, _)| is_held_out(*k) == wanted);
        own.map(|(_, geometry)| geometry).collect()
    };
    (pick(false), pick(true))
}

/// The problem −Δu = f where `is_open`, x fastest, on a grid of `dims` points (2 or 3 axes): u = 0 behind both ends of the
/// first axis, walls behind the other sides and around what is not open, as in the toolkit's `obstacles`. Pockets that
/// neither end reaches are no unknowns.
///
/// # Errors
/// [`LearnedError::Geometry`] if `is_open` has another length, or nothing is left.
pub fn mask_problem(dims: &[usize], is_open: &[bool]) -> Result<GridProblem, LearnedError> {
    let points = dims.iter().try_fold(1usize, |p, &n| p.checked_mul(n)).unwrap_or(0);
    let box_dims = match *dims {
        [x, y] => [x, 1, y],
        [x, y, z] => [x, y, z],
        _ => return Err(LearnedError::geometry(format!("{} axes", dims.len()), "2 or 3")),
    };
    if points == 0 || points != is_open.len() || points >= (u32::MAX / 8) as usize {
        let found = format!("a mask of {} points for {dims:?}", is_open.len());
        return Err(LearnedError::geometry(found, "one value a point"));
    }
    let [nx, ny, nz] = box_dims;
    let strides = [1, nx, nx * ny];
    let place = |at: usize| [at % nx, at / nx % ny, at / (nx * ny)];
    let mut reached = vec![false; points];
    let ends = (0..ny * nz).flat_map(|row| [row * nx, row * nx + nx - 1]);
    let mut stack: Vec<usize> = ends.filter(|&at| is_open[at]).collect();
    stack.iter().for_each(|&at| reached[at] = true);
    while let Some(at) = stack.pop() {
        let p = place(at);
        for a in 0..3 {
            let low = (p[a] > 0).then(|| at - strides[a]);
            let high = (p[a] + 1 < box_dims[a]).then(|| at + strides[a]);
            for to in low.into_iter().chain(high) {
                if is_open[to] && !std::mem::replace(&mut reached[to], true) {
                    stack.push(to);
                }
            }
        }
    }
    let mut next = 0;
    let unknown_of_point: Vec<u32> = reached
        .iter()
        .map(|&reached| {
            next += u32::from(reached);
            if reached { next - 1 } else { u32::MAX }
        })
        .collect();
    if next == 0 {
        return Err(LearnedError::geometry(
            "a mask with nothing open at its ends along x",
            "a channel or more",
        ));
    }
    let pitch = [1, nx + 1, (nx + 1) * (ny + 1)];
    let mut w: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; (nx + 1) * (ny + 1) * (nz + 1)]);
    for at in (0..points).filter(|&at| reached[at]) {
        let p = place(at);
        for a in 0..3 {
            let face = p[0] + pitch[1] * p[1] + pitch[2] * p[2];
            if p[a] + 1 < box_dims[a] && reached[at + strides[a]] || a == 0 && p[0] + 1 == nx {
                w[a][face + pitch[a]] = 1.0;
            }
            if a == 0 && p[0] == 0 {
                w[0][face] = 1.0;
            }
        }
    }
    let coefficients = Coefficients::Faces { w };
    let unknown_of_point = Some(unknown_of_point);
    Ok(GridProblem { dims: box_dims, coefficients, unknown_of_point, null_space: false })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use residua_data::poisson::{PoissonKind, PoissonProblem};

    /// The mask of a problem of the family gives that problem.
    #[test]
    fn a_mask_is_the_problem_it_was_taken_from() {
        for (kind, dim, n) in [(PoissonKind::Walls, 2, 40), (PoissonKind::Obstacles, 3, 14)] {
            let (grid, medium) = PoissonProblem::new(kind, dim, n).with_seed(3).medium().unwrap();
            let expected = GridProblem::new(grid, &medium).unwrap();
            let mut is_open: Vec<bool> =
                medium.unknown_of_point().unwrap().iter().map(|&u| u != u32::MAX).collect();
            assert_eq!(mask_problem(&vec![n; dim], &is_open).unwrap(), expected);
            is_open.fill(false);
            assert!(mask_problem(&vec![n; dim], &is_open).is_err());
        }
        assert!(mask_problem(&[4, 4], &[true; 15]).is_err() && mask_problem(&[4], &[true; 4]).is_err());
    }
}
