//! Pressure systems of an incompressible channel flow around a moving disc.
//!
//! wₜ + (w·∇)w = −∇p + ν Δw, ∇·w = 0 in a channel of length 2 and height 1, on 2n × n cells of side h = 1/n of
//! a staggered grid, by Chorin's projection (1968, Math. Comp. 22, 745, and Harlow and Welch 1965):
//!
//! 1. w* is w after an explicit step of advection and viscosity (`momentum`); on faces that touch a
//!    solid cell it is the disc's velocity.
//! 2. −Δp = −∇·w*/dt. Scaled by h², as in [`poisson`](crate::poisson): A p = b with a row
//!    Σ over open faces of (p − p of the neighbour) = −(h/dt) Σ of w* out of the cell for each fluid cell.
//!    An *open* face lies between two fluid cells; walls, inflow and the faces of the disc have ∂p/∂n = 0 and
//!    add nothing. p = 0 on the outflow, half a spacing away: a face there adds 2 to the diagonal.
//! 3. w = w* − dt ∇p on open faces and the outflow, which makes ∇·w = 0 in fluid cells.
//!
//! A cell is solid if its centre lies in the disc; its row is that of the identity, with b = 0, and entries
//! for closed faces are stored zeros, so n and pattern stay the same. A is symmetric positive definite with
//! non-positive entries off the diagonal: the disc is convex and keeps a line of fluid cells (n ≥ 8) along both
//! walls, so every fluid cell is connected with the outflow.
//!
//! dt = ½ / (2 max|w|/h + 4ν/h²) is chosen at each step, with ν = 0.01: Reynolds number 100 for the mean
//! velocity 1 and the height 1.

use super::momentum::Velocity;
use super::obstacle::{CENTRE_BOUNDS, Disc};
use super::stencil::{CENTRE, checked_side, fill, five_point};
use super::{Sequence, SequenceError, checked_solution};
use crate::CsrMatrix;

/// ν.
const VISCOSITY: f64 = 0.01;

/// The part of the largest stable step that is taken.
const COURANT: f64 = 0.5;

/// The fewest cells across the channel: then the centres of the cells along a wall are nearer to it, 1/16,
/// than the disc ever comes, 1/10.
const MIN_CELLS: usize = 8;

/// Pressure Poisson systems of a flow around a moving disc; the source file's head gives the equations.
///
/// Each matrix is symmetric positive definite of order 2n². The guess is the last pressure, the context the
/// centre of the disc, x in [0.5, 1.1] and y in [0.3, 0.7].
#[derive(Debug, Clone)]
pub struct MovingObstacleFlow {
    n: usize,
    h: f64,
    steps: usize,
    made: usize,
    /// Whether `flow` is w* and waits for its pressure.
    is_predicted: bool,
    /// Length of the present step, and the time at its end.
    dt: f64,
    time: f64,
    disc: Disc,
    /// Which cells are solid, x fastest.
    solid: Vec<bool>,
    /// w, or w* after a step was made.
    flow: Velocity,
    /// Where the next w* is written.
    spare: Velocity,
    pressure: Vec<f64>,
    matrix: CsrMatrix<f64>,
    rhs: Vec<f64>,
}

impl MovingObstacleFlow {
    /// `steps` steps with `n` cells across the channel and 2n along it: 2n² unknowns. `seed` draws the disc's
    /// radius, between 0.1 and 0.2, and where on its path it starts.
    ///
    /// # Errors
    /// [`SequenceError`] if n < 8, or if it is too large for 32-bit indices.
    pub fn new(n: usize, steps: usize, seed: u64) -> Result<Self, SequenceError> {
        let n = checked_side("n", n, MIN_CELLS, 2, 0)?;
        let flow = Velocity::parabolic(2 * n, n);
        Ok(Self {
            n,
            h: 1.0 / n as f64,
            steps,
            made: 0,
            is_predicted: false,
            dt: 0.0,
            time: 0.0,
            disc: Disc::new(seed),
            solid: vec![false; 2 * n * n],
            spare: flow.clone(),
            flow,
            pressure: vec![0.0; 2 * n * n],
            matrix: five_point(2 * n, n)?,
            rhs: vec![0.0; 2 * n * n],
        })
    }

    /// The length of the present step.
    pub fn dt(&self) -> f64 {
        self.dt
    }

    /// The time at the end of the present step.
    pub fn time(&self) -> f64 {
        self.time
    }

    /// Which cells the disc covers in the present system: 2n² flags, the cells of a line along the channel
    /// one after the other.
    pub fn solid(&self) -> &[bool] {
        &self.solid
    }

