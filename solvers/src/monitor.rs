//! Watching a solve, and stopping it: history, progress bars and JSON are monitors, not solver options.

use residua_data::Scalar;
use std::ops::ControlFlow;

/// What a method knows at the end of an iteration.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a, T = f64> {
    /// Iterations done; 0 before the first.
    pub iteration: usize,
    /// ‖r‖₂ as the method carries it: its recurrence's between verifications.
    pub residual_norm: f64,
    /// The norm to reach, max(rtol ‖b‖₂, atol).
    pub target: f64,
    /// ‖b‖₂.
    pub rhs_norm: f64,
    /// The iterate, where the method forms it every iteration (GMRES does so only at a restart).
    pub x: Option<&'a [T]>,
}

/// Called once an iteration, and once before the first; `Break` stops the solve.
///
/// Implemented for `()`, which watches nothing, for every closure `FnMut(&Progress<T>) -> ControlFlow<()>`,
/// and for pairs of monitors.
pub trait Monitor<T = f64> {
    /// Sees one iteration.
    fn observe(&mut self, progress: &Progress<'_, T>) -> ControlFlow<()>;
}

impl<T> Monitor<T> for () {
    fn observe(&mut self, _: &Progress<'_, T>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<T, F: FnMut(&Progress<'_, T>) -> ControlFlow<()>> Monitor<T> for F {
    fn observe(&mut self, progress: &Progress<'_, T>) -> ControlFlow<()> {
        self(progress)
    }
}

impl<T, A: Monitor<T>, B: Monitor<T>> Monitor<T> for (A, B) {
    fn observe(&mut self, progress: &Progress<'_, T>) -> ControlFlow<()> {
        self.0.observe(progress)?;
        self.1.observe(progress)
    }
}

/// Keeps ‖r‖₂ / ‖b‖₂ of every iteration, the initial one first.
#[derive(Debug, Clone, Default)]
pub struct History {
    relative_residuals: Vec<f64>,
}

impl History {
    /// An empty history.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty history that holds `iterations` without allocating.
    pub fn with_capacity(iterations: usize) -> Self {
        Self { relative_residuals: Vec::with_capacity(iterations + 1) }
    }

    /// The relative residual at each observation.
    pub fn relative_residuals(&self) -> &[f64] {
        &self.relative_residuals
    }

    /// Forgets everything, keeping the room.
    pub fn clear(&mut self) {
        self.relative_residuals.clear();
    }
}

impl<T: Scalar> Monitor<T> for History {
    fn observe(&mut self, progress: &Progress<'_, T>) -> ControlFlow<()> {
        let scale = if progress.rhs_norm > 0.0 { progress.rhs_norm } else { 1.0 };
        self.relative_residuals.push(progress.residual_norm / scale);
        ControlFlow::Continue(())
    }
}

impl<T: Scalar> Monitor<T> for &mut History {
    fn observe(&mut self, progress: &Progress<'_, T>) -> ControlFlow<()> {
        (**self).observe(progress)
    }
}
