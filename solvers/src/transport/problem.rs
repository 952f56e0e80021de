//! A balanced transport problem, checked.

use super::{Cost, TransportError};

/// Relative difference of the two masses that is taken for rounding.
const MASS_RTOL: f64 = 1e-9;

/// Move the weights `source` (n) onto `target` (m) at least cost.
#[derive(Debug, Clone, PartialEq)]
pub struct TransportProblem {
    cost: Cost,
    source: Vec<f64>,
    target: Vec<f64>,
    mass: f64,
}

impl TransportProblem {
    /// A problem with a cost (n × m) and weights. Weights may be zero; both sides must sum to the same (1e-9
    /// relative), and the target is then scaled to the source's sum exactly.
    ///
    /// # Errors
    /// For sizes that do not match, weights that are negative or not finite, sums that are zero or differ.
    pub fn new(cost: Cost, source: Vec<f64>, mut target: Vec<f64>) -> Result<Self, TransportError> {
        let size = |what, found, expected| TransportError::Size { what, found, expected };
        if source.len() != cost.rows() {
            return Err(size("the source weights (one for each row of the cost)", source.len(), cost.rows()));
        }
        if target.len() != cost.cols() {
            return Err(size(
                "the target weights (one for each column of the cost)",
                target.len(),
                cost.cols(),
            ));
        }
        let source_mass = mass_of("source", &source)?;
        let target_mass = mass_of("target", &target)?;
        if (source_mass - target_mass).abs() > MASS_RTOL * source_mass.max(target_mass) {
            return Err(TransportError::UnequalMass { source_mass, target_mass });
        }
        let scale = source_mass / target_mass;
        target.iter_mut().for_each(|b| *b *= scale);
        Ok(Self { cost, source, target, mass: source_mass })
    }

    /// A problem with weights 1/n and 1/m.
    ///
    /// # Errors
    /// Never for a valid cost.
    pub fn uniform(cost: Cost) -> Result<Self, TransportError> {
        let (n, m) = (cost.rows(), cost.cols());
        Self::new(cost, vec![1.0 / n as f64; n], vec![1.0 / m as f64; m])
    }

    /// The cost.
    pub fn cost(&self) -> &Cost {
        &self.cost
    }

    /// The source weights a, length n.
    pub fn source(&self) -> &[f64] {
        &self.source
    }

    /// The target weights b, length m.
    pub fn target(&self) -> &[f64] {
        &self.target
    }

    /// Σ a.
    pub fn mass(&self) -> f64 {
        self.mass
    }

    /// The same cost between other weights.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_weights(self, source: Vec<f64>, target: Vec<f64>) -> Result<Self, TransportError> {
        Self::new(self.cost, source, target)
    }

    /// The cost and the weights.
    pub fn into_parts(self) -> (Cost, Vec<f64>, Vec<f64>) {
        (self.cost, self.source, self.target)
    }
}

/// Σ of valid weights.
fn mass_of(side: &'static str, weights: &[f64]) -> Result<f64, TransportError> {
    if let Some(index) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        return Err(TransportError::Weight { side, index, value: weights[index] });
    }
    let sum: f64 = weights.iter().sum();
    if !(sum.is_finite() && sum > 0.0) {
        return Err(TransportError::Mass { side, sum });
    }
    Ok(sum)
}
