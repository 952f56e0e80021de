//! Logistic regression on a sphere and in a plane, as in Hong, Na, Mahoney, Kolar (2023), section 5:
//!
//! min (1/N) Σ_i log(1 + exp(−y_i x_iᵀ w))  subject to  A w = b,  ‖w‖² = 1,
//!
//! A with min(10, ⌊n/2⌋) standard normal rows, b = A w₀ for a random unit vector w₀, so that a feasible point exists. The
//! Hessian of the loss, (1/N) Σ s_i (1 − s_i) x_i x_iᵀ, is stored up to 2000 features, and an operator beyond.

use super::SparseSamples;
use crate::nlp::{EvaluationError, NonlinearProblem, SparsePattern};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::f64::consts::TAU;

/// See the module.
#[derive(Debug, Clone)]
pub struct SphereLogistic {
    name: String,
    samples: SparseSamples,
    /// A, row by row.
    plane: Vec<f64>,
    offset: Vec<f64>,
    start: Vec<f64>,
    jacobian: SparsePattern,
    hessian: Option<SparsePattern>,
}

/// Most features with a stored Hessian.
const MAX_STORED: usize = 2000;

impl SphereLogistic {
    /// On `samples`; `seed` draws A and w₀.
    pub fn new(name: &str, samples: SparseSamples, seed: u64) -> Self {
        let n = samples.dimension;
        let rows = (n / 2).min(10);
        let mut rng = StdRng::seed_from_u64(seed);
        let mut normal = || {
            let (u, v): (f64, f64) = (1.0 - rng.random_range(0.0..1.0), rng.random_range(0.0..1.0));
            (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
        };
        let plane: Vec<f64> = (0..rows * n).map(|_| normal()).collect();
        let mut point: Vec<f64> = (0..n).map(|_| normal()).collect();
        let norm = point.iter().map(|w| w * w).sum::<f64>().sqrt();
        point.iter_mut().for_each(|w| *w /= norm);
        let offset =
            plane.chunks(n.max(1)).map(|row| row.iter().zip(&point).map(|(a, w)| a * w).sum()).collect();
        let jacobian = SparsePattern {
            row_starts: (0..=rows + 1).map(|i| i * n).collect(),
            columns: (0..=rows).flat_map(|_| 0..n as u32).collect(),
        };
        let hessian = (n <= MAX_STORED).then(|| SparsePattern {
            row_starts: (0..=n).map(|i| i * (i + 1) / 2).collect(),
            columns: (0..n as u32).flat_map(|i| 0..=i).collect(),
        });
        let start = vec![1.0 / (n.max(1) as f64).sqrt(); n];
        Self { name: name.to_owned(), samples, plane, offset, start, jacobian, hessian }
    }

    fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.samples.row_starts[i]..self.samples.row_starts[i + 1];
        (&self.samples.features[range.clone()], &self.samples.values[range])
    }

    /// For each sample: its row, its label, and its margin y xᵀ w.
    fn margins<'a>(&'a self, w: &'a [f64]) -> impl Iterator<Item = (&'a [u32], &'a [f64], f64, f64)> {
        self.samples.labels.iter().enumerate().map(|(i, y)| {
            let (features, values) = self.row(i);
            let dot: f64 = features.iter().zip(values).map(|(k, v)| v * w[*k as usize]).sum();
            (features, values, *y, y * dot)
        })
    }

    /// Samples of a sketched Hessian, drawn with replacement: enough for a relative error of about a quarter.
    fn subsample(&self) -> usize {
        (SUBSAMPLE * self.start.len()).max(1000)
    }

    /// values ← values + weight s(1 − s) x xᵀ for sample i, lower triangle.
    fn add_curvature(&self, i: usize, w: &[f64], weight: f64, values: &mut [f64]) {
        let (features, entries) = self.row(i);
        let dot: f64 = features.iter().zip(entries).map(|(k, v)| v * w[*k as usize]).sum();
        let s = sigmoid(dot); // s(1 - s) is the same for both labels
        let weight = weight * s * (1.0 - s);
        for (p, (i, v)) in features.iter().zip(entries).enumerate() {
            let (i, v) = (*i as usize, weight * v);
            let row = &mut values[i * (i + 1) / 2..];
            features[..=p].iter().zip(entries).for_each(|(j, u)| row[*j as usize] += v * u);
        }
    }

    fn scale(&self) -> f64 {
        1.0 / self.samples.labels.len().max(1) as f64
    }
}

/// Samples of a sketched Hessian over features.
const SUBSAMPLE: usize = 16;

