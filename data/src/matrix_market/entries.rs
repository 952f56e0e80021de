//! Entries from lines.
//!
//! Each kind of line has two readers. The fast one takes the plain form that programs write; where it
//! meets anything else it gives up without a word, and the careful one reads the line again by its words:
//! it accepts all that is legal (`+1`, `1D+3`, 30 digits) and names what is not. So the careful one defines
//! what is accepted, and the tests hold the fast one to it.

use super::blocks::{Fault, PADDING, Parse, Piece, Skips};
use super::decimal::{take_decimal, take_digits, take_few_digits};
use super::error::quote;
use super::header::is_skipped;
use super::{Field, FileScalar, Header, MatrixMarketErrorKind as Kind, Symmetry};
use std::marker::PhantomData;

/// Coordinate entries of one block, in order, indices counted from 0.
pub(super) struct Triplets<T> {
    pub(super) rows: Vec<u32>,
    pub(super) cols: Vec<u32>,
    pub(super) values: Vec<T>,
    /// Smallest and largest row; columns are counted too where the symmetry mirrors entries.
    pub(super) span: (u32, u32),
    skips: Skips,
}

/// Array values of one block, in order.
pub(super) struct Values<T> {
    pub(super) values: Vec<T>,
    skips: Skips,
}

impl<T: Send> Piece for Triplets<T> {
    fn len(&self) -> u64 {
        self.values.len() as u64
    }

    fn skips(&self) -> &Skips {
        &self.skips
    }
}

impl<T: Send> Piece for Values<T> {
    fn len(&self) -> u64 {
        self.values.len() as u64
    }

    fn skips(&self) -> &Skips {
        &self.skips
    }
}

/// Reads `row col [value [imaginary]]`.
pub(super) struct CoordinateLines<'a, T> {
    header: &'a Header,
    number: PhantomData<fn() -> T>,
}

/// Reads `value [imaginary]`.
pub(super) struct ArrayLines<T> {
    field: Field,
    number: PhantomData<fn() -> T>,
}

impl<'a, T> CoordinateLines<'a, T> {
    pub(super) fn new(header: &'a Header) -> Self {
        Self { header, number: PhantomData }
    }
}

impl<T> ArrayLines<T> {
    pub(super) fn new(field: Field) -> Self {
        Self { field, number: PhantomData }
    }
}

impl<T: FileScalar> Parse for CoordinateLines<'_, T> {
    type Piece = Triplets<T>;

    fn parse(&self, text: &[u8], end: usize) -> (Triplets<T>, Option<Fault>) {
        // One loop for each field, so that the choice is not made again on every line.
        match self.header.field {
            Field::Real => self.lines(text, end, |text, at| take_value(text, at, Field::Real)),
            Field::Integer => self.lines(text, end, |text, at| take_value(text, at, Field::Integer)),
            Field::Complex => self.lines(text, end, |text, at| take_value(text, at, Field::Complex)),
            Field::Pattern => self.lines(text, end, |_, _| Some(T::one())),
        }
    }
}

impl<T: FileScalar> CoordinateLines<'_, T> {
    #[inline(always)]
    fn lines(
        &self,
        text: &[u8],
        end: usize,
        take_value: impl Fn(&[u8], &mut usize) -> Option<T>,
    ) -> (Triplets<T>, Option<Fault>) {
        let Header { field, symmetry, rows, cols, .. } = *self.header;
        let is_pattern = field == Field::Pattern;
        // The plain form: decimal digits, spaces between, nothing behind.
        let fast = |at: &mut usize| {
            skip_spaces(text, at);
            let i = take_index(text, at, rows)?;
            skip_spaces(text, at);
            let j = take_index(text, at, cols)?;
            if !is_pattern && skip_spaces(text, at) == 0 {
                return None;
            }
            let value = take_value(text, at)?;
            end_line(text, at)?;
            (i != j || !restricts_diagonal(symmetry)).then_some((i, j, value))
        };
        let room = estimate_lines(&text[..end]);
        let (mut rows, mut cols) = (Vec::with_capacity(room), Vec::with_capacity(room));
        let mut values = Vec::with_capacity(room);
        let mut skips = Skips::default();
        let (mut min, mut max) = (u32::MAX, 0);
        let mut fault = None;
        let mut at = 0;
        while at < end {
            let start = at;
            let (i, j, value) = match fast(&mut at) {
                Some(entry) => entry,
                None => match self.careful(take_line(text, start, &mut at)) {
                    Ok(Some(entry)) => entry,
                    Ok(None) => {
                        skips.push(rows.len() as u64);
                        continue;
                    }
                    Err(kind) => {
                        let entries = rows.len() as u64;
                        fault = Some(Fault { lines_before: entries + skips.before(entries), kind });
                        break;
                    }
                },
            };
            min = min.min(if symmetry == Symmetry::General { i } else { i.min(j) });
            max = max.max(if symmetry == Symmetry::General { i } else { i.max(j) });
            rows.push(i);
            cols.push(j);
            values.push(value);
        }
        (Triplets { rows, cols, values, span: (min, max), skips }, fault)
    }

    /// Any line: an entry, nothing (`None`), or what is wrong with it.
    #[cold]
    #[inline(never)]
    fn careful(&self, line: &[u8]) -> Result<Option<(u32, u32, T)>, Kind> {
        if is_skipped(line) {
            return Ok(None);
        }
        let Header { field, symmetry, rows, cols, .. } = *self.header;
        let expected = match field {
            Field::Pattern => "`row column`",
            Field::Complex => "`row column real imaginary`",
            Field::Real | Field::Integer => "`row column value`",
        };
        let (words, count) = split_words(line);
        if count != 2 + value_words(field) {
            return Err(Kind::WordCount { found: quote(line), words: count, expected });
        }
        let i = parse_index(words[0], "row", rows)?;
        let j = parse_index(words[1], "column", cols)?;
        let (re, im) = parse_value::<T>(&words[2..count], field)?;
        if i == j {
            check_diagonal(re, im, symmetry, &words[2..count])?;
        }
        Ok(Some((i, j, T::from_parts(re, im))))
    }
}

