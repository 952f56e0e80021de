//! The coarsening that [`Coarsening::Auto`] stands for, from a sample of the rows.
//!
//! Smoothed aggregation costs less wherever coefficients vary little or jump between regions: set-up is two to four times
//! faster and levels are smaller. It breaks down where they vary from point to point, since aggregates then join what
//! does not move together; classical coarsening bears any contrast there. The measure is
//!
//! ```text
//! roughness = share of the rows i with m_j > 2 m_i or m_i > 2 m_j,
//!             m_i = max_{k≠i} |a_ik|,   j = argmax_{k≠i} |a_ik| / √|a_ii a_kk|
//! ```
//!
//! It compares an unknown with the one that it follows most closely. Constant and anisotropic coefficients and jumps
//! between regions, however high, give 0 to a few hundredths. Five-point stencils with log-normal coefficients, 400²
//! unknowns, CG to 1e-8 (σ the standard deviation of the logarithm, roughness 0.22 at σ = 1 and 0.34 at σ = 2):
//!
//! | σ | iterations, aggregation | classical | time of aggregation over classical |
//! |---|---|---|---|
//! | 1 | 14 | 10 | 0.6 |
//! | 2 | 32 | 10 | 1.1 |
//! | 3 | 55 | 10 | 2 |
//! | 6 | above 300 | 14 | above 8 |

use super::classical::ClassicalOptions;
use super::options::{AggregationOptions, Coarsening};
use residua_data::CsrMatrix;

/// Rows that are looked at, evenly spread.
const SAMPLE: usize = 4096;

/// Roughness from which classical coarsening pays.
const ROUGH: f64 = 0.25;

/// Neighbours whose largest couplings differ by more than this factor do not move together.
const FACTOR: f64 = 2.0;

/// Share of the couplings' moduli that may have the sign of the diagonal: interpolation along couplings needs an
/// essentially positive-type matrix.
const WRONG_SIGN: f64 = 0.05;

/// Rows with more entries than this say little about coefficients and are not walked through.
const LONG_ROW: usize = 200;

/// A coarsening and why it was chosen.
#[derive(Debug, Clone)]
pub(super) struct Selected {
    pub coarsening: Coarsening,
    pub reason: &'static str,
}

/// What `Auto` stands for: in this order smoothed aggregation for several unknowns or near-null-space vectors a node,
/// for a matrix that is not symmetric, and for one with many couplings of the diagonal's sign; classical coarsening where
/// the roughness is above 0.25; else smoothed aggregation.
pub(super) fn select(a: &CsrMatrix<f64>, symmetric: bool, has_near_null: bool) -> Selected {
    let aggregation = |reason| Selected {
        coarsening: Coarsening::SmoothedAggregation(AggregationOptions::default()),
        reason,
    };
    if has_near_null {
        return aggregation("near-null-space vectors are given, which aggregates reproduce");
    }
    if !symmetric {
        return aggregation("the matrix is not symmetric: small levels suit incomplete factors");
    }
    let sample = Sample::of(a);
    if sample.wrong_sign > WRONG_SIGN {
        return aggregation("many couplings have the sign of the diagonal, along which nothing interpolates");
    }
    if sample.roughness > ROUGH {
        let options = ClassicalOptions { aggressive_levels: 0, ..ClassicalOptions::default() };
        return Selected {
            coarsening: Coarsening::Classical(options),
            reason: "couplings vary from unknown to unknown, which aggregates do not bear",
        };
    }
    aggregation("couplings are alike from unknown to unknown: the cheapest set-up and levels")
}

/// A matrix whose entries differ from their mates by less than this share of their moduli behaves as its symmetric part.
pub(crate) const NEARLY_SYMMETRIC: f64 = 0.01;

/// Whether Σ |a_ij − a_ji| ≤ 0.01 Σ |a_ij| over the sampled rows.
pub(super) fn is_nearly_symmetric(a: &CsrMatrix<f64>) -> bool {
    let step = a.nrows().div_ceil(SAMPLE).max(1);
    let (mut apart, mut moduli) = (0.0, 0.0);
    for i in (0..a.nrows()).step_by(step) {
        let (cols, vals) = a.row(i);
        for (&j, &v) in cols.iter().zip(vals) {
            apart += (v - a.get(j as usize, i)).abs();
            moduli += v.abs();
        }
    }
    apart <= NEARLY_SYMMETRIC * moduli
}

/// What the sampled rows tell.
struct Sample {
    roughness: f64,
    /// Share of the moduli of all couplings that have the sign of their row's diagonal.
    wrong_sign: f64,
}

impl Sample {
    fn of(a: &CsrMatrix<f64>) -> Self {
        let n = a.nrows();
        let step = n.div_ceil(SAMPLE).max(1);
        let (mut rows, mut rough) = (0usize, 0usize);
        let (mut wrong, mut moduli) = (0.0, 0.0);
        // Moduli are compared with the row's largest, so that rows of any scale weigh the same.
        for i in (0..n).step_by(step) {
            let (cols, vals) = a.row(i);
            let own = largest_coupling(a, i);
            if cols.len() > LONG_ROW || own == 0.0 {
                continue;
            }
            let diagonal = a.get(i, i);
            let (mut closest, mut strength) = (i, 0.0);
            for (&j, &v) in cols.iter().zip(vals).filter(|&(&j, _)| j as usize != i) {
                moduli += v.abs() / own;
                if v * diagonal > 0.0 {
                    wrong += v.abs() / own;
                }
                let s = v.abs() / (diagonal.abs().sqrt() * a.get(j as usize, j as usize).abs().sqrt());
                if s > strength {
                    (closest, strength) = (j as usize, s);
                }
            }
            rows += 1;
            if a.row(closest).0.len() <= LONG_ROW {
                let other = largest_coupling(a, closest);
                rough += usize::from(other > FACTOR * own || own > FACTOR * other);
            }
        }
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Self { roughness: share(rough as f64, rows as f64), wrong_sign: share(wrong, moduli) }
    }
}

