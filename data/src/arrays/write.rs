//! Writing `.npy` and `.npz` files that `numpy.load` reads.

use super::error::ArrayErrorKind as Kind;
use super::{ArrayError, npy};
use crate::whole_file;
use std::io::{self, Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The header is filled up to a multiple of this, so that the values are aligned.
const ALIGNMENT: usize = 64;

/// A vector or a matrix with the name under which it is stored.
#[derive(Debug, Clone, Copy)]
pub struct NamedArray<'a> {
    /// Name, without `.npy`.
    pub name: &'a str,
    /// Lengths of the axes: none for a scalar, one for a vector, two for a matrix.
    pub shape: &'a [usize],
    /// The values, row by row; as many as the shape says.
    pub values: &'a [f64],
}

/// Writes a matrix of `shape` (rows, columns), or a vector, as a whole or not at all.
///
/// # Errors
/// [`ArrayError`] if the shape does not fit the values, or the file cannot be written.
pub fn write_npy(path: impl AsRef<Path>, shape: &[usize], values: &[f64]) -> Result<(), ArrayError> {
    let path = path.as_ref();
    let array = NamedArray { name: "", shape, values };
    check(path, &array)?;
    save(path, &mut |out| write_array(out, &array))
}

/// Writes `arrays` into one archive, not compressed, as a whole or not at all. The same arrays make the
/// same bytes.
///
/// # Errors
/// As [`write_npy`].
pub fn write_npz(path: impl AsRef<Path>, arrays: &[NamedArray<'_>]) -> Result<(), ArrayError> {
    let path = path.as_ref();
    arrays.iter().try_for_each(|array| check(path, array))?;
    let bytes = archive(arrays).map_err(|source| cannot_write(path, source))?;
    save(path, &mut |out| out.write_all(&bytes))
}

fn archive(arrays: &[NamedArray<'_>]) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for array in arrays {
        let large = array.values.len() >= u32::MAX as usize / 8;
        let options =
            SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(large);
        zip.start_file(format!("{}.npy", array.name), options)?;
        write_array(&mut zip, array)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn check(path: &Path, array: &NamedArray<'_>) -> Result<(), ArrayError> {
    let count = array.shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n));
    if count == Some(array.values.len()) {
        return Ok(());
    }
    let what = format!("an array of shape {:?} has {} values", array.shape, array.values.len());
    Err(ArrayError::new(
        &path.display().to_string(),
        None,
        Kind::malformed(what, "as many values as the shape says"),
    ))
}

fn save(path: &Path, body: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> Result<(), ArrayError> {
    whole_file::write(path, body).map_err(|source| cannot_write(path, source))
}

fn cannot_write(path: &Path, source: io::Error) -> ArrayError {
    let kind = Kind::Io { action: "write", expected: "a writable place with room", source };
    ArrayError::new(&path.display().to_string(), None, kind)
}

/// Version 1.0 of the format, little endian.
fn write_array(out: &mut dyn Write, array: &NamedArray<'_>) -> io::Result<()> {
    let lengths: String = array.shape.iter().map(|n| format!("{n}, ")).collect();
    let shape = match array.shape {
        [_, _, ..] => lengths.trim_end_matches(", "),
        _ => lengths.trim_end(),
    };
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}");
    let unpadded = npy::MAGIC.len() + 4 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(ALIGNMENT) - unpadded));
    header.push('\n');
    out.write_all(npy::MAGIC)?;
    out.write_all(&[1, 0])?;
    // The shape of an array in memory makes a header of a few hundred bytes at most.
    out.write_all(&u16::try_from(header.len()).unwrap_or(u16::MAX).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    let mut bytes = Vec::with_capacity(1 << 16);
    for chunk in array.values.chunks(1 << 13) {
        bytes.clear();
        chunk.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    Ok(())
}
