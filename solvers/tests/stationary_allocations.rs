//! The second solve with the same object allocates nothing: relaxation, Chebyshev and Eisenstat's CG.
#![allow(clippy::unwrap_used)]

use residua_solvers::krylov::{Chebyshev, EisenstatCg};
use residua_solvers::precond::{self, Identity, Jacobi, Preconditioner, Ssor};
use residua_solvers::stationary::{JacobiIteration, Sor, SweepKind};
use residua_solvers::{CsrMatrix, LinearSystem, Refresh, Solver, StopRule};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting what the present thread asks for: the test harness has threads of its own.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn allocations() -> usize {
    ALLOCATIONS.with(Cell::get)
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn laplacian(side: usize) -> CsrMatrix {
    let mut coo = residua_data::CooBuilder::new(side * side, side * side).unwrap();
    for i in 0..side * side {
        coo.push(i, i, 4.5).unwrap();
        for j in [i + 1, i + side] {
            if j < side * side && (j != i + 1 || j % side != 0) {
                coo.push(i, j, -1.0).unwrap();
                coo.push(j, i, -1.0).unwrap();
            }
        }
    }
    coo.build().unwrap()
}

// The system is small enough for every loop to stay on this thread.
#[test]
fn a_second_solve_allocates_nothing() {
    let a = laplacian(60);
    let b: Vec<f64> = (0..a.nrows()).map(|i| (i as f64).sin()).collect();
    let system = LinearSystem::new(&a, &b).unwrap();
    let mut methods: Vec<Box<dyn Solver<CsrMatrix>>> = vec![
        Box::new(JacobiIteration::default()),
        Box::new(Sor::new(1.3).unwrap()),
        Box::new(Sor::new(1.3).unwrap().with_sweep(SweepKind::Backward)),
        Box::new(Sor::symmetric(1.3).unwrap()),
        Box::new(Chebyshev::new(Identity)),
        Box::new(Chebyshev::new(Jacobi::new(&a).unwrap())),
        Box::new(Chebyshev::new(Ssor::new(&a, 1.2).unwrap())),
        Box::new(Chebyshev::new(precond::Chebyshev::new(a.clone(), 2).unwrap())),
        Box::new(EisenstatCg::ssor(&a, 1.5).unwrap()),
        Box::new(EisenstatCg::dic(&a).unwrap()),
    ];
    let mut x = vec![0.0; a.nrows()];
    for (k, method) in methods.iter_mut().enumerate() {
        let mut solve = || {
            x.fill(0.0);
            let before = allocations();
            let outcome = method.solve(&system, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap();
            assert!(outcome.converged(), "{k}: {outcome:?}");
            allocations() - before
        };
        solve();
        assert_eq!(solve(), 0, "method {k}");
    }
    let mut ssor = Ssor::new(&a, 1.5).unwrap();
    let before = allocations();
    ssor.apply(&b, &mut x).unwrap();
    assert_eq!(allocations(), before, "ssor");
    ssor.refresh(&a).unwrap();
}
