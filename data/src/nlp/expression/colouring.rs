//! A star colouring of the pattern of a symmetric matrix, from which its entries are read off few products.
//!
//! H D, with a column of D the sum of the unit vectors of one colour, holds every entry of H where no two neighbours of
//! a variable that it must be told apart from share a colour. A star colouring (neighbours differ, and every path of four
//! has three colours) is the weakest condition under which each h_ij stands alone in row i under j's colour or in
//! row j under i's: Gebremedhin, Manne, Pothen (2005), SIAM Review 47, section 4; the greedy method is their
//! Algorithm 4.1. An arrow needs two colours, a band 2k + 1 at most, a dense matrix n.

use crate::nlp::SparsePattern;

/// Colours, and where each entry of the lower triangle is read.
#[derive(Debug, Clone)]
pub(super) struct Colouring {
    /// Variables by colour.
    pub(super) groups: Vec<Vec<u32>>,
    /// By colour: (entry of the pattern, row of the product).
    pub(super) reads: Vec<Vec<(u32, u32)>>,
}

impl Colouring {
    /// Colours the variables of `lower`, a lower triangle with n rows.
    pub(super) fn new(lower: &SparsePattern) -> Self {
        let n = lower.row_starts.len().saturating_sub(1);
        let neighbours = neighbours(lower, n);
        let has_diagonal: Vec<bool> = (0..n).map(|i| lower.row(i).last() == Some(&(i as u32))).collect();
        let colours = star_colours(&neighbours, &has_diagonal);
        let count = colours.iter().filter(|c| **c != NONE).map(|c| *c as usize + 1).max().unwrap_or(0);
        let mut groups = vec![Vec::new(); count];
        for (j, colour) in colours.iter().enumerate().filter(|(_, c)| **c != NONE) {
            groups[*colour as usize].push(j as u32);
        }
        let mut reads = vec![Vec::new(); count];
        // How many neighbours of i have each colour: h_ij stands alone where j is the only one.
        let mut seen = vec![0u32; count];
        let mut alone = vec![false; lower.nnz()];
        let mut read_at = |entry: usize, row: usize, column: usize| {
            if !std::mem::replace(&mut alone[entry], true) {
                reads[colours[column] as usize].push((entry as u32, row as u32));
            }
        };
        for i in 0..n {
            neighbours[i].iter().for_each(|(j, _)| seen[colours[*j as usize] as usize] += 1);
            for (j, entry) in &neighbours[i] {
                let colour = colours[*j as usize];
                if seen[colour as usize] == 1 && (colour != colours[i] || !has_diagonal[i]) {
                    read_at(*entry as usize, i, *j as usize);
                }
            }
            neighbours[i].iter().for_each(|(j, _)| seen[colours[*j as usize] as usize] = 0);
            if has_diagonal[i] {
                read_at(lower.row_starts[i + 1] - 1, i, i);
            }
        }
        debug_assert!(alone.iter().all(|a| *a), "a star colouring leaves no entry hidden");
        Self { groups, reads }
    }
}

const NONE: u32 = u32::MAX;

/// A variable with more neighbours than this, and four times the mean, has a colour of its own.
const HUB_DEGREE: usize = 32;

/// Steps that a star colouring may take.
const MAX_WORK: usize = 300_000_000;

/// Off-diagonal neighbours of each variable, with their entries.
fn neighbours(lower: &SparsePattern, n: usize) -> Vec<Vec<(u32, u32)>> {
    let mut neighbours = vec![Vec::new(); n];
    for i in 0..n {
        for entry in lower.row_starts[i]..lower.row_starts[i + 1] {
            let j = lower.columns[entry];
            if j as usize != i {
                neighbours[i].push((j, entry as u32));
                neighbours[j as usize].push((i as u32, entry as u32));
            }
        }
    }
    neighbours
}

