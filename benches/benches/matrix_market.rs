//! Reading Matrix Market files, in bytes per second, on one thread and on all.
//!
//! A general matrix with 17-digit values, and a symmetric pattern, made in a temporary folder.
#![allow(clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use residua_data::matrix_market::{self, Symmetry, WriteOptions};
use residua_data::{CooBuilder, CsrMatrix};
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;

/// The pattern of the 5-point stencil on a 400 x 400 grid, values with all their digits.
fn stencil(value: impl Fn(usize) -> f64) -> CsrMatrix<f64> {
    let side = 400;
    let mut coo = CooBuilder::new(side * side, side * side).unwrap();
    let mut k = 0;
    for i in 0..side * side {
        for (j, inside) in [
            (i.wrapping_sub(side), i >= side),
            (i.wrapping_sub(1), i % side > 0),
            (i, true),
            (i + 1, i % side + 1 < side),
            (i + side, i + side < side * side),
        ] {
            if inside {
                k += 1;
                coo.push(i, j, value(k)).unwrap();
            }
        }
    }
    coo.build().unwrap()
}

fn read(c: &mut Criterion) {
    let folder: PathBuf =
        std::env::temp_dir().join(format!("residua-bench-matrix-market-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let general = folder.join("general.mtx");
    matrix_market::write_csr(&general, &stencil(|k| (k as f64).sin() * 3.0), &WriteOptions::default())
        .unwrap();
    let pattern = folder.join("pattern.mtx");
    let options = WriteOptions {
        symmetry: Some(Symmetry::Symmetric),
        field: Some(matrix_market::Field::Pattern),
        ..WriteOptions::default()
    };
    matrix_market::write_csr(&pattern, &stencil(|_| 1.0), &options).unwrap();

    let mut group = c.benchmark_group("matrix_market/read");
    for (name, path) in [("real general", &general), ("pattern symmetric", &pattern)] {
        group.throughput(Throughput::Bytes(fs::metadata(path).unwrap().len()));
        for threads in [1, rayon::current_num_threads()] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            group.bench_function(format!("{name}/{threads} threads"), |b| {
                b.iter(|| pool.install(|| black_box(matrix_market::read_csr::<f64>(path).unwrap())));
            });
        }
    }
    group.finish();
    fs::remove_dir_all(&folder).unwrap();
}

criterion_group!(benches, read);
criterion_main!(benches);
