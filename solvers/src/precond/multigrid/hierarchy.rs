//! The levels, and the cycles over them.

use super::box_matrix::BoxMatrix;
use super::coarsen::Fine;
use super::coarsest::{Coarsest, direct};
use super::galerkin::galerkin;
use super::grid::GridProblem;
use super::interpolation::interpolation;
use super::io::{Outer, OuterSource, Plain, PlainSource, Runs};
use super::level::{Level, Parts, on_parts};
use super::options::{Cycle, MultigridOptions};
use super::real::Real;
use super::stencil::BoxStencil;
use super::transfer::Shape;
use super::vertex::VertexWeights;
use super::wavefront::{ascend, descend};
use crate::SolveError;
use nalgebra::DMatrix;

/// All levels in one precision.
#[derive(Debug)]
pub(super) struct Hierarchy<T> {
    pub(super) dims: [usize; 3],
    pub(super) runs: Runs,
    pub(super) levels: Vec<Level<T>>,
    pub(super) coarsest: Coarsest<T>,
    pub(super) coarsest_r: Vec<T>,
    pub(super) coarsest_x: Vec<T>,
    /// Each level's dims, the coarsest last.
    sizes: Vec<[usize; 3]>,
    pub(super) cycle: Cycle,
}

impl<T: Real> Hierarchy<T> {
    pub(super) fn new(problem: &GridProblem, options: &MultigridOptions) -> Result<Self, SolveError> {
        let fine = Fine::of(problem);
        let (mut levels, mut sizes) = (Vec::new(), vec![fine.dims]);
        let matrix = if fine.suits_vertices() {
            by_vertices(&fine, options, &mut levels, &mut sizes)
        } else {
            by_cells(fine, options, &mut levels, &mut sizes)
        };
        let n = matrix.nrows();
        Ok(Self {
            dims: problem.dims,
            runs: Runs::new(problem.dims, problem.unknown_of_point.as_deref()),
            levels,
            coarsest: Coarsest::new(matrix, problem.null_space)?,
            coarsest_r: vec![T::ZERO; n],
            coarsest_x: vec![T::ZERO; n],
            sizes,
            cycle: options.cycle,
        })
    }

    pub(super) fn sizes(&self) -> &[[usize; 3]] {
        &self.sizes
    }

    /// z ← scale⁻¹ B (scale r), and Σ of (scale r)(B scale r): one cycle.
    pub(super) fn apply(&mut self, r: &[f64], scale: f64, z: &mut [f64]) -> f64 {
        let (input, output) = (
            Outer { dims: self.dims, runs: &self.runs, scale },
            Outer { dims: self.dims, runs: &self.runs, scale: 1.0 / scale },
        );
        let source = OuterSource { layout: input, data: r };
        let Some((finest, rest)) = self.levels.split_first_mut() else {
            return direct(&self.coarsest, &source, &output, self.dims, z);
        };
        let mut bottom = Bottom { solver: &self.coarsest, r: &mut self.coarsest_r, x: &mut self.coarsest_x };
        let Level { parts, pre, post, pool, x, dots, .. } = finest;
        let rc = given(rest, &mut bottom);
        on_parts!(&*parts, |s, p| descend(s, p, pre, pool, &source, x, rc));
        solve_level(rest, &mut bottom, self.cycle);
        let e = result(rest, &bottom);
        on_parts!(&*parts, |s, p| ascend(s, p, post, pool, &source, x, e, &output, z, dots));
        dots.iter().sum()
    }
}

/// Whether a level is coarsened, and along which axes.
fn next_shape(dims: [usize; 3], coarsen: [bool; 3], options: &MultigridOptions) -> Option<Shape> {
    let points: usize = dims.iter().product();
    (points > options.coarsest_points && coarsen.contains(&true)).then(|| Shape::new(dims, coarsen))
}

