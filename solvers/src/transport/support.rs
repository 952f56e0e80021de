//! The plan on its support, and the one kernel that runs on it.
//!
//! With P⁰ the plan of (u⁰, v⁰), the plan of (u⁰ + log E, v⁰ + log F) is E_i P⁰_ij F_j: no exponential per entry. Row
//! sums, column sums and Hessian products are all of the form
//!
//! ```text
//! t_i = g_i(Σ_j P⁰_ij y_j),   z_j = Σ_i P⁰_ij t_i
//! ```
//!
//! with different g, and one pass over the entries does both halves.

use super::simd::LANES;
use super::sweep::Block;
use rayon::prelude::*;

/// Entries a block takes at least.
const BLOCK_ENTRIES: usize = 32 * 1024;

/// Most blocks, and so private accumulators.
const MAX_BLOCKS: usize = 16;

/// Entries of a support of which two copies may stay.
const KEPT: usize = 100_000;

/// Entries of one block of rows, filled by a sweep.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) row_len: Vec<u32>,
    pub(super) cols: Vec<u32>,
    pub(super) values: Vec<f64>,
    pub(super) overflow: bool,
}

impl Collected {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.row_len.clear();
        self.cols.clear();
        self.values.clear();
        self.overflow = false;
    }

    /// Adds the entries w e_j of a row that are at least min(`share`, ω b_j / n), the terms e by chunks as
    /// [`simd::exp_row`](super::simd::exp_row) leaves them.
    #[inline(always)]
    pub(super) fn take(
        &mut self,
        terms: &[f64],
        live: &[u32],
        w: f64,
        share: f64,
        omega: f64,
        col_share: &[f64],
        limit: usize,
    ) {
        if self.overflow {
            return;
        }
        let before = self.cols.len();
        let (chunks, rest) = terms.as_chunks::<LANES>();
        let mut add = |j: usize, e: f64| {
            let p = w * e;
            if p >= share || p >= omega * col_share[j] {
                self.cols.push(j as u32);
                self.values.push(p);
            }
        };
        for (k, chunk) in live.iter().zip(chunks) {
            for l in 0..LANES {
                add(*k as usize * LANES + l, chunk[l]);
            }
        }
        let start = col_share.len() - rest.len();
        rest.iter().enumerate().for_each(|(l, e)| add(start + l, *e));
        self.row_len.push((self.cols.len() - before) as u32);
        if self.cols.len() > limit {
            // Nobody reads it: give the memory back.
            *self = Self { overflow: true, ..Self::default() };
        }
    }
}

/// P⁰ where it matters, in compressed rows, and the mass elsewhere.
#[derive(Debug, Default)]
pub(super) struct Support {
    pub(super) row_ptr: Vec<usize>,
    pub(super) cols: Vec<u32>,
    pub(super) values: Vec<f64>,
    /// Mass of each row outside the support.
    pub(super) row_leak: Vec<f64>,
    /// Mass of each column outside the support.
    pub(super) col_leak: Vec<f64>,
    partial: Vec<f64>,
}

impl Support {
    /// Joins what the blocks of a sweep collected; large blocks give their memory back.
    pub(super) fn assemble(&mut self, blocks: &mut [Block], row_sums: &[f64], col_sums: &[f64]) {
        self.row_ptr.clear();
        self.cols.clear();
        self.values.clear();
        self.row_ptr.push(0);
        let total: usize = blocks.iter().map(|b| b.support.cols.len()).sum();
        self.cols.reserve_exact(total);
        self.values.reserve_exact(total);
        let mut end = 0;
        for Block { support: block, .. } in blocks {
            for len in &block.row_len {
                end += *len as usize;
                self.row_ptr.push(end);
            }
            self.cols.extend_from_slice(&block.cols);
            self.values.extend_from_slice(&block.values);
            if total > KEPT {
                *block = Collected::default();
            }
        }
        self.row_leak.clear();
        self.col_leak.clear();
        self.col_leak.extend_from_slice(col_sums);
        for (i, sum) in row_sums.iter().enumerate() {
            let range = self.row_ptr[i]..self.row_ptr[i + 1];
            let (cols, values) = (&self.cols[range.clone()], &self.values[range]);
            self.row_leak.push((sum - values.iter().sum::<f64>()).max(0.0));
            for (j, p) in cols.iter().zip(values) {
                self.col_leak[*j as usize] -= p;
            }
        }
        // Only rounding makes a leak negative.
        self.col_leak.iter_mut().for_each(|c| *c = c.max(0.0));
    }

