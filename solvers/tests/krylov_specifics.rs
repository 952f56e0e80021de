//! What single methods promise beyond the common part.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::*;
use proptest::prelude::*;
use residua_data::{CooBuilder, CsrMatrix};
use residua_solvers::krylov::*;
use residua_solvers::operator::{FnOperator, WithAdjoint};
use residua_solvers::precond::{Identity, Jacobi};
use residua_solvers::{
    Breakdown, History, LinearOperator, LinearSystem, Preconditioner, SolveError, Solver, StopReason,
    StopRule,
};

fn history<S: Solver<CsrMatrix<f64>>>(
    mut method: S,
    a: &CsrMatrix<f64>,
    b: &[f64],
    rule: &StopRule,
) -> Vec<f64> {
    let mut history = History::new();
    let system = LinearSystem::new(a, b).unwrap();
    method.solve(&system, &mut vec![0.0; b.len()], rule, &mut history).unwrap();
    history.relative_residuals().to_vec()
}

fn agree(a: &[f64], b: &[f64], steps: usize, tolerance: f64) -> bool {
    a.len() >= steps && b.len() >= steps && (0..steps).all(|k| (a[k] - b[k]).abs() <= tolerance * b[k])
}

#[test]
fn flexible_methods_with_a_fixed_preconditioner_are_the_plain_ones() {
    let a = definite::<f64>(150);
    let b = vector::<f64>(150, 1);
    let jacobi = || Jacobi::new(&a).unwrap();
    let rule = StopRule::rtol(1e-9);
    let cg = history(Cg::new(jacobi()), &a, &b, &rule);
    for window in [1, 2, 5] {
        let fcg = history(Fcg::new(jacobi()).with_window(window), &a, &b, &rule);
        assert!(agree(&fcg, &cg, cg.len().min(15), 1e-9) && fcg.len().abs_diff(cg.len()) <= 1, "{window}");
    }
    let gmres = history(Gmres::new(jacobi()).with_restart(7), &a, &b, &rule);
    let fgmres = history(Fgmres::new(jacobi()).with_restart(7), &a, &b, &rule);
    assert!(agree(&fgmres, &gmres, gmres.len().min(15), 1e-9) && fgmres.len() == gmres.len());
}

/// The recurrence of deep conjugate directions as its authors state it: classical orthogonalisation against
/// the last two directions, exact line search, residual recomputed.
fn dcdm(
    a: &CsrMatrix<f64>,
    b: &[f64],
    direction: impl Fn(&[f64], usize) -> Vec<f64>,
    steps: usize,
) -> Vec<f64> {
    let n = b.len();
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let (mut x, mut r) = (vec![0.0; n], b.to_vec());
    let mut kept: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    let mut norms = vec![1.0];
    for k in 0..steps {
        let q = direction(&r, k);
        let mut p = q.clone();
        for (old, image, curvature) in kept.iter().rev().take(2) {
            let c = dot(&q, image) / curvature;
            p.iter_mut().zip(old).for_each(|(p, old)| *p -= c * old);
        }
        let mut w = vec![0.0; n];
        a.multiply(&p, &mut w);
        let curvature = dot(&p, &w);
        let beta = dot(&p, &r) / curvature;
        x.iter_mut().zip(&p).for_each(|(x, p)| *x += beta * p);
        a.multiply(&x, &mut r);
        r.iter_mut().zip(b).for_each(|(r, b)| *r = b - *r);
        norms.push(norm(&r) / norm(b));
        kept.push((p, w, curvature));
    }
    norms
}

/// A preconditioner that is neither linear nor the same at every call; it ignores the scale of r.
struct Erratic {
    calls: usize,
    scale: f64,
}

fn erratic(r: &[f64], call: usize) -> Vec<f64> {
    let size = norm(r);
    r.iter()
        .enumerate()
        .map(|(i, r)| (r / size).tanh() * (1.0 + 0.2 * ((i * 3 + call * 5) as f64).sin()))
        .collect()
}

impl Preconditioner for Erratic {
    fn name(&self) -> &'static str {
        "erratic"
    }
    fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        z.iter_mut().zip(erratic(r, self.calls)).for_each(|(z, v)| *z = self.scale * v);
        self.calls += 1;
        Ok(())
    }
}

