//! Tsallis-INF with a scalar context cut into bins: Khodak, Chow, Balcan and Talwalkar (2024), ICLR, algorithm 5.
//!
//! Each of m bins of [lower, upper] has its own learner with its own clock and mean. Against the best policy that
//! is Lipschitz in the context, the regret is of order T^{3/4} (there, theorem 2.2); it learns nothing of one bin
//! from its neighbours, which is what [`ChebCbRidge`](crate::ChebCbRidge) does.

use super::learner::{Learner, TsallisOptions};
use crate::decision::{Book, check_cost};
use crate::policy::check_features;
use crate::state::{Prior, read, write};
use crate::{Context, Decision, Policy, PolicyError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One [`TsallisInf`](super::TsallisInf) per bin of a scalar context; values outside count to the first or last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TsallisInfBinned {
    setup: Setup,
    book: Book,
    learners: Vec<Learner>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Setup {
    bins: usize,
    lower: f64,
    upper: f64,
    options: TsallisOptions,
}

impl TsallisInfBinned {
    /// The policy on `arms` arms with `bins` bins of equal width on [`lower`, `upper`].
    ///
    /// # Errors
    /// [`PolicyError::NoArms`], [`PolicyError::BadSetting`].
    pub fn new(
        arms: usize,
        bins: usize,
        (lower, upper): (f64, f64),
        options: TsallisOptions,
    ) -> Result<Self, PolicyError> {
        if bins == 0 {
            return Err(PolicyError::BadSetting { setting: "bins", value: 0.0, allowed: "at least 1" });
        }
        if !(lower.is_finite() && (upper - lower).is_finite() && lower < upper) {
            let allowed = "finite and above the lower end of the context";
            return Err(PolicyError::BadSetting { setting: "upper end", value: upper, allowed });
        }
        let setup = Setup { bins, lower, upper, options: options.check()? };
        let book = Book::new("tsallis-inf-binned", arms, &setup)?;
        Ok(Self { setup, book, learners: vec![Learner::new(arms); bins] })
    }

    /// The bin whose centre is nearest.
    fn bin(&self, context: Context<'_>) -> Result<usize, PolicyError> {
        check_features(context, 1)?;
        let Setup { bins, lower, upper, .. } = self.setup;
        let part = (context.features[0] - lower) / (upper - lower);
        // A negative number becomes 0.
        Ok(((part * bins as f64) as usize).min(bins - 1))
    }

    fn saved(&self, state: &Value) -> Result<Self, PolicyError> {
        let saved: Self = read(state)?;
        self.book.check_same(&saved.book)?;
        saved.learners.iter().try_for_each(|learner| learner.check(self.arms()))?;
        match saved.learners.len() == self.setup.bins {
            true => Ok(saved),
            false => Err(PolicyError::BadState("there is not one learner for each bin".into())),
        }
    }
}

impl Policy for TsallisInfBinned {
    fn name(&self) -> &'static str {
        "tsallis-inf-binned"
    }

    fn arms(&self) -> usize {
        self.book.arms()
    }

    fn probabilities(&self, context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        Ok(self.learners[self.bin(context)?].probabilities(&self.setup.options))
    }

    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        let bin = self.bin(context)?;
        let mut decision = self.book.issue(context, arm, p)?;
        decision.clock = self.learners[bin].pulls();
        Ok(decision)
    }

    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        let bin = self.bin(decision.context())?;
        self.book.settle(&decision)?;
        let arm = decision.arm();
        check_cost(arm, cost)?;
        self.learners[bin].learn(&self.setup.options, arm, decision.probabilities(), decision.clock, cost);
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
        (self.book, self.learners) = (saved.book, saved.learners);
        Ok(())
    }

    fn import(&mut self, state: &Value, prior: Prior) -> Result<(), PolicyError> {
        let (saved, prior) = (self.saved(state)?, prior.check()?);
        self.learners = saved.learners.iter().map(|l| l.as_prior(&self.setup.options, prior)).collect();
        Ok(())
    }
}
