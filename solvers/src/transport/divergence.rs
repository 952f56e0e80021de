//! The Sinkhorn divergence: entropic transport without its bias.
//!
//! S(a, b) = W(a, b) − ½ W(a, a) − ½ W(b, b), with W = min ⟨C, P⟩ + ε KL(P | a bᵀ): zero for equal measures, positive
//! else for the costs here. Feydy et al. (2019), *Interpolating between optimal transport and MMD using Sinkhorn
//! divergences*. The two symmetric problems have one potential; the averaged update f ← ½(f + T f) halves the
//! error at least where exp(−C/ε) is positive semidefinite, so that they take a few tens of passes from f = 0
//! at any ε.

use super::visit::map_rows;
use super::{
    Cost, Ground, PointCloud, TransportError, TransportMonitor, TransportOptions, TransportOutcome,
    TransportProblem, TransportStatus, solve,
};

/// Passes of a symmetric problem at most.
const MAX_SYMMETRIC: usize = 1000;

/// The divergence of two weighted point clouds.
#[derive(Debug, Clone, PartialEq)]
pub struct SinkhornDivergence {
    /// S(a, b).
    pub value: f64,
    /// W(a, b), W(a, a), W(b, b).
    pub terms: [f64; 3],
    /// ∂S/∂a, up to a constant: length n.
    pub source_weight_gradient: Vec<f64>,
    /// ∂S/∂b, up to a constant: length m.
    pub target_weight_gradient: Vec<f64>,
    /// The solve between the two clouds.
    pub cross: TransportOutcome,
    /// Whether all three solves reached the tolerance.
    pub converged: bool,
}

/// S between `source` with weights `a` (n) and `target` with weights `b` (m), at the absolute ε of the cross problem;
/// all terms are solved to the same tolerance.
///
/// # Errors
/// As [`solve`] and [`TransportProblem::new`].
pub fn sinkhorn_divergence(
    (source, a): (&PointCloud, &[f64]),
    (target, b): (&PointCloud, &[f64]),
    ground: Ground,
    options: &TransportOptions,
    monitor: &mut dyn TransportMonitor,
) -> Result<SinkhornDivergence, TransportError> {
    let cost = Cost::points(source.clone(), target.clone(), ground)?;
    let problem = TransportProblem::new(cost, a.to_vec(), b.to_vec())?;
    let cross = solve(&problem, options, None, monitor)?;
    let (epsilon, tol, mass) = (cross.epsilon, options.tol, problem.mass());
    let own = |cloud: &PointCloud, w: &[f64]| {
        Cost::points(cloud.clone(), cloud.clone(), ground).map(|cost| symmetric(&cost, w, epsilon, tol))
    };
    let (xx, yy) = (own(source, problem.source())?, own(target, problem.target())?);
    // With the product measure as reference the potentials are f − ε log a.
    let dual = |w: &[f64], f: &[f64]| {
        let pairs = w.iter().zip(f).filter(|(w, _)| **w > 0.0);
        pairs.map(|(w, f)| w * (f - epsilon * w.ln())).sum::<f64>()
    };
    // cross.dual_objective = Σ a f + Σ b g − ε Σ P.
    let entropy = |w: &[f64]| w.iter().filter(|w| **w > 0.0).map(|w| w * w.ln()).sum::<f64>();
    let w_xy = cross.dual_objective
        + epsilon * (mass * mass - entropy(problem.source()) - entropy(problem.target()));
    let own_value = |w: &[f64], s: &Symmetric| 2.0 * dual(w, &s.f) - epsilon * (s.total - mass * mass);
    let (w_xx, w_yy) = (own_value(problem.source(), &xx), own_value(problem.target(), &yy));
    let minus = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| p - q).collect();
    Ok(SinkhornDivergence {
        value: w_xy - 0.5 * (w_xx + w_yy),
        terms: [w_xy, w_xx, w_yy],
        source_weight_gradient: minus(&cross.potentials.source, &xx.f),
        target_weight_gradient: minus(&cross.potentials.target, &yy.f),
        converged: cross.status == TransportStatus::Converged && xx.converged && yy.converged,
        cross,
    })
}

/// The solution of a symmetric problem: P_ij = exp((f_i + f_j − C_ij)/ε).
struct Symmetric {
    f: Vec<f64>,
    /// Σ P.
    total: f64,
    converged: bool,
}

/// Averaged updates f ← ½(f + ε log w − ε log Σ_j exp((f_j − C_ij)/ε)), until ‖P1 − w‖₁ ≤ tol Σ w.
fn symmetric(cost: &Cost, w: &[f64], epsilon: f64, tol: f64) -> Symmetric {
    let mass: f64 = w.iter().sum();
    // Far apart points have P = diag(w): f = ½ ε log w.
    let mut f: Vec<f64> = w.iter().map(|w| if *w > 0.0 { 0.5 * epsilon * w.ln() } else { 0.0 }).collect();
    let (mut total, mut error) = (0.0, f64::INFINITY);
    for _ in 0..MAX_SYMMETRIC {
        let updated = map_rows(cost, |_, costs| {
            let terms = || {
                let all = costs.iter().zip(&f).zip(w);
                all.filter(|(_, w)| **w > 0.0).map(|((c, f), _)| (f - c) / epsilon)
            };
            let top = terms().fold(f64::NEG_INFINITY, f64::max);
            -epsilon * (top + terms().map(|t| (t - top).exp()).sum::<f64>().ln())
        });
        // (P1)_i, since T f is the logarithm of the rest of the row.
        let rows: Vec<f64> = (0..w.len())
            .map(|i| if w[i] > 0.0 { ((f[i] - updated[i]) / epsilon).exp() } else { 0.0 })
            .collect();
        error = rows.iter().zip(w).map(|(p, w)| (p - w).abs()).sum();
        total = rows.iter().sum();
        if error <= tol * mass {
            // Weights of zero have the soft c-transform, for the gradient.
            (0..w.len()).filter(|i| w[*i] == 0.0).for_each(|i| f[i] = updated[i]);
            break;
        }
        for i in (0..w.len()).filter(|i| w[*i] > 0.0) {
            f[i] = 0.5 * (f[i] + epsilon * w[i].ln() + updated[i]);
        }
    }
    Symmetric { f, total, converged: error <= tol * mass }
}
