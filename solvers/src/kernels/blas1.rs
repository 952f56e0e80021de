//! Vector operations, y ← αx + βy and their kin. Lengths must agree; a shorter one panics.

use super::tree::Sums;
use super::{VECTOR_GRAIN, for_each_block, reduce};
use residua_data::Scalar;
use residua_data::scalar::real_to_f64;

/// Independent partial sums in a block: enough to hide the latency of an addition.
const LANES: usize = 8;

/// Σ f(xᵢ, yᵢ) in the fixed order of a block: lane l sums the elements l, l + 8, …, lanes are added last.
#[inline(always)]
pub(super) fn block_sum<T: Copy, R: std::ops::Add<Output = R> + Copy>(
    x: &[T],
    y: &[T],
    zero: R,
    f: impl Fn(T, T) -> R,
) -> R {
    let mut sums = [zero; LANES];
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let tail = xs.remainder().iter().zip(ys.remainder()).fold(zero, |s, (&x, &y)| s + f(x, y));
    for (x, y) in xs.zip(ys) {
        for l in 0..LANES {
            sums[l] = sums[l] + f(x[l], y[l]);
        }
    }
    let pairs = [sums[0] + sums[4], sums[1] + sums[5], sums[2] + sums[6], sums[3] + sums[7]];
    ((pairs[0] + pairs[2]) + (pairs[1] + pairs[3])) + tail
}

/// xᴴ y.
pub fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    assert_eq!(x.len(), y.len(), "dot: lengths differ");
    reduce((x, y), VECTOR_GRAIN, &|(x, y): (&[T], &[T])| block_sum(x, y, T::zero(), |x, y| x.conjugate() * y))
}

/// ‖x‖₂² in the type's own precision; may over- or underflow, see [`norm2`].
pub fn norm2_sq<T: Scalar>(x: &[T]) -> T::RealField {
    let zero = T::zero().abs_sq();
    reduce(x, VECTOR_GRAIN, &|x: &[T]| block_sum(x, x, zero, |x, _| x.abs_sq()))
}

/// ‖x‖₂ as `f64`, exact to rounding for any finite x: where the sum of squares would over- or underflow,
/// x is scaled by its largest modulus first.
pub fn norm2<T: Scalar>(x: &[T]) -> f64 {
    norm_from_sq(real_to_f64::<T>(norm2_sq(x)), x)
}

/// Whether a sum of squares is far enough from the ends of `T`'s range that none of its terms that matter
/// over- or underflowed.
pub(crate) fn is_safe_sq<T: Scalar>(sq: f64) -> bool {
    let (tiny, huge) = if T::epsilon_f64() > 1e-10 { (1e-28, 1e36) } else { (1e-280, 1e300) };
    sq > tiny && sq < huge
}

/// ‖x‖₂ given the sum of squares `sq` that a fused kernel computed, recomputed where `sq` is not safe.
pub fn norm_from_sq<T: Scalar>(sq: f64, x: &[T]) -> f64 {
    if is_safe_sq::<T>(sq) {
        return sq.sqrt();
    }
    let max =
        x.iter().map(|v| v.modulus_f64()).fold(0.0, |m: f64, v| if v > m || v.is_nan() { v } else { m });
    if max == 0.0 || !max.is_finite() {
        return max;
    }
    max * x.iter().map(|v| (v.modulus_f64() / max).powi(2)).sum::<f64>().sqrt()
}

/// xᴴ y and ‖y‖₂², in one pass.
pub fn dot_and_norm2_sq<T: Scalar>(x: &[T], y: &[T]) -> (T, T::RealField) {
    assert_eq!(x.len(), y.len(), "dot_and_norm2_sq: lengths differ");
    let zero = T::zero().abs_sq();
    let Sums(dot, sq) = reduce((x, y), VECTOR_GRAIN, &|(x, y): (&[T], &[T])| {
        block_sum(x, y, Sums(T::zero(), zero), |x, y| Sums(x.conjugate() * y, y.abs_sq()))
    });
    (dot, sq)
}

