use super::*;
use num_complex::Complex;
use proptest::prelude::*;

fn dense() -> impl Strategy<Value = (usize, usize, Vec<f64>)> {
    (0usize..7, 0usize..7).prop_flat_map(|(m, n)| {
        let entry = prop_oneof![2 => Just(0.0), 1 => -4.0..4.0f64];
        prop::collection::vec(entry, m * n).prop_map(move |v| (m, n, v))
    })
}

proptest! {
    #[test]
    fn dense_forms_come_back((m, n, v) in dense()) {
        let a = CsrMatrix::from_row_major(m, n, &v).unwrap();
        prop_assert_eq!(a.stored_zeros(), 0);
        prop_assert_eq!(a.to_row_major().unwrap(), v.clone());
        let d = a.to_dense().unwrap();
        prop_assert!((0..m).all(|i| (0..n).all(|j| d[(i, j)] == v[i * n + j])));
        prop_assert_eq!(CsrMatrix::from_dense(d.as_ref()).unwrap(), a);
    }

    #[test]
    fn sprs_sees_the_same_matrix((m, n, v) in dense()) {
        let a = CsrMatrix::from_row_major(m, n, &v).unwrap();
        let view = a.as_sprs();
        prop_assert!(view.check_compressed_structure().is_ok());
        prop_assert_eq!(view.shape(), (m, n));
        for i in 0..m {
            for j in 0..n {
                prop_assert_eq!(view.get(i, j).copied().unwrap_or(0.0), a.get(i, j));
            }
        }
        prop_assert_eq!(CsrMatrix::try_from_sprs(view.to_csc()).unwrap(), a.clone());
        prop_assert_eq!(CsrMatrix::try_from_sprs(a.clone().into_sprs()).unwrap(), a);
    }

    #[test]
    fn faer_sees_the_same_matrix((m, n, v) in dense()) {
        let a = CsrMatrix::from_row_major(m, n, &v).unwrap();
        let dense = a.as_faer().unwrap().to_dense();
        prop_assert!((0..m).all(|i| (0..n).all(|j| dense[(i, j)] == a.get(i, j))));
        prop_assert_eq!(CsrMatrix::try_from_faer(a.clone().into_faer().unwrap()).unwrap(), a);
    }
}

#[test]
fn views_borrow_and_owned_forms_move() {
    let a = CsrMatrix::from_row_major(2, 2, &[2.0, -1.0, 0.0, 2.0]).unwrap();
    let (cols, vals) = (a.col_idx().as_ptr(), a.values().as_ptr());
    assert_eq!((a.as_sprs().indices().as_ptr(), a.as_sprs().data().as_ptr()), (cols, vals));
    let view = a.as_faer().unwrap();
    assert_eq!((view.symbolic().col_idx().as_ptr(), view.val().as_ptr()), (cols, vals));
    let back = CsrMatrix::try_from_sprs(a.into_sprs()).unwrap();
    assert_eq!((back.col_idx().as_ptr(), back.values().as_ptr()), (cols, vals));
    let back = CsrMatrix::try_from_faer(back.into_faer().unwrap()).unwrap();
    assert_eq!((back.col_idx().as_ptr(), back.values().as_ptr()), (cols, vals));
}

#[test]
fn gaps_between_rows_are_closed() {
    // Rows (0: 5 at column 1), (1: nothing), (2: 6 at 0, 7 at 2), each followed by a gap.
    let symbolic = SymbolicSparseRowMat::new_checked(
        3,
        3,
        vec![0u32, 2, 3, 7],
        Some(vec![1, 0, 2]),
        vec![1, 0, 0, 0, 2, 0, 0],
    );
    let faer = SparseRowMat::new(symbolic, vec![5.0, -1.0, -1.0, 6.0, 7.0, -1.0, -1.0]);
    let a = CsrMatrix::try_from_faer(faer).unwrap();
    assert_eq!(a.to_row_major().unwrap(), [0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 6.0, 0.0, 7.0]);
}

#[test]
fn unsorted_columns_are_refused() {
    let symbolic = SymbolicSparseRowMat::new_unsorted_checked(1, 2, vec![0u32, 2], None, vec![1, 0]);
    let found = CsrMatrix::try_from_faer(SparseRowMat::new(symbolic, vec![1.0, 2.0]));
    assert_eq!(found, Err(CsrError::NotSorted { row: 0, col: 0 }));
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    assert_eq!(
        CsrMatrix::from_row_major(2, 2, &[1.0]),
        Err(CsrError::DenseLength { nrows: 2, ncols: 2, found: 1 })
    );
    assert!(CsrMatrix::<f64>::from_row_major(usize::MAX, 2, &[]).is_err());
    let wide = CsrMatrix::<f64>::try_new(1, 3_000_000_000, vec![0, 0], vec![], vec![]).unwrap();
    assert!(matches!(wide.as_faer(), Err(CsrError::TooLarge { what: "ncols", .. })));
    assert!(matches!(wide.to_dense(), Err(CsrError::TooLarge { .. })));
    assert!(matches!(wide.to_row_major(), Err(CsrError::TooLarge { .. })));
}

#[test]
fn complex_values_convert_too() {
    let i = Complex::new(0.0, 1.0);
    let a = CsrMatrix::from_row_major(1, 2, &[i, Complex::new(0.0, 0.0)]).unwrap();
    assert_eq!(a.nnz(), 1);
    assert_eq!(a.to_dense().unwrap()[(0, 0)], i);
    assert_eq!(a.as_sprs().get(0, 0), Some(&i));
}

#[cfg(feature = "nalgebra-sparse")]
#[test]
fn nalgebra_sparse_sees_the_same_matrix() {
    let v = [0.0, 1.5, 0.0, -2.0, 0.0, 3.0];
    let a = CsrMatrix::from_row_major(2, 3, &v).unwrap();
    let sparse = a.to_nalgebra_sparse();
    assert_eq!((sparse.nrows(), sparse.ncols(), sparse.nnz()), (2, 3, 3));
    let dense = nalgebra::DMatrix::from(&sparse);
    assert_eq!(dense, nalgebra::DMatrix::from_row_slice(2, 3, &v));
    assert_eq!(CsrMatrix::try_from_nalgebra_sparse(sparse).unwrap(), a);
}
