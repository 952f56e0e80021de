//! Orderings of the unknowns: reverse Cuthill-McKee (RCM), which gathers the entries near the diagonal.
//!
//! On the graph of A + Aᵀ, each connected component is numbered breadth first from a vertex far out, the
//! neighbours of a vertex in the order of their degrees, and the whole order is reversed. E. Cuthill and
//! J. McKee (1969), Proc. 24th ACM conference; reversal: A. George (1971), Stanford STAN-CS-71-208. The
//! start is a pseudo-peripheral vertex: A. George and J. W. H. Liu (1979), ACM Trans. Math. Softw. 5(3),
//! algorithm of section 3: take a vertex of least degree in the last level, while that makes the level
//! structure deeper.
//!
//! A small bandwidth keeps x in cache during a product, and gives incomplete factorizations and sweeps
//! neighbours that were just updated.

use crate::error::{SolveError, check_len, check_square};
use residua_data::{CsrMatrix, Scalar};

/// A permutation of 0..n, given as new → old: entry k is the old number of the unknown now numbered k.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permutation {
    new_to_old: Vec<u32>,
}

impl Permutation {
    /// Checks that `new_to_old` holds every number of 0..n once.
    ///
    /// # Errors
    /// [`SolveError::InvalidOption`] with the first entry that is out of range or comes twice.
    pub fn try_new(new_to_old: Vec<u32>) -> Result<Self, SolveError> {
        let mut seen = vec![false; new_to_old.len()];
        for &old in &new_to_old {
            match seen.get_mut(old as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => {
                    return Err(SolveError::InvalidOption {
                        name: "permutation entry",
                        value: old.to_string(),
                        expected: "a permutation holds each number from 0 to n - 1 once",
                    });
                }
            }
        }
        Ok(Self { new_to_old })
    }

    /// The old number of each new one, length n.
    pub fn new_to_old(&self) -> &[u32] {
        &self.new_to_old
    }

    /// The new number of each old one, as a permutation: P⁻¹ = Pᵀ.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let mut old_to_new = vec![0; self.new_to_old.len()];
        self.new_to_old.iter().enumerate().for_each(|(new, &old)| old_to_new[old as usize] = new as u32);
        Self { new_to_old: old_to_new }
    }

    /// P A Pᵀ, the matrix in the new numbering.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`] if `a` is not n × n.
    pub fn permute_matrix<T: Scalar>(&self, a: &CsrMatrix<T>) -> Result<CsrMatrix<T>, SolveError> {
        check_len("the rows of the matrix to permute", self.new_to_old.len(), a.nrows())?;
        check_len("the columns of the matrix to permute", self.new_to_old.len(), a.ncols())?;
        Ok(a.permute_symmetric(&self.new_to_old))
    }

    /// out ← P v: from the old numbering to the new. Both have length n.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    pub fn permute<T: Copy>(&self, v: &[T], out: &mut [T]) -> Result<(), SolveError> {
        check_len("the vector to permute", self.new_to_old.len(), v.len())?;
        check_len("the permuted vector", self.new_to_old.len(), out.len())?;
        out.iter_mut().zip(&self.new_to_old).for_each(|(out, &old)| *out = v[old as usize]);
        Ok(())
    }

    /// out ← Pᵀ v: from the new numbering back to the old. Both have length n.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    pub fn unpermute<T: Copy>(&self, v: &[T], out: &mut [T]) -> Result<(), SolveError> {
        check_len("the vector to unpermute", self.new_to_old.len(), v.len())?;
        check_len("the unpermuted vector", self.new_to_old.len(), out.len())?;
        v.iter().zip(&self.new_to_old).for_each(|(&v, &old)| out[old as usize] = v);
        Ok(())
    }
}

/// The reverse Cuthill-McKee ordering of a square matrix; depends on the pattern of A + Aᵀ alone.
/// O(nnz log d), d the largest degree; 4 nnz to 8 nnz bytes of scratch.
///
/// Components come in the order of their least degrees, ties broken by the old numbers: the same pattern
/// always gives the same ordering.
///
/// # Errors
/// [`SolveError::NotSquare`].
pub fn reverse_cuthill_mckee<T: Scalar>(a: &CsrMatrix<T>) -> Result<Permutation, SolveError> {
    check_square("reverse Cuthill-McKee", a.nrows(), a.ncols())?;
    let graph = Graph::of(a);
    let mut search = Search { level: vec![UNSEEN; a.nrows()], order: Vec::with_capacity(a.nrows()) };
    let mut numbered: Vec<u32> = Vec::with_capacity(a.nrows());
    let mut is_numbered = vec![false; a.nrows()];
    for root in graph.by_degree() {
        if is_numbered[root as usize] {
            continue;
        }
        let root = search.pseudo_peripheral(&graph, root);
        let mut next = numbered.len();
        numbered.push(root);
        is_numbered[root as usize] = true;
        while let Some(&v) = numbered.get(next) {
            next += 1;
            let first = numbered.len();
            numbered.extend(graph.neighbours(v).iter().filter(|&&w| !is_numbered[w as usize]));
            numbered[first..].sort_unstable_by_key(|&w| (graph.degree(w), w));
            numbered[first..].iter().for_each(|&w| is_numbered[w as usize] = true);
        }
    }
    numbered.reverse();
    Ok(Permutation { new_to_old: numbered })
}

