//! The policy that `--selector` names.

use super::Contexts;
use crate::plan::{Selector, SequencePlan};
use residua::bandit::{
    ChebCb, ChebCbRidge, Feature, Fixed, Policy, PolicyError, TsallisInf, TsallisOptions, UniformRandom,
};
use residua::sequence::{Configuration, Cost, default_policy};

/// Chebyshev terms of ChebCB as published.
const TERMS: usize = 6;

/// A policy on `configurations`; the error is one line.
pub(super) fn make(
    plan: &SequencePlan,
    configurations: &[Configuration],
    contexts: &Contexts,
) -> Result<Box<dyn Policy>, String> {
    let arms = configurations.len();
    // A solve takes one iteration at least, which teaches nothing.
    let floor = if plan.cost == Cost::Iterations { 1.0 } else { 0.0 };
    let features: Vec<Feature> = contexts.bounds.iter().map(|&(low, high)| feature(low, high)).collect();
    let has_context = contexts.bounds.iter().any(|(low, high)| high > low);
    let made = match plan.selector {
        Selector::Fixed => boxed(Fixed::new(0, arms)),
        Selector::Uniform | Selector::Oracle | Selector::Model | Selector::SpectralModel => {
            boxed(UniformRandom::new(arms))
        }
        Selector::TsallisInf => {
            boxed(TsallisInf::with(arms, TsallisOptions { floor, ..TsallisOptions::default() }))
        }
        Selector::ChebCb => {
            let bounds = match contexts.bounds[..] {
                [(low, high)] => (feature(low, high).lower, feature(low, high).upper),
                _ => {
                    return Err(format!(
                        "--selector cheb-cb looks at one number a system, not at {}: expected cheb-cb-r, or another --context",
                        contexts.bounds.len()
                    ));
                }
            };
            boxed(ChebCb::new(arms, bounds, TERMS, floor))
        }
        Selector::ChebCbRidge => boxed(ChebCbRidge::new(arms, features)),
        // Whole configurations: the first is the default that the guard compares with.
        Selector::Auto if plan.arms.is_empty() => default_policy(configurations, &features),
        Selector::Auto if has_context => boxed(ChebCbRidge::new(arms, features)),
        Selector::Auto => {
            boxed(TsallisInf::with(arms, TsallisOptions { floor, ..TsallisOptions::default() }))
        }
    };
    made.map_err(|e| format!("--selector {}: {e}", plan.selector_name))
}

fn boxed<P: Policy + 'static>(policy: Result<P, PolicyError>) -> Result<Box<dyn Policy>, PolicyError> {
    policy.map(|policy| Box::new(policy) as Box<dyn Policy>)
}

/// A feature between `low` and `high`, or around a value that does not change.
fn feature(low: f64, high: f64) -> Feature {
    if high > low {
        return Feature::linear(low, high);
    }
    let half = 0.5 * low.abs().max(1.0);
    Feature::linear(low - half, low + half)
}
