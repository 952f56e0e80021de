//! Compressed rows in single precision: the matrices and transfers of coarse levels.

use rayon::prelude::*;

/// Rows of one task.
const CHUNK: usize = 2048;

/// Rows below which a pass is over before a second thread has woken up.
const MIN_PARALLEL: usize = 1 << 14;

/// A sparse matrix by rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// Entries of row i: `first[i]..first[i + 1]`.
    pub(super) first: Vec<u32>,
    pub(super) index: Vec<u32>,
    pub(super) value: Vec<f32>,
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.first.len().saturating_sub(1)
    }

    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> impl Iterator<Item = (usize, f32)> {
        let range = self.first[i] as usize..self.first[i + 1] as usize;
        self.index[range.clone()].iter().zip(&self.value[range]).map(|(&j, &v)| (j as usize, v))
    }

    /// Σ_j M_ij x_j.
    #[inline(always)]
    pub(super) fn dot(&self, i: usize, x: &[f32]) -> f32 {
        self.row(i).map(|(j, v)| v * x[j]).sum()
    }

    /// The transpose, of `columns` columns; entries of a row by increasing index.
    pub(super) fn transpose(&self, columns: usize) -> Self {
        let mut first = vec![0u32; columns + 1];
        self.index.iter().for_each(|&j| first[j as usize + 1] += 1);
        (0..columns).for_each(|j| first[j + 1] += first[j]);
        let mut next = first.clone();
        let (mut index, mut value) = (vec![0; self.index.len()], vec![0.0; self.index.len()]);
        for i in 0..self.len() {
            for (j, v) in self.row(i) {
                let at = next[j] as usize;
                (index[at], value[at]) = (i as u32, v);
                next[j] += 1;
            }
        }
        Self { first, index, value }
    }
}

/// y_i ← value(i) for all i, threaded where it pays; rows do not depend on each other, so neither does the result on
/// threads.
pub(super) fn for_each_row(y: &mut [f32], value: impl Fn(usize) -> f32 + Sync) {
    let fill = |(c, y): (usize, &mut [f32])| {
        y.iter_mut().enumerate().for_each(|(k, y)| *y = value(c * CHUNK + k));
    };
    if y.len() < MIN_PARALLEL {
        y.chunks_mut(CHUNK).enumerate().for_each(fill);
    } else {
        y.par_chunks_mut(CHUNK).enumerate().for_each(fill);
    }
}
