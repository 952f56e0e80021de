//! What is measured of a matrix before a method is chosen; O(nnz), and one symbolic factorization.

use super::trial;
use crate::direct::{CholeskyEstimate, estimate_cholesky};
use crate::null_space::NullSpace;
use crate::precond::amg::NEARLY_SYMMETRIC;
use crate::{CsrMatrix, Scalar};
use rayon::prelude::*;

/// Facts that decide which method suits a matrix.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MatrixFacts {
    /// Number of rows m.
    pub rows: usize,
    /// Number of columns n.
    pub cols: usize,
    /// Stored entries.
    pub nnz: usize,
    /// A = Aᵀ, value by value.
    pub symmetric: bool,
    /// A = Aᴴ up to rounding: |a_ij − conj(a_ji)| is within a few ε of the largest entries of both rows.
    pub hermitian: bool,
    /// (i, j) is stored exactly when (j, i) is.
    pub pattern_symmetric: bool,
    /// Every diagonal entry is real and positive.
    pub positive_diagonal: bool,
    /// Every diagonal entry is real and negative.
    pub negative_diagonal: bool,
    /// Diagonal entries that are zero or not stored.
    pub zero_diagonals: usize,
    /// |a_ii| ≥ Σ_{j≠i} |a_ij| in every row.
    pub diagonally_dominant: bool,
    /// Σ_{j≠i} |a_ij| ≤ 1.05 |a_ii| in every row.
    pub nearly_dominant: bool,
    /// Σ_{j≠i} |a_ij| ≤ 0.95 |a_ii| in every row, so that the spectrum of D⁻¹A lies within 0.05 and 1.95: I + Δt K of short
    /// time steps.
    pub strongly_dominant: bool,
    /// Σ |a_ij − conj(a_ji)| / Σ |a_ij|; 1 where the pattern is not symmetric.
    pub asymmetry: f64,
    /// Digits of the residual that an iteration of CG (Hermitian matrices with a diagonal of one sign) or BiCGSTAB with
    /// Jacobi gains, from a few of them on a random right-hand side; `None` where that was not tried.
    pub jacobi_digits: Option<f64>,
    /// No real off-diagonal entry is positive and none is complex: with a positive diagonal, the sign
    /// pattern of an M-matrix.
    pub nonpositive_off_diagonal: bool,
    /// No two neighbours of an unknown are neighbours themselves, as on 5- and 7-point stencils: incomplete
    /// Cholesky without fill then changes the diagonal only.
    pub triangle_free: bool,
    /// max |i − j| over stored entries.
    pub bandwidth: usize,
    /// Rows without a stored entry.
    pub empty_rows: usize,
    /// Smallest and largest modulus of a nonzero entry; (0, 0) if there is none.
    pub entry_range: (f64, f64),
    /// Smallest and largest of the rows' largest moduli, empty rows left out.
    pub row_scale_range: (f64, f64),
    /// Constant null vectors, if A is Hermitian and has some.
    pub null_space: Option<NullSpace>,
    /// What a Cholesky factorization of the pattern of A + Aᵀ costs (LU costs about twice that); `None` for
    /// rectangular matrices, for those too large to analyse, and for those that Jacobi solves in a few iterations.
    pub factor_estimate: Option<CholeskyEstimate>,
}

/// Beyond this order a symbolic factorization is not tried: it would take longer than most solves.
const MAX_ORDER_FOR_ESTIMATE: usize = 400_000;

/// Beyond this order a matrix of positive type is known to go to an incomplete factorization: no estimate is
/// needed.
const MAX_ORDER_OF_POSITIVE_TYPE: usize = 20_000;

