//! The cycle as a whole: symmetry, counts, hard matrices.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::{Cg, LinearSystem, Outcome, Solver, StopRule, kernels, krylov::Bicgstab};
use proptest::prelude::*;
use residua_data::elasticity::ElasticityProblem;
use residua_data::poisson::{PoissonKind, PoissonProblem, PoissonSystem};
use residua_data::{CooBuilder, CsrMatrix};

/// Every smoother that claims a symmetric positive definite cycle.
const SMOOTHERS: [Smoother; 6] = [
    Smoother::Auto,
    Smoother::L1Jacobi,
    Smoother::Chebyshev { degree: 2 },
    Smoother::MulticolorGaussSeidel,
    Smoother::HybridGaussSeidel,
    Smoother::Jacobi { omega: None },
];

fn problem(kind: PoissonKind, dim: usize, n: usize) -> PoissonSystem {
    PoissonProblem::new(kind, dim, n).build().unwrap()
}

fn solve(m: Amg, a: &CsrMatrix<f64>, b: &[f64]) -> (Outcome, Vec<f64>) {
    let system = LinearSystem::new(a, b).unwrap();
    let mut x = vec![0.0; b.len()];
    let outcome =
        Cg::new(m).solve(&system, &mut x, &StopRule::rtol(1e-8).with_max_iters(100), &mut ()).unwrap();
    (outcome, x)
}

/// Iterations of CG to 1e-8 with the default options, and the operator complexity in hundredths.
fn counts(s: &PoissonSystem) -> (usize, usize) {
    let m = Amg::new(&s.matrix).unwrap();
    let complexity = (100.0 * m.complexity().operator()).round() as usize;
    let (outcome, _) = solve(m, &s.matrix, &s.rhs);
    assert!(outcome.converged(), "{outcome:?}");
    (outcome.iterations, complexity)
}

#[test]
fn iterations_hardly_depend_on_the_size() {
    for (dim, sizes) in [(2, [60, 240]), (3, [20, 40])] {
        let [small, large] = sizes.map(|n| counts(&problem(PoissonKind::Constant, dim, n)));
        assert!(small.0 <= 11 && large.0 <= 12 && large.0 <= small.0 + 2, "{dim}D: {small:?} {large:?}");
        assert!(small.1 <= 165 && large.1 <= 165, "{dim}D: {small:?} {large:?}");
    }
}

#[test]
fn jumps_and_obstacles_are_borne() {
    for (kind, dim, n, most) in [
        (PoissonKind::Jump, 3, 32, 18),
        (PoissonKind::Jump, 2, 128, 20),
        (PoissonKind::Obstacles, 2, 128, 18),
    ] {
        let (iterations, _) = counts(&problem(kind, dim, n));
        assert!(iterations <= most, "{kind} {dim}D: {iterations}");
    }
}

#[test]
fn a_beam_needs_its_rigid_body_modes() {
    let beam = ElasticityProblem::beam_2d(120, 20).build().unwrap();
    let options = AmgOptions { block_size: 2, ..AmgOptions::default() };
    let with = Amg::with_near_null_space(&beam.matrix, &options, &beam.near_null_space).unwrap();
    let (with, _) = solve(with, &beam.matrix, &beam.rhs);
    let (without, _) = solve(Amg::with_options(&beam.matrix, &options).unwrap(), &beam.matrix, &beam.rhs);
    assert!(with.converged() && with.iterations <= 25, "{with:?}");
    assert!(without.iterations > with.iterations, "{without:?}");
}

#[test]
fn both_precisions_and_all_cycles_converge() {
    let s = problem(PoissonKind::Constant, 2, 70);
    for precision in [Precision::Single, Precision::Double] {
        for cycle in [Cycle::V, Cycle::W] {
            let options = AmgOptions { precision, cycle, coarse_size: 20, ..AmgOptions::default() };
            let m = Amg::with_options(&s.matrix, &options).unwrap();
            let (outcome, _) = solve(m, &s.matrix, &s.rhs);
            assert!(outcome.converged() && outcome.iterations <= 12, "{cycle:?} {precision:?} {outcome:?}");
        }
    }
}

