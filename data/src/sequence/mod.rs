//! Sequences of linear systems Aₜ xₜ = bₜ whose members change a little from step to step.
//!
//! A member may depend on the solution of the one before it, as in a simulation, so a sequence is not a
//! list but a [`Sequence`]: [`advance`](Sequence::advance) takes the last solution and makes the next system.
//!
//! | sequence | system | depends on the solution | guess | context |
//! |---|---|---|---|---|
//! | [`HeatEquation`] | Crank-Nicolson step with a diffusivity κ(t) that swings between 0 and 10 | yes | last solution | κ(t) |
//! | [`ShiftedLaplacian`] | 5-point Laplacian + c I, random c and b | no | none | c |
//! | [`JumpDrift`] | implicit Euler step of diffusion with a moving inclusion of drifting contrast | yes | last solution | log₁₀ contrast |
//! | [`MovingObstacleFlow`] | pressure projection of a channel flow around a moving disc | yes | last pressure | centre of the disc |
//! | [`SystemFolder`] | Matrix Market files in the order of their names | no | none | empty |
//!
//! All built-in sequences are symmetric positive definite, with one pattern that is assembled once: a step
//! writes new values and allocates nothing.
//!
//! ```
//! use residua_data::sequence::{HeatEquation, Sequence};
//! let mut heat = HeatEquation::new(25, 3)?;
//! let mut x = Vec::new(); // empty: nothing has been solved yet
//! while heat.advance(&x)? {
//!     assert_eq!(heat.matrix().nrows(), 24 * 24);
//!     x = heat.rhs().to_vec(); // a solver's answer goes here
//! }
//! # Ok::<(), residua_data::sequence::SequenceError>(())
//! ```

mod draw;
mod error;
mod folder;
mod heat;
mod jump_drift;
mod momentum;
mod obstacle;
mod projection;
mod shifts;
mod stencil;

pub use error::SequenceError;
pub use folder::SystemFolder;
pub use heat::{HeatEquation, diffusivity};
pub use jump_drift::JumpDrift;
pub use projection::MovingObstacleFlow;
pub use shifts::{ShiftedLaplacian, Variance};

use crate::CsrMatrix;

/// A sequence of linear systems with real square matrices.
///
/// Before the first [`advance`](Self::advance) the matrix and the right-hand side are zero or empty; after
/// the last one they stay those of the last system.
pub trait Sequence {
    /// Makes the next system. `solution` is that of the system before, as long as its right-hand side:
    /// empty at the first call, or where the system was not solved (then the state of a simulation stays
    /// as it was, and time goes on). False at the end; the last solution should still be given there.
    ///
    /// # Errors
    /// [`SequenceError`] if the solution has the wrong length or a value that is not finite, which leaves
    /// everything as it was, or if the next system cannot be made or read; a folder goes on to the next
    /// file when called again.
    fn advance(&mut self, solution: &[f64]) -> Result<bool, SequenceError>;

    /// A of the present system, n × n. The pattern is the same for all systems where
    /// [`fixed_pattern`](Self::fixed_pattern) says so.
    fn matrix(&self) -> &CsrMatrix<f64>;

    /// b of the present system, length n.
    fn rhs(&self) -> &[f64];

    /// A guess of the solution for a warm start, length n; `None`: zero.
    fn guess(&self) -> Option<&[f64]>;

    /// What is known of the system before it is solved, one number a feature.
    fn context(&self) -> &[f64];

    /// The lowest and the highest value of each feature of [`context`](Self::context).
    fn context_bounds(&self) -> &[(f64, f64)];

    /// The name of the present system: a file's path, or `step 17`, counted from 1.
    fn label(&self) -> String;

    /// Whether all systems have one pattern (values stored in the same places).
    fn fixed_pattern(&self) -> bool;

    /// Number of systems, where known.
    fn len_hint(&self) -> Option<usize>;
}

/// The checked last solution: `None` where it was not solved.
fn checked_solution(solution: &[f64], expected: usize) -> Result<Option<&[f64]>, SequenceError> {
    if solution.is_empty() {
        return Ok(None);
    }
    if solution.len() != expected {
        return Err(SequenceError::SolutionLength { found: solution.len(), expected });
    }
    match solution.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(SequenceError::NonFiniteSolution { index, found: solution[index] }),
        None => Ok(Some(solution)),
    }
}

/// `found`, if it lies in `low..=high`.
fn checked_parameter(what: &'static str, found: f64, low: f64, high: f64) -> Result<f64, SequenceError> {
    if (low..=high).contains(&found) {
        Ok(found)
    } else {
        Err(SequenceError::Parameter { what, found, low, high })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
