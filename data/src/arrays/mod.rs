//! Dense arrays from files: weights, costs, coordinates and images, whatever program wrote them.
//!
//! [`read`] takes `.npy`, `.npz`, `.csv` (or any text table), Matrix Market (`.mtx`, `.mtx.gz`) and `.png`
//! files; the kind is told by the ending of the name, and by the first bytes where the ending is another.
//!
//! | file | what it becomes |
//! |---|---|
//! | `.npy` | floats, integers and booleans of any byte order, rows or columns first; a vector is a column |
//! | `.npz` | its only array, or the one that `FILE.npz:NAME` names |
//! | text | a row a line; values separated by commas, semicolons or blanks; `#` and `%` begin comments; one line of names at the top is skipped; `inf` is a number |
//! | `.mtx` | array or coordinate format, zero where nothing is listed |
//! | `.png` | grey levels, a row of pixels a row; see [`DenseArray`] |
//!
//! Memory follows what a file holds, never what it declares.

mod error;
mod npy;
mod npz;
mod png;
mod text;
mod write;

pub use error::{ArrayError, ArrayErrorKind};
pub use write::{NamedArray, write_npy, write_npz};

use crate::matrix_market;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// A dense matrix as a file holds it, stored by rows.
///
/// Images: `values` are the grey levels 0..=255 (0..=65535 with 16 bits a channel); colours become their
/// luminance 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601); what is transparent shows white behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseArray {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// The values, row by row, length `rows * cols`. Text and `.npy` files may hold NaN and infinities.
    pub values: Vec<f64>,
    /// Where each row comes from, for messages.
    origin: Origin,
}

/// The file, and the line of each row in text files.
#[derive(Debug, Clone, PartialEq)]
struct Origin {
    file: String,
    lines: Vec<u64>,
}

impl DenseArray {
    /// Takes over `values`, row by row; `None` unless its length is `rows * cols`.
    pub fn try_new(rows: usize, cols: usize, values: Vec<f64>) -> Option<Self> {
        let fits = rows.checked_mul(cols) == Some(values.len());
        fits.then(|| Self::from_file("array", rows, cols, values))
    }

    fn from_file(file: &str, rows: usize, cols: usize, values: Vec<f64>) -> Self {
        Self { rows, cols, values, origin: Origin { file: file.to_owned(), lines: Vec::new() } }
    }

    /// The file as it was named by the caller.
    pub fn file(&self) -> &str {
        &self.origin.file
    }

    /// Where the value of this number (row by row, from 0) stands: `FILE:LINE` in a text file,
    /// `FILE: entry (ROW, COLUMN)` counted from 1 otherwise.
    pub fn place(&self, index: usize) -> String {
        let (row, col) = (index / self.cols.max(1), index % self.cols.max(1));
        match self.origin.lines.get(row) {
            Some(line) if self.cols == 1 => format!("{}:{line}", self.origin.file),
            Some(line) => format!("{}:{line}: value {}", self.origin.file, col + 1),
            None if self.cols == 1 => format!("{}: entry {}", self.origin.file, row + 1),
            None => format!("{}: entry ({}, {})", self.origin.file, row + 1, col + 1),
        }
    }

    /// Whether it has one row or one column.
    pub fn is_vector(&self) -> bool {
        self.rows == 1 || self.cols == 1
    }
}

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Npy,
    Npz,
    Text,
    MatrixMarket,
    Png,
}

impl Kind {
    fn by_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let ends = [
            (".npy", Self::Npy),
            (".npz", Self::Npz),
            (".csv", Self::Text),
            (".tsv", Self::Text),
            (".txt", Self::Text),
            (".dat", Self::Text),
            (".mtx", Self::MatrixMarket),
            (".mtx.gz", Self::MatrixMarket),
            (".png", Self::Png),
        ];
        ends.iter().find(|(end, _)| name.ends_with(end)).map(|&(_, kind)| kind)
    }

    fn by_content(start: &[u8]) -> Self {
        let signatures: [(&[u8], Self); 5] = [
            (npy::MAGIC, Self::Npy),
            (b"PK", Self::Npz),
            (b"\x89PNG", Self::Png),
            (b"%%MatrixMarket", Self::MatrixMarket),
            (b"\x1f\x8b", Self::MatrixMarket),
        ];
        signatures.iter().find(|(s, _)| start.starts_with(s)).map_or(Self::Text, |&(_, kind)| kind)
    }
}

