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

use super::outcome::MinimizeError;
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

/// What an entry of the Jacobian is made from.
const SLACK: usize = usize::MAX;

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
        (self.jacobian.clone(), self.hessian.clone())
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

    /// The Hessian of σ φ + λᵀg at w; false where it has no finite value.
    pub(crate) fn hessian(&self, w: &[f64], sigma: f64, lambda: &[f64], h: &mut Rows) -> bool {
        if self.problem.hessian_pattern().is_none() {
            return self.hessian_by_products(w, sigma, lambda, h);
        }
        self.expand(w);
        let work = &mut *lock(&self.work);
        work.lambda.iter_mut().zip(lambda).zip(&self.c_scale).for_each(|((l, v), d)| *l = v * d);
        let x = lock(&self.x);
        if self.problem.hessian_values(&x, sigma * self.f_scale, &work.lambda, &mut work.hessian).is_err() {
            return false;
        }
        h.values
            .iter_mut()
            .zip(&self.hessian_source)
            .for_each(|(v, s)| *v = s.map_or(0.0, |s| work.hessian[s]));
        all_finite(&h.values)
    }

    fn hessian_by_products(&self, w: &[f64], sigma: f64, lambda: &[f64], h: &mut Rows) -> bool {
        let (mut e, mut column) = (vec![0.0; self.n], vec![0.0; self.n]);
        for j in 0..self.n {
            e[j] = 1.0;
            if !self.hessian_product(w, sigma, lambda, &e, &mut column) {
                return false;
            }
            e[j] = 0.0;
            (j..self.n).for_each(|i| h.values[h.starts[i] + j] = column[i]);
        }
        true
    }

    /// The Hessian of σ φ + λᵀg at w times v; false where it has no finite value.
    pub(crate) fn hessian_product(
        &self,
        w: &[f64],
        sigma: f64,
        lambda: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> bool {
        self.expand(w);
        let work = &mut *lock(&self.work);
        work.lambda.iter_mut().zip(lambda).zip(&self.c_scale).for_each(|((l, v), d)| *l = v * d);
        work.full.fill(0.0);
        self.free.iter().zip(v).for_each(|(&i, v)| work.full[i] = *v);
        let x = lock(&self.x);
        let sigma = sigma * self.f_scale;
        if self.problem.hessian_product(&x, sigma, &work.lambda, &work.full, &mut work.full2).is_err() {
            return false;
        }
        out.fill(0.0);
        self.free.iter().zip(out.iter_mut()).for_each(|(&i, o)| *o = work.full2[i]);
        all_finite(out)
    }
}

fn factor(largest: f64) -> f64 {
    if largest > LARGEST_GRADIENT && largest.is_finite() {
        (LARGEST_GRADIENT / largest).max(LEAST_FACTOR)
    } else {
        1.0
    }
}

/// Bounds of length n, with the defaults where none are given.
pub(crate) fn bounds(
    what: &'static str,
    (lower, upper): (&[f64], &[f64]),
    n: usize,
    default_lower: f64,
    default_upper: f64,
) -> Result<(Vec<f64>, Vec<f64>), MinimizeError> {
    let one = |given: &[f64], default: f64| {
        let values = if given.is_empty() { vec![default; n] } else { given.to_vec() };
        if values.len() != n {
            return Err(MinimizeError::Length { what, expected: n, found: values.len() });
        }
        match values.iter().position(|v| v.is_nan()) {
            Some(index) => Err(MinimizeError::NotANumber { what, index }),
            None => Ok(values),
        }
    };
    Ok((one(lower, default_lower)?, one(upper, default_upper)?))
}

fn jacobian(
    pattern: &SparsePattern,
    place: &[Option<usize>],
    is_slack_row: &[bool],
    nfree: usize,
    n: usize,
) -> (Rows, Vec<usize>) {
    let (mut starts, mut columns, mut source) = (vec![0], Vec::new(), Vec::new());
    let mut slacks = 0;
    for (i, &slack) in is_slack_row.iter().enumerate() {
        for k in pattern.row_starts[i]..pattern.row_starts[i + 1] {
            if let Some(Some(j)) = place.get(pattern.columns[k] as usize) {
                columns.push(*j as u32);
                source.push(k);
            }
        }
        if slack {
            columns.push((nfree + slacks) as u32);
            source.push(SLACK);
            slacks += 1;
        }
        starts.push(columns.len());
    }
    (Rows::new(starts, columns, n), source)
}

fn hessian(
    pattern: &SparsePattern,
    free: &[usize],
    place: &[Option<usize>],
    n: usize,
) -> (Option<Rows>, Vec<Option<usize>>) {
    let (mut starts, mut columns, mut source) = (vec![0], Vec::new(), Vec::new());
    for k in 0..n {
        if let Some(&i) = free.get(k) {
            for e in pattern.row_starts[i]..pattern.row_starts[i + 1] {
                let j = pattern.columns[e] as usize;
                if let (Some(Some(p)), true) = (place.get(j), j < i) {
                    columns.push(*p as u32);
                    source.push(Some(e));
                }
            }
            let row = pattern.row(i);
            columns.push(k as u32);
            source.push((row.last() == Some(&(i as u32))).then(|| pattern.row_starts[i + 1] - 1));
        } else {
            columns.push(k as u32);
            source.push(None);
        }
        starts.push(columns.len());
    }
    (Some(Rows::new(starts, columns, n)), source)
}

fn dense_lower(n: usize) -> Rows {
    let starts = (0..=n).map(|i| i * (i + 1) / 2).collect();
    Rows::new(starts, (0..n).flat_map(|i| 0..=i as u32).collect(), n)
}

/// A lock's content; a panic elsewhere leaves buffers that every use overwrites.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
