//! Cycles that are no fixed symmetric map: the K-cycle and the F-cycle.
//!
//! A K-cycle solves each coarser level by up to two steps of flexible conjugate gradients that the cycle below
//! preconditions (Notay and Vassilevski 2008, *Numer. Linear Algebra Appl.* 15, algorithm 3.2). With B one cycle of the
//! level, c = B b, v = A c, r = b − (α₁/ρ₁) v and, if ‖r‖ > t ‖b‖ with t = 1/4, d = B r, w = A d:
//!
//! ```text
//! α₁ = cᵀb,  ρ₁ = cᵀv,  α₂ = dᵀr,  γ = dᵀv,  β = dᵀw,  ρ₂ = β − γ²/ρ₁
//! x = (α₁/ρ₁ − γ α₂/(ρ₁ ρ₂)) c + (α₂/ρ₂) d
//! ```
//!
//! For a nonsymmetric A the steps are those of GCR: v and w stand in the place of c and d on the left of every product.
//! The steps find the length of a correction themselves, and two of them make up for a poor coarse level, such as that of
//! plain aggregation, at a cost that stays proportional to n where each level has less than half the entries of the one
//! above.
//!
//! An F-cycle visits each coarser level twice, first by an F-cycle, then by a V-cycle for what is left (Trottenberg,
//! Oosterlee, Schüller 2001, section 2.4).

use super::cycle::{Hierarchy, Level, descend};
use super::{Amg, Levels};
use crate::{Preconditioner, Scalar, SolveError, kernels};

/// t: a second step is left out where the first one took the residual's norm to this share.
const ENOUGH: f64 = 0.25;

/// A second direction with less than this share of its energy outside the first one is rounding.
const LEAST_SHARE: f64 = 1e-6;

/// How [`FlexibleAmg`] visits the coarser levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FlexibleCycle {
    /// Up to two steps of flexible conjugate gradients on each coarser level, of GCR for nonsymmetric matrices.
    #[default]
    K,
    /// Twice: an F-cycle, then a V-cycle.
    F,
}

/// One K- or F-cycle from zero on the levels of an [`Amg`].
///
/// A K-cycle is not a linear map and an F-cycle not a symmetric one, so this is no preconditioner for CG or GMRES:
/// [`Fcg`](crate::krylov::Fcg) takes it, and [`Fgmres`](crate::krylov::Fgmres) for nonsymmetric matrices.
///
/// Use the K-cycle with plain aggregation ([`AggregationOptions::smooth_prolongation`](super::AggregationOptions) false),
/// whose levels are small and cheap to set up, and with which V-cycles need more iterations the larger the problem.
///
/// **Storage** beside the levels: two vectors for each coarser level (K), one (F).
#[derive(Debug)]
pub struct FlexibleAmg {
    amg: Amg,
    cycle: FlexibleCycle,
    work: Work,
}

/// Vectors of the levels below the finest, in the cycle's precision.
#[derive(Debug)]
enum Work {
    Single(Vec<Kept<f32>>),
    Double(Vec<Kept<f64>>),
}

/// What one level keeps of its first visit.
#[derive(Debug)]
struct Kept<T> {
    /// The correction c.
    c: Vec<T>,
    /// A c; empty in an F-cycle.
    v: Vec<T>,
}

/// How a level is visited.
#[derive(Clone, Copy)]
enum Visit {
    V,
    F,
    Conjugate,
    Residual,
}

impl FlexibleAmg {
    /// On the levels of `amg`, whose own [`cycle`](super::AmgOptions::cycle) and
    /// [`second_visit`](super::AmgOptions::second_visit) play no part.
    pub fn new(amg: Amg, cycle: FlexibleCycle) -> Self {
        let work = match &amg.levels {
            Levels::Single(h) => Work::Single(kept(h, cycle)),
            Levels::Double(h) => Work::Double(kept(h, cycle)),
        };
        Self { amg, cycle, work }
    }

    /// The levels.
    pub fn amg(&self) -> &Amg {
        &self.amg
    }
}

impl Preconditioner<f64> for FlexibleAmg {
    fn name(&self) -> &'static str {
        match self.cycle {
            FlexibleCycle::K => "amg-k-cycle",
            FlexibleCycle::F => "amg-f-cycle",
        }
    }

    fn warning(&self) -> Option<String> {
        self.amg.warning()
    }

    fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        self.amg.load(r, z)?;
        let how = match self.cycle {
            FlexibleCycle::F => Visit::F,
            FlexibleCycle::K if self.amg.symmetric => Visit::Conjugate,
            FlexibleCycle::K => Visit::Residual,
        };
        match (&mut self.amg.levels, &mut self.work) {
            (Levels::Single(h), Work::Single(work)) => visit(&mut h.levels, work, h.scale, how)?,
            (Levels::Double(h), Work::Double(work)) => visit(&mut h.levels, work, h.scale, how)?,
            // Both are made together, and neither is ever replaced.
            _ => return Err(SolveError::PatternChanged { what: "amg" }),
        }
        self.amg.store(z);
        Ok(())
    }
}

