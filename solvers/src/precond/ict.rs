//! Incomplete Cholesky by threshold, ICT.
//!
//! A + α diag(A) ≈ M = Uᴴ D U, row by row; row i is
//!
//! ```text
//! w_j = a_ij − Σ_{k<i} conj(u_ki) d_k u_kj  for j ≥ i,   d_i = w_i (1 + α on a_ii),   u_ij = w_j / d_i
//! ```
//!
//! where w_j is dropped if |w_j| < τ √(a_ii a_jj), which does not change under diagonal scaling, and of the
//! rest only the largest are kept: as many as row i of A has after the diagonal, plus p. Keeping the largest
//! per row is Jones and Plassmann's rule (1995, ACM TOMS 21(1)) and Lin and Moré's (1999, SIAM J. Sci.
//! Comput. 21(1)), the shift on breakdown Manteuffel's (1980). Rows k with u_ki ≠ 0 are found by lists: a
//! finished row waits in the list of its next column.

use super::pivot::{Pivot, check_positive_diagonal, positive_pivot, with_growing_shift};
use super::sweep::LduFactor;
use super::threshold::{self, Scratch, TaskRows, check_drop_tol, keep_largest, locate};
use super::{LinearPreconditioner, Preconditioner, Refresh, SpdPreconditioner};
use crate::SparseRows;
use crate::error::{SolveError, check_len, check_square};
use residua_data::{CsrMatrix, Scalar};
use std::ops::Range;

const NAME: &str = "ict";

/// Parameters of [`Ict`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IctOptions {
    /// τ: entries below τ √(a_ii a_jj) are dropped; 0 ≤ τ < 1. Default 1e-3. Smaller: fewer iterations, more
    /// memory and set-up time.
    pub drop_tol: f64,
    /// p: entries that a row may hold beyond those of A. Default 10; `usize::MAX` for no limit.
    pub max_fill: usize,
}

impl Default for IctOptions {
    fn default() -> Self {
        Self { drop_tol: 1e-3, max_fill: 10 }
    }
}

/// M = Uᴴ D U ≈ A, A Hermitian positive definite, with fill by size.
///
/// Use it with CG where IC(0) needs too many iterations: ill-conditioned matrices, anisotropy, jumps. The
/// result is the same for any number of threads.
///
/// **Cost** of z = M⁻¹ r in double precision: 12 `factor().nnz()` + 48 n bytes; with `drop_tol` 0 and no
/// fill limit it is the complete factorization.
#[derive(Debug, Clone)]
pub struct Ict<T = f64> {
    factor: LduFactor<T>,
    options: IctOptions,
    shift: f64,
}

impl<T: Scalar> Ict<T> {
    /// ICT with the default options.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`]; [`SolveError::ZeroDiagonal`]; [`SolveError::FactorizationFailed`] if a
    /// diagonal entry is not real and positive, or no shift helps.
    pub fn new<A: SparseRows<T> + ?Sized>(a: &A) -> Result<Self, SolveError> {
        Self::with_options(a, IctOptions::default())
    }

    /// ICT with these options. Only entries after the diagonal, in the order of the sweep, are read.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`SolveError::InvalidOption`].
    pub fn with_options<A: SparseRows<T> + ?Sized>(a: &A, options: IctOptions) -> Result<Self, SolveError> {
        check_square(NAME, a.nrows(), a.ncols())?;
        check_drop_tol(options.drop_tol)?;
        let (factor, shift) = factorize(a.csr(), options)?;
        Ok(Self { factor, options, shift })
    }

    /// The α with which A + α diag(A) was factorized; 0 if the first attempt succeeded.
    pub fn shift(&self) -> f64 {
        self.shift
    }

    /// Uᴴ, D and U.
    pub fn factor(&self) -> &LduFactor<T> {
        &self.factor
    }
}

fn factorize<T: Scalar>(a: &CsrMatrix<T>, options: IctOptions) -> Result<(LduFactor<T>, f64), SolveError> {
    check_positive_diagonal(NAME, a)?;
    let schedule = threshold::schedule(a);
    let order = schedule.order();
    let sizes = order.iter().map(|&i| a.get(i as usize, i as usize).real_f64().sqrt()).collect();
    let mut rows =
        RowFactorizer { a, options, position: schedule.position(), order: &order, sizes, shift: 0.0 };
    let mut done = Vec::new();
    let shift = with_growing_shift(NAME, a, 0.0, |shift| {
        rows.shift = shift;
        let result =
            threshold::run_tasks(&schedule, true, |places, done, scratch| rows.task(places, done, scratch));
        result.map(|rows| done = rows).map_err(|place| order[place] as usize)
    })?;
    drop(rows);
    let factor = threshold::assemble(NAME, schedule.clone(), &done, true)?;
    Ok((factor, shift))
}

