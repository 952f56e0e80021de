//! Sparse rows built in parallel: blocks of rows fill buffers of their own, which are then joined in order.
//!
//! A row must depend on its number alone, not on the workspace it finds: then neither the split into tasks
//! nor the number of threads can change a bit of the result.

use crate::SolveError;
use rayon::prelude::*;
use residua_data::CsrMatrix;
use std::convert::Infallible;
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
    /// Where each row ends.
    pub(in crate::precond::amg) ends: Vec<u32>,
}

/// Rows as they were built: block by block.
pub(in crate::precond::amg) struct Blocks<V> {
    /// Blocks have 2^`shift` rows.
    shift: u32,
    blocks: Vec<Buffer<V>>,
}

impl<V> Blocks<V> {
    /// Columns and values of row i.
    #[inline(always)]
    pub(in crate::precond::amg) fn row(&self, i: usize) -> (&[u32], &[V]) {
        let block = &self.blocks[i >> self.shift];
        let k = i & ((1 << self.shift) - 1);
        let start = if k == 0 { 0 } else { block.ends[k - 1] };
        let range = start as usize..block.ends[k] as usize;
        (&block.cols[range.clone()], &block.vals[range])
    }
}

impl<V: Copy + Send + Sync> Blocks<V> {
    /// All rows in one piece.
    pub(in crate::precond::amg) fn join(self) -> Result<Rows<V>, SolveError> {
        join(&self.blocks)
    }
}

/// Workspaces that are handed from task to task.
pub(in crate::precond::amg) struct Pool<W, F> {
    free: Mutex<Vec<W>>,
    make: F,
}

impl<W, F: Fn() -> W> Pool<W, F> {
    pub(in crate::precond::amg) fn new(make: F) -> Self {
        Self { free: Mutex::new(Vec::new()), make }
    }

    pub(in crate::precond::amg) fn take(&self) -> W {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(&self.make)
    }

    pub(in crate::precond::amg) fn put(&self, workspace: W) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
    }
}

/// Makes `nrows` rows: `row(workspace, i, buffer)` appends row i. `workspace` makes scratch space, which is
/// handed from block to block, and must be left as it was found.
pub(in crate::precond::amg) fn build<V: Copy + Send + Sync, W: Send>(
    nrows: usize,
    workspace: impl Fn() -> W + Sync,
    row: impl Fn(&mut W, usize, &mut Buffer<V>) + Sync,
) -> Result<Rows<V>, SolveError> {
    build_blocks(nrows, workspace, row).join()
}

/// [`build`] without joining the blocks.
pub(in crate::precond::amg) fn build_blocks<V: Copy + Send + Sync, W: Send>(
    nrows: usize,
    workspace: impl Fn() -> W + Sync,
    row: impl Fn(&mut W, usize, &mut Buffer<V>) + Sync,
) -> Blocks<V> {
    let Ok([blocks]) = try_build_many(nrows, workspace, |w, i, [buffer]| {
        row(w, i, buffer);
        Ok::<_, Infallible>(())
    });
    blocks
}

/// Makes the rows of N matrices at once; the error of one of the rows that fail is returned.
pub(in crate::precond::amg) fn try_build_many<V: Copy + Send + Sync, W: Send, E: Send, const N: usize>(
    nrows: usize,
    workspace: impl Fn() -> W + Sync,
    row: impl Fn(&mut W, usize, &mut [Buffer<V>; N]) -> Result<(), E> + Sync,
) -> Result<[Blocks<V>; N], E> {
    let pool = Pool::new(workspace);
    // Small matrices are cut finer, so that every thread gets a part.
    let size = ROWS.min(nrows.div_ceil(64).next_power_of_two().max(64));
    let built: Vec<[Buffer<V>; N]> = (0..nrows.div_ceil(size))
        .into_par_iter()
        .map(|block| {
            let mut scratch = pool.take();
            let rows = block * size..((block + 1) * size).min(nrows);
            let mut buffers: [Buffer<V>; N] = std::array::from_fn(|_| Buffer::for_rows(rows.len()));
            for (k, i) in rows.clone().enumerate() {
                row(&mut scratch, i, &mut buffers)?;
                for buffer in &mut buffers {
                    buffer.ends.push(buffer.cols.len() as u32);
                    if k == SAMPLE {
                        buffer.reserve_for(rows.len() - k);
                    }
                }
            }
            pool.put(scratch);
            Ok(buffers)
        })
        .collect::<Result<_, E>>()?;
    drop(pool);
    let mut all: [Blocks<V>; N] = std::array::from_fn(|_| Blocks {
        shift: size.trailing_zeros(),
        blocks: Vec::with_capacity(built.len()),
    });
    for buffers in built {
        all.iter_mut().zip(buffers).for_each(|(all, buffer)| all.blocks.push(buffer));
    }
    Ok(all)
}

