//! K- and F-cycles: their equations, iterations, odd input.

#![allow(clippy::unwrap_used)]

use super::super::{AggregationOptions, AmgOptions, Coarsening, Precision};
use super::*;
use crate::krylov::{Fcg, Fgmres};
use crate::{LinearSystem, Solver, StopRule};
use residua_data::CsrMatrix;
use residua_data::poisson::{PoissonKind, PoissonProblem, PoissonSystem, uniform_rhs};

const BOTH: [FlexibleCycle; 2] = [FlexibleCycle::K, FlexibleCycle::F];

fn problem(kind: PoissonKind, n: usize) -> PoissonSystem {
    PoissonProblem::new(kind, 2, n).build().unwrap()
}

/// Plain aggregation down to a few unknowns, each level visited once by V.
fn plain() -> AmgOptions {
    let sa = AggregationOptions { smooth_prolongation: false, ..AggregationOptions::default() };
    AmgOptions {
        coarsening: Coarsening::SmoothedAggregation(sa),
        second_visit: 0.0,
        coarse_size: 20,
        ..AmgOptions::default()
    }
}

fn flexible(a: &CsrMatrix<f64>, cycle: FlexibleCycle) -> FlexibleAmg {
    FlexibleAmg::new(Amg::with_options(a, &plain()).unwrap(), cycle)
}

/// Iterations of FCG to 1e-8.
fn fcg(m: impl Preconditioner<f64>, s: &PoissonSystem) -> usize {
    let system = LinearSystem::new(&s.matrix, &s.rhs).unwrap();
    let mut x = vec![0.0; s.rhs.len()];
    let stop = StopRule::rtol(1e-8).with_max_iters(200);
    let outcome = Fcg::new(m).solve(&system, &mut x, &stop, &mut ()).unwrap();
    assert!(outcome.converged(), "{outcome:?}");
    outcome.iterations
}

/// Independent of the machine, so a change that makes a cycle worse shows here.
#[test]
fn plain_aggregation_needs_far_fewer_iterations_and_hardly_more_for_larger_grids() {
    for (kind, n, [v_least, f_most, k_most]) in [
        (PoissonKind::Constant, 100, [34, 26, 18]),
        (PoissonKind::Jump, 100, [26, 22, 19]),
        (PoissonKind::Constant, 300, [60, 38, 18]),
        (PoissonKind::Jump, 300, [46, 32, 20]),
    ] {
        let s = problem(kind, n);
        let v = fcg(Amg::with_options(&s.matrix, &plain()).unwrap(), &s);
        let [k, f] = BOTH.map(|cycle| fcg(flexible(&s.matrix, cycle), &s));
        assert!(v >= v_least && f <= f_most && k <= k_most, "{kind} {n}: V {v}, F {f}, K {k}");
    }
}

#[test]
fn convection_converges() {
    let s = problem(PoissonKind::Convection, 100);
    for cycle in BOTH {
        let system = LinearSystem::new(&s.matrix, &s.rhs).unwrap();
        let mut x = vec![0.0; s.rhs.len()];
        let stop = StopRule::rtol(1e-8).with_max_iters(60);
        let m = flexible(&s.matrix, cycle);
        let outcome = Fgmres::new(m).solve(&system, &mut x, &stop, &mut ()).unwrap();
        assert!(outcome.converged() && outcome.iterations <= 9, "{cycle:?}: {outcome:?}");
    }
}

