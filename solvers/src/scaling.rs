//! Equilibration: rows and columns scaled so that the largest entry of each is near 1.
//!
//! A x = b becomes (R A C) y = R b with x = C y, R and C diagonal. Ruiz's iteration divides each row and
//! each column by the square root of its largest modulus until all of those are 1:
//!
//! ```text
//! r_i ← r_i / √(max_j r_i |a_ij| c_j),   c_j ← c_j / √(max_i r_i |a_ij| c_j)
//! ```
//!
//! D. Ruiz (2001), *A scaling algorithm to equilibrate both rows and columns norms in matrices*, RAL
//! TR-2001-034, algorithm 2.1; symmetric form and its rate ½: Knight, Ruiz and Uçar (2014), SIAM J. Matrix
//! Anal. Appl. 35(3).
//!
//! Differences: it runs on logarithms, so that entries of 1e±300 neither overflow nor vanish on the way;
//! and factors are rounded down to powers of two, so that scaling is exact: the largest entry of a row or
//! column then lies in about (¼, 1], and unscaling gives back every bit (unless a scaled entry is subnormal).

use crate::error::{SolveError, check_len, check_square};
use residua_data::scalar::{real_from_f64, real_to_f64};
use residua_data::{CsrMatrix, Scalar};

/// Ruiz's iteration ends when the binary logarithm of no row's or column's norm exceeds this.
const TOLERANCE: f64 = 0.05;

/// Each iteration halves the logarithms, at most 2100 at the start: 16 meet [`TOLERANCE`].
const MAX_ITERS: usize = 20;

/// Diagonal scalings R and C by powers of two that equilibrate a matrix; R = C in the symmetric form.
///
/// ```
/// use residua_solvers::{CsrMatrix, scaling::Equilibration};
/// let a = CsrMatrix::from_diagonal(&[1e-200, 1.0, 1e200])?;
/// let scaling = Equilibration::symmetric(&a)?;
/// assert!(scaling.apply(&a)?.values().iter().all(|v| (0.25..=1.0).contains(v)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equilibration {
    row: Vec<i32>,
    col: Vec<i32>,
}

impl Equilibration {
    /// Rows and columns scaled apart, for any m × n matrix. Empty rows and columns keep the factor 1.
    ///
    /// # Errors
    /// [`SolveError::NonFinite`] if an entry is NaN or infinite; `index` is its place among the stored ones.
    pub fn new<T: Scalar>(a: &CsrMatrix<T>) -> Result<Self, SolveError> {
        let logs = logarithms(a)?;
        let (mut row, mut col) = (vec![0.0f64; a.nrows()], vec![0.0f64; a.ncols()]);
        let (mut row_max, mut col_max) = (row.clone(), col.clone());
        for _ in 0..MAX_ITERS {
            largest(a, &logs, &row, &col, &mut row_max, &mut col_max);
            let worst = halve(&mut row, &row_max).max(halve(&mut col, &col_max));
            if worst <= TOLERANCE {
                break;
            }
        }
        Ok(Self { row: round_down(&row), col: round_down(&col) })
    }

    /// One scaling for both sides, R = C, which keeps a symmetric (Hermitian) matrix so, and a positive
    /// definite one positive definite. On other square matrices it equilibrates the larger of row i and
    /// column i.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`]; [`SolveError::NonFinite`] as [`new`](Self::new).
    pub fn symmetric<T: Scalar>(a: &CsrMatrix<T>) -> Result<Self, SolveError> {
        check_square("symmetric equilibration", a.nrows(), a.ncols())?;
        let logs = logarithms(a)?;
        let mut both = vec![0.0f64; a.nrows()];
        let (mut row_max, mut col_max) = (both.clone(), both.clone());
        for _ in 0..MAX_ITERS {
            largest(a, &logs, &both, &both, &mut row_max, &mut col_max);
            row_max.iter_mut().zip(&col_max).for_each(|(r, &c)| *r = r.max(c));
            if halve(&mut both, &row_max) <= TOLERANCE {
                break;
            }
        }
        let both = round_down(&both);
        Ok(Self { row: both.clone(), col: both })
    }