/// Levels of cells; returns the coarsest matrix.
fn by_cells<T: Real>(
    mut fine: Fine<'_>,
    options: &MultigridOptions,
    levels: &mut Vec<Level<T>>,
    sizes: &mut Vec<[usize; 3]>,
) -> DMatrix<f64> {
    while let Some(shape) = next_shape(fine.dims, fine.axes_to_coarsen(), options) {
        let lower = fine.smoothing_bound(shape.coarsen);
        levels.push(Level::new(shape, Parts::of_cells(&fine, shape), lower, options, levels.is_empty()));
        fine = fine.coarse(&shape);
        sizes.push(fine.dims);
    }
    fine.dense()
}

/// Levels of vertices with Galerkin's matrices; returns the coarsest matrix.
fn by_vertices<T: Real>(
    fine: &Fine<'_>,
    options: &MultigridOptions,
    levels: &mut Vec<Level<T>>,
    sizes: &mut Vec<[usize; 3]>,
) -> DMatrix<f64> {
    let middle = fine.has_middle();
    let mut a = BoxMatrix::of_faces(fine);
    while let Some(shape) = next_shape(a.dims, a.axes_to_coarsen(), options) {
        let p = interpolation(&a, shape);
        let lower = a.smoothing_bound(shape.coarsen);
        let weights = VertexWeights::of(&p);
        let finest = levels.is_empty();
        let parts = match (finest, middle) {
            (true, true) => Parts::Varied3(fine.faces(1.0), weights),
            (true, false) => Parts::Varied2(fine.faces(1.0), weights),
            (false, true) => Parts::Box3(BoxStencil::new(&a), weights),
            (false, false) => Parts::Box2(BoxStencil::new(&a), weights),
        };
        levels.push(Level::new(shape, parts, lower, options, finest));
        a = galerkin(&a, &p);
        sizes.push(a.dims);
    }
    a.dense()
}

/// The coarsest level's solver and vectors.
pub(super) struct Bottom<'a, T> {
    pub(super) solver: &'a Coarsest<T>,
    pub(super) r: &'a mut [T],
    pub(super) x: &'a mut [T],
}

/// Where the residual for the first of `levels` goes.
pub(super) fn given<'a, T>(levels: &'a mut [Level<T>], bottom: &'a mut Bottom<'_, T>) -> &'a mut [T] {
    match levels.first_mut() {
        Some(level) => &mut level.r,
        None => bottom.r,
    }
}

/// Where the correction from the first of `levels` lies.
pub(super) fn result<'a, T>(levels: &'a [Level<T>], bottom: &'a Bottom<'_, T>) -> &'a [T] {
    match levels.first() {
        Some(level) => &level.y,
        None => bottom.x,
    }
}

/// result ≈ A⁻¹ given on the first of `levels`: one cycle, or two for a W.
fn solve_level<T: Real>(levels: &mut [Level<T>], bottom: &mut Bottom<'_, T>, cycle: Cycle) {
    once(levels, bottom, cycle);
    if cycle == Cycle::V {
        return;
    }
    again(levels, bottom, cycle);
}

/// y ← y + B (r − A y) on the first of `levels`.
pub(super) fn again<T: Real>(levels: &mut [Level<T>], bottom: &mut Bottom<'_, T>, cycle: Cycle) {
    let Some(level) = levels.first_mut() else { return };
    let r = level.take_residual();
    std::mem::swap(&mut level.first, &mut level.y);
    once(levels, bottom, cycle);
    let Some(level) = levels.first_mut() else { return };
    level.add_first(r);
}

/// One cycle from 0 on the first of `levels`.
pub(super) fn once<T: Real>(levels: &mut [Level<T>], bottom: &mut Bottom<'_, T>, cycle: Cycle) {
    let Some((level, rest)) = levels.split_first_mut() else {
        return bottom.solver.solve(bottom.r, bottom.x);
    };
    let Level { shape, parts, pre, post, pool, r, x, y, dots, .. } = level;
    let source = PlainSource { dims: shape.fine, data: &r[..] };
    let rc = given(rest, bottom);
    on_parts!(&*parts, |s, p| descend(s, p, pre, pool, &source, x, rc));
    solve_level(rest, bottom, cycle);
    let e = result(rest, bottom);
    let plain = Plain { dims: shape.fine };
    on_parts!(&*parts, |s, p| ascend(s, p, post, pool, &source, x, e, &plain, y, dots));
}
