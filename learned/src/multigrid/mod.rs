//! The learned multigrid preconditioner on the processor: back end B.
//!
//! ```text
//! x ← p(D⁻¹A) D⁻¹ r                 two steps from 0
//! x ← x + P B_H Pᵀ (r − A x)        correction on the next level
//! x ← the same two steps in reverse
//! ```
//!
//! A V(2,2)-cycle with the [`Coefficients`] of a model in the place of derived ones, but for level 2, which is visited three
//! times, each visit for the residual of the ones before: what coarse levels do worse than fine ones is repeated where a visit
//! costs little. That takes blobs of 512² from 8.5 iterations to 7, thin walls from 12 to 8. The cycle is linear and
//! symmetric positive definite (why: [`coefficients`](crate::coefficients)). Two things are unlike the geometric multigrid of the
//! solvers: a coarse cell has a node for *each connected component* of what lies inside it, so thin walls separate at
//! any depth; and coarse levels are graphs, as split cells are no grid. The finest level is a grid, with the fused
//! kernels of [`FineLevel`].
//!
//! # Cost
//! Bytes a cycle and finest point in 2D (3D): finest level 64 (72), transfers to and from it 52 (64), coarser levels, all
//! together, 150 (62). Storage about 100 (120) bytes a point.

mod coarsen;
mod coarsest;
mod fields;
mod graph;
mod hierarchy;
mod level;
mod rows;
mod sealed;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub(crate) use fields::Fields;

use crate::LearnedError;
use crate::coefficients::Coefficients;
use coarsest::Coarsest;
use hierarchy::{COARSEST, Hierarchy, MAX_DEPTH};
use level::GraphLevel;
use rayon::prelude::*;
use residua_solvers::kernels;
use residua_solvers::precond::multigrid::{self, FineLevel, GridProblem, scale_of};
use residua_solvers::{LinearPreconditioner, Preconditioner, SolveError, SpdPreconditioner};
use rows::{Rows, for_each_row};
use sealed::Sealed;
use std::borrow::Cow;

/// The level that is visited more than once.
pub(crate) const REVISITED: usize = 2;

/// How often; odd, so that the cycle stays positive definite whatever the coefficients.
pub(crate) const VISITS: usize = 3;

/// One cycle as a preconditioner, z ← B r ≈ A⁻¹ r.
#[derive(Debug)]
pub struct LearnedMultigrid {
    unknowns: usize,
    finest: Option<Finest>,
    levels: Vec<GraphLevel>,
    coarsest: Coarsest,
    r: Vec<f32>,
    x: Vec<f32>,
    /// Of the visits to level 2.
    sum: Vec<f32>,
    sealed: Option<Sealed>,
    sizes: Vec<usize>,
}

/// The finest level, its transfers by points of the grid, and what goes through them.
#[derive(Debug)]
struct Finest {
    level: FineLevel,
    down: Rows,
    up: Rows,
    residual: Vec<f32>,
    correction: Vec<f32>,
}

impl LearnedMultigrid {
    /// For `problem`, with the coefficients of a model.
    ///
    /// # Errors
    /// [`LearnedError::Geometry`] if the dimensions differ or the grid is too large, [`LearnedError::Model`] for
    /// coefficients that are not allowed, and what [`GridProblem::check`] refuses.
    pub fn new(problem: &GridProblem, coefficients: &Coefficients) -> Result<Self, LearnedError> {
        Self::with_depth(problem, coefficients, MAX_DEPTH)
    }

