use super::*;
use crate::{Cg, LinearSystem, Outcome, Solver, StopRule};
use proptest::prelude::*;
use residua_data::poisson::{PoissonKind, PoissonProblem, uniform_rhs};

mod varied;

const KINDS: [PoissonKind; 5] = [
    PoissonKind::Constant,
    PoissonKind::Anisotropic,
    PoissonKind::Jump,
    PoissonKind::Obstacles,
    PoissonKind::Neumann,
];
const SMOOTHERS: [Smoother; 3] = [Smoother::Chebyshev, Smoother::Jacobi, Smoother::RedBlack];

fn system(kind: PoissonKind, dim: usize, n: usize) -> PoissonSystem {
    PoissonProblem::new(kind, dim, n).build().unwrap()
}

/// A box with own extents: constant, Neumann on one side, a cell-centred Dirichlet side, or random faces.
fn uneven(dims: [usize; 3], faces: bool, seed: u64) -> GridProblem {
    let coefficients = if faces {
        let n = dims.map(|n| n + 1).iter().product();
        let mut w = [0, 1, 2].map(|a| {
            uniform_rhs(n, seed + a)
                .into_iter()
                .map(|v| if v < -0.6 { 0.0 } else { (3.0 * v).exp() })
                .collect()
        });
        if dims[1] == 1 {
            w[1] = vec![0.0; n];
        }
        // One open outer face at least: the low x side.
        for row in w[0].chunks_exact_mut(dims[0] + 1) {
            row[0] = 1.0;
        }
        Coefficients::Faces { w }
    } else {
        let k = [1.0, if dims[1] > 1 { 0.7 } else { 0.0 }, 30.0];
        Coefficients::Axes { k, sides: [[1.0, 0.0], [0.0, 1.0], [2.0, 1.0]] }
    };
    GridProblem { dims, coefficients, unknown_of_point: None, null_space: false }
}

/// |uᵀBv − vᵀBu| relative to its terms, and uᵀBu.
fn symmetry(mg: &mut GeometricMultigrid, u: &[f64], v: &[f64]) -> (f64, f64) {
    let (mut bu, mut bv) = (vec![0.0; u.len()], vec![0.0; u.len()]);
    mg.apply(u, &mut bu).unwrap();
    mg.apply(v, &mut bv).unwrap();
    let size = kernels::norm2(u) * kernels::norm2(&bv) + kernels::norm2(v) * kernels::norm2(&bu);
    ((kernels::dot(u, &bv) - kernels::dot(v, &bu)).abs() / size, kernels::dot(u, &bu))
}

fn mean_free(mut v: Vec<f64>, null_space: bool) -> Vec<f64> {
    if null_space {
        subtract_mean(&mut v);
    }
    v
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_cycle_is_symmetric_and_positive(
        kind in prop::sample::select(KINDS.to_vec()),
        smoother in prop::sample::select(SMOOTHERS.to_vec()),
        (dim, n) in prop::sample::select(vec![(2, 17), (2, 23), (2, 16), (2, 64), (3, 9), (3, 8), (3, 14)]),
        cycle in prop::sample::select(vec![Cycle::V, Cycle::W]),
        sweeps in 1usize..4,
        seed in 0u64..1000,
    ) {
        let system = system(kind, dim, n);
        let options = MultigridOptions { coarsest_points: 20, precision: Precision::Double, cycle, smoother, ..Default::default() };
        let mut mg = GeometricMultigrid::new(&system, options.with_sweeps(sweeps)).unwrap();
        let draw = |seed| mean_free(uniform_rhs(system.rhs.len(), seed), system.null_space);
        let (asymmetry, energy) = symmetry(&mut mg, &draw(seed), &draw(seed + 1));
        prop_assert!(asymmetry < 1e-12, "{asymmetry}");
        prop_assert!(energy > 0.0);
    }

    #[test]
    fn so_it_is_on_uneven_boxes(
        dims in prop::sample::select(vec![[17, 1, 23], [9, 14, 11], [2, 3, 30], [33, 1, 2], [1, 5, 7], [12, 1, 64]]),
        faces in any::<bool>(),
        smoother in prop::sample::select(SMOOTHERS.to_vec()),
        seed in 0u64..1000,
    ) {
        let problem = uneven(dims, faces, seed);
        let options = MultigridOptions { coarsest_points: 8, precision: Precision::Double, smoother, ..Default::default() };
        let mut mg = GeometricMultigrid::from_grid(&problem, options).unwrap();
        let n = problem.points();
        let (asymmetry, _) = symmetry(&mut mg, &uniform_rhs(n, seed), &uniform_rhs(n, seed + 1));
        prop_assert!(asymmetry < 1e-12, "{asymmetry}");
        // The operator is symmetric too.
        let a = StencilOperator::from_grid(&problem).unwrap();
        let (u, v) = (uniform_rhs(n, seed + 2), uniform_rhs(n, seed + 3));
        let (mut au, mut av) = (vec![0.0; n], vec![0.0; n]);
        let uau = a.apply_dot(&u, &mut au);
        a.apply(&v, &mut av);
        prop_assert!((kernels::dot(&u, &av) - kernels::dot(&v, &au)).abs() < 1e-10 * kernels::norm2(&av) * kernels::norm2(&u));
        prop_assert!(uau > 0.0 && (uau - kernels::dot(&u, &au)).abs() < 1e-12 * uau);
    }
}

