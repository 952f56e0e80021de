//! The step of follow the regularised leader with the Tsallis entropy of power ½.
//!
//! argmin over the simplex of ⟨p, L⟩ − (4/η) Σ √p_i is p_i = 4 / (η (L_i − x))² with the one x < min L for which
//! Σ p_i = 1 (Zimmert and Seldin (2021), JMLR 22(28), section 3.1 and algorithm 2). In y = min L − x and the
//! gaps g_i = L_i − min L ≥ 0, which stay accurate however large L is, the root of
//!
//!   f(y) = Σ 4 / (η (g_i + y))² − 1
//!
//! lies in [2/η, 2√K/η], and f is convex and falls there. Newton's method from the left end, where f ≥ 0, climbs
//! to the root without ever passing it:
//!
//!   y ← y + (Σ p_i − 1) / (η Σ p_i^{3/2}).
//!
//! A start elsewhere can jump over the pole of f at y = 0, behind which the "probabilities" grow without bound.

/// Newton's method meets its tolerance in 15 steps; this many end it on any input.
const STEPS: usize = 64;

/// |Σ p − 1| at which Newton's method stops; the rest is divided out.
const TOLERANCE: f64 = 1e-13;

/// Fills `p` with the probabilities for the cumulated `losses` at the learning rate `eta` > 0; returns the number
/// of Newton steps.
pub(super) fn probabilities(losses: &[f64], eta: f64, p: &mut Vec<f64>) -> usize {
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let half = eta / 2.0;
    let mut y = 1.0 / half;
    let mut steps = 0;
    p.clear();
    p.resize(losses.len(), 0.0);
    loop {
        let (mut sum, mut slope) = (0.0, 0.0);
        for (p, &loss) in p.iter_mut().zip(losses) {
            let root = 1.0 / (half * (loss - least + y));
            *p = root * root;
            sum += *p;
            slope += *p * root;
        }
        let next = y + (sum - 1.0) / (eta * slope);
        if sum - 1.0 <= TOLERANCE || next <= y || steps == STEPS {
            p.iter_mut().for_each(|p| *p /= sum);
            return steps;
        }
        y = next;
        steps += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// The root by bisection in the bracket, and the probabilities there.
    fn bisected(losses: &[f64], eta: f64) -> Vec<f64> {
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let at = |y: f64| losses.iter().map(|l| (2.0 / (eta * (l - least + y))).powi(2)).collect::<Vec<_>>();
        let (mut low, mut high) = (2.0 / eta, 2.0 * (losses.len() as f64).sqrt() / eta);
        for _ in 0..200 {
            let middle = (low + high) / 2.0;
            if at(middle).iter().sum::<f64>() > 1.0 { low = middle } else { high = middle }
        }
        at(low)
    }

    proptest! {
        #[test]
        fn newton_agrees_with_bisection(
            losses in prop::collection::vec(prop_oneof![0.0..1.0, 0.0..100.0, 0.0..1e6], 1..=200),
            log_eta in -3.0..0.6021_f64,
        ) {
            let eta = 10_f64.powf(log_eta);
            let mut p = Vec::new();
            let steps = probabilities(&losses, eta, &mut p);
            prop_assert!(steps <= 15, "{steps} steps");
            prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for (a, b) in p.iter().zip(bisected(&losses, eta)) {
                prop_assert!((a - b).abs() <= 1e-9 * b, "{a} is not {b}");
            }
            for i in 1..losses.len() {
                let order = losses[i - 1].total_cmp(&losses[i]);
                prop_assert!(order.is_eq() == (p[i - 1] == p[i]) || (p[i - 1] - p[i]).abs() <= 1e-12 * p[i]);
                prop_assert!(!order.is_lt() || p[i - 1] >= p[i]);
            }
        }
    }

    #[test]
    fn few_steps_at_anytime_rates() {
        let mut rng = StdRng::seed_from_u64(5);
        let (mut steps, mut p) = (0, Vec::new());
        for t in 1..=5000 {
            let losses: Vec<f64> = (0..20).map(|_| f64::from(t).sqrt() * 5.0 * rng.random::<f64>()).collect();
            steps += probabilities(&losses, 2.0 / f64::from(t).sqrt(), &mut p);
        }
        assert!(steps <= 7 * 5000, "{} on average", steps as f64 / 5000.0);
    }

    /// Where the reference implementation starts, x = −1, Newton's first step lands behind the pole x = min L.
    #[test]
    fn the_published_failure_does_not_happen() {
        let eta = 2.0 / 1000_f64.sqrt();
        let losses: Vec<f64> = (0..20).map(|i| if i < 3 { 108.0 } else { 1e4 }).collect();
        let mut p = Vec::new();
        probabilities(&losses, eta, &mut p);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12 && p.iter().all(|&p| p < 1.0));
        let (mut x, mut worst): (f64, f64) = (-1.0, 0.0);
        for _ in 0..20 {
            let (mut sum, mut slope) = (0.0, 0.0);
            for loss in &losses {
                let p = (2.0 / (eta * (loss - x))).powi(2);
                (sum, slope) = (sum + p, slope + p.powf(1.5));
            }
            worst = worst.max(sum);
            x -= (sum - 1.0) / (eta * slope);
        }
        assert!(worst > 1e3, "the start at −1 was to fail, but Σ p stayed below {worst}");
    }
}
