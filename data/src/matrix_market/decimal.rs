//! Decimal text to the nearest `f64`, in the two cases that files are made of.
//!
//! A decimal number is w · 10^q with an integer w < 2⁶⁴ (at most 19 digits). Two exact roads lead from
//! there to the nearest double, ties to even:
//!
//! 1. Clinger (1990), "How to read floating point numbers accurately": if w ≤ 2⁵³ and |q| ≤ 22, both w and
//!    10^|q| are doubles, so one multiplication or division rounds once, correctly.
//! 2. Lemire (2021), "Number parsing at a gigabyte per second", Software: Practice and Experience 51(8),
//!    Algorithm 1: the product of w with a 128-bit approximation of 5^q, of which the top 55 bits decide.
//!
//! Other input (more digits, |q| > 55, the rare product that does not decide) gives `None`, and the
//! caller takes the standard library's parser, which is correct for everything and slower.

/// Eight bytes of text from `at`; zeros (no digit) past the end.
#[inline(always)]
pub(super) fn load8(text: &[u8], at: usize) -> u64 {
    match text.get(at..at + 8) {
        Some(&[a, b, c, d, e, f, g, h]) => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

/// 10^k for the number of digits that one step takes in.
const POW10: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

const ASCII_ZEROS: u64 = 0x3030_3030_3030_3030;

/// Marks the top bit of the lowest byte that is no digit (and of some above it); 0 for eight digits.
#[inline(always)]
fn non_digits(word: u64) -> u64 {
    // The top bit is set in the first term if the byte is above '9', in the second if it is below '0'.
    // Carries only run upwards, so the lowest marked byte is the first that is no digit.
    (word.wrapping_add(0x4646_4646_4646_4646) | word.wrapping_sub(ASCII_ZEROS)) & 0x8080_8080_8080_8080
}

/// The number of eight digits (values 0 to 9, the first in the lowest byte): pairs, quadruples, eight.
#[inline(always)]
fn combine(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    const MASK: u64 = 0x0000_00FF_0000_00FF;
    let high = (pairs & MASK).wrapping_mul(100 + (1_000_000 << 32));
    let low = ((pairs >> 16) & MASK).wrapping_mul(1 + (10_000 << 32));
    high.wrapping_add(low) >> 32
}

/// Appends the digits at `*at` to `value` (modulo 2⁶⁴), moves past them, and returns how many there were.
///
/// Where eight digits are followed by eight more, as in most fractions, `at` moves by a constant: the next
/// load need not wait for a count.
#[inline(always)]
pub(super) fn take_digits(text: &[u8], at: &mut usize, value: &mut u64) -> usize {
    let start = *at;
    loop {
        let word = load8(text, *at);
        let marks = non_digits(word);
        if marks == 0 {
            *value = value.wrapping_mul(POW10[8]).wrapping_add(combine(word ^ ASCII_ZEROS));
            *at += 8;
        } else if marks & 0x80 != 0 {
            return *at - start;
        } else {
            let count = (marks.trailing_zeros() / 8) as usize;
            // Shifted so that the digits come last in the text and zeros before them.
            let digits = combine((word ^ ASCII_ZEROS) << (64 - 8 * count));
            *value = value.wrapping_mul(POW10[count & 7]).wrapping_add(digits);
            *at += count;
            return *at - start;
        }
    }
}

/// The same, digit by digit: faster for the few digits of an index or an exponent, whose number repeats from
/// line to line and is foreseen by the processor.
#[inline(always)]
pub(super) fn take_few_digits(text: &[u8], at: &mut usize, value: &mut u64) -> usize {
    let start = *at;
    loop {
        let digit = text.get(*at).copied().unwrap_or(b'\n').wrapping_sub(b'0');
        if digit > 9 {
            return *at - start;
        }
        *value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        *at += 1;
    }
}

/// The most digits that always fit 64 bits.
const MAX_DIGITS: usize = 19;

/// Reads `[-]digits[.digits][e[+-]digits]` at `*at` and moves past it; `None` (and `*at` anywhere) where
/// the number is written otherwise, or is not one of the easy cases.
#[inline(always)]
pub(super) fn take_decimal(text: &[u8], at: &mut usize) -> Option<f64> {
    let byte = |at: usize| text.get(at).copied().unwrap_or(b'\n');
    let negative = byte(*at) == b'-';
    *at += usize::from(negative);
    let start = *at;
    let mut significand = 0;
    let mut digits = take_few_digits(text, at, &mut significand);
    let mut exponent = 0;
    if byte(*at) == b'.' {
        *at += 1;
        let fraction = take_digits(text, at, &mut significand);
        exponent = -(fraction as i64);
        digits += fraction;
    }
    if digits == 0 || (digits > MAX_DIGITS && digits - leading_zeros(&text[start..]) > MAX_DIGITS) {
        return None;
    }
    if byte(*at) | 0x20 == b'e' {
        *at += 1;
        let below_one = byte(*at) == b'-';
        *at += usize::from(below_one || byte(*at) == b'+');
        let mut power = 0;
        if !(1..=4).contains(&take_few_digits(text, at, &mut power)) {
            return None;
        }
        exponent += if below_one { -(power as i64) } else { power as i64 };
    }
    // The sign is as good as random: a bit, not a branch that is foreseen half of the time.
    let modulus = nearest_f64(significand, exponent)?;
    Some(f64::from_bits(modulus.to_bits() | u64::from(negative) << 63))
}

/// Zeros before the first other digit: they take part in no product.
#[cold]
fn leading_zeros(text: &[u8]) -> usize {
    text.iter().take_while(|&&b| b == b'0' || b == b'.').filter(|&&b| b == b'0').count()
}

/// w · 10^q rounded to nearest, ties to even; `None` outside the two easy cases.
#[inline(always)]
fn nearest_f64(w: u64, q: i64) -> Option<f64> {
    if w <= 1 << 53 && (-22..=22).contains(&q) {
        let power = EXACT_POW10[q.unsigned_abs() as usize];
        return Some(if q < 0 { w as f64 / power } else { w as f64 * power });
    }
    if w == 0 {
        return Some(0.0);
    }
    lemire(w, q)
}

/// The powers of ten that are doubles: 10²² = 2²² · 5²² and 5²² < 2⁵³.
const EXACT_POW10: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// 5^q is exact in 128 bits up to here; and with w < 2⁶⁴ no result is subnormal or overflows.
const MAX_POWER: i64 = 55;

/// Explicit bits of a double's mantissa.
const MANTISSA_BITS: u32 = 52;

/// Lemire (2021), Algorithm 1, for w ≠ 0; the comments give its lines.
#[inline(always)]
fn lemire(w: u64, q: i64) -> Option<f64> {
    if !(-MAX_POWER..=MAX_POWER).contains(&q) {
        return None;
    }
    let (high5, low5) = POW5[(q + MAX_POWER) as usize];
    let shift = w.leading_zeros();
    let w = w << shift; // lines 3, 4: normalised
    // Lines 5 to 8: the 128-bit product with the upper word of 5^q, and the lower word's share only where
    // it could carry into the bits that decide (52 + 1 hidden + 1 to round + 1 for a product below 2¹²⁷).
    let product = u128::from(w) * u128::from(high5);
    let (mut upper, mut lower) = ((product >> 64) as u64, product as u64);
    const UNDECIDED: u64 = u64::MAX >> (MANTISSA_BITS + 3);
    if upper & UNDECIDED == UNDECIDED {
        let second = ((u128::from(w) * u128::from(low5)) >> 64) as u64;
        let (sum, carry) = lower.overflowing_add(second);
        lower = sum;
        upper = upper.wrapping_add(u64::from(carry));
    }
    // Line 9: all ones below may hide a carry, unless 5^|q| was exact in the table (−27 ≤ q ≤ 55).
    if lower == u64::MAX && q < -27 {
        return None;
    }
    let top = (upper >> 63) as u32; // line 11: u
    let cut = top + 64 - MANTISSA_BITS - 3;
    let mut mantissa = upper >> cut;
    // ⌊log₂ 10^q⌋ = ⌊q log₂ 10⌋, by the fixed-point constant of the paper's eq. for |q| < 400.
    let mut exponent = ((q * 217_706) >> 16) + 63 + i64::from(top) - i64::from(shift) + 1023;
    // Lines 17 to 19: exactly half way between two doubles (possible for −4 ≤ q ≤ 23 only): to even.
    if lower <= 1 && (-4..=23).contains(&q) && mantissa & 3 == 1 && mantissa << cut == upper {
        mantissa &= !1;
    }
    mantissa += mantissa & 1; // lines 20, 21: round
    mantissa >>= 1;
    if mantissa >= 2 << MANTISSA_BITS {
        mantissa = 1 << MANTISSA_BITS; // line 22: the rounding carried into a new bit
        exponent += 1;
    }
    let fraction = mantissa & !(1 << MANTISSA_BITS);
    Some(f64::from_bits(fraction | (exponent as u64) << MANTISSA_BITS))
}

/// The 128 most significant bits of 5^q for −55 ≤ q ≤ 55, as (upper, lower) words with the top bit set.
static POW5: [(u64, u64); 2 * MAX_POWER as usize + 1] = powers_of_five();

/// Lemire (2021), section 5: 5^q itself for q ≥ 0; for q < 0 the reciprocal of 5^|q|, rounded up while
/// 5^|q| fits 64 bits and the result serves as an exact division (q ≥ −27), truncated below.
const fn powers_of_five() -> [(u64, u64); 2 * MAX_POWER as usize + 1] {
    let middle = MAX_POWER as usize;
    let mut table = [(0, 0); 2 * MAX_POWER as usize + 1];
    let mut power: u128 = 1;
    let mut k = 0;
    loop {
        table[middle + k] = words(power << power.leading_zeros());
        if k > 0 {
            table[middle - k] = words(reciprocal(power) + if k <= 27 { 1 } else { 0 });
        }
        if k == middle {
            return table;
        }
        power *= 5;
        k += 1;
    }
}

const fn words(x: u128) -> (u64, u64) {
    ((x >> 64) as u64, x as u64)
}

/// ⌊2^(z + 127) / d⌋ with 2^(z − 1) < d < 2^z, by schoolbook division: between 2¹²⁷ and 2¹²⁸.
const fn reciprocal(d: u128) -> u128 {
    let mut remainder: u128 = 1 << (127 - d.leading_zeros());
    let mut quotient = 0;
    let mut bit = 0;
    while bit < 128 {
        let carry = remainder >> 127 == 1;
        let doubled = remainder << 1;
        quotient <<= 1;
        remainder = doubled;
        if carry || doubled >= d {
            remainder = doubled.wrapping_sub(d);
            quotient |= 1;
        }
        bit += 1;
    }
    quotient
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By the fast road alone; padded as a block of a file is.
    fn fast(text: &str) -> Option<f64> {
        let mut at = 0;
        let value = take_decimal(format!("{text}\n       ").as_bytes(), &mut at)?;
        (at == text.len()).then_some(value)
    }

    /// Agrees with the standard library to the bit wherever it answers.
    fn check(text: &str) -> bool {
        match fast(text) {
            Some(value) => {
                let expected: f64 = text.parse().unwrap();
                assert_eq!(value.to_bits(), expected.to_bits(), "{text}: {value:e}, not {expected:e}");
                true
            }
            None => false,
        }
    }

    #[test]
    fn known_numbers_are_read_exactly_and_by_the_fast_road() {
        for text in [
            "0",
            "-0",
            "1",
            "-1",
            "0.1",
            "5.",
            ".5",
            "-.5e-3",
            "1e22",
            "1e23",
            "1E+05",
            "9007199254740993",
            "9007199254740992.5",
            "9007199254740993e0",
            "1.2573022109339330e-01",
            "9223372036854775807",
            "0.00012345678901234567",
            "123456789012345678e-40",
            "4503599627370496.5",
            "1e55",
            "00000000001",
            // Half way between two doubles, and next to half way.
            "4503599627370497.5",
            "9007199254740995",
            "9007199254740995.001",
            "1.0000000000000002",
        ] {
            assert!(check(text), "{text} took the slow road");
        }
    }

    #[test]
    fn other_words_are_left_to_the_slow_road() {
        for text in [
            "",
            ".",
            "-",
            "e5",
            "1e",
            "1e+",
            "+1",
            "inf",
            "NaN",
            "1d5",
            "0x10",
            "12345678901234567890",
            "1e400",
            "1e-320",
        ] {
            assert_eq!(fast(text), None, "{text}");
        }
    }

    #[test]
    fn stepping_through_ties_rounds_to_even() {
        // (2⁵³ + k) / 2 and its neighbours in the 19th digit: every second one is a tie.
        for k in 1..2000u64 {
            for tail in ["", "0", "1", "00"] {
                let n = (1u64 << 53) + k;
                check(&format!("{}.{}{tail}", n / 2, (n % 2) * 5));
                check(&format!("{n}e-3"));
                check(&format!("{n}e7"));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn agrees_with_the_standard_parser_on_any_double(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            check(&format!("{value:.16e}"));
            check(&format!("{value:e}"));
        }

        #[test]
        fn agrees_with_the_standard_parser_on_any_decimal(w: u64, digits in 1usize..20, q in -60i32..60) {
            let w = w % 10u64.checked_pow(digits as u32).unwrap_or(u64::MAX);
            check(&format!("{w}e{q}"));
            let text = w.to_string();
            for point in 0..=text.len() {
                check(&format!("{}.{}e{q}", &text[..point], &text[point..]));
            }
        }

        #[test]
        fn usual_magnitudes_take_the_fast_road(value in -1e30..1e30f64) {
            let fast = check(&format!("{value:.16e}"));
            prop_assert!(fast || value.abs() < 1e-37);
        }

        #[test]
        fn words_of_digits_are_read_at_any_length(n: u64, tail in "[^0-9]{0,9}") {
            let text = format!("{n}{tail}        ");
            let (mut at, mut value) = (0, 0);
            let count = take_digits(text.as_bytes(), &mut at, &mut value);
            prop_assert_eq!((count, value, at), (n.to_string().len(), n, n.to_string().len()));
        }
    }
}
