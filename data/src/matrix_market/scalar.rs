//! The number types that a file's values become.

use crate::Scalar;
use num_complex::Complex;

/// A [`Scalar`] that Matrix Market files can be read into and written from: `f32`, `f64`, `Complex<f32>`,
/// `Complex<f64>`. Values are read as `f64` and then rounded to the type's precision.
pub trait FileScalar: Scalar + sealed::Sealed {
    /// The number with these parts; a real type drops `im`.
    fn from_parts(re: f64, im: f64) -> Self;

    /// Real and imaginary part.
    fn parts(self) -> (f64, f64);
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for num_complex::Complex<f32> {}
    impl Sealed for num_complex::Complex<f64> {}
}

impl FileScalar for f32 {
    #[inline(always)]
    fn from_parts(re: f64, _: f64) -> Self {
        re as f32
    }

    fn parts(self) -> (f64, f64) {
        (f64::from(self), 0.0)
    }
}

impl FileScalar for f64 {
    #[inline(always)]
    fn from_parts(re: f64, _: f64) -> Self {
        re
    }

    fn parts(self) -> (f64, f64) {
        (self, 0.0)
    }
}

impl FileScalar for Complex<f32> {
    #[inline(always)]
    fn from_parts(re: f64, im: f64) -> Self {
        Self::new(re as f32, im as f32)
    }

    fn parts(self) -> (f64, f64) {
        (f64::from(self.re), f64::from(self.im))
    }
}

impl FileScalar for Complex<f64> {
    #[inline(always)]
    fn from_parts(re: f64, im: f64) -> Self {
        Self::new(re, im)
    }

    fn parts(self) -> (f64, f64) {
        (self.re, self.im)
    }
}
