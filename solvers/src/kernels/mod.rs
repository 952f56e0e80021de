//! The loops over vectors: threaded, and bit-identical for any number of threads.
//!
//! A kernel cuts its vectors into fixed blocks of [`BLOCK`] elements. Within a block, sums run in a fixed
//! order; the partial sums of blocks are added along a binary tree whose shape depends on the length
//! alone. Threads only decide who computes which subtree. Nothing is allocated.

mod blas1;
mod fused;
mod interleaved;
mod multi;
mod tree;

pub use blas1::*;
pub use fused::*;
pub use interleaved::*;
pub use multi::*;
pub use tree::{BLOCK, SplitSlices, SumPart, Sums, for_each_block, offset_in, reduce};

/// Elements of a leaf of the tree that one task takes at least, in kernels that only touch vectors.
pub const VECTOR_GRAIN: usize = 16 * BLOCK;

/// Rows that one task takes at least in kernels which also read a row of a sparse matrix per element.
pub const ROW_GRAIN: usize = 4 * BLOCK;
