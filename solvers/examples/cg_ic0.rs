//! CG with IC(0) on constant-coefficient Poisson problems: iterations, milliseconds and GB/s.
//!
//! `cargo run --release -p residua-solvers --example cg_ic0 -- [2d|3d] N [relaxation] [full]`
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use residua_solvers::{
    CsrMatrix, LinearSystem, Preconditioner, Solver, SparseRows, StopRule,
    krylov::Cg,
    precond::{Ic0, Ic0Options},
};
use std::time::Instant;

/// The 2 d + 1 point Laplacian on nᵈ points, Dirichlet values eliminated.
fn laplacian(dim: u32, n: usize) -> CsrMatrix {
    let size = n.pow(dim);
    let (mut row_ptr, mut cols, mut vals) = (vec![0u32], vec![], vec![]);
    for i in 0..size {
        let strides = (0..dim).map(|d| n.pow(d));
        let mut row: Vec<(u32, f64)> = vec![(i as u32, 2.0 * f64::from(dim))];
        for s in strides {
            let along = i / s % n;
            if along > 0 {
                row.push(((i - s) as u32, -1.0));
            }
            if along + 1 < n {
                row.push(((i + s) as u32, -1.0));
            }
        }
        row.sort_by_key(|e| e.0);
        cols.extend(row.iter().map(|e| e.0));
        vals.extend(row.iter().map(|e| e.1));
        row_ptr.push(cols.len() as u32);
    }
    CsrMatrix::try_new(size, size, row_ptr, cols, vals).unwrap()
}

/// Uniform in (-1, 1) by splitmix64 from seed 12345.
fn rhs(n: usize) -> Vec<f64> {
    let mut state = 12345u64;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        2.0 * ((z >> 11) as f64 / 9_007_199_254_740_992.0) - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Processor time of all threads so far in seconds, which other programs disturb less than wall time does;
/// none where the system does not tell.
fn cpu_seconds() -> Option<f64> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let nanoseconds = tasks.flatten().filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Some(nanoseconds.sum::<u64>() as f64 * 1e-9)
}

/// The shortest of `count` runs, in milliseconds: of processor time with one thread, else of wall time.
fn shortest(count: usize, mut run: impl FnMut()) -> f64 {
    let alone = rayon::current_num_threads() == 1;
    let clock = |start: &Instant| alone.then(cpu_seconds).flatten().unwrap_or(start.elapsed().as_secs_f64());
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        let before = clock(&start);
        run();
        (clock(&start) - before) * 1e3
    };
    (0..count).map(|_| time(&mut run)).fold(f64::INFINITY, f64::min)
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let dim = if args.first().is_some_and(|d| d == "3d") { 3 } else { 2 };
    let n = args.get(1).map_or(1024, |n| n.parse().unwrap());
    let relaxation = args.get(2).map_or(0.0, |w| w.parse().unwrap());
    let compact = args.get(3).is_none();
    let options = Ic0Options { relaxation, compact, ..Ic0Options::default() };
    let a = laplacian(dim, n);
    let b = rhs(a.nrows());
    rayon::ThreadPoolBuilder::new().build_global().unwrap();
    let threads = rayon::current_num_threads();
    let mut ic0 = Ic0::with_options(&a, options).unwrap();
    let setup = shortest(3, || ic0 = Ic0::with_options(&a, options).unwrap());
    let mut z = vec![0.0; b.len()];
    let apply = shortest(60, || ic0.apply(&b, &mut z).unwrap());
    let multiply = shortest(60, || a.csr().multiply(&b, &mut z));
    let rows = b.len() as f64;
    let apply_gb = (if compact { 8.0 } else { 12.0 } * ic0.factor().nnz() as f64 + 48.0 * rows) / 1e9;
    let multiply_gb = (12.0 * a.nnz() as f64 + 20.0 * rows) / 1e9;
    println!(
        "{dim}D {n}: {threads} threads, stages {}, tasks {}, set-up {setup:.1} ms, apply {apply:.3} ms = {:.1} GB/s, A x {multiply:.3} ms = {:.1} GB/s",
        ic0.factor().schedule().stage_count(),
        ic0.factor().schedule().task_count(),
        apply_gb / apply * 1e3,
        multiply_gb / multiply * 1e3,
    );
    let mut cg = Cg::new(ic0);
    let system = LinearSystem::new(&a, &b).unwrap();
    let mut x = vec![0.0; b.len()];
    let before = cpu_seconds();
    let outcome = cg.solve(&system, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap();
    let cpu = cpu_seconds().zip(before).map_or(f64::NAN, |(after, before)| after - before);
    let per_iteration = 1e3 / outcome.iterations as f64;
    let wall = outcome.elapsed.as_secs_f64();
    println!(
        "  {:?}: {} iterations; wall {wall:.3} s, {:.3} ms an iteration; processor {cpu:.3} s, {:.3} ms an iteration",
        outcome.reason,
        outcome.iterations,
        wall * per_iteration,
        cpu * per_iteration,
    );
}
