//! Sparse rows built in parallel: blocks of rows fill buffers of their own, which are then joined in order.
//!
//! A row must depend on its number alone, not on the workspace it finds: then neither the split into tasks
//! nor the number of threads can change a bit of the result.

use crate::SolveError;
use rayon::prelude::*;
use residua_data::CsrMatrix;
use std::sync::{Mutex, PoisonError};

/// Rows that one task takes at a time, a power of two.
pub(in crate::precond::amg) const ROWS: usize = 4096;

/// Rows of a matrix or, with `V = ()`, of a graph: (row pointers, columns, values).
pub(in crate::precond::amg) type Rows<V> = (Vec<u32>, Vec<u32>, Vec<V>);

/// What the rows of a block are pushed to.
pub(in crate::precond::amg) struct Buffer<V> {
    /// Columns of the rows so far.
    pub(in crate::precond::amg) cols: Vec<u32>,
    /// Their values.
    pub(in crate::precond::amg) vals: Vec<V>,
}

/// Rows as they were built: block by block.
pub(in crate::precond::amg) struct Blocks<V> {
    /// Blocks have 2^`shift` rows.
    shift: u32,
    /// Where each row ends in its block.
    ends: Vec<u32>,
    blocks: Vec<Buffer<V>>,
}

impl<V> Blocks<V> {
    /// Columns and values of row i.
    #[inline(always)]
    pub(in crate::precond::amg) fn row(&self, i: usize) -> (&[u32], &[V]) {
        let block = &self.blocks[i >> self.shift];
        let start = if i & ((1 << self.shift) - 1) == 0 { 0 } else { self.ends[i - 1] };
        let range = start as usize..self.ends[i] as usize;
        (&block.cols[range.clone()], &block.vals[range])
    }
}

/// Makes `nrows` rows: `row(workspace, i, buffer)` appends row i. `workspace` makes scratch space, which is
/// handed from block to block, and must be left as it was found.
pub(in crate::precond::amg) fn build<V: Copy + Default + Send + Sync, W: Send>(
    nrows: usize,
    workspace: impl Fn() -> W + Sync,
    row: impl Fn(&mut W, usize, &mut Buffer<V>) + Sync,
) -> Result<Rows<V>, SolveError> {
    try_build(nrows, workspace, |w, i, buffer| {
        row(w, i, buffer);
        Ok(())
    })
}

/// [`build`] where a row may fail: the first that does is reported.
pub(in crate::precond::amg) fn try_build<V: Copy + Default + Send + Sync, W: Send>(
    nrows: usize,
    workspace: impl Fn() -> W + Sync,
    row: impl Fn(&mut W, usize, &mut Buffer<V>) -> Result<(), SolveError> + Sync,
) -> Result<Rows<V>, SolveError> {
    let Blocks { shift, ends, blocks } = build_blocks(nrows, workspace, row)?;
    join(&ends, 1 << shift, blocks)
}

/// [`try_build`] without joining the blocks.
pub(in crate::precond::amg) fn build_blocks<V: Copy + Default + Send + Sync, W: Send>(
    nrows: usize,
    workspace: impl Fn() -> W + Sync,
    row: impl Fn(&mut W, usize, &mut Buffer<V>) -> Result<(), SolveError> + Sync,
) -> Result<Blocks<V>, SolveError> {
    let pool: Mutex<Vec<W>> = Mutex::new(Vec::new());
    // Small matrices are cut finer, so that every thread gets a part.
    let size = ROWS.min(nrows.div_ceil(64).next_power_of_two().max(64));
    let mut ends = vec![0u32; nrows];
    let blocks: Vec<Result<Buffer<V>, SolveError>> = ends
        .par_chunks_mut(size)
        .enumerate()
        .map(|(block, ends)| {
            let kept = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut scratch = kept.unwrap_or_else(&workspace);
            let mut buffer = Buffer { cols: Vec::new(), vals: Vec::new() };
            let rows = ends.len();
            for (k, end) in ends.iter_mut().enumerate() {
                row(&mut scratch, block * size + k, &mut buffer)?;
                *end = buffer.cols.len() as u32;
                if k == SAMPLE {
                    buffer.reserve_for(rows - k);
                }
            }
            pool.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
            Ok(buffer)
        })
        .collect();
    drop(pool);
    let blocks = blocks.into_iter().collect::<Result<_, _>>()?;
    Ok(Blocks { shift: size.trailing_zeros(), ends, blocks })
}

