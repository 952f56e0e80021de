//! Galerkin's coarse matrix PᵀAP for interpolation from vertices.
//!
//! Coarse I and K are coupled only where |I − K| ≤ 1 along every axis, so the shape of a [`BoxMatrix`] is kept. Its
//! row sums are Pᵀ A (P 1), which in terms of differences loses nothing to cancellation. Dendy (1982), J. Comput.
//! Phys. 48, 366.
//!
//! Each coarse row is gathered from the at most 9 fine rows that it takes part in, so rows are independent.

use super::box_matrix::{BoxMatrix, CENTRE, DIRECTIONS, step};
use super::transfer::Shape;
use super::vertex::VertexWeights;
use rayon::prelude::*;

/// (A P) of one fine point by coarse rows around, and coarse points from the one before its parent.
type Product = [[f64; 4]; 9];

/// PᵀAP.
pub(super) fn galerkin(a: &BoxMatrix, p: &VertexWeights<f64>) -> BoxMatrix {
    let dims = p.shape.coarse;
    let sums = row_sums(p);
    let directions = a.directions();
    let mut rows = vec![[0.0; CENTRE + 1]; dims.iter().product()];
    rows.par_chunks_mut(dims[0]).enumerate().for_each(|(row, out)| {
        Gather { a, p, sums: &sums, directions: &directions }.row(row % dims[1], row / dims[1], out);
    });
    let mut coarse = BoxMatrix { dims, w: std::array::from_fn(|_| Vec::new()), excess: Vec::new() };
    let pad = coarse.pad();
    coarse.w.par_iter_mut().enumerate().for_each(|(d, w)| {
        if rows.iter().any(|row| row[d] != 0.0) {
            w.reserve_exact(pad + rows.len());
            w.resize(pad, 0.0);
            w.extend(rows.iter().map(|row| -row[d]));
        }
    });
    coarse.excess = rows.iter().map(|row| row[CENTRE]).collect();
    coarse
}

/// P 1.
fn row_sums(p: &VertexWeights<f64>) -> Vec<f64> {
    let [nx, ny, nz] = p.shape.fine;
    let mut sums = vec![0.0; nx * ny * nz];
    sums.par_chunks_mut(nx).enumerate().for_each(|(row, sums)| {
        for (_, w) in p.rows(row % ny, row / ny) {
            for (i, sum) in sums.iter_mut().enumerate() {
                let x = along_x(&p.shape, w, i);
                *sum += x[0].1 + x[1].1;
            }
        }
    });
    sums
}

/// Coarse columns and weights of fine column `i`, by the weights of one coarse row.
#[inline(always)]
fn along_x(shape: &Shape, w: &[f64], i: usize) -> [(usize, f64); 2] {
    let (n, parent) = (shape.coarse[0], shape.parent(0, i));
    if shape.coarsen[0] && i % 2 == 1 {
        let high = if parent + 1 < n { w[2 * n + parent] } else { 0.0 };
        [(parent, w[n + parent]), (parent + 1, high)]
    } else {
        [(parent, w[parent]), (parent, 0.0)]
    }
}

struct Gather<'a> {
    a: &'a BoxMatrix,
    p: &'a VertexWeights<f64>,
    sums: &'a [f64],
    directions: &'a [usize],
}

