//! Matrices that come up and break multigrid: boundary rows left in, islands, singular and negative ones, dense rows.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::{Cg, LinearSystem, Solver, StopRule, kernels};
use residua_data::poisson::{PoissonKind, PoissonProblem, uniform_rhs};
use residua_data::{CooBuilder, CsrMatrix};

/// The default and both coarsenings.
fn every_coarsening() -> [AmgOptions; 3] {
    let classical = ClassicalOptions { aggressive_levels: 0, ..ClassicalOptions::default() };
    [
        Coarsening::Auto,
        Coarsening::SmoothedAggregation(AggregationOptions::default()),
        Coarsening::Classical(classical),
    ]
    .map(|coarsening| AmgOptions { coarsening, coarse_size: 50, ..AmgOptions::default() })
}

/// Iterations of CG to 1e-8; the true residual is checked.
fn iterations(a: &CsrMatrix<f64>, b: &[f64], options: &AmgOptions) -> usize {
    let m = Amg::with_options(a, options).unwrap();
    let mut x = vec![0.0; b.len()];
    let system = LinearSystem::new(a, b).unwrap();
    let stop = StopRule::rtol(1e-8).with_max_iters(100);
    let outcome = Cg::new(m).solve(&system, &mut x, &stop, &mut ()).unwrap();
    assert!(outcome.converged(), "{outcome:?}");
    let mut r = vec![0.0; b.len()];
    crate::LinearOperator::residual(a, b, &x, &mut r);
    assert!(kernels::norm2(&r) <= 2e-8 * kernels::norm2(b));
    outcome.iterations
}

fn laplacian(n: usize) -> CsrMatrix<f64> {
    PoissonProblem::new(PoissonKind::Constant, 2, n).build().unwrap().matrix
}

/// `a` with the rows and columns that `fixed` names replaced by the identity's, scaled by `by`.
fn with_fixed(a: &CsrMatrix<f64>, by: f64, fixed: impl Fn(usize) -> bool) -> CsrMatrix<f64> {
    let mut coo = CooBuilder::new(a.nrows(), a.nrows()).unwrap();
    for i in 0..a.nrows() {
        if fixed(i) {
            coo.push(i, i, by).unwrap();
            continue;
        }
        let (cols, vals) = a.row(i);
        for (&j, &v) in cols.iter().zip(vals).filter(|&(&j, _)| !fixed(j as usize)) {
            coo.push(i, j as usize, v).unwrap();
        }
    }
    coo.build().unwrap()
}

#[test]
fn identity_rows_do_not_cost_iterations() {
    let a = laplacian(60);
    for by in [1.0, 1e-8, 1e8] {
        let fixed = with_fixed(&a, by, |i| i % 60 == 0 || i % 7 == 3);
        for options in every_coarsening() {
            let b = uniform_rhs(a.nrows(), 3);
            let found = iterations(&fixed, &b, &options);
            assert!(found <= 14, "{by} {:?}: {found}", options.coarsening);
        }
    }
}

#[test]
fn islands_are_solved_each() {
    // Every tenth line of the grid is cut out, and the parts differ in scale by 1e4.
    let a = with_fixed(&laplacian(60), 1.0, |i| (i / 60) % 10 == 9);
    let scale = |i: usize| if (i / 600).is_multiple_of(2) { 1.0 } else { 1e4 };
    let mut coo = CooBuilder::new(3600, 3600).unwrap();
    for i in 0..3600 {
        let (cols, vals) = a.row(i);
        cols.iter().zip(vals).for_each(|(&j, &v)| coo.push(i, j as usize, scale(i) * v).unwrap());
    }
    let a = coo.build().unwrap();
    for options in every_coarsening() {
        assert!(iterations(&a, &uniform_rhs(3600, 4), &options) <= 14, "{:?}", options.coarsening);
    }
}

