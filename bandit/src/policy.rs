//! What a policy is.

use crate::state::Prior;
use crate::{Context, Decision, PolicyError};
use rand::{Rng, RngExt};
use serde_json::Value;

/// Chooses an arm, and learns from what it cost.
///
/// The same seed, contexts and costs give the same decisions: all randomness is the caller's generator, no
/// policy looks at a clock, and none panics. Costs are numbers from 0 to 1e100, lower is better.
///
/// A policy counts pulls when their cost comes back, not when they are decided on, so a cancelled decision
/// leaves no trace but its round number.
pub trait Policy: Send {
    /// Its name as on the command line.
    fn name(&self) -> &'static str;

    /// Number of arms K, at least 1.
    fn arms(&self) -> usize;

    /// The probability with which [`select`](Self::select) would draw each arm now. They are not negative and
    /// sum to 1 up to rounding.
    ///
    /// # Errors
    /// [`PolicyError::ContextLength`] or [`PolicyError::BadFeature`].
    fn probabilities(&self, context: Context<'_>) -> Result<Vec<f64>, PolicyError>;

    /// The decision for an arm that someone else drew from `probabilities`: a guard that forbids some arms, the
    /// rank that draws for all. The policy learns without bias if it was really drawn from them.
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities), and [`PolicyError::ArmOutOfRange`] or
    /// [`PolicyError::BadProbabilities`].
    fn decide(
        &mut self,
        context: Context<'_>,
        arm: usize,
        probabilities: Vec<f64>,
    ) -> Result<Decision, PolicyError>;

    /// The next arm: one drawn from [`probabilities`](Self::probabilities), with one number from `rng`.
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities).
    fn select(&mut self, context: Context<'_>, rng: &mut dyn Rng) -> Result<Decision, PolicyError> {
        let probabilities = self.probabilities(context)?;
        let arm = draw(&probabilities, rng);
        self.decide(context, arm, probabilities)
    }

    /// Learns that `decision`, made by this policy, came to cost `cost`. Decisions may come back late and in any
    /// order.
    ///
    /// # Errors
    /// [`PolicyError::ForeignDecision`]; [`PolicyError::BadCost`], when the decision counts as cancelled.
    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError>;

    /// Learns that the arm of `decision` came to cost `cost`, though `paid` was spent: a set-up that serves other rounds too, a
    /// pull that was broken off. Only what counts spending, a guard, minds `paid`.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    fn update_paid(&mut self, decision: Decision, cost: f64, _paid: f64) -> Result<(), PolicyError> {
        self.update(decision, cost)
    }

    /// Takes `decision` back as if it had not been made: there was no pull.
    ///
    /// # Errors
    /// [`PolicyError::ForeignDecision`].
    fn cancel(&mut self, decision: Decision) -> Result<(), PolicyError>;

    /// The cost that `arm` is expected to have here; `None` from a policy that has no model, or knows nothing of
    /// this arm yet.
    fn predict(&self, _context: Context<'_>, _arm: usize) -> Option<f64> {
        None
    }

    /// All that it knows, for [`load`](Self::load). [`Snapshot`](crate::Snapshot) adds what it applies to.
    ///
    /// # Errors
    /// [`PolicyError::BadState`] if it cannot be written.
    fn save(&self) -> Result<Value, PolicyError>;

    /// Takes up a state exactly: what follows has the same bits as if the saved policy had gone on.
    ///
    /// # Errors
    /// [`PolicyError::ForeignState`] if it was saved by a policy with another setup, [`PolicyError::BadState`].
    /// The policy is then as it was before.
    fn load(&mut self, state: &Value) -> Result<(), PolicyError>;

    /// Takes up the knowledge of a saved policy with a small weight, as a prior that own experience overrules.
    /// Open decisions are forgotten.
    ///
    /// # Errors
    /// As [`load`](Self::load), and [`PolicyError::BadSetting`] for a weight outside (0, 1].
    fn import(&mut self, state: &Value, prior: Prior) -> Result<(), PolicyError>;
}

impl<P: Policy + ?Sized> Policy for Box<P> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn arms(&self) -> usize {
        (**self).arms()
    }
    fn probabilities(&self, context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        (**self).probabilities(context)
    }
    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        (**self).decide(context, arm, p)
    }
    fn select(&mut self, context: Context<'_>, rng: &mut dyn Rng) -> Result<Decision, PolicyError> {
        (**self).select(context, rng)
    }
    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        (**self).update(decision, cost)
    }
    fn update_paid(&mut self, decision: Decision, cost: f64, paid: f64) -> Result<(), PolicyError> {
        (**self).update_paid(decision, cost, paid)
    }
    fn cancel(&mut self, decision: Decision) -> Result<(), PolicyError> {
        (**self).cancel(decision)
    }
    fn predict(&self, context: Context<'_>, arm: usize) -> Option<f64> {
        (**self).predict(context, arm)
    }
    fn save(&self) -> Result<Value, PolicyError> {
        (**self).save()
    }
    fn load(&mut self, state: &Value) -> Result<(), PolicyError> {
        (**self).load(state)
    }
    fn import(&mut self, state: &Value, prior: Prior) -> Result<(), PolicyError> {
        (**self).import(state, prior)
    }
}

/// The arm i with Σ_{j<i} p_j ≤ u < Σ_{j≤i} p_j, u uniform on [0, 1); never one without probability.
pub(crate) fn draw(probabilities: &[f64], rng: &mut dyn Rng) -> usize {
    let mut left: f64 = rng.random();
    let mut arm = 0;
    for (i, &p) in probabilities.iter().enumerate() {
        if p > 0.0 {
            arm = i;
            if left < p {
                break;
            }
            left -= p;
        }
    }
    arm
}

/// The distribution that is certain of `arm`.
pub(crate) fn certain(arm: usize, arms: usize) -> Vec<f64> {
    (0..arms).map(|i| f64::from(u8::from(i == arm))).collect()
}

/// Refuses `context` unless it has `expected` features, all finite.
pub(crate) fn check_features(context: Context<'_>, expected: usize) -> Result<(), PolicyError> {
    let got = context.features.len();
    if got != expected {
        return Err(PolicyError::ContextLength { expected, got });
    }
    match context.features.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(PolicyError::BadFeature { index, value: context.features[index] }),
        None => Ok(()),
    }
}
