//! Vectors in and out of a cycle: another precision, a factor, and the finest level's own numbering.

use crate::{Scalar, kernels};

/// The larger of two; not a number if one of them is not.
#[derive(Clone, Copy)]
struct Largest(f64);

impl std::ops::Add for Largest {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        if self.0.is_nan() || self.0 > other.0 { self } else { other }
    }
}

/// b ← scale · values; returns the largest modulus of a value.
fn fill_block<T: Scalar>(values: impl Iterator<Item = f64>, scale: f64, b: &mut [T]) -> Largest {
    let mut largest = 0.0f64;
    let mut sum = 0.0;
    for (r, b) in values.zip(b) {
        *b = T::of(scale * r);
        largest = largest.max(r.abs());
        sum += r * 0.0;
    }
    Largest(if sum.is_nan() { f64::NAN } else { largest })
}

/// b ← scale · r; returns the largest |r_i|, not a number or infinite if one is.
pub(super) fn fill<T: Scalar>(r: &[f64], scale: f64, b: &mut [T]) -> f64 {
    kernels::reduce((r, b), kernels::VECTOR_GRAIN, &|(r, b): (&[f64], &mut [T])| {
        fill_block(r.iter().copied(), scale, b)
    })
    .0
}

/// z ← factor · x.
pub(super) fn unscale<T: Scalar>(x: &[T], factor: f64, z: &mut [f64]) {
    kernels::for_each_block((x, z), kernels::VECTOR_GRAIN, &|(x, z): (&[T], &mut [f64])| {
        x.iter().zip(z).for_each(|(x, z)| *z = factor * x.real_f64());
    });
}

/// [`fill`] with b_k ← scale · r at `order[k]`.
pub(super) fn gather<T: Scalar>(r: &[f64], order: &[u32], scale: f64, b: &mut [T]) -> f64 {
    kernels::reduce((order, b), kernels::VECTOR_GRAIN, &|(order, b): (&[u32], &mut [T])| {
        fill_block(order.iter().map(|&i| r[i as usize]), scale, b)
    })
    .0
}

/// z_i ← factor · x at `place[i]`.
pub(super) fn scatter<T: Scalar>(x: &[T], place: &[u32], factor: f64, z: &mut [f64]) {
    kernels::for_each_block((place, z), kernels::VECTOR_GRAIN, &|(place, z): (&[u32], &mut [f64])| {
        place.iter().zip(z).for_each(|(&k, z)| *z = factor * x[k as usize].real_f64());
    });
}
