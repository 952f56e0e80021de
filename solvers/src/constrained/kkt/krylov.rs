//! FGMRES on K with a constraint preconditioner,
//!
//! ```text
//! P = [ D  Jᵀ   ]      D = diag(H) + Σ + δ_w, kept positive
//!     [ J  −δ_c ]
//! ```
//!
//! P⁻¹K has the eigenvalue 1 with multiplicity 2m, and those of ZᵀHZ against ZᵀDZ (Keller, Gould and Wathen 2000, SIAM J. Matrix
//! Anal. 21(4)). P is factorized as [`Direct`] factorizes K. No inertia is known; a solution whose curvature
//! dᵀ(H + Σ + δ_w)d + max(−λ⁺ᵀ(J d), 0) is not positive asks for a larger δ_w (Chiang and Zavala 2016, *Comput. Optim.
//! Appl.* 64).

use super::{Direct, KktSolver, KktSystem, Reached, Setup};
use crate::constrained::outcome::MinimizeError;
use crate::constrained::sparse::{Rows, dot, norm2};
use crate::krylov::Fgmres;
use crate::{LinearSystem, Preconditioner, SolveError, Solver, StopRule};

/// Entries of D are at least this share of the largest.
const LEAST_DIAGONAL: f64 = 1e-6;

/// Curvature along a step, over its squared length, that counts as positive.
const CURVATURE: f64 = 1e-10;

/// Relative residual of a solve that has gained nothing.
const STUCK: f64 = 0.9;

/// FGMRES with a constraint preconditioner.
pub(crate) struct Krylov {
    preconditioner: Direct,
    diagonal: Option<Rows>,
    zero: Vec<f64>,
    reason: &'static str,
    max_inner: usize,
}

impl Krylov {
    pub(crate) fn new(reason: &'static str, max_inner: usize) -> Self {
        let preconditioner = Direct::new("preconditioner");
        Self { preconditioner, diagonal: None, zero: Vec::new(), reason, max_inner }
    }
}

struct Factors<'a>(&'a mut Direct);

impl Preconditioner<f64> for Factors<'_> {
    fn name(&self) -> &'static str {
        "constraint"
    }

    fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        z.copy_from_slice(r);
        self.0.apply_factors(z);
        Ok(())
    }
}

impl KktSolver for Krylov {
    fn describe(&self) -> String {
        format!("gmres with a constraint preconditioner: {}", self.reason)
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn setup(&mut self, system: &KktSystem<'_>) -> Result<(Setup, f64), MinimizeError> {
        let n = system.n();
        let mut d = Rows::new((0..=n).collect(), (0..n as u32).collect(), n);
        for i in 0..n {
            let h = system.h.map_or(1.0, |h| h.row(i).1.last().copied().unwrap_or(0.0));
            d.values[i] = (h + system.diagonal[i] + system.delta_w).abs();
        }
        let largest = d.values.iter().fold(0.0, |m: f64, v| m.max(*v));
        let least = if largest > 0.0 { LEAST_DIAGONAL * largest } else { 1.0 };
        d.values.iter_mut().for_each(|v| *v = v.max(least));
        self.zero.resize(n, 0.0);
        let d = self.diagonal.insert(d);
        let (zero, delta_w) = (&self.zero, 0.0);
        let preconditioner = KktSystem { h: Some(d), diagonal: zero, delta_w, ..*system };
        self.preconditioner.setup(&preconditioner)
    }

    fn solve(&mut self, system: &KktSystem<'_>, b: &[f64], z: &mut [f64], target: f64) -> Reached {
        let mut reached = Reached { relative_residual: f64::INFINITY, exhausted: true, ..Reached::default() };
        let flops = self.preconditioner.solve_flops(b.len()) + system.product_flops();
        let Ok(linear) = LinearSystem::new(system, b) else { return reached };
        let restart = b.len().clamp(1, 200);
        let limit = self.max_inner.min(20 * restart);
        let mut solver = Fgmres::new(Factors(&mut self.preconditioner)).with_restart(restart);
        let stop = StopRule::rtol(target.max(1e-14)).with_max_iters(limit);
        if let Ok(outcome) = solver.solve(&linear, z, &stop, &mut ()) {
            reached.relative_residual = outcome.relative_residual;
            reached.iterations = outcome.iterations;
            reached.flops = outcome.iterations as f64 * flops;
            reached.exhausted = !outcome.converged();
        }
        let n = system.n();
        let mut curved = vec![0.0; n];
        system.apply_hessian(&z[..n], &mut curved);
        let length = norm2(&z[..n]);
        let normal: f64 = (0..system.m()).map(|i| -(system.lambda[i] + z[n + i]) * b[n + i]).sum();
        // Nothing gained: K is singular or nearly so, and no inertia is at hand to say why.
        let stuck = reached.exhausted && reached.relative_residual > STUCK;
        reached.negative_curvature =
            stuck || length > 0.0 && dot(&curved, &z[..n]) + normal.max(0.0) < CURVATURE * length * length;
        reached
    }
}
