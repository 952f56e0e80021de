//! Many problems with the same cost, in parallel.

use super::{Cost, TransportError, TransportOptions, TransportOutcome, TransportProblem, TransportSolver};
use rayon::prelude::*;

/// Solves a problem for each pair (a, b) of `weights`, all with `cost`, in parallel with a solver a thread. Results
/// are in the order of the weights and do not depend on the number of threads; what is wrong with one problem does
/// not touch the others. A stored cost is held once.
pub fn solve_batch(
    cost: &Cost,
    weights: &[(Vec<f64>, Vec<f64>)],
    options: &TransportOptions,
) -> Vec<Result<TransportOutcome, TransportError>> {
    weights
        .par_iter()
        .map_init(TransportSolver::new, |solver, (a, b)| {
            let problem = TransportProblem::new(cost.clone(), a.clone(), b.clone())?;
            solver.solve(&problem, options, None, &mut ())
        })
        .collect()
}
