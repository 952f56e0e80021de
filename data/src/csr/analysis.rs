//! Facts about a matrix that decide which method fits it; every check is O(nnz), stops at the first
//! counter-example, and builds no transpose.
//!
//! Symmetry is found by one scan with a cursor into each row: columns increase in a row, so while rows
//! i = 0, 1, … are read, the entries (i, j) with j < i meet the entries (j, i) of each row j in order. A
//! is symmetric when each meeting is a match and every cursor ends at the end of its row.

use super::CsrMatrix;
use crate::Scalar;
use crate::scalar::real_to_f64;
use rayon::prelude::*;

/// Rows that one task looks at, at least.
const ROWS_PER_TASK: usize = 8192;

/// How far the entries of a matrix reach from its diagonal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bandwidth {
    /// Largest i − j of a stored entry below the diagonal; 0 where there is none.
    pub lower: usize,
    /// Largest j − i of a stored entry above the diagonal; 0 where there is none.
    pub upper: usize,
}

impl Bandwidth {
    /// max |i − j| over stored entries.
    pub fn max(self) -> usize {
        self.lower.max(self.upper)
    }
}

/// How many rows have |aᵢᵢ| greater than, equal to, or less than Σ_{j≠i} |aᵢⱼ|.
///
/// "Equal" is meant up to the rounding of the sums: within (k + 1) ε of |aᵢᵢ| for a row of k entries, so
/// that a stencil whose diagonal was computed as the sum of its neighbours counts as dominant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiagonalDominance {
    /// Rows with |aᵢᵢ| > Σ |aᵢⱼ|.
    pub strict_rows: usize,
    /// Rows with |aᵢᵢ| = Σ |aᵢⱼ|, empty rows among them.
    pub equal_rows: usize,
    /// Rows with |aᵢᵢ| < Σ |aᵢⱼ|, or with a NaN.
    pub violating_rows: usize,
}

impl DiagonalDominance {
    /// |aᵢᵢ| ≥ Σ |aᵢⱼ| in every row.
    pub fn is_weak(self) -> bool {
        self.violating_rows == 0
    }

    /// |aᵢᵢ| > Σ |aᵢⱼ| in every row: the matrix is then nonsingular (Lévy, Desplanques).
    pub fn is_strict(self) -> bool {
        self.violating_rows == 0 && self.equal_rows == 0
    }

    fn merge(self, other: Self) -> Self {
        Self {
            strict_rows: self.strict_rows + other.strict_rows,
            equal_rows: self.equal_rows + other.equal_rows,
            violating_rows: self.violating_rows + other.violating_rows,
        }
    }
}

impl<T> CsrMatrix<T> {
    /// Whether (i, j) is stored exactly where (j, i) is. False for a rectangular matrix. O(nnz), 4n bytes.
    pub fn is_pattern_symmetric(&self) -> bool {
        self.mirrors(|_, _| true)
    }

    /// Largest distance of a stored entry from the diagonal, on either side. O(m).
    pub fn bandwidth(&self) -> Bandwidth {
        let mut band = Bandwidth::default();
        for (i, w) in self.row_ptr.windows(2).enumerate() {
            if let [first, .., last] | [first @ last] = self.col_idx[w[0] as usize..w[1] as usize] {
                band.lower = band.lower.max(i.saturating_sub(first as usize));
                band.upper = band.upper.max((last as usize).saturating_sub(i));
            }
        }
        band
    }

    /// Number of rows without a stored entry. O(m).
    pub fn empty_rows(&self) -> usize {
        self.row_ptr.windows(2).filter(|w| w[0] == w[1]).count()
    }

    /// Number of columns without a stored entry. O(nnz), n bytes.
    pub fn empty_cols(&self) -> usize {
        let mut seen = vec![false; self.ncols];
        self.col_idx.iter().for_each(|&j| seen[j as usize] = true);
        seen.iter().filter(|&&s| !s).count()
    }

    /// The cursor scan of the module's head: whether every stored (i, j), i > j, has a stored (j, i) with
    /// `pair(a_ij, a_ji)`, none is left over above the diagonal, and `pair(a_ii, a_ii)` holds.
    fn mirrors(&self, pair: impl Fn(&T, &T) -> bool) -> bool {
        if !self.is_square() {
            return false;
        }
        // Where the entries of each row start that lie above the diagonal and were not met yet. A row is
        // read before it gets a cursor, so this grows along with i.
        let mut cursor: Vec<u32> = Vec::with_capacity(self.nrows);
        for (i, w) in self.row_ptr.windows(2).enumerate() {
            let (mut k, end) = (w[0] as usize, w[1] as usize);
            while k < end && (self.col_idx[k] as usize) < i {
                let j = self.col_idx[k] as usize;
                let mate = cursor[j] as usize;
                let found = mate < self.row_ptr[j + 1] as usize
                    && self.col_idx[mate] as usize == i
                    && pair(&self.values[k], &self.values[mate]);
                if !found {
                    return false;
                }
                cursor[j] += 1;
                k += 1;
            }
            if k < end && self.col_idx[k] as usize == i {
                if !pair(&self.values[k], &self.values[k]) {
                    return false;
                }
                k += 1;
            }
            cursor.push(k as u32);
        }
        cursor == self.row_ptr[1..]
    }
}