/// After this many rows of a block the size of the others is guessed.
const SAMPLE: usize = 64;

impl<V> Buffer<V> {
    /// Room for `rows` more rows as long as those so far, and a quarter.
    fn reserve_for(&mut self, rows: usize) {
        let more = self.cols.len() * rows / SAMPLE * 5 / 4;
        self.cols.reserve(more);
        self.vals.reserve(more);
    }
}

/// Joins blocks of `size` rows one below the other; `ends` holds where each row ends in its block.
pub(in crate::precond::amg) fn join<V: Copy + Default + Send + Sync>(
    ends: &[u32],
    size: usize,
    blocks: Vec<Buffer<V>>,
) -> Result<Rows<V>, SolveError> {
    let nnz: usize = blocks.iter().map(|b| b.cols.len()).sum();
    check_entries(nnz)?;
    let mut row_ptr = vec![0u32; ends.len() + 1];
    let (mut cols, mut vals) = (vec![0u32; nnz], vec![V::default(); nnz]);
    let (mut cols_left, mut vals_left) = (&mut cols[..], &mut vals[..]);
    let mut start = 0u32;
    let mut parts = Vec::with_capacity(blocks.len());
    for (block, (row_ends, ends)) in blocks.iter().zip(row_ptr[1..].chunks_mut(size).zip(ends.chunks(size))) {
        let (c, rest) = std::mem::take(&mut cols_left).split_at_mut(block.cols.len());
        cols_left = rest;
        let (v, rest) = std::mem::take(&mut vals_left).split_at_mut(block.cols.len());
        vals_left = rest;
        parts.push((start, row_ends, ends, c, v, block));
        start += block.cols.len() as u32;
    }
    parts.into_par_iter().for_each(|(start, row_ends, ends, c, v, block)| {
        row_ends.iter_mut().zip(ends).for_each(|(to, &end)| *to = start + end);
        c.copy_from_slice(&block.cols);
        v.copy_from_slice(&block.vals);
    });
    Ok((row_ptr, cols, vals))
}

/// The matrix of rows whose columns are sorted.
pub(in crate::precond::amg) fn to_matrix<T>(
    nrows: usize,
    ncols: usize,
    (row_ptr, cols, vals): Rows<T>,
) -> Result<CsrMatrix<T>, SolveError> {
    CsrMatrix::try_new(nrows, ncols, row_ptr, cols, vals).map_err(|e| SolveError::FactorizationFailed {
        what: "AMG",
        row: 0,
        reason: format!("a matrix of the hierarchy is not valid ({e}): report this matrix"),
    })
}

/// Refuses more entries than 32-bit row pointers can count.
fn check_entries(nnz: usize) -> Result<(), SolveError> {
    if u32::try_from(nnz).is_err() {
        return Err(SolveError::FactorizationFailed {
            what: "AMG",
            row: 0,
            reason: format!(
                "the set-up needs {nnz} entries, more than 32-bit indices reach: coarsen more aggressively, or choose another preconditioner"
            ),
        });
    }
    Ok(())
}

/// `array`, one element an entry, cut at every [`ROWS`] rows: `(first row, its part)`.
pub(in crate::precond::amg) fn split_by_rows<'a, T>(
    row_ptr: &[u32],
    mut array: &'a mut [T],
) -> Vec<(usize, &'a mut [T])> {
    let nrows = row_ptr.len() - 1;
    let mut parts = Vec::with_capacity(nrows.div_ceil(ROWS));
    for first in (0..nrows).step_by(ROWS) {
        let last = (first + ROWS).min(nrows);
        let (part, rest) = array.split_at_mut((row_ptr[last] - row_ptr[first]) as usize);
        parts.push((first, part));
        array = rest;
    }
    parts
}
