//! Successive over-relaxation (SOR), Gauss-Seidel (ω = 1) and symmetric SOR.
//!
//! With A = D + L + U, a forward sweep corrects x ← x + y, (D/ω + L) y = r. From r_new = r − A y,
//!
//! ```text
//! forward:    (D/ω + L) y = r,    r_new = ((1/ω − 1) D − U) y
//! backward:   (D/ω + U) y = r,    r_new = ((1/ω − 1) D − L) y
//! ```
//!
//! for any A, symmetric or not, real or complex: no conjugate occurs, and neither b nor x. D. M. Young (1954),
//! Trans. AMS 76(1); Saad (2003), section 4.1. The form of r_new is that of L + Lᴴ in Khodak et al. (2024),
//! *Learning to relax*, section 2, written with U.
//!
//! **One pass a sweep.** Row i of the sweep that computes y_new needs r_i, which needs y_j for j > i, and
//! y_new,j for j < i: one vector holds both, as in Gauss-Seidel itself,
//!
//! ```text
//! x_i ← x_i + y_i
//! r_i = (1/ω − 1) a_ii y_i − Σ_{j>i} a_ij y_j                (y of the sweep before)
//! y_i ← (ω / a_ii) (r_i − Σ_{j<i} a_ij y_j)                   (y of this sweep)
//! ```
//!
//! so that a pass over A yields x_k, ‖b − A x_k‖ and the correction that leads to x_{k+1}; r is never stored.
//!
//! **A symmetric sweep** (forward, then backward: SSOR) also takes one pass. With y from the forward half,
//! y' from the backward half, and s = y + y', row i of the backward half is
//! y'_i = (ω / a_ii)((1/ω − 1) a_ii y_i − Σ_{j>i} a_ij s_j): it reads U alone. The forward half reads L alone:
//! r_i = (1/ω − 1) a_ii y'_i − Σ_{j<i} a_ij y'_j, and y_i from it as above
//! (Niethammer, 1964, Numer. Math. 6, for the idea of reusing the other triangle's sum).

use super::splitting::{Splitting, check_omega, subtract_product, subtract_product_reversed};
use crate::control::{Control, CycleEnd, resize, run};
use crate::error::{SolveError, check_square};
use crate::{LinearSystem, Monitor, Outcome, Solver, SparseRows, StopRule};
use residua_data::{CsrMatrix, Scalar};

/// The order in which a sweep visits the unknowns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SweepKind {
    /// From the first to the last.
    #[default]
    Forward,
    /// From the last to the first.
    Backward,
    /// Forward, then backward: one iteration is both.
    Symmetric,
}

/// SOR for A x = b, A ∈ Tⁿˣⁿ with a nonzero diagonal, in the given order of the unknowns.
///
/// Converges for every start if A is Hermitian positive definite and 0 < ω < 2 (Ostrowski 1954), and for
/// ω ≤ 1 if A is strictly diagonally dominant. For consistently ordered matrices, such as 5- and 7-point
/// stencils in row-major order, the best ω is [`optimal_omega`]. For anything large prefer CG with
/// [`Ssor`](crate::precond::Ssor).
///
/// **Cost** an iteration, symmetric ones too: 1 pass over A (counted as an operator application), 12 nnz + 4n +
/// 8 · 5n bytes in double precision (8 · 9n for symmetric ones). **Storage**: 3n (5n) and 4n bytes.
/// **Fails** with [`Breakdown::Divergence`](crate::Breakdown::Divergence) where the iteration matrix has a
/// spectral radius above 1.
///
/// It reads the rows of A, so a matrix-free operator does not compile:
///
/// ```compile_fail,E0277
/// use residua_solvers::{LinearSystem, Solver, StopRule, operator::FnOperator, stationary::Sor};
/// let a = FnOperator::new(1, |x: &[f64], y: &mut [f64]| y[0] = 2.0 * x[0]);
/// let system = LinearSystem::new(&a, &[1.0]).unwrap();
/// Sor::<f64>::default().solve(&system, &mut [0.0], &StopRule::default(), &mut ());
/// ```
#[derive(Debug, Clone)]
pub struct Sor<T = f64> {
    omega: f64,
    kind: SweepKind,
    splitting: Splitting<T>,
    r: Vec<T>,
    y: Vec<T>,
    y_back: Vec<T>,
    both: Vec<T>,
}

impl<T: Scalar> Default for Sor<T> {
    fn default() -> Self {
        Self {
            omega: 1.0,
            kind: SweepKind::Forward,
            splitting: Splitting::new(),
            r: Vec::new(),
            y: Vec::new(),
            y_back: Vec::new(),
            both: Vec::new(),
        }
    }
}

