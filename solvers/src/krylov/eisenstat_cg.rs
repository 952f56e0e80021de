//! Preconditioned CG by Eisenstat's trick: SSOR or DIC at about one product with A an iteration.
//!
//! Let A = L + D + Lᴴ and M = (D̃ + L) D̃⁻¹ (D̃ + Lᴴ). D̃ = D/ω gives SSOR (up to a factor, which CG does not
//! see); d̃_i = a_ii − Σ_{j before i} |a_ij|²/d̃_j makes diag M = diag A, the DIC preconditioner, which is IC(0)
//! where the graph of A has no triangles (5- and 7-point stencils). Scale by S = D̃^(−½): Â = S A S has triangles
//! L̂, L̂ᴴ, and M̂ = (I + L̂)(I + L̂ᴴ). CG runs unpreconditioned on
//!
//! ```text
//! (I + L̂)⁻¹ Â (I + L̂ᴴ)⁻¹ x̂ = (I + L̂)⁻¹ S b,     x = S (I + L̂ᴴ)⁻¹ x̂,     r = S⁻¹ (I + L̂) r̂
//! ```
//!
//! and with K = 2I − S D S, so that Â = (I + L̂) + (I + L̂ᴴ) − K, its product with a direction p̂ is
//!
//! ```text
//! t = (I + L̂ᴴ)⁻¹ p̂,     w = (I + L̂)⁻¹ (p̂ − K t),     q̂ = t + w
//! ```
//!
//! which reads each triangle once: Â is never multiplied. S. C. Eisenstat (1981), SIAM J. Sci. Stat. Comput.
//! 2(1), eqs. (3)-(5). The iterates are those of CG preconditioned by M, in exact arithmetic.
//!
//! Differences: x itself is updated, by α S t, and never transformed back. And ‖r‖ of the true scale is
//! known without a product: the sweep for w reads the rows of L̂ anyway and forms (I + L̂) r̂ beside, so that an
//! iteration learns the residual norm that the one before has left; the stopping test is that of plain CG.

use crate::control::{Control, CycleEnd, resize, run};
use crate::error::{SolveError, check_len, check_square};
use crate::precond::pattern::{has_pattern, symbolic_in};
use crate::precond::sweep::{LduFactor, SharedSlice, Triangle};
use crate::precond::{SweepOrder, fill_triangle};
use crate::stationary::check_omega;
use crate::{
    Breakdown, LinearSystem, Monitor, Outcome, Refresh, Solver, SparseRows, StopReason, StopRule, kernels,
};
use residua_data::scalar::{real_from_f64, real_to_f64};
use residua_data::{CsrMatrix, Scalar};
use std::ops::Range;

const NAME: &str = "eisenstat-cg";

/// Which D̃ the preconditioner M = (D̃ + L) D̃⁻¹ (D̃ + Lᴴ) has.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Pivots {
    Ssor { omega: f64 },
    Dic { relaxation: f64 },
}

/// CG with SSOR or DIC, for A x = b, A ∈ Tⁿˣⁿ Hermitian positive definite, by Eisenstat's trick.
///
/// Sweeps are in natural order for ω > 1 and for modified DIC, staged otherwise
/// ([`SweepOrder`] says why). Set up for one matrix, whose scaled triangles it keeps; [`refresh`](Refresh::refresh) it for new values. It
/// takes the steps of [`Cg`](super::Cg) with [`Ssor`](crate::precond::Ssor), or with
/// [`Ic0`](crate::precond::Ic0) on a graph without triangles, in less time a step.
///
/// **Cost** a step, counted as one product: L̂ and L̂ᴴ once, 12 (nnz − n) + 8n, and 8 · 15n bytes of vectors in
/// double precision (8 · 16n for DIC); plain CG moves 12 nnz + 4n and 8 · 10n. 2 reductions.
/// **Storage**: 6n (7n for DIC) and a copy of A.
/// **Fails** with [`Breakdown::IndefiniteOperator`] if p̂ᴴq̂ ≤ 0 is met.
#[derive(Debug, Clone)]
pub struct EisenstatCg<T: Scalar = f64> {
    pivots: Pivots,
    /// I + L̂ and I + L̂ᴴ.
    factor: LduFactor<T>,
    /// D̃^½: the inverse of S.
    root: Vec<T>,
    /// The diagonal of K; empty where it is 2 − ω throughout.
    k: Vec<T>,
    work: Workspace<T>,
}

