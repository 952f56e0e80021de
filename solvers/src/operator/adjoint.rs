//! A stored matrix beside its stored adjoint.

use super::{LinearOperator, SparseRows, TransposeOperator};
use residua_data::{CsrMatrix, Scalar};

/// A together with Aᴴ, so that y = Aᴴx is threaded over rows like y = Ax.
///
/// **Cost**: one transposition, O(nnz), and 12 nnz + 4 (n + 1) bytes in double precision. It pays from a few
/// products with Aᴴ on, two threads or more; a single product is cheaper by the serial scatter of
/// [`CsrMatrix::multiply_adjoint`]. Both sum in the same order, so they agree in every bit.
///
/// ```
/// use residua_solvers::{CsrMatrix, TransposeOperator, operator::WithAdjoint};
/// let a = CsrMatrix::try_new(1, 2, vec![0, 2], vec![0, 1], vec![3.0, 4.0])?;
/// let mut y = [0.0; 2];
/// WithAdjoint::new(&a).apply_adjoint(&[2.0], &mut y);
/// assert_eq!(y, [6.0, 8.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct WithAdjoint<'a, T = f64> {
    a: &'a CsrMatrix<T>,
    adjoint: CsrMatrix<T>,
}

impl<'a, T: Scalar> WithAdjoint<'a, T> {
    /// Stores Aᴴ.
    pub fn new(a: &'a CsrMatrix<T>) -> Self {
        Self { a, adjoint: a.adjoint() }
    }

    /// Aᴴ.
    pub fn adjoint(&self) -> &CsrMatrix<T> {
        &self.adjoint
    }
}

impl<T: Scalar> LinearOperator<T> for WithAdjoint<'_, T> {
    fn nrows(&self) -> usize {
        self.a.nrows()
    }
    fn ncols(&self) -> usize {
        self.a.ncols()
    }
    fn apply(&self, x: &[T], y: &mut [T]) {
        self.a.apply(x, y);
    }
    fn apply_dot(&self, x: &[T], y: &mut [T]) -> T {
        self.a.apply_dot(x, y)
    }
    fn residual(&self, b: &[T], x: &[T], r: &mut [T]) {
        self.a.residual(b, x, r);
    }
    fn apply_block(&self, k: usize, x: &[T], y: &mut [T]) {
        self.a.apply_block(k, x, y);
    }
}

impl<T: Scalar> TransposeOperator<T> for WithAdjoint<'_, T> {
    fn apply_adjoint(&self, x: &[T], y: &mut [T]) {
        self.adjoint.multiply(x, y);
    }
}

impl<T: Scalar> SparseRows<T> for WithAdjoint<'_, T> {
    fn csr(&self) -> &CsrMatrix<T> {
        self.a
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernels::dot;
    use num_complex::Complex;
    use proptest::prelude::*;

    proptest! {
        /// xᴴ (A y) = (Aᴴ x)ᴴ y, which pins both the transposition and the conjugate.
        #[test]
        fn the_adjoint_moves_to_the_other_side(
            (m, n, v) in (1usize..8, 1usize..8).prop_flat_map(|(m, n)| {
                let part = || prop_oneof![Just(0.0), -2.0..2.0f64];
                let entry = (part(), part()).prop_map(|(re, im)| Complex::new(re, im));
                (Just(m), Just(n), prop::collection::vec(entry, m * n))
            })
        ) {
            let a = CsrMatrix::from_row_major(m, n, &v).unwrap();
            let x: Vec<_> = (0..m).map(|i| Complex::new(i as f64 - 1.0, 0.5)).collect();
            let y: Vec<_> = (0..n).map(|i| Complex::new(1.0, i as f64)).collect();
            let (mut ay, mut scattered, mut stored) =
                (vec![Complex::ZERO; m], vec![Complex::ZERO; n], vec![Complex::ZERO; n]);
            a.apply(&y, &mut ay);
            a.apply_adjoint(&x, &mut scattered);
            WithAdjoint::new(&a).apply_adjoint(&x, &mut stored);
            prop_assert_eq!(&scattered, &stored);
            prop_assert!((dot(&x, &ay) - dot(&scattered, &y)).norm() < 1e-12);
        }
    }

    #[test]
    fn apart_from_the_adjoint_it_is_the_matrix() {
        let a = CsrMatrix::from_row_major(2, 2, &[1.0, 2.0, 0.0, 3.0]).unwrap();
        let with = WithAdjoint::new(&a);
        assert_eq!((with.nrows(), with.ncols(), with.csr()), (2, 2, &a));
        assert_eq!(with.adjoint(), &a.transpose());
        let (mut y, mut z) = ([0.0; 2], [0.0; 2]);
        assert_eq!(with.apply_dot(&[1.0, 1.0], &mut y), 6.0);
        with.residual(&[5.0, 5.0], &[1.0, 1.0], &mut z);
        assert_eq!((y, z), ([3.0, 3.0], [2.0, 2.0]));
        let mut block = [0.0; 4];
        with.apply_block(2, &[1.0, 0.0, 0.0, 1.0], &mut block);
        assert_eq!(block, [1.0, 2.0, 0.0, 3.0]);
    }
}
