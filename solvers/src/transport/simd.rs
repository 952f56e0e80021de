//! The inner loops over one row of the plan: plain loops over slices, compiled for the vector instructions
//! that the processor has.
//!
//! exp(x) = 2ᵏ eʳ with k = round(x log₂e) and r = x − k ln 2 in two pieces (Cody and Waite, 1980), |r| ≤ ½ ln 2, eʳ
//! by its Taylor polynomial of degree 12, whose remainder is 2e-16 · 1e-2: below 2 units in the last place.
//! Every sum runs over eight interleaved accumulators in a fixed order, so its bits do not depend on threads.

use pulp::{Arch, Simd, WithSimd};

/// Interleaved accumulators of every sum.
pub(super) const LANES: usize = 8;

/// Below this exponent a term is zero.
const FLUSH: f64 = -700.0;

/// exp(x) for x ≤ 709; 0 below −700, NaN for NaN.
#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
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

/// The terms exp(shift + v_j − C_j/ε) of a row, chunk by chunk, without chunks whose every exponent is below `floor`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live {
    /// Σ of the terms.
    pub(super) sum: f64,
    /// Chunks computed; the terms of the k-th are out[8k..8k + 8], and those of the m mod 8 last columns follow.
    pub(super) chunks: usize,
}

/// Computes them for the chunks in `runs`, exponents cut at 700; `live` gets the chunks' numbers.
#[inline(always)]
pub(super) fn exp_row<C: CostRow>(
    costs: &C,
    v: &[f64],
    inv_eps: f64,
    shift: f64,
    floor: f64,
    runs: &[(u32, u32)],
    out: &mut [f64],
    live: &mut [u32],
) -> Live {
    // Short loops over a row that stays in the cache: each is of a form that the compiler vectorises.
    let mut count = 0;
    let slots = out.as_chunks_mut::<LANES>().0;
    for (start, end) in runs {
        for k in *start as usize..*end as usize {
            let (c, v) = (costs.chunk(k), lanes(v, k));
            let slot = &mut slots[count];
            for l in 0..LANES {
                slot[l] = c[l].mul_add(-inv_eps, v[l] + shift);
            }
            let mut low = [false; 4];
            for l in 0..4 {
                low[l] = slot[l] < floor && slot[l + 4] < floor;
            }
            live[count] = k as u32;
            count += usize::from(!((low[0] && low[1]) && (low[2] && low[3])));
        }
    }
    let n = costs.len();
    let rest = n % LANES;
    for j in n - rest..n {
        out[count * LANES + j + rest - n] = costs.at(j).mul_add(-inv_eps, v[j] + shift);
    }
    let out = &mut out[..count * LANES + rest];
    for x in out.iter_mut() {
        *x = exp(if *x > 700.0 { 700.0 } else { *x });
    }
    Live { sum: sum(out), chunks: count }
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

/// Σ_j p_j C_j over p_j > 0, p by chunks as [`exp_row`] leaves it.
#[inline(always)]
pub(super) fn cost_row<C: CostRow>(costs: &C, p: &[f64], live: &[u32]) -> f64 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = p.as_chunks::<LANES>();
    for (k, p) in live.iter().zip(chunks) {
        let c = costs.chunk(*k as usize);
        for l in 0..LANES {
            sums[l] += if p[l] > 0.0 { p[l] * c[l] } else { 0.0 };
        }
    }
    let start = costs.len() - rest.len();
    for (l, p) in rest.iter().enumerate() {
        sums[l] += if *p > 0.0 { p * costs.at(start + l) } else { 0.0 };
    }
    fold(sums)
}

/// y += w p, p by chunks as [`exp_row`] leaves it.
#[inline(always)]
pub(super) fn axpy(w: f64, p: &[f64], live: &[u32], y: &mut [f64]) {
    let (chunks, rest) = p.as_chunks::<LANES>();
    let start = y.len() - rest.len();
    let (whole, end) = y.split_at_mut(start);
    let whole = whole.as_chunks_mut::<LANES>().0;
    for (k, p) in live.iter().zip(chunks) {
        let y = &mut whole[*k as usize];
        for l in 0..LANES {
            y[l] = w.mul_add(p[l], y[l]);
        }
    }
    end.iter_mut().zip(rest).for_each(|(y, p)| *y = w.mul_add(*p, *y));
}
