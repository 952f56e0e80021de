//! The default: ε-scaling, sweeps, Newton on the support, every excursion closed by a sweep.
//!
//! Stages ε_k = 4ᵏ ε from a quarter of the largest cost down to ε, each but the last to a marginal error of 1e-2 only, as
//! the entropic error dominates there; from ε ≥ 5e-3 of the largest cost at once at ε. In a stage, a sweep also collects
//! the entries P_ij ≥ ω min(a_i/m, b_j/n), ω a share of the marginal error. In the plan of that sweep, what is left out
//! of a row or column is at most ω of its weight; nothing bounds it at the potentials that Newton's method arrives at,
//! where the model only scales it with the row or column. Where the entries are few, or sweeps contract slowly,
//! Newton's method runs on them. The next sweep is the test: if the dual objective is worse than before, the excursion
//! is undone and the plain step taken.
//! Where neither gets on, a damped Newton method on all entries does ([`super::rescue`]).
//! So the dual objective never gets worse, and every round contains an exact Sinkhorn step: Sinkhorn's convergence is
//! inherited, whatever the model does.

use super::TransportStatus;
use super::run::Run;

/// Ratio of two stages' ε.
pub(super) const FACTOR: f64 = 4.0;

/// Marginal error at which a stage that is not the last ends.
pub(super) const STAGE_TOL: f64 = 1e-2;

/// Share of the largest cost above which no stages are needed.
const DIRECT: f64 = 5e-3;

impl Run<'_> {
    /// All stages.
    pub(super) fn auto(&mut self, max_cost: f64, warm: bool) -> TransportStatus {
        let mut stages = 0;
        if !warm && self.epsilon < DIRECT * max_cost {
            while self.epsilon * FACTOR.powi(stages + 1) <= 0.25 * max_cost {
                stages += 1;
            }
        }
        let mut previous = self.epsilon;
        if !warm {
            match self.start_from_smaller(max_cost) {
                Ok(Some(stage)) => {
                    stages = stage;
                    previous = self.epsilon * FACTOR.powi(stage);
                }
                Ok(None) => {}
                Err(status) => return status,
            }
        }
        for k in (0..=stages).rev() {
            let epsilon = self.epsilon * FACTOR.powi(k);
            self.rescale(previous / epsilon);
            previous = epsilon;
            // What does not help at one ε does not at a smaller one.
            self.coarse_off |= self.coarse_tried && !self.coarse_worth;
            self.coarse_worth = false;
            self.coarse_tried = false;
            let tol = if k == 0 { self.options.tol } else { STAGE_TOL.max(self.options.tol) };
            if let Err(status) = self.stage(epsilon, tol, max_cost) {
                // Back to the units of the target.
                self.rescale(epsilon / self.epsilon);
                return status;
            }
        }
        TransportStatus::Converged
    }

    /// The same potentials over another ε, those of the plan's density with respect to a bᵀ: they change least with ε.
    fn rescale(&mut self, ratio: f64) {
        if ratio == 1.0 {
            return;
        }
        for (u, a) in self.work.u.iter_mut().zip(&self.problem.a) {
            *u = (*u - a.ln()) * ratio + a.ln();
        }
        for (v, log) in self.work.v.iter_mut().zip(&self.problem.log_b) {
            *v = (*v - log) * ratio + log;
        }
    }
}
