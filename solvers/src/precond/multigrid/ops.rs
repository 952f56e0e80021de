//! Row kernels of one level: smoothing, residual, and both transfers, for constant and for varying coefficients.
//!
//! Rows of a slab are padded by a ghost at each end, so that a row of n points has length n + 2 and the loops have
//! no branches. For constant coefficients a side with outer coefficient c k has the ghost (1 − c) x₁, since
//! k (x₁ − (1 − c) x₁) = c k x₁; where faces have their own coefficients ghosts are 0.

use super::real::Real;

/// A padded row and its four neighbours; `ym`, `yp` are not read in 2D.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    pub(super) c: &'a [T],
    pub(super) ym: &'a [T],
    pub(super) yp: &'a [T],
    pub(super) zm: &'a [T],
    pub(super) zp: &'a [T],
    /// The rows at (−1, −1), (1, −1), (−1, 1), (1, 1) along y and z, for stencils that read them.
    pub(super) corners: [&'a [T]; 4],
}

impl<'a, T> Rows<'a, T> {
    /// The row at a distance of −1, 0 or 1 along y and z.
    #[inline(always)]
    pub(super) fn row(&self, dy: isize, dz: isize) -> &'a [T] {
        match (dy, dz) {
            (0, 0) => self.c,
            (-1, 0) => self.ym,
            (_, 0) => self.yp,
            (0, -1) => self.zm,
            (0, _) => self.zp,
            _ => self.corners[usize::from(dy > 0) + 2 * usize::from(dz > 0)],
        }
    }
}

