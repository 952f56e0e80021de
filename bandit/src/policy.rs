//! What a policy is, and the token that it hands out.

use rand::Rng;

/// Why a policy cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// There is nothing to choose from.
    #[error("a policy needs at least one arm")]
    NoArms,
    /// An arm that does not exist.
    #[error("arm {arm} (counted from 0) does not exist: there are {arms} arms")]
    ArmOutOfRange {
        /// The 0-based arm that was asked for.
        arm: usize,
        /// The number of arms.
        arms: usize,
    },
}

/// One pull: the arm, the probability with which it was drawn, and the round.
///
/// Made by a policy, given back with its cost; see the [crate's page](crate).
#[derive(Debug, PartialEq)]
#[must_use = "a decision that is not given back with its cost teaches the policy nothing"]
pub struct Decision {
    arm: usize,
    probability: f64,
    round: u64,
}

impl Decision {
    /// The decision of a policy: `arm` counted from 0, its `probability` in (0, 1] given the context and
    /// all that the policy knew, `round` counted from 0 over the selections of this policy.
    pub fn new(arm: usize, probability: f64, round: u64) -> Self {
        debug_assert!(
            probability > 0.0 && probability <= 1.0,
            "an arm was drawn with probability {probability}"
        );
        Self { arm, probability, round }
    }

    /// The arm to pull, counted from 0.
    pub fn arm(&self) -> usize {
        self.arm
    }

    /// The probability with which this arm was drawn, in (0, 1].
    pub fn probability(&self) -> f64 {
        self.probability
    }

    /// The number of selections that this policy had made before.
    pub fn round(&self) -> u64 {
        self.round
    }
}

/// Chooses an arm, and learns from what it cost.
///
/// The same seed, contexts and costs give the same decisions: all randomness is the caller's `rng`, no
/// policy looks at a clock.
pub trait Policy: Send {
    /// Its name as on the command line.
    fn name(&self) -> &'static str;

    /// Number of arms K, at least 1.
    fn arms(&self) -> usize;

    /// The next arm. `context` describes the problem at hand, in features whose number and meaning the
    /// caller fixes; a policy that does not use it takes any.
    fn select(&mut self, context: &[f64], rng: &mut dyn Rng) -> Decision;

    /// Learns that `decision`, made by this policy, came to cost `cost` (lower is better). Decisions may
    /// come back in any order. A cost that is not finite is ignored, but its decision is spent.
    fn update(&mut self, decision: Decision, cost: f64);
}
