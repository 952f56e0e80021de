//! Sequences of systems that change a little from step to step, solved faster the longer they run.
//!
//! A simulation solves A_t x_t = b_t, t = 0, 1, …. For each step a bandit policy draws a [`Configuration`] (an *arm*), the
//! system is solved with it, and what it took is given back to the policy:
//!
//! ```text
//! i ~ p_t(context);   x_t = solve(A_t, b_t, x_{t−1}, arm i);   policy ← (i, p_i, cost)
//! ```
//! (Khodak, Chow, Balcan, Talwalkar 2024, *Learning to relax*, Algorithm 1.) The choice changes what a step costs, never what
//! it returns: each answer is verified by its true residual, and where an arm breaks down, stalls or meets a limit, `auto`
//! solves the step, at the arm's expense. By seconds, an arm that turns out to be several times as slow as the best is given up
//! half-way, and the best one goes on from there.
//!
//! ```
//! use residua::prelude::*;
//! use residua::sequence::SequenceSolver;
//! # let mut a = CsrMatrix::try_new(2, 2, vec![0, 2, 4], vec![0, 1, 0, 1], vec![2.0, -1.0, -1.0, 2.0])?;
//! # let b = [1.0, 0.0];
//! let mut solver = SequenceSolver::new(StopRule::rtol(1e-8));
//! let mut x = vec![0.0; 2]; // the guess, then the answer
//! for step in 0..10 {
//!     a.values_mut()[0] += 0.1; // time passes
//!     let report = solver.solve(&a, &b, &mut x)?;
//!     assert!(report.outcome.converged());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adaptive_ssor;
mod choice;
mod configuration;
mod context;
mod error;
mod model_omega;
mod patience;
mod prepared;
mod state;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use adaptive_ssor::AdaptiveSsor;
pub use choice::default_policy;
pub use configuration::{Configuration, Renewal, candidates, omega_grid};
pub use context::{diagonal_shift, mean_diagonal};
pub use error::SequenceError;
pub use model_omega::ModelOmega;
pub use prepared::ConfigurationSolver;

use choice::{best_arm, wrong_policy};
use patience::Patience;
use rand::SeedableRng;
use rand::rngs::StdRng;
use residua_bandit::{Context, Policy};
use residua_data::CsrMatrix;
use residua_solvers::{LinearSystem, Outcome, SolveError, StopRule};
use std::time::{Duration, Instant};

/// What a step costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// Wall seconds of set-up and solve.
    #[default]
    Seconds,
    /// Iterations: the same on every machine, but blind to what an iteration costs.
    Iterations,
}

/// How a step went.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StepReport {
    /// The step, from 0.
    pub step: u64,
    /// The arm that was drawn, from 0.
    pub arm: usize,
    /// The probability that it was drawn with.
    pub probability: f64,
    /// The end of the solve that produced x.
    pub outcome: Outcome,
    /// Iterations of all solves of this step.
    pub iterations: usize,
    /// Set-up and solve, of all solves of this step.
    pub elapsed: Duration,
    /// What the policy was told.
    pub cost: f64,
    /// Why another arm, or `auto`, had to solve the step, if it had.
    pub fallback: Option<String>,
}

/// A failed arm is charged at least this many times the mean cost so far.
const FAILURE_CHARGE: f64 = 10.0;

/// Solves the systems of a sequence, one call a step.
pub struct SequenceSolver {
    arms: Vec<ConfigurationSolver>,
    policy: Option<Box<dyn Policy>>,
    seed: u64,
    stop: StopRule,
    cost: Cost,
    step: u64,
    /// Order and entries of the matrix before.
    shape: (usize, usize),
    guess: Vec<f64>,
    /// Steps that their arm solved, and what they cost in all.
    solved: (u64, f64),
}

impl SequenceSolver {
    /// Chooses among the [`candidates`] for the first matrix, by seconds. The policy knows no context and is guarded: what it
    /// spends stays within a tenth of what the first candidate, `auto`, is expected to cost, and a few solves.
    pub fn new(stop: StopRule) -> Self {
        Self {
            arms: Vec::new(),
            policy: None,
            seed: 0,
            stop,
            cost: Cost::default(),
            step: 0,
            shape: (0, 0),
            guess: Vec::new(),
            solved: (0, 0.0),
        }
    }

    /// Chooses among `arms` instead.
    #[must_use]
    pub fn with_configurations(mut self, arms: Vec<Configuration>) -> Self {
        self.arms = arms.into_iter().map(ConfigurationSolver::new).collect();
        self
    }

