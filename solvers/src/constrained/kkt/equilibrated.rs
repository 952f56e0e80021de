//! S K S with S diagonal, so that the largest entry of each row is about one.
//!
//! The entries of Σ grow without bound as variables near their bounds, those of H with the multipliers, while those of J stay:
//! regularisation and zero pivots can only be told where all rows are alike. Ruiz (2001), RAL-TR-2001-034: s_i ← s_i / √max_j |k_ij|,
//! repeatedly. Congruence keeps the inertia (Sylvester).
//!
//! [`Equilibration`](crate::scaling::Equilibration) does the same for a matrix that is solved once: to the end, on logarithms, in
//! vectors of its own. K has new values at every Newton step, and a few rounds in place are enough.

use super::KktSystem;
use crate::constrained::sparse::Rows;

/// Rounds.
const ROUNDS: usize = 4;

/// The lower triangle of S K S by rows, each of which ends with its diagonal.
pub(super) struct Equilibrated {
    pub(super) starts: Vec<u32>,
    pub(super) columns: Vec<u32>,
    pub(super) values: Vec<f64>,
    /// The diagonal of S.
    scale: Vec<f64>,
    row_max: Vec<f64>,
}

impl Equilibrated {
    /// The pattern of K; the rows of `h` end with the diagonal.
    pub(super) fn new(h: &Rows, j: &Rows) -> Self {
        let n = h.nrows();
        let (mut starts, mut columns) = (vec![0u32], Vec::with_capacity(h.nnz() + j.nnz() + j.nrows()));
        for i in 0..n {
            columns.extend_from_slice(h.row(i).0);
            starts.push(columns.len() as u32);
        }
        for i in 0..j.nrows() {
            columns.extend_from_slice(j.row(i).0);
            columns.push((n + i) as u32);
            starts.push(columns.len() as u32);
        }
        let size = starts.len() - 1;
        Self { starts, columns, values: Vec::new(), scale: vec![1.0; size], row_max: vec![0.0; size] }
    }

    pub(super) fn size(&self) -> usize {
        self.scale.len()
    }

    /// Takes the values of K and scales them.
    pub(super) fn set(&mut self, system: &KktSystem<'_>, h: &Rows) {
        self.values.clear();
        for i in 0..h.nrows() {
            self.values.extend_from_slice(h.row(i).1);
            if let Some(last) = self.values.last_mut() {
                *last += system.diagonal[i] + system.delta_w;
            }
        }
        for i in 0..system.j.nrows() {
            self.values.extend_from_slice(system.j.row(i).1);
            self.values.push(-system.delta_c);
        }
        let Self { starts, columns, values, scale, row_max } = self;
        let entries = |i: usize| starts[i] as usize..starts[i + 1] as usize;
        scale.fill(1.0);
        for _ in 0..ROUNDS {
            row_max.fill(0.0);
            for i in 0..scale.len() {
                for k in entries(i) {
                    let j = columns[k] as usize;
                    let v = (scale[i] * values[k] * scale[j]).abs();
                    row_max[i] = row_max[i].max(v);
                    row_max[j] = row_max[j].max(v);
                }
            }
            for (s, max) in scale.iter_mut().zip(&*row_max) {
                if *max > 0.0 && max.is_finite() {
                    *s /= max.sqrt();
                }
            }
        }
        for i in 0..scale.len() {
            for k in entries(i) {
                values[k] *= scale[i] * scale[columns[k] as usize];
            }
        }
    }

    /// Adds ε to the first `n` diagonals and −ε to the others.
    pub(super) fn regularise(&mut self, n: usize, epsilon: f64) {
        for (i, end) in self.starts[1..].iter().enumerate() {
            self.values[*end as usize - 1] += if i < n { epsilon } else { -epsilon };
        }
    }

    /// b ← S b, before and after a solve with the factors of S K S.
    pub(super) fn scale(&self, b: &mut [f64]) {
        b.iter_mut().zip(&self.scale).for_each(|(b, s)| *b *= s);
    }
}
