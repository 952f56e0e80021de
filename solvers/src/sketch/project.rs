//! The iteration: draws, projections, and when to stop.

use super::{BLOCK, SparseRows, fill_normal, gram};
use crate::SolveError;
use crate::constrained::SketchKind;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// The share of the budget after which the rate is looked at, and how far short the rest may fall.
const JUDGED_AFTER: f64 = 0.25;
const HOPELESS: f64 = 0.5;

/// When a solve ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SketchStop {
    /// ‖b − A z‖ ≤ `target` ‖b‖.
    pub target: f64,
    /// Most sketches.
    pub max_sketches: usize,
    /// Most floating-point operations.
    pub max_flops: f64,
}

/// What a solve took and reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SketchReport {
    /// Projections made.
    pub sketches: usize,
    /// Floating-point operations, with those of the residuals that decided.
    pub flops: f64,
    /// ‖b − A z‖ / ‖b‖ of the z that is returned; 0 where b and the residual are 0.
    pub relative_residual: f64,
    /// Whether that meets the target.
    pub converged: bool,
}

/// Sketch and project with one kind of sketch; the state of the random numbers and the memory stay between solves.
#[derive(Debug)]
pub struct SketchProject {
    kind: SketchKind,
    rng: StdRng,
    a: SparseRows,
    /// ‖A_i‖², and the rows where it is positive; for blocks, in the order of the partition.
    row_sq: Vec<f64>,
    order: Vec<u32>,
    /// Columns of S at most.
    width: usize,
    /// Factors of every block's Gram matrix, or one that is overwritten.
    grams: Vec<f64>,
    /// Vᵀ by rows (dense sketches), S of one step, and Sᵀ(A z − b).
    v: Vec<f64>,
    s: Vec<f64>,
    y: Vec<f64>,
    setup_flops: f64,
}

impl SketchProject {
    /// Draws `kind` from the numbers of `seed`.
    pub fn new(kind: SketchKind, seed: u64) -> Self {
        Self {
            kind,
            rng: StdRng::seed_from_u64(seed),
            a: SparseRows::default(),
            row_sq: Vec::new(),
            order: Vec::new(),
            width: 0,
            grams: Vec::new(),
            v: Vec::new(),
            s: Vec::new(),
            y: Vec::new(),
            setup_flops: 0.0,
        }
    }

    /// What is drawn.
    pub fn kind(&self) -> SketchKind {
        self.kind
    }

    /// Operations of the last [`prepare`](Self::prepare).
    pub fn setup_flops(&self) -> f64 {
        self.setup_flops
    }

    /// The matrix that was given last, to be changed and given again without new memory.
    pub fn take_matrix(&mut self) -> SparseRows {
        std::mem::take(&mut self.a)
    }

    /// Takes the matrix of the solves that follow; for blocks, draws the partition and factorizes the Gram matrices.
    pub fn prepare(&mut self, a: SparseRows) {
        let n = a.nrows();
        self.row_sq.clear();
        self.row_sq.extend((0..n).map(|i| a.row(i).1.iter().map(|v| v * v).sum::<f64>()));
        self.order.clear();
        self.order.extend((0..n as u32).filter(|&i| self.row_sq[i as usize] > 0.0));
        let rows = self.order.len();
        self.setup_flops = 2.0 * a.nnz() as f64;
        self.width = match self.kind {
            SketchKind::Gaussian | SketchKind::Kaczmarz => 1,
            SketchKind::Count | SketchKind::Block => BLOCK.min(rows),
        };
        let k = self.width;
        let dense = matches!(self.kind, SketchKind::Gaussian | SketchKind::Count);
        self.y.resize(k, 0.0);
        self.s.resize(n, 0.0);
        self.v.resize(if dense { k * a.ncols() } else { a.ncols() }, 0.0);
        self.a = a;
        self.grams.clear();
        match self.kind {
            SketchKind::Block => self.factorize_blocks(),
            _ => self.grams.resize(k * k, 0.0),
        }
    }

    fn factorize_blocks(&mut self) {
        let (a, k) = (&self.a, self.width);
        self.order.shuffle(&mut self.rng);
        let work = &mut self.v;
        for block in self.order.chunks(k.max(1)) {
            let at = self.grams.len();
            self.grams.resize(at + k * k, 0.0);
            let g = &mut self.grams[at..];
            for (p, &i) in block.iter().enumerate() {
                work.fill(0.0);
                a.add_row(i as usize, 1.0, work);
                for (q, &j) in block.iter().enumerate().skip(p) {
                    g[q * k + p] = a.row_dot(j as usize, work);
                    self.setup_flops += 2.0 * a.row(j as usize).0.len() as f64;
                }
            }
            gram::factorize(g, k);
            self.setup_flops += (k * k * k) as f64 / 3.0;
        }
    }

