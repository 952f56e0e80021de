//! The first line, the comments and the size line.
//!
//! Boisvert, Pozo and Remington (1996), "The Matrix Market exchange formats: initial design", NISTIR 5935:
//!
//! ```text
//! %%MatrixMarket matrix FORMAT FIELD SYMMETRY     words in any case
//! % any number of comments
//! rows cols entries                               (array: rows cols)
//! ```

use super::error::quote;
use super::{MatrixMarketError, MatrixMarketErrorKind as Kind};
use std::fmt;
use std::io::{BufRead, Read};

/// How the entries are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// One entry a line with its row and column: sparse.
    Coordinate,
    /// All values, column by column: dense.
    Array,
}

/// What kind of numbers the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Real numbers; `double` is read as the same.
    Real,
    /// Integers; `unsigned-integer` is read as the same. Beyond 2⁵³ they are rounded to the nearest double.
    Integer,
    /// Real and imaginary part.
    Complex,
    /// No values: every listed entry is 1.
    Pattern,
}

/// What the listed entries say about the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Symmetry {
    /// Nothing: every entry is listed.
    General,
    /// A = Aᵀ; the lower triangle is listed.
    Symmetric,
    /// A = −Aᵀ; the strict lower triangle is listed.
    SkewSymmetric,
    /// A = Aᴴ; the lower triangle is listed.
    Hermitian,
}

impl Format {
    /// The word in the first line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Coordinate => "coordinate",
            Self::Array => "array",
        }
    }
}

impl Field {
    /// The word in the first line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Integer => "integer",
            Self::Complex => "complex",
            Self::Pattern => "pattern",
        }
    }
}

impl Symmetry {
    /// The word in the first line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Symmetric => "symmetric",
            Self::SkewSymmetric => "skew-symmetric",
            Self::Hermitian => "hermitian",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Symmetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a file says of itself before its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Coordinate or array.
    pub format: Format,
    /// The kind of numbers.
    pub field: Field,
    /// What the listed entries say about the others.
    pub symmetry: Symmetry,
    /// Rows of the matrix, below 2³².
    pub rows: usize,
    /// Columns of the matrix, below 2³².
    pub cols: usize,
    /// Entries listed in the file: declared for coordinate, implied by the sizes for array. The matrix has
    /// more if the symmetry mirrors some, and fewer if duplicates are added.
    pub entries: u64,
}

impl Header {
    /// Whether the file declares A = Aᵀ or A = Aᴴ.
    pub fn is_symmetric(&self) -> bool {
        matches!(self.symmetry, Symmetry::Symmetric | Symmetry::Hermitian)
    }
}

/// The longest line that is read: far above any entry, far below what would exhaust memory.
pub(super) const MAX_LINE: usize = 1 << 20;

/// 32-bit indices: the largest number of rows or columns.
const MAX_SIZE: u64 = u32::MAX as u64;

/// Reads up to the size line, that included. Returns the header and the number of lines read.
pub(super) fn parse_header(
    reader: &mut impl BufRead,
    file: &str,
) -> Result<(Header, u64), MatrixMarketError> {
    let mut line = Vec::new();
    let mut number = 1;
    let fail = |number, kind| MatrixMarketError::at_line(file, number, kind);
    if read_line(reader, &mut line).map_err(|kind| fail(1, kind))? == 0 {
        return Err(fail(1, Kind::Empty));
    }
    let (format, field, symmetry) = parse_banner(&line).map_err(|kind| fail(1, kind))?;
    let expected = match format {
        Format::Coordinate => "three integers, `rows cols entries`",
        Format::Array => "two integers, `rows cols`",
    };
    loop {
        if read_line(reader, &mut line).map_err(|kind| fail(number + 1, kind))? == 0 {
            return Err(fail(number, Kind::SizeLine { found: "missing".into(), expected }));
        }
        number += 1;
        if !is_skipped(&line) {
            break;
        }
    }
    let header = parse_sizes(&line, format, field, symmetry, expected).map_err(|kind| fail(number, kind))?;
    Ok((header, number))
}

/// Whether a line is blank or a comment.
pub(super) fn is_skipped(line: &[u8]) -> bool {
    line.trim_ascii_start().first().is_none_or(|&b| b == b'%')
}

/// Reads one line, its end included, into `line`; 0 bytes at the end of the file.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<usize, Kind> {
    line.clear();
    let count = reader.take(MAX_LINE as u64 + 1).read_until(b'\n', line).map_err(read_error)?;
    if count > MAX_LINE { Err(Kind::LineTooLong { max: MAX_LINE }) } else { Ok(count) }
}

