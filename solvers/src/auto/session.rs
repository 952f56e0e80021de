//! One matrix, analysed once, and as many right-hand sides as come.

use super::build::{AutoScalar, Prepared};
use super::facts::{MatrixFacts, analyse, analyse_entries};
use super::plan::{Attempt, AttemptKind, attempts, named};
use super::{Options, Report};
use crate::choice::{Method, PrecondKind};
use crate::direct::DirectKind;
use crate::error::check_len;
use crate::{
    Breakdown, CsrMatrix, Limit, LinearSystem, Monitor, Outcome, SolveError, StopReason, StopRule, kernels,
};
use std::time::{Duration, Instant};

/// What no factorization exceeds on one thread.
const FLOPS_PER_SECOND: f64 = 2e10;

/// A matrix with its analysis, and the solvers that were set up for it so far.
///
/// ```
/// use residua_solvers::auto::{Options, Session};
/// use residua_solvers::{CsrMatrix, StopRule};
/// let a = CsrMatrix::try_new(2, 2, vec![0, 2, 4], vec![0, 1, 0, 1], vec![2.0, -1.0, -1.0, 2.0])?;
/// let mut session = Session::new(&a, &Options::default())?;
/// for b in [[1.0, 0.0], [0.0, 3.0]] {
///     let mut x = [0.0; 2];
///     let report = session.solve(&b, &mut x, &StopRule::default(), &mut ())?;
///     assert!(report.outcome.converged());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session<'a, T: AutoScalar = f64> {
    a: &'a CsrMatrix<T>,
    options: Options,
    facts: MatrixFacts,
    attempts: Vec<Attempt>,
    prepared: Vec<Option<Prepared<T>>>,
    /// The attempt that solved the last right-hand side: the next one starts there.
    current: usize,
    analysis: Duration,
}

impl<'a, T: AutoScalar> Session<'a, T> {
    /// Analyses `a` for solves as `options` say.
    ///
    /// # Errors
    /// [`SolveError::NonFinite`] if an entry of `a` is; [`SolveError::InvalidOption`].
    pub fn new(a: &'a CsrMatrix<T>, options: &Options) -> Result<Self, SolveError> {
        let start = Instant::now();
        if let Some((index, _)) = a.first_non_finite() {
            return Err(SolveError::NonFinite { what: "the matrix has an entry in a row that", index });
        }
        let automatic = options.method == Method::Auto;
        let facts = if automatic { analyse(a) } else { analyse_entries(a) };
        let attempts = if automatic { attempts(&facts, options) } else { named(&facts, options) };
        let prepared = attempts.iter().map(|_| None).collect();
        let options = options.clone();
        Ok(Self { a, options, facts, attempts, prepared, current: 0, analysis: start.elapsed() })
    }

    /// What was measured of the matrix.
    pub fn facts(&self) -> &MatrixFacts {
        &self.facts
    }

    /// What is tried first, and why: the method, its preconditioner (`Auto`: the strongest that can be
    /// built), the reason. `None` if nothing suits the shape of the matrix.
    pub fn suggestion(&self) -> Option<(Method, PrecondKind, &'static str)> {
        let first = self.attempts.first()?;
        let (method, precond) = match first.kind {
            AttemptKind::Krylov(method, precond) => (method, precond),
            AttemptKind::GmresOnFactors(_) | AttemptKind::GmresOnShiftedFactors => {
                (Method::Gmres, PrecondKind::None)
            }
            AttemptKind::Direct(_) | AttemptKind::DenseLeastSquares => (Method::Direct, PrecondKind::None),
        };
        Some((method, precond, first.why))
    }

