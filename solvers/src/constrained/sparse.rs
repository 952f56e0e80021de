//! The two sparse matrices of a Newton system, in the patterns of the problem.

use residua_data::nlp::SparsePattern;

/// A sparse matrix by rows whose values are overwritten at every point.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) starts: Vec<usize>,
    pub(crate) columns: Vec<u32>,
    pub(crate) values: Vec<f64>,
    pub(crate) ncols: usize,
}

impl Rows {
    pub(crate) fn new(starts: Vec<usize>, columns: Vec<u32>, ncols: usize) -> Self {
        let values = vec![0.0; columns.len()];
        Self { starts, columns, values, ncols }
    }

    pub(crate) fn nrows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(crate) fn nnz(&self) -> usize {
        self.columns.len()
    }

    /// Columns and values of row i.
    pub(crate) fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.starts[i]..self.starts[i + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// y ← A x.
    pub(crate) fn multiply(&self, x: &[f64], y: &mut [f64]) {
        for (i, y) in y.iter_mut().enumerate() {
            let (columns, values) = self.row(i);
            *y = columns.iter().zip(values).map(|(&j, v)| v * x[j as usize]).sum();
        }
    }

    /// y ← y + a Aᵀ x.
    pub(crate) fn add_transposed(&self, a: f64, x: &[f64], y: &mut [f64]) {
        for (i, x) in x.iter().enumerate() {
            let (columns, values) = self.row(i);
            for (&j, v) in columns.iter().zip(values) {
                y[j as usize] += a * x * v;
            }
        }
    }

    /// y ← S x for the symmetric S of which this is the lower triangle.
    pub(crate) fn multiply_symmetric(&self, x: &[f64], y: &mut [f64]) {
        y.fill(0.0);
        for i in 0..self.nrows() {
            let (columns, values) = self.row(i);
            let mut sum = 0.0;
            for (&j, v) in columns.iter().zip(values) {
                let j = j as usize;
                sum += v * x[j];
                if j != i {
                    y[j] += v * x[i];
                }
            }
            y[i] += sum;
        }
    }

    /// ‖A‖_F, or that of the symmetric matrix with this lower triangle.
    pub(crate) fn frobenius(&self, symmetric: bool) -> f64 {
        let mut sum = 0.0;
        for i in 0..self.nrows() {
            let (columns, values) = self.row(i);
            for (&j, v) in columns.iter().zip(values) {
                sum += if symmetric && j as usize != i { 2.0 * v * v } else { v * v };
            }
        }
        sum.sqrt()
    }
}

/// Why `pattern` is no pattern of `nrows` rows and `ncols` columns (below or on the diagonal if `lower`).
pub(crate) fn pattern_fault(
    pattern: &SparsePattern,
    nrows: usize,
    ncols: usize,
    lower: bool,
) -> Option<(usize, &'static str)> {
    let starts = &pattern.row_starts;
    if starts.len() != nrows + 1 {
        return Some((starts.len().saturating_sub(1).min(nrows), "it has another number of rows"));
    }
    if starts[0] != 0 || starts[nrows] != pattern.columns.len() {
        return Some((0, "its row starts do not begin with 0 and end with the number of entries"));
    }
    for i in 0..nrows {
        if starts[i] > starts[i + 1] || starts[i + 1] > pattern.columns.len() {
            return Some((i, "its row starts decrease"));
        }
        let row = &pattern.columns[starts[i]..starts[i + 1]];
        if row.windows(2).any(|w| w[0] >= w[1]) {
            return Some((i, "its columns do not ascend"));
        }
        let limit = if lower { i + 1 } else { ncols };
        if row.last().is_some_and(|&j| j as usize >= limit) {
            return Some((i, if lower { "a column is above the diagonal" } else { "a column is too large" }));
        }
    }
    None
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(crate) fn norm2(a: &[f64]) -> f64 {
    let max = norm_inf(a);
    if max == 0.0 || !max.is_finite() {
        return max;
    }
    if max > 1e-100 && max < 1e100 {
        return dot(a, a).sqrt();
    }
    max * a.iter().map(|v| (v / max) * (v / max)).sum::<f64>().sqrt()
}

/// Σ |a_i|.
pub(crate) fn one_norm(a: &[f64]) -> f64 {
    a.iter().map(|v| v.abs()).sum()
}

/// max |a_i|, NaN if an entry is NaN.
pub(crate) fn norm_inf(a: &[f64]) -> f64 {
    a.iter().fold(0.0, |m: f64, v| if v.is_nan() || m.is_nan() { f64::NAN } else { m.max(v.abs()) })
}

/// Entry i of a vector to start an iteration for eigenvectors from: any that is not orthogonal to the one that is looked for.
/// Multiples of the golden ratio fill [−½, ½].
pub(crate) fn scattered(i: usize) -> f64 {
    ((i + 1) as f64 * 0.618_033_988_749_895).fract() - 0.5
}

pub(crate) fn all_finite(a: &[f64]) -> bool {
    a.iter().all(|v| v.is_finite())
}
