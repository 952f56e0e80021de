//! The coarsest level: a dense (pseudo-)inverse, exact up to rounding, for singular matrices too.

use super::smoother::Smooth;
use crate::{Scalar, SolveError, kernels};
use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use residua_data::CsrMatrix;

/// Eigenvalues below this share of the largest count as zero.
const SINGULAR: f64 = 1e-10;

/// A⁻¹, or A⁺ where A is singular, as a dense matrix by rows. As a smoother it leaves nothing to the sweep after it.
pub(super) struct CoarseInverse<T> {
    a: CsrMatrix<f64>,
    inverse: Vec<T>,
}

impl<T: Scalar> CoarseInverse<T> {
    pub(super) fn new(a: &CsrMatrix<f64>, symmetric: bool) -> Result<Self, SolveError> {
        let n = a.nrows();
        let mut dense = Mat::<f64>::zeros(n, n);
        for i in 0..n {
            let (cols, vals) = a.row(i);
            cols.iter().zip(vals).for_each(|(&j, &v)| dense[(i, j as usize)] = v);
        }
        let inverse = invert(&dense, symmetric).ok_or_else(|| SolveError::FactorizationFailed {
            what: "amg",
            row: 0,
            reason: "the coarsest matrix has no finite inverse: use another preconditioner".to_owned(),
        })?;
        let inverse =
            (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| T::of(inverse[(i, j)])).collect();
        Ok(Self { a: a.clone(), inverse })
    }
}

impl<T: Scalar> Smooth<T> for CoarseInverse<T> {
    fn name(&self) -> &'static str {
        "dense-inverse"
    }

    fn bytes(&self) -> usize {
        self.inverse.len() * size_of::<T>()
    }

    fn open(&self) -> usize {
        0
    }

    fn before(&mut self, b: &[T], x: &mut [T], _: &mut [T]) -> Result<(), SolveError> {
        for (row, x) in self.inverse.chunks_exact(self.a.nrows().max(1)).zip(x) {
            *x = kernels::dot(row, b);
        }
        Ok(())
    }

    fn after(&mut self, _: &[T], _: &mut Vec<T>, _: &mut Vec<T>) -> Result<(), SolveError> {
        Ok(())
    }

    fn residual(&self, b: &[T], x: &[T], r: &mut [T]) {
        for (i, r) in r.iter_mut().enumerate() {
            let (cols, vals) = self.a.row(i);
            let ax = cols.iter().zip(vals).map(|(&j, &v)| T::of(v) * x[j as usize]);
            *r = ax.fold(b[i], |r, ax| r - ax);
        }
    }
}

fn is_finite(m: &Mat<f64>) -> bool {
    m.col_iter().all(|c| c.iter().all(|v| v.is_finite()))
}

fn invert(a: &Mat<f64>, symmetric: bool) -> Option<Mat<f64>> {
    let n = a.nrows();
    if !is_finite(a) {
        return None;
    }
    if symmetric {
        if let Ok(cholesky) = a.llt(Side::Lower) {
            // A nearly singular matrix may factorize by luck of rounding; its diagonal of L tells.
            let l = cholesky.L();
            let (mut least, mut most) = (f64::INFINITY, 0.0f64);
            for i in 0..n {
                least = least.min(l[(i, i)] * l[(i, i)] / a[(i, i)]);
                most = most.max(l[(i, i)] * l[(i, i)] / a[(i, i)]);
            }
            if least > SINGULAR * most {
                return Some(cholesky.solve(Mat::<f64>::identity(n, n))).filter(is_finite);
            }
        }
        let eigen = a.self_adjoint_eigen(Side::Lower).ok()?;
        let (u, s) = (eigen.U(), eigen.S());
        let largest = (0..n).map(|k| s[k].abs()).fold(0.0, f64::max);
        let mut scaled = u.to_owned();
        for k in 0..n {
            let factor = if s[k].abs() > SINGULAR * largest { 1.0 / s[k] } else { 0.0 };
            (0..n).for_each(|i| scaled[(i, k)] *= factor);
        }
        return Some(scaled * u.transpose()).filter(is_finite);
    }
    let svd = a.svd().ok()?;
    let (u, s, v) = (svd.U(), svd.S(), svd.V());
    let largest = (0..n).map(|k| s[k]).fold(0.0, f64::max);
    let mut scaled = v.to_owned();
    for k in 0..n {
        let factor = if s[k] > SINGULAR * largest { 1.0 / s[k] } else { 0.0 };
        (0..n).for_each(|i| scaled[(i, k)] *= factor);
    }
    Some(scaled * u.transpose()).filter(is_finite)
}
