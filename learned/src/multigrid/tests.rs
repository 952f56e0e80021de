use super::*;
use proptest::prelude::*;
use residua_data::poisson::{PoissonKind, PoissonProblem, uniform_rhs};
use residua_solvers::precond::multigrid::StencilOperator;
use residua_solvers::{Cg, LinearOperator, LinearSystem, Outcome, Solver, StopRule};

pub(crate) fn grid_problem(kind: PoissonKind, dim: usize, n: usize, seed: u64) -> GridProblem {
    let (grid, medium) = PoissonProblem::new(kind, dim, n).with_seed(seed).medium().unwrap();
    GridProblem::new(grid, &medium).unwrap()
}

fn solve(problem: &GridProblem, coefficients: &Coefficients, rtol: f64) -> Outcome {
    let b = uniform_rhs(problem.unknowns(), 5);
    let operator = StencilOperator::from_grid(problem).unwrap();
    let mut x = vec![0.0; b.len()];
    let system = LinearSystem::new(&operator, &b).unwrap();
    let precond = LearnedMultigrid::new(problem, coefficients).unwrap();
    Cg::new(precond).solve(&system, &mut x, &StopRule::rtol(rtol), &mut ()).unwrap()
}

/// The limits of iterations to 1e-6: blobs, thin walls, and mazes, which geometric multigrid takes 26 to 33 for.
#[test]
fn few_iterations_also_with_thin_walls() {
    for (kind, dim, n, most) in [
        (PoissonKind::Constant, 2, 96, 7),
        (PoissonKind::Obstacles, 2, 96, 8),
        (PoissonKind::Walls, 2, 96, 10),
        (PoissonKind::Maze, 2, 96, 12),
        (PoissonKind::Obstacles, 3, 28, 8),
        (PoissonKind::Walls, 3, 28, 10),
        (PoissonKind::Maze, 3, 28, 13),
    ] {
        for seed in 1..4 {
            let problem = grid_problem(kind, dim, n, seed);
            let outcome = solve(&problem, &Coefficients::derived(dim), 1e-6);
            assert!(outcome.converged() && outcome.iterations <= most, "{kind} {dim}D {seed}: {outcome:?}");
        }
    }
}

