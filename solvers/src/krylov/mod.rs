//! Krylov methods, one file each.

mod arnoldi;
mod bicgstab;
mod bicgstabl;
mod cg;
mod eisenstat_cg;
mod fcg;
mod fgmres;
mod gmres;
mod hessenberg;
mod idrs;
mod lsmr;
mod minres;
mod random;

pub use bicgstab::Bicgstab;
pub use bicgstabl::BicgstabL;
pub use cg::Cg;
pub use eisenstat_cg::EisenstatCg;
pub use fcg::Fcg;
pub use fgmres::Fgmres;
pub use gmres::Gmres;
pub use idrs::Idrs;
pub use lsmr::{Lsmr, column_scaling};
pub use minres::Minres;
