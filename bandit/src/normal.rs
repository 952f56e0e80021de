//! Least squares kept as its normal equations: G = Σ f fᵀ, h = Σ f y, without the observations.
//!
//! (G + λI) θ = h is solved by a Cholesky factorization (Golub and Van Loan (2013), *Matrix Computations*, section
//! 4.2): m³/6 multiplications for m terms.

use crate::PolicyError;
use crate::state::check_array;
use serde::{Deserialize, Serialize};

/// The sums of m(m + 3)/2 numbers, scaled observations included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NormalEquations {
    /// The lower triangle of G by rows.
    gram: Vec<f64>,
    /// h.
    cross: Vec<f64>,
}

/// Where entry (i, j), j ≤ i, of the lower triangle lies.
fn at(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}

impl NormalEquations {
    pub(crate) fn new(terms: usize) -> Self {
        Self { gram: vec![0.0; at(terms, 0)], cross: vec![0.0; terms] }
    }

    /// Adds the observation `y` at the terms `f`.
    pub(crate) fn add(&mut self, f: &[f64], y: f64) {
        for (i, &fi) in f.iter().enumerate() {
            for (j, &fj) in f[..=i].iter().enumerate() {
                self.gram[at(i, j)] += fi * fj;
            }
            self.cross[i] += fi * y;
        }
    }

    /// G_ij.
    pub(crate) fn gram(&self, i: usize, j: usize) -> f64 {
        self.gram[at(i.max(j), i.min(j))]
    }

    /// h.
    pub(crate) fn cross(&self) -> &[f64] {
        &self.cross
    }

    /// As if every observation had counted `weight` times.
    pub(crate) fn scale(&mut self, weight: f64) {
        self.gram.iter_mut().chain(&mut self.cross).for_each(|x| *x *= weight);
    }

    /// As if every observation had been larger by `amount`. The first term must be the constant 1.
    pub(crate) fn shift(&mut self, amount: f64) {
        for i in 0..self.cross.len() {
            self.cross[i] += amount * self.gram[at(i, 0)];
        }
    }

    /// The normal equations of the `free` coefficients with the others held at `theta`, their right-hand side
    /// being `scale` h less what the held ones explain.
    pub(crate) fn restricted(&self, free: &[usize], theta: &[f64], scale: f64) -> Self {
        let mut part = Self::new(free.len());
        for (a, &i) in free.iter().enumerate() {
            for (b, &j) in free[..=a].iter().enumerate() {
                part.gram[at(a, b)] = self.gram(i, j);
            }
            let held = (0..theta.len()).filter(|k| !free.contains(k));
            part.cross[a] = scale * self.cross[i] - held.map(|k| self.gram(i, k) * theta[k]).sum::<f64>();
        }
        part
    }

    /// The solution of (G + `ridge` I) θ = `scale` h − `offset` G e_0, that is of observations taken relative to
    /// `offset`; `None` if the matrix is not positive definite in floating point.
    pub(crate) fn solve(&self, ridge: f64, scale: f64, offset: f64) -> Option<Vec<f64>> {
        let m = self.cross.len();
        let mut l = self.gram.clone();
        for i in 0..m {
            for j in 0..=i {
                let (row, other) = (at(i, 0), at(j, 0));
                let inner: f64 = (0..j).map(|k| l[row + k] * l[other + k]).sum();
                let value = l[row + j] - inner;
                if i > j {
                    l[row + j] = value / l[at(j, j)];
                } else if value + ridge > 0.0 {
                    l[row + i] = (value + ridge).sqrt();
                } else {
                    return None;
                }
            }
        }
        let mut theta: Vec<f64> =
            (0..m).map(|i| scale * self.cross[i] - offset * self.gram[at(i, 0)]).collect();
        for i in 0..m {
            let inner: f64 = (0..i).map(|k| l[at(i, k)] * theta[k]).sum();
            theta[i] = (theta[i] - inner) / l[at(i, i)];
        }
        for i in (0..m).rev() {
            let inner: f64 = (i + 1..m).map(|k| l[at(k, i)] * theta[k]).sum();
            theta[i] = (theta[i] - inner) / l[at(i, i)];
        }
        theta.iter().all(|x| x.is_finite()).then_some(theta)
    }

    pub(crate) fn check(&self, terms: usize) -> Result<(), PolicyError> {
        check_array("normal equations", &self.gram, at(terms, 0))?;
        check_array("right-hand side", &self.cross, terms)
    }
}

/// The inner product of terms and coefficients.
pub(crate) fn dot(f: &[f64], theta: &[f64]) -> f64 {
    f.iter().zip(theta).map(|(f, t)| f * t).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_polynomial_is_recovered_and_shifts_and_scales_are_exact() {
        let mut equations = NormalEquations::new(3);
        for k in 0..7 {
            let x = f64::from(k) / 3.0 - 1.0;
            equations.add(&[1.0, x, x * x], 2.0 - x + 0.5 * x * x);
        }
        let close = |a: &[f64], b: [f64; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close(&equations.solve(0.0, 1.0, 0.0).unwrap(), [2.0, -1.0, 0.5]));
        assert!(close(&equations.solve(0.0, 1.0, 1.5).unwrap(), [0.5, -1.0, 0.5]));
        assert!(close(&equations.solve(0.0, 2.0, 0.0).unwrap(), [4.0, -2.0, 1.0]));
        equations.shift(3.0);
        equations.scale(0.1);
        assert!(close(&equations.solve(0.0, 1.0, 0.0).unwrap(), [5.0, -1.0, 0.5]));
        assert_eq!(NormalEquations::new(2).solve(0.0, 1.0, 0.0), None);
        assert_eq!(equations.gram(0, 2), equations.gram(2, 0));
    }
}
