//! A run that is saved and resumed makes the same decisions, to the last bit, as one that goes on.
#![allow(clippy::unwrap_used)]

use rand::{RngExt, SeedableRng};
use residua_bandit::{
    ChebCb, ChebCbRidge, Context, CostTable, Decision, Feature, Fixed, Guarded, Logged, PerKey, Policy,
    PolicyError, ResumableRng, RoundRobinThenCommit, Signature, Snapshot, TableOracle, TsallisInf,
    TsallisInfBinned, TsallisOptions, UniformRandom,
};

const ARMS: usize = 6;

fn ridge() -> ChebCbRidge {
    ChebCbRidge::new(ARMS, vec![Feature::linear(0.0, 1.0)]).unwrap()
}

/// Every policy that there is, freshly made.
fn policies() -> Vec<Box<dyn Policy>> {
    let discounted = TsallisOptions { discount: 0.999, floor: 1.0, ..Default::default() };
    let table = CostTable::new(ARMS, (0..ARMS * 3000).map(|k| (k * 7 % 11) as f64).collect()).unwrap();
    vec![
        Box::new(Fixed::new(2, ARMS).unwrap()),
        Box::new(UniformRandom::new(ARMS).unwrap()),
        Box::new(RoundRobinThenCommit::new(ARMS, 200).unwrap()),
        Box::new(TableOracle::new(table).unwrap()),
        Box::new(TsallisInf::new(ARMS).unwrap()),
        Box::new(TsallisInf::with(ARMS, discounted).unwrap()),
        Box::new(TsallisInfBinned::new(ARMS, 4, (0.0, 1.0), discounted).unwrap()),
        Box::new(ChebCb::new(ARMS, (0.0, 1.0), 5, 1.0).unwrap()),
        Box::new(ridge()),
        Box::new(Guarded::new(ridge(), 3).unwrap()),
        Box::new(PerKey::new(Guarded::new(TsallisInf::new(ARMS).unwrap(), 1).unwrap()).unwrap()),
        Box::new(Logged::new(ridge()).unwrap()),
    ]
}

fn signature() -> Signature {
    Signature::new(&["a", "b", "c", "d", "e", "f"], "iterations", "")
}

