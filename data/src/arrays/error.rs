//! What is wrong with an array file, in one line that names the file and the line.

use crate::matrix_market::MatrixMarketError;
use std::fmt;

/// Why an array cannot be read or written.
///
/// `Display` is exactly one line, `FILE:LINE: what is wrong: what was expected` (no LINE in binary files),
/// without control characters whatever the file holds.
#[derive(Debug)]
pub struct ArrayError(Box<Details>);

#[derive(Debug)]
struct Details {
    file: String,
    line: Option<u64>,
    kind: ArrayErrorKind,
}

impl ArrayError {
    pub(super) fn new(file: &str, line: Option<u64>, kind: ArrayErrorKind) -> Self {
        Self(Box::new(Details { file: file.to_owned(), line, kind }))
    }

    /// The file as it was named by the caller.
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// The 1-based line that is wrong, in text files.
    pub fn line(&self) -> Option<u64> {
        match &self.0.kind {
            ArrayErrorKind::MatrixMarket(error) => error.line(),
            _ => self.0.line,
        }
    }

    /// What is wrong there.
    pub fn kind(&self) -> &ArrayErrorKind {
        &self.0.kind
    }
}

impl fmt::Display for ArrayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { file, line, kind } = &*self.0;
        let text = match (kind, line) {
            // It names the file itself.
            (ArrayErrorKind::MatrixMarket(_), _) => kind.to_string(),
            (_, Some(line)) => format!("{file}:{line}: {kind}"),
            (_, None) => format!("{file}: {kind}"),
        };
        text.chars().try_for_each(|c| fmt::Write::write_char(f, if c.is_control() { ' ' } else { c }))
    }
}

impl std::error::Error for ArrayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ArrayErrorKind::Io { source, .. } => Some(source),
            ArrayErrorKind::MatrixMarket(error) => Some(error),
            _ => None,
        }
    }
}

/// What can be wrong with an array file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayErrorKind {
    /// The operating system refused.
    #[error("cannot {action} ({source}): expected {expected}")]
    Io {
        /// "open", "read", "write".
        action: &'static str,
        /// What would have worked.
        expected: &'static str,
        /// The system's own words.
        source: std::io::Error,
    },
    /// Nothing, or nothing but comments and a header line.
    #[error("there are no numbers in the file: expected at least one")]
    Empty,
    /// A word of a text file is no number.
    #[error("value {column} is {found}: expected a number")]
    Number {
        /// The word, quoted.
        found: String,
        /// Its 1-based place on the line.
        column: usize,
    },
    /// The lines of a text file have different lengths.
    #[error("the line has {found} values: expected {expected}, as on the lines before")]
    Ragged {
        /// Values on this line.
        found: usize,
        /// Values on each line before.
        expected: usize,
    },
    /// The file is not of the kind that its name says, or is damaged.
    #[error("{what}: expected {expected}")]
    Malformed {
        /// What is wrong.
        what: String,
        /// What would be right.
        expected: String,
    },
    /// The header asks for more data than there is.
    #[error(
        "the header declares {declared}, but the file holds no more than {available} bytes of data: expected a complete file"
    )]
    Truncated {
        /// Shape and type as declared.
        declared: String,
        /// What there is at most.
        available: u64,
    },
    /// A Matrix Market file has an error of its own.
    #[error("{0}")]
    MatrixMarket(MatrixMarketError),
}

impl ArrayErrorKind {
    pub(super) fn malformed(what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Malformed { what: what.into(), expected: expected.into() }
    }
}

/// Longest piece of a file that an error quotes, in characters.
const MAX_QUOTED: usize = 40;

/// The file's own words, quoted and cut to a readable length.
pub(super) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_QUOTED).collect();
    if text.chars().nth(MAX_QUOTED).is_some() {
        short.push('…');
    }
    format!("'{short}'")
}