/// Measures `a`.
pub fn analyse<T: Scalar>(a: &CsrMatrix<T>) -> MatrixFacts {
    let mut facts = analyse_entries(a);
    let max_order =
        if facts.is_positive_type() { MAX_ORDER_OF_POSITIVE_TYPE } else { MAX_ORDER_FOR_ESTIMATE };
    if facts.may_suit_jacobi() {
        facts.jacobi_digits = trial::jacobi_digits(a, facts.hermitian && facts.positive_diagonal);
    }
    let needs_no_factors = facts.jacobi_digits.is_some_and(|digits| digits >= QUICK_DIGITS);
    if facts.is_square() && facts.rows <= max_order && !needs_no_factors {
        facts.factor_estimate = estimate(a, facts.pattern_symmetric);
    }
    facts
}

/// Measures `a` without the symbolic factorization: what a named method needs.
pub(super) fn analyse_entries<T: Scalar>(a: &CsrMatrix<T>) -> MatrixFacts {
    let exactly_hermitian = a.is_hermitian();
    let pattern_symmetric = exactly_hermitian || a.is_pattern_symmetric();
    let skew = match (exactly_hermitian, pattern_symmetric) {
        (true, _) => Skew { rounding: true, asymmetry: 0.0 },
        (false, true) => Skew::of(a),
        (false, false) => Skew { rounding: false, asymmetry: 1.0 },
    };
    let hermitian = skew.rounding;
    let square = a.is_square();
    let found = (0..a.nrows())
        .into_par_iter()
        .with_min_len(ROWS_PER_TASK)
        .fold(RowFacts::default, |facts, i| facts.with_row(a, i))
        .reduce(RowFacts::default, RowFacts::merge);
    let settle = |range: (f64, f64)| if range.0.is_finite() { range } else { (0.0, 0.0) };
    MatrixFacts {
        rows: a.nrows(),
        cols: a.ncols(),
        nnz: a.nnz(),
        symmetric: if T::is_complex_type() { a.is_symmetric() } else { exactly_hermitian },
        hermitian,
        pattern_symmetric,
        positive_diagonal: square && found.positive_diagonals == a.nrows(),
        negative_diagonal: square && a.nrows() > 0 && found.negative_diagonals == a.nrows(),
        zero_diagonals: found.zero_diagonals,
        diagonally_dominant: a.is_diagonally_dominant(),
        nearly_dominant: square && found.worst_dominance <= NEARLY_DOMINANT,
        strongly_dominant: square && found.worst_dominance <= STRONGLY_DOMINANT,
        asymmetry: skew.asymmetry,
        jacobi_digits: None,
        nonpositive_off_diagonal: found.positive_off_diagonals == 0,
        triangle_free: hermitian && is_triangle_free(a),
        bandwidth: a.bandwidth().max(),
        empty_rows: a.empty_rows(),
        entry_range: settle(found.entry_range),
        row_scale_range: settle(found.row_scale_range),
        null_space: if hermitian { NullSpace::detect(a) } else { None },
        factor_estimate: None,
    }
}

/// Rows that one task looks at, at least.
const ROWS_PER_TASK: usize = 8192;

/// What rows tell one by one. Counts and extremes: the result does not depend on how rows are shared among threads.
#[derive(Clone, Copy)]
struct RowFacts {
    positive_diagonals: usize,
    negative_diagonals: usize,
    zero_diagonals: usize,
    /// Rows with an entry beside the diagonal that is neither zero nor negative.
    positive_off_diagonals: usize,
    /// The largest Σ_{j≠i} |a_ij| / |a_ii|.
    worst_dominance: f64,
    entry_range: (f64, f64),
    row_scale_range: (f64, f64),
}

impl Default for RowFacts {
    fn default() -> Self {
        let nothing = (f64::INFINITY, 0.0);
        Self {
            positive_diagonals: 0,
            negative_diagonals: 0,
            zero_diagonals: 0,
            positive_off_diagonals: 0,
            worst_dominance: 0.0,
            entry_range: nothing,
            row_scale_range: nothing,
        }
    }
}

