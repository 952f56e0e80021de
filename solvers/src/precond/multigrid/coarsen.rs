//! The next level: which axes to coarsen, its face coefficients, and the weights of the transfers.
//!
//! An axis is coarsened unless another is more than [`STRONG`] times as strong: smoothing by points leaves errors
//! smooth along strong couplings only, and coarsening there alone (semi-coarsening; Trottenberg, Oosterlee, Schüller
//! 2001, section 5.1) weakens them by 4 a level, until all axes are alike.
//!
//! Along a coarsened axis the resistance between neighbours I and J is the sum of the fine ones on the line between the
//! middles of the two pairs, half a face within I, the face between, half a face within J, and the lines of the
//! coarse face add their conductances; across an axis that stays, fine faces add up.
//! (A line whose points take more than half of their value from the neighbouring coarse points belongs to those, by the
//! share above one half: else a coarse point across a jump would join two strong regions that meet in an edge.) At a
//! Dirichlet side at distance h this gives the coefficient 2/(1/2 + 1) = 4/3 of the interior one, then 6/5 of that, and so on: the value is given
//! where it was, not half a coarse cell further out.

use super::grid::{Coefficients, GridProblem};
use super::ops::{Constant, Faces};
use super::real::Real;
use super::transfer::{PointWeights, Profiles, Shape};
use crate::kernels;
use nalgebra::DMatrix;
use rayon::prelude::*;
use std::borrow::Cow;

/// Ratio of couplings up to which axes are coarsened together.
pub(super) const STRONG: f64 = 2.0;

/// The face coefficients of a level in double precision.
#[derive(Debug, Clone)]
pub(super) struct Fine<'a> {
    pub(super) dims: [usize; 3],
    pub(super) coefficients: Cow<'a, Coefficients>,
}

impl<'a> Fine<'a> {
    /// The finest level, whose coefficients are not copied.
    pub(super) fn of(problem: &'a GridProblem) -> Self {
        Self { dims: problem.dims, coefficients: Cow::Borrowed(&problem.coefficients) }
    }

    fn pitch(&self) -> [usize; 3] {
        self.dims.map(|n| n + 1)
    }

    /// Coefficient of the low face along `axis` at `p`, `p[axis]` ≤ n.
    #[inline(always)]
    pub(super) fn face(&self, axis: usize, p: [usize; 3]) -> f64 {
        match &*self.coefficients {
            Coefficients::Axes { k, sides } => {
                if p[axis] == 0 {
                    k[axis] * sides[axis][0]
                } else if p[axis] == self.dims[axis] {
                    k[axis] * sides[axis][1]
                } else {
                    k[axis]
                }
            }
            Coefficients::Faces { w } => {
                let [px, py, _] = self.pitch();
                w[axis][(p[2] * py + p[1]) * px + p[0]]
            }
        }
    }

    /// Mean coefficient of each axis, 0 where it has one point.
    fn strengths(&self) -> [f64; 3] {
        std::array::from_fn(|a| match &*self.coefficients {
            _ if self.dims[a] < 2 => 0.0,
            Coefficients::Axes { k, .. } => k[a],
            Coefficients::Faces { w } => sum(&w[a]) / w[a].len() as f64,
        })
    }

    /// The axes to coarsen.
    pub(super) fn axes_to_coarsen(&self) -> [bool; 3] {
        let k = self.strengths();
        let largest = k.iter().copied().fold(0.0, f64::max);
        std::array::from_fn(|a| self.dims[a] > 1 && k[a] * STRONG >= largest)
    }

    /// A lower bound for the eigenvalues of D⁻¹A, which lie in (0, 2], on the modes that the coarse grid lacks.
    pub(super) fn smoothing_bound(&self, coarsen: [bool; 3]) -> f64 {
        let strength = self.strengths();
        let (mean, lowest): (Vec<f64>, Vec<f64>) = (0..3)
            .map(|a| match &*self.coefficients {
                Coefficients::Axes { k, sides } if self.dims[a] == 1 => {
                    (k[a], k[a] * (sides[a][0] + sides[a][1]))
                }
                Coefficients::Axes { k, sides } if sides[a][0].min(sides[a][1]) >= 1.0 => {
                    let angle = std::f64::consts::PI / (self.dims[a] as f64 + 1.0);
                    (k[a], k[a] * (2.0 - 2.0 * angle.cos()))
                }
                _ => (strength[a], 0.0),
            })
            .unzip();
        let total: f64 = mean.iter().sum();
        (0..3)
            .filter(|&a| coarsen[a] && total > 0.0)
            .map(|a| {
                let others: f64 = (0..3).filter(|&b| b != a).map(|b| lowest[b]).sum();
                (2.0 * mean[a] + others) / (2.0 * total)
            })
            .fold(1.0, f64::min)
    }

    /// Half the resistance of the face within the pair of fine index `i`; 0 where the pair is no pair.
    #[inline(always)]
    fn half_within(&self, axis: usize, mut p: [usize; 3]) -> f64 {
        p[axis] |= 1;
        if p[axis] >= self.dims[axis] {
            return 0.0;
        }
        let w = self.face(axis, p);
        if w > 0.0 { 0.5 / w } else { 0.0 }
    }

