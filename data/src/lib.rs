//! What problems are made of: sparse matrices, files, and families of test systems.
//!
//! This crate depends on no other crate of the toolkit. It holds
//!
//! - [`CsrMatrix`], compressed sparse rows with 32-bit indices and checked construction, and
//!   [`CooBuilder`], which assembles one from entries in any order;
//! - [`poisson`], the Poisson family of benchmark problems;
//! - [`elasticity`], cantilever beams with their rigid-body motions;
//! - [`zoo`], small named systems and random families with what is known of each;
//! - [`nlp`], nonlinear programs with sparse derivatives;
//! - [`sequence`], sequences of systems that change a little from step to step, as simulations make them;
//! - [`matrix_market`], reading and writing of matrices, right-hand sides and solutions;
//! - [`arrays`], dense arrays from `.npy`, `.npz`, `.csv`, `.mtx` and `.png` files;
//! - [`whole_file`], writing of files that appear whole or not at all;
//! - [`memory`], an allocator that asks for large pages;
//! - the [`Scalar`] bound that the whole toolkit is generic over.

pub mod arrays;
pub mod csr;
pub mod elasticity;
pub mod matrix_market;
pub mod memory;
pub mod nlp;
pub mod poisson;
pub mod scalar;
pub mod sequence;
mod splitmix;
pub mod whole_file;
pub mod zoo;

pub use csr::{CooBuilder, CsrError, CsrMatrix};
pub use scalar::Scalar;
