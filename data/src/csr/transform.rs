//! Transposes and other rearrangements.

use super::CsrMatrix;
use super::builder::count_to_offsets;
use crate::Scalar;

impl<T: Scalar> CsrMatrix<T> {
    /// Aᵀ, columns sorted; O(nnz + m + n).
    pub fn transpose(&self) -> Self {
        self.transpose_with(|v| v)
    }

    /// Aᴴ, the conjugate transpose.
    pub fn adjoint(&self) -> Self {
        self.transpose_with(|v| v.conjugate())
    }

    fn transpose_with(&self, f: impl Fn(T) -> T) -> Self {
        let row_ptr = count_to_offsets(self.ncols, self.col_idx.iter().copied());
        let mut next = row_ptr.clone();
        let mut col_idx = vec![0u32; self.nnz()];
        let mut values = vec![T::zero(); self.nnz()];
        for i in 0..self.nrows {
            let (cols, vals) = self.row(i);
            for (&j, &v) in cols.iter().zip(vals) {
                let k = next[j as usize] as usize;
                next[j as usize] += 1;
                col_idx[k] = i as u32;
                values[k] = f(v);
            }
        }
        Self::from_parts(self.ncols, self.nrows, row_ptr, col_idx, values)
    }

    /// The symmetric permutation B = P A Pᵀ with `B[i][j] = A[perm[i]][perm[j]]`, `perm` a permutation of
    /// 0..n given as new → old.
    ///
    /// # Panics
    /// If A is not square or `perm` is not a permutation of 0..n.
    pub fn permute_symmetric(&self, perm: &[u32]) -> Self {
        assert!(
            self.is_square() && perm.len() == self.nrows,
            "a symmetric permutation needs a square matrix of its length"
        );
        let mut inverse = vec![u32::MAX; perm.len()];
        for (new, &old) in perm.iter().enumerate() {
            assert!(inverse[old as usize] == u32::MAX, "perm holds {old} twice");
            inverse[old as usize] = new as u32;
        }
        let mut row_ptr = Vec::with_capacity(self.nrows + 1);
        row_ptr.push(0u32);
        let mut col_idx = Vec::with_capacity(self.nnz());
        let mut values = Vec::with_capacity(self.nnz());
        let mut scratch: Vec<(u32, T)> = Vec::new();
        for &old in perm {
            let (cols, vals) = self.row(old as usize);
            scratch.clear();
            scratch.extend(cols.iter().zip(vals).map(|(&j, &v)| (inverse[j as usize], v)));
            scratch.sort_unstable_by_key(|&(c, _)| c);
            col_idx.extend(scratch.iter().map(|&(c, _)| c));
            values.extend(scratch.iter().map(|&(_, v)| v));
            row_ptr.push(col_idx.len() as u32);
        }
        Self::from_parts(self.nrows, self.ncols, row_ptr, col_idx, values)
    }
}
