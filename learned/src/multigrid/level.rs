//! A level below the finest: smoothing and transfers by compressed rows.

use super::coarsen::Transfer;
use super::graph::Graph;
use super::rows::{Rows, for_each_row};
use crate::coefficients::Level;
use rayon::prelude::*;

/// One level but the finest and the coarsest.
#[derive(Debug)]
pub(super) struct GraphLevel {
    /// Conductances, without the diagonal.
    pub(super) w: Rows,
    pub(super) diagonal: Vec<f32>,
    /// θ / d; 0 where d = 0.
    pub(super) inverse: Vec<f32>,
    pub(super) omega: [f32; 2],
    pub(super) transfer: Transfer,
    pub(super) r: Vec<f32>,
    pub(super) x: Vec<f32>,
    work: Vec<f32>,
}

/// θ / d of every node.
pub(super) fn inverse_diagonal(graph: &Graph, walls: f64) -> (Vec<f32>, Vec<f32>) {
    let (d, is_open) = graph.diagonal();
    let inverse = |(&d, &open): (&f32, &bool)| {
        let theta = if open { 1.0 } else { walls as f32 };
        if d > 0.0 { theta / d } else { 0.0 }
    };
    let inverse = d.iter().zip(&is_open).map(inverse).collect();
    (d, inverse)
}

impl GraphLevel {
    pub(super) fn new(graph: Graph, transfer: Transfer, level: &Level) -> Self {
        let n = graph.len();
        let (diagonal, inverse) = inverse_diagonal(&graph, level.walls);
        let w = Rows {
            first: graph.first,
            index: graph.edges.par_iter().map(|e| e.to).collect(),
            value: graph.edges.par_iter().map(|e| e.w).collect(),
        };
        let zeros = || vec![0.0; n];
        let omega = level.omega.map(|w| w as f32);
        Self { w, diagonal, inverse, omega, transfer, r: zeros(), x: zeros(), work: zeros() }
    }

    /// r − A x at node i.
    #[inline(always)]
    fn defect(&self, i: usize, x: &[f32]) -> f32 {
        self.r[i] - (self.diagonal[i] * x[i] - self.w.dot(i, x))
    }

    /// x ← two steps from 0, rc ← Pᵀ (r − A x).
    pub(super) fn descend(&mut self, rc: &mut [f32]) {
        let (mut x, mut work) = (std::mem::take(&mut self.x), std::mem::take(&mut self.work));
        let [first, second] = self.omega;
        for_each_row(&mut work, |i| first * self.inverse[i] * self.r[i]);
        for_each_row(&mut x, |i| work[i] + second * self.inverse[i] * self.defect(i, &work));
        for_each_row(&mut work, |i| self.defect(i, &x));
        for_each_row(rc, |c| self.transfer.columns.dot(c, &work));
        (self.x, self.work) = (x, work);
    }

    /// sum ← sum + x, r ← r − A x: what is left for a further visit.
    pub(super) fn advance(&mut self, sum: &mut [f32]) {
        let mut work = std::mem::take(&mut self.work);
        for_each_row(&mut work, |i| self.defect(i, &self.x));
        sum.iter_mut().zip(&self.x).for_each(|(sum, x)| *sum += x);
        self.work = std::mem::replace(&mut self.r, work);
    }

    /// x ← two steps from x + P e.
    pub(super) fn ascend(&mut self, e: &[f32]) {
        let (mut x, mut work) = (std::mem::take(&mut self.x), std::mem::take(&mut self.work));
        let [first, second] = self.omega;
        for_each_row(&mut work, |i| x[i] + self.transfer.rows.dot(i, e));
        for_each_row(&mut x, |i| work[i] + second * self.inverse[i] * self.defect(i, &work));
        for_each_row(&mut work, |i| x[i] + first * self.inverse[i] * self.defect(i, &x));
        (self.x, self.work) = (work, x);
    }
}
