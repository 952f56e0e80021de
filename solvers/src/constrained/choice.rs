//! Which KKT solver a problem gets.

use super::kkt::{Direct, KktSolver, Krylov, Sketched};
use super::model::Model;
use super::options::{KktMethod, MinimizeOptions};
use super::outcome::MinimizeError;

/// The solver for `options.method`.
pub(crate) fn kkt_solver(
    _model: &Model<'_>,
    _w: &[f64],
    options: &MinimizeOptions,
) -> Result<Box<dyn KktSolver>, MinimizeError> {
    Ok(match options.method {
        KktMethod::Direct => Box::new(Direct::new("as asked")),
        KktMethod::Auto => Box::new(Direct::new("sparse factorizations cost least on all problems measured")),
        KktMethod::Sketched => Box::new(Sketched::new(options.sketch, options)),
        KktMethod::Gmres => Box::new(Krylov::new("as asked", options.max_inner)),
    })
}
