//! A configuration's solver, kept from step to step.

use super::Configuration;
use residua_data::CsrMatrix;
use residua_solvers::auto::{Options, Session, mic_relaxation};
use residua_solvers::direct::{Direct, DirectKind};
use residua_solvers::krylov::{Bicgstab, Cg, EisenstatCg, Gmres};
use residua_solvers::precond::amg::AmgOptions;
use residua_solvers::precond::{
    Amg, Ic0, Ic0Options, Ict, Identity, Ilu0, Ilut, Jacobi, LinearPreconditioner, SpdPreconditioner, Ssor,
};
use residua_solvers::stationary::Sor;
use residua_solvers::{LinearSystem, Method, Outcome, PrecondKind, Refresh, SolveError, Solver, StopRule};

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
    /// The step whose matrix the solver was set up for.
    set_up_at: u64,
}

impl ConfigurationSolver {
    /// Sets nothing up yet.
    pub fn new(configuration: Configuration) -> Self {
        Self { configuration, solver: None, set_up_at: 0 }
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
        if self.configuration.method == Method::Auto {
            let mut session = Session::new(system.operator(), &Options::default())?;
            return Ok(session.solve(system.rhs(), x, stop, &mut ())?.outcome);
        }
        self.set_up(step, system.operator())?.solve(system, x, stop, &mut ())
    }

    /// The solver, set up for a matrix that is young enough.
    fn set_up(&mut self, step: u64, a: &CsrMatrix) -> Result<&mut dyn Follow, SolveError> {
        let is_due = step >= self.set_up_at + self.configuration.refresh_period as u64;
        let kept = self.solver.take().and_then(|mut solver| {
            if is_due && solver.follow(a).is_err() {
                return None;
            }
            Some(solver)
        });
        if kept.is_none() || is_due {
            self.set_up_at = step;
        }
        let solver = match kept {
            Some(solver) => solver,
            None => build(&self.configuration, a)?,
        };
        Ok(&mut **self.solver.insert(solver))
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

fn amg(a: &CsrMatrix) -> Result<Amg, SolveError> {
    Amg::with_options(a, &AmgOptions { reuse_prolongation: true, ..AmgOptions::default() })
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
        (Method::Cg, PrecondKind::Ssor) if configuration.refresh_period == 1 => {
            Box::new(EisenstatCg::ssor(a, omega)?)
        }
        (Method::Cg, PrecondKind::Ssor) => Box::new(Cg::new(Ssor::new(a, omega)?)),
        (Method::Cg, PrecondKind::Ic0) => Box::new(Cg::new(Ic0::new(a)?)),
        (Method::Cg, PrecondKind::Mic0) => {
            Box::new(Cg::new(Ic0::with_options(a, Ic0Options::modified(relaxation))?))
        }
        (Method::Cg, PrecondKind::Ict) => Box::new(Cg::new(Ict::new(a)?)),
        (Method::Cg, PrecondKind::Amg) => Box::new(Cg::new(amg(a)?)),
        (Method::Bicgstab, PrecondKind::Jacobi) => Box::new(Bicgstab::new(Jacobi::new(a)?)),
        (Method::Bicgstab, PrecondKind::Ilu0) => Box::new(Bicgstab::new(Ilu0::new(a)?)),
        (Method::Bicgstab, PrecondKind::Ilut) => Box::new(Bicgstab::new(Ilut::new(a)?)),
        (Method::Bicgstab, PrecondKind::Amg) => Box::new(Bicgstab::new(amg(a)?)),
        (Method::Gmres, PrecondKind::Ilu0) => Box::new(Gmres::new(Ilu0::new(a)?)),
        (Method::Gmres, PrecondKind::Ilut) => Box::new(Gmres::new(Ilut::new(a)?)),
        (Method::Gmres, PrecondKind::Amg) => Box::new(Gmres::new(amg(a)?)),
        _ => return Err(unsupported(configuration)),
    })
}

/// Cholesky for a symmetric matrix with a positive diagonal, else LU.
fn factorization_of(a: &CsrMatrix) -> DirectKind {
    let is_candidate = a.is_symmetric() && a.diagonal().iter().all(|&d| d > 0.0);
    if is_candidate { DirectKind::Cholesky } else { DirectKind::Lu }
}
