//! What was possible, known only afterwards: the yardsticks of regret.
//!
//! With the cost ℓ_t(i) of every arm i in every round t, the best fixed arm costs min_i Σ_t ℓ_t(i) and the best
//! arm of each round Σ_t min_i ℓ_t(i); regret is what a policy paid above one of them (Khodak, Chow, Balcan and
//! Talwalkar (2024), ICLR, section 2). A policy sees one entry a round, so these are for tests and replays.

use crate::decision::{Book, check_cost};
use crate::policy::certain;
use crate::state::{Prior, foreign, read, write};
use crate::{Context, Decision, Policy, PolicyError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The costs of all arms in all rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CostTable {
    arms: usize,
    costs: Vec<f64>,
}

impl CostTable {
    /// The table whose row t holds the costs of all `arms` arms in round t, rows one after the other.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`]; [`PolicyError::BadSetting`] if the last row is not full;
    /// [`PolicyError::BadCost`].
    pub fn new(arms: usize, costs: Vec<f64>) -> Result<Self, PolicyError> {
        if arms == 0 {
            return Err(PolicyError::NoArms);
        }
        if !costs.len().is_multiple_of(arms) {
            let value = costs.len() as f64;
            return Err(PolicyError::BadSetting {
                setting: "costs",
                value,
                allowed: "whole rows of one an arm",
            });
        }
        costs.iter().enumerate().try_for_each(|(k, &cost)| check_cost(k % arms, cost))?;
        Ok(Self { arms, costs })
    }

    /// Number of rounds.
    pub fn rounds(&self) -> usize {
        self.costs.len() / self.arms
    }

    /// Number of arms.
    pub fn arms(&self) -> usize {
        self.arms
    }

    /// The cost of `arm` in `round`, both counted from 0; `None` outside the table.
    pub fn cost(&self, round: usize, arm: usize) -> Option<f64> {
        if arm < self.arms { self.costs.get(round * self.arms + arm).copied() } else { None }
    }

    /// What `arm` costs over all rounds; infinite for an arm that does not exist.
    pub fn total(&self, arm: usize) -> f64 {
        if arm < self.arms { self.costs.iter().skip(arm).step_by(self.arms).sum() } else { f64::INFINITY }
    }

    /// The best fixed arm in hindsight, the first of equals, with its total cost.
    pub fn best_fixed(&self) -> (usize, f64) {
        (0..self.arms)
            .map(|i| (i, self.total(i)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or((0, f64::INFINITY))
    }

    /// The best arm of `round`, the first of equals; 0 outside the table.
    pub fn best_arm(&self, round: usize) -> usize {
        let cost = |i: &usize| self.cost(round, *i).unwrap_or(f64::INFINITY);
        (0..self.arms).min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(0)
    }

    /// The total cost of the best arm of every round.
    pub fn per_round_best(&self) -> f64 {
        (0..self.rounds()).filter_map(|t| self.cost(t, self.best_arm(t))).sum()
    }
}

/// Plays the best arm of every row of a table in turn, by the number of its decisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableOracle {
    table: CostTable,
    book: Book,
    round: usize,
}

impl TableOracle {
    /// The oracle that knows `table`.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`].
    pub fn new(table: CostTable) -> Result<Self, PolicyError> {
        let book = Book::new("oracle", table.arms(), &table.rounds())?;
        Ok(Self { table, book, round: 0 })
    }
}

impl Policy for TableOracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn arms(&self) -> usize {
        self.book.arms()
    }

    fn probabilities(&self, _context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        Ok(certain(self.table.best_arm(self.round), self.arms()))
    }

    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        let decision = self.book.issue(context, arm, p)?;
        self.round += 1;
        Ok(decision)
    }

    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        self.book.settle(&decision)?;
        check_cost(decision.arm(), cost)
    }

    fn cancel(&mut self, decision: Decision) -> Result<(), PolicyError> {
        self.book.settle(&decision)
    }

    fn predict(&self, _context: Context<'_>, arm: usize) -> Option<f64> {
        self.table.cost(self.round, arm)
    }

    fn save(&self) -> Result<Value, PolicyError> {
        write(self)
    }

    fn load(&mut self, state: &Value) -> Result<(), PolicyError> {
        let saved: Self = read(state)?;
        self.book.check_same(&saved.book)?;
        if saved.table != self.table {
            return Err(foreign("cost table", "other costs", "these costs"));
        }
        *self = saved;
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
    fn totals_of_a_small_table() {
        let table = CostTable::new(2, vec![1.0, 3.0, 5.0, 2.0, 4.0, 2.0]).unwrap();
        assert_eq!((table.rounds(), table.total(0), table.best_fixed()), (3, 10.0, (1, 7.0)));
        assert_eq!((table.per_round_best(), table.cost(3, 0), table.cost(0, 2)), (5.0, None, None));
        let mut oracle = TableOracle::new(table).unwrap();
        let mut rng = StdRng::seed_from_u64(0);
        let arms: Vec<usize> =
            (0..3).map(|_| oracle.select(Context::NONE, &mut rng).unwrap().arm()).collect();
        assert_eq!(arms, [0, 1, 1]);
    }

    #[test]
    fn tables_that_are_none_are_refused() {
        assert_eq!(CostTable::new(0, vec![]), Err(PolicyError::NoArms));
        assert!(CostTable::new(2, vec![1.0]).is_err());
        assert!(matches!(CostTable::new(2, vec![1.0, f64::NAN]), Err(PolicyError::BadCost { arm: 1, .. })));
    }
}
