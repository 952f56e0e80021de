//! A configuration's solver, kept from step to step.
//!
//! A set-up made at step s takes k_s iterations there and k_t ≥ k_s later, when the matrix has moved on. Kept [until it is
//! worn](Renewal::WhenWorn), it is renewed once
//!
//! ```text
//! Σ_{s<t} max(0, k_t − k_s) ≥ w,       w: what a set-up costs, in iterations,
//! ```
//! which is the rule of the ski rental: over any sequence where iterations grow with age it costs at most twice what the best
//! times of renewal, known beforehand, would cost. Iterations are counted, not seconds, so a run can be repeated exactly.
//! A set-up that was not used for longer than they live on average is renewed too: it was not looked after meanwhile.

use super::{Configuration, Renewal};
use residua_data::CsrMatrix;
use residua_solvers::auto::{Options, Session, mic_relaxation};
use residua_solvers::direct::{Direct, DirectKind};
use residua_solvers::krylov::{Bicgstab, Cg, EisenstatCg, Gmres};
use residua_solvers::precond::amg::AmgOptions;
use residua_solvers::precond::{
    Amg, Ic0, Ic0Options, Ict, Identity, Ilu0, Ilut, Jacobi, LinearPreconditioner, SpdPreconditioner, Ssor,
};
use residua_solvers::stationary::Sor;
use residua_solvers::{
    LinearSystem, Method, Monitor, Outcome, PrecondKind, Refresh, SolveError, Solver, StopRule,
};
use std::time::Instant;

/// A solver that follows the matrices of a sequence.
trait Follow: Solver<CsrMatrix> + Send {
    /// Sets up for `a`, which has the pattern of the matrix before.
    fn follow(&mut self, a: &CsrMatrix) -> Result<(), SolveError>;
}

/// SOR holds nothing of the matrix.
impl Follow for Sor {
    fn follow(&mut self, _: &CsrMatrix) -> Result<(), SolveError> {
        Ok(())
    }
}

impl<P: SpdPreconditioner + Refresh<CsrMatrix> + Send> Follow for Cg<P> {
    fn follow(&mut self, a: &CsrMatrix) -> Result<(), SolveError> {
        self.precond_mut().refresh(a)
    }
}

impl<P: LinearPreconditioner + Refresh<CsrMatrix> + Send> Follow for Bicgstab<P> {
    fn follow(&mut self, a: &CsrMatrix) -> Result<(), SolveError> {
        self.precond_mut().refresh(a)
    }
}

impl<P: LinearPreconditioner + Refresh<CsrMatrix> + Send> Follow for Gmres<P> {
    fn follow(&mut self, a: &CsrMatrix) -> Result<(), SolveError> {
        self.precond_mut().refresh(a)
    }
}

impl Follow for Direct {
    fn follow(&mut self, a: &CsrMatrix) -> Result<(), SolveError> {
        self.refresh(a)
    }
}

impl Follow for EisenstatCg {
    fn follow(&mut self, a: &CsrMatrix) -> Result<(), SolveError> {
        self.refresh(a)
    }
}

/// A configuration and, once it was used, its solver, which follows the matrices of the steps.
pub struct ConfigurationSolver {
    configuration: Configuration,
    solver: Option<Box<dyn Follow>>,
    /// The step whose matrix the solver was set up for, and the fingerprint of that matrix.
    set_up_at: u64,
    set_up_for: u64,
    /// Iterations of the first solve with the set-up, if there was one, and those of all others beyond as many.
    fresh: Option<usize>,
    wear: usize,
    /// The step of the last solve.
    used_at: u64,
    lives: Lives,
}

/// How long set-ups serve and what they cost.
#[derive(Debug, Clone, Copy, Default)]
struct Lives {
    set_ups: u32,
    seconds: f64,
    /// Solves with all set-ups, the present one too.
    solves: u32,
    /// What the present step's set-up cost, 0 if there was none.
    last: f64,
}

impl Lives {
    /// Solves that a set-up serves: at first a guess, worth one set-up.
    fn mean(&self) -> f64 {
        const GUESS: f64 = 8.0;
        (f64::from(self.solves) + GUESS) / (f64::from(self.set_ups) + 1.0)
    }
}

impl ConfigurationSolver {
    /// Sets nothing up yet.
    pub fn new(configuration: Configuration) -> Self {
        Self {
            configuration,
            solver: None,
            set_up_at: 0,
            set_up_for: 0,
            fresh: None,
            wear: 0,
            used_at: 0,
            lives: Lives::default(),
        }
    }

