//! Sinkhorn-Newton-Sparse as published (Tang, Shavlovsky, Rahmanian, Tardini, Thekumparampil, Xiao and Ying, 2024, *Accelerating
//! Sinkhorn algorithm with sparse Newton iterations*, ICLR): N₁ sweeps, then Newton on both potentials with the ⌈λ n m⌉ largest entries of
//! P in the Hessian, its diagonal in full, plain conjugate gradients, and halving steps.
//!
//! For reproduction. A fixed λ drops a fixed mass, so the steps along weakly joined parts are too short by a fixed
//! ratio and convergence is linear there, however many steps are made; `auto` lets the dropped mass fall with the error.

use super::TransportStatus;
use super::run::Run;
use super::sweep::{Ask, Pass, sweep};

/// Iterations of one system at most.
const CG_MAX: usize = 2000;
/// Reduction of its residual.
const CG_RTOL: f64 = 1e-8;

impl Run<'_> {
    pub(super) fn sns(&mut self) -> TransportStatus {
        match self.sns_steps() {
            Ok(()) => TransportStatus::Converged,
            Err(status) => status,
        }
    }

    fn sns_steps(&mut self) -> Result<(), TransportStatus> {
        let inv_eps = 1.0 / self.epsilon;
        let tol = self.options.tol;
        for _ in 0..self.options.sns_sweeps.max(1) {
            let error = self.sweep(inv_eps, 1.0, Ask::ALL);
            self.record(self.epsilon, error)?;
            if error <= tol {
                return Ok(());
            }
            self.update_columns(inv_eps, 1.0);
        }
        let (n, m) = (self.problem.n(), self.problem.m());
        let density = self.options.sns_density.unwrap_or(2.0 / n as f64);
        let keep = ((density * n as f64 * m as f64).ceil() as usize).clamp(1, n * m);
        let mut error = self.evaluate_state(inv_eps);
        loop {
            self.record(self.epsilon, error)?;
            if error <= tol {
                return Ok(());
            }
            let (step, slope) = self.sns_direction(inv_eps, keep);
            let (u, v, before) = (self.work.u.clone(), self.work.v.clone(), self.dual());
            let mut alpha = 1.0;
            loop {
                self.work.u.iter_mut().zip(&u).zip(&step[..n]).for_each(|((x, u), d)| *x = u + alpha * d);
                self.work.v.iter_mut().zip(&v).zip(&step[n..]).for_each(|((x, v), d)| *x = v + alpha * d);
                error = self.evaluate_state(inv_eps);
                let gain = self.dual() - before;
                if gain >= 1e-4 * alpha * slope
                    || (alpha == 1.0 && gain > -1e-12 * before.abs() && error < 1e-6)
                {
                    break;
                }
                alpha *= 0.5;
                if alpha < 1e-12 {
                    self.work.u.copy_from_slice(&u);
                    self.work.v.copy_from_slice(&v);
                    return Err(TransportStatus::Stagnated);
                }
            }
            self.newton += 1;
        }
    }

    fn evaluate_state(&mut self, inv_eps: f64) -> f64 {
        let work = &mut *self.work;
        sweep(self.problem, inv_eps, Pass::Evaluate, Ask::ALL, &mut work.u, &work.v, &mut work.sums);
        self.sweeps += 1;
        let distance = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).abs()).sum::<f64>();
        distance(&work.sums.rows, &self.problem.a) + distance(&work.sums.cols, &self.problem.b)
    }

    /// The Newton direction on (u, v), and its slope.
    fn sns_direction(&mut self, inv_eps: f64, keep: usize) -> (Vec<f64>, f64) {
        let (n, m) = (self.problem.n(), self.problem.m());
        let work = &*self.work;
        let mut entries = Vec::with_capacity(n * m);
        for i in 0..n {
            for j in 0..m {
                entries.push((work.u[i] + work.v[j] - self.problem.entry(i, j) * inv_eps).exp());
            }
        }
        let mut ranked = entries.clone();
        let (_, threshold, _) = ranked.select_nth_unstable_by(keep - 1, |x, y| y.total_cmp(x));
        let threshold = *threshold;
        let kept: Vec<(u32, u32, f64)> = entries
            .iter()
            .enumerate()
            .filter(|(_, p)| **p >= threshold)
            .map(|(k, p)| ((k / m) as u32, (k % m) as u32, *p))
            .collect();
        self.density = kept.len() as f64 / (n * m) as f64;
        let diagonal: Vec<f64> = work.sums.rows.iter().chain(&work.sums.cols).copied().collect();
        let weights = self.problem.a.iter().chain(&self.problem.b);
        let gradient: Vec<f64> = weights.zip(&diagonal).map(|(w, s)| w - s).collect();
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let (mut z, mut r) = (vec![0.0; n + m], gradient.clone());
        let scaled =
            |r: &[f64]| -> Vec<f64> { r.iter().zip(&diagonal).map(|(r, d)| r / d.max(1e-300)).collect() };
        let mut p = scaled(&r);
        let mut rho = dot(&r, &p);
        let target = CG_RTOL * dot(&r, &r).sqrt();
        for _ in 0..CG_MAX {
            let mut q: Vec<f64> = diagonal.iter().zip(&p).map(|(d, p)| d * p).collect();
            for &(i, j, value) in &kept {
                let (i, j) = (i as usize, n + j as usize);
                q[i] += value * p[j];
                q[j] += value * p[i];
            }
            let curvature = dot(&p, &q);
            if !(curvature > 0.0) {
                break;
            }
            let alpha = rho / curvature;
            z.iter_mut().zip(&p).for_each(|(z, p)| *z += alpha * p);
            r.iter_mut().zip(&q).for_each(|(r, q)| *r -= alpha * q);
            self.cg += 1;
            if dot(&r, &r).sqrt() <= target {
                break;
            }
            let s = scaled(&r);
            let new = dot(&r, &s);
            let beta = new / rho;
            rho = new;
            p.iter_mut().zip(&s).for_each(|(p, s)| *p = s + beta * *p);
        }
        let slope = dot(&gradient, &z);
        (z, slope)
    }
}
