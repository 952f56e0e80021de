//! `residua solve`: the fields, right-hand sides, verification.

use crate::support::{Folder, array, array_values, tridiagonal};

#[test]
fn every_field_of_the_contract_is_there_and_right() {
    let folder = Folder::new();
    folder.write("a.mtx", &tridiagonal(50, 3.0));
    let run =
        folder.run(&["solve", "a.mtx", "--json", "--method", "cg", "--precond", "jacobi", "--threads", "1"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.stderr, "", "no bar where there is no terminal");
    let o = run.object();
    assert_eq!(o["case"], "a.mtx");
    assert_eq!((&o["rows"], &o["cols"], &o["nnz"]), (&50.into(), &50.into(), &148.into()));
    assert_eq!((&o["symmetric"], &o["field"]), (&true.into(), &"real".into()));
    assert_eq!((&o["method"], &o["precond"]), (&"cg".into(), &"jacobi".into()));
    assert_eq!((&o["threads"], &o["status"]), (&1.into(), &"converged".into()));
    assert!(o["iterations"].as_u64().unwrap() > 3);
    assert!(o["relative_residual"].as_f64().unwrap() <= 1e-8);
    assert!(o["backward_error"].as_f64().unwrap() <= 1e-8);
    for name in ["read_seconds", "setup_seconds", "solve_seconds"] {
        assert!(o[name].as_f64().unwrap() >= 0.0, "{name}");
    }
    assert!(o["peak_memory_bytes"].as_u64().unwrap() > 100_000);
    assert!(o["message"].is_null());
    assert!(o.get("history").is_none(), "only with --monitor");
}

#[test]
fn the_residual_is_the_one_of_the_solution_written() {
    let folder = Folder::new();
    folder.write("a.mtx", &tridiagonal(40, 2.5));
    let run = folder.run(&[
        "solve",
        "a.mtx",
        "--json",
        "--method",
        "cg",
        "--precond",
        "none",
        "--rhs",
        "ones",
        "--rtol",
        "1e-3",
        "--out",
        "o",
    ]);
    let x = array_values(&folder.read("o/a_x.mtx"));
    let at = |i: isize| if (0..40).contains(&i) { x[i as usize] } else { 0.0 };
    let r: Vec<f64> = (0..40).map(|i| 1.0 - (2.5 * at(i) - at(i - 1) - at(i + 1))).collect();
    let relative = r.iter().map(|v| v * v).sum::<f64>().sqrt() / 40f64.sqrt();
    let max = |v: &[f64]| v.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let backward = max(&r) / (4.5 * max(&x) + 1.0);
    let o = run.object();
    let close = |name: &str, expected: f64| {
        let found = o[name].as_f64().unwrap();
        assert!((found / expected - 1.0).abs() < 1e-9, "{name}: {found} against {expected}");
    };
    close("relative_residual", relative);
    close("backward_error", backward);
    assert!(relative <= 1e-3 && relative > 1e-12, "the test must see a residual of iteration");
}

#[test]
fn right_hand_sides_come_from_where_they_should() {
    let folder = Folder::new();
    folder.write("d.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 2\n2 2 4\n");
    let solve = |args: &[&str]| {
        let run = folder.run(&[&["solve", "d.mtx", "--json", "--out", "o"], args].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        // These answers are exact up to the last bits.
        let x = array_values(&folder.read("o/d_x.mtx"));
        let x: Vec<f64> = x.iter().map(|v| (v * 1e12).round() / 1e12).collect();
        (run.object()["rhs"].as_str().unwrap().to_owned(), x)
    };
    assert_eq!(solve(&[]), ("consistent".into(), vec![1.0, 1.0]));
    assert_eq!(solve(&["--rhs", "ones"]), ("ones".into(), vec![0.5, 0.25]));
    let (name, random) = solve(&["--rhs", "random", "--seed", "3"]);
    assert_eq!((name.as_str(), &random), ("random", &solve(&["--rhs", "random", "--seed", "3"]).1));
    assert_ne!(random, solve(&["--rhs", "random"]).1, "the seed counts");
    folder.write("d_rhs1.mtx", &array(&[&[2.0, 8.0]]));
    assert_eq!(solve(&[]), ("d_rhs1.mtx".into(), vec![1.0, 2.0]));
    folder.write("d_b.mtx", &array(&[&[6.0, 4.0]]));
    assert_eq!(solve(&[]), ("d_b.mtx".into(), vec![3.0, 1.0]));
    folder.write("other.mtx", &array(&[&[0.0, 0.0]]));
    assert_eq!(solve(&["--rhs", "other.mtx"]), ("other.mtx".into(), vec![0.0, 0.0]));
    assert_eq!(solve(&["--rhs", "ones"]).1, [0.5, 0.25], "named beats the sibling");
}

#[test]
fn several_columns_are_solved_and_the_worst_speaks() {
    let folder = Folder::new();
    folder.write("a.mtx", &tridiagonal(30, 2.0));
    let easy = vec![0.0; 30];
    let hard: Vec<f64> = (0..30).map(|i| f64::from(i % 7)).collect();
    folder.write("b.mtx", &array(&[&easy, &hard, &hard]));
    let run = folder.run(&[
        "solve",
        "a.mtx",
        "--rhs",
        "b.mtx",
        "--json",
        "--method",
        "cg",
        "--precond",
        "none",
        "--out",
        "o",
    ]);
    let o = run.object();
    assert_eq!((&o["status"], &o["rhs_columns"]), (&"converged".into(), &3.into()));
    let columns = o["columns"].as_array().unwrap();
    let count = |k: usize| columns[k]["iterations"].as_u64().unwrap();
    assert_eq!((count(0), count(1)), (0, count(2)));
    assert_eq!(o["iterations"].as_u64().unwrap(), count(1) + count(2), "iterations are summed");
    assert_eq!(o["relative_residual"], columns[1]["relative_residual"]);
    let x = array_values(&folder.read("o/a_x.mtx"));
    assert!(folder.read("o/a_x.mtx").lines().any(|line| line == "30 3"));
    assert_eq!(x.len(), 90);
    assert_eq!(x[30..60], x[60..]);

    let args = [
        "solve",
        "a.mtx",
        "--rhs",
        "b.mtx",
        "--json",
        "--method",
        "cg",
        "--precond",
        "none",
        "--max-iters",
        "3",
    ];
    let run = folder.run(&args);
    let o = run.object();
    assert_eq!((run.code, &o["status"]), (1, &"max_iterations".into()), "one that fails is enough");
    assert_eq!(o["columns"][0]["status"], "converged");
    assert!(o["message"].as_str().unwrap().contains("raise max_iters"));
}

#[test]
fn complex_systems_solve_also_with_a_real_side() {
    let folder = Folder::new();
    folder.write("z.mtx", "%%MatrixMarket matrix coordinate complex general\n2 2 2\n1 1 0 2\n2 2 1 1\n");
    let solve = |args: &[&str]| {
        let run = folder.run(&[&["solve", "z.mtx", "--json", "--out", "o"], args].concat());
        assert_eq!(run.code, 0, "{} {}", run.stdout, run.stderr);
        assert_eq!(run.object()["field"], "complex");
        folder.read("o/z_x.mtx")
    };
    let numbers = |text: &str| -> Vec<f64> {
        text.lines().skip(2).flat_map(str::split_whitespace).map(|v| v.parse().unwrap()).collect()
    };
    // 1/(2i) = -i/2; 1/(1+i) = (1-i)/2.
    let x = numbers(&solve(&["--rhs", "ones"]));
    assert!(x.iter().zip([0.0, -0.5, 0.5, -0.5]).all(|(x, e)| (x - e).abs() < 1e-12), "{x:?}");
    folder.write("b.mtx", &array(&[&[2.0, 2.0]]));
    let x = numbers(&solve(&["--rhs", "b.mtx"]));
    assert!(x.iter().zip([0.0, -1.0, 1.0, -1.0]).all(|(x, e)| (x - e).abs() < 1e-12), "{x:?}");
}

#[test]
fn the_history_has_every_iteration_once() {
    let folder = Folder::new();
    folder.write("a.mtx", &tridiagonal(60, 2.1));
    let run = folder.run(&["solve", "a.mtx", "--json", "--monitor", "--method", "cg", "--precond", "none"]);
    let o = run.object();
    let history = o["history"].as_array().unwrap();
    assert_eq!(history.len() as u64, o["iterations"].as_u64().unwrap() + 1);
    assert_eq!(history[0], 1.0, "x starts at 0");
    assert!(history.last().unwrap().as_f64().unwrap() <= 1e-8);
}

#[test]
fn limits_are_named_and_advice_is_given() {
    let folder = Folder::new();
    folder.write("a.mtx", &tridiagonal(3000, 2.0));
    let solve = |args: &[&str]| {
        let run = folder.run(&[&["solve", "a.mtx", "--json", "--method", "jacobi"], args].concat());
        assert_eq!(run.code, 1);
        let o = run.object();
        assert!(o["message"].as_str().unwrap().len() > 20, "advice: {o}");
        o["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(solve(&["--max-iters", "7"]), "max_iterations");
    assert_eq!(solve(&["--max-iters", "100000000", "--time-limit", "0.05"]), "time_limit");
    folder.write("a.mtx", &tridiagonal(50, 0.5));
    let run = folder.run(&["solve", "a.mtx", "--json", "--method", "cg", "--precond", "none"]);
    assert_eq!(run.object()["status"], "indefinite");
}

#[test]
fn every_method_gives_the_same_bits_on_one_and_two_threads() {
    let folder = Folder::new();
    // Large enough that the kernels do share out their work.
    let saved = folder.run(&["poisson", "--n", "110", "--solver", "direct", "--save-matrix", "."]);
    assert_eq!(saved.code, 0, "{}", saved.stderr);
    let file = "constant-2d-n110.mtx";
    for method in [
        "auto", "cg", "fcg", "minres", "gmres", "fgmres", "bicgstab", "idrs", "lsmr", "jacobi", "sor",
        "ssor", "direct",
    ] {
        let solve = |threads: &str| {
            let run = folder.run(&[
                "solve",
                file,
                "--json",
                "--method",
                method,
                "--max-iters",
                "30",
                "--threads",
                threads,
                "--out",
                "o",
            ]);
            let o = run.object();
            assert_eq!(o["threads"].to_string(), threads);
            assert_ne!(o["status"], "invalid_input", "{method}: {o}");
            (o["relative_residual"].clone(), folder.read("o/constant-2d-n110_x.mtx"))
        };
        assert!(solve("1") == solve("2"), "{method}: the result depends on the number of threads");
    }
}
