//! Diffusion through a medium with a moving inclusion whose contrast drifts over decades.
//!
//! Implicit Euler steps of uₜ = ∇·(k ∇u) + 1 on the unit square, u = 0 on its boundary and at the start, on
//! side × side interior points of spacing h = 1/(side + 1):
//!
//! > (I + dt L(k)) u⁺ = u + dt
//!
//! L(k) is the 5-point stencil with the harmonic mean of two points' coefficients on the face between them,
//! as in the `jump` problem of [`poisson`](crate::poisson) (Trottenberg, Oosterlee, Schüller 2001,
//! *Multigrid*, chapter 7), and a point's own coefficient on the boundary. At step s the coefficient is k = 1,
//! but c(s) in a disc of radius 0.2 whose centre goes round ½ + 0.2 (cos φ, sin φ), φ = 2πs/200, where
//!
//! > log₁₀ c(s) = ½ (1 − cos(2πs/300)) log₁₀ contrast
//!
//! Within half a spacing of the disc's rim log k goes linearly from one to the other, so that entries
//! change a little and not at once. The two periods make every contrast occur at many places.

use super::stencil::{checked_side, fill, five_point};
use super::{Sequence, SequenceError, checked_parameter, checked_solution};
use crate::CsrMatrix;
use std::f64::consts::PI;

/// Radius of the inclusion and of its path.
const RADIUS: f64 = 0.2;

/// Steps of a turn around the middle.
const TURN: f64 = 200.0;

/// Steps from contrast 1 to the full contrast and back.
const DRIFT: f64 = 300.0;

/// Beyond these bounds one coefficient is lost in the rounding of the other.
const MIN_CONTRAST: f64 = 1e-12;
const MAX_CONTRAST: f64 = 1e12;

/// Implicit Euler steps of diffusion with a moving inclusion; the source file's head says which.
///
/// Each matrix is symmetric positive definite, with non-positive entries off the diagonal. The guess is the
/// last solution, the context log₁₀ of the inclusion's coefficient.
#[derive(Debug, Clone)]
pub struct JumpDrift {
    side: usize,
    h: f64,
    dt: f64,
    log_contrast: f64,
    steps: usize,
    made: usize,
    u: Vec<f64>,
    coefficient: Vec<f64>,
    matrix: CsrMatrix<f64>,
    rhs: Vec<f64>,
    context: [f64; 1],
    bounds: [(f64, f64); 1],
}

impl JumpDrift {
    /// `steps` steps of length 10⁻² on `side` × `side` points; `contrast`, in [10⁻¹², 10¹²], is the
    /// coefficient of the inclusion where it is furthest from 1.
    ///
    /// # Errors
    /// [`SequenceError`] if `side` is 0 or too large for 32-bit indices, or if `contrast` is out of range.
    pub fn new(side: usize, steps: usize, contrast: f64) -> Result<Self, SequenceError> {
        let side = checked_side("side", side, 1, 1, 0)?;
        let log_contrast = checked_parameter("contrast", contrast, MIN_CONTRAST, MAX_CONTRAST)?.log10();
        let n = side * side;
        Ok(Self {
            side,
            h: 1.0 / (side as f64 + 1.0),
            dt: 1e-2,
            log_contrast,
            steps,
            made: 0,
            u: vec![0.0; n],
            coefficient: vec![1.0; n],
            matrix: five_point(side, side)?,
            rhs: vec![0.0; n],
            context: [0.0],
            bounds: [(log_contrast.min(0.0), log_contrast.max(0.0))],
        })
    }

    /// The same with steps of length `dt`, in [10⁻¹², 10¹²]. Default 10⁻². The larger, the nearer the
    /// systems are to the steady ones.
    ///
    /// # Errors
    /// [`SequenceError::Parameter`] if it lies outside.
    pub fn with_dt(self, dt: f64) -> Result<Self, SequenceError> {
        Ok(Self { dt: checked_parameter("dt", dt, 1e-12, 1e12)?, ..self })
    }

    /// The coefficients k of the present system, one a point.
    pub fn coefficient(&self) -> &[f64] {
        &self.coefficient
    }

    fn move_inclusion(&mut self) {
        let step = self.made as f64;
        let log = 0.5 * (1.0 - (2.0 * PI * step / DRIFT).cos()) * self.log_contrast;
        self.context = [log];
        let (sine, cosine) = (2.0 * PI * step / TURN).sin_cos();
        let centre = [0.5 + RADIUS * cosine, 0.5 + RADIUS * sine];
        for (i, k) in self.coefficient.iter_mut().enumerate() {
            let x = (i % self.side + 1) as f64 * self.h - centre[0];
            let y = (i / self.side + 1) as f64 * self.h - centre[1];
            // 0 outside, 1 inside, linear over one spacing.
            let inside = ((RADIUS - x.hypot(y)) / self.h + 0.5).clamp(0.0, 1.0);
            *k = 10f64.powf(log * inside);
        }
    }

    fn assemble(&mut self) {
        let (side, scale) = (self.side, self.dt / (self.h * self.h));
        let k = &self.coefficient;
        fill(&mut self.matrix, side, |x, y| {
            let i = y * side + x;
            // The point with the smaller index comes first, so that both rows of a face have the same bits.
            let face = |inner: bool, first: usize, second: usize| {
                scale * if inner { harmonic_mean(k[first], k[second]) } else { k[i] }
            };
            let south = face(y > 0, i.wrapping_sub(side), i);
            let west = face(x > 0, i.wrapping_sub(1), i);
            let east = face(x + 1 < side, i, i + 1);
            let north = face(y + 1 < side, i, i + side);
            [-south, -west, 1.0 + south + west + east + north, -east, -north]
        });
        self.rhs.iter_mut().zip(&self.u).for_each(|(b, u)| *b = u + self.dt);
    }
}

/// 2 / (1/k + 1/k'), without a product that could overflow.
fn harmonic_mean(first: f64, second: f64) -> f64 {
    2.0 * first / (1.0 + first / second)
}

impl Sequence for JumpDrift {
    fn advance(&mut self, solution: &[f64]) -> Result<bool, SequenceError> {
        if let Some(solution) = checked_solution(solution, self.u.len())?
            && self.made > 0
        {
            self.u.copy_from_slice(solution);
        }
        if self.made == self.steps {
            return Ok(false);
        }
        self.made += 1;
        self.move_inclusion();
        self.assemble();
        Ok(true)
    }

    fn matrix(&self) -> &CsrMatrix<f64> {
        &self.matrix
    }

    fn rhs(&self) -> &[f64] {
        &self.rhs
    }

    fn guess(&self) -> Option<&[f64]> {
        Some(&self.u)
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
