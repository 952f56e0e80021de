//! Where a file's bytes come from, and what they are read as.

use super::assemble::assemble;
use super::blocks::parse_blocks;
use super::dense::{DenseColumns, from_array, from_matrix, lines_before, to_matrix};
use super::entries::{ArrayLines, CoordinateLines};
use super::header::{parse_header, read_error};
use super::{
    AnyMatrix, Field, FileScalar, Format, Header, MatrixMarket, MatrixMarketError,
    MatrixMarketErrorKind as Kind,
};
use crate::csr::CsrMatrix;
use flate2::bufread::MultiGzDecoder;
use num_complex::Complex;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

/// Rows, columns or dense values that any file may declare. Past it a file must be at least as long, in
/// bytes: otherwise forty bytes of text could ask for gigabytes of row pointers.
const MAX_UNFOUNDED: u64 = 1 << 26;

/// A Matrix Market file with its header read: an open file, or bytes from anywhere, compressed by gzip
/// or not (told by their first two bytes, whatever the name).
///
/// ```
/// use residua_data::matrix_market::Source;
/// let text = "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 4\n2 2 5\n";
/// let a = Source::from_reader("memory", text.as_bytes())?.read_csr::<f64>()?;
/// assert_eq!(a.matrix.diagonal(), [4.0, 5.0]);
/// # Ok::<(), residua_data::matrix_market::MatrixMarketError>(())
/// ```
pub struct Source<'a> {
    name: String,
    reader: BufReader<Box<dyn Read + Send + 'a>>,
    header: Header,
    header_lines: u64,
}

impl Source<'static> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`MatrixMarketError`] if the file cannot be opened, or its header is wrong.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, MatrixMarketError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Self::from_reader(name, file),
            Err(source) => {
                let kind = Kind::Io { action: "open", expected: "a readable file", source };
                Err(MatrixMarketError::at_line(&name, 1, kind))
            }
        }
    }
}

impl<'a> Source<'a> {
    /// Reads the header from `reader`; errors call the file `name`. No buffering is needed.
    ///
    /// # Errors
    /// [`MatrixMarketError`] if reading fails or the header is wrong.
    pub fn from_reader(
        name: impl Into<String>,
        reader: impl Read + Send + 'a,
    ) -> Result<Self, MatrixMarketError> {
        let name = name.into();
        let reader = decompressed(reader).map_err(|e| MatrixMarketError::at_line(&name, 1, read_error(e)))?;
        let mut reader = BufReader::new(reader);
        let (header, header_lines) = parse_header(&mut reader, &name)?;
        Ok(Self { name, reader, header, header_lines })
    }

    /// What the file says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the matrix: complex if the field is complex, else real.
    ///
    /// # Errors
    /// [`MatrixMarketError`] names the first thing wrong and its line.
    pub fn read(self) -> Result<MatrixMarket<AnyMatrix>, MatrixMarketError> {
        if self.header.field == Field::Complex {
            self.read_csr::<Complex<f64>>().map(|file| file.map(AnyMatrix::Complex))
        } else {
            self.read_csr::<f64>().map(|file| file.map(AnyMatrix::Real))
        }
    }

    /// Reads the matrix with values of type `T`; pattern entries become 1. The zeros of an array file are
    /// not stored, those of a coordinate file are.
    ///
    /// # Errors
    /// [`MatrixMarketError`] names the first thing wrong and its line; a complex file does not fit a real
    /// `T`.
    pub fn read_csr<T: FileScalar>(mut self) -> Result<MatrixMarket<CsrMatrix<T>>, MatrixMarketError> {
        match self.header.format {
            Format::Coordinate => self.read_coordinates(),
            Format::Array => {
                let dense = self.read_array::<T>()?;
                self.check_addressable(&dense)?;
                Ok(MatrixMarket { matrix: to_matrix(&dense), header: self.header, duplicates: 0 })
            }
        }
    }

