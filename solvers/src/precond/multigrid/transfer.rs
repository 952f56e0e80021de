//! Prolongation P and restriction R = Pᵀ, by rows.
//!
//! A coarse point I stands for fine points 2I and 2I + 1 along each axis that is coarsened. Fine point i takes, along
//! each such axis, the share f of the coarse neighbour J on its own side and 1 − f of I:
//!
//! ```text
//! constant coefficients   P = P_x ⊗ P_y ⊗ P_z,  (P_a e)_i = (1 − f_i) e_I + f_i e_J
//! own coefficients        (P e)_i = e_I + Σ_a f_{a,i} (e_J − e_I)
//! f = R_I / (R_I + R_face + R_J)
//! ```
//!
//! R are the resistances on the line through i: half of the face within I, the face between I and J, half of the face
//! within J (none where the other point of the pair is missing or solid). So f = 1/4 where all is constant, f = 0
//! through a wall, f = 1/2 where I is weak and J strong, f = 1/3 (and e_J = 0) at a Dirichlet side. These are the
//! flux-limited weights of Alcouffe, Brandt, Dendy, Painter (1981), SIAM J. Sci. Stat. Comput. 2(4), for cells.

use super::real::Real;

/// Sizes of a level and of the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    pub(super) fine: [usize; 3],
    pub(super) coarse: [usize; 3],
    pub(super) coarsen: [bool; 3],
}

impl Shape {
    pub(super) fn new(fine: [usize; 3], coarsen: [bool; 3]) -> Self {
        let coarse = std::array::from_fn(|a| if coarsen[a] { fine[a].div_ceil(2) } else { fine[a] });
        Self { fine, coarse, coarsen }
    }

    /// The coarse point of fine index `i`.
    #[inline(always)]
    pub(super) fn parent(&self, axis: usize, i: usize) -> usize {
        if self.coarsen[axis] { i / 2 } else { i }
    }

    /// The coarse neighbour on the side of fine index `i`.
    #[inline(always)]
    pub(super) fn outward(&self, axis: usize, i: usize) -> Option<usize> {
        if !self.coarsen[axis] {
            return None;
        }
        if i.is_multiple_of(2) {
            (i / 2).checked_sub(1)
        } else {
            Some(i / 2 + 1).filter(|&j| j < self.coarse[axis])
        }
    }
}

/// Scratch of one task: rows of n + 6 and one coarse plane.
#[derive(Debug, Clone, Default)]
pub(super) struct RowScratch<T> {
    a: Vec<T>,
    b: Vec<T>,
    row: Vec<T>,
    plane: Vec<T>,
}

impl<T: Real> RowScratch<T> {
    pub(super) fn new(shape: &Shape) -> Self {
        let n = shape.fine[0].max(shape.coarse[0]) + 6;
        let plane = shape.coarse[0] * shape.coarse[1];
        let zeros = |n| vec![T::ZERO; n];
        Self { a: zeros(n), b: zeros(n), row: zeros(n), plane: zeros(plane) }
    }
}

/// P and R of a level, by rows.
pub(super) trait Transfer<T: Real>: Sync {
    fn shape(&self) -> &Shape;
    /// Before the rows of slab `k`: what they have in common.
    fn begin_slab(&self, k: usize, e: &[T], scratch: &mut RowScratch<T>);
    /// out ← out + (P e) on row (j, k); `e` is the whole coarse vector, `out` is padded.
    fn prolong(&self, j: usize, k: usize, e: &[T], scratch: &mut RowScratch<T>, out: &mut [T]);
    /// Adds Pᵀ of row (j, k) of `r` (padded by zeros) to `own`, the plane of slab k's parent, and `next`, that of its
    /// outward neighbour.
    fn restrict(
        &self,
        j: usize,
        k: usize,
        r: &[T],
        scratch: &mut RowScratch<T>,
        own: &mut [T],
        next: &mut [T],
    );
}

/// c_I += own(2I) + own(2I + 1) + out(2I − 1) + out(2I + 2), rows padded by one; a copy where x is not coarsened.
#[inline(always)]
fn gather<T: Real>(coarsen: bool, own: &[T], out: &[T], c: &mut [T]) {
    let n = c.len();
    if !coarsen {
        c.iter_mut().zip(&own[1..]).for_each(|(c, &v)| *c += v);
        return;
    }
    let own = own[1..][..2 * n].as_chunks::<2>().0;
    let low = out[..2 * n].as_chunks::<2>().0;
    let high = out[2..][..2 * n].as_chunks::<2>().0;
    for (((c, own), low), high) in c.iter_mut().zip(own).zip(low).zip(high) {
        *c += (own[0] + own[1]) + (low[0] + high[1]);
    }
}

