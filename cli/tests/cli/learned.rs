//! The learned preconditioner, from training to a solve.

use crate::support::{Folder, tridiagonal};

fn iterations(record: &serde_json::Value) -> u64 {
    assert_eq!(record["status"], "converged", "{record}");
    record["iterations"].as_u64().unwrap()
}

#[test]
fn the_built_in_models_need_few_iterations() {
    let folder = Folder::new();
    for (dim, n, problem, most) in [
        ("2", "96", "obstacles", 11),
        ("2", "96", "walls", 16),
        ("2", "64", "constant", 8),
        ("3", "24", "obstacles", 11),
        ("3", "24", "maze", 18),
    ] {
        let args = ["poisson", "--dim", dim, "--n", n, "--problem", problem, "--seed", "5", "--solver"];
        let run = folder.run(&[&args[..], &["fcg+learned", "--json"]].concat());
        let record = run.object();
        assert!(iterations(&record) <= most, "{record}");
        assert_eq!((&record["method"], &record["precond"]), (&"fcg".into(), &"learned".into()));
        assert!(record["warning"].is_null(), "{record}");
    }
}

/// `auto` decides by the matrix; the learned cycle needs a grid, so it has to be asked for. Neither a problem of thin walls,
/// where it is the fastest, nor grid metadata in a file changes that.
#[test]
fn auto_does_not_choose_it() {
    let folder = Folder::new();
    for problem in ["constant", "obstacles", "walls", "maze"] {
        let args = ["poisson", "--n", "72", "--problem", problem, "--solver", "auto", "--save-matrix", "."];
        let record = folder.run(&[&args[..], &["--json"]].concat()).object();
        assert!(record["status"] == "converged" && record["precond"] != "learned", "{record}");
        let solve = folder.run(&["solve", &format!("{problem}-2d-n72.mtx"), "--json"]).object();
        assert!(solve["status"] == "converged" && solve["precond"] != "learned", "{solve}");
    }
}

/// The analysis of the grid is part of the set-up, and nothing is counted twice.
#[test]
fn its_seconds_are_set_up_and_solve() {
    let folder = Folder::new();
    let args = ["poisson", "--n", "96", "--problem", "walls", "--solver", "fcg+learned", "--json"];
    let record = folder.run(&args).object();
    let seconds = |name: &str| record[name].as_f64().unwrap();
    assert!(seconds("setup_seconds") > 0.0 && seconds("solve_seconds") > 0.0, "{record}");
    let sum = seconds("setup_seconds") + seconds("solve_seconds");
    assert!((seconds("seconds") - sum).abs() <= 1e-9, "{record}");
    assert!(seconds("relative_residual") <= 1e-8, "{record}");
}

#[test]
fn a_trained_model_serves_a_matrix_with_grid_metadata() {
    let folder = Folder::new();
    let train =
        ["train", "--out", "m.onnx", "--n", "16", "--generations", "5", "--cases", "1", "--family", "blobs"];
    let run = folder.run(&[&train[..], &["--json", "--seed", "2"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let trained = run.object();
    assert_eq!((&trained["generations"], &trained["metadata"]["seed"]), (&5.into(), &"2".into()));
    let again =
        folder.run(&[&train[..2], &["n.onnx"], &train[3..], &["--json", "--seed", "2"]].concat()).object();
    assert_eq!(trained["loss_history"], again["loss_history"]);

    let save = ["poisson", "--problem", "obstacles", "--n", "48", "--solver", "cg+ic0", "--save-matrix", "."];
    assert_eq!(folder.run(&save).code, 0);
    let solve = ["solve", "obstacles-2d-n48.mtx", "--precond", "learned", "--json"];
    // Five candidates tried on one small problem make no good model, but one that converges.
    for (model, most) in [(&[][..], 15), (&["--model", "m.onnx"], 25)] {
        let record = folder.run(&[&solve[..], model].concat()).object();
        assert!(
            iterations(&record) <= most && record["relative_residual"].as_f64().unwrap() <= 1e-8,
            "{record}"
        );
    }
    // A model for another dimension, a file that is none, a model that is not asked for.
    let wrong =
        folder.run(&["poisson", "--dim", "3", "--n", "8", "--solver", "fcg+learned", "--model", "m.onnx"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("made for 2D"), "{}", wrong.stderr);
    let wrong = folder.run(&[&solve[..], &["--model", "obstacles-2d-n48.mtx"]].concat());
    assert!(wrong.code == 2 && wrong.stderr.contains("ONNX"), "{}", wrong.stderr);
    let wrong = folder.run(&["poisson", "--n", "8", "--solver", "cg", "--model", "m.onnx"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("fcg+learned"), "{}", wrong.stderr);
}

#[test]
fn without_a_grid_there_is_advice() {
    let folder = Folder::new();
    folder.write("a.mtx", &tridiagonal(9, 3.0));
    let run = folder.run(&["solve", "a.mtx", "--precond", "learned", "--json"]);
    let record = run.object();
    assert_eq!((run.code, &record["status"]), (1, &"invalid_input".into()), "{record}");
    let message = record["message"].as_str().unwrap();
    assert!(
        message.starts_with("a.mtx:1: no grid metadata") && message.contains("residua-grid"),
        "{message}"
    );
}

/// A folder of masks and matrices: trained on, one held out; files that are no geometries are named.
#[test]
fn geometries_of_ones_own_are_trained_on() {
    let folder = Folder::new();
    let save = ["poisson", "--problem", "walls", "--n", "24", "--solver", "cg+ic0", "--save-matrix", "own"];
    assert_eq!(folder.run(&save).code, 0);
    let mut mask = b"\x93NUMPY\x01\x00".to_vec();
    let header = format!("{:<117}\n", "{'descr': '|b1', 'fortran_order': False, 'shape': (20, 30), }");
    mask.extend((header.len() as u16).to_le_bytes());
    mask.extend(header.as_bytes());
    mask.extend((0..600).map(|at| u8::from(at % 30 != 12 || at / 30 < 3)));
    std::fs::write(folder.path().join("own/channel.npy"), &mask).unwrap();
    let train = ["train", "--geometries", "own", "--out", "own.onnx", "--generations", "4", "--json"];
    let run = folder.run(&train);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let trained = run.object();
    assert!(trained["metadata"]["training_matrix"].as_str().unwrap().contains("channel.npy"), "{trained}");
    assert_eq!(trained["held_out"][0]["problem"], "walls-2d-n24.mtx", "{trained}");
    assert!(trained["held_out"][0]["iterations"].as_f64().unwrap() < 20.0, "{trained}");
    folder.write("own/broken.png", "no image");
    let run = folder.run(&train);
    assert!(run.code == 1 && run.stderr.contains("broken.png"), "{}", run.stderr);
}

/// A network is trained, read back, and run by the embedded runtime; where it is too slow the solve goes on without it.
#[test]
fn a_network_is_a_model_too() {
    let folder = Folder::new();
    let train = ["train", "--kind", "dcdm", "--n", "16", "--batches", "3", "--out", "net.onnx", "--json"];
    let trained = folder.run(&train).object();
    assert_eq!((&trained["kind"], &trained["batches"]), (&"dcdm".into(), &3.into()));
    let args =
        ["poisson", "--problem", "obstacles", "--n", "40", "--solver", "fcg+learned", "--model", "net.onnx"];
    let record = folder.run(&[&args[..], &["--json"]].concat()).object();
    assert!(iterations(&record) > 0 && record["warning"].as_str().unwrap().contains("given up"), "{record}");
}
