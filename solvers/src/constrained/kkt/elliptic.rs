//! Â = ±A + diag(M) and what solves it: geometric multigrid where A is the five-point stencil of a box of points with one
//! coefficient an axis, algebraic multigrid otherwise.
//!
//! The shift is a face behind every point along the middle axis, which has one point: a coefficient w there adds w to the
//! diagonal, and w times the points of a coarse cell to its.

use super::pairing::Pairing;
use crate::constrained::sparse::Rows;
use crate::precond::multigrid::{Coefficients, GridProblem, MultigridOptions};
use crate::precond::{Amg, GeometricMultigrid, Preconditioner};
use crate::{LinearOperator, SolveError};
use residua_data::{CooBuilder, CsrMatrix};

/// Rounding of coefficients that are the same.
const ROUNDING: f64 = 1e-9;

/// The five-point stencil of A.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stencil {
    dims: [usize; 2],
    k: [f64; 2],
    /// Outer faces as multiples of k.
    sides: [[f64; 2]; 2],
    /// What the diagonal has beyond the faces.
    reaction: f64,
}

/// The stencil, if A (by the rows of J) is one.
pub(crate) fn stencil(j: &Rows, pairing: &Pairing) -> Option<Stencil> {
    let m = j.nrows();
    let row = |i: usize| {
        let (columns, values) = j.row(i);
        let inside = move |(&c, &v): (&u32, &f64)| {
            let k = pairing.row[c as usize];
            (k != u32::MAX).then_some((k as usize, pairing.sign * v))
        };
        columns.iter().zip(values).filter_map(inside)
    };
    let nx = row(0).map(|(k, _)| k).max().filter(|&k| k > 1)?;
    let nz = m / nx;
    if nx * nz != m || nx < 3 || nz < 3 {
        return None;
    }
    let same = |a: f64, b: f64, scale: f64| (a - b).abs() <= ROUNDING * scale;
    let coupling = |i: usize, k: usize| row(i).find(|e| e.0 == k).map(|e| -e.1);
    let middle = nx + 1;
    let k = [coupling(middle, middle + 1)?, coupling(middle, middle + nx)?];
    if !k.iter().all(|k| *k > 0.0) {
        return None;
    }
    let scale = k[0] + k[1];
    // What the diagonal has beyond the inner faces: the same within each side and corner.
    let mut excess = [[None::<f64>; 3]; 3];
    for i in 0..m {
        let (x, z) = (i % nx, i / nx);
        let mut left = 0.0;
        let mut inner = 0;
        for (other, v) in row(i) {
            let along = match other.abs_diff(i) {
                0 => {
                    left += v;
                    continue;
                }
                1 if other / nx == z => 0,
                d if d == nx => 1,
                _ => return None,
            };
            if !same(-v, k[along], scale) {
                return None;
            }
            left += v;
            inner += 1;
        }
        let place = |at: usize, n: usize| usize::from(at > 0) + usize::from(at + 1 == n);
        let expected = 4 - usize::from(x == 0 || x + 1 == nx) - usize::from(z == 0 || z + 1 == nz);
        let known = excess[place(x, nx)][place(z, nz)].get_or_insert(left);
        if inner != expected || !same(*known, left, scale) {
            return None;
        }
    }
    let reaction = excess[1][1]?;
    let side = |e: Option<f64>, k: f64| Some(((e? - reaction) / k).max(0.0));
    let sides = [
        [side(excess[0][1], k[0])?, side(excess[2][1], k[0])?],
        [side(excess[1][0], k[1])?, side(excess[1][2], k[1])?],
    ];
    let corners = [(0, 0), (0, 2), (2, 0), (2, 2)].iter().all(|&(x, z)| {
        let sum = reaction + k[0] * sides[0][x / 2] + k[1] * sides[1][z / 2];
        excess[x][z].is_some_and(|e| same(e, sum, scale))
    });
    let fits = corners && reaction >= -ROUNDING * scale && sides.iter().flatten().all(|s| *s <= 2.0);
    fits.then(|| Stencil { dims: [nx, nz], k, sides, reaction: reaction.max(0.0) })
}

