use super::*;
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write;
use std::path::Path;

/// A diagonal matrix as a file's text.
fn diagonal(entries: &[f64]) -> String {
    let n = entries.len();
    let lines: String = entries.iter().enumerate().map(|(i, v)| format!("{0} {0} {v}\n", i + 1)).collect();
    format!("%%MatrixMarket matrix coordinate real general\n{n} {n} {n}\n{lines}")
}

fn column(entries: &[f64]) -> String {
    let lines: String = entries.iter().map(|v| format!("{v}\n")).collect();
    format!("%%MatrixMarket matrix array real general\n{} 1\n{lines}", entries.len())
}

fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        if name.ends_with(".gz") {
            let file = fs::File::create(dir.path().join(name)).unwrap();
            let mut gzip = GzEncoder::new(file, Compression::default());
            gzip.write_all(text.as_bytes()).unwrap();
            gzip.finish().unwrap();
        } else {
            fs::write(dir.path().join(name), text).unwrap();
        }
    }
    dir
}

fn open(dir: &tempfile::TempDir) -> SystemFolder {
    SystemFolder::open(dir.path()).unwrap()
}

fn named(label: &str, name: &str) -> bool {
    Path::new(label).file_name().is_some_and(|found| found == name)
}

#[test]
fn files_come_in_the_order_of_their_names_with_their_siblings() {
    let dir = folder(&[
        ("t2.mtx.gz", diagonal(&[5.0])),
        ("t2_rhs1.mtx.gz", column(&[6.0])),
        ("t1.mtx", diagonal(&[2.0, 3.0])),
        ("t1_b.mtx", column(&[7.0, 8.0])),
        ("t1_x.mtx", column(&[1.0, 1.0])),
        ("t10.mtx", diagonal(&[2.5, 0.5])),
        ("lonely_b.mtx", diagonal(&[9.0])),
        ("notes.txt", String::new()),
    ]);
    fs::create_dir(dir.path().join("u.mtx")).unwrap();
    let mut sequence = open(&dir);
    assert_eq!((sequence.len_hint(), sequence.files().len()), (Some(4), 4));
    assert!(sequence.label().is_empty() && sequence.rhs().is_empty() && !sequence.fixed_pattern());
    // t1.mtx before t10.mtx: a full stop comes before digits.
    let expected: [(&str, &[f64], &[f64]); 4] = [
        ("lonely_b.mtx", &[9.0], &[9.0]),
        ("t1.mtx", &[2.0, 3.0], &[7.0, 8.0]),
        ("t10.mtx", &[2.5, 0.5], &[2.5, 0.5]),
        ("t2.mtx.gz", &[5.0], &[6.0]),
    ];
    for (name, matrix, rhs) in expected {
        assert!(sequence.advance(&[]).unwrap());
        assert!(named(&sequence.label(), name), "{}", sequence.label());
        assert_eq!((sequence.matrix().values(), sequence.rhs()), (matrix, rhs));
        assert_eq!(
            (sequence.guess(), sequence.context(), sequence.context_bounds().len()),
            (None, &[][..], 0)
        );
    }
    assert!(!sequence.advance(&[1.0]).unwrap());
}

#[test]
fn files_are_read_when_it_is_their_turn() {
    let dir = folder(&[("a.mtx", diagonal(&[1.0])), ("b.mtx", "nonsense".into())]);
    let mut sequence = open(&dir);
    assert!(sequence.advance(&[]).unwrap());
    fs::write(dir.path().join("b.mtx"), diagonal(&[4.0])).unwrap();
    assert!(sequence.advance(&[1.0]).unwrap());
    assert_eq!(sequence.matrix().values(), [4.0]);
}

#[test]
fn errors_name_the_file_and_the_next_call_goes_on() {
    let dir = folder(&[
        ("a.mtx", "%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 one\n".into()),
        ("b.mtx", "%%MatrixMarket matrix coordinate real general\n1 2 1\n1 1 1\n".into()),
        ("c.mtx", diagonal(&[1.0, 1.0])),
        ("c_b.mtx", column(&[1.0])),
        ("d.mtx", "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n".into()),
        ("e.mtx", diagonal(&[3.0])),
        ("f.mtx", diagonal(&[3.0])),
    ]);
    let mut sequence = open(&dir);
    fs::remove_file(dir.path().join("f.mtx")).unwrap();
    let mut refuse = |file: &str, words: &str| {
        let error = sequence.advance(&[]).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(words), "{error}");
        sequence.label()
    };
    assert!(named(&refuse("a.mtx:3", "value"), "a.mtx"));
    refuse("b.mtx", "1 x 2");
    assert!(named(&refuse("c_b.mtx", "1 x 1: expected 2 x 1"), "c.mtx"));
    refuse("d.mtx", "complex");
    assert!(sequence.advance(&[]).unwrap());
    assert_eq!(sequence.matrix().values(), [3.0]);
    assert!(sequence.advance(&[1.0]).unwrap_err().to_string().contains("f.mtx"));
    assert!(!sequence.advance(&[]).unwrap());
}

#[test]
fn the_last_solution_is_a_guess_where_it_is_asked_for_and_fits() {
    let dir = folder(&[
        ("a.mtx", diagonal(&[1.0, 1.0])),
        ("b.mtx", diagonal(&[2.0, 2.0])),
        ("c.mtx", diagonal(&[2.0])),
    ]);
    let mut sequence = open(&dir).with_last_solution_as_guess();
    assert!(sequence.advance(&[]).unwrap());
    assert_eq!(sequence.guess(), None);
    assert!(sequence.advance(&[3.0, 4.0]).unwrap());
    assert_eq!(sequence.guess(), Some(&[3.0, 4.0][..]));
    assert!(sequence.advance(&[]).unwrap());
    assert_eq!(sequence.guess(), None);
    assert!(matches!(
        sequence.advance(&[1.0, 2.0]),
        Err(SequenceError::SolutionLength { found: 2, expected: 1 })
    ));
}

#[test]
fn folders_without_matrices_and_things_that_are_none_are_refused() {
    let dir = folder(&[("notes.txt", String::new())]);
    let error = SystemFolder::open(dir.path()).unwrap_err();
    assert!(matches!(error, SequenceError::EmptyFolder { .. }));
    assert!(error.to_string().contains(&dir.path().display().to_string()));
    for missing in ["none", "notes.txt"] {
        let error = SystemFolder::open(dir.path().join(missing)).unwrap_err();
        assert!(matches!(error, SequenceError::Folder { .. }) && error.to_string().contains(missing));
    }
}
