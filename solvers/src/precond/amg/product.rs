//! Products and transposes of sparse matrices, threaded over fixed blocks of rows.
//!
//! C = A B row by row (Gustavson 1978): each entry is summed in the order of the entries of A's row, whatever the number
//! of threads. The Galerkin product A_c = R (A P) is two of them.

use super::rows::{self, Buffer, Rows};
use crate::SolveError;
use rayon::prelude::*;
use residua_data::CsrMatrix;
use std::ops::Range;

/// Where the columns of the current row stand in it.
struct Accumulator {
    /// For each column its last place, counted over the life of the accumulator.
    last: Vec<u32>,
    /// The place that the next row starts at.
    next: u32,
    /// For sorting.
    pairs: Vec<(u32, f64)>,
}

impl Accumulator {
    fn new(ncols: usize) -> Self {
        Self { last: vec![0; ncols], next: 1, pairs: Vec::new() }
    }

    /// Begins a row at the end of `buffer`.
    fn begin<'a>(&'a mut self, buffer: &'a mut Buffer<f64>) -> RowSum<'a> {
        if self.next as usize + self.last.len() > u32::MAX as usize {
            self.last.fill(0);
            self.next = 1;
        }
        let start = buffer.cols.len();
        RowSum { last: &mut self.last, buffer, first: self.next, start }
    }

    /// Ends the row that starts at `start` in `buffer`.
    fn end(&mut self, buffer: &mut Buffer<f64>, start: usize, sorted: bool) {
        self.next += (buffer.cols.len() - start) as u32;
        if sorted {
            let (cols, vals) = (&mut buffer.cols[start..], &mut buffer.vals[start..]);
            self.pairs.clear();
            self.pairs.extend(cols.iter().copied().zip(vals.iter().copied()));
            self.pairs.sort_unstable_by_key(|p| p.0);
            for ((&(j, v), col), val) in self.pairs.iter().zip(cols).zip(vals) {
                (*col, *val) = (j, v);
            }
        }
    }
}

/// The row that is being built: adds into the entry of a column, or makes it.
pub(super) struct RowSum<'a> {
    last: &'a mut [u32],
    buffer: &'a mut Buffer<f64>,
    /// The place of the row's first entry.
    first: u32,
    start: usize,
}

impl RowSum<'_> {
    #[inline(always)]
    pub(super) fn add(&mut self, j: u32, v: f64) {
        let last = &mut self.last[j as usize];
        if *last < self.first {
            *last = self.first + (self.buffer.cols.len() - self.start) as u32;
            self.buffer.cols.push(j);
            self.buffer.vals.push(v);
        } else {
            self.buffer.vals[self.start + (*last - self.first) as usize] += v;
        }
    }
}

/// Builds `nrows` rows by `row(i, sum)`; `sorted` sorts their columns.
fn build_rows(
    nrows: usize,
    ncols: usize,
    sorted: bool,
    row: impl Fn(usize, &mut RowSum<'_>) + Sync,
) -> Result<Rows<f64>, SolveError> {
    rows::build(
        nrows,
        || Accumulator::new(ncols),
        |acc, i, buffer| {
            let start = buffer.cols.len();
            row(i, &mut acc.begin(buffer));
            acc.end(buffer, start, sorted);
        },
    )
}

/// A matrix from rows that `row` builds; columns are sorted.
pub(super) fn build_csr(
    nrows: usize,
    ncols: usize,
    row: impl Fn(usize, &mut RowSum<'_>) + Sync,
) -> Result<CsrMatrix<f64>, SolveError> {
    rows::to_matrix(nrows, ncols, build_rows(nrows, ncols, true, row)?)
}

/// R A P.
pub(super) fn galerkin(
    r: &CsrMatrix<f64>,
    a: &CsrMatrix<f64>,
    p: &CsrMatrix<f64>,
) -> Result<CsrMatrix<f64>, SolveError> {
    let (ap_ptr, ap_cols, ap_vals) = build_rows(a.nrows(), p.ncols(), false, |i, sum| {
        let (cols, vals) = a.row(i);
        for (&k, &v) in cols.iter().zip(vals) {
            let (p_cols, p_vals) = p.row(k as usize);
            p_cols.iter().zip(p_vals).for_each(|(&j, &w)| sum.add(j, v * w));
        }
    })?;
    build_csr(r.nrows(), p.ncols(), |i, sum| {
        let (cols, vals) = r.row(i);
        for (&k, &v) in cols.iter().zip(vals) {
            let range = ap_ptr[k as usize] as usize..ap_ptr[k as usize + 1] as usize;
            let row = ap_cols[range.clone()].iter().zip(&ap_vals[range]);
            row.for_each(|(&j, &w)| sum.add(j, v * w));
        }
    })
}

/// Column ranges that are transposed in parallel.
const RANGES: usize = 8;

/// Pᵀ. Each task gathers a range of columns, so that it owns a contiguous part of the result.
pub(super) fn transpose(p: &CsrMatrix<f64>) -> Result<CsrMatrix<f64>, SolveError> {
    let (nrows, ncols) = (p.nrows(), p.ncols());
    let width = ncols.div_ceil(RANGES).max(1);
    let mut ends = vec![0u32; ncols];
    let blocks: Vec<Buffer<f64>> = ends
        .par_chunks_mut(width)
        .enumerate()
        .map(|(range, ends)| {
            let start = (range * width) as u32;
            transpose_range(p, start..start + ends.len() as u32, ends)
        })
        .collect();
    rows::to_matrix(ncols, nrows, rows::join(&ends, width, blocks)?)
}

/// The columns `range` of P as rows; `ends` is set to where each ends.
fn transpose_range(p: &CsrMatrix<f64>, range: Range<u32>, ends: &mut [u32]) -> Buffer<f64> {
    let within = |i: usize| {
        let (cols, vals) = p.row(i);
        let misses = cols.last().is_none_or(|&j| j < range.start) || cols[0] >= range.end;
        let (cols, vals) = if misses { (&cols[..0], &vals[..0]) } else { (cols, vals) };
        cols.iter()
            .zip(vals)
            .filter(|&(&j, _)| range.contains(&j))
            .map(|(&j, &v)| ((j - range.start) as usize, v))
    };
    for i in 0..p.nrows() {
        within(i).for_each(|(j, _)| ends[j] += 1);
    }
    // From lengths to starts; filling a row moves its start to its end.
    let mut total = 0;
    for end in ends.iter_mut() {
        total += std::mem::replace(end, total);
    }
    let (mut cols, mut vals) = (vec![0u32; total as usize], vec![0.0; total as usize]);
    for i in 0..p.nrows() {
        for (j, v) in within(i) {
            let place = ends[j] as usize;
            (cols[place], vals[place]) = (i as u32, v);
            ends[j] += 1;
        }
    }
    Buffer { cols, vals }
}