    /// What it solves with.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Solves the system of `step` from the guess in `x`. Steps must not decrease.
    ///
    /// # Errors
    /// [`SolveError`] if the configuration cannot be set up for the matrix, or the call is wrong.
    pub fn solve(
        &mut self,
        step: u64,
        system: &LinearSystem<'_, CsrMatrix>,
        x: &mut [f64],
        stop: &StopRule,
    ) -> Result<Outcome, SolveError> {
        self.solve_watched(step, system, x, stop, &mut ())
    }

    /// [`solve`](Self::solve), seen by `monitor`, which may end it.
    pub(super) fn solve_watched(
        &mut self,
        step: u64,
        system: &LinearSystem<'_, CsrMatrix>,
        x: &mut [f64],
        stop: &StopRule,
        monitor: &mut dyn Monitor,
    ) -> Result<Outcome, SolveError> {
        if self.configuration.method == Method::Auto {
            let mut session = Session::new(system.operator(), &Options::default())?;
            return Ok(session.solve(system.rhs(), x, stop, monitor)?.outcome);
        }
        let outcome = self.set_up(step, system.operator())?.solve(system, x, stop, monitor)?;
        self.lives.solves += 1;
        self.used_at = step;
        let fresh = *self.fresh.get_or_insert(outcome.iterations);
        self.wear += outcome.iterations.saturating_sub(fresh);
        Ok(outcome)
    }

    /// The solver, set up for a matrix that is young enough.
    fn set_up(&mut self, step: u64, a: &CsrMatrix) -> Result<&mut dyn Follow, SolveError> {
        self.lives.last = 0.0;
        let fingerprint = fingerprint(a);
        let kept = self.solver.take();
        let mut solver = match kept {
            Some(solver) if fingerprint == self.set_up_for => return Ok(&mut **self.solver.insert(solver)),
            Some(solver) => solver,
            None => return self.build(step, a, fingerprint),
        };
        let is_due = match self.configuration.renewal {
            Renewal::Every(period) => step >= self.set_up_at + period as u64,
            Renewal::WhenWorn
                if self.wear >= set_up_cost(self.configuration.precond)
                    || (step - self.used_at.min(step)) as f64 > self.lives.mean() =>
            {
                // Multigrid that keeps its coarse grids would only take the new values.
                return self.build(step, a, fingerprint);
            }
            Renewal::WhenWorn => keeps_pace(&self.configuration),
        };
        if is_due {
            if solver.follow(a).is_err() {
                return self.build(step, a, fingerprint);
            }
            (self.set_up_at, self.set_up_for) = (step, fingerprint);
        }
        Ok(&mut **self.solver.insert(solver))
    }

    fn build(&mut self, step: u64, a: &CsrMatrix, fingerprint: u64) -> Result<&mut dyn Follow, SolveError> {
        let start = Instant::now();
        let solver = build(&self.configuration, a)?;
        self.lives.last = start.elapsed().as_secs_f64();
        self.lives.seconds += self.lives.last;
        self.lives.set_ups += 1;
        (self.set_up_at, self.set_up_for) = (step, fingerprint);
        (self.fresh, self.wear) = (None, 0);
        Ok(&mut **self.solver.insert(solver))
    }

    /// Whether what is built once serves other steps: all of it until worn, or the analysis of a factorization.
    pub(super) fn keeps_set_up(&self) -> bool {
        self.configuration.renewal == Renewal::WhenWorn || self.configuration.method == Method::Direct
    }

    /// Seconds that the last step should be charged beyond what it took, or below 0 less: each step bears the same share of the
    /// set-ups of its configuration.
    pub(super) fn shared_set_up(&self) -> f64 {
        let Lives { set_ups, seconds, last, .. } = self.lives;
        if !self.keeps_set_up() || set_ups == 0 {
            return 0.0;
        }
        seconds / f64::from(set_ups) / self.lives.mean() - last
    }

    /// Forgets the solver, whose matrices had another size or pattern.
    pub fn forget(&mut self) {
        self.solver = None;
    }
}

fn unsupported(configuration: &Configuration) -> SolveError {
    SolveError::InvalidOption {
        name: "configuration",
        value: configuration.to_string(),
        expected: "auto, sor, or cg, bicgstab or gmres with a preconditioner that suits them",
    }
}

/// A set-up in iterations that it is worth: measured on Poisson matrices of 10^5 unknowns.
fn set_up_cost(precond: PrecondKind) -> usize {
    match precond {
        PrecondKind::Amg => 10,
        PrecondKind::Ilut | PrecondKind::Ict => 15,
        PrecondKind::Ilu0 | PrecondKind::Ic0 | PrecondKind::Mic0 => 4,
        _ => 1,
    }
}

