//! Newton's method with damping on the semi-dual of a small problem, every entry of the plan in it.
//!
//! For a kernel given by its logarithms L (n × k) and weights a, b, minimise over y ∈ ℝᵏ
//!
//! ```text
//! φ(y) = Σ a_i log Σ_j exp(L_ij + y_j) − Σ b_j y_j,   ∇φ = c − b,   c_j = Σ_i P_ij,
//! ∇²φ = diag(c) − Pᵀ diag(1/a) P,   P_ij = a_i exp(L_ij + y_j) / Σ_k exp(L_ik + y_k).
//! ```
//!
//! Steps solve (∇²φ + λ diag(b)) z = b − c, with λ made smaller after each good step and larger after each bad one
//! (Levenberg, 1944; Marquardt, 1963). φ is convex and smooth and its values do not get worse, so the method converges
//! from any start. Where two parts of the plan are joined by next to nothing, the Hessian says nothing about moving
//! them against each other; λ does, and as the true φ falls as predicted until the link carries what it has to, the
//! move grows tenfold a step. Logarithms are never left: a link of e^-1000 counts as what it is.
//!
//! With soft marginals the weights are a_i e^(−σ u_i) and b_j e^(−σ y_j), u_i the potentials of the rows, and φ is what
//! these are the derivatives of: KL penalties of weight 1/σ; rows are still eliminated in closed form.
//!
//! −∇²φ off its diagonal is a nonnegative matrix W and its rows sum to 0, so ∇²φ + λ diag(b) is given by W and the
//! excess of its rows, λb here. Elimination in these terms has no subtraction at all (Grassmann, Taksar and Heyman, 1985):
//! links of any size keep their digits.

use super::simd;
use rayon::prelude::*;

/// Pairs that are worth a block.
const BLOCK_PAIRS: usize = 16 * 1024;

/// Most blocks.
const MAX_BLOCKS: usize = 32;

/// Entries of the plan below this share of both weights have no part in the Hessian.
const NOTHING: f64 = 1e-17;

/// Range of λ.
const LAMBDA: (f64, f64) = (1e-15, 1e6);

/// Workspace, with the kernel and the weights of the problem.
#[derive(Debug, Default)]
pub(super) struct Damped {
    /// L, by rows; set by the caller.
    pub(super) kernel: Vec<f64>,
    /// Positive weights of the rows; set by the caller.
    pub(super) a: Vec<f64>,
    /// Positive weights of the columns; set by the caller.
    pub(super) b: Vec<f64>,
    /// σ; 0 for marginals that are met.
    pub(super) soft: f64,
    /// The solution.
    pub(super) y: Vec<f64>,
    /// (log a_i − log Σ_j exp(L_ij + y_j)) / (1 + σ).
    pub(super) u: Vec<f64>,
    pub(super) plan: Vec<f64>,
    /// Row sums, column sums, and what these are to be.
    s: Vec<f64>,
    c: Vec<f64>,
    wanted: Vec<f64>,
    before: (Vec<f64>, Vec<f64>),
    gradient: Vec<f64>,
    z: Vec<f64>,
    /// Rows of the plan without what does not count, and where they start.
    start: Vec<usize>,
    entries: Vec<(u32, f64)>,
    links: Vec<f64>,
    pivots: Vec<f64>,
    excess: Vec<f64>,
    factor: Vec<f64>,
    blocks: Vec<Block>,
}

/// What a block of rows owns.
#[derive(Debug, Default)]
struct Block {
    sums: Vec<f64>,
    live: Vec<u32>,
}

impl Damped {
    /// A problem of its own.
    pub(super) fn new(kernel: Vec<f64>, a: Vec<f64>, b: Vec<f64>, soft: f64) -> Self {
        Self { kernel, a, b, soft, ..Self::default() }
    }

