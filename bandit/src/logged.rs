//! A log of what was decided and paid, and what another choice would have cost.
//!
//! Since every decision was drawn with a known probability p_t, the log tells without bias what always playing arm a
//! would have cost a round: (1/T) Σ_t 1{a_t = a} cost_t / p_t (Horvitz and Thompson (1952), J. Am. Stat. Assoc.
//! 47(260)). The variance grows like 1/p, so arms that were hardly played are hardly known.

use crate::decision::Book;
use crate::state::{Prior, read, write};
use crate::{Context, Decision, Policy, PolicyError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One round that came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The round of the decision.
    pub round: u64,
    /// The key of the context.
    pub key: u64,
    /// The features of the context.
    pub features: Vec<f64>,
    /// The arm pulled.
    pub arm: usize,
    /// The probability with which it was drawn.
    pub probability: f64,
    /// What it cost.
    pub cost: f64,
}

/// A mean estimated from a log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean cost of a round.
    pub mean: f64,
    /// The standard error of `mean`, as if rounds were independent.
    pub standard_error: f64,
    /// The rounds that tell: those in which the arm was the one asked for.
    pub matches: usize,
}

/// What a round would have cost on average had `arm` been played in every one; `None` for an empty log.
pub fn estimate_fixed(log: &[Record], arm: usize) -> Option<Estimate> {
    estimate_policy(log, |_| arm)
}

/// What a round would have cost on average had `choice` chosen the arm from the record's context; `None` for an
/// empty log.
pub fn estimate_policy(log: &[Record], mut choice: impl FnMut(&Record) -> usize) -> Option<Estimate> {
    let rounds = log.len() as f64;
    let (mut sum, mut squares, mut matches) = (0.0, 0.0, 0);
    for record in log {
        if choice(record) == record.arm {
            let weighted = record.cost / record.probability;
            sum += weighted;
            squares += weighted * weighted;
            matches += 1;
        }
    }
    let mean = sum / rounds;
    let variance = (squares / rounds - mean * mean).max(0.0);
    (!log.is_empty()).then(|| Estimate { mean, standard_error: (variance / rounds).sqrt(), matches })
}

/// A policy that keeps a [`Record`] of each round that came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged<P> {
    inner: P,
    book: Book,
    log: Vec<Record>,
}

impl<P: Policy> Logged<P> {
    /// Logs what `inner` does.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`].
    pub fn new(inner: P) -> Result<Self, PolicyError> {
        let book = Book::new("logged", inner.arms(), &inner.name())?;
        Ok(Self { inner, book, log: Vec::new() })
    }

    /// The policy within.
    pub fn inner(&self) -> &P {
        &self.inner
    }

    /// The log, in the order in which costs came back.
    pub fn log(&self) -> &[Record] {
        &self.log
    }

    /// Hands the log over and starts an empty one.
    pub fn take_log(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.log)
    }

    /// Takes `decision` back; returns the decision within.
    fn open(&mut self, decision: &mut Decision) -> Result<Decision, PolicyError> {
        self.book.settle(decision)?;
        let round = decision.round();
        let foreign = PolicyError::ForeignDecision { round, reason: "it has none of the logged policy" };
        decision.inner.take().map(|inner| *inner).ok_or(foreign)
    }
}