#[test]
fn fcg_with_two_directions_is_the_recurrence_of_deep_conjugate_directions() {
    let a = definite::<f64>(120);
    let b = vector::<f64>(120, 1);
    let reference = dcdm(&a, &b, erratic, 25);
    let rule = StopRule::rtol(1e-10);
    let fcg = history(Fcg::new(Erratic { calls: 0, scale: 1.0 }).with_window(2), &a, &b, &rule);
    assert!(agree(&fcg, &reference, 20, 1e-8));
    // the scale of M's output does not matter, not even its sign
    let scaled = history(Fcg::new(Erratic { calls: 0, scale: -4.0 }).with_window(2), &a, &b, &rule);
    assert!(agree(&scaled, &fcg, 20, 1e-8));
    // and both flexible methods get there
    for outcome in [
        solve_checked(&mut Fcg::new(Erratic { calls: 0, scale: 1.0 }), &a, &b, &mut [0.0; 120], &rule),
        solve_checked(&mut Fgmres::new(Erratic { calls: 0, scale: 1.0 }), &a, &b, &mut [0.0; 120], &rule),
        solve_checked(
            &mut Fcg::new(Erratic { calls: 0, scale: 1.0 }).with_window(0),
            &a,
            &b,
            &mut [0.0; 120],
            &rule,
        ),
    ] {
        assert!(outcome.converged(), "{outcome:?}");
    }
}

/// M⁻¹ r = e₁, or 0: a network that has learned nothing.
struct Constant(f64);
impl Preconditioner for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }
    fn apply(&mut self, _: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        z.fill(0.0);
        z[0] = self.0;
        Ok(())
    }
}

#[test]
fn a_useless_preconditioner_is_a_breakdown_not_a_loop() {
    let a = definite::<f64>(20);
    let b = vector::<f64>(20, 1);
    for value in [0.0, 1.0] {
        let mut x = [0.0; 20];
        let outcome = solve_checked(&mut Fcg::new(Constant(value)), &a, &b, &mut x, &StopRule::default());
        assert_eq!(outcome.reason, StopReason::Failed(Breakdown::ZeroDenominator), "{outcome:?}");
        let mut x = [0.0; 20];
        let outcome = solve_checked(&mut Fgmres::new(Constant(value)), &a, &b, &mut x, &StopRule::default());
        assert_eq!(outcome.reason, StopReason::Failed(Breakdown::ZeroDenominator), "{outcome:?}");
    }
}

#[test]
fn cyclic_shifts_defeat_restarts_and_nothing_else() {
    // A e_i = e_{i+1}: GMRES makes no progress at all before step n.
    let n = 24;
    let a = matrix::<f64>(n, |i| vec![((i + n - 1) % n, 1.0)]);
    let mut b = vec![0.0; n];
    b[0] = 1.0;
    let outcome = solve_checked(
        &mut Gmres::default().with_restart(10),
        &a,
        &b,
        &mut vec![0.0; n],
        &StopRule::default(),
    );
    assert_eq!(outcome.reason, StopReason::Failed(Breakdown::Stagnation));
    assert_eq!(outcome.iterations, 30, "three fruitless cycles");
    let outcome = solve_checked(&mut Gmres::default(), &a, &b, &mut vec![0.0; n], &StopRule::default());
    assert!(outcome.converged() && outcome.iterations == n, "{outcome:?}");
}

#[test]
fn skew_symmetric_systems_are_solved_or_refused() {
    // [0 1; -1 0], and a larger one with eigenvalues ± i t.
    let small = CsrMatrix::<f64>::try_new(2, 2, vec![0, 1, 2], vec![1, 0], vec![1.0, -1.0]).unwrap();
    let large = matrix::<f64>(40, |i| {
        vec![(i ^ 1, (1.0 + (i / 2) as f64 * 0.1) * if i % 2 == 0 { 1.0 } else { -1.0 })]
    });
    for a in [small, large] {
        let n = a.nrows();
        let b = vector::<f64>(n, 1);
        let rule = StopRule::rtol(1e-10);
        let outcome = solve_checked(&mut Bicgstab::default(), &a, &b, &mut vec![0.0; n], &rule);
        assert_eq!(outcome.reason, StopReason::Failed(Breakdown::ZeroDenominator), "{outcome:?}");
        let outcome = solve_checked(&mut BicgstabL::default(), &a, &b, &mut vec![0.0; n], &rule);
        assert!(outcome.converged(), "BiCGSTAB(2): {outcome:?}");
        let outcome = solve_checked(&mut Gmres::default(), &a, &b, &mut vec![0.0; n], &rule);
        assert!(outcome.converged(), "{outcome:?}");
        let outcome = solve_checked(&mut Idrs::default(), &a, &b, &mut vec![0.0; n], &rule);
        assert!(outcome.converged() || matches!(outcome.reason, StopReason::Failed(_)), "{outcome:?}");
    }
}

