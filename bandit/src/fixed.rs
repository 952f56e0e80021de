//! Always the same arm: what a user does who has found a good value by hand.

use crate::{Decision, Policy, PolicyError};
use rand::Rng;

/// Pulls one arm for ever. The best of these in hindsight is what regret is measured against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    arm: usize,
    arms: usize,
    round: u64,
}

impl Fixed {
    /// The policy that pulls `arm`, counted from 0, of `arms`.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`] or [`PolicyError::ArmOutOfRange`].
    pub fn new(arm: usize, arms: usize) -> Result<Self, PolicyError> {
        match (arm, arms) {
            (_, 0) => Err(PolicyError::NoArms),
            _ if arm >= arms => Err(PolicyError::ArmOutOfRange { arm, arms }),
            _ => Ok(Self { arm, arms, round: 0 }),
        }
    }
}

impl Policy for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }

    fn arms(&self) -> usize {
        self.arms
    }

    fn select(&mut self, _context: &[f64], _rng: &mut dyn Rng) -> Decision {
        let decision = Decision::new(self.arm, 1.0, self.round);
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
    fn it_pulls_its_arm_with_certainty_and_counts_rounds() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut policy = Fixed::new(2, 4).unwrap();
        for round in 0..5 {
            let decision = policy.select(&[1.0], &mut rng);
            assert_eq!((decision.arm(), decision.probability(), decision.round()), (2, 1.0, round));
            policy.update(decision, 1e9);
        }
        assert_eq!((policy.name(), policy.arms()), ("fixed", 4));
    }

    #[test]
    fn arms_that_do_not_exist_are_refused() {
        assert_eq!(Fixed::new(0, 0), Err(PolicyError::NoArms));
        assert_eq!(Fixed::new(4, 4), Err(PolicyError::ArmOutOfRange { arm: 4, arms: 4 }));
        assert!(Fixed::new(3, 4).is_ok());
    }
}
