#![allow(clippy::unwrap_used)]
use super::*;
use crate::constrained::SketchKind;
use proptest::prelude::*;
use rand::SeedableRng;

fn normal(seed: u64, len: usize) -> Vec<f64> {
    let mut values = vec![0.0; len];
    fill_normal(&mut StdRng::seed_from_u64(seed), &mut values);
    values
}

fn dense(nrows: usize, ncols: usize, values: Vec<f64>) -> SparseRows {
    let starts = (0..=nrows).map(|i| i * ncols).collect();
    let columns = (0..nrows).flat_map(|_| 0..ncols as u32).collect();
    SparseRows::new(starts, columns, values, ncols).unwrap()
}

/// A tall Gaussian matrix (well conditioned), a solution, and its right-hand side.
fn system(seed: u64, nrows: usize, ncols: usize) -> (SparseRows, Vec<f64>, Vec<f64>) {
    let a = dense(nrows, ncols, normal(seed, nrows * ncols));
    let z = normal(seed + 1, ncols);
    let b = (0..nrows).map(|i| a.row_dot(i, &z)).collect();
    (a, z, b)
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

const STOP: SketchStop = SketchStop { target: 1e-10, max_sketches: 200_000, max_flops: f64::INFINITY };

#[test]
fn every_kind_solves_a_consistent_random_system() {
    let (a, expected, b) = system(5, 120, 40);
    for &kind in SketchKind::ALL {
        let mut sketch = SketchProject::new(kind, 1);
        sketch.prepare(a.clone());
        let mut z = vec![0.0; 40];
        let report = sketch.solve(&b, &mut z, &STOP).unwrap();
        assert!(report.converged && report.relative_residual <= 1e-10, "{kind}: {report:?}");
        assert!(report.sketches > 0 && report.flops > 0.0);
        assert!(distance(&z, &expected) < 1e-8, "{kind}: {}", distance(&z, &expected));
        let unchanged = sketch.solve(&b, &mut z, &STOP).unwrap();
        assert_eq!(unchanged.sketches, 0);
    }
}

/// Orthonormal rows: a row that has been drawn is solved for good, so E‖e‖² = (1 − 1/N)^k ‖e₀‖² exactly.
#[test]
fn kaczmarz_on_orthogonal_rows_has_its_rate() {
    let n = 40;
    let values = (0..n).map(|i| if i % 3 == 0 { -2.0 } else { 5.0 }).collect();
    let a = SparseRows::new((0..=n).collect(), (0..n as u32).rev().collect(), values, n).unwrap();
    let expected = vec![1.0; n];
    let b: Vec<f64> = (0..n).map(|i| a.row_dot(i, &expected)).collect();
    let (steps, runs) = (60, 400);
    let stop = SketchStop { target: 0.0, max_sketches: steps, max_flops: f64::INFINITY };
    let mut mean = 0.0;
    for seed in 0..runs {
        let mut sketch = SketchProject::new(SketchKind::Kaczmarz, seed);
        sketch.prepare(a.clone());
        let mut z = vec![0.0; n];
        // Nothing can stop it early: the judgement of the rate needs a target above 0.
        let mut done = 0;
        while done < steps {
            let left = SketchStop { max_sketches: (steps - done).min(8), ..stop };
            done += sketch.solve(&b, &mut z, &left).unwrap().sketches;
        }
        mean += distance(&z, &expected).powi(2) / n as f64 / runs as f64;
    }
    let rate = (1.0 - 1.0 / n as f64).powi(steps as i32);
    assert!((mean / rate - 1.0).abs() < 0.05, "{mean} for {rate}");
}

#[test]
fn one_gaussian_sketch_is_the_projection_onto_its_equation() {
    let (a, expected, b) = system(9, 30, 30);
    let mut sketch = SketchProject::new(SketchKind::Gaussian, 4);
    sketch.prepare(a);
    let mut z = vec![0.0; 30];
    let mut before = distance(&z, &expected);
    for _ in 0..50 {
        let one = SketchStop { max_sketches: 1, ..STOP };
        assert_eq!(sketch.solve(&b, &mut z, &one).unwrap().sketches, 1);
        let after = distance(&z, &expected);
        assert!(after <= before * (1.0 + 1e-12), "{after} after {before}");
        before = after;
    }
}

#[test]
fn same_seed_same_bits_and_another_seed_others() {
    let (a, _, b) = system(2, 60, 50);
    for &kind in SketchKind::ALL {
        let run = |seed| {
            let mut sketch = SketchProject::new(kind, seed);
            sketch.prepare(a.clone());
            let mut z = vec![0.0; 50];
            sketch.solve(&b, &mut z, &SketchStop { max_sketches: 5, ..STOP }).unwrap();
            z.iter().map(|v| v.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7), "{kind}");
        assert_ne!(run(7), run(8), "{kind}");
    }
}

#[test]
fn dependent_and_empty_rows_are_left_out() {
    // Rows 1 and 2 are multiples, row 3 is empty, row 4 has the same solutions.
    let a = dense(5, 3, vec![1., 2., 0., 2., 4., 0., 0., 0., 0., 0., 0., 3., 1., 2., 3.]);
    let b = [5.0, 10.0, 0.0, 9.0, 14.0];
    for &kind in SketchKind::ALL {
        let mut sketch = SketchProject::new(kind, 3);
        sketch.prepare(a.clone());
        let mut z = vec![0.0; 3];
        let report = sketch.solve(&b, &mut z, &STOP).unwrap();
        assert!(report.converged, "{kind}: {report:?}");
        // The solution nearest to the start.
        assert!(distance(&z, &[1.0, 2.0, 3.0]) < 1e-8, "{kind}: {z:?}");
    }
}

#[test]
fn what_cannot_be_solved_is_given_up() {
    // z₀ = 1 and z₀ = 2.
    let a = dense(2, 1, vec![1.0, 1.0]);
    for &kind in SketchKind::ALL {
        let mut sketch = SketchProject::new(kind, 0);
        sketch.prepare(a.clone());
        let report = sketch.solve(&[1.0, 2.0], &mut [0.0], &STOP).unwrap();
        assert!(!report.converged && report.sketches < STOP.max_sketches, "{kind}: {report:?}");
        let nan = sketch.solve(&[f64::NAN, 2.0], &mut [0.0], &STOP).unwrap();
        assert!(!nan.converged && nan.sketches == 0);
    }
}

#[test]
fn wrong_lengths_and_patterns_are_errors() {
    let mut sketch = SketchProject::new(SketchKind::Block, 0);
    sketch.prepare(dense(2, 1, vec![1.0, 1.0]));
    assert!(sketch.solve(&[1.0], &mut [0.0], &STOP).is_err());
    assert!(sketch.solve(&[1.0, 1.0], &mut [0.0; 2], &STOP).is_err());
    assert!(SparseRows::new(vec![0, 2], vec![0], vec![1.0], 1).is_err());
    assert!(SparseRows::new(vec![0, 1], vec![3], vec![1.0], 1).is_err());
    assert!(SparseRows::new(vec![1, 0], vec![0], vec![1.0], 1).is_err());
    assert!(SparseRows::new(vec![], vec![], vec![], 1).is_err());
    sketch.prepare(SparseRows::new(vec![0], vec![], vec![], 0).unwrap());
    assert!(sketch.solve(&[], &mut [], &STOP).unwrap().converged);
}

proptest! {
    #[test]
    fn the_factor_of_a_gram_matrix_solves_it(seed in 0u64..1000, k in 1usize..9) {
        let v = normal(seed, k * (k + 2));
        let row = |p: usize| &v[p * (k + 2)..(p + 1) * (k + 2)];
        let mut g: Vec<f64> = (0..k * k)
            .map(|t| row(t / k).iter().zip(row(t % k)).map(|(a, b)| a * b).sum())
            .collect();
        let full = g.clone();
        let expected = normal(seed + 7, k);
        let mut y: Vec<f64> = (0..k).map(|i| (0..k).map(|j| full[i * k + j] * expected[j]).sum()).collect();
        gram::factorize(&mut g, k);
        gram::solve(&g, k, &mut y);
        prop_assert!(distance(&y, &expected) < 1e-6 * (1.0 + distance(&expected, &vec![0.0; k])), "{:?}", y);
    }
}

/// A as CSR.
fn csr(a: &SparseRows) -> crate::CsrMatrix<f64> {
    let mut coo = residua_data::CooBuilder::new(a.nrows(), a.ncols()).unwrap();
    for i in 0..a.nrows() {
        a.row(i).0.iter().zip(a.row(i).1).for_each(|(&j, &v)| coo.push(i, j as usize, v).unwrap());
    }
    coo.build().unwrap()
}

/// A tall matrix whose columns span 8 orders of magnitude, mixed by one reflection so that no scaling of columns helps.
fn ill_conditioned(nrows: usize, ncols: usize) -> SparseRows {
    let mut values = normal(7, nrows * ncols);
    for row in values.chunks_mut(ncols) {
        row.iter_mut().enumerate().for_each(|(j, v)| *v *= 10f64.powf(-8.0 * j as f64 / ncols as f64));
        let mean = 2.0 * row.iter().sum::<f64>() / ncols as f64;
        row.iter_mut().for_each(|v| *v -= mean);
    }
    dense(nrows, ncols, values)
}

#[test]
fn a_sketch_makes_least_squares_independent_of_the_condition() {
    use crate::krylov::Lsmr;
    use crate::{LinearSystem, Solver, StopRule, TransposeOperator};
    let a = csr(&ill_conditioned(600, 30));
    let b = normal(8, 600);
    let system = LinearSystem::new(&a, &b).unwrap();
    let stop = StopRule::rtol(1e-14).with_max_iters(200);
    let mut x = vec![0.0; 30];
    let outcome = SketchLeastSquares::new(1)
        .with_optimality_tolerance(1e-12)
        .solve(&system, &mut x, &stop, &mut ())
        .unwrap();
    assert!(outcome.iterations <= 60, "{outcome:?}");
    let gradient = |x: &[f64]| {
        let (mut r, mut g) = (vec![0.0; 600], vec![0.0; 30]);
        crate::LinearOperator::residual(&a, &b, x, &mut r);
        a.apply_adjoint(&r, &mut g);
        g.iter().map(|v| v * v).sum::<f64>().sqrt() / r.iter().map(|v| v * v).sum::<f64>().sqrt()
    };
    assert!(gradient(&x) < 1e-9, "{:.1e}", gradient(&x));
    let mut plain = vec![0.0; 30];
    let _ = Lsmr::new().solve(&system, &mut plain, &stop, &mut ()).unwrap();
    let misfit = |x: &[f64]| {
        let mut r = vec![0.0; 600];
        crate::LinearOperator::residual(&a, &b, x, &mut r);
        r.iter().map(|v| v * v).sum::<f64>().sqrt()
    };
    assert!(misfit(&x) < misfit(&plain) * (1.0 - 1e-6), "{} {}", misfit(&x), misfit(&plain));
}

#[test]
fn rank_deficient_and_consistent_least_squares() {
    use crate::{LinearSystem, Solver, StopRule};
    let (mut a, _, _) = system(11, 300, 20);
    for i in 0..300 {
        a.values[20 * i + 19] = a.values[20 * i] - a.values[20 * i + 1];
    }
    let z = normal(12, 20);
    let b: Vec<f64> = (0..300).map(|i| a.row_dot(i, &z)).collect();
    let a = csr(&a);
    let system = LinearSystem::new(&a, &b).unwrap();
    let mut x = vec![0.0; 20];
    let stop = StopRule::rtol(1e-10).with_max_iters(100);
    let outcome = SketchLeastSquares::new(3).solve(&system, &mut x, &stop, &mut ()).unwrap();
    assert!(outcome.converged() && outcome.relative_residual <= 1e-10, "{outcome:?}");
    let wide = csr(&dense(2, 3, vec![1.0; 6]));
    let rhs = [1.0, 1.0];
    let system = LinearSystem::new(&wide, &rhs).unwrap();
    assert!(SketchLeastSquares::new(3).solve(&system, &mut [0.0; 3], &stop, &mut ()).is_err());
}

#[test]
fn sketch_and_project_is_a_solver() {
    use crate::{LinearSystem, Solver, StopRule};
    let (a, expected, b) = system(5, 120, 40);
    let a = csr(&a);
    let system = LinearSystem::new(&a, &b).unwrap();
    for &kind in SketchKind::ALL {
        let mut x = vec![0.0; 40];
        let stop = StopRule::rtol(1e-8).with_max_iters(100_000);
        let outcome = SketchSolver::new(kind, 2).solve(&system, &mut x, &stop, &mut ()).unwrap();
        assert!(outcome.converged() && distance(&x, &expected) < 1e-6, "{kind} {outcome:?}");
    }
}
