//! The whole folder of real matrices, each answer verified here from the files alone.

use crate::support::{Folder, run_in};
use num_complex::Complex64;
use residua_data::matrix_market::{FileScalar, read_csr, read_dense};
use residua_data::{CsrMatrix, Scalar};
use serde_json::Value;
use std::path::Path;

const RTOL: f64 = 1e-8;

/// Square cases that must converge, at least.
const LEAST_SHARE: f64 = 0.95;

/// ‖b − A x‖₂ / ‖b‖₂ of the solution file, with the sibling right-hand side or b = A·1.
fn residual<T: FileScalar + Scalar>(case: &Path, solution: &Path) -> f64 {
    let a: CsrMatrix<T> = read_csr(case).unwrap().matrix;
    let x = read_dense::<T>(solution).unwrap().matrix.into_values();
    let sibling = case.with_file_name(format!("{}_b.mtx", case.file_stem().unwrap().to_str().unwrap()));
    let times = |i: usize, x: &dyn Fn(usize) -> T| {
        let (cols, vals) = a.row(i);
        cols.iter().zip(vals).fold(T::zero(), |s, (&j, &v)| s + v * x(j as usize))
    };
    let b = if sibling.exists() {
        read_dense::<T>(&sibling).unwrap().matrix.into_values()
    } else {
        (0..a.nrows()).map(|i| times(i, &|_| T::one())).collect()
    };
    let norm = |v: &mut dyn Iterator<Item = T>| v.map(|v| v.modulus_f64().powi(2)).sum::<f64>().sqrt();
    let b_norm = norm(&mut b.iter().copied());
    let r_norm = norm(&mut (0..a.nrows()).map(|i| b[i] - times(i, &|j| x[j])));
    if b_norm > 0.0 { r_norm / b_norm } else { r_norm }
}

#[test]
fn the_real_matrices_converge_and_the_files_prove_it() {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let Some(matrices) = above.map(|folder| folder.join("shared/matrices")).find(|m| m.is_dir()) else {
        return println!("skipped: no folder shared/matrices above this crate");
    };
    let out = Folder::new();
    let args = ["solve", ".", "--rtol", "1e-8", "--json", "--out", out.path().to_str().unwrap()];
    let objects: Vec<Value> = run_in(&matrices, &args).objects();
    assert!(objects.len() > 50, "{} cases", objects.len());
    let (mut square, mut converged) = (0, 0);
    for o in &objects {
        let is_square = o["rows"] == o["cols"];
        square += usize::from(is_square);
        if o["status"] != "converged" {
            assert!(o["message"].is_string(), "a failure has a reason: {o}");
            continue;
        }
        converged += usize::from(is_square);
        let case = matrices.join(o["case"].as_str().unwrap());
        let solution = out.path().join(o["solution"].as_str().unwrap());
        let actual = match o["field"].as_str().unwrap() {
            "complex" => residual::<Complex64>(&case, &solution),
            _ => residual::<f64>(&case, &solution),
        };
        assert!(actual <= RTOL * (1.0 + 1e-6), "{actual:e}: {o}");
    }
    assert!(
        converged as f64 >= LEAST_SHARE * square as f64,
        "{converged} of {square} square cases converged"
    );
}

#[test]
fn the_real_sequences_converge_whatever_is_drawn() {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let Some(sequences) = above.map(|folder| folder.join("shared/data/sequences")).find(|s| s.is_dir())
    else {
        return println!("skipped: no folder shared/data/sequences above this crate");
    };
    let mut systems = 0;
    for sequence in std::fs::read_dir(&sequences).unwrap() {
        let path = sequence.unwrap().path();
        for method in ["auto", "cg"] {
            let args = ["sequence", path.to_str().unwrap(), "--method", method, "--json", "--rtol", "1e-8"];
            let run = run_in(&sequences, &args);
            assert_eq!(run.code, 0, "{}: {}", path.display(), run.stderr);
            let objects = run.objects();
            let (_, steps) = objects.split_last().unwrap();
            systems += steps.len();
            assert!(steps.iter().all(|o| o["relative_residual"].as_f64().unwrap() <= 1e-8 * (1.0 + 1e-6)));
        }
    }
    assert!(systems > 20, "{systems} systems");
}
