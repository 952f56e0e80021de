//! LSMR: least squares by the Golub-Kahan process.
//!
//! β₁u₁ = r₀, α₁v₁ = Aᴴu₁, then βu ← A v − αu, αv ← Aᴴu − βv makes A lower bidiagonal, B. LSMR is MINRES on
//! AᴴA x = Aᴴb, so ‖Aᴴr‖ never grows; two rotations a step keep the iterate, ‖Aᴴr‖ = |ζ̄| and an estimate
//! of ‖r‖ at hand (Fong and Saunders 2011, SIAM J. Sci. Comput. 33(5), sections 2.7 and 3; the names of
//! scalars are theirs).
//!
//! With a column scaling D the process runs on A D and x = D y; h and h̄ are kept multiplied by D, so that
//! the scaling costs one elementwise product a step.

use crate::control::{Control, CycleEnd, resize, run};
use crate::error::{SolveError, check_len};
use crate::system::global_norm;
use crate::{
    Breakdown, CsrMatrix, LinearSystem, Monitor, Outcome, Solver, StopReason, StopRule, TransposeOperator,
    kernels,
};
use residua_data::Scalar;

/// Default bound on ‖Aᴴr‖ / (‖A‖ ‖r‖) below which x is called a least squares solution, in roundings.
const OPTIMALITY: f64 = 100.0;

/// LSMR for A x = b or min ‖b − A x‖₂, A ∈ Tᵐˣⁿ of any shape and rank.
///
/// Of the solutions of a consistent wide system, or least squares solutions of a rank-deficient one, it finds
/// the one nearest to x₀. Convergence goes with the square of A's condition number: scale the columns, and
/// use a method for square systems where A is square and regular.
///
/// **Parameters**: `damp` δ ≥ 0, default 0, minimises ‖b − A x‖² + δ²‖x − x₀‖² instead; a column scaling D,
/// default none, see [`column_scaling`]; `optimality_tolerance`, default 100 roundings (2·10⁻¹⁴ in double
/// precision), bounds ‖Aᴴr‖ / (‖A‖ ‖r‖).
/// **Cost** a step: 1 product with A, 1 with Aᴴ, 2 sums over ranks; 8 · (7 m + 12 n) bytes in double precision
/// beside A. Vectors of both lengths must be distributed over the same ranks.
/// **Storage**: 3 m + 4 n (5 n with a scaling).
/// **Converged** means, as for every method, that ‖b − A x‖ meets the tolerance. If the system has no such
/// solution the end is [`Breakdown::SingularInconsistent`], and then x is the least squares solution to
/// `optimality_tolerance`; with δ > 0 likewise the solution of the damped problem.
#[derive(Debug, Clone)]
pub struct Lsmr<T = f64> {
    damp: f64,
    optimality_tolerance: f64,
    column_scaling: Vec<T>,
    r: Vec<T>,
    workspace: Workspace<T>,
}

#[derive(Debug, Clone, Default)]
struct Workspace<T> {
    u: Vec<T>,
    au: Vec<T>,
    v: Vec<T>,
    av: Vec<T>,
    h: Vec<T>,
    h_bar: Vec<T>,
    dv: Vec<T>,
}

impl<T: Scalar> Default for Lsmr<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Scalar> Lsmr<T> {
    /// LSMR without damping or scaling.
    pub fn new() -> Self {
        Self {
            damp: 0.0,
            optimality_tolerance: OPTIMALITY * T::epsilon_f64(),
            column_scaling: Vec::new(),
            r: Vec::new(),
            workspace: Workspace::default(),
        }
    }

    /// Minimises ‖b − A x‖² + `damp`² ‖x − x₀‖².
    #[must_use]
    pub fn with_damp(mut self, damp: f64) -> Self {
        self.damp = damp;
        self
    }

    /// Calls x a least squares solution when ‖Aᴴr‖ ≤ `tolerance` ‖A‖ ‖r‖.
    #[must_use]
    pub fn with_optimality_tolerance(mut self, tolerance: f64) -> Self {
        self.optimality_tolerance = tolerance;
        self
    }

    /// Works on A D and x = D y, D = diag(`scaling`), `scaling` of length n; empty for none. A damped problem
    /// then has ‖y‖ for ‖x‖.
    #[must_use]
    pub fn with_column_scaling(mut self, scaling: Vec<T>) -> Self {
        self.column_scaling = scaling;
        self
    }
}

