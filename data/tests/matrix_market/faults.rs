//! What is refused: each fault with its line and its words, one line always, never a panic.

use super::{read, read_dense};
use num_complex::Complex;
use proptest::prelude::*;
use residua_data::matrix_market::{self, MatrixMarketError, MatrixMarketErrorKind as Kind};
use std::io::Write;

const GENERAL: &str = "%%MatrixMarket matrix coordinate real general\n";

/// The error's text, checked to be one printable line.
fn one_line(error: &MatrixMarketError) -> String {
    let text = error.to_string();
    assert!(!text.chars().any(char::is_control), "{text:?}");
    text
}

/// The error of a matrix read as complex (which every field fits), without the file's name.
fn fault(text: impl AsRef<[u8]>) -> String {
    let text = one_line(&read::<Complex<f64>>(text).unwrap_err());
    text.strip_prefix("t.mtx:").unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn the_first_line() {
    assert_eq!(
        fault(""),
        "1: the file is empty: expected a first line like `%%MatrixMarket matrix coordinate real general`"
    );
    assert_eq!(
        fault("1 2 3\n"),
        "1: the first line is `1 2 3`: expected `%%MatrixMarket matrix FORMAT FIELD SYMMETRY`"
    );
    assert!(fault("%%MatrixMarket matrix coordinate real\n1 1 0\n").starts_with("1: the first line is `"));
    assert!(fault("%%MatrixMarket matrix coordinate real general x\n").starts_with("1: the first line is `"));
    assert!(fault([0xff, 0xfe, 0, b'\n', 7]).starts_with(r"1: the first line is `\xff\xfe\x00`: expected"));
    for (line, expected) in [
        ("vector coordinate real general", "1: unknown object `vector`: expected matrix"),
        ("matrix dense real general", "1: unknown format `dense`: expected coordinate or array"),
        (
            "matrix array quaternion general",
            "1: unknown field `quaternion`: expected real, integer, complex or pattern",
        ),
        (
            "matrix array real lower",
            "1: unknown symmetry `lower`: expected general, symmetric, skew-symmetric or hermitian",
        ),
        (
            "matrix array pattern general",
            "1: the first line says array and pattern: expected pattern only with coordinate and general or symmetric",
        ),
        (
            "matrix coordinate real hermitian",
            "1: the first line says real and hermitian: expected hermitian only with complex",
        ),
        (
            "matrix coordinate pattern skew-symmetric",
            "1: the first line says pattern and skew-symmetric: expected pattern only with coordinate and general or symmetric",
        ),
    ] {
        assert_eq!(fault(format!("%%MatrixMarket {line}\n1 1\n")), expected);
    }
}

#[test]
fn the_size_line() {
    let expected = "expected three integers, `rows cols entries`";
    assert_eq!(fault(format!("{GENERAL}% c\n")), format!("2: the size line is missing: {expected}"));
    for line in
        ["1 1", "1 1 1 1", "-3 3 1", "a b c", "1.5 1 1", "99999999999999999999999999999999999999999 1 1"]
    {
        assert_eq!(
            fault(format!("{GENERAL}%\n{line}\n")),
            format!("3: the size line is `{line}`: {expected}")
        );
    }
    assert_eq!(
        fault("%%MatrixMarket matrix array real general\n2\n"),
        "2: the size line is `2`: expected two integers, `rows cols`"
    );
    assert_eq!(
        fault("%%MatrixMarket matrix coordinate real symmetric\n2 3 1\n1 1 1\n"),
        "2: the matrix is symmetric and 2 x 3: expected as many rows as columns"
    );
}

#[test]
fn huge_sizes_are_refused_before_memory_is_asked_for() {
    let what = "what 32-bit indices can address";
    assert_eq!(
        fault(format!("{GENERAL}1000000000000 1000000000000 1\n1 1 1\n")),
        format!("2: rows = 1000000000000: expected at most 4294967295, {what}")
    );
    assert_eq!(
        fault(format!("{GENERAL}9 9 5000000000\n")),
        format!("2: entries = 5000000000: expected at most 4294967295, {what}")
    );
    let founded = "expected at most 67108864, in a file of so few entries";
    assert_eq!(
        fault(format!("{GENERAL}4000000000 1 1\n1 1 1\n")),
        format!("2: rows = 4000000000: {founded}")
    );
    assert_eq!(
        fault(format!("{GENERAL}1 4000000000 1\n1 1 1\n")),
        format!("2: columns = 4000000000: {founded}")
    );
    let error = read_dense::<f64>(format!("{GENERAL}1000000 1000000 1\n1 1 1\n")).unwrap_err();
    assert_eq!(one_line(&error), format!("t.mtx:2: values = 1000000000000: {founded}"));
    // Declared entries that the file cannot hold: it simply ends.
    assert_eq!(
        fault(format!("{GENERAL}9 9 4000000000\n1 1 1\n")),
        "3: the file ends after 1 of 4000000000 entries: expected as many as the size line declares"
    );
    assert_eq!(
        fault("%%MatrixMarket matrix array real general\n4000000000 4000000000\n1\n"),
        "3: the file ends after 1 of 16000000000000000000 entries: expected as many as the size line declares"
    );
}

#[test]
fn too_few_and_too_many_entries() {
    assert_eq!(
        fault(format!("{GENERAL}2 2 3\n1 1 1\n% c\n2 2 1\n\n")),
        "6: the file ends after 2 of 3 entries: expected as many as the size line declares"
    );
    let extra = "there is an entry after the last of 1: expected as many as the size line declares";
    assert_eq!(fault(format!("{GENERAL}2 2 1\n%\n1 1 1\n\n%\n2 2 1\n2 2 x\n")), format!("7: {extra}"));
    assert_eq!(fault("%%MatrixMarket matrix array real general\n1 1\n1\n2\n"), format!("4: {extra}"));
}

#[test]
fn entries() {
    for (line, expected) in [
        ("0 1 1", "the row index is `0`: expected an integer from 1 to 2"),
        ("3 1 1", "the row index is `3`: expected an integer from 1 to 2"),
        ("1 4 1", "the column index is `4`: expected an integer from 1 to 3"),
        ("1 -1 1", "the column index is `-1`: expected an integer from 1 to 3"),
        (
            "18446744073709551617 1 1",
            "the row index is `18446744073709551617`: expected an integer from 1 to 2",
        ),
        ("1.0 1 1", "the row index is `1.0`: expected an integer from 1 to 2"),
        ("1 1", "the entry `1 1` has 2 words: expected `row column value`"),
        ("1 1 1 1", "the entry `1 1 1 1` has 4 words: expected `row column value`"),
        ("1 1-5", "the entry `1 1-5` has 2 words: expected `row column value`"),
        ("1 1 abc", "the value is `abc`: expected a decimal number like `-1.25e-3`"),
        ("1 1 1,5", "the value is `1,5`: expected a decimal number like `-1.25e-3`"),
        ("1 1 1e", "the value is `1e`: expected a decimal number like `-1.25e-3`"),
        ("1 1 d5", "the value is `d5`: expected a decimal number like `-1.25e-3`"),
        ("1 1 0x1p3", "the value is `0x1p3`: expected a decimal number like `-1.25e-3`"),
        ("1 1 nan", "NaN/Inf entry: the value is `nan`: expected a finite number"),
        ("1 1 -Inf", "NaN/Inf entry: the value is `-Inf`: expected a finite number"),
        ("1 1 Infinity", "NaN/Inf entry: the value is `Infinity`: expected a finite number"),
        ("1 1 1e400", "NaN/Inf entry: the value is `1e400`: expected a finite number"),
    ] {
        assert_eq!(fault(format!("{GENERAL}2 3 2\n%\n1 1 1\n{line}\n")), format!("5: {expected}"), "{line}");
    }
    let mut text = format!("{GENERAL}2 3 1\n").into_bytes();
    text.extend(b"1 1 \xff\x00\n");
    assert_eq!(fault(text), r"3: the value is `\xff\x00`: expected a decimal number like `-1.25e-3`");
    let long = "7".repeat(400) + "x";
    assert!(fault(format!("{GENERAL}2 3 1\n1 1 {long}\n")).len() < 150);
}

#[test]
fn fields_and_symmetries() {
    let fault_in =
        |kind: &str, line: &str| fault(format!("%%MatrixMarket matrix coordinate {kind}\n2 2 1\n{line}\n"));
    assert_eq!(
        fault_in("integer general", "1 1 1.5"),
        "3: the value is `1.5`: expected an integer, as the first line says"
    );
    assert_eq!(
        fault_in("integer general", "1 1 inf"),
        "3: NaN/Inf entry: the value is `inf`: expected a finite number"
    );
    assert_eq!(
        fault_in("pattern general", "1 1 1"),
        "3: the entry `1 1 1` has 3 words: expected `row column`"
    );
    assert_eq!(
        fault_in("complex general", "1 1 1"),
        "3: the entry `1 1 1` has 3 words: expected `row column real imaginary`"
    );
    assert_eq!(
        fault_in("complex general", "1 1 1 NaN"),
        "3: NaN/Inf entry: the value is `NaN`: expected a finite number"
    );
    assert_eq!(
        fault_in("real skew-symmetric", "2 2 1e-300"),
        "3: the skew-symmetric matrix has the diagonal entry `1e-300`: expected none, or zero, since A = -A^T"
    );
    assert_eq!(
        fault_in("complex hermitian", "1 1 3 0.5"),
        "3: the hermitian matrix has the diagonal entry `3 0.5`: expected a real number, since A = A^H"
    );
    let text = "%%MatrixMarket matrix array complex hermitian\n2 2\n1 0\n% c\n2 3\n4 1\n";
    let expected =
        "6: the hermitian matrix has the diagonal entry `4e0 1e0`: expected a real number, since A = A^H";
    assert_eq!(fault(text), expected);
    let error =
        read::<f64>("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 1\n").unwrap_err();
    assert!(matches!(error.kind(), Kind::ComplexField { .. }));
    assert!(one_line(&error).starts_with("t.mtx:1: the field is complex: expected real, integer or pattern"));
    let error = read::<f32>(format!("{GENERAL}1 1 1\n1 1 1e39\n")).unwrap_err();
    assert!(matches!(error.kind(), Kind::NonFinite { .. }));
}

#[test]
fn the_first_fault_in_the_file_is_named_whatever_the_number_of_threads() {
    // Several blocks of text; the two faults lie in different blocks, the later one is met first.
    let mut text = format!("{GENERAL}100000 100000 100000\n");
    for k in 1..=100_000 {
        text += &match k {
            60_000 => "60000 60000 oops\n".to_owned(),
            60_001 => "% a comment\n60001 60001 1\n".to_owned(),
            99_000 => "0 0 0\n".to_owned(),
            _ => format!("{k} {k} 0.12345678901234567\n"),
        };
    }
    let extra = text.replacen("100000 100000 100000", "100000 100000 70000", 1).replacen("oops", "1", 1);
    for threads in 1..=3 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let fault = |text: &str| pool.install(|| fault(text));
        assert_eq!(fault(&text), "60002: the value is `oops`: expected a decimal number like `-1.25e-3`");
        assert!(
            fault(&extra).starts_with("70004: there is an entry after the last of 70000"),
            "{}",
            fault(&extra)
        );
    }
}