#[test]
fn a_nearly_skew_system_wants_degree_two() {
    let n = 200;
    let a = convection::<f64>(n, 40.0);
    let b = vector::<f64>(n, 1);
    let rule = StopRule::rtol(1e-8).with_max_iters(2000);
    let one = solve_checked(&mut Bicgstab::default(), &a, &b, &mut vec![0.0; n], &rule);
    let two = solve_checked(&mut BicgstabL::default(), &a, &b, &mut vec![0.0; n], &rule);
    assert!(two.converged(), "{two:?}");
    assert!(!one.converged() || two.operator_applies < one.operator_applies, "{one:?} {two:?}");
}

#[test]
fn singular_hard_breakdown_of_gmres_is_named() {
    // [0 1; 0 0] x = e₁ is consistent (x = e₂), but A r = 0: the Krylov space is exhausted at once.
    let a = CsrMatrix::<f64>::try_new(2, 2, vec![0, 1, 1], vec![1], vec![1.0]).unwrap();
    for mut method in plain_methods::<f64, CsrMatrix<f64>>().into_iter().skip(3) {
        let mut x = [0.0; 2];
        let outcome = solve_checked(&mut *method, &a, &[1.0, 0.0], &mut x, &StopRule::default());
        let name = method.name();
        assert_eq!(outcome.reason, StopReason::Failed(Breakdown::ZeroDenominator), "{name}: {outcome:?}");
        assert!(x.iter().all(|x| x.is_finite()), "{name}");
    }
}

#[test]
fn idr_is_a_function_of_its_seed() {
    let a = convection::<f64>(80, 0.5);
    let b = vector::<f64>(80, 1);
    let rule = StopRule::rtol(1e-10);
    let run = |seed: u64| history(Idrs::new(Identity).with_seed(seed), &a, &b, &rule);
    assert_eq!(run(0), run(0));
    assert_ne!(run(0), run(1));
    // more s, fewer products, where it is not easy
    let laplacian = matrix::<f64>(300, |i| {
        [(i.wrapping_sub(1), -1.05), (i, 2.0), (i + 1, -0.95)].into_iter().filter(|e| e.0 < 300).collect()
    });
    let b = vector::<f64>(300, 1);
    let products = |s: usize| {
        solve_checked(&mut Idrs::default().with_s(s), &laplacian, &b, &mut [0.0; 300], &rule).operator_applies
    };
    assert!(products(8) < products(1), "{} {}", products(8), products(1));
    // s larger than n
    let tiny = convection::<f64>(3, 0.5);
    let outcome =
        solve_checked(&mut Idrs::default().with_s(10), &tiny, &[1.0, 2.0, 3.0], &mut [0.0; 3], &rule);
    assert!(outcome.converged());
}

#[test]
fn minres_with_jacobi_stops_by_the_true_residual() {
    // Badly scaled rows: the norm that MINRES minimises and the one that it must meet differ by 10⁴.
    let n = 100;
    let scale = |i: usize| 10f64.powi((i % 5) as i32);
    let a = matrix::<f64>(n, |i| {
        let mut row = vec![(i, 3.0 * scale(i) * scale(i))];
        if i > 0 {
            row.push((i - 1, -scale(i) * scale(i - 1)));
        }
        if i + 1 < n {
            row.push((i + 1, -scale(i) * scale(i + 1)));
        }
        row
    });
    let b = vector::<f64>(n, 1);
    let outcome = solve_checked(
        &mut Minres::new(Jacobi::new(&a).unwrap()),
        &a,
        &b,
        &mut vec![0.0; n],
        &StopRule::rtol(1e-9),
    );
    assert!(outcome.converged(), "{outcome:?}");
    assert_eq!(outcome.operator_applies, outcome.iterations + 2, "one cycle: a first and a last residual");
    let cg = solve_checked(
        &mut Cg::new(Jacobi::new(&a).unwrap()),
        &a,
        &b,
        &mut vec![0.0; n],
        &StopRule::rtol(1e-9),
    );
    assert!(outcome.iterations <= cg.iterations + 2, "{outcome:?} {cg:?}");
}

