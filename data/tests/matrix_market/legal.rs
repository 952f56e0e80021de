//! Everything legal is read, and means what the format says.

use super::{dense_rows, read, read_dense};
use num_complex::Complex;
use residua_data::matrix_market::{self, AnyMatrix, Field, Format, Source, Symmetry};
use std::io::{self, Read, Write};

const GENERAL: &str = "%%MatrixMarket matrix coordinate real general\n";

#[test]
fn words_in_any_case_comments_blank_lines_and_line_ends() {
    let text = "%%matrixmarket MATRIX Coordinate DOUBLE General \r\n% c\r\n\r\n  % caf\u{e9}\r\n\t 2   3\t2 \r\n\r\n% between\r\n \t1 1 \t 2.5  \r\n%%\r\n  2 3 -1\r\n\r\n";
    let file = read::<f64>(text).unwrap();
    assert_eq!(dense_rows(&file.matrix), [[2.5, 0.0, 0.0], [0.0, 0.0, -1.0]]);
    assert_eq!((file.header.format, file.header.field), (Format::Coordinate, Field::Real));
    assert_eq!((file.header.rows, file.header.cols, file.header.entries), (2, 3, 2));
    assert_eq!((file.header.symmetry, file.duplicates), (Symmetry::General, 0));
}

#[test]
fn bytes_that_are_no_text_are_harmless_in_comments() {
    let mut text = GENERAL.as_bytes().to_vec();
    text.extend(b"% Universit\xe4t \xff\xfe\n1 1 1\n%\xe4\n1 1 3\n");
    assert_eq!(read::<f64>(text).unwrap().matrix.get(0, 0), 3.0);
}

#[test]
fn the_last_line_needs_no_end_and_a_byte_order_mark_is_skipped() {
    let text = format!("\u{feff}{GENERAL}1 1 1\n1 1 3");
    assert_eq!(read::<f64>(text).unwrap().matrix.get(0, 0), 3.0);
}

