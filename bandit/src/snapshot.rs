//! Saving a policy with its generator, and taking it up again: exactly, or as a prior.
//!
//! What was learned holds for these arms in this order, this context and this unit of cost. Where all are the same,
//! the resumed run makes the same draws to the last bit. Where they are not, [`Snapshot::restore`] refuses, and
//! [`Snapshot::import`] takes the knowledge over with a small weight.

use crate::hash::fnv1a;
use crate::state::{Prior, foreign};
use crate::{Policy, PolicyError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version of the saved form; another is refused.
const SCHEMA: u64 = 1;

/// The generator whose state a [`Snapshot`] keeps: xoshiro256++ (Blackman and Vigna (2021), ACM Trans. Math.
/// Softw. 47(4)).
pub type ResumableRng = rand::rngs::Xoshiro256PlusPlus;

/// What a state applies to, beyond the setup of its policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// FNV-1a hash of the list of arms, in hexadecimal.
    arms: String,
    /// The unit of the costs, as "iterations" or "seconds".
    cost_unit: String,
    /// The machine on which costs were measured; empty where costs do not depend on it.
    machine: String,
}

impl Signature {
    /// The signature of these arms, in this order, under names that fix what they are; of this unit of cost, on this
    /// machine (empty if costs do not depend on it).
    pub fn new<S: AsRef<str>>(arms: &[S], cost_unit: &str, machine: &str) -> Self {
        // Lengths keep ["ab", "c"] apart from ["a", "bc"].
        let list: String =
            arms.iter().map(|arm| format!("{}:{} ", arm.as_ref().len(), arm.as_ref())).collect();
        let arms = format!("{:016x}", fnv1a(list.as_bytes()));
        Self { arms, cost_unit: cost_unit.into(), machine: machine.into() }
    }

    /// Whether costs compare.
    fn same_unit(&self, other: &Self) -> bool {
        self.cost_unit == other.cost_unit && self.machine == other.machine
    }
}

/// A policy and its generator at one moment, as JSON.
///
/// ```
/// use rand::SeedableRng;
/// use residua_bandit::{Context, Policy, ResumableRng, Signature, Snapshot, TsallisInf};
///
/// let signature = Signature::new(&["omega=1", "omega=1.5"], "iterations", "");
/// let (mut policy, mut rng) = (TsallisInf::new(2)?, ResumableRng::seed_from_u64(0));
/// let decision = policy.select(Context::NONE, &mut rng)?;
/// policy.update(decision, 12.0)?;
/// let json = Snapshot::take(&policy, &rng, &signature)?.to_json()?;
///
/// let mut resumed = TsallisInf::new(2)?;
/// let rng = Snapshot::from_json(&json)?.restore(&mut resumed, &signature)?;
/// assert_eq!(resumed, policy);
///
/// let others = Signature::new(&["omega=1", "omega=1.6"], "iterations", "");
/// assert!(Snapshot::from_json(&json)?.restore(&mut resumed, &others).is_err());
/// # let _ = rng;
/// # Ok::<(), residua_bandit::PolicyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    schema: u64,
    policy: String,
    signature: Signature,
    rng: ResumableRng,
    state: Value,
}

impl Snapshot {
    /// The state of `policy` and `rng`, and what they are used for.
    ///
    /// # Errors
    /// [`PolicyError::BadState`].
    pub fn take(policy: &dyn Policy, rng: &ResumableRng, signature: &Signature) -> Result<Self, PolicyError> {
        Ok(Self {
            schema: SCHEMA,
            policy: policy.name().into(),
            signature: signature.clone(),
            rng: rng.clone(),
            state: policy.save()?,
        })
    }

    /// As text. Numbers come back to the last bit.
    ///
    /// # Errors
    /// [`PolicyError::BadState`].
    pub fn to_json(&self) -> Result<String, PolicyError> {
        serde_json::to_string(self).map_err(|e| PolicyError::BadState(e.to_string()))
    }

    /// What [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`PolicyError::BadState`] for other text; [`PolicyError::ForeignState`] for another version of the form.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let bad = |e: serde_json::Error| PolicyError::BadState(e.to_string());
        let value: Value = serde_json::from_str(text).map_err(bad)?;
        match value.get("schema").and_then(Value::as_u64) {
            Some(SCHEMA) => serde_json::from_value(value).map_err(bad),
            Some(other) => Err(foreign("version of the form", other, SCHEMA)),
            None => Err(PolicyError::BadState("it is not the state of a policy".into())),
        }
    }

    /// Takes the state up exactly and returns the generator. `policy` must have the setup of the saved one, and
    /// `here` be its signature.
    ///
    /// # Errors
    /// [`PolicyError::ForeignState`] says what differs; [`PolicyError::BadState`]. `policy` is then unchanged.
    pub fn restore(&self, policy: &mut dyn Policy, here: &Signature) -> Result<ResumableRng, PolicyError> {
        self.check_policy(policy)?;
        let saved = &self.signature;
        for (what, saved, here) in [
            ("list of arms", &saved.arms, &here.arms),
            ("unit of cost", &saved.cost_unit, &here.cost_unit),
            ("machine", &saved.machine, &here.machine),
        ] {
            if saved != here {
                return Err(foreign(what, saved, here));
            }
        }
        policy.load(&self.state)?;
        Ok(self.rng.clone())
    }

    /// Takes what was learned over as a prior, with a pull then worth `weight` pulls now (0.1 to 0.2 is advised).
    /// The arms must correspond, one to one in this order; their names, the unit of cost and the machine may
    /// differ, and if one of the latter does, only ratios of costs are used.
    ///
    /// # Errors
    /// [`PolicyError::ForeignState`] if the policy's setup differs, or it cannot do without the unit of cost;
    /// [`PolicyError::BadSetting`] for a weight outside (0, 1]; [`PolicyError::BadState`].
    pub fn import(&self, policy: &mut dyn Policy, here: &Signature, weight: f64) -> Result<(), PolicyError> {
        self.check_policy(policy)?;
        policy.import(&self.state, Prior { weight, same_unit: self.signature.same_unit(here) })
    }

    fn check_policy(&self, policy: &dyn Policy) -> Result<(), PolicyError> {
        match self.policy == policy.name() {
            true => Ok(()),
            false => Err(foreign("policy", &self.policy, policy.name())),
        }
    }
}
