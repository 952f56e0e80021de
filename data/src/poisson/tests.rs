use super::*;
use crate::CooBuilder;
use proptest::prelude::*;

/// The definition, point by point, in the slowest way: `face(point, axis, high)` gives the coefficient and
/// whether the face is open; the neighbour is looked up by its coordinates.
fn naive(
    grid: Grid,
    unknown: impl Fn([usize; 3]) -> Option<usize>,
    face: impl Fn([usize; 3], usize, bool) -> f64,
) -> CsrMatrix<f64> {
    let [nx, ny, nz] = grid.extents();
    let points: Vec<[usize; 3]> =
        (0..nz).flat_map(|z| (0..ny).flat_map(move |y| (0..nx).map(move |x| [x, y, z]))).collect();
    let unknowns = points.iter().filter(|&&p| unknown(p).is_some()).count();
    let mut coo = CooBuilder::new(unknowns, unknowns).unwrap();
    for &p in &points {
        let Some(row) = unknown(p) else { continue };
        // A stored diagonal even where no face is open.
        coo.push(row, row, 0.0).unwrap();
        for axis in 0..grid.dim() {
            for high in [false, true] {
                let k = face(p, axis, high);
                let mut q = p;
                let inside = if high { p[axis] + 1 < grid.n() } else { p[axis] > 0 };
                if inside {
                    q[axis] = if high { p[axis] + 1 } else { p[axis] - 1 };
                    let Some(col) = unknown(q) else { continue };
                    coo.push(row, col, -k).unwrap();
                }
                coo.push(row, row, k).unwrap();
            }
        }
    }
    coo.build().unwrap()
}

fn all(grid: Grid) -> impl Fn([usize; 3]) -> Option<usize> {
    move |p| Some(grid.index(p))
}

fn largest_difference(a: &CsrMatrix<f64>, b: &CsrMatrix<f64>) -> f64 {
    assert!(a.same_pattern(b), "patterns differ");
    a.values().iter().zip(b.values()).map(|(x, y)| (x - y).abs() / (1.0 + y.abs())).fold(0.0, f64::max)
}

fn build(kind: PoissonKind, dim: usize, n: usize) -> PoissonSystem {
    PoissonProblem::new(kind, dim, n).build().unwrap()
}

fn sizes() -> impl Iterator<Item = (usize, usize)> {
    [2, 3].into_iter().flat_map(|dim| [1, 2, 3, 4, 7].map(|n| (dim, n)))
}

#[test]
fn each_kind_equals_its_definition() {
    for (dim, n) in sizes() {
        let grid = Grid::new(dim, n).unwrap();
        let h = 1.0 / (n as f64 + 1.0);
        let constant = naive(grid, all(grid), |_, _, _| 1.0);
        assert_eq!(build(PoissonKind::Constant, dim, n).matrix, constant);
        let weak = naive(grid, all(grid), |_, axis, _| if axis == dim - 1 { 1e-3 } else { 1.0 });
        assert!(largest_difference(&build(PoissonKind::Anisotropic, dim, n).matrix, &weak) < 1e-15);
        let wind = [1.0, 0.5, 0.25];
        let convection =
            naive(grid, all(grid), |_, axis, high| 1e-3 + if high { 0.0 } else { h * wind[axis] });
        assert!(largest_difference(&build(PoissonKind::Convection, dim, n).matrix, &convection) < 1e-15);
        let neumann = naive(grid, all(grid), |p, axis, high| {
            let at_side = if high { p[axis] + 1 == n } else { p[axis] == 0 };
            if at_side { 0.0 } else { 1.0 }
        });
        assert_eq!(build(PoissonKind::Neumann, dim, n).matrix, neumann);
    }
}

