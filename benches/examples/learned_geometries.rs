//! Solvers on geometries that no model was trained on: medians of iterations and seconds, set-up counted.
//!
//! `cargo run --release -p residua-benches --example learned_geometries -- DIM N CLASS RTOL FIRST-LAST SOLVER,SOLVER,...`, e.g.
//! `2 512 walls 1e-6 1-10 mg,learned,cg+amg`. CLASS: obstacles, walls, maze (any kind of `residua poisson`); FIRST-LAST: seeds, a
//! geometry and a right-hand side each; training draws its seeds from 2⁴⁰ on. Threads: `RAYON_NUM_THREADS`.
//!
//! | solver | |
//! |---|---|
//! | `cg+ic0`, `cg+mic0`, `cg+amg` | on the assembled matrix, whose assembly is not counted |
//! | `mg` | CG with geometric multigrid, matrix-free |
//! | `plain`, `derived`, `learned` | CG with the cycle of the learned preconditioner: untuned, corrected by hand, trained; matrix-free |
//! | `onnx`, `onnx-shared` | flexible CG with the same cycle as an ONNX graph: embedded runtime; ONNX Runtime |
//! | `dcdm`, `dcdm-shared` | deep conjugate directions with the network that is shipped: embedded runtime; ONNX Runtime |
//!
//! A solver stops after 500 iterations (CG with incomplete factors: 20,000).

#![allow(clippy::print_stdout)]

use residua_data::poisson::{PoissonKind, PoissonProblem, PoissonSystem, uniform_rhs};
use residua_learned::{
    Coefficients, GridMetadata, LearnedDirection, LearnedMultigrid, Model, Network, Runtime,
};
use residua_solvers::krylov::Fcg;
use residua_solvers::precond::multigrid::{GridProblem, PoissonMultigrid, StencilOperator};
use residua_solvers::precond::{Amg, Ic0, Ic0Options};
use residua_solvers::{Cg, LinearOperator, LinearSystem, Outcome, Solver, StopRule};
use std::ops::Add;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

/// Seconds by the wall, and of processors, all threads together.
#[derive(Clone, Copy)]
struct Seconds {
    wall: f64,
    cpu: f64,
}

impl Add for Seconds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, cpu: self.cpu + other.cpu }
    }
}

struct Clock {
    start: Instant,
    cpu: f64,
}

impl Clock {
    fn start() -> Self {
        Self { cpu: cpu_seconds(), start: Instant::now() }
    }

    fn elapsed(&self) -> Seconds {
        Seconds { wall: self.start.elapsed().as_secs_f64(), cpu: cpu_seconds() - self.cpu }
    }
}

