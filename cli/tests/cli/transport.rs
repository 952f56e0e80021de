//! `residua transport`.

use crate::support::{Folder, Run};
use serde_json::Value;

/// Costs |i − j|² between 3 sources and 4 targets on a line.
const COST: &str = "0,1,4,9\n1,0,1,4\n4,1,0,1\n";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("C.csv", COST).write("a.csv", "0.5\n0.25\n0.25\n").write("b.csv", "0.25,0.25,0.25,0.25\n");
    folder.write("x.csv", "x,y\n0,0\n1,0\n0,2\n").write("y.csv", "0 0.5\n1 1\n2 2\n3 0\n");
    folder.write("line.csv", "0\n1\n2\n").write("line4.csv", "0\n1\n2\n3\n");
    folder.write("A.csv", "0,0,0,0\n0,9,1,0\n0,2,0,0\n").write("B.csv", "0,0,1\n0,0,7\n0,2,0\n");
    folder
}

fn transport(folder: &Folder, args: &str) -> Run {
    let words: Vec<&str> = std::iter::once("transport").chain(args.split_whitespace()).collect();
    folder.run(&words)
}

/// The result of a run that converged.
fn converged(folder: &Folder, args: &str) -> Value {
    let run = transport(folder, &format!("{args} --json"));
    let object = run.object();
    assert_eq!((run.code, &object["status"]), (0, &"converged".into()), "{args}: {object}\n{}", run.stderr);
    assert!(object["marginal_error"].as_f64().unwrap() <= 1e-8, "{object}");
    object
}

#[test]
fn a_stored_cost_has_every_field_of_the_contract() {
    let folder = folder();
    let o = converged(&folder, "--source a.csv --target b.csv --cost C.csv --relative-epsilon 1e-3");
    for name in [
        "rows",
        "cols",
        "epsilon",
        "method",
        "status",
        "transport_cost",
        "regularised_cost",
        "dual_objective",
        "marginal_error",
        "sinkhorn_iterations",
        "newton_iterations",
        "hessian_density",
        "seconds",
        "peak_memory_bytes",
    ] {
        assert!(!o[name].is_null(), "{name}: {o}");
    }
    assert_eq!((o["rows"].as_u64(), o["cols"].as_u64()), (Some(3), Some(4)));
    assert!((o["epsilon"].as_f64().unwrap() - 9e-3).abs() < 1e-15);
    // Mass 1/4 stays, and three quarters move by one place.
    assert!((o["transport_cost"].as_f64().unwrap() - 0.75).abs() < 1e-6, "{o}");
    assert!(o["lp_bound"].as_f64().unwrap() <= 0.75 + 1e-12, "{o}");
    let gap = o["regularised_cost"].as_f64().unwrap() - o["dual_objective"].as_f64().unwrap();
    assert!(gap.abs() < 1e-7, "{o}");
}

#[test]
fn every_method_and_every_kind_of_points_agree() {
    let folder = folder();
    let stored = converged(&folder, "--source a.csv --target b.csv --cost C.csv --epsilon 0.5");
    for method in ["auto", "sinkhorn", "sns"] {
        let o = converged(
            &folder,
            &format!(
                "--source a.csv --target b.csv --source-points line.csv --target-points line4.csv \
                 --ground sqeuclidean --epsilon 0.5 --method {method}"
            ),
        );
        assert_eq!(o["method"], method);
        let (p, q) = (o["transport_cost"].as_f64().unwrap(), stored["transport_cost"].as_f64().unwrap());
        assert!((p - q).abs() < 1e-7, "{method}: {p} {q}");
    }
    for ground in ["l1", "l2", "sqeuclidean"] {
        let o = converged(&folder, &format!("--source-points x.csv --target-points y.csv --ground {ground}"));
        assert_eq!(
            (&o["ground"], o["rows"].as_u64(), o["cols"].as_u64()),
            (&ground.into(), Some(3), Some(4))
        );
    }
}

/// Of the files alone: potentials and plan have the marginals that are told.
#[test]
fn files_hold_what_is_told() {
    let folder = folder();
    let args = "--source a.csv --target b.csv --cost C.csv --epsilon 0.2 --out-plan out/p.mtx --out-potentials fg.npz";
    let o = converged(&folder, args);
    let read = |name: &str| residua_data::arrays::read(folder.join(name)).unwrap().values;
    let (f, g, epsilon) = (read("fg.npz:f"), read("fg.npz:g"), read("fg.npz:epsilon")[0]);
    let (a, b, c) = (read("a.csv"), read("b.csv"), read("C.csv"));
    let dense: Vec<f64> = (0..12).map(|k| ((f[k / 4] + g[k % 4] - c[k]) / epsilon).exp()).collect();
    let error = |p: &[f64]| {
        let row = |i: usize| (p[4 * i..4 * i + 4].iter().sum::<f64>() - a[i]).abs();
        let col = |j: usize| ((0..3).map(|i| p[4 * i + j]).sum::<f64>() - b[j]).abs();
        (0..3).map(row).sum::<f64>() + (0..4).map(col).sum::<f64>()
    };
    assert!((error(&dense) - o["marginal_error"].as_f64().unwrap()).abs() < 1e-12, "{o}");
    let plan = read("out/p.mtx");
    assert!(plan.iter().zip(&dense).all(|(p, q)| (p - q).abs() <= 1e-8), "{plan:?} {dense:?}");
    let o = converged(&folder, &format!("{args} --round"));
    assert!(error(&read("out/p.mtx")) < 1e-15, "{o}");
    assert!(o["rounded_cost"].as_f64().unwrap() >= o["lp_bound"].as_f64().unwrap() - 1e-12, "{o}");
    let o = converged(&folder, &format!("{args} --plan-threshold 0.1"));
    assert!(o["plan_nnz"].as_u64().unwrap() < 12 && o["plan_dropped_mass"].as_f64().unwrap() > 0.0, "{o}");
}

