//! Block Jacobi: M = the diagonal blocks of A.
//!
//! With A cut into contiguous blocks of size s, M = diag(A₁₁, A₂₂, …) and z = M⁻¹ r is one dense product a
//! block (Saad, 2003, *Iterative Methods for Sparse Linear Systems*, section 12.2). The inverses are stored:
//! a product reads them once and in order, where two triangular solves would wait for each other's rows.

use super::{LinearPreconditioner, Preconditioner, Refresh, SpdPreconditioner};
use crate::SparseRows;
use crate::error::{SolveError, check_len, check_square};
use nalgebra::DMatrix;
use rayon::prelude::*;
use residua_data::{CsrMatrix, Scalar};

const NAME: &str = "block_jacobi";

/// Largest block: its inverse takes 8 s bytes an unknown in double precision.
const MAX_BLOCK_SIZE: usize = 512;

/// Unknowns that a task takes at least.
const TASK_ROWS: usize = 4096;

/// M = the diagonal blocks of A of size s, for unknowns that belong together: several fields at a point,
/// the points of an element.
///
/// **Cost** of z = M⁻¹ r in double precision: 8 s n + 16 n bytes. **Storage**: 8 s n bytes.
/// [`spd`](Self::spd) makes one for CG.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockJacobi<T = f64> {
    block_size: usize,
    n: usize,
    /// The inverses, block by block, row by row.
    inverses: Vec<T>,
}

impl<T: Scalar> BlockJacobi<T> {
    /// From the diagonal blocks of a square matrix, `block_size` in 1 ..= 512; the last block may be smaller.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`]; [`SolveError::InvalidOption`]; [`SolveError::FactorizationFailed`] if a
    /// block is singular.
    pub fn new<A: SparseRows<T> + ?Sized>(a: &A, block_size: usize) -> Result<Self, SolveError> {
        let mut blocks = Self::empty(a, block_size)?;
        blocks.invert(a.csr(), invert_general)?;
        Ok(blocks)
    }

    /// The same for a Hermitian positive definite matrix, checked by a Cholesky factorization of each block
    /// (of its lower triangle): the result is a preconditioner for CG.
    ///
    /// # Errors
    /// As [`new`](Self::new), with [`SolveError::FactorizationFailed`] if a block is not positive definite.
    pub fn spd<A: SparseRows<T> + ?Sized>(a: &A, block_size: usize) -> Result<SpdBlockJacobi<T>, SolveError> {
        let mut blocks = Self::empty(a, block_size)?;
        blocks.invert(a.csr(), invert_definite)?;
        Ok(SpdBlockJacobi(blocks))
    }

    /// The block size s.
    pub fn block_size(&self) -> usize {
        self.block_size
    }

    fn empty<A: SparseRows<T> + ?Sized>(a: &A, block_size: usize) -> Result<Self, SolveError> {
        check_square(NAME, a.nrows(), a.ncols())?;
        if !(1..=MAX_BLOCK_SIZE).contains(&block_size) {
            return Err(SolveError::InvalidOption {
                name: "block_size",
                value: block_size.to_string(),
                expected: "blocks are dense: 1 ..= 512",
            });
        }
        let n = a.nrows();
        let last = n % block_size;
        Ok(Self { block_size, n, inverses: vec![T::zero(); (n - last) * block_size + last * last] })
    }

    fn invert(
        &mut self,
        a: &CsrMatrix<T>,
        invert: impl Fn(DMatrix<T>) -> Result<DMatrix<T>, &'static str> + Sync,
    ) -> Result<(), SolveError> {
        check_len("the matrix given to refresh", self.n, a.nrows())?;
        check_len("the matrix given to refresh", self.n, a.ncols())?;
        let size = self.block_size;
        let failures = self.inverses.par_chunks_mut(size * size).enumerate().filter_map(|(k, inverse)| {
            let row = k * size;
            match invert(dense_block(a, row, size.min(a.nrows() - row))) {
                Ok(dense) => {
                    let order = dense.nrows();
                    inverse.iter_mut().enumerate().for_each(|(e, out)| *out = dense[(e / order, e % order)]);
                    None
                }
                Err(reason) => Some((row, reason)),
            }
        });
        match failures.min_by_key(|&(row, _)| row) {
            None => Ok(()),
            Some((row, reason)) => {
                Err(SolveError::FactorizationFailed { what: NAME, row, reason: reason.into() })
            }
        }
    }
}

