//! Chebyshev smoothing: S = q(D⁻¹A) D⁻¹ that is small on \[ρ/5, ρ\], after Adams, Brezina, Hu and
//! Tuminaro (2003); a polynomial in D⁻¹A, so S is its own adjoint.

use super::{Smooth, inverse_of};
use crate::precond::amg::util::{diagonal, largest_scaled_row_sum};
use crate::{LinearOperator, Scalar, SolveError, kernels};
use residua_data::CsrMatrix;

/// The polynomial damps eigenvalues from this share of the largest on.
const LOWER: f64 = 0.2;

pub(in crate::precond::amg) struct Chebyshev<T> {
    a: CsrMatrix<T>,
    degree: usize,
    theta: f64,
    delta: f64,
    inverse: Vec<T>,
    /// Every other step.
    other: Vec<T>,
}

impl<T: Scalar> Chebyshev<T> {
    /// `degree` products with A in a sweep.
    pub(super) fn new(a: &CsrMatrix<f64>, low: CsrMatrix<T>, degree: usize) -> Self {
        let diagonal = diagonal(a);
        // A bound: an eigenvalue beyond an estimate from below would be amplified.
        let max = largest_scaled_row_sum(a, &diagonal);
        let min = LOWER * max;
        Self {
            a: low,
            degree: degree.max(1),
            theta: 0.5 * (max + min),
            delta: 0.5 * (max - min),
            inverse: inverse_of(&diagonal),
            other: vec![T::zero(); a.nrows()],
        }
    }

    /// Coefficients (β, γ) of the steps x_{k+1} = x_k + β (x_k − x_{k−1}) + γ D⁻¹(b − A x_k), the first with β = 0.
    fn coefficients(&self) -> impl Iterator<Item = (T, T)> + use<T> {
        let (theta, delta) = (self.theta, self.delta);
        let sigma = theta / delta;
        let mut rho = 1.0 / sigma;
        let later = std::iter::repeat_with(move || {
            let next = 1.0 / (2.0 * sigma - rho);
            let step = (T::of(next * rho), T::of(2.0 * next / delta));
            rho = next;
            step
        });
        std::iter::once((T::zero(), T::of(1.0 / theta))).chain(later)
    }

    /// next ← x + β (x − next) + γ D⁻¹(b − A x), where `next` holds the step before x, or zero if `fresh`.
    fn step(&self, (beta, gamma): (T, T), b: &[T], x: &[T], next: &mut [T], fresh: bool) {
        let (a, inverse) = (&self.a, &self.inverse[..]);
        kernels::for_each_block((b, next), kernels::ROW_GRAIN, &|(part, next): (&[T], &mut [T])| {
            let rows = kernels::offset_in(b, part)..kernels::offset_in(b, part) + part.len();
            if fresh {
                a.for_each_row_product(rows, x, next, |ax, i, next| {
                    *next = x[i] + beta * x[i] + gamma * (inverse[i] * (b[i] - ax));
                });
            } else {
                a.for_each_row_product(rows, x, next, |ax, i, next| {
                    *next = x[i] + beta * (x[i] - *next) + gamma * (inverse[i] * (b[i] - ax));
                });
            }
        });
    }
}

impl<T: Scalar> Smooth<T> for Chebyshev<T> {
    fn name(&self) -> &'static str {
        "chebyshev"
    }

    fn bytes(&self) -> usize {
        super::bytes(&self.a)
    }

    fn open(&self) -> usize {
        self.a.nrows()
    }

    fn residual(&self, b: &[T], x: &[T], r: &mut [T]) {
        self.a.residual(b, x, r);
    }

    fn before(&mut self, b: &[T], x: &mut [T], r: &mut [T]) -> Result<(), SolveError> {
        // Steps go to and fro between two vectors; the last one must end in x.
        let mut other = std::mem::take(&mut self.other);
        let (mut current, mut next) =
            if self.degree % 2 == 1 { (x, &mut other[..]) } else { (&mut other[..], x) };
        let mut coefficients = self.coefficients().take(self.degree);
        if let Some((_, gamma)) = coefficients.next() {
            let parts = (&self.inverse[..], b, &mut *current);
            kernels::for_each_block(parts, kernels::VECTOR_GRAIN, &|(m, b, x): (&[T], &[T], &mut [T])| {
                m.iter().zip(b).zip(x).for_each(|((&m, &b), x)| *x = gamma * (m * b));
            });
        }
        for (k, step) in coefficients.enumerate() {
            self.step(step, b, current, next, k == 0);
            std::mem::swap(&mut current, &mut next);
        }
        self.a.residual(b, current, r);
        self.other = other;
        Ok(())
    }

    fn after(&mut self, b: &[T], x: &mut Vec<T>, _: &mut Vec<T>) -> Result<(), SolveError> {
        let mut other = std::mem::take(&mut self.other);
        for (k, step) in self.coefficients().take(self.degree).enumerate() {
            self.step(step, b, x, &mut other, k == 0);
            std::mem::swap(x, &mut other);
        }
        self.other = other;
        Ok(())
    }
}