#[inline(always)]
fn add_scaled<T: Real>(factor: T, x: &[T], y: &mut [T]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y += factor * x);
}

/// One profile of weights an axis.
#[derive(Debug, Clone)]
pub(super) struct Profiles<T> {
    pub(super) shape: Shape,
    /// f of each fine index.
    pub(super) f: [Vec<T>; 3],
}

impl<T: Real> Transfer<T> for Profiles<T> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    #[inline(always)]
    fn begin_slab(&self, k: usize, e: &[T], scratch: &mut RowScratch<T>) {
        let plane = scratch.plane.len();
        let at = |k: usize| &e[k * plane..][..plane];
        let f = self.f[2][k];
        let own = at(self.shape.parent(2, k));
        match self.shape.outward(2, k) {
            Some(next) => {
                for ((t, &a), &b) in scratch.plane.iter_mut().zip(own).zip(at(next)) {
                    *t = a + f * (b - a);
                }
            }
            None => scratch.plane.iter_mut().zip(own).for_each(|(t, &a)| *t = a - f * a),
        }
    }

    #[inline(always)]
    fn prolong(&self, j: usize, _: usize, _: &[T], scratch: &mut RowScratch<T>, out: &mut [T]) {
        let n = self.shape.coarse[0];
        let RowScratch { row, plane, .. } = scratch;
        let at = |j: usize| &plane[j * n..][..n];
        let f = self.f[1][j];
        let own = at(self.shape.parent(1, j));
        let t = &mut row[1..][..n];
        match self.shape.outward(1, j) {
            Some(next) => t.iter_mut().zip(own).zip(at(next)).for_each(|((t, &a), &b)| *t = a + f * (b - a)),
            None => t.iter_mut().zip(own).for_each(|(t, &a)| *t = a - f * a),
        }
        let fine = self.shape.fine[0];
        let out = &mut out[1..][..fine];
        if !self.shape.coarsen[0] {
            out.iter_mut().zip(&row[1..]).for_each(|(out, &t)| *out += t);
            return;
        }
        row[n + 1] = T::ZERO;
        let (l, c, h) = (&row[..n], &row[1..][..n], &row[2..][..n]);
        let (pairs, last) = out.as_chunks_mut::<2>();
        let (f, f_last) = self.f[0].as_chunks::<2>();
        for ((((out, f), &l), &c), &h) in pairs.iter_mut().zip(f).zip(l).zip(c).zip(h) {
            out[0] += c + f[0] * (l - c);
            out[1] += c + f[1] * (h - c);
        }
        if let ([out], [f]) = (last, f_last) {
            *out += c[n - 1] + *f * (l[n - 1] - c[n - 1]);
        }
    }

    #[inline(always)]
    fn restrict(
        &self,
        j: usize,
        k: usize,
        r: &[T],
        scratch: &mut RowScratch<T>,
        own: &mut [T],
        next: &mut [T],
    ) {
        let (fine, n) = (self.shape.fine[0], self.shape.coarse[0]);
        let RowScratch { a, b, row, .. } = scratch;
        let (a_in, b_in) = (&mut a[1..][..fine], &mut b[1..][..fine]);
        for (((a, b), &r), &f) in a_in.iter_mut().zip(b_in).zip(&r[1..][..fine]).zip(&self.f[0]) {
            *b = f * r;
            *a = r - *b;
        }
        let c = &mut row[..n];
        c.fill(T::ZERO);
        gather(self.shape.coarsen[0], a, b, c);
        let (fy, fz) = (self.f[1][j], self.f[2][k]);
        let parent = self.shape.parent(1, j) * n;
        add_scaled((T::ONE - fy) * (T::ONE - fz), c, &mut own[parent..][..n]);
        add_scaled((T::ONE - fy) * fz, c, &mut next[parent..][..n]);
        if let Some(outward) = self.shape.outward(1, j) {
            add_scaled(fy * (T::ONE - fz), c, &mut own[outward * n..][..n]);
            add_scaled(fy * fz, c, &mut next[outward * n..][..n]);
        }
        // The scratch row serves prolongation too, whose padding must stay 0.
        c.fill(T::ZERO);
    }
}

/// Weights of every point and axis, laid out as the faces.
#[derive(Debug, Clone)]
pub(super) struct PointWeights<T> {
    pub(super) shape: Shape,
    pub(super) pitch: [usize; 2],
    pub(super) f: [Vec<T>; 3],
}

