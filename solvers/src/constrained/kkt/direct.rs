//! Factorizations with refinement: dense for small or dense systems, sparse for the rest, LU where that fails.

use super::dense::DenseLdl;
use super::sparse_ldl::SparseLdl;
use super::{Inertia, KktSolver, KktSystem, Reached, Setup};
use crate::constrained::outcome::MinimizeError;
use crate::constrained::sparse::{Rows, all_finite, norm2};
use crate::direct::{DirectKind, Factorization};
use crate::krylov::Fgmres;
use crate::{LinearOperator, LinearSystem, Preconditioner, SolveError, Solver, StopRule};
use residua_data::CooBuilder;

/// Systems up to this size are factorized as dense matrices.
const DENSE: usize = 200;

/// Larger ones too, up to this size, if this share of the lower triangle is stored.
const DENSE_IF_FULL: (usize, f64) = (3000, 0.25);

/// Relative residual at which refinement is content.
const ACCURATE: f64 = 1e-13;

/// Relative residual that a Newton direction must have at least.
const USABLE: f64 = 1e-6;

/// Steps of refinement by GMRES.
const REFINEMENT_STEPS: usize = 30;

enum Factors {
    None,
    Dense(Box<DenseLdl>),
    Sparse(Box<SparseLdl>),
}

/// Direct solution of K z = b.
pub(crate) struct Direct {
    factors: Factors,
    sparse: Option<Box<SparseLdl>>,
    lu: Option<Factorization<f64>>,
    correction: Vec<f64>,
    warnings: Vec<String>,
    reason: &'static str,
}

impl Direct {
    pub(crate) fn new(reason: &'static str) -> Self {
        Self {
            factors: Factors::None,
            sparse: None,
            lu: None,
            correction: Vec::new(),
            warnings: Vec::new(),
            reason,
        }
    }

    /// One with the symbolic part of its sparse factorization.
    pub(crate) fn with_analysis(reason: &'static str, sparse: Option<Box<SparseLdl>>) -> Self {
        Self { sparse, ..Self::new(reason) }
    }

    /// Whether K is factorized as a dense matrix.
    fn is_dense(h: &Rows, j: &Rows) -> bool {
        let size = h.nrows() + j.nrows();
        let stored = (h.nnz() + j.nnz()) as f64;
        size <= DENSE || size <= DENSE_IF_FULL.0 && stored > DENSE_IF_FULL.1 * 0.5 * (size * size) as f64
    }

    /// Operations of a factorization of K with these patterns, and the symbolic part if it is sparse; infinite where the
    /// factors do not fit into memory.
    pub(crate) fn analyse(h: &Rows, j: &Rows) -> (f64, Option<Box<SparseLdl>>) {
        if Self::is_dense(h, j) {
            return (((h.nrows() + j.nrows()) as f64).powi(3) / 3.0, None);
        }
        let sparse = SparseLdl::new(h, j).map(Box::new);
        (sparse.as_ref().map_or(f64::INFINITY, |s| s.flops), sparse)
    }

    /// F⁻¹ b in place, and the operations.
    pub(super) fn apply_factors(&mut self, b: &mut [f64]) {
        match (&mut self.lu, &mut self.factors) {
            (Some(lu), _) => lu.solve_in_place(b),
            (None, Factors::Dense(f)) => f.solve_in_place(b),
            (None, Factors::Sparse(f)) => f.solve_in_place(b),
            (None, Factors::None) => {}
        }
    }

    pub(super) fn solve_flops(&self, size: usize) -> f64 {
        match &self.factors {
            Factors::Sparse(f) => f.solve_flops,
            _ => 2.0 * (size * size) as f64,
        }
    }

    /// x ← x + F⁻¹ (b − K x) while that halves the residual.
    fn refine(&mut self, system: &KktSystem<'_>, b: &[f64], z: &mut [f64], target: f64) -> Reached {
        let scale = norm2(b).max(f64::MIN_POSITIVE);
        let mut reached = Reached { relative_residual: f64::INFINITY, ..Reached::default() };
        let mut r = std::mem::take(&mut self.correction);
        r.clear();
        r.resize(b.len(), 0.0);
        let mut best = z.to_vec();
        for _ in 0..8 {
            system.residual(b, z, &mut r);
            let relative = norm2(&r) / scale;
            if !(relative < reached.relative_residual) {
                break;
            }
            let halved = relative < 0.5 * reached.relative_residual;
            reached.relative_residual = relative;
            best.copy_from_slice(z);
            if relative <= target || !halved {
                break;
            }
            self.apply_factors(&mut r);
            z.iter_mut().zip(&r).for_each(|(z, d)| *z += d);
            reached.iterations += 1;
            reached.flops += self.solve_flops(b.len()) + system.product_flops();
        }
        z.copy_from_slice(&best);
        self.correction = r;
        reached
    }

