//! The coarsest level: A⁻¹ itself, from a dense Cholesky factorization.

use super::io::{Layout, Outer, OuterSource, Part, Plain, PlainSource, Source};
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
    /// From the matrix `a` of this level.
    pub(super) fn new(mut a: DMatrix<f64>, null_space: bool) -> Result<Self, SolveError> {
        let n = a.nrows();
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

/// The whole problem by the dense inverse.
pub(super) fn direct<T: Real>(
    coarsest: &Coarsest<T>,
    source: &OuterSource<'_>,
    output: &Outer<'_>,
    dims @ [nx, ny, nz]: [usize; 3],
    z: &mut [f64],
) -> f64 {
    let n = nx * ny * nz;
    let (mut r, mut x, mut row) = (vec![T::ZERO; n], vec![T::ZERO; n], vec![T::ZERO; nx + 2]);
    let rows = || (0..ny * nz).map(|row| (row % ny, row / ny));
    let (plain, mut to) = (Plain { dims }, Part::new(&mut r[..]));
    for (j, k) in rows() {
        Source::<T>::load(source, j, k, &mut row);
        Layout::<T>::store(&plain, j, k, &row, &mut to);
    }
    coarsest.solve(&r, &mut x);
    let (from, mut to) = (PlainSource { dims, data: &x }, Part::new(z));
    for (j, k) in rows() {
        from.load(j, k, &mut row);
        output.store(j, k, &row, &mut to);
    }
    r.iter().zip(&x).map(|(r, x)| r.wide() * x.wide()).sum()
}
