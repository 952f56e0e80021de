//! What is wrong with a `.nl` file, in one line that names the file and the place.

use std::fmt;

/// Why a `.nl` file cannot be read, or a `.sol` file not be written.
///
/// `Display` is one line, `FILE:LINE: what is wrong: expected what`; in the binary part, which has no lines, the byte is
/// named after the line where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NlError {
    pub(super) file: String,
    pub(super) line: Option<u64>,
    pub(super) byte: Option<u64>,
    pub(super) what: String,
    pub(super) expected: String,
}

impl NlError {
    pub(super) fn in_file(file: &str, what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, byte: None, what: what.into(), expected: expected.into() }
    }

    /// The 1-based line that is wrong.
    pub fn line(&self) -> Option<u64> {
        self.line
    }

    /// The 0-based byte of the file, in a binary one.
    pub fn byte(&self) -> Option<u64> {
        self.byte
    }
}

impl fmt::Display for NlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, what, expected, .. } = self;
        let line = self.line.map_or(String::new(), |l| format!(":{l}"));
        let byte = self.byte.map_or(String::new(), |b| format!("byte {b}: "));
        // One line whatever the file's name and words are.
        let text = format!("{file}{line}: {byte}{what}: expected {expected}");
        text.chars().try_for_each(|c| fmt::Write::write_char(f, if c.is_control() { ' ' } else { c }))
    }
}

impl std::error::Error for NlError {}
