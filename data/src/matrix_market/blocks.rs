//! The text after the header, in blocks of whole lines that threads parse side by side.
//!
//! One thread at a time reads the next block (a copy from the page cache, or the decompressor at work)
//! while the others parse theirs: reading is a tenth of the work. A memory map would save that copy, but it
//! is unsound if another process writes to the file and ends the program if one shortens it; and with
//! reads the file's text needs no memory beyond one block a thread, and pipes and gzip work the same way.

use super::header::{MAX_LINE, read_error};
use super::{MatrixMarketError, MatrixMarketErrorKind as Kind};
use rayon::prelude::*;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of a block: it stays in a core's second-level cache between reading and parsing.
const BLOCK: usize = 1 << 18;

/// Newlines behind a block, so that eight bytes can be loaded anywhere in its last line.
pub(super) const PADDING: usize = 16;

/// What is wrong at some line of a block.
pub(super) struct Fault {
    /// Lines of the block before the one at fault.
    pub(super) lines_before: u64,
    pub(super) kind: Kind,
}

/// What a block's text becomes.
pub(super) trait Parse: Sync {
    type Piece: Piece;

    /// Parses `text[..end]`, which is whole lines; behind it lie [`PADDING`] newlines. On a fault the
    /// piece holds what was read before it.
    fn parse(&self, text: &[u8], end: usize) -> (Self::Piece, Option<Fault>);
}

/// The entries of one block, in order.
pub(super) trait Piece: Send {
    /// Entries.
    fn len(&self) -> u64;

    /// Which lines hold no entry.
    fn skips(&self) -> &Skips;
}

/// Lines without an entry (blank or comment), in runs: (entries of the block before the run, its lines).
#[derive(Default)]
pub(super) struct Skips(Vec<(u64, u64)>);

impl Skips {
    /// Notes a skipped line after `entries` entries of the block.
    pub(super) fn push(&mut self, entries: u64) {
        match self.0.last_mut() {
            Some((at, lines)) if *at == entries => *lines += 1,
            _ => self.0.push((entries, 1)),
        }
    }

    /// Skipped lines before entry `index` (0-based) of the block.
    pub(super) fn before(&self, index: u64) -> u64 {
        self.0.iter().take_while(|&&(at, _)| at <= index).map(|&(_, lines)| lines).sum()
    }
}

/// Parses everything that `reader` holds on the threads of the current pool. Returns the pieces in the
/// order of the file, and the number of bytes read.
///
/// `first_line` is the 1-based number of the first line and `expected` the number of entries declared.
///
/// # Errors
/// The first thing wrong in the order of the file, whichever thread came upon it first.
pub(super) fn parse_blocks<P: Parse>(
    reader: impl Read + Send,
    parser: &P,
    file: &str,
    first_line: u64,
    expected: u64,
) -> Result<(Vec<P::Piece>, u64), MatrixMarketError> {
    let shared = Mutex::new(Blocks {
        reader,
        carry: Vec::new(),
        handed_out: 0,
        bytes: 0,
        ended: false,
        budget: expected,
    });
    let results = Mutex::new(Vec::new());
    // Reads and parses one block; false where there is no further one.
    let step = |text: &mut Vec<u8>| {
        let block = lock(&shared).next_block(text);
        match block {
            Ok(None) => return false,
            Ok(Some((index, end))) => {
                let (piece, fault) = parser.parse(text, end);
                lock(&shared).account(piece.len(), fault.is_some());
                lock(&results).push((index, Some(piece), fault));
            }
            Err((index, kind)) => {
                lock(&results).push((index, None, Some(Fault { lines_before: 0, kind })));
            }
        }
        true
    };
    // A small file is done before a second thread wakes up: the first block is parsed right here.
    let mut text = Vec::new();
    step(&mut text);
    drop(text);
    if !lock(&shared).ended {
        (0..rayon::current_num_threads()).into_par_iter().with_max_len(1).for_each(|_| {
            let mut text = Vec::new();
            while step(&mut text) {}
        });
    }
    let bytes = lock(&shared).bytes;
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((in_order(results, file, first_line, expected)?, bytes))
}

