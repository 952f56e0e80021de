use super::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Mean and standard deviation over `seeds` seeds of the pseudo-regret after `rounds` pulls of 8 Bernoulli arms,
/// one of mean 0.4375 and seven of mean 0.5625.
fn bernoulli_regret(estimator: Estimator, rounds: usize, seeds: u64) -> (f64, f64) {
    let options = TsallisOptions { estimator, scale: Some(1.0), ..TsallisOptions::default() };
    let regrets: Vec<f64> = (0..seeds)
        .map(|seed| {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut policy = TsallisInf::with(8, options).unwrap();
            let mut regret = 0.0;
            for _ in 0..rounds {
                let decision = policy.select(Context::NONE, &mut rng).unwrap();
                let mean = if decision.arm() == 3 { 0.4375 } else { 0.5625 };
                regret += mean - 0.4375;
                let cost = f64::from(u8::from(rng.random::<f64>() < mean));
                policy.update(decision, cost).unwrap();
            }
            regret
        })
        .collect();
    let mean = regrets.iter().sum::<f64>() / seeds as f64;
    let variance = regrets.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (seeds - 1) as f64;
    (mean, variance.sqrt())
}

/// The reference figures are means over 200 seeds: 85 ± 18 and 69 ± 21; the bound is 4 √(KT) + 1 = 359.
#[test]
fn regret_on_bernoulli_arms_is_that_of_the_literature() {
    let (weighted, _) = bernoulli_regret(Estimator::ImportanceWeighted, 1000, 200);
    let (reduced, _) = bernoulli_regret(Estimator::ReducedVariance, 1000, 200);
    assert!((80.0..90.0).contains(&weighted), "{weighted}");
    assert!((64.0..74.0).contains(&reduced), "{reduced}");
}

/// The same at T = 10 000, where the reference has 298 ± 112 and 169 ± 50 and the bound is 1132.
#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn regret_grows_slower_than_the_root_of_the_pulls() {
    let (weighted, _) = bernoulli_regret(Estimator::ImportanceWeighted, 10_000, 100);
    let (reduced, _) = bernoulli_regret(Estimator::ReducedVariance, 10_000, 100);
    assert!((260.0..336.0).contains(&weighted), "{weighted}");
    assert!((150.0..188.0).contains(&reduced), "{reduced}");
}

#[test]
fn a_cancelled_decision_leaves_no_trace() {
    let run = |cancel: bool| {
        let mut rng = StdRng::seed_from_u64(4);
        let mut policy = TsallisInf::new(5).unwrap();
        for t in 0..300 {
            if cancel && t % 3 == 0 {
                let decision = policy.select(Context::NONE, &mut StdRng::seed_from_u64(t)).unwrap();
                policy.cancel(decision).unwrap();
            }
            let decision = policy.select(Context::NONE, &mut rng).unwrap();
            let cost = 10.0 + decision.arm() as f64;
            policy.update(decision, cost).unwrap();
        }
        policy.probabilities(Context::NONE).unwrap()
    };
    assert_eq!(run(true), run(false));
}

/// Seconds or milliseconds: the draws are the same, since losses are divided by their mean.
#[test]
fn the_unit_of_the_cost_does_not_matter() {
    let run = |unit: f64| {
        let mut rng = StdRng::seed_from_u64(9);
        let mut policy = TsallisInf::new(4).unwrap();
        (0..400)
            .map(|_| {
                let decision = policy.select(Context::NONE, &mut rng).unwrap();
                let arm = decision.arm();
                policy.update(decision, unit * (1.0 + arm as f64)).unwrap();
                arm
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1.0), run(1024.0));
}

#[test]
fn decisions_come_back_late_and_once() {
    let mut rng = StdRng::seed_from_u64(4);
    let (mut policy, mut other) = (TsallisInf::new(3).unwrap(), TsallisInf::new(4).unwrap());
    let open: Vec<Decision> = (0..6).map(|_| policy.select(Context::NONE, &mut rng).unwrap()).rev().collect();
    for decision in open {
        policy.update(decision, 2.0).unwrap();
    }
    let foreign = other.select(Context::NONE, &mut rng).unwrap();
    assert!(matches!(policy.update(foreign, 1.0), Err(PolicyError::ForeignDecision { .. })));
    let decision = policy.select(Context::NONE, &mut rng).unwrap();
    let twin: Decision = serde_json::from_value(serde_json::to_value(&decision).unwrap()).unwrap();
    assert_eq!(twin, decision);
    policy.update(decision, 2.0).unwrap();
    assert!(matches!(policy.cancel(twin), Err(PolicyError::ForeignDecision { .. })), "it came back twice");
}

#[test]
fn bad_settings_and_costs_are_refused_and_teach_nothing() {
    let with = |options| TsallisInf::with(3, options).is_err();
    assert!(with(TsallisOptions { floor: -1.0, ..Default::default() }));
    assert!(with(TsallisOptions { discount: 0.0, ..Default::default() }));
    assert!(with(TsallisOptions { scale: Some(f64::NAN), ..Default::default() }));
    assert_eq!(TsallisInf::new(0).unwrap_err(), PolicyError::NoArms);
    let mut rng = StdRng::seed_from_u64(4);
    let mut policy = TsallisInf::new(3).unwrap();
    let before = policy.learner.clone();
    for cost in [f64::NAN, f64::INFINITY, -1.0] {
        let decision = policy.select(Context::NONE, &mut rng).unwrap();
        assert!(matches!(policy.update(decision, cost), Err(PolicyError::BadCost { .. })));
    }
    assert_eq!(policy.learner, before);
    assert!(policy.decide(Context::NONE, 1, vec![0.5, 0.6, 0.0]).is_err());
    assert!(policy.decide(Context::NONE, 2, vec![0.5, 0.5, 0.0]).is_err());
    assert!(policy.decide(Context::NONE, 0, vec![1.0]).is_err());
    assert!(policy.decide(Context::NONE, 3, vec![0.5, 0.5, 0.0]).is_err());
}

#[test]
fn bins_learn_apart() {
    let mut rng = StdRng::seed_from_u64(4);
    let mut policy = TsallisInfBinned::new(2, 2, (0.0, 1.0), TsallisOptions::default()).unwrap();
    for t in 0..2000 {
        let x = f64::from(t % 2);
        let decision = policy.select(Context::of(&[x]), &mut rng).unwrap();
        let cost = 1.0 + (decision.arm() as f64 - x).abs();
        policy.update(decision, cost).unwrap();
    }
    let best = |x: f64, arm: usize| policy.probabilities(Context::of(&[x])).unwrap()[arm];
    assert!(best(0.2, 0) > 0.9 && best(0.8, 1) > 0.9 && best(-5.0, 0) > 0.9 && best(9.0, 1) > 0.9);
    assert!(matches!(policy.probabilities(Context::NONE), Err(PolicyError::ContextLength { .. })));
    assert!(matches!(policy.probabilities(Context::of(&[f64::NAN])), Err(PolicyError::BadFeature { .. })));
    let make = |bins, range| TsallisInfBinned::new(2, bins, range, TsallisOptions::default());
    assert!(make(0, (0.0, 1.0)).is_err() && make(2, (1.0, 1.0)).is_err());
}
