//! Chebyshev polynomial preconditioner: a fixed number of steps of Chebyshev iteration from zero.
//!
//! z = q(D⁻¹A) D⁻¹ r with 1 − λ q(λ) = T_k((θ − λ)/δ) / T_k(θ/δ), k = degree + 1, on an interval [λmin, λmax] of centre θ
//! and half-width δ that covers the large eigenvalues of D⁻¹A: Saad (2003), *Iterative Methods for Sparse
//! Linear Systems*, section 12.3.2; as a smoother, Adams, Brezina, Hu and Tuminaro (2003), J. Comput. Phys.
//! 188(2). Since |1 − λ q(λ)| < 1 on (0, λmax], M is Hermitian positive definite if A is.
//!
//! The lower end need not bound the spectrum: with λmax/λmin = 4k² the large eigenvalues are sent into [0.35, 1.65]
//! and the small ones grow by about 1.5 k²/λmax, so that the condition falls by about k²: as far as k products can
//! bring it.

use super::{LinearPreconditioner, Preconditioner, SpdPreconditioner};
use crate::control::resize;
use crate::error::{SolveError, check_len, check_square};
use crate::krylov::{SpectralBounds, estimate_spectrum};
use crate::precond::{Identity, Jacobi};
use crate::{LinearOperator, SparseRows, kernels};
use residua_data::Scalar;

/// Lanczos steps for the largest eigenvalue.
const LANCZOS_STEPS: usize = 15;

/// Margin on the estimate of the largest eigenvalue, which comes from below (Adams et al. 2003).
const MAX_MARGIN: f64 = 1.1;

/// Margin on the estimate of the smallest eigenvalue, which comes from above.
const MIN_MARGIN: f64 = 0.9;

/// Polynomial preconditioner of a fixed degree for Hermitian positive definite A; every operation is a product
/// or elementwise, so it is as parallel as they are, and it makes no reductions.
///
/// `A` is an owned matrix or operator, or a reference to one.
///
/// **Cost** of an application of degree m: m products, 8 · (9m + 4)n bytes of vectors in double precision.
/// **Storage**: 2n, and n for D⁻¹.
#[derive(Debug, Clone)]
pub struct Chebyshev<A, T = f64> {
    a: A,
    degree: usize,
    bounds: SpectralBounds,
    inverse: Vec<T>,
    d: Vec<T>,
    q: Vec<T>,
}

impl<T: Scalar, A: LinearOperator<T>> Chebyshev<A, T> {
    /// For a matrix whose rows can be read, scaled by its diagonal D, on bounds estimated from D⁻¹A: at most by its
    /// largest row sum, which bounds every eigenvalue.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`], [`SolveError::ZeroDiagonal`]; [`SolveError::ApplyFailed`] if A is found not to be
    /// positive definite.
    pub fn new(a: A, degree: usize) -> Result<Self, SolveError>
    where
        A: SparseRows<T>,
    {
        let mut jacobi = Jacobi::new(&a)?;
        let ritz = estimate_spectrum(&a, &mut jacobi, LANCZOS_STEPS)?;
        let inverse = jacobi.as_diagonal().map(<[T]>::to_vec).unwrap_or_default();
        let row_sum = |i: usize| {
            a.csr().row(i).1.iter().map(|v| v.modulus_f64()).sum::<f64>() * inverse[i].modulus_f64()
        };
        let largest_sum = (0..a.nrows()).map(row_sum).fold(0.0, f64::max);
        let bounds = bounds_for(degree, ritz, largest_sum);
        Ok(Self { a, degree, bounds, inverse, d: Vec::new(), q: Vec::new() })
    }

    /// For any operator, unscaled, on estimated bounds.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`]; [`SolveError::ApplyFailed`] if A is found not to be positive definite.
    pub fn unscaled(a: A, degree: usize) -> Result<Self, SolveError> {
        let ritz = estimate_spectrum(&a, &mut Identity, LANCZOS_STEPS)?;
        Self::with_bounds(a, degree, bounds_for(degree, ritz, f64::INFINITY))
    }