impl<T: Scalar> CsrMatrix<T> {
    /// Whether A = Aᵀ in every stored value, exactly; a NaN equals nothing. O(nnz), 4n bytes.
    ///
    /// The pattern must be symmetric as well: a stored zero without a mate counts as a difference.
    pub fn is_symmetric(&self) -> bool {
        self.mirrors(|a, b| a == b)
    }

    /// Whether A = Aᴴ in every stored value, exactly (so the diagonal is real). O(nnz), 4n bytes.
    pub fn is_hermitian(&self) -> bool {
        self.mirrors(|a, b| a.conjugate() == *b)
    }

    /// Whether every diagonal entry is real and greater than zero; a missing one is zero. True for a
    /// matrix without rows.
    pub fn has_positive_diagonal(&self) -> bool {
        (0..self.nrows.min(self.ncols)).into_par_iter().with_min_len(ROWS_PER_TASK).all(|i| {
            let d = self.get(i, i);
            d.conjugate() == d && d.real_f64() > 0.0
        })
    }

    /// Whether |aᵢᵢ| ≥ Σ_{j≠i} |aᵢⱼ| in every row, up to rounding; see
    /// [`diagonal_dominance`](Self::diagonal_dominance).
    pub fn is_diagonally_dominant(&self) -> bool {
        self.diagonal_dominance().is_weak()
    }

    /// Rows by dominance of their diagonal entry. O(nnz), threaded.
    pub fn diagonal_dominance(&self) -> DiagonalDominance {
        (0..self.nrows)
            .into_par_iter()
            .with_min_len(ROWS_PER_TASK)
            .fold(DiagonalDominance::default, |mut count, i| {
                match self.compare_diagonal(i) {
                    Some(std::cmp::Ordering::Greater) => count.strict_rows += 1,
                    Some(std::cmp::Ordering::Equal) => count.equal_rows += 1,
                    _ => count.violating_rows += 1,
                }
                count
            })
            .reduce(DiagonalDominance::default, DiagonalDominance::merge)
    }

    /// |aᵢᵢ| against the sum of the other moduli of row i, equal within rounding; none for a NaN.
    fn compare_diagonal(&self, i: usize) -> Option<std::cmp::Ordering> {
        let (cols, vals) = self.row(i);
        let (mut diagonal, mut others) = (0.0, 0.0);
        for (&j, v) in cols.iter().zip(vals) {
            if j as usize == i {
                diagonal = v.modulus_f64();
            } else {
                others += v.modulus_f64();
            }
        }
        let slack = (cols.len() + 1) as f64 * T::epsilon_f64() * diagonal;
        if (diagonal - others).abs() <= slack {
            return Some(std::cmp::Ordering::Equal);
        }
        diagonal.partial_cmp(&others)
    }

    /// Number of stored entries that are exactly zero.
    pub fn stored_zeros(&self) -> usize {
        self.values.par_iter().with_min_len(ROWS_PER_TASK).filter(|v| v.is_zero()).count()
    }

    /// The same matrix without stored zeros.
    pub fn prune_zeros(&self) -> Self {
        let kept = self.nnz() - self.stored_zeros();
        let mut row_ptr = Vec::with_capacity(self.nrows + 1);
        row_ptr.push(0u32);
        let mut col_idx = Vec::with_capacity(kept);
        let mut values = Vec::with_capacity(kept);
        for i in 0..self.nrows {
            let (cols, vals) = self.row(i);
            for (&j, &v) in cols.iter().zip(vals).filter(|(_, v)| !v.is_zero()) {
                col_idx.push(j);
                values.push(v);
            }
            row_ptr.push(col_idx.len() as u32);
        }
        Self::from_parts(self.nrows, self.ncols, row_ptr, col_idx, values)
    }

    /// A ← diag(`factors`) A, in place; `factors` has length m.
    ///
    /// # Panics
    /// If the length is wrong.
    pub fn scale_rows(&mut self, factors: &[T]) {
        assert_eq!(factors.len(), self.nrows, "factors must have length nrows");
        for (w, &f) in self.row_ptr.windows(2).zip(factors) {
            self.values[w[0] as usize..w[1] as usize].iter_mut().for_each(|v| *v *= f);
        }
    }

    /// A ← A diag(`factors`), in place; `factors` has length n.
    ///
    /// # Panics
    /// If the length is wrong.
    pub fn scale_cols(&mut self, factors: &[T]) {
        assert_eq!(factors.len(), self.ncols, "factors must have length ncols");
        self.values.iter_mut().zip(&self.col_idx).for_each(|(v, &j)| *v *= factors[j as usize]);
    }

    /// Largest modulus of each row, as `f64`, length m; 0 for an empty row, NaN if one is NaN.
    pub fn row_max_abs(&self) -> Vec<f64> {
        let larger = |m: f64, v: &T| {
            let v = real_to_f64::<T>(v.modulus());
            if v > m || v.is_nan() { v } else { m }
        };
        (0..self.nrows)
            .into_par_iter()
            .with_min_len(ROWS_PER_TASK)
            .map(|i| self.row(i).1.iter().fold(0.0, larger))
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "analysis_tests.rs"]
mod tests;
