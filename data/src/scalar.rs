//! The number types of the toolkit: `f32`, `f64`, `Complex<f32>`, `Complex<f64>`.

use nalgebra::{ComplexField, RealField};

/// A real or complex floating-point number: [`nalgebra::ComplexField`] plus `Copy`.
///
/// Implemented for every type that has these bounds; never implement it by hand. The arithmetic is
/// nalgebra's (`modulus`, `conjugate`, `real`, …); the provided methods only cross to and from `f64`,
/// in which tolerances, norms and reports are written.
pub trait Scalar: ComplexField<RealField: RealField + Copy + Default> + Copy + Default {
    /// The real number nearest to `value`, as this type.
    #[inline(always)]
    fn of(value: f64) -> Self {
        nalgebra::convert(value)
    }

    /// |self| as `f64`.
    #[inline(always)]
    fn modulus_f64(self) -> f64 {
        real_to_f64::<Self>(self.modulus())
    }

    /// |self|² as this type's real, without the square root of [`ComplexField::modulus`].
    #[inline(always)]
    fn abs_sq(self) -> Self::RealField {
        self.modulus_squared()
    }

    /// The real part as `f64`.
    #[inline(always)]
    fn real_f64(self) -> f64 {
        real_to_f64::<Self>(self.real())
    }

    /// Unit roundoff's double: the gap between 1 and the next number of this precision, as `f64`.
    #[inline]
    fn epsilon_f64() -> f64 {
        if size_of::<Self::RealField>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON }
    }

    /// Whether the type has an imaginary part.
    #[inline(always)]
    fn is_complex_type() -> bool {
        size_of::<Self>() != size_of::<Self::RealField>()
    }
}

impl<T> Scalar for T where T: ComplexField<RealField: RealField + Copy + Default> + Copy + Default {}

/// A real of `T`'s precision as `f64`.
#[inline(always)]
pub fn real_to_f64<T: Scalar>(value: T::RealField) -> f64 {
    nalgebra::convert_unchecked::<T::RealField, f64>(value)
}

/// `value` rounded to a real of `T`'s precision.
#[inline(always)]
pub fn real_from_f64<T: Scalar>(value: f64) -> T::RealField {
    nalgebra::convert(value)
}
