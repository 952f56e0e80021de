use super::*;
use crate::CooBuilder;
use num_complex::Complex;
use proptest::prelude::*;

/// A matrix of integers, and integers to multiply: every sum is exact, so the oracle may sum in any order.
fn integers() -> impl Strategy<Value = (CsrMatrix<f64>, usize)> {
    (0usize..12, 0usize..12, 0usize..20).prop_flat_map(|(m, n, k)| {
        prop::collection::vec(-2i32..3, m * n).prop_map(move |v| {
            let v: Vec<f64> = v.into_iter().map(f64::from).collect();
            (CsrMatrix::from_row_major(m, n, &v).unwrap(), k)
        })
    })
}

proptest! {
    #[test]
    fn products_agree_with_dense_loops((a, k) in integers()) {
        let (m, n) = (a.nrows(), a.ncols());
        let x: Vec<f64> = (0..n * k).map(|i| (i % 7) as f64 - 3.0).collect();
        let mut y = vec![f64::NAN; m * k];
        a.multiply_block(k, &x, &mut y);
        for i in 0..m {
            for c in 0..k {
                let expected: f64 = (0..n).map(|j| a.get(i, j) * x[j * k + c]).sum();
                prop_assert_eq!(y[i * k + c], expected);
            }
        }
        let x: Vec<f64> = (0..m).map(|i| (i % 5) as f64 - 2.0).collect();
        let mut y = vec![f64::NAN; n];
        a.multiply_adjoint(&x, &mut y);
        for (j, &y) in y.iter().enumerate() {
            prop_assert_eq!(y, (0..m).map(|i| a.get(i, j) * x[i]).sum::<f64>());
        }
    }
}

/// 30 000 rows with up to 9 entries of uneven size: large enough for the threaded path.
fn large<T: Scalar>(scalar: impl Fn(f64) -> T) -> CsrMatrix<T> {
    let n = 30_000;
    let mut coo = CooBuilder::new(n, n).unwrap();
    for i in 0..n {
        for l in 0..i % 10 {
            let j = (i * 37 + l * l * 911) % n;
            coo.push(i, j, scalar(((i + 3 * l) as f64).sin())).unwrap();
        }
    }
    coo.build().unwrap()
}

#[test]
fn a_block_equals_its_columns_in_every_bit_for_any_number_of_threads() {
    let a = large(|v| v);
    let n = a.nrows();
    for k in [1, 2, 3, 4, 7, 8, 11] {
        let x: Vec<f64> = (0..n * k).map(|i| (i as f64 * 0.37).cos()).collect();
        let mut expected = vec![0.0; n * k];
        let (mut column, mut image) = (vec![0.0; n], vec![0.0; n]);
        for c in 0..k {
            (0..n).for_each(|i| column[i] = x[i * k + c]);
            a.multiply(&column, &mut image);
            (0..n).for_each(|i| expected[i * k + c] = image[i]);
        }
        for threads in 1..=3 {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut y = vec![f64::NAN; n * k];
            pool.install(|| a.multiply_block(k, &x, &mut y));
            assert_eq!(y, expected, "k = {k}, {threads} threads");
        }
    }
}

#[test]
fn the_adjoint_product_equals_the_stored_adjoint_in_every_bit() {
    let a = large(|v| Complex::new(v, 1.0 - v));
    let x: Vec<_> = (0..a.nrows()).map(|i| Complex::new((i as f64).cos(), (i as f64).sin())).collect();
    let (mut scattered, mut gathered) = (vec![Complex::ZERO; a.ncols()], vec![Complex::ZERO; a.ncols()]);
    a.multiply_adjoint(&x, &mut scattered);
    a.adjoint().multiply(&x, &mut gathered);
    assert_eq!(scattered, gathered);
}

#[test]
#[should_panic(expected = "x must have length ncols * k")]
fn a_block_of_the_wrong_length_is_refused() {
    CsrMatrix::<f64>::identity(3).unwrap().multiply_block(2, &[0.0; 5], &mut [0.0; 6]);
}