    /// Minimises φ from `y` = 0 to ‖c − b‖₁ ≤ `target`, at most `steps` steps, as long as `go_on` says so. Returns the
    /// steps and the error reached.
    pub(super) fn minimise(&mut self, target: f64, steps: usize, go_on: impl Fn() -> bool) -> (usize, f64) {
        let (n, k) = (self.a.len(), self.b.len());
        self.y.clear();
        self.y.resize(k, 0.0);
        self.u.clear();
        self.u.resize(n, 0.0);
        self.z.clear();
        self.z.resize(k, 0.0);
        self.s.resize(n, 0.0);
        self.evaluate();
        let mut error = self.error();
        let mut lambda = (1e-3 * error).clamp(LAMBDA.0, LAMBDA.1);
        let mut made = 0;
        while made < steps && error > target && go_on() {
            self.assemble();
            self.before.0.clone_from(&self.y);
            self.before.1.clone_from(&self.u);
            self.gradient.clear();
            self.gradient.extend(self.c.iter().zip(&self.wanted).map(|(c, b)| c - b));
            let total: f64 = self.s.iter().sum();
            made += 1;
            let Some(next) = self.step(total, error, &mut lambda) else {
                self.y.clone_from(&self.before.0);
                self.evaluate();
                break;
            };
            error = next;
        }
        (made, error)
    }

    /// One step; `None` where no λ and no length gives a better point.
    fn step(&mut self, total: f64, error: f64, lambda: &mut f64) -> Option<f64> {
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        while *lambda <= LAMBDA.1 {
            self.solve(*lambda);
            let slope = dot(&self.gradient, &self.z);
            let mut alpha = 1.0;
            while slope < 0.0 && alpha > 1e-3 {
                for ((y, old), z) in self.y.iter_mut().zip(&self.before.0).zip(&self.z) {
                    *y = old + alpha * z;
                }
                self.evaluate();
                let new = self.error();
                let left = self.c.iter().zip(&self.wanted);
                let end = left.zip(&self.z).map(|((c, b), z)| (c - b) * z).sum::<f64>();
                let change = self.s.iter().sum::<f64>() - total
                    + self.change(&self.a, &self.before.1, &self.u)
                    + self.change(&self.b, &self.before.0, &self.y);
                // φ is convex: where it still falls at the end, it fell all the way.
                let falls = end <= 0.0 || change <= 1e-4 * alpha * slope;
                // Where the change of φ is lost in rounding, the gradient is not.
                if new.is_finite() && (falls || (end < -0.5 * slope && new < 0.9 * error)) {
                    let factor = if alpha < 1.0 {
                        (0.5 / alpha).min(100.0)
                    } else if end < -0.25 * slope {
                        0.1
                    } else {
                        1.0
                    };
                    *lambda = (*lambda * factor).clamp(LAMBDA.0, LAMBDA.1);
                    return Some(new);
                }
                alpha *= 0.25;
            }
            *lambda *= 1e3;
        }
        None
    }

    /// What one side adds to the change of φ.
    fn change(&self, weights: &[f64], before: &[f64], after: &[f64]) -> f64 {
        let soft = self.soft;
        let value = |x: f64| if soft > 0.0 { (-x * soft).exp_m1() / soft } else { -x };
        weights.iter().zip(before.iter().zip(after)).map(|(w, (x, y))| w * (value(*y) - value(*x))).sum()
    }

    /// ‖c − b‖₁, b as they are to be.
    fn error(&self) -> f64 {
        self.c.iter().zip(&self.wanted).map(|(c, b)| (c - b).abs()).sum()
    }

