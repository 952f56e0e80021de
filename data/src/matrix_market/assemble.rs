//! From the pieces of a file to compressed sparse rows.
//!
//! Two passes over the pieces: count the entries of each row, then put each entry into its place. Every
//! thread owns a range of rows and looks through all pieces for its own; a piece that lies outside is
//! skipped by its span, so for the usual files (sorted by column or by row, of a matrix with most entries
//! near the diagonal) each piece is met about once. Nothing is shared between threads, and the entries of
//! a row arrive in the order of the file, so the result does not depend on the number of threads.

use super::entries::Triplets;
use super::{FileScalar, Header, Symmetry};
use crate::csr::{CsrMatrix, sort_and_add_rows};
use rayon::prelude::*;
use std::ops::Range;

/// Below this many entries one thread is done before a second has woken up.
const MIN_PARALLEL_ENTRIES: u64 = 50_000;

/// Builds the matrix and returns it with the number of listed entries that were added to others.
pub(super) fn assemble<T: FileScalar>(header: &Header, pieces: Vec<Triplets<T>>) -> (CsrMatrix<T>, usize) {
    let Header { rows, cols, symmetry, entries, .. } = *header;
    let tasks = if entries < MIN_PARALLEL_ENTRIES { 1 } else { rayon::current_num_threads() };
    let row_ptr = count_rows(rows, symmetry, &pieces, tasks);
    let nnz = row_ptr[rows] as usize;
    let mut col_idx = vec![0u32; nnz];
    let mut values = vec![T::zero(); nnz];
    let parts = split_rows(&row_ptr, &mut col_idx, &mut values, tasks);
    let duplicates = if tasks == 1 {
        parts.into_iter().map(|part| part.place(symmetry, &pieces)).sum()
    } else {
        parts.into_par_iter().map(|part| part.place(symmetry, &pieces)).sum()
    };
    drop(pieces);
    let matrix = if duplicates == 0 {
        CsrMatrix::from_parts(rows, cols, row_ptr, col_idx, values)
    } else {
        sort_and_add_rows(rows, cols, row_ptr, col_idx, values).0
    };
    (matrix, duplicates)
}

/// Row pointers of the matrix with all mirrored entries, duplicates counted as they come.
fn count_rows<T: FileScalar>(
    rows: usize,
    symmetry: Symmetry,
    pieces: &[Triplets<T>],
    tasks: usize,
) -> Vec<u32> {
    let mut row_ptr = vec![0u32; rows + 1];
    let chunk = rows.div_ceil(tasks).max(1);
    let count = |(k, counts): (usize, &mut [u32])| {
        let start = k * chunk;
        let range = start as u32..(start + counts.len()) as u32;
        for piece in pieces {
            for_each_entry(piece, &range, symmetry, |row, _, _| counts[row] += 1);
        }
    };
    if tasks == 1 {
        row_ptr[1..].chunks_mut(chunk).enumerate().for_each(count);
    } else {
        row_ptr[1..].par_chunks_mut(chunk).enumerate().for_each(count);
    }
    let mut sum = 0;
    for count in &mut row_ptr {
        sum += *count;
        *count = sum;
    }
    row_ptr
}

/// A range of rows with its part of the arrays.
struct Part<'a, T> {
    rows: Range<u32>,
    row_ptr: &'a [u32],
    col_idx: &'a mut [u32],
    values: &'a mut [T],
}

/// Cuts the arrays at rows, into `tasks` parts of about as many entries each.
fn split_rows<'a, T>(
    row_ptr: &'a [u32],
    mut col_idx: &'a mut [u32],
    mut values: &'a mut [T],
    tasks: usize,
) -> Vec<Part<'a, T>> {
    let rows = row_ptr.len() - 1;
    let nnz = values.len();
    let mut parts = Vec::with_capacity(tasks);
    let mut start = 0;
    for task in 1..=tasks {
        let target = (nnz as u128 * task as u128 / tasks as u128) as u32;
        let end =
            if task == tasks { rows } else { row_ptr[..=rows].partition_point(|&p| p < target).min(rows) };
        let end = end.max(start);
        let count = (row_ptr[end] - row_ptr[start]) as usize;
        let (cols_here, cols_after) = col_idx.split_at_mut(count);
        let (values_here, values_after) = values.split_at_mut(count);
        parts.push(Part {
            rows: start as u32..end as u32,
            row_ptr: &row_ptr[start..=end],
            col_idx: cols_here,
            values: values_here,
        });
        (col_idx, values, start) = (cols_after, values_after, end);
    }
    parts
}