fn tall<T: residua_data::Scalar>(m: usize, n: usize) -> CsrMatrix<T> {
    let mut coo = CooBuilder::new(m, n).unwrap();
    for i in 0..m {
        for (d, v) in [(0, 2.0), (1, -1.0), (3, 0.5)] {
            let j = (i * 5 + d * (1 + i / n)) % n;
            coo.push(i, j, phase::<T>(i) * T::of(v + (i % 4) as f64 * 0.3)).unwrap();
        }
    }
    coo.build().unwrap()
}

fn check_lsmr<T: residua_data::Scalar>(rtol: f64) {
    // consistent, tall and wide, with and without scaling
    for (m, n) in [(60, 25), (25, 60), (40, 40)] {
        let a = tall::<T>(m, n);
        let exact = vector::<T>(n, 2);
        let mut b = vec![T::zero(); m];
        a.multiply(&exact, &mut b);
        let op = WithAdjoint::new(&a);
        for scaling in [Vec::new(), column_scaling(&a)] {
            let system = LinearSystem::new(&op, &b).unwrap();
            let mut x = vec![T::zero(); n];
            let outcome = lsmr::<T>()
                .with_column_scaling(scaling)
                .solve(&system, &mut x, &StopRule::rtol(rtol), &mut ())
                .unwrap();
            assert!(outcome.converged(), "{m} x {n}: {outcome:?}");
            check_reported("lsmr", &a, &b, &x, &outcome);
        }
    }
}

#[test]
fn lsmr_solves_consistent_systems_of_any_shape() {
    check_lsmr::<f64>(1e-10);
    check_lsmr::<f32>(1e-4);
    check_lsmr::<C64>(1e-10);
    check_lsmr::<C32>(1e-4);
}

/// AᴴA + δ² I and Aᴴb, dense.
fn normal_equations(a: &CsrMatrix<f64>, b: &[f64], damp: f64) -> Vec<f64> {
    let n = a.ncols();
    let mut coo = CooBuilder::new(n, n).unwrap();
    let mut rhs = vec![0.0; n];
    for (i, &b) in b.iter().enumerate() {
        let (cols, vals) = a.row(i);
        for (&j, &v) in cols.iter().zip(vals) {
            rhs[j as usize] += v * b;
            for (&k, &w) in cols.iter().zip(vals) {
                coo.push(j as usize, k as usize, v * w).unwrap();
            }
        }
    }
    (0..n).for_each(|j| coo.push(j, j, damp * damp).unwrap());
    dense_solve(&coo.build().unwrap(), &rhs)
}

#[test]
fn lsmr_finds_least_squares_solutions_and_says_so() {
    let a = tall::<f64>(60, 25);
    let b = vector::<f64>(60, 3);
    let op = WithAdjoint::new(&a);
    let system = LinearSystem::new(&op, &b).unwrap();
    for damp in [0.0, 0.7] {
        let exact = normal_equations(&a, &b, damp);
        let scalings = if damp == 0.0 { vec![Vec::new(), column_scaling(&a)] } else { vec![Vec::new()] };
        for scaling in scalings {
            let mut method = Lsmr::new().with_damp(damp).with_column_scaling(scaling);
            for _ in 0..2 {
                let mut x = vec![0.0; 25];
                let outcome = method.solve(&system, &mut x, &StopRule::default(), &mut ()).unwrap();
                assert_eq!(
                    outcome.reason,
                    StopReason::Failed(Breakdown::SingularInconsistent),
                    "{outcome:?}"
                );
                check_reported("lsmr", &a, &b, &x, &outcome);
                assert!(distance(&x, &exact) <= 1e-9 * norm(&exact), "damp {damp}: {}", distance(&x, &exact));
                assert!(outcome.iterations < 200, "{outcome:?}");
            }
        }
    }
    // b orthogonal to the range of A: x = 0 is the answer at once
    let single = CsrMatrix::try_new(2, 1, vec![0, 1, 1], vec![0], vec![1.0]).unwrap();
    let outcome = Lsmr::new()
        .solve(&LinearSystem::new(&single, &[0.0, 1.0]).unwrap(), &mut [0.0], &StopRule::default(), &mut ())
        .unwrap();
    assert_eq!(outcome.reason, StopReason::Failed(Breakdown::SingularInconsistent));
}