    /// Sketches until `stop` from the `z` that is there, of length `ncols`; `b` has length `nrows`. Gives up early where a
    /// quarter of the budget shows that the rest of it cannot bring half of the digits that are missing.
    ///
    /// # Errors
    /// [`SolveError::DimensionMismatch`] for wrong lengths; without [`prepare`](Self::prepare) the matrix is 0 × 0.
    pub fn solve(&mut self, b: &[f64], z: &mut [f64], stop: &SketchStop) -> Result<SketchReport, SolveError> {
        for (what, expected, found) in
            [("the right-hand side", self.a.nrows(), b.len()), ("the unknowns", self.a.ncols(), z.len())]
        {
            if expected != found {
                return Err(SolveError::DimensionMismatch { what, expected, found });
            }
        }
        let b_norm = b.iter().map(|v| v * v).sum::<f64>().sqrt();
        let scale = if b_norm > 0.0 { b_norm } else { 1.0 };
        let mut report = SketchReport { sketches: 0, flops: 0.0, relative_residual: 0.0, converged: false };
        let between = self.between();
        let mut first = f64::NAN;
        loop {
            let relative = self.a.residual_norm(b, z) / scale;
            report.flops += 2.0 * (self.a.nnz() + b.len()) as f64;
            report.relative_residual = relative;
            report.converged = relative <= stop.target;
            if first.is_nan() {
                first = relative;
            }
            let used = (report.sketches as f64 / stop.max_sketches as f64).max(report.flops / stop.max_flops);
            let hopeless = used >= JUDGED_AFTER && {
                let (gained, missing) = ((first / relative).ln(), (relative / stop.target).ln());
                !(gained * (1.0 - used) / used >= HOPELESS * missing)
            };
            if report.converged || !(used < 1.0) || hopeless || self.order.is_empty() || !relative.is_finite()
            {
                return Ok(report);
            }
            for _ in 0..between.min(stop.max_sketches - report.sketches) {
                report.flops += self.step(b, z);
                report.sketches += 1;
            }
        }
    }

    /// Sketches between two residuals: about twice the work of one.
    fn between(&self) -> usize {
        match self.kind {
            SketchKind::Gaussian | SketchKind::Count => 2,
            SketchKind::Kaczmarz | SketchKind::Block => (2 * self.a.nrows() / self.width.max(1)).max(8),
        }
    }

    /// As many sketches as are made between two residuals.
    pub(super) fn sweep(&mut self, b: &[f64], z: &mut [f64]) {
        if !self.order.is_empty() {
            (0..self.between()).for_each(|_| {
                self.step(b, z);
            });
        }
    }

    pub(super) fn residual_norm(&self, b: &[f64], z: &[f64]) -> f64 {
        self.a.residual_norm(b, z)
    }

    fn step(&mut self, b: &[f64], z: &mut [f64]) -> f64 {
        match self.kind {
            SketchKind::Kaczmarz => self.row_step(b, z),
            SketchKind::Gaussian => self.gaussian_step(b, z),
            SketchKind::Count => self.count_step(b, z),
            SketchKind::Block => self.block_step(b, z),
        }
    }

    fn row_step(&mut self, b: &[f64], z: &mut [f64]) -> f64 {
        let i = self.order[self.rng.random_range(0..self.order.len())] as usize;
        let r = self.a.row_dot(i, z) - b[i];
        self.a.add_row(i, -r / self.row_sq[i], z);
        4.0 * self.a.row(i).0.len() as f64 + 2.0
    }

    fn gaussian_step(&mut self, b: &[f64], z: &mut [f64]) -> f64 {
        fill_normal(&mut self.rng, &mut self.s);
        self.v.fill(0.0);
        for (i, s) in self.s.iter().enumerate() {
            self.a.add_row(i, *s, &mut self.v);
        }
        let d: f64 = self.s.iter().zip(b).map(|(s, b)| s * b).sum();
        let (mut vz, mut vv) = (0.0, 0.0);
        self.v.iter().zip(&*z).for_each(|(v, z)| (vz, vv) = (vz + v * z, vv + v * v));
        if vv > 0.0 {
            let t = (vz - d) / vv;
            z.iter_mut().zip(&self.v).for_each(|(z, v)| *z -= t * v);
        }
        (2 * self.a.nnz() + 6 * z.len() + 10 * b.len()) as f64
    }

    fn count_step(&mut self, b: &[f64], z: &mut [f64]) -> f64 {
        let (k, n) = (self.width, z.len());
        self.v.fill(0.0);
        self.y.fill(0.0);
        for &i in &self.order {
            let i = i as usize;
            let (bucket, plus) = (self.rng.random_range(0..k), self.rng.random::<bool>());
            let sign = if plus { 1.0 } else { -1.0 };
            self.a.add_row(i, sign, &mut self.v[bucket * n..(bucket + 1) * n]);
            self.y[bucket] -= sign * b[i];
        }
        for p in 0..k {
            let v = &self.v[p * n..(p + 1) * n];
            for q in 0..=p {
                let w = &self.v[q * n..(q + 1) * n];
                self.grams[p * k + q] = v.iter().zip(w).map(|(a, b)| a * b).sum();
            }
            self.y[p] += v.iter().zip(&*z).map(|(v, z)| v * z).sum::<f64>();
        }
        gram::factorize(&mut self.grams, k);
        gram::solve(&self.grams, k, &mut self.y);
        for p in 0..k {
            let (y, v) = (self.y[p], &self.v[p * n..(p + 1) * n]);
            z.iter_mut().zip(v).for_each(|(z, v)| *z -= y * v);
        }
        (self.a.nnz() + n * k * (k + 5) + k * k * k / 3) as f64
    }

    fn block_step(&mut self, b: &[f64], z: &mut [f64]) -> f64 {
        let k = self.width;
        let which = self.rng.random_range(0..self.order.len().div_ceil(k));
        let block = &self.order[which * k..self.order.len().min((which + 1) * k)];
        self.y.fill(0.0);
        let mut entries = 0;
        for (y, &i) in self.y.iter_mut().zip(block) {
            *y = self.a.row_dot(i as usize, z) - b[i as usize];
            entries += self.a.row(i as usize).0.len();
        }
        gram::solve(&self.grams[which * k * k..(which + 1) * k * k], k, &mut self.y);
        for (y, &i) in self.y.iter().zip(block) {
            self.a.add_row(i as usize, -y, z);
        }
        (4 * entries + 2 * k * k) as f64
    }
}
