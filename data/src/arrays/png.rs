//! Grey levels of a PNG image.

use super::error::ArrayErrorKind as Kind;
use super::{ArrayError, DenseArray};
use ::png::{ColorType, Decoder, DecodingError, Transformations};
use std::io::{BufRead, Seek};

/// Deflate makes its input at most so many times as large; a header that declares more is wrong.
const MAX_RATIO: u64 = 1032;

/// Room for the few rows that the ratio cannot judge, in bytes.
const SLACK: u64 = 1 << 16;

/// Weights of red, green and blue in the luminance (ITU-R BT.601).
const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// Reads an image of at most `available` bytes.
pub(super) fn read(
    reader: impl BufRead + Seek,
    file: &str,
    available: u64,
) -> Result<DenseArray, ArrayError> {
    read_image(reader, file, available).map_err(|kind| ArrayError::new(file, None, kind))
}

fn read_image(reader: impl BufRead + Seek, file: &str, available: u64) -> Result<DenseArray, Kind> {
    let mut decoder = Decoder::new(reader);
    // Palettes become colours, fewer than 8 bits become 8, a transparent colour becomes alpha.
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let declared = || format!("{width} x {height} pixels");
    let size = reader.output_buffer_size().filter(|size| {
        *size as u64 <= available.saturating_mul(MAX_RATIO).saturating_add(SLACK).min(isize::MAX as u64)
    });
    let Some(size) = size else { return Err(Kind::Truncated { declared: declared(), available }) };
    let mut buffer = vec![0u8; size];
    let frame = reader.next_frame(&mut buffer).map_err(damaged)?;
    let wide = frame.bit_depth == ::png::BitDepth::Sixteen;
    let channels = frame.color_type.samples();
    let sample = |pixel: usize, channel: usize| {
        let at = pixel * channels + channel;
        if wide {
            f64::from(u16::from_be_bytes([buffer[2 * at], buffer[2 * at + 1]]))
        } else {
            f64::from(buffer[at])
        }
    };
    let white = if wide { 65535.0 } else { 255.0 };
    let over_white = |level: f64, alpha: f64| (level * alpha + white * (white - alpha)) / white;
    let luma = |pixel| LUMA.iter().enumerate().map(|(k, weight)| weight * sample(pixel, k)).sum::<f64>();
    let level = |pixel: usize| match frame.color_type {
        ColorType::GrayscaleAlpha => over_white(sample(pixel, 0), sample(pixel, 1)),
        ColorType::Rgb => luma(pixel),
        ColorType::Rgba => over_white(luma(pixel), sample(pixel, 3)),
        _ => sample(pixel, 0),
    };
    let values = (0..width * height).map(level).collect();
    Ok(DenseArray::from_file(file, height, width, values))
}

fn damaged(error: DecodingError) -> Kind {
    match error {
        DecodingError::IoError(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            Kind::Io { action: "read", expected: "a PNG image", source }
        }
        error => Kind::malformed(format!("the image cannot be decoded ({error})"), "a PNG image"),
    }
}
