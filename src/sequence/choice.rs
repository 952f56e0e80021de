//! The policy that chooses where none was given.

use super::Configuration;
use residua_bandit::{
    Budget, ChebCbRidge, Context, Feature, Grouped, Guarded, Policy, PolicyError, RidgeOptions,
};
use residua_solvers::SolveError;

/// The arm that `policy` expects to be the cheapest, and what it expects that to be.
pub(super) fn best_arm(policy: &dyn Policy, context: &[f64]) -> Option<(usize, f64)> {
    let known = (0..policy.arms()).filter_map(|arm| Some((arm, policy.predict(Context::of(context), arm)?)));
    known.min_by(|p, q| p.1.total_cmp(&q.1))
}

/// From this many configurations on, the method and preconditioner are drawn first, then one of those that have them.
const MANY: usize = 16;

/// The policy of whole configurations: each arm's log cost, linear in `features` (none: its mean), explored by inverse-gap
/// weighting, within a budget relative to the first of `arms`.
///
/// # Errors
/// [`PolicyError`] for no configurations, or features without a range.
pub fn default_policy(arms: &[Configuration], features: &[Feature]) -> Result<Box<dyn Policy>, PolicyError> {
    // What a configuration costs is to be learned from few pulls, and context drifts through a sequence: no more than
    // linear terms.
    let options = RidgeOptions { terms: Some(2), ..RidgeOptions::default() };
    let ridge = |arms: usize| ChebCbRidge::with(arms, features.to_vec(), options);
    let budget = Budget { delta: 0.1, ..Budget::default() };
    if arms.len() < MANY {
        return Ok(Box::new(Guarded::with(ridge(arms.len())?, 0, budget)?));
    }
    let mut kinds = Vec::new();
    let mut sizes = Vec::new();
    let groups: Vec<usize> = arms
        .iter()
        .map(|arm| {
            let kind = (arm.method, arm.precond);
            let group = kinds.iter().position(|&k| k == kind).unwrap_or_else(|| {
                kinds.push(kind);
                sizes.push(0);
                kinds.len() - 1
            });
            sizes[group] += 1;
            group
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