    /// log₂ of the factor of each row, length m.
    pub fn row_exponents(&self) -> &[i32] {
        &self.row
    }

    /// log₂ of the factor of each column, length n.
    pub fn col_exponents(&self) -> &[i32] {
        &self.col
    }

    /// Whether every factor is the same: the matrix was equilibrated already, up to a constant.
    pub fn is_uniform(&self) -> bool {
        let all_equal = |e: &[i32]| e.windows(2).all(|w| w[0] == w[1]);
        all_equal(&self.row) && all_equal(&self.col)
    }

    /// R A C; exact, unless an entry becomes subnormal.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`] if `a` has not the shape of the matrix that this was made for.
    pub fn apply<T: Scalar>(&self, a: &CsrMatrix<T>) -> Result<CsrMatrix<T>, SolveError> {
        let mut scaled = a.clone();
        self.apply_in_place(&mut scaled)?;
        Ok(scaled)
    }

    /// A ← R A C.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_in_place<T: Scalar>(&self, a: &mut CsrMatrix<T>) -> Result<(), SolveError> {
        check_len("the rows of the matrix to scale", self.row.len(), a.nrows())?;
        check_len("the columns of the matrix to scale", self.col.len(), a.ncols())?;
        let mut entry = 0;
        for (i, &row) in self.row.iter().enumerate() {
            for _ in 0..a.row(i).0.len() {
                let shift = row + self.col[a.col_idx()[entry] as usize];
                let value = &mut a.values_mut()[entry];
                *value = times_power_of_two(*value, shift);
                entry += 1;
            }
        }
        Ok(())
    }

    /// b ← R b, length m: the right-hand side of the scaled system. An entry that overflows becomes
    /// infinite, which [`LinearSystem::new`](crate::LinearSystem::new) then refuses by its index.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    pub fn scale_rhs<T: Scalar>(&self, b: &mut [T]) -> Result<(), SolveError> {
        check_len("b", self.row.len(), b.len())?;
        b.iter_mut().zip(&self.row).for_each(|(b, &e)| *b = times_power_of_two(*b, e));
        Ok(())
    }

    /// x ← C⁻¹ x, length n: an initial guess in the unknowns of the scaled system.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    pub fn scale_guess<T: Scalar>(&self, x: &mut [T]) -> Result<(), SolveError> {
        check_len("x", self.col.len(), x.len())?;
        x.iter_mut().zip(&self.col).for_each(|(x, &e)| *x = times_power_of_two(*x, -e));
        Ok(())
    }

    /// y ← C y, length n: the solution of A x = b from that of the scaled system.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    pub fn unscale_solution<T: Scalar>(&self, y: &mut [T]) -> Result<(), SolveError> {
        check_len("y", self.col.len(), y.len())?;
        y.iter_mut().zip(&self.col).for_each(|(y, &e)| *y = times_power_of_two(*y, e));
        Ok(())
    }
}

/// log₂ of max(|Re|, |Im|) of each entry, which cannot overflow as the modulus can; −∞ for zeros.
fn logarithms<T: Scalar>(a: &CsrMatrix<T>) -> Result<Vec<f32>, SolveError> {
    if let Some(index) = a.values().iter().position(|v| !v.is_finite()) {
        return Err(SolveError::NonFinite { what: "the matrix's list of values", index });
    }
    let part = |v: T::RealField| real_to_f64::<T>(v).abs();
    Ok(a.values().iter().map(|v| part(v.real()).max(part(v.imaginary())).log2() as f32).collect())
}

/// The largest scaled logarithm of each row and column; −∞ for one without nonzeros.
fn largest<T: Scalar>(
    a: &CsrMatrix<T>,
    logs: &[f32],
    row: &[f64],
    col: &[f64],
    row_max: &mut [f64],
    col_max: &mut [f64],
) {
    col_max.fill(f64::NEG_INFINITY);
    for (i, ends) in a.row_ptr().windows(2).enumerate() {
        let entries = ends[0] as usize..ends[1] as usize;
        row_max[i] = f64::NEG_INFINITY;
        for (&j, &log) in a.col_idx()[entries.clone()].iter().zip(&logs[entries]) {
            let scaled = f64::from(log) + row[i] + col[j as usize];
            row_max[i] = row_max[i].max(scaled);
            col_max[j as usize] = col_max[j as usize].max(scaled);
        }
    }
}