#[test]
fn the_operator_is_the_matrix() {
    for kind in KINDS {
        for (dim, n) in [(2, 1), (2, 2), (2, 37), (2, 200), (3, 1), (3, 2), (3, 12), (3, 35)] {
            let system = system(kind, dim, n);
            let a = StencilOperator::new(&system).unwrap();
            let len = system.rhs.len();
            assert_eq!((a.nrows(), a.ncols()), (len, len));
            let x = uniform_rhs(len, 5);
            let (mut y, mut expected) = (vec![f64::NAN; len], vec![0.0; len]);
            let largest = system.matrix.values().iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            let close =
                |y: &[f64], e: &[f64]| y.iter().zip(e).all(|(y, e)| (y - e).abs() < 1e-13 * (1.0 + largest));
            a.apply(&x, &mut y);
            system.matrix.multiply(&x, &mut expected);
            assert!(close(&y, &expected), "{kind} {dim}D n = {n}");
            a.residual(&system.rhs, &x, &mut y);
            LinearOperator::residual(&system.matrix, &system.rhs, &x, &mut expected);
            assert!(close(&y, &expected), "residual of {kind} {dim}D n = {n}");
        }
    }
}

fn solve(problem: PoissonProblem, options: MultigridOptions) -> Outcome {
    let system = problem.build().unwrap();
    let mut solver = PoissonMultigrid::new(&system, options).unwrap();
    let mut x = vec![0.0; system.rhs.len()];
    let outcome = solver.solve(&system.rhs, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap();
    assert!(outcome.converged(), "{problem:?}: {outcome:?}");
    // By the matrix, which the solver has not seen.
    let mut r = vec![0.0; x.len()];
    LinearOperator::residual(&system.matrix, &system.rhs, &x, &mut r);
    assert!(kernels::norm2(&r) < 1.01e-8 * kernels::norm2(&system.rhs), "{problem:?}");
    outcome
}

#[test]
fn iterations_do_not_grow() {
    let count =
        |kind, dim, n| solve(PoissonProblem::new(kind, dim, n), MultigridOptions::default()).iterations;
    for (kind, dim, sizes, most) in [
        (PoissonKind::Constant, 2, [64, 255], 8),
        (PoissonKind::Constant, 3, [24, 50], 8),
        (PoissonKind::Anisotropic, 2, [64, 200], 8),
        (PoissonKind::Anisotropic, 3, [24, 40], 9),
        (PoissonKind::Jump, 2, [64, 256], 11),
        (PoissonKind::Jump, 3, [32, 64], 13),
        (PoissonKind::Obstacles, 2, [64, 256], 13),
        (PoissonKind::Obstacles, 3, [24, 40], 12),
        (PoissonKind::Neumann, 2, [64, 255], 8),
        (PoissonKind::Neumann, 3, [24, 41], 9),
    ] {
        for n in sizes {
            let iterations = count(kind, dim, n);
            assert!((3..=most).contains(&iterations), "{kind} {dim}D n = {n}: {iterations}");
        }
    }
}

#[test]
fn contrasts_are_borne() {
    for dim in [2, 3] {
        let n = if dim == 2 { 100 } else { 20 };
        for contrast in [1.0, 3.0, 30.0, 1e3, 1e6, 1e-3] {
            let problem = PoissonProblem::new(PoissonKind::Anisotropic, dim, n).with_contrast(contrast);
            let iterations = solve(problem, MultigridOptions::default()).iterations;
            assert!(iterations <= 12, "{dim}D contrast {contrast}: {iterations}");
        }
    }
}

#[test]
fn every_option_solves() {
    for smoother in SMOOTHERS {
        for cycle in [Cycle::V, Cycle::W] {
            for precision in [Precision::Single, Precision::Double] {
                let options = MultigridOptions::default()
                    .with_smoother(smoother)
                    .with_cycle(cycle)
                    .with_precision(precision);
                for dim in [2, 3] {
                    let n = if dim == 2 { 60 } else { 21 };
                    let outcome = solve(PoissonProblem::new(PoissonKind::Constant, dim, n), options);
                    assert!(outcome.iterations <= 11, "{options:?} {dim}D: {}", outcome.iterations);
                }
            }
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    for kind in [PoissonKind::Constant, PoissonKind::Obstacles] {
        for (dim, n) in [(2, 300), (3, 40)] {
            let system = system(kind, dim, n);
            let with = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let mut solver = PoissonMultigrid::new(&system, MultigridOptions::default()).unwrap();
                    let mut x = vec![0.0; system.rhs.len()];
                    solver.solve(&system.rhs, &mut x, &StopRule::default(), &mut ()).unwrap();
                    x.into_iter().map(f64::to_bits).collect::<Vec<_>>()
                })
            };
            let one = with(1);
            assert!(one == with(2) && one == with(3), "{kind} {dim}D");
        }
    }
}

