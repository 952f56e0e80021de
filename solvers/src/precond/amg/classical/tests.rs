use super::*;
use proptest::prelude::*;
use residua_data::CooBuilder;
use residua_data::poisson::{PoissonKind, PoissonProblem};

fn matrix(n: usize, triples: &[(usize, usize, f64)]) -> CsrMatrix<f64> {
    let mut coo = CooBuilder::new(n, n).unwrap();
    triples.iter().for_each(|&(i, j, v)| coo.push(i, j, v).unwrap());
    coo.build().unwrap()
}

/// The Laplacian of a weighted graph: rows sum to zero.
fn laplacian(n: usize, edges: &[(usize, usize, f64)]) -> CsrMatrix<f64> {
    let mut triples: Vec<_> = (0..n).map(|i| (i, i, 0.0)).collect();
    for &(i, j, w) in edges.iter().filter(|e| e.0 != e.1) {
        triples.extend([(i, j, -w), (j, i, -w), (i, i, w), (j, j, w)]);
    }
    matrix(n, &triples)
}

fn options(aggressive_levels: usize) -> ClassicalOptions {
    ClassicalOptions { aggressive_levels, ..ClassicalOptions::default() }
}

fn poisson(kind: PoissonKind, dim: usize, n: usize) -> CsrMatrix<f64> {
    PoissonProblem::new(kind, dim, n).build().unwrap().matrix
}

fn variants() -> Vec<ClassicalOptions> {
    let direct = ClassicalOptions { interpolation: Interpolation::Direct, ..options(0) };
    let hmis = ClassicalOptions { coarsening: Coarsening::Hmis, ..options(0) };
    vec![
        options(0),
        options(1),
        direct,
        hmis,
        ClassicalOptions { truncation: 0.2, max_elements: 0, ..options(1) },
    ]
}

/// What holds for any P: shape, identity in the rows of coarse points, finite weights, few entries.
fn check_shape(a: &CsrMatrix<f64>, options: &ClassicalOptions, found: &Prolongation) {
    let coarse: Vec<usize> = (0..a.nrows()).filter(|&i| found.is_coarse[i]).collect();
    assert_eq!((found.p.nrows(), found.p.ncols()), (a.nrows(), coarse.len()));
    for (k, &i) in coarse.iter().enumerate() {
        assert_eq!(found.p.row(i), (&[k as u32][..], &[1.0][..]));
    }
    assert!(found.p.values().iter().all(|v| v.is_finite()));
    let longest = (0..a.nrows()).map(|i| found.p.row(i).0.len()).max().unwrap_or(0);
    assert!(options.max_elements == 0 || longest <= options.max_elements);
}

#[test]
fn a_chain_of_three_keeps_its_middle() {
    let a = laplacian(3, &[(0, 1, 1.0), (1, 2, 1.0)]);
    let found = prolongation(&a, &options(0), 0).unwrap().unwrap();
    assert_eq!(found.is_coarse, [false, true, false]);
    assert_eq!(found.p.to_row_major().unwrap(), [1.0, 1.0, 1.0]);
}

#[test]
fn a_star_keeps_its_centre() {
    let edges: Vec<_> = (1..9).map(|i| (0, i, 1.0)).collect();
    let found = prolongation(&laplacian(9, &edges), &options(0), 0).unwrap().unwrap();
    assert_eq!(found.is_coarse.iter().position(|&c| c), Some(0));
    assert_eq!(found.p.ncols(), 1);
}

#[test]
fn weak_couplings_are_ignored() {
    let a = poisson(PoissonKind::Anisotropic, 2, 12);
    let strength = Strength::new(&a, 0.25).unwrap();
    for i in 0..144usize {
        assert!(strength.graph.row(i).iter().all(|&j| (j as usize).abs_diff(i) == 1));
    }
}

#[test]
fn extended_interpolation_between_two_distant_coarse_points_is_linear() {
    // 0 - 1 - 2 - 3 with coarse ends: the inner points see both, a third and two thirds away.
    let edges = [(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0)];
    let a = laplacian(4, &edges);
    let strength = Strength::new(&a, 0.25).unwrap();
    let splitting = Splitting::new(vec![true, false, false, true]);
    let p = interpolate(&a, &strength.strong, &splitting, &options(0)).unwrap().to_row_major().unwrap();
    let expected = [1.0, 0.0, 2.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 2.0 / 3.0, 0.0, 1.0];
    assert!(p.iter().zip(expected).all(|(p, e)| (p - e).abs() < 1e-15), "{p:?}");
}