    /// Solves A x = b from the initial guess in `x`; `b` has length m, `x` length n. The monitor sees an
    /// iteration 0 at the start of each attempt.
    ///
    /// The set-up time in the report is that of what was set up during this call; the first call's includes
    /// the analysis.
    ///
    /// # Errors
    /// [`SolveError`] if the call is wrong, or a named method cannot be set up for this matrix.
    pub fn solve(
        &mut self,
        b: &[T],
        x: &mut [T],
        stop: &StopRule,
        monitor: &mut dyn Monitor<T>,
    ) -> Result<Report, SolveError> {
        let start = Instant::now();
        let given = LinearSystem::new(self.a, b)?;
        check_len("x", self.a.ncols(), x.len())?;
        // Where b has a part in the null space that no x can reach, the rest is solved for, and the end says so.
        let consistent = self.consistent_part(&given, stop);
        let system = match &consistent {
            Some(projected) => LinearSystem::new(self.a, projected)?,
            None => given,
        };
        let guess = x.to_vec();
        let mut setup = std::mem::take(&mut self.analysis);
        let mut solving = Duration::ZERO;
        let mut best: Option<(Report, Vec<T>)> = None;
        let mut refused = None;
        for index in self.current..self.attempts.len() {
            let (attempt, is_last) = (self.attempts[index], index + 1 == self.attempts.len());
            let left = stop.time_limit.map(|limit| limit.saturating_sub(start.elapsed()));
            if !is_last
                && self.prepared[index].is_none()
                && left.is_some_and(|left| self.outlasts(&attempt, left))
            {
                continue;
            }
            let setup_start = Instant::now();
            let prepared = match self.prepared(index) {
                Ok(prepared) => prepared,
                Err(error) if is_last && best.is_none() => return Err(error),
                Err(error) => {
                    setup += setup_start.elapsed();
                    refused.get_or_insert(error);
                    continue;
                }
            };
            let setup_took = setup_start.elapsed();
            // A failed attempt may leave an x so large that the next one could not add to it: start afresh.
            x.copy_from_slice(&guess);
            let rule = StopRule {
                max_iters: stop.max_iters.min(attempt.max_iters),
                time_limit: stop.time_limit.map(|limit| limit.saturating_sub(start.elapsed())),
                ..*stop
            };
            let solve_start = Instant::now();
            let outcome = prepared.solver.solve(&system, x, &rule, monitor)?;
            let (method, precond, warning) = (prepared.method, prepared.precond, prepared.warning.clone());
            setup += setup_took;
            solving += solve_start.elapsed();
            let over = outcome.converged()
                || matches!(
                    outcome.reason,
                    StopReason::Stopped(Limit::TimeLimit | Limit::MonitorRequest)
                        | StopReason::Failed(Breakdown::SingularInconsistent)
                );
            if outcome.converged() {
                self.current = index;
            }
            let report = Report {
                outcome,
                method,
                precond,
                why: attempt.why.to_owned(),
                warning,
                setup,
                solve: solving,
            };
            if best.as_ref().is_none_or(|(b, _)| over || is_better(&report.outcome, &b.outcome)) {
                best = Some((report, x.to_vec()));
            }
            if over {
                break;
            }
        }
        let Some((mut report, solution)) = best else {
            return Err(refused.unwrap_or(SolveError::InvalidOption {
                name: "method",
                value: self.options.method.to_string(),
                expected: "a method that suits the shape of the matrix",
            }));
        };
        x.copy_from_slice(&solution);
        (report.setup, report.solve) = (setup, solving);
        if consistent.is_some() {
            let mut r = vec![T::zero(); b.len()];
            given.residual(x, &mut r);
            report.outcome.residual_norm = kernels::norm2(&r);
            report.outcome.relative_residual = report.outcome.residual_norm / given.rhs_norm();
            report.outcome.reason = StopReason::Failed(Breakdown::SingularInconsistent);
        }
        Ok(report)
    }

    /// Whether an attempt that `auto` chose begins with a factorization that is known to take longer than `left`: nothing can
    /// interrupt one.
    fn outlasts(&self, attempt: &Attempt, left: Duration) -> bool {
        let factor = match attempt.kind {
            AttemptKind::Direct(DirectKind::Cholesky | DirectKind::Ldlt) => 1.0,
            AttemptKind::Direct(_) | AttemptKind::GmresOnFactors(_) | AttemptKind::GmresOnShiftedFactors => {
                2.0
            }
            AttemptKind::Krylov(..) | AttemptKind::DenseLeastSquares => return false,
        };
        let flops = self.facts.factor_estimate.map_or(0.0, |e| factor * e.flops);
        attempt.automatic && flops > FLOPS_PER_SECOND * left.as_secs_f64()
    }

    /// b without its part in the known null space, if that part alone exceeds the tolerance.
    fn consistent_part(&self, system: &LinearSystem<'_, CsrMatrix<T>, T>, stop: &StopRule) -> Option<Vec<T>> {
        let null_space = self.facts.null_space.as_ref()?;
        let target = (stop.rtol * system.rhs_norm()).max(stop.atol);
        (null_space.part_norm(system.rhs()) > target).then(|| {
            let mut b = system.rhs().to_vec();
            null_space.project(&mut b);
            b
        })
    }

    fn prepared(&mut self, index: usize) -> Result<&mut Prepared<T>, SolveError> {
        let slot = &mut self.prepared[index];
        if slot.is_none() {
            *slot = Some(T::prepare(self.a, &self.facts, &self.attempts[index], &self.options)?);
        }
        slot.as_mut().ok_or(SolveError::ApplyFailed { what: "auto", reason: "a set-up vanished".to_owned() })
    }
}

/// Whether `new` is the better of two failures: a finite residual beats none, a smaller one a larger one.
fn is_better(new: &Outcome, old: &Outcome) -> bool {
    new.residual_norm.is_finite() && (!old.residual_norm.is_finite() || new.residual_norm < old.residual_norm)
}
