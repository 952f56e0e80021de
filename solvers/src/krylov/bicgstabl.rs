//! BiCGSTAB(l), preconditioned from the right.
//!
//! l steps of BiCG, in products with B = A M⁻¹, are followed by one polynomial of degree l that minimises the
//! residual over r − span{B r, …, Bˡ r}. A pair of complex eigenvalues near the imaginary axis, on which the
//! degree 1 of BiCGSTAB fails, is within reach of l = 2.
//!
//! Sleijpen and Fokkema (1993), ETNA 1, Algorithm 3.1; the minimisation solves the l × l normal equations of
//! the Gram matrix instead of modified Gram-Schmidt, for one sum over ranks (as in Sleijpen, van der Vorst
//! and Fokkema 1994, Numer. Algorithms 7), and takes a convex combination with the orthogonal polynomial
//! that maintains the convergence of BiCG (Sleijpen and van der Vorst 1995, Numer. Algorithms 10).

use super::bicgstab::preconditioned;
use super::random::fill_random;
use crate::control::{Control, CycleEnd, fused_norm, resize, run};
use crate::error::{SolveError, check_square};
use crate::precond::Identity;
use crate::system::norm_from_global_sq;
use crate::{
    Breakdown, LinearOperator, LinearPreconditioner, LinearSystem, Monitor, Outcome, Solver, StopRule,
    kernels,
};
use residua_data::Scalar;

/// Default degree l.
const DEFAULT_DEGREE: usize = 2;

/// The largest degree: the Gram matrix of residuals of higher powers is singular to rounding.
const MAX_DEGREE: usize = 8;

/// A denominator below this many roundings of the product of its factors' norms has vanished.
const ROUNDING: f64 = 10.0;

/// Smallest angle's cosine of the minimal residual polynomial, see the module's head.
const MIN_COSINE: f64 = 0.7;

/// BiCGSTAB(l) for A x = b, A ∈ Tⁿˣⁿ any square matrix.
///
/// Use it where BiCGSTAB stalls or breaks down: convection-dominated and nearly skew-symmetric systems.
///
/// **Parameter** `degree`, the l, 1 to 8, default 2.
/// **Cost** of an iteration, which is l steps of BiCG: 2l products with A and applications of M⁻¹, 3l + 1
/// sums over ranks; about 8 n (5 l² + 12 l) bytes in double precision beside A and M.
/// **Storage**: (2l + 6) n ((2l + 5) n without a preconditioner).
/// **Fails** with [`Breakdown::ZeroDenominator`] if a coefficient's denominator vanishes and starting afresh
/// from the true residual with another shadow vector does not help.
#[derive(Debug, Clone)]
pub struct BicgstabL<P = Identity, T = f64> {
    precond: P,
    degree: usize,
    r: Vec<T>,
    workspace: Workspace<T>,
}

/// Powers of B applied to the residual and to the direction, l + 1 columns each; y with x = x₀ + M⁻¹ y.
#[derive(Debug, Clone, Default)]
struct Workspace<T> {
    shadow: Vec<T>,
    residuals: Vec<T>,
    directions: Vec<T>,
    y: Vec<T>,
    z: Vec<T>,
    gram: Vec<T>,
    partials: Vec<T>,
    coefficients: Vec<T>,
}

impl<T: Scalar> Default for BicgstabL<Identity, T> {
    fn default() -> Self {
        Self::new(Identity)
    }
}

impl<P, T: Scalar> BicgstabL<P, T> {
    /// BiCGSTAB(2) with the preconditioner `precond`; [`Identity`] for none.
    pub fn new(precond: P) -> Self {
        Self { precond, degree: DEFAULT_DEGREE, r: Vec::new(), workspace: Workspace::default() }
    }

    /// Polynomials of degree `degree`.
    #[must_use]
    pub fn with_degree(mut self, degree: usize) -> Self {
        self.degree = degree;
        self
    }

    /// The preconditioner.
    pub fn precond(&self) -> &P {
        &self.precond
    }

    /// The preconditioner, to refresh it for a new matrix.
    pub fn precond_mut(&mut self) -> &mut P {
        &mut self.precond
    }
}

impl<T: Scalar> Workspace<T> {
    fn resize(&mut self, n: usize, degree: usize, with_precond: bool) {
        let columns = degree + 1;
        for powers in [&mut self.residuals, &mut self.directions] {
            resize(powers, columns * n);
        }
        for vector in [&mut self.shadow, &mut self.y] {
            resize(vector, n);
        }
        if with_precond {
            resize(&mut self.z, n);
        }
        resize(&mut self.gram, columns * columns);
        resize(&mut self.partials, kernels::multi_dot_workspace(n, columns));
        resize(&mut self.coefficients, 2 * columns);
    }
}

