//! Proof that affine constraints have no feasible point (Farkas): with any y, and g = Jᵀy,
//!
//! ```text
//! yᵀc(v) = yᵀc(w) + gᵀ(v − w) ≥ yᵀc(w) + Σ_i min(g_i (l_i − w_i), g_i (u_i − w_i))   for every l ≤ v ≤ u,
//! ```
//!
//! so that c(v) = 0 is impossible where the right-hand side is above zero. The multipliers of the least-violation problem
//! are such a y at its solution; at a point where that problem was given up they are not.

use super::bounds::Bounds;
use super::point::Point;

/// What of g_i is rounding and a finished tolerance, relative to the terms that it was summed from.
const CANCELLED: f64 = 1e-6;

/// Whether `y` or −`y` proves that c(v) = 0 has no solution between the bounds, c being affine.
pub(crate) fn proves_infeasible(p: &Point, bounds: &Bounds, y: &[f64]) -> bool {
    let (mut g, mut size) = (vec![0.0; p.w.len()], vec![0.0; p.w.len()]);
    p.j.add_transposed(1.0, y, &mut g);
    for (i, &y) in y.iter().enumerate() {
        let (columns, values) = p.j.row(i);
        columns.iter().zip(values).for_each(|(&k, v)| size[k as usize] += (v * y).abs());
    }
    [1.0, -1.0].iter().any(|sign| {
        let value: f64 = y.iter().zip(&p.c).map(|(y, c)| sign * y * c).sum();
        let least: f64 = (0..g.len())
            .map(|i| {
                let slope = sign * g[i];
                let bound = if slope > 0.0 { bounds.lower[i] } else { bounds.upper[i] };
                match (bound.is_finite(), slope.abs() <= CANCELLED * size[i]) {
                    (true, _) => slope * (bound - p.w[i]),
                    (false, true) => 0.0,
                    (false, false) => f64::NEG_INFINITY,
                }
            })
            .sum();
        value + least > 0.0
    })
}