#[test]
fn lsmr_refuses_bad_options() {
    let op = tall::<f64>(8, 5);
    let b = [1.0; 8];
    let system = LinearSystem::new(&op, &b).unwrap();
    let error =
        Lsmr::new().with_damp(-1.0).solve(&system, &mut [0.0; 5], &StopRule::default(), &mut ()).unwrap_err();
    assert!(matches!(error, SolveError::InvalidOption { name: "damp", .. }));
    let error = Lsmr::new()
        .with_column_scaling(vec![1.0; 4])
        .solve(&system, &mut [0.0; 5], &StopRule::default(), &mut ())
        .unwrap_err();
    assert!(matches!(error, SolveError::DimensionMismatch { expected: 5, found: 4, .. }));
    let error = Lsmr::new().solve(&system, &mut [0.0; 8], &StopRule::default(), &mut ()).unwrap_err();
    assert!(matches!(error, SolveError::DimensionMismatch { what: "x", expected: 5, found: 8 }));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn minimal_residuals_never_grow(
        n in 2usize..40,
        restart in 1usize..12,
        values in prop::collection::vec(-1.0f64..1.0, 160),
        seed in 0usize..100,
    ) {
        let a = matrix::<f64>(n, |i| {
            let mut row: Vec<_> = (0..4).map(|d| ((i * 3 + d * d * 7 + d) % n, values[i * 4 + d])).collect();
            row.push((i, if i % 2 == 0 { 3.0 } else { -3.0 })); // regular, but indefinite
            row
        });
        let b = vector::<f64>(n, seed);
        let rule = StopRule::rtol(1e-10).with_max_iters(150);
        let grows = |h: &[f64]| h.windows(2).any(|w| w[1] > w[0] * (1.0 + 1e-9) + 1e-13);
        let gmres = history(Gmres::default().with_restart(restart), &a, &b, &rule);
        prop_assert!(!grows(&gmres), "{:?}", gmres);
        let symmetric = matrix::<f64>(n, |i| {
            (0..n).filter(|j| i.abs_diff(*j) < 3).map(|j| (j, values[(i + j) % 160] + if i == j { 0.3 } else { 0.0 })).collect()
        });
        let minres = history(Minres::default(), &symmetric, &b, &rule);
        prop_assert!(!grows(&minres), "{:?}", minres);
    }

    #[test]
    fn every_end_is_honest(
        n in 1usize..25,
        values in prop::collection::vec(prop_oneof![Just(0.0f64), -2.0f64..2.0], 100),
        seed in 0usize..100,
    ) {
        // Random matrices: singular, indefinite, with empty rows. Whatever happens, the residual reported is
        // the residual, and "converged" means that the target is met.
        let a = matrix::<f64>(n, |i| (0..4).map(|d| ((i + d * d * 5) % n, values[i * 4 + d])).collect());
        let b = vector::<f64>(n, seed);
        for mut method in plain_methods::<f64, CsrMatrix<f64>>() {
            let mut x = vec![0.0; n];
            solve_checked(&mut *method, &a, &b, &mut x, &StopRule::rtol(1e-8).with_max_iters(300));
        }
    }
}

#[test]
fn block_cg_takes_the_steps_of_cg() {
    let n = 400;
    let a = definite::<f64>(n);
    for k in [1, 2, 5] {
        let mut b = Vec::new();
        (0..k).for_each(|c| b.extend(vector::<f64>(n, c)));
        if k > 2 {
            b[n..2 * n].fill(0.0); // one zero column,
            b[2 * n..3 * n].iter_mut().for_each(|b| *b *= 1e-120); // a tiny one,
        }
        let mut x = vec![0.25; n * k];
        if k > 3 {
            x[3 * n..4 * n].copy_from_slice(&dense_solve(&a, &b[3 * n..4 * n])); // and one that is solved
        }
        let start = x.clone();
        let mut block = BlockCg::new(Jacobi::new(&a).unwrap());
        let mut history = History::new();
        let outcomes = block.solve_block(&a, &b, &mut x, &StopRule::rtol(1e-10), &mut history).unwrap();
        for (c, outcome) in outcomes.iter().enumerate() {
            let range = c * n..(c + 1) * n;
            let mut single = start[range.clone()].to_vec();
            let expected = solve_checked(
                &mut Cg::new(Jacobi::new(&a).unwrap()),
                &a,
                &b[range.clone()],
                &mut single,
                &StopRule::rtol(1e-10),
            );
            check_reported("block", &a, &b[range.clone()], &x[range.clone()], outcome);
            assert_eq!(outcome.reason, expected.reason, "column {c} of {k}");
            assert!(outcome.iterations.abs_diff(expected.iterations) <= 1, "{outcome:?} {expected:?}");
            assert!(distance(&x[range], &single) <= 1e-9 * norm(&single), "column {c} of {k}");
        }
        let longest = outcomes.iter().map(|o| o.iterations).max().unwrap();
        assert_eq!(history.relative_residuals().len(), longest + 1);
    }
}