impl<T: Scalar> Sor<T> {
    /// Forward sweeps with 0 < `omega` < 2; [`default`](Self::default) is ω = 1, Gauss-Seidel.
    ///
    /// # Errors
    /// [`SolveError::InvalidOption`].
    pub fn new(omega: f64) -> Result<Self, SolveError> {
        check_omega(omega)?;
        Ok(Self { omega, ..Self::default() })
    }

    /// Symmetric sweeps (SSOR) with 0 < `omega` < 2.
    ///
    /// # Errors
    /// [`SolveError::InvalidOption`].
    pub fn symmetric(omega: f64) -> Result<Self, SolveError> {
        Ok(Self::new(omega)?.with_sweep(SweepKind::Symmetric))
    }

    /// The same with this order of visits.
    #[must_use]
    pub fn with_sweep(self, kind: SweepKind) -> Self {
        Self { kind, ..self }
    }

    /// ω.
    pub fn omega(&self) -> f64 {
        self.omega
    }

    /// Another 0 < ω < 2 for the next solve, in a sequence of systems.
    ///
    /// # Errors
    /// [`SolveError::InvalidOption`]; ω is then unchanged.
    pub fn set_omega(&mut self, omega: f64) -> Result<(), SolveError> {
        check_omega(omega)?;
        self.omega = omega;
        Ok(())
    }
}

/// The ω with the least spectral radius for a consistently ordered matrix whose Jacobi iteration matrix
/// I − D⁻¹A has real eigenvalues and the spectral radius β < 1: 2 / (1 + √(1 − β²)) (Young 1954). For the
/// 5-point Laplacian with N inner points a side, β = cos π/(N + 1).
pub fn optimal_omega(jacobi_radius: f64) -> f64 {
    2.0 / (1.0 + (1.0 - jacobi_radius * jacobi_radius).max(0.0).sqrt())
}

/// The spectral radius of forward SOR's iteration matrix under the assumptions of [`optimal_omega`]:
/// ¼ (ωβ + √(ω²β² − 4(ω − 1)))² below the best ω, ω − 1 from there on (Young 1954).
pub fn sor_rate(omega: f64, jacobi_radius: f64) -> f64 {
    let product = omega * jacobi_radius;
    let discriminant = product * product - 4.0 * (omega - 1.0);
    if discriminant > 0.0 { 0.25 * (product + discriminant.sqrt()).powi(2) } else { omega - 1.0 }
}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Solver<A, T> for Sor<T> {
    fn name(&self) -> &'static str {
        if self.kind == SweepKind::Symmetric { "ssor" } else { "sor" }
    }

    /// # Errors
    /// [`SolveError::NotSquare`], [`SolveError::ZeroDiagonal`], [`SolveError::DimensionMismatch`].
    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square("sor", a.nrows(), a.ncols())?;
        let Self { omega, kind, splitting, r, y, y_back, both } = self;
        splitting.refresh("sor", a.csr())?;
        resize(r, a.nrows());
        resize(y, a.nrows());
        let relax =
            Relaxation { a: a.csr(), splitting, omega: T::of(*omega), damp: T::of(1.0 / *omega - 1.0) };
        if *kind == SweepKind::Symmetric {
            resize(y_back, a.nrows());
            resize(both, a.nrows());
            return run(system, x, r, stop, monitor, |control, x, r, r_norm| {
                let norm = ScaledNorm::new(r_norm);
                relax.solve_lower(r, y);
                iterate(control, x, |x| {
                    relax.backward_half(y, y_back, both, x);
                    relax.forward_half(y_back, y, norm)
                })
            });
        }
        let forward = *kind == SweepKind::Forward;
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            let norm = ScaledNorm::new(r_norm);
            if forward {
                relax.solve_lower(r, y)
            } else {
                relax.solve_upper(r, y)
            }
            iterate(
                control,
                x,
                |x| if forward { relax.forward(y, x, norm) } else { relax.backward(y, x, norm) },
            )
        })
    }
}

/// Repeats `pass`, which updates x and returns its residual norm, until the control ends the cycle.
fn iterate<T: Scalar>(
    control: &mut Control<'_, T>,
    x: &mut [T],
    mut pass: impl FnMut(&mut [T]) -> f64,
) -> Result<CycleEnd, SolveError> {
    loop {
        let r_norm = pass(x);
        control.operator_applies += 1;
        if let Some(end) = control.step(r_norm, Some(x)) {
            return Ok(end);
        }
    }
}

/// Sums squares relative to a norm of about the same size, so that they neither over- nor underflow.
#[derive(Clone, Copy)]
struct ScaledNorm {
    unit: f64,
}

