//! Small parallel helpers over the rows of a matrix.

use super::product;
use super::rows::ROWS;
use crate::SolveError;
use rayon::prelude::*;
use residua_data::CsrMatrix;

/// a_ii from the columns and values of row i, zero where nothing is stored.
#[inline]
pub(super) fn diagonal_of_row(i: usize, cols: &[u32], vals: &[f64]) -> f64 {
    cols.iter().zip(vals).find(|&(&j, _)| j as usize == i).map_or(0.0, |(_, &v)| v)
}

/// The diagonal, zero where nothing is stored.
pub(super) fn diagonal(a: &CsrMatrix<f64>) -> Vec<f64> {
    row_map(a, diagonal_of_row)
}

/// max_i Σ_j |a_ij| / |d_i|, a bound of the spectral radius of D⁻¹A; rows with d_i = 0 are left out.
pub(super) fn largest_scaled_row_sum(a: &CsrMatrix<f64>, d: &[f64]) -> f64 {
    (0..a.nrows().div_ceil(ROWS))
        .into_par_iter()
        .map(|block| {
            let rows = block * ROWS..((block + 1) * ROWS).min(a.nrows());
            rows.filter(|&i| d[i] != 0.0)
                .map(|i| a.row(i).1.iter().map(|v| v.abs()).sum::<f64>() / d[i].abs())
                .fold(0.0, f64::max)
        })
        .reduce(|| 0.0, f64::max)
}

/// `f(i, columns, values)` of every row.
pub(super) fn row_map(a: &CsrMatrix<f64>, f: impl Fn(usize, &[u32], &[f64]) -> f64 + Sync) -> Vec<f64> {
    let mut out = vec![0.0; a.nrows()];
    out.par_chunks_mut(ROWS).enumerate().for_each(|(block, out)| {
        for (k, out) in out.iter_mut().enumerate() {
            let i = block * ROWS + k;
            let (cols, vals) = a.row(i);
            *out = f(i, cols, vals);
        }
    });
    out
}

/// The matrix of nodes: the largest modulus of each block of `size` × `size` entries, the diagonal of each node included.
pub(super) fn condense(a: &CsrMatrix<f64>, size: usize) -> Result<CsrMatrix<f64>, SolveError> {
    let nodes = a.nrows() / size;
    let blocks = product::build_csr(nodes, nodes, |node, sum| {
        for i in node * size..(node + 1) * size {
            let (cols, vals) = a.row(i);
            cols.iter().zip(vals).for_each(|(&j, &v)| sum.add(j / size as u32, v * v));
        }
    })?;
    Ok(blocks.map(|v| v.sqrt()))
}

/// One constant vector for each component of a node, by rows.
pub(super) fn translations(n: usize, size: usize) -> Vec<f64> {
    let mut vectors = vec![0.0; n * size];
    (0..n).for_each(|i| vectors[i * size + i % size] = 1.0);
    vectors
}
