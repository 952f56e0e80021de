//! `residua poisson`, checked.

use super::solve::check_combination;
use super::{UsageError, check_omega, make_folder, read_model, stop_rule};
use crate::args::PoissonArgs;
use residua_data::poisson::{PoissonKind, PoissonProblem};
use residua_learned::ModelFile;
use residua_solvers::auto::Options;
use residua_solvers::{Method, PrecondKind, StopRule};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A method with its preconditioner, as `--solver` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SolverChoice {
    pub(crate) method: Method,
    pub(crate) precond: PrecondKind,
    /// CG with matrix-free geometric multigrid on the problem's grid; the other two say no more then.
    pub(crate) geometric: bool,
}

impl SolverChoice {
    const GEOMETRIC: Self = Self { method: Method::Cg, precond: PrecondKind::None, geometric: true };

    fn named(method: Method, precond: PrecondKind) -> Self {
        Self { method, precond, geometric: false }
    }
}

impl fmt::Display for SolverChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.geometric {
            return f.pad("mg");
        }
        match self.precond {
            PrecondKind::Auto | PrecondKind::None => f.pad(self.method.as_str()),
            precond => f.pad(&format!("{}+{precond}", self.method)),
        }
    }
}

/// What `--solver all` runs on symmetric positive definite problems: stationary methods, CG with each
/// preconditioner, the other methods where they have a say, a factorization.
const ALL_SYMMETRIC: &[(Method, PrecondKind)] = &[
    (Method::Jacobi, PrecondKind::None),
    (Method::Sor, PrecondKind::None),
    (Method::Ssor, PrecondKind::None),
    (Method::Cg, PrecondKind::None),
    (Method::Cg, PrecondKind::Jacobi),
    (Method::Cg, PrecondKind::Ssor),
    (Method::Cg, PrecondKind::Ic0),
    (Method::Cg, PrecondKind::Mic0),
    (Method::Cg, PrecondKind::Ict),
    (Method::Cg, PrecondKind::BlockJacobi),
    (Method::Cg, PrecondKind::Chebyshev),
    (Method::Cg, PrecondKind::Amg),
    (Method::Fcg, PrecondKind::Ic0),
    (Method::Minres, PrecondKind::Ic0),
    (Method::Direct, PrecondKind::None),
];

/// ... on the nonsymmetric one.
const ALL_NONSYMMETRIC: &[(Method, PrecondKind)] = &[
    (Method::Jacobi, PrecondKind::None),
    (Method::Sor, PrecondKind::None),
    (Method::Ssor, PrecondKind::None),
    (Method::Gmres, PrecondKind::None),
    (Method::Gmres, PrecondKind::Ilu0),
    (Method::Gmres, PrecondKind::Ilut),
    (Method::Fgmres, PrecondKind::Ilu0),
    (Method::Bicgstab, PrecondKind::None),
    (Method::Bicgstab, PrecondKind::Jacobi),
    (Method::Bicgstab, PrecondKind::Ilu0),
    (Method::Bicgstab, PrecondKind::Ilut),
    (Method::Idrs, PrecondKind::Ilu0),
    (Method::Direct, PrecondKind::None),
];

/// How long each solve may take with `--solver all`, if `--time-limit` does not say: `all` has methods that are hopeless on
/// large problems, and they must not keep the others waiting.
const ALL_TIME_LIMIT: Duration = Duration::from_secs(60);

/// What `residua poisson` has to do.
#[derive(Debug)]
pub(crate) struct PoissonPlan {
    pub(crate) problems: Vec<PoissonProblem>,
    pub(crate) solvers: Vec<SolverChoice>,
    pub(crate) omega: Option<f64>,
    pub(crate) stop: StopRule,
    /// For fcg+learned; none: the one that is built in.
    pub(crate) model: Option<ModelFile>,
    /// How often each case is solved; the median time counts.
    pub(crate) repeat: usize,
    /// Where the systems are written.
    pub(crate) save_matrix: Option<PathBuf>,
    seed: u64,
}

