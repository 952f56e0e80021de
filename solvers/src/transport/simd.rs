//! The inner loops over one row of the plan: plain loops over slices, compiled for the vector instructions
//! that the processor has.
//!
//! exp(x) = 2ᵏ eʳ with k = round(x log₂e) and r = x − k ln 2 in two pieces (Cody and Waite, 1980), |r| ≤ ½ ln 2, eʳ
//! by its Taylor polynomial of degree 12, whose remainder is 2e-16 · 1e-2: below 2 units in the last place.
//! Every sum runs over eight interleaved accumulators in a fixed order, so its bits do not depend on threads.

use pulp::{Arch, Simd, WithSimd};

/// Interleaved accumulators of every sum.
const LANES: usize = 8;

/// Below this exponent a term is zero.
const FLUSH: f64 = -700.0;

/// exp(x) for x ≤ 709; 0 below −700, NaN for NaN.
#[inline(always)]
fn exp(x: f64) -> f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    const LN2_HI: f64 = 6.931_471_803_691_238e-1;
    const LN2_LO: f64 = 1.908_214_929_270_587_7e-10;
    let scaled = x.mul_add(std::f64::consts::LOG2_E, MAGIC);
    let k = scaled - MAGIC;
    let r = k.mul_add(-LN2_LO, k.mul_add(-LN2_HI, x));
    let mut p = 1.0 / 479_001_600.0;
    p = r.mul_add(p, 1.0 / 39_916_800.0);
    p = r.mul_add(p, 1.0 / 3_628_800.0);
    p = r.mul_add(p, 1.0 / 362_880.0);
    p = r.mul_add(p, 1.0 / 40_320.0);
    p = r.mul_add(p, 1.0 / 5_040.0);
    p = r.mul_add(p, 1.0 / 720.0);
    p = r.mul_add(p, 1.0 / 120.0);
    p = r.mul_add(p, 1.0 / 24.0);
    p = r.mul_add(p, 1.0 / 6.0);
    p = r.mul_add(p, 0.5);
    p = r.mul_add(p, 1.0);
    p = r.mul_add(p, 1.0);
    let value = f64::from_bits(p.to_bits().wrapping_add(scaled.to_bits() << 52));
    if x < FLUSH { 0.0 } else { value }
}

/// Runs `op` with the best instructions available.
#[inline(always)]
pub(super) fn dispatch<R>(op: impl FnOnce() -> R) -> R {
    struct Op<F>(F);
    impl<R, F: FnOnce() -> R> WithSimd for Op<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> R {
            simd.vectorize(self.0)
        }
    }
    Arch::new().dispatch(Op(op))
}

#[inline(always)]
fn fold(sums: [f64; LANES]) -> f64 {
    ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))
}

/// The costs of one row, eight at a time, so that no bound is checked inside a vector.
pub(super) trait CostRow {
    /// Number of entries.
    fn len(&self) -> usize;
    /// Entries 8k .. 8k + 8.
    fn chunk(&self, k: usize) -> [f64; LANES];
    /// Entry j.
    fn at(&self, j: usize) -> f64;
}

/// Entries 8k .. 8k + 8 of a slice.
#[inline(always)]
fn lanes(x: &[f64], k: usize) -> &[f64; LANES] {
    &x.as_chunks::<LANES>().0[k]
}

impl CostRow for &[f64] {
    #[inline(always)]
    fn len(&self) -> usize {
        <[f64]>::len(self)
    }
    #[inline(always)]
    fn chunk(&self, k: usize) -> [f64; LANES] {
        *lanes(self, k)
    }
    #[inline(always)]
    fn at(&self, j: usize) -> f64 {
        self[j]
    }
}

/// Ground costs by the rule that sums over axes.
pub(super) trait Rule {
    /// The term of one axis.
    fn term(difference: f64) -> f64;
    /// The cost from the sum of the terms.
    fn finish(sum: f64) -> f64;
}

macro_rules! rule {
    ($name:ident, $term:expr, $finish:expr) => {
        pub(super) struct $name;
        impl Rule for $name {
            #[inline(always)]
            fn term(d: f64) -> f64 {
                $term(d)
            }
            #[inline(always)]
            fn finish(s: f64) -> f64 {
                $finish(s)
            }
        }
    };
}
rule!(Manhattan, |d: f64| d.abs(), |s| s);
rule!(Euclid, |d: f64| d * d, |s: f64| s.sqrt());
rule!(Square, |d: f64| d * d, |s| s);

/// The costs from one point to all points y, computed when needed.
pub(super) struct CloudRow<'a, G, const D: usize> {
    pub(super) x: [f64; D],
    pub(super) y: [&'a [f64]; D],
    pub(super) ground: std::marker::PhantomData<G>,
}

