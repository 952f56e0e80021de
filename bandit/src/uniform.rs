//! Every arm alike: what a policy that has learned nothing does.

use crate::decision::{Book, check_cost};
use crate::state::{Prior, read, write};
use crate::{Context, Decision, Policy, PolicyError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Draws each of K arms with probability 1/K, whatever the costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UniformRandom {
    book: Book,
}

impl UniformRandom {
    /// The policy on `arms` arms.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`].
    pub fn new(arms: usize) -> Result<Self, PolicyError> {
        Ok(Self { book: Book::new("uniform", arms, &())? })
    }
}

impl Policy for UniformRandom {
    fn name(&self) -> &'static str {
        "uniform"
    }

    fn arms(&self) -> usize {
        self.book.arms()
    }

    fn probabilities(&self, _context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        Ok(vec![1.0 / self.arms() as f64; self.arms()])
    }

    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        self.book.issue(context, arm, p)
    }

    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        self.book.settle(&decision)?;
        check_cost(decision.arm(), cost)
    }

    fn cancel(&mut self, decision: Decision) -> Result<(), PolicyError> {
        self.book.settle(&decision)
    }

    fn save(&self) -> Result<Value, PolicyError> {
        write(self)
    }

    fn load(&mut self, state: &Value) -> Result<(), PolicyError> {
        let saved: Self = read(state)?;
        self.book.check_same(&saved.book)?;
        self.book = saved.book;
        Ok(())
    }

    fn import(&mut self, state: &Value, prior: Prior) -> Result<(), PolicyError> {
        prior.check()?;
        self.book.check_same(&read::<Self>(state)?.book)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn arms_are_drawn_alike() {
        let (arms, rounds) = (5, 20_000);
        let mut rng = StdRng::seed_from_u64(7);
        let mut policy = UniformRandom::new(arms).unwrap();
        let mut pulls = vec![0.0; arms];
        for _ in 0..rounds {
            let decision = policy.select(Context::NONE, &mut rng).unwrap();
            assert_eq!(decision.probability(), 1.0 / arms as f64);
            pulls[decision.arm()] += 1.0;
            policy.update(decision, 0.0).unwrap();
        }
        // Pearson's statistic with 4 degrees of freedom exceeds 23.5 once in ten thousand seeds.
        let expected = f64::from(rounds) / arms as f64;
        let statistic: f64 = pulls.iter().map(|p| (p - expected).powi(2) / expected).sum();
        assert!(statistic < 23.5, "{pulls:?}");
    }

    #[test]
    fn importance_weights_estimate_every_arm_without_bias() {
        let costs = [3.0, 1.0, 8.0];
        let rounds = 30_000;
        let mut rng = StdRng::seed_from_u64(2);
        let mut policy = UniformRandom::new(costs.len()).unwrap();
        let mut estimate = [0.0; 3];
        for _ in 0..rounds {
            let decision = policy.select(Context::NONE, &mut rng).unwrap();
            estimate[decision.arm()] += costs[decision.arm()] / decision.probability() / f64::from(rounds);
            policy.update(decision, 0.0).unwrap();
        }
        // Each estimate has the standard deviation cost · sqrt(2 / rounds): six of them.
        let off = |k: usize| (estimate[k] - costs[k]).abs() / costs[k];
        assert!((0..3).all(|k| off(k) < 0.05), "{estimate:?}");
    }

    #[test]
    fn decisions_may_overlap_and_a_seed_repeats_them() {
        let run = || {
            let mut rng = StdRng::seed_from_u64(3);
            let mut policy: Box<dyn Policy> = Box::new(UniformRandom::new(4).unwrap());
            let first = policy.select(Context::of(&[0.5]), &mut rng).unwrap();
            let second = policy.select(Context::of(&[0.7]), &mut rng).unwrap();
            let seen = (first.arm(), first.round(), second.arm(), second.round());
            policy.update(second, 2.0).unwrap();
            assert!(matches!(policy.update(first, f64::NAN), Err(PolicyError::BadCost { .. })));
            seen
        };
        let seen = run();
        assert_eq!((seen.1, seen.3), (0, 1));
        assert_eq!(run(), seen);
        assert_eq!(UniformRandom::new(0), Err(PolicyError::NoArms));
    }
}
