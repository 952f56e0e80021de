//! What `auto` chooses, and what it says when there is no answer.
#![allow(clippy::unwrap_used)]

use residua_data::poisson::{PoissonKind, PoissonProblem};
use residua_solvers::auto::{Options, Report, Session, analyse, estimate_condition};
use residua_solvers::{
    Breakdown, CsrMatrix, History, Limit, Method, PrecondKind, Progress, SolveError, StopReason, StopRule,
};
use std::ops::ControlFlow;
use std::time::Duration;

fn solve(a: &CsrMatrix, b: &[f64], options: &Options) -> (Report, Vec<f64>) {
    let mut x = vec![0.0; a.ncols()];
    let report = Session::new(a, options).unwrap().solve(b, &mut x, &StopRule::default(), &mut ()).unwrap();
    (report, x)
}

fn named(method: Method, precond: PrecondKind) -> Options {
    let mut options = Options::default();
    (options.method, options.precond) = (method, precond);
    options
}

fn poisson(kind: PoissonKind, dim: usize, n: usize) -> (CsrMatrix, Vec<f64>) {
    let system = PoissonProblem::new(kind, dim, n).build().unwrap();
    (system.matrix, system.rhs)
}

#[test]
fn a_small_definite_matrix_goes_to_cholesky() {
    let (a, b) = poisson(PoissonKind::Constant, 2, 30);
    let (report, _) = solve(&a, &b, &Options::default());
    assert!(report.outcome.converged());
    assert_eq!((report.method, report.outcome.iterations), (Method::Direct, 1));
    assert!(report.why.contains("Cholesky"), "{}", report.why);
}

#[test]
fn a_large_m_matrix_goes_to_multigrid() {
    let (a, b) = poisson(PoissonKind::Jump, 3, 32);
    let (report, _) = solve(&a, &b, &Options::default());
    assert!(report.outcome.converged());
    assert_eq!((report.method, report.precond), (Method::Cg, PrecondKind::Amg));
}

#[test]
fn a_large_upwinded_matrix_goes_to_incomplete_lu_in_three_dimensions() {
    let (a, b) = poisson(PoissonKind::Convection, 3, 32);
    let (report, _) = solve(&a, &b, &Options::default());
    assert!(report.outcome.converged());
    assert_eq!((report.method, report.precond), (Method::Bicgstab, PrecondKind::Ilu0));
}

#[test]
fn a_negative_definite_matrix_is_turned_around() {
    let (mut a, b) = poisson(PoissonKind::Constant, 3, 32);
    a.values_mut().iter_mut().for_each(|v| *v = -*v);
    let (report, _) = solve(&a, &b, &Options::default());
    assert!(report.outcome.converged(), "{report:?}");
    assert_eq!(report.method, Method::Cg);
}

#[test]
fn a_rectangular_matrix_goes_to_lsmr() {
    let a = CsrMatrix::try_new(3, 2, vec![0, 1, 2, 4], vec![0, 1, 0, 1], vec![1.0, 2.0, 1.0, 1.0]).unwrap();
    let (report, x) = solve(&a, &[1.0, 4.0, 3.0], &Options::default());
    assert!(report.outcome.converged());
    assert_eq!(report.method, Method::Lsmr);
    assert!((x[0] - 1.0).abs() < 1e-7 && (x[1] - 2.0).abs() < 1e-7);
}

#[test]
fn a_pure_neumann_problem_is_solved_directly_and_by_cg() {
    for n in [12, 33] {
        let (a, mut b) = poisson(PoissonKind::Neumann, 3, n);
        let (report, _) = solve(&a, &b, &Options::default());
        assert!(report.outcome.converged(), "{n}: {report:?}");
        for precond in [PrecondKind::None, PrecondKind::Jacobi, PrecondKind::Ic0, PrecondKind::Mic0] {
            let (report, _) = solve(&a, &b, &named(Method::Cg, precond));
            assert!(report.outcome.converged(), "{n}, {precond}: {report:?}");
        }
        // A constant added to b is outside the range of A: no x removes more of it than its own norm.
        b.iter_mut().for_each(|b| *b += 0.5);
        for options in [Options::default(), named(Method::Cg, PrecondKind::Ic0)] {
            let (report, x) = solve(&a, &b, &options);
            assert_eq!(report.outcome.reason, StopReason::Failed(Breakdown::SingularInconsistent));
            let least = 0.5 * (a.nrows() as f64).sqrt();
            assert!((report.outcome.residual_norm / least - 1.0).abs() < 1e-6, "{n}: {report:?}");
            assert!(x.iter().all(|x| x.is_finite()));
        }
    }
}

