//! Transport that may create and destroy mass.
//!
//! min ⟨C, P⟩ + ε KL(P | a bᵀ) + ρ KL(P1 | a) + ρ KL(Pᵀ1 | b), KL(p|q) = Σ p log(p/q) − p + q. With
//! P = a_i b_j exp((f_i + g_j − C_ij)/ε), alternating maximisation of the dual
//! −ρ Σ a (e^{−f/ρ} − 1) − ρ Σ b (e^{−g/ρ} − 1) − ε Σ (P − a b) gives
//! f_i ← −ρ/(ρ + ε) · ε log Σ_j b_j exp((g_j − C_ij)/ε), and the same for g: Chizat, Peyré, Schmitzer and Vialard
//! (2018), *Scaling algorithms for unbalanced optimal transport problems*. The slow mode, f + t and g − t,
//! is maximised in closed form after each sweep, t = ρ/2 · log(Σ a e^{−f/ρ} / Σ b e^{−g/ρ}): Séjourné, Vialard and
//! Peyré (2022), *Faster unbalanced optimal transport: translation invariant Sinkhorn*. Where 100 sweeps are not enough
//! and one side has at most 512 points, Newton's method goes on ([`super::soft`]).

use super::soft::newton;
use super::visit::{fold_rows, map_rows};
use super::{Cost, Potentials, TransportError};

/// Sweeps before each use of Newton's method.
const SWEEPS: usize = 100;

/// Parameters of an unbalanced solve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnbalancedOptions {
    /// ε, in the units of the cost.
    pub epsilon: f64,
    /// ρ, in the units of the cost: mass is created or destroyed rather than moved at a cost far above it.
    pub rho: f64,
    /// Largest change of a potential over ε in a sweep at which to stop. Default 1e-9.
    pub tol: f64,
    /// Sweeps at most. Default 10 000.
    pub max_iters: usize,
}

impl UnbalancedOptions {
    /// The defaults at this ε and ρ.
    pub fn new(epsilon: f64, rho: f64) -> Self {
        Self { epsilon, rho, tol: 1e-9, max_iters: 10_000 }
    }
}

/// The end of an unbalanced solve.
#[derive(Debug, Clone, PartialEq)]
pub struct UnbalancedOutcome {
    /// f and g; P_ij = a_i b_j exp((f_i + g_j − C_ij)/ε), with the weights as reference.
    pub potentials: Potentials,
    /// P1, length n.
    pub source_marginal: Vec<f64>,
    /// Pᵀ1, length m.
    pub target_marginal: Vec<f64>,
    /// ⟨C, P⟩.
    pub transport_cost: f64,
    /// The objective above at P.
    pub objective: f64,
    /// The dual at f and g, at most the optimal objective.
    pub dual_objective: f64,
    /// Sweeps done.
    pub iterations: usize,
    /// Whether the potentials changed by no more than the tolerance in the last sweep.
    pub converged: bool,
}

/// Solves an unbalanced problem with weights `a` (n) and `b` (m) of any masses.
///
/// # Errors
/// For sizes that do not match, weights or options out of range.
pub fn solve_unbalanced(
    cost: &Cost,
    a: &[f64],
    b: &[f64],
    options: &UnbalancedOptions,
) -> Result<UnbalancedOutcome, TransportError> {
    let &UnbalancedOptions { epsilon, rho, tol, max_iters } = options;
    check(cost, a, b, options)?;
    let shrink = rho / (rho + epsilon);
    let (log_a, log_b) = (logs(a), logs(b));
    let (mut f, mut g) = (vec![0.0; a.len()], vec![0.0; b.len()]);
    let (mut iterations, mut converged) = (0, false);
    while iterations < max_iters && !converged {
        iterations += 1;
        let next = map_rows(cost, |_, costs| {
            let terms = || costs.iter().zip(&g).zip(&log_b).map(|((c, g), b)| (g - c) / epsilon + b);
            let top = terms().fold(f64::NEG_INFINITY, f64::max);
            if top == f64::NEG_INFINITY {
                return 0.0; // a source without an allowed pair: all of it is destroyed
            }
            -shrink * epsilon * (top + terms().map(|t| (t - top).exp()).sum::<f64>().ln())
        });
        let mut change = largest_change(&f, &next);
        f = next;
        // Running maxima and sums of the columns.
        let start = vec![(f64::NEG_INFINITY, 0.0); b.len()];
        let sums = fold_rows(
            cost,
            &start,
            |i, costs, sums: &mut Vec<(f64, f64)>| {
                for (sum, c) in sums.iter_mut().zip(costs) {
                    join(sum, ((f[i] - c) / epsilon + log_a[i], 1.0));
                }
            },
            |all, part| all.iter_mut().zip(part).for_each(|(all, part)| join(all, part)),
        );
        let next: Vec<f64> = sums
            .iter()
            .map(|(top, sum)| if *sum > 0.0 { -shrink * epsilon * (top + sum.ln()) } else { 0.0 })
            .collect();
        change = change.max(largest_change(&g, &next));
        g = next;
        let shift = 0.5 * rho * (log_sum(&log_a, &f, rho) - log_sum(&log_b, &g, rho));
        f.iter_mut().for_each(|f| *f += shift);
        g.iter_mut().for_each(|g| *g -= shift);
        converged = change <= tol * epsilon;
        if !converged && iterations.is_multiple_of(SWEEPS) {
            newton(cost, (&log_a, &log_b), epsilon, rho, &mut f, &mut g);
        }
    }
    Ok(finish(cost, a, b, options, Potentials { source: f, target: g }, iterations, converged))
}

