//! FGMRES on K with a constraint preconditioner,
//!
//! ```text
//! P = [ D  Jᵀ   ]      D = diag(H) + Σ + δ_w, kept positive
//!     [ J  −δ_c ]
//! ```
//!
//! P⁻¹K has the eigenvalue 1 with multiplicity 2m, and those of ZᵀHZ against ZᵀDZ (Keller, Gould and Wathen 2000, SIAM J. Matrix
//! Anal. 21(4)). P is factorized as [`Direct`] factorizes K. No inertia is known; in its place a few Lanczos steps with P look for
//! negative curvature on the null space of J (the smallest Ritz value; exact where n − m is no more than the steps), and a
//! solution whose curvature dᵀ(H + Σ + δ_w)d + max(−λ⁺ᵀ(J d), 0) is not positive asks for a larger δ_w as well (Chiang and
//! Zavala 2016, *Comput. Optim. Appl.* 64).

use super::{Direct, KktSolver, KktSystem, Reached, Setup};
use crate::constrained::outcome::MinimizeError;
use crate::constrained::sparse::{Rows, dot, norm2, scattered};
use crate::krylov::Fgmres;
use crate::{LinearSystem, Preconditioner, SolveError, Solver, StopRule};
use faer::{Mat, Side};

/// Entries of D are at least this share of the largest.
const LEAST_DIAGONAL: f64 = 1e-6;

/// ... and this share of the largest in their row of H.
const OFF_DIAGONAL: f64 = 0.1;

/// Curvature along a step, over its squared length, that counts as positive.
const CURVATURE: f64 = 1e-10;

/// Lanczos steps in search of negative curvature, and the share of the largest Ritz value that counts as positive.
const LANCZOS: usize = 12;
const LEAST_RITZ: f64 = 1e-9;

/// Relative residual of a solve that has gained nothing.
const STUCK: f64 = 0.9;

/// FGMRES with a constraint preconditioner.
pub(crate) struct Krylov {
    preconditioner: Direct,
    diagonal: Option<Rows>,
    zero: Vec<f64>,
    reason: &'static str,
    max_inner: usize,
    /// The seed of the next sketched Hessian, the last one, and where it was taken.
    sketch: Option<u64>,
    sketched: Option<(Vec<f64>, Rows)>,
}

impl Krylov {
    pub(crate) fn new(reason: &'static str, max_inner: usize) -> Self {
        let preconditioner = Direct::new("preconditioner");
        Self {
            preconditioner,
            diagonal: None,
            zero: Vec::new(),
            reason,
            max_inner,
            sketch: None,
            sketched: None,
        }
    }

    /// P with a random estimate of the Hessian, from the problem, in place of D: for Hessians of sums over samples, which cost
    /// more to form than a few products (sub-sampled Newton-CG; Xu, Roosta and Mahoney 2020, Math. Program. 184).
    pub(crate) fn with_sketched_hessian(seed: u64, max_inner: usize) -> Self {
        Self {
            sketch: Some(seed),
            ..Self::new("the Hessian of some samples as preconditioner of gmres", max_inner)
        }
    }

    fn setup_sketched(&mut self, system: &KktSystem<'_>, seed: u64) -> Result<(Setup, f64), MinimizeError> {
        if self.sketched.as_ref().is_none_or(|(w, _)| w != system.w) {
            let h = system.model.sketched_hessian(system.w, system.sigma, system.lambda, seed);
            self.sketched = h.map(|h| (system.w.to_vec(), h));
            self.sketch = Some(seed.wrapping_add(1));
        }
        let Some((_, h)) = &self.sketched else { return Ok((Setup::Singular, 0.0)) };
        self.preconditioner.setup(&KktSystem { h: Some(h), ..*system })
    }

    /// The smallest of the Ritz values of H + Σ + δ_w against D on the null space of J is positive. Lanczos, with every vector
    /// orthogonalised against all before it; also the operations.
    fn is_positive(&mut self, system: &KktSystem<'_>, d: &[f64]) -> (bool, f64) {
        let (n, m) = (system.n(), system.m());
        let steps = n.saturating_sub(m).min(LANCZOS);
        let mut basis: Vec<(Vec<f64>, Vec<f64>)> = Vec::with_capacity(steps);
        let mut work = vec![0.0; n + m];
        (0..n).for_each(|i| work[i] = d[i] * scattered(i));
        let mut first = 0.0;
        for k in 0..steps {
            self.preconditioner.apply_factors(&mut work);
            let mut v = work[..n].to_vec();
            let inner = |a: &[f64], b: &[f64]| -> f64 { (0..n).map(|i| a[i] * d[i] * b[i]).sum() };
            for _ in 0..2 {
                for (u, _) in &basis {
                    let along = inner(u, &v);
                    v.iter_mut().zip(u).for_each(|(v, u)| *v -= along * u);
                }
            }
            let norm = inner(&v, &v).sqrt();
            if k == 0 {
                first = norm;
            }
            if !(norm > 1e-10 * first) {
                break;
            }
            v.iter_mut().for_each(|v| *v /= norm);
            let mut hv = vec![0.0; n];
            system.apply_hessian(&v, &mut hv);
            work[..n].copy_from_slice(&hv);
            work[n..].fill(0.0);
            first = first.max(norm);
            basis.push((v, hv));
        }
        let size = basis.len();
        let flops = size as f64
            * (self.preconditioner.solve_flops(n + m) + system.product_flops() + (6 * n * size) as f64);
        let ritz = Mat::from_fn(size, size, |i, j| {
            0.5 * (dot(&basis[i].0, &basis[j].1) + dot(&basis[j].0, &basis[i].1))
        });
        let Ok(values) = ritz.self_adjoint_eigenvalues(Side::Lower) else { return (false, flops) };
        let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        (values.iter().all(|v| *v > LEAST_RITZ * largest), flops)
    }
}

