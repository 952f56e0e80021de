//! Newton's method for the semi-dual on the support of the plan.
//!
//! With y = F = exp(v − v⁰), the rows eliminated exactly by E_i = a_i / (Σ_j P⁰_ij F_j + r_i), and r, l the mass of rows and
//! columns off the support (which goes on with E and F), minimise
//!
//! ```text
//! Φ(v) = Σ_j l_j F_j − Σ a_i log E_i − Σ b_j log F_j,   ∇Φ = c − b,   c_j = F_j (Σ_i P⁰_ij E_i + l_j)
//! ∇²Φ = diag(c) − Sᵀ diag(1/a) S,   S = E P⁰ F
//! ```
//!
//! The Hessian is the Schur complement of the Laplacian of a weighted bipartite graph, so it is positive semidefinite
//! with the constants as null space. Keeping full sums on its diagonal makes the sparsified one positive definite, as in
//! the safe sparsification of Tang and Qiu (2024), *Safe and sparse Newton method for entropic-regularized optimal
//! transport*. Here the function itself is sparsified, so that line searches cost O(nnz) too.
//!
//! Systems are solved by conjugate gradients with the diagonal; where these are slow and a factorization is predicted to
//! be cheaper, by a sparse Cholesky factorization of the Laplacian itself.

use super::support::Support;
use crate::direct::{DirectKind, Factorization, estimate_cholesky};
use residua_data::CsrMatrix;

/// Iterations before a factorization is considered.
const CG_PATIENCE: usize = 60;

/// Iterations of one system at most.
const CG_MAX: usize = 1000;

/// Counts of an excursion.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Effort {
    pub(super) newton: usize,
    pub(super) cg: usize,
    pub(super) factorizations: usize,
}

/// Workspace of the Newton stage.
#[derive(Debug, Default)]
pub(super) struct Newton {
    pub(super) support: Support,
    e: Vec<f64>,
    f: Vec<f64>,
    c: Vec<f64>,
    z: Vec<f64>,
    t: Vec<f64>,
    dv: Vec<f64>,
    trial: Vec<f64>,
    y: Vec<f64>,
    r: Vec<f64>,
    p: Vec<f64>,
    q: Vec<f64>,
    diagonal: Vec<f64>,
}

/// What an excursion aims at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aim {
    /// L1 error of the model at which to stop.
    pub(super) target: f64,
    /// Trust in the leaks: |v − v⁰| at most this.
    pub(super) radius: f64,
    /// Newton steps at most.
    pub(super) steps: usize,
}

