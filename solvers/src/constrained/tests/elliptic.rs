//! Control problems, whose KKT systems have a Schur complement with multigrid.

use super::*;
use residua_data::nlp::problems::PoissonControl;

/// min ½‖w − t‖² + ½ weight ‖z‖² with div(k ∇w) + z = 0 on n × n points, and bounds on z.
fn control(n: usize, weight: f64, bounded: bool, k: impl Fn(usize) -> f64) -> ExpressionProblem {
    build("control", |m| {
        let points = n * n;
        let w = m.variables(&vec![0.0; points]);
        let (low, high) = if bounded { (-0.5, 0.8) } else { (f64::NEG_INFINITY, f64::INFINITY) };
        let z: Vec<Expr<'_>> = (0..points).map(|_| m.variable(0.0, low, high)).collect();
        let target = |p: usize| ((p / n) as f64 * 0.3).sin() + ((p % n) as f64 * 0.2).cos();
        m.minimize(
            (0..points)
                .map(|p| 0.5 * (w[p] - target(p)).powi(2) + 0.5 * weight * z[p].powi(2))
                .sum::<Expr<'_>>(),
        );
        let h2 = (2.0 / (n as f64 + 1.0)).powi(2);
        for p in 0..points {
            let (i, j) = (p / n, p % n);
            let mut sum = z[p];
            for (inside, q) in [
                (i > 0, p.wrapping_sub(n)),
                (j > 0, p.wrapping_sub(1)),
                (j + 1 < n, p + 1),
                (i + 1 < n, p + n),
            ] {
                let face = if inside { k(p) + k(q) } else { 2.0 * k(p) } / (2.0 * h2);
                sum = sum - face * w[p];
                if inside {
                    sum = sum + face * w[q];
                }
            }
            m.equality(sum, 0.0);
        }
    })
}

#[test]
fn the_schur_complement_gives_the_answer_of_the_factors() {
    let cases = [
        ("constant", control(12, 0.1, false, |_| 1.0), "geometric"),
        ("cheap control", control(12, 1e-6, false, |_| 1.0), "geometric"),
        ("bounds", control(12, 0.1, true, |_| 1.0), "geometric"),
        ("varying", control(12, 0.1, false, |p| 1.0 + (p % 5) as f64), "algebraic"),
        ("varying, bounds", control(12, 1e-2, true, |p| 1.0 + (p % 5) as f64), "algebraic"),
    ];
    for (label, problem, multigrid) in &cases {
        let tight = |method| MinimizeOptions { tol: 1e-8, ..with(method) };
        let (direct, _) = solve(problem, &tight(KktMethod::Direct));
        let (gmres, _) = solve(problem, &tight(KktMethod::Gmres));
        assert_eq!(gmres.status, MinimizeStatus::Converged, "{label} {gmres:?}");
        assert!(gmres.kkt_solver.contains(multigrid), "{label} {}", gmres.kkt_solver);
        assert!(gmres.warnings.is_empty(), "{label} {gmres:?}");
        let error = gmres.x.iter().zip(&direct.x).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        assert!(error < 1e-4, "{label}: {error:.1e}");
    }
}

#[test]
fn the_steps_do_not_grow_with_the_grid() {
    let steps: Vec<usize> = [16, 32, 64, 128]
        .iter()
        .map(|&n| {
            let (outcome, _) = solve(&PoissonControl::new("control", n), &with(KktMethod::Gmres));
            assert_eq!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
            assert_eq!(outcome.iterations, 1);
            outcome.inner_iterations
        })
        .collect();
    assert!(steps.iter().all(|s| *s <= 22), "{steps:?}");
}

#[test]
fn auto_predicts_and_says_why() {
    let (small, _) = solve(&PoissonControl::new("control", 16), &with(KktMethod::Auto));
    assert!(small.kkt_solver.starts_with("direct"), "{}", small.kkt_solver);
    let (large, _) = solve(&PoissonControl::new("control", 96), &with(KktMethod::Auto));
    assert!(large.kkt_solver.starts_with("schur"), "{}", large.kkt_solver);
    assert!(large.kkt_solver.contains("predicted"), "{}", large.kkt_solver);
}

#[test]
fn constraints_of_another_kind_are_left_to_the_factors() {
    // Not symmetric, and a row whose largest entry is in a column that another row has.
    let tilted = build("tilted", |m| {
        let x = m.variables(&[0.0; 4]);
        m.minimize(x.iter().map(|x| (*x - 1.0).powi(2)).sum::<Expr<'_>>());
        m.equality(3.0 * x[0] - x[1] + x[2], 0.0);
        m.equality(-2.0 * x[0] + 3.0 * x[1] + x[3], 0.0);
    });
    let shared = build("shared", |m| {
        let x = m.variables(&[0.0; 3]);
        m.minimize(x.iter().map(|x| (*x - 1.0).powi(2)).sum::<Expr<'_>>());
        m.equality(3.0 * x[0] + x[1], 1.0);
        m.equality(3.0 * x[0] + x[2], 2.0);
    });
    for problem in [tilted, shared] {
        let (outcome, _) = solve(&problem, &with(KktMethod::Gmres));
        assert_eq!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
        assert!(outcome.kkt_solver.contains("constraint preconditioner"), "{}", outcome.kkt_solver);
    }
}