/// Reads the array in `path`; `FILE.npz:NAME` is the array NAME of FILE.npz.
///
/// # Errors
/// [`ArrayError`] names the first thing wrong and, in text files, its line.
pub fn read(path: impl AsRef<Path>) -> Result<DenseArray, ArrayError> {
    let path = path.as_ref();
    let shown = path.display().to_string();
    let (path, name) = match split_name(path) {
        Some((file, name)) => (file, Some(name)),
        None => (path.to_owned(), None),
    };
    let cannot = |action, source| {
        let expected = "a .npy, .npz, .csv, .mtx or .png file";
        ArrayError::new(&shown, None, ArrayErrorKind::Io { action, expected, source })
    };
    let mut file = File::open(&path).map_err(|e| cannot("open", e))?;
    let metadata = file.metadata().map_err(|e| cannot("open", e))?;
    if metadata.is_dir() {
        return Err(cannot("read", std::io::Error::from(std::io::ErrorKind::IsADirectory)));
    }
    let kind = match Kind::by_name(&path) {
        Some(kind) => kind,
        None if metadata.is_file() => {
            let mut start = Vec::with_capacity(16);
            File::open(&path)
                .and_then(|again| again.take(16).read_to_end(&mut start))
                .map_err(|e| cannot("read", e))?;
            Kind::by_content(&start)
        }
        None => Kind::Text,
    };
    // A pipe has no length; its data prove themselves.
    let length = if metadata.is_file() { metadata.len() } else { u64::MAX };
    let array = match kind {
        Kind::Npy => npy::read(&mut BufReader::with_capacity(1 << 16, &mut file), &shown, length),
        Kind::Npz => npz::read(file, &shown, name.as_deref()),
        Kind::Text => text::read(BufReader::with_capacity(1 << 16, file), &shown),
        Kind::Png => png::read(BufReader::new(file), &shown, length),
        Kind::MatrixMarket => {
            drop(file);
            read_matrix_market(&path, &shown)
        }
    }?;
    if array.values.is_empty() {
        return Err(ArrayError::new(&shown, None, ArrayErrorKind::Empty));
    }
    Ok(array)
}

/// `FILE.npz:NAME` in its parts, unless there is a file of that whole name.
fn split_name(path: &Path) -> Option<(PathBuf, String)> {
    if path.exists() {
        return None;
    }
    let text = path.to_str()?;
    let at = text.rfind(".npz:")? + ".npz".len();
    Some((PathBuf::from(&text[..at]), text[at + 1..].to_owned()))
}

fn read_matrix_market(path: &Path, shown: &str) -> Result<DenseArray, ArrayError> {
    let read = matrix_market::read_dense::<f64>(path);
    let file = read.map_err(|e| ArrayError::new(shown, None, ArrayErrorKind::MatrixMarket(e)))?;
    let columns = file.matrix;
    let (rows, cols) = (columns.nrows(), columns.ncols());
    Ok(DenseArray::from_file(shown, rows, cols, transposed(columns.into_values(), cols, rows)))
}

/// The transpose of the `rows` × `cols` matrix in `values`, both stored by rows.
fn transposed(values: Vec<f64>, rows: usize, cols: usize) -> Vec<f64> {
    /// Rows and columns of a tile that stays in the cache.
    const TILE: usize = 32;
    if rows <= 1 || cols <= 1 {
        return values;
    }
    let mut out = vec![0.0; values.len()];
    for i0 in (0..rows).step_by(TILE) {
        for j0 in (0..cols).step_by(TILE) {
            for i in i0..(i0 + TILE).min(rows) {
                for j in j0..(j0 + TILE).min(cols) {
                    out[j * rows + i] = values[i * cols + j];
                }
            }
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
