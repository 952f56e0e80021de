//! Problems whose functions are closures, differentiated forwards by hyper-dual numbers (Fike and Alonso 2011, AIAA 2011-886;
//! the crate `num-dual`).
//!
//! f(x + ε₁ u + ε₂ v) = f + ε₁ ∇fᵀu + ε₂ ∇fᵀv + ε₁ε₂ uᵀ∇²f v, exact to rounding. A gradient, a Jacobian and a Hessian product
//! take n evaluations each, a Hessian n(n + 1)/2, and all patterns are full: for problems of up to a hundred or so variables. Models of
//! [`expression`](super::expression) have sparse derivatives in reverse mode.

use super::{EvaluationError, NonlinearProblem, SparsePattern};
use std::fmt;

pub use num_dual::{DualNum, HyperDual64 as Dual};

type Objective<'f> = Box<dyn Fn(&[Dual]) -> Dual + Send + Sync + 'f>;
type Constraints<'f> = Box<dyn Fn(&[Dual], &mut [Dual]) + Send + Sync + 'f>;

/// min f(x) subject to c_L ≤ c(x) ≤ c_U, x_L ≤ x ≤ x_U with f and c as closures.
///
/// ```
/// use residua_data::nlp::closure::{ClosureProblem, Dual, DualNum};
///
/// // min x + 2y on the unit circle.
/// let problem = ClosureProblem::new(vec![1.0, 0.5], |x: &[Dual]| x[0] + x[1] * 2.0)
///     .with_equalities(1, |x: &[Dual], c: &mut [Dual]| c[0] = x[0].powi(2) + x[1].powi(2) - 1.0);
/// ```
pub struct ClosureProblem<'f> {
    name: String,
    start: Vec<f64>,
    objective: Objective<'f>,
    constraints: Constraints<'f>,
    m: usize,
    x_bounds: (Vec<f64>, Vec<f64>),
    c_bounds: (Vec<f64>, Vec<f64>),
    jacobian: SparsePattern,
    hessian: SparsePattern,
}

impl fmt::Debug for ClosureProblem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosureProblem")
            .field("name", &self.name)
            .field("variables", &self.start.len())
            .field("constraints", &self.m)
            .finish_non_exhaustive()
    }
}

impl<'f> ClosureProblem<'f> {
    /// f without constraints or bounds, from `start`, whose length is n.
    pub fn new(start: Vec<f64>, f: impl Fn(&[Dual]) -> Dual + Send + Sync + 'f) -> Self {
        let n = start.len();
        Self {
            name: "closure".to_owned(),
            start,
            objective: Box::new(f),
            constraints: Box::new(|_, _| {}),
            m: 0,
            x_bounds: Default::default(),
            c_bounds: Default::default(),
            jacobian: SparsePattern { row_starts: vec![0], columns: Vec::new() },
            hessian: SparsePattern {
                row_starts: (0..=n).map(|i| i * (i + 1) / 2).collect(),
                columns: (0..n as u32).flat_map(|i| 0..=i).collect(),
            },
        }
    }

    /// With the `m` equalities c(x) = 0: the closure writes c(x) into its second argument, of length m.
    #[must_use]
    pub fn with_equalities(self, m: usize, c: impl Fn(&[Dual], &mut [Dual]) + Send + Sync + 'f) -> Self {
        self.with_constraints(vec![0.0; m], vec![0.0; m], c)
    }

    /// With `lower` ≤ c(x) ≤ `upper`, whose common length is m (checked when the problem is solved); ±∞ for no bound.
    #[must_use]
    pub fn with_constraints(
        mut self,
        lower: Vec<f64>,
        upper: Vec<f64>,
        c: impl Fn(&[Dual], &mut [Dual]) + Send + Sync + 'f,
    ) -> Self {
        let (n, m) = (self.start.len(), lower.len());
        self.m = m;
        self.constraints = Box::new(c);
        self.c_bounds = (lower, upper);
        self.jacobian = SparsePattern {
            row_starts: (0..=m).map(|i| i * n).collect(),
            columns: (0..m).flat_map(|_| 0..n as u32).collect(),
        };
        self
    }

    /// With `lower` ≤ x ≤ `upper`, of length n each; ±∞ for no bound.
    #[must_use]
    pub fn with_variable_bounds(mut self, lower: Vec<f64>, upper: Vec<f64>) -> Self {
        self.x_bounds = (lower, upper);
        self
    }

    /// With a name for tables.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    fn duals(&self, x: &[f64]) -> Vec<Dual> {
        x.iter().map(|x| Dual::new(*x, 0.0, 0.0, 0.0)).collect()
    }

    /// σ f + λᵀc.
    fn lagrangian(&self, x: &[Dual], sigma: f64, lambda: &[f64], c: &mut [Dual]) -> Dual {
        let mut sum = (self.objective)(x) * sigma;
        if self.m > 0 {
            (self.constraints)(x, c);
            c.iter().zip(lambda).for_each(|(c, l)| sum += *c * *l);
        }
        sum
    }

    fn finite<'a>(
        &self,
        function: &str,
        values: impl IntoIterator<Item = &'a f64>,
    ) -> Result<(), EvaluationError> {
        match values.into_iter().find(|v| !v.is_finite()) {
            Some(v) => {
                Err(EvaluationError { function: function.to_owned(), reason: format!("its value is {v}") })
            }
            None => Ok(()),
        }
    }
}