/// Processor time of this process, which other processes do not add to; not a number where there is no Linux.
fn cpu_seconds() -> f64 {
    let of_thread = |entry: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(entry.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    match std::fs::read_dir("/proc/self/task") {
        Ok(threads) => threads.filter_map(of_thread).sum::<f64>() * 1e-9,
        Err(_) => f64::NAN,
    }
}

/// Set-up and solve, and the end.
struct Run {
    setup: Seconds,
    solve: Seconds,
    outcome: Outcome,
}

struct Case {
    dim: usize,
    n: usize,
    kind: PoissonKind,
    seed: u64,
    /// Assembled when it is first needed.
    system: Option<PoissonSystem>,
}

fn timed<A: LinearOperator<f64>, S: Solver<A, f64>>(
    a: &A,
    b: &[f64],
    mut solver: S,
    setup: Seconds,
    stop: &StopRule,
) -> Result<Run, Failure> {
    let system = LinearSystem::new(a, b)?;
    let mut x = vec![0.0; b.len()];
    let start = Clock::start();
    let outcome = solver.solve(&system, &mut x, stop, &mut ())?;
    Ok(Run { setup, solve: start.elapsed(), outcome })
}

impl Case {
    fn assembled(&mut self) -> Result<&PoissonSystem, Failure> {
        if self.system.is_none() {
            self.system =
                Some(PoissonProblem::new(self.kind, self.dim, self.n).with_seed(self.seed).build()?);
        }
        self.system.as_ref().ok_or_else(|| "no system".into())
    }

    fn run(&mut self, solver: &str, rtol: f64) -> Result<Run, Failure> {
        let (few, many) = (StopRule { max_iters: 500, ..StopRule::rtol(rtol) }, StopRule::rtol(rtol));
        let many = StopRule { max_iters: 20_000, ..many };
        if solver.starts_with("cg+") {
            let PoissonSystem { matrix: a, rhs: b, .. } = self.assembled()?;
            let start = Clock::start();
            let seconds = || start.elapsed();
            return match solver {
                "cg+ic0" => {
                    let ic0 = Ic0::new(a)?;
                    timed(a, b, Cg::new(ic0), seconds(), &many)
                }
                "cg+mic0" => {
                    let mic0 = Ic0::with_options(a, Ic0Options::modified(0.97))?;
                    timed(a, b, Cg::new(mic0), seconds(), &many)
                }
                "cg+amg" => {
                    let amg = Amg::new(a)?;
                    timed(a, b, Cg::new(amg), seconds(), &few)
                }
                _ => Err(format!("unknown solver {solver}").into()),
            };
        }
        let (grid, medium) =
            PoissonProblem::new(self.kind, self.dim, self.n).with_seed(self.seed).medium()?;
        let unknown_of_point = medium.unknown_of_point().map(<[u32]>::to_vec);
        let start = Clock::start();
        let seconds = || start.elapsed();
        if solver == "mg" {
            let mut mg = PoissonMultigrid::from_medium(grid, &medium, Default::default())?;
            let setup = seconds();
            let unknowns = GridProblem::new(grid, &medium)?.unknowns();
            let (b, mut x) = (uniform_rhs(unknowns, self.seed), vec![0.0; unknowns]);
            let start = Clock::start();
            let outcome = mg.solve(&b, &mut x, &few, &mut ())?;
            return Ok(Run { setup, solve: start.elapsed(), outcome });
        }
        let problem = GridProblem::new(grid, &medium)?;
        let operator = || StencilOperator::from_grid(&problem);
        let b = uniform_rhs(problem.unknowns(), self.seed);
        let runtime = if solver.ends_with("-shared") { Runtime::Shared } else { Runtime::Embedded };
        let coefficients = match solver {
            "plain" => Coefficients::plain(self.dim),
            "derived" => Coefficients::derived(self.dim),
            "learned" => Model::shipped(self.dim)?.coefficients,
            "onnx" | "onnx-shared" => {
                let direction = LearnedDirection::new(&Model::shipped(self.dim)?, &problem, runtime)?;
                return timed(&operator()?, &b, Fcg::new(direction).with_window(1), seconds(), &few);
            }
            "dcdm" | "dcdm-shared" => {
                let grid = GridMetadata { dims: vec![self.n; self.dim], unknown_of_point };
                let direction = LearnedDirection::network(&Network::shipped()?, &grid, runtime)?;
                return timed(&operator()?, &b, Fcg::new(direction).with_window(2), seconds(), &few);
            }
            _ => return Err(format!("unknown solver {solver}").into()),
        };
        let (a, precond) = rayon::join(operator, || LearnedMultigrid::new(&problem, &coefficients));
        timed(&a?, &b, Cg::new(precond?), seconds(), &few)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 if middle > 0 => 0.5 * (values[middle - 1] + values[middle]),
        _ => values.get(middle).copied().unwrap_or(f64::NAN),
    }
}

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dim, n, kind, rtol, seeds, solvers] = &args[..] else {
        return Err("expected DIM N CLASS RTOL FIRST-LAST SOLVER,SOLVER,...".into());
    };
    let (dim, n, kind, rtol) =
        (dim.parse::<usize>()?, n.parse::<usize>()?, kind.parse::<PoissonKind>()?, rtol.parse::<f64>()?);
    let (first, last) = seeds.split_once('-').ok_or("expected FIRST-LAST")?;
    let seeds = first.parse::<u64>()?..=last.parse::<u64>()?;
    let solvers: Vec<&str> = solvers.split(',').collect();
    let mut runs: Vec<Vec<Run>> = solvers.iter().map(|_| Vec::new()).collect();
    for seed in seeds {
        let mut case = Case { dim, n, kind, seed, system: None };
        for (runs, solver) in runs.iter_mut().zip(&solvers) {
            runs.push(case.run(solver, rtol)?);
        }
    }
    println!("{dim}D {n} {kind} rtol {rtol:e}, medians of {} geometries", runs.first().map_or(0, Vec::len));
    println!("| solver | iterations (most) | set-up | solve | seconds | processor seconds | not converged |");
    for (solver, runs) in solvers.iter().zip(&runs) {
        let of = |f: &dyn Fn(&Run) -> f64| median(runs.iter().map(f).collect());
        let most = runs.iter().map(|r| r.outcome.iterations).max().unwrap_or(0);
        println!(
            "| {solver} | {} ({most}) | {:.4} | {:.4} | {:.4} | {:.4} | {} |",
            of(&|r| r.outcome.iterations as f64),
            of(&|r| r.setup.wall),
            of(&|r| r.solve.wall),
            of(&|r| (r.setup + r.solve).wall),
            of(&|r| (r.setup + r.solve).cpu),
            runs.iter().filter(|r| !r.outcome.converged()).count(),
        );
    }
    Ok(())
}
