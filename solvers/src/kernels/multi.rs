//! Kernels over a basis V: k vectors of length n, one after the other in one slice (column-major).
//!
//! Each walks blocks of rows once, all k columns of a block after one another, so that the block of w stays
//! in the first-level cache: n (k + 1) elements are read for Vᴴw, n (k + 2) read or written for w + Vc, and
//! n (k + 2) for both fused where one basis serves both (its block is still in the second-level cache when
//! it is read again). Sums go down the tree of [`reduce`](super::reduce), in rows of k.

use super::tree::{SplitSlices, split_point};
use super::{BLOCK, blas1::block_sum, offset_in};
use residua_data::Scalar;

/// Elements of V that one task takes at least.
const BASIS_GRAIN: usize = 32 * BLOCK;

/// Elements of workspace that the sums of [`multi_dot`] over vectors of length `n` need for `k` columns.
pub fn multi_dot_workspace(n: usize, k: usize) -> usize {
    n.div_ceil(BLOCK).max(1) * k
}

/// out ← Vᴴ w, one entry for each column of V; if `out` has one entry more, that becomes ‖w‖₂². `partials` has at least [`multi_dot_workspace`]`(n, out.len())` entries.
///
/// # Panics
/// If lengths do not fit.
pub fn multi_dot<T: Scalar>(v: &[T], w: &[T], partials: &mut [T], out: &mut [T]) {
    let (n, k) = (w.len(), out.len());
    let columns = column_count(v, n, k);
    let leaf = |part: &[T], sums: &mut [T]| dots_of_block(v, n, columns, offset_in(w, part), part, sums);
    reduce_rows(w, partials, k, &leaf);
    out.copy_from_slice(&partials[..k]);
}

/// w ← w + V c.
///
/// # Panics
/// If lengths do not fit.
pub fn multi_axpy<T: Scalar>(c: &[T], v: &[T], w: &mut [T]) {
    let n = w.len();
    assert!(v.len() >= c.len() * n, "multi_axpy: the basis has fewer columns than there are coefficients");
    let base = w.as_ptr() as usize;
    super::for_each_block(w, grain(c.len()), &|w: &mut [T]| {
        axpys_to_block(c, v, n, (w.as_ptr() as usize - base) / size_of::<T>(), w);
    });
}

/// w ← w + V c, and returns ‖w‖₂² of the new w: one pass.
///
/// # Panics
/// If lengths do not fit.
pub fn multi_axpy_norm2_sq<T: Scalar>(c: &[T], v: &[T], w: &mut [T]) -> T::RealField {
    let n = w.len();
    assert!(v.len() >= c.len() * n, "multi_axpy: the basis has fewer columns than there are coefficients");
    let (base, zero) = (w.as_ptr() as usize, T::zero().abs_sq());
    super::reduce(w, grain(c.len()), &|w: &mut [T]| {
        axpys_to_block(c, v, n, (w.as_ptr() as usize - base) / size_of::<T>(), w);
        block_sum(w, w, zero, |w, _| w.abs_sq())
    })
}

/// w ← w + V c, then out ← Pᴴ w of the new w: one pass; see [`multi_dot`] for `partials` and `out`.
///
/// # Panics
/// If lengths do not fit.
pub fn multi_axpy_multi_dot<T: Scalar>(
    c: &[T],
    v: &[T],
    w: &mut [T],
    p: &[T],
    partials: &mut [T],
    out: &mut [T],
) {
    let (n, k) = (w.len(), out.len());
    assert!(v.len() >= c.len() * n, "multi_axpy: the basis has fewer columns than there are coefficients");
    let columns = column_count(p, n, k);
    let base = w.as_ptr() as usize;
    let leaf = |w: &mut [T], sums: &mut [T]| {
        let start = (w.as_ptr() as usize - base) / size_of::<T>();
        axpys_to_block(c, v, n, start, w);
        dots_of_block(p, n, columns, start, w, sums);
    };
    reduce_rows(w, partials, k, &leaf);
    out.copy_from_slice(&partials[..k]);
}

/// How many columns `v` has in a call that asks for `k` results: k, or k − 1 and the norm.
fn column_count<T>(v: &[T], n: usize, k: usize) -> usize {
    let columns = v.len().checked_div(n).unwrap_or(k);
    assert!(
        v.len() == columns * n && (columns == k || columns + 1 == k),
        "multi_dot: the basis must have a column for each result, but for the norm"
    );
    columns
}

fn grain(k: usize) -> usize {
    (BASIS_GRAIN / k.max(1)).max(BLOCK)
}

fn dots_of_block<T: Scalar>(v: &[T], n: usize, columns: usize, start: usize, w: &[T], sums: &mut [T]) {
    for (j, sum) in sums.iter_mut().enumerate() {
        let column = if j < columns { &v[j * n + start..][..w.len()] } else { w };
        *sum = block_sum(column, w, T::zero(), |v, w| v.conjugate() * w);
    }
}

