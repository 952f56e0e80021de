//! Anderson acceleration of a fixed-point iteration v ← G(v).
//!
//! With residuals r_k = G(v_k) − v_k and the last differences ΔV, ΔR, the next iterate is
//!
//! ```text
//! v_{k+1} = G(v_k) − (ΔV + ΔR) γ,   γ = argmin Σ_j b_j (r_k − ΔR γ)_j²
//! ```
//!
//! (Anderson, 1965; Walker and Ni, 2011). Where G is nearly linear this is GMRES, restarted when the window is full of old
//! directions. The weights b measure the residual as the marginal error does.

/// Differences kept.
const DEPTH: usize = 10;

/// Share of the largest pivot below which a direction is dropped.
const PIVOT: f64 = 1e-10;

/// The last iterates and residuals.
#[derive(Debug, Default)]
pub(super) struct Anderson {
    /// v_k and r_k of the last step.
    v: Vec<f64>,
    r: Vec<f64>,
    /// ΔV and ΔR, in a ring.
    moves: Vec<Vec<f64>>,
    changes: Vec<Vec<f64>>,
    /// Differences noted since the last reset.
    count: usize,
    known: bool,
}

impl Anderson {
    /// Forgets all.
    pub(super) fn reset(&mut self) {
        self.count = 0;
        self.known = false;
    }

    /// From `before` = v_k and `v` = G(v_k) to v_{k+1}, in place.
    pub(super) fn step(&mut self, before: &[f64], v: &mut [f64], weights: &[f64]) {
        let m = v.len();
        if self.moves.len() < DEPTH || self.v.len() != m {
            for all in [&mut self.moves, &mut self.changes] {
                all.resize_with(DEPTH, Vec::new);
                all.iter_mut().for_each(|x| x.resize(m, 0.0));
            }
            self.v.resize(m, 0.0);
            self.r.resize(m, 0.0);
            self.reset();
        }
        if self.known {
            let slot = self.count % DEPTH;
            for j in 0..m {
                let r = v[j] - before[j];
                self.moves[slot][j] = before[j] - self.v[j];
                self.changes[slot][j] = r - self.r[j];
            }
            self.count += 1;
        }
        self.known = true;
        self.v.copy_from_slice(before);
        for j in 0..m {
            self.r[j] = v[j] - before[j];
        }
        let k = self.count.min(DEPTH);
        let mut gram = [[0.0; DEPTH]; DEPTH];
        let mut rhs = [0.0; DEPTH];
        let dot = |x: &[f64], y: &[f64]| -> f64 {
            weights.iter().zip(x.iter().zip(y)).map(|(w, (x, y))| w * x * y).sum()
        };
        for i in 0..k {
            rhs[i] = dot(&self.changes[i], &self.r);
            for j in 0..=i {
                gram[i][j] = dot(&self.changes[i], &self.changes[j]);
                gram[j][i] = gram[i][j];
            }
        }
        let gamma = solve(gram, rhs, k);
        for i in 0..k {
            let g = gamma[i];
            if g != 0.0 {
                for ((v, dv), dr) in v.iter_mut().zip(&self.moves[i]).zip(&self.changes[i]) {
                    *v -= g * (dv + dr);
                }
            }
        }
    }
}

/// Solves a k × k semidefinite system scaled to a unit diagonal, leaving out directions that depend on others.
fn solve(mut gram: [[f64; DEPTH]; DEPTH], mut rhs: [f64; DEPTH], k: usize) -> [f64; DEPTH] {
    let mut scale = [0.0; DEPTH];
    for i in 0..k {
        scale[i] = if gram[i][i] > 0.0 { 1.0 / gram[i][i].sqrt() } else { 0.0 };
    }
    for i in 0..k {
        rhs[i] *= scale[i];
        for j in 0..k {
            gram[i][j] *= scale[i] * scale[j];
        }
    }
    // L D Lᵀ without pivoting: dropped directions have d = 0.
    let mut used = [false; DEPTH];
    for p in 0..k {
        used[p] = gram[p][p] > PIVOT;
        if !used[p] {
            continue;
        }
        for i in p + 1..k {
            let factor = gram[i][p] / gram[p][p];
            for j in p + 1..k {
                gram[i][j] -= factor * gram[p][j];
            }
            rhs[i] -= factor * rhs[p];
        }
    }
    let mut x = [0.0; DEPTH];
    for p in (0..k).rev() {
        if used[p] {
            let sum: f64 = (p + 1..k).map(|j| gram[p][j] * x[j]).sum();
            x[p] = (rhs[p] - sum) / gram[p][p];
        }
    }
    for i in 0..k {
        x[i] *= scale[i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_iteration_of_small_rank_is_solved() {
        // G(v) = D v + 1 with four distinct values in D: five steps know the answer.
        let d = |j: usize| [0.9, 0.5, 0.99, -0.3][j % 4];
        let (mut v, weights) = (vec![0.0; 20], vec![1.0; 20]);
        let mut anderson = Anderson::default();
        for _ in 0..6 {
            let before = v.clone();
            v.iter_mut().enumerate().for_each(|(j, v)| *v = d(j) * *v + 1.0);
            anderson.step(&before, &mut v, &weights);
        }
        for (j, v) in v.iter().enumerate() {
            let exact = 1.0 / (1.0 - d(j));
            assert!((v - exact).abs() < 1e-5 * exact, "{j}: {v} {exact}");
        }
    }
}
