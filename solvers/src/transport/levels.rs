//! A start for large clouds from a smaller one.
//!
//! Runs of points in order of space are replaced by their centres of mass. The small problem is solved, itself from a
//! smaller one, at an ε_c ≥ ε that does not resolve less than the runs' extent: the mean cost from a point to its
//! centre, in whole stages 4ᵏ ε. Its potentials extend to all points by the soft c-transform
//!
//! ```text
//! v_j = log b_j − log Σ_I exp(U_I − C(X_I, y_j)/ε_c),
//! ```
//!
//! which is as smooth as the cost; the first sweep does the same for the rows.

use super::TransportOptions;
use super::TransportStatus;
use super::auto::{FACTOR, STAGE_TOL};
use super::reduced::{Costs, Reduced};
use super::run::{Run, Work};
use super::sweep::{Ask, Pass, Sums, sweep};

/// Points of a run.
const RUN: usize = 16;

/// Pairs for which it pays.
const PAIRS: usize = 1 << 22;

/// Centres of the runs of points given axis by axis, and Σ of the weights.
fn centres(points: &[f64], dim: usize, weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let n = weights.len();
    let masses: Vec<f64> = weights.chunks(RUN).map(|w| w.iter().sum()).collect();
    let mut all = Vec::with_capacity(dim * masses.len());
    for axis in points.chunks_exact(n) {
        let runs = axis.chunks(RUN).zip(weights.chunks(RUN)).zip(&masses);
        all.extend(runs.map(|((x, w), mass)| x.iter().zip(w).map(|(x, w)| x * (w / mass)).sum::<f64>()));
    }
    (all, masses)
}

impl Run<'_> {
    /// Sets the potentials from a smaller problem; returns the stage k (ε_k = 4ᵏ ε) that they are for, `None` where
    /// the problem is not of that kind.
    pub(super) fn start_from_smaller(&mut self, max_cost: f64) -> Result<Option<i32>, TransportStatus> {
        let problem = self.problem;
        let (n, m) = (problem.n(), problem.m());
        let Costs::Points { x, y, dim, ground } = &problem.costs else { return Ok(None) };
        if problem.tiles.is_none() || n * m < PAIRS || n.min(m) < 4 * RUN {
            return Ok(None);
        }
        let dim = *dim;
        let ((x_c, a), (y_c, b)) = (centres(x, dim, &problem.a), centres(y, dim, &problem.b));
        let extent = |points: &[f64], centres: &[f64], weights: &[f64]| -> f64 {
            let (n, k) = (weights.len(), weights.len().div_ceil(RUN));
            let (mut point, mut centre) = (vec![0.0; dim], vec![0.0; dim]);
            let mut sum = 0.0;
            for i in 0..n {
                for axis in 0..dim {
                    point[axis] = points[axis * n + i];
                    centre[axis] = centres[axis * k + i / RUN];
                }
                sum += weights[i] * ground.between(&point, &centre);
            }
            sum
        };
        let extent = extent(x, &x_c, &problem.a).max(extent(y, &y_c, &problem.b));
        let mut stage = 0;
        while self.epsilon * FACTOR.powi(stage) < extent
            && self.epsilon * FACTOR.powi(stage) <= 0.25 * max_cost
        {
            stage += 1;
        }
        let epsilon = self.epsilon * FACTOR.powi(stage);
        let costs = Costs::Points { x: x_c.clone(), y: y_c, dim, ground: *ground };
        let small = Reduced::of(a.clone(), b, costs, true, true);
        let options = TransportOptions { tol: STAGE_TOL.max(self.options.tol), ..self.options.clone() };
        let (mut work, mut silent) = (Work::default(), ());
        work.start(&small);
        let mut run = self.with(&small, &options, epsilon, &mut work, &mut silent);
        match run.auto(max_cost, false) {
            TransportStatus::Converged | TransportStatus::Stagnated | TransportStatus::MaxIterations => {}
            status @ (TransportStatus::TimeLimit | TransportStatus::Interrupted) => return Err(status),
            _ => return Ok(None),
        }
        let costs = Costs::Points { x: y.clone(), y: x_c, dim, ground: *ground };
        let extension = Reduced::of(problem.b.clone(), a, costs, true, false);
        let mut v = vec![f64::NAN; m];
        sweep(&extension, 1.0 / epsilon, Pass::Relax(1.0), Ask::ALL, &mut v, &work.u, &mut Sums::default());
        if v.iter().any(|v| !v.is_finite()) {
            return Ok(None);
        }
        self.work.v.copy_from_slice(&v);
        Ok(Some(stage))
    }
}
