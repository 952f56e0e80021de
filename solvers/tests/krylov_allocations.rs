//! A second solve allocates nothing.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::*;
use residua_data::CsrMatrix;
use residua_solvers::krylov::Lsmr;
use residua_solvers::{LinearSystem, Solver, StopRule};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts the allocations of the thread that asks.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's contract is the system's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(f: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.with(Cell::get);
    f();
    ALLOCATIONS.with(Cell::get) - before
}

/// Runs on the one worker of a pool, since handing work to a pool allocates.
fn on_a_worker(f: impl FnOnce() + Send) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(f);
}

#[test]
fn a_second_solve_allocates_nothing() {
    on_a_worker(check_all);
}

fn check_all() {
    let n = 2000;
    let a = definite::<f64>(n);
    let b = vector::<f64>(n, 1);
    let system = LinearSystem::new(&a, &b).unwrap();
    let mut x = vec![0.0; n];
    let rule = StopRule::rtol(1e-10);
    let mut check = |method: &mut dyn Solver<CsrMatrix<f64>>| {
        x.fill(0.0);
        let first =
            allocations(|| assert!(method.solve(&system, &mut x, &rule, &mut ()).unwrap().converged()));
        assert!(first > 0, "{}: the counter counts", method.name());
        x.fill(0.0);
        let second =
            allocations(|| assert!(method.solve(&system, &mut x, &rule, &mut ()).unwrap().converged()));
        assert_eq!(second, 0, "{}", method.name());
    };
    for mut method in plain_methods() {
        check(&mut *method);
    }
    for mut method in jacobi_methods(&a) {
        check(&mut *method);
    }
}

#[test]
fn a_second_solve_by_lsmr_allocates_nothing() {
    let op = definite::<f64>(500);
    let b = vector::<f64>(500, 1);
    let system = LinearSystem::new(&op, &b).unwrap();
    let mut method = Lsmr::new();
    for expected in [false, true] {
        let mut x = vec![0.0; 500];
        let count = allocations(|| {
            assert!(method.solve(&system, &mut x, &StopRule::rtol(1e-8), &mut ()).unwrap().converged());
        });
        assert_eq!(count == 0, expected);
    }
}
