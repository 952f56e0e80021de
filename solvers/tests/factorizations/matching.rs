use crate::support::*;
use proptest::prelude::*;
use residua_solvers::precond::{Ilu0, Ilut, IlutOptions, Matched, RowMatching};
use residua_solvers::{CsrMatrix, Preconditioner, SolveError};

/// The largest ∏ |a_(q(j),j)| over all permutations q, by trying them.
fn best_product(a: &CsrMatrix, used: &mut Vec<usize>) -> f64 {
    let column = used.len();
    if column == a.nrows() {
        return 1.0;
    }
    let mut best = 0.0f64;
    for row in 0..a.nrows() {
        let value = a.get(row, column).abs();
        if value > 0.0 && !used.contains(&row) {
            used.push(row);
            best = best.max(value * best_product(a, used));
            used.pop();
        }
    }
    best
}

fn product(a: &CsrMatrix, matching: &RowMatching) -> f64 {
    matching.row_of().iter().enumerate().map(|(j, &i)| a.get(i as usize, j).abs()).product()
}

fn is_permutation(rows: &[u32]) -> bool {
    let mut sorted = rows.to_vec();
    sorted.sort_unstable();
    sorted.iter().zip(0..).all(|(&row, i)| row == i)
}

prop_compose! {
    fn small()(n in 1usize..7)(
        entries in prop::collection::vec((0..n, 0..n, 0.01f64..10.0), 1..3 * n + 1),
        n in Just(n),
    ) -> CsrMatrix {
        matrix(n, entries)
    }
}

proptest! {
    #[test]
    fn the_product_is_the_largest(a in small()) {
        let matching = RowMatching::new(&a).unwrap();
        prop_assert!(is_permutation(matching.row_of()));
        let best = best_product(&a, &mut vec![]);
        prop_assert_eq!(matching.matched() == a.nrows(), best > 0.0);
        if best > 0.0 {
            prop_assert!((product(&a, &matching) / best - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn scaling_bounds_all_entries_by_the_diagonal(
        a in dominant(),
        shift in 0usize..25,
        exponents in prop::collection::vec(-30i32..30, 25),
    ) {
        // A dominant matrix with its rows shifted and scaled: the matching must undo that.
        let n = a.nrows();
        let hidden = matrix(n, (0..n).flat_map(|i| {
            let (cols, values) = a.row(i);
            let scale = 2f64.powi(exponents[i]);
            cols.iter().zip(values).map(move |(&j, &v)| ((i + shift) % n, j as usize, scale * v)).collect::<Vec<_>>()
        }));
        let matching = RowMatching::new(&hidden).unwrap();
        prop_assert_eq!(matching.matched(), n);
        let b = matching.permute(&hidden).unwrap();
        prop_assert!(b.max_abs() <= 2.0 * (1.0 + 1e-9));
        prop_assert!(b.diagonal().iter().all(|d| d.abs() >= 0.5 * (1.0 - 1e-9)));
    }
}

#[test]
fn structurally_singular_matrices_are_noticed() {
    // Columns 0 and 1 have entries in row 0 alone.
    let a = matrix(3, [(0, 0, 1.0), (0, 1, 1.0), (1, 2, 1.0), (2, 2, 1.0)]);
    let matching = RowMatching::new(&a).unwrap();
    assert_eq!(matching.matched(), 2);
    assert!(is_permutation(matching.row_of()));
    let stored_zero = matrix(2, [(0, 0, 0.0), (0, 1, 1.0), (1, 1, 1.0)]);
    assert_eq!(RowMatching::new(&stored_zero).unwrap().matched(), 1);
    assert_eq!(RowMatching::new(&matrix::<f64>(2, [])).unwrap().matched(), 0);
}

#[test]
fn long_augmenting_paths_are_found() {
    // Row i holds columns i and i + 1, the last row column 0 alone: the greedy choice i → i must be undone
    // all the way.
    let n = 2000;
    let entries = (0..n - 1).flat_map(|i| [(i, i, 1.0), (i, i + 1, 0.9)]).chain([(n - 1, 0, 1.0)]);
    let matching = RowMatching::new(&matrix(n, entries)).unwrap();
    assert_eq!(matching.matched(), n);
    assert_eq!(matching.row_of()[0], n as u32 - 1);
    assert!((1..n).all(|j| matching.row_of()[j] == j as u32 - 1));
}

#[test]
fn a_preconditioner_of_the_matched_matrix_serves_the_original() {
    // A saddle point: [ H Bᵀ; B 0 ] has no diagonal in its last rows.
    let (m, k) = (40, 15);
    let mut entries: Vec<_> = (0..m).map(|i| (i, i, 1e-3 * (1.0 + i as f64))).collect();
    for c in 0..k {
        for i in [2 * c, 2 * c + 3] {
            entries.extend([(m + c, i, 1.0 + c as f64), (i, m + c, 1.0 + c as f64)]);
        }
    }
    let a = matrix(m + k, entries);
    let complete = IlutOptions { drop_tol: 0.0, max_fill: usize::MAX, pivot_replacement: 0.0 };
    let mut precond = Matched::new(&a, |b| Ilut::with_options(b, complete)).unwrap();
    let x = random(m + k, 3);
    let (mut b, mut z) = (x.clone(), x.clone());
    a.multiply(&x, &mut b);
    precond.apply(&b, &mut z).unwrap();
    assert!(z.iter().zip(&x).all(|(z, x)| (z - x).abs() < 1e-8), "{z:?}");
    assert_eq!(precond.name(), "ilut");
    let ilu0 = Matched::new(&a, Ilu0::new).unwrap();
    assert_eq!(ilu0.matching().matched(), m + k);
}

#[test]
fn wrong_calls_are_refused() {
    let wide = CsrMatrix::try_new(1, 2, vec![0, 1], vec![0], vec![1.0]).unwrap();
    assert!(matches!(RowMatching::new(&wide), Err(SolveError::NotSquare { .. })));
    let nan = matrix(2, [(0, 0, 1.0), (1, 1, f64::NAN)]);
    assert!(matches!(RowMatching::new(&nan), Err(SolveError::NonFinite { index: 1, .. })));
    let matching = RowMatching::new(&laplacian(3)).unwrap();
    assert!(matches!(matching.permute(&laplacian(4)), Err(SolveError::DimensionMismatch { .. })));
}
