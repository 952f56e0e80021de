//! `--resume`: what was finished is not done again, and the file ends as that of an undisturbed run.

use crate::support::{Folder, array, residua, results, tridiagonal};
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

const SYSTEMS: [(&str, usize); 6] = [("a", 20), ("b", 900), ("c", 30), ("d", 900), ("e", 40), ("f", 900)];

/// Six systems, every other of which takes some tenths of a second by this slow method.
fn batch() -> Folder {
    let folder = Folder::new();
    for (name, n) in SYSTEMS {
        folder.write(&format!("m/{name}.mtx"), &tridiagonal(n, 2.0));
    }
    folder
}

fn solve<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["solve", "m", "--json", "--method", "jacobi", "--max-iters", "60000", "--out", out];
    fixed.iter().chain(more).copied().collect()
}

#[test]
fn a_killed_run_resumes_to_the_same_file() {
    let folder = batch();
    let whole = folder.run(&solve("whole", &[]));
    assert_eq!(whole.objects().len(), 6);

    let mut child =
        residua().current_dir(folder.path()).args(solve("cut", &[])).stdout(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let lines = || fs::read_to_string(folder.join("cut/results.jsonl")).unwrap_or_default().lines().count();
    while lines() < 2 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!((2..6).contains(&lines()), "the run was cut in the middle: {} lines", lines());

    let resumed = folder.run(&solve("cut", &["--resume"]));
    assert_eq!(resumed.code, whole.code);
    let file = folder.read("cut/results.jsonl");
    assert_eq!(results(&file), results(&folder.read("whole/results.jsonl")));
    assert_eq!(resumed.stdout, file, "stored results are shown again");
    for (name, _) in SYSTEMS {
        let name = format!("{name}_x.mtx");
        assert!(folder.read(&format!("cut/{name}")) == folder.read(&format!("whole/{name}")), "{name}");
    }
    let stray: Vec<_> = fs::read_dir(folder.join("cut")).unwrap().collect();
    assert_eq!(stray.len(), 7, "nothing else is left behind: {stray:?}");
}

#[test]
fn a_cut_off_line_is_repaired_and_the_order_restored() {
    let folder = Folder::new();
    for name in ["a", "b", "c"] {
        folder.write(&format!("m/{name}.mtx"), &tridiagonal(20, 3.0));
    }
    let args = ["solve", "m", "--json", "--out", "o", "--resume"];
    assert_eq!(folder.run(&args).code, 0, "there need not be anything to resume");
    let whole = folder.read("o/results.jsonl");
    let lines: Vec<&str> = whole.lines().collect();
    // The first is lost, the second one whole, the last one cut off.
    folder.write("o/results.jsonl", &format!("{}\n{}", lines[1], &lines[2][..lines[2].len() / 2]));
    let run = folder.run(&args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let file = folder.read("o/results.jsonl");
    assert_eq!(results(&file), results(&whole));
    assert_eq!(file.lines().nth(1), Some(lines[1]), "what was whole is kept, times and all");
    folder.write("o/results.jsonl", "\u{0}\u{0}rubbish\n\n{}\n");
    assert_eq!(folder.run(&args).code, 0);
    assert_eq!(results(&folder.read("o/results.jsonl")), results(&whole));
}

#[test]
fn only_what_still_holds_is_reused() {
    let folder = Folder::new();
    folder.write("a.mtx", &tridiagonal(20, 3.0)).write("b.mtx", &tridiagonal(25, 3.0));
    let read = || -> Vec<String> { folder.read("o/results.jsonl").lines().map(str::to_owned).collect() };
    let resume = |more: &[&str]| {
        let run =
            folder.run(&[&["solve", "a.mtx", "b.mtx", "--json", "--out", "o", "--resume"], more].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        read()
    };
    let first = resume(&[]);
    assert_eq!(resume(&[]), first, "nothing is done again");
    assert_eq!(resume(&["--threads", "1"]), first, "results do not depend on threads");
    let other = resume(&["--rtol", "1e-6"]);
    assert!(other.len() == 2 && other[0] != first[0] && other[1] != first[1], "other options");

    let first = resume(&[]);
    folder.write("a.mtx", &tridiagonal(21, 3.0));
    let changed = resume(&[]);
    assert!(changed[0] != first[0] && changed[1] == first[1], "a changed file is solved again");
    folder.write("b_b.mtx", &array(&[&[1.0; 25]]));
    assert!(resume(&[])[1].contains("b_b.mtx"), "a new right-hand side counts");

    let before = resume(&[]);
    fs::remove_file(folder.join("o/a_x.mtx")).unwrap();
    let after = resume(&[]);
    assert!(after[0] != before[0] && after[1] == before[1] && folder.join("o/a_x.mtx").is_file());

    folder.write("c.mtx", &tridiagonal(5, 3.0));
    folder.run(&["solve", "c.mtx", "--json", "--out", "o", "--resume"]);
    let with_other = read();
    assert!(with_other[..2] == after[..] && with_other[2].contains("c.mtx"), "other cases stay");
    folder.run(&["solve", "c.mtx", "--json", "--out", "o"]);
    assert_eq!(read().len(), 1, "without --resume the file is begun anew");
    assert_eq!(folder.read("o/results.previous.jsonl").lines().count(), 3, "and the old one kept aside");
}

#[test]
fn cases_of_one_name_keep_their_own_solutions() {
    let folder = Folder::new();
    folder.write("p/a.mtx", &tridiagonal(3, 3.0)).write("q/a.mtx", &tridiagonal(4, 3.0));
    folder.run(&["solve", "q/a.mtx", "--json", "--out", "o", "--resume"]);
    folder.run(&["solve", "p/a.mtx", "--json", "--out", "o", "--resume"]);
    let rows = |name: &str| folder.read(name).lines().nth(1).unwrap().to_owned();
    assert_eq!((rows("o/a_x.mtx"), rows("o/a_2_x.mtx")), ("4 1".into(), "3 1".into()));
    let run = folder.run(&["solve", "p/a.mtx", "q/a.mtx", "--json", "--out", "o"]);
    assert_eq!(run.objects()[1]["solution"], "a_2_x.mtx", "in one run, by input order");
}

#[test]
fn bad_inputs_are_tried_again() {
    let folder = Folder::new();
    folder.write("a.mtx", "not yet a matrix");
    let args = ["solve", "a.mtx", "--json", "--out", "o", "--resume"];
    assert_eq!(folder.run(&args).code, 1);
    folder.write("a.mtx", &tridiagonal(3, 3.0));
    assert_eq!(folder.run(&args).code, 0);
    assert_eq!(folder.read("o/results.jsonl").lines().count(), 1);
}
