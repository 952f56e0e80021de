//! What is meant: the typed arguments, checked. A [`UsageError`] says what to type instead.

mod minimize;
mod poisson;
mod sequence;
mod solve;
mod train;
mod transport;

pub(crate) use minimize::{MinimizePlan, Source as MinimizeSource};
pub(crate) use poisson::{PoissonPlan, SolverChoice};
pub(crate) use sequence::{ContextKind, Selector, SequencePlan, Source};
pub(crate) use solve::{Rhs, SolvePlan};
pub(crate) use train::{TrainKind, TrainPlan};
pub(crate) use transport::{TransportInput, TransportPlan};

use crate::args::{Common, StopArgs};
use residua_learned::ModelFile;
use residua_solvers::StopRule;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// More threads than any machine has; a typing error rather than a wish.
const MAX_THREADS: usize = 4096;

/// Stack of a worker, in bytes: what a main thread usually has, for recursions deeper than a worker's 2 MiB.
const WORKER_STACK: usize = 8 << 20;

/// A command line that cannot be carried out, with advice; the process ends with 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsageError(String);

impl UsageError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What every command needs to know of its surroundings.
#[derive(Debug)]
pub(crate) struct Context {
    /// JSON Lines instead of a table.
    pub(crate) json: bool,
    /// Size of the thread pool.
    pub(crate) threads: usize,
    /// Seed of everything random.
    pub(crate) seed: u64,
    /// Where the page goes.
    pub(crate) report: Option<PathBuf>,
}

impl Context {
    pub(crate) fn new(common: &Common) -> Result<Self, UsageError> {
        let threads = match common.threads {
            None => std::thread::available_parallelism().map_or(1, usize::from),
            Some(n @ 1..=MAX_THREADS) => n,
            Some(n) => {
                return Err(UsageError::new(format!(
                    "--threads {n}: expected a number from 1 to {MAX_THREADS}"
                )));
            }
        };
        if let Some(path) = &common.report {
            check_output_file("--report", path)?;
        }
        Ok(Self { json: common.json, threads, seed: common.seed, report: common.report.clone() })
    }

    /// The pool in which everything runs.
    pub(crate) fn thread_pool(&self) -> Result<rayon::ThreadPool, UsageError> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .stack_size(WORKER_STACK)
            .build()
            .map_err(|e| UsageError::new(format!("--threads {}: {e}: expected fewer threads", self.threads)))
    }
}

/// Finds out before the work starts that an output could not be written after it.
fn check_output_file(option: &str, path: &Path) -> Result<(), UsageError> {
    if path.is_dir() {
        return Err(UsageError::new(format!(
            "{option} {}: is a folder: expected a file name",
            path.display()
        )));
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => make_folder(option, parent),
        _ => Ok(()),
    }
}

/// Makes the folder `path` and those above it.
fn make_folder(option: &str, path: &Path) -> Result<(), UsageError> {
    fs::create_dir_all(path).map_err(|error| {
        let why = crate::cases::plain(&error);
        UsageError::new(format!(
            "{option} {}: cannot make this folder ({why}): expected a writable place",
            path.display()
        ))
    })
}

/// Checks the tolerances and limits.
fn stop_rule(typed: &StopArgs) -> Result<StopRule, UsageError> {
    let tolerance = |option: &str, value: f64| {
        if value.is_finite() && value >= 0.0 {
            return Ok(value);
        }
        Err(UsageError::new(format!("--{option} {value}: expected a finite number, 0 or greater")))
    };
    let rtol = tolerance("rtol", typed.rtol)?;
    let atol = tolerance("atol", typed.atol)?;
    if rtol >= 1.0 {
        return Err(UsageError::new(format!(
            "--rtol {rtol}: expected a number below 1, since x = 0 already has a relative residual of 1"
        )));
    }
    let time_limit = time_limit(typed.time_limit)?;
    Ok(StopRule { rtol, atol, max_iters: typed.max_iters, time_limit })
}

/// Checks a limit in seconds.
fn time_limit(typed: Option<f64>) -> Result<Option<Duration>, UsageError> {
    let duration = typed.map(|seconds| {
        Duration::try_from_secs_f64(seconds).map_err(|_| {
            UsageError::new(format!("--time-limit {seconds}: expected a number of seconds, 0 or greater"))
        })
    });
    duration.transpose()
}

/// Refuses a relaxation with which SOR cannot converge.
fn check_omega(omega: Option<f64>) -> Result<(), UsageError> {
    match omega {
        Some(w) if !(w > 0.0 && w < 2.0) => Err(UsageError::new(format!(
            "--omega {w}: expected a number between 0 and 2, outside of which relaxation cannot converge"
        ))),
        _ => Ok(()),
    }
}

/// Reads the model of `--model`, which only the learned preconditioner takes.
fn read_model(path: Option<&Path>, is_learned: bool) -> Result<Option<ModelFile>, UsageError> {
    match path {
        Some(path) if is_learned => {
            ModelFile::read(path).map(Some).map_err(|e| UsageError::new(format!("--model {e}")))
        }
        Some(path) => Err(UsageError::new(format!(
            "--model {}: expected the learned preconditioner beside it: --precond learned, or --solver fcg+learned",
            path.display()
        ))),
        None => Ok(None),
    }
}
