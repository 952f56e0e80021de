//! Sketch and project as a [`Solver`] of consistent systems.

use super::{SketchProject, SparseRows};
use crate::constrained::SketchKind;
use crate::control::run;
use crate::error::SolveError;
use crate::{CsrMatrix, LinearSystem, Monitor, Outcome, Solver, StopRule};

/// Sketch and project on A x = b, A of any shape, for systems that have a solution; of several it finds the one nearest to the
/// initial guess.
///
/// **An iteration** is as many sketches as touch about twice the rows of A: 2 for Gaussian vectors and count sketches, 2m for single rows.
/// **Fails** on inconsistent systems, where the iterates keep moving: the end is then the iteration limit.
#[derive(Debug)]
pub struct SketchSolver {
    sketch: SketchProject,
    r: Vec<f64>,
}

impl SketchSolver {
    /// Draws `kind` from the numbers of `seed`.
    pub fn new(kind: SketchKind, seed: u64) -> Self {
        Self { sketch: SketchProject::new(kind, seed), r: Vec::new() }
    }
}

impl Solver<CsrMatrix<f64>> for SketchSolver {
    fn name(&self) -> &'static str {
        self.sketch.kind().as_str()
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, CsrMatrix<f64>>,
        x: &mut [f64],
        stop: &StopRule,
        monitor: &mut dyn Monitor<f64>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        if let Some((row, _)) = a.first_non_finite() {
            return Err(SolveError::NonFinite { what: "the matrix's row", index: row });
        }
        self.sketch.prepare(SparseRows::from(a));
        self.r.resize(a.nrows(), 0.0);
        let (sketch, b) = (&mut self.sketch, system.rhs());
        run(system, x, &mut self.r, stop, monitor, |control, x, _, _| {
            loop {
                sketch.sweep(b, x);
                control.operator_applies += 2;
                if let Some(end) = control.step(sketch.residual_norm(b, x), Some(x)) {
                    return Ok(end);
                }
            }
        })
    }
}
