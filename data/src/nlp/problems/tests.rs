use super::*;
use crate::nlp::SparsePattern;

fn dense(pattern: &SparsePattern, values: &[f64], columns: usize) -> Vec<Vec<f64>> {
    let rows = pattern.row_starts.len() - 1;
    let mut dense = vec![vec![0.0; columns]; rows];
    for (i, row) in dense.iter_mut().enumerate() {
        (pattern.row_starts[i]..pattern.row_starts[i + 1])
            .for_each(|e| row[pattern.columns[e] as usize] = values[e]);
    }
    dense
}

fn near(a: f64, b: f64, scale: f64, what: &str) {
    assert!((a - b).abs() <= 2e-5 * (1.0 + scale), "{what}: {a} and {b}");
}

/// All derivatives against central differences, at the start moved a little.
fn check(problem: &dyn NonlinearProblem) {
    let (n, m) = (problem.variables(), problem.constraints());
    let mut x = vec![0.0; n];
    problem.initial_point(&mut x);
    x.iter_mut().enumerate().for_each(|(k, x)| *x += 0.01 * (1.0 + k as f64).sin());
    let lambda: Vec<f64> = (0..m).map(|i| (1.7 * i as f64).cos()).collect();
    let gradient = |x: &[f64]| {
        let mut g = vec![0.0; n];
        problem.gradient(x, &mut g).unwrap();
        g
    };
    let jacobian = |x: &[f64]| {
        let mut values = vec![0.0; problem.jacobian_pattern().nnz()];
        problem.jacobian_values(x, &mut values).unwrap();
        dense(problem.jacobian_pattern(), &values, n)
    };
    let lagrangian_gradient = |x: &[f64]| {
        let mut g: Vec<f64> = gradient(x).iter().map(|g| 0.7 * g).collect();
        jacobian(x)
            .iter()
            .zip(&lambda)
            .for_each(|(row, l)| g.iter_mut().zip(row).for_each(|(g, j)| *g += l * j));
        g
    };
    let pattern = problem.hessian_pattern().unwrap();
    let mut values = vec![0.0; pattern.nnz()];
    problem.hessian_values(&x, 0.7, &lambda, &mut values).unwrap();
    let lower = dense(pattern, &values, n);
    let (g, j) = (gradient(&x), jacobian(&x));
    let mut product = vec![0.0; n];
    for k in 0..n {
        let h = 1e-6 * (1.0 + x[k].abs());
        let shifted = |h: f64| {
            let mut y = x.clone();
            y[k] += h;
            y
        };
        let (above, below) = (shifted(h), shifted(-h));
        let name = problem.name();
        let slope = (problem.objective(&above).unwrap() - problem.objective(&below).unwrap()) / (2.0 * h);
        near(g[k], slope, problem.objective(&x).unwrap().abs() + g[k].abs(), &format!("{name} gradient {k}"));
        let (mut c_above, mut c_below) = (vec![0.0; m], vec![0.0; m]);
        problem.constraint_values(&above, &mut c_above).unwrap();
        problem.constraint_values(&below, &mut c_below).unwrap();
        for i in 0..m {
            let slope = (c_above[i] - c_below[i]) / (2.0 * h);
            near(j[i][k], slope, j[i][k].abs() + c_above[i].abs(), &format!("{name} Jacobian {i} {k}"));
        }
        let (up, down) = (lagrangian_gradient(&above), lagrangian_gradient(&below));
        let mut unit = vec![0.0; n];
        unit[k] = 1.0;
        problem.hessian_product(&x, 0.7, &lambda, &unit, &mut product).unwrap();
        for i in 0..n {
            let bend = (up[i] - down[i]) / (2.0 * h);
            let entry = if i >= k { lower[i][k] } else { lower[k][i] };
            near(entry, bend, entry.abs() + up[i].abs(), &format!("{name} Hessian {i} {k}"));
            near(entry, product[i], entry.abs() * 1e-6, &format!("{name} Hessian product {i} {k}"));
        }
    }
}

