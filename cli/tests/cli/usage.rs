//! Wrong command lines end with 2 and advice; help and completions are there.

use crate::support::{Folder, tridiagonal};

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_right() {
    let folder = Folder::new();
    folder.write("a.mtx", &tridiagonal(3, 3.0));
    for (args, advice) in [
        (&["--omega", "2.5"][..], "between 0 and 2"),
        (&["--omega", "-1"], "between 0 and 2"),
        (&["--omega", "nan"], "between 0 and 2"),
        (&["--rtol", "-1e-3"], "0 or greater"),
        (&["--rtol", "nan"], "finite"),
        (&["--rtol", "1"], "below 1"),
        (&["--atol", "inf"], "finite"),
        (&["--time-limit", "-5"], "seconds"),
        (&["--restart", "0"], "1 or more"),
        (&["--threads", "0"], "from 1"),
        (&["--threads", "1000000"], "from 1"),
        (&["--method", "qmr"], "bicgstab"),
        (&["--precond", "magic"], "ilut"),
        (&["--model", "m.onnx"], "--precond learned"),
        (&["--precond", "learned", "--model", "none.onnx"], "none.onnx: "),
        (&["--method", "cg", "--precond", "learned"], "combination"),
        (&["--method", "sor", "--precond", "ic0"], "takes no preconditioner"),
        (&["--method", "cg", "--precond", "ilut"], "combination"),
        (&["--resume"], "--out"),
        (&["--max-iters", "many"], "invalid"),
        (&["--report", "."], "file name"),
        (&["--out", "a.mtx"], "folder"),
        (&["--no-such-option"], "--help"),
    ] {
        let run = folder.run(&[&["solve", "a.mtx", "--json"], args].concat());
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?}: {}", run.stderr);
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(advice), "{args:?}: {}", run.stderr);
    }
    for args in [&[][..], &["solve"], &["frobnicate"], &["poisson", "--dim", "4"], &["poisson", "--n", "0"]] {
        assert_eq!(folder.run(args).code, 2, "{args:?}");
    }
    for (solver, advice) in [("cg+learned", "combination"), ("qmr", "minres"), ("cg+x", "ic0")] {
        let run = folder.run(&["poisson", "--solver", solver]);
        assert!(run.code == 2 && run.stderr.contains(advice), "{solver}: {}", run.stderr);
    }
}

#[test]
fn each_command_has_help_with_an_example() {
    let folder = Folder::new();
    for command in [&[][..], &["solve"], &["info"], &["poisson"], &["completions"]] {
        let run = folder.run(&[command, &["--help"]].concat());
        assert_eq!(run.code, 0);
        assert!(run.stdout.contains("Example") && run.stdout.contains("  residua "), "{command:?}");
    }
    assert!(folder.run(&["--version"]).stdout.starts_with("residua 0."));
    assert!(folder.run(&["solve", "--version"]).stdout.contains("0."));
}

#[test]
fn completions_know_the_options() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = folder.run(&["completions", shell]);
        assert!(run.code == 0 && run.stdout.contains("precond"), "{shell}");
    }
}