#[test]
fn images_may_be_black_in_places_and_differ_in_size() {
    let folder = folder();
    let o = converged(&folder, "--images A.csv B.csv --ground l1 --report page.html --out-potentials fg.npz");
    assert_eq!((o["rows"].as_u64(), o["cols"].as_u64()), (Some(12), Some(9)));
    let page = folder.read("page.html");
    assert!(page.contains("<svg") && page.contains("marker-end") && page.contains("Convergence"));
    let g = residua_data::arrays::read(folder.join("fg.npz:g")).unwrap();
    assert!(g.values.len() == 9 && g.values.iter().all(|v| v.is_finite()));
    for (kind, mark) in [
        ("--source-points x.csv --target-points y.csv", "<circle"),
        ("--source a.csv --target b.csv --cost C.csv", "<rect"),
    ] {
        converged(&folder, &format!("{kind} --report page.html"));
        assert!(folder.read("page.html").contains(mark), "{kind}");
    }
}

/// A real picture through the decoder.
#[test]
fn png_images_are_read() {
    let folder = folder();
    let write = |name: &str, pixels: &[u8]| {
        let file = std::fs::File::create(folder.join(name)).unwrap();
        let mut encoder = png::Encoder::new(file, 3, 2);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    };
    write("A.png", &[0, 200, 0, 0, 0, 0]);
    write("B.png", &[0, 0, 0, 100, 0, 0]);
    let o = converged(&folder, "--images A.png B.png --ground sqeuclidean");
    assert!((o["transport_cost"].as_f64().unwrap() - 2.0).abs() < 1e-8, "{o}");
}

