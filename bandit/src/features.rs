//! Chebyshev polynomials of the context: what the cost of an arm is regressed on.
//!
//! A feature in [lower, upper] (its logarithm, where it spans decades) is mapped to x in [−1, 1]. In one feature
//! the terms are T_0(x), …, T_{m−1}(x), with T_{j+1} = 2x T_j − T_{j−1}. The coefficients of an L-Lipschitz function
//! fall like 1/j and its best approximation by m terms errs by about L log m / m (Khodak, Chow, Balcan and Talwalkar
//! (2024), ICLR, appendix C). In several features the terms are the products Π T_{e_j}(x_j) of total degree
//! Σ e_j ≤ D, with the largest D that keeps to the allowed number of terms; from five features on, where not even
//! D = 2 does, T_1 and T_2 of each feature, or T_1 alone.

use crate::policy::check_features;
use crate::{Context, PolicyError};
use serde::{Deserialize, Serialize};

/// One real feature of the context and the range that it is expected in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Lower end of the range.
    pub lower: f64,
    /// Upper end of the range. Values outside are moved to the nearer end and counted.
    pub upper: f64,
    /// Whether the logarithm is used: for a positive feature that spans decades.
    pub log: bool,
}

impl Feature {
    /// A feature between `lower` and `upper`.
    pub fn linear(lower: f64, upper: f64) -> Self {
        Self { lower, upper, log: false }
    }

    /// A feature between `lower` > 0 and `upper`, used through its logarithm.
    pub fn log(lower: f64, upper: f64) -> Self {
        Self { lower, upper, log: true }
    }

    fn check(&self) -> Result<(), PolicyError> {
        let wrong = |setting, value, allowed| Err(PolicyError::BadSetting { setting, value, allowed });
        if self.log && (self.lower.is_nan() || self.lower <= 0.0) {
            return wrong("lower end of a log feature", self.lower, "above 0");
        }
        if !(self.lower.is_finite() && (self.upper - self.lower).is_finite() && self.lower < self.upper) {
            return wrong("upper end of a feature", self.upper, "finite and above its lower end");
        }
        Ok(())
    }

    /// The value mapped to [−1, 1], and whether it lay outside.
    fn map(&self, value: f64) -> (f64, bool) {
        let inside = value.clamp(self.lower, self.upper);
        let part = match self.log {
            false => (inside - self.lower) / (self.upper - self.lower),
            true => (inside / self.lower).ln() / (self.upper / self.lower).ln(),
        };
        ((2.0 * part - 1.0).clamp(-1.0, 1.0), inside != value)
    }
}

/// The terms in the given features.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Basis {
    features: Vec<Feature>,
    /// The degree in each feature of each term, term after term; the first term is 1.
    degrees: Vec<u8>,
    terms: usize,
    highest: usize,
}

impl Basis {
    /// The basis with exactly `terms` ≥ 1 terms in one feature, at most that many in several (but at least the
    /// linear ones), and the constant without any.
    pub(crate) fn new(features: Vec<Feature>, terms: usize) -> Result<Self, PolicyError> {
        features.iter().try_for_each(Feature::check)?;
        if !(1..=64).contains(&terms) {
            let value = terms as f64;
            return Err(PolicyError::BadSetting { setting: "terms", value, allowed: "between 1 and 64" });
        }
        let count = features.len();
        let degrees = match count {
            0 => vec![],
            1 => (0..terms as u8).collect(),
            _ => several(count, terms),
        };
        let terms = degrees.len().checked_div(count).unwrap_or(1);
        let highest = degrees.iter().copied().max().unwrap_or(0).into();
        Ok(Self { features, degrees, terms, highest })
    }

    pub(crate) fn terms(&self) -> usize {
        self.terms
    }

    /// The terms at `context`, and the number of features that lay outside their range.
    pub(crate) fn evaluate(&self, context: Context<'_>) -> Result<(Vec<f64>, u64), PolicyError> {
        check_features(context, self.features.len())?;
        let mut values = vec![1.0; self.terms];
        let mut chebyshev = vec![1.0; self.highest + 1];
        let mut outside = 0;
        for (j, (feature, &value)) in self.features.iter().zip(context.features).enumerate() {
            let (x, out) = feature.map(value);
            outside += u64::from(out);
            for k in 1..=self.highest {
                chebyshev[k] = if k == 1 { x } else { 2.0 * x * chebyshev[k - 1] - chebyshev[k - 2] };
            }
            for (v, degrees) in values.iter_mut().zip(self.degrees.chunks_exact(self.features.len())) {
                *v *= chebyshev[usize::from(degrees[j])];
            }
        }
        Ok((values, outside))
    }
}

