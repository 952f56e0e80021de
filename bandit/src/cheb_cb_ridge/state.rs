//! What ChebCB-R knows: the normal equations of each arm, and a few numbers.

use super::Target;
use crate::PolicyError;
use crate::decision::Book;
use crate::normal::{NormalEquations, dot};
use crate::state::{Prior, check_array, foreign, read};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) book: Book,
    pub(super) arms: Vec<Arm>,
    pub(super) pulls: u64,
    /// R: squared errors of the predictions.
    pub(super) errors: f64,
    /// y_0.
    pub(super) reference: f64,
    /// Whether all y are relative to a unit of cost that the first pull is to tell.
    without_unit: bool,
    pub(super) outside: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Arm {
    /// Those of the target y, in its own unit.
    pub(super) equations: NormalEquations,
    /// The fit of y − y_0.
    pub(super) theta: Vec<f64>,
    /// The fit of y itself, far from pulls at the mean of this arm: what it is expected to cost, without optimism.
    pub(super) expected: Vec<f64>,
    /// Pulls in `equations`, fewer as a prior.
    pub(super) pulls: f64,
    /// Decisions that were not cancelled.
    pub(super) started: u64,
}

impl Arm {
    /// The mean of y over the pulls, 0 without any.
    pub(super) fn mean(&self) -> f64 {
        if self.pulls > 0.0 { self.equations.cross()[0] / self.pulls } else { 0.0 }
    }
}

impl State {
    pub(super) fn new(book: Book, arms: usize, terms: usize) -> Self {
        let equations = NormalEquations::new(terms);
        let arm =
            Arm { equations, theta: vec![0.0; terms], expected: vec![0.0; terms], pulls: 0.0, started: 0 };
        let arms = vec![arm; arms];
        Self { book, arms, pulls: 0, errors: 0.0, reference: 0.0, without_unit: false, outside: 0 }
    }

    /// Learns the unit of a prior that has none from the first pull, of arm `i` at the terms `f`.
    pub(super) fn adopt_unit(&mut self, i: usize, f: &[f64], y: f64) {
        if std::mem::take(&mut self.without_unit) {
            let shift = y - self.reference - dot(f, &self.arms[i].theta);
            for arm in &mut self.arms {
                arm.equations.shift(shift);
                arm.expected[0] += shift;
            }
            self.reference += shift;
        }
    }

    /// Reads a saved state of the same policy.
    pub(super) fn read(&self, state: &Value, terms: usize) -> Result<Self, PolicyError> {
        let saved: Self = read(state)?;
        self.book.check_same(&saved.book)?;
        check_array("errors", &[saved.errors, saved.reference], 2)?;
        if saved.arms.len() != self.arms.len() {
            return Err(PolicyError::BadState("there is not one model for each arm".into()));
        }
        for arm in &saved.arms {
            arm.equations.check(terms)?;
            check_array("coefficients", &arm.theta, terms)?;
            check_array("coefficients", &arm.expected, terms)?;
            check_array("pulls", &[arm.pulls], 1)?;
        }
        Ok(saved)
    }

    /// The same knowledge with less weight, for the policy of `book`; the fits are to be made anew.
    pub(super) fn into_prior(
        mut self,
        book: Book,
        prior: Prior,
        target: Target,
    ) -> Result<Self, PolicyError> {
        if !prior.same_unit && target == Target::Cost {
            return Err(foreign("unit of the costs", "another", "one that only log costs convert from"));
        }
        for arm in &mut self.arms {
            arm.equations.scale(prior.weight);
            arm.pulls *= prior.weight;
            arm.started = u64::from(arm.pulls > 0.0);
        }
        let pulls = prior.pulls(self.pulls).max(u64::from(self.pulls > 0));
        let without_unit = self.pulls > 0 && (self.without_unit || !prior.same_unit);
        Ok(Self { book, pulls, errors: self.errors * prior.weight, without_unit, outside: 0, ..self })
    }
}
