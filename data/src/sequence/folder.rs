//! Systems from the Matrix Market files of a folder, one at a time.

use super::{Sequence, SequenceError, checked_solution};
use crate::CsrMatrix;
use crate::matrix_market;
use std::fs;
use std::path::{Path, PathBuf};

/// Ends of the names of right-hand sides, in the order in which they are looked for.
const RHS_SUFFIXES: [&str; 2] = ["_b", "_rhs1"];

/// Ends of the names of files that belong to another.
const COMPANION_SUFFIXES: [&str; 3] = ["_b", "_rhs1", "_x"];

/// The `.mtx` and `.mtx.gz` files of a folder as a sequence, in the order of their names, byte by byte
/// (`step10` comes before `step9`, but after `step09`).
///
/// `NAME_b.mtx` or `NAME_rhs1.mtx` beside `NAME.mtx`, compressed or not, is its right-hand side, with one
/// column; without one b = A·1. These and `NAME_x.mtx` are no systems of their own. Folders within the
/// folder are not entered.
///
/// A system is read when it is its turn, and replaces the one before. The files need not have one pattern,
/// nor one size. There is no context, and no guess unless
/// [`with_last_solution_as_guess`](Self::with_last_solution_as_guess) asks for it.
#[derive(Debug, Clone)]
pub struct SystemFolder {
    /// A matrix, and its right-hand side where there is one.
    files: Vec<(PathBuf, Option<PathBuf>)>,
    /// Files that were begun, of which the last is the present one.
    begun: usize,
    matrix: CsrMatrix<f64>,
    rhs: Vec<f64>,
    keep_solution: bool,
    guess: Vec<f64>,
}

impl SystemFolder {
    /// Lists the folder; reads no file.
    ///
    /// # Errors
    /// [`SequenceError`] if the folder cannot be listed or has no matrix in it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SequenceError> {
        let path = path.as_ref();
        let listed = fs::read_dir(path).and_then(|entries| entries.map(|e| Ok(e?.path())).collect());
        let mut found: Vec<PathBuf> =
            listed.map_err(|source| SequenceError::Folder { path: path.display().to_string(), source })?;
        found.retain(|file| has_matrix_ending(file) && file.is_file());
        found.sort();
        let is_companion: Vec<bool> = found.iter().map(|file| belongs_to_another(file)).collect();
        let files: Vec<_> = found
            .into_iter()
            .zip(is_companion)
            .filter(|(_, is_companion)| !is_companion)
            .map(|(file, _)| {
                let rhs = sibling_rhs(&file);
                (file, rhs)
            })
            .collect();
        if files.is_empty() {
            return Err(SequenceError::EmptyFolder { path: path.display().to_string() });
        }
        let matrix = CsrMatrix::identity(0)?;
        Ok(Self { files, begun: 0, matrix, rhs: Vec::new(), keep_solution: false, guess: Vec::new() })
    }

    /// The same with each solution as the guess for the next system, if that has the same size. Default:
    /// no guess, as nothing says that the systems are near each other.
    #[must_use]
    pub fn with_last_solution_as_guess(self) -> Self {
        Self { keep_solution: true, ..self }
    }

    /// The files of the matrices, in their order.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &Path> {
        self.files.iter().map(|(file, _)| file.as_path())
    }

    fn read(&mut self, index: usize) -> Result<(), SequenceError> {
        let (file, rhs_file) = &self.files[index];
        let matrix = matrix_market::read_csr::<f64>(file)?.matrix;
        let path = file.display().to_string();
        let (nrows, ncols) = (matrix.nrows(), matrix.ncols());
        if nrows != ncols {
            return Err(SequenceError::NotSquare { path, nrows, ncols });
        }
        let rhs = match rhs_file {
            None => {
                let mut rhs = vec![0.0; nrows];
                matrix.multiply(&vec![1.0; ncols], &mut rhs);
                rhs
            }
            Some(rhs_file) => {
                let rhs = matrix_market::read_dense::<f64>(rhs_file)?.matrix;
                if (rhs.nrows(), rhs.ncols()) != (nrows, 1) {
                    return Err(SequenceError::RhsShape {
                        path: rhs_file.display().to_string(),
                        nrows: rhs.nrows(),
                        ncols: rhs.ncols(),
                        expected: nrows,
                        matrix: path,
                    });
                }
                rhs.into_values()
            }
        };
        (self.matrix, self.rhs) = (matrix, rhs);
        Ok(())
    }
}

impl Sequence for SystemFolder {
    /// After an error with a file the matrix and the right-hand side are still those of the system before; the
    /// label is the file's. The next call goes on to the next file.
    fn advance(&mut self, solution: &[f64]) -> Result<bool, SequenceError> {
        if let Some(solution) = checked_solution(solution, self.rhs.len())?
            && self.keep_solution
        {
            self.guess.clear();
            self.guess.extend_from_slice(solution);
        }
        if self.begun == self.files.len() {
            return Ok(false);
        }
        self.begun += 1;
        self.read(self.begun - 1)?;
        Ok(true)
    }

    fn matrix(&self) -> &CsrMatrix<f64> {
        &self.matrix
    }

    fn rhs(&self) -> &[f64] {
        &self.rhs
    }

    fn guess(&self) -> Option<&[f64]> {
        (!self.guess.is_empty() && self.guess.len() == self.rhs.len()).then_some(&self.guess)
    }

    fn context(&self) -> &[f64] {
        &[]
    }

    fn context_bounds(&self) -> &[(f64, f64)] {
        &[]
    }

    fn label(&self) -> String {
        let last = self.begun.checked_sub(1).and_then(|index| self.files.get(index));
        last.map_or_else(String::new, |(file, _)| file.display().to_string())
    }

    fn fixed_pattern(&self) -> bool {
        false
    }

    fn len_hint(&self) -> Option<usize> {
        Some(self.files.len())
    }
}

/// The file name without `.mtx` and `.gz`.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let lower = name.to_ascii_lowercase();
    let ending = [".mtx.gz", ".mtx"].into_iter().find(|e| lower.ends_with(e)).map_or(0, str::len);
    name[..name.len() - ending].to_owned()
}

fn has_matrix_ending(path: &Path) -> bool {
    path.file_name().is_some_and(|name| stem(path).len() < name.to_string_lossy().len())
}

/// `STEM.mtx` or `STEM.mtx.gz` beside `path`.
fn sibling(path: &Path, stem: &str) -> Option<PathBuf> {
    ["mtx", "mtx.gz"].map(|e| path.with_file_name(format!("{stem}.{e}"))).into_iter().find(|p| p.is_file())
}

fn sibling_rhs(path: &Path) -> Option<PathBuf> {
    let name = stem(path);
    RHS_SUFFIXES.iter().find_map(|suffix| sibling(path, &format!("{name}{suffix}")))
}

fn belongs_to_another(path: &Path) -> bool {
    let name = stem(path);
    COMPANION_SUFFIXES.iter().any(|suffix| {
        name.strip_suffix(suffix).is_some_and(|base| !base.is_empty() && sibling(path, base).is_some())
    })
}