#[test]
fn classical_coarsening_converges() {
    let s = problem(PoissonKind::Constant, 2, 100);
    let classical = ClassicalOptions { aggressive_levels: 0, ..ClassicalOptions::default() };
    let options = AmgOptions { coarsening: Coarsening::Classical(classical), ..AmgOptions::default() };
    let (outcome, _) = solve(Amg::with_options(&s.matrix, &options).unwrap(), &s.matrix, &s.rhs);
    assert!(outcome.converged() && outcome.iterations <= 10, "{outcome:?}");
}

#[test]
fn convection_is_smoothed_by_incomplete_lu() {
    let s = problem(PoissonKind::Convection, 2, 100);
    let m = Amg::new(&s.matrix).unwrap();
    let names = m.smoothers();
    let (coarsest, others) = names.split_last().unwrap();
    assert!(others.iter().all(|&name| name == "ilu0") && *coarsest == "dense-inverse", "{names:?}");
    let system = LinearSystem::new(&s.matrix, &s.rhs).unwrap();
    let mut x = vec![0.0; s.rhs.len()];
    let stop = StopRule::rtol(1e-8).with_max_iters(40);
    assert!(Bicgstab::new(m).solve(&system, &mut x, &stop, &mut ()).unwrap().converged());
}

#[test]
fn values_beyond_single_precision_are_computed_in_double() {
    let s = problem(PoissonKind::Constant, 2, 50);
    let mut a = s.matrix.clone();
    a.values_mut().iter_mut().for_each(|v| *v *= 1e60);
    let (outcome, _) = solve(Amg::new(&a).unwrap(), &a, &s.rhs);
    assert!(outcome.converged() && outcome.iterations <= 12, "{outcome:?}");
}

#[test]
fn threads_do_not_change_a_bit() {
    let s = problem(PoissonKind::Jump, 2, 300);
    let solution = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| solve(Amg::new(&s.matrix).unwrap(), &s.matrix, &s.rhs).1)
    };
    let one = solution(1);
    assert!([2, 3].iter().all(|&t| solution(t).iter().zip(&one).all(|(x, y)| x.to_bits() == y.to_bits())));
}

#[test]
fn hard_and_odd_matrices() {
    // Identity rows left in, disconnected graphs, a dense row, one unknown.
    let mut coo = CooBuilder::new(900, 900).unwrap();
    for i in 0..900usize {
        coo.push(i, i, if i % 3 == 0 { 1.0 } else { 2.5 }).unwrap();
        if i % 3 == 1 && i + 1 < 900 {
            coo.push(i, i + 1, -1.0).unwrap();
            coo.push(i + 1, i, -1.0).unwrap();
        }
    }
    let islands = coo.build().unwrap();
    let mut coo = CooBuilder::new(900, 900).unwrap();
    for i in 0..900usize {
        coo.push(i, i, if i == 0 { 1000.0 } else { 2.0 }).unwrap();
        if i > 0 {
            coo.push(0, i, -1.0).unwrap();
            coo.push(i, 0, -1.0).unwrap();
        }
    }
    let arrow = coo.build().unwrap();
    for a in [islands, arrow, CsrMatrix::identity(1000).unwrap(), CsrMatrix::identity(1).unwrap()] {
        let b = vec![1.0; a.nrows()];
        let (outcome, _) = solve(Amg::new(&a).unwrap(), &a, &b);
        assert!(outcome.converged(), "{outcome:?}");
    }
}

