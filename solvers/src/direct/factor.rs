//! One sparse factorization: symbolic part, numbers, and the scratch that a solve needs.

use crate::error::{SolveError, check_len, check_square};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::LltError;
use faer::mat::MatMut;
use faer::sparse::linalg::LuError;
use faer::sparse::linalg::cholesky::{
    IntranodeLbltRef, LltRef, SymbolicCholesky, SymmetricOrdering, factorize_symbolic_cholesky,
};
use faer::sparse::linalg::lu::{LuRef, NumericLu, SymbolicLu, factorize_symbolic_lu};
use faer::sparse::linalg::solvers::{Qr, SymbolicQr};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use faer::{Conj, Par, Side};
use residua_data::{CsrMatrix, Scalar};

/// A scalar that faer can factorize: `f32`, `f64` and their complex numbers.
pub trait FaerScalar: Scalar + faer::traits::ComplexField {}
impl<T: Scalar + faer::traits::ComplexField> FaerScalar for T {}

/// Which factorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirectKind {
    /// L Lᴴ, Hermitian positive definite.
    Cholesky,
    /// L B Lᴴ, Hermitian; pivots are chosen within supernodes only, so expect to refine.
    Ldlt,
    /// L U with partial pivoting, any square matrix.
    Lu,
    /// Q R, m ≥ n with full column rank.
    Qr,
}

impl DirectKind {
    fn what(self) -> &'static str {
        match self {
            Self::Cholesky => "cholesky",
            Self::Ldlt => "ldlt",
            Self::Lu => "lu",
            Self::Qr => "qr",
        }
    }
}

/// A factorized matrix.
pub struct Factorization<T: FaerScalar> {
    kind: DirectKind,
    pattern: (usize, usize, Vec<u32>, Vec<u32>),
    numbers: Numbers<T>,
    scratch: MemBuffer,
}

impl<T: FaerScalar> std::fmt::Debug for Factorization<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Factorization").field("kind", &self.kind).field("nnz", &self.factor_nnz()).finish()
    }
}

enum Numbers<T: FaerScalar> {
    Cholesky {
        symbolic: SymbolicCholesky<u32>,
        values: Vec<T>,
    },
    Ldlt {
        symbolic: SymbolicCholesky<u32>,
        values: Vec<T>,
        subdiagonal: Vec<T>,
        forward: Vec<u32>,
        inverse: Vec<u32>,
    },
    Lu {
        symbolic: SymbolicLu<u32>,
        numeric: NumericLu<u32, T>,
    },
    Qr {
        symbolic: SymbolicQr<u32>,
        factors: Option<Qr<u32, T>>,
    },
}

/// Columns of A: A itself where it is real and symmetric (rows are columns), the transpose otherwise.
fn columns<T: FaerScalar>(a: &CsrMatrix<T>, kind: DirectKind) -> std::borrow::Cow<'_, CsrMatrix<T>> {
    let symmetric_kind = matches!(kind, DirectKind::Cholesky | DirectKind::Ldlt);
    if symmetric_kind && !T::is_complex_type() {
        std::borrow::Cow::Borrowed(a)
    } else {
        std::borrow::Cow::Owned(a.transpose())
    }
}

/// The arrays of the transpose in compressed rows are those of the matrix in compressed columns.
fn as_columns<T>(transpose: &CsrMatrix<T>) -> SparseColMatRef<'_, u32, T> {
    SparseColMatRef::new(symbolic_columns(transpose), transpose.values())
}

fn symbolic_columns<T>(transpose: &CsrMatrix<T>) -> SymbolicSparseColMatRef<'_, u32> {
    SymbolicSparseColMatRef::new_checked(
        transpose.ncols(),
        transpose.nrows(),
        transpose.row_ptr(),
        None,
        transpose.col_idx(),
    )
}

fn out_of_memory(what: &'static str, error: &impl std::fmt::Debug) -> SolveError {
    SolveError::FactorizationFailed {
        what,
        row: 0,
        reason: format!("{error:?}: the factors do not fit; use an iterative method"),
    }
}

fn scratch(what: &'static str, request: faer::dyn_stack::StackReq) -> Result<MemBuffer, SolveError> {
    MemBuffer::try_new(request).map_err(|e| out_of_memory(what, &e))
}