/// −Δu = f with u = Π sin(πx), on the Dirichlet grid: the matrix is scaled by h².
fn manufactured(dim: usize, n: usize) -> (PoissonSystem, Vec<f64>, Vec<f64>) {
    let system = system(PoissonKind::Constant, dim, n);
    let h = system.grid.spacing();
    let exact: Vec<f64> = (0..system.grid.points())
        .map(|i| {
            let p = system.grid.point(i);
            (0..dim).map(|a| (std::f64::consts::PI * (p[a] + 1) as f64 * h).sin()).product()
        })
        .collect();
    let factor = dim as f64 * std::f64::consts::PI.powi(2) * h * h;
    let b = exact.iter().map(|u| factor * u).collect();
    (system, exact, b)
}

#[test]
fn full_multigrid_reaches_the_accuracy_of_the_discretisation() {
    for (dim, n) in [(2, 64), (2, 127), (2, 200), (3, 32), (3, 45)] {
        let (system, exact, b) = manufactured(dim, n);
        let a = StencilOperator::new(&system).unwrap();
        let error = |x: &[f64]| {
            x.iter().zip(&exact).map(|(x, e)| (x - e).powi(2)).sum::<f64>().sqrt() / kernels::norm2(&exact)
        };
        let mut solver = PoissonMultigrid::new(&system, MultigridOptions::default()).unwrap();
        let mut x = vec![0.0; b.len()];
        solver.solve(&b, &mut x, &StopRule::rtol(1e-12), &mut ()).unwrap();
        let discretisation = error(&x);
        let mut mg = GeometricMultigrid::new(&system, MultigridOptions::default()).unwrap();
        // Again and again, from whatever is in x, with the same result.
        for _ in 0..2 {
            mg.full_multigrid(&a, &b, 2, &mut x).unwrap();
            let found = error(&x);
            assert!(found < 1.5 * discretisation, "{dim}D n = {n}: {found} {discretisation}");
        }
    }
}

