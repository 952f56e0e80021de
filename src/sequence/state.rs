//! What was learned, on disk: written beside the old file and renamed, so that a reader finds one or the other whole.

use super::{Cost, SequenceError, SequenceSolver};
use residua_data::whole_file;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Raised when the meaning of a field changes.
const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Saved {
    schema: u32,
    /// Names of the arms, in their order.
    configurations: Vec<String>,
    cost: Cost,
    policy: String,
    state: serde_json::Value,
    seed: u64,
    step: u64,
    solved: (u64, f64),
}

impl SequenceSolver {
    /// Writes what was learned to `path`, as a whole or not at all.
    ///
    /// # Errors
    /// [`SequenceError::State`] if the file cannot be written; [`SequenceError::Policy`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), SequenceError> {
        let path = path.as_ref();
        let Some(policy) = self.policy() else {
            return Err(refused(path, "nothing was learned yet: expected a solve before"));
        };
        let saved = Saved {
            schema: SCHEMA,
            configurations: self.configurations().map(ToString::to_string).collect(),
            cost: self.cost,
            policy: policy.name().to_owned(),
            state: policy.save()?,
            seed: self.seed,
            step: self.step,
            solved: self.solved,
        };
        let text = serde_json::to_vec(&saved).map_err(|e| refused(path, &e.to_string()))?;
        whole_file::write_bytes(path, &text).map_err(|e| refused(path, &format!("cannot be written ({e})")))
    }

    /// Takes up what [`save`](Self::save) wrote, for the same configurations, cost and policy: what follows is as if the
    /// saved run had gone on.
    ///
    /// # Errors
    /// [`SequenceError::State`] if the file cannot be read or belongs to something else, [`SequenceError::Policy`]; nothing is
    /// changed then.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<(), SequenceError> {
        let path = path.as_ref();
        let text = std::fs::read(path).map_err(|e| refused(path, &format!("cannot be read ({e})")))?;
        let saved: Saved = serde_json::from_slice(&text)
            .map_err(|e| refused(path, &format!("not a state of this command ({e})")))?;
        if saved.schema != SCHEMA {
            return Err(refused(path, &format!("schema {}: expected {SCHEMA}", saved.schema)));
        }
        let configurations: Vec<String> = self.configurations().map(ToString::to_string).collect();
        if saved.configurations != configurations || saved.cost != self.cost {
            return Err(refused(
                path,
                "learned for other configurations or another cost: expected the same ones",
            ));
        }
        let Some(policy) = &mut self.policy else {
            return Err(refused(path, "there is no policy to take it up: expected one to be set before"));
        };
        if saved.policy != policy.name() {
            let reason = format!("learned by {}: expected {}", saved.policy, policy.name());
            return Err(refused(path, &reason));
        }
        policy.load(&saved.state)?;
        (self.seed, self.step, self.solved) = (saved.seed, saved.step, saved.solved);
        Ok(())
    }
}

fn refused(path: &Path, reason: &str) -> SequenceError {
    SequenceError::State { path: path.to_owned(), reason: reason.to_owned() }
}