/// Probabilities are not negative and sum to 1.
fn check(p: &[f64]) {
    assert_eq!(p.len(), ARMS);
    assert!(p.iter().all(|&p| p >= 0.0) && (p.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{p:?}");
}

/// Plays `rounds` rounds in which a third of the decisions comes back one round late, and some are cancelled.
/// Returns the arms and the bits of their probabilities, and leaves one decision out.
fn play(
    policy: &mut dyn Policy,
    rng: &mut ResumableRng,
    rounds: usize,
    late: &mut Option<(Decision, f64)>,
) -> Vec<(usize, u64)> {
    let mut seen = Vec::new();
    for t in 0..rounds {
        let x: f64 = rng.random();
        let decision = policy.select(Context::of(&[x]).with_key(rng.random_range(0..3)), rng).unwrap();
        check(decision.probabilities());
        seen.push((decision.arm(), decision.probability().to_bits()));
        let cost = 2.0 + (x * 5.0 - decision.arm() as f64).powi(2) + rng.random::<f64>();
        if let Some((decision, cost)) = late.take() {
            policy.update(decision, cost).unwrap();
        }
        match t % 10 {
            0..3 => *late = Some((decision, cost)),
            3 => policy.cancel(decision).unwrap(),
            _ => policy.update(decision, cost).unwrap(),
        }
    }
    seen
}

#[test]
fn resumed_runs_repeat_to_the_last_bit() {
    for (mut straight, mut resumed) in policies().into_iter().zip(policies()) {
        let mut rng = ResumableRng::seed_from_u64(42);
        let mut late = None;
        // Ends with a decision out.
        play(&mut *straight, &mut rng, 1001, &mut late);
        let json = Snapshot::take(&*straight, &rng, &signature()).unwrap().to_json().unwrap();
        let out = late.as_ref().map(|(decision, cost)| (serde_json::to_string(decision).unwrap(), *cost));
        let expected = play(&mut *straight, &mut rng, 1000, &mut late);

        let mut rng = Snapshot::from_json(&json).unwrap().restore(&mut *resumed, &signature()).unwrap();
        let mut late = out.map(|(decision, cost)| (serde_json::from_str(&decision).unwrap(), cost));
        assert!(late.is_some());
        assert_eq!(play(&mut *resumed, &mut rng, 1000, &mut late), expected, "{}", straight.name());
        assert_eq!(resumed.save().unwrap(), straight.save().unwrap(), "{}", straight.name());
    }
}

#[test]
fn foreign_states_are_refused_with_the_reason() {
    let policy = TsallisInf::new(ARMS).unwrap();
    let rng = ResumableRng::seed_from_u64(1);
    let snapshot = Snapshot::take(&policy, &rng, &signature()).unwrap();
    let reason = |policy: &mut dyn Policy, here: &Signature| match snapshot.restore(policy, here) {
        Err(PolicyError::ForeignState { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    let names = ["a", "b", "c", "d", "e", "f"];
    let mut same = TsallisInf::new(ARMS).unwrap();
    assert!(snapshot.restore(&mut same, &signature()).is_ok());
    let mut swapped = names;
    swapped.swap(0, 1);
    assert_eq!(reason(&mut same, &Signature::new(&swapped, "iterations", "")), "list of arms");
    assert_eq!(reason(&mut same, &Signature::new(&names, "seconds", "")), "unit of cost");
    assert_eq!(reason(&mut same, &Signature::new(&names, "iterations", "other")), "machine");
    assert_eq!(reason(&mut ridge(), &signature()), "policy");
    assert_eq!(reason(&mut TsallisInf::new(ARMS + 1).unwrap(), &signature()), "number of arms");
    let mut other = TsallisInf::with(ARMS, TsallisOptions { floor: 1.0, ..Default::default() }).unwrap();
    assert_eq!(reason(&mut other, &signature()), "policy or its setup");
    let message =
        snapshot.restore(&mut same, &Signature::new(&names, "seconds", "")).unwrap_err().to_string();
    assert!(message.contains("unit of cost is iterations, here it is seconds"), "{message}");
}

#[test]
fn other_arms_and_units_are_imported_with_little_weight() {
    let elsewhere = Signature::new(&["u", "v", "w", "x", "y", "z"], "seconds", "elsewhere");
    for (mut old, mut new) in policies().into_iter().zip(policies()) {
        let mut rng = ResumableRng::seed_from_u64(7);
        let mut late = None;
        play(&mut *old, &mut rng, 1000, &mut late);
        let snapshot = Snapshot::take(&*old, &rng, &signature()).unwrap();
        let result = snapshot.import(&mut *new, &elsewhere, 0.15);
        assert_eq!(result.is_err(), old.name() == "cheb-cb", "{}: {result:?}", old.name());
        assert!(snapshot.import(&mut *new, &signature(), 0.15).is_ok(), "{}", old.name());
        assert!(snapshot.import(&mut *new, &signature(), 1.5).is_err(), "{}", old.name());
        // A decision of the old one is not one of the new.
        let decision = late.take().map(|(decision, _)| decision);
        decision.into_iter().for_each(|d| assert!(new.cancel(d).is_err(), "{}", new.name()));
        play(&mut *new, &mut rng, 100, &mut late);
    }
}

#[test]
fn damaged_states_are_refused_and_change_nothing() {
    for (mut policy, mut other) in policies().into_iter().zip(policies()) {
        let mut rng = ResumableRng::seed_from_u64(7);
        play(&mut *policy, &mut rng, 50, &mut None);
        let json = policy.save().unwrap().to_string();
        for (from, to) in
            [("[", "{}"), ("\"arms\":6", "\"arms\":7"), ("\"next\":50", "\"next\":1"), ("0.", "null")]
        {
            let Ok(damaged) = serde_json::from_str(&json.replacen(from, to, 1)) else { continue };
            if damaged != policy.save().unwrap() {
                let before = other.save().unwrap();
                let _ = other.load(&damaged);
                let after = other.save().unwrap();
                assert!(after == before || after == damaged, "{}", policy.name());
            }
        }
    }
    assert!(matches!(Snapshot::from_json("{}"), Err(PolicyError::BadState(_))));
    assert!(matches!(Snapshot::from_json("{\"schema\":2}"), Err(PolicyError::ForeignState { .. })));
    assert!(matches!(Snapshot::from_json("{\"schema\":1}"), Err(PolicyError::BadState(_))));
    assert!(matches!(Snapshot::from_json("nonsense"), Err(PolicyError::BadState(_))));
}

#[test]
fn no_cost_or_context_upsets_a_policy() {
    let costs = [0.0, 1e-300, 1e100, 1.0, f64::NAN, -1.0, f64::INFINITY, 1e-12, 5.0, f64::MAX];
    for mut policy in policies() {
        let mut rng = ResumableRng::seed_from_u64(3);
        for t in 0..500 {
            let x = [0.5, -1e300, 1e300, 0.0, 1.0][t % 5];
            let decision = policy.select(Context::of(&[x]), &mut rng).unwrap();
            check(decision.probabilities());
            let cost = costs[rng.random_range(0..costs.len())];
            // Logarithms need costs above 0.
            let bad = !(0.0..=1e100).contains(&cost) || cost == 0.0;
            assert!(policy.update(decision, cost).is_ok() || bad, "{} {cost}", policy.name());
            assert!(policy.predict(Context::of(&[x]), t % ARMS).is_none_or(|cost| cost >= 0.0));
        }
        let saved = policy.save().unwrap();
        policy.load(&saved).unwrap();
        assert_eq!(policy.save().unwrap(), saved);
    }
}
