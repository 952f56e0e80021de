//! Products and transposes of sparse matrices, threaded over fixed blocks of rows.
//!
//! C = A B row by row (Gustavson 1978): each entry is summed in the order of the entries of A's row, whatever the number
//! of threads. The Galerkin product A_c = R (A P) is two of them.

use super::graph::ROWS;
use crate::SolveError;
use rayon::prelude::*;
use residua_data::CsrMatrix;
use std::ops::Range;

/// Where the columns of the current row stand in the output of a block.
pub(super) struct Accumulator {
    /// For each column the position of its last entry, counted over the life of the accumulator.
    last: Vec<u32>,
    /// The position that the next block starts at.
    base: u32,
}

impl Accumulator {
    pub(super) fn new(ncols: usize) -> Self {
        Self { last: vec![0; ncols], base: 1 }
    }
}

/// Rows with unsorted columns, built one entry after the other.
#[derive(Default)]
pub(super) struct Block {
    lengths: Vec<u32>,
    cols: Vec<u32>,
    vals: Vec<f64>,
}

/// The row that is being built: adds into the entry of a column, or makes it.
pub(super) struct RowSum<'a> {
    last: &'a mut [u32],
    block: &'a mut Block,
    base: u32,
    row_base: u32,
}

impl RowSum<'_> {
    #[inline(always)]
    pub(super) fn add(&mut self, j: u32, v: f64) {
        let last = &mut self.last[j as usize];
        if *last < self.row_base {
            *last = self.base + self.block.cols.len() as u32;
            self.block.cols.push(j);
            self.block.vals.push(v);
        } else {
            self.block.vals[(*last - self.base) as usize] += v;
        }
    }
}

/// Rows without an order of their columns: what a product needs of its right factor.
pub(super) struct Rows {
    offsets: Vec<u32>,
    cols: Vec<u32>,
    vals: Vec<f64>,
}

impl Rows {
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.offsets[i] as usize..self.offsets[i + 1] as usize;
        (&self.cols[range.clone()], &self.vals[range])
    }

    fn into_csr(self, ncols: usize) -> Result<CsrMatrix<f64>, SolveError> {
        let nrows = self.offsets.len() - 1;
        CsrMatrix::try_new(nrows, ncols, self.offsets, self.cols, self.vals)
            .map_err(|e| SolveError::ApplyFailed { what: "amg", reason: e.to_string() })
    }
}