#[test]
fn what_cannot_be_used_is_named_with_its_place() {
    let folder = folder();
    folder.write("nan.csv", "0.5\nnan\n0.5\n").write("minus.csv", "0.5\n-0.25\n0.75\n");
    folder.write("two.csv", "0.5\n0.5\n").write("heavy.csv", "1\n1\n1\n").write("zero.csv", "0\n0\n0\n");
    folder.write("C_nan.csv", "0,1,4,9\n1,0,nan,4\n4,1,0,1\n").write("ragged.csv", "1,2\n3\n");
    folder.write("empty.csv", "").write("flat.csv", "1,2\n3,4\n").write("black.csv", "0,0\n0,0\n");
    folder.write("x3.csv", "0,0,0\n1,1,1\n").write("x_nan.csv", "0,0\n1,nan\n2,2\n");
    folder.write("none.csv", "inf,inf\ninf,inf\n");
    let weights = |a: &str| format!("--source {a} --target b.csv --cost C.csv");
    for (args, part) in [
        (weights("nan.csv"), "error: nan.csv:2: the weight is NaN: expected"),
        (weights("minus.csv"), "error: minus.csv:2: the weight is -0.25: expected"),
        (weights("two.csv"), "error: two.csv: there are 2 weights: expected 3"),
        (weights("heavy.csv"), "error: b.csv: the weights sum to 1: expected the sum of heavy.csv, 3"),
        (weights("zero.csv"), "error: zero.csv: the sum is 0"),
        (weights("empty.csv"), "error: empty.csv: there are no numbers"),
        (weights("flat.csv"), "error: flat.csv: the weights are a 2 x 2 matrix"),
        (weights("absent.csv"), "error: absent.csv: cannot open"),
        (
            "--source a.csv --target b.csv --cost C_nan.csv".into(),
            "error: C_nan.csv:2: value 3: the cost is NaN",
        ),
        (
            "--source a.csv --target b.csv --cost ragged.csv".into(),
            "error: ragged.csv:2: the line has 1 values",
        ),
        ("--source two.csv --target two.csv --cost none.csv".into(), "error: none.csv: every pair"),
        (
            "--source-points x.csv --target-points x3.csv".into(),
            "error: x3.csv: the points have 3 coordinates",
        ),
        (
            "--source-points x.csv --target-points x_nan.csv".into(),
            "error: x_nan.csv:2: value 2: the coordinate",
        ),
        ("--images A.csv black.csv".into(), "error: black.csv: the sum is 0"),
        (format!("{} --epsilon 1e-300", weights("a.csv")), "too small"),
    ] {
        let run = transport(&folder, &format!("{args} --json"));
        assert!(run.code == 1 && run.stderr.contains(part), "{args}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        let object = run.object();
        assert_eq!(object["status"], "invalid_input");
        assert!(!object["message"].as_str().unwrap().is_empty());
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let folder = folder();
    for args in [
        "",
        "--cost C.csv",
        "--cost C.csv --source a.csv",
        "--source a.csv --target b.csv",
        "--source-points x.csv",
        "--images A.csv",
        "--images A.csv B.csv --source a.csv",
        "--source a.csv --target b.csv --cost C.csv --ground l1",
        "--source a.csv --target b.csv --cost C.csv --source-points x.csv --target-points y.csv",
        "--images A.csv B.csv --epsilon 0",
        "--images A.csv B.csv --epsilon -1",
        "--images A.csv B.csv --epsilon nan",
        "--images A.csv B.csv --relative-epsilon 0",
        "--images A.csv B.csv --epsilon 1 --relative-epsilon 1",
        "--images A.csv B.csv --tol 0",
        "--images A.csv B.csv --ground l3",
        "--images A.csv B.csv --method exact",
        "--images A.csv B.csv --plan-threshold -1",
        "--images A.csv B.csv --time-limit -1",
    ] {
        let run = transport(&folder, args);
        assert!(run.code == 2 && run.stdout.is_empty() && !run.stderr.is_empty(), "{args}: {}", run.stderr);
    }
    let help = transport(&folder, "--help");
    assert!(help.code == 0 && help.stdout.contains("residua transport --images A.png B.png"));
}

#[test]
fn limits_and_forbidden_pairs_have_their_status() {
    let folder = folder();
    folder
        .write("half.csv", "0.5\n0.5\n")
        .write("tri.csv", "0,inf\n1,0\n")
        .write("bad.csv", "0,inf\n1,inf\n");
    folder.write("skew.csv", "0.75\n0.25\n");
    let o = converged(&folder, "--source half.csv --target half.csv --cost tri.csv");
    assert!(o["transport_cost"].as_f64().unwrap() < 1e-8, "{o}");
    for cost in ["bad.csv", "tri.csv"] {
        let args = format!("--source skew.csv --target half.csv --cost {cost} --out-plan p.mtx --json");
        let run = transport(&folder, &args);
        assert_eq!((run.code, &run.object()["status"]), (1, &"infeasible".into()), "{cost}: {}", run.stdout);
        assert!(run.stderr.contains("p.mtx: not written") && !folder.join("p.mtx").exists());
    }
    let few =
        "--source a.csv --target b.csv --cost C.csv --method sinkhorn --epsilon 0.01 --max-iters 2 --json";
    let run = transport(&folder, few);
    let object = run.object();
    assert_eq!((run.code, &object["status"]), (1, &"max_iterations".into()));
    assert!(object["message"].is_string() && object["marginal_error"].is_f64());
}

#[test]
fn odd_sizes_have_the_right_answer() {
    let folder = folder();
    folder.write("one.csv", "3\n").write("c1.csv", "2,2,2\n").write("three.csv", "1\n1\n1\n");
    folder.write("p.csv", "1,2,3\n").write("same.csv", "1,2,3\n1,2,3\n").write("w0.csv", "0\n1\n0\n");
    folder.write("const.csv", "5,5,5,5\n5,5,5,5\n5,5,5,5\n").write("null.csv", "0,0,0,0\n0,0,0,0\n0,0,0,0\n");
    let cost = |args: &str| converged(&folder, args)["transport_cost"].as_f64().unwrap();
    assert!((cost("--source one.csv --target three.csv --cost c1.csv") - 6.0).abs() < 1e-8);
    assert!((cost("--source-points p.csv --target-points same.csv --ground l1")).abs() < 1e-8);
    assert!((cost("--source a.csv --target b.csv --cost const.csv") - 5.0).abs() < 1e-7);
    assert!((cost("--source a.csv --target b.csv --cost null.csv")).abs() < 1e-8);
    assert!((cost("--source w0.csv --target b.csv --cost C.csv") - 1.5).abs() < 1e-7);
    let tiny = cost("--source a.csv --target b.csv --cost C.csv --relative-epsilon 1e-6");
    assert!((tiny - 0.75).abs() < 1e-7, "{tiny}");
}

#[test]
fn threads_do_not_change_a_bit() {
    let folder = folder();
    let cloud = |shift: f64| {
        let point = |k: usize| (k as f64 * 0.618_034).fract();
        (0..150).map(|k| format!("{} {}\n", point(k) + shift, point(7 * k + 3))).collect::<String>()
    };
    folder.write("p.txt", &cloud(0.0)).write("q.txt", &cloud(0.3));
    let run = |threads: u8| {
        let args = format!(
            "--source-points p.txt --target-points q.txt --threads {threads} --out-potentials {threads}.npz"
        );
        let mut object = converged(&folder, &args);
        let fields = object.as_object_mut().unwrap();
        fields
            .retain(|name, _| !name.ends_with("seconds") && name != "peak_memory_bytes" && name != "threads");
        (object, std::fs::read(folder.join(&format!("{threads}.npz"))).unwrap())
    };
    assert!(run(1) == run(2), "{}\n{}", run(1).0, run(2).0);
}
