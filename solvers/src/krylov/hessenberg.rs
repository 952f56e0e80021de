//! min ‖β e₁ − H̄ y‖₂ for an upper Hessenberg H̄ that grows by a column at a time.
//!
//! Each new column is rotated by the rotations so far; one more,
//! ```text
//! [  c   s ] [a]   [ρ]        c = |a| / √(|a|² + b²),   s = (a / |a|) b / √(|a|² + b²),   b ≥ 0 real
//! [ −s̄   c ] [b] = [0]
//! ```
//! makes it triangular. The last entry of the rotated right-hand side is the residual (Saad 2003,
//! section 6.5.3; the complex form as in its section 6.5.9).

use crate::control::resize;
use residua_data::Scalar;

/// A diagonal entry of R below this many roundings of the largest column's norm belongs to a column that
/// depends on those before it.
const DEPENDENT: f64 = 100.0;

/// The triangular factor R, packed by columns, the rotations, and the rotated right-hand side g.
#[derive(Debug, Clone, Default)]
pub(super) struct HessenbergLsq<T> {
    r: Vec<T>,
    cosines: Vec<T>,
    sines: Vec<T>,
    g: Vec<T>,
    columns: usize,
    largest: f64,
}

impl<T: Scalar> HessenbergLsq<T> {
    /// Room for `max_columns`.
    pub(super) fn resize(&mut self, max_columns: usize) {
        resize(&mut self.r, max_columns * (max_columns + 1) / 2);
        resize(&mut self.cosines, max_columns);
        resize(&mut self.sines, max_columns);
        resize(&mut self.g, max_columns + 1);
    }

    /// An empty H̄ and the right-hand side β e₁.
    pub(super) fn start(&mut self, beta: f64) {
        (self.columns, self.largest) = (0, 0.0);
        self.g.fill(T::zero());
        self.g[0] = T::of(beta);
    }

    /// Adds the column (h₀, …, h_k, `next`) and returns the norm of the new least residual. A column that
    /// depends on those before it up to rounding is refused, and `None` returned: A is singular on the space,
    /// and a solution with that column would be nothing but amplified rounding.
    pub(super) fn push(&mut self, h: &[T], next: f64) -> Option<f64> {
        let k = self.columns;
        let column = &mut self.r[k * (k + 1) / 2..][..=k];
        column.copy_from_slice(h);
        for (i, (&c, &s)) in self.cosines.iter().zip(&self.sines).take(k).enumerate() {
            let (upper, lower) = (column[i], column[i + 1]);
            column[i] = c * upper + s * lower;
            column[i + 1] = c * lower - s.conjugate() * upper;
        }
        let a = column[k];
        let modulus = a.modulus_f64();
        self.largest = h.iter().fold(next, |sum, h| sum.hypot(h.modulus_f64())).max(self.largest);
        if modulus.hypot(next) <= DEPENDENT * T::epsilon_f64() * self.largest {
            return None;
        }
        let (c, s) = if modulus == 0.0 {
            column[k] = T::of(next);
            (T::zero(), T::one())
        } else if next == 0.0 {
            (T::one(), T::zero())
        } else {
            let (norm, phase) = (modulus.hypot(next), a / T::of(modulus));
            column[k] = phase * T::of(norm);
            (T::of(modulus / norm), phase * T::of(next / norm))
        };
        (self.cosines[k], self.sines[k]) = (c, s);
        self.g[k + 1] = -s.conjugate() * self.g[k];
        self.g[k] *= c;
        self.columns = k + 1;
        Some(self.g[k + 1].modulus_f64())
    }

    /// Number of columns.
    pub(super) fn rank(&self) -> usize {
        self.columns
    }

    /// y ← argmin, in the first [`rank`](Self::rank) entries of `y`.
    pub(super) fn solve(&self, y: &mut [T]) {
        let (rank, entry) = (self.columns, |i: usize, k: usize| k * (k + 1) / 2 + i);
        for i in (0..rank).rev() {
            let known: T = (i + 1..rank).fold(T::zero(), |sum, k| sum + self.r[entry(i, k)] * y[k]);
            y[i] = (self.g[i] - known) / self.r[entry(i, i)];
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use num_complex::Complex;

    #[test]
    fn it_solves_a_complex_least_squares_problem() {
        // H̄ is 4 x 3; the residual must be orthogonal to its columns and have the norm that push returned.
        let i = Complex::new(0.0, 1.0);
        let h = |row: usize, col: usize| (i * (1.0 + row as f64) * 0.7 + col as f64).sin() * (1.0 + i);
        let next = [0.5, 2.0, 0.25];
        let mut lsq = HessenbergLsq::default();
        lsq.resize(3);
        lsq.start(3.0);
        let mut norm = 0.0;
        for (k, &next) in next.iter().enumerate() {
            let column: Vec<_> = (0..=k).map(|row| h(row, k)).collect();
            norm = lsq.push(&column, next).unwrap();
        }
        let mut y = [Complex::default(); 3];
        lsq.solve(&mut y);
        let entry = |row: usize, col: usize| match row {
            _ if row <= col => h(row, col),
            _ if row == col + 1 => Complex::from(next[col]),
            _ => Complex::default(),
        };
        let residual: Vec<_> = (0..4)
            .map(|row| {
                let b = if row == 0 { Complex::from(3.0) } else { Complex::default() };
                b - (0..3).map(|col| entry(row, col) * y[col]).sum::<Complex<f64>>()
            })
            .collect();
        let true_norm = residual.iter().map(|r| r.norm_sqr()).sum::<f64>().sqrt();
        assert!((true_norm - norm).abs() < 1e-14 * 3.0, "{true_norm} {norm}");
        for col in 0..3 {
            let inner: Complex<f64> = (0..4).map(|row| entry(row, col).conj() * residual[row]).sum();
            assert!(inner.norm() < 1e-13);
        }
    }

    #[test]
    fn a_dependent_column_is_refused() {
        let mut lsq = HessenbergLsq::<f64>::default();
        lsq.resize(2);
        lsq.start(1.0);
        let norm = lsq.push(&[2.0], 1.0).unwrap();
        // twice the first column, continued by nothing
        assert_eq!(lsq.push(&[4.0, 2.0], 0.0), None);
        let mut y = [f64::NAN; 2];
        lsq.solve(&mut y);
        assert_eq!(lsq.rank(), 1);
        assert!((y[0] - 0.4).abs() < 1e-15 && (norm - 1.0 / 5f64.sqrt()).abs() < 1e-15);
    }
}
