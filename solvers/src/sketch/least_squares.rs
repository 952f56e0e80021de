//! Least squares by sketch-to-precondition:
//!
//! ```text
//! S A = Q R,   min ‖(A R⁻¹) y − b‖₂ by LSMR,   x = R⁻¹ y
//! ```
//!
//! S has `OVERSAMPLING`·n rows; each of its columns has `ENTRIES` entries ±1 in random rows. With high probability all singular values of
//! A R⁻¹ lie within a few tenths of 1, whatever the condition of A, so that LSMR takes the same few dozen steps for every matrix with many
//! more rows than columns (Rokhlin and Tygert 2008, PNAS 105(36); Avron, Maymounkov and Toledo 2010, SIAM J. Sci. Comput. 32(3)). Where R
//! is singular to working accuracy, A R⁻¹ is A V_r Σ_r⁻¹ from the singular values of R (Meng, Saunders and Mahoney 2014, SIAM J. Sci.
//! Comput. 36(2)), and x lies in the span of V_r.

use crate::control::{CycleEnd, run};
use crate::error::SolveError;
use crate::krylov::Lsmr;
use crate::{
    Breakdown, CsrMatrix, LinearOperator, LinearSystem, Monitor, Outcome, Solver, StopReason, StopRule,
    TransposeOperator,
};
use faer::{Mat, MatRef};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Rows of S over columns of A.
const OVERSAMPLING: usize = 4;

/// Entries of a column of S.
const ENTRIES: usize = 4;

/// Pivots of R below this share of the largest make it singular, as do singular values.
const SINGULAR: f64 = 1e-13;

/// LSMR on A R⁻¹, R from a sketch of A; A ∈ ℝᵐˣⁿ with m ≥ n (m ≥ 4n to gain anything).
///
/// **Cost**: 8 nnz(A) + 8n³ operations for R, then a product with A, one with Aᵀ and two with an n × n matrix a step, over about
/// twice as many steps as digits asked for.
/// **Storage**: 4n² + n².
/// **Accuracy**: products with A R⁻¹ are exact to about ε cond(A), so that digits are lost where cond(A) exceeds 10¹⁰.
/// **Converged** and [`Breakdown::SingularInconsistent`] mean what they mean for [`Lsmr`]: the second says that x is the least
/// squares solution of a system that has no solution.
#[derive(Debug, Clone)]
pub struct SketchLeastSquares {
    seed: u64,
    optimality_tolerance: Option<f64>,
    r: Vec<f64>,
}

impl SketchLeastSquares {
    /// With S from the random numbers of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, optimality_tolerance: None, r: Vec::new() }
    }

    /// As [`Lsmr::with_optimality_tolerance`], in the preconditioned norm.
    #[must_use]
    pub fn with_optimality_tolerance(mut self, tolerance: f64) -> Self {
        self.optimality_tolerance = Some(tolerance);
        self
    }
}

/// N with A N well conditioned, n × rank.
fn preconditioner(a: &CsrMatrix<f64>, seed: u64) -> Result<Mat<f64>, SolveError> {
    let (m, n) = (a.nrows(), a.ncols());
    let rows = (OVERSAMPLING * n).min(m);
    let mut sketched = Mat::<f64>::zeros(rows, n);
    let mut rng = StdRng::seed_from_u64(seed);
    for i in 0..m {
        let (columns, values) = a.row(i);
        if rows == m {
            columns.iter().zip(values).for_each(|(&j, &v)| sketched[(i, j as usize)] += v);
            continue;
        }
        for _ in 0..ENTRIES {
            let row = rng.random_range(0..rows);
            let sign = if rng.random::<bool>() { 1.0 } else { -1.0 };
            columns.iter().zip(values).for_each(|(&j, &v)| sketched[(row, j as usize)] += sign * v);
        }
    }
    let qr = sketched.qr();
    let r = qr.thin_R();
    let pivots = (0..r.nrows().min(n)).map(|i| r[(i, i)].abs());
    let (least, largest) = pivots.fold((f64::INFINITY, 0.0), |(a, b): (f64, f64), p| (a.min(p), b.max(p)));
    if r.nrows() == n && least > SINGULAR * largest {
        let mut inverse = Mat::<f64>::identity(n, n);
        faer::linalg::triangular_solve::solve_upper_triangular_in_place(r, inverse.as_mut(), faer::Par::Seq);
        return Ok(inverse);
    }
    let svd = r.thin_svd().map_err(|_| SolveError::FactorizationFailed {
        what: "sketched least squares",
        row: 0,
        reason: "the singular values of the sketched matrix did not converge".to_owned(),
    })?;
    let (v, s) = (svd.V(), svd.S().column_vector());
    let rank = (0..s.nrows()).take_while(|&k| s[k] > SINGULAR * s[0] * n as f64).count();
    Ok(Mat::from_fn(n, rank, |i, k| v[(i, k)] / s[k]))
}

