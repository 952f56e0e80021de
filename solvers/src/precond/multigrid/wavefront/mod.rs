//! Both halves of a cycle on one level, each as one pass over memory.
//!
//! A pass walks over the slabs (rows in 2D, planes in 3D). While slab t is read, stage s works on slab t − s: sweep 1
//! on slab t − 1, sweep 2 on slab t − 2, the residual behind them, its restriction last. A stage keeps its last few
//! slabs in a [`Ring`](super::ring::Ring) that stays in cache, so only r, x and the coarse vector touch memory. Threads
//! take chunks of slabs, and do the few slabs that a neighbour's chunk needs as well twice; so a result does not depend
//! on who did it.

mod ascend;
mod chunks;
mod descend;
mod scratch;
mod simd;
mod sweep;

pub(super) use ascend::{ascend, row_dot};
pub(super) use chunks::{chunk_slabs, cutting, for_each_chunk, runs_serially};
pub(super) use descend::descend;
pub(super) use scratch::Pool;
pub(super) use simd::{Kernel, run_wide};
pub(super) use sweep::Step;