#[test]
fn jumps_are_harmonic_means_of_a_checkerboard() {
    for (dim, n) in [(2, 8), (2, 7), (3, 8), (3, 5), (2, 1)] {
        let grid = Grid::new(dim, n).unwrap();
        let k = |p: [usize; 3]| if p.map(|c| c * 4 / n).iter().sum::<usize>() % 2 == 1 { 1e4 } else { 1.0 };
        let expected = naive(grid, all(grid), |p, axis, high| {
            let mut q = p;
            match (high, p[axis]) {
                (true, c) if c + 1 < n => q[axis] = c + 1,
                (false, c) if c > 0 => q[axis] = c - 1,
                _ => return k(p),
            }
            2.0 / (1.0 / k(p) + 1.0 / k(q))
        });
        let system = build(PoissonKind::Jump, dim, n);
        assert!(largest_difference(&system.matrix, &expected) < 1e-15);
        assert!((0..grid.points()).all(|i| {
            let p = grid.point(i);
            system.medium.coefficient(grid, p) == k(p)
        }));
    }
}

#[test]
fn obstacles_equal_their_definition_and_touch_an_open_side() {
    for (dim, n, seed) in [(2, 40, 0), (2, 41, 5), (3, 14, 1), (3, 9, 2)] {
        let grid = Grid::new(dim, n).unwrap();
        let system = PoissonProblem::new(PoissonKind::Obstacles, dim, n).with_seed(seed).build().unwrap();
        let numbers = system.medium.unknown_of_point().unwrap().to_vec();
        let unknown = |p| Some(numbers[grid.index(p)]).filter(|&u| u != u32::MAX).map(|u| u as usize);
        let expected = naive(grid, unknown, |p, axis, high| {
            let at_side = if high { p[axis] + 1 == n } else { p[axis] == 0 };
            if at_side && axis > 0 { 0.0 } else { 1.0 }
        });
        assert_eq!(system.matrix, expected);
        let unknowns = system.matrix.nrows();
        assert!(unknowns < grid.points(), "no solid points at {dim}D, n = {n}");
        assert!(unknowns * 3 > grid.points(), "hardly any fluid at {dim}D, n = {n}: {unknowns}");
        assert!(every_component_has_a_strict_row(&system.matrix));
    }
}

/// Whether each connected component of the graph of A holds a row with a_ii > Σ |a_ij|: with weak dominance
/// that makes a symmetric A positive definite (Taussky).
fn every_component_has_a_strict_row(a: &CsrMatrix<f64>) -> bool {
    let mut component = vec![usize::MAX; a.nrows()];
    let mut strict = Vec::new();
    for start in 0..a.nrows() {
        if component[start] != usize::MAX {
            continue;
        }
        let id = strict.len();
        strict.push(false);
        component[start] = id;
        let mut queue = vec![start];
        while let Some(i) = queue.pop() {
            let (cols, vals) = a.row(i);
            strict[id] |= vals.iter().sum::<f64>() > 0.5;
            for &j in cols {
                if component[j as usize] == usize::MAX {
                    component[j as usize] = id;
                    queue.push(j as usize);
                }
            }
        }
    }
    strict.iter().all(|&s| s)
}

#[test]
fn bodies_stay_where_they_are_when_the_grid_is_refined() {
    // Points of n = 19 are every second point of n = 39: h halves exactly.
    let fluid = |n| {
        let system = PoissonProblem::new(PoissonKind::Obstacles, 2, n).with_seed(3).build().unwrap();
        let grid = system.grid;
        let unknowns = system.medium.unknown_of_point().unwrap().to_vec();
        move |x: usize, y: usize| unknowns[grid.index([x, y, 0])] != u32::MAX
    };
    let (coarse, fine) = (fluid(19), fluid(39));
    let same =
        (0..19 * 19).filter(|i| coarse(i % 19, i / 19) == fine(2 * (i % 19) + 1, 2 * (i / 19) + 1)).count();
    // Only pockets may differ.
    assert!(same * 100 >= 97 * 19 * 19, "{same} of 361 points agree");
}

