//! Sparse factorization of the quasi-definite neighbour of K,
//!
//! ```text
//! P (S K S + ε [ I     ]) Pᵀ = L D Lᵀ,    K = [ H + Σ + δ_w I   Jᵀ     ],    ε = 1e-9
//!              [    −I ]                      [ J              −δ_c I ]
//! ```
//!
//! with P from AMD, and S diagonal so that the largest entry of each row of S K S is about one (Ruiz 2001, RAL-TR-2001-034): Σ grows
//! without bound as variables near their bounds, and ε must stay small beside every row. Every symmetric permutation of a quasi-definite matrix has such a factorization with D diagonal
//! (Vanderbei 1995, SIAM J. Optim. 5(1)); where H + Σ is not positive definite it may still exist, and
//! the signs of D are then the inertia (Sylvester). It is used as a preconditioner for K itself, so ε costs a few steps
//! of refinement and no accuracy.

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

/// Rounds of equilibration.
const EQUILIBRATIONS: usize = 4;

pub(crate) struct SparseLdl {
    starts: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<f64>,
    /// The diagonal of S.
    scale: Vec<f64>,
    row_max: Vec<f64>,
    symbolic: SymbolicCholesky<u32>,
    factors: Vec<f64>,
    factor_memory: MemBuffer,
    solve_memory: MemBuffer,
    pub(crate) flops: f64,
    pub(crate) solve_flops: f64,
}

/// The lower triangle of K by rows, which is the upper one by columns.
pub(super) fn assemble_pattern(h: &Rows, j: &Rows) -> (Vec<u32>, Vec<u32>) {
    let n = h.nrows();
    let (mut starts, mut columns) = (vec![0u32], Vec::with_capacity(h.nnz() + j.nnz() + j.nrows()));
    for i in 0..n {
        columns.extend_from_slice(h.row(i).0);
        starts.push(columns.len() as u32);
    }
    for i in 0..j.nrows() {
        columns.extend_from_slice(j.row(i).0);
        columns.push((n + i) as u32);
        starts.push(columns.len() as u32);
    }
    (starts, columns)
}

/// The values of [`assemble_pattern`]; each row ends with its diagonal.
pub(super) fn assemble_values(system: &KktSystem<'_>, h: &Rows, values: &mut Vec<f64>) {
    values.clear();
    for i in 0..h.nrows() {
        values.extend_from_slice(h.row(i).1);
        if let Some(last) = values.last_mut() {
            *last += system.diagonal[i] + system.delta_w; // a model's rows end with the diagonal
        }
    }
    for i in 0..system.j.nrows() {
        values.extend_from_slice(system.j.row(i).1);
        values.push(-system.delta_c);
    }
}

impl SparseLdl {
    /// Orders and analyses; `None` if the factors do not fit.
    pub(super) fn new(h: &Rows, j: &Rows) -> Option<Self> {
        let (starts, columns) = assemble_pattern(h, j);
        let size = starts.len() - 1;
        let pattern = SymbolicSparseColMatRef::new_checked(size, size, &starts, None, &columns);
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
        Some(Self {
            starts,
            columns,
            values: Vec::new(),
            scale: vec![1.0; size],
            row_max: vec![0.0; size],
            symbolic,
            factors,
            factor_memory,
            solve_memory,
            flops,
            solve_flops: 4.0 * nnz,
        })
    }

    /// Factorizes; `None` where a pivot vanished.
    pub(super) fn factorize(&mut self, system: &KktSystem<'_>, h: &Rows) -> Option<Inertia> {
        assemble_values(system, h, &mut self.values);
        self.equilibrate();
        for (i, w) in self.starts.windows(2).enumerate() {
            let epsilon = if i < h.nrows() { REGULARISATION } else { -REGULARISATION };
            if let Some(last) = self.values[w[0] as usize..w[1] as usize].last_mut() {
                *last += epsilon;
            }
        }
        let size = self.starts.len() - 1;
        let pattern = SymbolicSparseColMatRef::new_checked(size, size, &self.starts, None, &self.columns);
        self.symbolic
            .factorize_numeric_ldlt(
                &mut self.factors,
                SparseColMatRef::new(pattern, &self.values),
                Side::Upper,
                LdltRegularization::default(),
                Par::Seq,
                MemStack::new(&mut self.factor_memory),
                Default::default(),
            )
            .ok()?;
        Some(self.inertia())
    }

    /// K ← S K S.
    fn equilibrate(&mut self) {
        let Self { starts, columns, values, scale, row_max, .. } = self;
        scale.fill(1.0);
        let entries = |i: usize| starts[i] as usize..starts[i + 1] as usize;
        for _ in 0..EQUILIBRATIONS {
            row_max.fill(0.0);
            for i in 0..scale.len() {
                for k in entries(i) {
                    let j = columns[k] as usize;
                    let v = (scale[i] * values[k] * scale[j]).abs();
                    row_max[i] = row_max[i].max(v);
                    row_max[j] = row_max[j].max(v);
                }
            }
            for (s, max) in scale.iter_mut().zip(&*row_max) {
                if *max > 0.0 && max.is_finite() {
                    *s /= max.sqrt();
                }
            }
        }
        for i in 0..scale.len() {
            for k in entries(i) {
                values[k] *= scale[i] * scale[columns[k] as usize];
            }
        }
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
        b.iter_mut().zip(&self.scale).for_each(|(b, s)| *b *= s);
        LdltRef::new(&self.symbolic, &self.factors).solve_in_place_with_conj(
            Conj::No,
            MatMut::from_column_major_slice_mut(b, len, 1),
            Par::Seq,
            MemStack::new(&mut self.solve_memory),
        );
        b.iter_mut().zip(&self.scale).for_each(|(b, s)| *b *= s);
    }
}
