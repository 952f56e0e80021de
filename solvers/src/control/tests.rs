//! The loop around every method, with cycles that do what a test tells them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::{CsrMatrix, History};

/// One unknown, x = 1 the answer: a cycle that leaves x = 1 − e leaves the residual e.
fn solve(
    stop: &StopRule,
    monitor: &mut dyn Monitor<f64>,
    mut cycle: impl FnMut(&mut Control<'_, f64>, &mut f64, f64) -> CycleEnd,
) -> (f64, Outcome) {
    let a = CsrMatrix::<f64>::identity(1).unwrap();
    let system = LinearSystem::new(&a, &[1.0]).unwrap();
    let (mut x, mut r) = ([0.0], [f64::NAN]);
    let outcome = run(&system, &mut x, &mut r, stop, monitor, |control, x, r, r_norm| {
        assert_eq!(r[0].abs(), r_norm, "the cycle gets the true residual");
        Ok(cycle(control, &mut x[0], r_norm))
    })
    .unwrap();
    assert_eq!(outcome.residual_norm, (1.0 - x[0]).abs(), "the exit recomputes the residual");
    assert_eq!(r[0], 1.0 - x[0], "and leaves it in r");
    (x[0], outcome)
}

#[test]
fn a_true_claim_converges_and_a_false_one_does_not() {
    let (_, outcome) = solve(&StopRule::rtol(1e-8), &mut (), |control, x, _| {
        *x = 1.0;
        control.step(1e-9, None).unwrap()
    });
    assert_eq!(outcome.reason, StopReason::Converged(Converged::RelativeTolerance));
    // a drifting recurrence: claims at once, but halves the error at most
    let mut cycles = 0;
    let (_, outcome) = solve(&StopRule::rtol(1e-8), &mut (), |control, x, r_norm| {
        cycles += 1;
        *x = 1.0 - 0.6 * r_norm;
        control.step(0.0, None).unwrap()
    });
    assert_eq!(outcome.reason, StopReason::Failed(Breakdown::Stagnation));
    assert_eq!((cycles, outcome.iterations), (1, 1));
    // one that gains a digit a cycle is worth repeating
    let (_, outcome) = solve(&StopRule::rtol(1e-8), &mut (), |control, x, r_norm| {
        *x = 1.0 - 0.1 * r_norm;
        control.step(0.0, None).unwrap()
    });
    assert!(outcome.converged() && outcome.iterations >= 8);
}

#[test]
fn a_claim_that_misses_by_rounding_gets_another_cycle() {
    let mut cycles = 0;
    let (_, outcome) = solve(&StopRule::rtol(1e-8), &mut (), |control, x, _| {
        cycles += 1;
        *x = 1.0 - [1.2e-8, 1.1e-8, 0.9e-8][cycles - 1];
        control.step(0.99e-8, None).unwrap()
    });
    assert!(outcome.converged(), "{outcome:?}");
}

#[test]
fn restarts_may_be_slow_but_not_fruitless() {
    let (_, outcome) = solve(&StopRule::rtol(1e-3).with_max_iters(100_000), &mut (), |control, x, r_norm| {
        *x = 1.0 - 0.999 * r_norm;
        control.step(0.999 * r_norm, None).unwrap_or(CycleEnd::Restart)
    });
    assert!(outcome.converged() && outcome.iterations > 6000, "{outcome:?}");
    let mut cycles = 0;
    let (_, outcome) = solve(&StopRule::default(), &mut (), |control, _, r_norm| {
        cycles += 1;
        control.step(r_norm, None).unwrap_or(CycleEnd::Restart)
    });
    assert_eq!(outcome.reason, StopReason::Failed(Breakdown::Stagnation));
    assert_eq!(cycles, FRUITLESS_RESTARTS);
}

#[test]
fn a_breakdown_gets_one_more_chance() {
    let broken = CycleEnd::Broken(Breakdown::ZeroDenominator);
    let mut cycles = 0;
    let (_, outcome) = solve(&StopRule::default(), &mut (), |_, _, _| {
        cycles += 1;
        broken
    });
    assert_eq!((outcome.reason, cycles), (StopReason::Failed(Breakdown::ZeroDenominator), 2));
    let mut cycles = 0;
    let (_, outcome) = solve(&StopRule::default(), &mut (), |control, x, _| {
        cycles += 1;
        if cycles == 1 {
            return broken;
        }
        *x = 1.0;
        control.step(0.0, None).unwrap()
    });
    assert!(outcome.converged());
}

#[test]
fn reasons_have_an_order() {
    // convergence before limits
    let (_, outcome) = solve(&StopRule::default().with_max_iters(1), &mut (), |control, x, _| {
        *x = 1.0;
        control.step(0.0, None).unwrap()
    });
    assert!(outcome.converged());
    // a stop of the method's own that happens to meet the target
    let (_, outcome) = solve(&StopRule::default(), &mut (), |_, x, _| {
        *x = 1.0;
        CycleEnd::Stop(StopReason::Failed(Breakdown::IndefiniteOperator))
    });
    assert!(outcome.converged());
    // NaN before limits, divergence after them
    let (x, outcome) = solve(&StopRule::default().with_max_iters(1), &mut (), |control, _, _| {
        assert_eq!(control.step(f64::NAN, None), Some(CycleEnd::Broken(Breakdown::NonFinite)));
        CycleEnd::Broken(Breakdown::NonFinite)
    });
    assert_eq!((x, outcome.reason), (0.0, StopReason::Stopped(Limit::MaxIterations)));
    let (_, outcome) = solve(&StopRule::default(), &mut (), |control, x, _| {
        *x = 1e9;
        control.step(1e9, None).unwrap()
    });
    assert_eq!(outcome.reason, StopReason::Failed(Breakdown::Divergence));
}

#[test]
fn a_request_to_stop_survives_a_claim_that_does_not_hold() {
    let mut monitor = |p: &Progress<'_, f64>| {
        if p.iteration == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let (_, outcome) = solve(&StopRule::default(), &mut monitor, |control, x, _| {
        *x = 0.9;
        control.step(0.0, None).unwrap()
    });
    assert_eq!(outcome.reason, StopReason::Stopped(Limit::MonitorRequest));
    assert_eq!(outcome.iterations, 1);
}

#[test]
fn the_monitor_sees_the_start_and_every_iteration() {
    let mut history = History::new();
    let (_, outcome) = solve(&StopRule::default().with_max_iters(7), &mut history, |control, x, _| {
        for k in 1.. {
            *x = 1.0 - 0.5f64.powi(k);
            if let Some(end) = control.step(0.5f64.powi(k), None) {
                return end;
            }
        }
        CycleEnd::Restart
    });
    assert_eq!(outcome.reason, StopReason::Stopped(Limit::MaxIterations));
    let expected: Vec<f64> = (0..=7).map(|k| 0.5f64.powi(k)).collect();
    assert_eq!(history.relative_residuals(), expected);
}

#[test]
fn a_normalised_residual_is_reported_in_its_own_size() {
    let a = CsrMatrix::<f64>::identity(1).unwrap();
    let b = [2f64.powi(-800)];
    let system = LinearSystem::new(&a, &b).unwrap();
    let (mut x, mut r, mut history) = ([0.0], [0.0], History::new());
    let outcome =
        run(&system, &mut x, &mut r, &StopRule::rtol(1e-3), &mut history, |control, x, r, r_norm| {
            let scale = control.normalise(r, r_norm);
            assert_eq!((r[0], scale), (1.0, b[0]));
            assert!(!control.is_met_by(0.25) && control.is_met_by(1e-4));
            assert_eq!(control.step(0.25, None), None);
            x[0] += scale * r[0];
            Ok(control.step(0.0, None).unwrap())
        })
        .unwrap();
    assert!(outcome.converged());
    assert_eq!(history.relative_residuals(), [1.0, 0.25, 0.0]);
}