struct Factors<'a>(&'a mut Direct);

impl Preconditioner<f64> for Factors<'_> {
    fn name(&self) -> &'static str {
        "constraint"
    }

    fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        z.copy_from_slice(r);
        self.0.apply_factors(z);
        Ok(())
    }
}

impl KktSolver for Krylov {
    fn describe(&self) -> String {
        match self.sketch {
            Some(_) => format!("sketched: {}", self.reason),
            None => format!("gmres with a constraint preconditioner: {}", self.reason),
        }
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn setup(&mut self, system: &KktSystem<'_>) -> Result<(Setup, f64), MinimizeError> {
        if let Some(seed) = self.sketch {
            return self.setup_sketched(system, seed);
        }
        let n = system.n();
        let mut d = Rows::new((0..=n).collect(), (0..n as u32).collect(), n);
        for i in 0..n {
            let h = system.h.map_or(1.0, |h| h.row(i).1.last().copied().unwrap_or(0.0));
            d.values[i] = (h + system.diagonal[i] + system.delta_w).abs();
        }
        if let Some(h) = system.h {
            // A diagonal of zero beside large entries says nothing of the size of its row.
            for i in 0..n {
                let (columns, values) = h.row(i);
                for (&j, v) in columns.iter().zip(values) {
                    let v = OFF_DIAGONAL * v.abs();
                    d.values[i] = d.values[i].max(v);
                    d.values[j as usize] = d.values[j as usize].max(v);
                }
            }
        }
        let largest = d.values.iter().fold(0.0, |m: f64, v| m.max(*v));
        let least = if largest > 0.0 { LEAST_DIAGONAL * largest } else { 1.0 };
        d.values.iter_mut().for_each(|v| *v = v.max(least));
        self.zero.resize(n, 0.0);
        let d = self.diagonal.insert(d);
        let (zero, delta_w) = (&self.zero, 0.0);
        let preconditioner = KktSystem { h: Some(d), diagonal: zero, delta_w, ..*system };
        let (mut setup, mut flops) = self.preconditioner.setup(&preconditioner)?;
        if setup == Setup::Ready {
            let d = std::mem::take(&mut d.values);
            let (positive, more) = self.is_positive(system, &d);
            flops += more;
            if !positive {
                setup = Setup::Indefinite;
            }
        }
        Ok((setup, flops))
    }

    fn solve(&mut self, system: &KktSystem<'_>, b: &[f64], z: &mut [f64], target: f64) -> Reached {
        let mut reached = Reached { relative_residual: f64::INFINITY, exhausted: true, ..Reached::default() };
        let flops = self.preconditioner.solve_flops(b.len()) + system.product_flops();
        let Ok(linear) = LinearSystem::new(system, b) else { return reached };
        let restart = b.len().clamp(1, 200);
        let limit = self.max_inner.min(20 * restart);
        let mut solver = Fgmres::new(Factors(&mut self.preconditioner)).with_restart(restart);
        let stop = StopRule::rtol(target.max(1e-14)).with_max_iters(limit);
        if let Ok(outcome) = solver.solve(&linear, z, &stop, &mut ()) {
            reached.relative_residual = outcome.relative_residual;
            reached.iterations = outcome.iterations;
            reached.flops = outcome.iterations as f64 * flops;
            reached.exhausted = !outcome.converged();
        }
        // Nothing gained: K is singular or nearly so, and no inertia is at hand to say why.
        let stuck = reached.exhausted && reached.relative_residual > STUCK;
        reached.negative_curvature = stuck || is_negative(system, b, z);
        reached
    }
}

/// Whether the curvature dᵀ(H + Σ + δ_w)d + max(−λ⁺ᵀ(J d), 0) along the step of z is not positive.
pub(super) fn is_negative(system: &KktSystem<'_>, b: &[f64], z: &[f64]) -> bool {
    let n = system.n();
    let mut curved = vec![0.0; n];
    system.apply_hessian(&z[..n], &mut curved);
    let length = norm2(&z[..n]);
    let normal: f64 = (0..system.m()).map(|i| -(system.lambda[i] + z[n + i]) * b[n + i]).sum();
    length > 0.0 && dot(&curved, &z[..n]) + normal.max(0.0) < CURVATURE * length * length
}
