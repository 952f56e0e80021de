//! One policy per discrete key: for families of problems that teach nothing about each other.

use crate::decision::Book;
use crate::state::{Prior, read, write};
use crate::{Context, Decision, Policy, PolicyError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A copy of a fresh policy for each [`Context::key`], made when the key first comes.
///
/// Each learns at its own pace, with its own clock and scale.
#[derive(Debug, Clone, PartialEq)]
pub struct PerKey<P> {
    fresh: P,
    book: Book,
    policies: BTreeMap<u64, P>,
}

/// As saved: the book, and the state of each key.
#[derive(Serialize, Deserialize)]
struct Saved {
    book: Book,
    policies: Vec<(u64, Value)>,
}

impl<P: Policy + Clone> PerKey<P> {
    /// The policy that starts each key with a copy of `fresh`.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`].
    pub fn new(fresh: P) -> Result<Self, PolicyError> {
        let book = Book::new("per-key", fresh.arms(), &(fresh.name(), fresh.save()?))?;
        Ok(Self { fresh, book, policies: BTreeMap::new() })
    }

    /// The policy of `key`, if it has been used.
    pub fn get(&self, key: u64) -> Option<&P> {
        self.policies.get(&key)
    }

    /// Number of keys that came.
    pub fn keys(&self) -> usize {
        self.policies.len()
    }

    /// The policy of `key` for reading.
    fn at(&self, key: u64) -> &P {
        self.policies.get(&key).unwrap_or(&self.fresh)
    }

    /// The policy and own decision inside `decision`.
    fn open(&mut self, mut decision: Decision) -> Result<(&mut P, Decision), PolicyError> {
        self.book.settle(&decision)?;
        let (key, round) = (decision.context().key, decision.round());
        match (self.policies.get_mut(&key), decision.inner.take()) {
            (Some(policy), Some(inner)) => Ok((policy, *inner)),
            _ => Err(PolicyError::ForeignDecision { round, reason: "its key has no policy" }),
        }
    }

    /// Reads a state through `take`, which brings one key's state into a fresh policy.
    fn saved<F>(&self, state: &Value, mut take: F) -> Result<(Book, BTreeMap<u64, P>), PolicyError>
    where
        F: FnMut(&mut P, &Value) -> Result<(), PolicyError>,
    {
        let saved: Saved = read(state)?;
        self.book.check_same(&saved.book)?;
        let mut policies = BTreeMap::new();
        for (key, state) in &saved.policies {
            let mut policy = self.fresh.clone();
            take(&mut policy, state)?;
            policies.insert(*key, policy);
        }
        Ok((saved.book, policies))
    }
}

impl<P: Policy + Clone> Policy for PerKey<P> {
    fn name(&self) -> &'static str {
        "per-key"
    }

    fn arms(&self) -> usize {
        self.book.arms()
    }

    fn probabilities(&self, context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        self.at(context.key).probabilities(context)
    }

    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        let policy = self.policies.entry(context.key).or_insert_with(|| self.fresh.clone());
        let inner = policy.decide(context, arm, p.clone())?;
        let mut decision = self.book.issue(context, arm, p)?;
        decision.inner = Some(Box::new(inner));
        Ok(decision)
    }

    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        self.update_paid(decision, cost, cost)
    }

    fn update_paid(&mut self, decision: Decision, cost: f64, paid: f64) -> Result<(), PolicyError> {
        let (policy, inner) = self.open(decision)?;
        policy.update_paid(inner, cost, paid)
    }

    fn cancel(&mut self, decision: Decision) -> Result<(), PolicyError> {
        let (policy, inner) = self.open(decision)?;
        policy.cancel(inner)
    }

    fn predict(&self, context: Context<'_>, arm: usize) -> Option<f64> {
        self.at(context.key).predict(context, arm)
    }

    fn save(&self) -> Result<Value, PolicyError> {
        let policies = self.policies.iter().map(|(&key, policy)| Ok((key, policy.save()?)));
        write(&Saved { book: self.book.clone(), policies: policies.collect::<Result<_, PolicyError>>()? })
    }

    fn load(&mut self, state: &Value) -> Result<(), PolicyError> {
        (self.book, self.policies) = self.saved(state, |policy, state| policy.load(state))?;
        Ok(())
    }

    fn import(&mut self, state: &Value, prior: Prior) -> Result<(), PolicyError> {
        prior.check()?;
        (_, self.policies) = self.saved(state, |policy, state| policy.import(state, prior))?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::TsallisInf;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn keys_learn_apart_and_survive_saving() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut policy = PerKey::new(TsallisInf::new(2).unwrap()).unwrap();
        for t in 0..2000 {
            let key = t % 2;
            let decision = policy.select(Context::NONE.with_key(key), &mut rng).unwrap();
            let cost = if decision.arm() as u64 == key { 1.0 } else { 2.0 };
            policy.update(decision, cost).unwrap();
        }
        let p = |policy: &PerKey<TsallisInf>, key| policy.probabilities(Context::NONE.with_key(key)).unwrap();
        assert!(p(&policy, 0)[0] > 0.9 && p(&policy, 1)[1] > 0.9);
        assert_eq!((p(&policy, 2), policy.keys(), policy.get(2).is_none()), (vec![0.5, 0.5], 2, true));
        let mut other = PerKey::new(TsallisInf::new(2).unwrap()).unwrap();
        other.load(&policy.save().unwrap()).unwrap();
        assert_eq!(other, policy);
        other.import(&policy.save().unwrap(), Prior { weight: 0.1, same_unit: false }).unwrap();
        assert!(p(&other, 0)[0] > 0.6 && p(&other, 0)[0] < p(&policy, 0)[0]);
        let foreign = PerKey::new(TsallisInf::new(3).unwrap()).unwrap().save().unwrap();
        assert!(matches!(policy.load(&foreign), Err(PolicyError::ForeignState { .. })));
    }

    #[test]
    fn a_decision_finds_its_key() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut policy = PerKey::new(TsallisInf::new(2).unwrap()).unwrap();
        let first = policy.select(Context::NONE.with_key(5), &mut rng).unwrap();
        let second = policy.select(Context::NONE.with_key(6), &mut rng).unwrap();
        policy.update(second, 1.0).unwrap();
        policy.cancel(first).unwrap();
        let p = |key| policy.probabilities(Context::NONE.with_key(key)).unwrap();
        assert_eq!(p(5), [0.5, 0.5], "a cancelled decision teaches nothing");
        assert_ne!(p(6), [0.5, 0.5]);
    }
}
