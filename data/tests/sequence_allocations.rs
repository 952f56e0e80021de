//! A step of a built-in sequence allocates nothing.
#![allow(missing_docs, clippy::unwrap_used)]

use residua_data::sequence::{
    HeatEquation, JumpDrift, MovingObstacleFlow, Sequence, ShiftedLaplacian, Variance,
};
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

fn check(sequence: &mut dyn Sequence) {
    let x = vec![0.25; sequence.matrix().nrows()];
    for step in 0..4 {
        let before = ALLOCATIONS.with(Cell::get);
        let solution: &[f64] = if step == 0 { &[] } else { &x };
        assert!(sequence.advance(solution).unwrap());
        assert_eq!(ALLOCATIONS.with(Cell::get) - before, 0, "step {step}");
    }
}

#[test]
fn a_step_allocates_nothing() {
    check(&mut HeatEquation::new(20, 4).unwrap());
    check(&mut ShiftedLaplacian::new(10, 4, Variance::High, 0).unwrap());
    check(&mut JumpDrift::new(20, 4, 1e3).unwrap());
    check(&mut MovingObstacleFlow::new(16, 4, 0).unwrap());
}