#[test]
fn eigenvalues_agree_with_a_dense_solver() {
    for (dim, n) in [(2, 1), (2, 2), (2, 6), (3, 1), (3, 3), (3, 4)] {
        for kind in [PoissonKind::Constant, PoissonKind::Anisotropic, PoissonKind::Neumann] {
            let system = build(kind, dim, n);
            let order = system.matrix.nrows();
            let dense =
                nalgebra::DMatrix::from_row_slice(order, order, &system.matrix.to_row_major().unwrap());
            let mut expected: Vec<f64> = dense.symmetric_eigenvalues().iter().copied().collect();
            expected.sort_by(f64::total_cmp);
            let values = eigenvalues(system.grid, &system.medium).unwrap();
            assert!(
                values.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12),
                "{kind} {dim}D n = {n}: {values:?} against {expected:?}"
            );
        }
    }
    let jump = build(PoissonKind::Jump, 2, 4);
    assert_eq!(eigenvalues(jump.grid, &jump.medium), None);
    assert_eq!(eigenvector(jump.grid, &jump.medium, [0; 3]), None);
}

#[test]
fn eigenvectors_are_what_they_say() {
    for kind in [PoissonKind::Constant, PoissonKind::Anisotropic, PoissonKind::Neumann] {
        for (dim, modes) in [(2, [0, 0, 0]), (2, [3, 11, 99]), (3, [4, 0, 11])] {
            let system = build(kind, dim, 12);
            let (value, v) = eigenvector(system.grid, &system.medium, modes).unwrap();
            let mut av = vec![0.0; v.len()];
            system.matrix.multiply(&v, &mut av);
            assert!(av.iter().zip(&v).all(|(av, v)| (av - value * v).abs() < 1e-13));
            assert!(v.iter().any(|v| v.abs() > 0.1));
            assert_eq!(eigenvector(system.grid, &system.medium, [12, 0, 0]), None);
        }
    }
}

#[test]
fn neumann_annihilates_constants_and_its_rhs_is_consistent() {
    for (dim, n) in sizes() {
        let system = build(PoissonKind::Neumann, dim, n);
        assert!(system.null_space);
        let order = system.matrix.nrows();
        let mut image = vec![f64::NAN; order];
        system.matrix.multiply(&vec![1.0; order], &mut image);
        assert!(image.iter().all(|&v| v == 0.0));
        assert!(system.rhs.iter().sum::<f64>().abs() < 1e-13 * order as f64);
    }
    assert!(!build(PoissonKind::Constant, 2, 3).null_space);
}

#[test]
fn one_point_is_a_system() {
    for dim in [2, 3] {
        let d = 2.0 * dim as f64;
        let value = |kind| {
            let system = build(kind, dim, 1);
            assert_eq!((system.matrix.nrows(), system.matrix.nnz(), system.rhs.len()), (1, 1, 1));
            system.matrix.get(0, 0)
        };
        assert_eq!(value(PoissonKind::Constant), d);
        assert_eq!(value(PoissonKind::Neumann), 0.0);
        assert_eq!(value(PoissonKind::Obstacles), 2.0);
        assert_eq!(value(PoissonKind::Jump), d);
        assert!((value(PoissonKind::Anisotropic) - (d - 2.0 + 2e-3)).abs() < 1e-15);
    }
}

#[test]
fn a_covered_grid_still_has_a_way_in() {
    for seed in 0..200 {
        for (dim, n) in [(2, 1), (2, 2), (3, 1)] {
            let problem = PoissonProblem::new(PoissonKind::Obstacles, dim, n).with_seed(seed);
            let system = problem.build().unwrap();
            assert!(system.matrix.nrows() > 0 && system.matrix.has_positive_diagonal());
        }
    }
}

#[test]
fn the_right_hand_side_follows_the_seed() {
    let problem = PoissonProblem::new(PoissonKind::Constant, 2, 4);
    let system = problem.build().unwrap();
    assert_eq!(system.rhs, uniform_rhs(16, 0));
    assert_ne!(problem.with_seed(1).build().unwrap().rhs, system.rhs);
    assert_eq!(problem.with_seed(1).build().unwrap().matrix, system.matrix);
}

