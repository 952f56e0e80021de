//! Smoothers with a diagonal S = W: damped Jacobi, ℓ1-Jacobi, SPAI-0.
//!
//! ```text
//! Jacobi   w_i = ω / a_ii,  ω = 4 / (3 ρ), ρ the largest row sum of |D⁻¹A|, where none is given
//! ℓ1       w_i = 1 / Σ_j |a_ij|      (Baker, Falgout, Kolev, Yang 2011, eq. 6.1)
//! SPAI-0   w_i = a_ii / Σ_j a_ij²    (Bröker and Grote 2002)
//! ```

use super::{Smooth, inverse_of};
use crate::precond::amg::util::{diagonal, diagonal_of_row, largest_scaled_row_sum, row_map};
use crate::{LinearOperator, Scalar, SolveError, kernels};
use residua_data::CsrMatrix;

/// x ← x + W (b − A x).
pub(in crate::precond::amg) struct Diagonal<T> {
    name: &'static str,
    a: CsrMatrix<T>,
    w: Vec<T>,
}

impl<T: Scalar> Diagonal<T> {
    pub(super) fn jacobi(a: &CsrMatrix<f64>, low: CsrMatrix<T>, omega: Option<f64>) -> Self {
        let d = diagonal(a);
        let omega =
            omega.unwrap_or_else(|| 4.0 / (3.0 * largest_scaled_row_sum(a, &d).max(f64::MIN_POSITIVE)));
        let d: Vec<f64> = d.iter().map(|d| d / omega).collect();
        Self { name: "jacobi", a: low, w: inverse_of(&d) }
    }

    pub(super) fn l1(a: &CsrMatrix<f64>, low: CsrMatrix<T>) -> Self {
        let sums = row_map(a, |i, cols, vals| {
            let d = diagonal_of_row(i, cols, vals);
            vals.iter().map(|v| v.abs()).sum::<f64>().copysign(d)
        });
        Self { name: "l1-jacobi", a: low, w: inverse_of(&sums) }
    }

    pub(super) fn spai0(a: &CsrMatrix<f64>, low: CsrMatrix<T>) -> Self {
        let w = row_map(a, |i, cols, vals| {
            let d = diagonal_of_row(i, cols, vals);
            let squares: f64 = vals.iter().map(|v| v * v).sum();
            if squares > 0.0 { d / squares } else { 0.0 }
        });
        Self { name: "spai0", a: low, w: w.into_iter().map(T::of).collect() }
    }
}

impl<T: Scalar> Smooth<T> for Diagonal<T> {
    fn name(&self) -> &'static str {
        self.name
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
        kernels::multiply_elementwise(&self.w, b, x);
        self.a.residual(b, x, r);
        Ok(())
    }

    fn after(&mut self, b: &[T], x: &mut Vec<T>, r: &mut Vec<T>) -> Result<(), SolveError> {
        let (a, w, old) = (&self.a, &self.w[..], &x[..]);
        kernels::for_each_block((b, &mut r[..]), kernels::ROW_GRAIN, &|(part, new): (&[T], &mut [T])| {
            let start = kernels::offset_in(b, part);
            a.for_each_row_product(start..start + part.len(), old, new, |ax, i, new| {
                *new = old[i] + w[i] * (b[i] - ax);
            });
        });
        std::mem::swap(x, r);
        Ok(())
    }
}
