//! The 5-point Laplacian with a random shift and a random right-hand side at every step.
//!
//! Aₜ = L + cₜ I with L the unscaled stencil (4 on the diagonal, −1 beside it) on side × side points, and
//! cₜ = c_min + 0.6 z. z is Beta(2, 6) for low variance and Beta(½, 3/2) for high: the mean is ¼ in both, the
//! standard deviation 0.144 and 0.25. bₜ is a vector of n standard normal numbers, drawn again until
//! ‖b‖₂ ≤ √n (about every second one is kept).
//!
//! c_min = −0.15, so the mean of c is 0. The smallest eigenvalue of L is λ(side) = 8 sin²(π / (2 (side + 1))),
//! 0.162 for the published side of 10; beyond that c_min = −0.15 λ(side)/λ(10), so that A stays as nearly
//! singular, and no more.
//!
//! Khodak, Chow, Balcan and Talwalkar (2024), "Learning to relax: setting solver parameters across a sequence
//! of linear system instances", ICLR, section 3 and its experiments with SOR.

use super::draw::{beta_2_6, beta_half_three_halves, normal};
use super::stencil::{CENTRE, checked_side, fill, five_point};
use super::{Sequence, SequenceError, checked_solution};
use crate::CsrMatrix;
use crate::splitmix::SplitMix64;
use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

/// How far the shifts spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variance {
    /// z ~ Beta(2, 6).
    Low,
    /// z ~ Beta(½, 3/2).
    High,
}

impl Variance {
    /// `low` or `high`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Variance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Variance {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Low, Self::High]
            .into_iter()
            .find(|variance| variance.name() == name)
            .ok_or_else(|| format!("unknown variance \"{name}\": choose low or high"))
    }
}

/// The side of the published experiment, for which c_min = −0.15.
const PUBLISHED_SIDE: usize = 10;

/// c_min on the published grid.
const LOWEST_SHIFT: f64 = -0.15;

/// Highest less lowest shift.
const SHIFT_RANGE: f64 = 0.6;

/// λ(side), the smallest eigenvalue of L.
fn smallest_eigenvalue(side: usize) -> f64 {
    8.0 * (PI / (2.0 * (side as f64 + 1.0))).sin().powi(2)
}

/// Systems L + c I with random c and b; the source file's head gives the distributions.
///
/// Each matrix is symmetric positive definite. The context is c; there is no guess, and solutions passed to
/// `advance` are only checked.
#[derive(Debug, Clone)]
pub struct ShiftedLaplacian {
    side: usize,
    variance: Variance,
    steps: usize,
    made: usize,
    seed: u64,
    matrix: CsrMatrix<f64>,
    rhs: Vec<f64>,
    context: [f64; 1],
    bounds: [(f64, f64); 1],
}

/// The generator of a step: each has its own, so that a step does not depend on how many numbers those
/// before it drew.
fn generator(seed: u64, step: usize) -> SplitMix64 {
    let seed = SplitMix64::new(seed).bits();
    SplitMix64::new(SplitMix64::new(seed.wrapping_add(step as u64)).bits())
}

impl ShiftedLaplacian {
    /// `steps` systems on `side` × `side` points; the published experiment has a side of 10 and 5000 steps.
    ///
    /// # Errors
    /// [`SequenceError`] if `side` is 0, or if it is too large for 32-bit indices.
    pub fn new(side: usize, steps: usize, variance: Variance, seed: u64) -> Result<Self, SequenceError> {
        let side = checked_side("side", side, 1, 1, 0)?;
        let closeness = smallest_eigenvalue(side) / smallest_eigenvalue(PUBLISHED_SIDE);
        let lowest = LOWEST_SHIFT * closeness.min(1.0);
        Ok(Self {
            side,
            variance,
            steps,
            made: 0,
            seed,
            matrix: five_point(side, side)?,
            rhs: vec![0.0; side * side],
            context: [lowest],
            bounds: [(lowest, lowest + SHIFT_RANGE)],
        })
    }

    /// Draws c, then b.
    fn draw(&mut self) {
        let mut random = generator(self.seed, self.made);
        let z = match self.variance {
            Variance::Low => beta_2_6(&mut random),
            Variance::High => beta_half_three_halves(&mut random),
        };
        let shift = self.bounds[0].0 + SHIFT_RANGE * z;
        self.context = [shift];
        fill(&mut self.matrix, self.side, |_, _| {
            let mut row = [-1.0; 5];
            row[CENTRE] = 4.0 + shift;
            row
        });
        let n = self.rhs.len() as f64;
        loop {
            self.rhs.iter_mut().for_each(|b| *b = normal(&mut random));
            if self.rhs.iter().map(|b| b * b).sum::<f64>() <= n {
                return;
            }
        }
    }
}

impl Sequence for ShiftedLaplacian {
    fn advance(&mut self, solution: &[f64]) -> Result<bool, SequenceError> {
        checked_solution(solution, self.rhs.len())?;
        if self.made == self.steps {
            return Ok(false);
        }
        self.made += 1;
        self.draw();
        Ok(true)
    }

    fn matrix(&self) -> &CsrMatrix<f64> {
        &self.matrix
    }

    fn rhs(&self) -> &[f64] {
        &self.rhs
    }

    fn guess(&self) -> Option<&[f64]> {
        None
    }

    fn context(&self) -> &[f64] {
        &self.context
    }

    fn context_bounds(&self) -> &[(f64, f64)] {
        &self.bounds
    }

    fn label(&self) -> String {
        format!("step {}", self.made)
    }

    fn fixed_pattern(&self) -> bool {
        true
    }

    fn len_hint(&self) -> Option<usize> {
        Some(self.steps)
    }
}