/// r in the scale of A; x̂, r̂, p̂, t, w; (p̂ᴴq̂, ‖r‖²) of each task of a sweep.
#[derive(Debug, Clone, Default)]
struct Workspace<T> {
    r: Vec<T>,
    x: Vec<T>,
    r_hat: Vec<T>,
    p: Vec<T>,
    t: Vec<T>,
    w: Vec<T>,
    sums: Vec<(f64, f64)>,
}

impl<T: Scalar> EisenstatCg<T> {
    /// CG preconditioned by SSOR with 0 < `omega` < 2; see [`Ssor`](crate::precond::Ssor) on its choice.
    ///
    /// # Errors
    /// [`SolveError::InvalidOption`], [`SolveError::NotSquare`]; [`SolveError::ZeroDiagonal`] and
    /// [`SolveError::FactorizationFailed`] if a diagonal entry is zero, or not real and positive.
    pub fn ssor<A: SparseRows<T> + ?Sized>(a: &A, omega: f64) -> Result<Self, SolveError> {
        check_omega(omega)?;
        Self::with_pivots(a, Pivots::Ssor { omega })
    }

    /// CG preconditioned by DIC: d̃_i = a_ii − Σ_{j before i} |a_ij|²/d̃_j.
    ///
    /// # Errors
    /// As [`ssor`](Self::ssor); [`SolveError::FactorizationFailed`] also if a pivot d̃_i is not positive, which
    /// cannot happen for M-matrices.
    pub fn dic<A: SparseRows<T> + ?Sized>(a: &A) -> Result<Self, SolveError> {
        Self::with_pivots(a, Pivots::Dic { relaxation: 0.0 })
    }

    /// Modified DIC (Gustafsson 1978, BIT 18): fill is not dropped but, times 0 ≤ `relaxation` ≤ 1, added to the
    /// diagonal, which keeps row sums at 1. Needs an M-matrix without
    /// negative row sums. On Poisson problems that lowers the condition of M⁻¹A from O(h⁻²) to
    /// O(h⁻¹); 0.97 or so is safer than 1.
    ///
    /// # Errors
    /// As [`dic`](Self::dic).
    pub fn modified_dic<A: SparseRows<T> + ?Sized>(a: &A, relaxation: f64) -> Result<Self, SolveError> {
        if !(0.0..=1.0).contains(&relaxation) {
            return Err(SolveError::InvalidOption {
                name: "relaxation",
                value: relaxation.to_string(),
                expected: "it is the share of the dropped fill that is kept on the diagonal, 0 to 1",
            });
        }
        Self::with_pivots(a, Pivots::Dic { relaxation })
    }

    fn with_pivots<A: SparseRows<T> + ?Sized>(a: &A, pivots: Pivots) -> Result<Self, SolveError> {
        check_square(NAME, a.nrows(), a.ncols())?;
        let n = a.nrows();
        let order = SweepOrder::for_strength(match pivots {
            Pivots::Ssor { omega } => omega > 1.0,
            Pivots::Dic { relaxation } => relaxation > 0.0,
        });
        let factor = symbolic_in(a.csr(), order.schedule(a.csr()));
        let work = Workspace { sums: vec![(0.0, 0.0); factor.schedule().task_count()], ..Default::default() };
        let mut cg = Self { pivots, factor, root: vec![T::zero(); n], k: Vec::new(), work };
        cg.fill(a.csr())?;
        Ok(cg)
    }

    /// D̃^½, K and the scaled triangles.
    fn fill(&mut self, a: &CsrMatrix<T>) -> Result<(), SolveError> {
        let root = &mut self.root;
        for (row, d) in root.iter_mut().enumerate() {
            *d = positive_diagonal(a, row)?;
        }
        match self.pivots {
            Pivots::Ssor { omega } => {
                let scale = real_from_f64::<T>(1.0 / omega);
                root.iter_mut().for_each(|d| *d = d.scale(scale));
            }
            Pivots::Dic { relaxation } => {
                self.k.clear();
                self.k.extend_from_slice(root);
                dic_pivots(a, &self.factor, relaxation, root)?;
                self.k.iter_mut().zip(&*root).for_each(|(k, &pivot)| *k = T::of(2.0) - *k / pivot);
            }
        }
        root.iter_mut().for_each(|d| *d = T::of(d.modulus_f64().sqrt()));
        let (_, lower, inv_diag, upper) = self.factor.parts_mut();
        fill_triangle(lower, |i, j| a.get(i, j) / root[i] / root[j]);
        fill_triangle(upper, |i, j| a.get(i, j) / root[i] / root[j]);
        inv_diag.fill(T::one());
        Ok(())
    }
}

