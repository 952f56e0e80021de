//! When an arm is given up.
//!
//! An arm that is far worse than the best need not be played to its end to be known as such. After a set-up of s₀ and a
//! solve of s so far, in which the residual norm fell from r₀ to r on its way to r*, the arm is expected to cost
//!
//! ```text
//! s₀ + s · log(r₀/r*) / log(r₀/r)
//! ```
//! Once it has cost more than the best arm does from start to end, and that forecast is several times as much, it is given
//! up: it is charged the forecast, and the best arm goes on from where it stands. So an arm that is tried in vain costs about
//! one more solve, however bad it is. A set-up that will serve other steps does not count: s₀ = 0.

use residua_solvers::{Monitor, Progress};
use std::ops::ControlFlow;
use std::time::Instant;

/// An arm is given up if it is expected to cost this many times what the best one does.
const TOO_MUCH: f64 = 3.0;

/// Watches the solve of an arm; see the head of the file.
#[derive(Debug)]
pub(super) struct Patience {
    start: Instant,
    /// What the best arm costs, seconds.
    best: f64,
    /// Whether the set-up will serve other steps.
    is_kept: bool,
    /// When the iterations began, and the residual norm then.
    began: Option<(f64, f64)>,
    /// What the arm is expected to cost, once that was too much.
    forecast: Option<f64>,
}

impl Patience {
    /// Patience for as long as the best arm takes, `best` seconds; from now on, or from the end of a set-up that is kept.
    pub(super) fn new(best: f64, is_kept: bool) -> Self {
        Self { start: Instant::now(), best, is_kept, began: None, forecast: None }
    }

    /// What the arm was expected to cost when it was given up.
    pub(super) fn forecast(&self) -> Option<f64> {
        self.forecast
    }

    /// What an arm is expected to cost after `seconds`, if that is too much.
    fn too_much(&self, seconds: f64, residual: f64, target: f64) -> Option<f64> {
        let (began, first) = self.began?;
        let set_up = if self.is_kept { 0.0 } else { began };
        let solve = seconds - began;
        if set_up + solve <= self.best || residual <= target {
            return None;
        }
        let (done, all) = ((first / residual).ln(), (first / target).ln());
        let forecast = if done > 0.0 { set_up + solve * all / done } else { f64::INFINITY };
        (forecast > TOO_MUCH * self.best).then_some(forecast)
    }
}

impl Monitor for Patience {
    fn observe(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        let seconds = self.start.elapsed().as_secs_f64();
        // Each attempt of a solver that makes several starts anew.
        if progress.iteration == 0 || self.began.is_none() {
            self.began = Some((seconds, progress.residual_norm));
        }
        self.forecast = self.too_much(seconds, progress.residual_norm, progress.target);
        if self.forecast.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_far_too_slow_is_given_up_and_not_before_its_time() {
        // Set up at 1 s with a residual of 1, to reach 1e-8; the best arm takes 2 s.
        let patience = Patience { began: Some((1.0, 1.0)), ..Patience::new(2.0, false) };
        assert_eq!(patience.too_much(1.9, 1.0, 1e-8), None);
        // Two digits in a second: 1 + 4.
        assert_eq!(patience.too_much(2.1, 1e-3, 1e-8), None);
        // One digit in 1.1 s: 1 + 8.8.
        let forecast = patience.too_much(2.1, 0.1, 1e-8).unwrap_or(0.0);
        assert!((forecast - 9.8).abs() < 1e-9, "{forecast}");
        assert_eq!(patience.too_much(2.1, 2.0, 1e-8), Some(f64::INFINITY));
        assert_eq!(patience.too_much(99.0, 1e-9, 1e-8), None);
        assert_eq!(Patience::new(2.0, false).too_much(9.0, 1.0, 1e-8), None);
        // A set-up that is kept is not counted: 1.1 s so far.
        let kept = Patience { began: Some((1.0, 1.0)), ..Patience::new(2.0, true) };
        assert_eq!((kept.too_much(2.1, 0.1, 1e-8), kept.too_much(3.2, 0.1, 1e-8).is_some()), (None, true));
    }
}
