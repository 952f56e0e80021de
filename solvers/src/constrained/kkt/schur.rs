//! Conjugate gradients on the Schur complement, for constraints J = [A B] with an elliptic A (`pairing`) and a diagonal
//! H + Σ + δ_w = diag(D_A, D_B) > 0:
//!
//! ```text
//! S = A D_A⁻¹ A + B D_B⁻¹ Bᵀ + δ_c,    S y = J D⁻¹ b₁ − b₂,    x = D⁻¹ (b₁ − Jᵀ y)
//! Ŝ = Â D_A⁻¹ Â,   Â = ±A + M,   M = diag(D_A)^½ diag(B D_B⁻¹ Bᵀ + δ_c)^½
//! ```
//!
//! Pearson and Wathen (2012), *Numer. Linear Algebra Appl.* 19: where M commutes with the rest the eigenvalues of Ŝ⁻¹S lie in [½, 1]
//! for every mesh and every weight, so that the number of steps does not depend on n. Â⁻¹ is a cycle of multigrid (`elliptic`).
//! As D is diagonal it is eliminated exactly, which leaves CG on a definite system in place of MINRES on K. D > 0 proves that the
//! inertia of K is right. Where D has other entries, or A changes its kind, [`Direct`] solves.

use super::elliptic::{Elliptic, Stencil, stencil};
use super::pairing::{Pairing, pair};
use super::{Direct, KktSolver, KktSystem, Reached, Setup};
use crate::constrained::outcome::MinimizeError;
use crate::constrained::sparse::{Rows, all_finite, norm_inf, norm2};
use crate::krylov::Fcg;
use crate::{LinearOperator, LinearSystem, Preconditioner, SolveError, Solver, StopRule};
use residua_data::CsrMatrix;

/// Cycles of multigrid for one application of Â⁻¹. Measured on Poisson control, two take a quarter fewer steps and 10% more time.
pub(crate) const CYCLES: usize = 1;

/// Most steps of one solve.
const MAX_STEPS: usize = 200;

/// A Newton step is solved to this at least: with a fixed rate of about 6 a step, digits are cheaper here than in another
/// Newton step.
const ACCURATE: f64 = 1e-12;

/// Diagonal entries of D below this share of the largest are not positive.
const POSITIVE: f64 = 1e-14;

/// See the module.
pub(crate) struct Schur {
    pairing: Pairing,
    reason: String,
    direct: Option<Direct>,
    d: Vec<f64>,
    /// D_A by rows of A.
    d_a: Vec<f64>,
    /// J as the problem gives it, before its rows were scaled, which would hide a symmetric A.
    given: Rows,
    delta_c: Vec<f64>,
    j: Option<CsrMatrix<f64>>,
    jt: Option<CsrMatrix<f64>>,
    stencil: Option<Stencil>,
    shift: Vec<f64>,
    elliptic: Option<Elliptic>,
    work: Vec<f64>,
    warnings: Vec<String>,
}

/// Whether H has entries on its diagonal alone.
pub(crate) fn is_diagonal(h: &Rows) -> bool {
    h.nnz() == h.nrows() && (0..h.nrows()).all(|i| h.row(i).0 == [i as u32])
}

