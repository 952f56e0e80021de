//! Right-hand sides with the weight on small eigenvalues: random sums of Ritz vectors.
//!
//! Lanczos from w₀ = A g, g normal, with full re-orthogonalisation, gives A W ≈ W T; T = Q Θ Qᵀ and the Ritz vectors v = W q.
//! Of the m − z with Θ ≥ 1e-8, in increasing order, the first m/2 + m/20 get coefficients 9 g, the others g; b is their
//! sum, normalised (Kaneda et al. 2023: m = 10,000, and 5,500 of them).

use crate::LearnedError;
use nalgebra::{DMatrix, SymmetricEigen};
use rand::RngExt;
use rand::rngs::StdRng;
use residua_solvers::{LinearOperator, kernels};

/// Ritz vectors of one matrix.
#[derive(Debug)]
pub(super) struct Ritz {
    /// Each of length n.
    vectors: Vec<Vec<f32>>,
    /// How many get the larger weight.
    small: usize,
}

/// The larger weight.
const WEIGHT: f64 = 9.0;

/// Values below are those of null vectors.
const LEAST: f64 = 1e-8;

/// A standard normal number (Box and Muller).
pub(crate) fn normal(random: &mut StdRng) -> f64 {
    let (u, v) = (1.0 - random.random::<f64>(), random.random::<f64>());
    (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

impl Ritz {
    /// Of `a`, from at most `m` steps.
    ///
    /// # Errors
    /// [`LearnedError::Geometry`] for a matrix without a positive eigenvalue.
    pub(super) fn new(
        a: &dyn LinearOperator<f64>,
        m: usize,
        random: &mut StdRng,
    ) -> Result<Self, LearnedError> {
        let n = a.nrows();
        let g: Vec<f64> = (0..n).map(|_| normal(random)).collect();
        let mut w = vec![0.0; n];
        a.apply(&g, &mut w);
        let (mut basis, mut diagonal, mut off) = (Vec::<Vec<f64>>::new(), Vec::new(), Vec::new());
        let first = kernels::norm2(&w);
        let mut norm = first;
        while basis.len() < m.min(n) && norm > 1e-10 * first {
            if !basis.is_empty() {
                off.push(norm);
            }
            w.iter_mut().for_each(|w| *w /= norm);
            basis.push(std::mem::replace(&mut w, vec![0.0; n]));
            if let Some(last) = basis.last() {
                a.apply(last, &mut w);
                diagonal.push(kernels::dot(last, &w));
            }
            for _ in 0..2 {
                for v in &basis {
                    kernels::axpy(-kernels::dot(v, &w), v, &mut w);
                }
            }
            norm = kernels::norm2(&w);
        }
        let steps = basis.len();
        let mut t = DMatrix::zeros(steps, steps);
        for (i, &d) in diagonal.iter().enumerate() {
            t[(i, i)] = d;
        }
        for (i, &b) in off.iter().enumerate() {
            (t[(i, i + 1)], t[(i + 1, i)]) = (b, b);
        }
        let eigen = SymmetricEigen::new(t);
        let mut order: Vec<usize> = (0..steps).filter(|&k| eigen.eigenvalues[k] >= LEAST).collect();
        order.sort_by(|&i, &j| eigen.eigenvalues[i].total_cmp(&eigen.eigenvalues[j]));
        if order.is_empty() {
            return Err(LearnedError::geometry("a matrix without positive Ritz values", "a positive one"));
        }
        let vectors = order.iter().map(|&k| {
            let mut v = vec![0.0; n];
            for (w, &q) in basis.iter().zip(eigen.eigenvectors.column(k).iter()) {
                kernels::axpy(q, w, &mut v);
            }
            v.iter().map(|&v| v as f32).collect()
        });
        Ok(Self { small: steps / 2 + steps / 20, vectors: vectors.collect() })
    }

    /// One right-hand side of norm 1.
    pub(super) fn draw(&self, random: &mut StdRng) -> Vec<f32> {
        let mut b = vec![0.0f32; self.vectors.first().map_or(0, Vec::len)];
        for (k, v) in self.vectors.iter().enumerate() {
            let weight = if k < self.small { WEIGHT } else { 1.0 };
            let c = (weight * normal(random)) as f32;
            b.iter_mut().zip(v).for_each(|(b, v)| *b += c * v);
        }
        let norm = b.iter().map(|&b| f64::from(b).powi(2)).sum::<f64>().sqrt() as f32;
        b.iter_mut().for_each(|b| *b /= norm);
        b
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use residua_data::poisson::{PoissonKind, PoissonProblem};

    /// After as many steps as there are distinct eigenvalues Ritz vectors are eigenvectors, and right-hand sides smooth.
    #[test]
    fn ritz_vectors_of_a_whole_space_are_eigenvectors() {
        let a = PoissonProblem::new(PoissonKind::Obstacles, 2, 12).with_seed(1).build().unwrap().matrix;
        let mut random = StdRng::seed_from_u64(5);
        let ritz = Ritz::new(&a, a.nrows(), &mut random).unwrap();
        let mut av = vec![0.0; a.nrows()];
        for v in ritz.vectors.iter().step_by(17) {
            let v: Vec<f64> = v.iter().map(|&v| f64::from(v)).collect();
            a.apply(&v, &mut av);
            let value = kernels::dot(&v, &av);
            kernels::axpy(-value, &v, &mut av);
            assert!(kernels::norm2(&av) < 1e-5, "{value}");
        }
        let b: Vec<f64> = ritz.draw(&mut random).iter().map(|&b| f64::from(b)).collect();
        assert!((kernels::norm2(&b) - 1.0).abs() < 1e-5);
        // 81 of 82 parts of the energy lie in the lower half of the spectrum.
        let low: f64 = ritz.vectors[..ritz.small]
            .iter()
            .map(|v| v.iter().zip(&b).map(|(&v, b)| f64::from(v) * b).sum::<f64>().powi(2))
            .sum();
        assert!(low > 0.95, "{low}");
    }
}
