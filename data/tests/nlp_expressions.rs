//! Random expressions: first and second derivatives against central differences.
#![allow(clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use residua_data::nlp::NonlinearProblem;
use residua_data::nlp::expression::{Expr, ExpressionProblem, Model};

const N: usize = 4;

/// A program for a stack machine: each pair makes a new expression of two earlier ones.
fn build(program: &[(u8, u8, u8)]) -> ExpressionProblem {
    let m = Model::new("random");
    let mut nodes: Vec<Expr<'_>> = m.variables(&[0.3, 0.7, -0.4, 1.1]);
    for (op, a, b) in program {
        let (x, y) = (nodes[*a as usize % nodes.len()], nodes[*b as usize % nodes.len()]);
        // All smooth and bounded by small multiples of their arguments, so that differences are accurate.
        nodes.push(match op % 12 {
            0 => x + y,
            1 => x - 0.5 * y,
            2 => (x * y).tanh(),
            3 => x / (2.0 + y.powi(2)),
            4 => x.sin() * y.cos(),
            5 => (0.3 * x).tanh().exp(),
            6 => (1.5 + x.powi(2)).ln(),
            7 => (1.0 + x.powi(2) + y.powi(2)).sqrt(),
            8 => x.atan() - y,
            9 => (2.0 + x.sin()).pow(y.cos()),
            10 => x.sin().atan2(2.0 + y.cos()),
            _ => (x + y).tanh().powi(3),
        });
    }
    let last = nodes[nodes.len() - 1];
    m.minimize(last);
    m.equality(nodes[nodes.len() / 2] * nodes[0] + last.sin(), 0.5);
    m.equality(nodes[1] - 2.0 * nodes[3], 0.0);
    m.problem().unwrap()
}

/// ∇ₓ(σ f + λᵀ c).
fn lagrangian_gradient(p: &ExpressionProblem, x: &[f64], sigma: f64, lambda: &[f64]) -> Vec<f64> {
    let mut g = vec![0.0; N];
    p.gradient(x, &mut g).unwrap();
    g.iter_mut().for_each(|g| *g *= sigma);
    let pattern = p.jacobian_pattern();
    let mut values = vec![0.0; pattern.nnz()];
    p.jacobian_values(x, &mut values).unwrap();
    for (i, l) in lambda.iter().enumerate() {
        (pattern.row_starts[i]..pattern.row_starts[i + 1])
            .for_each(|e| g[pattern.columns[e] as usize] += l * values[e]);
    }
    g
}

proptest! {
    #[test]
    fn derivatives_agree_with_differences(
        program in prop::collection::vec((any::<u8>(), any::<u8>(), any::<u8>()), 1..20),
        x in prop::array::uniform4(-1.2f64..1.2),
        sigma in -1.0f64..1.0,
        lambda in prop::array::uniform2(-1.0f64..1.0),
    ) {
        let p = build(&program);
        let lagrangian = |x: &[f64]| {
            let mut c = [0.0; 2];
            p.constraint_values(x, &mut c).unwrap();
            sigma * p.objective(x).unwrap() + lambda[0] * c[0] + lambda[1] * c[1]
        };
        let gradient = lagrangian_gradient(&p, &x, sigma, &lambda);
        let pattern = p.hessian_pattern().unwrap().clone();
        let mut values = vec![0.0; pattern.nnz()];
        p.hessian_values(&x, sigma, &lambda, &mut values).unwrap();
        let mut hessian = [[0.0; N]; N];
        #[allow(clippy::needless_range_loop)]
        for i in 0..N {
            for e in pattern.row_starts[i]..pattern.row_starts[i + 1] {
                let j = pattern.columns[e] as usize;
                (hessian[i][j], hessian[j][i]) = (values[e], values[e]);
            }
        }
        let h = 1e-5;
        for k in 0..N {
            let (mut up, mut down, mut unit) = (x, x, [0.0; N]);
            up[k] += h;
            down[k] -= h;
            unit[k] = 1.0;
            let slope = (lagrangian(&up) - lagrangian(&down)) / (2.0 * h);
            prop_assert!((slope - gradient[k]).abs() < 1e-6 * (1.0 + slope.abs()), "{slope} {}", gradient[k]);
            let (above, below) =
                (lagrangian_gradient(&p, &up, sigma, &lambda), lagrangian_gradient(&p, &down, sigma, &lambda));
            let mut product = [0.0; N];
            p.hessian_product(&x, sigma, &lambda, &unit, &mut product).unwrap();
            for i in 0..N {
                let bend = (above[i] - below[i]) / (2.0 * h);
                prop_assert!((bend - hessian[i][k]).abs() < 1e-5 * (1.0 + bend.abs()), "{bend} {}", hessian[i][k]);
                prop_assert!((product[i] - hessian[i][k]).abs() < 1e-10 * (1.0 + bend.abs()));
            }
        }
    }
}