impl<T: FileScalar> Parse for ArrayLines<T> {
    type Piece = Values<T>;

    fn parse(&self, text: &[u8], end: usize) -> (Values<T>, Option<Fault>) {
        let room = estimate_lines(&text[..end]);
        let mut piece = Values { values: Vec::with_capacity(room), skips: Skips::default() };
        let mut at = 0;
        while at < end {
            let start = at;
            if let Some(value) = self.fast(text, &mut at) {
                piece.values.push(value);
                continue;
            }
            let line = take_line(text, start, &mut at);
            match self.careful(line) {
                Ok(Some(value)) => piece.values.push(value),
                Ok(None) => piece.skips.push(piece.len()),
                Err(kind) => {
                    let entries = piece.len();
                    let lines_before = entries + piece.skips.before(entries);
                    return (piece, Some(Fault { lines_before, kind }));
                }
            }
        }
        (piece, None)
    }
}

impl<T: FileScalar> ArrayLines<T> {
    #[inline(always)]
    fn fast(&self, text: &[u8], at: &mut usize) -> Option<T> {
        skip_spaces(text, at);
        let value = take_value::<T>(text, at, self.field)?;
        end_line(text, at)?;
        Some(value)
    }

    #[cold]
    #[inline(never)]
    fn careful(&self, line: &[u8]) -> Result<Option<T>, Kind> {
        if is_skipped(line) {
            return Ok(None);
        }
        let expected = if self.field == Field::Complex { "`real imaginary`" } else { "one value" };
        let (words, count) = split_words(line);
        if count != value_words(self.field) {
            return Err(Kind::WordCount { found: quote(line), words: count, expected });
        }
        let (re, im) = parse_value::<T>(&words[..count], self.field)?;
        Ok(Some(T::from_parts(re, im)))
    }
}

/// Room for the lines of a block, from the length of its first ones.
fn estimate_lines(text: &[u8]) -> usize {
    let sample = &text[..text.len().min(2048)];
    let lines = sample.iter().filter(|&&b| b == b'\n').count();
    (text.len() / sample.len().max(1) + 1) * (lines + lines / 32 + 1)
}

/// The line that begins at `start`, without its end, and `at` moved past it.
fn take_line<'a>(text: &'a [u8], start: usize, at: &mut usize) -> &'a [u8] {
    let rest = &text[start..];
    let length = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
    *at = start + length + 1;
    &rest[..length]
}

#[inline(always)]
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(b'\n')
}

#[inline(always)]
fn skip_spaces(text: &[u8], at: &mut usize) -> usize {
    let start = *at;
    while matches!(byte(text, *at), b' ' | b'\t') {
        *at += 1;
    }
    *at - start
}

/// Moves past the end of the line; `None` if something else stands there.
#[inline(always)]
fn end_line(text: &[u8], at: &mut usize) -> Option<()> {
    if byte(text, *at) != b'\n' {
        skip_spaces(text, at);
        *at += usize::from(byte(text, *at) == b'\r');
        if byte(text, *at) != b'\n' {
            return None;
        }
    }
    *at += 1;
    Some(())
}

/// A 1-based index from 1 to `size`, made 0-based.
#[inline(always)]
fn take_index(text: &[u8], at: &mut usize, size: usize) -> Option<u32> {
    let mut index = 0;
    let digits = take_few_digits(text, at, &mut index);
    let index = index.wrapping_sub(1);
    // 16 digits cannot have wrapped around, and no size has more than 10.
    (digits <= 16 && index < size as u64).then_some(index as u32)
}

#[inline(always)]
fn take_value<T: FileScalar>(text: &[u8], at: &mut usize, field: Field) -> Option<T> {
    let re = match field {
        Field::Integer => take_integer(text, at)?,
        _ => take_decimal(text, at)?,
    };
    let mut im = 0.0;
    if field == Field::Complex {
        if skip_spaces(text, at) == 0 {
            return None;
        }
        im = take_decimal(text, at)?;
    }
    let value = T::from_parts(re, im);
    // What take_decimal returns is finite, but f32 may be too narrow for it.
    (size_of::<T::RealField>() == 8 || value.is_finite()).then_some(value)
}