impl Schur {
    pub(crate) fn new(pairing: Pairing, reason: String) -> Self {
        Self {
            pairing,
            reason,
            direct: None,
            d: Vec::new(),
            d_a: Vec::new(),
            given: Rows::default(),
            delta_c: Vec::new(),
            j: None,
            jt: None,
            stencil: None,
            shift: Vec::new(),
            elliptic: None,
            work: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// D, J and Â of `system`; false where they are not of the kind.
    fn build(&mut self, system: &KktSystem<'_>) -> Option<()> {
        let h = system.h.filter(|h| is_diagonal(h))?;
        let (n, m) = (system.n(), system.m());
        self.d.clear();
        self.d.extend((0..n).map(|i| h.values[i] + system.diagonal[i] + system.delta_w));
        let largest = self.d.iter().fold(0.0, |m: f64, v| m.max(*v));
        if !self.d.iter().all(|d| *d > POSITIVE * largest && d.is_finite()) {
            return None;
        }
        let scale = &system.model.c_scale;
        let mut j = system.j.clone();
        for i in 0..m {
            j.values[j.starts[i]..j.starts[i + 1]].iter_mut().for_each(|v| *v /= scale[i]);
        }
        if self.j.is_none() || self.given.values != j.values {
            self.pairing = pair(&j)?;
            self.stencil = stencil(&j, &self.pairing);
            let by_rows = matrix(&j)?;
            (self.jt, self.j, self.elliptic) = (Some(by_rows.transpose()), Some(by_rows), None);
            self.given = j;
        }
        self.delta_c.clear();
        self.delta_c.extend(scale.iter().map(|c| system.delta_c / (c * c)));
        let d_a: Vec<f64> = self.pairing.column.iter().map(|&c| self.d[c as usize]).collect();
        let shift: Vec<f64> = (0..m)
            .map(|i| {
                let (columns, values) = self.given.row(i);
                let outside =
                    columns.iter().zip(values).filter(|(c, _)| self.pairing.row[**c as usize] == u32::MAX);
                let sum: f64 = outside.map(|(&c, &v)| v * v / self.d[c as usize]).sum();
                (d_a[i] * (sum + self.delta_c[i])).sqrt()
            })
            .collect();
        if self.elliptic.is_none() || self.shift != shift {
            let stencil = self.stencil.as_ref();
            self.elliptic = Some(Elliptic::new(&self.given, &self.pairing, stencil, &shift)?);
            self.shift = shift;
        }
        self.d_a = d_a;
        Some(())
    }

    fn step_flops(&self, system: &KktSystem<'_>) -> f64 {
        step_flops(self.pairing.nnz, system.j.nnz(), system.n(), system.m())
    }
}

/// Operations of one step: two applications of Â⁻¹ (a cycle takes about 12 operations for each entry of A, its residual 2),
/// and products with J and Jᵀ.
pub(crate) fn step_flops(a_nnz: usize, j_nnz: usize, n: usize, m: usize) -> f64 {
    (2 * CYCLES * 14 * a_nnz + 4 * j_nnz + n + 12 * m) as f64
}

fn matrix(j: &Rows) -> Option<CsrMatrix<f64>> {
    let starts = j.starts.iter().map(|&s| u32::try_from(s).ok()).collect::<Option<_>>()?;
    CsrMatrix::try_new(j.nrows(), j.ncols, starts, j.columns.clone(), j.values.clone()).ok()
}

/// S.
struct Complement<'a> {
    j: &'a CsrMatrix<f64>,
    jt: &'a CsrMatrix<f64>,
    d: &'a [f64],
    delta_c: &'a [f64],
    work: std::sync::Mutex<&'a mut [f64]>,
}

impl LinearOperator<f64> for Complement<'_> {
    fn nrows(&self) -> usize {
        self.j.nrows()
    }
    fn ncols(&self) -> usize {
        self.j.nrows()
    }
    fn apply(&self, y: &[f64], out: &mut [f64]) {
        let work = &mut **self.work.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.jt.multiply(y, work);
        work.iter_mut().zip(self.d).for_each(|(w, d)| *w /= d);
        self.j.multiply(work, out);
        out.iter_mut().zip(y).zip(self.delta_c).for_each(|((o, y), d)| *o += d * y);
    }
}

/// Ŝ⁻¹ = Â⁻¹ D_A Â⁻¹.
struct Approximation<'a> {
    elliptic: &'a mut Elliptic,
    d_a: &'a [f64],
    middle: Vec<f64>,
}

impl Preconditioner<f64> for Approximation<'_> {
    fn name(&self) -> &'static str {
        "pearson-wathen"
    }

    fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        self.elliptic.solve(CYCLES, r, &mut self.middle)?;
        self.middle.iter_mut().zip(self.d_a).for_each(|(v, d)| *v *= d);
        self.elliptic.solve(CYCLES, &self.middle, z)
    }
}

impl KktSolver for Schur {
    fn describe(&self) -> String {
        match self.direct {
            Some(_) => "direct: the Schur complement has no multigrid here".to_owned(),
            None => match &self.elliptic {
                Some(elliptic) => format!("{} ({})", self.reason, elliptic.name()),
                None => self.reason.clone(),
            },
        }
    }