/// Builds `nrows` rows by `row(i, sum)`, in parallel blocks; `sorted` sorts their columns.
pub(super) fn build_rows(
    nrows: usize,
    ncols: usize,
    sorted: bool,
    row: impl Fn(usize, &mut RowSum<'_>) + Sync,
) -> Result<Rows, SolveError> {
    let size = ROWS.min(nrows.div_ceil(64).max(64));
    let blocks: Vec<Block> = (0..nrows.div_ceil(size))
        .into_par_iter()
        .map_init(
            || (Accumulator::new(ncols), Vec::new()),
            |(acc, pairs), block| {
                build_block(block * size..((block + 1) * size).min(nrows), acc, pairs, sorted, &row)
            },
        )
        .collect();
    join(nrows, blocks)
}

fn build_block(
    rows: Range<usize>,
    acc: &mut Accumulator,
    pairs: &mut Vec<(u32, f64)>,
    sorted: bool,
    row: &impl Fn(usize, &mut RowSum<'_>),
) -> Block {
    let mut out = Block { lengths: Vec::with_capacity(rows.len()), ..Block::default() };
    let mut base = acc.base;
    for i in rows {
        let start = out.cols.len();
        if u64::from(base) + (start + acc.last.len()) as u64 > u64::from(u32::MAX) {
            acc.last.fill(0);
            base = 1;
        }
        let row_base = base + start as u32;
        row(i, &mut RowSum { last: &mut acc.last, block: &mut out, base, row_base });
        if sorted {
            pairs.clear();
            pairs.extend(out.cols[start..].iter().copied().zip(out.vals[start..].iter().copied()));
            pairs.sort_unstable_by_key(|p| p.0);
            for ((&(j, v), col), val) in pairs.iter().zip(&mut out.cols[start..]).zip(&mut out.vals[start..])
            {
                (*col, *val) = (j, v);
            }
        }
        out.lengths.push((out.cols.len() - start) as u32);
    }
    acc.base = base + out.cols.len() as u32;
    out
}

/// Joins blocks one below the other.
fn join(nrows: usize, blocks: Vec<Block>) -> Result<Rows, SolveError> {
    let mut offsets = Vec::with_capacity(nrows + 1);
    let mut total = 0u64;
    offsets.push(0);
    for &length in blocks.iter().flat_map(|block| &block.lengths) {
        total += u64::from(length);
        offsets.push(total as u32);
    }
    if total > u64::from(u32::MAX) {
        return Err(SolveError::ApplyFailed {
            what: "amg",
            reason: "a coarse matrix would have 2^32 entries or more: coarsen more aggressively, or choose another preconditioner".to_owned(),
        });
    }
    let (mut cols, mut vals) = (vec![0u32; total as usize], vec![0.0; total as usize]);
    let (mut rest_cols, mut rest_vals) = (&mut cols[..], &mut vals[..]);
    let mut parts = Vec::with_capacity(blocks.len());
    for block in blocks {
        let (c, more_cols) = rest_cols.split_at_mut(block.cols.len());
        let (v, more_vals) = rest_vals.split_at_mut(block.vals.len());
        (rest_cols, rest_vals) = (more_cols, more_vals);
        parts.push((block, c, v));
    }
    parts.into_par_iter().for_each(|(block, c, v)| {
        c.copy_from_slice(&block.cols);
        v.copy_from_slice(&block.vals);
    });
    Ok(Rows { offsets, cols, vals })
}

/// R A P.
pub(super) fn galerkin(
    r: &CsrMatrix<f64>,
    a: &CsrMatrix<f64>,
    p: &CsrMatrix<f64>,
) -> Result<CsrMatrix<f64>, SolveError> {
    let ap = build_rows(a.nrows(), p.ncols(), false, |i, sum| {
        let (cols, vals) = a.row(i);
        for (&k, &v) in cols.iter().zip(vals) {
            let (p_cols, p_vals) = p.row(k as usize);
            p_cols.iter().zip(p_vals).for_each(|(&j, &w)| sum.add(j, v * w));
        }
    })?;
    build_rows(r.nrows(), p.ncols(), true, |i, sum| {
        let (cols, vals) = r.row(i);
        for (&k, &v) in cols.iter().zip(vals) {
            let (ap_cols, ap_vals) = ap.row(k as usize);
            ap_cols.iter().zip(ap_vals).for_each(|(&j, &w)| sum.add(j, v * w));
        }
    })?
    .into_csr(p.ncols())
}

/// A matrix from rows that `row` builds; columns are sorted.
pub(super) fn build_csr(
    nrows: usize,
    ncols: usize,
    row: impl Fn(usize, &mut RowSum<'_>) + Sync,
) -> Result<CsrMatrix<f64>, SolveError> {
    build_rows(nrows, ncols, true, row)?.into_csr(ncols)
}

/// Column ranges that are transposed in parallel.
const RANGES: usize = 8;

/// Pᵀ. Each task gathers a range of columns, so that it owns a contiguous part of the result.
pub(super) fn transpose(p: &CsrMatrix<f64>) -> Result<CsrMatrix<f64>, SolveError> {
    let (nrows, ncols) = (p.nrows(), p.ncols());
    let width = ncols.div_ceil(RANGES).max(1);
    let blocks: Vec<Block> = (0..ncols.div_ceil(width))
        .into_par_iter()
        .map(|range| transpose_range(p, (range * width) as u32..((range + 1) * width).min(ncols) as u32))
        .collect();
    join(ncols, blocks)?.into_csr(nrows)
}

fn transpose_range(p: &CsrMatrix<f64>, range: Range<u32>) -> Block {
    let width = range.len();
    let within = |i: usize| {
        let (cols, vals) = p.row(i);
        let misses = cols.last().is_none_or(|&j| j < range.start) || cols[0] >= range.end;
        let (cols, vals) = if misses { (&cols[..0], &vals[..0]) } else { (cols, vals) };
        cols.iter()
            .zip(vals)
            .filter(|&(&j, _)| range.contains(&j))
            .map(|(&j, &v)| ((j - range.start) as usize, v))
    };
    let mut lengths = vec![0u32; width];
    for i in 0..p.nrows() {
        within(i).for_each(|(j, _)| lengths[j] += 1);
    }
    let mut next = Vec::with_capacity(width);
    let mut total = 0usize;
    for &length in &lengths {
        next.push(total);
        total += length as usize;
    }
    let (mut cols, mut vals) = (vec![0u32; total], vec![0.0; total]);
    for i in 0..p.nrows() {
        for (j, v) in within(i) {
            cols[next[j]] = i as u32;
            vals[next[j]] = v;
            next[j] += 1;
        }
    }
    Block { lengths, cols, vals }
}
