//! The memory's own speed, against which kernels are measured.

use rayon::prelude::*;
use std::time::{Duration, Instant};

/// Elements of each of the three vectors: far more than any cache holds.
const LEN: usize = 6_000_000;

/// Bytes per second of the triad a ← b + s c on the current thread pool: 24 bytes an element, best of
/// `repeats` (McCalpin 1995, STREAM). The write-allocate traffic of a is not counted, as is usual.
pub fn triad(repeats: usize) -> f64 {
    let (mut a, b, c) = (vec![1.0f64; LEN], vec![2.0f64; LEN], vec![0.5f64; LEN]);
    let chunk = LEN.div_ceil(rayon::current_num_threads());
    let run = |a: &mut [f64]| {
        a.par_chunks_mut(chunk).zip(b.par_chunks(chunk)).zip(c.par_chunks(chunk)).for_each(|((a, b), c)| {
            a.iter_mut().zip(b).zip(c).for_each(|((a, b), c)| *a = b + 3.0 * c);
        });
    };
    24.0 * LEN as f64 / best_of(repeats, || run(&mut a)).as_secs_f64()
}

/// The shortest of `repeats` runs of `f`, after one that does not count.
pub fn best_of(repeats: usize, mut f: impl FnMut()) -> Duration {
    f();
    (0..repeats.max(1))
        .map(|_| {
            let start = Instant::now();
            f();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}
