//! Files that appear whole or not at all.

use super::write::WriteError;
use super::{MatrixMarketError, MatrixMarketErrorKind as Kind};
use crate::whole_file::{self, Replacement};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Bytes collected before the system is asked to write.
const BUFFER: usize = 1 << 17;

/// An output with the name that its errors carry.
pub(super) struct Output<W: Write> {
    name: String,
    writer: W,
    compress: bool,
    replacement: Option<Replacement>,
}

impl Output<File> {
    /// Opens a temporary file beside `path`, or `path` itself if that is a device or a pipe.
    pub(super) fn create(path: &Path) -> Result<Self, MatrixMarketError> {
        let name = path.display().to_string();
        let compress = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        match whole_file::create(path) {
            Ok((writer, replacement)) => Ok(Self { name, writer, compress, replacement }),
            Err(source) => Err(io_error(&name, "create", source)),
        }
    }
}

impl<W: Write> Output<W> {
    pub(super) fn to_writer(name: &str, writer: W) -> Self {
        Self { name: name.to_owned(), writer, compress: false, replacement: None }
    }

    /// Writes by `body`, flushes, and moves the file to its place.
    pub(super) fn write(
        self,
        body: impl FnOnce(&mut dyn Write) -> Result<(), WriteError>,
    ) -> Result<(), MatrixMarketError> {
        let Self { name, writer, compress, replacement } = self;
        let written = if compress {
            let mut out = BufWriter::with_capacity(BUFFER, GzEncoder::new(writer, Compression::default()));
            body(&mut out).and_then(|()| {
                let encoder = out.into_inner().map_err(io::IntoInnerError::into_error)?;
                Ok(encoder.finish()?.flush()?)
            })
        } else {
            let mut out = BufWriter::with_capacity(BUFFER, writer);
            body(&mut out).and_then(|()| Ok(out.flush()?))
        };
        written.map_err(|error| match error {
            WriteError::Refused(kind) => MatrixMarketError::in_file(&name, kind),
            WriteError::Io(source) => io_error(&name, "write", source),
        })?;
        if let Some(replacement) = replacement {
            replacement.keep().map_err(|source| io_error(&name, "create", source))?;
        }
        Ok(())
    }
}

fn io_error(name: &str, action: &'static str, source: io::Error) -> MatrixMarketError {
    let expected = "a writable place with room";
    MatrixMarketError::in_file(name, Kind::Io { action, expected, source })
}
