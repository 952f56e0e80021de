//! A 3D Poisson problem whose matrix is never stored, solved by CG, with the residual drawn as it falls.
//!
//! ```text
//! cargo run --release --example matrix_free
//! ```
#![allow(clippy::print_stdout)]

use residua::prelude::*;
use std::ops::ControlFlow;

/// y ← A x, A the 7-point Laplacian on an n × n × n grid with zero values around it.
fn laplacian(n: usize, x: &[f64], y: &mut [f64]) {
    let at = |i: usize, j: usize, k: usize| x[(k * n + j) * n + i];
    for k in 0..n {
        for j in 0..n {
            for i in 0..n {
                let mut sum = 6.0 * at(i, j, k);
                sum -=
                    if i > 0 { at(i - 1, j, k) } else { 0.0 } + if i + 1 < n { at(i + 1, j, k) } else { 0.0 };
                sum -=
                    if j > 0 { at(i, j - 1, k) } else { 0.0 } + if j + 1 < n { at(i, j + 1, k) } else { 0.0 };
                sum -=
                    if k > 0 { at(i, j, k - 1) } else { 0.0 } + if k + 1 < n { at(i, j, k + 1) } else { 0.0 };
                y[(k * n + j) * n + i] = sum;
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let n = 40;
    let operator = FnOperator::new(n * n * n, |x: &[f64], y: &mut [f64]| laplacian(n, x, y));
    let b = vec![1.0; n * n * n];
    let mut x = vec![0.0; n * n * n];
    let mut show = |progress: &Progress<'_>| {
        if progress.iteration.is_multiple_of(10) {
            let relative = progress.residual_norm / progress.rhs_norm;
            let stars = (60.0 * (1.0 + relative.log10() / 10.0)).max(0.0) as usize;
            println!("{:4}  {relative:8.1e}  {}", progress.iteration, "*".repeat(stars));
        }
        ControlFlow::Continue(())
    };
    let outcome = Cg::new(Identity).solve(
        &LinearSystem::new(&operator, &b)?,
        &mut x,
        &StopRule::rtol(1e-9),
        &mut show,
    )?;
    println!("{} after {} iterations", outcome.reason, outcome.iterations);
    outcome.require_converged()?;
    Ok(())
}
