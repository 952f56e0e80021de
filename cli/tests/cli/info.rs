//! `residua info`.

use crate::support::{Folder, tridiagonal};

#[test]
fn every_field_of_the_contract_is_there_and_right() {
    let folder = Folder::new();
    folder.write("a.mtx", &tridiagonal(10, 3.0));
    let run = folder.run(&["info", "a.mtx", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let o = run.object();
    assert_eq!(
        (&o["case"], &o["rows"], &o["cols"], &o["nnz"]),
        (&"a.mtx".into(), &10.into(), &10.into(), &28.into())
    );
    assert_eq!(o["field"], "real");
    for name in ["symmetric", "pattern_symmetric", "positive_diagonal", "diagonally_dominant"] {
        assert_eq!(o[name], true, "{name}");
    }
    assert_eq!((&o["bandwidth"], &o["empty_rows"], &o["duplicates"]), (&1.into(), &0.into(), &0.into()));
    let condition = o["condition_estimate"].as_f64().unwrap();
    assert!((2.0..10.0).contains(&condition), "{condition}");
    for name in ["suggested_method", "suggested_precond", "reason"] {
        assert!(!o[name].as_str().unwrap().is_empty(), "{name}");
    }
}

#[test]
fn odd_matrices_are_told_apart() {
    let folder = Folder::new();
    folder.write(
        "odd.mtx",
        "%%MatrixMarket matrix coordinate integer general\n4 3 4\n1 1 -2\n1 1 1\n1 3 5\n4 2 1\n",
    );
    let o = folder.run(&["info", "odd.mtx", "--json"]).object();
    assert_eq!((&o["field"], &o["nnz"], &o["duplicates"]), (&"integer".into(), &3.into(), &1.into()));
    assert_eq!((&o["empty_rows"], &o["bandwidth"]), (&2.into(), &2.into()));
    for name in ["symmetric", "pattern_symmetric", "positive_diagonal", "diagonally_dominant"] {
        assert_eq!(o[name], false, "{name}");
    }
    assert!(o["condition_estimate"].is_null());
}

#[test]
fn text_is_one_fact_a_line_and_bad_files_do_not_stop_it() {
    let folder = Folder::new();
    folder.write("bad.mtx", "rubbish\n").write("good.mtx", &tridiagonal(4, 3.0));
    let run = folder.run(&["info", "bad.mtx", "good.mtx", "--report", "r.html"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.starts_with("error: bad.mtx:1: ") && run.stderr.lines().count() == 1,
        "{}",
        run.stderr
    );
    assert!(run.stdout.starts_with("good.mtx\n  size                  4 x 4\n"), "{}", run.stdout);
    assert!(folder.read("r.html").contains("good.mtx"));
    let objects = folder.run(&["info", ".", "--json"]).objects();
    assert_eq!(objects[0]["status"], "invalid_input");
    assert!(objects[0]["rows"].is_null() && objects[1].get("status").is_none());
}