impl PoissonPlan {
    pub(crate) fn new(typed: PoissonArgs, seed: u64) -> Result<Self, UsageError> {
        check_omega(typed.omega)?;
        let mut stop = stop_rule(&typed.stop)?;
        if stop.time_limit.is_none() && typed.solver.iter().any(|name| name == "all") {
            stop.time_limit = Some(ALL_TIME_LIMIT);
        }
        if typed.repeat == 0 {
            return Err(UsageError::new("--repeat 0: expected 1 or more"));
        }
        let kind: PoissonKind =
            typed.problem.parse().map_err(|e| UsageError::new(format!("--problem: {e}")))?;
        let dim = usize::from(typed.dim);
        let problem = |&n: &usize| {
            let problem =
                PoissonProblem { contrast: typed.contrast, seed, ..PoissonProblem::new(kind, dim, n) };
            // Grid and parameters are checked, nothing is assembled yet.
            problem.medium().map(|_| problem).map_err(|e| UsageError::new(e.to_string()))
        };
        let problems = typed.n.iter().map(problem).collect::<Result<Vec<_>, _>>()?;
        let mut solvers = Vec::new();
        for name in &typed.solver {
            solvers.extend(parse_solver(name, kind)?);
        }
        let is_learned = solvers.iter().any(|s| s.precond == PrecondKind::Learned);
        let model = read_model(typed.model.as_deref(), is_learned)?;
        if let Some(model) = model.as_ref().filter(|model| model.dim() != dim) {
            let made_for = model.dim();
            return Err(UsageError::new(format!("--model: made for {made_for}D, the problem is {dim}D")));
        }
        if let Some(folder) = &typed.save_matrix {
            make_folder("--save-matrix", folder)?;
        }
        let (omega, repeat, save_matrix) = (typed.omega, typed.repeat, typed.save_matrix);
        Ok(Self { problems, solvers, omega, stop, model, repeat, save_matrix, seed })
    }

    /// The library's options for one solver.
    pub(crate) fn options(&self, solver: SolverChoice) -> Options {
        let mut options = Options::default();
        (options.method, options.precond) = (solver.method, solver.precond);
        (options.omega, options.seed) = (self.omega, self.seed);
        options
    }
}

/// `all`, `auto`, METHOD or METHOD+PRECOND.
fn parse_solver(name: &str, kind: PoissonKind) -> Result<Vec<SolverChoice>, UsageError> {
    if name == "all" {
        let all = if kind == PoissonKind::Convection { ALL_NONSYMMETRIC } else { ALL_SYMMETRIC };
        let choices = all.iter().map(|&(method, precond)| SolverChoice::named(method, precond));
        let geometric = (kind != PoissonKind::Convection).then_some(SolverChoice::GEOMETRIC);
        return Ok(choices
            .filter(|s| check_combination(s.method, s.precond).is_ok())
            .chain(geometric)
            .collect());
    }
    if name == "mg" || name == "cg+mg" {
        if kind == PoissonKind::Convection {
            return Err(UsageError::new(format!(
                "--solver {name}: geometric multigrid needs a symmetric problem: choose bicgstab+amg or bicgstab+ilu0"
            )));
        }
        return Ok(vec![SolverChoice::GEOMETRIC]);
    }
    let wrong = |e: &dyn fmt::Display| UsageError::new(format!("--solver {name}: {e}"));
    let (method, precond) = match name.split_once('+') {
        Some((method, precond)) => (method, precond.parse().map_err(|e| wrong(&e))?),
        None if name == "auto" => (name, PrecondKind::Auto),
        None => (name, PrecondKind::None),
    };
    let method = method.parse::<Method>().map_err(|e| wrong(&format!("{e}; or all")))?;
    if precond == PrecondKind::Learned && kind == PoissonKind::Convection {
        return Err(wrong(&"the learned preconditioner needs a symmetric problem: choose bicgstab+ilu0"));
    }
    check_combination(method, precond)?;
    Ok(vec![SolverChoice::named(method, precond)])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn solvers_are_named_by_method_and_preconditioner() {
        let one = |name: &str| parse_solver(name, PoissonKind::Constant).map(|all| all[0].to_string());
        for name in ["cg", "cg+ic0", "fcg+learned", "cg+amg", "mg", "sor", "direct", "auto", "gmres+ilu0"] {
            assert_eq!(one(name).unwrap(), name);
        }
        for (name, part) in [
            ("qmr", "bicgstab"),
            ("cg+xyz", "ict"),
            ("cg+learned", "not a combination"),
            ("sor+ic0", "takes no preconditioner"),
        ] {
            let error = one(name).unwrap_err().to_string();
            assert!(error.contains(part), "{name}: {error}");
        }
    }

    #[test]
    fn all_has_something_for_each_kind() {
        for kind in PoissonKind::ALL {
            let all = parse_solver("all", kind).unwrap();
            assert!(all.len() > 5);
            let has_cg = all.iter().any(|s| s.method == Method::Cg);
            assert_eq!(has_cg, kind != PoissonKind::Convection, "CG needs symmetry");
        }
    }
}
