//! What the kernels reach of the memory's bandwidth: bytes that a kernel must move, over its time, beside the
//! triad measured in the same process.
//!
//! ```text
//! cargo bench --bench bandwidth            # the 7-point matrix of 128 x 128 x 128 unknowns
//! cargo bench --bench bandwidth -- 64      # of 64 x 64 x 64
//! ```
#![allow(clippy::print_stdout)]

use residua_benches::stream::{best_of, triad};
use residua_data::poisson::{PoissonKind, PoissonProblem};
use residua_solvers::precond::{Ic0, Jacobi};
use residua_solvers::{
    Cg, CsrMatrix, LinearOperator, LinearSystem, Preconditioner, Solver, StopRule, kernels,
};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: residua_data::memory::LargePages = residua_data::memory::LargePages;

const REPEATS: usize = 20;

struct Table {
    triad: f64,
}

impl Table {
    fn row(&self, name: &str, bytes: f64, time: Duration) {
        let speed = bytes / time.as_secs_f64();
        println!(
            "{name:30} {:8.3} ms {:7.2} GB/s {:5.0} %",
            1e3 * time.as_secs_f64(),
            speed / 1e9,
            100.0 * speed / self.triad
        );
    }
}

fn kernels_on(a: &CsrMatrix, b: &[f64]) -> Result<(), Box<dyn std::error::Error>> {
    let (n, nnz) = (a.nrows() as f64, a.nnz() as f64);
    let table = Table { triad: triad(REPEATS) };
    println!("threads {}: triad {:.2} GB/s", rayon::current_num_threads(), table.triad / 1e9);
    let x = b.to_vec();
    let (mut y, mut p, d) = (vec![0.0; x.len()], b.to_vec(), b.to_vec());
    let product = 12.0 * nnz + 4.0 * (n + 1.0) + 16.0 * n;
    table.row("y = A x", product, best_of(REPEATS, || a.apply(&x, &mut y)));
    table.row(
        "y = A x and x.y",
        product,
        best_of(REPEATS, || {
            a.apply_dot(&x, &mut y);
        }),
    );
    table.row("r = b - A x", product + 8.0 * n, best_of(REPEATS, || a.residual(b, &x, &mut y)));
    table.row(
        "x.y",
        16.0 * n,
        best_of(REPEATS, || {
            std::hint::black_box(kernels::dot(&x, &y));
        }),
    );
    table.row("y += a x", 24.0 * n, best_of(REPEATS, || kernels::axpy(1e-9, &x, &mut y)));
    table.row(
        "r -= a q, |r|, r.D r",
        32.0 * n,
        best_of(REPEATS, || {
            kernels::axpy_norms_diagonal(1e-9, &x, &d, &mut y);
        }),
    );
    let mut z = b.to_vec();
    table.row(
        "x += a p, p = D r + b p",
        48.0 * n,
        best_of(REPEATS, || kernels::update_x_and_p_diagonal(1e-9, &d, &x, 0.5, &mut z, &mut p)),
    );
    let mut ic0 = Ic0::new(a)?;
    let sweep = 12.0 * (nnz - n) + 48.0 * n;
    table.row("z = M^-1 r, IC(0)", sweep, best_of(REPEATS, || ic0.apply(b, &mut z).unwrap_or(())));

    // A whole iteration of CG + Jacobi: the product and the two fused passes.
    let iterations = 30;
    let system = LinearSystem::new(a, b)?;
    let mut cg = Cg::new(Jacobi::new(a)?);
    let stop = StopRule::rtol(1e-30).with_max_iters(iterations);
    let time = best_of(3, || {
        x_is_zero(&mut z);
        let _ = cg.solve(&system, &mut z, &stop, &mut ());
    });
    // The start and the verification cost about two more products.
    let bytes = iterations as f64 * (product + 80.0 * n) + 2.0 * product;
    table.row("CG + Jacobi, 30 iterations", bytes, time);
    Ok(())
}

fn x_is_zero(x: &mut [f64]) {
    x.fill(0.0);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let n = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(128);
    let system = PoissonProblem::new(PoissonKind::Constant, 3, n).build()?;
    println!("7-point matrix, {n} x {n} x {n}: {} entries", system.matrix.nnz());
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        pool.install(|| kernels_on(&system.matrix, &system.rhs).map_err(|e| e.to_string()))?;
    }
    Ok(())
}