/// 1 / ‖aⱼ‖₂ for every column aⱼ of A, 1 for a zero column: length n. Makes the columns of A D unit vectors,
/// which is Jacobi's preconditioner for AᴴA, and within a factor of √n of the best diagonal scaling (van der
/// Sluis 1969).
pub fn column_scaling<T: Scalar>(a: &CsrMatrix<T>) -> Vec<T> {
    let mut norms = vec![0f64; a.ncols()];
    for (&j, v) in a.col_idx().iter().zip(a.values()) {
        let norm = &mut norms[j as usize];
        *norm = norm.hypot(v.modulus_f64());
    }
    norms.iter().map(|&norm| if norm > 0.0 { T::of(1.0 / norm) } else { T::one() }).collect()
}

impl<T: Scalar, A: TransposeOperator<T> + ?Sized> Solver<A, T> for Lsmr<T> {
    fn name(&self) -> &'static str {
        "lsmr"
    }

    fn solve(
        &mut self,
        system: &LinearSystem<'_, A, T>,
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Outcome, SolveError> {
        let a = system.operator();
        let (m, n) = (a.nrows(), a.ncols());
        if !(self.damp >= 0.0 && self.damp.is_finite()) {
            return Err(SolveError::InvalidOption {
                name: "damp",
                value: self.damp.to_string(),
                expected: "finite and not negative, in the units of A",
            });
        }
        if !self.column_scaling.is_empty() {
            check_len("the column scaling", n, self.column_scaling.len())?;
            resize(&mut self.workspace.dv, n);
        }
        let Workspace { u, au, v, av, h, h_bar, .. } = &mut self.workspace;
        for (vector, len) in [(&mut self.r, m), (u, m), (av, m), (v, n), (au, n), (h, n), (h_bar, n)] {
            resize(vector, len);
        }
        let Self { damp, optimality_tolerance, column_scaling, r, workspace } = self;
        run(system, x, r, stop, monitor, |control, x, r, r_norm| {
            let method = Method { a, damp: *damp, tolerance: *optimality_tolerance, scaling: column_scaling };
            Ok(match method.cycle(control, x, r, r_norm, workspace)? {
                // Another cycle would damp the distance to another x₀.
                CycleEnd::Claimed | CycleEnd::Restart if *damp > 0.0 => {
                    CycleEnd::Stop(StopReason::Failed(Breakdown::Stagnation))
                }
                end => end,
            })
        })
    }
}

/// √(a² + b²) and the rotation (c, s) with c a + s b = √(a² + b²).
fn rotation(a: f64, b: f64) -> (f64, f64, f64) {
    let norm = a.hypot(b);
    if norm == 0.0 { (1.0, 0.0, 0.0) } else { (a / norm, b / norm, norm) }
}

/// The recurrence that estimates ‖r̄‖ (Fong and Saunders 2011, section 5).
#[derive(Debug)]
struct ResidualEstimate {
    beta_dd: f64,
    beta_d: f64,
    rho_d_old: f64,
    tau_tilde_old: f64,
    theta_tilde: f64,
    d: f64,
}

impl ResidualEstimate {
    #[allow(clippy::too_many_arguments)]
    fn update(
        &mut self,
        (c_hat, s_hat): (f64, f64),
        (c, s): (f64, f64),
        theta_bar: f64,
        rho_bar: f64,
        zeta_old: f64,
        zeta: f64,
    ) -> f64 {
        let beta_acute = c_hat * self.beta_dd;
        let beta_check = -s_hat * self.beta_dd;
        let beta_hat = c * beta_acute;
        self.beta_dd = -s * beta_acute;
        let theta_tilde_old = self.theta_tilde;
        let (c_tilde, s_tilde, rho_tilde) = rotation(self.rho_d_old, theta_bar);
        self.theta_tilde = s_tilde * rho_bar;
        self.rho_d_old = c_tilde * rho_bar;
        self.beta_d = -s_tilde * self.beta_d + c_tilde * beta_hat;
        self.tau_tilde_old = (zeta_old - theta_tilde_old * self.tau_tilde_old) / rho_tilde;
        let tau_d = (zeta - self.theta_tilde * self.tau_tilde_old) / self.rho_d_old;
        self.d += beta_check * beta_check;
        (self.d + (self.beta_d - tau_d).powi(2) + self.beta_dd * self.beta_dd).sqrt()
    }
}

struct Method<'a, A: ?Sized, T> {
    a: &'a A,
    damp: f64,
    tolerance: f64,
    scaling: &'a [T],
}

