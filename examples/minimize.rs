//! Minimises a function on a sphere, written as a model, and solves an optimal control problem for Poisson's equation.
//!
//! `cargo run --release --example minimize`

#![allow(clippy::print_stdout)]

use residua::data::nlp::expression::{Expr, Model};
use residua::data::nlp::problems::PoissonControl;
use residua::prelude::*;
use std::error::Error;
use std::ops::ControlFlow;

fn main() -> Result<(), Box<dyn Error>> {
    // min x + 2 y + 3 z on the unit sphere: the answer is -(1, 2, 3) / sqrt(14).
    let model = Model::new("sphere");
    let x = model.variables(&[1.0, 0.5, 0.5]);
    model.minimize(x[0] + 2.0 * x[1] + 3.0 * x[2]);
    model.equality(x.iter().map(|x| x.powi(2)).sum::<Expr>(), 1.0);
    let problem = model.problem()?;

    let mut log = |record: &IterationRecord| {
        println!("{:4} {:14.9} {:9.1e}", record.iteration, record.objective, record.kkt_residual);
        ControlFlow::Continue(())
    };
    let outcome = minimize(&problem, &MinimizeOptions::default(), None, &mut log)?;
    println!("{}: x = {:.6?}, multiplier {:.6}", outcome.status.as_str(), outcome.x, outcome.multipliers[0]);
    assert!((outcome.objective + 14f64.sqrt()).abs() < 1e-6);

    // A state and a control at each point of a grid, tied by Poisson's equation.
    let control = PoissonControl::new("control", 32);
    let mut silent = |_: &IterationRecord| ControlFlow::Continue(());
    let outcome = minimize(&control, &MinimizeOptions::default(), None, &mut silent)?;
    println!(
        "control on {0} x {0}: {1}, objective {2:.9}, {3} iterations, KKT residual {4:.1e}, by {5}",
        control.side(),
        outcome.status.as_str(),
        outcome.objective,
        outcome.iterations,
        outcome.kkt_residual,
        outcome.kkt_solver
    );
    assert!(outcome.kkt_residual <= 1e-6);
    Ok(())
}