impl<T: FaerScalar> Factorization<T> {
    /// Orders, analyses and factorizes `a`.
    ///
    /// # Errors
    /// As [`Direct::new`](super::Direct::new).
    pub fn new(kind: DirectKind, a: &CsrMatrix<T>) -> Result<Self, SolveError> {
        let what = kind.what();
        if kind != DirectKind::Qr {
            check_square(what, a.nrows(), a.ncols())?;
        } else if a.nrows() < a.ncols() {
            return Err(SolveError::NotSquare { what, nrows: a.nrows(), ncols: a.ncols() });
        }
        let columns = columns(a, kind);
        let numbers = match kind {
            DirectKind::Cholesky => {
                Numbers::Cholesky { symbolic: symbolic_cholesky(&columns, what)?, values: Vec::new() }
            }
            DirectKind::Ldlt => Numbers::Ldlt {
                symbolic: symbolic_cholesky(&columns, what)?,
                values: Vec::new(),
                subdiagonal: vec![T::zero(); a.nrows()],
                forward: vec![0; a.nrows()],
                inverse: vec![0; a.nrows()],
            },
            DirectKind::Lu => Numbers::Lu {
                symbolic: factorize_symbolic_lu(symbolic_columns(&columns), Default::default())
                    .map_err(|e| out_of_memory(what, &e))?,
                numeric: NumericLu::new(),
            },
            DirectKind::Qr => {
                let symbolic =
                    SymbolicQr::try_new(symbolic_columns(&columns)).map_err(|e| out_of_memory(what, &e))?;
                Numbers::Qr { symbolic, factors: None }
            }
        };
        let pattern = (a.nrows(), a.ncols(), a.row_ptr().to_vec(), a.col_idx().to_vec());
        let mut this =
            Self { kind, pattern, numbers, scratch: scratch(what, faer::dyn_stack::StackReq::EMPTY)? };
        this.factorize(&columns)?;
        Ok(this)
    }

    /// Factorizes a matrix with the same pattern.
    ///
    /// # Errors
    /// As [`Direct::refresh`](super::Direct::refresh).
    pub fn refresh(&mut self, a: &CsrMatrix<T>) -> Result<(), SolveError> {
        let (nrows, ncols, row_ptr, col_idx) = &self.pattern;
        if (*nrows, *ncols) != (a.nrows(), a.ncols()) || row_ptr != a.row_ptr() || col_idx != a.col_idx() {
            return Err(SolveError::PatternChanged { what: self.kind.what() });
        }
        let columns = columns(a, self.kind);
        self.factorize(&columns)
    }

    fn factorize(&mut self, columns: &CsrMatrix<T>) -> Result<(), SolveError> {
        let what = self.kind.what();
        if columns.first_non_finite().is_some() {
            return Err(SolveError::NonFinite { what: "the matrix", index: 0 });
        }
        let a = as_columns(columns);
        let par = Par::Seq;
        let request = match &mut self.numbers {
            Numbers::Cholesky { symbolic, values } => {
                allocate(what, values, symbolic.len_val())?;
                let mut memory =
                    scratch(what, symbolic.factorize_numeric_llt_scratch::<T>(par, Default::default()))?;
                symbolic
                    .factorize_numeric_llt(
                        values,
                        a,
                        Side::Lower,
                        Default::default(),
                        par,
                        MemStack::new(&mut memory),
                        Default::default(),
                    )
                    .map_err(|e| cholesky_error(what, &e))?;
                symbolic.solve_in_place_scratch::<T>(1, par)
            }
            Numbers::Ldlt { symbolic, values, subdiagonal, forward, inverse } => {
                allocate(what, values, symbolic.len_val())?;
                let request = symbolic.factorize_numeric_intranode_lblt_scratch::<T>(par, Default::default());
                symbolic.factorize_numeric_intranode_lblt(
                    values,
                    subdiagonal,
                    forward,
                    inverse,
                    a,
                    Side::Lower,
                    par,
                    MemStack::new(&mut scratch(what, request)?),
                    Default::default(),
                );
                symbolic.solve_in_place_scratch::<T>(1, par)
            }
            Numbers::Lu { symbolic, numeric } => {
                let request = symbolic.factorize_numeric_lu_scratch::<T>(par, Default::default());
                let mut memory = scratch(what, request)?;
                symbolic
                    .factorize_numeric_lu(numeric, a, par, MemStack::new(&mut memory), Default::default())
                    .map_err(|e| lu_error(what, &e))?;
                symbolic.solve_in_place_scratch::<T>(1, par)
            }
            Numbers::Qr { symbolic, factors } => {
                let numeric = Qr::try_new_with_symbolic(symbolic.clone(), a);
                *factors = Some(numeric.map_err(|e| out_of_memory(what, &e))?);
                faer::dyn_stack::StackReq::EMPTY
            }
        };
        self.scratch = scratch(what, request)?;
        Ok(())
    }

    /// Which factorization this is.
    pub fn kind(&self) -> DirectKind {
        self.kind
    }

    /// Entries of the factors that are stored (of L alone for Cholesky and LDLᴴ; 0 where faer does not say).
    pub fn factor_nnz(&self) -> usize {
        match &self.numbers {
            Numbers::Cholesky { values, .. } | Numbers::Ldlt { values, .. } => values.len(),
            Numbers::Lu { .. } | Numbers::Qr { .. } => 0,
        }
    }

    /// Refuses a system of another shape.
    pub(super) fn check_shape(&self, nrows: usize, ncols: usize) -> Result<(), SolveError> {
        check_len("the system's rows", self.pattern.0, nrows)?;
        check_len("the system's columns", self.pattern.1, ncols)
    }