    /// For any operator, unscaled, on given bounds; no eigenvalue may exceed the upper one.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`].
    pub fn with_bounds(a: A, degree: usize, bounds: SpectralBounds) -> Result<Self, SolveError> {
        check_square("chebyshev", a.nrows(), a.ncols())?;
        Ok(Self { a, degree, bounds, inverse: Vec::new(), d: Vec::new(), q: Vec::new() })
    }

    /// The interval on which the polynomial is small.
    pub fn bounds(&self) -> SpectralBounds {
        self.bounds
    }
}

/// The interval for a polynomial of this degree: see the module's head.
fn bounds_for(degree: usize, ritz: SpectralBounds, largest: f64) -> SpectralBounds {
    let max = (MAX_MARGIN * ritz.max).min(largest.max(ritz.max));
    let steps = (degree + 1) as f64;
    let min = (MIN_MARGIN * ritz.min).max(max / (4.0 * steps * steps));
    SpectralBounds { min: min.min(MIN_MARGIN * max), max }
}

impl<T: Scalar, A: LinearOperator<T> + Send> Preconditioner<T> for Chebyshev<A, T> {
    fn name(&self) -> &'static str {
        "chebyshev"
    }

    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        let Self { a, degree, bounds, inverse, d, q } = self;
        check_len("r", a.nrows(), r.len())?;
        check_len("z", a.nrows(), z.len())?;
        resize(d, r.len());
        resize(q, r.len());
        let (theta, delta) = bounds.centre_and_radius();
        let sigma = theta / delta;
        let mut rho = 1.0 / sigma;
        d.fill(T::zero());
        z.fill(T::zero());
        step(T::zero(), T::of(1.0 / theta), inverse, r, d, z);
        for _ in 0..*degree {
            a.residual(r, z, q); // q = r − A z
            let next_rho = 1.0 / (2.0 * sigma - rho);
            step(T::of(next_rho * rho), T::of(2.0 * next_rho / delta), inverse, q, d, z);
            rho = next_rho;
        }
        Ok(())
    }
}
impl<T: Scalar, A: LinearOperator<T> + Send> LinearPreconditioner<T> for Chebyshev<A, T> {}
impl<T: Scalar, A: LinearOperator<T> + Send> SpdPreconditioner<T> for Chebyshev<A, T> {}

