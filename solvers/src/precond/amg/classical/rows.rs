//! Sparse rows built in parallel: blocks of rows fill buffers of their own, which are then joined in order.
//!
//! A row must depend on its number alone, not on the workspace it finds: then neither the split into tasks
//! nor the number of threads can change a bit of the result.

use crate::SolveError;
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Rows of a block.
pub(super) const ROWS: usize = 4096;

/// Rows of a matrix or, with `V = ()`, of a graph: (row pointers, columns, values).
pub(super) type Rows<V> = (Vec<u32>, Vec<u32>, Vec<V>);

/// What the rows of a block are pushed to.
pub(super) struct Buffer<V> {
    /// Columns of the rows so far.
    pub(super) cols: Vec<u32>,
    /// Their values.
    pub(super) vals: Vec<V>,
}

/// Makes `nrows` rows: `row(workspace, i, buffer)` appends row i. `workspace` makes scratch space, which is
/// handed from block to block, and must be left as it was found.
pub(super) fn build<V: Copy + Default + Send + Sync, W: Send>(
    nrows: usize,
    workspace: impl Fn() -> W + Sync,
    row: impl Fn(&mut W, usize, &mut Buffer<V>) + Sync,
) -> Result<Rows<V>, SolveError> {
    let pool: Mutex<Vec<W>> = Mutex::new(Vec::new());
    let mut row_ptr = vec![0u32; nrows + 1];
    let blocks: Vec<Buffer<V>> = row_ptr[1..]
        .par_chunks_mut(ROWS)
        .enumerate()
        .map(|(block, ends)| {
            let kept = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut scratch = kept.unwrap_or_else(&workspace);
            let mut buffer = Buffer { cols: Vec::new(), vals: Vec::new() };
            for (i, end) in ends.iter_mut().enumerate() {
                row(&mut scratch, block * ROWS + i, &mut buffer);
                *end = buffer.cols.len() as u32;
            }
            pool.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
            buffer
        })
        .collect();
    drop(pool);

    let nnz: usize = blocks.iter().map(|b| b.cols.len()).sum();
    check_entries(nnz)?;
    let mut starts = Vec::with_capacity(blocks.len());
    let mut start = 0u32;
    for block in &blocks {
        starts.push(start);
        start += block.cols.len() as u32;
    }
    row_ptr[1..]
        .par_chunks_mut(ROWS)
        .zip(&starts)
        .for_each(|(ends, &start)| ends.iter_mut().for_each(|end| *end += start));

    let (mut cols, mut vals) = (vec![0u32; nnz], vec![V::default(); nnz]);
    let (mut cols_left, mut vals_left) = (&mut cols[..], &mut vals[..]);
    let mut copies = Vec::with_capacity(blocks.len());
    for block in &blocks {
        let (c, rest) = std::mem::take(&mut cols_left).split_at_mut(block.cols.len());
        cols_left = rest;
        let (v, rest) = std::mem::take(&mut vals_left).split_at_mut(block.cols.len());
        vals_left = rest;
        copies.push((c, v, block));
    }
    copies.into_par_iter().for_each(|(c, v, block)| {
        c.copy_from_slice(&block.cols);
        v.copy_from_slice(&block.vals);
    });
    Ok((row_ptr, cols, vals))
}

/// Refuses more entries than 32-bit row pointers can count.
pub(super) fn check_entries(nnz: usize) -> Result<(), SolveError> {
    if u32::try_from(nnz).is_err() {
        return Err(SolveError::FactorizationFailed {
            what: "AMG",
            row: 0,
            reason: format!(
                "the set-up needs {nnz} entries, more than 32-bit indices reach: lower max_elements or raise strong_threshold"
            ),
        });
    }
    Ok(())
}

/// Cuts an array of one element per entry at the borders of blocks of [`ROWS`] rows.
pub(super) fn split_by_rows<'a, T>(mut array: &'a mut [T], row_ptr: &[u32]) -> Vec<&'a mut [T]> {
    let nrows = row_ptr.len() - 1;
    let mut parts = Vec::with_capacity(nrows.div_ceil(ROWS));
    for first in (0..nrows).step_by(ROWS) {
        let last = (first + ROWS).min(nrows);
        let (part, rest) = array.split_at_mut((row_ptr[last] - row_ptr[first]) as usize);
        parts.push(part);
        array = rest;
    }
    parts
}
