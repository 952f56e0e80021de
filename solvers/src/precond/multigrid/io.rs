//! Where a level's vectors come from and go to: its own arrays, or the caller's double precision vectors.

use super::real::Real;

/// Reads rows of a vector into padded rows.
pub(super) trait Source<T>: Sync {
    /// Row (j, k) into `out`, padded.
    fn load(&self, j: usize, k: usize, out: &mut [T]);
}

/// A part of an output vector that begins at element `base`.
pub(super) struct Part<'a, T> {
    pub(super) data: &'a mut [T],
    pub(super) base: usize,
}

impl<'a, T> Part<'a, T> {
    pub(super) fn new(data: &'a mut [T]) -> Self {
        Self { data, base: 0 }
    }
    /// Both halves, cut before element `at` of the whole.
    pub(super) fn split(self, at: usize) -> (Self, Self) {
        let mid = at.saturating_sub(self.base).min(self.data.len());
        let (low, high) = self.data.split_at_mut(mid);
        (Self { data: low, base: self.base }, Self { data: high, base: at })
    }
    /// Elements `at..at + len` of the whole.
    #[inline(always)]
    pub(super) fn slice(&mut self, at: usize, len: usize) -> &mut [T] {
        &mut self.data[at - self.base..][..len]
    }
}

/// Where rows of points lie in a vector, and in which scale and precision.
pub(super) trait Layout<T>: Sync {
    /// What an output element is.
    type Element: Copy + Send + Sync;
    /// Elements of all slabs before slab `k`.
    fn slab_start(&self, k: usize) -> usize;
    /// Row (j, k) of the padded `row` into `out`.
    fn store(&self, j: usize, k: usize, row: &[T], out: &mut Part<'_, Self::Element>);
}

/// One element a point, in the level's precision.
#[derive(Clone, Copy)]
pub(super) struct Plain {
    pub(super) dims: [usize; 3],
}

impl<T: Real> Layout<T> for Plain {
    type Element = T;
    fn slab_start(&self, k: usize) -> usize {
        k * self.dims[0] * self.dims[1]
    }
    #[inline(always)]
    fn store(&self, j: usize, k: usize, row: &[T], out: &mut Part<'_, T>) {
        let [nx, ny, _] = self.dims;
        out.slice((k * ny + j) * nx, nx).copy_from_slice(&row[1..][..nx]);
    }
}

/// A vector of one element a point.
pub(super) struct PlainSource<'a, T> {
    pub(super) dims: [usize; 3],
    pub(super) data: &'a [T],
}

impl<T: Real> Source<T> for PlainSource<'_, T> {
    #[inline(always)]
    fn load(&self, j: usize, k: usize, out: &mut [T]) {
        let [nx, ny, _] = self.dims;
        out[1..][..nx].copy_from_slice(&self.data[(k * ny + j) * nx..][..nx]);
    }
}

/// Which stretches of each row are unknowns; without any stretches all points are.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    /// For each row the first of its runs, one more at the end; empty: every point is an unknown.
    first: Vec<u32>,
    /// (first point in the row, points, first unknown).
    runs: Vec<(u32, u32, u32)>,
    /// Unknowns before each slab, one more at the end.
    slab_start: Vec<usize>,
}

impl Runs {
    pub(super) fn new([nx, ny, nz]: [usize; 3], unknown_of_point: Option<&[u32]>) -> Self {
        let Some(unknowns) = unknown_of_point else { return Self::default() };
        let mut runs: Vec<(u32, u32, u32)> = Vec::new();
        let (mut first, mut slab_start, mut seen) = (vec![0], vec![0], 0);
        for (row, points) in unknowns.chunks_exact(nx).enumerate() {
            let mut last = usize::MAX;
            for (i, &u) in points.iter().enumerate().filter(|&(_, &u)| u != u32::MAX) {
                match runs.last_mut() {
                    Some(run) if last.wrapping_add(1) == i && i > 0 => run.1 += 1,
                    _ => runs.push((i as u32, 1, u)),
                }
                last = i;
                seen += 1;
            }
            first.push(runs.len() as u32);
            if (row + 1).is_multiple_of(ny) {
                slab_start.push(seen);
            }
        }
        debug_assert_eq!(slab_start.len(), nz + 1);
        Self { first, runs, slab_start }
    }
}

/// The caller's vectors: double precision, unknowns only, times a power of two.
#[derive(Clone, Copy)]
pub(super) struct Outer<'a> {
    pub(super) dims: [usize; 3],
    pub(super) runs: &'a Runs,
    /// What is read or written is multiplied by this.
    pub(super) scale: f64,
}

impl<'a> Outer<'a> {
    #[inline(always)]
    fn row_runs(&self, j: usize, k: usize) -> Option<&'a [(u32, u32, u32)]> {
        let row = k * self.dims[1] + j;
        let first = self.runs.first.get(row..row + 2)?;
        Some(&self.runs.runs[first[0] as usize..first[1] as usize])
    }

    /// Row (j, k) of `data` into padded `out`.
    #[inline(always)]
    pub(super) fn load<T: Real>(&self, data: &[f64], j: usize, k: usize, out: &mut [T]) {
        let [nx, ny, _] = self.dims;
        let copy = |from: &[f64], to: &mut [T]| {
            to.iter_mut().zip(from).for_each(|(to, &v)| *to = T::of(self.scale * v));
        };
        match self.row_runs(j, k) {
            None => copy(&data[(k * ny + j) * nx..][..nx], &mut out[1..][..nx]),
            Some(runs) => {
                out.fill(T::ZERO);
                for &(i, len, u) in runs {
                    copy(&data[u as usize..][..len as usize], &mut out[1 + i as usize..]);
                }
            }
        }
    }
}

impl<T: Real> Layout<T> for Outer<'_> {
    type Element = f64;
    fn slab_start(&self, k: usize) -> usize {
        self.runs.slab_start.get(k).copied().unwrap_or(k * self.dims[0] * self.dims[1])
    }
    #[inline(always)]
    fn store(&self, j: usize, k: usize, row: &[T], out: &mut Part<'_, f64>) {
        let [nx, ny, _] = self.dims;
        let copy = |from: &[T], to: &mut [f64]| {
            to.iter_mut().zip(from).for_each(|(to, v)| *to = self.scale * v.wide());
        };
        match self.row_runs(j, k) {
            None => copy(&row[1..][..nx], out.slice((k * ny + j) * nx, nx)),
            Some(runs) => {
                for &(i, len, u) in runs {
                    copy(&row[1 + i as usize..][..len as usize], out.slice(u as usize, len as usize));
                }
            }
        }
    }
}

/// The caller's vector as a level reads it.
pub(super) struct OuterSource<'a> {
    pub(super) layout: Outer<'a>,
    pub(super) data: &'a [f64],
}

impl<T: Real> Source<T> for OuterSource<'_> {
    #[inline(always)]
    fn load(&self, j: usize, k: usize, out: &mut [T]) {
        self.layout.load(self.data, j, k, out);
    }
}