#[inline(always)]
fn take_integer(text: &[u8], at: &mut usize) -> Option<f64> {
    let negative = byte(text, *at) == b'-';
    *at += usize::from(negative);
    let mut modulus = 0;
    let digits = take_digits(text, at, &mut modulus);
    if !(1..=19).contains(&digits) {
        return None;
    }
    let modulus = modulus as f64; // rounds to nearest, ties to even
    Some(if negative { -modulus } else { modulus })
}

/// Words of the value.
fn value_words(field: Field) -> usize {
    match field {
        Field::Pattern => 0,
        Field::Real | Field::Integer => 1,
        Field::Complex => 2,
    }
}

/// The first four words, and how many there are.
fn split_words(line: &[u8]) -> ([&[u8]; 4], usize) {
    let mut words = [&[][..]; 4];
    let mut count = 0;
    for word in line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        if let Some(place) = words.get_mut(count) {
            *place = word;
        }
        count += 1;
    }
    (words, count)
}

fn parse_index(word: &[u8], what: &'static str, size: usize) -> Result<u32, Kind> {
    std::str::from_utf8(word)
        .ok()
        .and_then(|word| word.parse::<u64>().ok())
        .filter(|&index| index >= 1 && index <= size as u64)
        .map(|index| (index - 1) as u32)
        .ok_or_else(|| Kind::Index { what, found: quote(word), max: size as u64 })
}

/// Real and imaginary part, finite also after rounding to `T`.
fn parse_value<T: FileScalar>(words: &[&[u8]], field: Field) -> Result<(f64, f64), Kind> {
    let (re, im) = match (field, words) {
        (Field::Integer, &[word]) => (parse_integer(word)?, 0.0),
        (Field::Real, &[word]) => (parse_real(word)?, 0.0),
        (Field::Complex, &[re, im]) => (parse_real(re)?, parse_real(im)?),
        _ => (1.0, 0.0),
    };
    for (part, word) in [re, im].iter().zip(words) {
        if !T::from_parts(*part, 0.0).is_finite() {
            return Err(Kind::NonFinite { found: quote(word) });
        }
    }
    Ok((re, im))
}

/// A decimal number with the exponent after e, E, d or D; infinite where it says so or is too large.
pub(super) fn parse_real(word: &[u8]) -> Result<f64, Kind> {
    let expected = "a decimal number like `-1.25e-3`";
    let wrong = || Kind::Number { found: quote(word), expected };
    let text = std::str::from_utf8(word).map_err(|_| wrong())?;
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    // Fortran writes the exponent of a double after D. Only there, so that `infd` or `d5` stay wrong.
    match text.find(['d', 'D']) {
        Some(d) if d > 0 && !text.contains(['e', 'E', 'i', 'I', 'n', 'N']) => {
            format!("{}e{}", &text[..d], &text[d + 1..]).parse().map_err(|_| wrong())
        }
        _ => Err(wrong()),
    }
}

fn parse_integer(word: &[u8]) -> Result<f64, Kind> {
    let digits = word.strip_prefix(b"-").or(word.strip_prefix(b"+")).unwrap_or(word);
    match std::str::from_utf8(word) {
        Ok(text) if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
            // Correctly rounded for any number of digits.
            text.parse().map_err(|_| Kind::Number { found: quote(word), expected: "an integer" })
        }
        Ok(text) if text.parse::<f64>().is_ok_and(|value| !value.is_finite()) => {
            Err(Kind::NonFinite { found: quote(word) })
        }
        _ => Err(Kind::Number { found: quote(word), expected: "an integer, as the first line says" }),
    }
}

/// Whether diagonal entries of some kind are excluded.
fn restricts_diagonal(symmetry: Symmetry) -> bool {
    matches!(symmetry, Symmetry::SkewSymmetric | Symmetry::Hermitian)
}

/// Refuses a diagonal entry that the symmetry excludes.
fn check_diagonal(re: f64, im: f64, symmetry: Symmetry, words: &[&[u8]]) -> Result<(), Kind> {
    let expected = match symmetry {
        Symmetry::SkewSymmetric if re != 0.0 || im != 0.0 => "none, or zero, since A = -A^T",
        Symmetry::Hermitian if im != 0.0 => "a real number, since A = A^H",
        _ => return Ok(()),
    };
    Err(Kind::Diagonal { symmetry, found: quote(&words.join(&b' ')), expected })
}

/// Refuses a diagonal entry of an array file that the symmetry excludes.
pub(super) fn check_array_diagonal<T: FileScalar>(value: T, symmetry: Symmetry) -> Result<(), Kind> {
    let (re, im) = value.parts();
    check_diagonal(re, im, symmetry, &[format!("{re:e} {im:e}").as_bytes()])
}

const _: () = assert!(PADDING >= 8, "take_digits loads eight bytes at a time");