/// The adjacency lists of A + Aᵀ without loops, each sorted.
pub(crate) struct Graph {
    offsets: Vec<usize>,
    adjacent: Vec<u32>,
}

impl Graph {
    /// The graph of a square matrix.
    pub(crate) fn of<T: Scalar>(a: &CsrMatrix<T>) -> Self {
        let n = a.nrows();
        let (transposed_ptr, transposed) = transposed_pattern(a);
        let mut offsets = Vec::with_capacity(n + 1);
        offsets.push(0);
        let mut adjacent = Vec::with_capacity(a.nnz());
        for i in 0..n {
            let rows = &transposed[transposed_ptr[i]..transposed_ptr[i + 1]];
            merge_without(i as u32, a.row(i).0, rows, &mut adjacent);
            offsets.push(adjacent.len());
        }
        Self { offsets, adjacent }
    }

    /// The neighbours of `v`, increasing.
    pub(crate) fn neighbours(&self, v: u32) -> &[u32] {
        &self.adjacent[self.offsets[v as usize]..self.offsets[v as usize + 1]]
    }

    fn degree(&self, v: u32) -> usize {
        self.offsets[v as usize + 1] - self.offsets[v as usize]
    }

    fn by_degree(&self) -> Vec<u32> {
        let mut vertices: Vec<u32> = (0..self.offsets.len() as u32 - 1).collect();
        vertices.sort_by_key(|&v| self.degree(v));
        vertices
    }
}

/// Row pointers and row indices of the columns of A.
fn transposed_pattern<T: Scalar>(a: &CsrMatrix<T>) -> (Vec<usize>, Vec<u32>) {
    let mut offsets = vec![0usize; a.ncols() + 1];
    a.col_idx().iter().for_each(|&j| offsets[j as usize + 1] += 1);
    for j in 0..a.ncols() {
        offsets[j + 1] += offsets[j];
    }
    let mut next = offsets.clone();
    let mut rows = vec![0u32; a.nnz()];
    for i in 0..a.nrows() {
        for &j in a.row(i).0 {
            rows[next[j as usize]] = i as u32;
            next[j as usize] += 1;
        }
    }
    (offsets, rows)
}

/// Appends the union of two increasing lists, without `skip`.
fn merge_without(skip: u32, mut a: &[u32], mut b: &[u32], out: &mut Vec<u32>) {
    loop {
        let smallest = match (a.first(), b.first()) {
            (Some(&x), Some(&y)) => x.min(y),
            (Some(&x), None) => x,
            (None, Some(&y)) => y,
            (None, None) => return,
        };
        a = if a.first() == Some(&smallest) { &a[1..] } else { a };
        b = if b.first() == Some(&smallest) { &b[1..] } else { b };
        if smallest != skip {
            out.push(smallest);
        }
    }
}

const UNSEEN: u32 = u32::MAX;

/// Breadth-first search that leaves its marks only on the component it visits.
struct Search {
    level: Vec<u32>,
    order: Vec<u32>,
}

impl Search {
    /// A vertex of about the largest eccentricity in the component of `root`.
    fn pseudo_peripheral(&mut self, graph: &Graph, mut root: u32) -> u32 {
        let mut depth = 0;
        loop {
            let (new_depth, far) = self.farthest(graph, root);
            if new_depth <= depth {
                return root;
            }
            depth = new_depth;
            root = far;
        }
    }