/// a_ii if it is real and positive, which definiteness implies.
fn positive_diagonal<T: Scalar>(a: &CsrMatrix<T>, row: usize) -> Result<T, SolveError> {
    let d = a.get(row, row);
    if d == T::zero() {
        return Err(SolveError::ZeroDiagonal { what: NAME, row });
    }
    let modulus = d.modulus_f64();
    if d.real_f64() > 0.0
        && modulus.is_finite()
        && (d - T::from_real(d.real())).modulus_f64() <= T::epsilon_f64() * modulus
    {
        return Ok(T::from_real(d.real()));
    }
    let reason = format!(
        "the diagonal entry {d} is not real and positive, so A is not positive definite: use minres or gmres"
    );
    Err(SolveError::FactorizationFailed { what: NAME, row, reason })
}

/// Replaces diag A in `pivots` by the DIC pivots, in the order of the factor's schedule.
fn dic_pivots<T: Scalar>(
    a: &CsrMatrix<T>,
    factor: &LduFactor<T>,
    relaxation: f64,
    pivots: &mut [T],
) -> Result<(), SolveError> {
    let schedule = factor.schedule();
    let position = schedule.position();
    let relaxation = T::of(relaxation);
    // Σ_{k after j} a_jk: with the factor's structure, each row's upper part.
    let after = |j: usize| {
        let (cols, values) = a.row(j);
        let upper = cols.iter().zip(values).filter(|&(&k, _)| position[k as usize] > position[j]);
        upper.fold(T::zero(), |sum, (_, &v)| sum + v)
    };
    let bad_place = std::sync::atomic::AtomicUsize::new(usize::MAX);
    let shared = SharedSlice::new(pivots);
    schedule.forward(|_, run| {
        for i in run {
            // SAFETY: the schedule was made from the pattern of A: rows before i that it couples to are done,
            // and no other thread visits a row that couples to i meanwhile.
            unsafe {
                let diagonal = shared.get(i);
                let mut pivot = diagonal;
                for (&j, &v) in a.row(i).0.iter().zip(a.row(i).1) {
                    let j = j as usize;
                    if position[j] < position[i] {
                        let mut below = v.conjugate();
                        if relaxation != T::zero() {
                            below += relaxation * (after(j) - v.conjugate());
                        }
                        pivot -= v * below / shared.get(j);
                    }
                }
                let pivot = pivot.real();
                let tiny = T::epsilon_f64() * diagonal.modulus_f64();
                if real_to_f64::<T>(pivot) > tiny {
                    shared.set(i, T::from_real(pivot));
                } else {
                    bad_place.fetch_min(position[i] as usize, std::sync::atomic::Ordering::Relaxed);
                    shared.set(i, diagonal);
                }
            }
        }
    });
    let bad = bad_place.into_inner();
    match position.iter().position(|&p| p as usize == bad) {
        Some(row) => Err(SolveError::FactorizationFailed {
            what: NAME,
            row,
            reason: "the DIC pivot is not positive: use SSOR, which has no pivots, or a smaller relaxation"
                .into(),
        }),
        None => Ok(()),
    }
}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Refresh<A> for EisenstatCg<T> {
    fn refresh(&mut self, a: &A) -> Result<(), SolveError> {
        if !has_pattern(&self.factor, a.csr()) {
            return Err(SolveError::PatternChanged { what: NAME });
        }
        self.fill(a.csr())
    }
}

impl<T: Scalar, A: SparseRows<T> + ?Sized> Solver<A, T> for EisenstatCg<T> {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Solves a system with the matrix of the set-up. Another matrix is not noticed as such; the true residual,
    /// which is formed with `system`'s, then ends the solve as stagnated.
    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square(NAME, a.nrows(), a.ncols())?;
        check_len("the matrix given to solve", self.root.len(), a.nrows())?;
        let Self { pivots, factor, root, k, work } = self;
        let Workspace { r, x: x_hat, r_hat, p, t, w, sums } = work;
        for v in [&mut *r, x_hat, r_hat, p, t, w] {
            resize(v, root.len());
        }
        let sweeps = Sweeps {
            factor,
            root,
            k,
            k_constant: match *pivots {
                Pivots::Ssor { omega } => T::of(2.0 - omega),
                Pivots::Dic { .. } => T::zero(),
            },
        };
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            let mut vectors = Vectors { x: x_hat, r: r_hat, p, t, w, sums };
            // In units of ‖r‖, so that squares neither over- nor underflow.
            let unit = T::of(r_norm);
            sweeps.to_hat(r, unit, vectors.r);
            vectors.x.fill(T::zero());
            let end = cycle(&sweeps, control, &mut vectors, r_norm);
            // x ← x + S x̂.
            x.iter_mut().zip(&*vectors.x).zip(sweeps.root).for_each(|((x, &v), &root)| *x += v / root * unit);
            Ok(end)
        })
    }
}

