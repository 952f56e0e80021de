//! ChebCB: a Chebyshev series of the cost per arm, fitted in a box, and inverse-gap weighting.
//!
//! Khodak, Chow, Balcan and Talwalkar (2024), ICLR, algorithm 3, for a scalar context, with the schedule of their
//! published code rather than of the theorem, whose rate plays almost uniformly for any practical number of pulls.
//! In units of N K, with K the largest cost so far, costs are at most ½. After t − 1 pulls:
//!
//! - **fit**, per arm: θ_i = argmin Σ (⟨θ, f(c_s)⟩ − (k_s − floor)/(N K))² over its pulls s, subject to |θ_0| ≤ 1/N
//!   and |θ_j| ≤ 2/(N j); an arm without pulls has θ = 0 and so predicts less than any cost;
//! - **rate**: η_t = 2 t √(d t / (R − r + 2 α² t)) with d arms, R = Σ (prediction − k/(N K))² over all pulls and r what
//!   the fits leave of it;
//! - **draw**: p_i = 1/(d + η_t (s_i − min s)) (Foster and Rakhlin (2020), ICML).
//!
//! With m terms N = 2 + 4 (1 + log m) and α = (π + (2/π) log(2m + 1)) / (2 N (m + 1)). No history is stored: R follows
//! from Σ s², Σ s k and Σ k² also when K changes, the fits from their normal equations.

mod box_fit;

use crate::decision::{Book, check_cost};
use crate::features::{Basis, Feature};
use crate::normal::{NormalEquations, dot};
use crate::state::{Prior, check_array, foreign, read, write};
use crate::{Context, Decision, Policy, PolicyError, inverse_gap};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::f64::consts::PI;

/// ChebCB as published, for a scalar context; for other purposes [`ChebCbRidge`](crate::ChebCbRidge) is better.
///
/// **Cost** of a decision: d m multiplications, and one fit of m terms. **Storage**: d (m² + 5m)/2 numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ChebCb {
    floor: f64,
    basis: Basis,
    /// |θ_j| ≤ `bounds`_j.
    bounds: Vec<f64>,
    normaliser: f64,
    alpha: f64,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    book: Book,
    arms: Vec<Arm>,
    pulls: u64,
    /// K.
    largest: f64,
    /// Σ s², Σ s k, Σ k².
    moments: [f64; 3],
    outside: u64,
}

/// What is known of one arm, in the unit of the costs but for θ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Arm {
    equations: NormalEquations,
    /// Σ (k − floor)².
    squares: f64,
    theta: Vec<f64>,
    /// Σ (⟨θ, f⟩ − (k − floor)/(N K))².
    residual: f64,
}

impl ChebCb {
    /// The policy on `arms` arms for a context between `lower` and `upper`, with `terms` Chebyshev terms (6 as
    /// published). `floor` is subtracted from costs: 1 for counts of iterations, 0 for times.
    ///
    /// # Errors
    /// [`PolicyError::NoArms`], [`PolicyError::BadSetting`].
    pub fn new(
        arms: usize,
        (lower, upper): (f64, f64),
        terms: usize,
        floor: f64,
    ) -> Result<Self, PolicyError> {
        if !(floor.is_finite() && floor >= 0.0) {
            let allowed = "finite and not negative";
            return Err(PolicyError::BadSetting { setting: "floor", value: floor, allowed });
        }
        let feature = Feature::linear(lower, upper);
        let book = Book::new("cheb-cb", arms, &(feature, terms, floor))?;
        let basis = Basis::new(vec![feature], terms)?;
        let m = terms as f64;
        let normaliser = 2.0 + 4.0 * (1.0 + m.ln());
        let bound = |j: usize| if j == 0 { 1.0 / normaliser } else { 2.0 / (normaliser * j as f64) };
        let alpha = (PI + 2.0 / PI * (2.0 * m + 1.0).ln()) / (2.0 * normaliser * (m + 1.0));
        let bounds = (0..terms).map(bound).collect();
        let equations = NormalEquations::new(terms);
        let arm = Arm { equations, squares: 0.0, theta: vec![0.0; terms], residual: 0.0 };
        let arms = vec![arm; arms];
        let state = State { book, arms, pulls: 0, largest: 0.0, moments: [0.0; 3], outside: 0 };
        Ok(Self { floor, basis, bounds, normaliser, alpha, state })
    }

    /// How many contexts lay outside their range.
    pub fn out_of_range(&self) -> u64 {
        self.state.outside
    }

    /// N K, what costs are divided by.
    fn unit(&self) -> f64 {
        self.normaliser * if self.state.largest > 0.0 { self.state.largest } else { 1.0 }
    }

    /// η_t.
    fn rate(&self) -> f64 {
        let (t, unit) = (self.state.pulls as f64 + 1.0, self.unit());
        let [predictions, mixed, costs] = self.state.moments;
        let online = predictions - 2.0 * mixed / unit + costs / (unit * unit);
        let fitted: f64 = self.state.arms.iter().map(|arm| arm.residual).sum();
        let excess = (online - fitted).max(0.0) + 2.0 * self.alpha.powi(2) * t;
        2.0 * t * (self.state.arms.len() as f64 * t / excess).sqrt()
    }

