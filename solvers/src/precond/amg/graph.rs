//! The graph of strong couplings of a matrix, in compressed rows without the diagonal.

use super::options::Strength;
use super::rows::{ROWS, split_by_rows};
use super::util::{diagonal, row_map};
use rayon::prelude::*;
use residua_data::CsrMatrix;

/// Strong neighbours of each row.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    offsets: Vec<u32>,
    neighbours: Vec<u32>,
}

impl Graph {
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    #[inline]
    pub(super) fn of(&self, i: usize) -> &[u32] {
        &self.neighbours[self.offsets[i] as usize..self.offsets[i + 1] as usize]
    }

    /// The entries (i, j, a_ij) of `a` off the diagonal that `keep` accepts. Two passes: count, fill.
    pub(super) fn filtered(a: &CsrMatrix<f64>, keep: impl Fn(usize, usize, f64) -> bool + Sync) -> Self {
        let n = a.nrows();
        let mut offsets = vec![0u32; n + 1];
        offsets[1..].par_chunks_mut(ROWS).enumerate().for_each(|(block, counts)| {
            for (k, count) in counts.iter_mut().enumerate() {
                let i = block * ROWS + k;
                let (cols, vals) = a.row(i);
                *count = cols
                    .iter()
                    .zip(vals)
                    .filter(|&(&j, &v)| j as usize != i && keep(i, j as usize, v))
                    .count() as u32;
            }
        });
        for i in 0..n {
            offsets[i + 1] += offsets[i];
        }
        let mut neighbours = vec![0u32; offsets[n] as usize];
        split_by_rows(&offsets, &mut neighbours).into_par_iter().for_each(|(first, out)| {
            let mut out = out.iter_mut();
            for i in first..(first + ROWS).min(n) {
                let (cols, vals) = a.row(i);
                for (&j, &v) in cols.iter().zip(vals) {
                    if j as usize != i
                        && keep(i, j as usize, v)
                        && let Some(slot) = out.next()
                    {
                        *slot = j;
                    }
                }
            }
        });
        Self { offsets, neighbours }
    }

    /// The strong couplings of `a` by a rule on its entries.
    pub(super) fn strong(a: &CsrMatrix<f64>, strength: Strength, level: usize) -> Self {
        match strength {
            Strength::Symmetric { threshold } => {
                let theta = threshold * 0.5f64.powi(level as i32);
                let theta_sq = theta * theta;
                let d = diagonal(a);
                Self::filtered(a, |i, j, v| v != 0.0 && v * v > theta_sq * (d[i] * d[j]).abs())
            }
            Strength::Classical { threshold } => {
                let largest = row_map(a, |i, cols, vals| {
                    let others = cols.iter().zip(vals).filter(|&(&j, _)| j as usize != i);
                    others.map(|(_, &v)| -v).fold(0.0, f64::max)
                });
                Self::filtered(a, |i, j, v| v < 0.0 && -v >= threshold * largest[i].min(largest[j]))
            }
        }
    }
}
