//! Files that appear whole or not at all: written under another name in the same folder, then renamed.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes collected before the system is asked to write.
const BUFFER: usize = 1 << 17;

/// A file under a temporary name; it is removed again unless it is [kept](Self::keep).
#[derive(Debug)]
pub(crate) struct Replacement {
    /// Where it is written; none once it was kept.
    temporary: Option<PathBuf>,
    target: PathBuf,
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some(path) = &self.temporary {
            // The write has failed and is reported; what cannot be removed either has nobody to tell.
            let _ = fs::remove_file(path);
        }
    }
}

impl Replacement {
    /// Gives the file its own name.
    pub(crate) fn keep(mut self) -> io::Result<()> {
        if let Some(path) = &self.temporary {
            fs::rename(path, &self.target)?;
        }
        self.temporary = None;
        Ok(())
    }
}

/// Opens a temporary file beside `path`, or `path` itself if that is a device or a pipe.
pub(crate) fn create(path: &Path) -> io::Result<(File, Option<Replacement>)> {
    match fs::metadata(path) {
        Ok(existing) if !existing.is_file() => {
            OpenOptions::new().write(true).open(path).map(|file| (file, None))
        }
        // A link stays a link: its target is replaced.
        Ok(_) => fs::canonicalize(path).and_then(|target| beside(&target)),
        Err(_) => beside(path),
    }
}

/// Writes `bytes` to `path`, which holds all of them afterwards or what it held before. A device or a pipe is written to as
/// it is, a link's target is replaced.
///
/// # Errors
/// What the system says of the file or its folder.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, &mut |out| out.write_all(bytes))
}

/// Writes `path` by `body`.
pub(crate) fn write(path: &Path, body: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (file, replacement) = create(path)?;
    let mut out = BufWriter::with_capacity(BUFFER, file);
    body(&mut out)?;
    out.flush()?;
    drop(out);
    replacement.map_or(Ok(()), Replacement::keep)
}

/// Creates a new file in the folder of `target`.
fn beside(target: &Path) -> io::Result<(File, Option<Replacement>)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}.{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let temporary = target.with_file_name(name);
    let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    let replacement = Replacement { temporary: Some(temporary.clone()), target: target.to_owned() };
    if let Ok(existing) = fs::metadata(target) {
        fs::set_permissions(&temporary, existing.permissions())?;
    }
    Ok((file, Some(replacement)))
}
