//! Inputs that cannot be used: one line on standard error, one object, the rest goes on, no panic.

use crate::support::{Folder, array, tridiagonal};
use serde_json::Value;

/// Solves `bad.mtx` and a good file; returns the message of the bad one.
fn message_for(folder: &Folder, args: &[&str]) -> String {
    folder.write("good.mtx", &tridiagonal(5, 3.0));
    let run = folder.run(&[&["solve", "bad.mtx", "good.mtx", "--json"], args].concat());
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    let objects = run.objects();
    assert_eq!(objects.len(), 2, "{}", run.stdout);
    let status = |o: &Value| o["status"].as_str().unwrap().to_owned();
    assert_eq!(status(&objects[0]), "invalid_input", "{}", objects[0]);
    assert_eq!(status(&objects[1]), "converged", "the rest is done: {}", objects[1]);
    let message = objects[0]["message"].as_str().unwrap().to_owned();
    assert_eq!(run.stderr, format!("error: {message}\n"), "one line on standard error");
    message
}

#[test]
fn broken_files_are_told_with_file_and_line() {
    let head = "%%MatrixMarket matrix coordinate real general\n";
    for (text, line, what) in [
        ("", ":1:", "expected"),
        ("hello\n", ":1:", "expected"),
        ("%%MatrixMarket matrix coordinate real lopsided\n1 1 0\n", ":1:", "lopsided"),
        (&format!("{head}2 2 3\n1 1 1\n2 2 1\n"), "bad.mtx:", "expected"),
        (&format!("{head}2 2 1\n1 1 1\n2 2 1\n"), ":4:", "expected"),
        (&format!("{head}2 2 2\n0 1 1\n2 2 1\n"), ":3:", "expected"),
        (&format!("{head}2 2 2\n1 1 1\n2 3 1\n"), ":4:", "expected"),
        (&format!("{head}2 2 2\n1 1 one\n2 2 1\n"), ":3:", "one"),
        (&format!("{head}2 2 2\n1 1 nan\n2 2 1\n"), ":3:", "expected"),
        (&format!("{head}2 2 2\n1 1 1\n2 2 inf\n"), ":4:", "expected"),
        (&format!("{head}2 2 2\n1 1\n2 2 1\n"), ":3:", "expected"),
        (&format!("{head}1000000000000 1000000000000 1000000000000\n1 1 1\n"), ":2:", "expected"),
        (&format!("{head}4000000000 4000000000 1\n1 1 1\n"), ":2:", "expected"),
        (&format!("{head}-2 2 1\n1 1 1\n"), ":2:", "expected"),
    ] {
        let folder = Folder::new();
        folder.write("bad.mtx", text);
        let message = message_for(&folder, &[]);
        assert!(message.starts_with("bad.mtx:") && message.contains(line), "{text:?}: {message}");
        assert!(message.contains(what), "{text:?}: {message}");
    }
}

#[test]
fn a_truncated_archive_and_random_bytes_are_refused() {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    let folder = Folder::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(tridiagonal(2000, 3.0).as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    std::fs::write(folder.join("bad.mtx"), &packed[..packed.len() / 2]).unwrap();
    message_for(&folder, &[]);
    let noise: Vec<u8> = (0..5000u32).map(|k| (k.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(folder.join("bad.mtx"), noise).unwrap();
    message_for(&folder, &[]);
}

#[test]
fn paths_that_are_no_matrix() {
    let folder = Folder::new();
    let missing = message_for(&folder, &[]);
    assert!(missing.starts_with("bad.mtx: ") && missing.contains("no such file"), "{missing}");
    std::fs::create_dir(folder.join("bad.mtx")).unwrap();
    let empty = message_for(&folder, &[]);
    assert!(empty.starts_with("bad.mtx: no matrix in this folder"), "{empty}");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.write("bad.mtx", &tridiagonal(5, 3.0));
    std::fs::set_permissions(folder.join("bad.mtx"), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(folder.join("bad.mtx")).is_ok() {
        return println!("skipped: this user may read everything");
    }
    assert!(message_for(&folder, &[]).contains("ermission denied"));
}

#[test]
fn right_hand_sides_that_do_not_fit() {
    let folder = Folder::new();
    folder.write("bad.mtx", &tridiagonal(4, 3.0));
    folder.write("bad_b.mtx", &array(&[&[1.0, 2.0, 3.0]]));
    let message = message_for(&folder, &[]);
    assert_eq!(message, "bad_b.mtx:1: has 3 rows: expected 4, as many as the matrix has");
    folder.write("bad_b.mtx", "%%MatrixMarket matrix array real general\n4 1\n1\n2\nx\n4\n");
    assert!(message_for(&folder, &[]).starts_with("bad_b.mtx:5:"));
    let run = folder.run(&["solve", "good.mtx", "--rhs", "nines", "--json"]);
    let message = run.object()["message"].as_str().unwrap().to_owned();
    assert!(run.code == 1 && message.contains("--rhs ones, consistent or random"), "{message}");
}

#[test]
fn matrices_that_the_method_cannot_take() {
    let folder = Folder::new();
    folder.write("bad.mtx", "%%MatrixMarket matrix coordinate real general\n3 2 3\n1 1 1\n2 2 1\n3 1 1\n");
    for method in ["cg", "gmres", "sor", "minres", "bicgstab", "jacobi"] {
        let message = message_for(&folder, &["--method", method]);
        assert!(message.contains("square"), "{method}: {message}");
    }
    // Row 2 is empty, so its diagonal is zero.
    folder.write("bad.mtx", "%%MatrixMarket matrix coordinate real general\n3 3 2\n1 1 1\n3 3 1\n");
    for args in [["--method", "sor"], ["--method", "jacobi"], ["--precond", "jacobi"]] {
        folder.write("good.mtx", &tridiagonal(5, 3.0));
        let run = folder.run(&[&["solve", "bad.mtx", "good.mtx", "--json"], &args[..]].concat());
        let objects = run.objects();
        assert_ne!(objects[0]["status"], "converged", "{args:?}: {}", objects[0]);
        assert!(
            objects[0]["message"].as_str().is_some_and(|m| m.contains("diagonal")),
            "{args:?}: {}",
            objects[0]
        );
        assert_eq!((run.code, &objects[1]["status"]), (1, &"converged".into()));
    }
}

#[test]
fn degenerate_systems_end_with_a_status() {
    let folder = Folder::new();
    let head = "%%MatrixMarket matrix coordinate real general\n";
    for (text, name) in [
        (format!("{head}0 0 0\n"), "no rows"),
        (format!("{head}1 1 1\n1 1 2\n"), "one row"),
        (format!("{head}3 3 0\n"), "the zero matrix"),
        (format!("{head}2 2 2\n1 1 1e300\n2 2 1e-300\n"), "extreme scales"),
        (format!("{head}2 2 4\n1 1 1\n1 2 1\n2 1 1\n2 2 1\n"), "singular"),
        (format!("{head}1 3 3\n1 1 1\n1 2 1\n1 3 1\n"), "one wide row"),
    ] {
        folder.write("a.mtx", &text);
        for rhs in ["ones", "consistent"] {
            let run = folder.run(&["solve", "a.mtx", "--json", "--rhs", rhs]);
            let o = run.object();
            assert!(o["status"].is_string() && run.code <= 1, "{name}, {rhs}: {o} {}", run.stderr);
            let converged = o["status"] == "converged";
            assert_eq!(converged, run.code == 0, "{name}, {rhs}");
            if rhs == "consistent" {
                assert!(converged, "{name}: {o}");
            }
        }
    }
}
