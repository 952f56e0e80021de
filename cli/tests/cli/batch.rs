//! Which files are cases, in which order, and where their solutions go.

use crate::support::{Folder, array, residua, run_in, tridiagonal};
use serde_json::Value;
use std::process::Stdio;

fn cases(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|o| o["case"].as_str().unwrap()).collect()
}

#[test]
fn folders_files_and_right_hand_sides() {
    let folder = Folder::new();
    folder
        .write("m/b.mtx", &tridiagonal(4, 3.0))
        .write("m/b_b.mtx", &array(&[&[1.0, 1.0, 1.0, 1.0]]))
        .write("m/a.mtx", &tridiagonal(5, 3.0))
        .write("m/sub/a.mtx", &tridiagonal(6, 3.0))
        .write("m/notes.txt", "not a matrix")
        .write("odd.dat", &tridiagonal(7, 3.0));
    let run = folder.run(&["solve", "m", "odd.dat", "m/a.mtx", "--json", "--out", "o"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let objects = run.objects();
    assert_eq!(cases(&objects), ["m/a.mtx", "m/b.mtx", "m/sub/a.mtx", "odd.dat", "m/a.mtx"]);
    let solutions: Vec<&str> = objects.iter().map(|o| o["solution"].as_str().unwrap()).collect();
    assert_eq!(solutions, ["a_x.mtx", "b_x.mtx", "sub/a_x.mtx", "odd.dat_x.mtx", "a_2_x.mtx"]);
    assert!(solutions.iter().all(|name| folder.join("o").join(name).is_file()));
    assert_eq!(folder.read("o/results.jsonl"), run.stdout, "the same lines on disk");
    assert_eq!(folder.read("o/sub/a_x.mtx").lines().nth(1), Some("6 1"));
}

#[test]
fn a_shell_glob_does_not_make_companions_into_cases() {
    let folder = Folder::new();
    folder.write("a.mtx", &tridiagonal(3, 3.0)).write("a_b.mtx", &array(&[&[1.0, 2.0, 3.0]]));
    let first = folder.run(&["solve", "a.mtx", "a_b.mtx", "--json", "--out", "."]);
    assert_eq!(cases(&first.objects()), ["a.mtx"]);
    let again = folder.run(&["solve", ".", "--json"]);
    assert_eq!(cases(&again.objects()), ["./a.mtx"], "the solution written beside it is no case either");
    let alone = folder.run(&["solve", "a_b.mtx", "--json"]);
    assert_eq!((alone.code, &alone.object()["status"]), (1, &"invalid_input".into()));
}

#[test]
fn standard_input_is_a_case_packed_or_not() {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    let text = tridiagonal(9, 3.0);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    for bytes in [text.into_bytes(), encoder.finish().unwrap()] {
        let mut child = residua()
            .args(["solve", "-", "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        let run: crate::support::Run = child.wait_with_output().unwrap().into();
        let o = run.object();
        assert_eq!((&o["case"], &o["rows"], &o["status"]), (&"-".into(), &9.into(), &"converged".into()));
    }
}

#[test]
fn results_come_one_by_one_in_input_order() {
    use std::io::{BufRead, BufReader};
    let folder = Folder::new();
    folder.write("quick.mtx", &tridiagonal(5, 3.0)).write("slow.mtx", &tridiagonal(4000, 2.0));
    let mut child = residua()
        .current_dir(folder.path())
        .args(["solve", "quick.mtx", "slow.mtx", "--json", "--method", "jacobi", "--max-iters", "1000000000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(child.try_wait().unwrap().is_none(), "the second case runs while the first is read");
    child.kill().unwrap();
    child.wait().unwrap();
    let o: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(o["case"], "quick.mtx");
}

#[test]
fn the_real_matrices_are_solved_or_refused_with_a_reason() {
    let above = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let Some(matrices) = above.map(|folder| folder.join("shared/matrices")).find(|m| m.is_dir()) else {
        return println!("skipped: no folder shared/matrices above this crate");
    };
    let names =
        ["bcsstk01", "494_bus", "west0067", "young1c", "fidapm05", "lp_afiro", "sherman1", "jagmesh7"];
    let files: Vec<String> = names.iter().map(|name| format!("{name}.mtx")).collect();
    let args: Vec<&str> = ["solve", "--json"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let run = run_in(&matrices, &args);
    assert_eq!(run.code, 0, "{}", run.stdout);
    for o in run.objects() {
        assert!(o["relative_residual"].as_f64().unwrap() <= 1e-8, "{o}");
    }
}
