//! y = A x on a box of points, without a matrix, in double precision.

use super::coarsen::Fine;
use super::grid::GridProblem;
use super::io::{Layout, Outer, Part, Runs};
use super::ops::{Constant, Faces, Stencil};
use super::ring::Ring;
use super::wavefront::{Kernel, chunk_slabs, cutting, for_each_chunk, run_wide, runs_serially};
use crate::{LinearOperator, SolveError};
use residua_data::poisson::PoissonSystem;
use std::sync::{Mutex, PoisonError};

#[derive(Debug)]
enum Kind {
    Constant2(Constant<f64, false>),
    Constant3(Constant<f64, true>),
    Faces2(Faces<f64, false>),
    Faces3(Faces<f64, true>),
}

/// The stencil matrix of a [`GridProblem`], by its faces.
///
/// **Cost** of y = A x: 16 bytes an unknown for constant coefficients, no coefficient being read; 32 more (24 in 2D)
/// where faces have their own. **Storage**: nothing, or 4 (nx + 1)(ny + 1)(nz + 1) numbers.
#[derive(Debug)]
pub struct StencilOperator {
    dims: [usize; 3],
    unknowns: usize,
    runs: Runs,
    kind: Kind,
    scratch: Mutex<Vec<Scratch>>,
    /// Sums over slabs.
    dots: Mutex<Vec<f64>>,
}

#[derive(Debug)]
struct Scratch {
    x: Ring<f64>,
    b: Vec<f64>,
    out: Vec<f64>,
}

impl Scratch {
    fn new(dims: [usize; 3]) -> Self {
        Self { x: Ring::new(dims, 0), b: vec![0.0; dims[0] + 2], out: vec![0.0; dims[0] + 2] }
    }
}

impl StencilOperator {
    /// The matrix of a system of the Poisson family, which is not read.
    ///
    /// # Errors
    /// As [`from_grid`](Self::from_grid), and for convection.
    pub fn new(system: &PoissonSystem) -> Result<Self, SolveError> {
        Self::from_grid(&GridProblem::of_system(system)?)
    }

    /// The matrix of `problem`.
    ///
    /// # Errors
    /// As [`GridProblem::check`].
    pub fn from_grid(problem: &GridProblem) -> Result<Self, SolveError> {
        problem.check()?;
        let dims = problem.dims;
        let fine = Fine::of(problem);
        let kind = match (fine.has_middle(), fine.constant(), fine.constant()) {
            (true, _, Some(s)) => Kind::Constant3(s),
            (false, Some(s), _) => Kind::Constant2(s),
            (true, ..) => Kind::Faces3(fine.faces(1.0)),
            (false, ..) => Kind::Faces2(fine.faces(1.0)),
        };
        Ok(Self {
            dims,
            unknowns: problem.unknowns(),
            runs: Runs::new(dims, problem.unknown_of_point.as_deref()),
            kind,
            scratch: Mutex::new((0..rayon::current_num_threads()).map(|_| Scratch::new(dims)).collect()),
            dots: Mutex::new(vec![0.0; dims[2]]),
        })
    }

    /// y ← b − A x, or A x without b; returns xᵀy.
    fn pass(&self, b: Option<&[f64]>, x: &[f64], y: &mut [f64]) -> f64 {
        match &self.kind {
            Kind::Constant2(s) => self.pass_with(s, b, x, y),
            Kind::Constant3(s) => self.pass_with(s, b, x, y),
            Kind::Faces2(s) => self.pass_with(s, b, x, y),
            Kind::Faces3(s) => self.pass_with(s, b, x, y),
        }
    }

    fn pass_with<S: Stencil<f64>>(&self, s: &S, b: Option<&[f64]>, x: &[f64], y: &mut [f64]) -> f64 {
        assert!(x.len() == self.unknowns && y.len() == self.unknowns, "StencilOperator: lengths differ");
        let nz = self.dims[2];
        let chunk = chunk_slabs(self.dims);
        let layout = Outer { dims: self.dims, runs: &self.runs, scale: 1.0 };
        let body = |c: usize, (mut y, mut dots): (Part<'_, f64>, Part<'_, f64>)| {
            let lock = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = lock().pop();
            let mut scratch = taken.unwrap_or_else(|| Scratch::new(self.dims));
            let range = c * chunk..((c + 1) * chunk).min(nz);
            run_wide(Chunk {
                s,
                layout: &layout,
                scratch: &mut scratch,
                b,
                x,
                range,
                y: &mut y,
                dots: &mut dots,
            });
            lock().push(scratch);
        };
        let start = |k: usize| Layout::<f64>::slab_start(&layout, k);
        let cut = cutting(|(y, dots), c| {
            let (y0, y1) = y.split(start(c * chunk));
            let (d0, d1) = dots.split(c * chunk);
            ((y0, d0), (y1, d1))
        });
        let mut dots = self.dots.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = (Part::new(y), Part::new(&mut dots[..]));
        for_each_chunk(0..nz.div_ceil(chunk), runs_serially(self.dims), parts, &cut, &body);
        dots.iter().sum()
    }
}

/// The slabs of one task.
struct Chunk<'a, 'b, S> {
    s: &'a S,
    layout: &'a Outer<'a>,
    scratch: &'a mut Scratch,
    b: Option<&'a [f64]>,
    x: &'a [f64],
    range: std::ops::Range<usize>,
    y: &'a mut Part<'b, f64>,
    dots: &'a mut Part<'b, f64>,
}

impl<S: Stencil<f64>> Kernel for Chunk<'_, '_, S> {
    #[inline(always)]
    fn run(self) {
        let Self { s, layout, scratch, b, x, range, y, dots } = self;
        let [_, ny, nz] = layout.dims;
        let Scratch { x: ring, b: b_row, out } = scratch;
        let (first, end) = (range.start.saturating_sub(1), (range.end + 1).min(nz));
        b_row.fill(0.0);
        for t in first..=end {
            if t < end {
                (0..ny).for_each(|j| layout.load(x, j, t, ring.row_mut(j, t)));
                ring.close_slab(t, nz, &s.ghosts(), S::MIDDLE);
            }
            let Some(k) = t.checked_sub(1).filter(|k| range.contains(k)) else { continue };
            let mut sum = 0.0;
            for j in 0..ny {
                let rows = ring.rows(j, k, S::CORNERS);
                if let Some(b) = b {
                    layout.load(b, j, k, b_row);
                }
                s.defect(j, k, b_row, rows, out);
                if b.is_none() {
                    out.iter_mut().for_each(|v| *v = -*v);
                    sum += super::wavefront::row_dot(rows.c, out);
                }
                Layout::<f64>::store(layout, j, k, out, y);
            }
            dots.slice(k, 1)[0] = sum;
        }
    }
}

impl LinearOperator<f64> for StencilOperator {
    fn nrows(&self) -> usize {
        self.unknowns
    }

    fn ncols(&self) -> usize {
        self.unknowns
    }

    fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.pass(None, x, y);
    }

    fn apply_dot(&self, x: &[f64], y: &mut [f64]) -> f64 {
        self.pass(None, x, y)
    }

    fn residual(&self, b: &[f64], x: &[f64], r: &mut [f64]) {
        assert_eq!(b.len(), self.unknowns, "StencilOperator: lengths differ");
        self.pass(Some(b), x, r);
    }
}
