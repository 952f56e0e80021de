//! How good x is, from the matrix as read: nothing of what a solver says is used.
//!
//! relative residual ‖b − Ax‖₂/‖b‖₂, and the normwise backward error ‖b − Ax‖∞/(‖A‖∞‖x‖∞ + ‖b‖∞)
//! (Rigal and Gaches 1967, J. ACM 14(3): the smallest relative change of A and b that makes x exact).

use residua_data::{CsrMatrix, Scalar};

/// The two measures of one solution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quality {
    /// ‖b − Ax‖₂.
    pub(crate) residual_norm: f64,
    /// ‖b‖₂.
    pub(crate) rhs_norm: f64,
    /// ‖b − Ax‖∞/(‖A‖∞‖x‖∞ + ‖b‖∞); 0 where the residual is.
    pub(crate) backward_error: f64,
}

impl Quality {
    /// ‖b − Ax‖₂/‖b‖₂; ‖b − Ax‖₂ where b = 0.
    pub(crate) fn relative_residual(&self) -> f64 {
        if self.rhs_norm > 0.0 { self.residual_norm / self.rhs_norm } else { self.residual_norm }
    }

    /// ‖b − Ax‖₂ ≤ max(rtol ‖b‖₂, atol).
    pub(crate) fn meets(&self, rtol: f64, atol: f64) -> bool {
        self.residual_norm <= (rtol * self.rhs_norm).max(atol)
    }
}

/// Measures `x` (length n) against `a` (m × n) and `b` (length m).
pub(crate) fn measure<T: Scalar>(a: &CsrMatrix<T>, x: &[T], b: &[T]) -> Quality {
    let mut r = vec![T::zero(); a.nrows()];
    a.multiply(x, &mut r);
    r.iter_mut().zip(b).for_each(|(r, &b)| *r = b - *r);
    let largest = max_abs(&r);
    let scale = a.norm_inf() * max_abs(x) + max_abs(b);
    Quality {
        residual_norm: norm2(&r),
        rhs_norm: norm2(b),
        backward_error: if largest == 0.0 { 0.0 } else { largest / scale },
    }
}

/// The largest modulus; NaN if there is one.
fn max_abs<T: Scalar>(v: &[T]) -> f64 {
    v.iter().map(|v| v.modulus_f64()).fold(0.0, |m, v| if v > m || v.is_nan() { v } else { m })
}

/// ‖v‖₂ without overflow.
fn norm2<T: Scalar>(v: &[T]) -> f64 {
    let largest = max_abs(v);
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let sum: f64 = v.iter().map(|v| (v.modulus_f64() / largest).powi(2)).sum();
    largest * sum.sqrt()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_measures_are_those_of_the_formulas() {
        // A = [2 1; 0 1], x = (1, 1), b = (3, 2): r = (0, 1), ‖A‖∞ = 3.
        let a = CsrMatrix::try_new(2, 2, vec![0, 2, 3], vec![0, 1, 1], vec![2.0, 1.0, 1.0]).unwrap();
        let q = measure(&a, &[1.0, 1.0], &[3.0, 2.0]);
        assert_eq!(q.residual_norm, 1.0);
        assert!((q.relative_residual() - 1.0 / 13f64.sqrt()).abs() < 1e-15);
        assert_eq!(q.backward_error, 1.0 / (3.0 + 3.0));
        assert!(q.meets(0.3, 0.0) && !q.meets(0.2, 0.0) && q.meets(0.0, 1.0));
    }

    #[test]
    fn zero_and_huge_vectors_are_measured() {
        let a = CsrMatrix::from_diagonal(&[1e200, 1e200]).unwrap();
        let q = measure(&a, &[0.0, 0.0], &[0.0, 0.0]);
        assert_eq!((q.relative_residual(), q.backward_error), (0.0, 0.0));
        let q = measure(&a, &[0.0, 0.0], &[3e200, 4e200]);
        assert_eq!(q.relative_residual(), 1.0);
        assert!((q.residual_norm / 5e200 - 1.0).abs() < 1e-15);
        let q = measure(&a, &[f64::NAN, 0.0], &[1.0, 1.0]);
        assert!(q.relative_residual().is_nan() && !q.meets(1.0, 1.0));
    }
}
