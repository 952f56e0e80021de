//! Setting up what an attempt runs.

use super::Options;
use super::facts::MatrixFacts;
use super::plan::{Attempt, AttemptKind};
use super::scaled::Scaled;
use crate::choice::{Method, PrecondKind};
use crate::direct::{DenseLeastSquares, Direct, DirectKind, FaerScalar};
use crate::krylov::{Bicgstab, Cg, Fcg, Fgmres, Gmres, Idrs, Lsmr, Minres};
use crate::precond::{
    BlockJacobi, Chebyshev, Ic0, Ict, Identity, Ilu0, Ilut, Jacobi, LinearPreconditioner, Projected, SpdPreconditioner,
    Ssor,
};
use crate::scaling::Equilibration;
use crate::{CsrMatrix, SolveError, Solver, stationary};
use std::sync::Arc;

/// A solver that is ready to go, and what to call it.
pub(super) struct Prepared<T: FaerScalar> {
    pub(super) solver: Box<dyn Solver<CsrMatrix<T>, T>>,
    pub(super) method: Method,
    pub(super) precond: PrecondKind,
}

/// Sets up `attempt` for `a`.
pub(super) fn prepare<T: FaerScalar>(
    a: &CsrMatrix<T>,
    facts: &MatrixFacts,
    attempt: &Attempt,
    options: &Options,
) -> Result<Prepared<T>, SolveError> {
    let negate = facts.hermitian
        && facts.negative_diagonal
        && matches!(
            attempt.kind,
            AttemptKind::Direct(DirectKind::Cholesky) | AttemptKind::Krylov(Method::Cg | Method::Fcg, _)
        )
        && attempt.automatic;
    if !attempt.scaled && !negate {
        return build(a, facts, attempt.kind, options);
    }
    let scaling = match (attempt.scaled, facts.hermitian) {
        (false, _) => Equilibration::identity(a.nrows(), a.ncols()),
        (true, true) => Equilibration::symmetric(a)?,
        (true, false) => Equilibration::new(a)?,
    };
    let mut matrix = scaling.apply(a)?;
    if negate {
        matrix.values_mut().iter_mut().for_each(|v| *v = -*v);
    }
    let Prepared { solver, method, precond } = build(&matrix, facts, attempt.kind, options)?;
    Ok(Prepared { solver: Box::new(Scaled::new(scaling, negate, matrix, solver)), method, precond })
}

fn build<T: FaerScalar>(
    a: &CsrMatrix<T>,
    facts: &MatrixFacts,
    kind: AttemptKind,
    options: &Options,
) -> Result<Prepared<T>, SolveError> {
    match kind {
        AttemptKind::Direct(kind) => Ok(Prepared {
            solver: Box::new(factorize(kind, a, facts)?),
            method: Method::Direct,
            precond: PrecondKind::None,
        }),
        AttemptKind::GmresOnFactors(kind) => Ok(Prepared {
            solver: Box::new(Gmres::new(factorize(kind, a, facts)?)),
            method: Method::Direct,
            precond: PrecondKind::None,
        }),
        AttemptKind::DenseLeastSquares => Ok(Prepared {
            solver: Box::new(DenseLeastSquares::new(a)?),
            method: Method::Direct,
            precond: PrecondKind::None,
        }),
        AttemptKind::Krylov(method, precond) => named(a, facts, method, precond, options),
    }
}

/// A factorization of `a`, pinned where `a` has constant null vectors.
fn factorize<T: FaerScalar>(
    kind: DirectKind,
    a: &CsrMatrix<T>,
    facts: &MatrixFacts,
) -> Result<Direct<T>, SolveError> {
    match &facts.null_space {
        Some(null_space) => {
            let pinned = null_space
                .pin(a)
                .map_err(|e| SolveError::ApplyFailed { what: "pinning the null space", reason: e.to_string() })?;
            Direct::new(kind, &pinned)
        }
        None => Direct::new(kind, a),
    }
}

type AnySpd<T> = Box<dyn SpdPreconditioner<T>>;
type AnyLinear<T> = Box<dyn LinearPreconditioner<T>>;

/// A named method with the named preconditioner, or with the strongest that can be built if it is `auto`.
fn named<T: FaerScalar>(
    a: &CsrMatrix<T>,
    facts: &MatrixFacts,
    method: Method,
    precond: PrecondKind,
    options: &Options,
) -> Result<Prepared<T>, SolveError> {
    let restart = options.restart;
    let (solver, precond): (Box<dyn Solver<CsrMatrix<T>, T>>, PrecondKind) = match method {
        Method::Auto => return Err(nested_auto()),
        Method::Cg | Method::Fcg | Method::Minres => {
            let candidates = match (method, precond) {
                (_, named) if named != PrecondKind::Auto => vec![named],
                (Method::Minres, _) if !facts.positive_diagonal => vec![PrecondKind::None],
                _ => vec![PrecondKind::Ic0, PrecondKind::Jacobi, PrecondKind::None],
            };
            let (m, precond) = first_that_builds(&candidates, |p| spd(a, p, options))?;
            let m = project(m, facts);
            let solver: Box<dyn Solver<CsrMatrix<T>, T>> = match method {
                Method::Cg => Box::new(Cg::new(m)),
                Method::Minres => Box::new(Minres::new(m)),
                _ => Box::new(restart.map_or_else(|| Fcg::new(m), |window| Fcg::with_window(m, window))),
            };
            (solver, precond)
        }
        Method::Gmres | Method::Fgmres | Method::Bicgstab | Method::Idrs => {
            let candidates = match precond {
                PrecondKind::Auto => vec![PrecondKind::Ilu0, PrecondKind::Ilut, PrecondKind::Jacobi, PrecondKind::None],
                named => vec![named],
            };
            let (m, precond) = first_that_builds(&candidates, |p| linear(a, p, options))?;
            let solver: Box<dyn Solver<CsrMatrix<T>, T>> = match method {
                Method::Gmres => Box::new(with_restart(Gmres::new, Gmres::with_restart, m, restart)),
                Method::Fgmres => Box::new(with_restart(Fgmres::new, Fgmres::with_restart, m, restart)),
                Method::Bicgstab => Box::new(Bicgstab::new(m)),
                _ => Box::new(Idrs::new(m).with_seed(options.seed)),
            };
            (solver, precond)
        }
        Method::Lsmr => (Box::new(Lsmr::new(a)), PrecondKind::None),
        Method::Jacobi => (Box::new(stationary::Jacobi::new(options.omega.unwrap_or(1.0))?), PrecondKind::None),
        Method::Sor => (Box::new(stationary::Sor::new(options.omega.unwrap_or(1.0))?), PrecondKind::None),
        Method::Ssor => (Box::new(stationary::Sor::symmetric(options.omega.unwrap_or(1.0))?), PrecondKind::None),
        Method::Direct => {
            let kind = if facts.is_square() { DirectKind::Lu } else { DirectKind::Qr };
            (Box::new(factorize(kind, a, facts)?), PrecondKind::None)
        }
    };
    Ok(Prepared { solver, method, precond })
}
