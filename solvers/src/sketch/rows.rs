//! The matrix of a sketch-and-project solve.

use crate::SolveError;
use residua_data::CsrMatrix;

/// A sparse matrix by rows; values may change while the object and its memory stay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseRows {
    pub(crate) starts: Vec<usize>,
    pub(crate) columns: Vec<u32>,
    pub(crate) values: Vec<f64>,
    pub(crate) ncols: usize,
}

impl SparseRows {
    /// `starts` has one entry more than there are rows; row i is `columns[starts[i]..starts[i + 1]]`, each column once.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`] if the three do not fit together or a column is not below `ncols`.
    pub fn new(
        starts: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<f64>,
        ncols: usize,
    ) -> Result<Self, SolveError> {
        let mismatch = |what, expected, found| SolveError::DimensionMismatch { what, expected, found };
        if starts.first() != Some(&0) || starts.windows(2).any(|w| w[0] > w[1]) {
            return Err(mismatch(
                "the first of the ascending row starts",
                0,
                starts.first().map_or(1, |s| *s),
            ));
        }
        if starts.last() != Some(&columns.len()) {
            return Err(mismatch("the columns", starts.last().map_or(0, |s| *s), columns.len()));
        }
        if values.len() != columns.len() {
            return Err(mismatch("the values", columns.len(), values.len()));
        }
        if let Some(&j) = columns.iter().find(|&&j| j as usize >= ncols) {
            return Err(mismatch("a row with its last column", ncols, j as usize + 1));
        }
        Ok(Self { starts, columns, values, ncols })
    }

    /// Number of rows.
    pub fn nrows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Number of columns.
    pub fn ncols(&self) -> usize {
        self.ncols
    }

    /// Number of stored entries.
    pub fn nnz(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.starts[i]..self.starts[i + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    pub(crate) fn row_dot(&self, i: usize, z: &[f64]) -> f64 {
        let (columns, values) = self.row(i);
        columns.iter().zip(values).map(|(&j, v)| v * z[j as usize]).sum()
    }

    /// z ← z + a A_i.
    pub(crate) fn add_row(&self, i: usize, a: f64, z: &mut [f64]) {
        let (columns, values) = self.row(i);
        columns.iter().zip(values).for_each(|(&j, v)| z[j as usize] += a * v);
    }

    /// ‖b − A z‖₂.
    pub(crate) fn residual_norm(&self, b: &[f64], z: &[f64]) -> f64 {
        (0..self.nrows()).map(|i| (b[i] - self.row_dot(i, z)).powi(2)).sum::<f64>().sqrt()
    }
}

impl From<&CsrMatrix<f64>> for SparseRows {
    fn from(a: &CsrMatrix<f64>) -> Self {
        Self {
            starts: a.row_ptr().iter().map(|&s| s as usize).collect(),
            columns: a.col_idx().to_vec(),
            values: a.values().to_vec(),
            ncols: a.ncols(),
        }
    }
}