    fn refine_by_gmres(&mut self, system: &KktSystem<'_>, b: &[f64], z: &mut [f64], reached: &mut Reached) {
        let Ok(linear) = LinearSystem::new(system, b) else { return };
        let flops = self.solve_flops(b.len()) + system.product_flops();
        let mut solver = Fgmres::new(AsPreconditioner(self)).with_restart(REFINEMENT_STEPS);
        let stop = StopRule::rtol(ACCURATE).with_max_iters(REFINEMENT_STEPS);
        let mut candidate = z.to_vec();
        if let Ok(outcome) = solver.solve(&linear, &mut candidate, &stop, &mut ()) {
            reached.iterations += outcome.iterations;
            reached.flops += outcome.iterations as f64 * flops;
            if outcome.relative_residual < reached.relative_residual && all_finite(&candidate) {
                reached.relative_residual = outcome.relative_residual;
                z.copy_from_slice(&candidate);
            }
        }
    }

    /// LU of K itself.
    fn factorize_lu(&mut self, system: &KktSystem<'_>) -> bool {
        self.lu = lu_of(system);
        self.lu.is_some()
    }
}

/// LU of K; none without a stored Hessian, or where it breaks down.
fn lu_of(system: &KktSystem<'_>) -> Option<Factorization<f64>> {
    let (n, m) = (system.n(), system.m());
    let h = system.h?;
    let mut coo = CooBuilder::new(n + m, n + m).ok()?;
    for i in 0..n {
        let (columns, values) = h.row(i);
        for (&j, &v) in columns.iter().zip(values) {
            let j = j as usize;
            let v = if i == j { v + system.diagonal[i] + system.delta_w } else { v };
            coo.push(i, j, v).ok()?;
            if i != j {
                coo.push(j, i, v).ok()?;
            }
        }
    }
    for i in 0..m {
        let (columns, values) = system.j.row(i);
        for (&j, &v) in columns.iter().zip(values) {
            coo.push(n + i, j as usize, v).ok()?;
            coo.push(j as usize, n + i, v).ok()?;
        }
        coo.push(n + i, n + i, -system.delta_c).ok()?;
    }
    Factorization::new(DirectKind::Lu, &coo.build().ok()?).ok()
}

/// The factors as a preconditioner.
struct AsPreconditioner<'a>(&'a mut Direct);

impl Preconditioner<f64> for AsPreconditioner<'_> {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        z.copy_from_slice(r);
        self.0.apply_factors(z);
        Ok(())
    }
}

impl KktSolver for Direct {
    fn describe(&self) -> String {
        format!("direct: {}", self.reason)
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn setup(&mut self, system: &KktSystem<'_>) -> Result<(Setup, f64), MinimizeError> {
        self.lu = None;
        let (n, m) = (system.n(), system.m());
        let Some(h) = system.h else {
            return Err(MinimizeError::NoHessianMatrix {
                method: "direct",
                limit: super::super::model::DENSE_HESSIAN,
            });
        };
        let size = n + m;
        let (inertia, flops): (Option<Inertia>, f64) = if Self::is_dense(h, system.j) {
            let dense = DenseLdl::new(system, h);
            let inertia = dense.inertia;
            self.factors = Factors::Dense(Box::new(dense));
            (Some(inertia), (size as f64).powi(3) / 3.0)
        } else {
            let mut sparse = match std::mem::replace(&mut self.factors, Factors::None) {
                Factors::Sparse(sparse) => Some(sparse),
                _ => self.sparse.take().or_else(|| SparseLdl::new(h, system.j).map(Box::new)),
            };
            match &mut sparse {
                Some(s) => {
                    let inertia = s.factorize(system, h);
                    let flops = s.flops;
                    if let Some(s) = sparse {
                        self.factors = Factors::Sparse(s);
                    }
                    (inertia, flops)
                }
                None => {
                    self.warnings.push("the factors of the KKT matrix do not fit into memory".to_owned());
                    (None, 0.0)
                }
            }
        };
        let setup = match inertia {
            None => Setup::Singular,
            Some(i) if i.zero > 0 => Setup::Singular,
            Some(i) if i.positive == n && i.negative == m => Setup::Ready,
            Some(i) if i.positive < n => Setup::Indefinite,
            Some(_) => Setup::Singular,
        };
        Ok((setup, flops))
    }

    fn solve(&mut self, system: &KktSystem<'_>, b: &[f64], z: &mut [f64], _: f64) -> Reached {
        z.fill(0.0);
        let mut reached = self.refine(system, b, z, ACCURATE);
        if !(reached.relative_residual <= 1e-10) && matches!(self.factors, Factors::Sparse(_)) {
            self.refine_by_gmres(system, b, z, &mut reached);
            if !(reached.relative_residual <= USABLE) && self.factorize_lu(system) {
                z.fill(0.0);
                let again = self.refine(system, b, z, ACCURATE);
                reached.flops += again.flops;
                reached.relative_residual = again.relative_residual;
            }
        }
        reached.exhausted = !(reached.relative_residual <= USABLE);
        reached
    }

    fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }
}