/// One direction as seen from a fine row.
struct Neighbour<'a> {
    dx: isize,
    /// Distance of the neighbour in memory.
    distance: isize,
    couplings: &'a [f64],
    /// Place among the 9 coarse rows around, and weights, of each coarse row that the neighbour takes from.
    rows: [(usize, &'a [f64]); 4],
    len: usize,
}

impl<'a> Gather<'a> {
    /// The fine indices along `axis` that take from coarse index `c`.
    fn children(&self, axis: usize, c: usize) -> std::ops::Range<usize> {
        let shape = &self.p.shape;
        if shape.coarsen[axis] {
            (2 * c).saturating_sub(1)..(2 * c + 2).min(shape.fine[axis])
        } else {
            c..c + 1
        }
    }

    fn rows_around(&self, [j, k]: [usize; 2], [cj, ck]: [usize; 2]) -> ([(usize, &'a [f64]); 4], usize) {
        let (mut rows, mut len) = ([(0, &[][..]); 4], 0);
        for ((y, z), w) in self.p.rows(j, k) {
            rows[len] = ((z + 1 - ck) * 3 + (y + 1 - cj), w);
            len += 1;
        }
        (rows, len)
    }

    /// Coarse row (cj, ck): for each point PᵀAP by the directions after the centre, and the row sum.
    fn row(&self, cj: usize, ck: usize, out: &mut [[f64; CENTRE + 1]]) {
        let [nx, ny, nz] = self.a.dims;
        for (k, j) in self.children(2, ck).flat_map(|k| self.children(1, cj).map(move |j| (k, j))) {
            let (own, len) = self.rows_around([j, k], [cj, ck]);
            let Some(&(_, shares)) = own[..len].iter().find(|(place, _)| *place == 4) else { continue };
            let at = (k * ny + j) * nx;
            let neighbours: Vec<Neighbour<'_>> = self
                .directions
                .iter()
                .filter_map(|&d| {
                    let [dx, dy, dz] = step(d);
                    let (y, z) = (j.wrapping_add_signed(dy), k.wrapping_add_signed(dz));
                    if y >= ny || z >= nz {
                        return None;
                    }
                    let (rows, len) = self.rows_around([y, z], [cj, ck]);
                    let distance = self.a.offset([dx, dy, dz]);
                    Some(Neighbour { dx, distance, couplings: self.a.row_couplings(at, d), rows, len })
                })
                .collect();
            for i in 0..nx {
                let to = along_x(&self.p.shape, shares, i);
                if to[0].1 != 0.0 || to[1].1 != 0.0 {
                    let (product, sum) = self.product(at, i, &own[..len], &neighbours);
                    self.scatter(self.p.shape.parent(0, i), to, &product, sum, out);
                }
            }
        }
    }

    /// Row i of A P, and of A P 1.
    #[inline(always)]
    fn product(
        &self,
        at: usize,
        i: usize,
        own: &[(usize, &[f64])],
        neighbours: &[Neighbour<'_>],
    ) -> (Product, f64) {
        let shape = &self.p.shape;
        let first = shape.parent(0, i) as isize - 1;
        let mut product = [[0.0; 4]; 9];
        let mut add = |place: usize, w: &[f64], q: usize, factor: f64| {
            for (c, weight) in along_x(shape, w, q) {
                product[place][(c as isize - first) as usize & 3] += factor * weight;
            }
        };
        let excess = self.a.excess[at + i];
        let here = self.sums[at + i];
        let (mut diagonal, mut sum) = (excess, excess * here);
        for neighbour in neighbours {
            let w = neighbour.couplings[i];
            if w == 0.0 {
                continue;
            }
            diagonal += w;
            sum += w * (here - self.sums[(at + i).wrapping_add_signed(neighbour.distance)]);
            let q = i.wrapping_add_signed(neighbour.dx);
            neighbour.rows[..neighbour.len].iter().for_each(|&(place, weights)| add(place, weights, q, -w));
        }
        own.iter().for_each(|&(place, weights)| add(place, weights, i, diagonal));
        (product, sum)
    }

    /// Adds to the rows of the coarse points that take part in a fine point.
    #[inline(always)]
    fn scatter(
        &self,
        parent: usize,
        to: [(usize, f64); 2],
        product: &Product,
        sum: f64,
        out: &mut [[f64; CENTRE + 1]],
    ) {
        for (c, share) in to.into_iter().filter(|(_, share)| *share != 0.0) {
            let row = &mut out[c];
            row[CENTRE] += share * sum;
            for direction in CENTRE + 1..DIRECTIONS {
                // Coarse column c + dx, counted from parent − 1.
                let column = c + direction % 3 - parent;
                row[direction - CENTRE - 1] += share * product[direction / 3][column & 3];
            }
        }
    }
}
