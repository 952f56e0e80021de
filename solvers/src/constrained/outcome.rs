//! What a minimisation reports, while it runs and at its end.

use std::fmt;
use std::time::Duration;

/// One Newton step, as the monitor sees it; iteration 0 is the start.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct IterationRecord {
    /// Steps done.
    pub iteration: usize,
    /// f(x) of the problem as given.
    pub objective: f64,
    /// Largest violation of a constraint or bound.
    pub constraint_violation: f64,
    /// The KKT residual of the problem as given.
    pub kkt_residual: f64,
    /// Length α of the step that led here, of 1; 0 at the start.
    pub step: f64,
    /// The merit function before the step and at its end (equal to the barrier function for problems with bounds).
    pub merit: (f64, f64),
    /// Penalty η₁ of ½‖c‖².
    pub eta1: f64,
    /// Penalty η₂ of ½‖∇ₓL‖².
    pub eta2: f64,
    /// Barrier parameter μ; 0 without bounds.
    pub mu: f64,
    /// Shift of the Hessian δ_w.
    pub hessian_shift: f64,
    /// Regularisation of the constraints δ_c.
    pub constraint_shift: f64,
    /// Relative residual that the inner solve was asked for; 0 for an exact one.
    pub requested_residual: f64,
    /// Relative residual that it reached.
    pub reached_residual: f64,
    /// Steps of the inner solve: sketches, Krylov steps, or solves with the factors.
    pub inner_iterations: usize,
    /// Floating-point operations of the inner solve, counted by formula.
    pub flops: f64,
    /// Which part made the step: `newton`, `correction`, `restoration`, `start`.
    pub phase: &'static str,
}

impl Default for IterationRecord {
    fn default() -> Self {
        Self {
            iteration: 0,
            objective: f64::NAN,
            constraint_violation: f64::NAN,
            kkt_residual: f64::NAN,
            step: 0.0,
            merit: (f64::NAN, f64::NAN),
            eta1: 0.0,
            eta2: 0.0,
            mu: 0.0,
            hessian_shift: 0.0,
            constraint_shift: 0.0,
            requested_residual: 0.0,
            reached_residual: 0.0,
            inner_iterations: 0,
            flops: 0.0,
            phase: "start",
        }
    }
}

/// How a minimisation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MinimizeStatus {
    /// The KKT residual meets the tolerance.
    Converged,
    /// `max_iters` steps were done.
    MaxIterations,
    /// The time limit has passed.
    TimeLimit,
    /// A Newton system could not be solved, whatever was added to it.
    Breakdown,
    /// No step improves the point any more.
    Stagnated,
    /// The iterates run away.
    Diverged,
    /// A function has no value at the start, or nowhere near an iterate.
    NonFinite,
    /// The monitor asked to stop.
    Interrupted,
    /// No point satisfies the constraints: bounds that cross, or inconsistent linear constraints.
    Infeasible,
    /// The violation of the constraints has a local minimum here that is not zero.
    LocallyInfeasible,
    /// The objective falls without bound along feasible points.
    Unbounded,
}

impl MinimizeStatus {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::MaxIterations => "max_iterations",
            Self::TimeLimit => "time_limit",
            Self::Breakdown => "breakdown",
            Self::Stagnated => "stagnated",
            Self::Diverged => "diverged",
            Self::NonFinite => "non_finite",
            Self::Interrupted => "interrupted",
            Self::Infeasible => "infeasible",
            Self::LocallyInfeasible => "locally_infeasible",
            Self::Unbounded => "unbounded",
        }
    }

    /// What a user may do about it, in one sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Converged => "the KKT residual meets the tolerance",
            Self::MaxIterations => "raise max_iters, scale the variables, or start elsewhere",
            Self::TimeLimit => "raise the time limit, or use another method for the KKT systems",
            Self::Breakdown => "use the direct method, scale the problem, or remove dependent constraints",
            Self::Stagnated => {
                "check the derivatives, scale the problem, or loosen the tolerance: rounding may have been reached"
            }
            Self::Diverged => "add bounds, or start elsewhere",
            Self::NonFinite => {
                "start where every function has a value, or add bounds that keep iterates there"
            }
            Self::Interrupted => "the solve was interrupted; x is the last iterate",
            Self::Infeasible => "remove or relax a constraint: no point satisfies them all",
            Self::LocallyInfeasible => {
                "start elsewhere, or relax a constraint: no nearby point satisfies them all"
            }
            Self::Unbounded => "add a constraint or a bound: the objective has no least value",
        }
    }
}

impl fmt::Display for MinimizeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The end of a minimisation. Every number about x was recomputed from the problem's functions at the end.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MinimizeOutcome {
    /// How it ended.
    pub status: MinimizeStatus,
    /// The last iterate, length n.
    pub x: Vec<f64>,
    /// Multipliers λ of the constraints, length m: ∇f + Jᵀλ − z_L + z_U = 0, so λ_i ≥ 0 where c_i = c_U and
    /// λ_i ≤ 0 where c_i = c_L.
    pub multipliers: Vec<f64>,
    /// Multipliers z_L ≥ 0 of the lower bounds, length n.
    pub lower_multipliers: Vec<f64>,
    /// Multipliers z_U ≥ 0 of the upper bounds, length n.
    pub upper_multipliers: Vec<f64>,
    /// f(x).
    pub objective: f64,
    /// The largest part of [`KktResidual`](super::KktResidual).
    pub kkt_residual: f64,
    /// Largest violation of a constraint or bound.
    pub constraint_violation: f64,
    /// Newton steps, those of restoration phases included.
    pub iterations: usize,
    /// Values of f that were asked for.
    pub objective_evaluations: usize,
    /// Steps of all inner solves.
    pub inner_iterations: usize,
    /// Floating-point operations of all inner solves, counted by formula.
    pub inner_flops: f64,
    /// Wall time.
    pub elapsed: Duration,
    /// What solved the KKT systems: `direct`, `gmres`, `sketched`, `control`, and why.
    pub kkt_solver: String,
    /// What happened and what may be done about it, in words.
    pub message: String,
    /// What the user should know though it did not stop the solve.
    pub warnings: Vec<String>,
}

/// A wrong call. A problem that cannot be solved is an outcome.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MinimizeError {
    /// A vector of the problem or of the start has the wrong length.
    #[error("{what} has length {found}, expected {expected}")]
    Length {
        /// Which vector.
        what: &'static str,
        /// The length that it must have.
        expected: usize,
        /// The length that it has.
        found: usize,
    },
    /// A sparse pattern of the problem is not one.
    #[error("the pattern of the {what} is wrong at row {row} (counted from 0): {reason}")]
    Pattern {
        /// Jacobian or Hessian.
        what: &'static str,
        /// 0-based row.
        row: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// A starting value or bound is NaN.
    #[error("{what} is not a number at index {index} (counted from 0)")]
    NotANumber {
        /// Which vector.
        what: &'static str,
        /// 0-based position.
        index: usize,
    },
    /// An option is outside its range.
    #[error("{name} = {value} is invalid: {expected}")]
    Option {
        /// The option's name.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// The method needs the Hessian as a matrix, and the problem only has it as an operator.
    #[error(
        "the {method} method needs the Hessian as a sparse matrix for n > {limit}: use gmres or sketched"
    )]
    NoHessianMatrix {
        /// The method.
        method: &'static str,
        /// Variables up to which a dense one is made from products.
        limit: usize,
    },
}
