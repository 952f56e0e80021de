//! Incomplete LU by threshold, ILUT(p, τ).
//!
//! Row i of A ≈ M = L D U with unit triangles (Saad, 1994, Numer. Linear Algebra Appl. 1(4), Algorithm 3.2;
//! Saad, 2003, Algorithm 10.6):
//!
//! ```text
//! w ← row i of A
//! for k before i with w_k ≠ 0:  drop w_k if |w_k| < τ ‖a_i‖₂, else  l_ik = w_k / d_k,  w_j ← w_j − w_k u_kj
//! drop w_j, j after i, if |w_j| < τ ‖a_i‖₂;  keep the largest of each side;  d_i = w_i,  u_ij = w_j / d_i
//! ```
//!
//! A side keeps as many entries as row i of A has there, plus p. Difference to the paper: l_ik is judged
//! before it is divided by d_k, so that both sides of the comparison have the units of A.

use super::pivot::{Pivot, bad_pivot, check_share, general_pivot};
use super::sweep::LduFactor;
use super::threshold::{self, Scratch, TaskRows, check_drop_tol, keep_largest, locate};
use super::{LinearPreconditioner, Preconditioner, Refresh};
use crate::error::{SolveError, check_len, check_square};
use crate::{SparseRows, kernels};
use residua_data::{CsrMatrix, Scalar};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::ops::Range;

const NAME: &str = "ilut";

/// Parameters of [`Ilut`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IlutOptions {
    /// τ: entries below τ ‖a_i‖₂ are dropped from row i; 0 ≤ τ < 1. Default 1e-3. Smaller: fewer
    /// iterations, more memory and set-up time.
    pub drop_tol: f64,
    /// p: entries that each side of a row may hold beyond those of A. Default 10; `usize::MAX` for no limit.
    pub max_fill: usize,
    /// A pivot below 1e-10 ‖a_i‖₂ (1e-4 in single precision) is replaced by this times ‖a_i‖₂. Default
    /// 1e-2; 0 makes such a pivot an error.
    pub pivot_replacement: f64,
}

impl Default for IlutOptions {
    fn default() -> Self {
        Self { drop_tol: 1e-3, max_fill: 10, pivot_replacement: 1e-2 }
    }
}

/// M = L D U ≈ A for a square A, with fill by size.
///
/// For GMRES, BiCGSTAB and IDR(s) on hard nonsymmetric or indefinite systems. Where A has zeros on its
/// diagonal use it on the matrix that [`Matched`](super::Matched) permutes. The result is the same for any
/// number of threads.
///
/// **Cost** of z = M⁻¹ r in double precision: 12 `factor().nnz()` + 48 n bytes; with `drop_tol` 0 and no
/// fill limit it is the complete factorization without pivoting.
#[derive(Debug, Clone)]
pub struct Ilut<T = f64> {
    factor: LduFactor<T>,
    options: IlutOptions,
    replaced_pivots: usize,
}

impl<T: Scalar> Ilut<T> {
    /// ILUT with the default options.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`]; [`SolveError::FactorizationFailed`] if a row is zero or not finite.
    pub fn new<A: SparseRows<T> + ?Sized>(a: &A) -> Result<Self, SolveError> {
        Self::with_options(a, IlutOptions::default())
    }

    /// ILUT with these options.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`SolveError::InvalidOption`].
    pub fn with_options<A: SparseRows<T> + ?Sized>(a: &A, options: IlutOptions) -> Result<Self, SolveError> {
        check_square(NAME, a.nrows(), a.ncols())?;
        check_drop_tol(options.drop_tol)?;
        check_share("pivot_replacement", options.pivot_replacement)?;
        let a = a.csr();
        let schedule = threshold::schedule(a);
        let order = schedule.order();
        let rows = RowFactorizer { a, options, position: schedule.position(), order: &order };
        let result =
            threshold::run_tasks(&schedule, false, |places, done, scratch| rows.task(places, done, scratch));
        let done =
            result.map_err(|place| bad_pivot(NAME, order[place] as usize, options.pivot_replacement))?;
        let replaced_pivots = done.iter().map(|task| task.replaced_pivots).sum();
        let factor = threshold::assemble(NAME, schedule.clone(), &done, false)?;
        Ok(Self { factor, options, replaced_pivots })
    }

    /// Pivots that were too small to divide by and were replaced. Many of them make a poor preconditioner.
    pub fn replaced_pivots(&self) -> usize {
        self.replaced_pivots
    }

    /// L, D and U.
    pub fn factor(&self) -> &LduFactor<T> {
        &self.factor
    }
}

/// What all tasks of a factorization read.
struct RowFactorizer<'a, T> {
    a: &'a CsrMatrix<T>,
    options: IlutOptions,
    position: &'a [u32],
    order: &'a [u32],
}

