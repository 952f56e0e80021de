//! What one Tsallis-INF learner knows, and how it learns.
//!
//! After the pull of arm I, drawn with probability p_I, at the loss ℓ, the loss of every arm is estimated without
//! bias (Zimmert and Seldin (2021), JMLR 22(28), section 3.2):
//!
//!   importance weighting   ℓ̂_i = 1{i = I} ℓ / p_i,                         η_t = 2/√t,
//!   reduced variance       ℓ̂_i = 1{i = I} (ℓ − B_i)/p_i + B_i,              η_t = 4/√t,
//!
//! with B_i = ½ · 1{p_i ≥ η_t²}. Both want losses of size one, and costs have no known bound, so
//! ℓ = (cost − floor) / mean of (cost − floor) over the pulls so far. As that mean moves, the sums of cost/p are
//! kept in the unit of the costs and the sums of B in that of ℓ: L = sums / mean + shifts.

use super::simplex;
use crate::PolicyError;
use crate::state::{Prior, check_array};
use serde::{Deserialize, Serialize};

/// How the losses of arms that were not pulled are estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub enum Estimator {
    /// ℓ/p for the arm pulled, 0 for all others, with η_t = 2/√t.
    ImportanceWeighted,
    /// The same about the baseline ½ for arms of some probability, with η_t = 4/√t: half the regret.
    #[default]
    ReducedVariance,
}

impl Estimator {
    /// The learning rate of pull `t`, counted from 1.
    pub(super) fn rate(self, t: f64) -> f64 {
        match self {
            Self::ImportanceWeighted => 2.0 / t.sqrt(),
            Self::ReducedVariance => 4.0 / t.sqrt(),
        }
    }
}

/// Settings of [`TsallisInf`](super::TsallisInf) and [`TsallisInfBinned`](super::TsallisInfBinned).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TsallisOptions {
    /// Reduced variance by default.
    pub estimator: Estimator,
    /// What every pull costs at least, subtracted from all costs: 1 for counts of iterations, 0 (the default)
    /// for times. Costs below it count as it.
    pub floor: f64,
    /// What costs are divided by, if it is known: a bound on cost − floor. `None`, the default, is the running
    /// mean.
    pub scale: Option<f64>,
    /// Factor in (0, 1] on all that was learned at every pull, 1 by default. Below 1 the past is forgotten: 0.999
    /// helps a little where costs drift one way and harms where they alternate; 0.995 and less harm in both.
    pub discount: f64,
}

impl Default for TsallisOptions {
    fn default() -> Self {
        Self { estimator: Estimator::default(), floor: 0.0, scale: None, discount: 1.0 }
    }
}

impl TsallisOptions {
    /// Refuses settings for which the method is not defined.
    pub(super) fn check(self) -> Result<Self, PolicyError> {
        let wrong = |setting, value, allowed| Err(PolicyError::BadSetting { setting, value, allowed });
        if !(self.floor.is_finite() && self.floor >= 0.0) {
            return wrong("floor", self.floor, "finite and not negative");
        }
        if !(self.discount > 0.0 && self.discount <= 1.0) {
            return wrong("discount", self.discount, "above 0 and at most 1");
        }
        match self.scale {
            Some(scale) if !(scale.is_finite() && scale > 0.0) => wrong("scale", scale, "finite and above 0"),
            _ => Ok(self),
        }
    }
}

/// The sums of one learner: 2K + 3 numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Learner {
    /// Σ of cost/p of each arm, in the unit of the costs.
    sums: Vec<f64>,
    /// Σ of baselines of each arm, in units of the mean cost.
    shifts: Vec<f64>,
    /// Pulls that count for the learning rate.
    pulls: u64,
    /// Pulls that count for the mean, and their total cost above the floor.
    costs: u64,
    total: f64,
}

impl Learner {
    pub(super) fn new(arms: usize) -> Self {
        Self { sums: vec![0.0; arms], shifts: vec![0.0; arms], pulls: 0, costs: 0, total: 0.0 }
    }

    pub(super) fn pulls(&self) -> u64 {
        self.pulls
    }

