//! A nonlinear program in the form that the methods work on:
//!
//! ```text
//! min φ(w)  subject to  g(w) = 0,  l ≤ w ≤ u,      w = (free variables, slacks)
//! ```
//!
//! Fixed variables (x_L = x_U) are constants. A constraint c_L < c_U gets a slack, g_i = d_i c_i(x) − s_i with
//! d_i c_L ≤ s_i ≤ d_i c_U; an equality is g_i = d_i (c_i(x) − c_L). φ = d_f f. The factors d are 100 over the
//! largest entry of the gradient at the start where that exceeds 100, else 1 (Wächter and Biegler 2006,
//! section 3.8).

mod hessian;

use super::outcome::MinimizeError;
use super::patterns::{SLACK, bounds, dense_lower, hessian, jacobian};
use super::sparse::{Rows, all_finite, pattern_fault};
use residua_data::nlp::{NonlinearProblem, SparsePattern};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Gradients are scaled down to this size at the start.
const LARGEST_GRADIENT: f64 = 100.0;

/// Least scaling factor.
const LEAST_FACTOR: f64 = 1e-8;

/// Up to this many variables a Hessian that is only an operator is made into a dense matrix from products.
pub(crate) const DENSE_HESSIAN: usize = 1000;

pub(crate) struct Model<'p> {
    pub(crate) problem: &'p dyn NonlinearProblem,
    /// Variables w and constraints g.
    pub(crate) n: usize,
    pub(crate) m: usize,
    /// Free variables' places in x; the first entries of w.
    pub(crate) free: Vec<usize>,
    /// Constraints that have a slack, in the order of the slacks.
    pub(crate) slack_rows: Vec<usize>,
    is_slack_row: Vec<bool>,
    target: Vec<f64>,
    pub(crate) lower: Vec<f64>,
    pub(crate) upper: Vec<f64>,
    pub(crate) f_scale: f64,
    pub(crate) c_scale: Vec<f64>,
    jacobian_source: Vec<usize>,
    jacobian: Rows,
    hessian_source: Vec<Option<usize>>,
    hessian: Option<Rows>,
    /// The Hessian is to be used through products alone.
    matrix_free: bool,
    x: Mutex<Vec<f64>>,
    work: Mutex<Work>,
    pub(crate) objective_evaluations: AtomicUsize,
}

#[derive(Default)]
struct Work {
    full: Vec<f64>,
    full2: Vec<f64>,
    lambda: Vec<f64>,
    jacobian: Vec<f64>,
    hessian: Vec<f64>,
}

impl<'p> Model<'p> {
    /// Checks the problem, and finds its form.
    pub(crate) fn new(problem: &'p dyn NonlinearProblem) -> Result<Self, MinimizeError> {
        Self::with(problem, false)
    }

    /// As [`new`](Self::new), with a Hessian of products only if `matrix_free`.
    pub(crate) fn with(problem: &'p dyn NonlinearProblem, matrix_free: bool) -> Result<Self, MinimizeError> {
        let (nx, m) = (problem.variables(), problem.constraints());
        let (x_l, x_u) =
            bounds("variable bounds", problem.variable_bounds(), nx, f64::NEG_INFINITY, f64::INFINITY)?;
        let (c_l, c_u) = bounds("constraint bounds", problem.constraint_bounds(), m, 0.0, 0.0)?;
        let check =
            |what, pattern: &SparsePattern, nrows, lower| match pattern_fault(pattern, nrows, nx, lower) {
                Some((row, reason)) => Err(MinimizeError::Pattern { what, row, reason }),
                None => Ok(()),
            };
        check("Jacobian", problem.jacobian_pattern(), m, false)?;
        if let Some(pattern) = problem.hessian_pattern() {
            check("Hessian", pattern, nx, true)?;
        }
        let mut x = vec![0.0; nx];
        let mut free = Vec::with_capacity(nx);
        let mut place = vec![None; nx];
        for i in 0..nx {
            if x_l[i] == x_u[i] {
                x[i] = x_l[i];
            } else {
                place[i] = Some(free.len());
                free.push(i);
            }
        }
        let is_slack_row: Vec<bool> = (0..m).map(|i| c_l[i] != c_u[i]).collect();
        let slack_rows: Vec<usize> = (0..m).filter(|&i| is_slack_row[i]).collect();
        let n = free.len() + slack_rows.len();
        let mut lower: Vec<f64> = free.iter().map(|&i| x_l[i]).collect();
        let mut upper: Vec<f64> = free.iter().map(|&i| x_u[i]).collect();
        lower.extend(slack_rows.iter().map(|&i| c_l[i]));
        upper.extend(slack_rows.iter().map(|&i| c_u[i]));
        let (jacobian, jacobian_source) =
            jacobian(problem.jacobian_pattern(), &place, &is_slack_row, free.len(), n);
        let (hessian, hessian_source) = match problem.hessian_pattern() {
            Some(pattern) => hessian(pattern, &free, &place, n),
            None if n <= DENSE_HESSIAN => (Some(dense_lower(n)), Vec::new()),
            None => (None, Vec::new()),
        };
        let work = Work {
            full: vec![0.0; nx],
            full2: vec![0.0; nx],
            lambda: vec![0.0; m],
            jacobian: vec![0.0; problem.jacobian_pattern().nnz()],
            hessian: vec![0.0; problem.hessian_pattern().map_or(0, SparsePattern::nnz)],
        };
        Ok(Self {
            problem,
            n,
            m,
            free,
            slack_rows,
            is_slack_row,
            target: c_l,
            lower,
            upper,
            f_scale: 1.0,
            c_scale: vec![1.0; m],
            jacobian_source,
            jacobian,
            hessian_source,
            hessian,
            matrix_free,
            x: Mutex::new(x),
            work: Mutex::new(work),
            objective_evaluations: AtomicUsize::new(0),
        })
    }

