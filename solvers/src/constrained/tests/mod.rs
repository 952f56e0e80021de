#![allow(clippy::unwrap_used)]
mod calls;
mod degenerate;
mod elliptic;
mod problems;
mod rates;
mod sketches;

use super::*;
use residua_data::nlp::expression::{Expr, ExpressionProblem, Model};
use residua_data::nlp::{EvaluationError, NonlinearProblem, SparsePattern};
use std::ops::ControlFlow;

fn build(name: &str, make: impl Fn(&Model)) -> ExpressionProblem {
    let m = Model::new(name);
    make(&m);
    m.problem().unwrap()
}

fn hs6() -> ExpressionProblem {
    build("HS6", |m| {
        let x = m.variables(&[-1.2, 1.0]);
        m.minimize((1.0 - x[0]).powi(2));
        m.equality(10.0 * (x[1] - x[0].powi(2)), 0.0);
        m.known_optimum(0.0);
    })
}

fn hs7() -> ExpressionProblem {
    build("HS7", |m| {
        let x = m.variables(&[2.0, 2.0]);
        m.minimize((1.0 + x[0].powi(2)).ln() - x[1]);
        m.equality((1.0 + x[0].powi(2)).powi(2) + x[1].powi(2), 4.0);
        m.known_optimum(-(3f64.sqrt()));
    })
}

fn hs26() -> ExpressionProblem {
    build("HS26", |m| {
        let x = m.variables(&[-2.6, 2.0, 2.0]);
        m.minimize((x[0] - x[1]).powi(2) + (x[1] - x[2]).powi(4));
        m.equality((1.0 + x[1].powi(2)) * x[0] + x[2].powi(4), 3.0);
        m.known_optimum(0.0);
    })
}

fn hs28() -> ExpressionProblem {
    build("HS28", |m| {
        let x = m.variables(&[-4.0, 1.0, 1.0]);
        m.minimize((x[0] + x[1]).powi(2) + (x[1] + x[2]).powi(2));
        m.equality(x[0] + 2.0 * x[1] + 3.0 * x[2], 1.0);
        m.known_optimum(0.0);
    })
}

fn hs40() -> ExpressionProblem {
    build("HS40", |m| {
        let x = m.variables(&[0.8; 4]);
        m.minimize(-x[0] * x[1] * x[2] * x[3]);
        m.equality(x[0].powi(3) + x[1].powi(2), 1.0);
        m.equality(x[0].powi(2) * x[3] - x[2], 0.0);
        m.equality(x[3].powi(2) - x[1], 0.0);
        m.known_optimum(-0.25);
    })
}

fn bt11() -> ExpressionProblem {
    build("BT11", |m| {
        let x = m.variables(&[2.0; 5]);
        m.minimize(
            (x[0] - 1.0).powi(2)
                + (x[0] - x[1]).powi(2)
                + (x[1] - x[2]).powi(2)
                + (x[2] - x[3]).powi(4)
                + (x[3] - x[4]).powi(4),
        );
        m.equality(x[0] + x[1].powi(2) + x[2].powi(3), -2.0 + 18f64.sqrt());
        m.equality(x[1] + x[3] - x[2].powi(2), -2.0 + 8f64.sqrt());
        m.equality(x[0] - x[4], 2.0);
        m.known_optimum(0.824891777);
    })
}

/// min xᵀAx on the sphere, A = tridiag(−1, 2, −1): the smallest eigenvalue.
fn sphere(n: usize) -> ExpressionProblem {
    build("sphere", |m| {
        let start: Vec<f64> = (0..n).map(|i| 1.0 + 0.1 * i as f64).collect();
        let x = m.variables(&start);
        let square: Expr<'_> = x.iter().map(|x| x.powi(2)).sum();
        let cross: Expr<'_> = x.windows(2).map(|w| w[0] * w[1]).sum();
        m.minimize(2.0 * square - 2.0 * cross);
        m.equality(x.iter().map(|x| x.powi(2)).sum::<Expr<'_>>(), 1.0);
        let angle = std::f64::consts::PI / (n + 1) as f64;
        m.known_optimum(2.0 - 2.0 * angle.cos());
    })
}

fn solve(
    problem: &dyn NonlinearProblem,
    options: &MinimizeOptions,
) -> (MinimizeOutcome, Vec<IterationRecord>) {
    let mut records = Vec::new();
    let outcome = minimize(problem, options, None, &mut |r: &IterationRecord| {
        records.push(*r);
        ControlFlow::Continue(())
    })
    .unwrap();
    (outcome, records)
}

fn with(method: KktMethod) -> MinimizeOptions {
    MinimizeOptions { method, ..MinimizeOptions::default() }
}

/// HS48: quadratic, linear constraints.
fn hs48() -> ExpressionProblem {
    build("HS48", |m| {
        let x = m.variables(&[3.0, 5.0, -3.0, 2.0, -2.0]);
        m.minimize((x[0] - 1.0).powi(2) + (x[1] - x[2]).powi(2) + (x[3] - x[4]).powi(2));
        m.equality(x.iter().copied().sum::<Expr<'_>>(), 5.0);
        m.equality(x[2] - 2.0 * (x[3] + x[4]), -3.0);
        m.known_optimum(0.0);
    })
}

fn sketched(sketch: SketchKind, seed: u64) -> MinimizeOptions {
    MinimizeOptions { sketch, seed, ..with(KktMethod::Sketched) }
}