    /// The depth of the level structure of `root`, and a vertex of least degree in its last level.
    fn farthest(&mut self, graph: &Graph, root: u32) -> (u32, u32) {
        let Self { level, order } = self;
        order.clear();
        order.push(root);
        level[root as usize] = 0;
        let mut next = 0;
        while let Some(&v) = order.get(next) {
            next += 1;
            for &w in graph.neighbours(v) {
                if level[w as usize] == UNSEEN {
                    level[w as usize] = level[v as usize] + 1;
                    order.push(w);
                }
            }
        }
        let depth = order.last().map_or(0, |&v| level[v as usize]);
        let last = order.iter().rev().copied().take_while(|&v| level[v as usize] == depth);
        let far = last.min_by_key(|&v| (graph.degree(v), v)).unwrap_or(root);
        order.iter().for_each(|&v| level[v as usize] = UNSEEN);
        (depth, far)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::stationary::testing::{grid_laplacian, shuffled};
    use proptest::prelude::*;
    use residua_data::CooBuilder;

    fn pattern(n: usize, entries: &[(usize, usize)]) -> CsrMatrix {
        let mut coo = CooBuilder::new(n, n).unwrap();
        entries.iter().for_each(|&(i, j)| coo.push(i, j, 1.0).unwrap());
        coo.build().unwrap()
    }

    #[test]
    fn a_shuffled_grid_gets_its_short_side_as_bandwidth() {
        for (nx, ny) in [(40, 40), (17, 60), (1, 100)] {
            let a = shuffled(&grid_laplacian(nx, ny), 7);
            let order = reverse_cuthill_mckee(&a).unwrap();
            let b = order.permute_matrix(&a).unwrap();
            // Levels of a corner of the grid are its diagonals, at most min(nx, ny) long.
            assert!(b.bandwidth().max() <= nx.min(ny) + 1, "{nx} x {ny}: {}", b.bandwidth().max());
            assert!(nx * ny < 500 || a.bandwidth().max() > 10 * b.bandwidth().max());
        }
    }

    #[test]
    fn a_path_in_any_numbering_becomes_tridiagonal() {
        let a = shuffled(&grid_laplacian(1, 57), 3);
        let b = reverse_cuthill_mckee(&a).unwrap().permute_matrix(&a).unwrap();
        assert_eq!(b.bandwidth().max(), 1);
    }

    #[test]
    fn components_stay_together_and_nonsymmetric_patterns_count_both_ways() {
        // Two interleaved paths 0-2-4 and 1-3-5 with entries on one side only, and an isolated vertex 6.
        let a = pattern(7, &[(0, 2), (4, 2), (1, 3), (3, 5)]);
        let order = reverse_cuthill_mckee(&a).unwrap();
        let b = order.permute_matrix(&a).unwrap();
        assert_eq!(b.bandwidth().max(), 1);
        assert_eq!(
            order.new_to_old()[6],
            6,
            "the isolated vertex has the least degree: first, reversed last"
        );
    }

    #[test]
    fn small_and_wrong_cases() {
        assert_eq!(reverse_cuthill_mckee(&pattern(0, &[])).unwrap().new_to_old(), &[] as &[u32]);
        assert_eq!(reverse_cuthill_mckee(&pattern(1, &[])).unwrap().new_to_old(), &[0]);
        let wide = CsrMatrix::<f64>::try_new(1, 2, vec![0, 0], vec![], vec![]).unwrap();
        assert!(matches!(reverse_cuthill_mckee(&wide), Err(SolveError::NotSquare { .. })));
        let twice = Permutation::try_new(vec![0, 2, 2]).unwrap_err();
        assert!(matches!(twice, SolveError::InvalidOption { ref value, .. } if value == "2"), "{twice}");
        assert!(Permutation::try_new(vec![0, 3, 1]).is_err());
        let p = Permutation::try_new(vec![2, 0, 1]).unwrap();
        assert!(matches!(p.permute(&[1.0; 2], &mut [0.0; 3]), Err(SolveError::DimensionMismatch { .. })));
        assert!(p.permute_matrix(&pattern(2, &[])).is_err());
        assert_eq!(pattern(5, &[(4, 1), (2, 2)]).bandwidth().max(), 3);
    }

    proptest! {
        #[test]
        fn it_is_a_permutation_that_keeps_the_product(
            n in 1usize..30,
            entries in prop::collection::vec((0usize..30, 0usize..30), 0..80),
        ) {
            let entries: Vec<_> = entries.into_iter().map(|(i, j)| (i % n, j % n)).collect();
            let a = pattern(n, &entries);
            let order = reverse_cuthill_mckee(&a).unwrap();
            prop_assert_eq!(Permutation::try_new(order.new_to_old().to_vec()).unwrap(), order.clone());
            let x: Vec<f64> = (0..n).map(|i| (i * i % 7) as f64).collect();
            let (mut y, mut px, mut py, mut back) = (vec![0.0; n], vec![0.0; n], vec![0.0; n], vec![0.0; n]);
            a.multiply(&x, &mut y);
            order.permute(&x, &mut px).unwrap();
            order.permute_matrix(&a).unwrap().multiply(&px, &mut py);
            order.unpermute(&py, &mut back).unwrap();
            prop_assert_eq!(&back, &y);
            order.inverse().permute(&px, &mut back).unwrap();
            prop_assert_eq!(&back, &x);
        }
    }
}
