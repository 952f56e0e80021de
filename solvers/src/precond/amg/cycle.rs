//! The multigrid cycle: smooth, correct from the coarser level, smooth (Trottenberg, Oosterlee, Schüller 2001, section 2.4).
//!
//! ```text
//! x ← S b;  r ← b − A x;  e ← cycle(R r), γ times;  x ← x + P e;  x ← x + Sᵀ (b − A x)
//! ```
//! V: γ = 1. W: γ = 2. Between them, γ = 2 to those levels where a visit is cheap: a second one there costs little of the
//! whole cycle and makes the correction nearly as good as W does. Every cycle starts from zero, so it is a fixed linear
//! map, symmetric if A is. (An F-cycle, whose second visits are V-cycles, is not
//! symmetric: see `k_cycle`.)
//!
//! Corrections are scaled, x ← x + s P e: the coarse basis functions of aggregation are stiffer than the error, which makes
//! corrections too short (Braess 1995, *Computing* 55, section 4). The cycle stays symmetric positive definite for any
//! s > 0: its inverse is that of the sweeps plus s (I − SᵀA) P B Pᵀ (I − A S) with a positive definite B.

use super::options::AmgOptions;
use super::smoother::{Coloring, Smooth};
use super::transfer::Transfer;
use super::vectors;
use crate::precond::multigrid::Cycle;
use crate::{Scalar, SolveError, kernels};
use std::sync::Arc;

/// Sweeps that stand for a solve on a coarsest level that is too large for a factorization.
const COARSE_SWEEPS: usize = 20;

/// One level: its matrix and smoother, and the way to the next one.
pub(super) struct Level<T> {
    pub(super) smoother: Box<dyn Smooth<T>>,
    /// The way to the next level; none on the coarsest one.
    transfer: Option<Transfer<T>>,
    /// Whether the next level is visited twice.
    twice: bool,
    pub(super) x: Vec<T>,
    pub(super) b: Vec<T>,
    pub(super) r: Vec<T>,
    /// The first visit's correction, where there is a second one.
    sum: Vec<T>,
}

impl<T: Scalar> Level<T> {
    /// A level of n unknowns.
    pub(super) fn new(n: usize, smoother: Box<dyn Smooth<T>>) -> Self {
        let zeros = || vec![T::zero(); n];
        Self { smoother, transfer: None, twice: false, x: zeros(), b: zeros(), r: zeros(), sum: Vec::new() }
    }

    /// Joins the level to the next coarser one.
    pub(super) fn connect(&mut self, transfer: Transfer<T>) {
        self.transfer = Some(transfer);
    }

    /// Leading unknowns that the coarse correction concerns.
    pub(super) fn open(&self) -> usize {
        self.smoother.open()
    }

    /// Replaces the matrix and its smoother.
    pub(super) fn set_smoother(&mut self, smoother: Box<dyn Smooth<T>>) {
        self.smoother = smoother;
    }

    fn bytes(&self) -> usize {
        self.smoother.bytes() + self.transfer.as_ref().map_or(0, Transfer::bytes)
    }

    /// x ← an approximation of A⁻¹ b by sweeps.
    fn relax(&mut self, sweeps: usize) -> Result<(), SolveError> {
        self.smoother.before(&self.b, &mut self.x, &mut self.r)?;
        self.smoother.after(&self.b, &mut self.x, &mut self.r)?;
        for _ in 1..sweeps {
            self.smoother.after(&self.b, &mut self.x, &mut self.r)?;
        }
        Ok(())
    }
}

/// All levels.
pub(super) struct Hierarchy<T> {
    pub(super) levels: Vec<Level<T>>,
    pub(super) scale: T,
    /// The numbering of the finest level's vectors, where it is not the matrix's own.
    numbering: Option<Arc<Coloring>>,
}

impl<T: Scalar> Hierarchy<T> {
    pub(super) fn new(
        mut levels: Vec<Level<T>>,
        options: &AmgOptions,
        numbering: Option<Arc<Coloring>>,
    ) -> Self {
        let share = if options.cycle == Cycle::W { f64::INFINITY } else { options.second_visit };
        plan_visits(&mut levels, share);
        Self { levels, scale: T::of(options.correction_scale()), numbering }
    }

