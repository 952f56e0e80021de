//! A budget: never much dearer than the arm that one would have used without learning.
//!
//! With C what was paid so far, D what the default arm would have cost in the same rounds (paid where it was played,
//! predicted where not), n of them, and predictions ĉ for the round at hand, an arm i is allowed if
//!
//!   C + ĉ_i ≤ (1 + δ) (D + ĉ_default) + a (D + ĉ_default)/(n + 1),
//!
//! with δ = 0.2 and an allowance of a = 5 solves: the conservative bandits of Wu, Shariff, Lattimore and Szepesvári
//! (2016), ICML, with predictions in the place of confidence bounds. The probability of arms that are not allowed goes
//! to the default, or to an arm that never cost more and whose ĉ is at most half of the default's: that brings the budget back the
//! sooner. The policy within is told the probabilities that result, so its estimates stay unbiased. The guarantee is as good as the
//! predictions.

use crate::decision::{Book, check_cost};
use crate::policy::certain;
use crate::state::{Prior, check_array, read, write};
use crate::{Context, Decision, Policy, PolicyError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Pulls after which the forecast for an arm is trusted, also where it is below what the arm did cost.
const TRUSTED: u64 = 3;

/// What an arm must be forecast to cost at most, relative to the default, to be played in its place: forecasts err.
const REFUGE: f64 = 0.5;

/// What a guard may spend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// δ ≥ 0, 0.2 by default: how much dearer than the default all rounds together may be.
    pub delta: f64,
    /// a ≥ 0, 5 by default: solves of the default that may be spent on top.
    pub allowance: f64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { delta: 0.2, allowance: 5.0 }
    }
}

/// A policy that plays its default arm, or one known to be cheaper, wherever another might break the budget.
///
/// Costs are predicted by the policy within, or else by the mean cost of the arm. An arm that was never pulled is feared
/// to cost, relative to the default, the highest ratio seen of any arm and at least the allowance; one that was pulled
/// once or twice, the highest of its own ratios. The first pull is of the default.
#[derive(Debug, Clone, PartialEq)]
pub struct Guarded<P> {
    inner: P,
    default: usize,
    budget: Budget,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    book: Book,
    /// C and D of the rounds that came back.
    paid: f64,
    default_cost: f64,
    /// ĉ of the arm and of the default in the rounds that are out.
    open_paid: f64,
    open_default: f64,
    rounds: u64,
    open: u64,
    totals: Vec<f64>,
    pulls: Vec<u64>,
    /// The highest ratio of a cost to the forecast of the default, over all arms and for each.
    highest: f64,
    ratios: Vec<f64>,
}

impl State {
    fn new(book: Book) -> Self {
        let arms = book.arms();
        let (totals, pulls) = (vec![0.0; arms], vec![0; arms]);
        let (paid, default_cost, open_paid, open_default) = (0.0, 0.0, 0.0, 0.0);
        Self {
            book,
            paid,
            default_cost,
            open_paid,
            open_default,
            rounds: 0,
            open: 0,
            totals,
            pulls,
            highest: 0.0,
            ratios: vec![0.0; arms],
        }
    }
}

impl<P: Policy> Guarded<P> {
    /// Guards `inner` with the arm `default` and the default budget.
    ///
    /// # Errors
    /// [`PolicyError::ArmOutOfRange`].
    pub fn new(inner: P, default: usize) -> Result<Self, PolicyError> {
        Self::with(inner, default, Budget::default())
    }

