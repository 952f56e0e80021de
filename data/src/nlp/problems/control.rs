//! Optimal control of Poisson's equation on an n × n grid:
//!
//! min ½‖w − w_d‖² + (λ/2)‖z‖²  subject to  Δ_h w + z = 0 in a square of side 2, w = 0 outside,
//!
//! Δ_h the five-point Laplacian with h = 2/(n + 1), λ = 0.1, and the target of Hong, Na, Mahoney, Kolar (2023). The
//! variables are (w, z), 2n² of them, row by row of the grid. A quadratic program: Jacobian and Hessian are constant.

use crate::nlp::{EvaluationError, NonlinearProblem, SparsePattern};

/// See the module.
#[derive(Debug, Clone)]
pub struct PoissonControl {
    name: String,
    n: usize,
    target: Vec<f64>,
    lambda: f64,
    jacobian: SparsePattern,
    coefficients: Vec<f64>,
    hessian: SparsePattern,
}

impl PoissonControl {
    /// On an n × n grid.
    pub fn new(name: &str, n: usize) -> Self {
        let step = 0.1 / 15f64.sqrt();
        let centre = (n as f64 + 1.0) / 2.0;
        let at = |i: usize| step * ((i + 1) as f64 - centre);
        let target = (0..n * n).map(|k| (4.0 + at(k / n)).sin() + (3.0 + at(k % n)).cos()).collect();
        let h2 = (2.0 / (n as f64 + 1.0)).powi(2);
        let mut jacobian = SparsePattern { row_starts: vec![0], columns: Vec::new() };
        let mut coefficients = Vec::new();
        for k in 0..n * n {
            let (i, j) = (k / n, k % n);
            let mut add = |column: usize, value: f64| {
                jacobian.columns.push(column as u32);
                coefficients.push(value);
            };
            if i > 0 {
                add(k - n, 1.0 / h2);
            }
            if j > 0 {
                add(k - 1, 1.0 / h2);
            }
            add(k, -4.0 / h2);
            if j + 1 < n {
                add(k + 1, 1.0 / h2);
            }
            if i + 1 < n {
                add(k + n, 1.0 / h2);
            }
            add(n * n + k, 1.0);
            jacobian.row_starts.push(jacobian.columns.len());
        }
        let hessian = SparsePattern {
            row_starts: (0..=2 * n * n).collect(),
            columns: (0..2 * (n * n) as u32).collect(),
        };
        Self { name: name.to_owned(), n, target, lambda: 0.1, jacobian, coefficients, hessian }
    }

    /// Unknowns per side.
    pub fn side(&self) -> usize {
        self.n
    }

    fn curvature(&self, k: usize) -> f64 {
        if k < self.n * self.n { 1.0 } else { self.lambda }
    }
}

impl NonlinearProblem for PoissonControl {
    fn name(&self) -> &str {
        &self.name
    }

    fn variables(&self) -> usize {
        2 * self.n * self.n
    }

    fn constraints(&self) -> usize {
        self.n * self.n
    }

    fn initial_point(&self, x: &mut [f64]) {
        x.fill(1.0);
    }

    fn objective(&self, x: &[f64]) -> Result<f64, EvaluationError> {
        let (w, z) = x.split_at(self.target.len());
        let state: f64 = w.iter().zip(&self.target).map(|(w, t)| (w - t) * (w - t)).sum();
        let control: f64 = z.iter().map(|z| z * z).sum();
        Ok(0.5 * (state + self.lambda * control))
    }

    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> Result<(), EvaluationError> {
        for (k, (g, x)) in gradient.iter_mut().zip(x).enumerate() {
            *g = self.curvature(k) * (x - self.target.get(k).copied().unwrap_or(0.0));
        }
        Ok(())
    }

    fn constraint_values(&self, x: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        for (i, value) in values.iter_mut().enumerate() {
            let row = self.jacobian.row_starts[i]..self.jacobian.row_starts[i + 1];
            let columns = &self.jacobian.columns[row.clone()];
            *value = columns.iter().zip(&self.coefficients[row]).map(|(k, a)| a * x[*k as usize]).sum();
        }
        Ok(())
    }

    fn jacobian_pattern(&self) -> &SparsePattern {
        &self.jacobian
    }

    fn jacobian_values(&self, _: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        values.copy_from_slice(&self.coefficients);
        Ok(())
    }

    fn hessian_pattern(&self) -> Option<&SparsePattern> {
        Some(&self.hessian)
    }

    fn hessian_values(
        &self,
        _: &[f64],
        sigma: f64,
        _: &[f64],
        values: &mut [f64],
    ) -> Result<(), EvaluationError> {
        values.iter_mut().enumerate().for_each(|(k, v)| *v = sigma * self.curvature(k));
        Ok(())
    }

    fn hessian_product(
        &self,
        _: &[f64],
        sigma: f64,
        _: &[f64],
        v: &[f64],
        product: &mut [f64],
    ) -> Result<(), EvaluationError> {
        product.iter_mut().zip(v).enumerate().for_each(|(k, (p, v))| *p = sigma * self.curvature(k) * v);
        Ok(())
    }
}
