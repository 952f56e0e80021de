//! What a method needs of A, from least to most.
//!
//! [`LinearOperator`] is y = Ax and enough for every Krylov method; [`TransposeOperator`] adds y = Aᴴx
//! (LSMR; [`WithAdjoint`] stores Aᴴ to make it as fast as y = Ax); [`SparseRows`] is a stored matrix, which sweeps and factorizations read row by row. A method's
//! bound says what it needs, so SOR on a matrix-free operator does not compile.

mod adjoint;

pub use adjoint::WithAdjoint;

use crate::kernels;
use residua_data::{CsrMatrix, Scalar};

/// A linear map A from Tⁿ to Tᵐ.
///
/// Only [`nrows`](Self::nrows), [`ncols`](Self::ncols) and [`apply`](Self::apply) are required. The fused
/// methods have defaults and are worth overriding where one pass can do both. In a distributed run, all
/// lengths are local, `apply` exchanges the halo, and [`sum_over_ranks`](Self::sum_over_ranks) is the one
/// collective.
pub trait LinearOperator<T: Scalar = f64>: Sync {
    /// Number of rows m (on this rank).
    fn nrows(&self) -> usize;

    /// Number of columns n (on this rank).
    fn ncols(&self) -> usize;

    /// y ← A x; `x` has length n, `y` length m.
    fn apply(&self, x: &[T], y: &mut [T]);

    /// y ← A x, and returns xᴴ y summed over ranks. A must be square.
    fn apply_dot(&self, x: &[T], y: &mut [T]) -> T {
        self.apply(x, y);
        let mut dot = [kernels::dot(x, y)];
        self.sum_over_ranks(&mut dot);
        dot[0]
    }

    /// r ← b − A x; `b` and `r` have length m.
    fn residual(&self, b: &[T], x: &[T], r: &mut [T]) {
        self.apply(x, r);
        kernels::subtract_from(b, r);
    }

    /// Y ← A X for `k` vectors at once: entry (i, c) of X is `x[i * k + c]`, likewise Y. A stored matrix is
    /// read once for all k.
    fn apply_block(&self, k: usize, x: &[T], y: &mut [T]) {
        let (m, n) = (self.nrows(), self.ncols());
        let (mut column, mut image) = (vec![T::zero(); n], vec![T::zero(); m]);
        for c in 0..k {
            (0..n).for_each(|i| column[i] = x[i * k + c]);
            self.apply(&column, &mut image);
            (0..m).for_each(|i| y[i * k + c] = image[i]);
        }
    }

    /// Replaces each of `values` by its sum over all ranks. The default is one rank: nothing to do.
    fn sum_over_ranks(&self, _values: &mut [T]) {}
}

/// An operator that can also apply its conjugate transpose.
pub trait TransposeOperator<T: Scalar = f64>: LinearOperator<T> {
    /// y ← Aᴴ x; `x` has length m, `y` length n.
    fn apply_adjoint(&self, x: &[T], y: &mut [T]);
}

/// A stored matrix whose rows can be read: what SOR, SSOR and the incomplete factorizations need.
pub trait SparseRows<T: Scalar = f64>: LinearOperator<T> {
    /// The matrix in compressed sparse rows.
    fn csr(&self) -> &CsrMatrix<T>;
}

impl<T: Scalar> LinearOperator<T> for CsrMatrix<T> {
    fn nrows(&self) -> usize {
        CsrMatrix::nrows(self)
    }

    fn ncols(&self) -> usize {
        CsrMatrix::ncols(self)
    }

    fn apply(&self, x: &[T], y: &mut [T]) {
        self.multiply(x, y);
    }

    fn apply_dot(&self, x: &[T], y: &mut [T]) -> T {
        let start_of = |s: &(&[T], &mut [T])| kernels::offset_in(x, s.0);
        kernels::reduce((x, y), kernels::ROW_GRAIN, &|s: (&[T], &mut [T])| {
            let start = start_of(&s);
            let mut dot = T::zero();
            self.for_each_row_product(start..start + s.1.len(), x, s.1, |ax, i, y| {
                *y = ax;
                dot += x[i].conjugate() * ax;
            });
            dot
        })
    }

    fn residual(&self, b: &[T], x: &[T], r: &mut [T]) {
        kernels::for_each_block((b, r), kernels::ROW_GRAIN, &|s: (&[T], &mut [T])| {
            let start = kernels::offset_in(b, s.0);
            self.for_each_row_product(start..start + s.0.len(), x, s.1, |ax, i, r| *r = b[i] - ax);
        });
    }

    fn apply_block(&self, k: usize, x: &[T], y: &mut [T]) {
        self.multiply_block(k, x, y);
    }
}

/// Serial; [`WithAdjoint`] is threaded, for the price of a stored Aᴴ.
impl<T: Scalar> TransposeOperator<T> for CsrMatrix<T> {
    fn apply_adjoint(&self, x: &[T], y: &mut [T]) {
        self.multiply_adjoint(x, y);
    }
}

impl<T: Scalar> SparseRows<T> for CsrMatrix<T> {
    fn csr(&self) -> &CsrMatrix<T> {
        self
    }
}

impl<T: Scalar, A: LinearOperator<T> + ?Sized> LinearOperator<T> for &A {
    fn nrows(&self) -> usize {
        (**self).nrows()
    }
    fn ncols(&self) -> usize {
        (**self).ncols()
    }
    fn apply(&self, x: &[T], y: &mut [T]) {
        (**self).apply(x, y);
    }
    fn apply_dot(&self, x: &[T], y: &mut [T]) -> T {
        (**self).apply_dot(x, y)
    }
    fn residual(&self, b: &[T], x: &[T], r: &mut [T]) {
        (**self).residual(b, x, r);
    }
    fn apply_block(&self, k: usize, x: &[T], y: &mut [T]) {
        (**self).apply_block(k, x, y);
    }
    fn sum_over_ranks(&self, values: &mut [T]) {
        (**self).sum_over_ranks(values);
    }
}

impl<T: Scalar, A: TransposeOperator<T> + ?Sized> TransposeOperator<T> for &A {
    fn apply_adjoint(&self, x: &[T], y: &mut [T]) {
        (**self).apply_adjoint(x, y);
    }
}

impl<T: Scalar, A: SparseRows<T> + ?Sized> SparseRows<T> for &A {
    fn csr(&self) -> &CsrMatrix<T> {
        (**self).csr()
    }
}

/// A matrix-free square operator of order `n` from a closure `f(x, y)` that sets y ← A x.
///
/// ```
/// use residua_solvers::{LinearOperator, operator::FnOperator};
/// let twice = FnOperator::new(3, |x: &[f64], y: &mut [f64]| y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x));
/// let mut y = [0.0; 3];
/// twice.apply(&[1.0, 2.0, 3.0], &mut y);
/// assert_eq!(y, [2.0, 4.0, 6.0]);
/// ```
pub struct FnOperator<F> {
    n: usize,
    f: F,
}

impl<F> FnOperator<F> {
    /// The operator of order `n` that `f` applies.
    pub fn new(n: usize, f: F) -> Self {
        Self { n, f }
    }
}

impl<T: Scalar, F: Fn(&[T], &mut [T]) + Sync> LinearOperator<T> for FnOperator<F> {
    fn nrows(&self) -> usize {
        self.n
    }
    fn ncols(&self) -> usize {
        self.n
    }
    fn apply(&self, x: &[T], y: &mut [T]) {
        (self.f)(x, y);
    }
}