#[test]
fn lines_without_end() {
    let text = format!("{GENERAL}1 1 1\n%{}\n1 1 1\n", "x".repeat(3 << 20));
    assert_eq!(fault(text), "3: the line is longer than 1048576 bytes: expected one entry a line");
    let text = format!("{GENERAL}%{}\n1 1 1\n1 1 1\n", "x".repeat(3 << 20));
    assert_eq!(fault(text), "2: the line is longer than 1048576 bytes: expected one entry a line");
    let text = format!("{GENERAL}1 1 1\n%{}\n1 1 1\n", "x".repeat(900_000));
    assert_eq!(read::<f64>(text).unwrap().matrix.nnz(), 1);
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no\nsuch.mtx");
    let error = matrix_market::read_csr::<f64>(&path).unwrap_err();
    let text = one_line(&error);
    assert!(
        text.contains("such.mtx:1: cannot open: ") && text.ends_with(": expected a readable file"),
        "{text}"
    );
    assert!(std::error::Error::source(&error).is_some());
    let text = one_line(&matrix_market::read_header(folder.path()).unwrap_err());
    assert!(text.contains(":1: cannot read: "), "{text}");

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writeln!(encoder, "{GENERAL}30000 30000 30000").unwrap();
    for k in 1..=30_000 {
        writeln!(encoder, "{k} {k} {}", (k as f64).sin()).unwrap();
    }
    let packed = encoder.finish().unwrap();
    let truncated = fault(&packed[..packed.len() / 2]);
    assert!(truncated.ends_with(": expected a complete gzip file; this one breaks off"), "{truncated}");
    let mut corrupt = packed.clone();
    let last = corrupt.len() - 6;
    corrupt[last] ^= 1; // the checksum
    assert!(fault(corrupt).ends_with(": expected sound gzip data"));
    assert!(fault([0x1f, 0x8b]).starts_with("1: cannot read: "));
}

