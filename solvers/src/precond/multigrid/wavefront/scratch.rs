//! What a task keeps in cache, and the pool that tasks borrow it from.

use super::super::real::Real;
use super::super::ring::Ring;
use super::super::transfer::{RowScratch, Shape};
use std::sync::{Mutex, PoisonError};

/// What one task needs.
#[derive(Debug, Clone)]
pub(in super::super) struct Scratch<T> {
    pub(super) r: Ring<T>,
    pub(super) stages: Vec<Ring<T>>,
    pub(super) rows: RowScratch<T>,
    pub(super) defect: Vec<T>,
    /// Coarse planes of four fine slabs: what goes to the parent, and to its outward neighbour.
    pub(super) own: Vec<T>,
    pub(super) next: Vec<T>,
}

impl<T: Real> Scratch<T> {
    pub(super) fn new(shape: &Shape, steps: usize) -> Self {
        let plane = shape.coarse[0] * shape.coarse[1];
        Self {
            r: Ring::new(shape.fine, steps + 2),
            stages: vec![Ring::new(shape.fine, 0); steps + 1],
            rows: RowScratch::new(shape),
            defect: vec![T::ZERO; shape.fine[0] + 2],
            own: vec![T::ZERO; 4 * plane],
            next: vec![T::ZERO; 4 * plane],
        }
    }
}

/// Scratch that tasks borrow; as many as there are threads, or more if ever needed.
#[derive(Debug, Default)]
pub(in super::super) struct Pool<T>(Mutex<Vec<Scratch<T>>>);

impl<T: Real> Pool<T> {
    pub(in super::super) fn new(shape: &Shape, steps: usize, tasks: usize) -> Self {
        Self(Mutex::new((0..tasks).map(|_| Scratch::new(shape, steps)).collect()))
    }
    pub(super) fn with(&self, shape: &Shape, steps: usize, body: impl FnOnce(&mut Scratch<T>)) {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = lock().pop();
        let mut scratch = taken.unwrap_or_else(|| Scratch::new(shape, steps));
        body(&mut scratch);
        lock().push(scratch);
    }
}