/// y ← x.
pub fn copy<T: Scalar>(x: &[T], y: &mut [T]) {
    assert_eq!(x.len(), y.len(), "copy: lengths differ");
    for_each_block((x, y), VECTOR_GRAIN, &|(x, y): (&[T], &mut [T])| y.copy_from_slice(x));
}

/// y ← y + αx.
pub fn axpy<T: Scalar>(alpha: T, x: &[T], y: &mut [T]) {
    assert_eq!(x.len(), y.len(), "axpy: lengths differ");
    for_each_block((x, y), VECTOR_GRAIN, &|(x, y): (&[T], &mut [T])| {
        y.iter_mut().zip(x).for_each(|(y, &x)| *y += alpha * x);
    });
}

/// y ← x + βy.
pub fn xpby<T: Scalar>(x: &[T], beta: T, y: &mut [T]) {
    assert_eq!(x.len(), y.len(), "xpby: lengths differ");
    for_each_block((x, y), VECTOR_GRAIN, &|(x, y): (&[T], &mut [T])| {
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = x + beta * *y);
    });
}

/// y ← αx + βy.
pub fn axpby<T: Scalar>(alpha: T, x: &[T], beta: T, y: &mut [T]) {
    assert_eq!(x.len(), y.len(), "axpby: lengths differ");
    for_each_block((x, y), VECTOR_GRAIN, &|(x, y): (&[T], &mut [T])| {
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = alpha * x + beta * *y);
    });
}

/// x ← αx.
pub fn scale<T: Scalar>(alpha: T, x: &mut [T]) {
    for_each_block(x, VECTOR_GRAIN, &|x: &mut [T]| x.iter_mut().for_each(|x| *x *= alpha));
}

/// r ← b − r.
pub fn subtract_from<T: Scalar>(b: &[T], r: &mut [T]) {
    assert_eq!(b.len(), r.len(), "subtract_from: lengths differ");
    for_each_block((b, r), VECTOR_GRAIN, &|(b, r): (&[T], &mut [T])| {
        r.iter_mut().zip(b).for_each(|(r, &b)| *r = b - *r);
    });
}

/// z ← d ∘ r, elementwise.
pub fn multiply_elementwise<T: Scalar>(d: &[T], r: &[T], z: &mut [T]) {
    assert!(d.len() == r.len() && r.len() == z.len(), "multiply_elementwise: lengths differ");
    for_each_block((d, r, z), VECTOR_GRAIN, &|(d, r, z): (&[T], &[T], &mut [T])| {
        z.iter_mut().zip(d).zip(r).for_each(|((z, &d), &r)| *z = d * r);
    });
}

/// r ← r − αq, and returns ‖r‖₂² of the new r: one pass.
pub fn axpy_norm2_sq<T: Scalar>(alpha: T, q: &[T], r: &mut [T]) -> T::RealField {
    assert_eq!(q.len(), r.len(), "axpy_norm2_sq: lengths differ");
    let zero = T::zero().abs_sq();
    reduce((q, r), VECTOR_GRAIN, &|(q, r): (&[T], &mut [T])| {
        r.iter_mut().zip(q).for_each(|(r, &q)| *r += alpha * q);
        block_sum(r, r, zero, |r, _| r.abs_sq())
    })
}

/// r ← r + αq, and returns (‖r‖₂², rᴴ(d ∘ r)) of the new r: one pass; for a diagonal preconditioner.
pub fn axpy_norms_diagonal<T: Scalar>(alpha: T, q: &[T], d: &[T], r: &mut [T]) -> (T::RealField, T) {
    assert!(q.len() == r.len() && d.len() == r.len(), "axpy_norms_diagonal: lengths differ");
    let zero = T::zero().abs_sq();
    let Sums(sq, rz) = reduce((q, d, r), VECTOR_GRAIN, &|(q, d, r): (&[T], &[T], &mut [T])| {
        r.iter_mut().zip(q).for_each(|(r, &q)| *r += alpha * q);
        block_sum(r, d, Sums(zero, T::zero()), |r, d| Sums(r.abs_sq(), r.conjugate() * (d * r)))
    });
    (sq, rz)
}