#[test]
fn block_columns_end_each_for_its_own_reason() {
    // On diag(1, …, 1, -1) a right-hand side without the last entry never meets the negative direction.
    let n = 50;
    let mut values: Vec<f64> = (0..n).map(|i| 1.0 + (i % 4) as f64).collect();
    values[n - 1] = -1.0;
    let a = diagonal(&values);
    let mut b = vector::<f64>(n, 1);
    b[n - 1] = 0.0;
    let mut bad = vec![0.0; n];
    bad[n - 1] = 1.0;
    b.extend(bad);
    let mut x = vec![0.0; 2 * n];
    let outcomes = BlockCg::default().solve_block(&a, &b, &mut x, &StopRule::default(), &mut ()).unwrap();
    assert!(outcomes[0].converged(), "{outcomes:?}");
    assert_eq!(outcomes[1].reason, StopReason::Failed(Breakdown::IndefiniteOperator));
    assert!(x.iter().all(|x| x.is_finite()));
    // limits hold for all
    let mut x = vec![0.0; 2 * n];
    let rule = StopRule::rtol(1e-14).with_max_iters(2);
    let outcomes = BlockCg::default().solve_block(&definite::<f64>(n), &b, &mut x, &rule, &mut ()).unwrap();
    assert!(
        outcomes.iter().all(|o| o.iterations == 2 && matches!(o.reason, StopReason::Stopped(_))),
        "{outcomes:?}"
    );
    // wrong calls
    let error = BlockCg::default().solve_block(&a, &b[1..], &mut x, &rule, &mut ()).unwrap_err();
    assert!(matches!(error, SolveError::DimensionMismatch { expected: 50, found: 99, .. }), "{error}");
    let error = BlockCg::default().solve_block(&a, &b, &mut x[1..], &rule, &mut ()).unwrap_err();
    assert!(matches!(error, SolveError::DimensionMismatch { expected: 100, found: 99, .. }), "{error}");
    assert_eq!(BlockCg::default().solve_block(&a, &[], &mut [], &rule, &mut ()).unwrap(), []);
}

#[test]
fn block_cg_does_not_depend_on_threads_and_takes_any_scalar() {
    let n = 40_000;
    let a = definite::<C64>(n);
    let mut b = vector::<C64>(n, 1);
    b.extend(vector::<C64>(n, 2));
    b.extend(vector::<C64>(n, 3));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut x = vec![C64::default(); 3 * n];
            let rule = StopRule::rtol(1e-8);
            let outcomes = BlockCg::default().solve_block(&a, &b, &mut x, &rule, &mut ()).unwrap();
            assert!(outcomes.iter().all(|o| o.converged()), "{outcomes:?}");
            x
        })
    };
    let one = run(1);
    assert!([2, 3].into_iter().all(|threads| run(threads) == one));
    // an operator without a block product of its own
    let stored = definite::<f64>(30);
    let op = FnOperator::new(30, |x: &[f64], y: &mut [f64]| stored.multiply(x, y));
    let b = vector::<f64>(60, 1);
    let mut x = vec![0.0; 60];
    let outcomes = BlockCg::new(Failing { good_calls: usize::MAX })
        .solve_block(&op, &b, &mut x, &StopRule::default(), &mut ())
        .unwrap();
    assert!(outcomes.iter().all(|o| o.converged()));
    assert_eq!(LinearOperator::<f64>::nrows(&op), 30);
}
