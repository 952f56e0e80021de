//! The operators of an expression graph, with their first and second derivatives.
//!
//! Where an operator has a kink (|x| at 0, min and max at a tie) one of its one-sided derivatives is given, and a
//! step function has derivative 0: that is what a method of smooth optimisation can use.

use std::f64::consts::LN_10;

/// A function of one argument.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Unary {
    /// −x.
    Neg,
    /// |x|.
    Abs,
    /// √x.
    Sqrt,
    /// eˣ.
    Exp,
    /// ln x.
    Log,
    /// log₁₀ x.
    Log10,
    /// sin x.
    Sin,
    /// cos x.
    Cos,
    /// tan x.
    Tan,
    /// arcsin x.
    Asin,
    /// arccos x.
    Acos,
    /// arctan x.
    Atan,
    /// sinh x.
    Sinh,
    /// cosh x.
    Cosh,
    /// tanh x.
    Tanh,
    /// arsinh x.
    Asinh,
    /// arcosh x.
    Acosh,
    /// artanh x.
    Atanh,
    /// The largest integer ≤ x.
    Floor,
    /// The smallest integer ≥ x.
    Ceil,
    /// 1 where x = 0, else 0.
    Not,
    /// xᵖ with a constant exponent.
    Power(f64),
}

impl Unary {
    /// The value at `x`.
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Neg => -x,
            Self::Abs => x.abs(),
            Self::Sqrt => x.sqrt(),
            Self::Exp => x.exp(),
            Self::Log => x.ln(),
            Self::Log10 => x.log10(),
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            Self::Asin => x.asin(),
            Self::Acos => x.acos(),
            Self::Atan => x.atan(),
            Self::Sinh => x.sinh(),
            Self::Cosh => x.cosh(),
            Self::Tanh => x.tanh(),
            Self::Asinh => x.asinh(),
            Self::Acosh => x.acosh(),
            Self::Atanh => x.atanh(),
            Self::Floor => x.floor(),
            Self::Ceil => x.ceil(),
            Self::Not => truth(x == 0.0),
            Self::Power(p) => power(x, p),
        }
    }

    /// φ′(x) and φ″(x), given φ(x) too.
    pub fn derivatives(self, x: f64, value: f64) -> (f64, f64) {
        match self {
            Self::Neg => (-1.0, 0.0),
            Self::Abs => (if x < 0.0 { -1.0 } else { truth(x > 0.0) }, 0.0),
            Self::Sqrt => {
                let d = 0.5 / value;
                (d, -0.5 * d / x)
            }
            Self::Exp => (value, value),
            Self::Log => (1.0 / x, -1.0 / (x * x)),
            Self::Log10 => (1.0 / (x * LN_10), -1.0 / (x * x * LN_10)),
            Self::Sin => (x.cos(), -value),
            Self::Cos => (-x.sin(), -value),
            Self::Tan => {
                let d = 1.0 + value * value;
                (d, 2.0 * value * d)
            }
            Self::Asin => {
                let d = 1.0 / (1.0 - x * x).sqrt();
                (d, x * d * d * d)
            }
            Self::Acos => {
                let d = 1.0 / (1.0 - x * x).sqrt();
                (-d, -x * d * d * d)
            }
            Self::Atan => {
                let d = 1.0 / (1.0 + x * x);
                (d, -2.0 * x * d * d)
            }
            Self::Sinh => (x.cosh(), value),
            Self::Cosh => (x.sinh(), value),
            Self::Tanh => {
                let d = 1.0 - value * value;
                (d, -2.0 * value * d)
            }
            Self::Asinh => {
                let d = 1.0 / (1.0 + x * x).sqrt();
                (d, -x * d * d * d)
            }
            Self::Acosh => {
                let d = 1.0 / (x * x - 1.0).sqrt();
                (d, -x * d * d * d)
            }
            Self::Atanh => {
                let d = 1.0 / (1.0 - x * x);
                (d, 2.0 * x * d * d)
            }
            Self::Floor | Self::Ceil | Self::Not => (0.0, 0.0),
            Self::Power(p) => power_derivatives(x, p),
        }
    }

    /// Whether φ″ may differ from 0.
    pub fn is_curved(self) -> bool {
        match self {
            Self::Neg | Self::Abs | Self::Floor | Self::Ceil | Self::Not => false,
            Self::Power(p) => p != 0.0 && p != 1.0,
            _ => true,
        }
    }
}

