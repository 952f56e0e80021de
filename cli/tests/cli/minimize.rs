//! `residua minimize`.

use crate::support::{Folder, Run};
use serde_json::Value;

/// Problem 71 of Hock and Schittkowski as AMPL writes it: an inequality, an equality, bounds.
const HS71: &str = "g3 1 1 0
 4 2 1 0 1
 2 1
 0 0
 4 4 4
 0 0 0 1
 0 0 0 0 0
 8 4
 0 0
 0 0 0 0 0
C0
o2
o2
o2
v0
v1
v2
v3
C1
o54
4
o5
v0
n2
o5
v1
n2
o5
v2
n2
o5
v3
n2
O0 0
o0
o2
o2
v0
v3
o54
3
v0
v1
v2
v2
x4
0 1
1 5
2 5
3 1
r
2 25
4 40
b
0 1 5
0 1 5
0 1 5
0 1 5
k3
2
4
6
J0 4
0 0
1 0
2 0
3 0
J1 4
0 0
1 0
2 0
3 0
G0 4
0 0
1 0
2 0
3 0
";

const FIELDS: [&str; 12] = [
    "problem",
    "variables",
    "constraints",
    "status",
    "objective",
    "kkt_residual",
    "constraint_violation",
    "iterations",
    "objective_evaluations",
    "inner_iterations",
    "inner_flops",
    "seconds",
];

fn number(object: &Value, field: &str) -> f64 {
    object[field].as_f64().unwrap_or_else(|| panic!("{field} of {object}"))
}

fn is_solved(object: &Value, optimum: f64) {
    assert_eq!(object["status"], "converged", "{object}");
    assert!((number(object, "objective") - optimum).abs() < 1e-5 * (1.0 + optimum.abs()), "{object}");
    assert!(
        number(object, "kkt_residual") <= 1e-6 && number(object, "constraint_violation") <= 1e-6,
        "{object}"
    );
}

