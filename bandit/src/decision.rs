//! The token that a policy hands out, and the book in which it keeps those that are out.

use crate::{Context, PolicyError};
use serde::{Deserialize, Serialize};

/// How far probabilities may sum from 1.
const SUM_TOLERANCE: f64 = 1e-9;

/// One pull: the arm, the probabilities from which it was drawn, the context and the round.
///
/// Made by a policy and given back to it, with its cost or to be cancelled; see the [crate's page](crate). It
/// cannot be copied. It can be saved with the policy that made it, and come back after both were restored.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a decision that is not given back teaches the policy nothing; cancel one that was no pull"]
pub struct Decision {
    issuer: u64,
    round: u64,
    arm: usize,
    probabilities: Box<[f64]>,
    key: u64,
    features: Box<[f64]>,
    /// Pulls that the learner concerned had behind it: rates depend on it, and feedback may be late.
    pub(crate) clock: u64,
    /// What the learner expected of the arm, in its own unit.
    pub(crate) prediction: Option<f64>,
    /// What a guard expected of its default arm.
    pub(crate) baseline: Option<f64>,
    /// The decision of the policy inside a combinator.
    pub(crate) inner: Option<Box<Decision>>,
    /// That of the policy above it, where there are two levels.
    #[serde(default)]
    pub(crate) outer: Option<Box<Decision>>,
}

impl Decision {
    /// The arm to pull, counted from 0.
    pub fn arm(&self) -> usize {
        self.arm
    }

    /// The probability with which this arm was drawn, in (0, 1].
    pub fn probability(&self) -> f64 {
        self.probabilities.get(self.arm).copied().unwrap_or(0.0)
    }

    /// The probabilities of all arms, from which this one was drawn.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The number of decisions that this policy had made before.
    pub fn round(&self) -> u64 {
        self.round
    }

    /// The context for which the decision was made.
    pub fn context(&self) -> Context<'_> {
        Context { key: self.key, features: &self.features }
    }
}

/// The rounds of a policy: numbers its decisions, and takes each back once.
///
/// A policy is known by the hash of its name and setup. Two policies with the same setup are told apart by the
/// rounds that are open only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Book {
    issuer: u64,
    arms: usize,
    next: u64,
    /// Rounds that are out, ascending.
    open: Vec<u64>,
}

impl Book {
    /// The empty book of the policy `name` on `arms` arms with `setup`.
    pub(crate) fn new<S: Serialize>(name: &str, arms: usize, setup: &S) -> Result<Self, PolicyError> {
        if arms == 0 {
            return Err(PolicyError::NoArms);
        }
        let issuer = crate::hash::fnv1a(format!("{name} {arms} {}", crate::state::write(setup)?).as_bytes());
        Ok(Self { issuer, arms, next: 0, open: Vec::new() })
    }

    pub(crate) fn arms(&self) -> usize {
        self.arms
    }

    /// Number of decisions that are out.
    pub(crate) fn open(&self) -> u64 {
        self.open.len() as u64
    }

    /// Refuses the book of a policy with another setup, and one that is none.
    pub(crate) fn check_same(&self, saved: &Self) -> Result<(), PolicyError> {
        if saved.arms != self.arms {
            return Err(crate::state::foreign("number of arms", saved.arms, self.arms));
        }
        if saved.issuer != self.issuer {
            let hex = |b: &Self| format!("{:016x}", b.issuer);
            return Err(crate::state::foreign("policy or its setup", hex(saved), hex(self)));
        }
        let ascending = saved.open.windows(2).all(|w| w[0] < w[1]);
        match ascending && saved.open.last().is_none_or(|&r| r < saved.next) {
            true => Ok(()),
            false => Err(PolicyError::BadState("open rounds that were never made".into())),
        }
    }

    /// Writes out the decision for `arm`, drawn from `probabilities`.
    pub(crate) fn issue(
        &mut self,
        context: Context<'_>,
        arm: usize,
        probabilities: Vec<f64>,
    ) -> Result<Decision, PolicyError> {
        if arm >= self.arms {
            return Err(PolicyError::ArmOutOfRange { arm, arms: self.arms });
        }
        let wrong = |reason| Err(PolicyError::BadProbabilities { arm, reason });
        if probabilities.len() != self.arms {
            return wrong("there is not one for each arm");
        }
        if probabilities.iter().any(|p| !(0.0..=1.0 + SUM_TOLERANCE).contains(p)) {
            return wrong("one lies outside 0 and 1");
        }
        if (probabilities.iter().sum::<f64>() - 1.0).abs() > SUM_TOLERANCE {
            return wrong("they do not sum to 1");
        }
        if probabilities[arm] <= 0.0 {
            return wrong("its own is 0");
        }
        let round = self.next;
        self.next += 1;
        self.open.push(round);
        Ok(Decision {
            issuer: self.issuer,
            round,
            arm,
            probabilities: probabilities.into(),
            key: context.key,
            features: context.features.into(),
            clock: 0,
            prediction: None,
            baseline: None,
            inner: None,
            outer: None,
        })
    }

    /// Strikes out a decision that comes back.
    pub(crate) fn settle(&mut self, decision: &Decision) -> Result<(), PolicyError> {
        let round = decision.round;
        if decision.issuer != self.issuer {
            return Err(PolicyError::ForeignDecision { round, reason: "another policy made it" });
        }
        let place = self.open.binary_search(&round);
        let place = place.map_err(|_| PolicyError::ForeignDecision { round, reason: "it is not out" })?;
        // A decision may have been read from a file.
        if decision.arm >= self.arms || decision.probabilities.len() != self.arms {
            return Err(PolicyError::ForeignDecision { round, reason: "it is for other arms" });
        }
        if !(decision.probability() > 0.0 && decision.probability() <= 1.0 + SUM_TOLERANCE) {
            return Err(PolicyError::ForeignDecision { round, reason: "its arm had no probability" });
        }
        self.open.remove(place);
        Ok(())
    }
}

/// The largest cost: sums of costs divided by small probabilities, and their squares, must stay finite.
const LARGEST_COST: f64 = 1e100;

/// Refuses a cost that is negative or not finite.
pub(crate) fn check_cost(arm: usize, cost: f64) -> Result<(), PolicyError> {
    match (0.0..=LARGEST_COST).contains(&cost) {
        true => Ok(()),
        false => Err(PolicyError::BadCost { arm, cost, allowed: "a number from 0 to 1e100" }),
    }
}
