//! The passes that BiCGSTAB, IDR and MINRES share with nobody: several updates of one vector at once.

use super::tree::Sums;
use super::{VECTOR_GRAIN, blas1::block_sum, for_each_block, reduce};
use residua_data::Scalar;

/// r ← r + αq, and returns (wᴴ r, ‖r‖₂²) of the new r: one pass.
pub fn axpy_dot_norm2_sq<T: Scalar>(alpha: T, q: &[T], w: &[T], r: &mut [T]) -> (T, T::RealField) {
    assert!(q.len() == r.len() && w.len() == r.len(), "axpy_dot_norm2_sq: lengths differ");
    let zero = T::zero().abs_sq();
    let Sums(dot, sq) = reduce((q, w, r), VECTOR_GRAIN, &|(q, w, r): (&[T], &[T], &mut [T])| {
        r.iter_mut().zip(q).for_each(|(r, &q)| *r += alpha * q);
        block_sum(w, r, Sums(T::zero(), zero), |w, r| Sums(w.conjugate() * r, r.abs_sq()))
    });
    (dot, sq)
}

/// y ← αx + βy, and returns ‖y‖₂² of the new y: one pass.
pub fn axpby_norm2_sq<T: Scalar>(alpha: T, x: &[T], beta: T, y: &mut [T]) -> T::RealField {
    assert_eq!(x.len(), y.len(), "axpby_norm2_sq: lengths differ");
    let zero = T::zero().abs_sq();
    reduce((x, y), VECTOR_GRAIN, &|(x, y): (&[T], &mut [T])| {
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = alpha * x + beta * *y);
        block_sum(y, y, zero, |y, _| y.abs_sq())
    })
}

/// x ← x + αp + ωs: one pass.
pub fn axpy2<T: Scalar>(alpha: T, p: &[T], omega: T, s: &[T], x: &mut [T]) {
    assert!(p.len() == x.len() && s.len() == x.len(), "axpy2: lengths differ");
    for_each_block((p, s, x), VECTOR_GRAIN, &|(p, s, x): (&[T], &[T], &mut [T])| {
        x.iter_mut().zip(p).zip(s).for_each(|((x, &p), &s)| *x += alpha * p + omega * s);
    });
}

/// x ← x + αp + ωs, and returns ‖x‖₂² of the new x: one pass.
pub fn axpy2_norm2_sq<T: Scalar>(alpha: T, p: &[T], omega: T, s: &[T], x: &mut [T]) -> T::RealField {
    assert!(p.len() == x.len() && s.len() == x.len(), "axpy2_norm2_sq: lengths differ");
    let zero = T::zero().abs_sq();
    reduce((p, s, x), VECTOR_GRAIN, &|(p, s, x): (&[T], &[T], &mut [T])| {
        x.iter_mut().zip(p).zip(s).for_each(|((x, &p), &s)| *x += alpha * p + omega * s);
        block_sum(x, x, zero, |x, _| x.abs_sq())
    })
}

/// y ← αx.
pub fn scaled_copy<T: Scalar>(alpha: T, x: &[T], y: &mut [T]) {
    assert_eq!(x.len(), y.len(), "scaled_copy: lengths differ");
    for_each_block((x, y), VECTOR_GRAIN, &|(x, y): (&[T], &mut [T])| {
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = alpha * x);
    });
}

/// p ← r + β (p − ωv): the direction of BiCGSTAB, one pass.
pub fn update_bicgstab_direction<T: Scalar>(r: &[T], beta: T, omega: T, v: &[T], p: &mut [T]) {
    assert!(r.len() == p.len() && v.len() == p.len(), "update_bicgstab_direction: lengths differ");
    for_each_block((r, v, p), VECTOR_GRAIN, &|(r, v, p): (&[T], &[T], &mut [T])| {
        p.iter_mut().zip(r).zip(v).for_each(|((p, &r), &v)| *p = r + beta * (*p - omega * v));
    });
}

/// w ← (v − εw − δu) / γ, then x ← x + φw: the direction and the iterate of MINRES, one pass. `coefficients`
/// are (ε, δ, 1/γ, φ).
pub fn update_minres_direction<T: Scalar>(
    coefficients: (T, T, T, T),
    v: &[T],
    u: &[T],
    w: &mut [T],
    x: &mut [T],
) {
    assert!(
        v.len() == x.len() && u.len() == x.len() && w.len() == x.len(),
        "update_minres_direction: lengths differ"
    );
    let (epsilon, delta, inverse_gamma, phi) = coefficients;
    type Slices<'a, T> = (&'a [T], &'a [T], &'a mut [T], &'a mut [T]);
    for_each_block((v, u, w, x), VECTOR_GRAIN, &|(v, u, w, x): Slices<'_, T>| {
        for (((&v, &u), w), x) in v.iter().zip(u).zip(w).zip(x) {
            *w = (v - epsilon * *w - delta * u) * inverse_gamma;
            *x += phi * *w;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels;

    #[test]
    fn fused_passes_equal_their_parts() {
        let n = 40_003;
        let v = |k: f64| (0..n).map(|i| (i as f64 * k).sin()).collect::<Vec<_>>();
        let (q, w) = (v(0.1), v(0.2));
        let (mut r, mut s) = (v(0.3), v(0.3));
        let (dot, sq) = axpy_dot_norm2_sq(0.5, &q, &w, &mut r);
        kernels::axpy(0.5, &q, &mut s);
        assert_eq!((&r, dot, sq), (&s, kernels::dot(&w, &s), kernels::norm2_sq(&s)));

        let sq = axpby_norm2_sq(0.5, &q, -2.0, &mut r);
        kernels::axpby(0.5, &q, -2.0, &mut s);
        assert_eq!((&r, sq), (&s, kernels::norm2_sq(&s)));

        let (mut x, mut y) = (v(0.4), v(0.4));
        axpy2(2.0, &q, 0.25, &w, &mut y);
        let sq = axpy2_norm2_sq(2.0, &q, 0.25, &w, &mut x);
        assert_eq!((&x, sq), (&y, kernels::norm2_sq(&y)));
        scaled_copy(-3.0, &q, &mut x);
        assert!(x.iter().zip(&q).all(|(&x, &q)| x == -3.0 * q));

        let (mut x, mut p) = (v(0.5), v(0.6));
        axpy2(2.0, &q, 0.25, &w, &mut x);
        update_bicgstab_direction(&r, 0.5, 4.0, &w, &mut p);
        for i in [0, 1023, 1024, n - 1] {
            assert_eq!(x[i], v(0.5)[i] + (2.0 * q[i] + 0.25 * w[i]));
            assert_eq!(p[i], r[i] + 0.5 * (v(0.6)[i] - 4.0 * w[i]));
        }

        let (mut d, mut y) = (v(0.7), v(0.8));
        update_minres_direction((0.5, 0.25, 2.0, 3.0), &q, &w, &mut d, &mut y);
        for i in [0, 1023, 1024, n - 1] {
            let new = (q[i] - 0.5 * v(0.7)[i] - 0.25 * w[i]) * 2.0;
            assert_eq!((d[i], y[i]), (new, v(0.8)[i] + 3.0 * new));
        }
    }
}
