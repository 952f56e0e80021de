//! Clusters of rows and of columns, and the step that moves each by one amount.
//!
//! Sinkhorn's slow modes are smooth: nearby points want nearly the same change. With rows in clusters I and columns in
//! clusters J, the dual restricted to u_i + x_I(i) and v_j + y_J(j) is that of a small transport problem,
//!
//! ```text
//! max Σ A_I x_I + Σ B_J y_J − Σ P_IJ exp(x_I + y_J),   P_IJ = Σ_{i∈I, j∈J} P_ij,
//! ```
//!
//! exactly: solving it never lowers the dual objective (aggregation and disaggregation; Newton's method of [`super::newton`] on P_IJ).
//! The rest of the error, of modes that change within a cluster, is what a sweep removes fast as long as clusters are
//! small next to √ε. So the pair contracts like a two-grid cycle, at a price of one sweep. Within the clusters the
//! Sinkhorn step is taken relative to its cluster's mean.
//!
//! Points are clustered by runs of their order in space. Rows of a stored cost are clustered as points whose coordinates
//! are their costs to a few columns, and columns by their costs to a few rows.

use super::order::leaf_order;
use super::reduced::Costs;
use super::simd::LANES;
use super::support::Support;
use super::sweep::Block;
use std::num::NonZeroUsize;

/// Most clusters of points.
const MAX_POINT_CLUSTERS: usize = 4096;

/// Most clusters of the rows or columns of a stored cost.
const MAX_STORED_CLUSTERS: usize = 256;

/// Fewest rows and columns for which clusters are made.
const SMALLEST: usize = 64;

/// Rows and columns whose costs serve as coordinates.
const LANDMARKS: usize = 12;

/// Which rows and columns move together.
#[derive(Debug)]
pub(super) struct Clusters {
    row_of: Vec<u32>,
    col_of: Vec<u32>,
    /// Number of clusters of columns.
    pub(super) cols: usize,
    /// Rows in order that share a cluster; 1 where rows are in no order.
    pub(super) run: usize,
    /// Chunks of columns that share a cluster; none where columns are in no order.
    col_chunks: Option<NonZeroUsize>,
    /// Σ a of each.
    pub(super) a: Vec<f64>,
    /// Σ b of each.
    pub(super) b: Vec<f64>,
}

impl Clusters {
    /// Clusters that suit the size; none where it is small.
    pub(super) fn new(a: &[f64], b: &[f64], costs: &Costs<'_>, ordered: bool) -> Option<Self> {
        let (n, m) = (a.len(), b.len());
        if n.min(m) < SMALLEST {
            return None;
        }
        let runs = |n: usize| -> (Vec<u32>, usize) {
            let mut run = LANES;
            while n.div_ceil(run) > MAX_POINT_CLUSTERS {
                run *= 2;
            }
            ((0..n).map(|i| (i / run) as u32).collect(), run)
        };
        let ((row_of, run), (col_of, col_run)) = match costs {
            Costs::Points { .. } if ordered => (runs(n), runs(m)),
            Costs::Points { .. } => return None,
            Costs::Dense(c) => {
                let at = |i: usize, j: usize| if c[i * m + j].is_finite() { c[i * m + j] } else { 0.0 };
                let rows = stored_clusters(n, m, at);
                let cols = stored_clusters(m, n, |j, i| at(i, j));
                ((rows, 1), (cols, 0))
            }
        };
        let sums = |of: &[u32], w: &[f64]| {
            let mut sums = vec![0.0; of.iter().map(|k| *k as usize + 1).max().unwrap_or(0)];
            of.iter().zip(w).for_each(|(k, w)| sums[*k as usize] += w);
            sums
        };
        let (a, b) = (sums(&row_of, a), sums(&col_of, b));
        Some(Self {
            row_of,
            col_of,
            cols: b.len(),
            run,
            col_chunks: NonZeroUsize::new(col_run / LANES),
            a,
            b,
        })
    }

    /// Adds w times the terms of a row, by chunks as [`super::simd::exp_row`] leaves them, to a row of P_IJ.
    #[inline(always)]
    pub(super) fn add(&self, w: f64, terms: &[f64], live: &[u32], m: usize, row: &mut [f64]) {
        let (chunks, rest) = terms.as_chunks::<LANES>();
        if let Some(col_chunks) = self.col_chunks {
            for (k, e) in live.iter().zip(chunks) {
                let sum = ((e[0] + e[4]) + (e[2] + e[6])) + ((e[1] + e[5]) + (e[3] + e[7]));
                row[*k as usize / col_chunks] += w * sum;
            }
        } else {
            for (k, e) in live.iter().zip(chunks) {
                let start = *k as usize * LANES;
                for (of, e) in self.col_of[start..start + LANES].iter().zip(e) {
                    row[*of as usize] += w * e;
                }
            }
        }
        let start = m - rest.len();
        for (of, e) in self.col_of[start..].iter().zip(rest) {
            row[*of as usize] += w * e;
        }
    }

    /// P_IJ from the blocks of a sweep, entries below ω of an even share as leaks.
    pub(super) fn assemble(&self, blocks: &[Block], omega: f64, plan: &mut Vec<f64>, support: &mut Support) {
        let (rows, cols) = (self.a.len(), self.cols);
        plan.clear();
        plan.resize(rows * cols, 0.0);
        let mut first = 0;
        for slot in blocks.iter().flat_map(|b| b.coarse.chunks_exact(cols)) {
            let into = self.row_of.get(first).map_or(0, |k| *k as usize) * cols;
            plan[into..into + cols].iter_mut().zip(slot).for_each(|(p, s)| *p += s);
            first += self.run;
        }
        support.set_from_dense(plan, cols, |i, j, p| {
            p >= omega * (self.a[i] / cols as f64) || p >= omega * (self.b[j] / rows as f64)
        });
    }

    /// Adds x_I to the rows.
    pub(super) fn spread_rows(&self, x: impl Fn(usize) -> f64, u: &mut [f64]) {
        u.iter_mut().zip(&self.row_of).for_each(|(u, k)| *u += x(*k as usize));
    }

    /// Adds y_J + log(b_j/c_j) − log(B_J/C_J) to the columns with c_j in range.
    pub(super) fn spread_cols(&self, y: &[f64], b: &[f64], c: &[f64], v: &mut [f64]) {
        let mut sums = vec![0.0; self.cols];
        self.col_of.iter().zip(c).for_each(|(k, c)| sums[*k as usize] += c);
        for (j, v) in v.iter_mut().enumerate() {
            let k = self.col_of[j] as usize;
            let within = (b[j] / c[j]).ln() - (self.b[k] / sums[k]).ln();
            *v += y[k] + if within.is_finite() { within } else { 0.0 };
        }
    }
}

/// Clusters of n rows of which `at` gives the costs.
fn stored_clusters(n: usize, m: usize, at: impl Fn(usize, usize) -> f64) -> Vec<u32> {
    let dim = LANDMARKS.min(m);
    let points: Vec<f64> =
        (0..n).flat_map(|i| (0..dim).map(move |k| (i, k * m / dim))).map(|(i, j)| at(i, j)).collect();
    let leaf = n.div_ceil(MAX_STORED_CLUSTERS).max(4);
    let mut of = vec![0; n];
    for (k, leaf) in leaf_order(&points, dim, leaf).chunks(leaf).enumerate() {
        leaf.iter().for_each(|i| of[*i as usize] = k as u32);
    }
    of
}