/// The places of the row being computed that are yet to be eliminated, those eliminated and kept with their
/// w_k, and those after the diagonal.
struct Sides<T> {
    pending: BinaryHeap<Reverse<u32>>,
    before: Vec<(u32, T)>,
    after: Vec<u32>,
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
        let mut sides = Sides { pending: BinaryHeap::new(), before: vec![], after: vec![] };
        let mut row = Vec::new();
        for i in places {
            let row_norm = self.load(i, scratch, &mut sides);
            let limits = (sides.pending.len(), sides.after.len());
            let limit = |original: usize| original.saturating_add(self.options.max_fill);
            let floor = self.options.drop_tol * row_norm;
            eliminate(i, floor, done, &own, scratch, &mut sides);
            let Scratch { w, is_entry, .. } = &mut *scratch;
            let pivot = std::mem::replace(&mut w[i], T::zero());
            is_entry[i] = false;
            row.clear();
            for j in sides.after.drain(..) {
                let value = std::mem::replace(&mut w[j as usize], T::zero());
                is_entry[j as usize] = false;
                let size = value.modulus_f64();
                if size > 0.0 && size >= floor {
                    row.push((j, value));
                }
            }
            let pivot = match general_pivot(pivot, row_norm, self.options.pivot_replacement) {
                Pivot::Good(pivot) => pivot,
                Pivot::Replaced(pivot) => {
                    own.replaced_pivots += 1;
                    pivot
                }
                Pivot::Bad => return Err(i),
            };
            keep_largest(&mut sides.before, limit(limits.0), |&(_, w_k)| w_k.modulus_f64());
            for (k, w_k) in &mut sides.before {
                let (task, local) = locate(done, &own, *k as usize);
                *w_k /= task.diag[local]; // l_ik
            }
            own.lower.push_row(sides.before.drain(..));
            keep_largest(&mut row, limit(limits.1), |&(_, value)| value.modulus_f64());
            own.upper.push_row(row.iter().map(|&(j, value)| (j, value / pivot)));
            own.diag.push(pivot);
        }
        Ok(own)
    }

    /// Copies the row at place `i` into `w`; returns its 2-norm. The diagonal always counts as an entry.
    fn load(&self, i: usize, scratch: &mut Scratch<T>, sides: &mut Sides<T>) -> f64 {
        let Scratch { w, is_entry, .. } = scratch;
        let (cols, values) = self.a.row(self.order[i] as usize);
        is_entry[i] = true;
        for (&j, &value) in cols.iter().zip(values) {
            let place = self.position[j as usize];
            w[place as usize] = value;
            is_entry[place as usize] = true;
            match (place as usize).cmp(&i) {
                Ordering::Less => sides.pending.push(Reverse(place)),
                Ordering::Greater => sides.after.push(place),
                Ordering::Equal => {}
            }
        }
        kernels::norm2(values)
    }
}

/// Eliminates the entries before the diagonal of the row at place `i`, in order, dropping those below
/// `floor`; the kept ones go to `sides.before`.
fn eliminate<T: Scalar>(
    i: usize,
    floor: f64,
    done: &[TaskRows<T>],
    own: &TaskRows<T>,
    scratch: &mut Scratch<T>,
    sides: &mut Sides<T>,
) {
    let Scratch { w, is_entry, .. } = scratch;
    while let Some(Reverse(k)) = sides.pending.pop() {
        let w_k = std::mem::replace(&mut w[k as usize], T::zero());
        is_entry[k as usize] = false;
        let size = w_k.modulus_f64();
        if size == 0.0 || size < floor {
            continue;
        }
        sides.before.push((k, w_k));
        let (task, local) = locate(done, own, k as usize);
        let range = task.upper.range(local);
        for (&j, &u_kj) in task.upper.cols[range.clone()].iter().zip(&task.upper.values[range]) {
            if !is_entry[j as usize] {
                is_entry[j as usize] = true;
                if (j as usize) < i { sides.pending.push(Reverse(j)) } else { sides.after.push(j) }
            }
            w[j as usize] -= w_k * u_kj;
        }
    }
}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Refresh<A> for Ilut<T> {
    /// Factorizes `a`, of the same order, anew. The factor's pattern depends on the values, so this costs as
    /// much as building it; on an error the old factor stays.
    fn refresh(&mut self, a: &A) -> Result<(), SolveError> {
        check_len("the matrix given to refresh", self.factor.len(), a.nrows())?;
        *self = Self::with_options(a, self.options)?;
        Ok(())
    }
}

impl<T: Scalar> Preconditioner<T> for Ilut<T> {
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
impl<T: Scalar> LinearPreconditioner<T> for Ilut<T> {}