#[test]
fn constants_are_interpolated_exactly() {
    for kind in [PoissonKind::Neumann, PoissonKind::Jump, PoissonKind::Anisotropic] {
        for dim in [2, 3] {
            let a = poisson(kind, dim, 14);
            for options in variants() {
                let found = prolongation(&a, &options, 0).unwrap().unwrap();
                check_shape(&a, &options, &found);
                for i in 0..a.nrows() {
                    let vals = found.p.row(i).1;
                    let sum: f64 = vals.iter().sum();
                    let own = a.get(i, i);
                    let is_interior = a.row(i).1.iter().sum::<f64>().abs() < 1e-13 * own;
                    let direct = is_interior && options.interpolation == Interpolation::Direct && sum != 0.0;
                    if kind == PoissonKind::Neumann || direct {
                        assert!((sum - 1.0).abs() < 1e-10, "row {i} sums to {sum}");
                    }
                    assert!(sum <= 1.0 + 1e-10);
                }
            }
        }
    }
}

#[test]
fn aggressive_coarsening_leaves_fewer_points() {
    let a = poisson(PoissonKind::Constant, 3, 20);
    let coarse = |aggressive| prolongation(&a, &options(aggressive), 0).unwrap().unwrap().p.ncols();
    assert!(coarse(1) * 3 < coarse(0) && coarse(1) * 30 > a.nrows());
    let second = prolongation(&a, &options(1), 1).unwrap().unwrap();
    assert_eq!(second.p.ncols(), coarse(0));
}

#[test]
fn a_thinned_splitting_still_reaches_every_point() {
    for kind in [PoissonKind::Neumann, PoissonKind::Jump] {
        let a = poisson(kind, 2, 60);
        let found = prolongation(&a, &options(1), 0).unwrap().unwrap();
        let empty = (0..a.nrows()).filter(|&i| found.p.row(i).0.is_empty()).count();
        assert!(empty * 100 < a.nrows(), "{empty} points are interpolated by nothing");
    }
}

#[test]
fn hmis_colours_a_grid_like_a_chessboard() {
    let a = poisson(PoissonKind::Constant, 2, 40);
    let graph = Strength::new(&a, 0.25).unwrap().graph;
    let start = hmis::first_pass(&graph, a.nrows());
    let coarse = start.iter().filter(|&&c| c).count();
    assert!((760..=840).contains(&coarse), "{coarse}");
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| hmis::first_pass(&graph, 100))
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let a = poisson(PoissonKind::Jump, 3, 26);
    for options in variants() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| prolongation(&a, &options, 0).unwrap())
        };
        let one = run(1);
        assert!(one.is_some() && [2, 3].into_iter().all(|threads| run(threads) == one));
    }
}

#[test]
fn a_negative_definite_matrix_is_treated_as_its_negative() {
    let a = poisson(PoissonKind::Constant, 2, 15);
    let negative = a.map(|v| -v);
    for options in variants() {
        assert_eq!(prolongation(&a, &options, 0).unwrap(), prolongation(&negative, &options, 0).unwrap());
    }
}

#[test]
fn nothing_coarsens_without_strong_couplings() {
    let all_positive = matrix(3, &[(0, 0, 2.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 2.0), (2, 2, 1.0)]);
    let dominant = matrix(2, &[(0, 0, 100.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 100.0)]);
    for a in [matrix(0, &[]), CsrMatrix::identity(5).unwrap(), matrix(4, &[]), all_positive, dominant] {
        for options in variants() {
            assert_eq!(prolongation(&a, &options, 0).unwrap(), None);
        }
    }
}

#[test]
fn identity_rows_are_fine_and_interpolated_by_nothing() {
    let mut triples = vec![(0, 0, 1.0), (1, 0, -1.0)];
    for i in 1..20 {
        triples.push((i, i, 2.0));
        if i > 1 {
            triples.extend([(i, i - 1, -1.0), (i - 1, i, -1.0)]);
        }
    }
    let a = matrix(20, &triples);
    let found = prolongation(&a, &options(0), 0).unwrap().unwrap();
    assert!(!found.is_coarse[0] && found.p.row(0).0.is_empty());
}