/// What all tasks of a factorization read.
struct RowFactorizer<'a, T> {
    a: &'a CsrMatrix<T>,
    options: IctOptions,
    position: &'a [u32],
    order: &'a [u32],
    /// √a_ii by place.
    sizes: Vec<f64>,
    shift: f64,
}

impl<T: Scalar> RowFactorizer<'_, T> {
    /// The rows at `places`, or the place of a bad pivot.
    fn task(
        &self,
        places: Range<usize>,
        done: &[TaskRows<T>],
        scratch: &mut Scratch<T>,
    ) -> Result<TaskRows<T>, usize> {
        let mut own = TaskRows::new(places.start);
        let Scratch { w, is_entry, waiting } = scratch;
        waiting.clear(places.clone());
        for task in done {
            for k in 0..task.diag.len() {
                let range = task.upper.range(k);
                let before = task.upper.cols[range.clone()].partition_point(|&j| (j as usize) < places.start);
                waiting.wait(task.first + k, range.start + before, range.end, &task.upper.cols, &places);
            }
        }
        let mut cols = Vec::new();
        let mut row = Vec::new();
        for i in places.clone() {
            let a_ii = self.load(i, w, is_entry, &mut cols);
            let limit = cols.len().saturating_add(self.options.max_fill);
            let mut pivot = a_ii * (1.0 + self.shift);
            while let Some((k, cursor)) = waiting.take(i) {
                let (task, local) = locate(done, &own, k);
                let end = task.upper.range(local).end;
                let u_ki = task.upper.values[cursor];
                let factor = u_ki.conjugate() * task.diag[local];
                pivot -= (factor * u_ki).real_f64();
                for (&j, &u_kj) in
                    task.upper.cols[cursor + 1..end].iter().zip(&task.upper.values[cursor + 1..end])
                {
                    if !is_entry[j as usize] {
                        is_entry[j as usize] = true;
                        cols.push(j);
                    }
                    w[j as usize] -= factor * u_kj;
                }
                waiting.wait(k, cursor + 1, end, &task.upper.cols, &places);
            }
            let floor = self.options.drop_tol * self.sizes[i];
            row.clear();
            for j in cols.drain(..) {
                let value = std::mem::replace(&mut w[j as usize], T::zero());
                is_entry[j as usize] = false;
                let size = value.modulus_f64();
                if size > 0.0 && size >= floor * self.sizes[j as usize] {
                    row.push((j, value));
                }
            }
            let Pivot::Good(pivot) = positive_pivot(T::of(pivot), a_ii * (1.0 + self.shift)) else {
                return Err(i);
            };
            keep_largest(&mut row, limit, |&(j, value)| value.modulus_f64() / self.sizes[j as usize]);
            let start = own.upper.cols.len();
            own.upper.push_row(row.iter().map(|&(j, value)| (j, value / pivot)));
            own.diag.push(pivot);
            waiting.wait(i, start, own.upper.cols.len(), &own.upper.cols, &places);
        }
        Ok(own)
    }

    /// Copies the entries after the diagonal of the row at place `i` into `w`; returns a_ii.
    fn load(&self, i: usize, w: &mut [T], is_entry: &mut [bool], cols: &mut Vec<u32>) -> f64 {
        let row = self.order[i] as usize;
        let mut a_ii = 0.0;
        let (row_cols, row_values) = self.a.row(row);
        for (&j, &v) in row_cols.iter().zip(row_values) {
            let place = self.position[j as usize];
            if j as usize == row {
                a_ii = v.real_f64();
            } else if place as usize > i {
                w[place as usize] = v;
                is_entry[place as usize] = true;
                cols.push(place);
            }
        }
        a_ii
    }
}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Refresh<A> for Ict<T> {
    /// Factorizes `a`, of the same order, anew. The factor's pattern depends on the values, so this costs as
    /// much as building it; on an error the old factor stays.
    fn refresh(&mut self, a: &A) -> Result<(), SolveError> {
        check_len("the matrix given to refresh", self.factor.len(), a.nrows())?;
        *self = Self::with_options(a, self.options)?;
        Ok(())
    }
}

impl<T: Scalar> Preconditioner<T> for Ict<T> {
    fn name(&self) -> &'static str {
        NAME
    }
    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        self.factor.apply(r, z)
    }
    fn apply_dot(&mut self, r: &[T], z: &mut [T]) -> Result<T, SolveError> {
        self.factor.apply_dot(r, z)
    }
}
impl<T: Scalar> LinearPreconditioner<T> for Ict<T> {}
impl<T: Scalar> SpdPreconditioner<T> for Ict<T> {}
