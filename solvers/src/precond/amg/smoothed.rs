//! Smoothed prolongation P = (I − ω D_F⁻¹ A_F) T.
//!
//! A_F is A without its weak couplings, which are added to the diagonal, so that row sums stay; D_F is its diagonal and
//! ω = 4 / (3 ρ) with a bound ρ of the spectrum of D_F⁻¹A_F (Vaněk, Mandel, Brezina 1996, section 5).

use super::graph::Graph;
use super::product::build_csr;
use super::rows::ROWS;
use super::tentative::Tentative;
use crate::SolveError;
use rayon::prelude::*;
use residua_data::CsrMatrix;

/// A without its weak couplings.
pub(super) struct Filtered<'a> {
    pub a: &'a CsrMatrix<f64>,
    pub graph: &'a Graph,
    /// Unknowns of a node of the graph.
    pub block_size: usize,
}

impl Filtered<'_> {
    /// Calls `f(j, v)` for the strong entries of row i off the diagonal; returns the diagonal of A_F.
    #[inline(always)]
    fn row(&self, i: usize, mut f: impl FnMut(u32, f64)) -> f64 {
        let (cols, vals) = self.a.row(i);
        let b = self.block_size;
        let (node, component) = (i / b, i % b);
        let mut strong = self.graph.of(node).iter().peekable();
        let (mut diagonal, mut lumped, mut moduli) = (0.0, 0.0, 0.0);
        for (&j, &v) in cols.iter().zip(vals) {
            if j as usize == i {
                diagonal = v;
                continue;
            }
            let other = j as usize / b;
            while strong.next_if(|&&s| (s as usize) < other).is_some() {}
            if other == node || strong.peek().is_some_and(|&&s| s as usize == other) {
                moduli += v.abs();
                f(j, v);
            } else if j as usize % b == component {
                lumped += v;
            }
        }
        // Lumping must not turn the diagonal over: strong couplings then weigh as much as all of it.
        let filtered = diagonal + lumped;
        if filtered.abs() >= 0.5 * moduli.min(diagonal.abs()) && filtered * diagonal > 0.0 {
            filtered
        } else {
            moduli.max(diagonal.abs()).copysign(diagonal)
        }
    }

    /// D_F, and a bound of the spectral radius of D_F⁻¹A_F: its largest row sum of moduli.
    fn diagonal_and_radius(&self) -> (Vec<f64>, f64) {
        let mut diagonal = vec![0.0; self.a.nrows()];
        let radius = diagonal
            .par_iter_mut()
            .with_min_len(ROWS)
            .enumerate()
            .map(|(i, d)| {
                let mut sum = 0.0;
                *d = self.row(i, |_, v| sum += v.abs());
                if *d == 0.0 { 0.0 } else { 1.0 + sum / d.abs() }
            })
            .reduce(|| 0.0, f64::max);
        (diagonal, radius)
    }
}

/// P = (I − ω D_F⁻¹ A_F) T, ω = `damping` / ρ.
pub(super) fn prolongation(
    filtered: &Filtered<'_>,
    t: &Tentative,
    damping: f64,
) -> Result<CsrMatrix<f64>, SolveError> {
    let (diagonal, radius) = filtered.diagonal_and_radius();
    let omega = damping / radius.max(1.0);
    build_csr(filtered.a.nrows(), t.ncols(), |i, sum| {
        if diagonal[i] == 0.0 || !t.has(i) {
            return;
        }
        t.for_each(i, |j, v| sum.add(j, (1.0 - omega) * v));
        let factor = -omega / diagonal[i];
        filtered.row(i, |j, v| t.for_each(j as usize, |k, w| sum.add(k, factor * v * w)));
    })
}