/// The degrees of terms in `count` ≥ 2 features.
fn several(count: usize, terms: usize) -> Vec<u8> {
    let mut degrees = total_degree(count, 1);
    if 2 * count < terms {
        for j in 0..count {
            degrees.extend((0..count).map(|i| if i == j { 2 } else { 0 }));
        }
    }
    for degree in 2_u8.. {
        // C(count + degree, degree) terms, compared before they are listed.
        let number = (1..=usize::from(degree)).try_fold(1_usize, |n, k| Some(n.checked_mul(count + k)? / k));
        if number.is_none_or(|n| n > terms) {
            break;
        }
        degrees = total_degree(count, degree);
    }
    degrees
}

/// All degrees of `count` features that sum to at most `degree`, by their sum.
fn total_degree(count: usize, degree: u8) -> Vec<u8> {
    let mut all = Vec::new();
    for sum in 0..=degree {
        append(count, sum, &mut Vec::new(), &mut all);
    }
    all
}

/// Appends all ways to split `left` over the features after those in `head`.
fn append(count: usize, left: u8, head: &mut Vec<u8>, all: &mut Vec<u8>) {
    if head.len() + 1 == count {
        all.extend(head.iter().chain([&left]));
        return;
    }
    for first in (0..=left).rev() {
        head.push(first);
        append(count, left - first, head, all);
        head.pop();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_feature_gives_chebyshev_polynomials() {
        let basis = Basis::new(vec![Feature::linear(1.0, 3.0)], 5).unwrap();
        for value in [1.0, 1.3, 2.0, 2.9, 3.0] {
            let (terms, outside) = basis.evaluate(Context::of(&[value])).unwrap();
            let angle = (value - 2.0_f64).acos();
            let error = |(j, t): (usize, &f64)| (t - (j as f64 * angle).cos()).abs();
            assert!(terms.iter().enumerate().map(error).fold(0.0, f64::max) < 1e-14);
            assert_eq!(outside, 0);
        }
        assert_eq!(basis.evaluate(Context::of(&[9.0])).unwrap(), (vec![1.0; 5], 1));
    }

    #[test]
    fn decades_are_mapped_by_their_logarithm() {
        let basis = Basis::new(vec![Feature::log(0.1, 1000.0)], 2).unwrap();
        let (terms, _) = basis.evaluate(Context::of(&[10.0])).unwrap();
        assert!(terms[1].abs() < 1e-15);
        assert_eq!(basis.evaluate(Context::of(&[-1.0])).unwrap(), (vec![1.0, -1.0], 1));
    }

    #[test]
    fn the_number_of_terms_is_bounded() {
        let terms = |count, most| Basis::new(vec![Feature::linear(0.0, 1.0); count], most).unwrap().terms();
        assert_eq!((terms(0, 15), terms(1, 6), terms(2, 15), terms(2, 14)), (1, 6, 15, 10));
        assert_eq!(
            (terms(3, 15), terms(4, 15), terms(5, 15), terms(8, 15), terms(40, 15)),
            (10, 15, 11, 9, 41)
        );
        let basis = Basis::new(vec![Feature::linear(-1.0, 1.0); 2], 6).unwrap();
        let (values, _) = basis.evaluate(Context::of(&[0.5, -0.25])).unwrap();
        assert_eq!(values, [1.0, 0.5, -0.25, -0.5, -0.125, -0.875]);
    }

    #[test]
    fn bad_ranges_and_contexts_are_refused() {
        let make = |f| Basis::new(vec![f], 3);
        assert!(make(Feature::linear(1.0, 1.0)).is_err() && make(Feature::linear(0.0, f64::NAN)).is_err());
        assert!(make(Feature::log(0.0, 1.0)).is_err() && make(Feature::log(f64::NAN, 1.0)).is_err());
        assert!(Basis::new(vec![], 0).is_err());
        let basis = make(Feature::linear(0.0, 1.0)).unwrap();
        assert_eq!(basis.evaluate(Context::NONE), Err(PolicyError::ContextLength { expected: 1, got: 0 }));
        assert!(basis.evaluate(Context::of(&[f64::INFINITY])).is_err());
    }
}
