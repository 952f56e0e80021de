//! Any bytes as a Matrix Market file: never a panic, errors are one line with a line number that exists, and
//! what is read survives being written and read again.
//!
//! `cargo fuzz run -s none matrix_market` on stable Rust.
#![no_main]

use libfuzzer_sys::fuzz_target;
use num_complex::Complex;
use residua_data::CsrMatrix;
use residua_data::matrix_market::{
    FileScalar, MatrixMarket, MatrixMarketError, Source, WriteOptions, write_csr_to,
};
use std::io::Read;

/// Larger matrices only cost time for their row pointers.
const MAX_SIZE: usize = 1 << 12;

/// A few bytes at a time, as from a pipe.
struct Dribble<'a>(&'a [u8]);

impl Read for Dribble<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = out.len().min(3);
        self.0.read(&mut out[..count])
    }
}

fn check_error(error: &MatrixMarketError) {
    let text = error.to_string();
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert!(error.line().is_some_and(|line| line >= 1), "{text}");
    assert!(text.contains(": expected ") || text.contains(": cannot "), "{text}");
}

fn check_round_trip<T: FileScalar>(file: &MatrixMarket<CsrMatrix<T>>) {
    let mut out = Vec::new();
    write_csr_to("out", &mut out, &file.matrix, &WriteOptions::default())
        .expect("finite values can be written");
    let copy =
        Source::from_reader("out", out.as_slice()).and_then(Source::read_csr::<T>).expect("what was written");
    assert!(copy.matrix == file.matrix);
}

fuzz_target!(|data: &[u8]| {
    let open = || Source::from_reader("in", data);
    match open() {
        Ok(source) if source.header().rows.max(source.header().cols) > MAX_SIZE => return,
        Ok(_) => {}
        Err(error) => return check_error(&error),
    }
    let whole = open().and_then(Source::read_csr::<Complex<f64>>);
    let dribbled = Source::from_reader("in", Dribble(data)).and_then(Source::read_csr::<Complex<f64>>);
    match (&whole, &dribbled) {
        (Ok(whole), Ok(dribbled)) => {
            assert!(whole == dribbled);
            // Sums of duplicates may overflow; such a matrix is refused by the writer.
            if whole.matrix.first_non_finite().is_none() {
                check_round_trip(whole);
            }
        }
        (Err(whole), Err(dribbled)) => {
            check_error(whole);
            assert_eq!(whole.to_string(), dribbled.to_string());
        }
        _ => panic!("a pipe is read otherwise than a file: {whole:?}, {dribbled:?}"),
    }
    match open().and_then(Source::read_dense::<f64>) {
        Ok(dense) => assert_eq!(dense.matrix.values().len(), dense.header.rows * dense.header.cols),
        Err(error) => check_error(&error),
    }
});