/// Puts the pieces in order and finds the first thing wrong.
fn in_order<T: Piece>(
    mut results: Vec<(u64, Option<T>, Option<Fault>)>,
    file: &str,
    first_line: u64,
    expected: u64,
) -> Result<Vec<T>, MatrixMarketError> {
    results.sort_unstable_by_key(|&(index, ..)| index);
    let mut pieces = Vec::with_capacity(results.len());
    let mut line = first_line;
    let mut entries = 0;
    for (_, piece, fault) in results {
        if let Some(piece) = piece {
            let count = piece.len();
            if entries + count > expected {
                let index = expected - entries;
                let line = line + index + piece.skips().before(index);
                return Err(MatrixMarketError::at_line(file, line, Kind::TooManyEntries { expected }));
            }
            entries += count;
            if fault.is_none() {
                line += count + piece.skips().before(u64::MAX);
            }
            pieces.push(piece);
        }
        if let Some(Fault { lines_before, kind }) = fault {
            return Err(MatrixMarketError::at_line(file, line + lines_before, kind));
        }
    }
    if entries < expected {
        let kind = Kind::TooFewEntries { found: entries, expected };
        return Err(MatrixMarketError::at_line(file, line.saturating_sub(1).max(1), kind));
    }
    Ok(pieces)
}

/// A poisoned lock means that a thread panicked: rayon passes that on, nothing is read past it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cuts a reader into blocks of whole lines.
struct Blocks<R> {
    reader: R,
    /// The beginning of the line that the last block broke off in.
    carry: Vec<u8>,
    handed_out: u64,
    bytes: u64,
    ended: bool,
    /// Declared entries that have not been seen yet.
    budget: u64,
}

impl<R: Read> Blocks<R> {
    /// Reads the next block into `text` and returns its number and its length; `None` at the end.
    fn next_block(&mut self, text: &mut Vec<u8>) -> Result<Option<(u64, usize)>, (u64, Kind)> {
        if self.ended {
            return Ok(None);
        }
        let index = self.handed_out;
        self.handed_out += 1;
        let block = self.fill(text);
        if !matches!(block, Ok(Some(_))) {
            self.ended = true;
        }
        block.map(|end| end.map(|end| (index, end))).map_err(|kind| (index, kind))
    }

    fn fill(&mut self, text: &mut Vec<u8>) -> Result<Option<usize>, Kind> {
        let mut filled = self.carry.len();
        text.resize(text.len().max(BLOCK).max(filled + BLOCK / 2), 0);
        text[..filled].copy_from_slice(&self.carry);
        self.carry.clear();
        loop {
            let room = text.len() - PADDING;
            let searched = filled;
            while filled < room && !self.ended {
                match self.reader.read(&mut text[filled..room]) {
                    Ok(0) => self.ended = true,
                    Ok(count) => {
                        filled += count;
                        self.bytes += count as u64;
                    }
                    Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(read_error(e)),
                }
            }
            let end = if self.ended {
                // The last line may lack its end, which the padding supplies.
                filled + usize::from(filled > 0 && text[filled - 1] != b'\n')
            } else if let Some(last) = text[searched..filled].iter().rposition(|&b| b == b'\n') {
                searched + last + 1
            } else if filled > MAX_LINE {
                return Err(Kind::LineTooLong { max: MAX_LINE });
            } else {
                text.resize(2 * text.len(), 0);
                continue;
            };
            self.carry.extend_from_slice(&text[end.min(filled)..filled]);
            text[end.min(filled)..end.min(filled) + PADDING].fill(b'\n');
            return Ok((end > 0).then_some(end));
        }
    }

    /// Stops handing out blocks once something is wrong: every block before it is out already.
    fn account(&mut self, entries: u64, fault: bool) {
        self.ended |= fault || entries > self.budget;
        self.budget = self.budget.saturating_sub(entries);
    }
}
