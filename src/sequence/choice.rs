//! The policy that chooses where none was given.

use super::{ConfigurationSolver, SequenceError};
use residua_bandit::{Budget, ChebCbRidge, Context, Grouped, Guarded, Policy};
use residua_solvers::SolveError;

/// The arm that `policy` expects to be the cheapest, and what it expects that to be.
pub(super) fn best_arm(policy: &dyn Policy, context: &[f64]) -> Option<(usize, f64)> {
    let known = (0..policy.arms()).filter_map(|arm| Some((arm, policy.predict(Context::of(context), arm)?)));
    known.min_by(|p, q| p.1.total_cmp(&q.1))
}

/// From this many configurations on, the method and preconditioner are drawn first, then one of those that have them.
const MANY: usize = 16;

/// Each arm's mean log cost, explored by inverse-gap weighting, within a budget relative to the first arm.
pub(super) fn default_policy(arms: &[ConfigurationSolver]) -> Result<Box<dyn Policy>, SequenceError> {
    let ridge = |arms: usize| ChebCbRidge::new(arms, Vec::new());
    let budget = Budget { delta: 0.1, ..Budget::default() };
    if arms.len() < MANY {
        return Ok(Box::new(Guarded::with(ridge(arms.len())?, 0, budget)?));
    }
    let kind = |arm: &ConfigurationSolver| (arm.configuration().method, arm.configuration().precond);
    let mut kinds = Vec::new();
    let mut sizes = Vec::new();
    let groups: Vec<usize> = arms
        .iter()
        .map(|arm| match kinds.iter().position(|&k| k == kind(arm)) {
            Some(group) => {
                sizes[group] += 1;
                group
            }
            None => {
                kinds.push(kind(arm));
                sizes.push(1);
                kinds.len() - 1
            }
        })
        .collect();
    let inner = sizes.into_iter().map(ridge).collect::<Result<Vec<_>, _>>()?;
    Ok(Box::new(Guarded::with(Grouped::new(&groups, ridge(kinds.len())?, inner)?, 0, budget)?))
}

/// A policy that does not fit.
pub(super) fn wrong_policy(arms: usize) -> SolveError {
    SolveError::InvalidOption {
        name: "policy",
        value: format!("{arms} arms"),
        expected: "as many arms as there are configurations, at least one",
    }
}
