//! Tables of numbers in text: a row a line.

use super::error::{ArrayErrorKind as Kind, quoted};
use super::{ArrayError, DenseArray};
use std::io::BufRead;

/// What stands between the values of a line; the first line with values decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    Comma,
    Semicolon,
    Blank,
}

impl Separator {
    fn of(line: &str) -> Self {
        if line.contains(';') {
            Self::Semicolon
        } else if line.contains(',') {
            Self::Comma
        } else {
            Self::Blank
        }
    }

    /// Calls `f` with the place of each value and its words, until it fails.
    fn for_each<'a>(
        self,
        line: &'a str,
        f: &mut dyn FnMut(usize, &'a str) -> Result<(), Kind>,
    ) -> Result<(), Kind> {
        match self {
            Self::Comma => line.split(',').enumerate().try_for_each(|(k, word)| f(k, word.trim())),
            Self::Semicolon => line.split(';').enumerate().try_for_each(|(k, word)| f(k, word.trim())),
            Self::Blank => line.split_whitespace().enumerate().try_for_each(|(k, word)| f(k, word)),
        }
    }

    /// Whether the line holds names only: a header.
    fn is_header(self, line: &str) -> bool {
        let is_name = |_, word: &str| {
            let word = word.trim_matches('"');
            if word.is_empty() || word.parse::<f64>().is_ok() { Err(Kind::Empty) } else { Ok(()) }
        };
        self.for_each(line, &mut { is_name }).is_ok()
    }
}

/// Reads a table.
pub(super) fn read(mut reader: impl BufRead, file: &str) -> Result<DenseArray, ArrayError> {
    let fail = |line, kind| ArrayError::new(file, Some(line), kind);
    let (mut values, mut lines) = (Vec::new(), Vec::new());
    let (mut separator, mut cols) = (None, 0);
    let (mut bytes, mut number) = (Vec::new(), 0u64);
    let mut has_header = false;
    loop {
        bytes.clear();
        let count = reader.read_until(b'\n', &mut bytes).map_err(|source| {
            ArrayError::new(file, None, Kind::Io { action: "read", expected: "a readable file", source })
        })?;
        if count == 0 {
            break;
        }
        number += 1;
        let line = std::str::from_utf8(&bytes)
            .map_err(|_| fail(number, Kind::malformed("the line is not UTF-8 text", "numbers")))?;
        let line = if number == 1 { line.trim_start_matches('\u{feff}') } else { line };
        let line = line.split(['#', '%']).next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let between = *separator.get_or_insert_with(|| Separator::of(line));
        if lines.is_empty() && !has_header && between.is_header(line) {
            has_header = true;
            separator = None;
            continue;
        }
        let before = values.len();
        between
            .for_each(line, &mut |column, word| {
                let number = word.parse::<f64>();
                values.push(number.map_err(|_| Kind::Number { found: quoted(word), column: column + 1 })?);
                Ok(())
            })
            .map_err(|kind| fail(number, kind))?;
        let found = values.len() - before;
        if lines.is_empty() {
            cols = found;
        } else if found != cols {
            return Err(fail(number, Kind::Ragged { found, expected: cols }));
        }
        lines.push(number);
    }
    let mut array = DenseArray::from_file(file, lines.len(), cols, values);
    array.origin.lines = lines;
    Ok(array)
}
