//! Setting up what an attempt runs.

use super::Options;
use super::condition::hager;
use super::facts::MatrixFacts;
use super::plan::{Attempt, AttemptKind};
use super::scaled::Scaled;
use crate::choice::{Method, PrecondKind};
use crate::direct::{DenseLeastSquares, Direct, DirectKind, FaerScalar};
use crate::krylov::{Bicgstab, Cg, EisenstatCg, Fcg, Fgmres, Gmres, Idrs, Lsmr, Minres, column_scaling};
use crate::precond::{
    Amg, BlockJacobi, Chebyshev, Ic0, Ic0Options, Ict, Identity, Ilu0, Ilut, Jacobi, LinearPreconditioner,
    Matched, Projected, SpdPreconditioner, Ssor,
};
use crate::scaling::Equilibration;
use crate::stationary::{JacobiIteration, Sor};
use crate::{CsrMatrix, SolveError, Solver};
use num_complex::Complex;
use residua_data::{CooBuilder, CsrError};
use std::any::Any;
use std::sync::Arc;

/// A solver that is ready to go, and what to call it.
#[doc(hidden)]
pub struct Prepared<T: FaerScalar> {
    pub(super) solver: Box<dyn Solver<CsrMatrix<T>, T>>,
    pub(super) method: Method,
    pub(super) precond: PrecondKind,
    pub(super) warning: Option<String>,
}

impl<T: FaerScalar> Prepared<T> {
    fn new(solver: impl Solver<CsrMatrix<T>, T> + 'static, method: Method, precond: PrecondKind) -> Self {
        Self { solver: Box::new(solver), method, precond, warning: None }
    }
}

/// A scalar that `auto` solves systems of: `f64` and `Complex<f64>`.
///
/// All solvers are compiled for both here, once, and not again in every crate that calls `auto`. In single
/// precision, name the method: every solver takes `f32` and `Complex<f32>`.
pub trait AutoScalar: FaerScalar {
    #[doc(hidden)]
    fn prepare(
        a: &CsrMatrix<Self>,
        facts: &MatrixFacts,
        attempt: &Attempt,
        options: &Options,
    ) -> Result<Prepared<Self>, SolveError>;

    #[doc(hidden)]
    fn condition(a: &CsrMatrix<Self>) -> f64;
}

macro_rules! compile_for {
    ($($scalar:ty),+) => {$(
        impl AutoScalar for $scalar {
            fn prepare(
                a: &CsrMatrix<Self>,
                facts: &MatrixFacts,
                attempt: &Attempt,
                options: &Options,
            ) -> Result<Prepared<Self>, SolveError> {
                prepare(a, facts, attempt, options)
            }

            fn condition(a: &CsrMatrix<Self>) -> f64 {
                hager(a)
            }
        }
    )+};
}
compile_for!(f64, Complex<f64>);

/// Sets up `attempt` for `a`.
fn prepare<T: FaerScalar>(
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
    let Prepared { solver, method, precond, warning } = build(&matrix, facts, attempt.kind, options)?;
    let solver = Box::new(Scaled::new(scaling, negate, matrix, solver));
    Ok(Prepared { solver, method, precond, warning })
}

fn build<T: FaerScalar>(
    a: &CsrMatrix<T>,
    facts: &MatrixFacts,
    kind: AttemptKind,
    options: &Options,
) -> Result<Prepared<T>, SolveError> {
    match kind {
        AttemptKind::Direct(kind) => {
            Ok(Prepared::new(factorize(kind, a, facts)?, Method::Direct, PrecondKind::None))
        }
        AttemptKind::GmresOnFactors(kind) => {
            Ok(Prepared::new(Gmres::new(factorize(kind, a, facts)?), Method::Gmres, PrecondKind::None))
        }
        AttemptKind::GmresOnShiftedFactors => Ok(Prepared::new(
            Gmres::new(Direct::new(DirectKind::Lu, &shifted(a)?)?),
            Method::Gmres,
            PrecondKind::None,
        )),
        AttemptKind::DenseLeastSquares => {
            Ok(Prepared::new(DenseLeastSquares::new(a)?, Method::Direct, PrecondKind::None))
        }
        AttemptKind::Krylov(method, precond) => named(a, facts, method, precond, options),
    }
}

