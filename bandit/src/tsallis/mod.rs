//! Tsallis-INF: follow the regularised leader with the Tsallis entropy of power ½.
//!
//! Zimmert and Seldin (2021), JMLR 22(28): without being told which, its regret has the best order both where
//! costs are drawn from fixed distributions (log T) and where an adversary sets them (√(KT)). For the
//! parameter of a linear solver: Khodak, Chow, Balcan and Talwalkar (2024), ICLR, algorithms 2 and 5. With
//! η_t = 2/√t the regret is at most 4 √(KT) + 1 for losses in [0, 1] (there, theorem B.2).

mod binned;
mod learner;
mod simplex;

pub use binned::TsallisInfBinned;
pub use learner::{Estimator, TsallisOptions};

use crate::decision::{Book, check_cost};
use crate::state::{Prior, read, write};
use crate::{Context, Decision, Policy, PolicyError};
use learner::Learner;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Tsallis-INF on K arms; the default where there is no context, safe also where costs drift.
///
/// Its regret grows with √K, so few arms suit few pulls: up to 5 arms for 500 pulls, 10 for 2000, 20 beyond.
///
/// **Cost** of a decision: about 6 Newton steps of K terms. **Storage**: 2K numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TsallisInf {
    options: TsallisOptions,
    book: Book,
    learner: Learner,
}

impl TsallisInf {
    /// The policy on `arms` arms with reduced variance, floor 0, the running mean as scale and no discount.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`].
    pub fn new(arms: usize) -> Result<Self, PolicyError> {
        Self::with(arms, TsallisOptions::default())
    }

    /// The policy with other settings.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`], [`PolicyError::BadSetting`].
    pub fn with(arms: usize, options: TsallisOptions) -> Result<Self, PolicyError> {
        let book = Book::new("tsallis-inf", arms, &options.check()?)?;
        Ok(Self { options, book, learner: Learner::new(arms) })
    }

    /// Reads a saved state, if it is one of this policy.
    fn saved(&self, state: &Value) -> Result<Self, PolicyError> {
        let saved: Self = read(state)?;
        self.book.check_same(&saved.book)?;
        saved.learner.check(self.arms())?;
        Ok(saved)
    }
}

impl Policy for TsallisInf {
    fn name(&self) -> &'static str {
        "tsallis-inf"
    }

    fn arms(&self) -> usize {
        self.book.arms()
    }

    fn probabilities(&self, _context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        Ok(self.learner.probabilities(&self.options))
    }

    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        let mut decision = self.book.issue(context, arm, p)?;
        decision.clock = self.learner.pulls();
        Ok(decision)
    }

    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        self.book.settle(&decision)?;
        let arm = decision.arm();
        check_cost(arm, cost)?;
        self.learner.learn(&self.options, arm, decision.probabilities(), decision.clock, cost);
        Ok(())
    }

    fn cancel(&mut self, decision: Decision) -> Result<(), PolicyError> {
        self.book.settle(&decision)
    }

    fn save(&self) -> Result<Value, PolicyError> {
        write(self)
    }

    fn load(&mut self, state: &Value) -> Result<(), PolicyError> {
        let saved = self.saved(state)?;
        (self.book, self.learner) = (saved.book, saved.learner);
        Ok(())
    }

    fn import(&mut self, state: &Value, prior: Prior) -> Result<(), PolicyError> {
        self.learner = self.saved(state)?.learner.as_prior(&self.options, prior.check()?);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