impl<T: Scalar, A: LinearOperator<T> + ?Sized, P: LinearPreconditioner<T>> Solver<A, T> for BicgstabL<P, T> {
    fn name(&self) -> &'static str {
        "bicgstabl"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        check_square("bicgstabl", a.nrows(), a.ncols())?;
        if !(1..=MAX_DEGREE).contains(&self.degree) {
            return Err(SolveError::InvalidOption {
                name: "degree",
                value: self.degree.to_string(),
                expected: "1 to 8, the degree of the minimising polynomial (default 2)",
            });
        }
        let Self { precond, degree, r, workspace } = self;
        resize(r, a.nrows());
        workspace.resize(a.nrows(), *degree, !precond.is_identity());
        let mut breakdowns = 0;
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            let scale = control.normalise(r, r_norm);
            if breakdowns == 0 {
                kernels::copy(r, &mut workspace.shadow);
            } else {
                fill_random(breakdowns, &mut workspace.shadow);
            }
            let end = cycle(a, precond, control, r, workspace)?;
            breakdowns += u64::from(matches!(end, CycleEnd::Broken(_)));
            let Workspace { y, z, .. } = workspace;
            let z = preconditioned(precond, control, y, z)?;
            kernels::axpy(scale, z, x); // x ← x + scale M⁻¹ y
            Ok(end)
        })
    }
}

const BROKEN: CycleEnd = CycleEnd::Broken(Breakdown::ZeroDenominator);

/// BiCGSTAB(l) from the scaled true residual r, until it claims convergence, breaks down or is stopped; the
/// correction is left in y.
fn cycle<T: Scalar, A: LinearOperator<T> + ?Sized, P: LinearPreconditioner<T>>(
    a: &A,
    precond: &mut P,
    control: &mut Control<'_, T>,
    r: &[T],
    workspace: &mut Workspace<T>,
) -> Result<CycleEnd, SolveError> {
    let n = r.len();
    let shadow_norm = fused_norm(a, kernels::norm2_sq(&workspace.shadow), &workspace.shadow);
    kernels::copy(r, &mut workspace.residuals[..n]);
    workspace.directions.fill(T::zero());
    workspace.y.fill(T::zero());
    let (mut rho, mut alpha, mut omega) = (T::one(), T::zero(), T::one());
    loop {
        rho *= -omega;
        let steps = workspace.bicg_steps(a, precond, control, n, shadow_norm, &mut rho, &mut alpha)?;
        let r_norm = match steps {
            Ok(r_norm) => r_norm,
            Err(end) => return Ok(end),
        };
        match workspace.minimise(a, n) {
            Some(last) => omega = last,
            None => return Ok(counted(control, r_norm, BROKEN)),
        }
        let r = &workspace.residuals[..n];
        let r_norm = fused_norm(a, kernels::norm2_sq(r), r);
        if let Some(end) = control.step(r_norm, None) {
            return Ok(end);
        }
    }
}

/// `end`, or the end that counting an iteration brings, where one has changed y and left ‖r‖ = `r_norm`.
fn counted<T: Scalar>(control: &mut Control<'_, T>, r_norm: f64, end: CycleEnd) -> CycleEnd {
    if r_norm.is_nan() { end } else { control.step(r_norm, None).unwrap_or(end) }
}

impl<T: Scalar> Workspace<T> {
    /// l steps of BiCG, which leave Bʲ r and Bʲ u for j = 0 … l, and ‖r‖; or the end that came before. An
    /// iteration that breaks down after its first step has changed y, and counts.
    #[allow(clippy::too_many_arguments)]
    fn bicg_steps<A: LinearOperator<T> + ?Sized, P: LinearPreconditioner<T>>(
        &mut self,
        a: &A,
        precond: &mut P,
        control: &mut Control<'_, T>,
        n: usize,
        shadow_norm: f64,
        rho: &mut T,
        alpha: &mut T,
    ) -> Result<Result<f64, CycleEnd>, SolveError> {
        let Self { shadow, residuals, directions, y, z, .. } = self;
        let degree = residuals.len() / n.max(1) - 1;
        // wᴴ v of the shadow vector w, and ‖v‖: `None` if it vanishes beside the norms.
        let shadow_dot = |v: &[T]| {
            let (dot, sq) = kernels::dot_and_norm2_sq(shadow, v);
            let mut sums = [dot, T::from_real(sq)];
            a.sum_over_ranks(&mut sums);
            let norms = shadow_norm * norm_from_global_sq(a, sums[1], v);
            let vanishes = sums[0].modulus_f64() <= ROUNDING * T::epsilon_f64() * norms;
            if norms.is_finite() && !vanishes {
                Ok(sums[0])
            } else if norms.is_finite() {
                Err(BROKEN)
            } else {
                Err(CycleEnd::Broken(Breakdown::NonFinite))
            }
        };
        let mut r_norm = f64::NAN; // until a step was done
        for j in 0..degree {
            let new_rho = match shadow_dot(&residuals[j * n..(j + 1) * n]) {
                Ok(new_rho) => new_rho,
                Err(end) => return Ok(Err(counted(control, r_norm, end))),
            };
            let beta = *alpha * (new_rho / *rho);
            *rho = new_rho;
            kernels::xpby(&residuals[..(j + 1) * n], -beta, &mut directions[..(j + 1) * n]); // uᵢ ← rᵢ − β uᵢ
            let (known, next) = directions.split_at_mut((j + 1) * n);
            a.apply(preconditioned(precond, control, &known[j * n..], z)?, &mut next[..n]); // uⱼ₊₁ ← B uⱼ
            *alpha = match shadow_dot(&next[..n]) {
                Ok(sigma) => *rho / sigma,
                Err(end) => return Ok(Err(counted(control, r_norm, end))),
            };
            kernels::axpy(-*alpha, &directions[n..(j + 2) * n], &mut residuals[..(j + 1) * n]); // rᵢ ← rᵢ − α uᵢ₊₁
            kernels::axpy(*alpha, &directions[..n], y);
            control.operator_applies += 1;
            r_norm = fused_norm(a, kernels::norm2_sq(&residuals[..n]), &residuals[..n]);
            if control.is_met_by(r_norm) {
                return Ok(Err(counted(control, r_norm, CycleEnd::Claimed)));
            }
            let (known, next) = residuals.split_at_mut((j + 1) * n);
            a.apply(preconditioned(precond, control, &known[j * n..], z)?, &mut next[..n]); // rⱼ₊₁ ← B rⱼ
            control.operator_applies += 1;
        }
        Ok(Ok(r_norm))
    }

