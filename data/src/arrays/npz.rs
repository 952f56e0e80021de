//! NumPy's `.npz` format: a zip archive of `.npy` files.

use super::error::ArrayErrorKind as Kind;
use super::{ArrayError, DenseArray, npy};
use std::fs::File;
use std::io::{BufReader, Read};
use zip::ZipArchive;
use zip::result::ZipError;

/// Names that an error lists.
const MAX_LISTED: usize = 8;

/// Reads the array `name`, or the only one.
pub(super) fn read(file: File, shown: &str, name: Option<&str>) -> Result<DenseArray, ArrayError> {
    read_array(file, shown, name).unwrap_or_else(|kind| Err(ArrayError::new(shown, None, kind)))
}

fn read_array(file: File, shown: &str, name: Option<&str>) -> Result<Result<DenseArray, ArrayError>, Kind> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    let mut names = Vec::new();
    for entry in archive.file_names() {
        names.push(entry.map_err(damaged)?.into_owned());
    }
    let entry = match name {
        Some(name) => names.iter().find(|n| *n == name || n.strip_suffix(".npy") == Some(name)),
        None => names.first().filter(|_| names.len() == 1),
    };
    let Some(entry) = entry else {
        let listed: Vec<&str> =
            names.iter().take(MAX_LISTED).map(|n| n.strip_suffix(".npy").unwrap_or(n)).collect();
        let more = if names.len() > MAX_LISTED { ", ..." } else { "" };
        let file = shown.rsplit_once(".npz:").map_or(shown, |(stem, _)| stem);
        let file = file.strip_suffix(".npz").unwrap_or(file);
        return Err(match name {
            _ if names.is_empty() => Kind::malformed("the archive holds no array", "at least one"),
            Some(_) => Kind::malformed(
                "the archive holds no array of this name",
                format!("one of {}{more}", listed.join(", ")),
            ),
            None => Kind::malformed(
                format!("the archive holds {} arrays", names.len()),
                format!("{file}.npz:NAME with NAME one of {}{more}", listed.join(", ")),
            ),
        });
    };
    let entry = archive.by_name(entry).map_err(damaged)?;
    // What the archive says of the size is not proved; reading goes on only as long as there is data.
    Ok(npy::read(&mut BufReader::with_capacity(1 << 16, entry.take(u64::MAX)), shown, u64::MAX))
}

fn damaged(error: ZipError) -> Kind {
    match error {
        ZipError::Io(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            Kind::Io { action: "read", expected: "an .npz archive", source }
        }
        error => Kind::malformed(format!("this is no .npz archive ({error})"), "one written by numpy.savez"),
    }
}
