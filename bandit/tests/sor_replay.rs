//! The published experiment: SOR on the Laplacian with random shifts, against the best ω in hindsight.
#![allow(clippy::unwrap_used)]

mod common;

use common::{ARMS, RANGE, Sequence, Shifts};
use residua_bandit::{ChebCb, ChebCbRidge, Feature, Policy, TsallisInf, TsallisOptions};

/// Mean ratios over the trials.
#[derive(Debug, Default)]
struct Ratios {
    tsallis_to_fixed: f64,
    cheb_cb_to_optimal: f64,
    ridge_to_optimal: f64,
    optimal_mean: f64,
}

fn replay(kind: Shifts, best: usize) -> Ratios {
    let trials = 10;
    let mut mean = Ratios::default();
    for trial in 0..trials {
        let mut sequence = Sequence::new(kind, 5000, trial);
        let [below, fixed, above, optimal] = sequence.totals(best - 1);
        assert!(fixed < below && fixed < above, "the best fixed ω is another: {below}, {fixed}, {above}");
        let mut total = |policy: &mut dyn Policy, contextual| {
            sequence.play(policy, contextual, 100 + trial).iter().sum::<f64>() / trials as f64
        };
        let mut tsallis = TsallisInf::with(ARMS, TsallisOptions { floor: 1.0, ..Default::default() }).unwrap();
        let mut cheb_cb = ChebCb::new(ARMS, RANGE, 6, 1.0).unwrap();
        let mut ridge = ChebCbRidge::new(ARMS, vec![Feature::linear(RANGE.0, RANGE.1)]).unwrap();
        mean.tsallis_to_fixed += total(&mut tsallis, false) / fixed;
        mean.cheb_cb_to_optimal += total(&mut cheb_cb, true) / optimal;
        mean.ridge_to_optimal += total(&mut ridge, true) / optimal;
        mean.optimal_mean += optimal / 5000.0 / trials as f64;
    }
    mean
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn low_variance() {
    let ratios = replay(Shifts::LowVariance, 13);
    eprintln!("{ratios:?}");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn high_variance() {
    let ratios = replay(Shifts::HighVariance, 16);
    eprintln!("{ratios:?}");
}
