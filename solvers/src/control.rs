//! The one loop around every method: verify, cycle, verify.
//!
//! A method is written as a *cycle*: it gets x and the true residual r = b − A x, iterates until its own
//! recurrence claims convergence, breaks down, or has used up its space (GMRES's restart), and hands x
//! back. [`run`] recomputes r after every cycle and alone decides whether the solve has converged. So a
//! drifted recurrence is replaced by the true residual and the method goes on; if that no longer helps the
//! solve has stagnated, and nothing is called converged on a recurrence's word
//! (van der Vorst and Ye, 2000, SIAM J. Sci. Comput. 22(3)).

use crate::error::{SolveError, check_len};
use crate::kernels;
use crate::system::{global_norm, norm_from_global_sq};
use crate::{
    Breakdown, Converged, Limit, LinearOperator, LinearSystem, Monitor, Outcome, Progress, StopReason,
    StopRule,
};
use residua_data::Scalar;
use std::ops::ControlFlow;
use std::time::Instant;

/// A residual this many times the larger of ‖b‖ and the initial residual is a divergence.
pub(crate) const DIVERGENCE_FACTOR: f64 = 1e8;

/// A cycle that claimed convergence must have cut the true residual at least to this share, else the
/// attainable accuracy is reached.
const PROGRESS_AFTER_CLAIM: f64 = 0.5;

/// A cycle that merely restarts must cut the true residual at least to this share …
const PROGRESS_AFTER_RESTART: f64 = 1.0 - 1e-6;

/// … in one of this many consecutive cycles.
const FRUITLESS_RESTARTS: usize = 3;

/// A broken cycle that made no progress may start afresh this often (with another shadow vector, say).
const FRUITLESS_BREAKDOWNS: usize = 1;

/// A claim that missed the target by no more than this factor is rounding in the last step, not the end of
/// the attainable accuracy: it is treated as a restart.
const NEAR_TARGET: f64 = 1.5;

/// How a cycle ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CycleEnd {
    /// The recurrence's residual meets the target; to be verified.
    Claimed,
    /// The method wants to start again from x (its space is used up).
    Restart,
    /// The recurrence broke down; starting again from x may cure it. The reason stands if it does not.
    Broken(Breakdown),
    /// The solve is over for this reason (unless the true residual happens to meet the target).
    Stop(StopReason),
}

/// What a cycle reports to, and asks whether to go on.
pub struct Control<'m, T> {
    monitor: &'m mut dyn Monitor<T>,
    stop: StopRule,
    start: Instant,
    target: f64,
    rhs_norm: f64,
    divergence_norm: f64,
    iterations: usize,
    /// What the cycle's residual is scaled by: its norms times this are true norms.
    scale: f64,
    /// The monitor asked to stop in an iteration that ended otherwise.
    stop_requested: bool,
    /// Products with A that the method has done; methods add to it.
    pub operator_applies: usize,
    /// Applications of M⁻¹ that the method has done; methods add to it.
    pub preconditioner_applies: usize,
}

