//! Krylov methods, one file each.

mod cg;
mod eisenstat_cg;

pub use cg::Cg;
pub use eisenstat_cg::EisenstatCg;