/// x ← x + αp, then p ← z + βp: the two updates of CG that share p, in one pass.
pub fn update_x_and_p<T: Scalar>(alpha: T, z: &[T], beta: T, x: &mut [T], p: &mut [T]) {
    assert!(z.len() == x.len() && x.len() == p.len(), "update_x_and_p: lengths differ");
    for_each_block((z, x, p), VECTOR_GRAIN, &|(z, x, p): (&[T], &mut [T], &mut [T])| {
        for ((&z, x), p) in z.iter().zip(x).zip(p) {
            *x += alpha * *p;
            *p = z + beta * *p;
        }
    });
}

/// x ← x + αp, then p ← d ∘ r + βp: as [`update_x_and_p`] with z = d ∘ r never stored.
pub fn update_x_and_p_diagonal<T: Scalar>(alpha: T, d: &[T], r: &[T], beta: T, x: &mut [T], p: &mut [T]) {
    assert!(
        d.len() == r.len() && r.len() == x.len() && x.len() == p.len(),
        "update_x_and_p_diagonal: lengths differ"
    );
    type Slices<'a, T> = (&'a [T], &'a [T], &'a mut [T], &'a mut [T]);
    for_each_block((d, r, x, p), VECTOR_GRAIN, &|(d, r, x, p): Slices<'_, T>| {
        for (((&d, &r), x), p) in d.iter().zip(r).zip(x).zip(p) {
            *x += alpha * *p;
            *p = d * r + beta * *p;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex;

    #[test]
    fn the_dot_product_conjugates_its_first_argument() {
        let x = [Complex::new(0.0, 1.0); 3];
        assert_eq!(dot(&x, &x), Complex::new(3.0, 0.0));
    }

    #[test]
    fn norms_survive_extreme_scales() {
        for scale in [1e-300, 1e-200, 1e-160, 1.0, 1e160, 1e300] {
            let x = vec![3.0 * scale, -4.0 * scale];
            assert!((norm2(&x) / scale - 5.0).abs() < 1e-14, "{scale}: {}", norm2(&x));
        }
        assert!((norm2(&[3e-30f32, 4e-30]) / 5e-30 - 1.0).abs() < 1e-6);
        assert_eq!(norm2(&[0.0; 4]), 0.0);
        assert!(norm2(&[1.0, f64::NAN]).is_nan());
        assert_eq!(norm2(&[1.0, f64::INFINITY]), f64::INFINITY);
    }

    #[test]
    fn fused_kernels_equal_their_parts() {
        let n = 70_001;
        let v = |k: f64| (0..n).map(|i| (i as f64 * k).sin()).collect::<Vec<_>>();
        let (d, r, q) = (v(0.1), v(0.2), v(0.3));
        let (mut x1, mut p1, mut x2, mut p2) = (v(0.4), v(0.5), v(0.4), v(0.5));
        let mut z = vec![0.0; n];
        multiply_elementwise(&d, &r, &mut z);
        update_x_and_p(0.7, &z, 0.3, &mut x1, &mut p1);
        update_x_and_p_diagonal(0.7, &d, &r, 0.3, &mut x2, &mut p2);
        assert_eq!((&x1, &p1), (&x2, &p2));
        let (mut r1, mut r2) = (r.clone(), r.clone());
        let (sq, rz) = axpy_norms_diagonal(-0.2, &q, &d, &mut r1);
        assert_eq!(sq, axpy_norm2_sq(-0.2, &q, &mut r2));
        assert_eq!(r1, r2);
        multiply_elementwise(&d, &r1, &mut z);
        assert!((rz - dot(&r1, &z)).abs() < 1e-12 * n as f64);
    }
}
