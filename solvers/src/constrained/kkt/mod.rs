//! The Newton system of a constrained problem, and what solves it.
//!
//! ```text
//! K z = b,   K = [ H + Σ + δ_w I   Jᵀ  ]      z = (dw, dλ)
//!                [ J              −δ_c I ]
//! ```
//!
//! H is the Hessian of the Lagrangian, Σ the diagonal of the barrier. K has the right inertia (n, m, 0) exactly if
//! H + Σ + δ_w I is positive definite on the null space of J and J has full row rank (with δ_c > 0: if
//! H + Σ + δ_w I + JᵀJ/δ_c is positive definite).

mod dense;
mod direct;
mod elliptic;
mod equilibrated;
mod full;
mod krylov;
mod pairing;
mod schur;
mod sketched;
mod sparse_ldl;

pub(crate) use direct::Direct;
pub(crate) use elliptic::stencil;
pub(crate) use krylov::Krylov;
pub(crate) use pairing::{Pairing, pair};
pub(crate) use schur::{Schur, is_diagonal, step_flops};
pub(crate) use sketched::Sketched;

use super::model::Model;
use super::outcome::MinimizeError;
use super::sparse::Rows;
use crate::LinearOperator;

/// K at one point.
#[derive(Clone, Copy)]
pub(crate) struct KktSystem<'a> {
    pub(crate) model: &'a Model<'a>,
    /// Where H is.
    pub(crate) w: &'a [f64],
    /// λ of H, and the weight of the objective.
    pub(crate) lambda: &'a [f64],
    pub(crate) sigma: f64,
    /// Lower triangle of H; `None` where it is only an operator.
    pub(crate) h: Option<&'a Rows>,
    /// Σ.
    pub(crate) diagonal: &'a [f64],
    pub(crate) j: &'a Rows,
    pub(crate) delta_w: f64,
    pub(crate) delta_c: f64,
}

impl KktSystem<'_> {
    pub(crate) fn n(&self) -> usize {
        self.model.n
    }

    pub(crate) fn m(&self) -> usize {
        self.model.m
    }

    /// y ← (H + Σ + δ_w I) v.
    pub(crate) fn apply_hessian(&self, v: &[f64], y: &mut [f64]) {
        self.apply_lagrangian_hessian(v, y);
        for i in 0..v.len() {
            y[i] += (self.diagonal[i] + self.delta_w) * v[i];
        }
    }

    /// y ← H v, without Σ and δ_w; NaN where H has no value.
    pub(crate) fn apply_lagrangian_hessian(&self, v: &[f64], y: &mut [f64]) {
        match self.h {
            Some(h) => h.multiply_symmetric(v, y),
            None => {
                if !self.model.hessian_product(self.w, self.sigma, self.lambda, v, y) {
                    y.fill(f64::NAN);
                }
            }
        }
    }

    /// Floating-point operations of one product with K.
    pub(crate) fn product_flops(&self) -> f64 {
        let h = self.h.map_or(2 * self.n(), |h| 2 * h.nnz());
        (2 * h + 4 * self.j.nnz() + 2 * (self.n() + self.m())) as f64
    }
}

impl LinearOperator<f64> for KktSystem<'_> {
    fn nrows(&self) -> usize {
        self.n() + self.m()
    }

    fn ncols(&self) -> usize {
        self.n() + self.m()
    }

    fn apply(&self, z: &[f64], out: &mut [f64]) {
        let n = self.n();
        let (dw, dl) = z.split_at(n);
        let (top, bottom) = out.split_at_mut(n);
        self.apply_hessian(dw, top);
        self.j.add_transposed(1.0, dl, top);
        self.j.multiply(dw, bottom);
        bottom.iter_mut().zip(dl).for_each(|(o, l)| *o -= self.delta_c * l);
    }
}

/// Signs of the eigenvalues of K.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inertia {
    pub(crate) positive: usize,
    pub(crate) negative: usize,
    pub(crate) zero: usize,
}

/// What a factorization or preconditioner found out about K.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Setup {
    /// K has the right inertia, or nothing speaks against it.
    Ready,
    /// H + Σ + δ_w I is not positive definite on the null space of J.
    Indefinite,
    /// K is singular, to working accuracy: J lacks full row rank, or H is singular on its null space.
    Singular,
}

/// What an inner solve reached.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Reached {
    /// ‖b − K z‖ / ‖b‖.
    pub(crate) relative_residual: f64,
    /// Directions of negative curvature were met.
    pub(crate) negative_curvature: bool,
    /// Steps and floating-point operations.
    pub(crate) iterations: usize,
    pub(crate) flops: f64,
    /// No more can be reached.
    pub(crate) exhausted: bool,
}

/// A way to solve K z = b.
pub(crate) trait KktSolver {
    /// Its name and why it was chosen.
    fn describe(&self) -> String;

    /// Whether solves are exact to rounding whatever is asked for.
    fn is_exact(&self) -> bool;

    /// Whether [`setup`](Self::setup) says `Ready` only if the inertia is right.
    fn proves_inertia(&self) -> bool {
        self.is_exact()
    }

    /// Prepares for `system`: factorizes, or builds a preconditioner. Returns the operations too.
    fn setup(&mut self, system: &KktSystem<'_>) -> Result<(Setup, f64), MinimizeError>;

    /// Improves z towards K z = b until ‖b − K z‖ ≤ `target` ‖b‖ or no more is possible.
    fn solve(&mut self, system: &KktSystem<'_>, b: &[f64], z: &mut [f64], target: f64) -> Reached;

    /// What the user should know, once.
    fn take_warnings(&mut self) -> Vec<String> {
        Vec::new()
    }
}