/// After this many rows of a block the size of the others is guessed.
const SAMPLE: usize = 64;

impl<V> Buffer<V> {
    /// An empty one for so many rows.
    pub(in crate::precond::amg) fn for_rows(rows: usize) -> Self {
        Self { cols: Vec::new(), vals: Vec::new(), ends: Vec::with_capacity(rows) }
    }

    /// Appends an entry to the row.
    #[inline(always)]
    pub(in crate::precond::amg) fn push(&mut self, j: u32, v: V) {
        self.cols.push(j);
        self.vals.push(v);
    }

    /// Room for `rows` more rows as long as those so far, and a quarter.
    fn reserve_for(&mut self, rows: usize) {
        let more = self.cols.len() * rows / SAMPLE * 5 / 4;
        self.cols.reserve(more);
        self.vals.reserve(more);
    }
}

/// Joins blocks one below the other.
pub(in crate::precond::amg) fn join<V: Copy + Send + Sync>(
    blocks: &[Buffer<V>],
) -> Result<Rows<V>, SolveError> {
    let nnz: usize = blocks.iter().map(|b| b.cols.len()).sum();
    check_entries(nnz)?;
    let rows: usize = blocks.iter().map(|b| b.ends.len()).sum();
    let mut row_ptr = vec![0u32; rows + 1];
    let mut free = &mut row_ptr[1..];
    let mut start = 0u32;
    let mut parts = Vec::with_capacity(blocks.len());
    for block in blocks {
        let (ends, rest) = std::mem::take(&mut free).split_at_mut(block.ends.len());
        free = rest;
        parts.push((start, ends, &block.ends));
        start += block.cols.len() as u32;
    }
    parts.into_par_iter().for_each(|(start, to, ends)| {
        to.iter_mut().zip(ends).for_each(|(to, &end)| *to = start + end);
    });
    let cols = concatenate(blocks.iter().map(|b| &b.cols[..]), nnz);
    let vals = concatenate(blocks.iter().map(|b| &b.vals[..]), nnz);
    Ok((row_ptr, cols, vals))
}

/// The `parts` one after the other, `len` elements in all, copied in parallel: as much memory is touched here for the first
/// time, which takes the operating system longer than the copy.
fn concatenate<'a, V: Copy + Send + Sync + 'a>(parts: impl Iterator<Item = &'a [V]>, len: usize) -> Vec<V> {
    let mut all = Vec::with_capacity(len);
    let mut free = &mut all.spare_capacity_mut()[..len];
    let mut copies = Vec::new();
    for part in parts {
        let (to, rest) = std::mem::take(&mut free).split_at_mut(part.len());
        free = rest;
        copies.push((part, to));
    }
    let complete = free.is_empty();
    copies.into_par_iter().for_each(|(part, to)| {
        to.iter_mut().zip(part).for_each(|(to, &v)| {
            to.write(v);
        });
    });
    if complete {
        // SAFETY: the capacity is at least `len`, and the parts, none left over, were written to its first `len` elements.
        unsafe { all.set_len(len) };
    }
    all
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
