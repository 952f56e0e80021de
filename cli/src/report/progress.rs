//! The progress bar: iteration, residual, time left. Only on a terminal.

use super::{error_line, short};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Steps of the bar.
const STEPS: u64 = 1000;

/// How often the bar is drawn at most.
const REDRAW: Duration = Duration::from_millis(100);

/// How many redraws back the speed is measured from: about 3 seconds.
const WINDOW: usize = 30;

/// One bar for the running case, and a quiet way to write beside it.
#[derive(Debug)]
pub(crate) struct Progress {
    multi: MultiProgress,
    bar: Option<ProgressBar>,
    total: usize,
    done: usize,
    gauge: Gauge,
}

impl Progress {
    /// For `total` cases.
    pub(crate) fn new(total: usize) -> Self {
        Self { multi: MultiProgress::new(), bar: None, total, done: 0, gauge: Gauge::new() }
    }

    /// A case begins.
    pub(crate) fn start(&mut self, label: &str) {
        self.done += 1;
        if self.multi.is_hidden() {
            return;
        }
        let bar = self.multi.add(ProgressBar::new(STEPS));
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:16}] {wide_msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(format!("[{}/{}] {}", self.done, self.total, shortened(label)));
        self.bar = Some(bar);
        self.gauge = Gauge::new();
    }

    /// What is being done, outside of the iteration.
    pub(crate) fn phase(&self, what: &'static str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what);
        }
    }

    /// An iteration: the residual norm now, and the one to reach, both relative to b.
    pub(crate) fn iteration(&mut self, iteration: usize, max_iters: usize, relative: f64, target: f64) {
        let Some(bar) = &self.bar else { return };
        let now = Instant::now();
        if !self.gauge.is_due(now, iteration) {
            return;
        }
        self.gauge.sample(now, iteration, relative);
        bar.set_position((self.gauge.share(relative, target) * STEPS as f64) as u64);
        let left = self.gauge.seconds_left(relative, target, max_iters);
        let left = left.map_or_else(|| "unknown".to_owned(), clock);
        bar.set_message(format!("iteration {iteration}, residual {}, left {left}", short(relative)));
    }

    /// The case has ended; `summary` stays on the terminal.
    pub(crate) fn finish(&mut self, summary: &str) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
            self.multi.remove(&bar);
            let _ = self.multi.println(summary);
        }
    }

    /// Writes `error: …` without tearing the bar.
    pub(crate) fn error(&self, message: &str) {
        self.multi.suspend(|| error_line(message));
    }
}

/// The end of a long name, which tells files apart.
fn shortened(label: &str) -> String {
    const MAX_CHARS: usize = 28;
    let count = label.chars().count();
    if count <= MAX_CHARS {
        return label.to_owned();
    }
    std::iter::once('…').chain(label.chars().skip(count - MAX_CHARS + 1)).collect()
}

/// Seconds as people say them.
fn clock(seconds: f64) -> String {
    let s = seconds.ceil() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

/// Estimates how long a solve will take from the slope of log ‖r‖ over the last seconds.
#[derive(Debug)]
struct Gauge {
    samples: VecDeque<(Instant, usize, f64)>,
    initial: f64,
}

impl Gauge {
    fn new() -> Self {
        Self { samples: VecDeque::with_capacity(WINDOW + 1), initial: f64::NAN }
    }

    /// Whether it is time to draw. A method that starts anew (iteration 0) is always drawn.
    fn is_due(&self, now: Instant, iteration: usize) -> bool {
        iteration == 0 || self.samples.back().is_none_or(|(last, _, _)| now.duration_since(*last) >= REDRAW)
    }

    fn sample(&mut self, now: Instant, iteration: usize, relative: f64) {
        if iteration == 0 || self.samples.is_empty() {
            self.samples.clear();
            self.initial = relative;
        }
        self.samples.push_back((now, iteration, relative));
        if self.samples.len() > WINDOW {
            self.samples.pop_front();
        }
    }

    /// The share of the way from the initial residual to the target, in decades.
    fn share(&self, relative: f64, target: f64) -> f64 {
        let share = (self.initial / relative).ln() / (self.initial / target).ln();
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Seconds to the target at the pace of the window, or to the iteration limit if that is sooner.
    fn seconds_left(&self, relative: f64, target: f64, max_iters: usize) -> Option<f64> {
        let (&(then, first, before), &(now, last, _)) = (self.samples.front()?, self.samples.back()?);
        let elapsed = now.duration_since(then).as_secs_f64();
        let decay = (before / relative).ln() / elapsed;
        let to_target = (relative / target).ln() / decay;
        let pace = last.saturating_sub(first) as f64 / elapsed;
        let to_limit = max_iters.saturating_sub(last) as f64 / pace;
        let left = if decay > 0.0 { to_target.min(to_limit) } else { to_limit };
        (left.is_finite() && left >= 0.0).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gauge_extrapolates_a_steady_decay() {
        let mut gauge = Gauge::new();
        let start = Instant::now();
        for k in 0..=20usize {
            // A decade every second.
            gauge.sample(start + Duration::from_millis(100 * k as u64), 10 * k, 10f64.powf(-0.1 * k as f64));
        }
        let left = gauge.seconds_left(1e-2, 1e-8, 1_000_000).unwrap_or(f64::NAN);
        assert!((left - 6.0).abs() < 1e-6, "{left}");
        let capped = gauge.seconds_left(1e-2, 1e-8, 300).unwrap_or(f64::NAN);
        assert!((capped - 1.0).abs() < 1e-6, "{capped}");
        assert!((gauge.share(1e-2, 1e-8) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn a_residual_that_does_not_fall_has_only_the_limit() {
        let mut gauge = Gauge::new();
        let start = Instant::now();
        gauge.sample(start, 0, 1.0);
        assert_eq!(gauge.seconds_left(1.0, 1e-8, 10), None);
        gauge.sample(start + Duration::from_secs(1), 10, 2.0);
        assert_eq!(gauge.seconds_left(2.0, 1e-8, 30), Some(2.0));
        assert_eq!(clock(0.2), "1 s");
        assert_eq!(clock(3_725.0), "1 h 02 min");
        assert_eq!(shortened("a.mtx"), "a.mtx");
        assert_eq!(shortened(&format!("{}/é.mtx", "x".repeat(40))), format!("…{}/é.mtx", "x".repeat(21)));
    }
}
