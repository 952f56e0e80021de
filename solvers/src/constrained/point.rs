//! Functions and derivatives of a model at one point.

use super::model::Model;
use super::sparse::Rows;

/// f, ∇f, c and J at w.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) w: Vec<f64>,
    pub(crate) f: f64,
    pub(crate) g: Vec<f64>,
    pub(crate) c: Vec<f64>,
    pub(crate) j: Rows,
}

impl Point {
    pub(crate) fn new(model: &Model<'_>) -> Self {
        let (j, _) = model.matrices();
        Self { w: vec![0.0; model.n], f: 0.0, g: vec![0.0; model.n], c: vec![0.0; model.m], j }
    }

    /// Everything at `self.w`; false where something has no finite value.
    pub(crate) fn evaluate(&mut self, model: &Model<'_>) -> bool {
        self.evaluate_values(model) && self.evaluate_derivatives(model)
    }

    /// f and c at `self.w`.
    pub(crate) fn evaluate_values(&mut self, model: &Model<'_>) -> bool {
        let Some(f) = model.objective(&self.w) else { return false };
        self.f = f;
        model.constraints(&self.w, &mut self.c)
    }

    /// ∇f and J at `self.w`.
    pub(crate) fn evaluate_derivatives(&mut self, model: &Model<'_>) -> bool {
        model.gradient(&self.w, &mut self.g) && model.jacobian(&self.w, &mut self.j)
    }

    /// ∇f + Jᵀλ into `out`.
    pub(crate) fn lagrangian_gradient(&self, lambda: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.g);
        self.j.add_transposed(1.0, lambda, out);
    }
}
