//! Parallel Gauss-Seidel-like sweeps whose answer does not depend on the number of threads.
//!
//! A sweep visits the rows of a matrix in some order, and row i reads what the rows before it have written.
//! In the natural order that is a chain; the textbook cures, colourings and level sets, either spoil the
//! preconditioner (a red-black IC(0) needs far more iterations: Duff and Meurant, 1989, BIT 29) or
//! synchronise once a level, hundreds of times a sweep. [`Schedule`] reorders as little as possible instead:
//!
//! 1. The rows are cut into P contiguous blocks, P chosen from the matrix alone.
//! 2. A row that couples to a row of a *later* block is a separator row. What is left of a block, its
//!    interior, couples to no other block's interior: stage 1 sweeps all interiors, each in natural order,
//!    in parallel.
//! 3. Stage 2 sweeps the separator rows, again one task a block; those that couple to separators of a
//!    later block wait for stage 3, and so on.
//!
//! This is the symmetric permutation of one-level nested dissection, with the natural order kept in every
//! part, so that convergence stays near the natural order's, and a sweep on a banded matrix synchronises
//! twice. Where the separators would be too many, level sets are used if they are wide enough to pay, else
//! one sequential task. The classic account is Saad (2003), *Iterative Methods for Sparse Linear Systems*,
//! sections 3.3, 11.6 and 12.6.
//!
//! [`LduFactor`] holds M = L D U with unit triangles L and U and applies M⁻¹ by two sweeps.

mod ldu;
mod pipeline;
mod schedule;
mod shared;

pub use ldu::LduFactor;
pub(crate) use ldu::Triangle;
pub use schedule::{Coupling, Schedule};
pub(crate) use shared::SharedSlice;
