//! To and from the matrices of other crates, without copying wherever the layouts allow it.
//!
//! | | borrowed, O(1), no copy | owned |
//! |---|---|---|
//! | sprs | [`CsrMatrix::as_sprs`] | [`CsrMatrix::into_sprs`], [`CsrMatrix::try_from_sprs`]: arrays move |
//! | faer | [`CsrMatrix::as_faer`] | [`CsrMatrix::into_faer`], [`CsrMatrix::try_from_faer`]: arrays move |
//! | nalgebra-sparse (cargo feature) | none: its indices are 64-bit | `to_nalgebra_sparse`, `try_from_nalgebra_sparse`: indices are copied, values move |
//! | dense | none | [`CsrMatrix::to_dense`], [`CsrMatrix::to_row_major`], [`CsrMatrix::from_dense`], [`CsrMatrix::from_row_major`] |
//!
//! Compressed *columns* of A are compressed rows of Aᵀ: `a.as_faer()?.transpose()` and
//! `a.as_sprs().transpose_into()` are column-major views of Aᵀ, again without a copy.

use super::{CsrError, CsrMatrix, check_size};
use crate::Scalar;
use faer::sparse::{SparseRowMat, SparseRowMatRef, SymbolicSparseRowMat, SymbolicSparseRowMatRef};
use sprs::{CompressedStorage, CsMatI, CsMatViewI};

/// The most entries of a dense copy: 2²⁷, a gibibyte in double precision. More is a mistake.
const MAX_DENSE: u64 = 1 << 27;

/// faer keeps the top bit of an index for itself.
const MAX_FAER_INDEX: u64 = i32::MAX as u64;

impl<T> CsrMatrix<T> {
    /// A view for sprs, O(1).
    pub fn as_sprs(&self) -> CsMatViewI<'_, T, u32> {
        // SAFETY: sprs asks for row pointers that start at 0, never decrease and end at the number of
        // entries, and for columns that increase strictly in a row and are below ncols: what construction
        // checked. Fields are private and the pattern is never changed afterwards.
        unsafe {
            CsMatViewI::new_unchecked(
                CompressedStorage::CSR,
                (self.nrows, self.ncols),
                &self.row_ptr[..],
                &self.col_idx[..],
                &self.values[..],
            )
        }
    }

    /// The arrays as a matrix of sprs, O(1).
    pub fn into_sprs(self) -> CsMatI<T, u32> {
        // SAFETY: as in `as_sprs`.
        unsafe {
            CsMatI::new_unchecked(
                CompressedStorage::CSR,
                (self.nrows, self.ncols),
                self.row_ptr,
                self.col_idx,
                self.values,
            )
        }
    }

    /// Takes over the arrays of a matrix of sprs with 32-bit indices. O(nnz) for the check; compressed
    /// columns are first rearranged into rows, which copies.
    ///
    /// # Errors
    /// [`CsrError`] if the structure breaks a rule of ours.
    pub fn try_from_sprs(matrix: CsMatI<T, u32>) -> Result<Self, CsrError>
    where
        T: Clone + Default,
    {
        let matrix = if matrix.is_csr() { matrix } else { matrix.to_csr() };
        let (nrows, ncols) = matrix.shape();
        let (row_ptr, col_idx, values) = matrix.into_raw_storage();
        Self::try_new(nrows, ncols, row_ptr, col_idx, values)
    }

    /// A view for faer, O(1).
    ///
    /// # Errors
    /// [`CsrError::TooLarge`] for more than 2³¹ − 1 rows or columns, which faer refuses.
    pub fn as_faer(&self) -> Result<SparseRowMatRef<'_, u32, T>, CsrError> {
        self.check_faer()?;
        // SAFETY: faer asks for what construction checked: pointers that never decrease and stay within
        // col_idx, columns that increase strictly in a row and are below ncols.
        let symbolic = unsafe {
            SymbolicSparseRowMatRef::new_unchecked(self.nrows, self.ncols, &self.row_ptr, None, &self.col_idx)
        };
        Ok(SparseRowMatRef::new(symbolic, &self.values))
    }

    /// The arrays as a matrix of faer, O(1).
    ///
    /// # Errors
    /// As [`as_faer`](Self::as_faer); the matrix is dropped.
    pub fn into_faer(self) -> Result<SparseRowMat<u32, T>, CsrError> {
        self.check_faer()?;
        // SAFETY: as in `as_faer`.
        let symbolic = unsafe {
            SymbolicSparseRowMat::new_unchecked(self.nrows, self.ncols, self.row_ptr, None, self.col_idx)
        };
        Ok(SparseRowMat::new(symbolic, self.values))
    }

    /// Takes over the arrays of a matrix of faer with 32-bit indices. O(nnz) for the check. A matrix with
    /// gaps between its rows (faer's "uncompressed" mode) is closed up in place.
    ///
    /// # Errors
    /// [`CsrError`] if the structure breaks a rule of ours: columns that are not sorted, duplicates.
    pub fn try_from_faer(matrix: SparseRowMat<u32, T>) -> Result<Self, CsrError> {
        let (symbolic, mut values) = matrix.into_parts();
        let (nrows, ncols, mut row_ptr, row_nnz, mut col_idx) = symbolic.into_parts();
        if let Some(row_nnz) = row_nnz {
            let mut write = 0;
            for i in 0..nrows {
                let start = row_ptr[i] as usize;
                row_ptr[i] = write as u32;
                for k in start..start + row_nnz[i] as usize {
                    col_idx.swap(write, k);
                    values.swap(write, k);
                    write += 1;
                }
            }
            row_ptr[nrows] = write as u32;
        }
        let nnz = row_ptr[nrows] as usize;
        col_idx.truncate(nnz);
        values.truncate(nnz);
        Self::try_new(nrows, ncols, row_ptr, col_idx, values)
    }

    fn check_faer(&self) -> Result<(), CsrError> {
        for (what, found) in [("nrows", self.nrows as u64), ("ncols", self.ncols as u64)] {
            if found > MAX_FAER_INDEX {
                return Err(CsrError::TooLarge { what, found, max: MAX_FAER_INDEX });
            }
        }
        Ok(())
    }
}

