//! What is written is read back: every field and symmetry, every number type; and writing never loses an
//! error or leaves half a file.

use super::{dense_rows, read, read_dense};
use num_complex::Complex;
use proptest::prelude::*;
use residua_data::matrix_market::{
    self, DenseColumns, Field, FileScalar, MatrixMarketErrorKind as Kind, Symmetry, WriteOptions,
};
use residua_data::{CooBuilder, CsrMatrix};
use std::io::{self, Write};

/// The file as text.
fn written<T: FileScalar>(a: &CsrMatrix<T>, options: &WriteOptions) -> String {
    let mut out = Vec::new();
    matrix_market::write_csr_to("t.mtx", &mut out, a, options).unwrap();
    String::from_utf8(out).unwrap()
}

fn as_symmetry(symmetry: Symmetry) -> WriteOptions {
    WriteOptions { symmetry: Some(symmetry), ..WriteOptions::default() }
}

/// A matrix of this symmetry from the entries of its lower triangle (general: of the whole); 0-based.
fn build<T: FileScalar>(
    nrows: usize,
    ncols: usize,
    entries: &[(usize, usize, T)],
    symmetry: Symmetry,
) -> CsrMatrix<T> {
    let mut coo = CooBuilder::new(nrows, ncols).unwrap();
    for &(i, j, v) in entries {
        match symmetry {
            Symmetry::General => coo.push(i, j, v).unwrap(),
            Symmetry::Symmetric | Symmetry::Hermitian if i == j => {
                coo.push(i, i, if symmetry == Symmetry::Hermitian { T::from_real(v.real()) } else { v })
                    .unwrap();
            }
            Symmetry::SkewSymmetric if i == j => {}
            _ => {
                let mirrored = match symmetry {
                    Symmetry::SkewSymmetric => -v,
                    Symmetry::Hermitian => v.conjugate(),
                    _ => v,
                };
                coo.push(i.max(j), i.min(j), v).unwrap();
                coo.push(i.min(j), i.max(j), mirrored).unwrap();
            }
        }
    }
    coo.build().unwrap()
}

#[test]
fn the_text_is_as_the_format_says() {
    let a = build(3, 3, &[(0, 0, 2.0), (1, 0, -0.1), (2, 2, 1e300)], Symmetry::Symmetric);
    let options = WriteOptions { comments: vec!["two\nlines".into()], ..as_symmetry(Symmetry::Symmetric) };
    let text = "%%MatrixMarket matrix coordinate real symmetric\n% two\n% lines\n3 3 3\n1 1 2e0\n2 1 -1e-1\n3 3 1e300\n";
    assert_eq!(written(&a, &options), text);
    let mut out = Vec::new();
    let x = DenseColumns::try_new(2, 2, vec![0.1, -2.0, 0.0, 1e-300]).unwrap();
    matrix_market::write_dense_to("t.mtx", &mut out, &x, &["x".into()]).unwrap();
    let text = "%%MatrixMarket matrix array real general\n% x\n2 2\n1.0000000000000001e-1\n-2.0000000000000000e0\n0.0000000000000000e0\n1.0000000000000000e-300\n";
    assert_eq!(String::from_utf8(out).unwrap(), text);
}

#[test]
fn integers_and_patterns() {
    let ones = build(2, 2, &[(0, 0, 1.0), (1, 0, 1.0)], Symmetry::General);
    let options = |field| WriteOptions { field: Some(field), ..WriteOptions::default() };
    assert_eq!(
        written(&ones, &options(Field::Pattern)),
        "%%MatrixMarket matrix coordinate pattern general\n2 2 2\n1 1\n2 1\n"
    );
    assert_eq!(read::<f64>(written(&ones, &options(Field::Pattern))).unwrap().matrix, ones);
    let integers = build(1, 3, &[(0, 0, -7.0), (0, 1, 9007199254740992.0), (0, 2, 0.0)], Symmetry::General);
    let text = written(&integers, &options(Field::Integer));
    assert!(text.ends_with("1 1 -7\n1 2 9007199254740992\n1 3 0\n"), "{text}");
    assert_eq!(read::<f64>(text).unwrap().matrix, integers);
}