impl<G: Rule, const D: usize> CostRow for CloudRow<'_, G, D> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.y[0].len()
    }
    #[inline(always)]
    fn chunk(&self, k: usize) -> [f64; LANES] {
        let mut sums = [0.0; LANES];
        for (x, y) in self.x.iter().zip(&self.y) {
            let y = lanes(y, k);
            for l in 0..LANES {
                sums[l] += G::term(x - y[l]);
            }
        }
        sums.map(G::finish)
    }
    #[inline(always)]
    fn at(&self, j: usize) -> f64 {
        G::finish(self.x.iter().zip(&self.y).map(|(x, y)| G::term(x - y[j])).sum())
    }
}

/// out_j = exp(shift + v_j − C_j/ε) with exponents cut at 700, and Σ out.
#[inline(always)]
pub(super) fn exp_row<C: CostRow>(costs: &C, v: &[f64], inv_eps: f64, shift: f64, out: &mut [f64]) -> f64 {
    // Three short loops over a row that stays in the first-level cache: each is of a form that the compiler vectorises.
    for (k, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let (c, v) = (costs.chunk(k), lanes(v, k));
        for l in 0..LANES {
            out[l] = c[l].mul_add(-inv_eps, v[l] + shift);
        }
    }
    let n = costs.len();
    for j in n - n % LANES..n {
        out[j] = costs.at(j).mul_add(-inv_eps, v[j] + shift);
    }
    for x in out.iter_mut() {
        *x = exp(if *x > 700.0 { 700.0 } else { *x });
    }
    sum(out)
}

/// Σ x.
#[inline(always)]
fn sum(x: &[f64]) -> f64 {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for x in chunks {
        for l in 0..LANES {
            sums[l] += x[l];
        }
    }
    sums.iter_mut().zip(rest).for_each(|(s, x)| *s += x);
    fold(sums)
}

/// max_j v_j − C_j/ε.
#[inline(always)]
pub(super) fn max_row<C: CostRow>(costs: &C, v: &[f64], inv_eps: f64) -> f64 {
    let n = costs.len();
    let whole = n - n % LANES;
    let mut maxima = [f64::NEG_INFINITY; LANES];
    for k in 0..n / LANES {
        let (c, v) = (costs.chunk(k), lanes(v, k));
        for l in 0..LANES {
            let t = c[l].mul_add(-inv_eps, v[l]);
            maxima[l] = if t > maxima[l] { t } else { maxima[l] };
        }
    }
    for j in whole..n {
        let t = costs.at(j).mul_add(-inv_eps, v[j]);
        maxima[0] = if t > maxima[0] { t } else { maxima[0] };
    }
    maxima.into_iter().fold(f64::NEG_INFINITY, f64::max)
}

/// Σ_j p_j C_j over p_j > 0.
#[inline(always)]
pub(super) fn cost_row<C: CostRow>(costs: &C, p: &[f64]) -> f64 {
    let n = costs.len();
    let whole = n - n % LANES;
    let mut sums = [0.0; LANES];
    for (k, p) in p.as_chunks::<LANES>().0.iter().enumerate() {
        let c = costs.chunk(k);
        for l in 0..LANES {
            sums[l] += if p[l] > 0.0 { p[l] * c[l] } else { 0.0 };
        }
    }
    for j in whole..n {
        sums[j - whole] += if p[j] > 0.0 { p[j] * costs.at(j) } else { 0.0 };
    }
    fold(sums)
}

/// y += w x.
#[inline(always)]
pub(super) fn axpy(w: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = w.mul_add(*x, *y);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_right_to_two_units_in_the_last_place() {
        let mut worst = 0.0_f64;
        let mut out = vec![0.0; 1003];
        let zero = vec![0.0; 1003];
        for start in -700..10 {
            let x: Vec<f64> = (0..1003).map(|k| -f64::from(start) - k as f64 / 1003.0).collect();
            dispatch(|| exp_row(&&x[..], &zero, 1.0, 0.0, &mut out));
            for (x, e) in x.iter().zip(&out) {
                let exact = (-x).exp();
                worst = worst.max(((e - exact) / exact).abs() / f64::EPSILON);
            }
        }
        assert!(worst <= 2.0, "{worst} units");
    }

    #[test]
    fn the_ends_of_the_range() {
        let x = [f64::INFINITY, 1e300, 701.0, 0.0, f64::NAN];
        let mut out = [1.0; 5];
        dispatch(|| exp_row(&&x[..], &[0.0; 5], 1.0, 0.0, &mut out));
        assert_eq!(out[..4], [0.0, 0.0, 0.0, 1.0]);
        assert!(out[4].is_nan());
        assert_eq!(dispatch(|| max_row(&&x[..4], &[0.0; 4], 1.0)), 0.0);
    }
}
