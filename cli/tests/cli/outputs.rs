//! The table for people and the page of `--report`.

use crate::support::{Folder, tridiagonal};

#[test]
fn the_table_has_a_row_a_case_and_advice_below() {
    let folder = Folder::new();
    folder.write("m/a.mtx", &tridiagonal(20, 3.0)).write("m/b.mtx", &tridiagonal(20, 0.1));
    let run = folder.run(&["solve", "m", "--method", "cg", "--precond", "none"]);
    assert_eq!(run.code, 1);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], "in m/");
    assert!(lines[2].contains("Case") && lines[2].contains("Residual"), "{}", run.stdout);
    assert!(lines[4].contains("a.mtx") && lines[4].contains("converged"), "{}", run.stdout);
    assert!(lines[5].contains("b.mtx") && lines[5].contains("indefinite"), "{}", run.stdout);
    assert!(run.stdout.contains("b.mtx: failed: ") && run.stdout.contains("use minres"), "{}", run.stdout);
    assert!(run.stdout.contains("1 of 2 converged"), "{}", run.stdout);
}

#[test]
fn the_page_is_self_contained_and_says_how_to_repeat_the_run() {
    let folder = Folder::new();
    folder.write("it's <1>.mtx", &tridiagonal(30, 2.1));
    let name = "it's <1>.mtx";
    let run = folder.run(&[
        "solve",
        name,
        "--json",
        "--method",
        "cg",
        "--precond",
        "none",
        "--report",
        "sub/r.html",
        "--seed",
        "5",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let page = folder.read("sub/r.html");
    for part in ["<svg", "prefers-color-scheme: dark", "Seed</dt><dd>5", "converged", "it's &lt;1&gt;.mtx"] {
        assert!(page.contains(part), "{part} is missing");
    }
    assert!(
        page.contains("residua solve 'it'\\''s &lt;1&gt;.mtx' --json"),
        "the command, quoted for a shell"
    );
    for part in ["http://", "https://", "src=", "href=", "@import", "url("] {
        assert!(!page.replace("http://www.w3.org/2000/svg", "").contains(part), "{part} needs a network");
    }
}
