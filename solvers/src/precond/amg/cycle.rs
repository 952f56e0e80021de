//! The multigrid cycle: smooth, correct from the coarser level, smooth (Trottenberg, Oosterlee, Schüller 2001, section 2.4).
//!
//! ```text
//! x ← S b;  r ← b − A x;  e ← cycle(R r), γ times;  x ← x + P e;  x ← x + Sᵀ (b − A x)
//! ```
//! V: γ = 1. W: γ = 2. Every cycle starts from zero, so it is a fixed linear map, symmetric if A is. (An F-cycle, whose
//! second visits are V-cycles, is not symmetric, so CG could not use it.)

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
    smoother: Box<dyn Smooth<T>>,
    /// The way to the next level; none on the coarsest one.
    transfer: Option<Transfer<T>>,
    x: Vec<T>,
    b: Vec<T>,
    r: Vec<T>,
    /// The first visit's correction, where there is a second one.
    sum: Vec<T>,
}

impl<T: Scalar> Level<T> {
    /// A level of n unknowns.
    pub(super) fn new(n: usize, smoother: Box<dyn Smooth<T>>) -> Self {
        let zeros = || vec![T::zero(); n];
        Self { smoother, transfer: None, x: zeros(), b: zeros(), r: zeros(), sum: Vec::new() }
    }

    /// Joins the level to the next coarser one.
    pub(super) fn connect(&mut self, transfer: Transfer<T>) {
        self.transfer = Some(transfer);
    }

    /// Replaces the matrix and its smoother.
    pub(super) fn set_smoother(&mut self, smoother: Box<dyn Smooth<T>>) {
        self.smoother = smoother;
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
    levels: Vec<Level<T>>,
    cycle: Cycle,
    /// The numbering of the finest level's vectors, where it is not the matrix's own.
    numbering: Option<Arc<Coloring>>,
}

impl<T: Scalar> Hierarchy<T> {
    pub(super) fn new(mut levels: Vec<Level<T>>, cycle: Cycle, numbering: Option<Arc<Coloring>>) -> Self {
        if cycle != Cycle::V {
            levels.iter_mut().for_each(|level| level.sum = vec![T::zero(); level.x.len()]);
        }
        Self { levels, cycle, numbering }
    }

    pub(super) fn levels_mut(&mut self) -> &mut [Level<T>] {
        &mut self.levels
    }

    pub(super) fn smoother_names(&self) -> impl Iterator<Item = &'static str> {
        self.levels.iter().map(|level| level.smoother.name())
    }

    /// Bytes of matrices and transfers.
    pub(super) fn bytes(&self) -> usize {
        self.levels.iter().map(|l| l.smoother.bytes() + l.transfer.as_ref().map_or(0, Transfer::bytes)).sum()
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
        visit(&mut self.levels, self.cycle)
    }
}

fn visit<T: Scalar>(levels: &mut [Level<T>], cycle: Cycle) -> Result<(), SolveError> {
    let Some((level, rest)) = levels.split_first_mut() else { return Ok(()) };
    let (Some(transfer), Some(next)) = (&level.transfer, rest.first_mut()) else {
        return level.relax(COARSE_SWEEPS);
    };
    level.smoother.before(&level.b, &mut level.x, &mut level.r)?;
    transfer.restrict(&level.r, &mut next.b);
    visit(rest, cycle)?;
    if cycle != Cycle::V && rest.len() > 1 {
        let next = &mut rest[0];
        next.sum.copy_from_slice(&next.x);
        next.smoother.residual(&next.b, &next.sum, &mut next.r);
        std::mem::swap(&mut next.b, &mut next.r);
        let keep = std::mem::take(&mut next.sum);
        let done = visit(rest, cycle);
        rest[0].sum = keep;
        done?;
        let next = &mut rest[0];
        kernels::axpy(T::one(), &next.sum, &mut next.x);
    }
    transfer.add_prolongated(&rest[0].x, &mut level.x);
    level.smoother.after(&level.b, &mut level.x, &mut level.r)
}
