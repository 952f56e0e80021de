//! What the benchmarks share: the systems that the peers are timed on, and the memory's own speed.

pub mod stream;
pub mod systems;
