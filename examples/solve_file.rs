//! Reads a Matrix Market file, lets `auto` choose, and prints what happened.
//!
//! ```text
//! cargo run --release --example solve_file -- data/matrices/jump3d.mtx
//! ```
#![allow(clippy::print_stdout)]

use residua::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "data/matrices/poisson2d.mtx".to_owned());
    let a: CsrMatrix = matrix_market::read_csr(&path)?.matrix;
    // A right-hand side with a known solution, so that the error can be shown beside the residual.
    let exact = vec![1.0; a.ncols()];
    let mut b = vec![0.0; a.nrows()];
    a.multiply(&exact, &mut b);

    let mut session = Session::new(&a, &Options::default())?;
    let mut x = vec![0.0; a.ncols()];
    let report = session.solve(&b, &mut x, &StopRule::rtol(1e-10), &mut ())?;

    let error = x.iter().zip(&exact).map(|(x, e)| (x - e).abs()).fold(0.0, f64::max);
    println!("{path}: {} x {}, {} entries", a.nrows(), a.ncols(), a.nnz());
    println!("{} + {}, because {}", report.method, report.precond, report.why);
    println!(
        "{}; relative residual {:.1e}, largest error {error:.1e}",
        report.outcome.reason, report.outcome.relative_residual
    );
    report.outcome.require_converged()?;
    Ok(())
}
