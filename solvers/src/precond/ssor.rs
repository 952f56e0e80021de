//! Symmetric SOR: one forward and one backward sweep.
//!
//! With A = D + L + U,
//!
//! ```text
//! M = ω/(2 − ω) (D/ω + L) D⁻¹ (D/ω + U)
//!   = (I + ω L D⁻¹) · D/(ω(2 − ω)) · (I + ω D⁻¹ U)
//! ```
//!
//! which for Hermitian A (U = Lᴴ) with positive diagonal and 0 < ω < 2 is Hermitian positive definite. Saad
//! (2003), *Iterative Methods for Sparse Linear Systems*, eq. 10.6, with the factor that makes M⁻¹ r the result
//! of a symmetric sweep from x = 0 (Axelsson 1972, BIT 12); Krylov methods do not see the factor. The second
//! form is the L D U of [`LduFactor`], whose schedule says what is "lower".

use super::pattern::{has_pattern, symbolic_in};
use super::sweep::{Coupling, LduFactor, Schedule, SharedSlice, Triangle};
use super::{LinearPreconditioner, Preconditioner, Refresh, SpdPreconditioner};
use crate::SparseRows;
use crate::error::{SolveError, check_square};
use crate::stationary::check_omega;
use rayon::prelude::*;
use residua_data::{CsrMatrix, Scalar};

/// Rows that a task of the set-up takes at a time.
const ROWS_PER_TASK: usize = 4096;

/// In which order the sweeps of a preconditioner visit the unknowns.
///
/// For ω = 1 and unmodified pivots the orders converge alike. What over-relaxation and modified pivots gain,
/// O(h^−½) iterations where others need O(h⁻¹), rests on the natural order: any row that is visited after
/// *all* of its neighbours, as the staged order's separators and a red-black order's black rows are, spoils it
/// (Duff and Meurant 1989, BIT 29). Poisson on 512², rtol 1e-8, steps of CG: ω = 1: 117 natural, 132 staged;
/// ω = 1.98: 55 natural, 374 staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SweepOrder {
    /// As the rows are numbered; in parallel by a pipeline of small blocks where the pattern allows it.
    Natural,
    /// In parallel by blocks, whose separators come last: see [`Schedule`].
    Staged,
}

impl SweepOrder {
    /// Natural where over-relaxation or modification is to pay, staged where it is not.
    pub(crate) fn for_strength(is_over_relaxed: bool) -> Self {
        if is_over_relaxed { Self::Natural } else { Self::Staged }
    }

    /// The schedule of sweeps over `a` in this order.
    pub(crate) fn schedule<T: Sync>(self, a: &CsrMatrix<T>) -> Schedule {
        match self {
            Self::Natural => Schedule::natural(a),
            Self::Staged => Schedule::new(a, Coupling::Pattern),
        }
    }
}

/// SSOR preconditioner with relaxation factor 0 < ω < 2; ω = 1 is symmetric Gauss-Seidel.
///
/// Needs no factorization and cannot break down. ω = 1 is safe; on a grid of spacing h the best ω has
/// 2 − ω ∝ h and lowers the condition of M⁻¹A from O(h⁻²) to O(h⁻¹) (Axelsson 1972). In CG,
/// [`EisenstatCg`](crate::krylov::EisenstatCg) applies it at almost no cost.
///
/// **Cost** of an application: L and U once, 12 (nnz − n) + 48 n bytes in double precision.
/// **Storage**: a copy of A.
#[derive(Debug, Clone)]
pub struct Ssor<T = f64> {
    omega: f64,
    factor: LduFactor<T>,
}

impl<T: Scalar> Ssor<T> {
    /// From a square matrix with a nonzero diagonal; in natural order if ω > 1, staged otherwise.
    ///
    /// # Errors
    /// [`SolveError::InvalidOption`] for ω outside (0, 2), [`SolveError::NotSquare`],
    /// [`SolveError::ZeroDiagonal`].
    pub fn new<A: SparseRows<T> + ?Sized>(a: &A, omega: f64) -> Result<Self, SolveError> {
        Self::with_order(a, omega, SweepOrder::for_strength(omega > 1.0))
    }