impl Newton {
    /// Minimises Φ; adds log F to `v`.
    pub(super) fn excursion(&mut self, a: &[f64], b: &[f64], v: &mut [f64], aim: Aim) -> Effort {
        let (n, m) = (a.len(), b.len());
        for x in [&mut self.e, &mut self.t] {
            x.clear();
            x.resize(n, 1.0);
        }
        for x in [
            &mut self.f,
            &mut self.c,
            &mut self.z,
            &mut self.dv,
            &mut self.trial,
            &mut self.y,
            &mut self.r,
            &mut self.p,
            &mut self.q,
            &mut self.diagonal,
        ] {
            x.clear();
            x.resize(m, 0.0);
        }
        let mut effort = Effort::default();
        let mut factor: Option<Factorization<f64>> = None;
        let mut use_factor = false;
        let mut phi = self.evaluate(a, b);
        let mut error: f64 = self.c.iter().zip(b).map(|(c, b)| (c - b).abs()).sum();
        while effort.newton < aim.steps && error > aim.target {
            let tau = (1e-3 * error).min(1e-6) / (n + m) as f64;
            let rtol = error.sqrt().min(0.1);
            let solved =
                !use_factor && self.conjugate_gradients(a, b, tau, rtol, &mut effort, &mut use_factor);
            if !solved && use_factor {
                if !self.factorized_step(a, b, tau, &mut factor) {
                    use_factor = false;
                    if effort.cg == 0 {
                        break;
                    }
                }
                effort.factorizations += 1;
            }
            effort.newton += 1;
            // Line search along z.
            let slope: f64 = self.z.iter().zip(self.c.iter().zip(b)).map(|(z, (c, b))| z * (c - b)).sum();
            let mean = self.z.iter().sum::<f64>() / m as f64;
            let length = self.z.iter().map(|z| (z - mean).abs()).fold(0.0, f64::max);
            if !(slope < 0.0 && length.is_finite()) {
                break;
            }
            let mut alpha = (4.0 * aim.radius / length).min(1.0);
            self.trial.copy_from_slice(&self.dv);
            let (mut accepted, before) = (false, error);
            for _ in 0..30 {
                for ((dv, old), z) in self.dv.iter_mut().zip(&self.trial).zip(&self.z) {
                    *dv = old + alpha * (z - mean);
                }
                let value = self.evaluate(a, b);
                let new_error: f64 = self.c.iter().zip(b).map(|(c, b)| (c - b).abs()).sum();
                let slack = 1e-13 * (1.0 + phi.abs());
                if value.is_finite()
                    && (value <= phi + 1e-4 * alpha * slope || (value <= phi + slack && new_error < error))
                {
                    (phi, error, accepted) = (value, new_error, true);
                    break;
                }
                alpha *= 0.5;
            }
            if !accepted {
                self.dv.copy_from_slice(&self.trial);
                break;
            }
            let moved = self.dv.iter().map(|d| d.abs()).fold(0.0, f64::max);
            if moved > aim.radius || (error > 0.9 * before && effort.newton > 3) {
                break;
            }
        }
        v.iter_mut().zip(&self.dv).for_each(|(v, d)| *v += d);
        effort
    }

    /// E of a row at the end of the last excursion.
    pub(super) fn row_factor(&self, i: usize) -> f64 {
        self.e[i]
    }

    /// F, E, c at `dv`; returns Φ.
    fn evaluate(&mut self, a: &[f64], b: &[f64]) -> f64 {
        let Self { support, e, f, c, dv, .. } = self;
        f.iter_mut().zip(&*dv).for_each(|(f, d)| *f = d.exp());
        let leaks = std::mem::take(&mut support.row_leak);
        support.pass(f, e, c, |i, s| a[i] / (s + leaks[i]));
        support.row_leak = leaks;
        let mut phi = 0.0;
        for (j, c) in c.iter_mut().enumerate() {
            let leak = support.col_leak[j] * f[j];
            phi += leak - b[j] * dv[j];
            *c = *c * f[j] + leak;
        }
        phi - a.iter().zip(&*e).map(|(a, e)| a * e.ln()).sum::<f64>()
    }

    /// z ≈ H⁻¹ (b − c). Says whether the tolerance was met; sets `factorize` where a factorization is cheaper.
    fn conjugate_gradients(
        &mut self,
        a: &[f64],
        b: &[f64],
        tau: f64,
        rtol: f64,
        effort: &mut Effort,
        factorize: &mut bool,
    ) -> bool {
        let Self { support, e, f, c, z, t, y, r, p, q, diagonal, .. } = self;
        let m = b.len();
        t.iter_mut().zip(e.iter().zip(a)).for_each(|(t, (e, a))| *t = e * e / a);
        support.squares(t, diagonal);
        for j in 0..m {
            let floor = 1e-3 * c[j];
            diagonal[j] = (c[j] - diagonal[j] * f[j] * f[j]).max(floor) + tau;
            z[j] = 0.0;
            r[j] = b[j] - c[j];
            p[j] = r[j] / diagonal[j];
        }
        let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        let target = rtol * norm(r);
        let mut rho: f64 = r.iter().zip(&*p).map(|(r, p)| r * p).sum();
        let mut cap = CG_PATIENCE;
        let mut k = 0;
        loop {
            for j in 0..m {
                y[j] = f[j] * p[j];
            }
            support.pass(y, t, q, |i, s| s * e[i] * e[i] / a[i]);
            let mut curvature = 0.0;
            for j in 0..m {
                q[j] = (c[j] + tau) * p[j] - f[j] * q[j];
                curvature += p[j] * q[j];
            }
            if !(curvature > 0.0) {
                return k > 0;
            }
            let alpha = rho / curvature;
            for j in 0..m {
                z[j] += alpha * p[j];
                r[j] -= alpha * q[j];
            }
            k += 1;
            effort.cg += 1;
            if norm(r) <= target {
                return true;
            }
            if k >= cap {
                if cap == CG_PATIENCE {
                    let nnz = support.nnz();
                    // A pass costs about 4 operations per entry, at a quarter of the speed of a factorization.
                    let flops =
                        if nnz < 4_000_000 { predicted_flops(support, a.len(), m) } else { f64::INFINITY };
                    cap = ((flops / (16.0 * nnz as f64)) as usize).clamp(CG_PATIENCE + 1, CG_MAX);
                    if cap > CG_PATIENCE + 1 {
                        continue_direction(r, diagonal, p, &mut rho);
                        continue;
                    }
                }
                *factorize = cap < CG_MAX;
                return false;
            }
            continue_direction(r, diagonal, p, &mut rho);
        }
    }

