//! Learned preconditioners: networks in the place of M⁻¹.
//!
//! - [`Coefficients`]: the numbers of the learned multigrid cycle; [`LearnedMultigrid`] applies it with threaded kernels.

pub mod coefficients;
mod error;
pub mod metadata;
pub mod multigrid;
pub mod onnx;
pub mod runtime;
pub mod solver;
pub mod train;

pub use coefficients::Coefficients;
pub use error::LearnedError;
pub use metadata::GridMetadata;
pub use multigrid::LearnedMultigrid;
pub use onnx::Model;
pub use runtime::LearnedDirection;
pub use solver::{SafeFcg, SafeOutcome};