    fn is_exact(&self) -> bool {
        self.direct.is_some()
    }

    fn proves_inertia(&self) -> bool {
        true
    }

    fn setup(&mut self, system: &KktSystem<'_>) -> Result<(Setup, f64), MinimizeError> {
        if let Some(direct) = &mut self.direct {
            return direct.setup(system);
        }
        if self.build(system).is_some() {
            // Setting up multigrid costs about ten cycles.
            return Ok((Setup::Ready, 5.0 * self.step_flops(system)));
        }
        self.direct.insert(Direct::new("the Schur complement has no multigrid here")).setup(system)
    }

    fn solve(&mut self, system: &KktSystem<'_>, b: &[f64], z: &mut [f64], target: f64) -> Reached {
        if let Some(direct) = &mut self.direct {
            return direct.solve(system, b, z, target);
        }
        let flops = self.step_flops(system);
        let mut reached = Reached { relative_residual: f64::INFINITY, exhausted: true, ..Reached::default() };
        let (n, m) = (system.n(), system.m());
        let (b1, b2) = b.split_at(n);
        let (Some(j), Some(jt), Some(elliptic)) = (&self.j, &self.jt, &mut self.elliptic) else {
            return reached;
        };
        self.work.resize(n, 0.0);
        let mut rhs = vec![0.0; m];
        self.work.iter_mut().zip(b1).zip(&self.d).for_each(|((w, b), d)| *w = b / d);
        j.multiply(&self.work, &mut rhs);
        let c = &system.model.c_scale;
        rhs.iter_mut().zip(b2).zip(c).for_each(|((r, b), c)| *r -= b / c);
        let goal = target.min(ACCURATE) * norm2(b) / norm_inf(c);
        z[n..].iter_mut().zip(c).for_each(|(y, c)| *y *= c);
        let scale = norm2(&rhs);
        {
            let operator = Complement {
                j,
                jt,
                d: &self.d,
                delta_c: &self.delta_c,
                work: std::sync::Mutex::new(&mut self.work),
            };
            let y = &mut z[n..];
            let precond = Approximation { elliptic, d_a: &self.d_a, middle: vec![0.0; m] };
            if scale > 0.0 {
                let Ok(linear) = LinearSystem::new(&operator, &rhs) else { return reached };
                let stop = StopRule::rtol((goal / scale).clamp(1e-15, 0.5)).with_max_iters(MAX_STEPS);
                if let Ok(outcome) = Fcg::new(precond).solve(&linear, y, &stop, &mut ()) {
                    reached.iterations = outcome.iterations;
                    reached.flops = (outcome.iterations + 1) as f64 * flops;
                }
            } else {
                y.fill(0.0);
            }
        }
        let (x, y) = z.split_at_mut(n);
        jt.multiply(y, x);
        y.iter_mut().zip(c).for_each(|(y, c)| *y /= c);
        x.iter_mut().zip(b1).zip(&self.d).for_each(|((x, b), d)| *x = (b - *x) / d);
        self.work.resize(n + m, 0.0);
        system.residual(b, z, &mut self.work);
        reached.relative_residual = norm2(&self.work) / norm2(b).max(f64::MIN_POSITIVE);
        reached.exhausted = !(reached.relative_residual <= target.max(1e-12));
        if !(reached.relative_residual <= USABLE) || !all_finite(z) {
            self.warnings.push(format!(
                "the Schur complement was solved to {:.1e} only: factorized instead",
                reached.relative_residual
            ));
            let mut direct = Direct::new("the Schur complement was not solved");
            if let Ok((_, flops)) = direct.setup(system) {
                reached.flops += flops;
                z.fill(0.0);
                let again = direct.solve(system, b, z, target);
                reached =
                    Reached { flops: reached.flops + again.flops, iterations: reached.iterations, ..again };
            }
            self.direct = Some(direct);
        }
        reached
    }

    fn take_warnings(&mut self) -> Vec<String> {
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.extend(self.direct.iter_mut().flat_map(Direct::take_warnings));
        warnings
    }
}

/// Relative residual that a Newton direction must have at least.
const USABLE: f64 = 1e-4;
