//! How the state of one policy is written and read.

use crate::PolicyError;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// How much of a saved state to believe when it was gained elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// Weight of one old pull against one new one, in (0, 1]; 0.1 to 0.2 is advised.
    pub weight: f64,
    /// Whether costs are measured in the same unit on a machine of the same speed. If not, only the ratios of
    /// costs are taken over.
    pub same_unit: bool,
}

impl Prior {
    /// Refuses a weight outside (0, 1].
    pub(crate) fn check(self) -> Result<Self, PolicyError> {
        match self.weight > 0.0 && self.weight <= 1.0 {
            true => Ok(self),
            false => Err(PolicyError::BadSetting {
                setting: "weight of the prior",
                value: self.weight,
                allowed: "above 0 and at most 1",
            }),
        }
    }

    /// The whole number of pulls that `pulls` old ones are worth.
    pub(crate) fn pulls(self, pulls: u64) -> u64 {
        (pulls as f64 * self.weight) as u64
    }
}

/// What `save` returns.
pub(crate) fn write<S: Serialize>(state: &S) -> Result<Value, PolicyError> {
    serde_json::to_value(state).map_err(|e| PolicyError::BadState(e.to_string()))
}

/// Reads what [`write()`] wrote.
pub(crate) fn read<S: DeserializeOwned>(state: &Value) -> Result<S, PolicyError> {
    S::deserialize(state).map_err(|e| PolicyError::BadState(e.to_string()))
}

/// The error that `what` differs.
pub(crate) fn foreign(what: &'static str, saved: impl ToString, here: impl ToString) -> PolicyError {
    PolicyError::ForeignState { what, saved: saved.to_string(), here: here.to_string() }
}

/// Refuses a saved array that has not `expected` finite entries.
pub(crate) fn check_array(what: &str, array: &[f64], expected: usize) -> Result<(), PolicyError> {
    if array.len() != expected {
        return Err(PolicyError::BadState(format!("{what} has {} entries, not {expected}", array.len())));
    }
    match array.iter().all(|x| x.is_finite()) {
        true => Ok(()),
        false => Err(PolicyError::BadState(format!("{what} has an entry that is not finite"))),
    }
}
