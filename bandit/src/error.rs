//! What can go wrong between a policy and its caller.

/// Why a policy cannot be made, asked, taught or restored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
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
    /// A setting outside the values for which the method is defined.
    #[error("{setting} is {value}, but must be {allowed}")]
    BadSetting {
        /// The setting's name.
        setting: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// A context with too many or too few features.
    #[error("the context has {got} features, but this policy was made for {expected}")]
    ContextLength {
        /// Features that the policy was made for.
        expected: usize,
        /// Features that it was given.
        got: usize,
    },
    /// A feature that is not a finite number.
    #[error("feature {index} (counted from 0) of the context is {value}: a finite number is needed")]
    BadFeature {
        /// The 0-based feature.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A cost that no pull can have had. The decision is spent, and nothing was learned.
    #[error(
        "arm {arm} came back with cost {cost}, but a cost is {allowed}; cancel a decision that was no pull"
    )]
    BadCost {
        /// The 0-based arm.
        arm: usize,
        /// The cost.
        cost: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// A decision that this policy did not make, or that came back before.
    #[error("round {round} is not an open decision of this policy: {reason}")]
    ForeignDecision {
        /// The decision's round.
        round: u64,
        /// How that shows.
        reason: &'static str,
    },
    /// Probabilities that are none, or under which the arm cannot have been drawn.
    #[error("arm {arm} cannot have been drawn with these probabilities: {reason}")]
    BadProbabilities {
        /// The 0-based arm.
        arm: usize,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A saved state that belongs to something else.
    #[error(
        "the saved state is foreign: its {what} is {saved}, here it is {here}; start afresh, or import it as a prior"
    )]
    ForeignState {
        /// What differs.
        what: &'static str,
        /// As saved.
        saved: String,
        /// As it is here.
        here: String,
    },
    /// A saved state that cannot be read.
    #[error("the saved state cannot be read: {0}")]
    BadState(String),
}