impl<T: Scalar> Control<'_, T> {
    /// The residual norm to reach.
    pub fn target(&self) -> f64 {
        self.target
    }

    /// Whether a residual of this norm (of the cycle's own, scaled residual) meets the target.
    pub fn is_met_by(&self, residual_norm: f64) -> bool {
        residual_norm * self.scale <= self.target
    }

    /// Iterations done so far, over all cycles.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// Iterations that the rule still allows.
    pub fn iterations_left(&self) -> usize {
        self.stop.max_iters.saturating_sub(self.iterations)
    }

    /// Divides `r`, of norm `r_norm`, by a power of two c where squares of its entries could overflow or
    /// underflow, and returns c (1 elsewhere). The cycle then solves A d = r / c, adds c d to x, and goes
    /// on giving [`step`](Self::step) the norms of its own scaled residual.
    pub fn normalise(&mut self, r: &mut [T], r_norm: f64) -> T {
        self.scale = scale_residual(r, r_norm);
        T::of(self.scale)
    }

    /// Counts one iteration that left the (recurrence's) residual norm `residual_norm`, shows it to the
    /// monitor, and says whether the cycle has to end. `x` is the iterate where it is formed.
    pub fn step(&mut self, residual_norm: f64, x: Option<&[T]>) -> Option<CycleEnd> {
        self.iterations += 1;
        self.observe(residual_norm * self.scale, x)
    }

    /// Runs a whole solve as one cycle of this one. `inner` gets what is left of the limits with the relative
    /// tolerance `rtol`, and a monitor that shows its progress as this solve's: an inner residual norm of
    /// `inner_rhs_norm` counts as `r_norm` here. Its iterations and applications are added to this solve's.
    ///
    /// # Errors
    /// What `inner` returns.
    pub fn nested(
        &mut self,
        rtol: f64,
        inner_rhs_norm: f64,
        r_norm: f64,
        inner: impl FnOnce(&StopRule, &mut dyn Monitor<T>) -> Result<Outcome, SolveError>,
    ) -> Result<Outcome, SolveError> {
        let stop = StopRule {
            rtol,
            atol: 0.0,
            max_iters: self.iterations_left(),
            time_limit: self.stop.time_limit.map(|limit| limit.saturating_sub(self.start.elapsed())),
        };
        let (offset, target, rhs_norm) = (self.iterations, self.target, self.rhs_norm);
        let factor = if inner_rhs_norm > 0.0 { r_norm / inner_rhs_norm } else { 1.0 };
        let monitor = &mut *self.monitor;
        let mut relay = |progress: &Progress<'_, T>| {
            if progress.iteration == 0 {
                return ControlFlow::Continue(());
            }
            monitor.observe(&Progress {
                iteration: offset + progress.iteration,
                residual_norm: progress.residual_norm * factor,
                target,
                rhs_norm,
                x: None,
            })
        };
        let outcome = inner(&stop, &mut relay)?;
        self.iterations += outcome.iterations;
        self.operator_applies += outcome.operator_applies;
        self.preconditioner_applies += outcome.preconditioner_applies;
        Ok(outcome)
    }

    fn observe(&mut self, residual_norm: f64, x: Option<&[T]>) -> Option<CycleEnd> {
        let progress = Progress {
            iteration: self.iterations,
            residual_norm,
            target: self.target,
            rhs_norm: self.rhs_norm,
            x,
        };
        self.stop_requested |= self.monitor.observe(&progress) == ControlFlow::Break(());
        let limit = self.limit_reached();
        end_of_step(residual_norm, self.target, self.divergence_norm, limit)
    }

    fn limit_reached(&self) -> Option<Limit> {
        if self.stop_requested {
            return Some(Limit::MonitorRequest);
        }
        limit_reached(&self.stop, self.iterations, self.start)
    }
}

/// Divides `r`, of norm `r_norm`, by a power of two where squares of its entries could over- or underflow,
/// and returns that power, 1 elsewhere.
pub(crate) fn scale_residual<T: Scalar>(r: &mut [T], r_norm: f64) -> f64 {
    let (safe, largest_exponent) = if T::epsilon_f64() > 1e-10 { (1e4, 120) } else { (1e20, 1000) };
    if r_norm == 0.0 || (1.0 / safe..=safe).contains(&r_norm) {
        return 1.0;
    }
    let exponent = (r_norm.log2().floor() as i32).clamp(-largest_exponent, largest_exponent);
    kernels::scale(T::of(2f64.powi(-exponent)), r);
    2f64.powi(exponent)
}

/// Whether an iteration that left a residual of norm `residual_norm` ends the cycle: what the residual says
/// comes before the caller's limits, of which one may be reached.
pub(crate) fn end_of_step(
    residual_norm: f64,
    target: f64,
    divergence_norm: f64,
    limit: Option<Limit>,
) -> Option<CycleEnd> {
    if !residual_norm.is_finite() {
        return Some(CycleEnd::Broken(Breakdown::NonFinite));
    }
    if residual_norm <= target {
        return Some(CycleEnd::Claimed);
    }
    if let Some(limit) = limit {
        return Some(CycleEnd::Stop(StopReason::Stopped(limit)));
    }
    (residual_norm > divergence_norm).then_some(CycleEnd::Stop(StopReason::Failed(Breakdown::Divergence)))
}

/// The limit of `stop` that `iterations` since `start` have reached.
pub(crate) fn limit_reached(stop: &StopRule, iterations: usize, start: Instant) -> Option<Limit> {
    if iterations >= stop.max_iters {
        return Some(Limit::MaxIterations);
    }
    stop.time_limit.is_some_and(|limit| start.elapsed() >= limit).then_some(Limit::TimeLimit)
}