    /// The largest |∇·w| in fluid cells: small once the solution of the present system was given to the
    /// `advance` that returned false; between steps that of w*.
    pub fn max_divergence(&self) -> f64 {
        let nx = 2 * self.n;
        let fluxes = (0..self.rhs.len())
            .filter(|&cell| !self.solid[cell])
            .map(|cell| self.flow.outflux(cell % nx, cell / nx).abs());
        fluxes.fold(0.0, |most, flux| if flux > most || flux.is_nan() { flux } else { most }) / self.h
    }

    /// w ← w* − dt ∇p on open faces and the outflow.
    fn correct(&mut self, pressure: &[f64]) {
        self.pressure.copy_from_slice(pressure);
        let (nx, ny, scale) = (2 * self.n, self.n, self.dt / self.h);
        let (p, solid) = (&self.pressure, &self.solid);
        for j in 0..ny {
            for i in 0..nx {
                let cell = j * nx + i;
                if solid[cell] {
                    continue;
                }
                if i > 0 && !solid[cell - 1] {
                    let face = self.flow.u_face(i, j);
                    self.flow.u[face] -= scale * (p[cell] - p[cell - 1]);
                }
                if j > 0 && !solid[cell - nx] {
                    let face = self.flow.v_face(i, j);
                    self.flow.v[face] -= scale * (p[cell] - p[cell - nx]);
                }
                if i + 1 == nx {
                    let face = self.flow.u_face(nx, j);
                    self.flow.u[face] += 2.0 * scale * p[cell];
                }
            }
        }
    }

    /// w* of the next step, with the disc where it is at its end.
    fn predict(&mut self) -> Result<(), SequenceError> {
        let speed = self.flow.max_abs();
        let dt = COURANT / (2.0 * speed / self.h + 4.0 * VISCOSITY / (self.h * self.h));
        // Not so for velocities that are not finite, or so large that time stands still.
        if !(dt > 0.0 && self.time + dt > self.time) {
            return Err(SequenceError::Overflow { label: format!("step {}", self.made) });
        }
        self.dt = dt;
        self.time += dt;
        self.flow.step(&mut self.spare, dt / self.h, VISCOSITY * dt / (self.h * self.h));
        std::mem::swap(&mut self.flow, &mut self.spare);
        self.disc.move_to(self.time);
        self.enforce_disc();
        Ok(())
    }

    /// Marks the solid cells and gives their faces the velocity of the disc.
    fn enforce_disc(&mut self) {
        let (nx, h) = (2 * self.n, self.h);
        for cell in 0..self.solid.len() {
            let (i, j) = (cell % nx, cell / nx);
            self.solid[cell] = self.disc.covers((i as f64 + 0.5) * h, (j as f64 + 0.5) * h);
            if self.solid[cell] {
                let [along, across] = self.disc.velocity;
                for i in [i, i + 1] {
                    let face = self.flow.u_face(i, j);
                    self.flow.u[face] = along;
                }
                for j in [j, j + 1] {
                    let face = self.flow.v_face(i, j);
                    self.flow.v[face] = across;
                }
            }
        }
    }

    fn assemble(&mut self) {
        let (nx, ny) = (2 * self.n, self.n);
        let solid = &self.solid;
        fill(&mut self.matrix, nx, |i, j| {
            let cell = j * nx + i;
            if solid[cell] {
                return [0.0, 0.0, 1.0, 0.0, 0.0];
            }
            let open = |inner: bool, neighbour: usize| if inner && !solid[neighbour] { -1.0 } else { 0.0 };
            let mut row = [
                open(j > 0, cell.wrapping_sub(nx)),
                open(i > 0, cell.wrapping_sub(1)),
                0.0,
                open(i + 1 < nx, cell + 1),
                open(j + 1 < ny, cell + nx),
            ];
            let outflow = if i + 1 == nx { 2.0 } else { 0.0 };
            row[CENTRE] = outflow - row.iter().sum::<f64>();
            row
        });
        let scale = self.h / self.dt;
        for (cell, b) in self.rhs.iter_mut().enumerate() {
            *b = if solid[cell] { 0.0 } else { -scale * self.flow.outflux(cell % nx, cell / nx) };
        }
    }
}

impl Sequence for MovingObstacleFlow {
    fn advance(&mut self, solution: &[f64]) -> Result<bool, SequenceError> {
        if let Some(solution) = checked_solution(solution, self.rhs.len())?
            && self.is_predicted
        {
            self.correct(solution);
        }
        self.is_predicted = false;
        if self.made == self.steps {
            return Ok(false);
        }
        self.predict()?;
        self.made += 1;
        self.is_predicted = true;
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
        Some(&self.pressure)
    }

    fn context(&self) -> &[f64] {
        &self.disc.centre
    }

    fn context_bounds(&self) -> &[(f64, f64)] {
        &CENTRE_BOUNDS
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