    /// Guards `inner` with another budget.
    ///
    /// # Errors
    /// [`PolicyError::ArmOutOfRange`], [`PolicyError::BadSetting`].
    pub fn with(inner: P, default: usize, budget: Budget) -> Result<Self, PolicyError> {
        let arms = inner.arms();
        if default >= arms {
            return Err(PolicyError::ArmOutOfRange { arm: default, arms });
        }
        for (setting, value) in [("delta", budget.delta), ("allowance", budget.allowance)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(PolicyError::BadSetting { setting, value, allowed: "finite and not negative" });
            }
        }
        let book = Book::new("guarded", arms, &(inner.name(), default, budget))?;
        Ok(Self { inner, default, budget, state: State::new(book) })
    }

    /// The policy within.
    pub fn inner(&self) -> &P {
        &self.inner
    }

    /// What was paid, over what the default arm is estimated to have cost in the same rounds; 1 before the first.
    pub fn spent(&self) -> f64 {
        if self.state.default_cost > 0.0 { self.state.paid / self.state.default_cost } else { 1.0 }
    }

    /// ĉ of `arm`; `None` before any pull of the default.
    fn forecast(&self, context: Context<'_>, arm: usize) -> Option<f64> {
        let pulls = self.state.pulls[arm];
        let mean = || (pulls > 0).then(|| self.state.totals[arm] / pulls as f64);
        let expected = self.inner.predict(context, arm).or_else(mean);
        if arm == self.default || pulls >= TRUSTED {
            return expected;
        }
        let default = self.forecast(context, self.default)?;
        Some(match expected {
            Some(expected) if pulls > 0 => expected.max(self.state.ratios[arm] * default),
            _ => self.state.highest.max(self.budget.allowance).max(1.0) * default,
        })
    }

    /// Takes `decision` off the open ones; returns the decision within and ĉ of the default.
    fn open(&mut self, mut decision: Decision) -> Result<(Decision, f64), PolicyError> {
        self.state.book.settle(&decision)?;
        let baseline = decision.baseline.unwrap_or(0.0);
        self.state.open -= 1;
        self.state.open_paid -= decision.prediction.unwrap_or(0.0);
        self.state.open_default -= baseline;
        if self.state.open == 0 {
            (self.state.open_paid, self.state.open_default) = (0.0, 0.0);
        }
        let round = decision.round();
        let foreign = PolicyError::ForeignDecision { round, reason: "it has none of the guarded policy" };
        Ok((*decision.inner.take().ok_or(foreign)?, baseline))
    }
}

