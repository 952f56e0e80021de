//! Learned preconditioners: networks in the place of M⁻¹.
//!
//! - [`Coefficients`]: the numbers of the learned multigrid cycle; [`LearnedMultigrid`] applies it with threaded kernels.

pub mod coefficients;
pub mod dcdm;
mod error;
pub mod metadata;
pub mod multigrid;
pub mod onnx;
pub mod runtime;
pub mod solver;
pub mod train;

pub use coefficients::Coefficients;
pub use dcdm::Network;
pub use error::LearnedError;
pub use metadata::GridMetadata;
pub use multigrid::LearnedMultigrid;
pub use onnx::{Model, ModelFile};
pub use runtime::{LearnedDirection, Runtime};
pub use solver::{SafeFcg, SafeOutcome};
