//! ChebCB-R: a ridge regression of the logarithm of the cost per arm, and inverse-gap weighting.
//!
//! Costs of solves are products (of condition, tolerance, size, speed), so their logarithms are sums, which low
//! polynomials fit well, and relative errors count alike everywhere. After t − 1 pulls, with d arms:
//!
//! - **first**, each arm once, in random order;
//! - **fit**, per arm, over its pulls s: θ_i = argmin Σ (⟨θ, f(c_s)⟩ − (y_s − y_0))² + λ ‖θ‖², y = log cost, f the
//!   Chebyshev terms of the context. Far from its pulls an arm is thereby predicted at y_0, the logarithm of a
//!   tenth of the cheapest cost so far: optimism that makes it be tried there, and no unit of cost matters;
//! - **rate**: η_t = 2 t √(d t / R), R = Σ (prediction − y)² over the pulls of arms that had a prediction;
//! - **draw**: p_i = (1 − ε_t)/(d + η_t gap_i) + ε_t w_i/Σw, with ε_t = min(1, ¼/√t), the rest of the probability for the
//!   best (Foster and Rakhlin (2020), ICML). w_i = exp(−2 gap_i), one over the square of the cost: an arm that costs k times the
//!   best may spend 1/k of what the best may to be looked at again, so that many dear arms together spend little.
//!
//! The form of ChebCB of Khodak, Chow, Balcan and Talwalkar (2024), ICLR, without its box and its normalisers. The
//! floor ε_t costs about 1 % where the model fits, and halves the regret where it misleads.

mod state;

use crate::decision::{Book, check_cost};
use crate::features::{Basis, Feature};
use crate::normal::dot;
use crate::state::{Prior, write};
use crate::{Context, Decision, Policy, PolicyError, inverse_gap};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use state::State;

/// What is regressed on the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub enum Target {
    /// The logarithm of the cost, which must be above 0.
    #[default]
    LogCost,
    /// The cost itself.
    Cost,
}

/// Settings of [`ChebCbRidge`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RidgeOptions {
    /// The logarithm by default.
    pub target: Target,
    /// Chebyshev terms: their number for one feature, the most for several. `None`, the default, is 6 for one
    /// feature and at most 15 for several.
    pub terms: Option<usize>,
    /// λ > 0, 0.01 by default.
    pub ridge: f64,
    /// The arms share the probability `explore`/√t, in inverse proportion to the squares of their predicted costs, or uniformly with
    /// [`Target::Cost`]; 0.25 by default, 0 for none.
    pub explore: f64,
}

impl Default for RidgeOptions {
    fn default() -> Self {
        Self { target: Target::default(), terms: None, ridge: 1e-2, explore: 0.25 }
    }
}

/// ChebCB with ridge regression on the log cost; the default where there is a context.
///
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use residua_bandit::{ChebCbRidge, Context, Feature, Policy};
///
/// let mut rng = StdRng::seed_from_u64(0);
/// let mut policy = ChebCbRidge::new(3, vec![Feature::linear(0.0, 1.0), Feature::log(1e-8, 1e-2)])?;
/// for step in 0..100 {
///     let shift = f64::from(step) / 100.0;
///     let decision = policy.select(Context::of(&[shift, 1e-6]), &mut rng)?;
///     let cost = 10.0 + (2.0 * shift - decision.arm() as f64).powi(2);
///     policy.update(decision, cost)?;
/// }
/// assert!(policy.probabilities(Context::of(&[0.9, 1e-6]))?[2] > 0.5);
/// # Ok::<(), residua_bandit::PolicyError>(())
/// ```
///
/// **Cost** of a decision: d m multiplications for m terms, and one factorization of m³/6. **Storage**:
/// d (m² + 5m)/2 numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ChebCbRidge {
    options: RidgeOptions,
    basis: Basis,
    state: State,
}

impl ChebCbRidge {
    /// The policy on `arms` arms for contexts of these features (none: it learns one mean per arm).
    ///
    /// # Errors
    /// [`PolicyError::NoArms`], [`PolicyError::BadSetting`] for a range that is none.
    pub fn new(arms: usize, features: Vec<Feature>) -> Result<Self, PolicyError> {
        Self::with(arms, features, RidgeOptions::default())
    }

    /// The policy with other settings.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`], [`PolicyError::BadSetting`].
    pub fn with(arms: usize, features: Vec<Feature>, options: RidgeOptions) -> Result<Self, PolicyError> {
        let wrong = |setting, value, allowed| Err(PolicyError::BadSetting { setting, value, allowed });
        if !(options.ridge.is_finite() && options.ridge > 0.0) {
            return wrong("ridge", options.ridge, "finite and above 0");
        }
        if !(0.0..=1.0).contains(&options.explore) {
            return wrong("explore", options.explore, "between 0 and 1");
        }
        let book = Book::new("cheb-cb-ridge", arms, &(&features, options))?;
        let terms = options.terms.unwrap_or(if features.len() > 1 { 15 } else { 6 });
        let basis = Basis::new(features, terms)?;
        let state = State::new(book, arms, basis.terms());
        Ok(Self { options, basis, state })
    }

    /// How many features lay outside their range so far. They were moved to its nearer end; many of them say that
    /// the ranges are wrong.
    pub fn out_of_range(&self) -> u64 {
        self.state.outside
    }

    /// Decisions that came back with a cost.
    pub fn pulls(&self) -> u64 {
        self.state.pulls
    }

