//! Fixed pseudo-random vectors for shadow spaces.

use residua_data::Scalar;

/// Fills `v` with numbers uniform in [−1, 1) (in both parts, for complex types) that depend on `seed` and
/// the position alone: SplitMix64 (Steele, Lea and Flood 2014) as a hash of the position.
pub(super) fn fill_random<T: Scalar>(seed: u64, v: &mut [T]) {
    let imaginary_unit = if T::is_complex_type() { T::of(-1.0).try_sqrt() } else { None };
    let seed = mix(seed);
    for (i, v) in (0u64..).zip(v) {
        *v = T::of(uniform(seed.wrapping_add(2 * i)));
        if let Some(unit) = imaginary_unit {
            *v += unit * T::of(uniform(seed.wrapping_add(2 * i + 1)));
        }
    }
}

fn uniform(key: u64) -> f64 {
    (mix(key) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn mix(key: u64) -> u64 {
    let mut z = key.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex;

    #[test]
    fn numbers_are_uniform_and_differ_by_seed() {
        let (mut a, mut b) = (vec![0.0; 10_000], vec![0.0; 10_000]);
        fill_random(0, &mut a);
        fill_random(1, &mut b);
        for v in [&a, &b] {
            let mean = v.iter().sum::<f64>() / 1e4;
            let variance = v.iter().map(|v| v * v).sum::<f64>() / 1e4;
            assert!(mean.abs() < 0.03 && (variance - 1.0 / 3.0).abs() < 0.02, "{mean} {variance}");
            assert!(v.iter().all(|v| (-1.0..1.0).contains(v)));
        }
        let correlation = a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>() / 1e4;
        assert!(correlation.abs() < 0.02, "{correlation}");
        let mut c = vec![Complex::new(0.0f32, 0.0); 100];
        fill_random(0, &mut c);
        assert!(c.iter().all(|c| c.im != 0.0 && c.im != c.re));
    }
}
