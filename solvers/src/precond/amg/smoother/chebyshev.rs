//! Chebyshev smoothing: S = q(D⁻¹A) D⁻¹ that is small on \[ρ/4, ρ\] for low degrees, after Adams, Brezina, Hu and
//! Tuminaro (2003); a polynomial in D⁻¹A, so S is its own adjoint.

use super::{Smooth, inverse_of};
use crate::precond::amg::util::{diagonal, largest_scaled_row_sum};
use crate::{LinearOperator, Scalar, SolveError, kernels};
use residua_data::CsrMatrix;

/// The polynomial damps eigenvalues from this share of the largest on.
const LOWER: f64 = 0.12;

pub(in crate::precond::amg) struct Chebyshev<T> {
    a: CsrMatrix<T>,
    degree: usize,
    theta: f64,
    delta: f64,
    inverse: Vec<T>,
    d: Vec<T>,
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
            d: vec![T::zero(); a.nrows()],
        }
    }

    /// `steps` further steps: d ← β d + γ D⁻¹(b − A x), x ← x + d, the first with β = 0.
    fn steps(&mut self, b: &[T], x: &mut [T], from_zero: bool) {
        let sigma = self.theta / self.delta;
        let mut rho = 1.0 / sigma;
        let gamma = T::of(1.0 / self.theta);
        let (a, inverse, d) = (&self.a, &self.inverse[..], &mut self.d[..]);
        if from_zero {
            kernels::for_each_block(
                (inverse, b, &mut *d, &mut *x),
                kernels::VECTOR_GRAIN,
                &|(m, b, d, x): Parts<'_, T>| {
                    for (((&m, &b), d), x) in m.iter().zip(b).zip(d).zip(x) {
                        *d = gamma * (m * b);
                        *x = *d;
                    }
                },
            );
        } else {
            direction(a, b, x, inverse, T::zero(), gamma, d);
            kernels::axpy(T::one(), d, x);
        }
        for _ in 1..self.degree {
            let next = 1.0 / (2.0 * sigma - rho);
            direction(a, b, x, inverse, T::of(next * rho), T::of(2.0 * next / self.delta), d);
            kernels::axpy(T::one(), d, x);
            rho = next;
        }
    }
}

type Parts<'a, T> = (&'a [T], &'a [T], &'a mut [T], &'a mut [T]);

/// d ← β d + γ D⁻¹(b − A x).
fn direction<T: Scalar>(a: &CsrMatrix<T>, b: &[T], x: &[T], inverse: &[T], beta: T, gamma: T, d: &mut [T]) {
    kernels::for_each_block((b, d), kernels::ROW_GRAIN, &|(part, d): (&[T], &mut [T])| {
        let start = kernels::offset_in(b, part);
        a.for_each_row_product(start..start + part.len(), x, d, |ax, i, d| {
            *d = beta * *d + gamma * (inverse[i] * (b[i] - ax));
        });
    });
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
        self.steps(b, x, true);
        self.a.residual(b, x, r);
        Ok(())
    }

    fn after(&mut self, b: &[T], x: &mut Vec<T>, _: &mut Vec<T>) -> Result<(), SolveError> {
        self.steps(b, x, false);
        Ok(())
    }
}
