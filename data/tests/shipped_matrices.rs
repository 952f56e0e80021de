//! The matrices in `data/matrices`, on which the README's first command runs. All are made here; after a
//! change, `cargo test -p residua-data --test shipped_matrices -- --ignored regenerate` writes them anew.
#![allow(clippy::unwrap_used)]

use nalgebra::{DMatrix, DVector};
use num_complex::Complex;
use residua_data::CsrMatrix;
use residua_data::matrix_market::{
    self, AnyMatrix, DenseColumns, Field, FileScalar, Symmetry, WriteOptions, write_csr_to, write_dense_to,
};
use residua_data::poisson::{PoissonKind, PoissonProblem, uniform_rhs};
use residua_data::zoo;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// File name to content.
type Files = BTreeMap<String, Vec<u8>>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("matrices")
}

/// Adds `name.mtx`, and `name_b.mtx` if there is a right-hand side.
fn add<T: FileScalar>(
    files: &mut Files,
    name: &str,
    comment: String,
    matrix: &CsrMatrix<T>,
    rhs: Option<Vec<T>>,
    (symmetry, field): (Symmetry, Option<Field>),
) {
    let options = WriteOptions { symmetry: Some(symmetry), field, comments: vec![comment.clone()] };
    let mut text = Vec::new();
    write_csr_to(name, &mut text, matrix, &options).unwrap();
    files.insert(format!("{name}.mtx"), text);
    if let Some(b) = rhs {
        let mut text = Vec::new();
        let comments = [format!("right-hand side of {name}: {comment}")];
        write_dense_to(name, &mut text, &DenseColumns::from_column(b), &comments).unwrap();
        files.insert(format!("{name}_b.mtx"), text);
    }
}

/// A tree of `n` nodes as ones on the diagonal and at (child, parent): unit lower triangular.
fn tree(n: usize) -> CsrMatrix {
    let mut coo = residua_data::CooBuilder::new(n, n).unwrap();
    let draws = uniform_rhs(n, 3);
    for (i, u) in draws.iter().enumerate() {
        coo.push(i, i, 1.0).unwrap();
        if i > 0 {
            coo.push(i, (((u + 1.0) / 2.0) * i as f64) as usize, 1.0).unwrap();
        }
    }
    coo.build().unwrap()
}

fn generate() -> Files {
    let mut files = Files::new();
    let symmetric = (Symmetry::Symmetric, None);
    let integer = (Symmetry::Symmetric, Some(Field::Integer));
    let general = (Symmetry::General, None);
    for (name, kind, dim, n, with_rhs, header) in [
        ("poisson2d", PoissonKind::Constant, 2, 32, false, integer),
        ("neumann2d", PoissonKind::Neumann, 2, 14, true, integer),
        ("obstacles2d", PoissonKind::Obstacles, 2, 30, true, symmetric),
        ("jump3d", PoissonKind::Jump, 3, 8, true, symmetric),
        ("convection2d", PoissonKind::Convection, 2, 20, true, general),
    ] {
        let system = PoissonProblem::new(kind, dim, n).build().unwrap();
        let rhs = with_rhs.then(|| system.rhs.clone());
        add(&mut files, name, system.description(), &system.matrix, rhs, header);
    }
    let [helmholtz, saddle, wathen] =
        ["helmholtz", "kkt-saddle", "wathen"].map(|name| zoo::by_name(name).unwrap());
    let indefinite = "shifted 5-point Laplacian 12 x 12, symmetric indefinite".to_owned();
    add(&mut files, "helmholtz2d", indefinite, &helmholtz.matrix, None, symmetric);
    let kkt = "saddle point [H B'; B 0], 40 + 15 unknowns, symmetric indefinite".to_owned();
    add(&mut files, "saddle", kkt, &saddle.matrix, Some(saddle.rhs), symmetric);
    let mass = "Wathen's finite-element mass matrix, 6 x 5 elements, random densities".to_owned();
    add(&mut files, "wathen", mass, &wathen.matrix, None, symmetric);
    let tree_comment = "a random tree: unit lower triangular, only the pattern is stored".to_owned();
    add(&mut files, "tree", tree_comment, &tree(150), None, (Symmetry::General, Some(Field::Pattern)));
    for system in zoo::all_complex() {
        let (name, symmetry) = match system.name {
            "complex-hermitian" => ("hermitian", Symmetry::Hermitian),
            "complex-general" => ("complex", Symmetry::General),
            _ => continue,
        };
        let comment = format!("band matrix, {}", system.name.replace('-', " "));
        add(&mut files, name, comment, &system.matrix, Some(system.rhs), (symmetry, None));
    }
    files
}

#[test]
fn shipped_files_are_what_the_generator_makes() {
    let expected = generate();
    let mut found: Vec<_> =
        std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, expected.keys().cloned().collect::<Vec<_>>());
    for (name, text) in &expected {
        assert!(text.len() < 60_000, "{name} has {} bytes", text.len());
        let shipped = std::fs::read(folder().join(name)).unwrap();
        assert!(shipped == *text, "{name} differs from what the generator makes: run the ignored test");
    }
}

#[test]
#[ignore = "writes data/matrices; run it after a change of the generator"]
fn regenerate() {
    for (name, text) in generate() {
        std::fs::write(folder().join(name), text).unwrap();
    }
}

/// ‖b − A x‖ / ‖b‖ of the dense least-squares solution, in complex arithmetic.
fn attainable_residual(a: &DMatrix<Complex<f64>>, b: &DVector<Complex<f64>>) -> f64 {
    let x = a.clone().svd(true, true).solve(b, 1e-11).unwrap();
    (b - a * x).norm() / b.norm()
}

#[test]
fn every_shipped_system_has_a_solution_within_the_default_tolerance() {
    let mut systems = 0;
    for name in generate().keys().filter(|name| !name.ends_with("_b.mtx")) {
        let path = folder().join(name);
        let rhs_path = folder().join(name.replace(".mtx", "_b.mtx"));
        let matrix = match matrix_market::read(&path).unwrap().matrix {
            AnyMatrix::Real(a) => a.map(|&v| Complex::new(v, 0.0)),
            AnyMatrix::Complex(a) => a,
        };
        let n = matrix.nrows();
        let b = if rhs_path.exists() {
            matrix_market::read_dense::<Complex<f64>>(&rhs_path).unwrap().matrix.into_values()
        } else {
            let mut b = vec![Complex::ZERO; n];
            matrix.multiply(&vec![Complex::new(1.0, 0.0); n], &mut b);
            b
        };
        if n <= 200 {
            let dense = DMatrix::from_fn(n, matrix.ncols(), |i, j| matrix.get(i, j));
            let residual = attainable_residual(&dense, &DVector::from_vec(b));
            assert!(residual < 1e-10, "{name}: {residual:e}");
        } else {
            // The larger ones are irreducibly dominant with a positive diagonal: nonsingular.
            let dominance = matrix.diagonal_dominance();
            assert!(dominance.is_weak() && dominance.strict_rows > 0, "{name}");
        }
        systems += 1;
    }
    assert_eq!(systems, 11);
}
