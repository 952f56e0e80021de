//! Extreme eigenvalues of M⁻¹A from a few steps of the Lanczos process.
//!
//! CG with coefficients α_k, β_k from a random right-hand side builds the Lanczos matrix of M⁻¹A (Saad, 2003,
//! *Iterative Methods for Sparse Linear Systems*, eqs. 6.82-6.83), tridiagonal with
//!
//! ```text
//! t_kk = 1/α_k + β_{k−1}/α_{k−1},     t_{k,k+1} = √β_k / α_k
//! ```
//!
//! whose extreme eigenvalues (Ritz values, by bisection with Sturm sequences) approach λmin from above and λmax
//! from below, λmax in a dozen steps.

use crate::error::{SolveError, check_square};
use crate::{Breakdown, LinearOperator, SpdPreconditioner, kernels};
use residua_data::Scalar;

/// Most Lanczos steps; the small matrix lives on the stack.
pub const MAX_LANCZOS_STEPS: usize = 64;

/// An interval 0 < `min` < `max` for the eigenvalues of M⁻¹A.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpectralBounds {
    /// Lower end.
    pub min: f64,
    /// Upper end.
    pub max: f64,
}

impl SpectralBounds {
    /// The interval [`min`, `max`].
    ///
    /// # Errors
    /// [`SolveError::InvalidOption`] unless 0 < `min` < `max` < ∞.
    pub fn try_new(min: f64, max: f64) -> Result<Self, SolveError> {
        if min > 0.0 && min < max && max.is_finite() {
            return Ok(Self { min, max });
        }
        Err(SolveError::InvalidOption {
            name: "spectral bounds",
            value: format!("[{min}, {max}]"),
            expected: "the eigenvalues of a definite matrix lie in an interval with 0 < min < max < infinity",
        })
    }

    /// `max` / `min`.
    pub fn condition(&self) -> f64 {
        self.max / self.min
    }

    /// The centre θ and the half-width δ.
    pub(crate) fn centre_and_radius(&self) -> (f64, f64) {
        (0.5 * (self.max + self.min), 0.5 * (self.max - self.min))
    }
}

/// The extreme Ritz values of M⁻¹A after at most `steps` Lanczos steps (capped at [`MAX_LANCZOS_STEPS`]) from a
/// fixed pseudo-random vector. `min` is at least λmin, `max` at most λmax; add a margin where that matters. One
/// product with A and one application of M⁻¹ a step; 4n of storage, allocated here.
///
/// # Errors
/// [`SolveError::NotSquare`]; [`SolveError::ApplyFailed`] if A or M turns out not to be positive definite, or
/// what the preconditioner returns.
pub fn estimate_spectrum<T: Scalar, A: LinearOperator<T> + ?Sized, P: SpdPreconditioner<T>>(
    a: &A,
    precond: &mut P,
    steps: usize,
) -> Result<SpectralBounds, SolveError> {
    check_square("the spectrum estimate", a.nrows(), a.ncols())?;
    let zeros = || vec![T::zero(); a.nrows()];
    let (mut r, mut z, mut p, mut q) = (zeros(), zeros(), zeros(), zeros());
    match lanczos(a, precond, steps, [&mut r, &mut z, &mut p, &mut q])? {
        Ok((bounds, _)) => Ok(bounds),
        Err(_) => Err(SolveError::ApplyFailed {
            what: "the spectrum estimate",
            reason: "the matrix or the preconditioner is not Hermitian positive definite".into(),
        }),
    }
}

/// As [`estimate_spectrum`] in given workspace; also the number of steps done. The inner error tells how the
/// process broke down.
pub(crate) fn lanczos<T: Scalar, A: LinearOperator<T> + ?Sized, P: SpdPreconditioner<T>>(
    a: &A,
    precond: &mut P,
    steps: usize,
    [r, z, p, q]: [&mut [T]; 4],
) -> Result<Result<(SpectralBounds, usize), Breakdown>, SolveError> {
    let mut tridiagonal = Tridiagonal::new();
    random_signs(r);
    p.fill(T::zero());
    let (mut rho_old, mut alpha_old, mut beta) = (0.0f64, 1.0f64, 0.0f64);
    let mut rho_first = 0.0;
    for step in 0..steps.clamp(1, MAX_LANCZOS_STEPS) {
        let mut rho = [precond.apply_dot(r, z)?];
        a.sum_over_ranks(&mut rho);
        let rho = rho[0].real_f64();
        if step == 0 {
            rho_first = rho;
        } else if rho.abs() <= rho_first * T::epsilon_f64() * T::epsilon_f64() {
            break; // The space is exhausted: the Ritz values are eigenvalues.
        }
        if !rho.is_finite() {
            return Ok(Err(Breakdown::NonFinite));
        }
        if rho <= 0.0 {
            return Ok(Err(Breakdown::IndefinitePreconditioner));
        }
        if step > 0 {
            beta = rho / rho_old;
        }
        kernels::xpby(z, T::of(beta), p);
        let curvature = a.apply_dot(p, q).real_f64();
        if !curvature.is_finite() {
            return Ok(Err(Breakdown::NonFinite));
        }
        if curvature <= 0.0 {
            return Ok(Err(Breakdown::IndefiniteOperator));
        }
        let alpha = rho / curvature;
        tridiagonal.push(1.0 / alpha + beta / alpha_old, beta.sqrt() / alpha_old);
        kernels::axpy(T::of(-alpha), q, r);
        (rho_old, alpha_old) = (rho, alpha);
    }
    let (min, max) = tridiagonal.extremes();
    Ok(Ok((SpectralBounds { min, max }, tridiagonal.len)))
}

