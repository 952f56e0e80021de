//! Operator-dependent interpolation from every second point of each coarsened axis.
//!
//! Coarse points keep their value. The others come in order of the number of axes along which they lie between coarse
//! points: on an edge, in a face, in a cell. Each has the value that its own equation gives it from its neighbours on
//! the edge, face or cell, the couplings along the other axes being added to those:
//!
//! ```text
//! L(τ) = Σ_{d : d = τ on the axes O} w_d,   τ ∈ {−1, 0, 1}^O
//! P_p(σ) = Σ_{τ ≠ 0, τ_a ∈ {0, σ_a}} L(τ) P_{p+τ}(σ) / (Σ_{τ ≠ 0} L(τ) + e_p),   σ ∈ {−1, 1}^O
//! ```
//!
//! Across a jump a value so follows the flux, wherever the jump lies within a coarse cell. Alcouffe, Brandt, Dendy,
//! Painter (1981), SIAM J. Sci. Stat. Comput. 2(4); Dendy (1982), J. Comput. Phys. 48.

use super::box_matrix::{BoxMatrix, DIRECTIONS, moved, step};
use super::transfer::Shape;
use super::vertex::{VertexWeights, parents, per_row};
use rayon::prelude::*;

/// P for the matrix `a`.
pub(super) fn interpolation(a: &BoxMatrix, shape: Shape) -> VertexWeights<f64> {
    let mut p = VertexWeights::<f64>::zeros(shape);
    let directions = a.directions();
    let ny = shape.fine[1];
    for order in 0..=shape.coarsen.iter().filter(|c| **c).count() {
        let known = p.clone();
        let builder = Builder { a, shape, directions: &directions, known: &known };
        let (start, mut rest) = (&p.start, &mut p.weights[..]);
        let mut slabs = Vec::with_capacity(shape.fine[2]);
        for k in 0..shape.fine[2] {
            let (slab, after) = rest.split_at_mut(start[(k + 1) * ny] - start[k * ny]);
            slabs.push(slab);
            rest = after;
        }
        slabs.into_par_iter().enumerate().for_each(|(k, slab)| {
            for j in 0..ny {
                let (from, to) = (start[k * ny + j], start[k * ny + j + 1]);
                let base = start[k * ny];
                builder.fill_row(order, j, k, &mut slab[from - base..to - base]);
            }
        });
    }
    p
}

struct Builder<'a> {
    a: &'a BoxMatrix,
    shape: Shape,
    directions: &'a [usize],
    /// The weights of points between coarse points along fewer axes.
    known: &'a VertexWeights<f64>,
}

/// Weights of one point by σ: bit a is set where σ_a = 1; only axes of O count.
type Corners = [f64; 8];

impl Builder<'_> {
    /// The places of point `i` in its row of weights, and the σ of each.
    #[inline(always)]
    fn places(&self, [i, j, k]: [usize; 3], mut visit: impl FnMut(usize, usize)) {
        let n = self.shape.coarse[0];
        let width = n * per_row(self.shape.coarsen[0]);
        let (rows_y, rows_z) = (parents(&self.shape, 1, j), parents(&self.shape, 2, k));
        let (between, parent) = (self.is_between(0, i), self.shape.parent(0, i));
        for c in 0..rows_y * rows_z {
            let sigma = (c % rows_y) << 1 | (c / rows_y) << 2;
            if between {
                visit(c * width + n + parent, sigma);
                visit(c * width + 2 * n + parent, sigma | 1);
            } else {
                visit(c * width + parent, sigma);
            }
        }
    }

    /// Row (j, k), its points between coarse points along `order` axes.
    fn fill_row(&self, order: usize, j: usize, k: usize, out: &mut [f64]) {
        let across = usize::from(self.is_between(1, j)) + usize::from(self.is_between(2, k));
        for i in 0..self.shape.fine[0] {
            if across + usize::from(self.is_between(0, i)) == order {
                let corners = self.corners([i, j, k]);
                self.places([i, j, k], |at, sigma| out[at] = corners[sigma]);
            }
        }
    }

    #[inline(always)]
    fn is_between(&self, axis: usize, i: usize) -> bool {
        self.shape.coarsen[axis] && i % 2 == 1
    }

    fn stored(&self, p: [usize; 3]) -> Corners {
        let row = self.known.row(p[1], p[2]);
        let mut out = [0.0; 8];
        self.places(p, |at, sigma| out[sigma] = row[at]);
        out
    }

    #[inline(always)]
    fn is_open(&self, at: usize) -> bool {
        self.a.excess[at] != 0.0 || self.directions.iter().any(|&d| self.a.coupling(at, d) != 0.0)
    }

    fn corners(&self, p: [usize; 3]) -> Corners {
        let mut out = [0.0; 8];
        let between: [bool; 3] = std::array::from_fn(|a| self.is_between(a, p[a]));
        let at = self.a.index(p);
        if between == [false; 3] {
            out[0] = f64::from(u8::from(self.is_open(at)));
            return out;
        }
        self.own_equation(p, at, between, &mut out);
        if out.iter().all(|&w| w == 0.0) && self.is_open(at) {
            // A channel of one point between walls takes the place of a coarse point that lies in a wall.
            let slot = std::array::from_fn(|a| p[a] - usize::from(between[a]));
            out[0] = f64::from(u8::from(!self.is_open(self.a.index(slot))));
        }
        out
    }

    fn own_equation(&self, p: [usize; 3], at: usize, between: [bool; 3], out: &mut Corners) {
        // L by τ, coded as directions with 0 on the axes that do not count.
        let mut lumped = [0.0; DIRECTIONS];
        for &d in self.directions {
            let s = step(d);
            let tau: [isize; 3] = std::array::from_fn(|a| if between[a] { s[a] } else { 0 });
            if tau != [0; 3] {
                lumped[((tau[2] + 1) * 9 + (tau[1] + 1) * 3 + tau[0] + 1) as usize] += self.a.coupling(at, d);
            }
        }
        let total: f64 = self.a.excess[at].max(0.0) + lumped.iter().map(|l| l.max(0.0)).sum::<f64>();
        let mask = (0..3).filter(|&a| between[a]).fold(0, |m, a| m | 1 << a);
        for (code, &l) in lumped.iter().enumerate().filter(|(_, l)| **l > 0.0) {
            let tau = step(code);
            let Some(q) = moved(self.shape.fine, p, tau) else { continue };
            let next = self.stored(q);
            let fixed = (0..3).filter(|&a| tau[a] != 0).fold(0, |m, a| m | 1 << a);
            let up = (0..3).filter(|&a| tau[a] > 0).fold(0, |m, a| m | 1 << a);
            let share = l / total;
            for (sigma, out) in out.iter_mut().enumerate().filter(|(sigma, _)| sigma & !mask == 0) {
                if sigma & fixed == up {
                    *out += share * next[sigma & !fixed];
                }
            }
        }
    }
}
