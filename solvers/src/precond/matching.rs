//! Large entries to the diagonal: a row permutation and scaling from a maximum product matching.
//!
//! Incomplete LU without pivoting needs a diagonal that is worth dividing by; circuit and saddle-point
//! matrices have zeros there. Among all permutations Q of the rows this finds one that maximises
//! ∏ |(QA)_jj|. With c_ij = log max_k |a_ik| − log |a_ij| ≥ 0 that is the assignment problem min Σ c, solved
//! row by row by shortest augmenting paths on the nonzeros (Duff and Koster, 2001, SIAM J. Matrix Anal.
//! Appl. 22(4), sections 3 and 4). Its dual variables u, v, with u_i + v_j ≤ c_ij and equality where
//! matched, scale A to a matrix with ones on the diagonal and no entry larger
//! (Olschowka and Neumaier, 1996, Linear Algebra Appl. 240):
//!
//! ```text
//! B = Q D_r A D_c,   (D_r)_ii = exp(u_i) / max_k |a_ik|,   (D_c)_jj = exp(v_j)
//! ```
//!
//! Here the scales are rounded to powers of two, so that B is A to the last bit, up to order and exponents;
//! its entries are at most 2 and its diagonal at least 1/2.

use super::{LinearPreconditioner, Preconditioner};
use crate::SparseRows;
use crate::error::{SolveError, check_len, check_square};
use residua_data::{CsrMatrix, Scalar};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

const NAME: &str = "matching";
const NONE: u32 = u32::MAX;

/// Scales stay within 2^±this, so that scaled values neither over- nor underflow in practice.
const MAX_EXPONENT: f64 = 300.0;

/// A row permutation and scalings that bring large entries to the diagonal.
#[derive(Debug, Clone, PartialEq)]
pub struct RowMatching {
    row_of: Vec<u32>,
    row_scale: Vec<f64>,
    col_scale: Vec<f64>,
    matched: usize,
}

impl RowMatching {
    /// The matching of a square matrix with the largest product of moduli. Stored zeros count as absent.
    ///
    /// O(n (nnz + n) log n) at worst, near O(nnz) on most matrices; one thread.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`]; [`SolveError::NonFinite`].
    pub fn new<T: Scalar, A: SparseRows<T> + ?Sized>(a: &A) -> Result<Self, SolveError> {
        check_square(NAME, a.nrows(), a.ncols())?;
        let a = a.csr();
        if let Some((index, _)) = a.first_non_finite() {
            return Err(SolveError::NonFinite { what: "a row of the matrix", index });
        }
        let mut search = Search::new(a);
        search.match_cheaply();
        for row in 0..a.nrows() {
            if search.col_of[row] == NONE {
                search.augment(row);
            }
        }
        Ok(search.finish())
    }

    /// The row of A that comes to each row of the permuted matrix, length n.
    pub fn row_of(&self) -> &[u32] {
        &self.row_of
    }

    /// D_r by row of A, and D_c by column, powers of two.
    pub fn scales(&self) -> (&[f64], &[f64]) {
        (&self.row_scale, &self.col_scale)
    }

    /// Rows with a nonzero on the new diagonal; fewer than n if and only if A is structurally singular.
    pub fn matched(&self) -> usize {
        self.matched
    }

    /// B = Q D_r A D_c.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`] if `a` has another order.
    pub fn permute<T: Scalar>(&self, a: &CsrMatrix<T>) -> Result<CsrMatrix<T>, SolveError> {
        check_len("the matrix to permute", self.row_of.len(), a.nrows())?;
        check_len("the matrix to permute", self.row_of.len(), a.ncols())?;
        let mut row_ptr = Vec::with_capacity(a.nrows() + 1);
        row_ptr.push(0u32);
        let (mut cols, mut values) = (Vec::with_capacity(a.nnz()), Vec::with_capacity(a.nnz()));
        for &i in &self.row_of {
            let (row_cols, row_values) = a.row(i as usize);
            let scale = self.row_scale[i as usize];
            cols.extend_from_slice(row_cols);
            let scaled = row_cols.iter().zip(row_values);
            values.extend(scaled.map(|(&j, &v)| v * T::of(scale) * T::of(self.col_scale[j as usize])));
            row_ptr.push(cols.len() as u32);
        }
        CsrMatrix::try_new(a.nrows(), a.ncols(), row_ptr, cols, values)
            .map_err(|error| SolveError::ApplyFailed { what: NAME, reason: error.to_string() })
    }
}