#[test]
fn unusable_matrices_are_named() {
    let nan = CsrMatrix::from_diagonal(&[1.0, f64::NAN]).unwrap();
    assert!(matches!(Amg::new(&nan), Err(SolveError::NonFinite { index: 1, .. })));
    let zero = CsrMatrix::from_diagonal(&[1.0, 0.0]).unwrap();
    assert!(matches!(Amg::new(&zero), Err(SolveError::ZeroDiagonal { row: 1, .. })));
    let wide = CsrMatrix::try_new(1, 2, vec![0, 1], vec![0], vec![1.0]).unwrap();
    assert!(matches!(Amg::new(&wide), Err(SolveError::NotSquare { .. })));
    let options = AmgOptions { block_size: 2, ..AmgOptions::default() };
    let odd = CsrMatrix::identity(3).unwrap();
    assert!(matches!(Amg::with_options(&odd, &options), Err(SolveError::InvalidOption { .. })));
    for second_visit in [-0.5, f64::NAN] {
        let options = AmgOptions { second_visit, ..AmgOptions::default() };
        assert!(matches!(Amg::with_options(&odd, &options), Err(SolveError::InvalidOption { .. })));
    }
    for correction_scale in [0.0, -1.0, f64::INFINITY] {
        let sa = AggregationOptions { correction_scale, ..AggregationOptions::default() };
        let options = AmgOptions { coarsening: Coarsening::SmoothedAggregation(sa), ..AmgOptions::default() };
        assert!(matches!(Amg::with_options(&odd, &options), Err(SolveError::InvalidOption { .. })));
    }
    let mut m = Amg::new(&odd).unwrap();
    assert!(m.apply(&[1.0, f64::NAN, 1.0], &mut [0.0; 3]).is_err());
    assert!(m.apply(&[1.0], &mut [0.0; 3]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_cycle_is_symmetric_and_positive(
        nx in 12usize..24,
        which in 0usize..SMOOTHERS.len(),
        cycle in prop::sample::select(vec![Cycle::V, Cycle::W]),
        second_visit in prop::sample::select(vec![0.0, 0.6]),
        coarsening in prop::sample::select(vec![
            Coarsening::Auto,
            Coarsening::Classical(ClassicalOptions::default()),
            Coarsening::SmoothedAggregation(AggregationOptions {
                smooth_prolongation: false,
                correction_scale: 1.8,
                ..AggregationOptions::default()
            }),
        ]),
        seed in 0u64..1000,
    ) {
        let s = PoissonProblem::new(PoissonKind::Jump, 2, nx).build().unwrap();
        let options = AmgOptions {
            coarsening, second_visit, smoother: SMOOTHERS[which], precision: Precision::Double, cycle, coarse_size: 10, ..AmgOptions::default()
        };
        let mut m = Amg::with_options(&s.matrix, &options).unwrap();
        let n = s.matrix.nrows();
        let u = residua_data::poisson::uniform_rhs(n, seed);
        let v = residua_data::poisson::uniform_rhs(n, seed + 5000);
        let (mut mu, mut mv) = (vec![0.0; n], vec![0.0; n]);
        m.apply(&u, &mut mu).unwrap();
        m.apply(&v, &mut mv).unwrap();
        let (uv, vu, uu) = (kernels::dot(&u, &mv), kernels::dot(&v, &mu), kernels::dot(&u, &mu));
        prop_assert!((uv - vu).abs() <= 1e-10 * uu.abs().max(uv.abs()), "{:?}: {uv} {vu}", SMOOTHERS[which]);
        prop_assert!(uu > 0.0);
    }
}

#[test]
fn a_refresh_is_a_new_cycle_for_the_same_values_and_a_good_one_for_near_ones() {
    for (kind, dim, n) in
        [(PoissonKind::Constant, 3, 20), (PoissonKind::Jump, 2, 60), (PoissonKind::Convection, 2, 50)]
    {
        let s = problem(kind, dim, n);
        let r: Vec<f64> = (0..s.rhs.len()).map(|i| (i as f64).sin()).collect();
        let apply = |m: &mut Amg| {
            let mut z = vec![0.0; r.len()];
            m.apply(&r, &mut z).unwrap();
            z
        };
        for reuse_prolongation in [false, true] {
            let options = AmgOptions { reuse_prolongation, ..AmgOptions::default() };
            let mut m = Amg::with_options(&s.matrix, &options).unwrap();
            let fresh = apply(&mut m);
            // Away to other values and back.
            let mut other = s.matrix.clone();
            let (row_ptr, cols, values) = other.parts_mut();
            for i in 0..r.len() {
                for k in row_ptr[i] as usize..row_ptr[i + 1] as usize {
                    values[k] *= 1.0 + 0.1 * ((i + cols[k] as usize) as f64).cos();
                    values[k] += if cols[k] as usize == i { values[k].abs() } else { 0.0 };
                }
            }
            m.refresh(&other).unwrap();
            assert_ne!(apply(&mut m), fresh);
            let system = LinearSystem::new(&other, &s.rhs).unwrap();
            let mut x = vec![0.0; r.len()];
            let stop = StopRule::rtol(1e-8).with_max_iters(30);
            assert!(Bicgstab::new(&mut m).solve(&system, &mut x, &stop, &mut ()).unwrap().converged());
            m.refresh(&s.matrix).unwrap();
            assert_eq!(apply(&mut m), fresh, "{kind:?} {reuse_prolongation}");
        }
    }
}

/// Cells that a moving disc covers or frees: with P left as it was, the fifteenth step takes twice as many iterations.
#[test]
fn a_kept_prolongation_follows_a_moving_obstacle() {
    use residua_data::sequence::{MovingObstacleFlow, Sequence};
    let mut flow = MovingObstacleFlow::new(64, 15, 0).unwrap();
    let options = AmgOptions { reuse_prolongation: true, ..AmgOptions::default() };
    let mut kept: Option<Amg> = None;
    let mut x = Vec::new();
    while flow.advance(&x).unwrap() {
        let (a, b) = (flow.matrix(), flow.rhs());
        let system = LinearSystem::new(a, b).unwrap();
        let solve = |m: &mut Amg| {
            let mut x = vec![0.0; b.len()];
            let outcome = Cg::new(m).solve(&system, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap();
            assert!(outcome.converged());
            (outcome.iterations, x)
        };
        let m = match &mut kept {
            Some(m) => {
                m.refresh(a).unwrap();
                m
            }
            None => kept.insert(Amg::with_options(a, &options).unwrap()),
        };
        let (fresh, _) = solve(&mut Amg::new(a).unwrap());
        let (followed, solution) = solve(m);
        assert!(followed <= fresh + 3, "{followed} against {fresh}");
        x = solution;
    }
}

#[test]
fn a_refresh_refuses_entries_that_have_no_place() {
    let s = problem(PoissonKind::Constant, 2, 40);
    let options = AmgOptions { reuse_prolongation: true, ..AmgOptions::default() };
    let mut m = Amg::with_options(&s.matrix, &options).unwrap();
    let n = s.matrix.nrows();
    let mut far = CooBuilder::new(n, n).unwrap();
    for i in 0..n {
        let (cols, vals) = s.matrix.row(i);
        cols.iter().zip(vals).for_each(|(&j, &v)| far.push(i, j as usize, v).unwrap());
    }
    far.push(0, n - 1, -0.1).unwrap();
    far.push(n - 1, 0, -0.1).unwrap();
    assert!(matches!(m.refresh(&far.build().unwrap()), Err(SolveError::PatternChanged { .. })));
    let small = problem(PoissonKind::Constant, 2, 10).matrix;
    assert!(matches!(Amg::new(&s.matrix).unwrap().refresh(&small), Err(SolveError::PatternChanged { .. })));
}

/// Iterations to 1e-8, operator complexity in hundredths and levels that are visited twice: all of it is independent of the
/// machine, so a change that makes the cycle worse shows here.
#[test]
fn iterations_and_complexity_are_pinned() {
    for (kind, dim, n, most, complexity, twice) in [
        (PoissonKind::Constant, 2, 256, 9, 134..=136, &[false, true, true, false][..]),
        (PoissonKind::Constant, 3, 48, 11, 155..=165, &[false, false, true, false][..]),
        (PoissonKind::Jump, 3, 48, 14, 160..=172, &[false, false, true, false][..]),
        (PoissonKind::Jump, 2, 256, 16, 133..=138, &[false, false, true, false][..]),
        (PoissonKind::Anisotropic, 2, 256, 11, 180..=190, &[false, false, true, false, false][..]),
    ] {
        let s = problem(kind, dim, n);
        let m = Amg::new(&s.matrix).unwrap();
        let visits = m.visited_twice();
        let (iterations, found) = counts(&s);
        assert!(
            iterations <= most && complexity.contains(&found) && visits == twice,
            "{kind} {dim}D {n}: {iterations} iterations, complexity {found}, {visits:?}"
        );
    }
}