    /// The same with at most `depth` levels beside the coarsest.
    pub(crate) fn with_depth(
        problem: &GridProblem,
        coefficients: &Coefficients,
        depth: usize,
    ) -> Result<Self, LearnedError> {
        coefficients.check()?;
        problem.check()?;
        let of_finest = coefficients.level(0);
        let (hierarchy, finest_level) = rayon::join(
            || Hierarchy::new(problem, coefficients, depth),
            || {
                let is_wanted = depth > 0 && problem.unknowns() > COARSEST;
                let problem = || with_exact_diagonal(problem);
                is_wanted.then(|| FineLevel::new(&problem(), &of_finest.omega, of_finest.walls)).transpose()
            },
        );
        let (hierarchy, finest_level) = (hierarchy?, finest_level?);
        let sealed = hierarchy.sealed().map(|(region, sizes)| Sealed::new(region, sizes));
        let mut sizes: Vec<usize> = hierarchy.levels.iter().map(|(graph, _)| graph.len()).collect();
        sizes.push(hierarchy.coarsest.len());
        let Hierarchy { levels, coarsest } = hierarchy;
        let (coarsest, (finest, levels)) = rayon::join(
            || Coarsest::new(&coarsest),
            || {
                let mut levels = levels.into_iter();
                let finest = finest_level.zip(levels.next());
                let finest = finest.map(|(level, (_, transfer))| Finest::new(problem, level, transfer));
                let level = |(k, (graph, transfer))| GraphLevel::new(graph, transfer, coefficients.level(k));
                (finest, (1..).zip(levels).map(level).collect::<Vec<GraphLevel>>())
            },
        );
        let coarsest = coarsest?;
        let zeros = vec![0.0; coarsest.n];
        let unknowns = problem.unknowns();
        let sum = levels.get(REVISITED - 1).map_or(Vec::new(), |level| vec![0.0; level.r.len()]);
        Ok(Self { unknowns, finest, levels, coarsest, r: zeros.clone(), x: zeros, sum, sealed, sizes })
    }

    /// Nodes of each level, the finest first.
    pub fn level_sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Number of unknowns.
    pub fn unknowns(&self) -> usize {
        self.unknowns
    }

    /// Takes the means of `v`, one number an unknown, from regions that no boundary value reaches: what makes a right-hand
    /// side consistent.
    pub fn project(&mut self, v: &mut [f64]) {
        if let Some(sealed) = &mut self.sealed {
            sealed.project(v);
        }
    }

    /// x ≈ A⁻¹ r on the levels below the finest.
    fn correct(&mut self) {
        let Self { levels, coarsest, r, x, sum, .. } = self;
        let Some((first, [second, rest @ ..])) = levels.split_first_mut() else {
            return v_cycle(levels, coarsest, r, x);
        };
        first.descend(&mut second.r);
        sum.fill(0.0);
        for _ in 1..VISITS {
            v_cycle_of(second, rest, coarsest, r, x);
            second.advance(sum);
        }
        v_cycle_of(second, rest, coarsest, r, x);
        second.x.iter_mut().zip(&*sum).for_each(|(x, sum)| *x += sum);
        first.ascend(&second.x);
    }

    fn cycle(&mut self, r: &[f64], scale: f64, z: &mut [f64]) -> Result<f64, SolveError> {
        let Some(mut finest) = self.finest.take() else {
            self.r.iter_mut().zip(r).for_each(|(to, &r)| *to = (scale * r) as f32);
            self.correct();
            z.iter_mut().zip(&self.x).for_each(|(z, &x)| *z = f64::from(x) / scale);
            return Ok(kernels::dot(r, z));
        };
        let Finest { level, down, up, residual, correction } = &mut finest;
        let done = level.descend(r, scale, residual).and_then(|()| {
            let rc = self.levels.first_mut().map_or(&mut self.r, |level| &mut level.r);
            for_each_row(rc, |c| down.dot(c, residual));
            self.correct();
            let e = self.levels.first().map_or(&self.x, |level| &level.x);
            for_each_row(correction, |i| up.dot(i, e));
            level.ascend(r, scale, correction, z)
        });
        self.finest = Some(finest);
        done
    }
}

/// One visit to `first`, and to `rest` below it.
fn v_cycle_of(
    first: &mut GraphLevel,
    rest: &mut [GraphLevel],
    coarsest: &Coarsest,
    r: &mut [f32],
    x: &mut [f32],
) {
    first.descend(rest.first_mut().map_or(&mut *r, |level| &mut level.r));
    v_cycle(rest, coarsest, r, x);
    first.ascend(rest.first().map_or(&*x, |level| &level.x));
}

