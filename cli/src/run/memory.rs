//! How much memory is used, and how fast it is.

use rayon::prelude::*;
use std::time::Instant;

/// The largest resident set of this process since [`reset_peak`], in bytes, where the system tells.
pub(crate) fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Forgets the peak so far (see `clear_refs` in proc(5)); where that is not allowed the peak is that of the
/// whole run.
pub(crate) fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Elements of each array of the triad where the cache is small or unknown: 64 MiB.
const MIN_ELEMENTS: usize = 8 << 20;

/// ... and at most: 256 MiB.
const MAX_ELEMENTS: usize = 32 << 20;

/// An array is this many times as large as the last cache.
const TIMES_CACHE: usize = 4;

/// The best of so many passes counts.
const PASSES: usize = 8;

/// Elements that a task takes at least.
const GRAIN: usize = 1 << 16;

/// The bandwidth of a ← b + s c in GB/s on the current thread pool: the triad of McCalpin (1995), *STREAM*,
/// 24 bytes an element, arrays well beyond the cache, best of several passes.
pub(crate) fn triad_gbs() -> f64 {
    let cached = last_cache_bytes().unwrap_or(0) / size_of::<f64>();
    let n = (TIMES_CACHE * cached).clamp(MIN_ELEMENTS, MAX_ELEMENTS);
    // Written in parallel, so that each page lies where its thread runs.
    let filled = |value: f64| (0..n).into_par_iter().with_min_len(GRAIN).map(|_| value).collect::<Vec<f64>>();
    let (mut a, b, c) = (filled(0.0), filled(1.0), filled(2.0));
    let s = std::hint::black_box(3.0);
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        let start = Instant::now();
        a.par_chunks_mut(GRAIN).zip(b.par_chunks(GRAIN)).zip(c.par_chunks(GRAIN)).for_each(|((a, b), c)| {
            a.iter_mut().zip(b).zip(c).for_each(|((a, b), c)| *a = b + s * c);
        });
        best = best.min(start.elapsed().as_secs_f64());
        std::hint::black_box(&a);
    }
    24.0 * n as f64 / best / 1e9
}

/// The size of the last cache, where the system tells.
fn last_cache_bytes() -> Option<usize> {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index3/size").ok()?;
    let kib: usize = text.trim().strip_suffix('K')?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_peak_holds_what_was_touched() {
        reset_peak();
        let touched = std::hint::black_box(vec![1u8; 64 << 20]);
        assert!(peak_bytes().is_some_and(|peak| peak > touched.len() as u64));
    }
}