/// The shift δ of [`AttemptKind::GmresOnShiftedFactors`], relative to the largest entry: √ε, so that what A
/// sees and what it does not see differ as much as the factors' accuracy allows.
const RELATIVE_SHIFT: f64 = 1e-8;

/// A + δI.
fn shifted<T: FaerScalar>(a: &CsrMatrix<T>) -> Result<CsrMatrix<T>, SolveError> {
    let failed =
        |e: CsrError| SolveError::ApplyFailed { what: "shifting the diagonal", reason: e.to_string() };
    let mut coo = CooBuilder::new(a.nrows(), a.ncols()).map_err(failed)?;
    coo.reserve(a.nnz() + a.nrows());
    let shift = T::of(RELATIVE_SHIFT * a.max_abs());
    for i in 0..a.nrows() {
        let (cols, vals) = a.row(i);
        for (&j, &v) in cols.iter().zip(vals) {
            coo.push(i, j as usize, v).map_err(failed)?;
        }
        coo.push(i, i, shift).map_err(failed)?;
    }
    coo.build().map_err(failed)
}

/// A factorization of `a`, pinned where `a` has constant null vectors.
fn factorize<T: FaerScalar>(
    kind: DirectKind,
    a: &CsrMatrix<T>,
    facts: &MatrixFacts,
) -> Result<Direct<T>, SolveError> {
    match &facts.null_space {
        Some(null_space) => {
            let pinned = null_space.pin(a).map_err(|e| SolveError::ApplyFailed {
                what: "pinning the null space",
                reason: e.to_string(),
            })?;
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
    let omega = options.omega.unwrap_or(1.0);
    let unpreconditioned = |solver: Box<dyn Solver<CsrMatrix<T>, T>>| (solver, PrecondKind::None, None);
    let (solver, precond, warning): Built<T> = match method {
        Method::Cg | Method::Fcg | Method::Minres => symmetric(a, facts, method, precond, options)?,
        Method::Jacobi => unpreconditioned(Box::new(JacobiIteration::new(omega)?)),
        Method::Sor => unpreconditioned(Box::new(Sor::new(omega)?)),
        Method::Ssor => unpreconditioned(Box::new(Sor::symmetric(omega)?)),
        Method::Auto | Method::Direct => return Err(not_here("method", method.as_str())),
        Method::Gmres | Method::Fgmres | Method::Bicgstab | Method::Idrs => {
            general(a, facts, method, precond, options)?
        }
        Method::Lsmr => unpreconditioned(Box::new(Lsmr::new().with_column_scaling(column_scaling(a)))),
    };
    Ok(Prepared { solver, method, precond, warning })
}

/// A solver, its preconditioner, and what the user should know of it.
type Built<T> = (Box<dyn Solver<CsrMatrix<T>, T>>, PrecondKind, Option<String>);

/// CG, FCG and MINRES: the preconditioner is Hermitian positive definite.
fn symmetric<T: FaerScalar>(
    a: &CsrMatrix<T>,
    facts: &MatrixFacts,
    method: Method,
    precond: PrecondKind,
    options: &Options,
) -> Result<Built<T>, SolveError> {
    if method == Method::Cg
        && facts.null_space.is_none()
        && let Some(solver) = by_eisenstats_trick(a, facts, precond, options)?
    {
        return Ok(solver);
    }
    let candidates: &[PrecondKind] = match precond {
        PrecondKind::Auto if method == Method::Minres && !facts.positive_diagonal => &[PrecondKind::None],
        PrecondKind::Auto => &[PrecondKind::Ic0, PrecondKind::Jacobi, PrecondKind::None],
        ref named => std::slice::from_ref(named),
    };
    let (m, precond) = first_that_builds(candidates, |kind| spd(a, kind, options))?;
    let warning = m.warning();
    let m: AnySpd<T> = match &facts.null_space {
        Some(null_space) => Box::new(Projected::new(m, Arc::new(null_space.clone()))),
        None => m,
    };
    let solver: Box<dyn Solver<CsrMatrix<T>, T>> = match method {
        Method::Cg => Box::new(Cg::new(m)),
        Method::Minres => Box::new(Minres::new(m)),
        _ => Box::new(match options.restart {
            Some(window) => Fcg::new(m).with_window(window),
            None => Fcg::new(m),
        }),
    };
    Ok((solver, precond, warning))
}

/// CG with SSOR, or with incomplete Cholesky on a graph without triangles, at the price of plain CG.
fn by_eisenstats_trick<T: FaerScalar>(
    a: &CsrMatrix<T>,
    facts: &MatrixFacts,
    precond: PrecondKind,
    options: &Options,
) -> Result<Option<Built<T>>, SolveError> {
    let incomplete_cholesky_is_diagonal = facts.triangle_free && facts.nonpositive_off_diagonal;
    let solver = match precond {
        PrecondKind::Ssor => EisenstatCg::ssor(a, options.omega.unwrap_or(1.0))?,
        PrecondKind::Ic0 | PrecondKind::Auto if incomplete_cholesky_is_diagonal => {
            match EisenstatCg::dic(a) {
                Ok(solver) => return Ok(Some((Box::new(solver), PrecondKind::Ic0, None))),
                Err(_) => return Ok(None),
            }
        }
        PrecondKind::Mic0 if incomplete_cholesky_is_diagonal && facts.diagonally_dominant => {
            EisenstatCg::modified_dic(a, mic_relaxation(a.nrows()))?
        }
        _ => return Ok(None),
    };
    Ok(Some((Box::new(solver), precond, None)))
}

/// GMRES, FGMRES, BiCGSTAB and IDR(s): any linear preconditioner.
fn general<T: FaerScalar>(
    a: &CsrMatrix<T>,
    facts: &MatrixFacts,
    method: Method,
    precond: PrecondKind,
    options: &Options,
) -> Result<Built<T>, SolveError> {
    let candidates: &[PrecondKind] = match precond {
        PrecondKind::Auto => &[PrecondKind::Ilut, PrecondKind::Ilu0, PrecondKind::Jacobi, PrecondKind::None],
        ref named => std::slice::from_ref(named),
    };
    let (m, precond) = first_that_builds(candidates, |kind| linear(a, facts, kind, options))?;
    let warning = m.warning();
    let solver: Box<dyn Solver<CsrMatrix<T>, T>> = match (method, options.restart) {
        (Method::Gmres, Some(restart)) => Box::new(Gmres::new(m).with_restart(restart)),
        (Method::Gmres, None) => Box::new(Gmres::new(m)),
        (Method::Fgmres, Some(restart)) => Box::new(Fgmres::new(m).with_restart(restart)),
        (Method::Fgmres, None) => Box::new(Fgmres::new(m)),
        (Method::Bicgstab, _) => Box::new(Bicgstab::new(m)),
        (_, Some(s)) => Box::new(Idrs::new(m).with_s(s).with_seed(options.seed)),
        (_, None) => Box::new(Idrs::new(m).with_seed(options.seed)),
    };
    Ok((solver, precond, warning))
}

/// The first of `candidates` that can be built for the matrix, and which it is.
fn first_that_builds<P>(
    candidates: &[PrecondKind],
    build: impl Fn(PrecondKind) -> Result<P, SolveError>,
) -> Result<(P, PrecondKind), SolveError> {
    let mut last = Err(not_here("preconditioner", "auto"));
    for &kind in candidates {
        last = build(kind).map(|p| (p, kind));
        if last.is_ok() {
            break;
        }
    }
    last
}

/// A Hermitian positive definite preconditioner by name.
fn spd<T: FaerScalar>(
    a: &CsrMatrix<T>,
    kind: PrecondKind,
    options: &Options,
) -> Result<AnySpd<T>, SolveError> {
    Ok(match kind {
        PrecondKind::None => Box::new(Identity),
        PrecondKind::Jacobi => Box::new(Jacobi::new(a)?),
        PrecondKind::Ssor => Box::new(Ssor::new(a, options.omega.unwrap_or(1.0))?),
        PrecondKind::Ic0 => Box::new(Ic0::new(a)?),
        PrecondKind::Mic0 => Box::new(Ic0::with_options(a, Ic0Options::modified(mic_relaxation(a.nrows())))?),
        PrecondKind::Ict => Box::new(Ict::new(a)?),
        PrecondKind::BlockJacobi => Box::new(BlockJacobi::spd(a, BLOCK_SIZE)?),
        PrecondKind::Chebyshev => Box::new(Chebyshev::new(a.clone(), CHEBYSHEV_DEGREE)?),
        PrecondKind::Amg => amg(a)?,
        other => return Err(not_here("preconditioner", other.as_str())),
    })
}

/// Algebraic multigrid; for real matrices only.
fn amg<T: FaerScalar>(a: &CsrMatrix<T>) -> Result<AnySpd<T>, SolveError> {
    let refused = || not_here("preconditioner", "amg (on a complex matrix)");
    let a = (a as &dyn Any).downcast_ref::<CsrMatrix<f64>>().ok_or_else(refused)?;
    let built: Box<dyn Any> = Box::new(Box::new(Amg::new(a)?) as AnySpd<f64>);
    built.downcast::<AnySpd<T>>().map(|m| *m).map_err(|_| refused())
}

/// Any linear preconditioner by name.
fn linear<T: FaerScalar>(
    a: &CsrMatrix<T>,
    facts: &MatrixFacts,
    kind: PrecondKind,
    options: &Options,
) -> Result<AnyLinear<T>, SolveError> {
    // Incomplete LU needs a diagonal: where there is none, rows are matched to columns first.
    let matched = facts.zero_diagonals > 0;
    Ok(match kind {
        PrecondKind::Ilu0 if matched => Box::new(Matched::new(a, |a| Ilu0::new(a))?),
        PrecondKind::Ilu0 => Box::new(Ilu0::new(a)?),
        PrecondKind::Ilut if matched => Box::new(Matched::new(a, |a| Ilut::new(a))?),
        PrecondKind::Ilut => Box::new(Ilut::new(a)?),
        PrecondKind::BlockJacobi => Box::new(BlockJacobi::new(a, BLOCK_SIZE)?),
        spd_kind => Box::new(spd(a, spd_kind, options)?),
    })
}

/// The share of dropped fill that modified incomplete Cholesky adds to the diagonal, 1 − 1/√n: 1 − O(h) in two
/// dimensions and a little nearer to 1 in three, which is within 20 % of the fewest iterations on constant,
/// anisotropic and jumping coefficients from 256² to 1024² and from 32³ to 100³. (1 − O(h²) is best for a
/// constant coefficient in 2D, and a third worse in 3D.)
pub fn mic_relaxation(n: usize) -> f64 {
    1.0 - 1.0 / (n.max(1) as f64).sqrt()
}

/// Rows of a block of block Jacobi.
const BLOCK_SIZE: usize = 8;

/// Degree of the Chebyshev preconditioner.
const CHEBYSHEV_DEGREE: usize = 4;

fn not_here(name: &'static str, value: &str) -> SolveError {
    SolveError::InvalidOption {
        name,
        value: value.to_owned(),
        expected: "this method cannot be used with it: leave one of the two to auto",
    }
}