/// The diagonal block of `order` rows from `first`.
fn dense_block<T: Scalar>(a: &CsrMatrix<T>, first: usize, order: usize) -> DMatrix<T> {
    let mut block = DMatrix::from_element(order, order, T::zero());
    for i in 0..order {
        let (cols, values) = a.row(first + i);
        let start = cols.partition_point(|&j| (j as usize) < first);
        let inside = cols[start..].iter().zip(&values[start..]);
        inside
            .take_while(|&(&j, _)| (j as usize) < first + order)
            .for_each(|(&j, &v)| block[(i, j as usize - first)] = v);
    }
    block
}

fn invert_general<T: Scalar>(block: DMatrix<T>) -> Result<DMatrix<T>, &'static str> {
    let inverse = block.lu().try_inverse().filter(|inverse| inverse.iter().all(|v| v.is_finite()));
    inverse.ok_or(
        "the diagonal block that starts here is singular or not finite: use another block size, or ilut",
    )
}

fn invert_definite<T: Scalar>(block: DMatrix<T>) -> Result<DMatrix<T>, &'static str> {
    const REASON: &str = "the diagonal block that starts here is not positive definite: use minres, or BlockJacobi::new with gmres";
    let cholesky = block.cholesky().ok_or(REASON)?;
    // For complex numbers a negative pivot has an (imaginary) square root, which nalgebra takes.
    let lower = cholesky.l_dirty();
    let is_positive = |d: T| {
        d.real_f64() > 0.0
            && d.is_finite()
            && (d - T::from_real(d.real())).modulus_f64() <= 1e-6 * d.real_f64()
    };
    if !(0..lower.nrows()).all(|i| is_positive(lower[(i, i)])) {
        return Err(REASON);
    }
    let inverse = cholesky.inverse();
    let adjoint = inverse.adjoint();
    let half = T::of(0.5);
    // Hermitian to the last bit, whatever the rounding.
    Ok((inverse + adjoint) * half)
}

impl<T: Scalar> Preconditioner<T> for BlockJacobi<T> {
    fn name(&self) -> &'static str {
        NAME
    }
    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        check_len("r", self.n, r.len())?;
        check_len("z", self.n, z.len())?;
        let size = self.block_size;
        let blocks =
            self.inverses.par_chunks(size * size).zip(r.par_chunks(size)).zip(z.par_chunks_mut(size));
        blocks.with_min_len(TASK_ROWS.div_ceil(size)).for_each(|((inverse, r), z)| {
            for (z, row) in z.iter_mut().zip(inverse.chunks_exact(r.len())) {
                *z = row.iter().zip(r).fold(T::zero(), |sum, (&m, &r)| sum + m * r);
            }
        });
        Ok(())
    }
}
impl<T: Scalar> LinearPreconditioner<T> for BlockJacobi<T> {}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Refresh<A> for BlockJacobi<T> {
    /// Inverts the blocks of `a`, of the same order and any pattern. After an error it must be built anew.
    fn refresh(&mut self, a: &A) -> Result<(), SolveError> {
        self.invert(a.csr(), invert_general)
    }
}

/// Block Jacobi whose blocks were found to be Hermitian positive definite; see [`BlockJacobi::spd`].
#[derive(Debug, Clone, PartialEq)]
pub struct SpdBlockJacobi<T = f64>(BlockJacobi<T>);

impl<T: Scalar> SpdBlockJacobi<T> {
    /// The block size s.
    pub fn block_size(&self) -> usize {
        self.0.block_size
    }
}

impl<T: Scalar> Preconditioner<T> for SpdBlockJacobi<T> {
    fn name(&self) -> &'static str {
        NAME
    }
    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        self.0.apply(r, z)
    }
}
impl<T: Scalar> LinearPreconditioner<T> for SpdBlockJacobi<T> {}
impl<T: Scalar> SpdPreconditioner<T> for SpdBlockJacobi<T> {}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Refresh<A> for SpdBlockJacobi<T> {
    /// As for [`BlockJacobi`], with the same check of each block as at first.
    fn refresh(&mut self, a: &A) -> Result<(), SolveError> {
        self.0.invert(a.csr(), invert_definite)
    }
}
