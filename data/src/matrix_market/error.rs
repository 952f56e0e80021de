//! What is wrong with a file, in one line that names the file and the line.

use super::{Field, Symmetry};
use std::fmt;

/// Why a Matrix Market file cannot be read or written.
///
/// `Display` is exactly one line, `FILE:LINE: what is wrong: what was expected`, without control
/// characters whatever the file holds; LINE counts from 1. An error in writing has no line. The file's
/// own words are quoted and cut to a readable length.
#[derive(Debug)]
pub struct MatrixMarketError(Box<Details>);

#[derive(Debug)]
struct Details {
    file: String,
    line: Option<u64>,
    kind: MatrixMarketErrorKind,
}

impl MatrixMarketError {
    pub(super) fn at_line(file: &str, line: u64, kind: MatrixMarketErrorKind) -> Self {
        Self(Box::new(Details { file: file.to_owned(), line: Some(line), kind }))
    }

    pub(super) fn in_file(file: &str, kind: MatrixMarketErrorKind) -> Self {
        Self(Box::new(Details { file: file.to_owned(), line: None, kind }))
    }

    /// The file as it was named by the caller.
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// The 1-based line that is wrong, or at which reading stopped; `None` for an error in writing.
    pub fn line(&self) -> Option<u64> {
        self.0.line
    }

    /// What is wrong there.
    pub fn kind(&self) -> &MatrixMarketErrorKind {
        &self.0.kind
    }
}

impl fmt::Display for MatrixMarketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { file, line, kind } = &*self.0;
        let text = match line {
            Some(line) => format!("{file}:{line}: {kind}"),
            None => format!("{file}: {kind}"),
        };
        // One line whatever the file's name and the system's words are.
        text.chars()
            .try_for_each(|c| if c.is_control() { f.write_str(" ") } else { fmt::Write::write_char(f, c) })
    }
}