#[test]
fn the_result_does_not_depend_on_threads() {
    for kind in PoissonKind::ALL {
        let problem = PoissonProblem::new(kind, 3, 17).with_seed(4);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| problem.build().unwrap())
        };
        let one = with(1);
        assert_eq!(one, with(2));
        assert_eq!(one, with(3));
    }
}

#[test]
fn wrong_parameters_are_named() {
    let refused = |problem: PoissonProblem| problem.build().unwrap_err();
    let constant = |dim, n| PoissonProblem::new(PoissonKind::Constant, dim, n);
    assert_eq!(refused(constant(2, 0)), PoissonError::EmptyGrid);
    assert_eq!(refused(constant(4, 3)), PoissonError::Dimension { found: 4 });
    assert_eq!(refused(constant(3, 1000)), PoissonError::TooLarge { dim: 3, n: 1000, max: 850 });
    assert_eq!(
        refused(constant(2, 3).with_contrast(10.0)),
        PoissonError::ContrastUnused { kind: PoissonKind::Constant }
    );
    for found in [0.0, -1.0, f64::INFINITY, 1e16] {
        let problem = PoissonProblem::new(PoissonKind::Jump, 2, 3).with_contrast(found);
        assert_eq!(refused(problem), PoissonError::Contrast { found });
    }
    let nan = PoissonProblem::new(PoissonKind::Jump, 2, 3).with_contrast(f64::NAN);
    assert!(matches!(refused(nan), PoissonError::Contrast { .. }));
    let unknown = "poison".parse::<PoissonKind>().unwrap_err();
    assert!(unknown.to_string().contains("\"poison\"") && unknown.to_string().contains("obstacles"));
}

#[test]
fn names_are_those_of_the_command_line() {
    for kind in PoissonKind::ALL {
        assert_eq!(kind.to_string().parse::<PoissonKind>(), Ok(kind));
    }
    let jump = build(PoissonKind::Jump, 3, 4);
    assert_eq!(
        jump.description(),
        "jump 3D, n = 4, contrast 1e4: 64 unknowns, 352 nonzeros, symmetric positive definite"
    );
}

proptest! {
    #[test]
    fn every_member_is_an_m_matrix_with_its_properties(
        kind in prop::sample::select(PoissonKind::ALL.to_vec()),
        dim in 2usize..4,
        n in 1usize..10,
        exponent in -6.0..6.0f64,
        seed in any::<u64>(),
    ) {
        let mut problem = PoissonProblem::new(kind, dim, n).with_seed(seed);
        if kind.default_contrast().is_some() {
            problem = problem.with_contrast(10f64.powf(exponent));
        }
        let system = problem.build().unwrap();
        let a = &system.matrix;
        prop_assert_eq!(system.rhs.len(), a.nrows());
        prop_assert_eq!(a.is_symmetric(), kind != PoissonKind::Convection || n == 1);
        prop_assert!(a.is_pattern_symmetric());
        prop_assert!(a.is_diagonally_dominant());
        prop_assert_eq!(a.empty_rows(), 0);
        prop_assert_eq!(a.has_positive_diagonal(), kind != PoissonKind::Neumann || n > 1);
        for i in 0..a.nrows() {
            let (cols, vals) = a.row(i);
            prop_assert!(cols.iter().zip(vals).all(|(&j, &v)| j as usize == i || v < 0.0));
        }
        if !matches!(kind, PoissonKind::Obstacles | PoissonKind::Walls | PoissonKind::Maze) {
            prop_assert_eq!(a.nnz(), system.grid.stencil_nnz());
        }
        if kind != PoissonKind::Neumann {
            prop_assert!(a.diagonal_dominance().strict_rows > 0);
        }
    }
}
