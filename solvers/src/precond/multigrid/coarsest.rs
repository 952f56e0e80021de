//! The coarsest level: A⁻¹ itself, from a dense Cholesky factorization.

use super::coarsen::Fine;
use super::real::Real;
use crate::SolveError;
use nalgebra::DMatrix;

/// A dense inverse; of A + σ 11ᵀ where the constants are the null space, which for r of mean zero gives the same
/// answer.
#[derive(Debug, Clone)]
pub(super) struct Coarsest<T> {
    n: usize,
    inverse: Vec<T>,
}

impl<T: Real> Coarsest<T> {
    pub(super) fn new(fine: &Fine, null_space: bool) -> Result<Self, SolveError> {
        let [nx, ny, nz] = fine.dims;
        let n = nx * ny * nz;
        let mut a = DMatrix::<f64>::zeros(n, n);
        let stride = [1, nx, nx * ny];
        for row in 0..n {
            let p = [row % nx, row / nx % ny, row / (nx * ny)];
            for axis in 0..3 {
                let mut high = p;
                high[axis] += 1;
                let (low_w, high_w) = (fine.face(axis, p), fine.face(axis, high));
                a[(row, row)] += low_w + high_w;
                if p[axis] > 0 {
                    a[(row, row - stride[axis])] -= low_w;
                }
                if high[axis] < fine.dims[axis] {
                    a[(row, row + stride[axis])] -= high_w;
                }
            }
        }
        let largest = (0..n).map(|i| a[(i, i)]).fold(0.0, f64::max);
        let unit = if largest > 0.0 { largest } else { 1.0 };
        // A point without an open face is no unknown.
        for i in 0..n {
            if a[(i, i)] <= 0.0 {
                a[(i, i)] = unit;
            }
        }
        if null_space {
            a.add_scalar_mut(unit / n as f64);
        }
        let factor = nalgebra::Cholesky::new(a.clone()).or_else(|| {
            // Semidefinite up to rounding: a component closed off by walls.
            (0..n).for_each(|i| a[(i, i)] += 1e-10 * unit);
            nalgebra::Cholesky::new(a)
        });
        let inverse = factor
            .ok_or_else(|| SolveError::FactorizationFailed {
                what: "mg",
                row: 0,
                reason: "the coarsest level is not positive definite; use cg with another preconditioner"
                    .to_owned(),
            })?
            .inverse();
        // Symmetric to the last bit, so that the cycle is.
        let symmetric = |i: usize, j: usize| T::of(inverse[(i.min(j), i.max(j))]);
        Ok(Self { n, inverse: (0..n * n).map(|at| symmetric(at / n, at % n)).collect() })
    }

    /// x ← A⁻¹ r.
    pub(super) fn solve(&self, r: &[T], x: &mut [T]) {
        for (row, x) in self.inverse.chunks_exact(self.n).zip(x) {
            let (row, row_rest) = row.as_chunks::<8>();
            let (r8, r_rest) = r.as_chunks::<8>();
            let mut sums = [T::ZERO; 8];
            for (a, r) in row.iter().zip(r8) {
                (0..8).for_each(|l| sums[l] += a[l] * r[l]);
            }
            let mut sum = sums.into_iter().fold(T::ZERO, |s, v| s + v);
            row_rest.iter().zip(r_rest).for_each(|(&a, &r)| sum += a * r);
            *x = sum;
        }
    }
}