/// Whether a solver that is kept until worn takes the values of each matrix all the same: where that is cheap beside a set-up.
fn keeps_pace(configuration: &Configuration) -> bool {
    matches!(configuration.method, Method::Direct)
        || matches!(configuration.precond, PrecondKind::Amg | PrecondKind::Jacobi | PrecondKind::Ssor)
}

/// Tells one matrix from another, pattern and values.
fn fingerprint(a: &CsrMatrix) -> u64 {
    const LANES: usize = 4;
    let mix = |h: u64, bits: u64| (h.rotate_left(5) ^ bits).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let rows = a.row_ptr().iter().fold(a.ncols() as u64, |h, &start| mix(h, u64::from(start)));
    let mut lanes = [rows, 1, 2, 3];
    for (cols, values) in a.col_idx().chunks(LANES).zip(a.values().chunks(LANES)) {
        for ((h, &j), &v) in lanes.iter_mut().zip(cols).zip(values) {
            *h = mix(*h, v.to_bits() ^ u64::from(j).rotate_left(16));
        }
    }
    lanes.into_iter().fold(0, mix)
}

/// Multigrid; with the coarse grids and transfers kept where it is renewed only when worn.
fn amg(configuration: &Configuration, a: &CsrMatrix) -> Result<Amg, SolveError> {
    let reuse_prolongation = configuration.renewal == Renewal::WhenWorn;
    Amg::with_options(a, &AmgOptions { reuse_prolongation, ..AmgOptions::default() })
}

fn build(configuration: &Configuration, a: &CsrMatrix) -> Result<Box<dyn Follow>, SolveError> {
    let omega = configuration.omega.unwrap_or(1.0);
    let relaxation = mic_relaxation(a.nrows());
    Ok(match (configuration.method, configuration.precond) {
        (Method::Direct, _) => Box::new(Direct::new(factorization_of(a), a)?),
        (Method::Sor, _) => Box::new(Sor::new(omega)?),
        (Method::Ssor, _) => Box::new(Sor::symmetric(omega)?),
        (Method::Cg, PrecondKind::None) => Box::new(Cg::new(Identity)),
        (Method::Cg, PrecondKind::Jacobi) => Box::new(Cg::new(Jacobi::new(a)?)),
        (Method::Cg, PrecondKind::Ssor) if configuration.renewal == Renewal::Every(1) => {
            Box::new(EisenstatCg::ssor(a, omega)?)
        }
        (Method::Cg, PrecondKind::Ssor) => Box::new(Cg::new(Ssor::new(a, omega)?)),
        (Method::Cg, PrecondKind::Ic0) => Box::new(Cg::new(Ic0::new(a)?)),
        (Method::Cg, PrecondKind::Mic0) => {
            Box::new(Cg::new(Ic0::with_options(a, Ic0Options::modified(relaxation))?))
        }
        (Method::Cg, PrecondKind::Ict) => Box::new(Cg::new(Ict::new(a)?)),
        (Method::Cg, PrecondKind::Amg) => Box::new(Cg::new(amg(configuration, a)?)),
        (Method::Bicgstab, PrecondKind::Jacobi) => Box::new(Bicgstab::new(Jacobi::new(a)?)),
        (Method::Bicgstab, PrecondKind::Ilu0) => Box::new(Bicgstab::new(Ilu0::new(a)?)),
        (Method::Bicgstab, PrecondKind::Ilut) => Box::new(Bicgstab::new(Ilut::new(a)?)),
        (Method::Bicgstab, PrecondKind::Amg) => Box::new(Bicgstab::new(amg(configuration, a)?)),
        (Method::Gmres, PrecondKind::Ilu0) => Box::new(Gmres::new(Ilu0::new(a)?)),
        (Method::Gmres, PrecondKind::Ilut) => Box::new(Gmres::new(Ilut::new(a)?)),
        (Method::Gmres, PrecondKind::Amg) => Box::new(Gmres::new(amg(configuration, a)?)),
        _ => return Err(unsupported(configuration)),
    })
}

/// Cholesky for a symmetric matrix with a positive diagonal, else LU.
fn factorization_of(a: &CsrMatrix) -> DirectKind {
    let is_candidate = a.is_symmetric() && a.diagonal().iter().all(|&d| d > 0.0);
    if is_candidate { DirectKind::Cholesky } else { DirectKind::Lu }
}