    /// Chooses by `policy`, which must have as many arms as there are configurations.
    #[must_use]
    pub fn with_policy(mut self, policy: Box<dyn Policy>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// What a step costs. Default [`Cost::Seconds`].
    #[must_use]
    pub fn with_cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// The seed of the draws. Default 0.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The configurations, empty before the first step unless given.
    pub fn configurations(&self) -> impl ExactSizeIterator<Item = &Configuration> {
        self.arms.iter().map(ConfigurationSolver::configuration)
    }

    /// The policy, once there is one.
    pub fn policy(&self) -> Option<&dyn Policy> {
        self.policy.as_deref()
    }

    /// Solves A x = b from the guess in `x`: the solution of the step before, as a rule.
    ///
    /// # Errors
    /// [`SequenceError::Solve`] if the call is wrong. A solve that does not converge is no error: see the report.
    pub fn solve(&mut self, a: &CsrMatrix, b: &[f64], x: &mut [f64]) -> Result<StepReport, SequenceError> {
        self.solve_in_context(a, b, x, &[])
    }

    /// [`solve`](Self::solve) with features of the system that the policy may use.
    ///
    /// # Errors
    /// As there; [`SequenceError::Policy`] for features that are not those the policy was made for;
    /// [`SolveError::InvalidOption`] if it has another number of arms.
    pub fn solve_in_context(
        &mut self,
        a: &CsrMatrix,
        b: &[f64],
        x: &mut [f64],
        context: &[f64],
    ) -> Result<StepReport, SequenceError> {
        let system = LinearSystem::new(a, b)?;
        residua_solvers::error::check_len("x", a.ncols(), x.len())?;
        if let Some((row, _)) = a.first_non_finite() {
            let what = "the matrix has an entry in a row that";
            return Err(SolveError::NonFinite { what, index: row }.into());
        }
        self.prepare(a)?;
        let step = self.step;
        self.step += 1;
        self.guess.clear();
        self.guess.extend_from_slice(x);
        let Some(policy) = &mut self.policy else { return Err(wrong_policy(0).into()) };
        // A generator for each step, so that a run that is taken up again needs no more than its number.
        let mut rng = StdRng::seed_from_u64(self.seed ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let decision = policy.select(Context::of(context), &mut rng)?;
        let (arm, probability) = (decision.arm(), decision.probability());
        // Where another arm is known to be quicker.
        let best = match self.cost {
            Cost::Seconds => best_arm(policy.as_ref(), context).filter(|(best, _)| *best != arm),
            Cost::Iterations => None,
        };
        let start = Instant::now();
        let mut patience = best.map(|(_, cost)| Patience::new(cost, self.arms[arm].keeps_set_up()));
        let solved = match &mut patience {
            Some(patience) => self.arms[arm].solve_watched(step, &system, x, &self.stop, patience),
            None => self.arms[arm].solve(step, &system, x, &self.stop),
        };
        let given_up = patience.and_then(|patience| patience.forecast());
        let (outcome, wasted, fallback) = match solved {
            Ok(outcome) if outcome.converged() => (outcome, 0, None),
            Ok(tried) => {
                let reason = match given_up {
                    Some(_) => format!("given up after {:.3} s", start.elapsed().as_secs_f64()),
                    None => tried.reason.to_string(),
                };
                // What was reached serves as a guess only where the residual fell.
                if !given_up.is_some_and(f64::is_finite) {
                    x.copy_from_slice(&self.guess);
                }
                let rescuer = best.filter(|_| given_up.is_some()).map(|(best, _)| best);
                (self.rescue(rescuer, arm, step, &system, x)?, tried.iterations, Some(reason))
            }
            Err(error) => {
                x.copy_from_slice(&self.guess);
                (self.rescue(None, arm, step, &system, x)?, 0, Some(error.to_string()))
            }
        };
        let iterations = wasted + outcome.iterations;
        let elapsed = start.elapsed();
        let paid = match self.cost {
            Cost::Seconds => elapsed.as_secs_f64().max(1e-9),
            Cost::Iterations => iterations as f64,
        };
        // A set-up that will serve other steps is paid by all of them.
        let shared = match (self.cost, &fallback) {
            (Cost::Seconds, None) => self.arms[arm].shared_set_up(),
            _ => 0.0,
        };
        let cost = self.charge((paid + shared).max(1e-9), fallback.is_some(), given_up);
        if let Some(policy) = &mut self.policy {
            // A guess that was good enough says nothing of the arm.
            if iterations == 0 && fallback.is_none() {
                policy.cancel(decision)?;
            } else {
                policy.update_paid(decision, cost, paid)?;
            }
        }
        Ok(StepReport { step, arm, probability, outcome, iterations, elapsed, cost, fallback })
    }

    /// Chooses the arms if there are none yet; forgets set-ups for matrices of another shape.
    fn prepare(&mut self, a: &CsrMatrix) -> Result<(), SequenceError> {
        if self.arms.is_empty() {
            self.arms = candidates(a).into_iter().map(ConfigurationSolver::new).collect();
        }
        let shape = (a.nrows(), a.nnz());
        if shape != self.shape {
            self.shape = shape;
            self.arms.iter_mut().for_each(ConfigurationSolver::forget);
        }
        let policy = match self.policy.take() {
            Some(policy) => policy,
            None => default_policy(&self.configurations().cloned().collect::<Vec<_>>(), &[])?,
        };
        let arms = policy.arms();
        self.policy = Some(policy);
        if arms == self.arms.len() { Ok(()) } else { Err(wrong_policy(arms).into()) }
    }

    /// Solves the step of `arm`, which could not: by arm `best`, if there is one, else by `auto`.
    fn rescue(
        &mut self,
        best: Option<usize>,
        arm: usize,
        step: u64,
        system: &LinearSystem<'_, CsrMatrix>,
        x: &mut [f64],
    ) -> Result<Outcome, SolveError> {
        if let Some(best) = best
            && let Ok(outcome) = self.arms[best].solve(step, system, x, &self.stop)
            && outcome.converged()
        {
            return Ok(outcome);
        }
        if best.is_some() {
            x.copy_from_slice(&self.guess);
        } else {
            self.arms[arm].forget();
        }
        ConfigurationSolver::new(Configuration::auto()).solve(step, system, x, &self.stop)
    }

    /// What the policy is told of an arm that `paid` was spent on.
    fn charge(&mut self, paid: f64, has_failed: bool, forecast: Option<f64>) -> f64 {
        let (steps, total) = &mut self.solved;
        if !has_failed {
            (*steps, *total) = (*steps + 1, *total + paid);
            return paid;
        }
        let mean = if *steps > 0 { *total / *steps as f64 } else { paid };
        let most = FAILURE_CHARGE * mean;
        paid.max(forecast.map_or(most, |forecast| forecast.min(most)))
    }
}