#[test]
fn a_singular_consistent_system_is_solved() {
    // Pure Neumann: row sums are zero, so constants are the null space, and b is orthogonal to it.
    let n = 60;
    let mut coo = CooBuilder::new(n * n, n * n).unwrap();
    for i in 0..n * n {
        for j in [i + 1, i + n] {
            if j < n * n && (j != i + 1 || j % n != 0) {
                for (p, q) in [(i, j), (j, i)] {
                    coo.push(p, q, -1.0).unwrap();
                    coo.push(p, p, 1.0).unwrap();
                }
            }
        }
    }
    let a = coo.build().unwrap();
    let mut b = uniform_rhs(n * n, 5);
    let mean = b.iter().sum::<f64>() / (n * n) as f64;
    b.iter_mut().for_each(|b| *b -= mean);
    for options in every_coarsening() {
        assert!(iterations(&a, &b, &options) <= 14, "{:?}", options.coarsening);
    }
}

#[test]
fn positive_couplings_are_borne() {
    // Nine points, anisotropy along a diagonal: a quarter of the couplings have the diagonal's sign, A stays definite.
    let n = 60;
    let mut coo = CooBuilder::new(n * n, n * n).unwrap();
    let stencil = [(0, 1, 1.0), (1, 0, 1.0), (1, 1, 0.45), (1, -1, -0.45)];
    for i in 0..n as i64 {
        for j in 0..n as i64 {
            let me = (i * n as i64 + j) as usize;
            coo.push(me, me, 4.0).unwrap();
            for (di, dj, w) in stencil.into_iter().flat_map(|(p, q, w)| [(p, q, w), (-p, -q, w)]) {
                let (k, l) = (i + di, j + dj);
                if (0..n as i64).contains(&k) && (0..n as i64).contains(&l) {
                    coo.push(me, (k * n as i64 + l) as usize, -w).unwrap();
                }
            }
        }
    }
    let a = coo.build().unwrap();
    for options in every_coarsening() {
        let found = iterations(&a, &uniform_rhs(n * n, 6), &options);
        assert!(found <= 40, "{:?}: {found}", options.coarsening);
    }
}

#[test]
fn a_negative_definite_matrix_takes_the_same_cycle() {
    let a = laplacian(60);
    let negative = a.map(|v| -v);
    let r = uniform_rhs(a.nrows(), 8);
    for options in every_coarsening() {
        let (mut z, mut w) = (vec![0.0; r.len()], vec![0.0; r.len()]);
        Amg::with_options(&a, &options).unwrap().apply(&r, &mut z).unwrap();
        Amg::with_options(&negative, &options).unwrap().apply(&r, &mut w).unwrap();
        assert!(
            z.iter().zip(&w).all(|(z, w)| (z + w).abs() <= 1e-5 * z.abs().max(1e-3)),
            "{:?}",
            options.coarsening
        );
    }
}

#[test]
fn a_dense_row_does_not_blow_up_the_levels() {
    // A grid of 2·10⁵ unknowns and one more that couples with all of them, weakly or as strongly as neighbours do:
    // quadratic work would take hours.
    let grid = laplacian(447);
    let n = grid.nrows();
    for (share, most) in [(1e-6, 20), (0.25, 60)] {
        let mut coo = CooBuilder::new(n + 1, n + 1).unwrap();
        let mut sum = 1.0;
        for i in 0..n {
            let (cols, vals) = grid.row(i);
            cols.iter().zip(vals).for_each(|(&j, &v)| coo.push(i, j as usize, v).unwrap());
            let w = share * grid.get(i, i);
            coo.push(i, i, w).unwrap();
            coo.push(i, n, -w).unwrap();
            coo.push(n, i, -w).unwrap();
            sum += w;
        }
        coo.push(n, n, sum).unwrap();
        let a = coo.build().unwrap();
        for options in every_coarsening() {
            let complexity = Amg::with_options(&a, &options).unwrap().complexity().operator();
            let found = iterations(&a, &uniform_rhs(n + 1, 9), &options);
            assert!(
                complexity < 3.0 && found <= most,
                "{share} {:?}: {complexity} {found}",
                options.coarsening
            );
        }
    }
}
