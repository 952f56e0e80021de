//! The guard and the log on the published SOR experiment.
#![allow(clippy::unwrap_used)]

mod common;

use common::{ARMS, RANGE, Sequence, Shifts};
use residua_bandit::{
    Budget, ChebCbRidge, Feature, Guarded, Logged, TsallisInf, TsallisOptions, estimate_fixed,
};

/// The highest ratio of the cumulated costs to those of the arm `default` after at least 50 systems, and the last
/// one: means over 10 trials.
fn guarded(kind: Shifts, default: usize, delta: f64) -> (f64, f64) {
    let trials = 10;
    let (mut peak, mut last) = (0.0, 0.0);
    for trial in 0..trials {
        let mut sequence = Sequence::new(kind, 1000, trial);
        let budget = Budget { delta, ..Budget::default() };
        let ridge = ChebCbRidge::new(ARMS, vec![Feature::linear(RANGE.0, RANGE.1)]).unwrap();
        let mut policy = Guarded::with(ridge, default, budget).unwrap();
        let costs = sequence.play(&mut policy, true, 50 + trial);
        let (mut paid, mut default_cost, mut highest) = (0.0, 0.0, 0.0_f64);
        for (t, cost) in costs.iter().enumerate() {
            paid += cost;
            default_cost += sequence.cost(t, default);
            highest = highest.max(if t >= 50 { paid / default_cost } else { 0.0 });
        }
        peak += highest / trials as f64;
        last += paid / default_cost / trials as f64;
    }
    (peak, last)
}

/// The reference peaks at 1.28 and 1.32 with δ = 0.2, and at 1.71 and 2.76 without a guard; means over 10 trials
/// vary by 0.03.
#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn the_guard_keeps_its_budget() {
    // ω = 1.5 is mediocre for shifts of low variance, 1.8 the best for high, 1 the worst for both.
    for (kind, default, most) in
        [(Shifts::LowVariance, 10, 0.78), (Shifts::HighVariance, 16, 0.95), (Shifts::LowVariance, 0, 0.25)]
    {
        let (peak, last) = guarded(kind, default, 0.2);
        assert!(peak <= 1.2 + 0.15, "{default}: {peak}");
        assert!(last < most, "{default}: {last}");
    }
    let (peak, _) = guarded(Shifts::HighVariance, 16, 100.0);
    assert!(peak > 2.0, "without a budget there is nothing to guard: {peak}");
}

/// What the log of one learner says of arms that it left.
#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn the_log_tells_what_a_fixed_arm_would_have_cost() {
    let mut sequence = Sequence::new(Shifts::LowVariance, 5000, 77);
    let tsallis = TsallisInf::with(ARMS, TsallisOptions { floor: 1.0, ..Default::default() }).unwrap();
    let mut policy = Logged::new(tsallis).unwrap();
    sequence.play(&mut policy, false, 1);
    for arm in [11, 12, 13, 14] {
        let mean = (0..5000).map(|t| sequence.cost(t, arm)).sum::<f64>() / 5000.0;
        let estimate = estimate_fixed(policy.log(), arm).unwrap();
        assert!((estimate.mean - mean).abs() < 3.0 * estimate.standard_error, "{arm}: {estimate:?}, {mean}");
        assert!(estimate.standard_error < 0.4 * mean, "{estimate:?}");
    }
}