    /// The entries of a dense P⁰ (by rows of `m`) that `keep` wants.
    pub(super) fn set_from_dense(
        &mut self,
        plan: &[f64],
        m: usize,
        keep: impl Fn(usize, usize, f64) -> bool,
    ) {
        self.row_ptr.clear();
        self.cols.clear();
        self.values.clear();
        self.row_leak.clear();
        self.col_leak.clear();
        self.col_leak.resize(m, 0.0);
        self.row_ptr.push(0);
        for (i, row) in plan.chunks_exact(m).enumerate() {
            let mut leak = 0.0;
            for (j, p) in row.iter().enumerate() {
                if keep(i, j, *p) {
                    self.cols.push(j as u32);
                    self.values.push(*p);
                } else {
                    leak += p;
                    self.col_leak[j] += p;
                }
            }
            self.row_leak.push(leak);
            self.row_ptr.push(self.cols.len());
        }
    }

    pub(super) fn nnz(&self) -> usize {
        self.values.len()
    }

    fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.row_ptr[i]..self.row_ptr[i + 1];
        (&self.cols[range.clone()], &self.values[range])
    }

    /// t_i = g(i, Σ_j P⁰_ij y_j), z_j = Σ_i P⁰_ij t_i.
    pub(super) fn pass(
        &mut self,
        y: &[f64],
        t: &mut [f64],
        z: &mut [f64],
        g: impl Fn(usize, f64) -> f64 + Sync,
    ) {
        self.blocks(t, z, |this, i, t, acc| {
            let (cols, values) = this.row(i);
            let mut s = [0.0; 4];
            let whole = cols.len() & !3;
            for k in (0..whole).step_by(4) {
                for l in 0..4 {
                    s[l] += values[k + l] * y[cols[k + l] as usize];
                }
            }
            for k in whole..cols.len() {
                s[0] += values[k] * y[cols[k] as usize];
            }
            *t = g(i, (s[0] + s[1]) + (s[2] + s[3]));
            for (j, p) in cols.iter().zip(values) {
                acc[*j as usize] += *t * p;
            }
        });
    }

    /// z_j = Σ_i (P⁰_ij)² t_i.
    pub(super) fn squares(&mut self, t: &mut [f64], z: &mut [f64]) {
        self.blocks(t, z, |this, i, t, acc| {
            let (cols, values) = this.row(i);
            for (j, p) in cols.iter().zip(values) {
                acc[*j as usize] += *t * p * p;
            }
        });
    }

    fn blocks(
        &mut self,
        t: &mut [f64],
        z: &mut [f64],
        row: impl Fn(&Self, usize, &mut f64, &mut [f64]) + Sync,
    ) {
        let (n, m) = (t.len(), z.len());
        let blocks = (self.nnz() / BLOCK_ENTRIES).clamp(1, MAX_BLOCKS);
        let rows = n.div_ceil(blocks);
        let mut partial = std::mem::take(&mut self.partial);
        partial.clear();
        partial.resize(n.div_ceil(rows) * m, 0.0);
        let this = &*self;
        partial.par_chunks_mut(m).zip(t.par_chunks_mut(rows)).enumerate().for_each(|(k, (acc, t))| {
            for (r, t) in t.iter_mut().enumerate() {
                row(this, k * rows + r, t, acc);
            }
        });
        z.fill(0.0);
        for acc in partial.chunks(m) {
            z.iter_mut().zip(acc).for_each(|(z, p)| *z += p);
        }
        self.partial = partial;
    }
}