    /// d ← F⁻¹ d; `d` has length m, and its first n entries are the result.
    pub fn solve_in_place(&mut self, d: &mut [T]) {
        let par = Par::Seq;
        let stack = MemStack::new(&mut self.scratch);
        let len = d.len();
        let rhs = MatMut::from_column_major_slice_mut(d, len, 1);
        match &self.numbers {
            Numbers::Cholesky { symbolic, values } => {
                LltRef::new(symbolic, values).solve_in_place_with_conj(Conj::No, rhs, par, stack);
            }
            Numbers::Ldlt { symbolic, values, subdiagonal, forward, inverse } => {
                let perm = faer::perm::PermRef::new_checked(forward, inverse, len);
                IntranodeLbltRef::new(symbolic, values, subdiagonal, perm).solve_in_place_with_conj(
                    Conj::No,
                    rhs,
                    par,
                    stack,
                );
            }
            Numbers::Lu { symbolic, numeric } => {
                LuRef::new_unchecked(symbolic, numeric).solve_in_place_with_conj(Conj::No, rhs, par, stack);
            }
            Numbers::Qr { factors, .. } => {
                use faer::linalg::solvers::SolveLstsqCore;
                let Some(factors) = factors else { return };
                factors.solve_lstsq_in_place_with_conj(Conj::No, rhs);
            }
        }
    }

    /// d ← F⁻ᴴ d for a square factorization; nothing for QR.
    pub fn solve_adjoint_in_place(&mut self, d: &mut [T]) {
        match &self.numbers {
            Numbers::Lu { symbolic, numeric } => {
                let len = d.len();
                LuRef::new_unchecked(symbolic, numeric).solve_transpose_in_place_with_conj(
                    Conj::Yes,
                    MatMut::from_column_major_slice_mut(d, len, 1),
                    Par::Seq,
                    MemStack::new(&mut self.scratch),
                );
            }
            Numbers::Cholesky { .. } | Numbers::Ldlt { .. } => self.solve_in_place(d),
            Numbers::Qr { .. } => {}
        }
    }
}

fn allocate<T: FaerScalar>(what: &'static str, values: &mut Vec<T>, len: usize) -> Result<(), SolveError> {
    values.clear();
    values.try_reserve_exact(len).map_err(|e| out_of_memory(what, &e))?;
    values.resize(len, T::zero());
    Ok(())
}

fn symbolic_cholesky<T: FaerScalar>(
    columns: &CsrMatrix<T>,
    what: &'static str,
) -> Result<SymbolicCholesky<u32>, SolveError> {
    factorize_symbolic_cholesky(
        symbolic_columns(columns),
        Side::Lower,
        SymmetricOrdering::Amd,
        Default::default(),
    )
    .map_err(|e| out_of_memory(what, &e))
}

fn cholesky_error(what: &'static str, error: &LltError) -> SolveError {
    let LltError::NonPositivePivot { index } = error;
    SolveError::FactorizationFailed {
        what,
        row: *index,
        reason: "this pivot (in elimination order) is not positive, so the matrix is not positive definite: use ldlt or lu"
            .to_owned(),
    }
}

fn lu_error(what: &'static str, error: &LuError) -> SolveError {
    match error {
        LuError::SymbolicSingular { index } => SolveError::FactorizationFailed {
            what,
            row: *index,
            reason: "no pivot is left in this column: the matrix is structurally singular".to_owned(),
        },
        LuError::Generic(e) => out_of_memory(what, e),
    }
}

/// Predicted cost of a Cholesky factorization of the pattern of A (of A + Aᴴ's lower triangle as stored):
/// entries of L and floating-point operations. Costs an AMD ordering and a symbolic factorization.
///
/// # Errors
/// [`SolveError::FactorizationFailed`] if the counts do not fit 32-bit indices.
pub fn estimate_cholesky<T: Scalar>(a: &CsrMatrix<T>) -> Result<CholeskyEstimate, SolveError> {
    use faer::sparse::linalg::cholesky::SymbolicCholeskyRaw;
    let symbolic = factorize_symbolic_cholesky(
        symbolic_columns(a),
        Side::Lower,
        SymmetricOrdering::Amd,
        Default::default(),
    )
    .map_err(|e| out_of_memory("cholesky", &e))?;
    let mut flops = 0.0;
    match symbolic.raw() {
        SymbolicCholeskyRaw::Simplicial(l) => {
            for w in l.col_ptr().windows(2) {
                flops += f64::from(w[1] - w[0]).powi(2);
            }
        }
        SymbolicCholeskyRaw::Supernodal(l) => {
            for s in 0..l.n_supernodes() {
                let supernode = l.supernode(s);
                let width = f64::from(l.supernode_end()[s] - l.supernode_begin()[s]);
                let below = supernode.pattern().len() as f64;
                // Σ over the columns of the supernode of (entries of the column)².
                flops += width * (below + width / 2.0).powi(2) + width.powi(3) / 12.0;
            }
        }
    }
    Ok(CholeskyEstimate { factor_nnz: symbolic.len_val(), flops })
}

/// What a Cholesky factorization would cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CholeskyEstimate {
    /// Entries of L, with the padding of supernodes.
    pub factor_nnz: usize,
    /// Multiplications and additions.
    pub flops: f64,
}
