//! Matrices with known properties, and slow and obvious oracles.

use proptest::prelude::*;
use residua_data::CooBuilder;
use residua_solvers::krylov::Cg;
use residua_solvers::precond::sweep::LduFactor;
use residua_solvers::{
    CsrMatrix, LinearSystem, Outcome, Preconditioner, Scalar, Solver, SpdPreconditioner, StopRule,
};

pub(crate) fn matrix<T: Scalar>(
    n: usize,
    entries: impl IntoIterator<Item = (usize, usize, T)>,
) -> CsrMatrix<T> {
    let mut coo = CooBuilder::new(n, n).unwrap();
    entries.into_iter().for_each(|(i, j, v)| coo.push(i, j, v).unwrap());
    coo.build().unwrap()
}

/// −Δu + w·∇u on n × n points, five points, upwind: symmetric for w = 0.
pub(crate) fn convection(n: usize, wind: f64) -> CsrMatrix {
    let mut entries = vec![];
    for i in 0..n * n {
        entries.push((i, i, 4.0 + 2.0 * wind));
        if i % n > 0 {
            entries.push((i, i - 1, -1.0 - wind));
        }
        if i % n + 1 < n {
            entries.push((i, i + 1, -1.0));
        }
        if i >= n {
            entries.push((i, i - n, -1.0 - wind));
        }
        if i + n < n * n {
            entries.push((i, i + n, -1.0));
        }
    }
    matrix(n * n, entries)
}

pub(crate) fn laplacian(n: usize) -> CsrMatrix {
    convection(n, 0.0)
}

pub(crate) fn tridiagonal(n: usize, lower: f64, upper: f64) -> CsrMatrix {
    let diagonal = (0..n).map(|i| (i, i, 3.0 + (i % 5) as f64));
    let sides = (1..n).flat_map(|i| [(i, i - 1, lower), (i - 1, i, upper)]);
    matrix(n, diagonal.chain(sides))
}

/// Kershaw's (1978) positive definite matrix on which IC(0) meets a negative pivot.
pub(crate) fn kershaw() -> CsrMatrix {
    let rows = [[3.0, -2.0, 0.0, 2.0], [-2.0, 3.0, -2.0, 0.0], [0.0, -2.0, 3.0, -2.0], [2.0, 0.0, -2.0, 3.0]];
    let entries =
        rows.iter().enumerate().flat_map(|(i, row)| row.iter().enumerate().map(move |(j, &v)| (i, j, v)));
    matrix(4, entries.filter(|e| e.2 != 0.0))
}

/// Uniform in (-1, 1), by splitmix64.
pub(crate) fn random(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        2.0 * ((z >> 11) as f64 / 9_007_199_254_740_992.0) - 1.0
    };
    (0..n).map(|_| next()).collect()
}

prop_compose! {
    /// A sparse matrix with a dominant diagonal; its pattern is not symmetric.
    pub(crate) fn dominant()(
        n in 1usize..25,
    )(
        entries in prop::collection::vec((0..n, 0..n, -1.0f64..1.0), 0..4 * n),
        n in Just(n),
    ) -> CsrMatrix {
        let mut sums = vec![0.1; n];
        entries.iter().for_each(|&(i, _, v)| sums[i] += v.abs());
        let diagonal = sums.into_iter().enumerate().map(|(i, s)| (i, i, s));
        matrix(n, entries.into_iter().filter(|e| e.0 != e.1).chain(diagonal))
    }
}

prop_compose! {
    /// A sparse symmetric matrix with a dominant diagonal, off-diagonal entries of both signs.
    pub(crate) fn spd()(
        n in 1usize..25,
    )(
        entries in prop::collection::vec((0..n, 0..n, -1.0f64..1.0), 0..3 * n),
        n in Just(n),
    ) -> CsrMatrix {
        let mut sums = vec![0.1; n];
        let entries: Vec<_> = entries.into_iter().filter(|e| e.0 != e.1).collect();
        for &(i, j, v) in &entries {
            sums[i] += v.abs();
            sums[j] += v.abs();
        }
        let diagonal = sums.into_iter().enumerate().map(|(i, s)| (i, i, s));
        matrix(n, entries.into_iter().flat_map(|(i, j, v)| [(i, j, v), (j, i, v)]).chain(diagonal))
    }
}