impl Stencil {
    /// The grid of A + diag(shift).
    fn grid(&self, shift: &[f64]) -> GridProblem {
        let [nx, nz] = self.dims;
        let (low, high) =
            shift.iter().fold((f64::INFINITY, 0.0), |(a, b): (f64, f64), s| (a.min(*s), b.max(*s)));
        let [kx, kz] = self.k;
        let constant = high - low <= ROUNDING * (kx + kz);
        let coefficients = if constant {
            let middle = 0.5 * (low + self.reaction);
            Coefficients::Axes { k: [kx, middle, kz], sides: [self.sides[0], [1.0; 2], self.sides[1]] }
        } else {
            let at = |i: usize, j: usize, k: usize| (k * 2 + j) * (nx + 1) + i;
            let mut w: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; (nx + 1) * 2 * (nz + 1)]);
            // Of face `at` of the n + 1 along an axis.
            let share = |sides: [f64; 2], at: usize, n: usize| match at {
                0 => sides[0],
                at if at == n => sides[1],
                _ => 1.0,
            };
            for k in 0..nz {
                (0..=nx).for_each(|i| w[0][at(i, 0, k)] = kx * share(self.sides[0], i, nx));
            }
            for k in 0..=nz {
                let along = kz * share(self.sides[1], k, nz);
                (0..nx).for_each(|i| w[2][at(i, 0, k)] = along);
            }
            for (p, s) in shift.iter().enumerate() {
                w[1][at(p % nx, 0, p / nx)] = s + self.reaction;
            }
            Coefficients::Faces { w }
        };
        GridProblem { dims: [nx, 1, nz], coefficients, unknown_of_point: None, null_space: false }
    }
}

enum Kind {
    Geometric(Box<GeometricMultigrid>),
    Algebraic(Box<Amg>),
}

/// Â and its multigrid.
pub(super) struct Elliptic {
    matrix: CsrMatrix<f64>,
    kind: Kind,
    residual: Vec<f64>,
    correction: Vec<f64>,
}

impl Elliptic {
    /// `None` where no hierarchy can be made.
    pub(super) fn new(j: &Rows, pairing: &Pairing, stencil: Option<&Stencil>, shift: &[f64]) -> Option<Self> {
        let m = j.nrows();
        let mut matrix = CooBuilder::new(m, m).ok()?;
        for i in 0..m {
            let (columns, values) = j.row(i);
            for (&c, &v) in columns.iter().zip(values) {
                let k = pairing.row[c as usize];
                if k != u32::MAX {
                    let extra = if k as usize == i { shift[i] } else { 0.0 };
                    matrix.push(i, k as usize, pairing.sign * v + extra).ok()?;
                }
            }
        }
        let matrix = matrix.build().ok()?;
        let geometric = stencil
            .and_then(|s| GeometricMultigrid::from_grid(&s.grid(shift), MultigridOptions::default()).ok());
        let kind = match geometric {
            Some(multigrid) => Kind::Geometric(Box::new(multigrid)),
            None => Kind::Algebraic(Box::new(Amg::new(&matrix).ok()?)),
        };
        Some(Self { matrix, kind, residual: vec![0.0; m], correction: vec![0.0; m] })
    }

    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Geometric(_) => "geometric multigrid",
            Kind::Algebraic(_) => "algebraic multigrid",
        }
    }

    fn cycle(kind: &mut Kind, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        match kind {
            Kind::Geometric(multigrid) => multigrid.apply(r, z),
            Kind::Algebraic(amg) => amg.apply(r, z),
        }
    }

    /// z ← `cycles` cycles for Â z = r from zero.
    pub(super) fn solve(&mut self, cycles: usize, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        Self::cycle(&mut self.kind, r, z)?;
        for _ in 1..cycles {
            self.matrix.residual(r, z, &mut self.residual);
            Self::cycle(&mut self.kind, &self.residual, &mut self.correction)?;
            z.iter_mut().zip(&self.correction).for_each(|(z, c)| *z += c);
        }
        Ok(())
    }
}
