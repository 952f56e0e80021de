//! The levels, and the cycles over them.

use super::coarsen::Fine;
use super::coarsest::Coarsest;
use super::grid::GridProblem;
use super::io::{Layout, Outer, OuterSource, Plain, PlainSource, Runs, Source};
use super::ops::{Constant, Faces, Stencil};
use super::options::{Cycle, MultigridOptions, Smoother};
use super::real::Real;
use super::ring::Ring;
use super::transfer::{PointWeights, Profiles, Shape};
use super::wavefront::{Pool, Step, ascend, descend};
use crate::SolveError;

/// The four kinds of level: 2D or 3D, constant coefficients or own ones.
#[derive(Debug)]
enum Parts<T> {
    Constant2(Constant<T, false>, Profiles<T>),
    Constant3(Constant<T, true>, Profiles<T>),
    Faces2(Faces<T, false>, PointWeights<T>),
    Faces3(Faces<T, true>, PointWeights<T>),
}

macro_rules! on_parts {
    ($parts:expr, |$s:ident, $p:ident| $body:expr) => {
        match $parts {
            Parts::Constant2($s, $p) => $body,
            Parts::Constant3($s, $p) => $body,
            Parts::Faces2($s, $p) => $body,
            Parts::Faces3($s, $p) => $body,
        }
    };
}

/// One level but the coarsest.
#[derive(Debug)]
struct Level<T> {
    shape: Shape,
    parts: Parts<T>,
    pre: Vec<Step<T>>,
    post: Vec<Step<T>>,
    pool: Pool<T>,
    /// What is given (not on the finest), after the pre-smoothing, and the result (not on the finest).
    r: Vec<T>,
    x: Vec<T>,
    y: Vec<T>,
    /// For W-cycles: the first result and the residual it leaves.
    first: Vec<T>,
    second_r: Vec<T>,
    dots: Vec<f64>,
}

impl<T: Real> Level<T> {
    fn new(fine: &Fine, shape: Shape, options: &MultigridOptions, finest: bool) -> Self {
        let middle = fine.has_middle();
        let parts = match (middle, fine.constant(), fine.constant()) {
            (true, _, Some(s)) => Parts::Constant3(s, fine.profiles(shape)),
            (false, Some(s), _) => Parts::Constant2(s, fine.profiles(shape)),
            (true, ..) => Parts::Faces3(fine.faces(), fine.point_weights(shape)),
            (false, ..) => Parts::Faces2(fine.faces(), fine.point_weights(shape)),
        };
        let lower = fine.smoothing_bound(shape.coarsen);
        let pre = steps(options.smoother, options.pre_sweeps, lower, false);
        let post = steps(options.smoother, options.post_sweeps, lower, true);
        let n = shape.fine.iter().product();
        let inner = if finest { 0 } else { n };
        let second = if finest || options.cycle == Cycle::V { 0 } else { n };
        let zeros = |n| vec![T::ZERO; n];
        let most = pre.len().max(post.len());
        Self {
            shape,
            parts,
            pool: Pool::new(&shape, most, rayon::current_num_threads()),
            pre,
            post,
            r: zeros(inner),
            x: zeros(n),
            y: zeros(inner),
            first: zeros(second),
            second_r: zeros(second),
            dots: vec![0.0; shape.fine[2]],
        }
    }

    /// y ← r − A x, each one element a point.
    fn residual(&self, r: &[T], x: &[T], y: &mut [T]) {
        on_parts!(&self.parts, |s, _p| residual(s, self.shape.fine, r, x, y));
    }
}

/// y ← r − A x in one pass of one thread.
fn residual<T: Real, S: Stencil<T>>(s: &S, dims: [usize; 3], r: &[T], x: &[T], y: &mut [T]) {
    let [nx, ny, nz] = dims;
    let (mut ring, mut r_row, mut out) = (Ring::new(dims, 0), vec![T::ZERO; nx + 2], vec![T::ZERO; nx + 2]);
    let (r, x) = (PlainSource { dims, data: r }, PlainSource { dims, data: x });
    let mut y = super::io::Part::new(y);
    for t in 0..=nz {
        if t < nz {
            (0..ny).for_each(|j| x.load(j, t, ring.row_mut(j, t)));
            ring.close_slab(t, nz, &s.ghosts(), S::MIDDLE);
        }
        let Some(k) = t.checked_sub(1) else { continue };
        for j in 0..ny {
            r.load(j, k, &mut r_row);
            s.defect(j, k, &r_row, ring.rows(j, k), &mut out);
            Plain { dims }.store(j, k, &out, &mut y);
        }
    }
}