#[test]
fn the_stationary_iteration_solves_and_starts_better_from_full_multigrid() {
    let (system, _, b) = manufactured(2, 100);
    let a = StencilOperator::new(&system).unwrap();
    let problem = LinearSystem::new(&a, &b).unwrap();
    let cycle = || GeometricMultigrid::new(&system, MultigridOptions::default()).unwrap();
    let run = |mut solver: Multigrid| {
        let outcome =
            solver.solve(&problem, &mut vec![0.0; b.len()], &StopRule::rtol(1e-8), &mut ()).unwrap();
        assert!(outcome.converged(), "{outcome:?}");
        outcome.iterations
    };
    let (cold, warm) = (run(Multigrid::new(cycle())), run(Multigrid::new(cycle()).with_full_start()));
    assert!(warm < cold && cold <= 14, "{warm} {cold}");
    let neumann = self::system(PoissonKind::Neumann, 3, 20);
    let problem = LinearSystem::new(&neumann.matrix, &neumann.rhs).unwrap();
    let cycle = GeometricMultigrid::new(&neumann, MultigridOptions::default()).unwrap();
    let mut solver = Multigrid::new(cycle).with_full_start();
    let mut x = vec![0.0; neumann.rhs.len()];
    assert!(solver.solve(&problem, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap().converged());
}

#[test]
fn a_matrix_in_memory_works_as_well() {
    let system = system(PoissonKind::Jump, 2, 64);
    let problem = LinearSystem::new(&system.matrix, &system.rhs).unwrap();
    let mut cg = Cg::new(GeometricMultigrid::new(&system, MultigridOptions::default()).unwrap());
    let outcome = cg.solve(&problem, &mut vec![0.0; 4096], &StopRule::default(), &mut ()).unwrap();
    assert!(outcome.converged() && outcome.iterations <= 12);
}

#[test]
fn tiny_grids_are_solved_directly() {
    for kind in KINDS {
        for (dim, n) in [(2, 1), (2, 2), (3, 1), (3, 2), (2, 3)] {
            let system = system(kind, dim, n);
            if kind == PoissonKind::Neumann && n == 1 {
                continue;
            }
            let mut solver = PoissonMultigrid::new(&system, MultigridOptions::default()).unwrap();
            let mut x = vec![0.0; system.rhs.len()];
            let outcome = solver.solve(&system.rhs, &mut x, &StopRule::default(), &mut ()).unwrap();
            assert!(outcome.converged() && outcome.iterations <= 3, "{kind} {dim}D n = {n}: {outcome:?}");
            // And with levels down to a single point.
            let options = MultigridOptions { coarsest_points: 1, ..Default::default() };
            let mut solver = PoissonMultigrid::new(&system, options).unwrap();
            x.fill(0.0);
            assert!(solver.solve(&system.rhs, &mut x, &StopRule::default(), &mut ()).unwrap().converged());
        }
    }
}

#[test]
fn the_scale_of_r_does_not_matter() {
    let system = system(PoissonKind::Constant, 2, 40);
    let mut mg = GeometricMultigrid::new(&system, MultigridOptions::default()).unwrap();
    let (mut z, mut scaled) = (vec![0.0; 1600], vec![0.0; 1600]);
    mg.apply(&system.rhs, &mut z).unwrap();
    for factor in [2f64.powi(-200), 2f64.powi(300)] {
        let r: Vec<f64> = system.rhs.iter().map(|r| factor * r).collect();
        mg.apply(&r, &mut scaled).unwrap();
        assert!(z.iter().zip(&scaled).all(|(z, s)| s / factor == *z));
    }
    assert_eq!(mg.apply_dot(&vec![0.0; 1600], &mut scaled).unwrap(), 0.0);
    assert!(scaled.iter().all(|&v| v == 0.0));
}

#[test]
fn apply_dot_is_the_product() {
    for kind in KINDS {
        let system = system(kind, 2, 61);
        let mut mg = GeometricMultigrid::new(&system, MultigridOptions::default()).unwrap();
        let mut z = vec![0.0; system.rhs.len()];
        let dot = mg.apply_dot(&system.rhs, &mut z).unwrap();
        assert!((dot / kernels::dot(&system.rhs, &z) - 1.0).abs() < 1e-5, "{kind}");
    }
}

#[test]
fn wrong_calls_are_refused() {
    let convection = system(PoissonKind::Convection, 2, 5);
    let options = MultigridOptions::default();
    let error = GeometricMultigrid::new(&convection, options).unwrap_err().to_string();
    assert!(error.contains("bicgstab"), "{error}");
    assert!(StencilOperator::new(&convection).is_err());
    let system = system(PoissonKind::Constant, 2, 20);
    let mut mg = GeometricMultigrid::new(&system, options).unwrap();
    let mut z = vec![0.0; 400];
    assert!(matches!(mg.apply(&[1.0; 399], &mut z), Err(SolveError::DimensionMismatch { what: "r", .. })));
    assert!(matches!(
        mg.apply(&[1.0; 400], &mut z[1..]),
        Err(SolveError::DimensionMismatch { what: "z", .. })
    ));
    for bad in [f64::NAN, f64::INFINITY] {
        let mut r = vec![1.0; 400];
        r[7] = bad;
        assert_eq!(mg.apply(&r, &mut z), Err(SolveError::NonFinite { what: "r", index: 7 }));
    }
    for options in [
        options.with_sweeps(0),
        MultigridOptions { post_sweeps: 1, ..options },
        MultigridOptions { coarsest_points: 0, ..options },
    ] {
        assert!(matches!(GeometricMultigrid::new(&system, options), Err(SolveError::InvalidOption { .. })));
    }
    let good = GridProblem::of_system(&system).unwrap();
    let refused = |problem: GridProblem| GeometricMultigrid::from_grid(&problem, options).is_err();
    assert!(refused(GridProblem { dims: [20, 0, 20], ..good.clone() }));
    assert!(refused(GridProblem { unknown_of_point: Some(vec![0; 400]), ..good.clone() }));
    assert!(refused(GridProblem { unknown_of_point: Some(vec![0; 3]), ..good.clone() }));
    let nan = Coefficients::Axes { k: [f64::NAN, 0.0, 1.0], sides: [[1.0; 2]; 3] };
    assert!(refused(GridProblem { coefficients: nan, ..good.clone() }));
    let short = Coefficients::Faces { w: [vec![1.0], vec![1.0], vec![1.0]] };
    assert!(refused(GridProblem { coefficients: short, ..good }));
}
