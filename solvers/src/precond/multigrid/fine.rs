//! The finest level alone, for cycles whose coarse levels are of another kind: smoothing before and after a correction,
//! each as one pass over memory.

use super::coarsen::Fine;
use super::grid::GridProblem;
use super::io::{Outer, OuterSource, Runs};
use super::ops::{Constant, Faces};
use super::transfer::{RowScratch, Shape, Transfer};
use super::wavefront::{Pool, Step, ascend, descend};
use crate::SolveError;

#[derive(Debug)]
enum Kind {
    Constant2(Constant<f32, false>),
    Constant3(Constant<f32, true>),
    Faces2(Faces<f32, false>),
    Faces3(Faces<f32, true>),
}

macro_rules! on_kind {
    ($kind:expr, $s:ident => $body:expr) => {
        match $kind {
            Kind::Constant2($s) => $body,
            Kind::Constant3($s) => $body,
            Kind::Faces2($s) => $body,
            Kind::Faces3($s) => $body,
        }
    };
}

/// Smoothing on a box of points in single precision, x ← x + ω θ D⁻¹ (r − A x).
///
/// With post-smoothing that mirrors the pre-smoothing and a symmetric positive semidefinite correction in between,
/// the cycle is symmetric positive definite if |Π (1 − ω_q λ)| < 1 for λ in (0, 2]: D⁻¹A has its eigenvalues there, and so
/// has θ D⁻¹A with 0 < θ ≤ 1.
///
/// **Cost** of both halves: 40 bytes a point for the vectors, and twice 16 (3D) or 12 (2D) where faces have their own
/// coefficients.
#[derive(Debug)]
pub struct FineLevel {
    shape: Shape,
    unknowns: usize,
    runs: Runs,
    kind: Kind,
    pre: Vec<Step<f32>>,
    post: Vec<Step<f32>>,
    pool: Pool<f32>,
    x: Vec<f32>,
    /// Sums over slabs.
    dots: Vec<f64>,
}

impl FineLevel {
    /// Steps ω₁, ω₂, ... before the correction, and in reverse after it; θ = `walls` at points with a closed face (1
    /// elsewhere, and everywhere if all coefficients are constant).
    ///
    /// # Errors
    /// As [`GridProblem::check`]; [`SolveError::InvalidOption`] without steps, or for a θ outside (0, 1].
    pub fn new(problem: &GridProblem, omega: &[f64], walls: f64) -> Result<Self, SolveError> {
        problem.check()?;
        if omega.is_empty() || !omega.iter().all(|w| w.is_finite()) {
            let value = format!("{omega:?}");
            return Err(SolveError::InvalidOption {
                name: "omega",
                value,
                expected: "one finite number or more",
            });
        }
        if !(walls > 0.0 && walls <= 1.0) {
            let value = walls.to_string();
            return Err(SolveError::InvalidOption {
                name: "walls",
                value,
                expected: "it must lie in (0, 1]",
            });
        }
        let fine = Fine::of(problem);
        let shape = Shape::new(problem.dims, [false; 3]);
        let kind = match (fine.has_middle(), fine.constant(), fine.constant()) {
            (true, _, Some(s)) => Kind::Constant3(s),
            (false, Some(s), _) => Kind::Constant2(s),
            (true, ..) => Kind::Faces3(fine.faces(walls)),
            (false, ..) => Kind::Faces2(fine.faces(walls)),
        };
        let step = |&omega: &f64| Step { omega: omega as f32, colour: None };
        Ok(Self {
            shape,
            unknowns: problem.unknowns(),
            runs: Runs::new(problem.dims, problem.unknown_of_point.as_deref()),
            kind,
            pre: omega.iter().map(step).collect(),
            post: omega.iter().rev().map(step).collect(),
            pool: Pool::new(&shape, omega.len(), rayon::current_num_threads()),
            x: vec![0.0; problem.points()],
            dots: vec![0.0; problem.dims[2]],
        })
    }

    /// Number of points.
    pub fn points(&self) -> usize {
        self.x.len()
    }

    /// Smooths A x = `scale` r from 0, and writes scale · r − A x, one number a point; `r` has one an unknown.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    pub fn descend(&mut self, r: &[f64], scale: f64, residual: &mut [f32]) -> Result<(), SolveError> {
        crate::error::check_len("r", self.unknowns, r.len())?;
        crate::error::check_len("residual", self.x.len(), residual.len())?;
        let Self { shape, runs, kind, pre, pool, x, .. } = self;
        let source = OuterSource { layout: Outer { dims: shape.fine, runs, scale }, data: r };
        let p = Copied { shape: *shape };
        on_kind!(&*kind, s => descend(s, &p, pre, pool, &source, x, residual));
        Ok(())
    }

    /// z ← (the smoothing of x + e) / `scale`, and returns rᵀz; `r` and `scale` as for the [`descend`](Self::descend)
    /// before, `e` has one number a point, 0 where there is no unknown.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`].
    pub fn ascend(&mut self, r: &[f64], scale: f64, e: &[f32], z: &mut [f64]) -> Result<f64, SolveError> {
        crate::error::check_len("r", self.unknowns, r.len())?;
        crate::error::check_len("e", self.x.len(), e.len())?;
        crate::error::check_len("z", self.unknowns, z.len())?;
        let Self { shape, runs, kind, post, pool, x, dots, .. } = self;
        let dims = shape.fine;
        let source = OuterSource { layout: Outer { dims, runs, scale }, data: r };
        let output = Outer { dims, runs, scale: 1.0 / scale };
        let p = Copied { shape: *shape };
        on_kind!(&*kind, s => ascend(s, &p, post, pool, &source, x, e, &output, z, dots));
        Ok(dots.iter().sum::<f64>() / scale / scale)
    }
}

/// P = 1.
struct Copied {
    shape: Shape,
}

impl Transfer<f32> for Copied {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    #[inline(always)]
    fn begin_slab(&self, _: usize, _: &[f32], _: &mut RowScratch<f32>) {}

    #[inline(always)]
    fn prolong(&self, j: usize, k: usize, e: &[f32], _: &mut RowScratch<f32>, out: &mut [f32]) {
        let [nx, ny, _] = self.shape.fine;
        let e = &e[(k * ny + j) * nx..][..nx];
        out[1..][..nx].iter_mut().zip(e).for_each(|(out, &e)| *out += e);
    }

    #[inline(always)]
    fn restrict(
        &self,
        j: usize,
        _: usize,
        r: &[f32],
        _: &mut RowScratch<f32>,
        own: &mut [f32],
        _: &mut [f32],
    ) {
        let nx = self.shape.fine[0];
        own[j * nx..][..nx].copy_from_slice(&r[1..][..nx]);
    }
}