impl<P: Policy> Policy for Logged<P> {
    fn name(&self) -> &'static str {
        "logged"
    }

    fn arms(&self) -> usize {
        self.book.arms()
    }

    fn probabilities(&self, context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        self.inner.probabilities(context)
    }

    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        let inner = self.inner.decide(context, arm, p.clone())?;
        let mut decision = self.book.issue(context, arm, p)?;
        decision.inner = Some(Box::new(inner));
        Ok(decision)
    }

    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        self.update_paid(decision, cost, cost)
    }

    fn update_paid(&mut self, mut decision: Decision, cost: f64, paid: f64) -> Result<(), PolicyError> {
        let inner = self.open(&mut decision)?;
        self.inner.update_paid(inner, cost, paid)?;
        let Context { key, features } = decision.context();
        self.log.push(Record {
            round: decision.round(),
            key,
            features: features.to_vec(),
            arm: decision.arm(),
            probability: decision.probability(),
            cost,
        });
        Ok(())
    }

    fn cancel(&mut self, mut decision: Decision) -> Result<(), PolicyError> {
        let inner = self.open(&mut decision)?;
        self.inner.cancel(inner)
    }

    fn predict(&self, context: Context<'_>, arm: usize) -> Option<f64> {
        self.inner.predict(context, arm)
    }

    fn save(&self) -> Result<Value, PolicyError> {
        write(&(&self.book, self.inner.save()?, &self.log))
    }

    fn load(&mut self, state: &Value) -> Result<(), PolicyError> {
        let (book, inner, log): (Book, Value, Vec<Record>) = read(state)?;
        self.book.check_same(&book)?;
        self.inner.load(&inner)?;
        (self.book, self.log) = (book, log);
        Ok(())
    }

    /// The policy within takes over what was learned; the log stays what it was.
    fn import(&mut self, state: &Value, prior: Prior) -> Result<(), PolicyError> {
        let (book, inner, _): (Book, Value, Vec<Record>) = read(state)?;
        self.book.check_same(&book)?;
        self.inner.import(&inner, prior)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{ChebCbRidge, Feature, RidgeOptions, TsallisInf};
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    /// The mean cost of each arm of 4 over the rounds played, and the log.
    fn played<P: Policy>(policy: P, rounds: usize) -> ([f64; 4], Vec<Record>) {
        let mut rng = StdRng::seed_from_u64(3);
        let mut policy = Logged::new(policy).unwrap();
        let mut means = [0.0; 4];
        for _ in 0..rounds {
            let x: f64 = rng.random();
            let cost = |arm: usize| 1.0 + (3.0 * x - arm as f64).abs();
            (0..4).for_each(|arm| means[arm] += cost(arm) / rounds as f64);
            let decision = policy.select(Context::of(&[x]), &mut rng).unwrap();
            let cost = cost(decision.arm());
            policy.update(decision, cost).unwrap();
        }
        (means, policy.take_log())
    }

    #[test]
    fn the_log_of_a_learner_tells_the_cost_of_fixed_arms() {
        let uniform = played(TsallisInf::new(4).unwrap(), 4000);
        // With less exploration the few pulls of bad arms, which carry all the weight, are too rare for the
        // standard error to be believed.
        let options = RidgeOptions { explore: 1.0, ..RidgeOptions::default() };
        let ridge = ChebCbRidge::with(4, vec![Feature::linear(0.0, 1.0)], options).unwrap();
        let contextual = played(ridge, 20_000);
        for (means, log) in [uniform, contextual] {
            for (arm, mean) in means.into_iter().enumerate() {
                let estimate = estimate_fixed(&log, arm).unwrap();
                let off = (estimate.mean - mean).abs();
                assert!(off < 3.0 * estimate.standard_error, "{estimate:?} is not {mean} for {arm}");
            }
        }
    }

    #[test]
    fn a_record_says_all_and_is_kept() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut policy = Logged::new(TsallisInf::new(2).unwrap()).unwrap();
        let decision = policy.select(Context::of(&[0.5]).with_key(9), &mut rng).unwrap();
        let arm = decision.arm();
        policy.update(decision, 4.0).unwrap();
        let cancelled = policy.select(Context::NONE, &mut rng).unwrap();
        policy.cancel(cancelled).unwrap();
        let record = Record { round: 0, key: 9, features: vec![0.5], arm, probability: 0.5, cost: 4.0 };
        assert_eq!(policy.log(), [record]);
        assert_eq!(estimate_fixed(policy.log(), arm).unwrap().mean, 8.0);
        assert_eq!(estimate_fixed(policy.log(), 1 - arm).unwrap().matches, 0);
        assert_eq!(estimate_fixed(&[], 0), None);
        let mut other = Logged::new(TsallisInf::new(2).unwrap()).unwrap();
        other.load(&policy.save().unwrap()).unwrap();
        assert_eq!(other, policy);
    }
}