/// ±1 by splitmix64 from a fixed seed: the same vector on every run, with a share in every eigenvector.
fn random_signs<T: Scalar>(v: &mut [T]) {
    let mut state = 0x5EED_u64;
    for v in v {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        *v = if (bits ^ (bits >> 31)) & 1 == 0 { T::one() } else { -T::one() };
    }
}

/// A small real symmetric tridiagonal matrix.
struct Tridiagonal {
    len: usize,
    diagonal: [f64; MAX_LANCZOS_STEPS],
    /// Squares of the entries beside the diagonal; the first is unused.
    beside_sq: [f64; MAX_LANCZOS_STEPS],
}

impl Tridiagonal {
    fn new() -> Self {
        Self { len: 0, diagonal: [0.0; MAX_LANCZOS_STEPS], beside_sq: [0.0; MAX_LANCZOS_STEPS] }
    }

    fn push(&mut self, diagonal: f64, beside: f64) {
        self.diagonal[self.len] = diagonal;
        self.beside_sq[self.len] = if self.len == 0 { 0.0 } else { beside * beside };
        self.len += 1;
    }

    /// Number of eigenvalues below `x`: the negative pivots of T − x I.
    fn count_below(&self, x: f64) -> usize {
        let mut pivot = 1.0f64;
        let mut count = 0;
        for (&d, &sq) in self.diagonal[..self.len].iter().zip(&self.beside_sq) {
            pivot = d - x - sq / pivot;
            if pivot == 0.0 {
                pivot = f64::MIN_POSITIVE;
            }
            count += usize::from(pivot < 0.0);
        }
        count
    }

    /// The smallest and the largest eigenvalue of a positive definite one, to about ten digits.
    fn extremes(&self) -> (f64, f64) {
        let beside = |k: usize| if k < self.len { self.beside_sq[k].sqrt() } else { 0.0 };
        let rows = (0..self.len).map(|k| self.diagonal[k] + beside(k) + beside(k + 1));
        let bound = rows.fold(0.0, f64::max);
        let bisect = |is_above: &dyn Fn(f64) -> bool| {
            let (mut low, mut high) = (0.0, bound);
            while high - low > 1e-10 * high {
                let mid = 0.5 * (low + high);
                if mid <= low || mid >= high {
                    break;
                }
                if is_above(mid) { high = mid } else { low = mid }
            }
            0.5 * (low + high)
        };
        (bisect(&|x| self.count_below(x) > 0), bisect(&|x| self.count_below(x) == self.len))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::precond::{Identity, Jacobi};
    use crate::stationary::testing::grid_laplacian;
    use residua_data::CsrMatrix;

    #[test]
    fn a_diagonal_matrix_with_few_eigenvalues_is_found_exactly() {
        let d: Vec<f64> = (0..60).map(|i| [0.25, 1.0, 3.0, 1e4][i % 4]).collect();
        let a = CsrMatrix::from_diagonal(&d).unwrap();
        let bounds = estimate_spectrum(&a, &mut Identity, 30).unwrap();
        assert!(
            (bounds.min / 0.25 - 1.0).abs() < 1e-6 && (bounds.max / 1e4 - 1.0).abs() < 1e-8,
            "{bounds:?}"
        );
        let scaled = estimate_spectrum(&a, &mut Jacobi::new(&a).unwrap(), 30).unwrap();
        assert!((scaled.min - 1.0).abs() < 1e-8 && (scaled.max - 1.0).abs() < 1e-8, "{scaled:?}");
    }

    #[test]
    fn ritz_values_approach_the_known_ends_from_inside() {
        let a = grid_laplacian(30, 30);
        let h = std::f64::consts::PI / 31.0;
        let (min, max) = (4.0 - 4.0 * h.cos(), 4.0 + 4.0 * h.cos());
        let few = estimate_spectrum(&a, &mut Identity, 10).unwrap();
        let many = estimate_spectrum(&a, &mut Identity, 1000).unwrap();
        assert!(few.min >= many.min && many.min >= min * (1.0 - 1e-9));
        assert!(few.max <= many.max && many.max <= max * (1.0 + 1e-9));
        assert!(few.max > 0.95 * max && many.max > 0.999 * max && many.min < 1.05 * min, "{few:?} {many:?}");
    }

    #[test]
    fn indefinite_and_wrong_input_is_named() {
        let a = CsrMatrix::from_diagonal(&[1.0, -1.0, 2.0]).unwrap();
        let error = estimate_spectrum(&a, &mut Identity, 10).unwrap_err();
        assert!(matches!(error, SolveError::ApplyFailed { .. }), "{error}");
        for (min, max) in [(0.0, 1.0), (2.0, 1.0), (1.0, f64::INFINITY), (f64::NAN, 1.0), (1.0, 1.0)] {
            assert!(SpectralBounds::try_new(min, max).is_err());
        }
    }
}
