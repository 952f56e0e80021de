//! Normal and Beta variates, exactly distributed, from uniform ones.

use crate::splitmix::SplitMix64;
use std::f64::consts::PI;

/// Uniform on [0, 1).
pub(super) fn unit(random: &mut SplitMix64) -> f64 {
    0.5 * (random.uniform() + 1.0)
}

/// Standard normal: Box and Muller (1958), the cosine of the pair.
pub(super) fn normal(random: &mut SplitMix64) -> f64 {
    // 1 − u lies in (0, 1], where the logarithm is finite.
    let radius = (-2.0 * (1.0 - unit(random)).ln()).sqrt();
    radius * (2.0 * PI * unit(random)).cos()
}

/// Beta(2, 6): the second smallest of seven uniform variates.
pub(super) fn beta_2_6(random: &mut SplitMix64) -> f64 {
    let (mut first, mut second) = (1.0, 1.0);
    for _ in 0..7 {
        let u = unit(random);
        if u < first {
            (first, second) = (u, first);
        } else if u < second {
            second = u;
        }
    }
    second
}

/// Beta(½, 3/2): z₀² / (z₀² + z₁² + z₂² + z₃²) with normal z, as a square z² is twice a Gamma(½) variate.
pub(super) fn beta_half_three_halves(random: &mut SplitMix64) -> f64 {
    loop {
        let squares: [f64; 4] = std::array::from_fn(|_| normal(random).powi(2));
        let sum: f64 = squares.iter().sum();
        // Zero only if four normal variates are.
        if sum > 0.0 {
            return squares[0] / sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of 200 000 variates: their standard errors are below 0.0023 of a deviation.
    fn moments(draw: impl Fn(&mut SplitMix64) -> f64) -> (f64, f64) {
        let mut random = SplitMix64::new(5);
        let count = 200_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..count {
            let x = draw(&mut random);
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(count);
        (mean, squares / f64::from(count) - mean * mean)
    }

    #[test]
    fn variates_have_the_moments_of_their_distributions() {
        let close = |(mean, variance): (f64, f64), expected: (f64, f64)| {
            let deviation = expected.1.sqrt();
            assert!((mean - expected.0).abs() < 0.01 * deviation, "mean {mean}, not {}", expected.0);
            assert!((variance / expected.1 - 1.0).abs() < 0.02, "variance {variance}, not {}", expected.1);
        };
        close(moments(normal), (0.0, 1.0));
        // Beta(a, b): mean a/(a + b), variance ab/((a + b)² (a + b + 1)).
        close(moments(beta_2_6), (0.25, 12.0 / (64.0 * 9.0)));
        close(moments(beta_half_three_halves), (0.25, 0.75 / (4.0 * 3.0)));
    }

    #[test]
    fn beta_variates_have_the_tails_of_their_distributions() {
        // P(Beta(2, 6) > ½) = P(at most one of seven uniforms is below ½) = 8/128.
        let (above, _) = moments(|random| f64::from(u8::from(beta_2_6(random) > 0.5)));
        assert!((above - 0.0625).abs() < 0.003, "{above}");
        // Beta(½, 3/2) has the density (2/π) √((1 − z)/z); P(z < ½) = ½ + 1/π.
        let (below, _) = moments(|random| f64::from(u8::from(beta_half_three_halves(random) < 0.5)));
        assert!((below - 0.818_31).abs() < 0.005, "{below}");
    }
}
