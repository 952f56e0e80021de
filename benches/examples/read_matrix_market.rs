//! Reads a Matrix Market file a few times; prints the best time, the rate and the memory it took.
//!
//! `cargo run --release -p residua-benches --example read_matrix_market -- FILE [THREADS [REPEAT]]`
//!
//! `docs/matrix-market.md` sets the figures beside SciPy's.
#![allow(clippy::print_stdout)]

use residua_data::matrix_market;
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: read_matrix_market FILE [THREADS [REPEAT]]")?;
    let threads = arguments.next().map_or(Ok(0), |word| word.parse())?;
    let repeat = arguments.next().map_or(Ok(5), |word| word.parse::<usize>())?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;

    let file_bytes = std::fs::metadata(&path)?.len();
    let mut best = f64::INFINITY;
    let mut csr_bytes = 0;
    for _ in 0..repeat.max(1) {
        let start = Instant::now();
        let file = matrix_market::read_csr::<f64>(&path)?;
        best = best.min(start.elapsed().as_secs_f64());
        let matrix = &file.matrix;
        csr_bytes = 12 * matrix.nnz() as u64 + 4 * (matrix.nrows() as u64 + 1);
    }
    println!("{path}: {file_bytes} bytes, {} threads, best of {repeat}", rayon::current_num_threads());
    println!("{best:.4} s, {:.0} MB/s", file_bytes as f64 / best / 1e6);
    if let Some(peak) = peak_memory() {
        let ratio = peak as f64 / (file_bytes + csr_bytes) as f64;
        println!("peak memory {} MB = {ratio:.2} x (file + matrix)", peak / 1_000_000);
    }
    Ok(())
}

/// Largest resident set so far in bytes, where the system tells it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}