/// A function of two arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Binary {
    /// x − y.
    Sub,
    /// x y.
    Mul,
    /// x / y.
    Div,
    /// xʸ.
    Pow,
    /// The angle of the point (y, x): arctan(x / y) in the right quadrant.
    Atan2,
    /// The smaller.
    Min,
    /// The larger.
    Max,
    /// The remainder of x / y, with the sign of x.
    Rem,
    /// max(x − y, 0).
    Less,
    /// x / y, cut to an integer.
    IntDiv,
    /// x rounded to y decimal places.
    Round,
    /// x cut to y decimal places.
    Trunc,
    /// 1 where x < y, else 0.
    IsLess,
    /// 1 where x ≤ y, else 0.
    IsLessOrEqual,
    /// 1 where x = y, else 0.
    IsEqual,
    /// 1 where neither is 0, else 0.
    And,
    /// 1 where one is not 0, else 0.
    Or,
}

/// First and second partial derivatives of a node with respect to its arguments x and y.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Partials {
    /// ∂φ/∂x.
    pub x: f64,
    /// ∂φ/∂y.
    pub y: f64,
    /// ∂²φ/∂x².
    pub xx: f64,
    /// ∂²φ/∂x∂y.
    pub xy: f64,
    /// ∂²φ/∂y².
    pub yy: f64,
}

/// Which second derivatives may differ from 0: in x twice, in both, in y twice.
pub(super) type Curvature = (bool, bool, bool);

impl Binary {
    /// The value at (`x`, `y`).
    pub fn value(self, x: f64, y: f64) -> f64 {
        match self {
            Self::Sub => x - y,
            Self::Mul => x * y,
            Self::Div => x / y,
            Self::Pow => power(x, y),
            Self::Atan2 => x.atan2(y),
            Self::Min => {
                if y < x || y.is_nan() {
                    y
                } else {
                    x
                }
            }
            Self::Max => {
                if y > x || y.is_nan() {
                    y
                } else {
                    x
                }
            }
            Self::Rem => x % y,
            Self::Less => {
                if x < y {
                    0.0
                } else {
                    x - y
                }
            }
            Self::IntDiv => (x / y).trunc(),
            Self::Round => to_places(x, y, f64::round),
            Self::Trunc => to_places(x, y, f64::trunc),
            Self::IsLess => truth(x < y),
            Self::IsLessOrEqual => truth(x <= y),
            Self::IsEqual => truth(x == y),
            Self::And => truth(x != 0.0 && y != 0.0),
            Self::Or => truth(x != 0.0 || y != 0.0),
        }
    }

    /// All first and second derivatives, given the value too.
    pub fn partials(self, x: f64, y: f64, value: f64) -> Partials {
        let first = |x, y| Partials { x, y, ..Partials::default() };
        match self {
            Self::Sub => first(1.0, -1.0),
            Self::Mul => Partials { x: y, y: x, xy: 1.0, ..Partials::default() },
            Self::Div => {
                let r = 1.0 / y;
                Partials { x: r, y: -value * r, xx: 0.0, xy: -r * r, yy: 2.0 * value * r * r }
            }
            Self::Pow => {
                let (dx, dxx) = power_derivatives(x, y);
                // xʸ ln x tends to 0 with x where y > 0.
                let log = if value == 0.0 && x == 0.0 { 0.0 } else { x.ln() };
                let slope = if y == 1.0 { 1.0 } else { power(x, y - 1.0) };
                Partials {
                    x: dx,
                    y: value * log,
                    xx: dxx,
                    xy: slope * (1.0 + y * log),
                    yy: value * log * log,
                }
            }
            Self::Atan2 => {
                let r2 = x * x + y * y;
                let r4 = r2 * r2;
                let cross = 2.0 * x * y / r4;
                Partials { x: y / r2, y: -x / r2, xx: -cross, xy: (x * x - y * y) / r4, yy: cross }
            }
            Self::Min => {
                if y < x {
                    first(0.0, 1.0)
                } else {
                    first(1.0, 0.0)
                }
            }
            Self::Max => {
                if y > x {
                    first(0.0, 1.0)
                } else {
                    first(1.0, 0.0)
                }
            }
            Self::Rem => first(1.0, -(x / y).trunc()),
            Self::Less => {
                if x < y {
                    first(0.0, 0.0)
                } else {
                    first(1.0, -1.0)
                }
            }
            _ => Partials::default(),
        }
    }