#[test]
fn a_singular_matrix_without_structure_is_solved_if_it_can_be() {
    // Rows 0 and 2 are the same, so b must have the same entries there.
    let a = CsrMatrix::try_new(3, 3, vec![0, 2, 3, 5], vec![0, 2, 1, 0, 2], vec![1.0, 2.0, 5.0, 1.0, 2.0])
        .unwrap();
    let (report, _) = solve(&a, &[3.0, 5.0, 3.0], &Options::default());
    assert!(report.outcome.converged(), "{report:?}");
    let (report, _) = solve(&a, &[3.0, 5.0, 4.0], &Options::default());
    assert_eq!(report.outcome.reason, StopReason::Failed(Breakdown::SingularInconsistent), "{report:?}");
}

#[test]
fn a_session_solves_further_right_hand_sides_without_set_up() {
    let (a, b) = poisson(PoissonKind::Convection, 2, 40);
    let mut session = Session::new(&a, &Options::default()).unwrap();
    let mut x = vec![0.0; a.ncols()];
    let first = session.solve(&b, &mut x, &StopRule::default(), &mut ()).unwrap();
    x.fill(0.0);
    let c: Vec<f64> = b.iter().map(|b| b * b).collect();
    let second = session.solve(&c, &mut x, &StopRule::default(), &mut ()).unwrap();
    assert!(first.outcome.converged() && second.outcome.converged());
    assert!(second.setup < first.setup);
    assert_eq!(first.method, second.method);
}

#[test]
fn the_callers_limits_hold() {
    let (a, b) = poisson(PoissonKind::Constant, 3, 30);
    let mut session = Session::new(&a, &named(Method::Cg, PrecondKind::Jacobi)).unwrap();
    let mut x = vec![0.0; a.ncols()];
    let mut history = History::new();
    let report = session.solve(&b, &mut x, &StopRule::default().with_max_iters(7), &mut history).unwrap();
    assert_eq!(report.outcome.reason, StopReason::Stopped(Limit::MaxIterations));
    assert_eq!((report.outcome.iterations, history.relative_residuals().len()), (7, 8));
    let mut stop =
        |p: &Progress<'_>| if p.iteration == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let report = session.solve(&b, &mut x, &StopRule::default(), &mut stop).unwrap();
    assert_eq!(report.outcome.reason, StopReason::Stopped(Limit::MonitorRequest));
}

#[test]
fn wrong_calls_are_errors() {
    let (a, b) = poisson(PoissonKind::Constant, 2, 4);
    let mut session = Session::new(&a, &Options::default()).unwrap();
    let wrong_b = session.solve(&b[1..], &mut [0.0; 16], &StopRule::default(), &mut ());
    assert!(matches!(wrong_b, Err(SolveError::DimensionMismatch { what: "b", expected: 16, found: 15 })));
    let wrong_x = session.solve(&b, &mut [0.0; 15], &StopRule::default(), &mut ());
    assert!(matches!(wrong_x, Err(SolveError::DimensionMismatch { what: "x", .. })));
    let nan = CsrMatrix::from_diagonal(&[1.0, f64::NAN]).unwrap();
    assert!(matches!(Session::new(&nan, &Options::default()), Err(SolveError::NonFinite { index: 1, .. })));
    let mut outside = named(Method::Sor, PrecondKind::Auto);
    outside.omega = Some(2.5);
    let refused =
        Session::new(&a, &outside).unwrap().solve(&b, &mut [0.0; 16], &StopRule::default(), &mut ());
    assert!(matches!(refused, Err(SolveError::InvalidOption { name: "omega", .. })));
}

#[test]
fn the_condition_estimate_is_near_the_condition() {
    let diagonal: Vec<f64> = (1..=50).map(f64::from).collect();
    let a = CsrMatrix::from_diagonal(&diagonal).unwrap();
    let estimate = estimate_condition(&a, &analyse(&a)).unwrap();
    assert!((estimate - 50.0).abs() < 1e-9, "{estimate}");
    let (a, _) = poisson(PoissonKind::Neumann, 2, 5);
    assert_eq!(estimate_condition(&a, &analyse(&a)), Some(f64::INFINITY));
}

