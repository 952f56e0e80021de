//! What can be chosen about a multigrid cycle.

/// How often a level visits the next coarser one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Cycle {
    /// Once.
    #[default]
    V,
    /// Twice on every level below the finest.
    W,
}

/// How errors are smoothed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Smoother {
    /// Jacobi steps at the roots of the Chebyshev polynomial for the modes that the coarse grid lacks: as good a sweep
    /// as red-black Gauss-Seidel at the same cost, and it fills vector registers.
    #[default]
    Chebyshev,
    /// Jacobi steps with one damping factor.
    Jacobi,
    /// Gauss-Seidel in two colours.
    RedBlack,
}

/// Floating point format of the levels' vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Precision {
    /// 32 bits: half the bytes; the outer iteration stays in double precision.
    #[default]
    Single,
    /// 64 bits.
    Double,
}

/// Options of [`GeometricMultigrid`](super::GeometricMultigrid).
///
/// `MultigridOptions { cycle: Cycle::W, ..Default::default() }`, or [`MultigridOptions::default().with_cycle(Cycle::W)`](Self::with_cycle).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultigridOptions {
    /// V or W. Default V.
    pub cycle: Cycle,
    /// Default Chebyshev.
    pub smoother: Smoother,
    /// Sweeps before the coarse correction, at least 1. Default 2. A symmetric cycle has as many after it.
    pub pre_sweeps: usize,
    /// Sweeps after the coarse correction. Default 2.
    pub post_sweeps: usize,
    /// A level of at most this many points is solved directly; 1 to 2048. Default 200.
    pub coarsest_points: usize,
    /// Default single.
    pub precision: Precision,
}

impl Default for MultigridOptions {
    fn default() -> Self {
        Self {
            cycle: Cycle::V,
            smoother: Smoother::Chebyshev,
            pre_sweeps: 2,
            post_sweeps: 2,
            coarsest_points: 200,
            precision: Precision::Single,
        }
    }
}

impl MultigridOptions {
    /// The same options with this cycle.
    #[must_use]
    pub fn with_cycle(self, cycle: Cycle) -> Self {
        Self { cycle, ..self }
    }

    /// The same options with this smoother.
    #[must_use]
    pub fn with_smoother(self, smoother: Smoother) -> Self {
        Self { smoother, ..self }
    }

    /// The same options with `sweeps` before and after the coarse correction.
    #[must_use]
    pub fn with_sweeps(self, sweeps: usize) -> Self {
        Self { pre_sweeps: sweeps, post_sweeps: sweeps, ..self }
    }

    /// The same options in this precision.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }
}
