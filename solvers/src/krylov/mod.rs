//! Krylov methods, one file each.

mod arnoldi;
mod bicgstab;
mod bicgstabl;
mod block;
mod cg;
mod chebyshev;
mod eisenstat_cg;
mod fcg;
mod fgmres;
mod gmres;
mod hessenberg;
mod idrs;
mod lsmr;
mod minres;
mod random;
mod spectrum;

pub use bicgstab::Bicgstab;
pub use bicgstabl::BicgstabL;
pub use block::BlockCg;
pub use cg::Cg;
pub use chebyshev::Chebyshev;
pub use eisenstat_cg::EisenstatCg;
pub use fcg::Fcg;
pub use fgmres::Fgmres;
pub use gmres::Gmres;
pub use idrs::Idrs;
pub use lsmr::{Lsmr, column_scaling};
pub use minres::Minres;
pub use spectrum::{MAX_LANCZOS_STEPS, SpectralBounds, estimate_spectrum};