    /// The predicted target of each arm at the terms `f`, relative to y_0.
    fn predictions(&self, f: &[f64]) -> Vec<Option<f64>> {
        self.state.arms.iter().map(|arm| (arm.pulls > 0.0).then(|| dot(f, &arm.theta))).collect()
    }

    /// η_t.
    fn rate(&self) -> f64 {
        let t = self.state.pulls as f64 + 1.0;
        // Predictions without error would make it infinite.
        2.0 * t * (self.state.arms.len() as f64 * t / self.state.errors.max(1e-200)).sqrt()
    }

    /// y of a cost.
    fn target(&self, arm: usize, cost: f64) -> Result<f64, PolicyError> {
        check_cost(arm, cost)?;
        match self.options.target {
            Target::Cost => Ok(cost),
            Target::LogCost if cost > 0.0 => Ok(cost.ln()),
            Target::LogCost => Err(PolicyError::BadCost { arm, cost, allowed: "above 0" }),
        }
    }

    /// Fits arm `i` to its pulls.
    fn fit(&mut self, i: usize) {
        let arm = &mut self.state.arms[i];
        if let Some(theta) = arm.equations.solve(self.options.ridge, 1.0, self.state.reference) {
            arm.theta = theta;
        }
        let mean = arm.mean();
        if let Some(mut theta) = arm.equations.solve(self.options.ridge, 1.0, mean) {
            theta[0] += mean;
            arm.expected = theta;
        }
    }

    /// The target that an arm is predicted to have where nothing is known, given the least so far.
    fn optimism(&self, least: f64) -> f64 {
        match self.options.target {
            Target::Cost => 0.0,
            Target::LogCost => least - std::f64::consts::LN_10,
        }
    }

    fn learn(&mut self, i: usize, f: &[f64], prediction: Option<f64>, y: f64) {
        self.state.adopt_unit(i, f, y);
        if let Some(prediction) = prediction {
            self.state.errors += (prediction - y).powi(2);
        }
        self.state.arms[i].equations.add(f, y);
        self.state.arms[i].pulls += 1.0;
        self.state.pulls += 1;
        let reference = self.optimism(y);
        if self.state.pulls == 1 || reference < self.state.reference {
            self.state.reference = reference;
            (0..self.state.arms.len()).for_each(|i| self.fit(i));
        } else {
            self.fit(i);
        }
    }
}

impl Policy for ChebCbRidge {
    fn name(&self) -> &'static str {
        "cheb-cb-ridge"
    }

    fn arms(&self) -> usize {
        self.state.book.arms()
    }

    fn probabilities(&self, context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        let (f, _) = self.basis.evaluate(context)?;
        let untried = self.state.arms.iter().filter(|arm| arm.started == 0).count();
        if untried > 0 {
            let share = |started| if started == 0 { 1.0 / untried as f64 } else { 0.0 };
            return Ok(self.state.arms.iter().map(|arm| share(arm.started)).collect());
        }
        let predictions = self.predictions(&f);
        let Some(mut p) = inverse_gap::probabilities(&predictions, self.rate()) else {
            // Every arm is out for the first time.
            return Ok(vec![1.0 / self.arms() as f64; self.arms()]);
        };
        let t = self.state.pulls as f64 + 1.0;
        let share = (self.options.explore / t.sqrt()).min(1.0);
        let least = predictions.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let weight = |prediction: &Option<f64>| match (self.options.target, prediction) {
            (Target::LogCost, Some(y)) => (2.0 * (least - y)).exp(),
            // An arm that is out for the first time is not known to be dear.
            _ => 1.0,
        };
        inverse_gap::explore(&mut p, share, predictions.iter().map(weight));
        Ok(p)
    }

    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        let (f, outside) = self.basis.evaluate(context)?;
        let mut decision = self.state.book.issue(context, arm, p)?;
        let model = &mut self.state.arms[arm];
        model.started += 1;
        if model.pulls > 0.0 {
            decision.prediction = Some(self.state.reference + dot(&f, &model.theta));
        }
        self.state.outside += outside;
        Ok(decision)
    }

    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        let (f, _) = self.basis.evaluate(decision.context())?;
        let i = decision.arm();
        match self.target(i, cost) {
            Err(error) => self.cancel(decision).and(Err(error)),
            Ok(y) => {
                self.state.book.settle(&decision)?;
                self.learn(i, &f, decision.prediction, y);
                Ok(())
            }
        }
    }

    fn cancel(&mut self, decision: Decision) -> Result<(), PolicyError> {
        self.state.book.settle(&decision)?;
        let started = &mut self.state.arms[decision.arm()].started;
        *started = started.saturating_sub(1);
        Ok(())
    }

    fn predict(&self, context: Context<'_>, arm: usize) -> Option<f64> {
        let (f, _) = self.basis.evaluate(context).ok()?;
        let arm = self.state.arms.get(arm).filter(|arm| arm.pulls > 0.0)?;
        let y = dot(&f, &arm.expected);
        match self.options.target {
            Target::Cost => Some(y.max(0.0)),
            Target::LogCost => Some(y.exp().min(f64::MAX)),
        }
    }

    fn save(&self) -> Result<Value, PolicyError> {
        write(&self.state)
    }

    fn load(&mut self, state: &Value) -> Result<(), PolicyError> {
        self.state = self.state.read(state, self.basis.terms())?;
        Ok(())
    }

    fn import(&mut self, state: &Value, prior: Prior) -> Result<(), PolicyError> {
        let saved = self.state.read(state, self.basis.terms())?;
        self.state = saved.into_prior(self.state.book.clone(), prior.check()?, self.options.target)?;
        (0..self.arms()).for_each(|i| self.fit(i));
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
