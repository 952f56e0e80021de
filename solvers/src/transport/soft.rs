//! Newton's method for unbalanced transport, where its sweeps are slow.
//!
//! With P_ij = a_i b_j exp((f_i + g_j − C_ij)/ε) and u = Δf/ε, y = Δg/ε, the dual is that of [`super::damped`] with the
//! kernel log P, weights a e^(−f/ρ), b e^(−g/ρ) and σ = ε/ρ.

use super::Cost;
use super::damped::Damped;
use super::visit::map_rows;

/// Most points of the smaller side.
const MOST: usize = 512;

/// Most pairs.
const PAIRS: usize = 1 << 21;

/// Steps at most.
const STEPS: usize = 500;

/// Moves f and g to the optimum, as far as rounding allows; nothing is done where there
/// are too many points.
pub(super) fn newton(
    cost: &Cost,
    (log_a, log_b): (&[f64], &[f64]),
    epsilon: f64,
    rho: f64,
    f: &mut [f64],
    g: &mut [f64],
) {
    let (n, m) = (log_a.len(), log_b.len());
    if n.min(m) > MOST || n * m > PAIRS {
        return;
    }
    let rows = map_rows(cost, |i, costs| -> Vec<f64> {
        let exponents = costs.iter().zip(&*g).zip(log_b);
        exponents.map(|((c, g), b)| (f[i] + g - c) / epsilon + (b + log_a[i])).collect()
    });
    // Points without weight or without an allowed pair have no part in it.
    let rows_in: Vec<usize> = (0..n).filter(|i| rows[*i].iter().any(|x| x.is_finite())).collect();
    let cols_in: Vec<usize> = (0..m).filter(|j| rows.iter().any(|row| row[*j].is_finite())).collect();
    let weights = |log: &[f64], potential: &[f64], of: &[usize]| -> Vec<f64> {
        of.iter().map(|i| (log[*i] - potential[*i] / rho).exp()).collect()
    };
    let (a, b) = (weights(log_a, f, &rows_in), weights(log_b, g, &cols_in));
    let flipped = rows_in.len() < cols_in.len();
    let kernel = if flipped {
        cols_in.iter().flat_map(|j| rows_in.iter().map(|i| rows[*i][*j])).collect()
    } else {
        rows_in.iter().flat_map(|i| cols_in.iter().map(|j| rows[*i][*j])).collect()
    };
    let (a, b) = if flipped { (b, a) } else { (a, b) };
    if !a.iter().chain(&b).all(|w| w.is_finite() && *w > 0.0) {
        return;
    }
    let target = 1e-15 * b.iter().sum::<f64>();
    let mut damped = Damped::new(kernel, a, b, epsilon / rho);
    damped.minimise(target, STEPS, || true);
    let (u, y) = if flipped { (&damped.y, &damped.u) } else { (&damped.u, &damped.y) };
    rows_in.iter().zip(u).for_each(|(i, u)| f[*i] += epsilon * u);
    cols_in.iter().zip(y).for_each(|(j, y)| g[*j] += epsilon * y);
}