impl<P: Policy> Policy for Guarded<P> {
    fn name(&self) -> &'static str {
        "guarded"
    }

    fn arms(&self) -> usize {
        self.state.book.arms()
    }

    fn probabilities(&self, context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        let mut p = self.inner.probabilities(context)?;
        let State { paid, default_cost, open_paid, open_default, rounds, open, .. } = &self.state;
        let Some(default) = self.forecast(context, self.default) else {
            return Ok(certain(self.default, p.len()));
        };
        let all = default_cost + open_default + default;
        let limit =
            (1.0 + self.budget.delta) * all + self.budget.allowance * all / ((rounds + open + 1) as f64);
        let forecasts: Vec<f64> =
            (0..p.len()).map(|arm| self.forecast(context, arm).unwrap_or(default)).collect();
        let is_cheap = |&arm: &usize| {
            self.state.pulls[arm] > 0 && self.state.ratios[arm] <= 1.0 && forecasts[arm] <= REFUGE * default
        };
        let cheap = (0..p.len()).filter(is_cheap);
        let refuge = cheap.min_by(|&i, &j| forecasts[i].total_cmp(&forecasts[j])).unwrap_or(self.default);
        let mut moved = 0.0;
        for (arm, (p, forecast)) in p.iter_mut().zip(forecasts).enumerate() {
            if arm != refuge && *p > 0.0 && paid + open_paid + forecast > limit {
                moved += std::mem::take(p);
            }
        }
        p[refuge] += moved;
        Ok(p)
    }

    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        if arm >= self.arms() {
            return Err(PolicyError::ArmOutOfRange { arm, arms: self.arms() });
        }
        let (prediction, baseline) = (self.forecast(context, arm), self.forecast(context, self.default));
        let inner = self.inner.decide(context, arm, p.clone())?;
        let mut decision = self.state.book.issue(context, arm, p)?;
        self.state.open += 1;
        self.state.open_paid += prediction.unwrap_or(0.0);
        self.state.open_default += baseline.unwrap_or(0.0);
        (decision.prediction, decision.baseline) = (prediction, baseline);
        decision.inner = Some(Box::new(inner));
        Ok(decision)
    }

    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        self.update_paid(decision, cost, cost)
    }

    fn update_paid(&mut self, decision: Decision, cost: f64, paid: f64) -> Result<(), PolicyError> {
        let arm = decision.arm();
        let (inner, baseline) = self.open(decision)?;
        self.inner.update(inner, cost)?;
        check_cost(arm, cost)?;
        check_cost(arm, paid)?;
        self.state.paid += paid;
        self.state.default_cost += if arm == self.default { paid } else { baseline };
        self.state.rounds += 1;
        if baseline > 0.0 {
            self.state.ratios[arm] = self.state.ratios[arm].max(paid / baseline);
            self.state.highest = self.state.highest.max(paid / baseline);
        }
        self.state.totals[arm] += cost;
        self.state.pulls[arm] += 1;
        Ok(())
    }

    fn cancel(&mut self, decision: Decision) -> Result<(), PolicyError> {
        let (inner, _) = self.open(decision)?;
        self.inner.cancel(inner)
    }

    fn predict(&self, context: Context<'_>, arm: usize) -> Option<f64> {
        if arm < self.arms() { self.forecast(context, arm) } else { None }
    }

    fn save(&self) -> Result<Value, PolicyError> {
        write(&(&self.state, self.inner.save()?))
    }

    fn load(&mut self, state: &Value) -> Result<(), PolicyError> {
        let (saved, inner): (State, Value) = read(state)?;
        self.state.book.check_same(&saved.book)?;
        check_array("total costs", &saved.totals, self.arms())?;
        let sums = [saved.paid, saved.default_cost, saved.open_paid, saved.open_default];
        check_array("budget", &sums, sums.len())?;
        if saved.pulls.len() != self.arms() || saved.open != saved.book.open() {
            return Err(PolicyError::BadState("rounds of the guard do not add up".into()));
        }
        self.inner.load(&inner)?;
        self.state = saved;
        Ok(())
    }

    /// The policy within takes over what was learned; the budget starts anew.
    fn import(&mut self, state: &Value, prior: Prior) -> Result<(), PolicyError> {
        let (saved, inner): (State, Value) = read(state)?;
        self.state.book.check_same(&saved.book)?;
        self.inner.import(&inner, prior)?;
        self.state = State::new(self.state.book.clone());
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{TsallisInf, UniformRandom};
    use rand::{SeedableRng, rngs::StdRng};

    /// Nine bad arms, drawn uniformly: only the guard keeps the total down.
    #[test]
    fn a_careless_policy_stays_within_its_budget() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut policy = Guarded::new(UniformRandom::new(10).unwrap(), 0).unwrap();
        let mut paid = 0.0;
        for t in 1..=2000 {
            let decision = policy.select(Context::NONE, &mut rng).unwrap();
            let cost = if decision.arm() == 0 { 10.0 } else { 25.0 };
            assert!(decision.arm() == 0 || t > 1);
            paid += cost;
            policy.update(decision, cost).unwrap();
            // One arm of unknown cost after another may each break it by what it costs more.
            assert!(paid <= 1.2 * 10.0 * f64::from(t) + 5.0 * 10.0 + 9.0 * 15.0, "{paid} after {t}");
        }
        assert!(paid > 1.15 * 20_000.0, "the budget is there to be spent: {paid}");
        assert!((policy.spent() - paid / 20_000.0).abs() < 1e-12);
    }

    #[test]
    fn a_spent_budget_is_brought_back_by_the_cheapest_arm_that_is_known() {
        let mut policy = Guarded::new(UniformRandom::new(3).unwrap(), 0).unwrap();
        let pull = |policy: &mut Guarded<UniformRandom>, arm, cost| {
            let p = policy.probabilities(Context::NONE).unwrap();
            let decision = policy.decide(Context::NONE, arm, p).unwrap();
            policy.update(decision, cost).unwrap();
        };
        for (arm, cost) in [(0, 3.0), (1, 1.0), (2, 500.0)] {
            pull(&mut policy, arm, cost);
        }
        assert_eq!(policy.probabilities(Context::NONE).unwrap(), [0.0, 1.0, 0.0]);
        // 2 are saved a round.
        for _ in 0..400 {
            pull(&mut policy, 1, 1.0);
        }
        let p = policy.probabilities(Context::NONE).unwrap();
        assert!(p.iter().all(|p| *p > 0.3), "{p:?}");
    }

    #[test]
    fn decisions_that_are_out_count_and_cancelled_ones_do_not() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut policy = Guarded::new(TsallisInf::new(2).unwrap(), 1).unwrap();
        let first = policy.select(Context::NONE, &mut rng).unwrap();
        assert_eq!((first.arm(), first.probability()), (1, 1.0));
        policy.update(first, 4.0).unwrap();
        let before = policy.clone();
        let open = policy.select(Context::NONE, &mut rng).unwrap();
        // The other arm is feared to cost the allowance of 5 solves.
        assert_eq!(policy.state.open_paid, if open.arm() == 1 { 4.0 } else { 20.0 });
        policy.cancel(open).unwrap();
        assert_eq!((policy.state.open_paid, policy.state.paid), (0.0, before.state.paid));
        assert!(Guarded::new(TsallisInf::new(2).unwrap(), 2).is_err());
        let budget = Budget { delta: -0.1, ..Budget::default() };
        assert!(Guarded::with(TsallisInf::new(2).unwrap(), 1, budget).is_err());
    }
}
