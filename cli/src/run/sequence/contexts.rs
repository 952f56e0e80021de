//! What the choice may look at, system by system.

use crate::plan::{ContextKind, SequencePlan, Source};
use residua::sequence::{diagonal_shift, mean_diagonal};
use residua_data::CsrMatrix;
use residua_data::sequence::Sequence;
use std::path::Path;

/// Features of each system and their bounds.
pub(super) struct Contexts {
    kind: Kind,
    /// Lowest and highest value of each feature.
    pub(super) bounds: Vec<(f64, f64)>,
}

enum Kind {
    Own,
    Matrix(fn(&CsrMatrix) -> f64),
    /// One line a system.
    Table(Vec<Vec<f64>>),
}

impl Contexts {
    pub(super) fn new(plan: &SequencePlan) -> Result<Self, String> {
        let of_matrix = match &plan.context {
            ContextKind::Own => None,
            ContextKind::Trace => Some(mean_diagonal as fn(&CsrMatrix) -> f64),
            ContextKind::Shift => Some(diagonal_shift as fn(&CsrMatrix) -> f64),
            ContextKind::File(path) => {
                let table = read_table(path)?;
                let bounds = bounds_of(&table);
                return Ok(Self { kind: Kind::Table(table), bounds });
            }
        };
        let mut sequence = plan.open().map_err(|e| e.to_string())?;
        let Some(feature) = of_matrix else {
            return Ok(Self { kind: Kind::Own, bounds: sequence.context_bounds().to_vec() });
        };
        // A folder is read once for the bounds; a simulation's matrices do not depend on the solutions.
        let mut found: Vec<Vec<f64>> = Vec::new();
        let is_folder = matches!(plan.source, Source::Folder(_));
        let most = sequence.len_hint().unwrap_or(usize::MAX);
        for _ in 0..most {
            match sequence.advance(&[]) {
                Ok(true) => found.push(vec![feature(sequence.matrix())]),
                Ok(false) => break,
                Err(_) if is_folder => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(Self { kind: Kind::Matrix(feature), bounds: bounds_of(&found) })
    }

    /// The features of the present system, the `index`-th from 0.
    pub(super) fn of(&self, sequence: &dyn Sequence, index: usize) -> Result<Vec<f64>, String> {
        match &self.kind {
            Kind::Own => Ok(sequence.context().to_vec()),
            Kind::Matrix(feature) => Ok(vec![feature(sequence.matrix())]),
            Kind::Table(table) => table.get(index).cloned().ok_or_else(|| {
                format!(
                    "--context: {} lines for system {}: expected a line for each system",
                    table.len(),
                    index + 1
                )
            }),
        }
    }
}

/// Lowest and highest value of each column.
fn bounds_of(table: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let columns = table.first().map_or(0, Vec::len);
    let column = |j: usize| table.iter().map(move |row| row[j]);
    (0..columns)
        .map(|j| (column(j).fold(f64::INFINITY, f64::min), column(j).fold(f64::NEG_INFINITY, f64::max)))
        .collect()
}

/// A table of numbers, as many in each line; a first line of names is passed over.
fn read_table(path: &Path) -> Result<Vec<Vec<f64>>, String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| format!("{name}: cannot be read ({e})"))?;
    let mut table: Vec<Vec<f64>> = Vec::new();
    for (k, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let values: Result<Vec<f64>, _> = line.split(',').map(|word| word.trim().parse::<f64>()).collect();
        let values = match values {
            Ok(values) if values.iter().all(|v| v.is_finite()) => values,
            Err(_) if k == 0 => continue,
            _ => {
                return Err(format!(
                    "{name}:{}: not a line of finite numbers: expected commas between",
                    k + 1
                ));
            }
        };
        if table.first().is_some_and(|first| first.len() != values.len()) {
            return Err(format!("{name}:{}: {} numbers: expected {}", k + 1, values.len(), table[0].len()));
        }
        table.push(values);
    }
    if table.is_empty() {
        Err(format!("{name}:1: no numbers: expected a line for each system"))
    } else {
        Ok(table)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_and_bad_lines_named() {
        let dir = tempfile::tempdir().unwrap();
        let write = |text: &str| {
            let path = dir.path().join("c.csv");
            std::fs::write(&path, text).unwrap();
            path
        };
        let table = read_table(&write("kappa, t\n1, 2\n\n3,4\n")).unwrap();
        assert_eq!(bounds_of(&table), [(1.0, 3.0), (2.0, 4.0)]);
        for (text, line) in [("1\nx\n", ":2:"), ("1,2\n3\n", ":2:"), ("", ":1:"), ("1\nnan\n", ":2:")] {
            assert!(read_table(&write(text)).unwrap_err().contains(line), "{text:?}");
        }
    }
}
