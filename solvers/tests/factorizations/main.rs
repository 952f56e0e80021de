//! Tests of the incomplete factorizations and what belongs to them.
#![allow(clippy::unwrap_used)]

mod block_jacobi;
mod ic0;
mod ilu0;
mod matching;
mod support;
mod threshold;
