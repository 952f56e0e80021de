//! Bandit policies: which of K arms to pull next, learned from the cost of the pulls so far.
//!
//! In the toolkit an arm is a configuration of a solver (a value of ω, a preconditioner) and the cost is
//! what a solve with it took; but this crate knows nothing of solvers. It maps a context to a
//! [`Decision`], and learns when the decision comes back with its cost:
//!
//! ```
//! use rand::{SeedableRng, rngs::StdRng};
//! use residua_bandit::{Policy, UniformRandom};
//!
//! let mut rng = StdRng::seed_from_u64(0);
//! let mut policy = UniformRandom::new(3)?;
//! let decision = policy.select(&[], &mut rng);
//! let cost = [12.0, 7.0, 9.0][decision.arm()];
//! policy.update(decision, cost);
//! # Ok::<(), residua_bandit::PolicyError>(())
//! ```
//!
//! The decision is a token: it cannot be copied, `update` consumes it, and dropping it unused is a warning.
//! So an arm is never charged twice, and several decisions may be in flight at once. It carries the
//! probability with which its arm was drawn, which is what an unbiased estimate of the costs of all arms
//! divides by (importance weighting: Auer, Cesa-Bianchi, Freund, Schapire (2002), SIAM J. Comput. 32(1),
//! section 3).
//!
//! Policies that learn are to come; [`Fixed`] and [`UniformRandom`] are the yardsticks that they must beat.

mod fixed;
mod policy;
mod uniform;

pub use fixed::Fixed;
pub use policy::{Decision, Policy, PolicyError};
pub use uniform::UniformRandom;