impl ScaledNorm {
    fn new(unit: f64) -> Self {
        // 1/unit must be finite in double precision.
        Self { unit: unit.clamp(1e-290, 1e290) }
    }

    #[inline(always)]
    fn sq<T: Scalar>(self, r: T, inverse_unit: f64) -> f64 {
        let part = |v: T::RealField| residua_data::scalar::real_to_f64::<T>(v) * inverse_unit;
        let (re, im) = (part(r.real()), if T::is_complex_type() { part(r.imaginary()) } else { 0.0 });
        re * re + im * im
    }
}

/// The sweeps over one matrix with one ω; `damp` = 1/ω − 1.
struct Relaxation<'a, T> {
    a: &'a CsrMatrix<T>,
    splitting: &'a Splitting<T>,
    omega: T,
    damp: T,
}

impl<T: Scalar> Relaxation<'_, T> {
    /// (D/ω + L) y = r.
    fn solve_lower(&self, r: &[T], y: &mut [T]) {
        for (i, &r) in r.iter().enumerate() {
            y[i] = self.relaxed(i, subtract_product(r, self.splitting.lower(self.a, i), y));
        }
    }

    /// (D/ω + U) y = r.
    fn solve_upper(&self, r: &[T], y: &mut [T]) {
        for (i, &r) in r.iter().enumerate().rev() {
            y[i] = self.relaxed(i, subtract_product_reversed(r, self.splitting.upper(self.a, i), y));
        }
    }

    /// x ← x + y, then y ← the next correction by a forward sweep; returns ‖b − A x‖₂ of the new x.
    fn forward(&self, y: &mut [T], x: &mut [T], norm: ScaledNorm) -> f64 {
        let (mut sq, inverse_unit) = (0.0, 1.0 / norm.unit);
        for (i, x) in x.iter_mut().enumerate() {
            *x += y[i];
            let r = subtract_product(self.damped(i, y[i]), self.splitting.upper(self.a, i), y);
            sq += norm.sq(r, inverse_unit);
            y[i] = self.relaxed(i, subtract_product(r, self.splitting.lower(self.a, i), y));
        }
        norm.unit * sq.sqrt()
    }

    /// As [`forward`](Self::forward), by a backward sweep.
    fn backward(&self, y: &mut [T], x: &mut [T], norm: ScaledNorm) -> f64 {
        let (mut sq, inverse_unit) = (0.0, 1.0 / norm.unit);
        for (i, x) in x.iter_mut().enumerate().rev() {
            *x += y[i];
            let r = subtract_product(self.damped(i, y[i]), self.splitting.lower(self.a, i), y);
            sq += norm.sq(r, inverse_unit);
            y[i] = self.relaxed(i, subtract_product_reversed(r, self.splitting.upper(self.a, i), y));
        }
        norm.unit * sq.sqrt()
    }

    /// The backward half of a symmetric sweep after the forward half's y: y_back and both = y + y_back;
    /// x ← x + both. Reads U.
    fn backward_half(&self, y: &[T], y_back: &mut [T], both: &mut [T], x: &mut [T]) {
        for (i, x) in x.iter_mut().enumerate().rev() {
            let upper = self.splitting.upper(self.a, i);
            y_back[i] = self.relaxed(i, subtract_product_reversed(self.damped(i, y[i]), upper, both));
            both[i] = y[i] + y_back[i];
            *x += both[i];
        }
    }

    /// The forward half of the next symmetric sweep, y from y_back; returns the residual norm before it.
    /// Reads L.
    fn forward_half(&self, y_back: &[T], y: &mut [T], norm: ScaledNorm) -> f64 {
        let (mut sq, inverse_unit) = (0.0, 1.0 / norm.unit);
        for i in 0..y_back.len() {
            let (cols, values) = self.splitting.lower(self.a, i);
            let mut r = self.damped(i, y_back[i]);
            let mut product = T::zero();
            for (&j, &a) in cols.iter().zip(values) {
                r -= a * y_back[j as usize];
                product += a * y[j as usize];
            }
            sq += norm.sq(r, inverse_unit);
            y[i] = self.relaxed(i, r - product);
        }
        norm.unit * sq.sqrt()
    }

    /// (1/ω − 1) a_ii y.
    #[inline(always)]
    fn damped(&self, i: usize, y: T) -> T {
        self.damp * (self.splitting.diagonal(self.a, i) * y)
    }

    /// (ω / a_ii) v.
    #[inline(always)]
    fn relaxed(&self, i: usize, v: T) -> T {
        self.omega * (self.splitting.inverse()[i] * v)
    }
}
