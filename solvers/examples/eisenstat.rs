//! Eisenstat's trick against plain and preconditioned CG on Poisson problems: iterations and milliseconds.
//!
//! `cargo run --release -p residua-solvers --example eisenstat -- [2d|3d] [N] [only methods whose name contains this]`
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use residua_solvers::{
    CsrMatrix, LinearSystem, Solver, StopRule,
    krylov::{Cg, EisenstatCg},
    precond::{Ic0, Ic0Options, Ssor},
};
use std::time::Instant;

/// The 2 d + 1 point Laplacian on nᵈ points, Dirichlet values eliminated.
fn laplacian(dim: u32, n: usize) -> CsrMatrix {
    let size = n.pow(dim);
    let (mut row_ptr, mut cols, mut vals) = (vec![0u32], vec![], vec![]);
    for i in 0..size {
        let mut row: Vec<(u32, f64)> = vec![(i as u32, 2.0 * f64::from(dim))];
        for stride in (0..dim).map(|d| n.pow(d)) {
            let along = i / stride % n;
            if along > 0 {
                row.push(((i - stride) as u32, -1.0));
            }
            if along + 1 < n {
                row.push(((i + stride) as u32, -1.0));
            }
        }
        row.sort_by_key(|e| e.0);
        cols.extend(row.iter().map(|e| e.0));
        vals.extend(row.iter().map(|e| e.1));
        row_ptr.push(cols.len() as u32);
    }
    CsrMatrix::try_new(size, size, row_ptr, cols, vals).unwrap()
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let dim = if args.get(1).is_some_and(|a| a == "3d") { 3 } else { 2 };
    let n: usize = args.get(2).map_or(if dim == 3 { 64 } else { 512 }, |s| s.parse().unwrap());
    let a = laplacian(dim, n);
    let b: Vec<f64> = (0..a.nrows()).map(|i| (i as f64 * 12.9898).sin()).collect();
    let omega = 2.0 / (1.0 + 1.6 * std::f64::consts::PI / n as f64);
    println!("{dim}D, {n} a side, omega = {omega:.4}, {} threads", rayon::current_num_threads());
    let report = |name: &str, setup: &mut dyn FnMut() -> Box<dyn Solver<CsrMatrix>>| {
        if args.get(3).is_some_and(|only| !name.contains(only.as_str())) {
            return;
        }
        let start = Instant::now();
        let mut solver = setup();
        let setup_ms = start.elapsed().as_secs_f64() * 1e3;
        let system = LinearSystem::new(&a, &b).unwrap();
        let mut best = f64::INFINITY;
        let mut iterations = 0;
        for _ in 0..8 {
            let mut x = vec![0.0; a.ncols()];
            let outcome = solver.solve(&system, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap();
            assert!(outcome.converged(), "{outcome:?}");
            best = best.min(outcome.elapsed.as_secs_f64() * 1e3);
            iterations = outcome.iterations;
        }
        let each = best / iterations as f64;
        println!("{name:24} set-up {setup_ms:7.1} ms  {iterations:5} its  {best:8.1} ms  {each:7.3} ms/it");
    };
    report("cg", &mut || Box::new(Cg::default()));
    report("cg + ssor(1)", &mut || Box::new(Cg::new(Ssor::new(&a, 1.0).unwrap())));
    report("eisenstat ssor(1)", &mut || Box::new(EisenstatCg::ssor(&a, 1.0).unwrap()));
    report("cg + ssor(omega)", &mut || Box::new(Cg::new(Ssor::new(&a, omega).unwrap())));
    report("eisenstat ssor(omega)", &mut || Box::new(EisenstatCg::ssor(&a, omega).unwrap()));
    report("cg + ic0", &mut || Box::new(Cg::new(Ic0::new(&a).unwrap())));
    report("eisenstat dic", &mut || Box::new(EisenstatCg::dic(&a).unwrap()));
    let mic = Ic0Options::modified(0.97);
    report("cg + mic(0.97)", &mut || Box::new(Cg::new(Ic0::with_options(&a, mic).unwrap())));
    report("eisenstat mdic(0.97)", &mut || Box::new(EisenstatCg::modified_dic(&a, 0.97).unwrap()));
}
