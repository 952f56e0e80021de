//! What all sequences have in common, and plain dense algebra to check them with.

mod folder;
mod heat;
mod jump_drift;
mod projection;
mod shifts;

use super::*;

/// A as rows.
fn dense(a: &CsrMatrix<f64>) -> Vec<Vec<f64>> {
    (0..a.nrows()).map(|i| (0..a.ncols()).map(|j| a.get(i, j)).collect()).collect()
}

/// Gaussian elimination with partial pivoting.
fn solve(a: &CsrMatrix<f64>, b: &[f64]) -> Vec<f64> {
    let mut rows = dense(a);
    rows.iter_mut().zip(b).for_each(|(row, b)| row.push(*b));
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| rows[i][k].abs().total_cmp(&rows[j][k].abs())).unwrap();
        rows.swap(k, pivot);
        let (top, below) = rows.split_at_mut(k + 1);
        for row in below.iter_mut().filter(|row| row[k] != 0.0) {
            let factor = row[k] / top[k][k];
            (k..=n).for_each(|j| row[j] -= factor * top[k][j]);
        }
    }
    let mut x = vec![0.0; n];
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| rows[i][j] * x[j]).sum();
        x[i] = (rows[i][n] - known) / rows[i][i];
    }
    x
}

/// Symmetric to the last bit, and with a Cholesky factor.
fn is_positive_definite(a: &CsrMatrix<f64>) -> bool {
    let mut l = dense(a);
    for k in 0..l.len() {
        if l[k][k] <= 0.0 || l[k][k].is_nan() {
            return false;
        }
        let (top, below) = l.split_at_mut(k + 1);
        for row in below.iter_mut().filter(|row| row[k] != 0.0) {
            let factor = row[k] / top[k][k];
            (k..row.len()).for_each(|j| row[j] -= factor * top[k][j]);
        }
    }
    a.is_symmetric()
}

fn has_no_positive_coupling(a: &CsrMatrix<f64>) -> bool {
    (0..a.nrows()).all(|i| {
        let (cols, values) = a.row(i);
        cols.iter().zip(values).all(|(&j, &v)| j as usize == i || v <= 0.0)
    })
}

fn all(steps: usize) -> Vec<Box<dyn Sequence>> {
    vec![
        Box::new(HeatEquation::new(6, steps).unwrap()),
        Box::new(ShiftedLaplacian::new(5, steps, Variance::High, 1).unwrap()),
        Box::new(JumpDrift::new(5, steps, 1e4).unwrap()),
        Box::new(MovingObstacleFlow::new(8, steps, 1).unwrap()),
    ]
}

#[test]
fn every_member_is_positive_definite_in_its_bounds_and_in_place() {
    for mut sequence in all(5) {
        assert_eq!(sequence.len_hint(), Some(5));
        assert!(sequence.fixed_pattern());
        let pattern = sequence.matrix().clone();
        let places = (sequence.matrix().values().as_ptr(), sequence.rhs().as_ptr());
        let mut x = Vec::new();
        for step in 1..=5 {
            assert!(sequence.advance(&x).unwrap());
            assert_eq!(sequence.label(), format!("step {step}"));
            assert!(is_positive_definite(sequence.matrix()));
            assert!(has_no_positive_coupling(sequence.matrix()));
            assert!(sequence.matrix().same_pattern(&pattern));
            assert_eq!((sequence.matrix().values().as_ptr(), sequence.rhs().as_ptr()), places);
            assert_eq!(sequence.context().len(), sequence.context_bounds().len());
            let mut features = sequence.context().iter().zip(sequence.context_bounds());
            assert!(features.all(|(value, (low, high))| low <= value && value <= high));
            if step == 3 {
                let sizes = (sequence.rhs().len(), sequence.guess().map_or(pattern.nrows(), <[f64]>::len));
                assert_eq!(sizes, (pattern.nrows(), pattern.nrows()));
            }
            x = solve(sequence.matrix(), sequence.rhs());
        }
        for _ in 0..2 {
            assert!(!sequence.advance(&x).unwrap());
        }
        assert_eq!(sequence.label(), "step 5");
    }
}

#[test]
fn the_same_solutions_give_the_same_systems() {
    for (mut one, mut other) in all(3).into_iter().zip(all(3)) {
        let mut x = Vec::new();
        while one.advance(&x).unwrap() {
            assert!(other.advance(&x).unwrap());
            assert_eq!(one.matrix(), other.matrix());
            assert_eq!(one.rhs(), other.rhs());
            x = solve(one.matrix(), one.rhs());
        }
    }
}

#[test]
fn a_wrong_solution_changes_nothing() {
    for mut sequence in all(3) {
        assert!(sequence.advance(&[]).unwrap());
        let before = (sequence.matrix().clone(), sequence.rhs().to_vec());
        let n = before.1.len();
        let error = sequence.advance(&vec![0.0; n + 1]).unwrap_err();
        assert!(error.to_string().contains(&format!("expected {n}")), "{error}");
        let mut x = vec![0.0; n];
        x[2] = f64::NAN;
        let error = sequence.advance(&x).unwrap_err();
        assert!(error.to_string().contains("entry 2 "), "{error}");
        assert_eq!((sequence.matrix().clone(), sequence.rhs().to_vec()), before);
        assert_eq!(sequence.label(), "step 1");
        assert!(sequence.advance(&[]).unwrap());
    }
}

#[test]
fn no_steps_are_no_systems() {
    for mut sequence in all(0) {
        assert!(!sequence.advance(&[]).unwrap());
    }
}