    /// As [`new`](Self::new), with sweeps in this order.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_order<A: SparseRows<T> + ?Sized>(
        a: &A,
        omega: f64,
        order: SweepOrder,
    ) -> Result<Self, SolveError> {
        check_omega(omega)?;
        check_square("ssor", a.nrows(), a.ncols())?;
        let mut ssor = Self { omega, factor: symbolic_in(a.csr(), order.schedule(a.csr())) };
        ssor.fill(a.csr())?;
        Ok(ssor)
    }

    /// ω.
    pub fn omega(&self) -> f64 {
        self.omega
    }

    fn fill(&mut self, a: &CsrMatrix<T>) -> Result<(), SolveError> {
        let (_, lower, inv_diag, upper) = self.factor.parts_mut();
        let omega = T::of(self.omega);
        for (row, inverse) in inv_diag.iter_mut().enumerate() {
            *inverse = omega / a.get(row, row);
            if !inverse.is_finite() || *inverse == T::zero() {
                return Err(SolveError::ZeroDiagonal { what: "ssor", row });
            }
        }
        fill_triangle(lower, |i, j| a.get(i, j) * inv_diag[j]);
        fill_triangle(upper, |i, j| a.get(i, j) * inv_diag[i]);
        inv_diag.iter_mut().for_each(|d| *d *= T::of(2.0 - self.omega));
        Ok(())
    }
}

/// Sets every entry (i, j) of `triangle` to `value(i, j)`, threaded over rows.
pub(crate) fn fill_triangle<T: Scalar>(triangle: &mut Triangle<T>, value: impl Fn(usize, usize) -> T + Sync) {
    let Triangle { row_ptr, col_idx, values } = triangle;
    let values = SharedSlice::new(values);
    (0..row_ptr.len() - 1).into_par_iter().with_min_len(ROWS_PER_TASK).for_each(|i| {
        let (start, end) = (row_ptr[i] as usize, row_ptr[i + 1] as usize);
        // SAFETY: the ranges of two rows do not overlap, and the last ends at nnz.
        let row = unsafe { values.slice_mut(start, end) };
        row.iter_mut().zip(&col_idx[start..end]).for_each(|(v, &j)| *v = value(i, j as usize));
    });
}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Refresh<A> for Ssor<T> {
    fn refresh(&mut self, a: &A) -> Result<(), SolveError> {
        if !has_pattern(&self.factor, a.csr()) {
            return Err(SolveError::PatternChanged { what: "ssor" });
        }
        self.fill(a.csr())
    }
}

impl<T: Scalar> Preconditioner<T> for Ssor<T> {
    fn name(&self) -> &'static str {
        "ssor"
    }
    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        self.factor.apply(r, z)
    }
    fn apply_dot(&mut self, r: &[T], z: &mut [T]) -> Result<T, SolveError> {
        self.factor.apply_dot(r, z)
    }
}
impl<T: Scalar> LinearPreconditioner<T> for Ssor<T> {}
impl<T: Scalar> SpdPreconditioner<T> for Ssor<T> {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::krylov::Cg;
    use crate::stationary::testing::*;
    use crate::{LinearSystem, Solver, StopRule};
    use num_complex::Complex;
    use proptest::prelude::*;

    /// M z from the definition, by dense products.
    fn multiply_by_definition<T: Scalar>(a: &CsrMatrix<T>, omega: f64, z: &[T]) -> Vec<T> {
        let n = a.nrows();
        let (w, d) = (T::of(omega), a.diagonal());
        let sum =
            |i: usize, v: &[T], js: std::ops::Range<usize>| js.fold(T::zero(), |s, j| s + a.get(i, j) * v[j]);
        let t: Vec<T> = (0..n).map(|i| (d[i] * z[i] / w + sum(i, z, i + 1..n)) / d[i]).collect();
        (0..n).map(|i| w / (T::of(2.0) - w) * (d[i] * t[i] / w + sum(i, &t, 0..i))).collect()
    }

    fn check_definition<T: Scalar>(a: &CsrMatrix<T>) {
        for omega in [0.5, 1.0, 1.7] {
            let r: Vec<T> = (0..a.nrows()).map(|i| T::of((i as f64).cos())).collect();
            let mut z = vec![T::zero(); a.nrows()];
            Ssor::new(a, omega).unwrap().apply(&r, &mut z).unwrap();
            for (back, r) in multiply_by_definition(a, omega, &z).into_iter().zip(r) {
                assert!((back - r).modulus_f64() < 100.0 * T::epsilon_f64(), "{back} {r}");
            }
        }
    }

    #[test]
    fn it_is_its_definition() {
        let a = grid_laplacian(7, 5);
        check_definition(&a);
        check_definition(&scaled_entries(&a, |i, j| if i > j { 0.4f32 } else { 1.0 }));
        check_definition(&scaled_entries(&a, |i, j| {
            if i > j { Complex::new(0.4, 0.3) } else { Complex::new(1.0, 0.1) }
        }));
        check_definition(&scaled_entries(&a, |i, j| Complex::new(1.0f32, if i < j { 0.3 } else { 0.0 })));
    }

