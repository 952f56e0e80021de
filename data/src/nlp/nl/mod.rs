//! `.nl` files, in which AMPL, Pyomo and JuMP pass a model to a solver, and `.sol` files, in which they read the
//! answer.
//!
//! The format is that of D. M. Gay, *Writing .nl files* (2005) and *Hooking your solver to AMPL* (1997): a header of ten
//! lines, then segments, each begun by a letter: C and O nonlinear expressions, V defined variables, J and G linear
//! parts, r and b bounds, x and d a start, k sizes of columns, S suffixes (read over). Text (`g`) and binary (`b`) files
//! are read. Integer variables, user-defined functions, logical constraints and complementarity are refused by name.

mod error;
mod expression;
mod header;
mod reader;
mod scan;
mod sol;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::print_stderr)]
mod tests;

pub use error::NlError;
pub use sol::{SolveResult, write_sol};

use super::expression::ExpressionProblem;
use std::path::{Path, PathBuf};

/// A model as it was read.
#[derive(Debug)]
pub struct NlModel {
    /// The problem; a maximised objective F is given as f = −F.
    pub problem: ExpressionProblem,
    options: Vec<i64>,
    tolerance: Option<f64>,
    is_binary: bool,
}

impl NlModel {
    /// Whether the file was binary.
    pub fn is_binary(&self) -> bool {
        self.is_binary
    }
}

/// Reads a file; a stem without its ending `.nl` is understood.
///
/// # Errors
/// [`NlError`], one line with the file, the line and what was expected.
pub fn read(path: &Path) -> Result<NlModel, NlError> {
    let path = path_of(path);
    let file = path.display().to_string();
    let bytes = std::fs::read(&path).map_err(|error| {
        let text = error.to_string();
        let plain = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
        NlError::in_file(&file, format!("cannot be read ({plain})"), "a .nl file")
    })?;
    let name = path.file_stem().map_or(file.clone(), |stem| stem.to_string_lossy().into_owned());
    reader::read(&file, &name, &bytes)
}

/// Reads the content of a file; `name` is for errors and tables.
///
/// # Errors
/// [`NlError`].
pub fn read_bytes(name: &str, bytes: &[u8]) -> Result<NlModel, NlError> {
    reader::read(name, name, bytes)
}

/// The file that `path` means: itself, or with `.nl` added where only that exists.
pub fn path_of(path: &Path) -> PathBuf {
    let mut longer = path.as_os_str().to_owned();
    longer.push(".nl");
    let longer = PathBuf::from(longer);
    if !path.is_file() && longer.is_file() { longer } else { path.to_path_buf() }
}