#[test]
fn a_dense_row_costs_no_quadratic_work() {
    let n = 20_000;
    let mut triples: Vec<_> = (0..n).map(|i| (i, i, 4.0)).collect();
    for i in 1..n {
        triples.extend([(0, i, -1.0), (i, 0, -1.0), (i, i - 1, -1.5), (i - 1, i, -1.5)]);
    }
    triples.push((0, 0, n as f64));
    let a = matrix(n, &triples);
    for options in variants() {
        if let Some(found) = prolongation(&a, &options, 0).unwrap() {
            check_shape(&a, &options, &found);
        }
    }
}

#[test]
fn wrong_calls_are_named() {
    let a = poisson(PoissonKind::Constant, 2, 3);
    for bad in [-0.1, 1.1, f64::NAN] {
        let strong = ClassicalOptions { strong_threshold: bad, ..options(0) };
        let truncation = ClassicalOptions { truncation: bad, ..options(0) };
        for options in [strong, truncation] {
            assert!(matches!(prolongation(&a, &options, 0), Err(SolveError::InvalidOption { .. })));
        }
    }
    let wide = CsrMatrix::try_new(1, 2, vec![0, 1], vec![0], vec![1.0]).unwrap();
    assert!(matches!(prolongation(&wide, &options(0), 0), Err(SolveError::NotSquare { .. })));
}

/// Edges of a random graph, and its number of vertices.
fn graph() -> impl Strategy<Value = (usize, Vec<(usize, usize, f64)>)> {
    (2usize..60).prop_flat_map(|n| {
        let edge = (0..n, 0..n, 0.1..10.0f64);
        (Just(n), prop::collection::vec(edge, 1..150))
    })
}

proptest! {
    #[test]
    fn pmis_is_a_maximal_independent_set((n, edges) in graph(), seed in any::<u64>()) {
        // θ = 0: every coupling is strong, so the graph is symmetric.
        let strength = Strength::new(&laplacian(n, &edges), 0.0).unwrap();
        let coarse = pmis::split(&strength.graph, seed);
        for i in 0..n {
            let row = strength.graph.row(i);
            let touches = row.iter().any(|&j| coarse[j as usize]);
            prop_assert_eq!(coarse[i], !touches && !row.is_empty(), "point {}", i);
        }
    }

    #[test]
    fn hmis_is_a_maximal_independent_set((n, edges) in graph(), block in 1usize..70) {
        let strength = Strength::new(&laplacian(n, &edges), 0.0).unwrap();
        let start = hmis::first_pass(&strength.graph, block);
        let coarse = pmis::split_from(&strength.graph, 0, |i| start[i]);
        for i in 0..n {
            let row = strength.graph.row(i);
            let touches = row.iter().any(|&j| coarse[j as usize]);
            prop_assert_eq!(coarse[i], !touches && !row.is_empty(), "point {}", i);
        }
    }

    #[test]
    fn rows_sum_to_one_on_any_laplacian((n, edges) in graph(), theta in 0.0..1.0f64) {
        let a = laplacian(n, &edges);
        for options in variants() {
            let options = ClassicalOptions { strong_threshold: theta, ..options };
            if let Some(found) = prolongation(&a, &options, 0).unwrap() {
                check_shape(&a, &options, &found);
                for i in 0..n {
                    let (cols, vals) = found.p.row(i);
                    prop_assert!(cols.is_empty() || vals.iter().sum::<f64>() <= 1.0 + 1e-9);
                    prop_assert!(vals.iter().all(|&w| w > -1e-12));
                }
            }
        }
    }

    #[test]
    fn no_matrix_is_too_strange(
        n in 1usize..30,
        entries in prop::collection::vec((0usize..30, 0usize..30, prop::sample::select(vec![
            -1.0, 1.0, 0.0, -0.0, 1e300, -1e300, 1e-300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY,
        ])), 0..120),
    ) {
        let triples: Vec<_> = entries.into_iter().map(|(i, j, v)| (i % n, j % n, v)).collect();
        let a = matrix(n, &triples);
        for options in variants() {
            if let Some(found) = prolongation(&a, &options, 0).unwrap() {
                check_shape(&a, &options, &found);
            }
        }
    }
}
