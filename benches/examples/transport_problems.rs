//! Times of entropic transport on problems of the kinds that papers use, one line a problem and ε.
//!
//! `cargo run --release -p residua-benches --example transport_problems -- [NAMES] [EPSILONS] [METHOD]`, e.g.
//! `assign500,images-l2,images-l1,mixture1000 1e-2,1e-3,1e-4 auto`; `cloudN` is `mixtureN` with the cost computed from the
//! points. ε is relative to the largest cost. `sns:N1:K` is the published method with N1 sweeps and λ = K/n, at most
//! 500 Newton steps and 20 s. Threads: `RAYON_NUM_THREADS`.

#![allow(clippy::print_stdout)]

use residua_solvers::transport::{
    Cost, Epsilon, Ground, PointCloud, TransportError, TransportOptions, TransportProblem, TransportSolver,
};
use std::time::{Duration, Instant};

/// A small generator with a fixed seed, so that every run times the same problems.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A pen stroke along a cubic curve on 28 × 28 pixels, as a density, mixed with 1/800 of the uniform one.
fn stroke(random: &mut Random) -> Vec<f64> {
    let points: Vec<[f64; 2]> = (0..4).map(|_| [0, 1].map(|_| 5.0 + 17.0 * random.uniform())).collect();
    let curve = |k: usize, t: f64| {
        let s = 1.0 - t;
        s * s * s * points[0][k]
            + 3.0 * t * s * s * points[1][k]
            + 3.0 * t * t * s * points[2][k]
            + t * t * t * points[3][k]
    };
    let ink = |pixel: usize| {
        let (y, x) = ((pixel / 28) as f64, (pixel % 28) as f64);
        let near = (0..120)
            .map(|k| {
                let t = f64::from(k) / 119.0;
                (y - curve(0, t)).powi(2) + (x - curve(1, t)).powi(2)
            })
            .fold(f64::INFINITY, f64::min);
        let value = (-near / 2.42).exp();
        if value < 0.25 { 0.0 } else { value }
    };
    let image: Vec<f64> = (0..784).map(ink).collect();
    let sum: f64 = image.iter().sum();
    image.iter().map(|p| (1.0 - 1.0 / 800.0) * p / sum + 1.0 / (800.0 * 784.0)).collect()
}

/// Points of a mixture of Gaussians in the plane.
fn mixture(
    random: &mut Random,
    n: usize,
    means: &[[f64; 2]],
    sigma: f64,
) -> Result<PointCloud, TransportError> {
    let mut coordinates = Vec::with_capacity(2 * n);
    for _ in 0..n {
        let mean = means[((random.uniform() * means.len() as f64) as usize).min(means.len() - 1)];
        coordinates.extend(mean.map(|m| m + sigma * random.normal()));
    }
    PointCloud::new(2, coordinates)
}

fn stored(cost: &Cost) -> Result<Cost, TransportError> {
    let (n, m) = (cost.rows(), cost.cols());
    Cost::dense(n, m, (0..n * m).map(|k| cost.entry(k / m, k % m)).collect())
}

fn problem(name: &str) -> Result<TransportProblem, Box<dyn std::error::Error>> {
    let mut random = Random(0x5eed_0000_0001);
    if let Some(n) = name.strip_prefix("assign") {
        let n: usize = n.parse()?;
        let values = (0..n * n).map(|_| random.uniform()).collect();
        return Ok(TransportProblem::uniform(Cost::dense(n, n, values)?)?);
    }
    if let Some(ground) = name.strip_prefix("images-") {
        let ground: Ground = if ground == "l2" { Ground::SqEuclidean } else { ground.parse()? };
        let pixels = (0..784).flat_map(|k| [(k / 28) as f64, (k % 28) as f64]).collect();
        let pixels = PointCloud::new(2, pixels)?;
        let (a, b) = (stroke(&mut random), stroke(&mut random));
        return Ok(TransportProblem::new(stored(&Cost::points(pixels.clone(), pixels, ground)?)?, a, b)?);
    }
    let size = name.strip_prefix("mixture").or(name.strip_prefix("cloud")).ok_or("unknown problem name")?;
    let n: usize = size.parse()?;
    let source = mixture(&mut random, n, &[[0.0, 0.0], [4.0, 0.0], [2.0, 3.0]], 0.7)?;
    let target = mixture(&mut random, n, &[[1.0, 1.0], [3.0, 2.0]], 0.9)?;
    let cost = Cost::points(source, target, Ground::SqEuclidean)?;
    Ok(TransportProblem::uniform(if name.starts_with("cloud") { cost } else { stored(&cost)? })?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let argument = |k: usize, default: &'static str| args.get(k).map_or(default, String::as_str);
    let mut published = argument(2, "auto").split(':');
    let method = published.next().unwrap_or_default().parse()?;
    let sweeps: Option<usize> = published.next().map(str::parse).transpose()?;
    let kept: Option<f64> = published.next().map(str::parse).transpose()?;
    println!(
        "| problem | ε | seconds | sweeps | Newton | CG | factorizations | marginal error | ⟨C, P⟩ | status |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for name in argument(0, "assign500,images-l2,images-l1,mixture1000,assign2000,mixture4000").split(',') {
        let problem = problem(name)?;
        for epsilon in argument(1, "1e-2,1e-3,1e-4").split(',') {
            let mut options = TransportOptions::new(Epsilon::Relative(epsilon.parse()?));
            options.method = method;
            options.time_limit = Some(Duration::from_secs(300));
            if let Some(sweeps) = sweeps {
                options.sns_sweeps = sweeps;
                options.sns_density = kept.map(|k| k / problem.source().len() as f64);
                options.max_iters = Some(2 * sweeps + 2000);
                options.time_limit = Some(Duration::from_secs(20));
            }
            let mut solver = TransportSolver::new();
            let mut best = f64::INFINITY;
            let outcome = loop {
                let start = Instant::now();
                let outcome = solver.solve(&problem, &options, None, &mut ())?;
                let seconds = start.elapsed().as_secs_f64();
                // The least of a few runs: until one is no better, or is long by itself.
                if seconds > 0.9 * best || seconds > 2.0 {
                    best = best.min(seconds);
                    break outcome;
                }
                best = seconds;
            };
            println!(
                "| {name} | {epsilon} | {best:.4} | {} | {} | {} | {} | {:.1e} | {:.9} | {} |",
                outcome.sinkhorn_iterations,
                outcome.newton_iterations,
                outcome.cg_iterations,
                outcome.factorizations,
                outcome.marginal_error,
                outcome.transport_cost,
                outcome.status
            );
        }
    }
    Ok(())
}
