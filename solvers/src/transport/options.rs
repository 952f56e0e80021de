//! What a caller can choose, and what a solve shows while it runs.

use super::TransportError;
use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::time::Duration;

/// The strength of the regularisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Epsilon {
    /// In the units of the cost.
    Absolute(f64),
    /// As a share of the largest finite |cost|.
    Relative(f64),
}

/// Which method solves a transport problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TransportMethod {
    /// ε-scaling, fused sweeps, Newton on the support of the plan, dense kernel where ε is large.
    #[default]
    Auto,
    /// Over-relaxed log-domain Sinkhorn at the target ε.
    Sinkhorn,
    /// Sinkhorn-Newton-Sparse as published: N₁ sweeps, then Newton with the λnm largest entries and plain CG.
    Sns,
}

impl TransportMethod {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Sinkhorn, Self::Sns];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Sinkhorn => "sinkhorn",
            Self::Sns => "sns",
        }
    }
}

impl fmt::Display for TransportMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TransportMethod {
    type Err = TransportError;
    fn from_str(text: &str) -> Result<Self, TransportError> {
        Self::ALL.into_iter().find(|m| m.as_str() == text).ok_or_else(|| TransportError::Unknown {
            what: "transport method",
            found: text.to_owned(),
            expected: "auto, sinkhorn, sns",
        })
    }
}

/// Parameters of a solve.
#[derive(Debug, Clone, PartialEq)]
pub struct TransportOptions {
    /// The regularisation. Default 1e-2 of the largest cost.
    pub epsilon: Epsilon,
    /// Default `Auto`.
    pub method: TransportMethod,
    /// ‖P1 − a‖₁ + ‖Pᵀ1 − b‖₁ to reach, relative to the mass Σ a. Default 1e-8.
    pub tol: f64,
    /// Sweeps and Newton steps together; default 100 000 for `Sinkhorn`, 5 000 for the others.
    pub max_iters: Option<usize>,
    /// Wall time. Default none.
    pub time_limit: Option<Duration>,
    /// Relaxation of `Sinkhorn`: `None` (default) estimates it from the observed contraction; 1 is plain.
    pub omega: Option<f64>,
    /// Sweeps N₁ of `Sns` before Newton. Default 20.
    pub sns_sweeps: usize,
    /// Share λ of the plan's entries that `Sns` keeps in the Hessian; `None` (default) is 2/n.
    pub sns_density: Option<f64>,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            epsilon: Epsilon::Relative(1e-2),
            method: TransportMethod::Auto,
            tol: 1e-8,
            max_iters: None,
            time_limit: None,
            omega: None,
            sns_sweeps: 20,
            sns_density: None,
        }
    }
}

impl TransportOptions {
    /// The defaults at this ε.
    pub fn new(epsilon: Epsilon) -> Self {
        Self { epsilon, ..Self::default() }
    }

    /// Refuses options out of range.
    pub(super) fn check(&self) -> Result<(), TransportError> {
        let refuse = |name, value, expected| Err(TransportError::Option { name, value, expected });
        if !(self.tol.is_finite() && self.tol > 0.0) {
            return refuse("tol", self.tol, "the marginal error to reach must be positive and finite");
        }
        if let Some(omega) = self.omega.filter(|w| !(*w > 0.0 && *w < 2.0)) {
            return refuse("omega", omega, "the relaxation must lie strictly between 0 and 2");
        }
        if let Some(density) = self.sns_density.filter(|d| !(*d > 0.0 && *d <= 1.0)) {
            return refuse("sns_density", density, "the share of entries kept must lie in (0, 1]");
        }
        Ok(())
    }

    /// The absolute ε for costs up to `max_abs`.
    ///
    /// # Errors
    /// If it is not positive and finite, or too small for double precision.
    pub fn absolute_epsilon(&self, max_abs: f64) -> Result<f64, TransportError> {
        let (given, epsilon) = match self.epsilon {
            Epsilon::Absolute(e) => (e, e),
            Epsilon::Relative(r) => (r, r * if max_abs > 0.0 { max_abs } else { 1.0 }),
        };
        if !(given > 0.0 && epsilon.is_finite() && epsilon > 0.0) {
            let expected = "the regularisation must be positive and finite";
            return Err(TransportError::Option { name: "epsilon", value: given, expected });
        }
        let limit = super::MIN_RELATIVE_EPSILON * max_abs;
        if epsilon < limit || !(max_abs / epsilon).is_finite() {
            return Err(TransportError::EpsilonTooSmall { epsilon, max_cost: max_abs, limit });
        }
        Ok(epsilon)
    }
}

/// What a solve knows after a sweep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransportProgress {
    /// ε of the current stage.
    pub epsilon: f64,
    /// Passes over all pairs so far.
    pub sweeps: usize,
    /// Newton steps so far.
    pub newton: usize,
    /// L1 marginal error of the iterate at the stage's ε.
    pub marginal_error: f64,
    /// Dual objective Σ a f + Σ b g − ε Σ P of the iterate at the stage's ε.
    pub objective: f64,
}

/// Watches a solve; `Break` stops it. Implemented for `()` and for closures.
pub trait TransportMonitor {
    /// Sees the state after a sweep.
    fn observe(&mut self, progress: &TransportProgress) -> ControlFlow<()>;
}

impl TransportMonitor for () {
    fn observe(&mut self, _: &TransportProgress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<F: FnMut(&TransportProgress) -> ControlFlow<()>> TransportMonitor for F {
    fn observe(&mut self, progress: &TransportProgress) -> ControlFlow<()> {
        self(progress)
    }
}
