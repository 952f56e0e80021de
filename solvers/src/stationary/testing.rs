//! Matrices with known spectra, and helpers, for the tests of the relaxation methods.
#![allow(clippy::unwrap_used)]

use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::StdRng};
use residua_data::{CooBuilder, CsrMatrix, Scalar};

/// The 5-point Laplacian (stencil 4, −1) on nx × ny inner points, row by row.
pub(crate) fn grid_laplacian(nx: usize, ny: usize) -> CsrMatrix {
    let mut coo = CooBuilder::new(nx * ny, nx * ny).unwrap();
    for y in 0..ny {
        for x in 0..nx {
            let i = y * nx + x;
            coo.push(i, i, 4.0).unwrap();
            let mut neighbour = |j: usize| coo.push(i, j, -1.0).unwrap();
            if x > 0 {
                neighbour(i - 1);
            }
            if x + 1 < nx {
                neighbour(i + 1);
            }
            if y > 0 {
                neighbour(i - nx);
            }
            if y + 1 < ny {
                neighbour(i + nx);
            }
        }
    }
    coo.build().unwrap()
}

/// `a` with its unknowns renumbered at random.
pub(crate) fn shuffled(a: &CsrMatrix, seed: u64) -> CsrMatrix {
    let mut order: Vec<u32> = (0..a.nrows() as u32).collect();
    order.shuffle(&mut StdRng::seed_from_u64(seed));
    a.permute_symmetric(&order)
}

/// `a` with every entry (i, j) multiplied by `factor(i, j)`, as another scalar type.
pub(crate) fn scaled_entries<T: Scalar>(a: &CsrMatrix, factor: impl Fn(usize, usize) -> T) -> CsrMatrix<T> {
    let mut coo = CooBuilder::new(a.nrows(), a.ncols()).unwrap();
    for i in 0..a.nrows() {
        let (cols, values) = a.row(i);
        cols.iter().zip(values).for_each(|(&j, &v)| {
            coo.push(i, j as usize, T::of(v) * factor(i, j as usize)).unwrap();
        });
    }
    coo.build().unwrap()
}

/// A as rows of a dense matrix.
pub(crate) fn dense<T: Scalar>(a: &CsrMatrix<T>) -> Vec<Vec<T>> {
    (0..a.nrows()).map(|i| (0..a.ncols()).map(|j| a.get(i, j)).collect()).collect()
}

/// ‖b − A x‖₂ in the plainest way.
pub(crate) fn naive_residual_norm<T: Scalar>(a: &[Vec<T>], b: &[T], x: &[T]) -> f64 {
    let r = a.iter().zip(b).map(|(row, &b)| row.iter().zip(x).fold(b, |r, (&a, &x)| r - a * x));
    r.map(|r| r.modulus_f64().powi(2)).sum::<f64>().sqrt()
}

/// Runs `f` in a pool of `threads` threads.
pub(crate) fn with_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}
