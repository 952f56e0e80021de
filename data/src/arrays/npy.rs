//! NumPy's `.npy` format: a magic word, a version, a header that is a Python dictionary with `descr`,
//! `fortran_order` and `shape`, then the values. Source: NumPy Enhancement Proposal 1.
//!
//! The header is read here and not by a crate, because those at hand multiply the declared shape without
//! a check: a hostile file must not overflow, nor ask for memory.

use super::error::{ArrayErrorKind as Kind, quoted};
use super::{ArrayError, DenseArray, transposed};
use std::io::{self, Read};

pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// A header of more bytes describes no plain array.
const MAX_HEADER: usize = 1 << 16;

/// Bytes read at once; a multiple of every size of a value.
const CHUNK: usize = 1 << 16;

/// What the header says.
struct Header {
    kind: u8,
    /// Bytes a value: 1, 2, 4 or 8.
    size: usize,
    is_big_endian: bool,
    is_fortran: bool,
    rows: usize,
    cols: usize,
}

/// Reads a `.npy` file of at most `available` bytes.
pub(super) fn read(reader: &mut dyn Read, file: &str, available: u64) -> Result<DenseArray, ArrayError> {
    let fail = |kind| ArrayError::new(file, None, kind);
    let header = read_header(reader).map_err(fail)?;
    let count = header.rows.checked_mul(header.cols);
    let bytes = count.and_then(|c| c.checked_mul(header.size)).map(|b| b as u64);
    let declared = || format!("{} x {} values of {} bytes", header.rows, header.cols, header.size);
    let (Some(count), Some(_)) = (count, bytes.filter(|b| *b <= available)) else {
        return Err(fail(Kind::Truncated { declared: declared(), available }));
    };
    // A pipe or an archive proves its length only by being read.
    let mut values = Vec::with_capacity(if available == u64::MAX { 0 } else { count });
    let mut buffer = vec![0u8; CHUNK];
    while values.len() < count {
        let wanted = ((count - values.len()) * header.size).min(CHUNK);
        let chunk = &mut buffer[..wanted];
        reader.read_exact(chunk).map_err(|source| {
            fail(match source.kind() {
                io::ErrorKind::UnexpectedEof => {
                    Kind::Truncated { declared: declared(), available: (values.len() * header.size) as u64 }
                }
                _ => Kind::Io { action: "read", expected: "a complete file", source },
            })
        })?;
        decode(&header, chunk, &mut values);
    }
    if header.is_fortran {
        values = transposed(values, header.cols, header.rows);
    }
    Ok(DenseArray::from_file(file, header.rows, header.cols, values))
}

/// Appends the values in `chunk`.
fn decode(header: &Header, chunk: &[u8], values: &mut Vec<f64>) {
    let bits = chunk.chunks_exact(header.size).map(|bytes| {
        let push = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
        if header.is_big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) }
    });
    let unused = 64 - 8 * header.size as u32;
    match (header.kind, header.size) {
        (b'f', 8) => values.extend(bits.map(f64::from_bits)),
        (b'f', _) => values.extend(bits.map(|b| f64::from(f32::from_bits(b as u32)))),
        (b'i', _) => values.extend(bits.map(|b| ((b << unused) as i64 >> unused) as f64)),
        (b'b', _) => values.extend(bits.map(|b| f64::from(u8::from(b != 0)))),
        _ => values.extend(bits.map(|b| b as f64)),
    }
}

