//! Always the same arm: what a user does who has found a good value by hand.

use crate::decision::{Book, check_cost};
use crate::policy::certain;
use crate::state::{Prior, read, write};
use crate::{Context, Decision, Policy, PolicyError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Pulls one arm for ever. The best of these in hindsight is what regret is measured against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fixed {
    arm: usize,
    book: Book,
}

impl Fixed {
    /// The policy that pulls `arm`, counted from 0, of `arms`.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`] or [`PolicyError::ArmOutOfRange`].
    pub fn new(arm: usize, arms: usize) -> Result<Self, PolicyError> {
        let book = Book::new("fixed", arms, &arm)?;
        if arm < arms { Ok(Self { arm, book }) } else { Err(PolicyError::ArmOutOfRange { arm, arms }) }
    }
}

impl Policy for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }

    fn arms(&self) -> usize {
        self.book.arms()
    }

    fn probabilities(&self, _context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        Ok(certain(self.arm, self.arms()))
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
    fn it_pulls_its_arm_with_certainty_and_counts_rounds() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut policy = Fixed::new(2, 4).unwrap();
        for round in 0..5 {
            let decision = policy.select(Context::of(&[1.0]), &mut rng).unwrap();
            assert_eq!((decision.arm(), decision.probability(), decision.round()), (2, 1.0, round));
            policy.update(decision, 1e9).unwrap();
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
