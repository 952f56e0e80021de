//! The Hessian of a model: its entries, products, and a random estimate.

use super::{Model, Work, lock};
use crate::constrained::sparse::{Rows, all_finite};
use std::sync::MutexGuard;

impl Model<'_> {
    /// The workspace, x and the problem's own multipliers set for w and λ.
    fn at(&self, w: &[f64], lambda: &[f64]) -> MutexGuard<'_, Work> {
        self.expand(w);
        let mut work = lock(&self.work);
        work.lambda.iter_mut().zip(lambda).zip(&self.c_scale).for_each(|((l, v), d)| *l = v * d);
        work
    }

    /// The model's entries from the problem's; false where one is not finite.
    fn take_hessian(&self, values: &[f64], h: &mut Rows) -> bool {
        let all = h.values.iter_mut().zip(&self.hessian_source);
        all.for_each(|(v, s)| *v = s.map_or(0.0, |s| values[s]));
        all_finite(&h.values)
    }

    /// Whether there is a cheap random estimate of the Hessian.
    pub(crate) fn has_sketched_hessian(&self) -> bool {
        self.problem.hessian_pattern().is_some() && self.problem.has_sketched_hessian()
    }

    /// The estimate of the Hessian of σ φ + λᵀg at w by `seed`; none where there is none.
    pub(crate) fn sketched_hessian(&self, w: &[f64], sigma: f64, lambda: &[f64], seed: u64) -> Option<Rows> {
        let mut h = self.hessian.clone()?;
        let work = &mut *self.at(w, lambda);
        let x = lock(&self.x);
        let sigma = sigma * self.f_scale;
        let done =
            self.problem.sketched_hessian_values(&x, sigma, &work.lambda, seed, &mut work.hessian).ok()?;
        (done && self.take_hessian(&work.hessian, &mut h)).then_some(h)
    }

    /// The Hessian of σ φ + λᵀg at w; false where it has no finite value.
    pub(crate) fn hessian(&self, w: &[f64], sigma: f64, lambda: &[f64], h: &mut Rows) -> bool {
        if self.problem.hessian_pattern().is_none() {
            return self.hessian_by_products(w, sigma, lambda, h);
        }
        let work = &mut *self.at(w, lambda);
        let x = lock(&self.x);
        if self.problem.hessian_values(&x, sigma * self.f_scale, &work.lambda, &mut work.hessian).is_err() {
            return false;
        }
        self.take_hessian(&work.hessian, h)
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
        let work = &mut *self.at(w, lambda);
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
