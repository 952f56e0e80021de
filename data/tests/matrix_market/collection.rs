//! Whole files against two independent readers: a naive one below, and the crate `matrix-market-rs` where
//! it can read them. Real files are looked for in `shared/matrices` beside the repository, or in the folder
//! that the variable `RESIDUA_MATRICES` names.

use num_complex::Complex;
use residua_data::CsrMatrix;
use residua_data::matrix_market::{self, AnyMatrix, Field, Format, MatrixMarket, Symmetry, WriteOptions};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

type Entries = BTreeMap<(usize, usize), Complex<f64>>;

/// Line by line, word by word, into a map: slow and obvious.
fn naive(text: &str) -> Entries {
    let banner = text.lines().next().unwrap().to_lowercase();
    let mut lines = text.lines().skip(1).filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('%'));
    let sizes: Vec<usize> = lines.next().unwrap().split_whitespace().map(|w| w.parse().unwrap()).collect();
    let is_array = banner.contains("array");
    let mut packed = (0..sizes[1])
        .flat_map(|j| (0..sizes[0]).map(move |i| (i, j)))
        .filter(|&(i, j)| banner.contains("general") || i > j || (i == j && !banner.contains("skew")));
    let mut entries = Entries::new();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (i, j) = match is_array {
            true => packed.next().unwrap(),
            false => (words[0].parse::<usize>().unwrap() - 1, words[1].parse::<usize>().unwrap() - 1),
        };
        let number = |k: usize| words.get(k).map(|w| w.replace(['d', 'D'], "e").parse::<f64>().unwrap());
        let first = if is_array { 0 } else { 2 };
        let value = Complex::new(number(first).unwrap_or(1.0), number(first + 1).unwrap_or(0.0));
        *entries.entry((i, j)).or_default() += value;
        if i != j && !banner.contains("general") {
            let mirrored = match () {
                () if banner.contains("skew") => -value,
                () if banner.contains("hermitian") => value.conj(),
                () => value,
            };
            *entries.entry((j, i)).or_default() += mirrored;
        }
    }
    if is_array {
        entries.retain(|_, v| *v != Complex::default());
    }
    entries
}

fn entries(a: &AnyMatrix) -> Entries {
    let a = match a {
        AnyMatrix::Real(a) => a.map(|&v| Complex::new(v, 0.0)),
        AnyMatrix::Complex(a) => a.clone(),
    };
    let rows = (0..a.nrows()).map(|i| (i, a.row(i)));
    rows.flat_map(|(i, (cols, values))| {
        cols.iter().zip(values).map(move |(&j, &v)| ((i, j as usize), v)).collect::<Vec<_>>()
    })
    .collect()
}

/// What the crate `matrix-market-rs` reads, mirrored; `None` where it does not know the kind of file.
fn peer(path: &Path, file: &MatrixMarket<AnyMatrix>) -> Option<Entries> {
    use matrix_market_rs::MtxData;
    let knows = matches!(file.header.symmetry, Symmetry::General | Symmetry::Symmetric);
    if file.header.field == Field::Complex || !knows || file.header.format != Format::Coordinate {
        return None;
    }
    let Ok(MtxData::Sparse(_, places, values, _)) = MtxData::<f64>::from_file(path) else { return None };
    let mut entries = Entries::new();
    for ([i, j], value) in places.into_iter().zip(values) {
        *entries.entry((i, j)).or_default() += value;
        if i != j && file.header.symmetry == Symmetry::Symmetric {
            *entries.entry((j, i)).or_default() += value;
        }
    }
    Some(entries)
}

