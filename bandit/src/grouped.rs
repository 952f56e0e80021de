//! Two levels: a policy that draws a group of arms, and one in each group that draws an arm of it.
//!
//!   p(arm) = p_outer(g) · p_g(arm),   g the group of the arm.
//!
//! K arms in G groups of about K/G are explored like G + K/G arms: a group whose arms are all dear is left after a few
//! pulls, before each of its arms was tried. The price: the outer policy judges a group by what was paid in it, the bad
//! arms that its inner policy tried included, so a group should hold arms that are alike (one method and preconditioner
//! with several parameters).

use crate::decision::{Book, check_cost};
use crate::state::{Prior, read, write};
use crate::{Context, Decision, Policy, PolicyError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An outer policy of groups, and an inner policy for the arms of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Grouped<P, Q> {
    outer: P,
    inner: Vec<Q>,
    /// The group of each arm, and its place there.
    places: Vec<(usize, usize)>,
    book: Book,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    book: Book,
    outer: Value,
    inner: Vec<Value>,
}

impl<P: Policy, Q: Policy> Grouped<P, Q> {
    /// `groups[i]` is the group of arm i, counted from 0; `outer` chooses between groups, `inner[g]` between the arms of
    /// group g, in ascending order.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`]; [`PolicyError::ArmOutOfRange`] if a group has no policy, or if a policy has another number
    /// of arms than what it is to choose from.
    pub fn new(groups: &[usize], outer: P, inner: Vec<Q>) -> Result<Self, PolicyError> {
        let mut sizes = vec![0; inner.len()];
        let mut places = Vec::with_capacity(groups.len());
        for &group in groups {
            let Some(size) = sizes.get_mut(group) else {
                return Err(PolicyError::ArmOutOfRange { arm: group, arms: inner.len() });
            };
            places.push((group, *size));
            *size += 1;
        }
        let mismatch =
            |found: usize, expected: usize| PolicyError::ArmOutOfRange { arm: found, arms: expected };
        if outer.arms() != inner.len() {
            return Err(mismatch(outer.arms(), inner.len()));
        }
        if let Some((policy, &size)) = inner.iter().zip(&sizes).find(|(policy, size)| policy.arms() != **size)
        {
            return Err(mismatch(policy.arms(), size));
        }
        let names: Vec<&str> = inner.iter().map(Policy::name).collect();
        let book = Book::new("grouped", groups.len(), &(groups, outer.name(), names))?;
        Ok(Self { outer, inner, places, book })
    }

    /// The policy that chooses between groups.
    pub fn outer(&self) -> &P {
        &self.outer
    }

    /// The decisions of both levels inside `decision`, and the group.
    fn open(&mut self, mut decision: Decision) -> Result<(usize, Decision, Decision), PolicyError> {
        self.book.settle(&decision)?;
        let round = decision.round();
        let group = self.places[decision.arm()].0;
        match (decision.outer.take(), decision.inner.take()) {
            (Some(outer), Some(inner)) => Ok((group, *outer, *inner)),
            _ => Err(PolicyError::ForeignDecision { round, reason: "it has none of the levels" }),
        }
    }

    /// Reads a state: `outer` and `inner` bring that of a level into its policy.
    fn saved(
        &self,
        state: &Value,
        outer: impl Fn(&mut P, &Value) -> Result<(), PolicyError>,
        inner: impl Fn(&mut Q, &Value) -> Result<(), PolicyError>,
    ) -> Result<Self, PolicyError>
    where
        Self: Clone,
    {
        let saved: Saved = read(state)?;
        self.book.check_same(&saved.book)?;
        if saved.inner.len() != self.inner.len() {
            return Err(PolicyError::BadState("another number of groups".into()));
        }
        let mut next = self.clone();
        next.book = saved.book;
        outer(&mut next.outer, &saved.outer)?;
        next.inner.iter_mut().zip(&saved.inner).try_for_each(|(policy, state)| inner(policy, state))?;
        Ok(next)
    }
}

impl<P: Policy + Clone, Q: Policy + Clone> Policy for Grouped<P, Q> {
    fn name(&self) -> &'static str {
        "grouped"
    }

    fn arms(&self) -> usize {
        self.places.len()
    }

    fn probabilities(&self, context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        let outer = self.outer.probabilities(context)?;
        let inner: Vec<Vec<f64>> =
            self.inner.iter().map(|policy| policy.probabilities(context)).collect::<Result<_, _>>()?;
        Ok(self.places.iter().map(|&(group, place)| outer[group] * inner[group][place]).collect())
    }

    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        let Some(&(group, place)) = self.places.get(arm) else {
            return Err(PolicyError::ArmOutOfRange { arm, arms: self.arms() });
        };
        let mut decision = self.book.issue(context, arm, p)?;
        // What was drawn from may not be what was proposed: a guard takes probability from some arms.
        let mut of_groups = vec![0.0; self.inner.len()];
        let mut within = vec![0.0; self.inner[group].arms()];
        for (&(g, i), &p) in self.places.iter().zip(decision.probabilities()) {
            of_groups[g] += p;
            if g == group {
                within[i] = p;
            }
        }
        within.iter_mut().for_each(|p| *p /= of_groups[group]);
        let made = self.outer.decide(context, group, of_groups).and_then(|outer| {
            match self.inner[group].decide(context, place, within) {
                Ok(inner) => Ok((outer, inner)),
                Err(error) => self.outer.cancel(outer).and(Err(error)),
            }
        });
        match made {
            Ok((outer, inner)) => {
                (decision.outer, decision.inner) = (Some(Box::new(outer)), Some(Box::new(inner)));
                Ok(decision)
            }
            Err(error) => self.book.settle(&decision).and(Err(error)),
        }
    }

    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        self.update_paid(decision, cost, cost)
    }

    fn update_paid(&mut self, decision: Decision, cost: f64, paid: f64) -> Result<(), PolicyError> {
        let arm = decision.arm();
        let (group, outer, inner) = self.open(decision)?;
        if let Err(error) = check_cost(arm, cost).and_then(|()| check_cost(arm, paid)) {
            self.outer.cancel(outer)?;
            return self.inner[group].cancel(inner).and(Err(error));
        }
        self.outer.update_paid(outer, cost, paid)?;
        self.inner[group].update_paid(inner, cost, paid)
    }

    fn cancel(&mut self, decision: Decision) -> Result<(), PolicyError> {
        let (group, outer, inner) = self.open(decision)?;
        self.outer.cancel(outer)?;
        self.inner[group].cancel(inner)
    }

    fn predict(&self, context: Context<'_>, arm: usize) -> Option<f64> {
        let &(group, place) = self.places.get(arm)?;
        self.inner[group].predict(context, place)
    }

    fn save(&self) -> Result<Value, PolicyError> {
        let inner = self.inner.iter().map(Policy::save).collect::<Result<_, _>>()?;
        write(&Saved { book: self.book.clone(), outer: self.outer.save()?, inner })
    }

    fn load(&mut self, state: &Value) -> Result<(), PolicyError> {
        *self = self.saved(state, P::load, Q::load)?;
        Ok(())
    }

    fn import(&mut self, state: &Value, prior: Prior) -> Result<(), PolicyError> {
        let fresh = self.book.clone();
        let import = |policy: &mut P, state: &Value| policy.import(state, prior);
        let next = self.saved(state, import, |policy, state| policy.import(state, prior))?;
        *self = Self { book: fresh, ..next };
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{ChebCbRidge, Guarded, UniformRandom};
    use rand::{SeedableRng, rngs::StdRng};

    /// Five groups of eight arms; the costs of group 2 are those of its arms, 1 to 8, the others cost 20 and more.
    fn cost(arm: usize) -> f64 {
        if arm / 8 == 2 { 1.0 + (arm % 8) as f64 } else { 20.0 + arm as f64 }
    }

    fn ridge(arms: usize) -> ChebCbRidge {
        ChebCbRidge::new(arms, Vec::new()).unwrap()
    }

    fn grouped() -> Grouped<ChebCbRidge, ChebCbRidge> {
        let groups: Vec<usize> = (0..40).map(|arm| arm / 8).collect();
        Grouped::new(&groups, ridge(5), (0..5).map(|_| ridge(8)).collect()).unwrap()
    }

    fn total(mut policy: impl Policy, rounds: usize) -> f64 {
        let mut rng = StdRng::seed_from_u64(3);
        let mut sum = 0.0;
        for _ in 0..rounds {
            let decision = policy.select(Context::NONE, &mut rng).unwrap();
            let paid = cost(decision.arm());
            sum += paid;
            policy.update(decision, paid).unwrap();
        }
        sum
    }

    #[test]
    fn alike_arms_are_explored_sooner_than_one_by_one() {
        let (two, one) = (total(grouped(), 100), total(ridge(40), 100));
        assert!(two < 0.5 * one, "{two} against {one}");
    }

    #[test]
    fn probabilities_are_products_and_a_guard_may_take_some_away() {
        let groups = [0, 1, 1];
        let inner = vec![UniformRandom::new(1).unwrap(), UniformRandom::new(2).unwrap()];
        let made = Grouped::new(&groups, UniformRandom::new(2).unwrap(), inner).unwrap();
        assert_eq!(made.probabilities(Context::NONE).unwrap(), [0.5, 0.25, 0.25]);
        let guarded = Guarded::new(grouped(), 16).unwrap();
        assert!(total(guarded, 200) < total(UniformRandom::new(40).unwrap(), 200));
    }

    #[test]
    fn what_was_learned_survives_saving_and_cancelling_leaves_no_trace() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut policy = grouped();
        for _ in 0..60 {
            let decision = policy.select(Context::NONE, &mut rng).unwrap();
            let paid = cost(decision.arm());
            policy.update(decision, paid).unwrap();
        }
        let before = policy.probabilities(Context::NONE).unwrap();
        let decision = policy.select(Context::NONE, &mut rng).unwrap();
        policy.cancel(decision).unwrap();
        assert_eq!(policy.probabilities(Context::NONE).unwrap(), before);
        let mut again = grouped();
        again.load(&policy.save().unwrap()).unwrap();
        assert_eq!(again, policy);
        assert!(again.predict(Context::NONE, 16).is_some() && again.predict(Context::NONE, 40).is_none());
    }

    #[test]
    fn groups_and_policies_must_fit() {
        let uniform = |arms| UniformRandom::new(arms).unwrap();
        assert!(Grouped::new(&[0, 2], uniform(2), vec![uniform(1), uniform(1)]).is_err());
        assert!(Grouped::new(&[0, 1], uniform(3), vec![uniform(1), uniform(1)]).is_err());
        assert!(Grouped::new(&[0, 1, 1], uniform(2), vec![uniform(1), uniform(1)]).is_err());
        let mut policy = Grouped::new(&[0, 1], uniform(2), vec![uniform(1), uniform(1)]).unwrap();
        let decision = policy.select(Context::NONE, &mut StdRng::seed_from_u64(0)).unwrap();
        assert!(matches!(policy.update(decision, f64::NAN), Err(PolicyError::BadCost { .. })));
    }
}