    /// Reads dense columns, from an array file or from a coordinate file (zero where nothing is listed).
    ///
    /// # Errors
    /// As [`read_csr`](Self::read_csr).
    pub fn read_dense<T: FileScalar>(mut self) -> Result<MatrixMarket<DenseColumns<T>>, MatrixMarketError> {
        match self.header.format {
            Format::Array => {
                let matrix = self.read_array()?;
                Ok(MatrixMarket { matrix, header: self.header, duplicates: 0 })
            }
            Format::Coordinate => {
                let count = self.header.rows as u128 * self.header.cols as u128;
                self.check_founded("values", count, 0)?;
                self.read_coordinates().map(|file| file.map(|matrix| from_matrix(&matrix)))
            }
        }
    }

    fn read_coordinates<T: FileScalar>(&mut self) -> Result<MatrixMarket<CsrMatrix<T>>, MatrixMarketError> {
        self.check_field::<T>()?;
        let parser = CoordinateLines::<T>::new(&self.header);
        let first_line = self.header_lines + 1;
        let (pieces, bytes) =
            parse_blocks(&mut self.reader, &parser, &self.name, first_line, self.header.entries)?;
        self.check_founded("rows", self.header.rows as u128, bytes)?;
        self.check_founded("columns", self.header.cols as u128, bytes)?;
        let (matrix, duplicates) = assemble(&self.header, pieces);
        Ok(MatrixMarket { matrix, header: self.header.clone(), duplicates })
    }

    fn read_array<T: FileScalar>(&mut self) -> Result<DenseColumns<T>, MatrixMarketError> {
        self.check_field::<T>()?;
        let parser = ArrayLines::<T>::new(self.header.field);
        let first_line = self.header_lines + 1;
        let (pieces, bytes) =
            parse_blocks(&mut self.reader, &parser, &self.name, first_line, self.header.entries)?;
        self.check_founded("rows", self.header.rows as u128, bytes)?;
        self.check_founded("columns", self.header.cols as u128, bytes)?;
        from_array(&self.header, &pieces).map_err(|fault| {
            let line = first_line + lines_before(&pieces, fault.entry);
            MatrixMarketError::at_line(&self.name, line, fault.kind)
        })
    }

    /// Refuses a complex file for a real type.
    fn check_field<T: FileScalar>(&self) -> Result<(), MatrixMarketError> {
        if self.header.field == Field::Complex && !T::is_complex_type() {
            return Err(MatrixMarketError::at_line(&self.name, 1, Kind::complex_field()));
        }
        Ok(())
    }

    /// Refuses more values than a sparse matrix can hold entries.
    fn check_addressable<T>(&self, dense: &DenseColumns<T>) -> Result<(), MatrixMarketError> {
        let (found, max) = (dense.values().len() as u128, u64::from(u32::MAX));
        if found > u128::from(max) {
            let reason = "what 32-bit indices can address";
            let kind = Kind::TooLarge { what: "values", found, max, reason };
            return Err(MatrixMarketError::at_line(&self.name, self.header_lines, kind));
        }
        Ok(())
    }

    /// Refuses sizes that a file of so many bytes gives no reason for.
    fn check_founded(&self, what: &'static str, found: u128, bytes: u64) -> Result<(), MatrixMarketError> {
        let max = bytes.max(MAX_UNFOUNDED);
        if found > u128::from(max) {
            let kind = Kind::TooLarge { what, found, max, reason: "in a file of so few entries" };
            return Err(MatrixMarketError::at_line(&self.name, self.header_lines, kind));
        }
        Ok(())
    }
}

/// The reader itself, or what is compressed in it.
fn decompressed<'a>(mut reader: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut start = Vec::with_capacity(2);
    reader.by_ref().take(2).read_to_end(&mut start)?;
    let is_gzip = start == [0x1f, 0x8b];
    let reader = Cursor::new(start).chain(reader);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(BufReader::new(reader))) } else { Box::new(reader) })
}