/// Reads a file in every way and compares. Returns whether the peer could read it too.
fn check(path: &Path) -> bool {
    let file = matrix_market::read(path).unwrap();
    let name = path.display();
    let expected = naive(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
    assert!(entries(&file.matrix) == expected, "{name} differs from the naive reader");
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(|| matrix_market::read(path).unwrap()) == file, "{name} with {threads} threads");
    }
    let options = WriteOptions {
        symmetry: (file.header.format == Format::Coordinate).then_some(file.header.symmetry),
        ..WriteOptions::default()
    };
    fn rewritten<T: matrix_market::FileScalar>(a: &CsrMatrix<T>, options: &WriteOptions) -> Vec<u8> {
        let mut out = Vec::new();
        matrix_market::write_csr_to("copy", &mut out, a, options).unwrap();
        out
    }
    let copy = match &file.matrix {
        AnyMatrix::Real(a) => rewritten(a, &options),
        AnyMatrix::Complex(a) => rewritten(a, &options),
    };
    let copy = matrix_market::Source::from_reader("copy", copy.as_slice()).unwrap().read().unwrap();
    assert!(copy.matrix == file.matrix, "{name} changes when written and read again");
    match peer(path, &file) {
        Some(entries) => {
            assert!(entries == expected, "{name} differs from matrix-market-rs");
            true
        }
        None => false,
    }
}

#[test]
fn real_matrices_are_read_as_others_read_them() {
    let folder = std::env::var_os("RESIDUA_MATRICES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/matrices"), PathBuf::from);
    let Ok(listing) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: there is no folder {}", folder.display());
        return;
    };
    let paths = listing.map(|entry| entry.unwrap().path());
    let mtx: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == "mtx")).collect();
    let both = mtx.iter().filter(|path| check(path)).count();
    eprintln!("{} files, {both} of them also by matrix-market-rs", mtx.len());
}

#[test]
fn made_files_of_every_kind_are_read_as_others_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut both = 0;
    for (kind, words) in [
        ("real general", 1),
        ("real symmetric", 1),
        ("real skew-symmetric", 1),
        ("integer general", 0),
        ("integer symmetric", 0),
        ("pattern general", 9),
        ("pattern symmetric", 9),
        ("complex general", 2),
        ("complex symmetric", 2),
        ("complex hermitian", 2),
        ("complex skew-symmetric", 2),
    ] {
        // Scattered places, several blocks of text, a thousand of them twice or more.
        let (n, count) = (200, 40_000usize);
        let mut text = format!("%%MatrixMarket matrix coordinate {kind}\n% made\n{n} {n} {count}\n");
        for k in 0..count {
            let (mut i, mut j) = (k * 7919 % n, k / n);
            if k % 40 == 0 {
                (i, j) = (k % 97, k % 89);
            }
            if !kind.contains("general") && i <= j {
                (i, j) = (j, i);
            }
            if i == j && (kind.contains("skew") || kind.contains("hermitian")) {
                (i, j) = (n - 1, 0);
            }
            write!(text, "{} {}", i + 1, j + 1).unwrap();
            match words {
                0 => writeln!(text, " {}", k as i64 - 17_000).unwrap(),
                1 => writeln!(text, " {:.16e}", (k as f64).sin() * 10f64.powi(k as i32 % 90 - 45)).unwrap(),
                2 => writeln!(text, " {} {:e}", (k as f64).sin(), (k as f64).cos()).unwrap(),
                _ => text.push('\n'),
            }
        }
        let path = folder.path().join("made.mtx");
        std::fs::write(&path, text).unwrap();
        both += usize::from(check(&path));
    }
    assert_eq!(both, 6, "kinds that matrix-market-rs reads too");
}

/// Why a reader of our own: what the published crate does with files that are wrong.
#[test]
fn the_peer_takes_wrong_files_for_right() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.mtx");
    for body in ["2 2 1\n3 3 1\n", "2 2 1\n1 1 1\n2 2 1\n", "2 2 1\n1 1 NaN\n", "2 2 1\n1 1\n"] {
        std::fs::write(&path, format!("%%MatrixMarket matrix coordinate real general\n{body}")).unwrap();
        assert!(matrix_market_rs::MtxData::<f64>::from_file(&path).is_ok(), "{body}");
        matrix_market::read(&path).unwrap_err();
    }
    std::fs::write(&path, "%%MatrixMarket matrix coordinate real general\n2 2 2000000000000000000\n1 1 1\n")
        .unwrap();
    std::panic::catch_unwind(|| matrix_market_rs::MtxData::<f64>::from_file(&path).is_ok()).unwrap_err();
    matrix_market::read(&path).unwrap_err();
}
