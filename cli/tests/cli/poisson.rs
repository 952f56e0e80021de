//! `residua poisson`.

use crate::support::Folder;

#[test]
fn every_field_of_the_contract_is_there() {
    let folder = Folder::new();
    let run = folder.run(&[
        "poisson",
        "--dim",
        "3",
        "--n",
        "6,8",
        "--solver",
        "cg+jacobi,direct",
        "--json",
        "--repeat",
        "3",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let objects = run.objects();
    let names: Vec<_> =
        objects.iter().map(|o| (o["n"].as_u64().unwrap(), o["solver"].as_str().unwrap())).collect();
    assert_eq!(names, [(6, "cg+jacobi"), (6, "direct"), (8, "cg+jacobi"), (8, "direct")]);
    for o in &objects {
        assert_eq!(
            (&o["problem"], &o["dim"], &o["status"]),
            (&"constant".into(), &3.into(), &"converged".into())
        );
        assert_eq!(o["unknowns"].as_u64().unwrap(), o["n"].as_u64().unwrap().pow(3));
        assert_eq!((&o["rows"], &o["symmetric"]), (&o["unknowns"], &true.into()));
        assert!(o["relative_residual"].as_f64().unwrap() <= 1e-8);
        for name in ["seconds", "unknowns_per_second", "spmv_equivalents", "bandwidth_gbs", "stream_gbs"] {
            assert!(o[name].as_f64().unwrap() > 0.0, "{name}");
        }
        let parts = o["setup_seconds"].as_f64().unwrap() + o["solve_seconds"].as_f64().unwrap();
        assert!((o["seconds"].as_f64().unwrap() - parts).abs() <= 1e-9);
        let equivalents = o["seconds"].as_f64().unwrap() / o["spmv_seconds"].as_f64().unwrap();
        assert!((o["spmv_equivalents"].as_f64().unwrap() / equivalents - 1.0).abs() < 1e-9);
    }
}

#[test]
fn each_problem_is_solved_by_auto_and_saved_as_it_is() {
    let folder = Folder::new();
    for problem in ["constant", "anisotropic", "jump", "obstacles", "neumann", "convection"] {
        let run = folder.run(&["poisson", "--problem", problem, "--n", "12", "--json", "--save-matrix", "s"]);
        let o = run.object();
        assert_eq!((run.code, &o["status"]), (0, &"converged".into()), "{problem}: {o}");
        let file = format!("s/{problem}-2d-n12.mtx");
        let saved = folder.run(&["solve", &file, "--json"]).object();
        assert_eq!((&saved["status"], &saved["nnz"]), (&"converged".into(), &o["nnz"]), "{problem}: {saved}");
        assert!(saved["rhs"].as_str().unwrap().ends_with("n12_b.mtx"));
        assert_eq!(saved["symmetric"], problem != "convection");
    }
}

#[test]
fn several_sizes_make_scaling_plots() {
    let folder = Folder::new();
    let args = ["poisson", "--solver", "cg+jacobi,direct", "--report", "r.html", "--n"];
    assert_eq!(folder.run(&[&args[..], &["10"]].concat()).code, 0);
    assert!(!folder.read("r.html").contains("against unknowns"), "one size has no scaling");
    let run = folder.run(&[&args[..], &["10,20"]].concat());
    assert_eq!(run.stdout.lines().filter(|line| line.contains(" *")).count(), 2, "{}", run.stdout);
    let page = folder.read("r.html");
    assert!(page.contains("seconds against unknowns") && page.contains("iterations against unknowns"));
    assert!(page.contains("cg+jacobi: N^") && !page.contains("#010203"));
}

#[test]
fn all_solvers_run_and_the_table_and_the_page_show_them() {
    let folder = Folder::new();
    for problem in ["constant", "convection"] {
        let args = ["poisson", "--problem", problem, "--contrast", "10", "--n", "10", "--solver", "all"];
        let args = if problem == "constant" { [&args[..3], &args[5..]].concat() } else { args.to_vec() };
        let run = folder.run(&[&args[..], &["--report", "r.html"]].concat());
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains("direct") && run.stdout.contains("+jacobi"), "{}", run.stdout);
        let page = folder.read("r.html");
        assert!(page.contains("<svg") && page.contains("residua poisson --problem"));
    }
}