    /// What costs are divided by.
    fn scale(&self, options: &TsallisOptions) -> f64 {
        let mean = self.total / self.costs.max(1) as f64;
        options.scale.unwrap_or(if mean > 0.0 { mean } else { 1.0 })
    }

    /// The cumulated losses L.
    fn losses(&self, options: &TsallisOptions) -> Vec<f64> {
        let scale = self.scale(options);
        self.sums.iter().zip(&self.shifts).map(|(sum, shift)| sum / scale + shift).collect()
    }

    pub(super) fn probabilities(&self, options: &TsallisOptions) -> Vec<f64> {
        let mut p = Vec::new();
        let eta = options.estimator.rate(self.pulls as f64 + 1.0);
        simplex::probabilities(&self.losses(options), eta, &mut p);
        p
    }

    /// Learns that `arm`, drawn from `p` after `clock` pulls, came to `cost`.
    pub(super) fn learn(&mut self, options: &TsallisOptions, arm: usize, p: &[f64], clock: u64, cost: f64) {
        let loss = (cost - options.floor).max(0.0);
        if options.discount < 1.0 {
            self.sums.iter_mut().chain(&mut self.shifts).for_each(|sum| *sum *= options.discount);
        }
        self.sums[arm] += loss / p[arm];
        if options.estimator == Estimator::ReducedVariance {
            let least = options.estimator.rate(clock as f64 + 1.0).powi(2);
            for (shift, &p) in self.shifts.iter_mut().zip(p) {
                *shift += if p >= least { 0.5 } else { 0.0 };
            }
            self.shifts[arm] -= if p[arm] >= least { 0.5 / p[arm] } else { 0.0 };
        }
        self.pulls += 1;
        self.costs += 1;
        self.total += loss;
    }

    pub(super) fn check(&self, arms: usize) -> Result<(), PolicyError> {
        check_array("cumulated costs", &self.sums, arms)?;
        check_array("shifts", &self.shifts, arms)?;
        check_array("total cost", &[self.total], 1)
    }

    /// The gaps of L scaled down, with as many fewer pulls behind them, in no unit.
    pub(super) fn as_prior(&self, options: &TsallisOptions, prior: Prior) -> Self {
        let losses = self.losses(options);
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let shifts = losses.iter().map(|loss| prior.weight * (loss - least)).collect();
        Self { shifts, pulls: prior.pulls(self.pulls), ..Self::new(losses.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    /// The mean estimate of each arm's loss over many draws from `p`, with the standard error of each.
    fn mean_estimate(estimator: Estimator, p: &[f64], costs: &[f64], clock: u64) -> Vec<(f64, f64)> {
        let options = TsallisOptions { estimator, scale: Some(1.0), ..TsallisOptions::default() };
        let mut rng = StdRng::seed_from_u64(11);
        let draws = 40_000;
        let mut moments = vec![(0.0, 0.0); p.len()];
        for _ in 0..draws {
            let mut learner = Learner::new(p.len());
            let arm = crate::policy::draw(p, &mut rng);
            learner.learn(&options, arm, p, clock, costs[arm]);
            for (m, l) in moments.iter_mut().zip(learner.losses(&options)) {
                *m = (m.0 + l / f64::from(draws), m.1 + l * l / f64::from(draws));
            }
        }
        moments.iter().map(|m| (m.0, ((m.1 - m.0 * m.0) / f64::from(draws)).sqrt())).collect()
    }

    #[test]
    fn estimates_are_unbiased_and_the_second_varies_less() {
        let (p, costs) = ([0.6, 0.3, 0.08, 0.02], [0.4, 0.9, 0.55, 0.7]);
        let plain = mean_estimate(Estimator::ImportanceWeighted, &p, &costs, 400);
        let reduced = mean_estimate(Estimator::ReducedVariance, &p, &costs, 400);
        for estimate in [&plain, &reduced] {
            for ((mean, error), cost) in estimate.iter().zip(costs) {
                assert!((mean - cost).abs() < 4.0 * error, "{mean} ± {error} is not {cost}");
            }
        }
        // η² = 16/401 is below the first three probabilities and above the last.
        assert!((0..3).all(|i| reduced[i].1 < plain[i].1));
        assert!((reduced[3].1 - plain[3].1).abs() < 1e-12);
    }
}
