//! What a multigrid hierarchy is made of, by name.

use super::classical::ClassicalOptions;
use crate::SolveError;
use crate::precond::multigrid::{Cycle, Precision};

/// Options of [`Amg`](super::Amg). The defaults suit scalar elliptic problems.
#[derive(Debug, Clone, PartialEq)]
pub struct AmgOptions {
    /// How the next coarser level is chosen. Default: from the matrix ([`Coarsening::Auto`]).
    pub coarsening: Coarsening,
    /// What damps the errors that a coarser level cannot see. Default: from the matrix ([`Smoother::Auto`]).
    pub smoother: Smoother,
    /// In which order the levels are visited. Default [`Cycle::V`].
    pub cycle: Cycle,
    /// A level is visited twice where one visit, with all below it, moves at most this share of the bytes of the level
    /// above; 0 for never, infinity for [`Cycle::W`]. Default 0.6, which costs a cycle a tenth in three dimensions.
    pub second_visit: f64,
    /// The numbers that the cycle computes with. Default [`Precision::Single`]; where a level does not fit the range of
    /// 32-bit numbers, 64-bit ones are used instead.
    pub precision: Precision,
    /// Most levels, the finest included. Default 25.
    pub max_levels: usize,
    /// A level of at most this many unknowns is solved by a dense factorization. Default 400.
    pub coarse_size: usize,
    /// Whether [`refresh`](crate::precond::Refresh::refresh) keeps the prolongations and only computes the coarser matrices
    /// anew, for matrices that change a little: set-up then costs half, and 24 bytes an entry of P more are kept. Default
    /// false: a refresh makes everything anew.
    pub reuse_prolongation: bool,
    /// Unknowns per node, numbered node by node (2 or 3 for elasticity). Nodes are aggregated as a whole. Default 1.
    pub block_size: usize,
}

impl Default for AmgOptions {
    fn default() -> Self {
        Self {
            coarsening: Coarsening::Auto,
            smoother: Smoother::Auto,
            cycle: Cycle::V,
            second_visit: 0.6,
            precision: Precision::Single,
            max_levels: 25,
            coarse_size: 400,
            reuse_prolongation: false,
            block_size: 1,
        }
    }
}

impl AmgOptions {
    /// Refuses values that no cycle can be built with, for n unknowns.
    pub(super) fn check(&self, n: usize) -> Result<(), SolveError> {
        let refuse = |name: &'static str, value: String, expected: &'static str| {
            Err(SolveError::InvalidOption { name, value, expected })
        };
        if self.block_size == 0 || !n.is_multiple_of(self.block_size) {
            return refuse(
                "block_size",
                self.block_size.to_string(),
                "a divisor of the number of unknowns, from 1",
            );
        }
        if self.second_visit.is_nan() || self.second_visit < 0.0 {
            return refuse(
                "second_visit",
                self.second_visit.to_string(),
                "a share of a level's bytes, from 0",
            );
        }
        let scale = self.correction_scale();
        if !(scale > 0.0 && scale.is_finite()) {
            return refuse("correction_scale", scale.to_string(), "a factor above 0, such as 1.1");
        }
        Ok(())
    }

    /// What corrections are multiplied by: interpolation from a subset of the unknowns needs no factor.
    pub(super) fn correction_scale(&self) -> f64 {
        match &self.coarsening {
            Coarsening::Auto => AggregationOptions::default().correction_scale,
            Coarsening::SmoothedAggregation(options) => options.correction_scale,
            Coarsening::Classical(_) => 1.0,
        }
    }
}

/// How a coarser level is made.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Coarsening {
    /// From a sample of 4096 rows; the same for any multiple of A.
    ///
    /// Classical without an aggressive level if A is symmetric with one unknown a node and no near null space given, at
    /// most 0.05 of its couplings have the sign of the diagonal, and more than 0.25 of the unknowns have couplings more than
    /// twice as large or less than half as large as the unknown that they follow most closely (coefficients that vary from
    /// point to point); else smoothed aggregation. [`Amg::coarsening`](super::Amg::coarsening) tells which.
    #[default]
    Auto,
    /// Smoothed aggregation.
    SmoothedAggregation(AggregationOptions),
    /// A subset of the unknowns and interpolation along strong couplings.
    Classical(ClassicalOptions),
}

impl Coarsening {
    /// The name as in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::SmoothedAggregation(_) => "smoothed-aggregation",
            Self::Classical(_) => "classical",
        }
    }
}

/// Options of smoothed aggregation (Vaněk, Mandel, Brezina 1996).
#[derive(Debug, Clone, PartialEq)]
pub struct AggregationOptions {
    /// When a coupling counts.
    pub strength: Strength,
    /// Whether the prolongation is smoothed by a damped Jacobi step. Default true; false is plain aggregation.
    pub smooth_prolongation: bool,
    /// What corrections from a coarser level are multiplied by, above 0. Default 1.1: smoothed aggregates are a little too
    /// stiff; plain ones want 1.5 to 1.8.
    pub correction_scale: f64,
}

impl Default for AggregationOptions {
    fn default() -> Self {
        Self {
            strength: Strength::Symmetric { threshold: 0.08 },
            smooth_prolongation: true,
            correction_scale: 1.1,
        }
    }
}

/// Which couplings are strong.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Strength {
    /// |a_ij| > θ √(|a_ii a_jj|), θ halved from level to level (Vaněk, Mandel, Brezina 1996, eq. 5.2).
    Symmetric {
        /// θ on the finest level, in \[0, 1).
        threshold: f64,
    },
    /// −a_ij ≥ θ max_k(−a_ik) in row i or in row j (Ruge and Stüben 1987), for M-matrices.
    Classical {
        /// θ, in \[0, 1).
        threshold: f64,
    },
}

/// What damps the errors that a coarser level cannot see.
///
/// Every choice makes a symmetric cycle of a symmetric matrix: the sweep after the coarse correction is the adjoint of
/// the one before it. The cycle is positive definite where ρ(I − M⁻¹A) < 1 in the energy norm, which ℓ1-Jacobi,
/// Chebyshev and both Gauss-Seidel smoothers guarantee for every symmetric positive definite matrix.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Smoother {
    /// On the finest level multicolour Gauss-Seidel where few colours do, else Chebyshev of degree 2. For nonsymmetric
    /// matrices ILU(0), but multicolour Gauss-Seidel on all levels where Σ |a_ij − a_ji| ≤ 0.01 Σ |a_ij|.
    #[default]
    Auto,
    /// x ← x + ω D⁻¹ r; ω = 4/(3 ρ), ρ the largest row sum of |D⁻¹A|, where none is given.
    Jacobi {
        /// Damping; none is chosen from the matrix.
        omega: Option<f64>,
    },
    /// Jacobi with the row sums of moduli as the diagonal (Baker, Falgout, Kolev, Yang 2011).
    L1Jacobi,
    /// The diagonal M that minimises ‖I − MA‖ in the Frobenius norm (Bröker and Grote 2002).
    Spai0,
    /// Chebyshev polynomial in D⁻¹A over the upper part of its spectrum (Adams, Brezina, Hu, Tuminaro 2003).
    Chebyshev {
        /// Products with A per sweep, from 1.
        degree: usize,
    },
    /// Gauss-Seidel, colour by colour: forward before, backward after the correction.
    MulticolorGaussSeidel,
    /// Gauss-Seidel within fixed blocks of rows, ℓ1-Jacobi between them; symmetric sweeps.
    HybridGaussSeidel,
    /// Incomplete LU on the pattern.
    Ilu0,
    /// Incomplete Cholesky on the pattern.
    Ic0,
}