/// After two steps the residual is orthogonal to both directions (conjugate gradients) or to their images (GCR).
#[test]
fn two_steps_are_the_best_in_the_plane_of_their_directions() {
    let s = problem(PoissonKind::Constant, 200);
    let options = AmgOptions { precision: Precision::Double, ..plain() };
    for how in [Visit::Conjugate, Visit::Residual] {
        let mut m = FlexibleAmg::new(Amg::with_options(&s.matrix, &options).unwrap(), FlexibleCycle::K);
        let (Levels::Double(h), Work::Double(work)) = (&mut m.amg.levels, &mut m.work) else {
            panic!("single precision")
        };
        let levels = &mut h.levels[1..];
        let b = vec![1.0; levels[0].b.len()];
        levels[0].b.copy_from_slice(&b);
        correct(levels, work, h.scale, how).unwrap();
        let (x, mut r) = (&levels[0].x, vec![0.0; b.len()]);
        levels[0].smoother.residual(&b, x, &mut r);
        let ax: Vec<f64> = b.iter().zip(&r).map(|(b, r)| b - r).collect();
        let (first, both) = if matches!(how, Visit::Residual) { (&work[0].v, &ax) } else { (&work[0].c, x) };
        assert!(kernels::norm2(first) > 0.0, "the second step was left out");
        for direction in [first, both] {
            // x is longer than b by up to the condition number, and so are the rounding errors of b − A x.
            let bound = 1e-9 * kernels::norm2(&b) * kernels::norm2(direction);
            assert!(dot(direction, &r).abs() <= bound, "{}", dot(direction, &r) / bound);
        }
    }
}

#[test]
fn zero_gives_zero_and_scaling_scales() {
    let s = problem(PoissonKind::Jump, 60);
    let n = s.rhs.len();
    let r = uniform_rhs(n, 1);
    for cycle in BOTH {
        let mut m = flexible(&s.matrix, cycle);
        let mut z = vec![1.0; n];
        m.apply(&vec![0.0; n], &mut z).unwrap();
        assert!(z.iter().all(|&z| z == 0.0));
        // Far outside the range of 32-bit numbers too.
        m.apply(&r, &mut z).unwrap();
        let bound = 1e-4 * kernels::norm2(&z);
        for factor in [2f64.powi(10), 2f64.powi(-300), 2f64.powi(300)] {
            let scaled: Vec<f64> = r.iter().map(|r| r * factor).collect();
            let mut y = vec![0.0; n];
            m.apply(&scaled, &mut y).unwrap();
            let near = |(y, z): (&f64, &f64)| (y / factor - z).abs() <= bound;
            assert!(y.iter().zip(&z).all(near), "{cycle:?} {factor:e}");
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    // The first coarser level is long enough for threads as well.
    let s = problem(PoissonKind::Jump, 600);
    for cycle in BOTH {
        let apply = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut z = vec![0.0; s.rhs.len()];
            pool.install(|| flexible(&s.matrix, cycle).apply(&s.rhs, &mut z)).unwrap();
            z
        };
        let (one, two) = (apply(1), apply(2));
        assert!(one.iter().zip(&two).all(|(x, y)| x.to_bits() == y.to_bits()), "{cycle:?}");
    }
}

#[test]
fn unusable_residuals_are_refused() {
    let s = problem(PoissonKind::Constant, 40);
    let n = s.rhs.len();
    for (cycle, precision) in BOTH.into_iter().zip([Precision::Double, Precision::Single]) {
        let options = AmgOptions { precision, ..plain() };
        let mut m = FlexibleAmg::new(Amg::with_options(&s.matrix, &options).unwrap(), cycle);
        for bad in [f64::NAN, f64::INFINITY] {
            let mut r = vec![1.0; n];
            r[n / 2] = bad;
            assert!(matches!(m.apply(&r, &mut vec![0.0; n]), Err(SolveError::ApplyFailed { .. })));
        }
        assert!(m.apply(&[1.0], &mut vec![0.0; n]).is_err());
        assert!(m.apply(&vec![1.0; n], &mut [0.0]).is_err());
        m.apply(&s.rhs, &mut vec![0.0; n]).unwrap();
    }
}

#[test]
fn one_level_is_solved() {
    let a = CsrMatrix::from_diagonal(&[1.0, 2.0, 4.0]).unwrap();
    for cycle in BOTH {
        let mut z = vec![0.0; 3];
        FlexibleAmg::new(Amg::new(&a).unwrap(), cycle).apply(&[1.0, 1.0, 1.0], &mut z).unwrap();
        assert_eq!(z, [1.0, 0.5, 0.25]);
    }
}
