//! The right-hand side: a splitmix64 stream, drawn in parallel, as its outputs do not depend on each other.

use crate::splitmix::{GOLDEN_GAMMA, SplitMix64};
use rayon::prelude::*;

/// The state that seed 0 stands for: the stream that the peers of this toolkit were measured with.
const BASE_STATE: u64 = 12_345;

/// `len` numbers uniform on [−1, 1): entry i is 2 u − 1 with u the upper 53 bits of output i of splitmix64
/// from the state 12345 + `seed` (so seed 0 is the stream that starts at 12345).
pub fn uniform_rhs(len: usize, seed: u64) -> Vec<f64> {
    /// Entries that one task draws.
    const CHUNK: usize = 1 << 14;
    let mut b = vec![0.0; len];
    b.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, b)| {
        let drawn = ((chunk * CHUNK) as u64).wrapping_mul(GOLDEN_GAMMA);
        let mut random = SplitMix64::new(BASE_STATE.wrapping_add(seed).wrapping_add(drawn));
        b.iter_mut().for_each(|b| *b = random.uniform());
    });
    b
}

/// Projects onto the complement of the constants. Twice, as the first mean is rounded.
pub(super) fn subtract_mean(b: &mut [f64]) {
    for _ in 0..2 {
        let mean = b.iter().sum::<f64>() / b.len() as f64;
        b.iter_mut().for_each(|b| *b -= mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_continue_the_stream() {
        let mut random = SplitMix64::new(BASE_STATE + 3);
        let serial: Vec<f64> = (0..40_000).map(|_| random.uniform()).collect();
        assert_eq!(uniform_rhs(40_000, 3), serial);
        assert!(serial.iter().all(|v| (-1.0..1.0).contains(v)));
        assert_ne!(uniform_rhs(10, 0), uniform_rhs(10, 1));
    }
}