    /// Fits arm `i` to its pulls.
    fn fit(&mut self, i: usize) {
        let scale = 1.0 / self.unit();
        let arm = &mut self.state.arms[i];
        let (equations, theta) = (&arm.equations, box_fit::minimise(&arm.equations, scale, &self.bounds));
        let row = |j: usize| (0..theta.len()).map(|k| equations.gram(j, k) * theta[k]).sum::<f64>();
        let quadratic: f64 = (0..theta.len()).map(|j| theta[j] * row(j)).sum();
        let mixed = 2.0 * scale * dot(equations.cross(), &theta);
        arm.residual = (quadratic - mixed + scale * scale * arm.squares).max(0.0);
        arm.theta = theta;
    }

    fn saved(&self, state: &Value) -> Result<State, PolicyError> {
        let saved: State = read(state)?;
        self.state.book.check_same(&saved.book)?;
        let State { arms, largest, moments, .. } = &saved;
        check_array("moments", &[moments[0], moments[1], moments[2], *largest], 4)?;
        if arms.len() != self.state.arms.len() {
            return Err(PolicyError::BadState("there is not one model for each arm".into()));
        }
        for arm in arms {
            arm.equations.check(self.bounds.len())?;
            check_array("coefficients", &arm.theta, self.bounds.len())?;
            check_array("residual", &[arm.squares, arm.residual], 2)?;
        }
        Ok(saved)
    }
}

impl Policy for ChebCb {
    fn name(&self) -> &'static str {
        "cheb-cb"
    }

    fn arms(&self) -> usize {
        self.state.book.arms()
    }

    fn probabilities(&self, context: Context<'_>) -> Result<Vec<f64>, PolicyError> {
        let (f, _) = self.basis.evaluate(context)?;
        let predictions: Vec<_> = self.state.arms.iter().map(|arm| Some(dot(&f, &arm.theta))).collect();
        inverse_gap::probabilities(&predictions, self.rate()).ok_or(PolicyError::NoArms)
    }

    fn decide(&mut self, context: Context<'_>, arm: usize, p: Vec<f64>) -> Result<Decision, PolicyError> {
        let (f, outside) = self.basis.evaluate(context)?;
        let mut decision = self.state.book.issue(context, arm, p)?;
        decision.prediction = Some(dot(&f, &self.state.arms[arm].theta));
        self.state.outside += outside;
        Ok(decision)
    }

    fn update(&mut self, decision: Decision, cost: f64) -> Result<(), PolicyError> {
        let (f, _) = self.basis.evaluate(decision.context())?;
        self.state.book.settle(&decision)?;
        let i = decision.arm();
        check_cost(i, cost)?;
        let prediction = decision.prediction.unwrap_or(0.0);
        let [predictions, mixed, costs] = &mut self.state.moments;
        *predictions += prediction * prediction;
        *mixed += prediction * cost;
        *costs += cost * cost;
        self.state.pulls += 1;
        let loss = (cost - self.floor).max(0.0);
        self.state.arms[i].equations.add(&f, loss);
        self.state.arms[i].squares += loss * loss;
        if cost > self.state.largest {
            self.state.largest = cost;
            (0..self.state.arms.len()).for_each(|i| self.fit(i));
        } else {
            self.fit(i);
        }
        Ok(())
    }

    fn cancel(&mut self, decision: Decision) -> Result<(), PolicyError> {
        self.state.book.settle(&decision)
    }

    fn predict(&self, context: Context<'_>, arm: usize) -> Option<f64> {
        let (f, _) = self.basis.evaluate(context).ok()?;
        let arm = self.state.arms.get(arm).filter(|arm| arm.equations.gram(0, 0) > 0.0)?;
        Some((self.floor + self.unit() * dot(&f, &arm.theta)).max(0.0))
    }

    fn save(&self) -> Result<Value, PolicyError> {
        write(&self.state)
    }

    fn load(&mut self, state: &Value) -> Result<(), PolicyError> {
        self.state = self.saved(state)?;
        Ok(())
    }

    fn import(&mut self, state: &Value, prior: Prior) -> Result<(), PolicyError> {
        let (mut saved, prior) = (self.saved(state)?, prior.check()?);
        if !prior.same_unit {
            return Err(foreign("unit of the costs", "another", "one that ChebCb cannot convert"));
        }
        for arm in &mut saved.arms {
            arm.equations.scale(prior.weight);
            arm.squares *= prior.weight;
            arm.residual *= prior.weight;
        }
        saved.moments.iter_mut().for_each(|moment| *moment *= prior.weight);
        saved.pulls = prior.pulls(saved.pulls);
        self.state = State { book: self.state.book.clone(), ..saved };
        Ok(())
    }
}
