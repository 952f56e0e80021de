//! Jumps anywhere and thin walls: levels of vertices.

use super::super::box_matrix::BoxMatrix;
use super::super::coarsen::Fine;
use super::super::galerkin::galerkin;
use super::super::interpolation::interpolation;
use super::super::transfer::{RowScratch, Shape, Transfer};
use super::super::vertex::VertexWeights;
use super::*;
use nalgebra::DMatrix;

/// Faces between points of coefficient `c`, 0 in a wall, Dirichlet at distance h all around.
fn medium(dims: [usize; 3], c: &dyn Fn([usize; 3]) -> f64) -> GridProblem {
    let pitch = dims.map(|n| n + 1);
    let mut w = [0; 3].map(|_| vec![0.0; pitch.iter().product()]);
    let (mut unknowns, mut seen) = (Vec::new(), 0);
    for at in 0..dims.iter().product::<usize>() {
        let p = [at % dims[0], at / dims[0] % dims[1], at / (dims[0] * dims[1])];
        let a = c(p);
        unknowns.push(if a > 0.0 { seen } else { u32::MAX });
        seen += u32::from(a > 0.0);
        for axis in (0..3).filter(|&axis| dims[axis] > 1) {
            let mut high = p;
            high[axis] += 1;
            let index = |q: [usize; 3]| (q[2] * pitch[1] + q[1]) * pitch[0] + q[0];
            if p[axis] == 0 {
                w[axis][index(p)] = a;
            }
            let b = if high[axis] < dims[axis] { c(high) } else { a };
            w[axis][index(high)] = if a + b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 };
        }
    }
    let unknown_of_point = unknowns.contains(&u32::MAX).then_some(unknowns);
    GridProblem { dims, coefficients: Coefficients::Faces { w }, unknown_of_point, null_space: false }
}

fn side(dim: usize, n: usize) -> [usize; 3] {
    [n, if dim == 2 { 1 } else { n }, n]
}

/// Iterations of CG to 1e-8; the residual is recomputed.
fn iterations(problem: &GridProblem) -> usize {
    let mut solver = PoissonMultigrid::from_grid(problem, MultigridOptions::default()).unwrap();
    let b = uniform_rhs(problem.unknowns(), 1);
    let (mut x, mut r) = (vec![0.0; b.len()], vec![0.0; b.len()]);
    let outcome = solver.solve(&b, &mut x, &StopRule::rtol(1e-8).with_max_iters(200), &mut ()).unwrap();
    assert!(outcome.converged(), "{outcome:?}");
    solver.operator().residual(&b, &x, &mut r);
    assert!(kernels::norm2(&r) < 1.1e-8 * kernels::norm2(&b));
    outcome.iterations
}

fn prolongation(p: &VertexWeights<f64>) -> DMatrix<f64> {
    let Shape { fine: [nx, ny, nz], coarse, .. } = p.shape;
    let (n, m) = (nx * ny * nz, coarse.iter().product());
    let mut matrix = DMatrix::zeros(n, m);
    let mut scratch = RowScratch::new(&p.shape);
    for column in 0..m {
        let mut e = vec![0.0; m];
        e[column] = 1.0;
        for row in 0..ny * nz {
            let mut out = vec![0.0; nx + 2];
            p.prolong(row % ny, row / ny, &e, &mut scratch, &mut out);
            (0..nx).for_each(|i| matrix[(row * nx + i, column)] = out[i + 1]);
        }
    }
    matrix
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_coarse_matrix_is_galerkins(
        dims in prop::sample::select(vec![[5, 1, 4], [4, 4, 4], [3, 5, 2], [6, 1, 7], [1, 1, 9], [2, 3, 6]]),
        coarsen in any::<[bool; 3]>(),
        seed in 0u64..1000,
    ) {
        let problem = uneven(dims, true, seed);
        let mut a = BoxMatrix::of_faces(&Fine::of(&problem));
        let scale = a.dense().amax();
        // Of faces, and of a full stencil.
        for _ in 0..2 {
            let shape = Shape::new(a.dims, std::array::from_fn(|axis| coarsen[axis] && a.dims[axis] > 1));
            let p = interpolation(&a, shape);
            let dense = prolongation(&p);
            let coarse = galerkin(&a, &p);
            let expected = dense.transpose() * a.dense() * &dense;
            prop_assert!((coarse.dense() - expected).amax() < 1e-13 * scale);
            // No value is made up: each is a mean of coarse ones, and of 0 at a Dirichlet side.
            prop_assert!(dense.iter().all(|&w| w >= 0.0));
            prop_assert!(dense.row_iter().all(|row| row.sum() < 1.0 + 1e-12));
            a = coarse;
        }
    }
}

