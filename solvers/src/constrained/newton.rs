//! A Newton step: the Hessian at the point, the shifts δ_w and δ_c that make the system solvable, the solve.
//!
//! The shifts follow Wächter and Biegler (2006), Algorithm IC: δ_w is tried as 0, then a third of the last one that
//! worked (10⁻⁴ the first time), then 8 times as much (100 times before any has worked). δ_c is 10⁻⁸ where K was singular.

use super::kkt::{KktSolver, KktSystem, Reached, Setup};
use super::model::Model;
use super::options::HessianShift;
use super::outcome::MinimizeError;
use super::sparse::{Rows, all_finite};

const FIRST_SHIFT: f64 = 1e-4;
const LEAST_SHIFT: f64 = 1e-20;
const LARGEST_SHIFT: f64 = 1e40;
const CONSTRAINT_SHIFT: f64 = 1e-8;

/// Where the system is taken.
pub(crate) struct At<'a> {
    pub(crate) w: &'a [f64],
    pub(crate) lambda: &'a [f64],
    pub(crate) sigma: f64,
    pub(crate) diagonal: &'a [f64],
    pub(crate) j: &'a Rows,
}

/// What a step took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StepInfo {
    pub(crate) delta_w: f64,
    pub(crate) delta_c: f64,
    pub(crate) requested: f64,
    pub(crate) reached: Reached,
}

/// No usable direction, whatever was added.
#[derive(Debug)]
pub(crate) enum NewtonFailure {
    NonFinite,
    Unsolvable,
    Call(MinimizeError),
}

impl From<MinimizeError> for NewtonFailure {
    fn from(error: MinimizeError) -> Self {
        Self::Call(error)
    }
}

/// The Newton core that every outer method shares.
pub(crate) struct Newton {
    pub(crate) solver: Box<dyn KktSolver>,
    shift: HessianShift,
    xi_b: f64,
    pub(crate) h: Option<Rows>,
    last_shift: f64,
    delta_w: f64,
    delta_c: f64,
    dependent_rows: bool,
    /// Totals.
    pub(crate) inner_iterations: usize,
    pub(crate) flops: f64,
    pub(crate) warnings: Vec<String>,
}

impl Newton {
    pub(crate) fn new(model: &Model<'_>, solver: Box<dyn KktSolver>, shift: HessianShift, xi_b: f64) -> Self {
        Self {
            solver,
            shift,
            xi_b,
            h: model.matrices().1,
            last_shift: 0.0,
            delta_w: 0.0,
            delta_c: 0.0,
            dependent_rows: false,
            inner_iterations: 0,
            flops: 0.0,
            warnings: Vec::new(),
        }
    }

    /// The Hessian at the point; false where it has no value.
    pub(crate) fn evaluate_hessian(&mut self, model: &Model<'_>, at: &At<'_>) -> bool {
        self.h.as_mut().is_none_or(|h| model.hessian(at.w, at.sigma, at.lambda, h))
    }

    /// K with the shifts of the last solve.
    pub(crate) fn system<'s>(&'s self, model: &'s Model<'s>, at: &At<'s>) -> KktSystem<'s> {
        system(&self.h, model, at, self.delta_w, self.delta_c)
    }

    /// z ← an approximate solution of K z = b to the relative residual `target`, K shifted until that is possible.
    /// Call [`evaluate_hessian`](Self::evaluate_hessian) first.
    pub(crate) fn step(
        &mut self,
        model: &Model<'_>,
        at: &At<'_>,
        b: &[f64],
        z: &mut [f64],
        target: f64,
    ) -> Result<StepInfo, NewtonFailure> {
        let mut total = Reached::default();
        (self.delta_w, self.delta_c) = (0.0, if self.dependent_rows { CONSTRAINT_SHIFT } else { 0.0 });
        if self.shift == HessianShift::Published {
            let base = system(&self.h, model, at, 0.0, 0.0);
            if super::null_space::least_curvature(&base) < super::null_space::LEAST_CURVATURE {
                self.delta_w = self.xi_b + self.h.as_ref().map_or(0.0, |h| h.frobenius(true));
            }
        }
        for _ in 0..80 {
            let system = system(&self.h, model, at, self.delta_w, self.delta_c);
            let (setup, flops) = self.solver.setup(&system)?;
            total.flops += flops;
            let mut verdict = setup;
            if setup == Setup::Ready {
                z.fill(0.0);
                let reached = self.solver.solve(&system, b, z, target);
                total.iterations += reached.iterations;
                total.flops += reached.flops;
                total.relative_residual = reached.relative_residual;
                total.exhausted = reached.exhausted;
                if reached.negative_curvature {
                    verdict = Setup::Indefinite;
                } else if !all_finite(z) || reached.exhausted && self.solver.is_exact() {
                    verdict = Setup::Singular;
                }
            }
            match verdict {
                Setup::Ready => {
                    if self.delta_w > 0.0 {
                        self.last_shift = self.delta_w;
                    }
                    self.inner_iterations += total.iterations;
                    self.flops += total.flops;
                    let (delta_w, delta_c) = (self.delta_w, self.delta_c);
                    return Ok(StepInfo { delta_w, delta_c, requested: target, reached: total });
                }
                Setup::Singular if self.delta_c == 0.0 && model.m > 0 => {
                    self.delta_c = CONSTRAINT_SHIFT;
                }
                Setup::Singular | Setup::Indefinite => {
                    self.delta_w = if self.delta_w == 0.0 {
                        if self.last_shift == 0.0 {
                            FIRST_SHIFT
                        } else {
                            (self.last_shift / 3.0).max(LEAST_SHIFT)
                        }
                    } else if self.last_shift == 0.0 {
                        100.0 * self.delta_w
                    } else {
                        8.0 * self.delta_w
                    };
                    if self.delta_w > LARGEST_SHIFT {
                        break;
                    }
                }
            }
        }
        self.inner_iterations += total.iterations;
        self.flops += total.flops;
        Err(if all_finite(b) { NewtonFailure::Unsolvable } else { NewtonFailure::NonFinite })
    }

    /// Solves on with the K of the last step, from the z that is there.
    pub(crate) fn solve_on(
        &mut self,
        model: &Model<'_>,
        at: &At<'_>,
        b: &[f64],
        z: &mut [f64],
        target: f64,
    ) -> Reached {
        let system = system(&self.h, model, at, self.delta_w, self.delta_c);
        let reached = self.solver.solve(&system, b, z, target);
        self.inner_iterations += reached.iterations;
        self.flops += reached.flops;
        reached
    }

    /// δ_c stays from here on, and the user is told why.
    pub(crate) fn note_dependent_rows(&mut self, detail: &str) {
        if !self.dependent_rows {
            self.dependent_rows = true;
            self.warnings
                .push(format!("the Jacobian of the constraints lacks full row rank ({detail}): regularised"));
        }
    }
}

fn system<'s>(
    h: &'s Option<Rows>,
    model: &'s Model<'s>,
    at: &At<'s>,
    delta_w: f64,
    delta_c: f64,
) -> KktSystem<'s> {
    KktSystem {
        model,
        w: at.w,
        lambda: at.lambda,
        sigma: at.sigma,
        h: h.as_ref(),
        diagonal: at.diagonal,
        j: at.j,
        delta_w,
        delta_c,
    }
}
