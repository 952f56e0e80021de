//! Explore, then commit: every arm equally often, then the best of them for ever.
//!
//! With n pulls an arm, K arms and costs of variance σ², the mean of an arm has the standard deviation σ/√n, so
//! a gap Δ is mistaken with probability at most exp(−n Δ²/(4σ²)): Lattimore and Szepesvári (2020), *Bandit
//! Algorithms*, chapter 6. It is what a user does who tries everything once; drift after the trial goes
//! unnoticed.

use crate::decision::{Book, check_cost};
use crate::policy::certain;
use crate::state::{Prior, check_array, read, write};
use crate::{Context, Decision, Policy, PolicyError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Pulls each arm `pulls` times in turn, then always the one of the lowest mean cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundRobinThenCommit {
    pulls: u64,
    book: Book,
    /// Decisions on each arm that were not cancelled.
    started: Vec<u64>,
    settled: Vec<u64>,
    total: Vec<f64>,
}

impl RoundRobinThenCommit {
    /// The policy on `arms` arms that tries each `pulls` times, at least once.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`], [`PolicyError::BadSetting`] for 0 pulls.
    pub fn new(arms: usize, pulls: u64) -> Result<Self, PolicyError> {
        if pulls == 0 {
            return Err(PolicyError::BadSetting { setting: "pulls", value: 0.0, allowed: "at least 1" });
        }
        let book = Book::new("round-robin", arms, &pulls)?;
        let (started, settled, total) = (vec![0; arms], vec![0; arms], vec![0.0; arms]);
        Ok(Self { pulls, book, started, settled, total })
    }

    /// The arm whose turn it is, or the one committed to.
    fn next(&self) -> usize {
        let turn = (0..self.arms()).min_by_key(|&i| self.started[i]).unwrap_or(0);
        if self.started[turn] < self.pulls {
            return turn;
        }
        let mean = |&i: &usize| self.total[i] / self.settled[i] as f64;
        (0..self.arms())
            .filter(|&i| self.settled[i] > 0)
            .min_by(|a, b| mean(a).total_cmp(&mean(b)))
            .unwrap_or(turn)
    }
}

impl Policy for RoundRobinThenCommit {
    fn name(&self) -> &'static str {
        "round-robin"
    }

    fn arms(&self) -> usize {
        self.book.arms()
    }

    fn probabilities(&self, _context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        Ok(certain(self.next(), self.arms()))
    }

    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        let decision = self.book.issue(context, arm, p)?;
        self.started[arm] += 1;
        Ok(decision)
    }

    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        let arm = decision.arm();
        if let Err(error) = check_cost(arm, cost) {
            return self.cancel(decision).and(Err(error));
        }
        self.book.settle(&decision)?;
        // Costs after the trial are not looked at: a committed arm stays.
        if self.settled[arm] < self.pulls {
            self.settled[arm] += 1;
            self.total[arm] += cost;
        }
        Ok(())
    }

    fn cancel(&mut self, decision: Decision) -> Result<(), PolicyError> {
        self.book.settle(&decision)?;
        self.started[decision.arm()] = self.started[decision.arm()].saturating_sub(1);
        Ok(())
    }

    fn predict(&self, _context: Context<'_>, arm: usize) -> Option<f64> {
        match self.settled.get(arm) {
            None | Some(0) => None,
            Some(&n) => Some(self.total[arm] / n as f64),
        }
    }

    fn save(&self) -> Result<Value, PolicyError> {
        write(self)
    }

    fn load(&mut self, state: &Value) -> Result<(), PolicyError> {
        let saved: Self = read(state)?;
        self.book.check_same(&saved.book)?;
        check_array("total cost", &saved.total, self.arms())?;
        if saved.started.len() != self.arms() || saved.settled.len() != self.arms() {
            return Err(PolicyError::BadState("pulls are not counted for each arm".into()));
        }
        *self = saved;
        Ok(())
    }

    /// A trial made elsewhere is not worth a commitment: nothing is taken over.
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
    fn it_tries_each_arm_then_keeps_the_best() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut policy = RoundRobinThenCommit::new(3, 2).unwrap();
        let cost = [5.0, 2.0, 3.0];
        let mut arms = Vec::new();
        for _ in 0..9 {
            let decision = policy.select(Context::NONE, &mut rng).unwrap();
            arms.push(decision.arm());
            let cost = cost[decision.arm()];
            policy.update(decision, cost).unwrap();
        }
        assert_eq!(arms, [0, 1, 2, 0, 1, 2, 1, 1, 1]);
    }

    #[test]
    fn a_cancelled_turn_comes_again_and_open_turns_do_not() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut policy = RoundRobinThenCommit::new(2, 1).unwrap();
        let first = policy.select(Context::NONE, &mut rng).unwrap();
        let second = policy.select(Context::NONE, &mut rng).unwrap();
        assert_eq!((first.arm(), second.arm()), (0, 1));
        policy.cancel(first).unwrap();
        let again = policy.select(Context::NONE, &mut rng).unwrap();
        assert_eq!(again.arm(), 0);
        policy.update(second, 1.0).unwrap();
        assert!(policy.update(again, -1.0).is_err(), "a negative cost");
        assert_eq!(policy.predict(Context::NONE, 0), None);
        assert_eq!(
            RoundRobinThenCommit::new(2, 0).unwrap_err().to_string(),
            "pulls is 0, but must be at least 1"
        );
    }
}