    #[test]
    fn omega_tunes_cg_on_the_model_problem() {
        let a = grid_laplacian(40, 40);
        let b: Vec<f64> = (0..1600).map(|i| (i as f64).sin()).collect();
        let system = LinearSystem::new(&a, &b).unwrap();
        let count = |omega: f64| {
            let mut cg = Cg::new(Ssor::new(&a, omega).unwrap());
            let outcome = cg.solve(&system, &mut vec![0.0; 1600], &StopRule::rtol(1e-9), &mut ()).unwrap();
            assert!(outcome.converged());
            outcome.iterations
        };
        let plain =
            Cg::default().solve(&system, &mut vec![0.0; 1600], &StopRule::rtol(1e-9), &mut ()).unwrap();
        assert!(2 * count(1.0) < plain.iterations + 10 && count(1.85) < count(1.0));
    }

    #[test]
    fn refresh_equals_a_new_one_and_refuses_another_pattern() {
        let a = grid_laplacian(9, 9);
        let b = scaled_entries(&a, |i, j| if i == j { 1.5 } else { 0.7 });
        let mut ssor = Ssor::new(&a, 1.2).unwrap();
        ssor.refresh(&b).unwrap();
        let (r, mut z, mut expected) = (vec![1.0; 81], vec![0.0; 81], vec![0.0; 81]);
        ssor.apply(&r, &mut z).unwrap();
        Ssor::new(&b, 1.2).unwrap().apply(&r, &mut expected).unwrap();
        assert_eq!(z, expected);
        let error = ssor.refresh(&grid_laplacian(81, 1)).unwrap_err();
        assert_eq!(error, SolveError::PatternChanged { what: "ssor" });
    }

    #[test]
    fn wrong_input_is_named() {
        let a = grid_laplacian(3, 3);
        assert!(matches!(Ssor::new(&a, 2.0), Err(SolveError::InvalidOption { name: "omega", .. })));
        let hole = CsrMatrix::try_new(2, 2, vec![0, 1, 2], vec![0, 0], vec![1.0, 1.0]).unwrap();
        assert!(matches!(Ssor::new(&hole, 1.0), Err(SolveError::ZeroDiagonal { row: 1, .. })));
        let wide = CsrMatrix::try_new(1, 2, vec![0, 1], vec![0], vec![1.0]).unwrap();
        assert!(matches!(Ssor::new(&wide, 1.0), Err(SolveError::NotSquare { .. })));
        let short = Ssor::new(&a, 1.0).unwrap().apply(&[1.0; 8], &mut [0.0; 9]);
        assert!(matches!(short, Err(SolveError::DimensionMismatch { .. })));
    }

    #[test]
    fn it_does_not_depend_on_threads() {
        let a = grid_laplacian(300, 200);
        let r: Vec<f64> = (0..a.nrows()).map(|i| (i as f64).sin()).collect();
        for order in [SweepOrder::Natural, SweepOrder::Staged] {
            let apply = |threads: usize| {
                with_threads(threads, || {
                    let mut z = vec![0.0; r.len()];
                    let dot = Ssor::with_order(&a, 1.4, order).unwrap().apply_dot(&r, &mut z).unwrap();
                    (dot.to_bits(), z.into_iter().map(f64::to_bits).collect::<Vec<_>>())
                })
            };
            let one = apply(1);
            assert!(one == apply(2) && one == apply(3));
        }
    }

    proptest! {
        #[test]
        fn it_is_hermitian_and_positive_definite(
            omega in 0.1f64..1.9,
            parts in prop::collection::vec((-1.0f64..1.0, -1.0f64..1.0), 24),
        ) {
            // Hermitian with unit-modulus phases off the diagonal.
            let a = scaled_entries(&grid_laplacian(4, 3), |i, j| {
                Complex::from_polar(1.0, (i as f64 - j as f64) * 0.7)
            });
            let mut ssor = Ssor::new(&a, omega).unwrap();
            let v: Vec<Complex<f64>> = parts.iter().map(|&(re, im)| Complex::new(re, im)).collect();
            let (u, v) = v.split_at(12);
            let (mut mu, mut mv) = (u.to_vec(), v.to_vec());
            ssor.apply(u, &mut mu).unwrap();
            ssor.apply(v, &mut mv).unwrap();
            let dot = |x: &[Complex<f64>], y: &[Complex<f64>]| crate::kernels::dot(x, y);
            prop_assert!((dot(u, &mv) - dot(v, &mu).conj()).norm() < 1e-12);
            prop_assert!(dot(u, &mu).re >= 0.0 && dot(u, &mu).im.abs() < 1e-12);
        }
    }
}