/// Small files of many kinds, to be spoilt.
const SEEDS: [&str; 6] = [
    "%%MatrixMarket matrix coordinate real general\n% c\n3 3 4\n1 1 1.5e-3\n2 2 -2\n\n3 1 1D+2\n1 1 0.1\n",
    "%%MatrixMarket matrix coordinate integer symmetric\n3 3 2\n2 1 17\n3 3 -4\n",
    "%%MatrixMarket matrix coordinate complex hermitian\n2 2 2\n1 1 1 0\n2 1 1 -2e+1\n",
    "%%MatrixMarket matrix coordinate pattern general\r\n2 3 2\r\n1 3\r\n2 1\r\n",
    "%%MatrixMarket matrix array real skew-symmetric\n3 3\n1\n2\n3\n",
    "%%MatrixMarket matrix array complex general\n2 1\n1 2\n3 4",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn spoilt_files_never_panic(
        seed in 0..SEEDS.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..8),
    ) {
        let mut text = SEEDS[seed].as_bytes().to_vec();
        for (at, byte, edit) in edits {
            let at = at.index(text.len().max(1)).min(text.len());
            match edit {
                0 if at < text.len() => text[at] = byte,
                1 => text.insert(at, b"0123456789 -+.eE\n%"[byte as usize % 18]),
                2 if at < text.len() => drop(text.remove(at)),
                _ => text.truncate(at),
            }
        }
        if let Err(error) = read::<Complex<f64>>(&text) {
            let message = one_line(&error);
            let line: u64 = message.split(':').nth(1).unwrap().parse().unwrap();
            let lines = 1 + text.iter().filter(|&&b| b == b'\n').count() as u64;
            prop_assert!((1..=lines).contains(&line), "{} of {}", message, lines);
        }
        let _ = read_dense::<f64>(&text).map_err(|error| one_line(&error));
    }

    #[test]
    fn noise_never_panics(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let body = [GENERAL.as_bytes(), b"9 9 9\n", &text].concat();
        for text in [&text, &body] {
            let _ = read::<f64>(text).map_err(|error| one_line(&error));
        }
    }
}