    pub(super) fn levels_mut(&mut self) -> &mut [Level<T>] {
        &mut self.levels
    }

    pub(super) fn smoother_names(&self) -> impl Iterator<Item = &'static str> {
        self.levels.iter().map(|level| level.smoother.name())
    }

    /// Whether each level is visited twice from the one above.
    pub(super) fn visited_twice(&self) -> Vec<bool> {
        std::iter::once(false).chain(self.levels.iter().map(|l| l.twice)).take(self.levels.len()).collect()
    }

    /// Bytes of matrices and transfers.
    pub(super) fn bytes(&self) -> usize {
        self.levels.iter().map(Level::bytes).sum()
    }

    /// b ← scale · r on the finest level; returns the largest |r_i|, not a number or infinite if one is.
    pub(super) fn set_rhs(&mut self, r: &[f64], scale: f64) -> f64 {
        let Some(level) = self.levels.first_mut() else { return 0.0 };
        match &self.numbering {
            None => vectors::fill(r, scale, &mut level.b),
            Some(numbering) => vectors::gather(r, &numbering.order, scale, &mut level.b),
        }
    }

    /// z ← factor · x of the finest level.
    pub(super) fn solution(&self, factor: f64, z: &mut [f64]) {
        let Some(level) = self.levels.first() else { return };
        match &self.numbering {
            None => vectors::unscale(&level.x, factor, z),
            Some(numbering) => vectors::scatter(&level.x, &numbering.place, factor, z),
        }
    }

    /// x ← one cycle for b, on the finest level.
    pub(super) fn run(&mut self) -> Result<(), SolveError> {
        visit(&mut self.levels, self.scale)
    }
}

/// Levels that are visited twice: those where a visit, with all below it, moves at most `share` of the bytes of the level
/// above. The coarsest one is solved exactly, so once is enough.
fn plan_visits<T: Scalar>(levels: &mut [Level<T>], share: f64) {
    let mut below = 0.0;
    for l in (0..levels.len()).rev() {
        let own = levels[l].smoother.bytes() as f64;
        levels[l].twice = l + 2 < levels.len() && below <= share * own;
        let visits = if levels[l].twice { 2.0 } else { 1.0 };
        if levels[l].twice {
            levels[l + 1].sum = vec![T::zero(); levels[l + 1].x.len()];
        }
        below = own + visits * below;
    }
}

fn visit<T: Scalar>(levels: &mut [Level<T>], scale: T) -> Result<(), SolveError> {
    let twice = levels.first().is_some_and(|level| level.twice);
    descend(levels, scale, |rest| {
        visit(rest, scale)?;
        if twice {
            let next = &mut rest[0];
            next.sum.copy_from_slice(&next.x);
            next.smoother.residual(&next.b, &next.sum, &mut next.r);
            std::mem::swap(&mut next.b, &mut next.r);
            let keep = std::mem::take(&mut next.sum);
            let done = visit(rest, scale);
            rest[0].sum = keep;
            done?;
            let next = &mut rest[0];
            kernels::axpy(T::one(), &next.sum, &mut next.x);
        }
        Ok(())
    })
}

/// x ← a cycle for b on the first of `levels`; `correct` solves the next one, x for b, and may overwrite that b.
pub(super) fn descend<T: Scalar>(
    levels: &mut [Level<T>],
    scale: T,
    correct: impl FnOnce(&mut [Level<T>]) -> Result<(), SolveError>,
) -> Result<(), SolveError> {
    let Some((level, rest)) = levels.split_first_mut() else { return Ok(()) };
    let (Some(transfer), Some(next)) = (&level.transfer, rest.first_mut()) else {
        return level.relax(COARSE_SWEEPS);
    };
    level.smoother.before(&level.b, &mut level.x, &mut level.r)?;
    transfer.restrict(&level.r, &mut next.b);
    correct(rest)?;
    transfer.add_prolongated(scale, &rest[0].x, &mut level.x);
    level.smoother.after(&level.b, &mut level.x, &mut level.r)
}