impl<T: Scalar> CsrMatrix<T> {
    /// A dense copy, m × n.
    ///
    /// # Errors
    /// [`CsrError::TooLarge`] for more than 2²⁷ entries.
    pub fn to_dense(&self) -> Result<faer::Mat<T>, CsrError> {
        self.check_dense()?;
        let mut dense = faer::Mat::full(self.nrows, self.ncols, T::zero());
        for i in 0..self.nrows {
            let (cols, vals) = self.row(i);
            cols.iter().zip(vals).for_each(|(&j, &v)| dense[(i, j as usize)] = v);
        }
        Ok(dense)
    }

    /// A dense copy in one vector: entry (i, j) at `i * ncols + j`.
    ///
    /// # Errors
    /// [`CsrError::TooLarge`] for more than 2²⁷ entries.
    pub fn to_row_major(&self) -> Result<Vec<T>, CsrError> {
        self.check_dense()?;
        let mut dense = vec![T::zero(); self.nrows * self.ncols];
        for i in 0..self.nrows {
            let (cols, vals) = self.row(i);
            cols.iter().zip(vals).for_each(|(&j, &v)| dense[i * self.ncols + j as usize] = v);
        }
        Ok(dense)
    }

    /// The sparse form of a dense matrix; exact zeros are not stored.
    ///
    /// # Errors
    /// [`CsrError::TooLarge`] if a size or the number of nonzeros does not fit 32-bit indices.
    pub fn from_dense(dense: faer::MatRef<'_, T>) -> Result<Self, CsrError> {
        Self::from_entries(dense.nrows(), dense.ncols(), |i, j| dense[(i, j)])
    }

    /// The sparse form of a dense matrix whose entry (i, j) is `dense[i * ncols + j]`; exact zeros are not
    /// stored.
    ///
    /// # Errors
    /// [`CsrError::DenseLength`] if `dense` has not nrows · ncols entries; [`CsrError::TooLarge`].
    pub fn from_row_major(nrows: usize, ncols: usize, dense: &[T]) -> Result<Self, CsrError> {
        if nrows.checked_mul(ncols) != Some(dense.len()) {
            return Err(CsrError::DenseLength { nrows, ncols, found: dense.len() });
        }
        Self::from_entries(nrows, ncols, |i, j| dense[i * ncols + j])
    }

    fn from_entries(nrows: usize, ncols: usize, entry: impl Fn(usize, usize) -> T) -> Result<Self, CsrError> {
        check_size("nrows", nrows)?;
        check_size("ncols", ncols)?;
        let mut row_ptr = vec![0u32];
        let (mut col_idx, mut values) = (Vec::new(), Vec::new());
        for i in 0..nrows {
            for j in 0..ncols {
                let v = entry(i, j);
                if !v.is_zero() {
                    col_idx.push(j as u32);
                    values.push(v);
                }
            }
            check_size("nnz", values.len())?;
            row_ptr.push(values.len() as u32);
        }
        Ok(Self::from_parts(nrows, ncols, row_ptr, col_idx, values))
    }

    fn check_dense(&self) -> Result<(), CsrError> {
        let found = self.nrows as u64 * self.ncols as u64;
        if found > MAX_DENSE {
            return Err(CsrError::TooLarge { what: "nrows * ncols of a dense copy", found, max: MAX_DENSE });
        }
        Ok(())
    }
}

#[cfg(feature = "nalgebra-sparse")]
impl<T: nalgebra::Scalar> CsrMatrix<T> {
    /// The matrix for nalgebra-sparse, whose indices are 64-bit: row pointers and columns are copied
    /// (8 (nnz + m + 1) bytes), values too.
    pub fn to_nalgebra_sparse(&self) -> nalgebra_sparse::CsrMatrix<T> {
        let widen = |v: &[u32]| v.iter().map(|&i| i as usize).collect::<Vec<_>>();
        let pattern = nalgebra_sparse::pattern::SparsityPattern::try_from_offsets_and_indices(
            self.nrows,
            self.ncols,
            widen(&self.row_ptr),
            widen(&self.col_idx),
        );
        match pattern.map(|p| nalgebra_sparse::CsrMatrix::try_from_pattern_and_values(p, self.values.clone()))
        {
            Ok(Ok(matrix)) => matrix,
            // Its rules (increasing columns within bounds, matching lengths) are those of construction.
            _ => unreachable!("a checked CSR pattern is one for nalgebra-sparse"),
        }
    }

    /// From nalgebra-sparse; indices are copied into 32 bits, values move.
    ///
    /// # Errors
    /// [`CsrError::TooLarge`] if a size does not fit 32-bit indices.
    pub fn try_from_nalgebra_sparse(matrix: nalgebra_sparse::CsrMatrix<T>) -> Result<Self, CsrError> {
        let (nrows, ncols) = (matrix.nrows(), matrix.ncols());
        check_size("nrows", nrows)?;
        check_size("ncols", ncols)?;
        check_size("nnz", matrix.nnz())?;
        let (row_ptr, col_idx, values) = matrix.disassemble();
        let narrow = |v: Vec<usize>| v.into_iter().map(|i| i as u32).collect::<Vec<_>>();
        Self::try_new(nrows, ncols, narrow(row_ptr), narrow(col_idx), values)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "convert_tests.rs"]
mod tests;
