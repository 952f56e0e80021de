//! Products and transposes of sparse matrices, threaded over fixed blocks of rows.
//!
//! C = A B row by row (Gustavson 1978): each entry is summed in the order of the entries of A's row, whatever the number
//! of threads. The Galerkin product A_c = R (A P) is two of them.

use super::rows::{self, Blocks, Buffer, Pool, ROWS};
use crate::SolveError;
use rayon::prelude::*;
use residua_data::CsrMatrix;
use std::ops::Range;

/// The row that is being built: adds into the entry of a column, or makes it.
///
/// Whether an entry is new cannot be foreseen, so nothing branches on it: values behind the row's last entry are kept zero.
pub(super) struct RowSum {
    /// For each column `stamp` plus its place in the row that it was last seen in.
    last: Vec<u32>,
    /// Larger than what earlier rows left in `last`.
    stamp: u32,
    cols: Vec<u32>,
    vals: Vec<f64>,
    len: usize,
    /// For sorting.
    keys: Vec<u64>,
}

impl RowSum {
    fn new(ncols: usize) -> Self {
        Self {
            last: vec![0; ncols],
            stamp: 1,
            cols: vec![0; ncols + 1],
            vals: vec![0.0; ncols + 1],
            len: 0,
            keys: Vec::new(),
        }
    }

    #[inline(always)]
    pub(super) fn add(&mut self, j: u32, v: f64) {
        let last = &mut self.last[j as usize];
        let is_new = *last < self.stamp;
        let place = if is_new { self.len } else { (*last - self.stamp) as usize };
        *last = self.stamp + place as u32;
        self.cols[place] = j;
        self.vals[place] += v;
        self.len += usize::from(is_new);
    }

    /// Appends the row to `buffer` and empties it.
    fn finish(&mut self, buffer: &mut Buffer<f64>, sorted: bool) {
        let len = std::mem::take(&mut self.len);
        let (cols, vals) = (&self.cols[..len], &mut self.vals[..len]);
        if sorted {
            self.keys.clear();
            self.keys.extend(cols.iter().zip(0u64..).map(|(&j, k)| u64::from(j) << 32 | k));
            self.keys.sort_unstable();
            buffer.cols.extend(self.keys.iter().map(|&key| (key >> 32) as u32));
            buffer.vals.extend(self.keys.iter().map(|&key| vals[key as u32 as usize]));
        } else {
            buffer.cols.extend_from_slice(cols);
            buffer.vals.extend_from_slice(vals);
        }
        vals.fill(0.0);
        self.stamp += len as u32;
        if self.stamp as usize + self.last.len() > u32::MAX as usize {
            self.last.fill(0);
            self.stamp = 1;
        }
    }
}

/// Rows of `ncols` columns by `row(i, sum)`, their columns in the order in which they came.
fn build_unsorted(nrows: usize, ncols: usize, row: impl Fn(usize, &mut RowSum) + Sync) -> Blocks<f64> {
    rows::build_blocks(
        nrows,
        || RowSum::new(ncols),
        |sum, i, buffer| {
            row(i, sum);
            sum.finish(buffer, false);
        },
    )
}

/// A matrix from rows that `row(i, sum)` builds; columns are sorted.
pub(super) fn build_csr(
    nrows: usize,
    ncols: usize,
    row: impl Fn(usize, &mut RowSum) + Sync,
) -> Result<CsrMatrix<f64>, SolveError> {
    let built = rows::build(
        nrows,
        || RowSum::new(ncols),
        |sum, i, buffer| {
            row(i, sum);
            sum.finish(buffer, true);
        },
    )?;
    rows::to_matrix(nrows, ncols, built)
}

/// R A P.
pub(super) fn galerkin(
    r: &CsrMatrix<f64>,
    a: &CsrMatrix<f64>,
    p: &CsrMatrix<f64>,
) -> Result<CsrMatrix<f64>, SolveError> {
    let ap = product(a, p);
    build_csr(r.nrows(), p.ncols(), |i, sum| {
        let (cols, vals) = r.row(i);
        for (&k, &v) in cols.iter().zip(vals) {
            let (ap_cols, ap_vals) = ap.row(k as usize);
            ap_cols.iter().zip(ap_vals).for_each(|(&j, &w)| sum.add(j, v * w));
        }
    })
}

/// A P.
fn product(a: &CsrMatrix<f64>, p: &CsrMatrix<f64>) -> Blocks<f64> {
    build_unsorted(a.nrows(), p.ncols(), |i, sum| {
        let (cols, vals) = a.row(i);
        for (&k, &v) in cols.iter().zip(vals) {
            let (p_cols, p_vals) = p.row(k as usize);
            p_cols.iter().zip(p_vals).for_each(|(&j, &w)| sum.add(j, v * w));
        }
    })
}

