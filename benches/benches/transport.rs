//! What a sweep of transport costs: nanoseconds a pair of points, and the bytes of a stored cost over its time, beside the triad
//! measured in the same process.
//!
//! ```text
//! cargo bench -p residua-benches --bench transport            # 2000 x 2000
//! cargo bench -p residua-benches --bench transport -- 4000
//! ```
//!
//! A sweep is one pass over all pairs that serves both half-steps. Its time is that of 2 K plain sweeps less that of K, over K. At a
//! large ε every pair has its exponential; at a small one most are below the floor of what may be left out.
#![allow(clippy::print_stdout)]

use residua_benches::stream::{best_of, triad};
use residua_data::poisson::uniform_rhs;
use residua_solvers::transport::{
    Cost, Epsilon, Ground, PointCloud, TransportMethod, TransportOptions, TransportProblem, TransportSolver,
};

/// K.
const SWEEPS: usize = 10;

const REPEATS: usize = 5;

/// Seconds of a sweep.
fn sweep(problem: &TransportProblem, epsilon: f64) -> f64 {
    let mut solver = TransportSolver::new();
    let mut seconds = |sweeps| {
        let options = TransportOptions {
            method: TransportMethod::Sinkhorn,
            omega: Some(1.0),
            tol: 1e-300,
            max_iters: Some(sweeps),
            ..TransportOptions::new(Epsilon::Relative(epsilon))
        };
        best_of(REPEATS, || {
            let outcome = solver.solve(problem, &options, None, &mut ());
            assert!(outcome.is_ok(), "a failed solve is not timed");
        })
        .as_secs_f64()
    };
    (seconds(2 * SWEEPS) - seconds(SWEEPS)) / SWEEPS as f64
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let n = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(2000);
    let points = |seed| PointCloud::new(2, uniform_rhs(2 * n, seed));
    let stored = Cost::dense(n, n, uniform_rhs(n * n, 3).iter().map(|c| c.abs()).collect())?;
    let cloud = Cost::points(points(1)?, points(2)?, Ground::SqEuclidean)?;
    let problems = [
        ("stored cost", TransportProblem::uniform(stored)?, true),
        ("points in the plane, squared l2", TransportProblem::uniform(cloud)?, false),
    ];
    println!("{n} x {n} pairs");
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        pool.install(|| {
            let triad = triad(REPEATS);
            println!("threads {threads}: triad {:.2} GB/s", triad / 1e9);
            for (name, problem, is_stored) in &problems {
                for epsilon in [1e-1, 1e-3] {
                    let (seconds, pairs) = (sweep(problem, epsilon), (n * n) as f64);
                    let of_triad = if *is_stored {
                        format!("{:7.2} GB/s {:5.0} %", 8e-9 * pairs / seconds, 800.0 * pairs / seconds / triad)
                    } else {
                        String::new()
                    };
                    let nanoseconds = 1e9 * seconds * threads as f64 / pairs;
                    println!(
                        "{name:32} eps {epsilon:5.0e} {:8.3} ms {nanoseconds:6.2} ns a pair and thread {of_triad}",
                        1e3 * seconds
                    );
                }
            }
        });
    }
    Ok(())
}