/// One visit to each of `levels`; the coarsest takes `r` and gives `x`.
fn v_cycle(levels: &mut [GraphLevel], coarsest: &Coarsest, r: &mut [f32], x: &mut [f32]) {
    match levels.split_first_mut() {
        None => coarsest.solve(r, x),
        Some((first, rest)) => v_cycle_of(first, rest, coarsest, r, x),
    }
}

impl Finest {
    fn new(problem: &GridProblem, level: FineLevel, transfer: coarsen::Transfer) -> Self {
        let (down, up) = match &problem.unknown_of_point {
            None => (transfer.columns, transfer.rows),
            Some(unknowns) => by_points(unknowns, transfer),
        };
        let points = vec![0.0; level.points()];
        Self { level, down, up, residual: points.clone(), correction: points }
    }
}

/// Constant coefficients whose points all have the same diagonal stay as they are; others get their own faces.
fn with_exact_diagonal(problem: &GridProblem) -> Cow<'_, GridProblem> {
    let multigrid::Coefficients::Axes { k, sides } = &problem.coefficients else {
        return Cow::Borrowed(problem);
    };
    let dims = problem.dims;
    if problem.unknown_of_point.is_none()
        && (0..3).all(|a| dims[a] == 1 && k[a] == 0.0 || sides[a] == [1.0; 2])
    {
        return Cow::Borrowed(problem);
    }
    let [px, py, pz] = dims.map(|n| n + 1);
    let is_unknown = |p: [usize; 3]| {
        let at = (p[2] * dims[1] + p[1]) * dims[0] + p[0];
        problem.unknown_of_point.as_ref().is_none_or(|u| u[at] != u32::MAX)
    };
    let face = |a: usize, p: [usize; 3]| {
        if (0..3).any(|b| b != a && p[b] == dims[b]) {
            return 0.0;
        }
        let mut low = p;
        low[a] = p[a].wrapping_sub(1);
        let inside = |p: [usize; 3]| p[a] >= dims[a] || is_unknown(p);
        let side = if p[a] == 0 {
            sides[a][0]
        } else if p[a] == dims[a] {
            sides[a][1]
        } else {
            1.0
        };
        if inside(p) && inside(low) { k[a] * side } else { 0.0 }
    };
    let w = std::array::from_fn(|a| {
        (0..px * py * pz).into_par_iter().map(|at| face(a, [at % px, at / px % py, at / (px * py)])).collect()
    });
    Cow::Owned(GridProblem { coefficients: multigrid::Coefficients::Faces { w }, ..problem.clone() })
}

/// The transfers by points of the grid instead of unknowns.
fn by_points(unknowns: &[u32], mut transfer: coarsen::Transfer) -> (Rows, Rows) {
    let mut point = vec![0u32; transfer.rows.len()];
    let mut first = Vec::with_capacity(unknowns.len() + 1);
    first.push(0);
    for (at, &u) in unknowns.iter().enumerate() {
        let end = transfer.rows.first.get(u as usize + 1).copied().filter(|_| u != u32::MAX);
        if let (Some(_), Some(point)) = (end, point.get_mut(u as usize)) {
            *point = at as u32;
        }
        let last = first[at];
        first.push(end.unwrap_or(last));
    }
    transfer.columns.index.par_iter_mut().for_each(|i| *i = point[*i as usize]);
    (transfer.columns, Rows { first, ..transfer.rows })
}

impl Preconditioner<f64> for LearnedMultigrid {
    fn name(&self) -> &'static str {
        "learned"
    }

    fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        self.apply_dot(r, z).map(|_| ())
    }

    fn apply_dot(&mut self, r: &[f64], z: &mut [f64]) -> Result<f64, SolveError> {
        residua_solvers::error::check_len("r", self.unknowns, r.len())?;
        residua_solvers::error::check_len("z", self.unknowns, z.len())?;
        let Some(scale) = scale_of(r)? else {
            z.fill(0.0);
            return Ok(0.0);
        };
        let Some(mut sealed) = self.sealed.take() else {
            return self.cycle(r, scale, z);
        };
        let done = sealed.around(r, z, |r, z| self.cycle(r, scale, z));
        self.sealed = Some(sealed);
        done
    }
}
impl LinearPreconditioner<f64> for LearnedMultigrid {}
impl SpdPreconditioner<f64> for LearnedMultigrid {}
