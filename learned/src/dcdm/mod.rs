//! Deep conjugate directions as published: a nonlinear network from the residual to a direction, in 2D.
//!
//! Kaneda, Akar, Chen, Kala, Hyde, Teran (2023), *A deep conjugate direction method for iteratively solving linear systems*,
//! ICML. The loop is flexible CG truncated to two directions ([`Fcg`](residua_solvers::krylov::Fcg) with a window of 2),
//! the direction is q = f(r/‖r‖), the net that of `network.rs`, right-hand sides those of `ritz.rs`, and the loss of a batch
//!
//! ```text
//! mean over b of ‖b − (yᵀb / yᵀA y) A y‖²,   y = f(b)
//! ```
//!
//! Adam (Kingma and Ba 2015) with rate 1e-4, batches of 10. The network gets no geometry: solid points are zeros of the
//! residual. Training is on one matrix, the empty box.
//!
//! It is here as the reference for learned directions. One application costs 3·10⁴ floating-point operations a point, as much
//! as several hundred products with the matrix: `docs/benchmarks.md` has its iterations and times beside those of the learned
//! multigrid cycle, which wins by a wide margin.

mod adam;
mod conv;
mod export;
mod network;
mod ritz;
mod square;
mod train;

pub use export::Network;
pub use train::{DcdmOptions, TrainedNetwork, train};

pub(crate) use ritz::normal;