/// One step of Ruiz's iteration on logarithms; returns the largest |log₂ norm| that it met.
fn halve(scaling: &mut [f64], norms: &[f64]) -> f64 {
    let mut worst = 0.0f64;
    for (scaling, &norm) in scaling.iter_mut().zip(norms).filter(|(_, norm)| norm.is_finite()) {
        *scaling -= 0.5 * norm;
        worst = worst.max(norm.abs());
    }
    worst
}

/// The largest integers not above, up to the iteration's tolerance.
fn round_down(scaling: &[f64]) -> Vec<i32> {
    scaling.iter().map(|&s| (s + TOLERANCE).floor() as i32).collect()
}

/// v · 2^shift for any shift: in factors of one sign, so that no step leaves the range unless the result does.
fn times_power_of_two<T: Scalar>(v: T, shift: i32) -> T {
    let most = if size_of::<T::RealField>() == 4 { f32::MAX_EXP - 2 } else { f64::MAX_EXP - 2 };
    let (mut v, mut left) = (v, shift);
    while left != 0 {
        let step = left.clamp(-most, most);
        v = v.scale(real_from_f64::<T>(2f64.powi(step)));
        left -= step;
    }
    v
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use num_complex::Complex;
    use proptest::prelude::*;
    use residua_data::CooBuilder;

    fn from_entries(m: usize, n: usize, entries: &[(usize, usize, f64)]) -> CsrMatrix {
        let mut coo = CooBuilder::new(m, n).unwrap();
        entries.iter().for_each(|&(i, j, v)| coo.push(i, j, v).unwrap());
        coo.build().unwrap()
    }

    /// The largest modulus of every row and column that has a nonzero.
    fn norms(a: &CsrMatrix) -> Vec<f64> {
        let of = |a: &CsrMatrix| {
            (0..a.nrows()).map(|i| a.row(i).1.iter().fold(0.0f64, |m, v| m.max(v.abs()))).collect::<Vec<_>>()
        };
        of(a).into_iter().chain(of(&a.transpose())).filter(|&v| v > 0.0).collect()
    }

    #[test]
    fn extreme_entries_are_equilibrated_and_scaling_is_undone_exactly() {
        let entries = [(0, 0, 3e300), (0, 1, -2e150), (1, 0, 5.0), (1, 1, 1e-150), (2, 2, 7e-308)];
        let a = from_entries(3, 3, &entries);
        let scaling = Equilibration::new(&a).unwrap();
        let scaled = scaling.apply(&a).unwrap();
        assert!(norms(&scaled).iter().all(|n| (0.25..=1.0).contains(n)), "{scaled:?}");
        let undo = Equilibration {
            row: scaling.row.iter().map(|e| -e).collect(),
            col: scaling.col.iter().map(|e| -e).collect(),
        };
        assert_eq!(undo.apply(&scaled).unwrap(), a);
    }

    #[test]
    fn a_solution_of_the_scaled_system_unscales_to_one_of_the_original() {
        // Diagonal and right-hand side are powers of two: all is exact.
        let a = CsrMatrix::from_diagonal(&[2f64.powi(-500), 8.0, 2f64.powi(700)]).unwrap();
        let scaling = Equilibration::symmetric(&a).unwrap();
        assert_eq!(scaling.row_exponents(), scaling.col_exponents());
        let mut b = vec![2f64.powi(-500), 16.0, -(2f64.powi(701))];
        let scaled = scaling.apply(&a).unwrap();
        scaling.scale_rhs(&mut b).unwrap();
        let mut y: Vec<f64> = b.iter().zip(scaled.diagonal()).map(|(b, d)| b / d).collect();
        let solution = y.clone();
        scaling.unscale_solution(&mut y).unwrap();
        assert_eq!(y, [1.0, 2.0, -2.0]);
        scaling.scale_guess(&mut y).unwrap();
        assert_eq!(y, solution);
    }

    #[test]
    fn empty_rows_and_stored_zeros_keep_the_factor_one() {
        let a = from_entries(3, 4, &[(0, 0, 1e10), (2, 1, 0.0)]);
        let scaling = Equilibration::new(&a).unwrap();
        assert_eq!((scaling.row[1], scaling.row[2]), (0, 0));
        assert_eq!((scaling.col[1], scaling.col[2], scaling.col[3]), (0, 0, 0));
        let empty = CsrMatrix::<f64>::try_new(0, 0, vec![0], vec![], vec![]).unwrap();
        assert!(Equilibration::new(&empty).unwrap().is_uniform());
    }

    #[test]
    fn what_cannot_be_scaled_is_named() {
        let nan = from_entries(2, 2, &[(0, 0, 1.0), (1, 1, f64::NAN)]);
        let error = Equilibration::new(&nan).unwrap_err();
        assert_eq!(error, SolveError::NonFinite { what: "the matrix's list of values", index: 1 });
        let wide = from_entries(1, 2, &[(0, 0, 1.0)]);
        assert!(matches!(
            Equilibration::symmetric(&wide),
            Err(SolveError::NotSquare { nrows: 1, ncols: 2, .. })
        ));
        let scaling = Equilibration::new(&wide).unwrap();
        assert!(matches!(scaling.apply(&nan), Err(SolveError::DimensionMismatch { .. })));
        assert!(matches!(scaling.scale_rhs(&mut [1.0; 2]), Err(SolveError::DimensionMismatch { .. })));
    }

    #[test]
    fn every_scalar_type_is_scaled_within_its_own_range() {
        let check = |v: f64| assert!((0.25..=1.0).contains(&v), "{v}");
        let single = CsrMatrix::from_diagonal(&[1e-38f32, 1e38, 1e-44]).unwrap();
        let scaled = Equilibration::symmetric(&single).unwrap().apply(&single).unwrap();
        scaled.values().iter().for_each(|&v| check(f64::from(v)));
        let z = CsrMatrix::from_diagonal(&[Complex::new(1.7e308f64, 1.7e308), Complex::new(0.0, 1e-300)])
            .unwrap();
        let scaled = Equilibration::symmetric(&z).unwrap().apply(&z).unwrap();
        scaled.values().iter().for_each(|v| check(v.re.abs().max(v.im.abs())));
        let z = CsrMatrix::from_diagonal(&[Complex::new(3e38f32, 3e38), Complex::new(0.0, 1e-30)]).unwrap();
        let scaled = Equilibration::new(&z).unwrap().apply(&z).unwrap();
        scaled.values().iter().for_each(|v| check(f64::from(v.re.abs().max(v.im.abs()))));
    }

    proptest! {
        #[test]
        fn rows_and_columns_end_within_a_factor_four(
            entries in prop::collection::vec((0usize..12, 0usize..9, -1.0f64..1.0, -290i32..290), 1..60),
        ) {
            let entries: Vec<_> =
                entries.into_iter().map(|(i, j, v, e)| (i, j, v * 10f64.powi(e))).collect();
            let a = from_entries(12, 9, &entries);
            let scaled = Equilibration::new(&a).unwrap().apply(&a).unwrap();
            for norm in norms(&scaled) {
                prop_assert!((0.2..=1.1).contains(&norm), "{}", norm);
            }
        }

        #[test]
        fn the_symmetric_form_keeps_symmetry(
            entries in prop::collection::vec((0usize..9, 0usize..9, -1.0f64..1.0, -290i32..290), 1..40),
        ) {
            let both: Vec<_> = entries.iter().flat_map(|&(i, j, v, e)| {
                let v = v * 10f64.powi(e);
                [(i, j, v), (j, i, v)]
            }).collect();
            let a = from_entries(9, 9, &both);
            prop_assume!(a == a.transpose());
            let scaled = Equilibration::symmetric(&a).unwrap().apply(&a).unwrap();
            prop_assert_eq!(&scaled, &scaled.transpose());
            for norm in norms(&scaled) {
                prop_assert!((0.2..=1.1).contains(&norm), "{}", norm);
            }
        }
    }
}