#[test]
fn what_cannot_be_written_is_named() {
    let refuse = |a: &CsrMatrix<f64>, options: &WriteOptions| {
        matrix_market::write_csr_to("t.mtx", io::sink(), a, options).unwrap_err().to_string()
    };
    let field = |field| WriteOptions { field: Some(field), ..WriteOptions::default() };
    let a = build(2, 2, &[(0, 1, 0.5), (1, 0, 0.25)], Symmetry::General);
    assert_eq!(
        refuse(&a, &as_symmetry(Symmetry::Symmetric)),
        "t.mtx: the matrix cannot be written as symmetric: entry (1, 2), counted from 1, is 5e-1: expected the entry across the diagonal"
    );
    assert!(refuse(&a, &as_symmetry(Symmetry::SkewSymmetric)).contains("expected the negative of"));
    assert!(refuse(&a, &field(Field::Integer)).ends_with("is 5e-1: expected an integer of at most 2^53"));
    assert!(refuse(&a, &field(Field::Pattern)).ends_with("is 5e-1: expected 1"));
    assert_eq!(
        refuse(&a, &field(Field::Complex)),
        "t.mtx: a real matrix as field complex: expected real or integer"
    );
    assert!(refuse(&a, &as_symmetry(Symmetry::Hermitian)).contains("symmetric, which means the same"));
    let wide = build(1, 2, &[(0, 1, 1.0)], Symmetry::General);
    assert!(refuse(&wide, &as_symmetry(Symmetry::Symmetric)).contains("1 x 2: expected as many rows"));
    // A stored zero with nothing across the diagonal would not come back.
    let lopsided = build(2, 2, &[(0, 1, 0.0)], Symmetry::General);
    assert!(refuse(&lopsided, &as_symmetry(Symmetry::Symmetric)).contains("entry (1, 2)"));
    let nan = build(1, 1, &[(0, 0, f64::NAN)], Symmetry::General);
    assert!(refuse(&nan, &WriteOptions::default()).ends_with("is NaN: expected a finite number"));
    let x = DenseColumns::try_new(2, 2, vec![0.0, 0.0, 0.0, f64::INFINITY]).unwrap();
    let error = matrix_market::write_dense_to("t.mtx", io::sink(), &x, &[]).unwrap_err();
    assert!(error.to_string().contains("entry (2, 2), counted from 1, is inf"), "{error}");
}

#[test]
fn files_appear_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let listing = || std::fs::read_dir(folder.path()).unwrap().count();
    let a = build(2, 2, &[(0, 0, 1.5), (1, 0, -2.0)], Symmetry::General);
    let plain = folder.path().join("a.mtx");
    matrix_market::write_csr(&plain, &a, &WriteOptions::default()).unwrap();
    let packed = folder.path().join("a.mtx.gz");
    matrix_market::write_csr(&packed, &a, &WriteOptions::default()).unwrap();
    assert_eq!(std::fs::read(&packed).unwrap()[..2], [0x1f, 0x8b]);
    for path in [&plain, &packed] {
        assert_eq!(matrix_market::read_csr::<f64>(path).unwrap().matrix, a);
    }
    assert_eq!(listing(), 2);

    // A refused matrix leaves the old file as it was, and nothing beside it.
    let nan = build(1, 1, &[(0, 0, f64::NAN)], Symmetry::General);
    matrix_market::write_csr(&plain, &nan, &WriteOptions::default()).unwrap_err();
    assert_eq!(matrix_market::read_csr::<f64>(&plain).unwrap().matrix, a);
    assert_eq!(listing(), 2);
    let nowhere = folder.path().join("none").join("a.mtx");
    let error = matrix_market::write_csr(&nowhere, &a, &WriteOptions::default()).unwrap_err();
    assert!(matches!(error.kind(), Kind::Io { action: "create", .. }), "{error}");
}

/// Takes `0` bytes and then fails, as a full disk does.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.0);
        self.0 -= count;
        if count == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(count) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.0 == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