/// A ring of n unknowns with long chords: its factors fill in, and `dominance` times the sum of a row stands on the diagonal.
fn chords(n: usize, dominance: f64, skew: f64) -> CsrMatrix {
    let mut coo = residua_data::CooBuilder::new(n, n).unwrap();
    let mut sums = vec![0.0; n];
    for i in 0..n {
        for step in [1, 57, 1013] {
            let (j, v) = ((i + step) % n, 1.0 + (i % 7) as f64);
            coo.push(i, j, -v * (1.0 + skew)).unwrap();
            coo.push(j, i, -v).unwrap();
            sums[i] += v * (1.0 + skew);
            sums[j] += v;
        }
    }
    for (i, sum) in sums.iter().enumerate() {
        coo.push(i, i, dominance * sum + if i == 0 { 1.0 } else { 0.0 }).unwrap();
    }
    coo.build().unwrap()
}

#[test]
fn a_well_conditioned_matrix_goes_to_jacobi() {
    let mut a = chords(6000, 4.0, 0.3);
    // Signs that no matrix of positive type has.
    a.values_mut().iter_mut().for_each(|v| *v = v.abs());
    let (report, _) = solve(&a, &vec![1.0; 6000], &Options::default());
    assert!(report.outcome.converged());
    assert_eq!((report.method, report.precond), (Method::Bicgstab, PrecondKind::Jacobi), "{}", report.why);
    assert!(report.outcome.iterations <= 16, "{}", report.outcome.iterations);
    let facts = analyse(&a);
    assert!(facts.jacobi_digits.unwrap() > 0.5 && facts.factor_estimate.is_none());
}

#[test]
fn no_factorization_is_begun_that_cannot_end_in_time() {
    let (a, b) = poisson(PoissonKind::Constant, 2, 30);
    let stop = StopRule { time_limit: Some(Duration::ZERO), ..StopRule::default() };
    let mut x = vec![0.0; b.len()];
    let report = Session::new(&a, &Options::default()).unwrap().solve(&b, &mut x, &stop, &mut ()).unwrap();
    assert_eq!(report.outcome.reason, StopReason::Stopped(Limit::TimeLimit));
    assert_ne!(report.method, Method::Direct, "{}", report.why);
}

#[test]
fn a_short_time_step_of_diffusion_goes_to_jacobi() {
    // I + Δt K, K the five-point stencil: short steps are dominant, long ones elliptic.
    let (k, b) = poisson(PoissonKind::Constant, 2, 80);
    let step = |dt: f64| {
        let mut a = k.clone();
        let scale = dt / k.diagonal()[0];
        a.values_mut().iter_mut().for_each(|v| *v *= scale);
        // The entries on the diagonal are the positive ones.
        a.values_mut().iter_mut().filter(|v| **v > 0.0).for_each(|v| *v += 1.0);
        a
    };
    for (dt, strongly_dominant) in [(2.0, true), (1000.0, false)] {
        let a = step(dt);
        let (report, _) = solve(&a, &b, &Options::default());
        assert!(report.outcome.converged());
        assert_eq!(analyse(&a).strongly_dominant, strongly_dominant);
        let is_jacobi = (report.method, report.precond) == (Method::Cg, PrecondKind::Jacobi);
        assert_eq!(is_jacobi, strongly_dominant, "{}", report.why);
        assert!(!is_jacobi || report.outcome.iterations <= 30, "{}", report.outcome.iterations);
    }
}

#[test]
fn a_nearly_symmetric_network_goes_to_multigrid() {
    let a = chords(6000, 1.0, 0.004);
    let facts = analyse(&a);
    assert!(!facts.hermitian && facts.nearly_dominant && facts.asymmetry < 0.01, "{facts:?}");
    let (report, _) = solve(&a, &residua_data::poisson::uniform_rhs(6000, 3), &Options::default());
    assert!(report.outcome.converged());
    assert_eq!((report.method, report.precond), (Method::Bicgstab, PrecondKind::Amg), "{}", report.why);
    assert!(report.outcome.iterations <= 30, "{}", report.outcome.iterations);
}
