//! The published experiment: SOR on the Laplacian with random shifts, against the best ω in hindsight.
#![allow(clippy::unwrap_used)]

mod common;

use common::{ARMS, RANGE, Sequence, Shifts};
use rand::SeedableRng;
use rand::rngs::StdRng;
use residua_bandit::{
    ChebCb, ChebCbRidge, Context, CostTable, Feature, Policy, RidgeOptions, TsallisInf, TsallisOptions,
};

/// Totals over the trials, each as the mean of its ratio.
#[derive(Debug, Default)]
struct Ratios {
    tsallis_to_fixed: f64,
    cheb_cb_to_optimal: f64,
    ridge_to_optimal: f64,
    /// Without forced exploration.
    greedier_to_optimal: f64,
    /// Sweeps a system.
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
        let feature = || vec![Feature::linear(RANGE.0, RANGE.1)];
        let options = RidgeOptions { explore: 0.0, ..RidgeOptions::default() };
        let mut tsallis =
            TsallisInf::with(ARMS, TsallisOptions { floor: 1.0, ..Default::default() }).unwrap();
        let mut cheb_cb = ChebCb::new(ARMS, RANGE, 6, 1.0).unwrap();
        let mut ridge = ChebCbRidge::new(ARMS, feature()).unwrap();
        let mut greedier = ChebCbRidge::with(ARMS, feature(), options).unwrap();
        mean.tsallis_to_fixed += total(&mut tsallis, false) / fixed;
        mean.cheb_cb_to_optimal += total(&mut cheb_cb, true) / optimal;
        mean.ridge_to_optimal += total(&mut ridge, true) / optimal;
        mean.greedier_to_optimal += total(&mut greedier, true) / optimal;
        mean.optimal_mean += optimal / 5000.0 / trials as f64;
    }
    mean
}

/// The reference has 1.111, 1.111, 1.116 and 1.104; repeated trials differ by 0.005.
#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn shifts_of_low_variance() {
    let ratios = replay(Shifts::LowVariance, 13);
    assert!((41.6..42.0).contains(&ratios.optimal_mean), "{ratios:?}");
    assert!((1.09..1.13).contains(&ratios.tsallis_to_fixed), "{ratios:?}");
    assert!((1.09..1.14).contains(&ratios.cheb_cb_to_optimal), "{ratios:?}");
    assert!((1.08..1.14).contains(&ratios.ridge_to_optimal), "{ratios:?}");
    assert!(ratios.greedier_to_optimal < ratios.cheb_cb_to_optimal, "{ratios:?}");
}

/// The reference has 1.144, 1.178, 1.157 and 1.141.
#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn shifts_of_high_variance() {
    let ratios = replay(Shifts::HighVariance, 16);
    assert!((56.0..56.8).contains(&ratios.optimal_mean), "{ratios:?}");
    assert!((1.12..1.17).contains(&ratios.tsallis_to_fixed), "{ratios:?}");
    assert!((1.15..1.21).contains(&ratios.cheb_cb_to_optimal), "{ratios:?}");
    assert!((1.12..1.19).contains(&ratios.ridge_to_optimal), "{ratios:?}");
    assert!(ratios.ridge_to_optimal < ratios.cheb_cb_to_optimal, "{ratios:?}");
}

/// Gauss-Seidel takes 271.7 and 615.4 sweeps a system in the reference.
#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn sweeps_without_relaxation() {
    for (kind, mean) in [(Shifts::LowVariance, 271.7), (Shifts::HighVariance, 615.4)] {
        let mut sequence = Sequence::new(kind, 1000, 1);
        let total: f64 = (0..1000).map(|t| sequence.cost(t, 0)).sum();
        // The standard error of 1000 systems is 3 % where shifts vary much.
        assert!((total / 1000.0 / mean - 1.0).abs() < 0.1, "{}", total / 1000.0);
    }
}

/// The shifts of regime A, where ω = 1.35 is best, and of B, where it is 1.80.
const A: (f64, f64) = (0.3, 0.45);
const B: (f64, f64) = (-0.145, -0.11);

fn a_then_b(t: usize) -> (f64, f64) {
    if t < 2500 { A } else { B }
}

fn b_then_a(t: usize) -> (f64, f64) {
    if t < 2500 { B } else { A }
}

fn alternate(t: usize) -> (f64, f64) {
    if (t / 500).is_multiple_of(2) { A } else { B }
}

/// The cost relative to the best fixed ω of all rounds, of which the reference has 0.870, 0.943 and 1.089.
#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn tsallis_inf_follows_a_change_of_regime() {
    let ratio = |range| {
        let mut sequence = Sequence::new(Shifts::Uniform(range), 5000, 3);
        // Below ω = 1.35 both regimes get dearer, and above 1.80.
        let (best, fixed) = CostTable::new(12, sequence.table(6)).unwrap().best_fixed();
        assert!((1..11).contains(&best));
        let total = |seed| {
            let mut policy =
                TsallisInf::with(ARMS, TsallisOptions { floor: 1.0, ..Default::default() }).unwrap();
            sequence.play(&mut policy, false, seed).iter().sum::<f64>()
        };
        (0..4).map(total).sum::<f64>() / 4.0 / fixed
    };
    let ratios = [ratio(a_then_b), ratio(b_then_a), ratio(alternate)];
    assert!(ratios[0] < 0.95 && ratios[1] < 1.0 && ratios[2] < 1.15, "{ratios:?}");
}

/// Why a solve is not given up when it takes twice the usual: an arm that became the best is then never found. Any
/// solve that takes more than twice the mean of the best arm so far is stopped there and started again with that arm.
#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn giving_up_early_harms_after_a_change_of_regime() {
    let mut sequence = Sequence::new(Shifts::Uniform(a_then_b), 5000, 3);
    let mut total = |abandon: bool| {
        let options = TsallisOptions { floor: 1.0, ..Default::default() };
        let mut policy = TsallisInf::with(ARMS, options).unwrap();
        let mut rng = StdRng::seed_from_u64(1);
        let (mut sums, mut pulls) = ([0.0_f64; ARMS], [0.0_f64; ARMS]);
        let mut total = 0.0;
        for t in 0..5000 {
            let decision = policy.select(Context::NONE, &mut rng).unwrap();
            let arm = decision.arm();
            let mut cost = sequence.cost(t, arm);
            let mean = |i: &usize| sums[*i] / pulls[*i];
            let best = (0..ARMS).filter(|&i| pulls[i] > 0.0).min_by(|a, b| mean(a).total_cmp(&mean(b)));
            if let Some(best) = best.filter(|&best| abandon && best != arm && cost > 2.0 * mean(&best)) {
                cost = 2.0 * mean(&best) + sequence.cost(t, best);
            }
            sums[arm] += cost;
            pulls[arm] += 1.0;
            total += cost;
            policy.update(decision, cost).unwrap();
        }
        total
    };
    let (patient, hasty) = (total(false), total(true));
    assert!(hasty > 1.3 * patient, "{hasty} {patient}");
}