/// [`galerkin`] into `coarse`, whose pattern holds that of R A P already: neither searched nor sorted again.
///
/// # Errors
/// [`SolveError::PatternChanged`] for an entry that has no place.
pub(super) fn galerkin_into(
    r: &CsrMatrix<f64>,
    a: &CsrMatrix<f64>,
    p: &CsrMatrix<f64>,
    coarse: &mut CsrMatrix<f64>,
) -> Result<(), SolveError> {
    let ap = product(a, p);
    let ncols = coarse.ncols();
    let (row_ptr, col_idx, values) = coarse.parts_mut();
    let pool = Pool::new(|| vec![u32::MAX; ncols]);
    rows::split_by_rows(row_ptr, values).into_par_iter().try_for_each(|(first, values)| {
        let mut place = pool.take();
        let base = row_ptr[first];
        values.fill(0.0);
        let mut fits = true;
        for i in first..(first + ROWS).min(r.nrows()) {
            let range = row_ptr[i] as usize..row_ptr[i + 1] as usize;
            let own = &col_idx[range.clone()];
            own.iter().zip(row_ptr[i] - base..).for_each(|(&j, k)| place[j as usize] = k);
            let (cols, vals) = r.row(i);
            for (&k, &v) in cols.iter().zip(vals) {
                let (ap_cols, ap_vals) = ap.row(k as usize);
                for (&j, &w) in ap_cols.iter().zip(ap_vals) {
                    match values.get_mut(place[j as usize] as usize) {
                        Some(value) => *value += v * w,
                        None => fits &= v * w == 0.0,
                    }
                }
            }
            own.iter().for_each(|&j| place[j as usize] = u32::MAX);
        }
        pool.put(place);
        if fits { Ok(()) } else { Err(SolveError::PatternChanged { what: "amg" }) }
    })
}

/// Column ranges that are transposed in parallel.
const RANGES: usize = 8;

/// Rows whose range of columns is kept, so that a task can pass over them at once.
const GROUP: usize = 256;

/// Pᵀ. Each task gathers a range of columns, so that it owns a contiguous part of the result.
pub(super) fn transpose(p: &CsrMatrix<f64>) -> Result<CsrMatrix<f64>, SolveError> {
    let (nrows, ncols) = (p.nrows(), p.ncols());
    let groups: Vec<Range<u32>> = (0..nrows.div_ceil(GROUP))
        .into_par_iter()
        .map(|group| {
            let rows = group * GROUP..((group + 1) * GROUP).min(nrows);
            let start = rows.clone().filter_map(|i| p.row(i).0.first()).min();
            let end = rows.filter_map(|i| p.row(i).0.last()).max();
            start.zip(end).map_or(0..0, |(&start, &end)| start..end + 1)
        })
        .collect();
    let width = ncols.div_ceil(RANGES).max(1);
    let blocks: Vec<Buffer<f64>> = (0..ncols.div_ceil(width))
        .into_par_iter()
        .map(|range| transpose_range(p, &groups, range * width..((range + 1) * width).min(ncols)))
        .collect();
    rows::to_matrix(ncols, nrows, rows::join(&blocks)?)
}

/// The columns `range` of P as rows.
fn transpose_range(p: &CsrMatrix<f64>, groups: &[Range<u32>], range: Range<usize>) -> Buffer<f64> {
    let width = range.len();
    let range = range.start as u32..range.end as u32;
    let meets = |group: &Range<u32>| group.start < range.end && group.end > range.start;
    let rows = || {
        let groups = groups.iter().enumerate().filter(|(_, columns)| meets(columns));
        groups.flat_map(|(group, _)| group * GROUP..((group + 1) * GROUP).min(p.nrows()))
    };
    let mut ends = vec![0u32; width];
    for i in rows() {
        for &j in p.row(i).0 {
            let j = j.wrapping_sub(range.start) as usize;
            if j < width {
                ends[j] += 1;
            }
        }
    }
    // From lengths to starts; filling a row moves its start to its end.
    let mut total = 0;
    for end in ends.iter_mut() {
        total += std::mem::replace(end, total);
    }
    let (mut cols, mut vals) = (vec![0u32; total as usize], vec![0.0; total as usize]);
    for i in rows() {
        let (p_cols, p_vals) = p.row(i);
        for (&j, &v) in p_cols.iter().zip(p_vals) {
            let j = j.wrapping_sub(range.start) as usize;
            if j < width {
                let place = ends[j] as usize;
                (cols[place], vals[place]) = (i as u32, v);
                ends[j] += 1;
            }
        }
    }
    Buffer { cols, vals, ends }
}