/// The sweeps: roots of the Chebyshev polynomial on [λ, 2], or equal damping, or the two colours.
fn steps<T: Real>(smoother: Smoother, sweeps: usize, lower: f64, post: bool) -> Vec<Step<T>> {
    let (theta, delta) = (0.5 * (2.0 + lower), 0.5 * (2.0 - lower));
    match smoother {
        Smoother::Chebyshev => (0..sweeps)
            .map(|q| {
                let angle = std::f64::consts::PI * (2 * q + 1) as f64 / (2 * sweeps) as f64;
                Step { omega: T::of(1.0 / (theta + delta * angle.cos())), colour: None }
            })
            .collect(),
        Smoother::Jacobi => vec![Step { omega: T::of(1.0 / theta), colour: None }; sweeps],
        Smoother::RedBlack => (0..2 * sweeps)
            .map(|q| Step { omega: T::ONE, colour: Some((q + usize::from(post)) % 2) })
            .collect(),
    }
}

/// All levels in one precision.
#[derive(Debug)]
pub(super) struct Hierarchy<T> {
    dims: [usize; 3],
    runs: Runs,
    levels: Vec<Level<T>>,
    coarsest: Coarsest<T>,
    coarsest_r: Vec<T>,
    coarsest_x: Vec<T>,
    /// Each level's dims, the coarsest last.
    sizes: Vec<[usize; 3]>,
    cycle: Cycle,
}