/// The vectors of a cycle.
struct Vectors<'v, T> {
    x: &'v mut [T],
    r: &'v mut [T],
    p: &'v mut [T],
    t: &'v mut [T],
    w: &'v mut [T],
    sums: &'v mut [(f64, f64)],
}

/// CG on the transformed system from x̂ = 0, r̂ until it claims convergence, fails or is stopped.
fn cycle<T: Scalar>(
    sweeps: &Sweeps<'_, T>,
    control: &mut Control<'_, T>,
    v: &mut Vectors<'_, T>,
    unit: f64,
) -> CycleEnd {
    let mut rho = real_to_f64::<T>(kernels::norm2_sq(v.r));
    let mut beta = T::zero();
    v.p.fill(T::zero());
    let mut is_first = true;
    loop {
        // p̂ ← r̂ + β p̂, t, w; p̂ᴴq̂ and the norm of the r that the step before left.
        let (curvature, r_sq) = sweeps.product(beta, v);
        control.operator_applies += 1;
        if !is_first && let Some(end) = control.step(unit * r_sq.sqrt(), None) {
            return end;
        }
        is_first = false;
        if !curvature.is_finite() {
            return CycleEnd::Broken(Breakdown::NonFinite);
        }
        if curvature <= 0.0 {
            return CycleEnd::Stop(StopReason::Failed(Breakdown::IndefiniteOperator));
        }
        // x̂ ← x̂ + α t, r̂ ← r̂ − α (t + w), β = ‖r̂‖²new / ‖r̂‖²old.
        let next_rho = real_to_f64::<T>(update(T::of(rho / curvature), v));
        beta = T::of(next_rho / rho);
        rho = next_rho;
    }
}

/// x̂ ← x̂ + α t, r̂ ← r̂ − α (t + w); returns ‖r̂‖².
fn update<T: Scalar>(alpha: T, v: &mut Vectors<'_, T>) -> T::RealField {
    type Slices<'a, T> = (&'a [T], &'a [T], &'a mut [T], &'a mut [T]);
    let slices = (&*v.t, &*v.w, &mut *v.x, &mut *v.r);
    kernels::reduce(slices, kernels::VECTOR_GRAIN, &|(t, w, x, r): Slices<'_, T>| {
        for (((&t, &w), x), r) in t.iter().zip(w).zip(x).zip(&mut *r) {
            *x += alpha * t;
            *r -= alpha * (t + w);
        }
        kernels::norm2_sq(r)
    })
}

/// The two triangles and the diagonals that scale them.
struct Sweeps<'a, T> {
    factor: &'a LduFactor<T>,
    root: &'a [T],
    k: &'a [T],
    k_constant: T,
}

impl<T: Scalar> Sweeps<'_, T> {
    /// r̂ = (I + L̂)⁻¹ S r / unit.
    fn to_hat(&self, r: &[T], unit: T, r_hat: &mut [T]) {
        let (lower, root) = (self.factor.lower(), self.root);
        let out = SharedSlice::new(r_hat);
        self.factor.schedule().forward(|_, run| {
            for i in run {
                // SAFETY: as in `product`.
                unsafe {
                    let row = lower.range(i);
                    let sum = lower.col_idx[row.clone()]
                        .iter()
                        .zip(&lower.values[row])
                        .fold(r[i] / unit / root[i], |sum, (&j, &l)| sum - l * out.get(j as usize));
                    out.set(i, sum);
                }
            }
        });
    }

    /// p̂ ← r̂ + β p̂, t ← (I + L̂ᴴ)⁻¹ p̂, w ← (I + L̂)⁻¹ (p̂ − K t); returns p̂ᴴ(t + w) and ‖S⁻¹ (I + L̂) r̂‖².
    fn product(&self, beta: T, v: &mut Vectors<'_, T>) -> (f64, f64) {
        let Self { factor, root, k, k_constant } = *self;
        let schedule = factor.schedule();
        let (p, t, w) = (SharedSlice::new(v.p), SharedSlice::new(v.t), SharedSlice::new(v.w));
        v.sums.fill((0.0, 0.0));
        let sums = SharedSlice::new(v.sums);
        let r: &[T] = v.r;
        schedule.in_pool(|| {
            // SAFETY (both): all vectors have length n and runs are ranges of 0 .. n; the triangles couple only
            // rows that the schedule orders, so no row is read while another thread writes it. A task is run by
            // one thread and is alone in touching its element of `sums`.
            schedule.backward(|_, run| unsafe { backward_run(factor.upper(), run, beta, r, p, t) });
            schedule.forward(|task, run| unsafe {
                let rows = ForwardRows { lower: factor.lower(), root, r, p, t, w };
                let (curvature, r_sq) =
                    if k.is_empty() { rows.visit(run, |_| k_constant) } else { rows.visit(run, |i| k[i]) };
                let sum: (f64, f64) = sums.get(task);
                sums.set(task, (sum.0 + curvature, sum.1 + r_sq));
            });
        });
        v.sums.iter().fold((0.0, 0.0), |total, sum| (total.0 + sum.0, total.1 + sum.1))
    }
}

