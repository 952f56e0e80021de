//! Solves with the learned preconditioner, and what it needs beside a matrix: a grid and a model.

use super::columns::{Ended, SolvedColumns, solve_each};
use super::rhs::System;
use crate::cases::Source;
use crate::report::Progress;
use flate2::read::MultiGzDecoder;
use residua_data::poisson::{Grid, Medium};
use residua_learned::{
    GridMetadata, LearnedDirection, LearnedError, LearnedMultigrid, Model, ModelFile, Runtime, SafeFcg,
    SafeOutcome,
};
use residua_solvers::precond::multigrid::{GridProblem, StencilOperator};
use residua_solvers::{LinearOperator, Preconditioner, SolveError, StopRule};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::time::Instant;

/// A preconditioner, and the window of FCG that suits it.
type Windowed = (Box<dyn Preconditioner<f64>>, usize);

/// Solves `system` from x = 0 for each right-hand side by flexible CG with the learned preconditioner on the grid of
/// `medium`, matrix-free; the analysis of the grid is part of the set-up.
///
/// # Errors
/// What the grid or the first refused solve says, and a model that does not suit the problem.
pub(super) fn solve_on_grid(
    system: &System<f64>,
    (grid, medium): (Grid, &Medium),
    model: Option<&ModelFile>,
    stop: &StopRule,
    progress: &mut Progress,
) -> Result<SolvedColumns<f64>, SolveError> {
    let start = Instant::now();
    let problem = GridProblem::new(grid, medium)?;
    let (operator, precond) =
        rayon::join(|| StencilOperator::from_grid(&problem), || preconditioner(&problem, model));
    solve_by(system, &operator?, precond?, start, stop, false, progress)
}

/// The same with the assembled matrix, for one that a file gave, on the grid of `problem`, whose making began at `start`.
///
/// # Errors
/// As [`solve_on_grid`].
pub(super) fn solve(
    system: &System<f64>,
    problem: &GridProblem,
    model: Option<&ModelFile>,
    start: Instant,
    stop: &StopRule,
    keeps_history: bool,
    progress: &mut Progress,
) -> Result<SolvedColumns<f64>, SolveError> {
    let precond = preconditioner(problem, model)?;
    solve_by(system, &system.a, precond, start, stop, keeps_history, progress)
}

fn solve_by<A: LinearOperator<f64>>(
    system: &System<f64>,
    operator: &A,
    (precond, window): Windowed,
    start: Instant,
    stop: &StopRule,
    keeps_history: bool,
    progress: &mut Progress,
) -> Result<SolvedColumns<f64>, SolveError> {
    let mut solver = SafeFcg::new(precond, &system.a, window)?;
    let mut setup = start.elapsed();
    solve_each(system, start, stop, keeps_history, progress, |b, x, stop, watch| {
        let start = Instant::now();
        let SafeOutcome { outcome, fallback } = solver.solve_by(operator, &system.a, b, x, stop, watch)?;
        Ok(Ended {
            outcome,
            setup: std::mem::take(&mut setup),
            solve: start.elapsed(),
            method: "fcg".to_owned(),
            precond: "learned".to_owned(),
            why: String::new(),
            warning: fallback,
        })
    })
}

/// The preconditioner for `problem`, of `model` or the one that is built in, and the window of FCG that suits it: a network
/// is no linear map, and its directions are conjugated to the last two.
///
/// # Errors
/// A model that does not suit the problem.
fn preconditioner(problem: &GridProblem, model: Option<&ModelFile>) -> Result<Windowed, LearnedError> {
    let cycle = |model: &Model| LearnedMultigrid::new(problem, &model.coefficients);
    match model {
        Some(ModelFile::Multigrid(model)) => Ok((Box::new(cycle(model)?), 1)),
        Some(ModelFile::Network(network)) => {
            let dims = match problem.dims {
                [x, 1, y] => vec![x, y],
                [x, y, z] => vec![x, y, z],
            };
            let grid = GridMetadata { dims, unknown_of_point: problem.unknown_of_point.clone() };
            Ok((Box::new(LearnedDirection::network(network, &grid, Runtime::Auto)?), 2))
        }
        None => {
            let dim = if problem.dims.iter().all(|&n| n > 1) { 3 } else { 2 };
            Ok((Box::new(cycle(&Model::shipped(dim)?)?), 1))
        }
    }
}

/// The grid metadata in the comments of a matrix file; the error is one line without the file's name.
pub(crate) fn metadata_of(source: &Source) -> Result<GridMetadata, String> {
    let missing = "no grid metadata in its comments: expected a line \"% residua-grid: NX NY\" (and \"% residua-unknowns: \
                   ...\" where points are solid), as residua poisson --save-matrix writes; use --precond amg instead";
    let Source::File(path) = source else { return Err(missing.to_owned()) };
    let file = File::open(path).map_err(|e| e.to_string())?;
    let is_gz = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    let reader: Box<dyn Read> = if is_gz { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut comments = Vec::new();
    for line in BufReader::new(reader).lines() {
        let line = line.map_err(|e| e.to_string())?;
        match line.strip_prefix('%') {
            Some(comment) => comments.push(comment.to_owned()),
            None if line.trim().is_empty() => {}
            None => break,
        }
    }
    let read = GridMetadata::from_comments(comments.iter().map(String::as_str)).map_err(|e| e.to_string())?;
    read.ok_or_else(|| missing.to_owned())
}