fn check(cost: &Cost, a: &[f64], b: &[f64], options: &UnbalancedOptions) -> Result<(), TransportError> {
    for (what, side, weights, expected) in
        [("the source weights", "source", a, cost.rows()), ("the target weights", "target", b, cost.cols())]
    {
        super::operator::check_len(what, weights.len(), expected)?;
        if let Some(index) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
            return Err(TransportError::Weight { side, index, value: weights[index] });
        }
        let sum: f64 = weights.iter().sum();
        if !(sum > 0.0 && sum.is_finite()) {
            return Err(TransportError::Mass { side, sum });
        }
    }
    for (name, value) in [("epsilon", options.epsilon), ("rho", options.rho), ("tol", options.tol)] {
        if !(value > 0.0 && value.is_finite()) {
            return Err(TransportError::Option { name, value, expected: "it must be positive and finite" });
        }
    }
    Ok(())
}

fn logs(weights: &[f64]) -> Vec<f64> {
    weights.iter().map(|w| w.ln()).collect()
}

fn largest_change(before: &[f64], after: &[f64]) -> f64 {
    before.iter().zip(after).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max)
}

/// (m, s) stands for s eᵐ; adds another such number.
fn join(all: &mut (f64, f64), part: (f64, f64)) {
    if part.0 == f64::NEG_INFINITY {
        return;
    }
    if part.0 > all.0 {
        *all = (part.0, part.1 + all.1 * (all.0 - part.0).exp());
    } else {
        all.1 += part.1 * (part.0 - all.0).exp();
    }
}

/// log Σ w e^{−f/ρ}.
fn log_sum(log_weights: &[f64], f: &[f64], rho: f64) -> f64 {
    let mut sum = (f64::NEG_INFINITY, 0.0);
    log_weights.iter().zip(f).for_each(|(w, f)| join(&mut sum, (w - f / rho, 1.0)));
    sum.0 + f64::ln(sum.1)
}

/// p log(p/q) − p + q.
fn kl(p: f64, q: f64) -> f64 {
    if p > 0.0 { p * (p / q).ln() - p + q } else { q }
}

fn finish(
    cost: &Cost,
    a: &[f64],
    b: &[f64],
    options: &UnbalancedOptions,
    potentials: Potentials,
    iterations: usize,
    converged: bool,
) -> UnbalancedOutcome {
    let &UnbalancedOptions { epsilon, rho, .. } = options;
    let (f, g) = (&potentials.source, &potentials.target);
    // Column sums, and behind them ⟨C, P⟩ and Σ P log(P/(a b)).
    let m = b.len();
    let mut source_marginal = map_rows(cost, |i, costs| {
        costs.iter().zip(g).zip(b).map(|((c, g), b)| a[i] * b * ((f[i] + g - c) / epsilon).exp()).sum::<f64>()
    });
    source_marginal.iter_mut().zip(a).filter(|(_, a)| **a == 0.0).for_each(|(p, _)| *p = 0.0);
    let sums = fold_rows(
        cost,
        &vec![0.0; m + 2],
        |i, costs, sums: &mut Vec<f64>| {
            for (j, c) in costs.iter().enumerate() {
                let exponent = (f[i] + g[j] - c) / epsilon;
                let p = a[i] * b[j] * exponent.exp();
                if p > 0.0 {
                    sums[j] += p;
                    sums[m] += p * c;
                    sums[m + 1] += p * exponent;
                }
            }
        },
        |all, part| super::visit::add(all, &part),
    );
    let (target_marginal, transport_cost, entropy) = (sums[..m].to_vec(), sums[m], sums[m + 1]);
    let (total, mass_a, mass_b): (f64, f64, f64) =
        (target_marginal.iter().sum(), a.iter().sum(), b.iter().sum());
    let plan_kl = entropy - total + mass_a * mass_b;
    let divergence = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| kl(*p, *q)).sum::<f64>();
    let objective = transport_cost
        + epsilon * plan_kl
        + rho * (divergence(&source_marginal, a) + divergence(&target_marginal, b));
    let side =
        |w: &[f64], f: &[f64]| w.iter().zip(f).map(|(w, f)| -rho * w * (-f / rho).exp_m1()).sum::<f64>();
    let dual_objective = side(a, f) + side(b, g) - epsilon * (total - mass_a * mass_b);
    UnbalancedOutcome {
        potentials,
        source_marginal,
        target_marginal,
        transport_cost,
        objective,
        dual_objective,
        iterations,
        converged,
    }
}
