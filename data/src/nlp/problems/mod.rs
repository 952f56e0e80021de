//! Built-in problems, by name.
//!
//! [`by_name`] makes one; a name may carry a size or a file after a colon: `control:64`, `rocket:200`, `sphere:100`,
//! `logistic:FILE`. [`list`] has a row for each.

mod control;
mod cops;
mod equality;
mod equations;
mod inequality;
mod libsvm;
mod logistic;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::print_stderr)]
mod tests;

pub use control::PoissonControl;
pub use libsvm::{LibsvmError, SparseSamples, read_libsvm};
pub use logistic::SphereLogistic;

use super::NonlinearProblem;
use super::expression::{Expr, Model, ProblemError};
use std::path::Path;

/// A problem written as a model.
#[derive(Clone, Copy)]
struct Builtin {
    name: &'static str,
    optimum: f64,
    build: fn(&Model),
}

impl Builtin {
    const fn new(name: &'static str, optimum: f64, build: fn(&Model)) -> Self {
        Self { name, optimum, build }
    }

    fn problem(&self) -> Result<Problem, ProblemError> {
        let model = Model::new(self.name);
        (self.build)(&model);
        model.known_optimum(self.optimum);
        Ok(Box::new(model.problem()?))
    }
}

/// x².
fn sq(x: Expr<'_>) -> Expr<'_> {
    x.powi(2)
}

/// A problem of any kind.
pub type Problem = Box<dyn NonlinearProblem + Send>;

/// Sizes that a number after the colon may have.
const MAX_SIZE: usize = 4096;

/// Why there is no such problem.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownProblem {
    /// The name is not known.
    #[error("there is no problem \"{name}\"{}: expected a .nl file, or a name of --list", hint(.nearest))]
    Name {
        /// As it was given.
        name: String,
        /// A name that is spelt like it.
        nearest: Option<String>,
    },
    /// What stands after the colon is no size.
    #[error("\"{name}\" has no size that can be used: expected {family}:N with N from {least} to {MAX_SIZE}")]
    Size {
        /// As it was given.
        name: String,
        /// What stands before the colon.
        family: &'static str,
        /// The smallest size.
        least: usize,
    },
    /// A file of samples cannot be used.
    #[error(transparent)]
    Samples(#[from] LibsvmError),
    /// A model is wrong.
    #[error(transparent)]
    Model(#[from] ProblemError),
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or(String::new(), |name| format!(", did you mean {name}?"))
}

/// What [`list`] says of a problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// To be given to [`by_name`].
    pub name: String,
    /// n.
    pub variables: usize,
    /// m.
    pub constraints: usize,
    /// Whether all constraints are equalities and no variable is bounded.
    pub is_equality_only: bool,
    /// The objective at the known solution.
    pub known_optimum: Option<f64>,
}

fn models() -> impl Iterator<Item = &'static Builtin> {
    equality::PROBLEMS.iter().chain(equations::PROBLEMS).chain(inequality::PROBLEMS)
}

/// The families, as [`list`] shows them.
const FAMILIES: [&str; 3] = ["sphere:10", "control:16", "logistic"];

/// The names of all built-in problems, families with a size of theirs.
pub fn names() -> Vec<String> {
    let cops = cops::FAMILIES.iter().map(|f| f.listed);
    models().map(|b| b.name).chain(FAMILIES).chain(cops).map(str::to_owned).collect()
}

/// The problem called `name`, in upper or lower case; `seed` draws the synthetic ones.
///
/// # Errors
/// [`UnknownProblem`], with the name that is spelt most alike.
pub fn by_name(name: &str, seed: u64) -> Result<Problem, UnknownProblem> {
    if let Some(builtin) = models().find(|b| b.name.eq_ignore_ascii_case(name)) {
        return Ok(builtin.problem()?);
    }
    let (family, rest) = name.split_once(':').map_or((name, None), |(family, rest)| (family, Some(rest)));
    let size = |family: &'static str, default: usize, least: usize| match rest.map(str::parse) {
        None => Ok(default),
        Some(Ok(n)) if (least..=MAX_SIZE).contains(&n) => Ok(n),
        Some(_) => Err(UnknownProblem::Size { name: name.to_owned(), family, least }),
    };
    if let Some(cops) = cops::FAMILIES.iter().find(|f| f.name.eq_ignore_ascii_case(family)) {
        let model = Model::new(name);
        (cops.build)(&model, size(cops.name, cops.default, 2)?);
        return Ok(Box::new(model.problem()?));
    }
    match family.to_ascii_lowercase().as_str() {
        "control" => Ok(Box::new(PoissonControl::new(name, size("control", 16, 2)?))),
        "sphere" => Ok(sphere(name, size("sphere", 10, 2)?)?),
        "logistic" => {
            let samples = match rest {
                Some(file) => read_libsvm(Path::new(file))?,
                None => SparseSamples::synthetic(200, 20, seed),
            };
            Ok(Box::new(SphereLogistic::new(name, samples, seed)))
        }
        _ => Err(UnknownProblem::Name { name: name.to_owned(), nearest: nearest(name) }),
    }
}

/// A row for each problem.
pub fn list() -> Vec<Listed> {
    names()
        .into_iter()
        .filter_map(|name| {
            let problem = by_name(&name, 0).ok()?;
            let (lower, upper) = problem.constraint_bounds();
            Some(Listed {
                variables: problem.variables(),
                constraints: problem.constraints(),
                is_equality_only: lower == upper && problem.variable_bounds().0.is_empty(),
                known_optimum: problem.known_optimum(),
                name,
            })
        })
        .collect()
}

/// min Σ k x_k on the unit sphere: the solution is −k/‖k‖, the objective −√(n(n+1)(2n+1)/6).
fn sphere(name: &str, n: usize) -> Result<Problem, ProblemError> {
    let model = Model::new(name);
    let x = model.variables(&vec![1.0 / (n as f64).sqrt(); n]);
    model.minimize(x.iter().enumerate().map(|(k, x)| (k + 1) as f64 * *x).sum());
    model.equality(x.iter().map(|x| sq(*x)).sum(), 1.0);
    let n = n as f64;
    model.known_optimum(-(n * (n + 1.0) * (2.0 * n + 1.0) / 6.0).sqrt());
    Ok(Box::new(model.problem()?))
}

/// The name with the fewest edits, where those are fewer than half of it.
fn nearest(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let distance = |other: &str| edits(&name, &other.to_ascii_lowercase());
    let best = names().into_iter().min_by_key(|n| distance(n))?;
    (2 * distance(&best) < best.len().max(2)).then_some(best)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, p) in a.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, q) in b.chars().enumerate() {
            let cost = (diagonal + usize::from(p != q)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row.last().copied().unwrap_or(0)
}
