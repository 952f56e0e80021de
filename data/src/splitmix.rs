//! The splitmix64 generator, so that any program can draw the same numbers.
//!
//! Steele, Lea, Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA; constants of
//! Vigna's splitmix64.c: state s ← s + γ with the odd γ nearest 2⁶⁴/φ, output a mix of s. As the state only
//! counts, output i is known without the ones before it.

/// γ, the golden gamma.
pub(crate) const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// The splitmix64 generator.
pub(crate) struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    pub(crate) fn new(state: u64) -> Self {
        Self { state }
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform on [−1, 1), 53 bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        2.0 * ((self.bits() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)) - 1.0
    }

    /// Uniform on 0..`bound`, which must not be 0; the bias is below `bound` / 2⁶⁴.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_that_of_the_reference_implementation() {
        // First outputs of the published splitmix64.c from the state 1234567.
        let mut random = SplitMix64::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(expected.map(|_| random.bits()), expected);
    }

    #[test]
    fn draws_below_a_bound_reach_both_ends() {
        let mut random = SplitMix64::new(9);
        let mut seen = [false; 5];
        (0..200).for_each(|_| seen[random.below(5)] = true);
        assert_eq!(seen, [true; 5]);
    }
}