impl<T: Scalar, A: TransposeOperator<T> + ?Sized> Method<'_, A, T> {
    /// out ← −βv + D Aᴴ u, and returns its norm; `au` is room for Aᴴu.
    fn apply_adjoint(&self, u: &[T], au: &mut [T], minus_beta: f64, v: &mut [T]) -> f64 {
        self.a.apply_adjoint(u, au);
        if !self.scaling.is_empty() {
            au.iter_mut().zip(self.scaling).for_each(|(au, d)| *au *= d.conjugate());
        }
        kernels::xpby(au, T::of(minus_beta), v);
        global_norm(self.a, v)
    }

    /// LSMR from the true residual r until it claims convergence, reaches the least squares solution, fails
    /// or is stopped.
    fn cycle(
        &self,
        control: &mut Control<'_, T>,
        x: &mut [T],
        r: &mut [T],
        r_norm: f64,
        workspace: &mut Workspace<T>,
    ) -> Result<CycleEnd, SolveError> {
        const LEAST_SQUARES: CycleEnd = CycleEnd::Stop(StopReason::Failed(Breakdown::SingularInconsistent));
        let Workspace { u, au, v, av, h, h_bar, dv } = workspace;
        let mut beta = r_norm;
        kernels::scaled_copy(T::of(1.0 / beta), r, u);
        v.fill(T::zero());
        let mut alpha = self.apply_adjoint(u, au, 0.0, v);
        control.operator_applies += 1;
        if alpha == 0.0 {
            return Ok(LEAST_SQUARES);
        }
        kernels::scale(T::of(1.0 / alpha), v);
        h_bar.fill(T::zero());
        h.fill(T::zero());
        let mut theta_over_rho = 0.0; // of h ← D v − (θ/ρ) h
        let (mut alpha_bar, mut zeta_bar, mut zeta) = (alpha, alpha * beta, 0.0);
        let (mut rho, mut rho_bar, mut c_bar, mut s_bar) = (1.0, 1.0, 1.0, 0.0);
        let (mut a_sq, mut norm) = (alpha * alpha, beta);
        let mut estimate = ResidualEstimate {
            beta_dd: beta,
            beta_d: 0.0,
            rho_d_old: 1.0,
            tau_tilde_old: 0.0,
            theta_tilde: 0.0,
            d: 0.0,
        };
        loop {
            let direction: &[T] = if self.scaling.is_empty() {
                v
            } else {
                kernels::multiply_elementwise(self.scaling, v, dv);
                dv
            };
            kernels::xpby(direction, T::of(-theta_over_rho), h); // h ← D v − (θ/ρ) h
            self.a.apply(direction, av);
            kernels::xpby(av, T::of(-alpha), u); // β u ← A D v − α u
            beta = global_norm(self.a, u);
            if beta > 0.0 {
                kernels::scale(T::of(1.0 / beta), u);
                alpha = self.apply_adjoint(u, au, -beta, v); // α v ← D Aᴴ u − β v
                if alpha > 0.0 {
                    kernels::scale(T::of(1.0 / alpha), v);
                }
            } else {
                alpha = 0.0;
            }
            control.operator_applies += 2;
            if !alpha.is_finite() || !beta.is_finite() {
                return Ok(CycleEnd::Broken(Breakdown::NonFinite));
            }
            let (c_hat, s_hat, alpha_hat) = rotation(alpha_bar, self.damp);
            let rho_old = rho;
            let (c, s, new_rho) = rotation(alpha_hat, beta);
            let theta_new = s * alpha;
            (rho, alpha_bar) = (new_rho, c * alpha);
            let (rho_bar_old, zeta_old, theta_bar) = (rho_bar, zeta, s_bar * rho);
            (c_bar, s_bar, rho_bar) = rotation(c_bar * rho, theta_new);
            zeta = c_bar * zeta_bar;
            zeta_bar *= -s_bar;
            if rho == 0.0 || rho_bar == 0.0 {
                return Ok(LEAST_SQUARES); // A D v = 0 on all that is left of Aᴴr
            }
            // h̄ ← h − (θ̄ρ / ρ_old ρ̄_old) h̄,  x ← x + (ζ / ρρ̄) h̄
            kernels::xpby(h, T::of(-theta_bar * rho / (rho_old * rho_bar_old)), h_bar);
            kernels::axpy(T::of(zeta / (rho * rho_bar)), h_bar, x);
            theta_over_rho = theta_new / rho;
            a_sq += beta * beta;
            let a_norm = (a_sq + self.damp * self.damp).sqrt();
            a_sq += alpha * alpha;
            norm = estimate.update((c_hat, s_hat), (c, s), theta_bar, rho_bar, zeta_old, zeta).min(norm);
            if let Some(end) = control.step(norm, Some(x)) {
                return Ok(end);
            }
            if zeta_bar.abs() <= self.tolerance * a_norm * norm {
                return Ok(LEAST_SQUARES);
            }
            if alpha == 0.0 || beta == 0.0 {
                return Ok(CycleEnd::Restart); // the Krylov space is exhausted
            }
        }
    }
}
