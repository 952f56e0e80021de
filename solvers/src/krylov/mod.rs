//! Krylov methods, one file each.

mod cg;

pub use cg::Cg;
