//! Methods and preconditioners by name: the one place where a string becomes a type.

use std::fmt;
use std::str::FromStr;

/// A name that is none of the choices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} '{name}': choose one of {choices}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    choices: String,
}

macro_rules! named_enum {
    ($(#[$meta:meta])* $name:ident, $what:literal, $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        #[non_exhaustive]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every choice, in the order of the command line's help.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name as on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;
            fn from_str(name: &str) -> Result<Self, UnknownName> {
                Self::ALL.iter().copied().find(|c| c.as_str() == name).ok_or_else(|| UnknownName {
                    what: $what,
                    name: name.to_owned(),
                    choices: Self::ALL.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

named_enum! {
    /// Which method solves the system.
    Method, "method",
    /// Decided from measured facts of the matrix.
    #[default]
    Auto = "auto",
    /// Conjugate gradients: Hermitian positive definite.
    Cg = "cg",
    /// Flexible conjugate gradients: Hermitian positive definite, any preconditioner.
    Fcg = "fcg",
    /// MINRES: Hermitian, indefinite or singular.
    Minres = "minres",
    /// GMRES(restart): any square matrix.
    Gmres = "gmres",
    /// Flexible GMRES(restart): any square matrix, any preconditioner.
    Fgmres = "fgmres",
    /// BiCGSTAB: any square matrix, short recurrences.
    Bicgstab = "bicgstab",
    /// IDR(s): any square matrix, short recurrences.
    Idrs = "idrs",
    /// LSMR: any shape, least squares.
    Lsmr = "lsmr",
    /// Jacobi's iteration.
    Jacobi = "jacobi",
    /// Successive over-relaxation.
    Sor = "sor",
    /// Symmetric successive over-relaxation.
    Ssor = "ssor",
    /// A sparse factorization with iterative refinement.
    Direct = "direct",
}

named_enum! {
    /// Which preconditioner a Krylov method uses.
    PrecondKind, "preconditioner",
    /// The strongest one that suits the method and the matrix.
    #[default]
    Auto = "auto",
    /// None.
    None = "none",
    /// The diagonal.
    Jacobi = "jacobi",
    /// Symmetric successive over-relaxation.
    Ssor = "ssor",
    /// Incomplete Cholesky on the pattern of A.
    Ic0 = "ic0",
    /// Modified incomplete Cholesky on the pattern of A: dropped fill goes to the diagonal.
    Mic0 = "mic0",
    /// Incomplete Cholesky with a drop tolerance.
    Ict = "ict",
    /// Incomplete LU on the pattern of A.
    Ilu0 = "ilu0",
    /// Incomplete LU with a drop tolerance.
    Ilut = "ilut",
    /// Block Jacobi.
    BlockJacobi = "block-jacobi",
    /// A Chebyshev polynomial in A.
    Chebyshev = "chebyshev",
    /// Algebraic multigrid, for real matrices.
    Amg = "amg",
    /// A learned preconditioner; it is no part of this crate.
    Learned = "learned",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_errors_list_the_choices() {
        for m in Method::ALL {
            assert_eq!(m.as_str().parse::<Method>(), Ok(*m));
        }
        for p in PrecondKind::ALL {
            assert_eq!(p.as_str().parse::<PrecondKind>(), Ok(*p));
        }
        let error = "qmr".parse::<Method>().expect_err("no such method").to_string();
        assert!(error.starts_with("unknown method 'qmr'") && error.contains("bicgstab"), "{error}");
    }
}
