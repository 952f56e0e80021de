//! Matrices with known spectra, and helpers, for the tests of the relaxation methods.
#![allow(clippy::unwrap_used)]

use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::StdRng};
use residua_data::{CooBuilder, CsrMatrix};

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
