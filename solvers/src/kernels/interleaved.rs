//! Kernels over k vectors of length n at once, interleaved: entry (i, c) is at `i * k + c`. Sums go down the
//! tree of [`reduce`](super::reduce), in rows of k; `partials` has at least
//! [`multi_dot_workspace`](super::multi_dot_workspace)`(n, k)` entries.

use super::multi::reduce_rows;
use super::tree::SplitSlices;
use super::{VECTOR_GRAIN, for_each_block};
use residua_data::Scalar;

/// Rows of an interleaved block, cut between rows.
#[derive(Clone, Copy)]
struct Rows<'a, T>(&'a [T], usize);

/// Rows of an interleaved block, to be changed.
struct RowsMut<'a, T>(&'a mut [T], usize);

impl<T: Sync> SplitSlices for Rows<'_, T> {
    fn len(&self) -> usize {
        self.0.len() / self.1
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (left, right) = self.0.split_at(mid * self.1);
        (Self(left, self.1), Self(right, self.1))
    }
}

impl<T: Send> SplitSlices for RowsMut<'_, T> {
    fn len(&self) -> usize {
        self.0.len() / self.1
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (left, right) = self.0.split_at_mut(mid * self.1);
        (Self(left, self.1), Self(right, self.1))
    }
}

fn grain(k: usize) -> usize {
    (VECTOR_GRAIN / k).max(1)
}

/// out_c ← x_cᴴ y_c for every column c; `out` has length k.
///
/// # Panics
/// If lengths differ or k is 0.
pub fn interleaved_dots<T: Scalar>(x: &[T], y: &[T], partials: &mut [T], out: &mut [T]) {
    let k = out.len();
    assert_eq!(x.len(), y.len(), "interleaved_dots: lengths differ");
    reduce_rows((Rows(x, k), Rows(y, k)), partials, k, &|(x, y): (Rows<'_, T>, Rows<'_, T>), sums| {
        sums.fill(T::zero());
        for (x, y) in x.0.chunks_exact(k).zip(y.0.chunks_exact(k)) {
            for ((sum, &x), &y) in sums.iter_mut().zip(x).zip(y) {
                *sum += x.conjugate() * y;
            }
        }
    });
    out.copy_from_slice(&partials[..k]);
}

/// r_c ← r_c + α_c q_c, and out_c ← ‖r_c‖₂² of the new r; one pass.
///
/// # Panics
/// If lengths differ or k is 0.
pub fn interleaved_axpy_norms<T: Scalar>(
    alpha: &[T],
    q: &[T],
    r: &mut [T],
    partials: &mut [T],
    out: &mut [T],
) {
    let k = out.len();
    assert!(q.len() == r.len() && alpha.len() == k, "interleaved_axpy_norms: lengths differ");
    reduce_rows((Rows(q, k), RowsMut(r, k)), partials, k, &|(q, r): (Rows<'_, T>, RowsMut<'_, T>), sums| {
        sums.fill(T::zero());
        for (q, r) in q.0.chunks_exact(k).zip(r.0.chunks_exact_mut(k)) {
            for (((sum, &alpha), &q), r) in sums.iter_mut().zip(alpha).zip(q).zip(r) {
                *r += alpha * q;
                *sum += T::from_real(r.abs_sq());
            }
        }
    });
    out.copy_from_slice(&partials[..k]);
}

/// x_c ← x_c + α_c p_c, then p_c ← z_c + β_c p_c; one pass.
///
/// # Panics
/// If lengths differ or k is 0.
pub fn interleaved_update_x_and_p<T: Scalar>(alpha: &[T], z: &[T], beta: &[T], x: &mut [T], p: &mut [T]) {
    let k = alpha.len();
    assert!(
        z.len() == x.len() && x.len() == p.len() && beta.len() == k,
        "interleaved_update_x_and_p: lengths differ"
    );
    type Slices<'a, T> = (Rows<'a, T>, RowsMut<'a, T>, RowsMut<'a, T>);
    let slices = (Rows(z, k), RowsMut(x, k), RowsMut(p, k));
    for_each_block(slices, grain(k), &|(z, x, p): Slices<'_, T>| {
        let rows = z.0.chunks_exact(k).zip(x.0.chunks_exact_mut(k)).zip(p.0.chunks_exact_mut(k));
        for ((z, x), p) in rows {
            for ((((&alpha, &beta), &z), x), p) in alpha.iter().zip(beta).zip(z).zip(x).zip(p) {
                *x += alpha * *p;
                *p = z + beta * *p;
            }
        }
    });
}

/// z_c ← d ∘ r_c for every column c; `d` has length n.
///
/// # Panics
/// If lengths differ or k is 0.
pub fn interleaved_multiply_elementwise<T: Scalar>(k: usize, d: &[T], r: &[T], z: &mut [T]) {
    assert!(r.len() == d.len() * k && z.len() == r.len(), "interleaved_multiply_elementwise: lengths differ");
    type Slices<'a, T> = (&'a [T], Rows<'a, T>, RowsMut<'a, T>);
    for_each_block((d, Rows(r, k), RowsMut(z, k)), grain(k), &|(d, r, z): Slices<'_, T>| {
        for ((&d, r), z) in d.iter().zip(r.0.chunks_exact(k)).zip(z.0.chunks_exact_mut(k)) {
            z.iter_mut().zip(r).for_each(|(z, &r)| *z = d * r);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{self, multi_dot_workspace};

    #[test]
    fn they_equal_one_column_at_a_time() {
        for (n, k) in [(1, 1), (1500, 3), (40_000, 2)] {
            let v = |f: f64| (0..n * k).map(|i| (i as f64 * f).sin()).collect::<Vec<f64>>();
            let column = |v: &[f64], c: usize| (0..n).map(|i| v[i * k + c]).collect::<Vec<f64>>();
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * n as f64;
            let (q, z, d) = (v(0.1), v(0.2), (0..n).map(|i| 1.0 + i as f64).collect::<Vec<_>>());
            let (mut r, mut x, mut p, mut w) = (v(0.3), v(0.4), v(0.5), vec![0.0; n * k]);
            let mut partials = vec![0.0; multi_dot_workspace(n, k)];
            let mut out = vec![0.0; k];
            let alpha: Vec<f64> = (0..k).map(|c| 0.5 + c as f64).collect();
            let beta: Vec<f64> = alpha.iter().map(|a| 1.0 - a).collect();

            interleaved_dots(&q, &z, &mut partials, &mut out);
            (0..k).for_each(|c| assert!(close(out[c], kernels::dot(&column(&q, c), &column(&z, c)))));
            interleaved_axpy_norms(&alpha, &q, &mut r, &mut partials, &mut out);
            for c in 0..k {
                let mut single = column(&v(0.3), c);
                let sq = kernels::axpy_norm2_sq(alpha[c], &column(&q, c), &mut single);
                assert!(close(out[c], sq) && column(&r, c) == single);
            }
            interleaved_update_x_and_p(&alpha, &z, &beta, &mut x, &mut p);
            interleaved_multiply_elementwise(k, &d, &q, &mut w);
            for c in 0..k {
                let (mut single_x, mut single_p) = (column(&v(0.4), c), column(&v(0.5), c));
                kernels::update_x_and_p(alpha[c], &column(&z, c), beta[c], &mut single_x, &mut single_p);
                assert!(column(&x, c) == single_x && column(&p, c) == single_p);
                let mut single_w = vec![0.0; n];
                kernels::multiply_elementwise(&d, &column(&q, c), &mut single_w);
                assert_eq!(column(&w, c), single_w);
            }
        }
    }
}