    /// Which second derivatives may differ from 0.
    pub(super) fn curvature(self) -> Curvature {
        match self {
            Self::Mul => (false, true, false),
            Self::Div => (false, true, true),
            Self::Pow | Self::Atan2 => (true, true, true),
            _ => (false, false, false),
        }
    }
}

/// A truth value as a number.
pub(super) fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// xᵖ; whole exponents by multiplication, which is exact for squares.
fn power(x: f64, p: f64) -> f64 {
    if p == 2.0 {
        x * x
    } else if p.fract() == 0.0 && p.abs() <= 64.0 {
        x.powi(p as i32)
    } else {
        x.powf(p)
    }
}

fn power_derivatives(x: f64, p: f64) -> (f64, f64) {
    let first = if p == 0.0 { 0.0 } else { p * power(x, p - 1.0) };
    let second = p * (p - 1.0);
    (first, if second == 0.0 { 0.0 } else { second * power(x, p - 2.0) })
}

fn to_places(x: f64, places: f64, cut: fn(f64) -> f64) -> f64 {
    let scale = 10.0_f64.powf(places.trunc());
    cut(x * scale) / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMOOTH: [(Unary, f64); 20] = [
        (Unary::Neg, 0.3),
        (Unary::Abs, -0.7),
        (Unary::Sqrt, 1.7),
        (Unary::Exp, 0.4),
        (Unary::Log, 0.6),
        (Unary::Log10, 2.3),
        (Unary::Sin, 1.1),
        (Unary::Cos, 1.1),
        (Unary::Tan, 0.8),
        (Unary::Asin, 0.5),
        (Unary::Acos, 0.5),
        (Unary::Atan, 1.5),
        (Unary::Sinh, 0.9),
        (Unary::Cosh, 0.9),
        (Unary::Tanh, 0.7),
        (Unary::Asinh, 1.2),
        (Unary::Acosh, 1.9),
        (Unary::Atanh, 0.4),
        (Unary::Power(3.0), -1.3),
        (Unary::Power(2.5), 1.4),
    ];

    #[test]
    fn unary_derivatives_agree_with_differences() {
        let h = 1e-5;
        for (op, x) in SMOOTH {
            let (first, second) = op.derivatives(x, op.value(x));
            let slope = (op.value(x + h) - op.value(x - h)) / (2.0 * h);
            let d = |x: f64| op.derivatives(x, op.value(x)).0;
            let bend = (d(x + h) - d(x - h)) / (2.0 * h);
            assert!((first - slope).abs() < 1e-8 * (1.0 + first.abs()), "{op:?}: {first} {slope}");
            assert!((second - bend).abs() < 1e-7 * (1.0 + second.abs()), "{op:?}: {second} {bend}");
            assert!(op.is_curved() || second == 0.0, "{op:?}");
        }
    }

    #[test]
    fn binary_derivatives_agree_with_differences() {
        let (h, x, y) = (1e-5, 1.3, 0.8);
        let ops = [
            Binary::Sub,
            Binary::Mul,
            Binary::Div,
            Binary::Pow,
            Binary::Atan2,
            Binary::Min,
            Binary::Max,
            Binary::Rem,
            Binary::Less,
        ];
        for op in ops {
            let at = |x: f64, y: f64| op.partials(x, y, op.value(x, y));
            let p = at(x, y);
            let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-7 * (1.0 + a.abs()), "{op:?}: {a} {b}");
            near(p.x, (op.value(x + h, y) - op.value(x - h, y)) / (2.0 * h));
            near(p.y, (op.value(x, y + h) - op.value(x, y - h)) / (2.0 * h));
            near(p.xx, (at(x + h, y).x - at(x - h, y).x) / (2.0 * h));
            near(p.xy, (at(x, y + h).x - at(x, y - h).x) / (2.0 * h));
            near(p.yy, (at(x, y + h).y - at(x, y - h).y) / (2.0 * h));
            let (xx, xy, yy) = op.curvature();
            assert!((xx || p.xx == 0.0) && (xy || p.xy == 0.0) && (yy || p.yy == 0.0), "{op:?}");
        }
    }

    #[test]
    fn powers_at_zero_are_finite_where_they_exist() {
        assert_eq!(Unary::Power(2.0).derivatives(0.0, 0.0), (0.0, 2.0));
        assert_eq!(Unary::Power(1.0).derivatives(0.0, 0.0), (1.0, 0.0));
        assert_eq!(Unary::Power(0.0).derivatives(0.0, 1.0), (0.0, 0.0));
        assert_eq!(Binary::Pow.partials(0.0, 2.0, 0.0).y, 0.0);
    }
}