/// p̂_i ← r̂_i + β p̂_i, t_i ← p̂_i − Σ û_ij t_j for the rows of a run, descending.
///
/// # Safety
/// `run` lies in 0 .. n, the length of all vectors and the order of `upper`; no other thread touches these rows
/// or writes the rows to which they couple.
#[inline]
unsafe fn backward_run<T: Scalar>(
    upper: &Triangle<T>,
    run: Range<usize>,
    beta: T,
    r: &[T],
    p: SharedSlice<'_, T>,
    t: SharedSlice<'_, T>,
) {
    // SAFETY: row pointers never decrease and end at the length of both arrays, and columns are below n; the
    // rest is the caller's promise.
    unsafe {
        let mut end = *upper.row_ptr.get_unchecked(run.end) as usize;
        for i in run.rev() {
            let start = *upper.row_ptr.get_unchecked(i) as usize;
            let cols = upper.col_idx.get_unchecked(start..end);
            let values = upper.values.get_unchecked(start..end);
            let direction = *r.get_unchecked(i) + beta * p.get(i);
            p.set(i, direction);
            let mut sum = direction;
            // The neighbour just computed comes last, so that only its product is waited for.
            for (&j, &u) in cols.iter().zip(values).rev() {
                sum -= u * t.get(j as usize);
            }
            t.set(i, sum);
            end = start;
        }
    }
}

/// What the forward sweep of a product reads and writes.
struct ForwardRows<'a, T> {
    lower: &'a Triangle<T>,
    root: &'a [T],
    r: &'a [T],
    p: SharedSlice<'a, T>,
    t: SharedSlice<'a, T>,
    w: SharedSlice<'a, T>,
}

impl<T: Scalar> ForwardRows<'_, T> {
    /// w_i ← p̂_i − k_i t_i − Σ l̂_ij w_j for the rows of a run, ascending; returns the run's share of p̂ᴴ(t + w)
    /// and of ‖S⁻¹ (I + L̂) r̂‖², in double precision.
    ///
    /// # Safety
    /// As [`backward_run`].
    #[inline(always)]
    unsafe fn visit(&self, run: Range<usize>, k: impl Fn(usize) -> T) -> (f64, f64) {
        let Self { lower, root, r, p, t, w } = *self;
        let (mut curvature, mut r_sq) = (0.0, 0.0);
        // SAFETY: as in `backward_run`.
        unsafe {
            let mut start = *lower.row_ptr.get_unchecked(run.start) as usize;
            for i in run {
                let end = *lower.row_ptr.get_unchecked(i + 1) as usize;
                let cols = lower.col_idx.get_unchecked(start..end);
                let values = lower.values.get_unchecked(start..end);
                let mut sum = p.get(i) - k(i) * t.get(i);
                let mut residual = *r.get_unchecked(i);
                for (&j, &l) in cols.iter().zip(values) {
                    sum -= l * w.get(j as usize);
                    residual += l * *r.get_unchecked(j as usize);
                }
                w.set(i, sum);
                curvature += (p.get(i).conjugate() * (t.get(i) + sum)).real_f64();
                r_sq += real_to_f64::<T>((*root.get_unchecked(i) * residual).abs_sq());
                start = end;
            }
        }
        (curvature, r_sq)
    }
}

#[cfg(test)]
#[path = "eisenstat_cg_tests.rs"]
mod tests;