impl RowFacts {
    fn with_row<T: Scalar>(mut self, a: &CsrMatrix<T>, i: usize) -> Self {
        let real_sign =
            |v: &T, sign: f64| v.imaginary() == T::RealField::default() && v.real_f64() * sign > 0.0;
        let (cols, vals) = a.row(i);
        let mut row_max = 0.0f64;
        let mut diagonal = T::zero();
        let mut has_positive = false;
        let mut others = 0.0;
        for (&j, v) in cols.iter().zip(vals) {
            let modulus = v.modulus_f64();
            if modulus > 0.0 {
                self.entry_range = (self.entry_range.0.min(modulus), self.entry_range.1.max(modulus));
                row_max = row_max.max(modulus);
            }
            if j as usize == i {
                diagonal = *v;
            } else {
                others += modulus;
                has_positive |= modulus != 0.0 && !real_sign(v, -1.0);
            }
        }
        if row_max > 0.0 {
            self.row_scale_range = (self.row_scale_range.0.min(row_max), self.row_scale_range.1.max(row_max));
        }
        if i < a.ncols() {
            self.positive_diagonals += usize::from(real_sign(&diagonal, 1.0));
            self.negative_diagonals += usize::from(real_sign(&diagonal, -1.0));
            self.zero_diagonals += usize::from(diagonal.is_zero());
        }
        self.positive_off_diagonals += usize::from(has_positive);
        // An empty row is 0 / 0, which max leaves out.
        self.worst_dominance = self.worst_dominance.max(others / diagonal.modulus_f64());
        self
    }

    fn merge(self, other: Self) -> Self {
        let both = |p: (f64, f64), q: (f64, f64)| (p.0.min(q.0), p.1.max(q.1));
        Self {
            positive_diagonals: self.positive_diagonals + other.positive_diagonals,
            negative_diagonals: self.negative_diagonals + other.negative_diagonals,
            zero_diagonals: self.zero_diagonals + other.zero_diagonals,
            positive_off_diagonals: self.positive_off_diagonals + other.positive_off_diagonals,
            worst_dominance: self.worst_dominance.max(other.worst_dominance),
            entry_range: both(self.entry_range, other.entry_range),
            row_scale_range: both(self.row_scale_range, other.row_scale_range),
        }
    }
}

/// What the other entries of a row may sum to, relative to the diagonal, in a nearly dominant matrix.
const NEARLY_DOMINANT: f64 = 1.05;

/// ... and in a strongly dominant one.
const STRONGLY_DOMINANT: f64 = 0.95;

/// How many ε a value may differ from its mate's conjugate, relative to the rows' largest entries.
const HERMITIAN_TOLERANCE: f64 = 16.0;

/// How far a matrix of symmetric pattern is from Hermitian.
struct Skew {
    /// No further than rounding.
    rounding: bool,
    asymmetry: f64,
}

impl Skew {
    fn of<T: Scalar>(a: &CsrMatrix<T>) -> Self {
        let scale = a.row_max_abs();
        let adjoint = a.adjoint();
        let (mut rounding, mut apart, mut moduli) = (true, 0.0, 0.0);
        for (i, own) in scale.iter().enumerate() {
            let (cols, vals) = a.row(i);
            for ((&j, &v), &mate) in cols.iter().zip(vals).zip(adjoint.row(i).1) {
                let difference = (v - mate).modulus_f64();
                let bound = HERMITIAN_TOLERANCE * T::epsilon_f64() * own.min(scale[j as usize]);
                rounding &= difference <= bound;
                apart += difference;
                moduli += v.modulus_f64();
            }
        }
        Self { rounding, asymmetry: if apart > 0.0 { apart / moduli } else { 0.0 } }
    }
}

/// Rows longer than this count as part of a triangle: looking would cost the square of their length.
const MAX_ROW_FOR_TRIANGLES: usize = 32;

fn is_triangle_free<T: Scalar>(a: &CsrMatrix<T>) -> bool {
    (0..a.nrows()).into_par_iter().with_min_len(ROWS_PER_TASK).all(|i| {
        let before = a.row(i).0.partition_point(|&j| (j as usize) < i);
        let neighbours = &a.row(i).0[..before];
        before <= MAX_ROW_FOR_TRIANGLES
            && neighbours.iter().enumerate().all(|(k, &j)| {
                neighbours[..k].iter().all(|earlier| a.row(j as usize).0.binary_search(earlier).is_err())
            })
    })
}

