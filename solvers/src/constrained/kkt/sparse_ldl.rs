//! Sparse factorization of the quasi-definite neighbour of K,
//!
//! ```text
//! P (S K S + ε [ I     ]) Pᵀ = L D Lᵀ,    K = [ H + Σ + δ_w I   Jᵀ     ],    ε = 1e-9
//!              [    −I ]                      [ J              −δ_c I ]
//! ```
//!
//! with P from AMD and S from [`Equilibrated`]: ε must be small beside every row. Every symmetric permutation of a quasi-definite matrix has such a factorization with D diagonal
//! (Vanderbei 1995, SIAM J. Optim. 5(1)); where H + Σ is not positive definite it may still exist, and
//! the signs of D are then the inertia (Sylvester). It is used as a preconditioner for K itself, so ε costs a few steps
//! of refinement and no accuracy.

use super::equilibrated::Equilibrated;
use super::{Inertia, KktSystem};
use crate::constrained::sparse::Rows;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::ldlt::factor::LdltRegularization;
use faer::sparse::linalg::cholesky::{
    LdltRef, SymbolicCholesky, SymbolicCholeskyRaw, SymmetricOrdering, factorize_symbolic_cholesky,
};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use faer::{Conj, MatMut, Par, Side};

/// ε.
const REGULARISATION: f64 = 1e-9;

pub(crate) struct SparseLdl {
    matrix: Equilibrated,
    symbolic: SymbolicCholesky<u32>,
    factors: Vec<f64>,
    factor_memory: MemBuffer,
    solve_memory: MemBuffer,
    pub(crate) flops: f64,
    pub(crate) solve_flops: f64,
}

impl SparseLdl {
    /// Orders and analyses; `None` if the factors do not fit.
    pub(super) fn new(h: &Rows, j: &Rows) -> Option<Self> {
        // Its lower triangle by rows is the upper one by columns.
        let matrix = Equilibrated::new(h, j);
        let size = matrix.size();
        let pattern = SymbolicSparseColMatRef::new_checked(size, size, &matrix.starts, None, &matrix.columns);
        let symbolic =
            factorize_symbolic_cholesky(pattern, Side::Upper, SymmetricOrdering::Amd, Default::default())
                .ok()?;
        let (mut flops, mut nnz) = (0.0, 0.0);
        match symbolic.raw() {
            SymbolicCholeskyRaw::Simplicial(l) => {
                for w in l.col_ptr().windows(2) {
                    let count = f64::from(w[1] - w[0]);
                    flops += count * count;
                    nnz += count;
                }
            }
            SymbolicCholeskyRaw::Supernodal(l) => {
                for s in 0..l.n_supernodes() {
                    let width = f64::from(l.supernode_end()[s] - l.supernode_begin()[s]);
                    let below = l.supernode(s).pattern().len() as f64;
                    flops += width * (below + width / 2.0).powi(2) + width.powi(3) / 12.0;
                    nnz += width * (below + width / 2.0);
                }
            }
        }
        let factor_memory =
            MemBuffer::try_new(symbolic.factorize_numeric_ldlt_scratch::<f64>(Par::Seq, Default::default()))
                .ok()?;
        let solve_memory = MemBuffer::try_new(symbolic.solve_in_place_scratch::<f64>(1, Par::Seq)).ok()?;
        let factors = vec![0.0; symbolic.len_val()];
        Some(Self { matrix, symbolic, factors, factor_memory, solve_memory, flops, solve_flops: 4.0 * nnz })
    }

    /// Factorizes; `None` where a pivot vanished.
    pub(super) fn factorize(&mut self, system: &KktSystem<'_>, h: &Rows) -> Option<Inertia> {
        let matrix = &mut self.matrix;
        matrix.set(system, h);
        matrix.regularise(h.nrows(), REGULARISATION);
        let size = matrix.size();
        let pattern = SymbolicSparseColMatRef::new_checked(size, size, &matrix.starts, None, &matrix.columns);
        self.symbolic
            .factorize_numeric_ldlt(
                &mut self.factors,
                SparseColMatRef::new(pattern, &matrix.values),
                Side::Upper,
                LdltRegularization::default(),
                Par::Seq,
                MemStack::new(&mut self.factor_memory),
                Default::default(),
            )
            .ok()?;
        Some(self.inertia())
    }

    fn inertia(&self) -> Inertia {
        let mut inertia = Inertia { positive: 0, negative: 0, zero: 0 };
        let mut count = |d: f64| {
            if d > 0.0 {
                inertia.positive += 1;
            } else if d < 0.0 {
                inertia.negative += 1;
            } else {
                inertia.zero += 1;
            }
        };
        match self.symbolic.raw() {
            SymbolicCholeskyRaw::Simplicial(l) => {
                let starts = l.col_ptr();
                starts[..starts.len() - 1].iter().for_each(|&s| count(self.factors[s as usize]));
            }
            SymbolicCholeskyRaw::Supernodal(l) => {
                for s in 0..l.n_supernodes() {
                    let width = (l.supernode_end()[s] - l.supernode_begin()[s]) as usize;
                    let rows = width + l.supernode(s).pattern().len();
                    let at = l.col_ptr_for_val()[s] as usize;
                    (0..width).for_each(|k| count(self.factors[at + k * (rows + 1)]));
                }
            }
        }
        inertia
    }

    pub(super) fn solve_in_place(&mut self, b: &mut [f64]) {
        let len = b.len();
        self.matrix.scale(b);
        LdltRef::new(&self.symbolic, &self.factors).solve_in_place_with_conj(
            Conj::No,
            MatMut::from_column_major_slice_mut(b, len, 1),
            Par::Seq,
            MemStack::new(&mut self.solve_memory),
        );
        self.matrix.scale(b);
    }
}