fn axpys_to_block<T: Scalar>(c: &[T], v: &[T], n: usize, start: usize, w: &mut [T]) {
    let len = w.len();
    let column = |j: usize| &v[j * n + start..][..len];
    let mut quads = c.chunks_exact(4);
    for (q, c) in quads.by_ref().enumerate() {
        let (a, b, d, e) = (column(4 * q), column(4 * q + 1), column(4 * q + 2), column(4 * q + 3));
        for ((((w, &a), &b), &d), &e) in w.iter_mut().zip(a).zip(b).zip(d).zip(e) {
            *w += (c[0] * a + c[1] * b) + (c[2] * d + c[3] * e);
        }
    }
    let done = c.len() - quads.remainder().len();
    for (j, &c) in quads.remainder().iter().enumerate() {
        w.iter_mut().zip(column(done + j)).for_each(|(w, &v)| *w += c * v);
    }
}

/// As [`reduce`](super::reduce) for `k` sums at once: `leaf(block, sums)`, block by block, sums being rows of
/// `partials`, which are then added along the same tree into its first row.
pub(super) fn reduce_rows<T: Scalar, S: SplitSlices>(
    slices: S,
    partials: &mut [T],
    k: usize,
    leaf: &(impl Fn(S, &mut [T]) + Sync),
) {
    let n = slices.len();
    if n <= BLOCK {
        return leaf(slices, &mut partials[..k]);
    }
    let mid = split_point(n);
    let (left, right) = slices.split_at(mid);
    let (sums, right_sums) = partials.split_at_mut(mid / BLOCK * k);
    if n <= grain(k) || n * k < BASIS_GRAIN {
        reduce_rows(left, sums, k, leaf);
        reduce_rows(right, right_sums, k, leaf);
    } else {
        rayon::join(|| reduce_rows(left, sums, k, leaf), || reduce_rows(right, right_sums, k, leaf));
    }
    sums[..k].iter_mut().zip(&*right_sums).for_each(|(sum, &right)| *sum += right);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels;
    use num_complex::Complex;

    fn basis(n: usize, k: usize, shift: f64) -> Vec<Complex<f64>> {
        (0..n * k).map(|i| Complex::new((i as f64 * 0.7 + shift).sin(), (i as f64 * 0.3).cos())).collect()
    }

    fn check(n: usize, k: usize) {
        let (v, w) = (basis(n, k, 0.0), basis(n, 1, 0.5));
        let mut partials = vec![Complex::new(f64::NAN, 0.0); multi_dot_workspace(n, k + 1)];
        let mut out = vec![Complex::new(0.0, 0.0); k + 1];
        multi_dot(&v, &w, &mut partials, &mut out);
        for j in 0..k {
            assert_eq!(out[j], kernels::dot(&v[j * n..(j + 1) * n], &w), "{n} {k} {j}");
        }
        assert_eq!(out[k], kernels::dot(&w, &w));

        let c: Vec<_> = (0..k).map(|j| Complex::new(1.0 / (1.0 + j as f64), j as f64)).collect();
        let (mut fused, mut apart, mut normed) = (w.clone(), w.clone(), w.clone());
        multi_axpy_multi_dot(&c, &v, &mut fused, &v, &mut partials, &mut out);
        multi_axpy(&c, &v, &mut apart);
        assert_eq!(fused, apart);
        assert_eq!(multi_axpy_norm2_sq(&c, &v, &mut normed), kernels::norm2_sq(&apart));
        for i in [0, n / 2, n - 1] {
            let naive = w[i] + (0..k).map(|j| c[j] * v[j * n + i]).sum::<Complex<f64>>();
            assert!((fused[i] - naive).norm() <= 1e-13 * (1.0 + naive.norm()));
        }
        for j in 0..k {
            assert_eq!(out[j], kernels::dot(&v[j * n..(j + 1) * n], &apart));
        }
    }

    #[test]
    fn they_equal_one_vector_at_a_time() {
        for (n, k) in [(1, 1), (5, 3), (1024, 4), (1025, 5), (10_000, 9), (70_001, 2)] {
            check(n, k);
        }
    }

    #[test]
    fn they_do_not_depend_on_threads() {
        let (n, k) = (50_000, 7);
        let (v, w) = (basis(n, k, 0.0), basis(n, 1, 0.5));
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| {
                let mut partials = vec![Complex::new(0.0, 0.0); multi_dot_workspace(n, k)];
                let (mut out, mut w) = (vec![Complex::new(0.0, 0.0); k], w.clone());
                multi_axpy_multi_dot(&out.clone(), &v, &mut w, &v, &mut partials, &mut out);
                (out, w)
            })
        };
        let one = run(1);
        assert!([2, 3].into_iter().all(|threads| run(threads) == one));
    }
}
