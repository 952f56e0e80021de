//! Doing what is meant, one case after another.

mod columns;
mod info;
mod learned;
mod memory;
mod poisson;
mod rhs;
mod sequence;
mod solve;
mod store;
mod train;
mod verify;
mod watch;

pub(crate) use info::info;
pub(crate) use poisson::poisson;
pub(crate) use sequence::sequence;
pub(crate) use solve::solve;
pub(crate) use train::train;
