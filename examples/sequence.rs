//! A time-stepping program that lets the toolkit learn which configuration solves its systems fastest.
//!
//! ```text
//! cargo run --release --example sequence
//! ```
//!
//! Three lines adopt it: make a `SequenceSolver`, call `solve` with each step's matrix and right-hand side, look at
//! the report.
#![allow(clippy::print_stdout)]

use residua::poisson::{PoissonKind, PoissonProblem};
use residua::prelude::*;
use residua::sequence::SequenceSolver;

/// Intervals of time.
const STEPS: u32 = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Implicit Euler for u_t = ∇·(κ(t) ∇u) on a 150 × 150 grid: (I + dt κ(t) A) uⁿ⁺¹ = uⁿ, κ swinging over three decades.
    let laplacian = PoissonProblem::new(PoissonKind::Constant, 2, 150).build()?.matrix;
    let mut a = laplacian.clone();
    let n = laplacian.nrows();
    let mut u: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i % 150 > 40 && i / 150 > 70))).collect();

    let mut solver = SequenceSolver::new(StopRule::rtol(1e-8)); // 1
    let mut used: Vec<(String, usize)> = Vec::new();
    let mut seconds = 0.0;
    for step in 0..STEPS {
        let time = f64::from(step) / f64::from(STEPS);
        set_matrix(&mut a, &laplacian, 10f64.powf(1.5 + 1.5 * (20.0 * time).sin()));
        let b = u.clone();
        let report = solver.solve(&a, &b, &mut u)?; // 2: u is the guess, and then the answer
        assert!(report.outcome.converged()); // 3
        seconds += report.elapsed.as_secs_f64();
        let name = solver.configurations().nth(report.arm).map(ToString::to_string).unwrap_or_default();
        match used.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => used.push((name, 1)),
        }
    }
    used.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("{STEPS} steps in {seconds:.3} s");
    for (name, count) in used {
        println!("{count:5} steps by {name}");
    }
    Ok(())
}

/// a ← I + scale · laplacian.
fn set_matrix(a: &mut CsrMatrix, laplacian: &CsrMatrix, scale: f64) {
    a.values_mut().iter_mut().zip(laplacian.values()).for_each(|(a, l)| *a = scale * l);
    for i in 0..laplacian.nrows() {
        let diagonal =
            laplacian.row_ptr()[i] as usize + laplacian.row(i).0.partition_point(|&j| (j as usize) < i);
        a.values_mut()[diagonal] += 1.0;
    }
}
