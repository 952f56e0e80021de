//! Inverse-gap weighting: from predicted costs to probabilities.
//!
//! With the predictions s_i of K arms and the best of them *, p_i = 1 / (K + η (s_i − s_*)) for i ≠ *, and the rest
//! of the probability for *: Abe and Long (1999), ICML; Foster and Rakhlin (2020), ICML, "Beyond UCB", algorithm 1
//! (SquareCB), who bound the regret of the decisions by that of the predictions.

/// The probabilities of arms with these predictions at η ≥ 0. The arms without a prediction get none; `None` if no
/// arm has one.
pub(crate) fn probabilities(predictions: &[Option<f64>], eta: f64) -> Option<Vec<f64>> {
    let arms = predictions.len() as f64;
    let known = predictions.iter().enumerate().filter_map(|(i, s)| Some((i, (*s)?)));
    let (best, least) = known.min_by(|a, b| a.1.total_cmp(&b.1))?;
    let weight = |s: f64| 1.0 / (arms + eta * (s - least));
    let mut p: Vec<f64> = predictions.iter().map(|s| s.map_or(0.0, weight)).collect();
    p[best] = 0.0;
    p[best] = 1.0 - p.iter().sum::<f64>();
    Some(p)
}

/// Mixes `share` of the distribution proportional to `weights` into `p`: p_i ≥ share w_i / Σ w. Weights are not negative, and
/// their sum is above 0.
pub(crate) fn explore(p: &mut [f64], share: f64, weights: impl Iterator<Item = f64> + Clone) {
    let total: f64 = weights.clone().sum();
    p.iter_mut().zip(weights).for_each(|(p, w)| *p = (1.0 - share) * *p + share * w / total);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn probabilities_sum_to_one_and_fall_with_the_prediction(
            s in prop::collection::vec(-50.0..50.0_f64, 1..40), eta in 0.0..1e9_f64, share in 0.0..1.0_f64,
        ) {
            let known: Vec<Option<f64>> = s.iter().copied().map(Some).collect();
            let mut p = probabilities(&known, eta).unwrap_or_default();
            for round in 0..2 {
                prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                prop_assert!(p.iter().all(|&p| p >= 0.0));
                for i in 1..s.len() {
                    prop_assert!(s[i - 1] >= s[i] || p[i - 1] >= p[i] - 1e-15);
                }
                prop_assert!(round == 0 || p.iter().all(|&p| p >= share / s.len() as f64 - 1e-15));
                explore(&mut p, share, s.iter().map(|_| 1.0));
            }
        }
    }

    #[test]
    fn exploration_goes_by_the_weights() {
        let mut p = [1.0, 0.0, 0.0];
        explore(&mut p, 0.5, [1.0, 0.75, 0.25].into_iter());
        assert_eq!(p, [0.75, 0.1875, 0.0625]);
    }

    #[test]
    fn a_known_case_and_arms_without_prediction() {
        let p = probabilities(&[Some(2.0), Some(1.0), None, Some(4.0)], 2.0).unwrap_or_default();
        assert_eq!(p, [1.0 / 6.0, 1.0 - (1.0 / 6.0 + 0.1), 0.0, 0.1]);
        assert_eq!(probabilities(&[None, None], 1.0), None);
    }
}
