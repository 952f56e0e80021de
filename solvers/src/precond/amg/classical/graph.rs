//! A directed graph: the pattern of a sparse matrix.

use crate::precond::amg::rows::Rows;

/// Row i lists the vertices that i points to, in increasing order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Graph {
    row_ptr: Vec<u32>,
    cols: Vec<u32>,
}

impl Graph {
    /// From the rows that [`build`](crate::precond::amg::rows::build) made.
    pub(super) fn new((row_ptr, cols, _): Rows<()>) -> Self {
        Self { row_ptr, cols }
    }

    /// Number of vertices.
    pub(super) fn len(&self) -> usize {
        self.row_ptr.len() - 1
    }

    /// Number of edges.
    pub(super) fn edges(&self) -> usize {
        self.cols.len()
    }

    /// Where `i` points to.
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &[u32] {
        &self.cols[self.row_ptr[i] as usize..self.row_ptr[i + 1] as usize]
    }

    /// How many edges end in each vertex.
    pub(super) fn in_degrees(&self) -> Vec<u32> {
        // Serial: increments of neighbouring counters cost less than the atomic ones that threads would need.
        let mut degrees = vec![0u32; self.len()];
        self.cols.iter().for_each(|&j| degrees[j as usize] += 1);
        degrees
    }
}
