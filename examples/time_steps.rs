//! Implicit Euler for the heat equation: one pattern, new values each step, warm starts, a preconditioner
//! that is refreshed and not rebuilt.
//!
//! ```text
//! cargo run --release --example time_steps
//! ```
#![allow(clippy::print_stdout)]

use residua::poisson::{PoissonKind, PoissonProblem};
use residua::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // (I + dt κ(t) A) uⁿ⁺¹ = uⁿ on a 100 × 100 grid, κ changing with time.
    let laplacian = PoissonProblem::new(PoissonKind::Constant, 2, 100).build()?.matrix;
    let system_at = |time: f64| -> CsrMatrix {
        let mut a = laplacian.clone();
        let scale = 2.0 * (1.0 + 0.5 * time.sin());
        a.values_mut().iter_mut().for_each(|v| *v *= scale);
        for i in 0..a.nrows() {
            let start = a.row_ptr()[i] as usize;
            let k = a.row(i).0.partition_point(|&j| (j as usize) < i);
            a.values_mut()[start + k] += 1.0;
        }
        a
    };
    let n = laplacian.nrows();
    let mut u: Vec<f64> = (0..n)
        .map(|i| if (i / 100).abs_diff(50) + (i % 100).abs_diff(50) < 20 { 1.0 } else { 0.0 })
        .collect();
    let mut a = system_at(0.0);
    let mut cg = Cg::new(Ic0::new(&a)?);
    for step in 1..=10 {
        a = system_at(f64::from(step));
        cg.precond_mut().refresh(&a)?;
        let b = u.clone();
        let outcome = cg.solve(&LinearSystem::new(&a, &b)?, &mut u, &StopRule::rtol(1e-10), &mut ())?;
        let heat: f64 = u.iter().sum();
        println!("step {step:2}: {:2} iterations, heat {heat:8.3}", outcome.iterations);
        outcome.require_converged()?;
    }
    Ok(())
}
