//! Words and numbers of a `.nl` file, text or binary, with the place where each stands.

use super::NlError;

/// How numbers are written after the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Text,
    LittleEndian,
    BigEndian,
}

/// A file in memory, read from front to back.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    file: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: u64,
    pub(super) encoding: Encoding,
}

/// A piece of the file is quoted in an error up to this many characters.
const QUOTED: usize = 24;

impl<'a> Scanner<'a> {
    pub(super) fn new(file: &'a str, bytes: &'a [u8]) -> Self {
        Self { file, bytes, at: 0, line: 1, encoding: Encoding::Text }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn error(&self, what: impl Into<String>, expected: impl Into<String>) -> NlError {
        NlError {
            file: self.file.to_owned(),
            line: Some(self.line),
            byte: (self.encoding != Encoding::Text).then_some(self.at as u64),
            what: what.into(),
            expected: expected.into(),
        }
    }

    /// The rest of the present line without its end and comment, and goes to the next.
    pub(super) fn rest_of_line(&mut self) -> &'a str {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        self.at = (self.at + length + 1).min(self.bytes.len());
        self.line += 1;
        let line = rest[..length].split(|b| *b == b'#').next().unwrap_or_default();
        std::str::from_utf8(line).unwrap_or("\u{fffd}").trim()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The letter that begins a segment; `None` at the end of the file.
    pub(super) fn segment(&mut self) -> Option<u8> {
        if self.encoding == Encoding::Text {
            self.skip_empty_lines();
        }
        self.byte()
    }

    /// The character that begins an item, on a line of its own in a text file.
    pub(super) fn key(&mut self, expected: &str) -> Result<u8, NlError> {
        self.segment().ok_or_else(|| self.error("the file ends too early", expected))
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn skip_empty_lines(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.at += 1;
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'#' => {
                    while self.bytes.get(self.at).is_some_and(|b| *b != b'\n') {
                        self.at += 1;
                    }
                }
                _ => break,
            }
        }
    }

    /// The end of an item: of its line in a text file.
    pub(super) fn end_of_item(&mut self) -> Result<(), NlError> {
        if self.encoding != Encoding::Text {
            return Ok(());
        }
        let word = self.word();
        if !word.is_empty() {
            return Err(self.error(format!("\"{word}\" is too much on this line"), "the end of the line"));
        }
        self.rest_of_line();
        Ok(())
    }

    /// The next word of this line; empty where there is none.
    fn word(&mut self) -> &'a str {
        let is_space = |b: &u8| matches!(b, b' ' | b'\t' | b'\r');
        while self.bytes.get(self.at).is_some_and(is_space) {
            self.at += 1;
        }
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|b| is_space(b) || matches!(b, b'\n' | b'#')).unwrap_or(rest.len());
        let word = std::str::from_utf8(&rest[..length]).unwrap_or("\u{fffd}");
        self.at += length;
        word
    }

    fn number<T: std::str::FromStr>(&mut self, expected: &str) -> Result<T, NlError> {
        let before = self.at;
        let word = self.word();
        word.parse().map_err(|_| {
            self.at = before;
            let what = if word.is_empty() {
                "a number is missing".to_owned()
            } else {
                format!(
                    "\"{}\" is not the number it should be",
                    word.chars().take(QUOTED).collect::<String>()
                )
            };
            self.error(what, expected)
        })
    }

    fn fixed<const N: usize>(&mut self, expected: &str) -> Result<[u8; N], NlError> {
        let found = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>()).copied();
        let found = found.ok_or_else(|| self.error("the file ends too early", expected))?;
        self.at += N;
        Ok(if self.encoding == Encoding::BigEndian { reversed(found) } else { found })
    }

    /// An integer.
    pub(super) fn integer(&mut self, expected: &str) -> Result<i64, NlError> {
        match self.encoding {
            Encoding::Text => self.number(expected),
            _ => self.fixed(expected).map(|b| i64::from(i32::from_le_bytes(b))),
        }
    }

    /// An integer of two bytes in a binary file.
    pub(super) fn short(&mut self, expected: &str) -> Result<i64, NlError> {
        match self.encoding {
            Encoding::Text => self.number(expected),
            _ => self.fixed(expected).map(|b| i64::from(i16::from_le_bytes(b))),
        }
    }

    /// An integer in [0, `limit`).
    pub(super) fn index(&mut self, limit: usize, what: &str) -> Result<usize, NlError> {
        let expected = || format!("{what} below {limit}");
        let found = self.integer(&expected())?;
        let index = usize::try_from(found).ok().filter(|k| *k < limit);
        index.ok_or_else(|| self.error(format!("{what} is {found}"), format!("at least 0 and below {limit}")))
    }

    /// A count that something as long as the rest of the file may have.
    pub(super) fn count(&mut self, what: &str) -> Result<usize, NlError> {
        let found = self.integer(what)?;
        let room = self.bytes.len() - self.at.min(self.bytes.len());
        let count = usize::try_from(found).ok().filter(|k| *k <= room);
        count.ok_or_else(|| {
            self.error(
                format!("{what} is {found}"),
                format!("at least 0, and no more than the {room} bytes that follow"),
            )
        })
    }

    /// A number.
    pub(super) fn real(&mut self, expected: &str) -> Result<f64, NlError> {
        match self.encoding {
            Encoding::Text => self.number(expected),
            _ => self.fixed(expected).map(f64::from_le_bytes),
        }
    }

    /// A name: a word, or a length and that many characters.
    pub(super) fn name(&mut self) -> Result<String, NlError> {
        if self.encoding == Encoding::Text {
            return Ok(self.word().to_owned());
        }
        let length = self.count("the length of a name")?;
        let bytes = self.bytes.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

fn reversed<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
    bytes.reverse();
    bytes
}
