//! The methods run unchanged on a distributed operator: threads play the ranks.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::*;
use residua_data::Scalar;
use residua_solvers::krylov::{Bicgstab, BicgstabL, Cg, Fcg, Fgmres, Gmres, Idrs, Minres};
use residua_solvers::{LinearOperator, LinearSystem, Outcome, Solver, StopRule};
use std::sync::{Barrier, Mutex};

/// What the ranks share: a slot each for sums and for halos.
struct Shared {
    barrier: Barrier,
    sums: Mutex<Vec<Vec<f64>>>,
    halo: Mutex<Vec<(f64, f64)>>,
}

/// Rows start .. start + n of the tridiagonal matrix (−1 − c, 3, −1 + c), diagonal negated on odd rows if
/// `indefinite`.
struct Rank<'a> {
    shared: &'a Shared,
    rank: usize,
    ranks: usize,
    start: usize,
    n: usize,
    convection: f64,
    indefinite: bool,
}

impl LinearOperator<f64> for Rank<'_> {
    fn nrows(&self) -> usize {
        self.n
    }
    fn ncols(&self) -> usize {
        self.n
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.shared.halo.lock().unwrap()[self.rank] = (x[0], x[self.n - 1]);
        self.shared.barrier.wait();
        let (left, right) = {
            let halo = self.shared.halo.lock().unwrap();
            let left = if self.rank > 0 { halo[self.rank - 1].1 } else { 0.0 };
            (left, if self.rank + 1 < self.ranks { halo[self.rank + 1].0 } else { 0.0 })
        };
        self.shared.barrier.wait();
        for i in 0..self.n {
            let below = if i > 0 { x[i - 1] } else { left };
            let above = if i + 1 < self.n { x[i + 1] } else { right };
            let sign = if self.indefinite && (self.start + i) % 2 == 1 { -1.0 } else { 1.0 };
            y[i] = sign * 3.0 * x[i] + (-1.0 - self.convection) * below + (-1.0 + self.convection) * above;
        }
    }
    fn sum_over_ranks(&self, values: &mut [f64]) {
        self.shared.sums.lock().unwrap()[self.rank] = values.to_vec();
        self.shared.barrier.wait();
        {
            let sums = self.shared.sums.lock().unwrap();
            // in the order of ranks, so that all get the same bits
            values.iter_mut().enumerate().for_each(|(i, v)| *v = sums.iter().map(|s| s[i]).sum());
        }
        self.shared.barrier.wait();
    }
}

fn solve_on<S>(
    ranks: usize,
    n: usize,
    b: &[f64],
    kind: (f64, bool),
    method: impl Fn() -> S + Sync,
) -> (Vec<f64>, Outcome)
where
    S: for<'a> Solver<Rank<'a>>,
{
    let shared = Shared {
        barrier: Barrier::new(ranks),
        sums: Mutex::new(vec![Vec::new(); ranks]),
        halo: Mutex::new(vec![(0.0, 0.0); ranks]),
    };
    let parts: Vec<(Vec<f64>, Outcome)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..ranks)
            .map(|rank| {
                let (shared, method) = (&shared, &method);
                let (start, end) = (rank * n / ranks, (rank + 1) * n / ranks);
                scope.spawn(move || {
                    let (convection, indefinite) = kind;
                    let op = Rank { shared, rank, ranks, start, n: end - start, convection, indefinite };
                    let system = LinearSystem::new(&op, &b[start..end]).unwrap();
                    let mut x = vec![0.0; end - start];
                    let outcome = method().solve(&system, &mut x, &StopRule::rtol(1e-10), &mut ()).unwrap();
                    (x, outcome)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let outcome = parts[0].1.clone();
    for (_, other) in &parts {
        assert_eq!((other.reason, other.iterations), (outcome.reason, outcome.iterations));
        assert_eq!(other.residual_norm.to_bits(), outcome.residual_norm.to_bits());
    }
    (parts.into_iter().flat_map(|(x, _)| x).collect(), outcome)
}

fn check<S>(kind: (f64, bool), method: impl Fn() -> S + Sync)
where
    S: for<'a> Solver<Rank<'a>>,
{
    let n = 210;
    // Zero on the last rank: its local norms are 0 where the others' are not.
    let mut b = vector::<f64>(n, 1);
    b[150..].fill(0.0);
    let (serial, alone) = solve_on(1, n, &b, kind, &method);
    assert!(alone.converged(), "{alone:?}");
    for ranks in [2, 3] {
        let (x, outcome) = solve_on(ranks, n, &b, kind, &method);
        assert!(outcome.converged(), "{outcome:?}");
        assert!(outcome.iterations.abs_diff(alone.iterations) <= 1, "{outcome:?} {alone:?}");
        assert!(distance(&x, &serial) <= 1e-8 * norm(&serial));
    }
    let scale = f64::of(1e-200);
    let tiny: Vec<f64> = b.iter().map(|b| b * scale).collect();
    assert!(solve_on(3, n, &tiny, kind, &method).1.converged(), "norms that underflow are summed safely");
}

#[test]
fn definite_systems_on_ranks() {
    check((0.0, false), Cg::default);
    check((0.0, false), Fcg::default);
}

#[test]
fn indefinite_systems_on_ranks() {
    check((0.0, true), Minres::default);
}

#[test]
fn nonsymmetric_systems_on_ranks() {
    check((0.6, false), Gmres::default);
    check((0.6, false), Fgmres::default);
    check((0.6, false), Bicgstab::default);
    check((0.6, false), BicgstabL::default);
}

#[test]
fn idr_on_ranks() {
    // Every rank draws its own part of the shadow space, so that counts differ a little more.
    let b = vector::<f64>(210, 1);
    let (serial, alone) = solve_on(1, 210, &b, (0.6, false), Idrs::default);
    let (x, outcome) = solve_on(3, 210, &b, (0.6, false), Idrs::default);
    assert!(alone.converged() && outcome.converged() && outcome.iterations.abs_diff(alone.iterations) <= 10);
    assert!(distance(&x, &serial) <= 1e-8 * norm(&serial));
}
