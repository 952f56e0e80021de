//! The monitor of every solve: keeps the history, moves the bar, and hears Ctrl-C.

use crate::interrupt;
use crate::report::{Curve, Progress as Bar};
use residua_data::Scalar;
use residua_solvers::{Monitor, Progress};
use std::ops::ControlFlow;

/// Values that a history which is only drawn keeps: half of them are dropped whenever it is full.
const DRAWN_VALUES: usize = 4096;

/// ‖r‖₂/‖b‖₂ by iteration; of every iteration if asked for, else thinned to what a plot can show.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    keeps_all: bool,
    stride: usize,
    values: Vec<f64>,
}

impl Trace {
    pub(crate) fn new(keeps_all: bool) -> Self {
        Self { keeps_all, stride: 1, values: Vec::new() }
    }

    fn push(&mut self, iteration: usize, relative: f64) {
        if iteration == 0 {
            // A method that is tried after another failed begins anew.
            self.values.clear();
            self.stride = 1;
        }
        if !iteration.is_multiple_of(self.stride) {
            return;
        }
        self.values.push(relative);
        if !self.keeps_all && self.values.len() == DRAWN_VALUES {
            let mut k = 0;
            self.values.retain(|_| {
                k += 1;
                k % 2 == 1
            });
            self.stride *= 2;
        }
    }

    /// The values of every iteration, if they were kept.
    pub(crate) fn history(&self) -> Option<&[f64]> {
        self.keeps_all.then_some(self.values.as_slice())
    }

    /// The trace as a curve for a plot.
    pub(crate) fn into_curve(self, label: String) -> Curve {
        Curve { label, stride: self.stride, values: self.values }
    }
}

/// See the module.
pub(crate) struct Watch<'a> {
    pub(crate) bar: &'a mut Bar,
    pub(crate) trace: Trace,
    pub(crate) max_iters: usize,
}

impl<T: Scalar> Monitor<T> for Watch<'_> {
    fn observe(&mut self, progress: &Progress<'_, T>) -> ControlFlow<()> {
        let scale = if progress.rhs_norm > 0.0 { progress.rhs_norm } else { 1.0 };
        let relative = progress.residual_norm / scale;
        self.trace.push(progress.iteration, relative);
        self.bar.iteration(progress.iteration, self.max_iters, relative, progress.target / scale);
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinned_trace_keeps_every_stride_th_value() {
        let mut trace = Trace::new(false);
        (0..3 * DRAWN_VALUES).for_each(|k| trace.push(k, k as f64));
        let curve = trace.into_curve(String::new());
        assert!(curve.values.len() < DRAWN_VALUES && curve.stride == 4, "{}", curve.stride);
        assert!(curve.values.iter().enumerate().all(|(k, v)| *v == (k * curve.stride) as f64));
    }

    #[test]
    fn a_kept_history_has_every_value_and_restarts_with_the_method() {
        let mut trace = Trace::new(true);
        (0..10).chain(0..5_000).for_each(|k| trace.push(k, k as f64));
        assert_eq!(trace.history().map(<[f64]>::len), Some(5_000));
    }
}