impl<T: FileScalar> Part<'_, T> {
    /// Puts the entries of these rows into their places, sorts each row, and counts the listed entries
    /// that share a place with an earlier one.
    fn place(self, symmetry: Symmetry, pieces: &[Triplets<T>]) -> usize {
        let base = self.row_ptr[0];
        let mut next: Vec<u32> = self.row_ptr[..self.rows.len()].iter().map(|&p| p - base).collect();
        for piece in pieces {
            for_each_entry(piece, &self.rows, symmetry, |row, j, value| {
                let k = next[row] as usize;
                next[row] += 1;
                self.col_idx[k] = j;
                self.values[k] = value;
            });
        }
        drop(next);
        let mut scratch = Vec::new();
        let mut duplicates = 0;
        for (i, bounds) in (self.rows.start..).zip(self.row_ptr.windows(2)) {
            let range = (bounds[0] - base) as usize..(bounds[1] - base) as usize;
            let cols = &mut self.col_idx[range.clone()];
            if cols.windows(2).all(|pair| pair[0] < pair[1]) {
                continue;
            }
            sort_row(cols, &mut self.values[range], &mut scratch);
            // A mirrored entry is one listed entry: count it in the lower triangle only.
            let listed = |j: u32| symmetry == Symmetry::General || j <= i;
            duplicates += cols.windows(2).filter(|pair| pair[0] == pair[1] && listed(pair[0])).count();
        }
        duplicates
    }
}

/// Sorts a row by column, entries of the same column in the order of the file.
fn sort_row<T: FileScalar>(cols: &mut [u32], values: &mut [T], scratch: &mut Vec<(u32, T)>) {
    if cols.is_sorted() {
        return;
    }
    scratch.clear();
    scratch.extend(cols.iter().copied().zip(values.iter().copied()));
    scratch.sort_by_key(|&(j, _)| j);
    for ((col, value), &(j, v)) in cols.iter_mut().zip(values).zip(scratch.iter()) {
        *col = j;
        *value = v;
    }
}

/// Calls `f(row − rows.start, column, value)` for each entry of the piece in these rows, the mirrored ones
/// after the ones that they mirror.
#[inline(always)]
fn for_each_entry<T: FileScalar>(
    piece: &Triplets<T>,
    rows: &Range<u32>,
    symmetry: Symmetry,
    mut f: impl FnMut(usize, u32, T),
) {
    if piece.span.0 >= rows.end || piece.span.1 < rows.start {
        return;
    }
    let count = rows.end - rows.start;
    let mut place = |i: u32, j: u32, value: T| {
        let row = i.wrapping_sub(rows.start);
        if row < count {
            f(row as usize, j, value);
        }
    };
    let entries = piece.rows.iter().zip(&piece.cols).zip(&piece.values);
    if symmetry == Symmetry::General {
        return entries.for_each(|((&i, &j), &value)| place(i, j, value));
    }
    entries.for_each(|((&i, &j), &value)| {
        place(i, j, value);
        if i != j {
            place(j, i, mirrored(value, symmetry));
        }
    });
}

/// The entry (j, i) that belongs to the entry (i, j).
#[inline(always)]
pub(super) fn mirrored<T: FileScalar>(value: T, symmetry: Symmetry) -> T {
    match symmetry {
        Symmetry::General | Symmetry::Symmetric => value,
        Symmetry::SkewSymmetric => -value,
        Symmetry::Hermitian => value.conjugate(),
    }
}