    /// 1 / (½/w_I + 1/w + ½/w_J) across the fine face at `p`, of which one side may be outside.
    #[inline(always)]
    fn conductance(&self, axis: usize, p: [usize; 3]) -> f64 {
        let w = self.face(axis, p);
        if w <= 0.0 {
            return 0.0;
        }
        let mut resistance = 1.0 / w;
        if p[axis] < self.dims[axis] {
            resistance += self.half_within(axis, p);
        }
        if p[axis] > 0 {
            let mut low = p;
            low[axis] -= 1;
            resistance += self.half_within(axis, low);
        }
        1.0 / resistance
    }

    /// The share f of the coarse neighbour on the side of fine point `p`.
    #[inline(always)]
    fn weight(&self, axis: usize, p: [usize; 3]) -> f64 {
        let mut face = p;
        face[axis] += p[axis] % 2;
        self.half_within(axis, p) * self.conductance(axis, face)
    }

    /// The shares f of all axes at fine point `p`, together at most 1.
    #[inline(always)]
    fn shares(&self, shape: &Shape, p: [usize; 3]) -> [f64; 3] {
        let f: [f64; 3] = std::array::from_fn(|a| if shape.coarsen[a] { self.weight(a, p) } else { 0.0 });
        let sum: f64 = f.iter().sum();
        f.map(|f| f / sum.max(1.0))
    }

    /// How much of the line along `axis` through the face at `p` belongs to the outward neighbour along `b`: f beyond
    /// 1/2, scaled to [0, 1], of the point that has less.
    #[inline(always)]
    fn given_away(&self, shape: &Shape, axis: usize, b: usize, p: [usize; 3]) -> f64 {
        let beyond = |p| {
            // Most points keep their lines, and the other axes can only lower this.
            if self.weight(b, p) <= 0.5 { 0.0 } else { (2.0 * self.shares(shape, p)[b] - 1.0).max(0.0) }
        };
        let mut share = f64::INFINITY;
        if p[axis] < self.dims[axis] {
            share = beyond(p);
        }
        if p[axis] > 0 && share > 0.0 {
            let mut low = p;
            low[axis] -= 1;
            share = share.min(beyond(low));
        }
        share
    }

    /// Whether there are faces along the middle axis.
    pub(super) fn has_middle(&self) -> bool {
        match &*self.coefficients {
            Coefficients::Axes { k, .. } => k[1] > 0.0,
            Coefficients::Faces { w } => self.dims[1] > 1 || w[1].iter().any(|&w| w > 0.0),
        }
    }

    /// The matrix, for few points.
    pub(super) fn dense(&self) -> DMatrix<f64> {
        let [nx, ny, nz] = self.dims;
        let n = nx * ny * nz;
        let mut a = DMatrix::<f64>::zeros(n, n);
        let stride = [1, nx, nx * ny];
        for row in 0..n {
            let p = [row % nx, row / nx % ny, row / (nx * ny)];
            for axis in 0..3 {
                let mut high = p;
                high[axis] += 1;
                let (low_w, high_w) = (self.face(axis, p), self.face(axis, high));
                a[(row, row)] += low_w + high_w;
                if p[axis] > 0 {
                    a[(row, row - stride[axis])] -= low_w;
                }
                if high[axis] < self.dims[axis] {
                    a[(row, row + stride[axis])] -= high_w;
                }
            }
        }
        a
    }