/// max_{k≠i} |a_ik|.
fn largest_coupling(a: &CsrMatrix<f64>, i: usize) -> f64 {
    let (cols, vals) = a.row(i);
    let others = cols.iter().zip(vals).filter(|&(&j, _)| j as usize != i);
    others.map(|(_, v)| v.abs()).fold(0.0, f64::max)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Amg, AmgOptions};
    use super::*;
    use crate::{Cg, LinearSystem, Solver, StopRule};
    use residua_data::CooBuilder;
    use residua_data::poisson::{PoissonKind, PoissonProblem};

    /// Five-point stencil with cell coefficients exp(σ g), g about normal, harmonic means between cells.
    fn log_normal(n: usize, sigma: f64) -> CsrMatrix<f64> {
        let noise: Vec<Vec<f64>> =
            (0..12).map(|k| residua_data::poisson::uniform_rhs(n * n, 7 + k)).collect();
        // Sums of 12 uniform numbers on (−1, 1) have the variance 4.
        let cell: Vec<f64> =
            (0..n * n).map(|i| (0.5 * sigma * noise.iter().map(|u| u[i]).sum::<f64>()).exp()).collect();
        let mut coo = CooBuilder::new(n * n, n * n).unwrap();
        for i in 0..n {
            for j in 0..n {
                let me = i * n + j;
                let mut diagonal = if i == 0 || j == 0 { cell[me] } else { 0.0 };
                let near = [(i.wrapping_sub(1), j), (i + 1, j), (i, j.wrapping_sub(1)), (i, j + 1)];
                for (k, l) in near.into_iter().filter(|&(k, l)| k < n && l < n) {
                    let w = 2.0 / (1.0 / cell[me] + 1.0 / cell[k * n + l]);
                    diagonal += w;
                    coo.push(me, k * n + l, -w).unwrap();
                }
                coo.push(me, me, diagonal).unwrap();
            }
        }
        coo.build().unwrap()
    }

    fn name(a: &CsrMatrix<f64>) -> &'static str {
        Amg::new(a).unwrap().coarsening()
    }

    #[test]
    fn rough_coefficients_are_coarsened_classically() {
        for sigma in [3.0, 6.0] {
            let a = log_normal(60, sigma);
            let m = Amg::new(&a).unwrap();
            assert_eq!(m.coarsening(), "classical", "{sigma}: {}", Sample::of(&a).roughness);
            assert!(m.coarsening_reason().contains("vary"));
            let b = vec![1.0; a.nrows()];
            let mut x = vec![0.0; a.nrows()];
            let system = LinearSystem::new(&a, &b).unwrap();
            let stop = StopRule::rtol(1e-8).with_max_iters(20);
            assert!(Cg::new(m).solve(&system, &mut x, &stop, &mut ()).unwrap().converged());
        }
        assert_eq!(name(&log_normal(60, 0.7)), "smoothed-aggregation");
    }

    #[test]
    fn stencils_and_regions_are_aggregated_at_any_scale() {
        for (kind, dim, n) in [
            (PoissonKind::Constant, 2, 50),
            (PoissonKind::Anisotropic, 2, 50),
            (PoissonKind::Jump, 3, 32),
            (PoissonKind::Jump, 2, 64),
            (PoissonKind::Obstacles, 2, 50),
            (PoissonKind::Convection, 2, 50),
        ] {
            let a = PoissonProblem::new(kind, dim, n).build().unwrap().matrix;
            assert_eq!(name(&a), "smoothed-aggregation", "{kind} {dim}D");
            assert_eq!(name(&a.map(|v| 1e-12 * v)), "smoothed-aggregation");
        }
        assert_eq!(name(&log_normal(60, 4.0).map(|v| 1e9 * v)), "classical");
        assert_eq!(name(&log_normal(60, 4.0).map(|v| -v)), "classical");
    }

    #[test]
    fn what_is_asked_for_is_reported() {
        let a = log_normal(40, 4.0);
        let options = AmgOptions {
            coarsening: Coarsening::SmoothedAggregation(AggregationOptions::default()),
            ..AmgOptions::default()
        };
        let m = Amg::with_options(&a, &options).unwrap();
        assert_eq!((m.coarsening(), m.coarsening_reason()), ("smoothed-aggregation", "asked for"));
        let ones = vec![vec![1.0; a.nrows()]];
        let given = Amg::with_near_null_space(&a, &AmgOptions::default(), &ones).unwrap();
        assert_eq!(given.coarsening(), "smoothed-aggregation");
        let blocks = AmgOptions { block_size: 2, ..AmgOptions::default() };
        assert_eq!(Amg::with_options(&a, &blocks).unwrap().coarsening(), "smoothed-aggregation");
    }
}