impl NonlinearProblem for ClosureProblem<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn variables(&self) -> usize {
        self.start.len()
    }

    fn constraints(&self) -> usize {
        self.m
    }

    fn initial_point(&self, x: &mut [f64]) {
        x.copy_from_slice(&self.start);
    }

    fn variable_bounds(&self) -> (&[f64], &[f64]) {
        (&self.x_bounds.0, &self.x_bounds.1)
    }

    fn constraint_bounds(&self) -> (&[f64], &[f64]) {
        (&self.c_bounds.0, &self.c_bounds.1)
    }

    fn objective(&self, x: &[f64]) -> Result<f64, EvaluationError> {
        let f = (self.objective)(&self.duals(x)).re;
        self.finite("objective", [&f]).map(|()| f)
    }

    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> Result<(), EvaluationError> {
        let mut duals = self.duals(x);
        for (i, g) in gradient.iter_mut().enumerate() {
            duals[i].eps1 = 1.0;
            *g = (self.objective)(&duals).eps1;
            duals[i].eps1 = 0.0;
        }
        self.finite("gradient", &*gradient)
    }

    fn constraint_values(&self, x: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        let mut c = self.duals(values);
        (self.constraints)(&self.duals(x), &mut c);
        values.iter_mut().zip(&c).for_each(|(v, c)| *v = c.re);
        self.finite("constraints", &*values)
    }

    fn jacobian_pattern(&self) -> &SparsePattern {
        &self.jacobian
    }

    fn jacobian_values(&self, x: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        let n = x.len();
        let (mut duals, mut c) = (self.duals(x), self.duals(&vec![0.0; self.m]));
        for j in 0..n {
            duals[j].eps1 = 1.0;
            (self.constraints)(&duals, &mut c);
            duals[j].eps1 = 0.0;
            c.iter().enumerate().for_each(|(i, c)| values[i * n + j] = c.eps1);
        }
        self.finite("Jacobian", &*values)
    }

    fn hessian_pattern(&self) -> Option<&SparsePattern> {
        Some(&self.hessian)
    }

    fn hessian_values(
        &self,
        x: &[f64],
        sigma: f64,
        lambda: &[f64],
        values: &mut [f64],
    ) -> Result<(), EvaluationError> {
        let (mut duals, mut c) = (self.duals(x), self.duals(&vec![0.0; self.m]));
        for i in 0..x.len() {
            duals[i].eps1 = 1.0;
            for j in 0..=i {
                duals[j].eps2 = 1.0;
                values[i * (i + 1) / 2 + j] = self.lagrangian(&duals, sigma, lambda, &mut c).eps1eps2;
                duals[j].eps2 = 0.0;
            }
            duals[i].eps1 = 0.0;
        }
        self.finite("Hessian", &*values)
    }

    fn hessian_product(
        &self,
        x: &[f64],
        sigma: f64,
        lambda: &[f64],
        v: &[f64],
        product: &mut [f64],
    ) -> Result<(), EvaluationError> {
        let (mut duals, mut c) = (self.duals(x), self.duals(&vec![0.0; self.m]));
        duals.iter_mut().zip(v).for_each(|(d, v)| d.eps2 = *v);
        for i in 0..x.len() {
            duals[i].eps1 = 1.0;
            product[i] = self.lagrangian(&duals, sigma, lambda, &mut c).eps1eps2;
            duals[i].eps1 = 0.0;
        }
        self.finite("Hessian product", &*product)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// HS7 and its derivatives by hand.
    #[test]
    fn derivatives_are_exact() {
        let problem = ClosureProblem::new(vec![2.0, 2.0], |x: &[Dual]| (x[0].powi(2) + 1.0).ln() - x[1])
            .with_equalities(1, |x, c| c[0] = (x[0].powi(2) + 1.0).powi(2) + x[1].powi(2) - 4.0);
        let x = [2.0, 3.0];
        assert!((problem.objective(&x).unwrap() - (5f64.ln() - 3.0)).abs() < 1e-15);
        let (mut g, mut c, mut j, mut h) = ([0.0; 2], [0.0], [0.0; 2], [0.0; 3]);
        problem.gradient(&x, &mut g).unwrap();
        problem.constraint_values(&x, &mut c).unwrap();
        problem.jacobian_values(&x, &mut j).unwrap();
        problem.hessian_values(&x, 2.0, &[3.0], &mut h).unwrap();
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(near(&g, &[0.8, -1.0]) && near(&c, &[30.0]) && near(&j, &[40.0, 6.0]), "{g:?} {c:?} {j:?}");
        // f'' = (2 - 2x²)/(1 + x²)² = -6/25; c'' = 4 + 12x² = 52.
        let expected = [2.0 * -6.0 / 25.0 + 3.0 * 52.0, 0.0, 6.0];
        assert!(near(&h, &expected), "{h:?}");
        let mut product = [0.0; 2];
        problem.hessian_product(&x, 2.0, &[3.0], &[1.0, -2.0], &mut product).unwrap();
        assert!(near(&product, &[expected[0], -12.0]), "{product:?}");
    }

    #[test]
    fn values_that_are_not_finite_are_errors() {
        let problem = ClosureProblem::new(vec![1.0], |x: &[Dual]| x[0].ln());
        assert!(problem.objective(&[-1.0]).unwrap_err().to_string().contains("objective"));
        assert!(problem.gradient(&[0.0], &mut [0.0]).is_err());
        assert!(problem.objective(&[1.0]).is_ok());
    }
}