    /// The next level.
    pub(super) fn coarse(&self, shape: &Shape) -> Fine<'static> {
        let dims = shape.coarse;
        if let Coefficients::Axes { k, sides } = &*self.coefficients
            && (0..3).all(|a| !shape.coarsen[a] || shape.fine[a].is_multiple_of(2))
        {
            let halves = |a: usize| if shape.coarsen[a] { 0.5 } else { 1.0 };
            let area =
                |a: usize| (0..3).filter(|&b| b != a && shape.coarsen[b]).fold(1.0, |area, _| 2.0 * area);
            let side = |a: usize, c: f64| if shape.coarsen[a] && c > 0.0 { 2.0 / (0.5 + 1.0 / c) } else { c };
            let k = std::array::from_fn(|a| k[a] * halves(a) * area(a));
            let sides = std::array::from_fn(|a| sides[a].map(|c| side(a, c)));
            return Fine { dims, coefficients: Cow::Owned(Coefficients::Axes { k, sides }) };
        }
        let varied = self.is_varied();
        let w = std::array::from_fn(|axis| {
            by_points(dims.map(|n| n + 1), |q| {
                // Past the last point along another axis there is no face.
                if (0..3).any(|a| a != axis && q[a] >= dims[a]) {
                    return 0.0;
                }
                self.coarse_face(shape, varied, axis, q)
            })
        });
        Fine { dims, coefficients: Cow::Owned(Coefficients::Faces { w }) }
    }

    fn coarse_face(&self, shape: &Shape, varied: bool, axis: usize, q: [usize; 3]) -> f64 {
        // Lines of the children, and of the outermost children of the neighbours, which may give theirs away.
        let range = |a: usize| {
            let n = shape.fine[a];
            let first = if shape.coarsen[a] { 2 * q[a] } else { q[a] };
            if a == axis {
                first.min(n)..first.min(n) + 1
            } else if shape.coarsen[a] && varied {
                first.saturating_sub(1)..(first + 3).min(n)
            } else if shape.coarsen[a] {
                first..(first + 2).min(n)
            } else {
                first..first + 1
            }
        };
        let mut sum = 0.0;
        for k in range(2) {
            for j in range(1) {
                for i in range(0) {
                    let p = [i, j, k];
                    // Own lines less what they give away; a neighbour's only by what it gives here.
                    let (mut kept, mut given, mut foreign) = (1.0, 0.0, 0);
                    for b in (0..3).filter(|&b| varied && b != axis && shape.coarsen[b]) {
                        let own = p[b] / 2 == q[b];
                        if own {
                            kept -= self.given_away(shape, axis, b, p);
                        } else {
                            foreign += 1;
                            given = if foreign == 1 { self.given_away(shape, axis, b, p) } else { 0.0 };
                        }
                    }
                    let part: f64 = if foreign == 0 { kept } else { given };
                    if part > 0.0 {
                        sum += part
                            * if shape.coarsen[axis] {
                                self.conductance(axis, p)
                            } else {
                                self.face(axis, p)
                            };
                    }
                }
            }
        }
        sum
    }

    pub(super) fn constant<T: Real, const MIDDLE: bool>(&self) -> Option<Constant<T, MIDDLE>> {
        match *self.coefficients {
            Coefficients::Axes { k, sides } => Some(Constant::new(k, sides)),
            Coefficients::Faces { .. } => None,
        }
    }

    pub(super) fn profiles<T: Real>(&self, shape: Shape) -> Profiles<T> {
        let f = std::array::from_fn(|a| {
            (0..self.dims[a])
                .map(|i| {
                    let mut p = [0; 3];
                    p[a] = i;
                    T::of(if shape.coarsen[a] { self.weight(a, p) } else { 0.0 })
                })
                .collect()
        });
        Profiles { shape, f }
    }

    /// `walls` scales D⁻¹ at points with a closed face.
    pub(super) fn faces<T: Real, const MIDDLE: bool>(&self, walls: f64) -> Faces<T, MIDDLE> {
        let [px, py, pz] = self.pitch();
        let w = std::array::from_fn(|axis| match &*self.coefficients {
            Coefficients::Faces { w } => w[axis].par_iter().map(|&v| T::of(v)).collect(),
            Coefficients::Axes { .. } => by_points([px, py, pz], |p| T::of(self.face(axis, p))),
        });
        let inverse = by_points([px, py, pz], |p| {
            if (0..3).any(|a| p[a] >= self.dims[a]) {
                return T::ZERO;
            }
            let faces: [[f64; 2]; 3] = std::array::from_fn(|a| {
                let mut high = p;
                high[a] += 1;
                [self.face(a, p), self.face(a, high)]
            });
            let d: f64 = faces.iter().map(|[low, high]| low + high).sum();
            let is_closed = |a: usize| self.dims[a] > 1 && faces[a].contains(&0.0);
            let theta = if walls != 1.0 && (0..3).any(is_closed) { walls } else { 1.0 };
            T::of(if d > 0.0 { theta / d } else { 0.0 })
        });
        Faces { pitch: [px, py], w, inverse }
    }

    pub(super) fn point_weights<T: Real>(&self, shape: Shape) -> PointWeights<T> {
        let pitch = self.pitch();
        let f = std::array::from_fn(|axis| {
            by_points(pitch, |p| {
                if !shape.coarsen[axis] || (0..3).any(|a| p[a] >= self.dims[a]) {
                    return T::ZERO;
                }
                T::of(self.shares(&shape, p)[axis])
            })
        });
        PointWeights { shape, pitch: [pitch[0], pitch[1]], f }
    }
}

/// Σ w, the same for any number of threads.
pub(super) fn sum(w: &[f64]) -> f64 {
    kernels::reduce(w, kernels::VECTOR_GRAIN, &|w: &[f64]| w.iter().sum::<f64>())
}

/// value(p) for all p of a box, x fastest, threaded over planes or rows.
pub(super) fn by_points<V: Send + Default + Clone>(
    [nx, ny, nz]: [usize; 3],
    value: impl Fn([usize; 3]) -> V + Sync,
) -> Vec<V> {
    let mut out = vec![V::default(); nx * ny * nz];
    out.par_chunks_mut(nx).enumerate().for_each(|(row, out)| {
        let (j, k) = (row % ny, row / ny);
        out.iter_mut().enumerate().for_each(|(i, out)| *out = value([i, j, k]));
    });
    out
}
