//! Sketch and project on K z = b (Hong, Na, Mahoney and Kolar 2023, section 3), with what makes it usable:
//!
//! - the rows of K are divided by their norms first: within √(n + m) of the best row scaling, and the same as the published
//!   uniform draw for single rows;
//! - K is not factorized for its inertia (the published method computes the spectrum of ZᵀHZ): a solution whose curvature is
//!   not positive asks for a larger δ_w, as for GMRES;
//! - a solve has a budget of sketches and operations. Where it is used up, or a quarter of it shows that it will be,
//!   K is factorized, which tells its inertia too, the factors finish from scratch and the outcome says so. The budget halves with every solve in a row that ends so.

use super::full::{assemble, scale_rows};
use super::krylov::is_negative;
use super::{Direct, KktSolver, KktSystem, Krylov, Reached, Setup};
use crate::LinearOperator;
use crate::constrained::options::{MinimizeOptions, SketchKind};
use crate::constrained::outcome::MinimizeError;
use crate::constrained::sparse::{all_finite, norm2};
use crate::sketch::{SketchProject, SketchStop};

/// Operations of one solve before the factors take over.
const MAX_FLOPS: f64 = 1e8;

/// The budget is halved this often at most.
const HALVINGS: i32 = 4;

/// Relative residuals below this share are rounding.
const FLOOR: f64 = 1e-13;

/// Times that the target of the scaled system is lowered because the residual of K itself is not there yet.
const TIGHTENINGS: usize = 12;

/// Sketch and project; the factors of K where that stalls.
pub(crate) struct Sketched {
    sketch: SketchProject,
    direct: Direct,
    /// Whether `direct` has the factors of the system that was set up last.
    factorized: bool,
    /// Solves where H is no matrix, so that there are no rows to draw.
    krylov: Option<Krylov>,
    norms: Vec<f64>,
    scaled_b: Vec<f64>,
    work: Vec<f64>,
    next: Vec<usize>,
    max_inner: usize,
    fall_over: bool,
    solves: usize,
    fallen: usize,
    fallen_in_a_row: i32,
}

impl Sketched {
    pub(crate) fn new(kind: SketchKind, options: &MinimizeOptions) -> Self {
        Self {
            sketch: SketchProject::new(kind, options.seed),
            direct: Direct::new("solves where sketches stall"),
            factorized: false,
            krylov: None,
            norms: Vec::new(),
            scaled_b: Vec::new(),
            work: Vec::new(),
            next: Vec::new(),
            max_inner: options.max_inner,
            fall_over: options.fall_over,
            solves: 0,
            fallen: 0,
            fallen_in_a_row: 0,
        }
    }

    /// Sketches until the residual of K itself meets `target`.
    fn sketch(&mut self, system: &KktSystem<'_>, b: &[f64], z: &mut [f64], target: f64) -> Reached {
        let mut reached = Reached { relative_residual: f64::INFINITY, exhausted: true, ..Reached::default() };
        let share = 0.5f64.powi(self.fallen_in_a_row.min(HALVINGS));
        let budget = ((self.max_inner as f64 * share) as usize).max(1);
        let max_flops = if self.fall_over { MAX_FLOPS * share } else { f64::INFINITY };
        self.scaled_b.clear();
        self.scaled_b.extend(b.iter().zip(&self.norms).map(|(b, d)| b / d));
        self.work.resize(b.len(), 0.0);
        let scale = norm2(b).max(f64::MIN_POSITIVE);
        let mut scaled_target = target;
        for _ in 0..TIGHTENINGS {
            let stop = SketchStop {
                target: scaled_target,
                max_sketches: budget.saturating_sub(reached.iterations),
                max_flops: max_flops - reached.flops,
            };
            let Ok(report) = self.sketch.solve(&self.scaled_b, z, &stop) else { break };
            reached.iterations += report.sketches;
            reached.flops += report.flops + system.product_flops();
            system.residual(b, z, &mut self.work);
            reached.relative_residual = norm2(&self.work) / scale;
            reached.exhausted = !(reached.relative_residual <= target);
            if !reached.exhausted || !report.converged || reached.iterations >= budget {
                break;
            }
            scaled_target *= (0.5 * target / reached.relative_residual).clamp(1e-3, 0.5);
        }
        reached
    }
}

impl KktSolver for Sketched {
    fn describe(&self) -> String {
        match self.krylov {
            Some(_) => {
                format!("gmres instead of sketched ({}): the Hessian is no matrix", self.sketch.kind())
            }
            None => format!("sketched ({}): as asked", self.sketch.kind()),
        }
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn proves_inertia(&self) -> bool {
        false
    }

    fn setup(&mut self, system: &KktSystem<'_>) -> Result<(Setup, f64), MinimizeError> {
        let Some(h) = system.h else {
            let limit = self.max_inner;
            let krylov = self.krylov.get_or_insert_with(|| Krylov::new("the Hessian is no matrix", limit));
            return krylov.setup(system);
        };
        self.factorized = false;
        let mut k = self.sketch.take_matrix();
        assemble(system, h, &mut k, &mut self.next);
        if self.fall_over {
            scale_rows(&mut k, &mut self.norms);
        } else {
            self.norms.clear();
            self.norms.resize(k.nrows(), 1.0);
        }
        self.sketch.prepare(k);
        Ok((Setup::Ready, self.sketch.setup_flops()))
    }

    fn solve(&mut self, system: &KktSystem<'_>, b: &[f64], z: &mut [f64], target: f64) -> Reached {
        if let Some(krylov) = &mut self.krylov {
            return krylov.solve(system, b, z, target);
        }
        self.solves += 1;
        let target = target.max(FLOOR);
        let mut reached = self.sketch(system, b, z, target);
        if !reached.exhausted && all_finite(z) {
            self.fallen_in_a_row = 0;
            reached.negative_curvature = is_negative(system, b, z);
        } else if self.fall_over {
            self.fallen += 1;
            self.fallen_in_a_row = self.fallen_in_a_row.saturating_add(1);
            if !self.factorized {
                let Ok((setup, flops)) = self.direct.setup(system) else { return reached };
                reached.flops += flops;
                if setup != Setup::Ready {
                    reached.negative_curvature = true;
                    return reached;
                }
                self.factorized = true;
            }
            let direct = self.direct.solve(system, b, z, target);
            reached = Reached {
                iterations: reached.iterations + direct.iterations,
                flops: reached.flops + direct.flops,
                ..direct
            };
        }
        reached
    }

    fn take_warnings(&mut self) -> Vec<String> {
        let mut warnings = self.direct.take_warnings();
        let kind = self.sketch.kind();
        if let Some(krylov) = &mut self.krylov {
            warnings.push(format!(
                "not solved by sketched ({kind}): it draws rows of the Hessian, which is no matrix here"
            ));
            warnings.extend(krylov.take_warnings());
        }
        if self.fallen > 0 {
            warnings.push(format!(
                "{} of {} KKT solves were not solved by sketched ({kind}) within {} sketches and {MAX_FLOPS:.0e} operations: \
                 the factors of the KKT matrix solved them",
                self.fallen, self.solves, self.max_inner
            ));
            (self.fallen, self.solves) = (0, 0);
        }
        warnings
    }
}
