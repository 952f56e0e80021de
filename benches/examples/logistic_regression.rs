//! Logistic regression on a sphere with many samples: the full Hessian against products with it, preconditioned by its diagonal's
//! stand-in (gmres) or by the Hessian of some samples (sketched).
//!
//! `cargo run --release -p residua-benches --example logistic_regression [SAMPLES]`, default 100,000.

#![allow(clippy::print_stdout)]

use residua_data::nlp::problems::{SparseSamples, SphereLogistic};
use residua_solvers::constrained::{IterationRecord, KktMethod, MinimizeOptions, minimize};
use std::error::Error;
use std::ops::ControlFlow;

fn main() -> Result<(), Box<dyn Error>> {
    let samples: usize = std::env::args().nth(1).map_or(Ok(100_000), |s| s.parse())?;
    println!("| features | scales | method | s | objective | KKT residual | steps | inner |");
    println!("|---|---|---|---|---|---|---|---|");
    for (features, decades) in [(100, 0.0), (100, 3.0), (300, 0.0), (300, 3.0)] {
        let mut set = SparseSamples::synthetic(samples, features, 1);
        let scale = |k: u32| 10f64.powf(-decades * f64::from(k) / features as f64);
        set.values.iter_mut().zip(&set.features).for_each(|(v, k)| *v *= scale(*k));
        let problem = SphereLogistic::new("logistic", set, 1);
        for (label, method, matrix_free) in [
            ("full, `direct`", KktMethod::Direct, false),
            ("products, `gmres`", KktMethod::Gmres, true),
            ("products, `sketched`", KktMethod::Sketched, true),
        ] {
            let options = MinimizeOptions { method, matrix_free, ..MinimizeOptions::default() };
            let mut silent = |_: &IterationRecord| ControlFlow::Continue(());
            let outcome = minimize(&problem, &options, None, &mut silent)?;
            println!(
                "| {features} | {decades} decades | {label} | {:.2} | {:.8} | {:.0e} | {} | {} |",
                outcome.elapsed.as_secs_f64(),
                outcome.objective,
                outcome.kkt_residual,
                outcome.iterations,
                outcome.inner_iterations
            );
        }
    }
    Ok(())
}