/// Solves `system` from `x` by repeating `cycle(control, x, r, ‖r‖)`, r being the true residual (length m,
/// the caller's workspace) at the start of each cycle; on return it holds the true residual of the x that
/// is returned.
///
/// # Errors
/// [`SolveError`] if lengths do not match or the initial guess is not finite, or what `cycle` returns.
pub fn run<T: Scalar, A: LinearOperator<T> + ?Sized>(
    system: &LinearSystem<'_, A, T>,
    x: &mut [T],
    r: &mut [T],
    stop: &StopRule,
    monitor: &mut dyn Monitor<T>,
    mut cycle: impl FnMut(&mut Control<'_, T>, &mut [T], &mut [T], f64) -> Result<CycleEnd, SolveError>,
) -> Result<Outcome, SolveError> {
    let a = system.operator();
    check_len("x", a.ncols(), x.len())?;
    check_len("r", a.nrows(), r.len())?;
    if let Some(index) = x.iter().position(|v| !v.is_finite()) {
        return Err(SolveError::NonFinite { what: "the initial guess x", index });
    }
    let start = Instant::now();
    let rhs_norm = system.rhs_norm();
    let mut control = Control {
        monitor,
        stop: *stop,
        start,
        target: (stop.rtol * rhs_norm).max(stop.atol),
        rhs_norm,
        divergence_norm: f64::INFINITY,
        iterations: 0,
        scale: 1.0,
        stop_requested: false,
        operator_applies: 0,
        preconditioner_applies: 0,
    };
    if rhs_norm == 0.0 {
        x.fill(T::zero());
        r.fill(T::zero());
        return Ok(outcome(StopReason::Converged(Converged::ZeroRhs), 0.0, &control));
    }
    let mut r_norm = true_residual(system, x, r, &mut control);
    control.divergence_norm = DIVERGENCE_FACTOR * r_norm.max(rhs_norm);
    let first = control.observe(r_norm, Some(x));
    let mut verdict = Verdict::default();
    let reason = loop {
        if r_norm <= control.target {
            let relative = r_norm <= control.stop.rtol * rhs_norm;
            break StopReason::Converged(if relative {
                Converged::RelativeTolerance
            } else {
                Converged::AbsoluteTolerance
            });
        }
        if control.iterations == 0
            && let Some(CycleEnd::Stop(reason)) = first
        {
            break reason;
        }
        if !r_norm.is_finite() {
            break StopReason::Failed(Breakdown::NonFinite);
        }
        let before = r_norm;
        control.scale = 1.0;
        let end = cycle(&mut control, x, r, r_norm)?;
        r_norm = true_residual(system, x, r, &mut control);
        if r_norm <= control.target {
            continue;
        }
        if let Some(reason) = verdict.after(end, before, r_norm, control.target) {
            break reason;
        }
        if control.stop_requested {
            break StopReason::Stopped(Limit::MonitorRequest);
        }
        if control.iterations >= control.stop.max_iters {
            break StopReason::Stopped(Limit::MaxIterations);
        }
    };
    Ok(outcome(reason, r_norm, &control))
}

/// Decides from the ends of cycles, and the true residuals around them, whether another cycle is worth it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict {
    fruitless: usize,
}

impl Verdict {
    /// The reason to give up after a cycle that ended with `end`, cut the true residual norm from `before`
    /// to `after`, and missed `target`; `None` to go on.
    pub(crate) fn after(
        &mut self,
        end: CycleEnd,
        before: f64,
        after: f64,
        target: f64,
    ) -> Option<StopReason> {
        let doubtful = end == CycleEnd::Claimed && after > NEAR_TARGET * target;
        let progress = if doubtful { PROGRESS_AFTER_CLAIM } else { PROGRESS_AFTER_RESTART };
        self.fruitless = if after <= progress * before { 0 } else { self.fruitless + 1 };
        let patience = match end {
            CycleEnd::Stop(reason) => return Some(reason),
            CycleEnd::Broken(_) => FRUITLESS_BREAKDOWNS,
            CycleEnd::Claimed if doubtful => 0,
            CycleEnd::Claimed | CycleEnd::Restart => FRUITLESS_RESTARTS - 1,
        };
        (self.fruitless > patience).then_some(match end {
            CycleEnd::Broken(reason) => StopReason::Failed(reason),
            _ => StopReason::Failed(Breakdown::Stagnation),
        })
    }
}

fn true_residual<T: Scalar, A: LinearOperator<T> + ?Sized>(
    system: &LinearSystem<'_, A, T>,
    x: &[T],
    r: &mut [T],
    control: &mut Control<'_, T>,
) -> f64 {
    system.residual(x, r);
    control.operator_applies += 1;
    global_norm(system.operator(), r)
}

fn outcome<T>(reason: StopReason, residual_norm: f64, control: &Control<'_, T>) -> Outcome {
    let scale = if control.rhs_norm > 0.0 { control.rhs_norm } else { 1.0 };
    Outcome {
        reason,
        iterations: control.iterations,
        residual_norm,
        relative_residual: residual_norm / scale,
        operator_applies: control.operator_applies,
        preconditioner_applies: control.preconditioner_applies,
        elapsed: control.start.elapsed(),
    }
}

/// Sets the length of a workspace vector; allocates only if it grows.
pub(crate) fn resize<T: Scalar>(v: &mut Vec<T>, n: usize) {
    if v.len() != n {
        v.clear();
        v.resize(n, T::zero());
    }
}

/// The norm of `v` from its local sum of squares that a fused kernel returned, over all ranks.
pub(crate) fn fused_norm<T: Scalar, A: LinearOperator<T> + ?Sized>(a: &A, sq: T::RealField, v: &[T]) -> f64 {
    let mut sum = [T::from_real(sq)];
    a.sum_over_ranks(&mut sum);
    norm_from_global_sq(a, sum[0], v)
}

#[cfg(test)]
mod tests;