/// A column in the queue of the shortest path search; the nearest comes out first.
#[derive(PartialEq)]
struct Candidate {
    distance: f64,
    col: u32,
}
impl Eq for Candidate {}
impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        other.distance.total_cmp(&self.distance).then(other.col.cmp(&self.col))
    }
}
impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The assignment problem while it is being solved.
struct Search<'a> {
    row_ptr: &'a [u32],
    cols: &'a [u32],
    /// c, by entry; infinite where the value is zero.
    costs: Vec<f64>,
    log_row_max: Vec<f64>,
    /// Dual variables u and v.
    u: Vec<f64>,
    v: Vec<f64>,
    col_of: Vec<u32>,
    row_of: Vec<u32>,
    /// Length of the shortest path to each column, the row before it on the path, and whether it is final.
    distance: Vec<f64>,
    before: Vec<u32>,
    is_final: Vec<bool>,
    touched: Vec<u32>,
    queue: BinaryHeap<Candidate>,
}

impl<'a> Search<'a> {
    fn new<T: Scalar>(a: &'a CsrMatrix<T>) -> Self {
        let n = a.nrows();
        let mut costs = Vec::with_capacity(a.nnz());
        let mut log_row_max = Vec::with_capacity(n);
        for i in 0..n {
            let logs = a.row(i).1.iter().map(|v| v.modulus_f64().ln());
            let largest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
            costs
                .extend(logs.map(|log| if log == f64::NEG_INFINITY { f64::INFINITY } else { largest - log }));
            log_row_max.push(largest);
        }
        Self {
            row_ptr: a.row_ptr(),
            cols: a.col_idx(),
            costs,
            log_row_max,
            u: vec![0.0; n],
            v: vec![f64::INFINITY; n],
            col_of: vec![NONE; n],
            row_of: vec![NONE; n],
            distance: vec![f64::INFINITY; n],
            before: vec![NONE; n],
            is_final: vec![false; n],
            touched: Vec::new(),
            queue: BinaryHeap::new(),
        }
    }

    fn entries(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.row_ptr[row] as usize..self.row_ptr[row + 1] as usize;
        let costs = self.costs[range.clone()].iter().copied();
        self.cols[range].iter().map(|&j| j as usize).zip(costs).filter(|&(_, cost)| cost < f64::INFINITY)
    }

    /// Feasible duals v_j = min_i c_ij, u_i = min_j (c_ij − v_j), and a greedy matching on the tight entries.
    fn match_cheaply(&mut self) {
        let n = self.u.len();
        for (&j, &cost) in self.cols.iter().zip(&self.costs) {
            self.v[j as usize] = self.v[j as usize].min(cost);
        }
        self.v.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = 0.0);
        for row in 0..n {
            let smallest = self.entries(row).map(|(j, cost)| cost - self.v[j]).fold(f64::INFINITY, f64::min);
            if smallest.is_finite() {
                self.u[row] = smallest;
                let tight =
                    |&(j, cost): &(usize, f64)| cost - self.v[j] <= smallest && self.row_of[j] == NONE;
                let found = self.entries(row).find(tight);
                if let Some((j, _)) = found {
                    self.row_of[j] = row as u32;
                    self.col_of[row] = j as u32;
                }
            }
        }
    }

    /// Matches `root` along the shortest augmenting path, if there is one.
    fn augment(&mut self, root: usize) {
        let end = self.shortest_path(root);
        if let Some((end, length)) = end {
            self.u[root] += length;
            for &j in &self.touched {
                let j = j as usize;
                if self.is_final[j] && j != end {
                    let slack = length - self.distance[j];
                    self.v[j] -= slack;
                    self.u[self.row_of[j] as usize] += slack;
                }
            }
            let mut col = end;
            loop {
                let row = self.before[col] as usize;
                self.row_of[col] = row as u32;
                let freed = std::mem::replace(&mut self.col_of[row], col as u32);
                if row == root {
                    break;
                }
                col = freed as usize;
            }
        }
        for j in self.touched.drain(..) {
            self.distance[j as usize] = f64::INFINITY;
            self.is_final[j as usize] = false;
        }
        self.queue.clear();
    }

    /// The nearest unmatched column and its distance from `root` in reduced costs c_ij − u_i − v_j ≥ 0.
    fn shortest_path(&mut self, root: usize) -> Option<(usize, f64)> {
        let (mut row, mut base) = (root, 0.0);
        loop {
            let range = self.row_ptr[row] as usize..self.row_ptr[row + 1] as usize;
            for (&j, &cost) in self.cols[range.clone()].iter().zip(&self.costs[range]) {
                let col = j as usize;
                // Rounding may leave a reduced cost slightly below zero.
                let distance = base + (cost - self.u[row] - self.v[col]).max(0.0);
                if !self.is_final[col] && distance < self.distance[col] {
                    if self.distance[col] == f64::INFINITY {
                        self.touched.push(j);
                    }
                    self.distance[col] = distance;
                    self.before[col] = row as u32;
                    self.queue.push(Candidate { distance, col: j });
                }
            }
            let col = loop {
                let Candidate { distance, col } = self.queue.pop()?;
                if !self.is_final[col as usize] && distance <= self.distance[col as usize] {
                    break col as usize;
                }
            };
            self.is_final[col] = true;
            base = self.distance[col];
            if self.row_of[col] == NONE {
                return Some((col, base));
            }
            row = self.row_of[col] as usize;
        }
    }

    fn finish(mut self) -> RowMatching {
        let n = self.u.len();
        let matched = self.row_of.iter().filter(|&&row| row != NONE).count();
        // A structurally singular matrix: the rows left over go to the columns left over, in order.
        let mut left_over = (0..n).filter(|&row| self.col_of[row] == NONE);
        for slot in self.row_of.iter_mut().filter(|row| **row == NONE) {
            *slot = left_over.next().map_or(NONE, |row| row as u32);
        }
        let power =
            |log: f64| (log / std::f64::consts::LN_2).round().clamp(-MAX_EXPONENT, MAX_EXPONENT).exp2();
        let row_log = |(u, max): (&f64, &f64)| if max.is_finite() { u - max } else { 0.0 };
        RowMatching {
            row_of: self.row_of,
            row_scale: self.u.iter().zip(&self.log_row_max).map(row_log).map(power).collect(),
            col_scale: self.v.iter().map(|&v| power(v)).collect(),
            matched,
        }
    }
}