/// A N, with a vector as long as A has columns to work in.
struct Preconditioned<'a, A: ?Sized> {
    a: &'a A,
    n: MatRef<'a, f64>,
    work: Mutex<Vec<f64>>,
}

impl<A: ?Sized> Preconditioned<'_, A> {
    /// The vector; a panic elsewhere leaves nothing in it that is read.
    fn work(&self) -> MutexGuard<'_, Vec<f64>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: TransposeOperator<f64> + ?Sized> LinearOperator<f64> for Preconditioned<'_, A> {
    fn nrows(&self) -> usize {
        self.a.nrows()
    }
    fn ncols(&self) -> usize {
        self.n.ncols()
    }
    fn apply(&self, y: &[f64], out: &mut [f64]) {
        let mut x = self.work();
        multiply(self.n, y, &mut x);
        self.a.apply(&x, out);
    }
}

impl<A: TransposeOperator<f64> + ?Sized> TransposeOperator<f64> for Preconditioned<'_, A> {
    fn apply_adjoint(&self, x: &[f64], out: &mut [f64]) {
        let mut work = self.work();
        self.a.apply_adjoint(x, &mut work);
        for (k, out) in out.iter_mut().enumerate() {
            *out = work.iter().enumerate().map(|(i, w)| w * self.n[(i, k)]).sum();
        }
    }
}

/// x ← N y.
fn multiply(n: MatRef<'_, f64>, y: &[f64], x: &mut [f64]) {
    x.fill(0.0);
    for (k, y) in y.iter().enumerate() {
        x.iter_mut().enumerate().for_each(|(i, x)| *x += n[(i, k)] * y);
    }
}

impl Solver<CsrMatrix<f64>> for SketchLeastSquares {
    fn name(&self) -> &'static str {
        "sketch-lsmr"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, CsrMatrix<f64>>,
        x: &mut [f64],
        stop: &StopRule,
        monitor: &mut dyn Monitor<f64>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        if a.nrows() < a.ncols() {
            return Err(SolveError::InvalidOption {
                name: "sketch-lsmr",
                value: format!("{} x {}", a.nrows(), a.ncols()),
                expected: "at least as many rows as columns: use lsmr",
            });
        }
        if let Some((row, _)) = a.first_non_finite() {
            return Err(SolveError::NonFinite { what: "the matrix's row", index: row });
        }
        let n = preconditioner(a, self.seed)?;
        let operator = Preconditioned { a, n: n.as_ref(), work: Mutex::new(vec![0.0; n.nrows()]) };
        let mut lsmr = Lsmr::new();
        if let Some(tolerance) = self.optimality_tolerance {
            lsmr = lsmr.with_optimality_tolerance(tolerance);
        }
        self.r.resize(a.nrows(), 0.0);
        let (mut y, mut step) = (vec![0.0; n.ncols()], vec![0.0; n.nrows()]);
        run(system, x, &mut self.r, stop, monitor, |control, x, r, r_norm| {
            y.fill(0.0);
            let inner = LinearSystem::new(&operator, r)?;
            let rtol = 0.9 * control.target() / r_norm;
            let outcome = control
                .nested(rtol, r_norm, r_norm, |stop, monitor| lsmr.solve(&inner, &mut y, stop, monitor))?;
            multiply(n.as_ref(), &y, &mut step);
            x.iter_mut().zip(&step).for_each(|(x, s)| *x += s);
            Ok(match outcome.reason {
                StopReason::Converged(_) => CycleEnd::Claimed,
                StopReason::Stopped(limit) => CycleEnd::Stop(StopReason::Stopped(limit)),
                StopReason::Failed(Breakdown::SingularInconsistent) => CycleEnd::Stop(outcome.reason),
                StopReason::Failed(breakdown) => CycleEnd::Broken(breakdown),
            })
        })
    }
}
