//! A = D + L + U: where each row's diagonal lies, and its inverse.

use crate::error::SolveError;
use residua_data::{CsrMatrix, Scalar};

/// The diagonal of a square matrix with sorted rows, which splits each row into L, D and U. 4n bytes and n
/// numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Splitting<T> {
    at: Vec<u32>,
    inverse: Vec<T>,
}

impl<T: Scalar> Splitting<T> {
    pub(crate) fn new() -> Self {
        Self { at: Vec::new(), inverse: Vec::new() }
    }

    /// Takes the diagonal of the square matrix `a`; `what` is named if an entry cannot be divided by.
    pub(crate) fn refresh(&mut self, what: &'static str, a: &CsrMatrix<T>) -> Result<(), SolveError> {
        self.at.clear();
        self.inverse.clear();
        self.at.reserve(a.nrows());
        self.inverse.reserve(a.nrows());
        for (row, &start) in a.row_ptr()[..a.nrows()].iter().enumerate() {
            let (cols, values) = a.row(row);
            let below = cols.partition_point(|&j| (j as usize) < row);
            let diagonal = if cols.get(below) == Some(&(row as u32)) { values[below] } else { T::zero() };
            let inverse = T::one() / diagonal;
            if !inverse.is_finite() || inverse == T::zero() {
                return Err(SolveError::ZeroDiagonal { what, row });
            }
            self.at.push(start + below as u32);
            self.inverse.push(inverse);
        }
        Ok(())
    }

    /// 1 / a_ii, length n.
    pub(crate) fn inverse(&self) -> &[T] {
        &self.inverse
    }

    /// The entries of row `i` left of the diagonal.
    #[inline(always)]
    pub(crate) fn lower<'a>(&self, a: &'a CsrMatrix<T>, i: usize) -> (&'a [u32], &'a [T]) {
        let range = a.row_ptr()[i] as usize..self.at[i] as usize;
        (&a.col_idx()[range.clone()], &a.values()[range])
    }

    /// a_ii.
    #[inline(always)]
    pub(crate) fn diagonal(&self, a: &CsrMatrix<T>, i: usize) -> T {
        a.values()[self.at[i] as usize]
    }

    /// The entries of row `i` right of the diagonal.
    #[inline(always)]
    pub(crate) fn upper<'a>(&self, a: &'a CsrMatrix<T>, i: usize) -> (&'a [u32], &'a [T]) {
        let range = self.at[i] as usize + 1..a.row_ptr()[i + 1] as usize;
        (&a.col_idx()[range.clone()], &a.values()[range])
    }
}

/// sum − Σ a_j v_j over part of a row, in the order of its columns.
#[inline(always)]
pub(crate) fn subtract_product<T: Scalar>(sum: T, (cols, values): (&[u32], &[T]), v: &[T]) -> T {
    cols.iter().zip(values).fold(sum, |sum, (&j, &a)| sum - a * v[j as usize])
}

/// As [`subtract_product`], from the last column to the first: in a backward sweep the first is the one
/// just computed, and the sum should not have to wait for it.
#[inline(always)]
pub(crate) fn subtract_product_reversed<T: Scalar>(sum: T, (cols, values): (&[u32], &[T]), v: &[T]) -> T {
    cols.iter().zip(values).rev().fold(sum, |sum, (&j, &a)| sum - a * v[j as usize])
}

/// Refuses a relaxation factor with which no sweep converges: the iteration matrix has determinant
/// (1 − ω)ⁿ (Kahan 1958), and the mean of the eigenvalues of damped Jacobi is 1 − ω.
pub(crate) fn check_omega(omega: f64) -> Result<(), SolveError> {
    if omega > 0.0 && omega < 2.0 {
        return Ok(());
    }
    Err(SolveError::InvalidOption {
        name: "omega",
        value: omega.to_string(),
        expected: "it is outside (0, 2), where relaxation (Jacobi, SOR, SSOR) cannot converge",
    })
}