fn read_header(reader: &mut dyn Read) -> Result<Header, Kind> {
    let text = read_header_text(reader).map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            let what = format!("this is no .npy file ({source})");
            Kind::malformed(what, "an array written by numpy.save")
        }
        _ => Kind::Io { action: "read", expected: "a .npy file", source },
    })?;
    let missing = |key: &str| {
        Kind::malformed(
            format!("the .npy header has no {key} ({})", quoted(&text)),
            "a plain array of numbers",
        )
    };
    let descr = value_of(&text, "descr").ok_or_else(|| missing("descr"))?;
    let (kind, size, is_big_endian) = parse_type(descr)?;
    let fortran = value_of(&text, "fortran_order").ok_or_else(|| missing("fortran_order"))?;
    let shape = value_of(&text, "shape").and_then(parse_shape).ok_or_else(|| missing("shape"))?;
    // Axes of length 1 beyond the second say nothing.
    let mut axes = shape.clone();
    while axes.len() > 2 {
        let Some(at) = axes.iter().position(|&n| n == 1) else {
            let what = format!("the array has {} axes", shape.len());
            return Err(Kind::malformed(what, "one or two"));
        };
        axes.remove(at);
    }
    let (rows, cols) = match axes[..] {
        [] => (1, 1),
        [n] => (n, 1),
        [m, n, ..] => (m, n),
    };
    Ok(Header { kind, size, is_big_endian, is_fortran: fortran.starts_with("True"), rows, cols })
}

fn read_header_text(reader: &mut dyn Read) -> io::Result<String> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut start = [0u8; 8];
    reader.read_exact(&mut start)?;
    if !start.starts_with(MAGIC) {
        return Err(invalid("it does not begin with \\x93NUMPY"));
    }
    let length = if start[6] == 1 {
        let mut bytes = [0u8; 2];
        reader.read_exact(&mut bytes)?;
        usize::from(u16::from_le_bytes(bytes))
    } else if start[6] <= 3 {
        let mut bytes = [0u8; 4];
        reader.read_exact(&mut bytes)?;
        u32::from_le_bytes(bytes) as usize
    } else {
        return Err(invalid("its version is unknown"));
    };
    if length > MAX_HEADER {
        return Err(invalid("its header is too long"));
    }
    let mut text = vec![0u8; length];
    reader.read_exact(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What follows `'key':`.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let after = ['\'', '"'].iter().find_map(|quote| {
        let quoted = format!("{quote}{key}{quote}");
        text.find(&quoted).map(|at| &text[at + quoted.len()..])
    })?;
    after.trim_start().strip_prefix(':').map(str::trim_start)
}

/// Kind, size and byte order of a type such as `'<f8'`.
fn parse_type(descr: &str) -> Result<(u8, usize, bool), Kind> {
    let quote = descr.chars().next().filter(|c| *c == '\'' || *c == '"');
    let word = quote.and_then(|quote| descr[1..].split(quote).next());
    let unknown = |word: &str| {
        let what = format!("the values have the type {}", quoted(word));
        Kind::malformed(what, "real numbers: f4, f8, i1 to i8, u1 to u8, or bool")
    };
    let Some(word) = word else { return Err(unknown(descr.split(']').next().unwrap_or(descr))) };
    let is_big_endian = match word.bytes().next() {
        Some(b'>') => true,
        Some(b'<' | b'|' | b'=') => cfg!(target_endian = "big") && word.starts_with('='),
        _ => return Err(unknown(word)),
    };
    match (word.as_bytes()[1..].first(), word[1..].get(1..)) {
        (Some(b'f'), Some("4")) => Ok((b'f', 4, is_big_endian)),
        (Some(b'f'), Some("8")) => Ok((b'f', 8, is_big_endian)),
        (Some(b'b'), Some("1")) => Ok((b'b', 1, is_big_endian)),
        (Some(kind @ (b'i' | b'u')), Some(size @ ("1" | "2" | "4" | "8"))) => {
            Ok((*kind, usize::from(size.as_bytes()[0] - b'0'), is_big_endian))
        }
        _ => Err(unknown(word)),
    }
}

/// The numbers of `(3, 4)`.
fn parse_shape(text: &str) -> Option<Vec<usize>> {
    let inner = text.strip_prefix('(')?.split_once(')')?.0;
    let words = inner.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.trim_end_matches('L').parse().ok()).collect()
}