/// Names what an input/output error means for a reader.
pub(super) fn read_error(source: std::io::Error) -> Kind {
    let expected = match source.kind() {
        std::io::ErrorKind::UnexpectedEof => "a complete gzip file; this one breaks off",
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => "sound gzip data",
        _ => "a readable file",
    };
    Kind::Io { action: "read", expected, source }
}

fn parse_banner(line: &[u8]) -> Result<(Format, Field, Symmetry), Kind> {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line); // a byte order mark
    let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).take(6).collect();
    let &[banner, object, format, field, symmetry] = words.as_slice() else {
        return Err(Kind::Banner { found: quote(line) });
    };
    if !banner.eq_ignore_ascii_case(b"%%MatrixMarket") {
        return Err(Kind::Banner { found: quote(line) });
    }
    let unknown = |what, found, expected| Kind::UnknownWord { what, found: quote(found), expected };
    if !object.eq_ignore_ascii_case(b"matrix") {
        return Err(unknown("object", object, "matrix"));
    }
    let format = match format.to_ascii_lowercase().as_slice() {
        b"coordinate" => Format::Coordinate,
        b"array" => Format::Array,
        _ => return Err(unknown("format", format, "coordinate or array")),
    };
    let field = match field.to_ascii_lowercase().as_slice() {
        b"real" | b"double" => Field::Real,
        b"integer" | b"unsigned-integer" => Field::Integer,
        b"complex" => Field::Complex,
        b"pattern" => Field::Pattern,
        _ => return Err(unknown("field", field, "real, integer, complex or pattern")),
    };
    let symmetry = match symmetry.to_ascii_lowercase().as_slice() {
        b"general" => Symmetry::General,
        b"symmetric" => Symmetry::Symmetric,
        b"skew-symmetric" => Symmetry::SkewSymmetric,
        b"hermitian" => Symmetry::Hermitian,
        _ => {
            return Err(unknown("symmetry", symmetry, "general, symmetric, skew-symmetric or hermitian"));
        }
    };
    match (format, field, symmetry) {
        (Format::Array, Field::Pattern, _) => Err(Kind::contradiction(field, "array and pattern")),
        (_, Field::Pattern, Symmetry::SkewSymmetric) => {
            Err(Kind::contradiction(field, "pattern and skew-symmetric"))
        }
        (_, Field::Pattern, Symmetry::Hermitian) => Err(Kind::contradiction(field, "pattern and hermitian")),
        (_, Field::Real, Symmetry::Hermitian) => Err(Kind::contradiction(field, "real and hermitian")),
        (_, Field::Integer, Symmetry::Hermitian) => Err(Kind::contradiction(field, "integer and hermitian")),
        _ => Ok((format, field, symmetry)),
    }
}

fn parse_sizes(
    line: &[u8],
    format: Format,
    field: Field,
    symmetry: Symmetry,
    expected: &'static str,
) -> Result<Header, Kind> {
    let malformed = || Kind::SizeLine { found: quote(line), expected };
    let numbers: Option<Vec<u128>> = std::str::from_utf8(line)
        .ok()
        .and_then(|text| text.split_ascii_whitespace().take(4).map(|word| word.parse().ok()).collect());
    let numbers = numbers.ok_or_else(malformed)?;
    let (rows, cols, declared) = match (format, numbers.as_slice()) {
        (Format::Coordinate, &[rows, cols, entries]) => (rows, cols, Some(entries)),
        (Format::Array, &[rows, cols]) => (rows, cols, None),
        _ => return Err(malformed()),
    };
    for (what, found) in [("rows", rows), ("columns", cols)] {
        if found > u128::from(MAX_SIZE) {
            return Err(Kind::TooLarge {
                what,
                found,
                max: MAX_SIZE,
                reason: "what 32-bit indices can address",
            });
        }
    }
    if symmetry != Symmetry::General && rows != cols {
        return Err(Kind::NotSquare { symmetry, rows: rows as u64, cols: cols as u64 });
    }
    let entries = declared.unwrap_or(match symmetry {
        Symmetry::General => rows * cols,
        Symmetry::Symmetric | Symmetry::Hermitian => rows * (rows + 1) / 2,
        Symmetry::SkewSymmetric => rows * rows.saturating_sub(1) / 2,
    });
    let mirrored = if symmetry == Symmetry::General { entries } else { entries.saturating_mul(2) };
    if format == Format::Coordinate && mirrored > u128::from(MAX_SIZE) {
        let max = if symmetry == Symmetry::General { MAX_SIZE } else { MAX_SIZE / 2 };
        let reason = "what 32-bit indices can address";
        return Err(Kind::TooLarge { what: "entries", found: entries, max, reason });
    }
    let entries = entries as u64; // at most (2³² − 1)², checked above
    Ok(Header { format, field, symmetry, rows: rows as usize, cols: cols as usize, entries })
}
