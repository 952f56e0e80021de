//! Hybrid Gauss-Seidel: Gauss-Seidel within blocks of rows of a fixed size, Jacobi between them.
//!
//! A = L + D + U within the blocks and O between them. S = (D̂ + L)⁻¹, where D̂ adds the moduli of the row's entries in O to the
//! diagonal: with them the sweep converges for every symmetric positive definite A (Baker, Falgout, Kolev, Yang 2011,
//! theorem 6.2). Sᵀ sweeps backward.

use super::Smooth;
use crate::precond::amg::util::row_map;
use crate::{LinearOperator, Scalar, SolveError, kernels};
use rayon::prelude::*;
use residua_data::CsrMatrix;

/// Rows of a block: fixed, so that the result does not depend on the number of threads.
const BLOCK_ROWS: usize = 8192;

pub(in crate::precond::amg) struct Hybrid<T> {
    a: CsrMatrix<T>,
    inverse: Vec<T>,
    d: Vec<T>,
}

impl<T: Scalar> Hybrid<T> {
    pub(super) fn new(a: &CsrMatrix<f64>, low: CsrMatrix<T>) -> Self {
        let diagonal = row_map(a, |i, cols, vals| {
            let block = i / BLOCK_ROWS;
            let (mut d, mut outside) = (0.0f64, 0.0);
            for (&j, &v) in cols.iter().zip(vals) {
                if j as usize == i {
                    d = v;
                } else if j as usize / BLOCK_ROWS != block {
                    outside += v.abs();
                }
            }
            d + outside.copysign(d)
        });
        Self { a: low, inverse: super::inverse_of(&diagonal), d: vec![T::zero(); a.nrows()] }
    }
}

impl<T: Scalar> Smooth<T> for Hybrid<T> {
    fn name(&self) -> &'static str {
        "hybrid-gauss-seidel"
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
        let (a, inverse) = (&self.a, &self.inverse[..]);
        x.par_chunks_mut(BLOCK_ROWS).enumerate().for_each(|(block, x)| {
            let first = block * BLOCK_ROWS;
            for k in 0..x.len() {
                let i = first + k;
                let (cols, vals) = a.row(i);
                let mut sum = b[i];
                for (&j, &v) in cols.iter().zip(vals).take_while(|&(&j, _)| (j as usize) < i) {
                    if j as usize >= first {
                        sum -= v * x[j as usize - first];
                    }
                }
                x[k] = inverse[i] * sum;
            }
        });
        self.a.residual(b, x, r);
        Ok(())
    }

    fn after(&mut self, b: &[T], x: &mut Vec<T>, r: &mut Vec<T>) -> Result<(), SolveError> {
        self.a.residual(b, x, r);
        let (a, inverse, r) = (&self.a, &self.inverse[..], &r[..]);
        self.d.par_chunks_mut(BLOCK_ROWS).enumerate().for_each(|(block, d)| {
            let first = block * BLOCK_ROWS;
            let end = first + d.len();
            for k in (0..d.len()).rev() {
                let i = first + k;
                let (cols, vals) = a.row(i);
                let mut sum = r[i];
                for (&j, &v) in cols.iter().zip(vals).rev().take_while(|&(&j, _)| (j as usize) > i) {
                    if (j as usize) < end {
                        sum -= v * d[j as usize - first];
                    }
                }
                d[k] = inverse[i] * sum;
            }
        });
        kernels::axpy(T::one(), &self.d, x);
        Ok(())
    }
}
