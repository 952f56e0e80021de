//! The best ω of SOR from a model, for matrices that differ in the weight of their diagonal: a baseline that any learner of ω
//! must be compared with.
//!
//! For a consistently ordered matrix, with β = ρ(I − D⁻¹A) (Young 1971; Hackbusch 2016, theorem 4.27):
//!
//! ```text
//! ω* = 1 + (β / (1 + √(1 − β²)))²,        ρ(SOR with ω = 1) = β²
//! ```
//!
//! A solve with ω = 1 shows ρ, as the ratio of its last residuals, hence β. From one matrix to the next
//! β = s · mean_i Σ_{j≠i} |a_ij| / |a_ii| with one number s, which that first solve gives: exact for diagonal shifts
//! of a matrix with a constant diagonal.

use residua_data::CsrMatrix;
use residua_solvers::stationary::optimal_omega;

/// Ratios of residuals that are averaged, the last ones.
const RATIOS: usize = 10;

/// One number learned from the first solve.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ModelOmega {
    /// s.
    scale: Option<f64>,
}

impl ModelOmega {
    /// Knows nothing: the first ω is 1.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a solve with ω = 1 was observed.
    pub fn has_learned(&self) -> bool {
        self.scale.is_some()
    }

    /// ω for `a`; 1 before anything was observed, or where the model gives no β below 1.
    pub fn omega(&self, a: &CsrMatrix) -> f64 {
        let beta = self.scale.map_or(0.0, |scale| scale * mean_ratio(a));
        if (0.0..1.0).contains(&beta) { optimal_omega(beta) } else { 1.0 }
    }

    /// Learns from the residual norms of a solve with `a` and ω = 1, the initial one first, in any unit. Fewer than three, or norms that
    /// do not fall, teach nothing.
    pub fn observe(&mut self, a: &CsrMatrix, residual_norms: &[f64]) {
        let last = residual_norms.len().saturating_sub(1);
        let first = last.saturating_sub(RATIOS);
        if last < 2 {
            return;
        }
        let ratio = residual_norms[last] / residual_norms[first];
        let beta = ratio.powf(0.5 / (last - first) as f64);
        let mean = mean_ratio(a);
        if beta > 0.0 && beta < 1.0 && mean > 0.0 {
            self.scale = Some(beta / mean);
        }
    }
}

/// mean_i Σ_{j≠i} |a_ij| / |a_ii|; rows without a diagonal are left out.
pub(super) fn mean_ratio(a: &CsrMatrix) -> f64 {
    let (mut sum, mut rows) = (0.0, 0usize);
    for i in 0..a.nrows() {
        let (cols, vals) = a.row(i);
        let (mut diagonal, mut others) = (0.0f64, 0.0);
        for (&j, &v) in cols.iter().zip(vals) {
            if j as usize == i {
                diagonal = v.abs();
            } else {
                others += v.abs();
            }
        }
        if diagonal > 0.0 {
            sum += others / diagonal;
            rows += 1;
        }
    }
    if rows > 0 { sum / rows as f64 } else { 0.0 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use residua_data::sequence::{Sequence, ShiftedLaplacian, Variance};
    use residua_solvers::stationary::Sor;
    use residua_solvers::{History, LinearSystem, Solver, StopRule};

    /// β(c) = 4 cos(π/11) / (4 + c) for the 10 × 10 Laplacian with the shift c.
    #[test]
    fn one_solve_makes_all_others_instance_optimal() {
        let mut shifts = ShiftedLaplacian::new(10, 300, Variance::High, 1).unwrap();
        let mut model = ModelOmega::new();
        let stop = StopRule::rtol(1e-8);
        let (mut total, mut best) = (0, 0);
        while shifts.advance(&[]).unwrap() {
            let system = LinearSystem::new(shifts.matrix(), shifts.rhs()).unwrap();
            let solve = |omega: f64, history: &mut History| {
                let mut x = vec![0.0; 100];
                Sor::new(omega).unwrap().solve(&system, &mut x, &stop, history).unwrap().iterations
            };
            let mut history = History::new();
            total += solve(model.omega(shifts.matrix()), &mut history);
            if !model.has_learned() {
                model.observe(shifts.matrix(), history.relative_residuals());
            }
            let beta = 4.0 * (std::f64::consts::PI / 11.0).cos() / (4.0 + shifts.context()[0]);
            best += solve(optimal_omega(beta), &mut History::new());
        }
        // The first solve, with ω = 1, may take some 600 sweeps; 300 others some 56.
        assert!(f64::from(u32::try_from(total).unwrap()) < 1.06 * best as f64, "{total} {best}");
    }

    #[test]
    fn nothing_is_learned_from_nothing() {
        let mut model = ModelOmega::new();
        let a = CsrMatrix::from_diagonal(&[2.0, 0.0]).unwrap();
        for norms in [&[][..], &[1.0], &[1.0, 2.0, 4.0], &[0.0; 5], &[f64::NAN; 5]] {
            model.observe(&a, norms);
            assert!(!model.has_learned() && (model.omega(&a) - 1.0).abs() < 1e-15);
        }
    }
}