/// M as a dense matrix, column by column.
pub(crate) fn dense<T: Scalar>(factor: &LduFactor<T>) -> Vec<Vec<T>> {
    let n = factor.len();
    let mut columns = vec![vec![T::zero(); n]; n];
    for (j, column) in columns.iter_mut().enumerate() {
        let mut unit = vec![T::zero(); n];
        unit[j] = T::one();
        factor.multiply(&unit, column).unwrap();
    }
    (0..n).map(|i| columns.iter().map(|column| column[i]).collect()).collect()
}

/// The largest |m_ij − a_ij| over the stored entries of A.
pub(crate) fn mismatch_on_pattern<T: Scalar>(factor: &LduFactor<T>, a: &CsrMatrix<T>) -> f64 {
    let m = dense(factor);
    let mut worst: f64 = 0.0;
    for (i, row) in m.iter().enumerate() {
        for (&j, &v) in a.row(i).0.iter().zip(a.row(i).1) {
            worst = worst.max((row[j as usize] - v).modulus_f64());
        }
    }
    worst
}

/// The largest |m_ij − a_ij| over all entries.
pub(crate) fn mismatch<T: Scalar>(factor: &LduFactor<T>, a: &CsrMatrix<T>) -> f64 {
    let m = dense(factor);
    let pairs = (0..a.nrows()).flat_map(|i| (0..a.nrows()).map(move |j| (i, j)));
    pairs.map(|(i, j)| (m[i][j] - a.get(i, j)).modulus_f64()).fold(0.0, f64::max)
}

/// ‖M z − r‖∞ for z = M⁻¹ r: the sweeps against the product.
pub(crate) fn apply_error(precond: &mut impl Preconditioner, factor: &LduFactor, r: &[f64]) -> f64 {
    let (mut z, mut mz) = (vec![0.0; r.len()], vec![0.0; r.len()]);
    precond.apply(r, &mut z).unwrap();
    factor.multiply(&z, &mut mz).unwrap();
    mz.iter().zip(r).map(|(m, r)| (m - r).abs()).fold(0.0, f64::max)
}

/// xᴴ M⁻¹ y.
pub(crate) fn form<T: Scalar>(precond: &mut impl Preconditioner<T>, x: &[T], y: &[T]) -> T {
    let mut z = vec![T::zero(); y.len()];
    precond.apply(y, &mut z).unwrap();
    x.iter().zip(&z).fold(T::zero(), |sum, (&x, &z)| sum + x.conjugate() * z)
}

pub(crate) fn solve_by_cg<P: SpdPreconditioner>(a: &CsrMatrix, precond: P, rtol: f64) -> Outcome {
    let b = random(a.nrows(), 12345);
    let system = LinearSystem::new(a, &b).unwrap();
    let mut x = vec![0.0; b.len()];
    let outcome = Cg::new(precond).solve(&system, &mut x, &StopRule::rtol(rtol), &mut ()).unwrap();
    let mut ax = vec![0.0; b.len()];
    a.multiply(&x, &mut ax);
    let residual = ax.iter().zip(&b).map(|(ax, b)| (b - ax).powi(2)).sum::<f64>().sqrt();
    let norm = b.iter().map(|b| b * b).sum::<f64>().sqrt();
    assert!(!outcome.converged() || residual <= 1.001 * rtol * norm, "{residual:e} against {norm:e}");
    outcome
}

/// Runs `f` on a pool of this many threads.
pub(crate) fn with_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

/// The bits of M⁻¹ r where `build` and `apply` run on 1, 2, 3 and 8 threads; fails if they differ.
pub(crate) fn assert_same_bits<P: Preconditioner>(a: &CsrMatrix, build: impl Fn(&CsrMatrix) -> P + Sync) {
    let r = random(a.nrows(), 7);
    let run = |threads| {
        with_threads(threads, || {
            let mut z = vec![0.0; r.len()];
            let mut precond = build(a);
            let dot = precond.apply_dot(&r, &mut z).unwrap();
            (dot.to_bits(), z.iter().map(|z| z.to_bits()).collect::<Vec<_>>())
        })
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert!(run(threads) == one, "{threads} threads give other bits than one");
    }
}