#[test]
fn derivatives_of_all_problems_agree_with_differences() {
    for name in names() {
        check(by_name(&name, 0).unwrap().as_ref());
    }
}

#[test]
fn the_registry_has_names_sizes_and_advice() {
    let all = list();
    assert!(all.iter().filter(|p| p.is_equality_only).count() >= 45, "{}", all.len());
    assert!(all.iter().all(|p| p.variables > 0));
    let control = by_name("control:8", 0).unwrap();
    assert_eq!((control.variables(), control.constraints()), (128, 64));
    assert_eq!(by_name("hs71", 0).unwrap().variables(), 4);
    let wrong = |name: &str| by_name(name, 0).err().unwrap().to_string();
    assert!(wrong("HS66x").contains("did you mean HS66?"), "{}", wrong("HS66x"));
    assert!(!wrong("something else").contains("did you mean"));
    assert!(wrong("control:0").contains("expected control:N"));
    assert!(wrong("control:99999999").contains("to 4096"));
    assert!(wrong("logistic:/no/such/file").contains("cannot be read"));
}

#[test]
fn libsvm_files_are_read_or_refused_with_their_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    std::fs::write(&path, "+1 1:0.5 3:-2\n0 2:1 # rest\n\n").unwrap();
    let samples = read_libsvm(&path).unwrap();
    assert_eq!((samples.dimension, &samples.labels[..]), (3, &[1.0, -1.0][..]));
    assert_eq!((&samples.features[..], &samples.row_starts[..]), (&[0, 2, 1][..], &[0, 2, 3][..]));
    for (text, line) in
        [("1 1:2\nx 1:2\n", ":2:"), ("1 2:1 1:1\n", ":1:"), ("1 0:1\n", ":1:"), ("1 1:nan\n", ":1:")]
    {
        std::fs::write(&path, text).unwrap();
        let error = read_libsvm(&path).unwrap_err().to_string();
        assert!(error.contains(line) && error.contains("expected"), "{error}");
    }
    std::fs::write(&path, "1 1:1\n1 2:1\n").unwrap();
    assert!(read_libsvm(&path).unwrap_err().to_string().contains("one label"));
}

/// f(x₀), c(x₀) as computed from the SIF files by an independent translation; skipped where those are not at hand.
#[test]
fn starts_agree_with_sif_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/nlp");
    let mut compared = 0;
    for file in ["equality_only.json", "nonlinear_equations.json"] {
        let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
            eprintln!("skipped: no {file} beside the repository");
            continue;
        };
        for name in names() {
            let Some(at) = text.find(&format!("\"name\": \"{name}\",")) else { continue };
            let numbers = |key: &str| -> Vec<f64> {
                let rest = &text[at + text[at..].find(&format!("\"{key}\": ")).unwrap() + key.len() + 4..];
                let rest = rest.trim_start_matches('[');
                let end = if text[..at].is_empty() { 0 } else { rest.find([']', '"']).unwrap() };
                rest[..end].split(',').filter_map(|w| w.trim().parse().ok()).collect()
            };
            let problem = by_name(&name, 0).unwrap();
            let mut x = vec![0.0; problem.variables()];
            problem.initial_point(&mut x);
            let f0 = numbers("f0")[0];
            let f = problem.objective(&x).unwrap();
            assert!((f - f0).abs() <= 1e-7 * (1.0 + f0.abs()), "{name}: f(x0) = {f}, SIF {f0}");
            let (mut c, c0) = (vec![0.0; problem.constraints()], numbers("c0"));
            problem.constraint_values(&x, &mut c).unwrap();
            let (lower, _) = problem.constraint_bounds();
            c.iter_mut().zip(lower).for_each(|(c, l)| *c -= l);
            assert_eq!(c.len(), c0.len(), "{name}");
            c.iter()
                .zip(&c0)
                .for_each(|(a, b)| assert!((a - b).abs() <= 1e-6 * (1.0 + b.abs()), "{name}: {c:?} {c0:?}"));
            compared += 1;
        }
    }
    if folder.is_dir() {
        assert!(compared >= 30, "{compared}");
    }
}