    /// Whether any variable or slack has a bound.
    pub(crate) fn is_bounded(&self) -> bool {
        self.lower.iter().chain(&self.upper).any(|b| b.is_finite())
    }

    /// A bound or constraint that no value satisfies, in words.
    pub(crate) fn crossing_bounds(&self) -> Option<String> {
        let at = (0..self.n).find(|&k| {
            let (l, u) = (self.lower[k], self.upper[k]);
            l > u || l == f64::INFINITY || u == f64::NEG_INFINITY
        })?;
        let what = match self.free.get(at) {
            Some(i) => format!("variable {i}"),
            None => format!("constraint {}", self.slack_rows[at - self.free.len()]),
        };
        Some(format!("{what} (counted from 0) has the bounds [{}, {}]", self.lower[at], self.upper[at]))
    }

    /// An empty Jacobian and Hessian of the right patterns.
    pub(crate) fn matrices(&self) -> (Rows, Option<Rows>) {
        (self.jacobian.clone(), self.hessian.clone().filter(|_| !self.matrix_free))
    }

    /// Sets the scaling factors from the gradients at w.
    pub(crate) fn scale(&mut self, w: &[f64]) {
        let mut g = vec![0.0; self.n];
        if self.gradient(w, &mut g) {
            self.f_scale = factor(g.iter().fold(0.0, |m: f64, v| m.max(v.abs())));
        }
        let (mut j, _) = self.matrices();
        if self.jacobian(w, &mut j) {
            for i in 0..self.m {
                let slack = usize::from(self.is_slack_row[i]);
                let (_, values) = j.row(i);
                let values = &values[..values.len() - slack];
                self.c_scale[i] = factor(values.iter().fold(0.0, |m: f64, v| m.max(v.abs())));
            }
        }
        for (k, &i) in self.slack_rows.iter().enumerate() {
            self.lower[self.free.len() + k] *= self.c_scale[i];
            self.upper[self.free.len() + k] *= self.c_scale[i];
        }
    }

    /// x for w, into the buffer.
    fn expand(&self, w: &[f64]) {
        let mut x = lock(&self.x);
        self.free.iter().zip(w).for_each(|(&i, w)| x[i] = *w);
    }

    /// x for w.
    pub(crate) fn x_of(&self, w: &[f64]) -> Vec<f64> {
        self.expand(w);
        lock(&self.x).clone()
    }

    /// The free part of w from x; slacks are what the constraints are, moved between their bounds.
    pub(crate) fn w_of(&self, x: &[f64]) -> Vec<f64> {
        let mut w: Vec<f64> = self.free.iter().map(|&i| x[i]).collect();
        w.resize(self.n, 0.0);
        let mut g = vec![0.0; self.m];
        if !self.slack_rows.is_empty() && self.constraints(&w, &mut g) {
            for (k, &i) in self.slack_rows.iter().enumerate() {
                let at = self.free.len() + k;
                w[at] = g[i].max(self.lower[at]).min(self.upper[at]);
            }
        }
        w
    }

    /// φ(w); `None` where it has no finite value.
    pub(crate) fn objective(&self, w: &[f64]) -> Option<f64> {
        self.expand(w);
        self.objective_evaluations.fetch_add(1, Ordering::Relaxed);
        let f = self.problem.objective(&lock(&self.x)).ok()? * self.f_scale;
        f.is_finite().then_some(f)
    }

    /// ∇φ(w); false where it has no finite value.
    pub(crate) fn gradient(&self, w: &[f64], g: &mut [f64]) -> bool {
        self.expand(w);
        let work = &mut *lock(&self.work);
        if self.problem.gradient(&lock(&self.x), &mut work.full).is_err() {
            return false;
        }
        g.fill(0.0);
        self.free.iter().zip(g.iter_mut()).for_each(|(&i, g)| *g = self.f_scale * work.full[i]);
        all_finite(g)
    }

    /// g(w); false where it has no finite value.
    pub(crate) fn constraints(&self, w: &[f64], c: &mut [f64]) -> bool {
        self.expand(w);
        if self.m == 0 {
            return true;
        }
        if self.problem.constraint_values(&lock(&self.x), c).is_err() {
            return false;
        }
        for i in 0..self.m {
            c[i] = if self.is_slack_row[i] {
                self.c_scale[i] * c[i]
            } else {
                self.c_scale[i] * (c[i] - self.target[i])
            };
        }
        for (k, &i) in self.slack_rows.iter().enumerate() {
            c[i] -= w[self.free.len() + k];
        }
        all_finite(c)
    }

    /// The Jacobian of g at w; false where it has no finite value.
    pub(crate) fn jacobian(&self, w: &[f64], j: &mut Rows) -> bool {
        self.expand(w);
        if self.m == 0 {
            return true;
        }
        let work = &mut *lock(&self.work);
        if self.problem.jacobian_values(&lock(&self.x), &mut work.jacobian).is_err() {
            return false;
        }
        for i in 0..self.m {
            for k in j.starts[i]..j.starts[i + 1] {
                let source = self.jacobian_source[k];
                j.values[k] = if source == SLACK { -1.0 } else { self.c_scale[i] * work.jacobian[source] };
            }
        }
        all_finite(&j.values)
    }
}

fn factor(largest: f64) -> f64 {
    if largest > LARGEST_GRADIENT && largest.is_finite() {
        (LARGEST_GRADIENT / largest).max(LEAST_FACTOR)
    } else {
        1.0
    }
}

/// A lock's content; a panic elsewhere leaves buffers that every use overwrites.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