#[test]
fn a_full_disk_is_reported_however_little_is_left_over() {
    let a = build(2, 2, &[(0, 0, 1.5)], Symmetry::General);
    let length = written(&a, &WriteOptions::default()).len();
    for room in 0..=length {
        let error =
            matrix_market::write_csr_to("t.mtx", Full(room), &a, &WriteOptions::default()).unwrap_err();
        assert!(matches!(error.kind(), Kind::Io { action: "write", .. }), "{room}: {error}");
        assert!(error.to_string().starts_with("t.mtx: cannot write: "), "{error}");
    }
    matrix_market::write_csr_to("t.mtx", Full(length + 1), &a, &WriteOptions::default()).unwrap();
    if std::path::Path::new("/dev/full").exists() {
        let error =
            matrix_market::write_dense("/dev/full", &DenseColumns::from_column(vec![1.0]), &[]).unwrap_err();
        assert!(error.to_string().starts_with("/dev/full: cannot write: "), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target.mtx"), folder.path().join("link.mtx"));
    std::fs::write(&target, "old").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    matrix_market::write_dense(&link, &DenseColumns::from_column(vec![3.0]), &[]).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(matrix_market::read_dense::<f64>(&target).unwrap().matrix.values(), [3.0]);
}

/// Any finite double, small integers among them.
fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        (-9..9i8).prop_map(f64::from)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn matrices_come_back_bit_for_bit(
        nrows in 1..12usize, ncols in 1..12usize,
        entries in prop::collection::vec((0..12usize, 0..12usize, finite(), finite()), 0..40),
    ) {
        use Symmetry::{General, Hermitian, SkewSymmetric, Symmetric};
        let mut entries: Vec<_> = entries.into_iter().map(|(i, j, re, im)| (i % nrows, j % ncols, re, im)).collect();
        entries.sort_by_key(|&(i, j, ..)| (i, j));
        entries.dedup_by_key(|&mut (i, j, ..)| (i.max(j), i.min(j)));
        for symmetry in [General, Symmetric, SkewSymmetric, Hermitian] {
            let ncols = if symmetry == General { ncols } else { nrows };
            let complex: Vec<_> = entries.iter().map(|&(i, j, re, im)| (i, j % ncols, Complex::new(re, im))).collect();
            let a = build(nrows, ncols, &complex, symmetry);
            // Sums of duplicates made by j % ncols may overflow: those are refused, and tested elsewhere.
            if a.first_non_finite().is_none() {
                let file = read::<Complex<f64>>(written(&a, &as_symmetry(symmetry))).unwrap();
                prop_assert_eq!(&file.matrix, &a);
                prop_assert_eq!((file.header.symmetry, file.duplicates), (symmetry, 0));
            }
            let a = a.map(|v| v.re);
            if symmetry != Hermitian && a.first_non_finite().is_none() {
                prop_assert_eq!(&read::<f64>(written(&a, &as_symmetry(symmetry))).unwrap().matrix, &a);
                let narrow = a.map(|&v| v as f32);
                if narrow.first_non_finite().is_none() {
                    let text = written(&narrow, &as_symmetry(symmetry));
                    prop_assert_eq!(read::<f32>(text).unwrap().matrix, narrow);
                }
            }
        }
    }

    #[test]
    fn dense_columns_come_back_bit_for_bit(nrows in 0..9usize, values in prop::collection::vec((finite(), finite()), 0..40)) {
        let ncols = values.len().checked_div(nrows).unwrap_or(3);
        let complex: Vec<_> = values[..nrows * ncols].iter().map(|&(re, im)| Complex::new(re, im)).collect();
        let x = DenseColumns::try_new(nrows, ncols, complex).unwrap();
        let mut out = Vec::new();
        matrix_market::write_dense_to("t", &mut out, &x, &[]).unwrap();
        prop_assert_eq!(&read_dense::<Complex<f64>>(&out).unwrap().matrix, &x);
        let bits = |x: &DenseColumns<f64>| x.values().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let x = DenseColumns::try_new(nrows, ncols, x.values().iter().map(|z| z.re).collect()).unwrap();
        let mut out = Vec::new();
        matrix_market::write_dense_to("t", &mut out, &x, &[]).unwrap();
        let back = read_dense::<f64>(&out).unwrap().matrix;
        prop_assert_eq!(bits(&back), bits(&x));
        // The sparse road to the same values, without the zeros.
        prop_assert_eq!(dense_rows(&read::<f64>(&out).unwrap().matrix).len(), nrows);
    }
}