impl<T: Real> Hierarchy<T> {
    pub(super) fn new(problem: &GridProblem, options: &MultigridOptions) -> Result<Self, SolveError> {
        let mut fine = Fine { dims: problem.dims, coefficients: problem.coefficients.clone() };
        let (mut levels, mut sizes) = (Vec::new(), vec![fine.dims]);
        loop {
            let points: usize = fine.dims.iter().product();
            let coarsen = fine.axes_to_coarsen();
            if points <= options.coarsest_points || !coarsen.contains(&true) {
                break;
            }
            let shape = Shape::new(fine.dims, coarsen);
            levels.push(Level::new(&fine, shape, options, levels.is_empty()));
            fine = fine.coarse(&shape);
            sizes.push(fine.dims);
        }
        let n = fine.dims.iter().product();
        Ok(Self {
            dims: problem.dims,
            runs: Runs::new(problem.dims, problem.unknown_of_point.as_deref()),
            levels,
            coarsest: Coarsest::new(&fine, problem.null_space)?,
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

/// Cycles of full multigrid on each level but the finest.
const START_CYCLES: usize = 2;

/// Full multigrid: solve on the coarsest grid, interpolate, correct by a cycle, on to the next finer one.
impl<T: Real> Hierarchy<T> {
    /// x ← the interpolant from the second level's answer, in units of `scale`⁻¹; the finest level is not yet
    /// corrected.
    pub(super) fn full_start(&mut self, b: &[f64], scale: f64, x: &mut [f64]) {
        let (input, output) = (
            Outer { dims: self.dims, runs: &self.runs, scale },
            Outer { dims: self.dims, runs: &self.runs, scale: 1.0 / scale },
        );
        let source = OuterSource { layout: input, data: b };
        let mut bottom = Bottom { solver: &self.coarsest, r: &mut self.coarsest_r, x: &mut self.coarsest_x };
        let Some((finest, rest)) = self.levels.split_first_mut() else {
            direct(&self.coarsest, &source, &output, self.dims, x);
            return;
        };
        // A step of length 0 leaves x = 0, so what is restricted is b itself.
        let none = [Step { omega: T::ZERO, colour: None }];
        let Level { parts, pool, x: zero, dots, .. } = finest;
        let rc = given(rest, &mut bottom);
        on_parts!(&*parts, |s, p| descend(s, p, &none, pool, &source, zero, rc));
        start_level(rest, &mut bottom, self.cycle);
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
    let mut b = level.r.clone();
    let mut start = vec![T::ZERO; b.len()];
    {
        let Level { shape, parts, pool, x: zero, dots, .. } = &mut *level;
        let dims = shape.fine;
        let rc = given(rest, bottom);
        let source = PlainSource { dims, data: &b };
        on_parts!(&*parts, |s, p| descend(s, p, &none, pool, &source, zero, rc));
        start_level(rest, bottom, cycle);
        let e = result(rest, bottom);
        let plain = Plain { dims };
        on_parts!(&*parts, |s, p| ascend(s, p, &[], pool, &source, zero, e, &plain, &mut start, dots));
    }
    for _ in 0..START_CYCLES {
        let Some(level) = levels.first_mut() else { return };
        let mut r = std::mem::take(&mut level.r);
        level.residual(&b, &start, &mut r);
        level.r = r;
        once(levels, bottom, cycle);
        let Some(level) = levels.first_mut() else { return };
        start.iter_mut().zip(&level.y).for_each(|(start, &y)| *start += y);
    }
    if let Some(level) = levels.first_mut() {
        std::mem::swap(&mut level.r, &mut b);
        level.y.copy_from_slice(&start);
    }
}

/// The coarsest level's solver and vectors.
struct Bottom<'a, T> {
    solver: &'a Coarsest<T>,
    r: &'a mut [T],
    x: &'a mut [T],
}

/// Where the residual for the first of `levels` goes.
fn given<'a, T>(levels: &'a mut [Level<T>], bottom: &'a mut Bottom<'_, T>) -> &'a mut [T] {
    match levels.first_mut() {
        Some(level) => &mut level.r,
        None => bottom.r,
    }
}

/// Where the correction from the first of `levels` lies.
fn result<'a, T>(levels: &'a [Level<T>], bottom: &'a Bottom<'_, T>) -> &'a [T] {
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
    // y ← y + B (r − A y)
    let Some(level) = levels.first_mut() else { return };
    let mut second = std::mem::take(&mut level.second_r);
    level.residual(&level.r, &level.y, &mut second);
    level.first.copy_from_slice(&level.y);
    std::mem::swap(&mut level.r, &mut second);
    level.second_r = second;
    once(levels, bottom, cycle);
    let Some(level) = levels.first_mut() else { return };
    std::mem::swap(&mut level.r, &mut level.second_r);
    level.y.iter_mut().zip(&level.first).for_each(|(y, &first)| *y += first);
}

/// One cycle from 0 on the first of `levels`.
fn once<T: Real>(levels: &mut [Level<T>], bottom: &mut Bottom<'_, T>, cycle: Cycle) {
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

/// The whole problem by the dense inverse.
fn direct<T: Real>(
    coarsest: &Coarsest<T>,
    source: &OuterSource<'_>,
    output: &Outer<'_>,
    dims @ [nx, ny, nz]: [usize; 3],
    z: &mut [f64],
) -> f64 {
    let n = nx * ny * nz;
    let (mut r, mut x, mut row) = (vec![T::ZERO; n], vec![T::ZERO; n], vec![T::ZERO; nx + 2]);
    let rows = || (0..ny * nz).map(|row| (row % ny, row / ny));
    let (plain, mut to) = (Plain { dims }, super::io::Part::new(&mut r[..]));
    for (j, k) in rows() {
        Source::<T>::load(source, j, k, &mut row);
        Layout::<T>::store(&plain, j, k, &row, &mut to);
    }
    coarsest.solve(&r, &mut x);
    let (from, mut to) = (PlainSource { dims, data: &x }, super::io::Part::new(z));
    for (j, k) in rows() {
        from.load(j, k, &mut row);
        output.store(j, k, &row, &mut to);
    }
    r.iter().zip(&x).map(|(r, x)| r.wide() * x.wide()).sum()
}