#[test]
fn the_flux_is_followed_across_a_jump() {
    // On a line, u(x) with k u' constant is interpolated exactly, wherever k jumps.
    let k = [1.0, 1.0, 1e4, 1e4, 1.0, 1e-3, 1e-3, 2.0];
    let mut w = [vec![0.0; 36], vec![0.0; 36], vec![0.0; 36]];
    (0..8).for_each(|i| w[2][4 * i] = k[i]);
    let problem = GridProblem {
        dims: [1, 1, 8],
        coefficients: Coefficients::Faces { w },
        unknown_of_point: None,
        null_space: false,
    };
    let a = BoxMatrix::of_faces(&Fine::of(&problem));
    let p = interpolation(&a, Shape::new([1, 1, 8], [false, false, true]));
    let u: Vec<f64> = k
        .iter()
        .scan(0.0, |u, k| {
            *u += 1.0 / k;
            Some(*u)
        })
        .collect();
    let coarse = DMatrix::from_iterator(4, 1, u.iter().step_by(2).copied());
    let found = prolongation(&p) * coarse;
    for i in 0..7 {
        assert!((found[i] - u[i]).abs() < 1e-12 * u[7], "{i}: {} {}", found[i], u[i]);
    }
}

#[test]
fn jumps_may_lie_anywhere() {
    // Blocks of 25, 15, 6 and 9 points.
    for (dim, n) in [(2, 100), (2, 60), (3, 24), (3, 36)] {
        let found =
            solve(PoissonProblem::new(PoissonKind::Jump, dim, n), MultigridOptions::default()).iterations;
        assert!(found <= 10, "{dim}D n = {n}: {found}");
    }
    for (dim, n, block, shift, most) in
        [(2, 128, 25, 3, 28), (2, 128, 7, 2, 28), (3, 32, 11, 3, 22), (3, 32, 7, 2, 36)]
    {
        let dims = side(dim, n);
        let odd = |p: [usize; 3]| {
            (0..3).filter(|&a| dims[a] > 1).map(|a| (p[a] + shift) / block).sum::<usize>() % 2 == 1
        };
        let found = iterations(&medium(dims, &|p| if odd(p) { 1e4 } else { 1.0 }));
        assert!(found <= most, "{dim}D, blocks of {block}: {found}");
    }
    let thin = iterations(&medium(side(2, 128), &|p| if p[2] % 17 == 5 { 1e4 } else { 1.0 }));
    assert!(thin <= 20, "{thin}");
}

#[test]
fn thin_walls_are_borne() {
    for (dim, n) in [(2, 128), (3, 24)] {
        let dims = side(dim, n);
        let count = |solid: &dyn Fn([usize; 3]) -> bool| {
            iterations(&medium(dims, &|p| if solid(p) { 0.0 } else { 1.0 }))
        };
        let slit = count(&|p| p[2] == n / 2 + 1 && p[0] != n / 3);
        let comb = count(&|p| p[0] % 8 == 5 && p[2] > n / 4);
        let narrow = count(&|p| p[0] % 3 == 1 && p[2] > n / 4);
        let single = count(&|p| p[0] % 2 == 0 && p[2] > n / 4);
        let serpentine = count(&|p| p[2] % 6 == 5 && p[0] != if p[2] / 6 % 2 == 0 { n - 1 } else { 0 });
        assert!(slit <= 9 && comb <= 12 && serpentine <= 14, "{dim}D: {slit} {comb} {serpentine}");
        assert!(narrow <= 40 && single <= 60, "{dim}D: {narrow} {single}");
    }
}

#[test]
fn walls_without_thickness_divide_too() {
    // Closed faces between open points, with a gap.
    let mut problem = medium(side(2, 64), &|_| 1.0);
    if let Coefficients::Faces { w } = &mut problem.coefficients {
        for i in (0..64).filter(|&i| i != 20) {
            w[2][33 * 2 * 65 + i] = 0.0;
        }
    }
    let found = iterations(&problem);
    assert!(found <= 10, "{found}");
}

#[test]
fn both_kinds_of_level_serve_blobs_alike() {
    // Obstacles thicker than a point keep the cheaper levels of cells.
    let system = system(PoissonKind::Obstacles, 2, 128);
    assert!(!Fine::of(&GridProblem::of_system(&system).unwrap()).suits_vertices());
}
