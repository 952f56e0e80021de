//! What a solve returns.

use super::TransportProgress;
use std::fmt;
use std::time::Duration;

/// Dual variables of the two marginal constraints, in the units of the cost.
///
/// The plan is P_ij = exp((f_i + g_j − C_ij)/ε), with no reference measure. They are unique up to f + t, g − t;
/// returned ones are shifted so that Σ a f = Σ b g. Where a weight is zero, the potential is the soft
/// c-transform −ε log Σ_j exp((g_j − C_ij)/ε) of the other one, which is finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Potentials {
    /// f, length n.
    pub source: Vec<f64>,
    /// g, length m.
    pub target: Vec<f64>,
}

/// Why a transport solve ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportStatus {
    /// The marginal error, recomputed from the returned potentials, meets the tolerance.
    Converged,
    /// `max_iters` was reached.
    MaxIterations,
    /// `time_limit` has passed.
    TimeLimit,
    /// The marginal error no longer falls.
    Stagnated,
    /// NaN or an infinity appeared.
    NonFinite,
    /// The monitor asked to stop.
    Interrupted,
    /// The allowed pairs cannot carry the weights.
    Infeasible,
}

impl TransportStatus {
    /// The status in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::MaxIterations => "max_iterations",
            Self::TimeLimit => "time_limit",
            Self::Stagnated => "stagnated",
            Self::NonFinite => "non_finite",
            Self::Interrupted => "interrupted",
            Self::Infeasible => "infeasible",
        }
    }

    /// What a user may do about it, in one sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Converged => "the marginals of the plan meet the tolerance",
            Self::MaxIterations => "raise max_iters or epsilon, or use method auto",
            Self::TimeLimit => "raise the time limit or epsilon, or use method auto",
            Self::Stagnated => {
                "the attainable accuracy is reached: raise the tolerance or epsilon, or use method auto"
            }
            Self::NonFinite => "the costs are out of the range of double precision: rescale them",
            Self::Interrupted => "the solve was interrupted; the potentials are the last iterate",
            Self::Infeasible => {
                "some sources are joined by finite costs to targets that weigh less than they do"
            }
        }
    }
}

impl fmt::Display for TransportStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The end of a transport solve. All figures are recomputed from the returned potentials in one pass.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TransportOutcome {
    /// f and g.
    pub potentials: Potentials,
    /// The absolute ε of the solve.
    pub epsilon: f64,
    /// Why it ended.
    pub status: TransportStatus,
    /// ⟨C, P⟩.
    pub transport_cost: f64,
    /// ⟨C, P⟩ + ε Σ P (log P − 1). The form with Σ P log P is this + ε Σ P; for the one with the product measure as
    /// reference see [`kl_cost`](Self::kl_cost).
    pub regularised_cost: f64,
    /// Σ a f + Σ b g − ε Σ P, at most the optimal regularised cost.
    pub dual_objective: f64,
    /// ‖P1 − a‖₁ + ‖Pᵀ1 − b‖₁.
    pub marginal_error: f64,
    /// Passes over all pairs (each serves both half-steps of a Sinkhorn iteration).
    pub sinkhorn_iterations: usize,
    /// Newton steps.
    pub newton_iterations: usize,
    /// Entries kept in the last Hessian over n m; 0 where no Newton step was made.
    pub hessian_density: f64,
    /// Conjugate gradient iterations of all Newton steps.
    pub cg_iterations: usize,
    /// Sparse factorizations.
    pub factorizations: usize,
    /// Wall time.
    pub elapsed: Duration,
    /// The state after every sweep.
    pub history: Vec<TransportProgress>,
}

impl TransportOutcome {
    /// Whether the marginal error meets the tolerance.
    pub fn converged(&self) -> bool {
        self.status == TransportStatus::Converged
    }

    /// ⟨C, P⟩ + ε Σ (P log(P/(a bᵀ)) − P + a bᵀ) for weights `a`, `b` and a plan with these marginals: the form
    /// with the product measure as reference.
    pub fn kl_cost(&self, a: &[f64], b: &[f64]) -> f64 {
        let mass: f64 = a.iter().sum();
        let entropy = |w: &[f64]| w.iter().filter(|w| **w > 0.0).map(|w| w * w.ln()).sum::<f64>();
        self.regularised_cost + self.epsilon * (mass * mass - entropy(a) - entropy(b))
    }
}