    /// z = H⁻¹ (b − c) by a factorization of the Laplacian; false where it fails.
    fn factorized_step(
        &mut self,
        a: &[f64],
        b: &[f64],
        tau: f64,
        factor: &mut Option<Factorization<f64>>,
    ) -> bool {
        let n = a.len();
        let Some(matrix) = self.support.laplacian(&self.e, &self.f, a, &self.c, tau) else { return false };
        let ready = match factor {
            Some(factor) => factor.refresh(&matrix).is_ok(),
            None => Factorization::new(DirectKind::Cholesky, &matrix).map(|f| *factor = Some(f)).is_ok(),
        };
        let Some(factor) = factor.as_mut().filter(|_| ready) else { return false };
        let mut rhs = vec![0.0; n + b.len()];
        rhs[n..].iter_mut().zip(b.iter().zip(&self.c)).for_each(|(x, (b, c))| *x = b - c);
        factor.solve_in_place(&mut rhs);
        self.z.copy_from_slice(&rhs[n..]);
        self.z.iter().all(|z| z.is_finite())
    }
}

/// p ← D⁻¹ r + β p.
fn continue_direction(r: &[f64], diagonal: &[f64], p: &mut [f64], rho: &mut f64) {
    let new: f64 = r.iter().zip(diagonal).map(|(r, d)| r * r / d).sum();
    let beta = new / *rho;
    *rho = new;
    for ((p, r), d) in p.iter_mut().zip(r).zip(diagonal) {
        *p = r / d + beta * *p;
    }
}

fn predicted_flops(support: &Support, n: usize, m: usize) -> f64 {
    let ones = vec![1.0; n.max(m)];
    let pattern = support.laplacian(&ones[..n], &ones[..m], &ones[..n], &ones[..m], 0.0);
    pattern.and_then(|p| estimate_cholesky(&p).ok()).map_or(f64::INFINITY, |e| e.flops)
}

impl Support {
    /// The half of [[diag a, S], [Sᵀ, diag c + τ]] on and above the diagonal, which is what the factorization reads.
    fn laplacian(&self, e: &[f64], f: &[f64], a: &[f64], c: &[f64], tau: f64) -> Option<CsrMatrix<f64>> {
        let (n, m) = (a.len(), c.len());
        let mut row_ptr = Vec::with_capacity(n + m + 1);
        let mut cols = Vec::with_capacity(self.nnz() + n + m);
        let mut values = Vec::with_capacity(self.nnz() + n + m);
        row_ptr.push(0);
        for i in 0..n {
            cols.push(i as u32);
            values.push(a[i]);
            for k in self.row_ptr[i]..self.row_ptr[i + 1] {
                let j = self.cols[k] as usize;
                cols.push((n + j) as u32);
                values.push(e[i] * self.values[k] * f[j]);
            }
            row_ptr.push(cols.len() as u32);
        }
        for j in 0..m {
            cols.push((n + j) as u32);
            values.push(c[j] + tau);
            row_ptr.push(cols.len() as u32);
        }
        CsrMatrix::try_new(n + m, n + m, row_ptr, cols, values).ok()
    }
}
