//! Full multigrid: solve on the coarsest grid, interpolate, correct by cycles, on to the next finer one.
//!
//! Right-hand sides go down by Pᵀ and solutions come up by P, both linear on cells. For a smooth solution of
//! −Σ k δ² u = b (all axes alike) either transfer loses (3/8) Σ δ² u = −(3/8) b/k, with b/k of the finer level: several
//! times what the discretisation loses. So before a solution goes up, (3/8 + 3/8) b/k is added to it, which on the
//! coarser level is (3d/8) D⁻¹ b; what is left is of higher order.

use super::coarsest::direct;
use super::hierarchy::{Bottom, Hierarchy, again, given, result};
use super::io::{Outer, OuterSource, Plain, PlainSource};
use super::level::{Level, Parts, on_parts};
use super::options::Cycle;
use super::real::Real;
use super::transfer::Shape;
use super::wavefront::{Step, ascend, descend};

/// Cycles on each level but the finest.
const CYCLES: usize = 2;

impl<T: Real> Hierarchy<T> {
    /// x ← the interpolant from the second level's answer, in units of `scale`⁻¹; the finest level is not yet
    /// corrected.
    pub(super) fn full_start(&mut self, b: &[f64], scale: f64, x: &mut [f64]) {
        let (input, output) = (
            Outer { dims: self.dims, runs: &self.runs, scale },
            Outer { dims: self.dims, runs: &self.runs, scale: 1.0 / scale },
        );
        let source = OuterSource { layout: input, data: b };
        self.levels.iter_mut().for_each(Level::reserve_second);
        let mut bottom = Bottom { solver: &self.coarsest, r: &mut self.coarsest_r, x: &mut self.coarsest_x };
        let Some((finest, rest)) = self.levels.split_first_mut() else {
            direct(&self.coarsest, &source, &output, self.dims, x);
            return;
        };
        // A step of length 0 leaves x = 0, so what is restricted is b itself.
        let none = [Step { omega: T::ZERO, colour: None }];
        let Level { shape, parts, pool, x: zero, dots, .. } = finest;
        let rc = given(rest, &mut bottom);
        on_parts!(&*parts, |s, p| descend(s, p, &none, pool, &source, zero, rc));
        start_level(rest, &mut bottom, self.cycle);
        sharpen(shape, parts, rest);
        let e = result(rest, &bottom);
        on_parts!(&*parts, |s, p| ascend(s, p, &[], pool, &source, zero, e, &output, x, dots));
    }
}

/// result ← full multigrid's answer for what is given, on the first of `levels`.
fn start_level<T: Real>(levels: &mut [Level<T>], bottom: &mut Bottom<'_, T>, cycle: Cycle) {
    let Some((level, rest)) = levels.split_first_mut() else {
        return bottom.solver.solve(bottom.r, bottom.x);
    };
    let none = [Step { omega: T::ZERO, colour: None }];
    {
        let Level { shape, parts, pool, x: zero, dots, r, first, .. } = &mut *level;
        let dims = shape.fine;
        let rc = given(rest, bottom);
        let source = PlainSource { dims, data: &r[..] };
        on_parts!(&*parts, |s, p| descend(s, p, &none, pool, &source, zero, rc));
        start_level(rest, bottom, cycle);
        sharpen(shape, parts, rest);
        let e = result(rest, bottom);
        let plain = Plain { dims };
        on_parts!(&*parts, |s, p| ascend(s, p, &[], pool, &source, zero, e, &plain, first, dots));
    }
    std::mem::swap(&mut level.y, &mut level.first);
    for _ in 0..CYCLES {
        again(levels, bottom, cycle);
    }
}

/// Adds to the result on the first of `levels` what the two transfers to the level above lose of it.
fn sharpen<T: Real>(above: &Shape, parts: &Parts<T>, levels: &mut [Level<T>]) {
    let axes = (0..3).filter(|&a| above.fine[a] > 1).count();
    let alike = (0..3).all(|a| above.fine[a] == 1 || above.coarsen[a]);
    let cells =
        matches!(parts, Parts::Constant2(..) | Parts::Constant3(..) | Parts::Faces2(..) | Parts::Faces3(..));
    if let Some(level) = levels.first_mut().filter(|_| alike && cells) {
        level.add_scaled(0.375 * axes as f64);
    }
}
