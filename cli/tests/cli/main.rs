//! The binary `residua`, driven from outside as a user would.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod batch;
mod info;
mod inputs;
mod learned;
mod minimize;
mod outputs;
mod poisson;
mod processes;
mod real;
mod resume;
mod sequence;
mod solve;
mod support;
mod transport;
mod usage;
