//! `residua solve`, checked.

use super::{UsageError, check_omega, make_folder, read_model, stop_rule};
use crate::args::SolveArgs;
use crate::cases::{self, Case};
use crate::engine;
use residua_learned::ModelFile;
use residua_solvers::auto::Options;
use residua_solvers::{Method, PrecondKind, StopRule};
use std::fmt;
use std::path::PathBuf;

/// Which right-hand side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rhs {
    /// The sibling file where there is one, else consistent.
    Default,
    /// b = 1.
    Ones,
    /// b = A·1.
    Consistent,
    /// Standard normal, from the seed.
    Random,
    /// The columns of an array file.
    File(PathBuf),
}

impl fmt::Display for Rhs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Ones => f.write_str("ones"),
            Self::Consistent => f.write_str("consistent"),
            Self::Random => f.write_str("random"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// What `residua solve` has to do.
#[derive(Debug)]
pub(crate) struct SolvePlan {
    pub(crate) cases: Vec<Case>,
    pub(crate) rhs: Rhs,
    pub(crate) options: Options,
    pub(crate) stop: StopRule,
    /// For the learned preconditioner, with its file; none: the one that is built in.
    pub(crate) model: Option<ModelFile>,
    model_path: Option<PathBuf>,
    /// Where solutions and results.jsonl go.
    pub(crate) out: Option<PathBuf>,
    pub(crate) resume: bool,
    /// Whether results hold the residual of every iteration.
    pub(crate) monitor: bool,
}

impl SolvePlan {
    pub(crate) fn new(typed: SolveArgs, seed: u64) -> Result<Self, UsageError> {
        check_omega(typed.omega)?;
        check_combination(typed.method, typed.precond)?;
        if typed.restart == Some(0) {
            return Err(UsageError::new("--restart 0: expected 1 or more vectors, such as 30"));
        }
        let stop = stop_rule(&typed.stop)?;
        let model = read_model(typed.model.as_deref(), typed.precond == PrecondKind::Learned)?;
        let rhs = match typed.rhs {
            None => Rhs::Default,
            Some(name) if name.as_os_str() == "ones" => Rhs::Ones,
            Some(name) if name.as_os_str() == "consistent" => Rhs::Consistent,
            Some(name) if name.as_os_str() == "random" => Rhs::Random,
            Some(path) => Rhs::File(path),
        };
        if let Some(out) = &typed.out {
            make_folder("--out", out)?;
        }
        let mut options = Options::default();
        (options.method, options.precond) = (typed.method, typed.precond);
        (options.omega, options.restart, options.seed) = (typed.omega, typed.restart, seed);
        let cases = cases::discover(&typed.paths, typed.out.as_deref());
        Ok(Self {
            cases,
            rhs,
            options,
            stop,
            model,
            model_path: typed.model,
            out: typed.out,
            resume: typed.resume,
            monitor: typed.monitor,
        })
    }

    /// Everything that a result depends on beside the case's files, as one readable line: results of
    /// different lines are not exchanged by `--resume`.
    ///
    /// The number of threads is left out, since results do not depend on it.
    pub(crate) fn options_line(&self) -> String {
        let Options { method, precond, omega, restart, seed, .. } = &self.options;
        let StopRule { rtol, atol, max_iters, time_limit } = self.stop;
        let mut line = format!(
            "rhs={} method={method} precond={precond} rtol={rtol:e} atol={atol:e} max_iters={max_iters} seed={seed}",
            self.rhs
        );
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                line.push_str(&format!(" {name}={value}"));
            }
        };
        add("model", self.model_path.as_ref().map(|path| path.display().to_string()));
        add("omega", omega.map(|w| w.to_string()));
        add("restart", restart.map(|m| m.to_string()));
        add("time_limit", time_limit.map(|t| t.as_secs_f64().to_string()));
        add("monitor", self.monitor.then(|| "true".to_owned()));
        line
    }
}

/// Refuses what no version of the method takes, and what this version has not.
pub(super) fn check_combination(method: Method, precond: PrecondKind) -> Result<(), UsageError> {
    use PrecondKind::{Auto, None};
    let takes_none =
        matches!(method, Method::Jacobi | Method::Sor | Method::Ssor | Method::Lsmr | Method::Direct);
    if takes_none && !matches!(precond, Auto | None) {
        return Err(UsageError::new(format!(
            "--precond {precond}: method '{method}' takes no preconditioner: leave --precond out, or choose a \
Krylov method such as cg or gmres"
        )));
    }
    engine::check_combination(method, precond).map_err(|_| {
        UsageError::new(format!(
            "--method {method} --precond {precond}: not a combination of this version: leave one of the two to auto"
        ))
    })
}