/// d ← βd + γ D⁻¹ q (D = I where `inverse` is empty), z ← z + d.
fn step<T: Scalar>(beta: T, gamma: T, inverse: &[T], q: &[T], d: &mut [T], z: &mut [T]) {
    let grain = kernels::VECTOR_GRAIN;
    if inverse.is_empty() {
        return kernels::for_each_block((q, d, z), grain, &|(q, d, z): (&[T], &mut [T], &mut [T])| {
            for ((&q, d), z) in q.iter().zip(d).zip(z) {
                *d = beta * *d + gamma * q;
                *z += *d;
            }
        });
    }
    type Slices<'a, T> = (&'a [T], &'a [T], &'a mut [T], &'a mut [T]);
    kernels::for_each_block((inverse, q, d, z), grain, &|(m, q, d, z): Slices<'_, T>| {
        for (((&m, &q), d), z) in m.iter().zip(q).zip(d).zip(z) {
            *d = beta * *d + gamma * (m * q);
            *z += *d;
        }
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::krylov::Cg;
    use crate::operator::FnOperator;
    use crate::stationary::testing::*;
    use crate::{LinearSystem, Solver, StopRule};
    use num_complex::Complex;
    use proptest::prelude::*;
    use residua_data::CsrMatrix;

    #[test]
    fn it_sends_eigenvalues_where_the_polynomial_does() {
        // On a diagonal matrix M⁻¹ is diagonal: λ q(λ) = 1 − T_k((θ − λ)/δ)/T_k(θ/δ).
        let d: Vec<f64> = (1..=40).map(|i| 0.1 * f64::from(i)).collect();
        let a = CsrMatrix::from_diagonal(&d).unwrap();
        let bounds = SpectralBounds::try_new(0.5, 4.0).unwrap();
        for degree in [0, 1, 4] {
            let mut m = Chebyshev::with_bounds(&a, degree, bounds).unwrap();
            let mut z = vec![0.0; 40];
            m.apply(&d, &mut z).unwrap();
            let (theta, delta) = (2.25, 1.75);
            let k = degree as f64 + 1.0;
            let t = |x: f64| if x.abs() <= 1.0 { (k * x.acos()).cos() } else { (k * x.acosh()).cosh() };
            for (&lambda, &z) in d.iter().zip(&z) {
                let expected = 1.0 - t((theta - lambda) / delta) / t(theta / delta);
                assert!((z - expected).abs() < 1e-13, "degree {degree}, lambda {lambda}: {z} {expected}");
            }
        }
    }

    #[test]
    fn a_higher_degree_saves_steps_of_cg() {
        let a = grid_laplacian(50, 50);
        let b: Vec<f64> = (0..2500).map(|i| (i as f64).sin()).collect();
        let system = LinearSystem::new(&a, &b).unwrap();
        let count = |degree: usize| {
            let mut cg = Cg::new(Chebyshev::new(&a, degree).unwrap());
            let outcome = cg.solve(&system, &mut vec![0.0; 2500], &StopRule::rtol(1e-9), &mut ()).unwrap();
            assert!(outcome.converged());
            outcome.iterations
        };
        let counts = [0, 1, 3, 7].map(count);
        assert!(counts[1] * 10 < counts[0] * 7 && counts[2] * 10 < counts[1] * 7, "{counts:?}");
        assert!(counts[3] * 10 < counts[2] * 7, "{counts:?}");
    }

    #[test]
    fn matrix_free_operators_and_wrong_input() {
        let twice = FnOperator::new(3, |x: &[f64], y: &mut [f64]| {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x);
        });
        let mut z = [0.0; 3];
        let mut m = Chebyshev::unscaled(&twice, 3).unwrap();
        m.apply(&[2.0, 4.0, -6.0], &mut z).unwrap();
        assert!(z.iter().zip([1.0, 2.0, -3.0]).all(|(z, e)| (z / e - 1.0).abs() < 1e-2), "{z:?}");
        assert!(matches!(m.apply(&[1.0; 2], &mut z), Err(SolveError::DimensionMismatch { .. })));
        let indefinite = CsrMatrix::from_diagonal(&[1.0, -1.0]).unwrap();
        assert!(Chebyshev::unscaled(&indefinite, 2).is_err());
        let zero = CsrMatrix::from_diagonal(&[1.0, 0.0]).unwrap();
        assert!(matches!(Chebyshev::new(&zero, 2), Err(SolveError::ZeroDiagonal { row: 1, .. })));
    }

    proptest! {
        #[test]
        fn it_is_hermitian_and_positive_definite(
            degree in 0usize..6,
            parts in prop::collection::vec((-1.0f64..1.0, -1.0f64..1.0), 60),
        ) {
            let a = scaled_entries(&grid_laplacian(6, 5), |i, j| {
                Complex::from_polar((1.0 + (i % 3) as f64) * (1.0 + (j % 3) as f64), (i as f64 - j as f64) * 0.7)
            });
            let mut m = Chebyshev::new(&a, degree).unwrap();
            let v: Vec<Complex<f64>> = parts.iter().map(|&(re, im)| Complex::new(re, im)).collect();
            let (u, v) = v.split_at(30);
            let (mut mu, mut mv) = (u.to_vec(), v.to_vec());
            m.apply(u, &mut mu).unwrap();
            m.apply(v, &mut mv).unwrap();
            let dot = |x: &[Complex<f64>], y: &[Complex<f64>]| kernels::dot(x, y);
            prop_assert!((dot(u, &mv) - dot(v, &mu).conj()).norm() < 1e-12);
            prop_assert!(dot(u, &mu).re > 0.0 || u.iter().all(|u| u.norm() == 0.0));
        }
    }
}
