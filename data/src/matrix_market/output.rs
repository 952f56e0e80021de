//! Files that appear whole or not at all.

use super::write::WriteError;
use super::{MatrixMarketError, MatrixMarketErrorKind as Kind};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes collected before the system is asked to write.
const BUFFER: usize = 1 << 17;

/// An output with the name that its errors carry.
pub(super) struct Output<W: Write> {
    name: String,
    writer: W,
    compress: bool,
    /// Where the file is written and where it belongs.
    renaming: Option<(Temporary, PathBuf)>,
}

/// A file that is removed again unless it was kept.
struct Temporary(Option<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // The write has failed and is reported; what cannot be removed either has nobody to tell.
            let _ = fs::remove_file(path);
        }
    }
}

impl Output<File> {
    /// Opens a temporary file beside `path`, or `path` itself if that is a device or a pipe.
    pub(super) fn create(path: &Path) -> Result<Self, MatrixMarketError> {
        let name = path.display().to_string();
        let compress = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        let opened = match fs::metadata(path) {
            Ok(existing) if !existing.is_file() => {
                OpenOptions::new().write(true).open(path).map(|file| (file, None))
            }
            // A link stays a link: its target is replaced.
            Ok(_) => fs::canonicalize(path).and_then(|target| beside(&target)),
            Err(_) => beside(path),
        };
        match opened {
            Ok((writer, renaming)) => Ok(Self { name, writer, compress, renaming }),
            Err(source) => Err(io_error(&name, "create", source)),
        }
    }
}

/// Creates a new file in the folder of `target`.
fn beside(target: &Path) -> io::Result<(File, Option<(Temporary, PathBuf)>)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}.{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let temporary = target.with_file_name(name);
    let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    if let Ok(existing) = fs::metadata(target) {
        fs::set_permissions(&temporary, existing.permissions())?;
    }
    Ok((file, Some((Temporary(Some(temporary)), target.to_owned()))))
}

impl<W: Write> Output<W> {
    pub(super) fn to_writer(name: &str, writer: W) -> Self {
        Self { name: name.to_owned(), writer, compress: false, renaming: None }
    }

    /// Writes by `body`, flushes, and moves the file to its place.
    pub(super) fn write(
        self,
        body: impl FnOnce(&mut dyn Write) -> Result<(), WriteError>,
    ) -> Result<(), MatrixMarketError> {
        let Self { name, writer, compress, renaming } = self;
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
        if let Some((mut temporary, target)) = renaming {
            if let Some(path) = &temporary.0 {
                fs::rename(path, target).map_err(|source| io_error(&name, "create", source))?;
            }
            temporary.0 = None;
        }
        Ok(())
    }
}

fn io_error(name: &str, action: &'static str, source: io::Error) -> MatrixMarketError {
    let expected = "a writable place with room";
    MatrixMarketError::in_file(name, Kind::Io { action, expected, source })
}