/// With everything derived and nothing to split, it is the cycle of geometric multigrid up to how transfers meet in
/// corners; the untuned cycle is slower.
#[test]
fn derived_coefficients_are_the_hand_corrected_cycle() {
    for dim in [2, 3] {
        let n = if dim == 2 { 128 } else { 32 };
        let problem = grid_problem(PoissonKind::Constant, dim, n, 0);
        let by_hand = multigrid::GeometricMultigrid::from_grid(&problem, Default::default()).unwrap();
        let b = uniform_rhs(problem.unknowns(), 5);
        let operator = StencilOperator::from_grid(&problem).unwrap();
        let system = LinearSystem::new(&operator, &b).unwrap();
        let mut x = vec![0.0; b.len()];
        let by_hand = Cg::new(by_hand).solve(&system, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap();
        let derived = solve(&problem, &Coefficients::derived(dim), 1e-8);
        let plain = solve(&problem, &Coefficients::plain(dim), 1e-8);
        assert!(derived.iterations.abs_diff(by_hand.iterations) <= 1, "{derived:?} {by_hand:?}");
        assert!(plain.converged() && plain.iterations > derived.iterations, "{plain:?}");
    }
}

fn random_coefficients(dim: usize, draws: &[f64]) -> Option<Coefficients> {
    let levels = draws.chunks(6).map(|d| {
        [0.3 + 0.5 * d[0], 0.9 + 0.8 * d[1], 0.3 + 0.7 * d[2], 2.0 * d[3], 0.3 + 2.0 * d[4], 0.3 + 2.0 * d[5]]
    });
    Coefficients::from_slice(dim, &levels.flatten().collect::<Vec<_>>()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Linear, symmetric and positive definite, whatever the coefficients.
    #[test]
    fn symmetric_positive_definite(
        draws in prop::collection::vec(0.0f64..1.0, 24),
        kind in 0usize..4,
        seed in 0u64..50,
        dim in 2usize..4,
    ) {
        let Some(coefficients) = random_coefficients(dim, &draws) else { return Ok(()) };
        let kind = [PoissonKind::Constant, PoissonKind::Obstacles, PoissonKind::Walls, PoissonKind::Maze][kind];
        let n = if dim == 2 { 37 } else { 13 };
        let problem = grid_problem(kind, dim, n, seed);
        let mut m = LearnedMultigrid::new(&problem, &coefficients).unwrap();
        let size = problem.unknowns();
        let (x, y) = (uniform_rhs(size, seed), uniform_rhs(size, seed + 1));
        let (mut bx, mut by, mut both) = (vec![0.0; size], vec![0.0; size], vec![0.0; size]);
        let xbx = m.apply_dot(&x, &mut bx).unwrap();
        let yby = m.apply_dot(&y, &mut by).unwrap();
        prop_assert!(xbx > 0.0 && yby > 0.0);
        let (xby, ybx) = (kernels::dot(&x, &by), kernels::dot(&y, &bx));
        prop_assert!((xby - ybx).abs() < 1e-5 * (xbx * yby).sqrt(), "{} {}", xby, ybx);
        let sum: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x - 3.0 * y).collect();
        m.apply(&sum, &mut both).unwrap();
        let scale = kernels::norm2(&bx) + kernels::norm2(&by);
        let defect: f64 = (0..size).map(|i| (both[i] - (bx[i] - 3.0 * by[i])).powi(2)).sum::<f64>().sqrt();
        prop_assert!(defect < 1e-5 * scale, "{}", defect / scale);
    }
}

/// A box sealed off by walls beside an open one: b with mean zero there is solved, and the answer's mean is 0.
#[test]
fn sealed_regions_are_projected() {
    let n = 40;
    // A square ring of solid around points 10..20.
    let solid = |i: usize, k: usize| {
        let inside = |v: usize, low: usize, high: usize| (low..high).contains(&v);
        inside(i, 9, 21) && inside(k, 9, 21) && !(inside(i, 10, 20) && inside(k, 10, 20))
    };
    let mut next = 0;
    let unknowns: Vec<u32> = (0..n * n)
        .map(|at| {
            if solid(at % n, at / n) {
                return u32::MAX;
            }
            next += 1;
            next - 1
        })
        .collect();
    let open = |i: usize, k: usize| i < n && k < n && !solid(i, k);
    let faces = |axis: usize| -> Vec<f64> {
        let face = |at: usize| {
            let (i, j, k) = (at % (n + 1), at / (n + 1) % 2, at / (2 * (n + 1)));
            let low = if axis == 0 { (i.wrapping_sub(1), k) } else { (i, k.wrapping_sub(1)) };
            let is_outer = axis == 0 && (i == 0 || i == n) && k < n;
            let inner = open(i, k) && open(low.0, low.1);
            f64::from(u8::from(j == 0 && axis != 1 && (is_outer || inner)))
        };
        (0..2 * (n + 1) * (n + 1)).map(face).collect()
    };
    let w = [faces(0), faces(1), faces(2)];
    let problem = GridProblem {
        dims: [n, 1, n],
        coefficients: multigrid::Coefficients::Faces { w },
        unknown_of_point: Some(unknowns.clone()),
        null_space: false,
    };
    let inside: Vec<usize> = (0..n * n)
        .filter(|at| (10..20).contains(&(at % n)) && (10..20).contains(&(at / n)))
        .map(|at| unknowns[at] as usize)
        .collect();
    assert_eq!(inside.len(), 100);
    let mut b = uniform_rhs(problem.unknowns(), 1);
    let mean = inside.iter().map(|&u| b[u]).sum::<f64>() / 100.0;
    inside.iter().for_each(|&u| b[u] -= mean);
    let operator = StencilOperator::from_grid(&problem).unwrap();
    let system = LinearSystem::new(&operator, &b).unwrap();
    let mut x = vec![0.0; b.len()];
    let m = LearnedMultigrid::new(&problem, &Coefficients::derived(2)).unwrap();
    let outcome = Cg::new(m).solve(&system, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap();
    assert!(outcome.converged() && outcome.iterations < 14, "{outcome:?}");
    assert!(inside.iter().map(|&u| x[u]).sum::<f64>().abs() < 1e-9);
    // Pure Neumann, the whole of it: the same.
    let problem = grid_problem(PoissonKind::Neumann, 2, 50, 0);
    let mut m = LearnedMultigrid::new(&problem, &Coefficients::derived(2)).unwrap();
    let mut z = vec![0.0; 2500];
    m.apply(&[1.0; 2500], &mut z).unwrap();
    assert!(z.iter().all(|z| z.abs() < 1e-6), "the constants are not seen");
}

#[test]
fn every_kind_of_boundary_and_size_solves() {
    for (kind, dim, n) in [
        (PoissonKind::Neumann, 2, 33),
        (PoissonKind::Neumann, 3, 12),
        (PoissonKind::Jump, 2, 40),
        (PoissonKind::Constant, 2, 5),
        (PoissonKind::Constant, 3, 1),
        (PoissonKind::Obstacles, 2, 17),
    ] {
        let system = PoissonProblem::new(kind, dim, n).build().unwrap();
        let problem = GridProblem::of_system(&system).unwrap();
        let m = LearnedMultigrid::new(&problem, &Coefficients::derived(dim)).unwrap();
        let mut x = vec![0.0; system.rhs.len()];
        let linear = LinearSystem::new(&system.matrix, &system.rhs).unwrap();
        let outcome = Cg::new(m).solve(&linear, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap();
        assert!(outcome.converged(), "{kind} {dim}D {n}: {outcome:?}");
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let problem = grid_problem(PoissonKind::Walls, 2, 200, 4);
    let r = uniform_rhs(problem.unknowns(), 1);
    let apply = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut z = vec![0.0; r.len()];
            let mut m = LearnedMultigrid::new(&problem, &Coefficients::derived(2)).unwrap();
            m.apply(&r, &mut z).unwrap();
            z
        })
    };
    assert!(apply(1) == apply(2) && apply(2) == apply(3));
}

#[test]
fn wrong_inputs_have_names() {
    let problem = grid_problem(PoissonKind::Constant, 2, 20, 0);
    assert!(matches!(
        LearnedMultigrid::new(&problem, &Coefficients::derived(3)),
        Err(LearnedError::Geometry { .. })
    ));
    let mut bad = Coefficients::derived(2);
    bad.levels[1].omega[0] = f64::NAN;
    assert!(matches!(LearnedMultigrid::new(&problem, &bad), Err(LearnedError::Model { .. })));
    let mut m = LearnedMultigrid::new(&problem, &Coefficients::derived(2)).unwrap();
    assert_eq!(m.unknowns(), 400);
    let mut z = vec![1.0; 400];
    assert!(m.apply(&[0.0; 3], &mut z).is_err());
    m.apply(&[0.0; 400], &mut z).unwrap();
    assert!(z.iter().all(|&z| z == 0.0));
    let mut r = vec![1.0; 400];
    r[7] = f64::NAN;
    assert_eq!(m.apply(&r, &mut z), Err(SolveError::NonFinite { what: "r", index: 7 }));
    let operator = StencilOperator::from_grid(&problem).unwrap();
    assert_eq!(operator.nrows(), m.unknowns());
}