    /// P, u and c at y.
    fn evaluate(&mut self) {
        let (n, k) = (self.a.len(), self.b.len());
        let rows = n.div_ceil((n * k / BLOCK_PAIRS).clamp(1, MAX_BLOCKS));
        self.blocks.resize_with(n.div_ceil(rows), Block::default);
        self.plan.resize(n * k, 0.0);
        self.c.clear();
        self.c.resize(k, 0.0);
        let Self { kernel, a, b, soft, y, u, plan, s, c, wanted, blocks, .. } = self;
        let soft = *soft;
        wanted.clear();
        wanted.extend(b.iter().zip(&*y).map(|(b, y)| b * (-soft * y).exp()));
        let whole = [(0, (k / simd::LANES) as u32)];
        blocks
            .par_iter_mut()
            .zip(plan.par_chunks_mut(rows * k).zip(u.par_chunks_mut(rows)))
            .zip(kernel.par_chunks(rows * k).zip(a.par_chunks(rows).zip(s.par_chunks_mut(rows))))
            .for_each(|((Block { sums, live }, (plan, u)), (kernel, (a, s)))| {
                sums.clear();
                sums.resize(k, 0.0);
                live.resize(k / simd::LANES + 1, 0);
                simd::dispatch(
                    #[inline(always)]
                    || {
                        let rows = plan.chunks_exact_mut(k).zip(kernel.chunks_exact(k));
                        for ((plan, l), ((u, a), s)) in rows.zip(u.iter_mut().zip(a).zip(s)) {
                            let top = simd::max_row(&l, y, -1.0);
                            let terms =
                                simd::exp_row(&l, y, -1.0, -top, f64::NEG_INFINITY, &whole, plan, live);
                            *u = (a.ln() - top - terms.sum.ln()) / (1.0 + soft);
                            *s = if soft > 0.0 { a * (-soft * *u).exp() } else { *a };
                            let w = *s / terms.sum;
                            plan.iter_mut().zip(sums.iter_mut()).for_each(|(p, s)| {
                                *p *= w;
                                *s += *p;
                            });
                        }
                    },
                );
            });
        for block in &*blocks {
            c.iter_mut().zip(&block.sums).for_each(|(c, s)| *c += s);
        }
    }

    /// W above the diagonal.
    fn assemble(&mut self) {
        let (n, k) = (self.a.len(), self.b.len());
        self.links.clear();
        self.links.resize(k * k, 0.0);
        let Self { s, b, soft, plan, links, start, entries, .. } = self;
        let stiffer = 1.0 + *soft;
        start.clear();
        start.push(0);
        entries.clear();
        for (i, row) in plan.chunks_exact(k).enumerate().take(n) {
            let kept = row.iter().enumerate().filter(|(j, p)| **p > NOTHING * s[i].min(b[*j]));
            entries.extend(kept.map(|(j, p)| (j as u32, *p)));
            start.push(entries.len());
        }
        let (start, entries) = (&*start, &*entries);
        let band = k.div_ceil(MAX_BLOCKS).max(16);
        links.par_chunks_mut(band * k).enumerate().for_each(|(block, links)| {
            let first = (block * band) as u32;
            let last = first + (links.len() / k) as u32;
            for (i, s) in s.iter().enumerate() {
                let row = &entries[start[i]..start[i + 1]];
                let from = row.partition_point(|e| e.0 < first);
                for (at, (j, p)) in row.iter().enumerate().skip(from).take_while(|(_, e)| e.0 < last) {
                    let w = p / (s * stiffer);
                    let into = &mut links[(*j - first) as usize * k..][..k];
                    for (l, q) in &row[at + 1..] {
                        into[*l as usize] += w * q;
                    }
                }
            }
        });
    }

    /// z = (∇²φ + λ diag(b))⁻¹ (−gradient).
    fn solve(&mut self, lambda: f64) {
        let k = self.b.len();
        self.factor.clone_from(&self.links);
        self.excess.clear();
        let give = self.soft / (1.0 + self.soft);
        let sums = self.wanted.iter().zip(&self.c);
        self.excess.extend(self.b.iter().zip(sums).map(|(b, (t, c))| lambda * b + self.soft * t + give * c));
        self.pivots.clear();
        self.z.clear();
        self.z.extend(self.gradient.iter().map(|g| -g));
        let Self { factor, excess, pivots, z, .. } = self;
        for p in 0..k {
            let (done, rest) = factor.split_at_mut((p + 1) * k);
            let row = &done[p * k..];
            let pivot = excess[p] + row[p + 1..].iter().sum::<f64>();
            pivots.push(pivot);
            for i in p + 1..k {
                let f = row[i] / pivot;
                if f > 0.0 {
                    let into = &mut rest[(i - p - 1) * k..][..k];
                    into[i + 1..].iter_mut().zip(&row[i + 1..]).for_each(|(w, r)| *w += f * r);
                    excess[i] += f * excess[p];
                    z[i] += f * z[p];
                }
            }
        }
        for p in (0..k).rev() {
            let sum: f64 =
                factor[p * k + p + 1..(p + 1) * k].iter().zip(&z[p + 1..]).map(|(w, z)| w * z).sum();
            z[p] = (z[p] + sum) / pivots[p];
        }
    }
}
