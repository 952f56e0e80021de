//! What the benchmarks share: the memory's own speed, and how to time.

pub mod stream;
