use super::*;
use crate::CooBuilder;
use num_complex::Complex;
use proptest::prelude::*;

/// A matrix from (i, j, v) triples; duplicates are added.
fn from_triples<T: Scalar>(nrows: usize, ncols: usize, triples: &[(usize, usize, T)]) -> CsrMatrix<T> {
    let mut coo = CooBuilder::new(nrows, ncols).unwrap();
    triples.iter().for_each(|&(i, j, v)| coo.push(i, j, v).unwrap());
    coo.build().unwrap()
}

/// Small random patterns with small integer values, zeros among them.
fn sparse() -> impl Strategy<Value = CsrMatrix<f64>> {
    (1usize..9, 1usize..9).prop_flat_map(|(m, n)| {
        let entry = (0..m, 0..n, -3i32..4).prop_map(|(i, j, v)| (i, j, f64::from(v)));
        prop::collection::vec(entry, 0..30).prop_map(move |triples| from_triples(m, n, &triples))
    })
}

/// Square ones, half of them made symmetric.
fn square() -> impl Strategy<Value = CsrMatrix<f64>> {
    (1usize..9, any::<bool>()).prop_flat_map(|(n, mirror)| {
        let entry = (0..n, 0..n, -3i32..4).prop_map(|(i, j, v)| (i, j, f64::from(v)));
        prop::collection::vec(entry, 0..20).prop_map(move |mut triples| {
            if mirror {
                let mirrored: Vec<_> = triples.iter().map(|&(i, j, v)| (j, i, v)).collect();
                triples.extend(mirrored);
            }
            from_triples(n, n, &triples)
        })
    })
}

fn stored(a: &CsrMatrix<f64>) -> Vec<(usize, usize, f64)> {
    (0..a.nrows())
        .flat_map(|i| {
            let (cols, vals) = a.row(i);
            cols.iter().zip(vals).map(move |(&j, &v)| (i, j as usize, v)).collect::<Vec<_>>()
        })
        .collect()
}

proptest! {
    #[test]
    fn symmetry_agrees_with_the_transpose(a in square()) {
        let t = a.transpose();
        prop_assert_eq!(a.is_symmetric(), a == t);
        prop_assert_eq!(a.is_hermitian(), a == t);
        prop_assert_eq!(a.is_pattern_symmetric(), a.same_pattern(&t));
    }

    #[test]
    fn a_single_changed_entry_breaks_symmetry(a in square(), pick in any::<prop::sample::Index>()) {
        let sym = from_triples(
            a.nrows(), a.nrows(),
            &stored(&a).into_iter().flat_map(|(i, j, v)| [(i, j, v), (j, i, v)]).collect::<Vec<_>>(),
        );
        prop_assert!(sym.is_symmetric());
        let off: Vec<_> = stored(&sym).iter().enumerate().filter(|(_, e)| e.0 != e.1).map(|(k, _)| k).collect();
        if !off.is_empty() {
            let mut broken = sym.clone();
            broken.values_mut()[off[pick.index(off.len())]] += 0.5;
            prop_assert!(!broken.is_symmetric() && broken.is_pattern_symmetric());
        }
    }

    #[test]
    fn structure_agrees_with_a_scan_of_the_entries(a in sparse()) {
        let e = stored(&a);
        let lower = e.iter().map(|&(i, j, _)| i.saturating_sub(j)).max().unwrap_or(0);
        let upper = e.iter().map(|&(i, j, _)| j.saturating_sub(i)).max().unwrap_or(0);
        prop_assert_eq!(a.bandwidth(), Bandwidth { lower, upper });
        let rows: std::collections::BTreeSet<_> = e.iter().map(|e| e.0).collect();
        let cols: std::collections::BTreeSet<_> = e.iter().map(|e| e.1).collect();
        prop_assert_eq!(a.empty_rows(), a.nrows() - rows.len());
        prop_assert_eq!(a.empty_cols(), a.ncols() - cols.len());
        prop_assert_eq!(a.stored_zeros(), e.iter().filter(|e| e.2 == 0.0).count());
    }

    #[test]
    fn dominance_agrees_with_dense_sums(a in sparse()) {
        let row = |i: usize| (0..a.ncols()).map(move |j| (j, i));
        let mut expected = DiagonalDominance::default();
        for i in 0..a.nrows() {
            let d = a.get(i, i).abs();
            let others: f64 = row(i).filter(|&(j, i)| j != i).map(|(j, i)| a.get(i, j).abs()).sum();
            if d > others { expected.strict_rows += 1 }
            else if d == others { expected.equal_rows += 1 }
            else { expected.violating_rows += 1 }
        }
        prop_assert_eq!(a.diagonal_dominance(), expected);
        prop_assert_eq!(a.is_diagonally_dominant(), expected.violating_rows == 0);
        let positive = a.diagonal().iter().all(|&d| d > 0.0);
        prop_assert_eq!(a.has_positive_diagonal(), positive);
        let largest: Vec<f64> =
            (0..a.nrows()).map(|i| row(i).map(|(j, i)| a.get(i, j).abs()).fold(0.0, f64::max)).collect();
        prop_assert_eq!(a.row_max_abs(), largest);
    }

    #[test]
    fn pruning_keeps_every_value_and_no_zero(a in sparse()) {
        let p = a.prune_zeros();
        prop_assert_eq!(p.stored_zeros(), 0);
        prop_assert_eq!(stored(&p), stored(&a).into_iter().filter(|e| e.2 != 0.0).collect::<Vec<_>>());
    }

    #[test]
    fn scaling_is_a_product_with_a_diagonal(a in sparse()) {
        let rows: Vec<f64> = (0..a.nrows()).map(|i| 1.0 + i as f64).collect();
        let cols: Vec<f64> = (0..a.ncols()).map(|j| 0.5 - j as f64).collect();
        let mut b = a.clone();
        b.scale_rows(&rows);
        b.scale_cols(&cols);
        for (i, j, v) in stored(&b) {
            prop_assert_eq!(v, a.get(i, j) * rows[i] * cols[j]);
        }
    }
}

