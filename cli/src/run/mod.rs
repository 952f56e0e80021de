//! Doing what is meant, one case after another.

mod columns;
mod geometries;
mod info;
mod learned;
mod memory;
mod minimize;
mod poisson;
mod rhs;
mod sequence;
mod solve;
mod store;
mod train;
mod transport;
mod verify;
mod watch;

pub(crate) use info::info;
pub(crate) use minimize::minimize;
pub(crate) use poisson::poisson;
pub(crate) use sequence::sequence;
pub(crate) use solve::solve;
pub(crate) use train::train;
pub(crate) use transport::transport;