/// Greedy star colouring in the order of falling degree; a variable that is in no entry has no colour.
fn star_colours(neighbours: &[Vec<(u32, u32)>], has_diagonal: &[bool]) -> Vec<u32> {
    let n = neighbours.len();
    let mut colours = vec![NONE; n];
    // forbidden[c] = v: colour c is forbidden for variable v.
    let mut forbidden: Vec<u32> = Vec::new();
    let mut order: Vec<usize> = (0..n).filter(|&v| has_diagonal[v] || !neighbours[v].is_empty()).collect();
    order.sort_by_key(|&v| std::cmp::Reverse(neighbours[v].len()));
    // Hubs first, each with a colour of its own: no path of four through one has fewer than three colours, and no
    // loop below has to look at their neighbours.
    let mean = neighbours.iter().map(Vec::len).sum::<usize>() / order.len().max(1);
    let is_dense = 4 * mean > order.len();
    let is_hub = |v: usize| is_dense || neighbours[v].len() > (4 * mean).max(HUB_DEGREE);
    let hubs = order.iter().take_while(|v| is_hub(**v)).count();
    order[..hubs].iter().enumerate().for_each(|(k, v)| colours[*v] = k as u32);
    // Where looking at paths of four takes long, neighbours of neighbours must differ: more colours, found faster.
    let is_strict = order.len().saturating_mul(mean.saturating_pow(3)) > MAX_WORK;
    // Of the variable that is coloured: how many of its neighbours have each colour.
    let mut count: Vec<u32> = Vec::new();
    for &v in &order[hubs..] {
        let forbid = |forbidden: &mut Vec<u32>, colour: u32| {
            if forbidden.len() <= colour as usize {
                forbidden.resize(colour as usize + 1, NONE);
            }
            forbidden[colour as usize] = v as u32;
        };
        count.clear();
        for &(w, _) in &neighbours[v] {
            let colour = colours[w as usize];
            if colour != NONE {
                forbid(&mut forbidden, colour);
                if count.len() <= colour as usize {
                    count.resize(colour as usize + 1, 0);
                }
                count[colour as usize] += 1;
            }
        }
        for &(w, _) in neighbours[v].iter().filter(|(w, _)| !is_hub(*w as usize)) {
            let own = colours[w as usize];
            // An uncoloured w will see v's colour and those of its other neighbours twice: they must differ there.
            let is_paired = own != NONE && count[own as usize] > 1;
            for &(x, _) in &neighbours[w as usize] {
                let colour = colours[x as usize];
                if x as usize == v || colour == NONE || (colour as usize) < hubs {
                    continue;
                }
                // v - w - x - y with colours (v) w x=v y=w, or w' - v - w - x with w' of w's colour.
                let closes = own == NONE
                    || is_strict
                    || is_paired
                    || neighbours[x as usize].iter().any(|&(y, _)| y != w && colours[y as usize] == own);
                if closes {
                    forbid(&mut forbidden, colour);
                }
            }
        }
        let taken = forbidden.get(hubs..).unwrap_or(&[]);
        let free = hubs + taken.iter().position(|f| *f != v as u32).unwrap_or(taken.len());
        colours[v] = free as u32;
    }
    colours
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlp::expression::sets::pattern_of_rows;
    use proptest::prelude::*;

    /// Every entry of a symmetric matrix with this pattern, read off the products, is the one put in.
    fn check(n: usize, mut entries: Vec<(u32, u32)>) -> usize {
        entries.sort_unstable();
        entries.dedup();
        let lower = pattern_of_rows(n, &entries);
        let colouring = Colouring::new(&lower);
        let value = |e: usize| 1.0 + e as f64;
        let mut read = vec![0.0; lower.nnz()];
        for (group, reads) in colouring.groups.iter().zip(&colouring.reads) {
            let mut product = vec![0.0; n];
            for (e, (i, j)) in entries.iter().enumerate() {
                if group.contains(j) {
                    product[*i as usize] += value(e);
                }
                if i != j && group.contains(i) {
                    product[*j as usize] += value(e);
                }
            }
            reads.iter().for_each(|(e, row)| read[*e as usize] = product[*row as usize]);
        }
        (0..lower.nnz()).for_each(|e| assert_eq!(read[e], value(e), "entry {:?}", entries[e]));
        colouring.groups.len()
    }

    #[test]
    fn arrows_bands_and_diagonals_take_few_colours() {
        let n = 200u32;
        let diagonal = |i: u32| (i, i);
        assert_eq!(check(200, (0..n).map(diagonal).collect()), 1);
        assert_eq!(check(200, (0..n).map(diagonal).chain((1..n).map(|i| (i, 0))).collect()), 2);
        assert!(check(200, (0..n).map(diagonal).chain((1..n).map(|i| (i, i - 1))).collect()) <= 3);
        assert_eq!(check(4, vec![]), 0);
        assert_eq!(check(6, (0..6).flat_map(|i| (0..=i).map(move |j| (i, j))).collect()), 6);
    }

    proptest! {
        #[test]
        fn every_entry_is_read(n in 1usize..60, raw in prop::collection::vec((0u32..60, 0u32..60), 0..150)) {
            let m = n as u32;
            check(n, raw.into_iter().map(|(i, j)| (i % m, j % m)).map(|(i, j)| (i.max(j), i.min(j))).collect());
        }
    }
}