impl std::error::Error for MatrixMarketError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            MatrixMarketErrorKind::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// What can be wrong with a Matrix Market file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MatrixMarketErrorKind {
    /// The operating system, or the decompressor, refused.
    #[error("cannot {action}: {source}: expected {expected}")]
    Io {
        /// "open", "read", "create", "write", ...
        action: &'static str,
        /// What would have worked.
        expected: &'static str,
        /// The system's own words.
        source: std::io::Error,
    },
    /// Nothing, not even a first line.
    #[error("the file is empty: expected a first line like `%%MatrixMarket matrix coordinate real general`")]
    Empty,
    /// The first line does not begin with `%%MatrixMarket`, or has not five words.
    #[error("the first line is {found}: expected `%%MatrixMarket matrix FORMAT FIELD SYMMETRY`")]
    Banner {
        /// The line, quoted.
        found: String,
    },
    /// A word of the first line is unknown.
    #[error("unknown {what} {found}: expected {expected}")]
    UnknownWord {
        /// "object", "format", "field" or "symmetry".
        what: &'static str,
        /// The word, quoted.
        found: String,
        /// The known ones.
        expected: &'static str,
    },
    /// Two words of the first line exclude each other.
    #[error("the first line says {found}: expected {expected}")]
    Contradiction {
        /// The two words.
        found: &'static str,
        /// What would go together.
        expected: &'static str,
    },
    /// The line with the sizes is missing or malformed.
    #[error("the size line is {found}: expected {expected}")]
    SizeLine {
        /// The line, quoted, or "missing".
        found: String,
        /// Its layout.
        expected: &'static str,
    },
    /// A symmetric, skew-symmetric or hermitian matrix that is not square.
    #[error("the matrix is {symmetry} and {rows} x {cols}: expected as many rows as columns")]
    NotSquare {
        /// The declared symmetry.
        symmetry: Symmetry,
        /// Declared rows.
        rows: u64,
        /// Declared columns.
        cols: u64,
    },
    /// More than 32-bit indices can address, or than any file of this length can mean.
    #[error("{what} = {found}: expected at most {max}, {reason}")]
    TooLarge {
        /// "rows", "columns", "entries" or "values".
        what: &'static str,
        /// The declared or found number.
        found: u128,
        /// The largest that is accepted.
        max: u64,
        /// Why no more.
        reason: &'static str,
    },
    /// The file ends early.
    #[error("the file ends after {found} of {expected} entries: expected as many as the size line declares")]
    TooFewEntries {
        /// Entries that there are.
        found: u64,
        /// Entries declared.
        expected: u64,
    },
    /// There is one more entry than declared.
    #[error("there is an entry after the last of {expected}: expected as many as the size line declares")]
    TooManyEntries {
        /// Entries declared.
        expected: u64,
    },
    /// An entry has too few or too many words.
    #[error("the entry {found} has {words} words: expected {expected}")]
    WordCount {
        /// The line, quoted.
        found: String,
        /// Words on it.
        words: usize,
        /// The layout of an entry.
        expected: &'static str,
    },
    /// A row or column is no integer from 1 to the size.
    #[error("the {what} index is {found}: expected an integer from 1 to {max}")]
    Index {
        /// "row" or "column".
        what: &'static str,
        /// The word, quoted.
        found: String,
        /// The number of rows or columns.
        max: u64,
    },
    /// A value is not a number of the declared field.
    #[error("the value is {found}: expected {expected}")]
    Number {
        /// The word, quoted.
        found: String,
        /// What the field asks for.
        expected: &'static str,
    },
    /// A value is NaN, infinite, or too large for the number type.
    #[error("NaN/Inf entry: the value is {found}: expected a finite number")]
    NonFinite {
        /// The word, quoted.
        found: String,
    },
    /// A diagonal entry contradicts the symmetry.
    #[error("the {symmetry} matrix has the diagonal entry {found}: expected {expected}")]
    Diagonal {
        /// The declared symmetry.
        symmetry: Symmetry,
        /// The value's words, quoted.
        found: String,
        /// What a diagonal entry may be.
        expected: &'static str,
    },
    /// A line without end.
    #[error("the line is longer than {max} bytes: expected one entry a line")]
    LineTooLong {
        /// The longest line that is read.
        max: usize,
    },
    /// A complex file was asked for as a real matrix.
    #[error(
        "the field is complex: expected {expected}, which a real matrix can hold; read the file as complex"
    )]
    ComplexField {
        /// The fields that fit.
        expected: &'static str,
    },
    /// The matrix is not what it is to be written as.
    #[error(
        "the matrix cannot be written as {target}: entry ({row}, {col}), counted from 1, is {found}: expected {expected}"
    )]
    Unwritable {
        /// The symmetry or field that was asked for.
        target: &'static str,
        /// 1-based row.
        row: u64,
        /// 1-based column.
        col: u64,
        /// The value there.
        found: String,
        /// What the target asks for.
        expected: &'static str,
    },
    /// Options that exclude each other, or the matrix.
    #[error("{found}: expected {expected}")]
    WriteOptions {
        /// What was asked for.
        found: &'static str,
        /// What can be written.
        expected: &'static str,
    },
}

impl MatrixMarketErrorKind {
    pub(super) fn complex_field() -> Self {
        Self::ComplexField { expected: "real, integer or pattern" }
    }

    pub(super) fn contradiction(field: Field, found: &'static str) -> Self {
        let expected = match field {
            Field::Pattern => "pattern only with coordinate and general or symmetric",
            _ => "hermitian only with complex",
        };
        Self::Contradiction { found, expected }
    }
}

/// The longest quotation of a file's own words, in bytes.
const MAX_QUOTE: usize = 48;

/// The file's words between backquotes: escaped to printable ASCII, and cut.
pub(super) fn quote(words: &[u8]) -> String {
    let words = words.trim_ascii();
    if words.len() <= MAX_QUOTE {
        format!("`{}`", words.escape_ascii())
    } else {
        format!("`{}...`", words[..MAX_QUOTE].escape_ascii())
    }
}
