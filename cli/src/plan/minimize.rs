//! What `residua minimize` is to do.

use super::UsageError;
use crate::args::MinimizeArgs;
use residua_data::nlp::{nl, problems};
use residua_solvers::constrained::MinimizeOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One problem to solve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file; its answer is written beside it.
    File(PathBuf),
    /// A built-in problem.
    Builtin(String),
}

impl Source {
    /// As it was given.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Builtin(name) => name.clone(),
        }
    }
}

/// `residua minimize`, checked.
#[derive(Debug)]
pub(crate) struct MinimizePlan {
    pub(crate) sources: Vec<Source>,
    pub(crate) options: MinimizeOptions,
    /// A line an iteration on standard error.
    pub(crate) is_verbose: bool,
    /// Show the built-in problems, solve nothing.
    pub(crate) is_list: bool,
}

impl MinimizePlan {
    pub(crate) fn new(typed: MinimizeArgs, seed: u64) -> Result<Self, UsageError> {
        let mut options =
            MinimizeOptions { method: typed.method, sketch: typed.sketch, seed, ..Default::default() };
        if !(typed.tol.is_finite() && typed.tol > 0.0) {
            return Err(UsageError::new(format!(
                "--tol {}: expected a number above 0, such as 1e-6",
                typed.tol
            )));
        }
        options.tol = typed.tol;
        options.max_iters = typed.max_iters;
        if let Some(seconds) = typed.time_limit {
            let limit = Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero());
            options.time_limit = Some(limit.ok_or_else(|| {
                UsageError::new(format!("--time-limit {seconds}: expected a number of seconds above 0"))
            })?);
        }
        let sources = typed.problems.iter().filter(|p| !is_solver_option(p)).map(|p| source(p));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        if sources.is_empty() && !typed.list {
            return Err(UsageError::new("no problem is given: expected a .nl file, or a name of --list"));
        }
        Ok(Self { sources, options, is_verbose: typed.verbose, is_list: typed.list })
    }
}

/// AMPL and Pyomo call a solver as `SOLVER NAME.nl -AMPL key=value ...`: the flag says no more than what `minimize`
/// does, and the keys are options of other solvers.
fn is_solver_option(word: &str) -> bool {
    word == "-AMPL" || (word.contains('=') && !Path::new(word).exists())
}

fn source(word: &str) -> Result<Source, UsageError> {
    let path = Path::new(word);
    let is_nl = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("nl"));
    if is_nl || nl::path_of(path).is_file() {
        return Ok(Source::File(path.to_path_buf()));
    }
    match problems::by_name(word, 0) {
        // What a file of samples holds is the problem's business, not the command line's.
        Ok(_) | Err(problems::UnknownProblem::Samples(_)) => Ok(Source::Builtin(word.to_owned())),
        Err(error) => Err(UsageError::new(error.to_string())),
    }
}