/// A preconditioner that was built for the matched matrix B = Q D_r A D_c, applied to A:
/// z = D_c M_B⁻¹ Q D_r r.
///
/// ```
/// use residua_solvers::{CsrMatrix, Preconditioner, precond::{Ilut, Matched}};
/// // [ 0 2 ]   a zero diagonal: without the matching, ILUT has no pivot
/// // [ 4 0 ]
/// let a = CsrMatrix::try_new(2, 2, vec![0, 1, 2], vec![1, 0], vec![2.0, 4.0])?;
/// let mut precond = Matched::new(&a, Ilut::new)?;
/// let mut z = [0.0; 2];
/// precond.apply(&[2.0, 4.0], &mut z)?;
/// assert_eq!(z, [1.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Matched<P, T = f64> {
    matching: RowMatching,
    inner: P,
    permuted: Vec<T>,
}

impl<P, T: Scalar> Matched<P, T> {
    /// Matches `a` and calls `build` on the permuted and scaled matrix.
    ///
    /// # Errors
    /// As [`RowMatching::new`], and what `build` returns.
    pub fn new<A: SparseRows<T> + ?Sized>(
        a: &A,
        build: impl FnOnce(&CsrMatrix<T>) -> Result<P, SolveError>,
    ) -> Result<Self, SolveError> {
        let matching = RowMatching::new(a)?;
        let inner = build(&matching.permute(a.csr())?)?;
        Ok(Self { matching, inner, permuted: vec![T::zero(); a.nrows()] })
    }

    /// The matching.
    pub fn matching(&self) -> &RowMatching {
        &self.matching
    }

    /// The preconditioner of the permuted matrix.
    pub fn inner(&self) -> &P {
        &self.inner
    }
}

impl<T: Scalar, P: Preconditioner<T>> Preconditioner<T> for Matched<P, T> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        check_len("r", self.permuted.len(), r.len())?;
        check_len("z", self.permuted.len(), z.len())?;
        let RowMatching { row_of, row_scale, col_scale, .. } = &self.matching;
        for (permuted, &i) in self.permuted.iter_mut().zip(row_of) {
            *permuted = r[i as usize] * T::of(row_scale[i as usize]);
        }
        self.inner.apply(&self.permuted, z)?;
        z.iter_mut().zip(col_scale).for_each(|(z, &scale)| *z *= T::of(scale));
        Ok(())
    }
}
impl<T: Scalar, P: LinearPreconditioner<T>> LinearPreconditioner<T> for Matched<P, T> {}