#[test]
fn a_missing_mate_at_either_side_is_seen() {
    for (i, j) in [(0, 2), (2, 0), (1, 2), (2, 1)] {
        let a = from_triples(3, 3, &[(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (i, j, 1.0)]);
        assert!(!a.is_pattern_symmetric() && !a.is_symmetric(), "entry ({i}, {j})");
    }
    assert!(!CsrMatrix::<f64>::try_new(1, 2, vec![0, 0], vec![], vec![]).unwrap().is_symmetric());
    assert!(CsrMatrix::<f64>::try_new(0, 0, vec![0], vec![], vec![]).unwrap().is_symmetric());
}

#[test]
fn complex_symmetric_is_not_hermitian() {
    let i = Complex::new(0.0, 1.0);
    let one = Complex::new(1.0, 0.0);
    let symmetric = from_triples(2, 2, &[(0, 1, i), (1, 0, i), (0, 0, one)]);
    let hermitian = from_triples(2, 2, &[(0, 1, i), (1, 0, -i), (0, 0, one)]);
    let imaginary_diagonal = from_triples(1, 1, &[(0, 0, i)]);
    assert!(symmetric.is_symmetric() && !symmetric.is_hermitian());
    assert!(!hermitian.is_symmetric() && hermitian.is_hermitian());
    assert!(imaginary_diagonal.is_symmetric() && !imaginary_diagonal.is_hermitian());
    assert!(!imaginary_diagonal.has_positive_diagonal());
}

#[test]
fn nan_is_neither_symmetric_nor_dominant() {
    let a = from_triples(2, 2, &[(0, 1, f64::NAN), (1, 0, f64::NAN)]);
    assert!(!a.is_symmetric() && a.is_pattern_symmetric());
    assert_eq!(a.diagonal_dominance().violating_rows, 2);
    assert!(!from_triples(1, 1, &[(0, 0, f64::NAN)]).is_symmetric());
    assert!(a.row_max_abs().iter().all(|v| v.is_nan()));
}

#[test]
fn a_rounded_stencil_sum_counts_as_equal() {
    // 0.1 + 0.2 + 0.3 in another order differs in the last bit from the diagonal.
    let d = (0.3 + 0.2) + 0.1;
    let a = from_triples(4, 4, &[(0, 0, d), (0, 1, -0.1), (0, 2, -0.2), (0, 3, -0.3)]);
    assert_ne!(d, (0.1 + 0.2) + 0.3);
    assert_eq!(a.diagonal_dominance().equal_rows, 4, "three of them empty");
}