/// The operator of a level, by rows. Row (j, k); `r` and outputs are padded.
pub(super) trait Stencil<T: Real>: Sync {
    /// Ghost factors of each side.
    fn ghosts(&self) -> [[T; 2]; 3];
    /// Whether rows have neighbours along the middle axis.
    const MIDDLE: bool;
    /// Whether it reads the rows at the corners.
    const CORNERS: bool = false;
    /// out ← ω D⁻¹ r.
    fn scaled(&self, omega: T, j: usize, k: usize, r: &[T], out: &mut [T]);
    /// out ← x + ω D⁻¹ (r − A x).
    fn relax(&self, omega: T, j: usize, k: usize, r: &[T], x: Rows<'_, T>, out: &mut [T]);
    /// out ← r − A x.
    fn defect(&self, j: usize, k: usize, r: &[T], x: Rows<'_, T>, out: &mut [T]);
}

/// One coefficient an axis.
#[derive(Debug, Clone)]
pub(super) struct Constant<T, const MIDDLE: bool> {
    pub(super) k: [T; 3],
    pub(super) ghosts: [[T; 2]; 3],
    pub(super) inverse: T,
}

impl<T: Real, const MIDDLE: bool> Constant<T, MIDDLE> {
    pub(super) fn new(k: [f64; 3], sides: [[f64; 2]; 3]) -> Self {
        let diagonal: f64 = 2.0 * (k[0] + k[1] + k[2]);
        Self {
            k: k.map(T::of),
            ghosts: sides.map(|s| s.map(|c| T::of(1.0 - c))),
            inverse: T::of(if diagonal > 0.0 { 1.0 / diagonal } else { 0.0 }),
        }
    }

    /// out ← g(x, r − A x) over a row.
    #[inline(always)]
    fn row(&self, r: &[T], x: Rows<'_, T>, out: &mut [T], g: impl Fn(T, T) -> T) {
        let n = out.len() - 2;
        let [kx, ky, kz] = self.k;
        let d = kx + kx + ky + ky + kz + kz;
        let (l, c, h) = (&x.c[..n], &x.c[1..][..n], &x.c[2..][..n]);
        let (zm, zp, r) = (&x.zm[1..][..n], &x.zp[1..][..n], &r[1..][..n]);
        let out = &mut out[1..][..n];
        if MIDDLE {
            let (ym, yp) = (&x.ym[1..][..n], &x.yp[1..][..n]);
            for i in 0..n {
                let s = kx * (l[i] + h[i]) + ky * (ym[i] + yp[i]) + kz * (zm[i] + zp[i]);
                out[i] = g(c[i], r[i] + (s - d * c[i]));
            }
        } else {
            for i in 0..n {
                let s = kx * (l[i] + h[i]) + kz * (zm[i] + zp[i]);
                out[i] = g(c[i], r[i] + (s - d * c[i]));
            }
        }
    }
}

impl<T: Real, const MIDDLE: bool> Stencil<T> for Constant<T, MIDDLE> {
    const MIDDLE: bool = MIDDLE;
    fn ghosts(&self) -> [[T; 2]; 3] {
        self.ghosts
    }
    #[inline(always)]
    fn scaled(&self, omega: T, _: usize, _: usize, r: &[T], out: &mut [T]) {
        let factor = omega * self.inverse;
        out.iter_mut().zip(r).for_each(|(out, &r)| *out = factor * r);
    }
    #[inline(always)]
    fn relax(&self, omega: T, _: usize, _: usize, r: &[T], x: Rows<'_, T>, out: &mut [T]) {
        let factor = omega * self.inverse;
        self.row(r, x, out, |x, d| x + factor * d);
    }
    #[inline(always)]
    fn defect(&self, _: usize, _: usize, r: &[T], x: Rows<'_, T>, out: &mut [T]) {
        self.row(r, x, out, |_, d| d);
    }
}

/// Every face its own coefficient, laid out as [`Coefficients::Faces`](super::Coefficients::Faces).
#[derive(Debug, Clone)]
pub(super) struct Faces<T, const MIDDLE: bool> {
    /// nx + 1, ny + 1.
    pub(super) pitch: [usize; 2],
    pub(super) w: [Vec<T>; 3],
    /// D⁻¹ of each point in the same layout; 0 where a point has no open face.
    pub(super) inverse: Vec<T>,
}

impl<T: Real, const MIDDLE: bool> Faces<T, MIDDLE> {
    #[inline(always)]
    fn row(&self, j: usize, k: usize, r: &[T], x: Rows<'_, T>, out: &mut [T], g: impl Fn(usize, T, T) -> T) {
        let n = out.len() - 2;
        let (row, plane) = (self.pitch[0], self.pitch[0] * self.pitch[1]);
        let at = k * plane + j * row;
        let [wx, wy, wz] = &self.w;
        let (wl, wh) = (&wx[at..][..n], &wx[at + 1..][..n]);
        let (wd, wu) = (&wz[at..][..n], &wz[at + plane..][..n]);
        let (l, c, h) = (&x.c[..n], &x.c[1..][..n], &x.c[2..][..n]);
        let (zm, zp, r) = (&x.zm[1..][..n], &x.zp[1..][..n], &r[1..][..n]);
        let out = &mut out[1..][..n];
        if MIDDLE {
            let (wm, wp) = (&wy[at..][..n], &wy[at + row..][..n]);
            let (ym, yp) = (&x.ym[1..][..n], &x.yp[1..][..n]);
            for i in 0..n {
                let v = c[i];
                let s = wl[i] * (l[i] - v) + wh[i] * (h[i] - v) + wm[i] * (ym[i] - v) + wp[i] * (yp[i] - v);
                out[i] = g(i, v, r[i] + (s + wd[i] * (zm[i] - v) + wu[i] * (zp[i] - v)));
            }
        } else {
            for i in 0..n {
                let v = c[i];
                let s = wl[i] * (l[i] - v) + wh[i] * (h[i] - v);
                out[i] = g(i, v, r[i] + (s + wd[i] * (zm[i] - v) + wu[i] * (zp[i] - v)));
            }
        }
    }

    #[inline(always)]
    fn inverse(&self, j: usize, k: usize, n: usize) -> &[T] {
        &self.inverse[(k * self.pitch[1] + j) * self.pitch[0]..][..n]
    }
}

impl<T: Real, const MIDDLE: bool> Stencil<T> for Faces<T, MIDDLE> {
    const MIDDLE: bool = MIDDLE;
    fn ghosts(&self) -> [[T; 2]; 3] {
        [[T::ZERO; 2]; 3]
    }
    #[inline(always)]
    fn scaled(&self, omega: T, j: usize, k: usize, r: &[T], out: &mut [T]) {
        let n = out.len() - 2;
        let inverse = self.inverse(j, k, n);
        for ((out, &r), &d) in out[1..][..n].iter_mut().zip(&r[1..][..n]).zip(inverse) {
            *out = omega * (d * r);
        }
    }
    #[inline(always)]
    fn relax(&self, omega: T, j: usize, k: usize, r: &[T], x: Rows<'_, T>, out: &mut [T]) {
        let inverse = self.inverse(j, k, out.len() - 2);
        self.row(j, k, r, x, out, |i, x, d| x + omega * (inverse[i] * d));
    }
    #[inline(always)]
    fn defect(&self, j: usize, k: usize, r: &[T], x: Rows<'_, T>, out: &mut [T]) {
        self.row(j, k, r, x, out, |_, _, d| d);
    }
}
