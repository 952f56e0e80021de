//! Bandit policies: which of K arms to pull next, learned from the cost of the pulls so far.

mod cheb_cb;
mod cheb_cb_ridge;
mod context;
mod decision;
mod error;
mod features;
mod fixed;
mod hash;
mod hindsight;
mod inverse_gap;
mod normal;
mod policy;
mod round_robin;
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
pub use hindsight::{CostTable, TableOracle};
pub use policy::Policy;
pub use round_robin::RoundRobinThenCommit;
pub use state::Prior;
pub use tsallis::{Estimator, TsallisInf, TsallisInfBinned, TsallisOptions};
pub use uniform::UniformRandom;
