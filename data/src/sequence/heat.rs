//! Crank-Nicolson steps of the heat equation with a diffusivity that changes in time.
//!
//! uₜ = κ(t) Δu + f on the unit square, u = 0 on its boundary, (n − 1)² interior points of spacing
//! h = 1/n. A step of length dt from t, with Δₕ the 5-point Laplacian and t½ = t + dt/2:
//!
//! > (I − ½ dt κ(t½) Δₕ) u⁺ = (I + ½ dt κ(t½) Δₕ) u + dt f(t½)
//!
//! κ(t) = max(0.1 sin 2πt, −10 sin 2πt) is small for the first half of a unit of time and large for the
//! second. f is 32 times a bump of radius 1/8 whose centre (½ + ¼ cos 16πt, ½ + ¼ sin 16πt) goes round eight
//! times per unit of time; u at the start is a bump of radius ¼ in the middle. A bump of radius r is
//! exp(1 − 1/(1 − |x|²/r²)) within r of its centre, 1 there, and 0 outside.
//!
//! Khodak, Chow, Balcan and Talwalkar (2024), "Learning to relax: setting solver parameters across a sequence
//! of linear system instances", ICLR, heat equation experiment. Differences: where the paper and the authors'
//! published program disagree, this is the program's problem (0.1 and not 0.01 in κ; bumps with peak 1; sine
//! in the centre's second coordinate). As there, the context is κ at the start of the step and not at t½.

use super::stencil::{CENTRE, checked_side, fill, five_point};
use super::{Sequence, SequenceError, checked_parameter, checked_solution};
use crate::CsrMatrix;
use std::f64::consts::PI;

/// κ(t) = max(0.1 sin 2πt, −10 sin 2πt), in [0, 10].
pub fn diffusivity(t: f64) -> f64 {
    let sine = (2.0 * PI * t).sin();
    (0.1 * sine).max(-10.0 * sine)
}

/// Lowest and highest κ.
const DIFFUSIVITY_BOUNDS: [(f64, f64); 1] = [(0.0, 10.0)];

/// The largest step and the latest start: beyond, κ(t) is rounding.
const MAX_TIME: f64 = 1e9;

/// A smooth bump of height 1 and radius `radius`, `offset` from its centre.
fn bump(offset: [f64; 2], radius: f64) -> f64 {
    let s = (offset[0] * offset[0] + offset[1] * offset[1]) / (radius * radius);
    if s < 1.0 { (1.0 - 1.0 / (1.0 - s)).exp() } else { 0.0 }
}

/// f(t, point).
fn forcing(t: f64, point: [f64; 2]) -> f64 {
    let angle = 16.0 * PI * t;
    let centre = [0.5 + 0.25 * angle.cos(), 0.5 + 0.25 * angle.sin()];
    32.0 * bump([point[0] - centre[0], point[1] - centre[1]], 0.125)
}

/// Crank-Nicolson steps of uₜ = κ(t) Δu + f; the source file's head says which κ and f.
///
/// Each matrix is symmetric positive definite; the guess is the last solution, the context κ(t).
#[derive(Debug, Clone)]
pub struct HeatEquation {
    side: usize,
    h: f64,
    dt: f64,
    t0: f64,
    steps: usize,
    /// Systems made so far.
    made: usize,
    u: Vec<f64>,
    matrix: CsrMatrix<f64>,
    rhs: Vec<f64>,
    context: [f64; 1],
}

impl HeatEquation {
    /// `steps` steps of length 10⁻³ from t = 0, on `n` grid intervals a side: (n − 1)² unknowns. The
    /// published experiment has n = 25, 50, 100, 200 or 400 and 5000 steps.
    ///
    /// # Errors
    /// [`SequenceError`] if n < 2, or if it is too large for 32-bit indices.
    pub fn new(n: usize, steps: usize) -> Result<Self, SequenceError> {
        let side = checked_side("n", n, 2, 1, 1)?;
        let h = 1.0 / n as f64;
        let matrix = five_point(side, side)?;
        let rhs = vec![0.0; side * side];
        let (dt, t0) = (1e-3, 0.0);
        let mut heat =
            Self { side, h, dt, t0, steps, made: 0, u: Vec::new(), matrix, rhs, context: [diffusivity(t0)] };
        heat.u = (0..side * side)
            .map(|i| heat.point(i))
            .map(|point| bump([point[0] - 0.5, point[1] - 0.5], 0.25))
            .collect();
        Ok(heat)
    }

    /// The same with steps of length `dt`, in (0, 10⁹]. Default 10⁻³.
    ///
    /// # Errors
    /// [`SequenceError::Parameter`] if it lies outside.
    pub fn with_dt(self, dt: f64) -> Result<Self, SequenceError> {
        let dt = checked_parameter("dt", dt, f64::MIN_POSITIVE, MAX_TIME)?;
        Ok(Self { dt, ..self })
    }

    /// The same from time `t0`, in [0, 10⁹]. Default 0.
    ///
    /// # Errors
    /// [`SequenceError::Parameter`] if it lies outside.
    pub fn with_start(self, t0: f64) -> Result<Self, SequenceError> {
        let t0 = checked_parameter("t0", t0, 0.0, MAX_TIME)?;
        Ok(Self { t0, context: [diffusivity(t0)], ..self })
    }

    /// The present time: the start of the step whose system was made last.
    pub fn time(&self) -> f64 {
        // Multiplied and not summed, so that a run that starts later has the same times.
        self.t0 + self.made.saturating_sub(1) as f64 * self.dt
    }

    /// Unknown i belongs to ((i / side + 1) h, (i mod side + 1) h): the second coordinate runs fastest.
    fn point(&self, i: usize) -> [f64; 2] {
        [(i / self.side + 1) as f64 * self.h, (i % self.side + 1) as f64 * self.h]
    }

    fn assemble(&mut self) {
        let t = self.time();
        self.context = [diffusivity(t)];
        let halfway = t + 0.5 * self.dt;
        // r = ½ dt κ / h²: A = I − r (h² Δₕ), and h² Δₕ has −4 on its diagonal and ones beside it.
        let r = 0.5 * self.dt * diffusivity(halfway) / (self.h * self.h);
        fill(&mut self.matrix, self.side, |_, _| {
            let mut row = [-r; 5];
            row[CENTRE] = 1.0 + 4.0 * r;
            row
        });
        let side = self.side;
        for i in 0..self.rhs.len() {
            let (x, y) = (i % side, i / side);
            let at = |here: bool, j: usize| if here { self.u[j] } else { 0.0 };
            let neighbours = at(y > 0, i.wrapping_sub(side))
                + at(x > 0, i.wrapping_sub(1))
                + at(x + 1 < side, i + 1)
                + at(y + 1 < side, i + side);
            self.rhs[i] =
                (1.0 - 4.0 * r) * self.u[i] + r * neighbours + self.dt * forcing(halfway, self.point(i));
        }
    }
}

impl Sequence for HeatEquation {
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
        &DIFFUSIVITY_BOUNDS
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