/// Vectors for every level below the finest; the coarsest one is solved and needs none.
fn kept<T: Scalar>(h: &Hierarchy<T>, cycle: FlexibleCycle) -> Vec<Kept<T>> {
    let last = h.levels.len() - usize::from(!h.levels.is_empty());
    let zeros = |wanted: bool, n: usize| vec![T::zero(); if wanted { n } else { 0 }];
    let level = |(l, level): (usize, &Level<T>)| Kept {
        c: zeros(l < last, level.x.len()),
        v: zeros(l < last && cycle == FlexibleCycle::K, level.x.len()),
    };
    h.levels.iter().enumerate().skip(1).map(level).collect()
}

/// x ← one cycle for b on the first of `levels`; `work` belongs to the others.
fn visit<T: Scalar>(
    levels: &mut [Level<T>],
    work: &mut [Kept<T>],
    scale: T,
    how: Visit,
) -> Result<(), SolveError> {
    descend(levels, scale, |rest| correct(rest, work, scale, how))
}

/// x ← an approximation of A⁻¹ b on the first of `levels`, whose work is the first of `work`; overwrites b.
fn correct<T: Scalar>(
    levels: &mut [Level<T>],
    work: &mut [Kept<T>],
    scale: T,
    how: Visit,
) -> Result<(), SolveError> {
    let Some((kept, below)) = work.split_first_mut() else { return Ok(()) };
    visit(levels, below, scale, how)?;
    if levels.len() < 2 {
        return Ok(());
    }
    match how {
        Visit::V => Ok(()),
        Visit::F => {
            let level = &mut levels[0];
            kept.c.copy_from_slice(&level.x);
            level.smoother.residual(&level.b, &level.x, &mut level.r);
            std::mem::swap(&mut level.b, &mut level.r);
            visit(levels, below, scale, Visit::V)?;
            kernels::axpy(T::one(), &kept.c, &mut levels[0].x);
            Ok(())
        }
        Visit::Conjugate | Visit::Residual => {
            let Some(first) = first_step(&mut levels[0], kept, how) else { return Ok(()) };
            visit(levels, below, scale, how)?;
            second_step(&mut levels[0], kept, first, how);
            Ok(())
        }
    }
}

/// α₁/ρ₁ and ρ₁.
struct First {
    length: f64,
    curvature: f64,
}

/// The step along x = c. None if it is all: x is then the solution, else b the residual that is left.
fn first_step<T: Scalar>(level: &mut Level<T>, kept: &mut Kept<T>, how: Visit) -> Option<First> {
    let Level { smoother, x, b, .. } = level;
    let v = &mut kept.v;
    // v = b − (b − A c).
    smoother.residual(b, x, v);
    kernels::subtract_from(b, v);
    let left: &[T] = if matches!(how, Visit::Residual) { &*v } else { &*x };
    let (alpha, curvature) = (dot(left, b), dot(left, v));
    let length = alpha / curvature;
    // A zero right-hand side, or a direction without a usable length: the cycle's own will do.
    if curvature == 0.0 || !T::of(length).is_finite() {
        return None;
    }
    let before = dot(b, b);
    kernels::axpy(T::of(-length), v, b);
    if dot(b, b) <= ENOUGH * ENOUGH * before {
        kernels::scale(T::of(length), x);
        return None;
    }
    kept.c.copy_from_slice(x);
    Some(First { length, curvature })
}

/// x = d ← the combination of c and d.
fn second_step<T: Scalar>(level: &mut Level<T>, kept: &Kept<T>, first: First, how: Visit) {
    let Level { smoother, x, b, r: w, .. } = level;
    smoother.residual(b, x, w);
    kernels::subtract_from(b, w);
    let left: &[T] = if matches!(how, Visit::Residual) { &*w } else { &*x };
    let (alpha, gamma, beta) = (dot(left, b), dot(left, &kept.v), dot(left, w));
    let rest = beta - gamma * gamma / first.curvature;
    let length = alpha / rest;
    let along_first = first.length - gamma * length / first.curvature;
    let usable = rest / beta > LEAST_SHARE && T::of(length).is_finite() && T::of(along_first).is_finite();
    if usable {
        kernels::axpby(T::of(along_first), &kept.c, T::of(length), x);
    } else {
        kernels::scaled_copy(T::of(first.length), &kept.c, x);
    }
}

/// xᵀ y in 64-bit numbers, whose range the squares of 32-bit ones fit.
fn dot<T: Scalar>(x: &[T], y: &[T]) -> f64 {
    kernels::reduce((x, y), kernels::VECTOR_GRAIN, &|(x, y): (&[T], &[T])| {
        x.iter().zip(y).map(|(x, y)| x.real_f64() * y.real_f64()).sum::<f64>()
    })
}

#[cfg(test)]
#[path = "k_cycle_tests.rs"]
mod tests;
