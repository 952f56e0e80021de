//! The `.sol` file, in which AMPL, Pyomo and JuMP read an answer.

use super::{NlError, NlModel};
use crate::nlp::NonlinearProblem;
use crate::whole_file;
use std::fmt::Write as _;
use std::path::Path;

/// The kind of an answer, by AMPL's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SolveResult {
    /// Solved: 0.
    Solved,
    /// No point satisfies the constraints, or none was found near: 200.
    Infeasible,
    /// The objective has no limit: 300.
    Unbounded,
    /// A limit was reached: 400.
    Limit,
    /// It failed: 500.
    Failure,
    /// Interrupted by the user: 600.
    Interrupted,
}

impl SolveResult {
    /// The number in the last line of the file.
    pub fn code(self) -> u32 {
        match self {
            Self::Solved => 0,
            Self::Infeasible => 200,
            Self::Unbounded => 300,
            Self::Limit => 400,
            Self::Failure => 500,
            Self::Interrupted => 600,
        }
    }
}

impl NlModel {
    /// The text of the `.sol` file for the point `x` (length n) and multipliers `lambda` (length m) of the Lagrangian
    /// f + λᵀ c, f as [`NonlinearProblem::objective`] gives it.
    pub fn solution_text(&self, message: &str, x: &[f64], lambda: &[f64], result: SolveResult) -> String {
        let mut text = String::new();
        // An empty line ends the message.
        let lines = message.lines().map(|l| if l.trim().is_empty() { " " } else { l });
        lines.for_each(|line| {
            let _ = writeln!(text, "{line}");
        });
        let extra = if self.tolerance.is_some() { 2 } else { 0 };
        let _ = writeln!(text, "\nOptions\n{}", self.options.len() + extra);
        self.options.iter().for_each(|option| {
            let _ = writeln!(text, "{option}");
        });
        let (m, n) = (self.problem.constraints(), self.problem.variables());
        let _ = writeln!(text, "{m}\n{}\n{n}\n{}", lambda.len(), x.len());
        if let Some(tolerance) = self.tolerance {
            let _ = writeln!(text, "{tolerance:?}");
        }
        let sign = if self.problem.is_maximised() { 1.0 } else { -1.0 };
        lambda.iter().map(|l| sign * l).chain(x.iter().copied()).for_each(|v| {
            let _ = writeln!(text, "{}", v + 0.0);
        });
        let _ = writeln!(text, "objno 0 {}", result.code());
        text
    }
}

/// Writes `text` at `path` as a whole or not at all: beside it first, then renamed.
///
/// # Errors
/// [`NlError`] where the folder cannot be written.
pub fn write_sol(path: &Path, text: &str) -> Result<(), NlError> {
    whole_file::write_bytes(path, text.as_bytes()).map_err(|error| {
        NlError::in_file(
            &path.display().to_string(),
            format!("cannot be written ({error})"),
            "a writable folder with room",
        )
    })
}