#[test]
fn built_in_problems_have_all_fields_in_input_order() {
    let run = Folder::new().run(&["minimize", "HS6", "hs28", "sphere:20", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let objects = run.objects();
    let names: Vec<&str> = objects.iter().map(|o| o["problem"].as_str().unwrap()).collect();
    assert_eq!(names, ["HS6", "hs28", "sphere:20"]);
    for object in &objects {
        FIELDS.iter().for_each(|field| assert!(object.get(field).is_some_and(|v| !v.is_null()), "{field}"));
    }
    is_solved(&objects[0], 0.0);
    is_solved(&objects[2], -(20.0f64 * 21.0 * 41.0 / 6.0).sqrt());
    assert_eq!((number(&objects[2], "variables"), number(&objects[2], "constraints")), (20.0, 1.0));
}

#[test]
fn what_is_maximised_is_reported_as_it_was_meant() {
    let object = Folder::new().run(&["minimize", "rocket:20", "--json"]).object();
    assert_eq!(object["status"], "converged", "{object}");
    // The rocket rises from radius 1.
    assert!((1.01..1.02).contains(&number(&object, "objective")), "{object}");
}

#[test]
fn every_method_and_sketch_is_known() {
    for method in ["direct", "gmres", "auto"] {
        let run = Folder::new().run(&["minimize", "HS28", "--method", method, "--json"]);
        is_solved(&run.object(), 0.0);
    }
    for sketch in ["gaussian", "count", "kaczmarz", "block"] {
        let args = ["minimize", "HS28", "--method", "sketched", "--sketch", sketch, "--json", "--seed", "3"];
        let object = Folder::new().run(&args).object();
        is_solved(&object, 0.0);
        is_by(&object, "sketched");
    }
}

/// The method that was asked for solved the KKT systems, or a warning says that it did not.
fn is_by(object: &Value, method: &str) {
    let is_own = object["kkt_solver"].as_str().unwrap().starts_with(method);
    let warnings = object["warnings"].to_string();
    assert!(is_own || warnings.contains(&format!("not solved by {method}")), "{object}");
}

/// The duals and primals of a `.sol` file, and the number of its result.
fn answer(text: &str) -> (Vec<f64>, Vec<f64>, String) {
    let lines: Vec<&str> = text[text.find("\nOptions\n").unwrap() + 9..].lines().collect();
    let options: usize = lines[0].parse().unwrap();
    let count = |k: usize| lines[1 + options + k].parse::<usize>().unwrap();
    let (duals, primals, first) = (count(1), count(3), 1 + options + 4);
    let numbers =
        |from: usize, count: usize| lines[from..from + count].iter().map(|l| l.parse().unwrap()).collect();
    (numbers(first, duals), numbers(first + duals, primals), lines[first + duals + primals].to_owned())
}

fn check_hs71(folder: &Folder, run: &Run) {
    assert_eq!(run.code, 0, "{}", run.stderr);
    let object = run.object();
    is_solved(&object, 17.0140172891563);
    let (duals, x, last) = answer(&folder.read("hs71.sol"));
    assert_eq!((duals.len(), last.as_str()), (2, "objno 0 0"));
    let expected = [1.0, 4.742999, 3.821151, 1.379408];
    assert!(x.iter().zip(expected).all(|(x, e)| (x - e).abs() < 1e-4), "{x:?}");
    // The product of all, at least 25, is worth something: AMPL's sign is that of dF/db.
    assert!((duals[0] - 0.552294).abs() < 1e-3 && (duals[1] + 0.161469).abs() < 1e-3, "{duals:?}");
}

#[test]
fn an_nl_file_writes_its_answer_beside_it() {
    let folder = Folder::new();
    folder.write("hs71.nl", HS71);
    check_hs71(&folder, &folder.run(&["minimize", "hs71.nl", "--json"]));
}

#[test]
fn ampl_calls_it_its_own_way() {
    let folder = Folder::new();
    folder.write("hs71.nl", HS71);
    check_hs71(&folder, &folder.run(&["minimize", "hs71.nl", "-AMPL", "print_level=0", "--json"]));
    std::fs::remove_file(folder.join("hs71.sol")).unwrap();
    check_hs71(&folder, &folder.run(&["minimize", "hs71", "-AMPL", "--json"]));
    let run = folder.run(&["minimize", "-v"]);
    assert!(run.code == 0 && run.stdout.contains(env!("CARGO_PKG_VERSION")), "{}", run.stdout);
}

#[test]
fn a_maximised_objective_keeps_its_sign() {
    let folder = Folder::new();
    // max 7 − (x − 3)², one free variable.
    let header = "g3 1 1 0\n 1 0 1 0 0\n 0 1\n 0 0\n 0 1 0\n 0 0 0 1\n 0 0 0 0 0\n 0 1\n 0 0\n 0 0 0 0 0\n";
    folder.write("max.nl", &format!("{header}O0 1\no1\nn7\no5\no1\nv0\nn3\nn2\nb\n3\nk0\nG0 1\n0 0\n"));
    let run = folder.run(&["minimize", "max.nl", "--json"]);
    is_solved(&run.object(), 7.0);
}

#[test]
fn a_broken_file_is_one_line_and_the_others_are_done() {
    let folder = Folder::new();
    folder.write("broken.nl", &HS71.replace("o54", "o99")).write("hs71.nl", HS71);
    let run = folder.run(&["minimize", "broken.nl", "missing.nl", "hs71.nl", "--json"]);
    assert_eq!(run.code, 1);
    let objects = run.objects();
    assert_eq!(objects.len(), 3);
    assert_eq!(objects[0]["status"], "invalid_input");
    let message = objects[0]["message"].as_str().unwrap();
    assert!(message.starts_with("broken.nl:20: operator 99") && message.contains(": expected"), "{message}");
    assert!(run.stderr.contains(&format!("error: {message}\n")), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    assert_eq!(objects[1]["status"], "invalid_input");
    is_solved(&objects[2], 17.0140172891563);
    assert!(!folder.join("broken.sol").exists());
}

#[test]
fn the_list_has_names_sizes_and_optima() {
    let run = Folder::new().run(&["minimize", "--list", "--json"]);
    assert_eq!(run.code, 0);
    let objects = run.objects();
    let equalities = objects.iter().filter(|o| o["equality_only"] == true).count();
    assert!(equalities >= 45, "{equalities}");
    let hs71 = objects.iter().find(|o| o["problem"] == "HS71").unwrap();
    assert_eq!((number(hs71, "variables"), number(hs71, "constraints")), (4.0, 2.0));
    let table = Folder::new().run(&["minimize", "--list"]).stdout;
    assert!(table.contains("HS100LNP") && table.contains("680.630057"), "{table}");
}

#[test]
fn wrong_usage_ends_with_2_and_advice() {
    let folder = Folder::new();
    for (args, expected) in [
        (&["minimize", "HS66x"][..], "did you mean HS66?"),
        (&["minimize"][..], "PROBLEM"),
        (&["minimize", "HS6", "--tol", "0"][..], "--tol 0: expected"),
        (&["minimize", "HS6", "--time-limit", "-1"][..], "--time-limit -1: expected"),
        (&["minimize", "HS6", "--method", "ipopt"][..], "possible values"),
        (&["minimize", "control:0"][..], "expected control:N"),
    ] {
        let run = folder.run(args);
        assert!(run.code == 2 && run.stderr.contains(expected), "{args:?}: {} {}", run.code, run.stderr);
    }
}

#[test]
fn limits_logs_and_reports() {
    let folder = Folder::new();
    let run =
        folder.run(&["minimize", "HS100LNP", "--max-iters", "1", "--log", "--json", "--report", "page.html"]);
    assert_eq!(run.code, 1);
    assert_eq!(run.object()["status"], "max_iterations");
    assert!(run.stderr.contains("KKT") && run.stderr.contains("newton"), "{}", run.stderr);
    let run = folder.run(&["minimize", "HS100LNP", "HS71", "--report", "page.html"]);
    assert!(run.code == 0 && run.stdout.contains("HS100LNP") && run.stderr.is_empty(), "{}", run.stderr);
    let page = folder.read("page.html");
    assert!(page.contains("constraint violation") && page.contains("<svg"), "{}", page.len());
}