fn estimate<T: Scalar>(a: &CsrMatrix<T>, pattern_symmetric: bool) -> Option<CholeskyEstimate> {
    if pattern_symmetric {
        return estimate_cholesky(a).ok();
    }
    estimate_cholesky(&symmetrised_pattern(a)).ok()
}

/// The pattern of A + Aᵀ, with values that mean nothing.
fn symmetrised_pattern<T: Scalar>(a: &CsrMatrix<T>) -> CsrMatrix<f32> {
    let (ones, transpose) = (a.map(|_| 1.0f32), a.map(|_| 1.0f32).transpose());
    let mut row_ptr = Vec::with_capacity(a.nrows() + 1);
    row_ptr.push(0u32);
    let mut col_idx = Vec::with_capacity(2 * a.nnz());
    for i in 0..a.nrows() {
        let (mut p, mut q) = (ones.row(i).0, transpose.row(i).0);
        loop {
            let column = match (p.first(), q.first()) {
                (Some(&j), Some(&k)) => j.min(k),
                (Some(&j), None) | (None, Some(&j)) => j,
                (None, None) => break,
            };
            col_idx.push(column);
            p = p.strip_prefix(&[column]).unwrap_or(p);
            q = q.strip_prefix(&[column]).unwrap_or(q);
        }
        row_ptr.push(u32::try_from(col_idx.len()).unwrap_or(u32::MAX));
    }
    let values = vec![1.0; col_idx.len()];
    CsrMatrix::try_new(a.nrows(), a.ncols(), row_ptr, col_idx, values).unwrap_or(ones)
}

impl MatrixFacts {
    /// What a factorization costs, found out now if it was not needed before.
    pub(super) fn with_factor_estimate<T: Scalar>(&self, a: &CsrMatrix<T>) -> Self {
        let mut facts = self.clone();
        if facts.factor_estimate.is_none()
            && facts.jacobi_digits.is_some()
            && facts.rows <= MAX_ORDER_FOR_ESTIMATE
        {
            facts.factor_estimate = estimate(a, facts.pattern_symmetric);
        }
        facts
    }

    /// Whether m = n.
    pub fn is_square(&self) -> bool {
        self.rows == self.cols
    }

    /// Whether A has a positive diagonal, no positive off-diagonal entry, and dominance, as elliptic and upwinded
    /// transport problems have: incomplete factorizations without fill cannot break down on it.
    pub fn is_positive_type(&self) -> bool {
        self.positive_diagonal && self.nonpositive_off_diagonal && self.diagonally_dominant
    }

    /// Whether A is Hermitian and of positive type: modified incomplete Cholesky cannot break down either.
    pub fn is_m_matrix(&self) -> bool {
        self.hermitian && self.is_positive_type()
    }

    /// Whether A is Hermitian with a diagonal of one sign, so that CG is worth a try.
    pub fn is_definite_candidate(&self) -> bool {
        self.hermitian && (self.positive_diagonal || self.negative_diagonal)
    }

    /// Whether A is nearly symmetric, nearly dominant with a positive diagonal, real, and not small.
    pub fn is_nearly_an_elliptic_operator(&self) -> bool {
        !self.hermitian
            && self.positive_diagonal
            && self.nearly_dominant
            && self.asymmetry <= NEARLY_SYMMETRIC
            && self.rows >= MIN_ORDER_FOR_MULTIGRID
    }

    /// The iterations in which Jacobi is expected to gain eight digits, if they are few and cost less than a factorization.
    pub(super) fn jacobi_is_cheap(&self) -> Option<usize> {
        let expected = 8.0 / self.jacobi_digits.filter(|&digits| digits > 0.0)?;
        // BiCGSTAB and LU both cost twice what CG and Cholesky do.
        let cost = expected * FLOPS_PER_ENTRY_AND_PRODUCT * self.nnz as f64;
        let is_cheaper = match self.factor_estimate {
            Some(e) if self.factorization_is_cheap() => {
                cost <= e.flops + FLOPS_PER_FACTOR_ENTRY * e.factor_nnz as f64
            }
            _ => true,
        };
        (expected <= MAX_JACOBI_ITERS && is_cheaper).then_some(expected.ceil() as usize)
    }

