//! What a caller may set, every constant with the equation that it comes from.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What solves the KKT system of a Newton step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KktMethod {
    /// The one with the least predicted cost.
    #[default]
    Auto,
    /// Randomized: sketch and project; where that stalls K is factorized, with a warning.
    Sketched,
    /// Symmetric indefinite factorization with the inertia corrected.
    Direct,
    /// GMRES with a constraint preconditioner.
    Gmres,
}

/// What [`KktMethod::Sketched`] draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SketchKind {
    /// One Gaussian vector a step.
    Gaussian,
    /// A count sketch: every row in one of a few buckets, with a random sign.
    Count,
    /// One row a step, drawn uniformly.
    #[default]
    Kaczmarz,
    /// A block of rows a step, its Gram matrix factorized once.
    Block,
}

macro_rules! named {
    ($kind:ty, $what:literal, $($variant:ident => $name:literal),+) => {
        impl $kind {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl FromStr for $kind {
            type Err = UnknownName;
            fn from_str(s: &str) -> Result<Self, UnknownName> {
                Self::ALL.iter().copied().find(|k| k.as_str() == s).ok_or_else(|| UnknownName {
                    what: $what,
                    found: s.to_owned(),
                    known: Self::ALL.iter().map(|k| k.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}
named!(KktMethod, "method", Auto => "auto", Sketched => "sketched", Direct => "direct", Gmres => "gmres");
named!(SketchKind, "sketch", Gaussian => "gaussian", Count => "count", Kaczmarz => "kaczmarz", Block => "block");

/// A name that is none of those known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} '{found}': expected one of {known}")]
pub struct UnknownName {
    what: &'static str,
    found: String,
    known: String,
}

/// How accurately a Newton system is solved by an iterative method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Accuracy {
    /// A forcing term min(0.1, ‖∇L‖^½) first, tightened only where the step does not descend.
    #[default]
    Lazy,
    /// The published bound ‖K‖_F Ψ ‖r‖ ≤ θ δ ‖∇L‖ with θ = 1: linear convergence.
    Published,
    /// The published bound with θ = 1/(k + 1): superlinear convergence.
    PublishedSuperlinear,
}

/// How the Hessian is made positive definite on the null space of the Jacobian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HessianShift {
    /// The smallest δ of a short list for which the inertia (or the curvature along the step) is right.
    #[default]
    Gentle,
    /// The published (ξ_B + ‖H‖_F) I wherever λ_min(ZᵀHZ) < 1e-6.
    Published,
}

/// Constants of the exact augmented Lagrangian method, section 3 of Hong, Na, Mahoney and Kolar (2023).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LagrangianConstants {
    /// η₁ at the start: the penalty of ½‖c‖².
    pub eta1: f64,
    /// η₂ at the start: the penalty of ½‖∇ₓL‖².
    pub eta2: f64,
    /// δ at the start: the accuracy of the inner solves.
    pub delta: f64,
    /// β of the Armijo test, in (0, ½).
    pub beta: f64,
    /// ν > 1, by which η₂ falls.
    pub nu: f64,
    /// By which η₁ rises whenever η₂ falls: ν² as published. The default is ν, which keeps η₁η₂: with more, one step with a
    /// large shift of the Hessian leaves an η₁ that ties all later steps to the curved constraints.
    pub eta1_growth: f64,
    /// ξ_B, the lower bound of the modified Hessian on the null space.
    pub xi_b: f64,
    /// Least δ.
    pub delta_min: f64,
    /// Largest η₁: a step is taken on trust from there on.
    pub eta1_max: f64,
    /// Least η₂: a step is taken on trust from there on.
    pub eta2_min: f64,
    /// Least length of a step before the search gives up.
    pub alpha_min: f64,
}

impl Default for LagrangianConstants {
    fn default() -> Self {
        Self {
            eta1: 1.0,
            eta2: 0.1,
            delta: 0.1,
            beta: 0.1,
            nu: 1.5,
            eta1_growth: 1.5,
            xi_b: 0.1,
            delta_min: 1e-6,
            eta1_max: 1e8,
            eta2_min: 1e-8,
            alpha_min: 1e-10,
        }
    }
}

/// Constants of the primal-dual barrier method with a filter: Wächter and Biegler (2006), Math. Program. 106,
/// named by the equation of that paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BarrierConstants {
    /// μ at the start.
    pub mu: f64,
    /// κ_μ of (7): μ ← max(tol/10, min(κ_μ μ, μ^θ_μ)).
    pub kappa_mu: f64,
    /// θ_μ of (7).
    pub theta_mu: f64,
    /// κ_ε: a barrier problem is solved to κ_ε μ.
    pub kappa_epsilon: f64,
    /// Least τ of (8), the fraction of the way to a bound.
    pub tau_min: f64,
    /// γ_θ of (18).
    pub gamma_theta: f64,
    /// γ_φ of (18).
    pub gamma_phi: f64,
    /// η_φ of (20), the Armijo test.
    pub eta_phi: f64,
    /// Second-order corrections of one step, at most.
    pub corrections: usize,
    /// κ₁ = κ₂ of section 3.6: how far from its bounds a start is moved.
    pub push: f64,
}

impl Default for BarrierConstants {
    fn default() -> Self {
        Self {
            mu: 0.1,
            kappa_mu: 0.2,
            theta_mu: 1.5,
            kappa_epsilon: 10.0,
            tau_min: 0.995,
            gamma_theta: 1e-5,
            gamma_phi: 1e-5,
            eta_phi: 1e-4,
            corrections: 4,
            push: 1e-2,
        }
    }
}

/// Options of [`minimize`](super::minimize).
#[derive(Debug, Clone, PartialEq)]
pub struct MinimizeOptions {
    /// What solves the KKT systems. Default auto.
    pub method: KktMethod,
    /// What the sketched method draws. Default one row a step.
    pub sketch: SketchKind,
    /// KKT residual to reach (see [`KktResidual`](super::KktResidual)). Default 1e-6.
    pub tol: f64,
    /// Most Newton steps. Default 1000.
    pub max_iters: usize,
    /// Most wall time, looked at once an iteration. Default none.
    pub time_limit: Option<Duration>,
    /// Seed of every random number. Default 0.
    pub seed: u64,
    /// The Armijo test compares with the largest of this many last merit values; 1 is monotone. Default 5.
    pub memory: usize,
    /// Whether a first step that is refused is corrected for the curvature of the constraints. Default yes.
    pub second_order_correction: bool,
    /// Whether objective and constraints are divided by the largest entry of their gradients at the start
    /// over 100, where that exceeds 1. Default yes. The KKT residual is always that of the problem as given.
    pub scaling: bool,
    /// Accuracy of iterative inner solves. Default lazy.
    pub accuracy: Accuracy,
    /// Modification of the Hessian. Default gentle.
    pub hessian_shift: HessianShift,
    /// Most steps of one inner solve. Default 100 000.
    pub max_inner: usize,
    /// Whether the Hessian is used through products alone though the problem has its entries: for Hessians that cost more to
    /// form than a few dozen products, such as those of sums over many samples. Not with the direct method. Default no.
    pub matrix_free: bool,
    /// Whether the sketched method may scale the rows of K, and turn to its factors (and report it) where sketch
    /// and project stalls. Default yes.
    pub fall_over: bool,
    /// Constants of the exact augmented Lagrangian method, for problems without bounds.
    pub lagrangian: LagrangianConstants,
    /// Constants of the barrier method, for problems with bounds or inequalities.
    pub barrier: BarrierConstants,
}

impl Default for MinimizeOptions {
    fn default() -> Self {
        Self {
            method: KktMethod::Auto,
            sketch: SketchKind::default(),
            tol: 1e-6,
            max_iters: 1000,
            time_limit: None,
            seed: 0,
            memory: 5,
            second_order_correction: true,
            scaling: true,
            accuracy: Accuracy::Lazy,
            hessian_shift: HessianShift::Gentle,
            max_inner: 100_000,
            matrix_free: false,
            fall_over: true,
            lagrangian: LagrangianConstants::default(),
            barrier: BarrierConstants::default(),
        }
    }
}

impl MinimizeOptions {
    /// The algorithm as published: sketch and project with one Gaussian vector a step, the published accuracy and Hessian
    /// modification, monotone Armijo search from the unscaled problem, KKT residual 1e-4, at most 10⁴ outer
    /// and 10⁵ inner steps. Only the Hessian in the merit function's gradient differs: it is that of L.
    pub fn published() -> Self {
        Self {
            method: KktMethod::Sketched,
            sketch: SketchKind::Gaussian,
            tol: 1e-4,
            max_iters: 10_000,
            memory: 1,
            second_order_correction: false,
            scaling: false,
            accuracy: Accuracy::Published,
            hessian_shift: HessianShift::Published,
            fall_over: false,
            lagrangian: LagrangianConstants { eta1_growth: 2.25, ..LagrangianConstants::default() },
            ..Self::default()
        }
    }
}