impl<T: Real> PointWeights<T> {
    #[inline(always)]
    fn row(&self, axis: usize, j: usize, k: usize) -> &[T] {
        &self.f[axis][(k * self.pitch[1] + j) * self.pitch[0]..][..self.shape.fine[0]]
    }
}

impl<T: Real> Transfer<T> for PointWeights<T> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    #[inline(always)]
    fn begin_slab(&self, _: usize, _: &[T], _: &mut RowScratch<T>) {}

    #[inline(always)]
    fn prolong(&self, j: usize, k: usize, e: &[T], scratch: &mut RowScratch<T>, out: &mut [T]) {
        let Shape { fine: [fine, ..], coarse: [n, ny, _], coarsen } = self.shape;
        let at = |j: usize, k: usize| &e[(k * ny + j) * n..][..n];
        let (parent_y, parent_z) = (self.shape.parent(1, j), self.shape.parent(2, k));
        let own = at(parent_y, parent_z);
        let RowScratch { a, b, row, .. } = scratch;
        row[0] = T::ZERO;
        row[1..][..n].copy_from_slice(own);
        row[n + 1] = T::ZERO;
        // Differences across the outward y and z neighbours, 0 − e where there is none.
        let difference = |next: Option<&[T]>, d: &mut [T]| match next {
            Some(next) => d.iter_mut().zip(next).zip(own).for_each(|((d, &b), &a)| *d = b - a),
            None => d.iter_mut().zip(own).for_each(|(d, &a)| *d = T::ZERO - a),
        };
        difference(self.shape.outward(1, j).map(|j| at(j, parent_z)), &mut a[1..][..n]);
        difference(self.shape.outward(2, k).map(|k| at(parent_y, k)), &mut b[1..][..n]);
        let (fx, fy, fz) = (self.row(0, j, k), self.row(1, j, k), self.row(2, j, k));
        let out = &mut out[1..][..fine];
        if !coarsen[0] {
            for i in 0..fine {
                out[i] += row[i + 1] + fy[i] * a[i + 1] + fz[i] * b[i + 1];
            }
        } else {
            let (l, c, h) = (&row[..n], &row[1..][..n], &row[2..][..n]);
            let (dy, dz) = (&a[1..][..n], &b[1..][..n]);
            for i in 0..fine / 2 {
                let (p, q) = (2 * i, 2 * i + 1);
                out[p] += c[i] + fx[p] * (l[i] - c[i]) + fy[p] * dy[i] + fz[p] * dz[i];
                out[q] += c[i] + fx[q] * (h[i] - c[i]) + fy[q] * dy[i] + fz[q] * dz[i];
            }
            if fine % 2 == 1 {
                let (p, i) = (fine - 1, n - 1);
                out[p] += c[i] + fx[p] * (l[i] - c[i]) + fy[p] * dy[i] + fz[p] * dz[i];
            }
        }
        for v in [a, b, row] {
            v.fill(T::ZERO);
        }
    }

    #[inline(always)]
    fn restrict(
        &self,
        j: usize,
        k: usize,
        r: &[T],
        scratch: &mut RowScratch<T>,
        own: &mut [T],
        next: &mut [T],
    ) {
        let Shape { fine: [fine, ..], coarse: [n, ..], coarsen } = self.shape;
        let RowScratch { a, b, row, .. } = scratch;
        let (fx, fy, fz) = (self.row(0, j, k), self.row(1, j, k), self.row(2, j, k));
        let r = &r[1..][..fine];
        let parent = self.shape.parent(1, j) * n;
        let (a_in, b_in, c_in) = (&mut a[1..][..fine], &mut b[1..][..fine], &mut row[1..][..fine]);
        for i in 0..fine {
            b_in[i] = fx[i] * r[i];
            a_in[i] = r[i] - (fx[i] + fy[i] + fz[i]) * r[i];
        }
        gather(coarsen[0], a, b, &mut own[parent..][..n]);
        b.fill(T::ZERO);
        if let Some(outward) = self.shape.outward(1, j) {
            c_in.iter_mut().zip(r).zip(fy).for_each(|((c, &r), &f)| *c = f * r);
            gather(coarsen[0], row, b, &mut own[outward * n..][..n]);
        }
        let c_in = &mut row[1..][..fine];
        c_in.iter_mut().zip(r).zip(fz).for_each(|((c, &r), &f)| *c = f * r);
        gather(coarsen[0], row, b, &mut next[parent..][..n]);
        row.fill(T::ZERO);
    }
}