    /// r ← r − Σⱼ γⱼ Bʲ r with the γ of the module's head, and likewise u and y; returns ω = γ_l, `None` if
    /// no polynomial reduces the residual.
    fn minimise<A: LinearOperator<T> + ?Sized>(&mut self, a: &A, n: usize) -> Option<T> {
        let Self { residuals, directions, y, gram, partials, coefficients, .. } = self;
        let columns = coefficients.len() / 2;
        let degree = columns - 1;
        for (j, row) in gram.chunks_exact_mut(columns).enumerate() {
            kernels::multi_dot(residuals, &residuals[j * n..(j + 1) * n], partials, row); // rᵢᴴ rⱼ
        }
        a.sum_over_ranks(gram);
        let (y0, yl) = coefficients.split_at_mut(columns);
        // The residual that is orthogonal to B r … B^{l−1} r, and likewise the part of Bˡ r.
        solve_inner(gram, columns, 0, y0);
        solve_inner(gram, columns, degree, yl);
        (y0[0], y0[degree], yl[0], yl[degree]) = (-T::one(), T::zero(), T::zero(), -T::one());
        let inner = |p: &[T], q: &[T]| {
            (0..columns).fold(T::zero(), |sum, j| {
                (0..columns).fold(sum, |sum, i| sum + p[i].conjugate() * gram[j * columns + i] * q[j])
            })
        };
        let (kappa_0, kappa_l) = (inner(y0, y0).real_f64().sqrt(), inner(yl, yl).real_f64().sqrt());
        let projection = inner(yl, y0);
        let cosine = projection.modulus_f64() / kappa_0 / kappa_l;
        if !cosine.is_finite() || cosine <= ROUNDING * T::epsilon_f64() {
            return None;
        }
        let least = projection / T::of(kappa_l) / T::of(kappa_l);
        let omega = if cosine < MIN_COSINE { least * T::of(MIN_COSINE / cosine) } else { least };
        y0.iter_mut().zip(&*yl).for_each(|(y0, &yl)| *y0 -= omega * yl);
        let (gamma, minus) = (&y0[1..], &mut yl[1..]);
        minus.iter_mut().zip(gamma).for_each(|(minus, &gamma)| *minus = -gamma);
        kernels::multi_axpy(gamma, residuals, y); // y ← y + Σ γⱼ Bʲ⁻¹ r
        let (u, powers) = directions.split_at_mut(n);
        kernels::multi_axpy(minus, powers, u);
        let (r, powers) = residuals.split_at_mut(n);
        kernels::multi_axpy(minus, powers, r);
        Some(omega)
    }
}

/// Solves the rows and columns 1 … l − 1 of the Gram matrix for its column `rhs`, into the same entries of
/// `c`, by Gaussian elimination without pivoting (the matrix is Hermitian positive definite).
fn solve_inner<T: Scalar>(gram: &[T], columns: usize, rhs: usize, c: &mut [T]) {
    let last = columns - 1;
    let mut work = [[T::zero(); MAX_DEGREE]; MAX_DEGREE];
    for i in 1..last {
        (1..last).for_each(|j| work[i][j] = gram[j * columns + i]);
        c[i] = gram[rhs * columns + i];
    }
    for k in 1..last {
        for i in k + 1..last {
            let factor = work[i][k] / work[k][k];
            (k..last).for_each(|j| {
                let known = factor * work[k][j];
                work[i][j] -= known;
            });
            let known = factor * c[k];
            c[i] -= known;
        }
    }
    for i in (1..last).rev() {
        let known = (i + 1..last).fold(T::zero(), |sum, j| sum + work[i][j] * c[j]);
        c[i] = (c[i] - known) / work[i][i];
    }
}
