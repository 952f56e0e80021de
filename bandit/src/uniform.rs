//! Every arm alike: what a policy that has learned nothing does.

use crate::{Decision, Policy, PolicyError};
use rand::{Rng, RngExt};

/// Draws each of K arms with probability 1/K, whatever the costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniformRandom {
    arms: usize,
    round: u64,
}

impl UniformRandom {
    /// The policy on `arms` arms.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`].
    pub fn new(arms: usize) -> Result<Self, PolicyError> {
        if arms == 0 { Err(PolicyError::NoArms) } else { Ok(Self { arms, round: 0 }) }
    }
}

impl Policy for UniformRandom {
    fn name(&self) -> &'static str {
        "uniform"
    }

    fn arms(&self) -> usize {
        self.arms
    }

    fn select(&mut self, _context: &[f64], rng: &mut dyn Rng) -> Decision {
        let arm = rng.random_range(0..self.arms);
        let decision = Decision::new(arm, 1.0 / self.arms as f64, self.round);
        self.round += 1;
        decision
    }

    fn update(&mut self, _decision: Decision, _cost: f64) {}
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
            let decision = policy.select(&[], &mut rng);
            assert_eq!(decision.probability(), 1.0 / arms as f64);
            pulls[decision.arm()] += 1.0;
            policy.update(decision, 0.0);
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
            let decision = policy.select(&[], &mut rng);
            estimate[decision.arm()] += costs[decision.arm()] / decision.probability() / f64::from(rounds);
            policy.update(decision, 0.0);
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
            let (first, second) = (policy.select(&[0.5], &mut rng), policy.select(&[0.7], &mut rng));
            let seen = (first.arm(), first.round(), second.arm(), second.round());
            policy.update(second, 2.0);
            policy.update(first, f64::NAN);
            seen
        };
        let seen = run();
        assert_eq!((seen.1, seen.3), (0, 1));
        assert_eq!(run(), seen);
        assert_eq!(UniformRandom::new(0), Err(PolicyError::NoArms));
    }
}
