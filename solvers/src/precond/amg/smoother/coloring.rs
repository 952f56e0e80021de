//! Greedy colouring: a colour for each unknown, so that unknowns of one colour do not couple.
//!
//! Unknowns are visited in their natural order, each gets the least colour that none of its earlier neighbours has: at
//! most one more than the largest number of neighbours, and two for the stencils with neighbours along the axes.

use crate::precond::amg::rows::ROWS;
use rayon::prelude::*;
use residua_data::CsrMatrix;

/// Colours that a set of taken ones, one bit each, can hold.
const MOST: usize = 64;

/// The unknowns, colour by colour; within one, in natural order.
pub(in crate::precond::amg) struct Coloring {
    /// The unknown at each place.
    pub order: Vec<u32>,
    /// The place of each unknown.
    pub place: Vec<u32>,
    /// Colour c has the places `starts[c] .. starts[c + 1]`.
    pub starts: Vec<usize>,
}

impl Coloring {
    /// None for more than `most` colours (64 at most) or an unsymmetric pattern.
    pub(super) fn greedy(a: &CsrMatrix<f64>, most: usize) -> Option<Self> {
        let n = a.nrows();
        let most = most.min(MOST);
        let mut of = vec![0u8; n];
        let mut counts = [0usize; MOST];
        for i in 0..n {
            let (cols, _) = a.row(i);
            let mut taken = 0u64;
            for &j in cols.iter().take_while(|&&j| (j as usize) < i) {
                taken |= 1 << of[j as usize];
            }
            let c = taken.trailing_ones() as usize;
            if c >= most {
                return None;
            }
            of[i] = c as u8;
            counts[c] += 1;
        }
        // An entry above the diagonal without its mirror image was not seen from the later row.
        let clash = (0..n.div_ceil(ROWS)).into_par_iter().any(|block| {
            (block * ROWS..((block + 1) * ROWS).min(n))
                .any(|i| a.row(i).0.iter().any(|&j| j as usize != i && of[j as usize] == of[i]))
        });
        if clash {
            return None;
        }
        let used = counts.iter().take_while(|&&c| c > 0).count();
        let mut starts = vec![0; used + 1];
        for c in 0..used {
            starts[c + 1] = starts[c] + counts[c];
        }
        let mut next = starts.clone();
        let (mut order, mut place) = (vec![0u32; n], vec![0u32; n]);
        for (i, (&c, place)) in of.iter().zip(&mut place).enumerate() {
            let next = &mut next[c as usize];
            (order[*next], *place) = (i as u32, *next as u32);
            *next += 1;
        }
        Some(Self { order, place, starts })
    }
}
