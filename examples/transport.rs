//! Moves one cloud of points onto another, or the grey levels of one image onto another's.
//!
//! ```text
//! cargo run --release --example transport
//! cargo run --release --example transport -- A.png B.png
//! ```
#![allow(clippy::print_stdout)]

use residua::data::arrays;
use residua::prelude::*;
use residua::transport::{PlanOperator, lp_bound};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let problem = match &files[..] {
        [source, target] => between_images(source, target)?,
        _ => between_clouds()?,
    };
    let options = TransportOptions::new(Epsilon::Relative(1e-3));
    let outcome = transport::solve(&problem, &options, None, &mut ())?;
    println!("{}: marginal error {:.1e}", outcome.status, outcome.marginal_error);
    println!("{} sweeps, {} Newton steps", outcome.sinkhorn_iterations, outcome.newton_iterations);

    // The plan with exact marginals costs no less than the optimum, the dual bound no more.
    let plan = transport::plan(&problem, &outcome.potentials, outcome.epsilon, 1e-12)?;
    let rounded = transport::round_plan(&problem, &plan.matrix)?;
    let bound = lp_bound(&problem, &outcome.potentials)?;
    println!("least transport cost between {:.6} and {:.6}", bound.value, rounded.transport_cost);

    if let Cost::Points(points) = problem.cost() {
        let operator = PlanOperator::new(&problem, &outcome.potentials, outcome.epsilon)?;
        let map = operator.barycentric_map(points.target())?;
        println!("the first source goes to {:?} on average", &map[..points.source().dim()]);
    }
    Ok(())
}

/// Grey levels as densities, pixel centres one apart.
fn between_images(source: &str, target: &str) -> Result<TransportProblem, Box<dyn std::error::Error>> {
    let side = |file: &str| -> Result<_, Box<dyn std::error::Error>> {
        let image = arrays::read(file)?;
        let sum: f64 = image.values.iter().sum();
        let centres =
            (0..image.values.len()).flat_map(|k| [(k / image.cols) as f64, (k % image.cols) as f64]);
        let weights = image.values.iter().map(|v| v / sum).collect();
        Ok((PointCloud::new(2, centres.collect())?, weights))
    };
    let ((x, a), (y, b)): ((_, Vec<f64>), (_, Vec<f64>)) = (side(source)?, side(target)?);
    Ok(TransportProblem::new(Cost::points(x, y, Ground::SqEuclidean)?, a, b)?)
}

/// Points on a circle, and on one twice as large.
fn between_clouds() -> Result<TransportProblem, Box<dyn std::error::Error>> {
    let circle = |n: usize, radius: f64| {
        let angle = |k: usize| std::f64::consts::TAU * k as f64 / n as f64;
        PointCloud::new(2, (0..n).flat_map(|k| [radius * angle(k).cos(), radius * angle(k).sin()]).collect())
    };
    Ok(TransportProblem::uniform(Cost::points(circle(300, 1.0)?, circle(200, 2.0)?, Ground::SqEuclidean)?)?)
}