#[test]
fn numbers_in_every_notation() {
    let numbers = [
        ("1e+308", 1e308),
        ("1D+3", 1e3),
        ("-2.5d-1", -0.25),
        ("+1", 1.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-400", 0.0),
        ("-1E-400", -0.0),
        ("4.9e-324", f64::from_bits(1)),
        ("00012", 12.0),
        ("123456789012345678901234567890", 123456789012345678901234567890.0),
        ("0.1000000000000000055511151231257827021181583404541015625", 0.1),
        ("9007199254740993", 9007199254740992.0),
        ("1.7976931348623157e308", f64::MAX),
        ("2.2250738585072011e-308", 2.225_073_858_507_201e-308),
    ];
    for (text, expected) in numbers {
        let value = read_dense::<f64>(format!("%%MatrixMarket matrix array real general\n1 1\n{text}\n"));
        assert_eq!(value.unwrap().matrix.values()[0].to_bits(), expected.to_bits(), "{text}");
        let value = read::<f64>(format!("{GENERAL}1 1 1\n+1 01 {text}\n"));
        assert_eq!(value.unwrap().matrix.get(0, 0).to_bits(), expected.to_bits(), "{text}");
    }
}

#[test]
fn integers_beyond_doubles_become_the_nearest() {
    for (text, expected) in [
        ("9007199254740993", 9007199254740992.0),
        ("-9007199254740995", -9007199254740996.0),
        ("18446744073709551615", 18446744073709551616.0),
        ("+7", 7.0),
        ("-0", 0.0),
        ("99999999999999999999999999", 1e26),
    ] {
        let text = format!("%%MatrixMarket matrix coordinate integer general\n1 1 1\n1 1 {text}\n");
        assert_eq!(read::<f64>(text).unwrap().matrix.get(0, 0), expected);
    }
}

#[test]
fn symmetric_mirrors_and_leaves_the_diagonal_alone() {
    // (2, 3) stands above the diagonal: taken, with its mirror image.
    let text = "%%MatrixMarket matrix coordinate real symmetric\n3 3 4\n1 1 2\n2 1 -1\n2 3 5\n3 3 7\n";
    let file = read::<f64>(text).unwrap();
    assert_eq!(dense_rows(&file.matrix), [[2.0, -1.0, 0.0], [-1.0, 0.0, 5.0], [0.0, 5.0, 7.0]]);
    assert!(file.header.is_symmetric());
    assert_eq!((file.matrix.nnz(), file.duplicates), (6, 0));
}

#[test]
fn skew_symmetric_negates_and_takes_zeros_on_the_diagonal() {
    let text = "%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 2\n1 1 0\n2 1 3\n";
    assert_eq!(dense_rows(&read::<f64>(text).unwrap().matrix), [[0.0, -3.0], [3.0, 0.0]]);
}

#[test]
fn hermitian_conjugates_and_complex_symmetric_does_not() {
    let (c, z) = (Complex::new, Complex::new(0.0, 0.0));
    let body = "2 2 2\n1 1 4 0\n2 1 1 -2e0\n";
    let a =
        read::<Complex<f64>>(format!("%%MatrixMarket matrix coordinate complex hermitian\n{body}")).unwrap();
    assert_eq!(dense_rows(&a.matrix), [[c(4.0, 0.0), c(1.0, 2.0)], [c(1.0, -2.0), z]]);
    let a =
        read::<Complex<f64>>(format!("%%MatrixMarket matrix coordinate complex symmetric\n{body}")).unwrap();
    assert_eq!(dense_rows(&a.matrix), [[c(4.0, 0.0), c(1.0, -2.0)], [c(1.0, -2.0), z]]);
    let text = "%%MatrixMarket matrix coordinate complex skew-symmetric\n2 2 1\n2 1 1 -2\n";
    let a = read::<Complex<f64>>(text).unwrap();
    assert_eq!(dense_rows(&a.matrix), [[z, c(-1.0, 2.0)], [c(1.0, -2.0), z]]);
}

#[test]
fn duplicates_are_added_in_the_order_of_the_file_and_counted() {
    let text = format!("{GENERAL}2 2 5\n1 1 1e16\n2 2 1\n1 1 1\n1 1 -1e16\n2 2 0.5\n");
    let file = read::<f64>(text).unwrap();
    assert_eq!((file.matrix.get(0, 0), file.matrix.get(1, 1), file.matrix.nnz()), (0.0, 1.5, 2));
    assert_eq!(file.duplicates, 3);
    // A mirrored pair counts once: two listed entries more than places.
    let text = "%%MatrixMarket matrix coordinate real symmetric\n2 2 4\n2 1 1\n2 1 2\n1 2 4\n1 1 1\n";
    let file = read::<f64>(text).unwrap();
    assert_eq!(dense_rows(&file.matrix), [[1.0, 7.0], [7.0, 0.0]]);
    assert_eq!(file.duplicates, 2);
}

#[test]
fn array_files_are_stored_by_columns_and_packed_if_symmetric() {
    let array = |field: &str, symmetry: &str, body: &str| {
        format!("%%MatrixMarket matrix array {field} {symmetry}\n{body}")
    };
    let b = read_dense::<f64>(array("real", "general", "2 3\n1\n2\n\n3\n% c\n4\n5\n6\n")).unwrap().matrix;
    assert_eq!((b.nrows(), b.ncols(), b.column(1)), (2, 3, &[3.0, 4.0][..]));
    assert_eq!(b.columns().map(|c| c[0]).collect::<Vec<_>>(), [1.0, 3.0, 5.0]);
    let text = array("integer", "symmetric", "3 3\n1\n2\n3\n4\n5\n6\n");
    assert_eq!(
        read_dense::<f64>(&text).unwrap().matrix.values(),
        [1.0, 2.0, 3.0, 2.0, 4.0, 5.0, 3.0, 5.0, 6.0]
    );
    assert_eq!(read::<f64>(&text).unwrap().matrix.nnz(), 9);
    let text = array("real", "skew-symmetric", "3 3\n2\n0\n5\n");
    assert_eq!(
        read_dense::<f64>(&text).unwrap().matrix.values(),
        [0.0, 2.0, 0.0, -2.0, 0.0, 5.0, 0.0, -5.0, 0.0]
    );
    let a = read::<f64>(&text).unwrap().matrix;
    assert_eq!((a.nnz(), a.get(0, 1), a.get(2, 1)), (4, -2.0, 5.0));
    let text = array("complex", "hermitian", "2 2\n1 0\n2 3\n4 0\n");
    let (c, h) = (Complex::new, read_dense::<Complex<f64>>(&text).unwrap().matrix);
    assert_eq!(h.values(), [c(1.0, 0.0), c(2.0, 3.0), c(2.0, -3.0), c(4.0, 0.0)]);
}

#[test]
fn a_coordinate_file_serves_as_dense_columns() {
    let b = read_dense::<f64>(format!("{GENERAL}3 2 3\n3 1 7\n1 2 -1\n3 1 1\n")).unwrap();
    assert_eq!(b.matrix.values(), [0.0, 0.0, 8.0, -1.0, 0.0, 0.0]);
    assert_eq!(b.duplicates, 1);
}

#[test]
fn empty_matrices() {
    for sizes in ["0 0 0", "0 5 0", "5 0 0", "3 3 0"] {
        let a = read::<f64>(format!("{GENERAL}{sizes}")).unwrap().matrix;
        assert_eq!((a.nnz(), a.row_ptr().len()), (0, a.nrows() + 1), "{sizes}");
    }
    assert!(
        read_dense::<f64>("%%MatrixMarket matrix array real general\n0 3\n")
            .unwrap()
            .matrix
            .values()
            .is_empty()
    );
    let text = "%%MatrixMarket matrix array real skew-symmetric\n1 1\n";
    assert_eq!(read_dense::<f64>(text).unwrap().matrix.values(), [0.0]);
}

#[test]
fn every_number_type_reads_what_it_can_hold() {
    let real = format!("{GENERAL}1 1 1\n1 1 0.1\n");
    assert_eq!(read::<f32>(&real).unwrap().matrix.get(0, 0), 0.1f32);
    assert_eq!(read::<Complex<f32>>(&real).unwrap().matrix.get(0, 0), Complex::new(0.1f32, 0.0));
    let pattern = "%%MatrixMarket matrix coordinate pattern symmetric\n2 2 2\n1 1\n2 1\n";
    assert_eq!(dense_rows(&read::<f64>(pattern).unwrap().matrix), [[1.0, 1.0], [1.0, 0.0]]);
    let any = |text: &str| Source::from_reader("t", text.as_bytes()).unwrap().read().unwrap().matrix;
    assert!(matches!(any(&real), AnyMatrix::Real(_)));
    assert!(matches!(any(pattern), AnyMatrix::Real(_)));
    let complex = "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 2\n";
    assert!(matches!(any(complex), AnyMatrix::Complex(a) if a.get(0, 0) == Complex::new(1.0, 2.0)));
}

/// A reader that hands out a few bytes at a time and is interrupted now and then, as pipes are.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = out.len().min(1 + self.1 % 7);
        self.0.read(&mut out[..count])
    }
}

#[test]
fn pipes_and_gzip_read_the_same() {
    let mut text = format!("{GENERAL}50 50 2500\n");
    for k in 0..2500 {
        text += &format!("{} {} {}\n", k % 50 + 1, k / 50 + 1, (k as f64).sin());
    }
    let expected = read::<f64>(&text).unwrap();
    let dribbled = Source::from_reader("-", Dribble(text.as_bytes(), 0)).unwrap().read_csr::<f64>().unwrap();
    assert_eq!(dribbled, expected);

    // Two gzip members one after the other are one text, as for gzip itself.
    let mut packed = Vec::new();
    for part in [&text.as_bytes()[..777], &text.as_bytes()[777..]] {
        let mut encoder = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
        encoder.write_all(part).unwrap();
        encoder.finish().unwrap();
    }
    assert_eq!(read::<f64>(&packed).unwrap(), expected);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misnamed.mtx");
    std::fs::write(&path, &packed).unwrap();
    assert_eq!(matrix_market::read_csr::<f64>(&path).unwrap(), expected);
    assert_eq!(matrix_market::read_header(&path).unwrap(), expected.header);
}
