//! Estimates of the condition number.
//!
//! κ₁(A) = ‖A‖₁ ‖A⁻¹‖₁, with ‖A⁻¹‖₁ estimated by Hager's method from a few solves with A and Aᴴ: it climbs
//! the convex function ‖A⁻¹x‖₁ over the vertices of ‖x‖₁ ≤ 1 (Hager 1984, SIAM J. Sci. Stat. Comput. 5;
//! Higham 1988, ACM TOMS 14(4), Algorithm 4.1 without its alternative estimate). A lower bound, nearly
//! always within a factor of three.

use super::build::AutoScalar;
use super::facts::MatrixFacts;
use crate::CsrMatrix;
use crate::direct::{DirectKind, Factorization, FaerScalar};

/// Hager's iteration seldom needs more.
const MAX_STEPS: usize = 5;

/// κ₁(A), estimated; infinite for a matrix that is numerically singular, `None` for one that is not square
/// or too large to be factorized cheaply.
pub fn estimate_condition<T: AutoScalar>(a: &CsrMatrix<T>, facts: &MatrixFacts) -> Option<f64> {
    if !facts.is_square() || facts.rows == 0 || !facts.with_factor_estimate(a).factorization_is_cheap() {
        return None;
    }
    if facts.null_space.is_some() || facts.empty_rows > 0 {
        return Some(f64::INFINITY);
    }
    Some(T::condition(a))
}

/// The estimate for a square matrix of order at least 1.
pub(super) fn hager<T: FaerScalar>(a: &CsrMatrix<T>) -> f64 {
    let Ok(mut factors) = Factorization::new(DirectKind::Lu, a) else {
        return f64::INFINITY;
    };
    let n = a.nrows();
    let norm_1 = |v: &[T]| v.iter().map(|v| v.modulus_f64()).sum::<f64>();
    let mut x = vec![T::of(1.0 / n as f64); n];
    let mut estimate = 0.0;
    for _ in 0..MAX_STEPS {
        factors.solve_in_place(&mut x);
        let norm = norm_1(&x);
        if !norm.is_finite() {
            return f64::INFINITY;
        }
        if norm <= estimate {
            break;
        }
        estimate = norm;
        // The gradient of ‖A⁻¹x‖₁ is A⁻ᴴ sign(A⁻¹x).
        for v in &mut x {
            let modulus = v.modulus_f64();
            *v = if modulus > 0.0 { *v / T::of(modulus) } else { T::one() };
        }
        factors.solve_adjoint_in_place(&mut x);
        let Some(steepest) = (0..n).max_by(|&i, &j| x[i].modulus_f64().total_cmp(&x[j].modulus_f64())) else {
            break;
        };
        x.fill(T::zero());
        x[steepest] = T::one();
    }
    let mut column_sums = vec![0.0f64; n];
    a.col_idx().iter().zip(a.values()).for_each(|(&j, v)| column_sums[j as usize] += v.modulus_f64());
    estimate * column_sums.into_iter().fold(0.0, f64::max)
}
