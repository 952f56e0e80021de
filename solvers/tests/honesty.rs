//! No solver says `converged` of an answer whose residual, computed here and independently, is too large;
//! and `auto` ends every system as it should.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use residua_data::zoo::{self, RandomKind, ZooSystem};
use residua_solvers::auto::{AutoScalar, Options, Report, Session};
use residua_solvers::{Breakdown, CsrMatrix, Method, PrecondKind, SolveError, StopReason, StopRule};

const RTOL: f64 = 1e-8;

/// Room for the two ways to sum a residual that a solver and this test have.
const SLACK: f64 = 1.0 + 1e-6;

/// ‖v‖₂ without overflow.
fn norm(v: &[f64]) -> f64 {
    let max = v.iter().copied().fold(0.0, f64::max);
    if max == 0.0 { 0.0 } else { max * v.iter().map(|v| (v / max).powi(2)).sum::<f64>().sqrt() }
}

/// ‖b − A x‖₂ / ‖b‖₂, row by row; the residual norm itself where b = 0.
fn relative_residual<T: AutoScalar>(a: &CsrMatrix<T>, x: &[T], b: &[T]) -> f64 {
    let residual = |i: usize| {
        let (cols, vals) = a.row(i);
        let ax = cols.iter().zip(vals).fold(T::zero(), |s, (&j, &v)| s + v * x[j as usize]);
        (b[i] - ax).modulus_f64()
    };
    let r: Vec<f64> = (0..a.nrows()).map(residual).collect();
    if r.iter().any(|v| v.is_nan()) {
        return f64::NAN;
    }
    let b_norm = norm(&b.iter().map(|v| v.modulus_f64()).collect::<Vec<_>>());
    norm(&r) / if b_norm == 0.0 { 1.0 } else { b_norm }
}

/// Solves and checks that what the report says of the residual is so.
fn solve<T: AutoScalar>(system: &ZooSystem<T>, options: &Options) -> Result<Report, SolveError> {
    let stop = StopRule::rtol(RTOL).with_max_iters(2_000);
    let mut x = vec![T::zero(); system.matrix.ncols()];
    let report = Session::new(&system.matrix, options)?.solve(&system.rhs, &mut x, &stop, &mut ())?;
    let actual = relative_residual(&system.matrix, &x, &system.rhs);
    let claimed = report.outcome.relative_residual;
    let name = system.name;
    if report.outcome.converged() {
        assert!(
            actual <= RTOL * SLACK,
            "{name}: {options:?} claims {report:?}, but the residual is {actual:e}"
        );
    }
    if actual.is_finite() {
        assert!(
            (claimed - actual).abs() <= 1e-6 * actual + 1e-13,
            "{name}: {options:?} reports {claimed:e}, but the residual is {actual:e}"
        );
    }
    Ok(report)
}

fn options(method: Method, precond: PrecondKind) -> Options {
    let mut options = Options::default();
    (options.method, options.precond) = (method, precond);
    options
}

fn ended_as_it_should<T>(system: &ZooSystem<T>, report: &Report) -> bool {
    if system.facts.consistent {
        report.outcome.converged()
    } else {
        report.outcome.reason == StopReason::Failed(Breakdown::SingularInconsistent)
    }
}

fn check_zoo<T: AutoScalar>(zoo: Vec<ZooSystem<T>>) {
    let mut wrong = Vec::new();
    for system in zoo {
        for &method in Method::ALL {
            // A refusal (a zero diagonal, a rectangular matrix) is an honest answer too.
            let _ = solve(&system, &options(method, PrecondKind::Auto));
            let _ = solve(&system, &options(method, PrecondKind::None));
        }
        match solve(&system, &Options::default()) {
            Ok(report) if ended_as_it_should(&system, &report) => {}
            other => wrong.push(format!("{}: {other:?}", system.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_zoo_is_solved_and_never_lied_about() {
    check_zoo(zoo::all());
}

#[test]
fn the_complex_zoo_is_solved_and_never_lied_about() {
    check_zoo(zoo::all_complex());
}

#[test]
fn ten_thousand_random_systems_are_solved_and_never_lied_about() {
    const PER_KIND: u64 = 1_667;
    for kind in RandomKind::ALL {
        let mut wrong = Vec::new();
        for seed in 0..PER_KIND {
            let n = 1 + (seed as usize * 7) % 40;
            let system = zoo::random(kind, n, seed).unwrap();
            let report = solve(&system, &Options::default()).unwrap();
            if !ended_as_it_should(&system, &report) {
                wrong.push(format!("n = {n}, seed = {seed}: {report:?}"));
            }
            // Each system also meets one named method, in turn.
            let method = Method::ALL[1 + seed as usize % (Method::ALL.len() - 1)];
            let _ = solve(&system, &options(method, PrecondKind::Auto));
        }
        println!("{kind}: {} of {PER_KIND} ended otherwise than they should {wrong:?}", wrong.len());
        // None is wrong where this was written; vector units of another width round otherwise.
        let most = PER_KIND / 500;
        assert!(wrong.len() as u64 <= most, "{kind}: {} wrong: {wrong:?}", wrong.len());
    }
}