/// The curvature of λ ‖w‖².
fn add_sphere(n: usize, lambda: &[f64], values: &mut [f64]) {
    let sphere = 2.0 * lambda.last().copied().unwrap_or(0.0);
    (0..n).for_each(|i| values[i * (i + 3) / 2] += sphere);
}

/// 1 / (1 + eᵗ).
fn sigmoid(t: f64) -> f64 {
    1.0 / (1.0 + t.exp())
}

impl NonlinearProblem for SphereLogistic {
    fn name(&self) -> &str {
        &self.name
    }

    fn variables(&self) -> usize {
        self.start.len()
    }

    fn constraints(&self) -> usize {
        self.offset.len() + 1
    }

    fn initial_point(&self, x: &mut [f64]) {
        x.copy_from_slice(&self.start);
    }

    fn objective(&self, w: &[f64]) -> Result<f64, EvaluationError> {
        // log(1 + e⁻ᵗ) without overflow.
        let loss = |t: f64| (-t).max(0.0) + (-t.abs()).exp().ln_1p();
        Ok(self.scale() * self.margins(w).map(|(_, _, _, t)| loss(t)).sum::<f64>())
    }

    fn gradient(&self, w: &[f64], gradient: &mut [f64]) -> Result<(), EvaluationError> {
        gradient.fill(0.0);
        for (features, values, y, t) in self.margins(w) {
            let weight = -self.scale() * y * sigmoid(t);
            features.iter().zip(values).for_each(|(k, v)| gradient[*k as usize] += weight * v);
        }
        Ok(())
    }

    fn constraint_values(&self, w: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        let n = w.len().max(1);
        for ((value, row), b) in values.iter_mut().zip(self.plane.chunks(n)).zip(&self.offset) {
            *value = row.iter().zip(w).map(|(a, w)| a * w).sum::<f64>() - b;
        }
        if let Some(last) = values.last_mut() {
            *last = w.iter().map(|w| w * w).sum::<f64>() - 1.0;
        }
        Ok(())
    }

    fn jacobian_pattern(&self) -> &SparsePattern {
        &self.jacobian
    }

    fn jacobian_values(&self, w: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        let (plane, sphere) = values.split_at_mut(self.plane.len());
        plane.copy_from_slice(&self.plane);
        sphere.iter_mut().zip(w).for_each(|(j, w)| *j = 2.0 * w);
        Ok(())
    }

    fn hessian_pattern(&self) -> Option<&SparsePattern> {
        self.hessian.as_ref()
    }

    fn hessian_values(
        &self,
        w: &[f64],
        sigma: f64,
        lambda: &[f64],
        values: &mut [f64],
    ) -> Result<(), EvaluationError> {
        values.fill(0.0);
        let weight = sigma * self.scale();
        (0..self.samples.labels.len()).for_each(|i| self.add_curvature(i, w, weight, values));
        add_sphere(w.len(), lambda, values);
        Ok(())
    }

    fn has_sketched_hessian(&self) -> bool {
        self.hessian.is_some() && self.subsample() < self.samples.labels.len()
    }

    fn sketched_hessian_values(
        &self,
        w: &[f64],
        sigma: f64,
        lambda: &[f64],
        seed: u64,
        values: &mut [f64],
    ) -> Result<bool, EvaluationError> {
        if !self.has_sketched_hessian() {
            return Ok(false);
        }
        values.fill(0.0);
        let (all, some) = (self.samples.labels.len(), self.subsample());
        let mut rng = StdRng::seed_from_u64(seed);
        let weight = sigma / some as f64;
        (0..some).for_each(|_| self.add_curvature(rng.random_range(0..all), w, weight, values));
        add_sphere(w.len(), lambda, values);
        Ok(true)
    }

    fn hessian_product(
        &self,
        w: &[f64],
        sigma: f64,
        lambda: &[f64],
        v: &[f64],
        product: &mut [f64],
    ) -> Result<(), EvaluationError> {
        let sphere = 2.0 * lambda.last().copied().unwrap_or(0.0);
        product.iter_mut().zip(v).for_each(|(p, v)| *p = sphere * v);
        for (features, values, _, t) in self.margins(w) {
            let s = sigmoid(t);
            let dot: f64 = features.iter().zip(values).map(|(k, x)| x * v[*k as usize]).sum();
            let weight = sigma * self.scale() * s * (1.0 - s) * dot;
            features.iter().zip(values).for_each(|(k, x)| product[*k as usize] += weight * x);
        }
        Ok(())
    }
}
