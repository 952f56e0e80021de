//! The geometries of a folder: matrices with grid metadata, and masks.

use super::learned;
use crate::cases::{COMPANION_SUFFIXES, Source, has_matrix_ending, stem};
use residua_data::arrays;
use residua_learned::train::{Geometry, mask_problem};
use std::path::{Path, PathBuf};

/// All of `folder` that suit grids of `dim` dimensions, by name.
///
/// # Errors
/// One line: the first file that cannot be used, or that there is none.
pub(crate) fn read_folder(folder: &Path, dim: usize) -> Result<Vec<Geometry>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let lower = name.to_ascii_lowercase();
        let own = stem(Path::new(&lower));
        let is_companion = COMPANION_SUFFIXES.iter().any(|end| own.ends_with(end));
        let problem = if has_matrix_ending(&path) && !is_companion {
            of_matrix(&path)
        } else if lower.ends_with(".png") || lower.ends_with(".npy") {
            of_mask(&path)
        } else {
            continue;
        };
        let problem = problem.map_err(|e| format!("{}:1: {e}", path.display()))?;
        let axes = problem.dims.iter().filter(|&&n| n > 1).count();
        if axes != dim {
            return Err(format!(
                "{}:1: has {axes} dimensions: expected {dim}, as --dim says",
                path.display()
            ));
        }
        all.push(Geometry { name, problem });
    }
    if all.is_empty() {
        return Err(format!("{}: no .mtx, .png or .npy file: expected a geometry or more", folder.display()));
    }
    Ok(all)
}

fn of_matrix(path: &Path) -> Result<residua_solvers::precond::multigrid::GridProblem, String> {
    let grid = learned::metadata_of(&Source::File(path.to_owned()))?;
    let read = residua_data::matrix_market::read_csr::<f64>(path).map_err(|e| e.to_string())?;
    grid.problem(&read.matrix).map_err(|e| e.to_string())
}

/// Rows of a mask are y, columns x; open is what is larger than half of the largest value.
fn of_mask(path: &Path) -> Result<residua_solvers::precond::multigrid::GridProblem, String> {
    let mask = arrays::read(path).map_err(|e| e.to_string())?;
    let largest = mask.values.iter().fold(0.0f64, |largest, &v| largest.max(v));
    let is_open: Vec<bool> = mask.values.iter().map(|&v| v > 0.5 * largest).collect();
    mask_problem(&[mask.cols, mask.rows], &is_open).map_err(|e| e.to_string())
}
