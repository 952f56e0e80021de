//! Bandit policies: which of K arms to pull next, learned from the cost of the pulls so far.
//!
//! In the toolkit an arm is a configuration of a solver (a value of ω, a preconditioner) and the cost is
//! what a solve with it took; but this crate knows nothing of solvers. It maps a [`Context`] to a
//! [`Decision`], and learns when the decision comes back with its cost:
//!
//! ```
//! use rand::{SeedableRng, rngs::StdRng};
//! use residua_bandit::{Context, Policy, TsallisInf};
//!
//! let mut rng = StdRng::seed_from_u64(0);
//! let mut policy = TsallisInf::new(3)?;
//! for _ in 0..200 {
//!     let decision = policy.select(Context::NONE, &mut rng)?;
//!     let cost = [12.0, 7.0, 9.0][decision.arm()];
//!     policy.update(decision, cost)?;
//! }
//! assert!(policy.probabilities(Context::NONE)?[1] > 0.5);
//! # Ok::<(), residua_bandit::PolicyError>(())
//! ```
//!
//! The decision is a token: it cannot be copied, `update` and `cancel` consume it, and dropping it unused is a
//! warning. So an arm is never charged twice, and several decisions may be in flight at once. It carries the
//! probabilities from which its arm was drawn, which is what an unbiased estimate of the costs of all arms
//! divides by (importance weighting: Auer, Cesa-Bianchi, Freund, Schapire (2002), SIAM J. Comput. 32(1),
//! section 3).
//!
//! | policy | context | use |
//! |---|---|---|
//! | [`ChebCbRidge`] | several features | the default where there is a context |
//! | [`TsallisInf`] | none | the default without; safe where costs drift |
//! | [`ChebCb`], [`TsallisInfBinned`] | one feature | as published, for comparison |
//! | [`RoundRobinThenCommit`] | none | costs that do not drift |
//! | [`Fixed`], [`UniformRandom`], [`TableOracle`] | none | yardsticks, with [`CostTable`] |
//! | [`Guarded`] | that of the policy within | a budget relative to a default arm |
//! | [`PerKey`] | and a discrete key | families of problems apart |
//! | [`Logged`] | that of the policy within | what other choices would have cost |
//!
//! [`Snapshot`] saves a policy with its generator and resumes it to the last bit.

mod cheb_cb;
mod cheb_cb_ridge;
mod context;
mod decision;
mod error;
mod features;
mod fixed;
mod grouped;
mod guarded;
mod hash;
mod hindsight;
mod inverse_gap;
mod logged;
mod normal;
mod per_key;
mod policy;
mod round_robin;
mod snapshot;
mod state;
mod tsallis;
mod uniform;

pub use cheb_cb::ChebCb;
pub use cheb_cb_ridge::{ChebCbRidge, RidgeOptions, Target};
pub use context::Context;
pub use decision::Decision;
pub use error::PolicyError;
pub use features::Feature;
pub use fixed::Fixed;
pub use grouped::Grouped;
pub use guarded::{Budget, Guarded};
pub use hindsight::{CostTable, TableOracle};
pub use logged::{Estimate, Logged, Record, estimate_fixed, estimate_policy};
pub use per_key::PerKey;
pub use policy::Policy;
pub use round_robin::RoundRobinThenCommit;
pub use snapshot::{ResumableRng, Signature, Snapshot};
pub use state::Prior;
pub use tsallis::{Estimator, TsallisInf, TsallisInfBinned, TsallisOptions};
pub use uniform::UniformRandom;
