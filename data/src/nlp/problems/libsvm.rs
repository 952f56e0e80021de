//! Samples with labels in the LIBSVM format: a line `label index:value index:value ...`, indices from 1, ascending.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::path::Path;

/// Labelled sparse samples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SparseSamples {
    /// One more than there are samples.
    pub row_starts: Vec<usize>,
    /// Features of the entries, from 0.
    pub features: Vec<u32>,
    /// Their values.
    pub values: Vec<f64>,
    /// −1 or 1.
    pub labels: Vec<f64>,
    /// Number of features.
    pub dimension: usize,
}

/// What is wrong with a file, as `FILE:LINE: what: expected what`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {what}: expected {expected}", .line.map_or(String::new(), |l| format!(":{l}")))]
pub struct LibsvmError {
    file: String,
    line: Option<usize>,
    what: String,
    expected: &'static str,
}

/// Features that a file may have.
const MAX_DIMENSION: u32 = 50_000_000;

/// Reads a file; of two labels the larger becomes 1 and the smaller −1, of more the smallest becomes −1 and the
/// others 1.
///
/// # Errors
/// [`LibsvmError`] with file and line.
pub fn read_libsvm(path: &Path) -> Result<SparseSamples, LibsvmError> {
    let file = path.display().to_string();
    let error = |line, what: String, expected| LibsvmError { file: file.clone(), line, what, expected };
    let text = std::fs::read_to_string(path)
        .map_err(|e| error(None, format!("cannot be read ({e})"), "a text file in the LIBSVM format"))?;
    let mut samples = SparseSamples { row_starts: vec![0], ..SparseSamples::default() };
    for (k, line) in text.lines().enumerate() {
        let line_error = |word: &str, expected| {
            let word: String = word.chars().filter(|c| !c.is_control()).take(24).collect();
            error(Some(k + 1), format!("\"{word}\" cannot be used"), expected)
        };
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(label) = words.next() else { continue };
        let value: Option<f64> = label.parse().ok().filter(|v: &f64| v.is_finite());
        samples.labels.push(value.ok_or_else(|| line_error(label, "a label, a finite number"))?);
        let mut last = 0;
        for word in words {
            let expected = "index:value with ascending indices from 1 and finite values";
            let (index, value) = word.split_once(':').ok_or_else(|| line_error(word, expected))?;
            let index: Option<u32> = index.parse().ok().filter(|i| *i > last && *i <= MAX_DIMENSION);
            let value: Option<f64> = value.parse().ok().filter(|v: &f64| v.is_finite());
            let (Some(index), Some(value)) = (index, value) else { return Err(line_error(word, expected)) };
            last = index;
            samples.features.push(index - 1);
            samples.values.push(value);
        }
        samples.dimension = samples.dimension.max(last as usize);
        samples.row_starts.push(samples.features.len());
    }
    let smallest = samples.labels.iter().copied().fold(f64::INFINITY, f64::min);
    if samples.labels.iter().all(|l| *l == smallest) {
        return Err(error(None, "all samples have one label, or there are none".to_owned(), "two labels"));
    }
    samples.labels.iter_mut().for_each(|l| *l = if *l > smallest { 1.0 } else { -1.0 });
    Ok(samples)
}

impl SparseSamples {
    /// `samples` points with `dimension` features, uniform in [−1, 1], labelled by a random plane with a tenth of the labels
    /// wrong.
    pub fn synthetic(samples: usize, dimension: usize, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let normal: Vec<f64> = (0..dimension).map(|_| rng.random_range(-1.0..1.0)).collect();
        let mut out = Self { row_starts: vec![0], dimension, ..Self::default() };
        for _ in 0..samples {
            let x: Vec<f64> = (0..dimension).map(|_| rng.random_range(-1.0..1.0)).collect();
            let side: f64 = x.iter().zip(&normal).map(|(a, b)| a * b).sum();
            let is_wrong = rng.random_range(0.0..1.0) < 0.1;
            out.labels.push(if (side > 0.0) == is_wrong { -1.0 } else { 1.0 });
            out.features.extend(0..dimension as u32);
            out.values.extend(x);
            out.row_starts.push(out.features.len());
        }
        out
    }
}
