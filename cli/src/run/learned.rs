//! What the learned preconditioner needs beside a matrix: a grid and a model.

use crate::cases::Source;
use flate2::read::MultiGzDecoder;
use residua_learned::{
    GridMetadata, LearnedDirection, LearnedError, LearnedMultigrid, Model, ModelFile, Runtime,
};
use residua_solvers::Preconditioner;
use residua_solvers::precond::multigrid::GridProblem;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

/// The preconditioner for `problem`, of `model` or the one that is built in, and the window of FCG that suits it: a network
/// is no linear map, and its directions are conjugated to the last two.
///
/// # Errors
/// A model that does not suit the problem.
pub(crate) fn preconditioner(
    problem: &GridProblem,
    model: Option<&ModelFile>,
) -> Result<(Box<dyn Preconditioner<f64>>, usize), LearnedError> {
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