    /// Whether a few iterations with Jacobi are worth finding out how fast they converge: not for small matrices, which are
    /// factorized at once, nor for singular ones, nor for M-matrices unless they are strongly dominant: elliptic problems, on
    /// which Jacobi is slow.
    fn may_suit_jacobi(&self) -> bool {
        self.is_square()
            && self.rows >= MIN_ORDER_FOR_TRIAL
            && self.zero_diagonals == 0
            && self.null_space.is_none()
            && !self.is_badly_scaled()
            && (!self.is_positive_type() || self.strongly_dominant)
    }

    /// Whether a sparse factorization is expected to take less time than an incomplete-factorization
    /// preconditioned Krylov method: its operations against those of some √n iterations.
    pub fn factorization_is_cheap(&self) -> bool {
        self.factor_estimate.is_some_and(|e| {
            let cost = if self.hermitian { e.flops } else { 2.0 * e.flops };
            let iterations = (self.rows as f64).sqrt().min(1000.0);
            e.factor_nnz <= MAX_CHEAP_FACTOR_NNZ
                && (cost <= FLOPS_PER_ENTRY_AND_ITERATION * iterations * self.nnz as f64
                    || cost <= TRIVIAL_FLOPS)
        })
    }

    /// Whether the factors fit a reasonable share of memory, cheap or not.
    pub fn factorization_fits(&self) -> bool {
        self.factor_estimate.is_some_and(|e| e.factor_nnz <= MAX_FACTOR_NNZ && e.flops <= MAX_FLOPS)
    }

    /// Whether rows differ so much in scale that they should be equilibrated first.
    pub fn is_badly_scaled(&self) -> bool {
        let (low, high) = self.entry_range;
        let (row_low, row_high) = self.row_scale_range;
        high > 1e60 || (low > 0.0 && high < 1e-60) || row_high > BAD_SCALE_RATIO * row_low
    }
}

/// A sparse factorization does about 2.5 operations in the time that a preconditioned iteration needs for
/// one of its three passes over an entry: measured on 2D and 3D Poisson problems.
const FLOPS_PER_ENTRY_AND_ITERATION: f64 = 7.5;

/// A tenth of a second.
const TRIVIAL_FLOPS: f64 = 2e8;

/// 1.6 GB of doubles.
const MAX_CHEAP_FACTOR_NNZ: usize = 200_000_000;

/// 3.2 GB of doubles.
const MAX_FACTOR_NNZ: usize = 400_000_000;

/// Below this order a factorization takes no longer than finding out about anything else.
const MIN_ORDER_FOR_TRIAL: usize = 2000;

/// Digits an iteration with Jacobi from which on nothing else is considered: on a plane grid of 128² the symbolic factorization
/// alone takes as long as 50 iterations.
const QUICK_DIGITS: f64 = 0.25;

/// Below this order LU takes a few milliseconds, whatever its pivots do to the fill.
const MIN_ORDER_FOR_MULTIGRID: usize = 5000;

/// Expected iterations with Jacobi above which eight of them say little.
const MAX_JACOBI_ITERS: f64 = 60.0;

/// An iteration of CG with Jacobi in operations of a sparse factorization, per entry of A.
const FLOPS_PER_ENTRY_AND_PRODUCT: f64 = 5.0;

/// What ordering, analysis and moving of the factors cost, per entry of them, in the same operations.
const FLOPS_PER_FACTOR_ENTRY: f64 = 40.0;

/// Some ten minutes.
const MAX_FLOPS: f64 = 1e12;

/// Rows whose largest entries differ by more than this are equilibrated.
const BAD_SCALE_RATIO: f64 = 1e8;
