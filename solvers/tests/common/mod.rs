//! Systems, oracles and lists of methods that the tests of Krylov methods share.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, clippy::needless_range_loop)]

use num_complex::Complex;
use residua_data::{CooBuilder, CsrMatrix, Scalar};
use residua_solvers::krylov::{Bicgstab, BicgstabL, Cg, Fcg, Fgmres, Gmres, Idrs, Lsmr, Minres};
use residua_solvers::precond::Jacobi;
use residua_solvers::{LinearOperator, LinearSystem, Outcome, Preconditioner, SolveError, Solver, StopRule};

/// Real entries as they are; for complex types a random phase a row, D A Dᴴ, which keeps eigenvalues and
/// symmetry.
pub fn matrix<T: Scalar>(n: usize, entries: impl Fn(usize) -> Vec<(usize, f64)>) -> CsrMatrix<T> {
    let mut coo = CooBuilder::new(n, n).unwrap();
    for i in 0..n {
        for (j, v) in entries(i) {
            coo.push(i, j, phase::<T>(i) * T::of(v) * phase::<T>(j).conjugate()).unwrap();
        }
    }
    coo.build().unwrap()
}

/// A number of modulus 1; 1 for real types.
pub fn phase<T: Scalar>(i: usize) -> T {
    if !T::is_complex_type() {
        return T::one();
    }
    let unit = T::of(-1.0).try_sqrt().unwrap();
    let angle = (i as f64 * 12.9898).sin() * 40.0;
    T::of(angle.cos()) + unit * T::of(angle.sin())
}

/// A vector without structure.
pub fn vector<T: Scalar>(n: usize, seed: usize) -> Vec<T> {
    (0..n)
        .map(|i| T::of(((i * 7919 + seed * 104_729 + 13) as f64).sin()) * phase::<T>(i + seed + 1))
        .collect()
}

/// Symmetric (Hermitian) positive definite, condition number about 40, diagonal not constant.
pub fn definite<T: Scalar>(n: usize) -> CsrMatrix<T> {
    matrix(n, |i| {
        let mut row = vec![(i, 2.2 + (i % 7) as f64 * 0.3)];
        if i > 0 {
            row.push((i - 1, -1.0));
        }
        if i + 1 < n {
            row.push((i + 1, -1.0));
        }
        row
    })
}

/// Symmetric (Hermitian) indefinite: as many negative as positive eigenvalues, none near 0.
pub fn indefinite<T: Scalar>(n: usize) -> CsrMatrix<T> {
    matrix(n, |i| {
        let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
        let mut row = vec![(i, sign * (2.5 + (i % 5) as f64 * 0.2))];
        if i > 0 {
            row.push((i - 1, 1.0));
        }
        if i + 1 < n {
            row.push((i + 1, 1.0));
        }
        row
    })
}

/// Convection and diffusion: nonsymmetric, eigenvalues in the right half plane.
pub fn convection<T: Scalar>(n: usize, strength: f64) -> CsrMatrix<T> {
    matrix(n, |i| {
        let mut row = vec![(i, 2.4 + (i % 3) as f64 * 0.4)];
        if i > 0 {
            row.push((i - 1, -1.0 - strength));
        }
        if i + 1 < n {
            row.push((i + 1, -1.0 + strength));
        }
        row
    })
}

/// The Laplacian of a path with Neumann ends: singular, with the constants (times the phases) as null space.
pub fn neumann<T: Scalar>(n: usize) -> CsrMatrix<T> {
    matrix(n, |i| {
        let mut row = vec![(i, if i == 0 || i + 1 == n { 1.0 } else { 2.0 })];
        if i > 0 {
            row.push((i - 1, -1.0));
        }
        if i + 1 < n {
            row.push((i + 1, -1.0));
        }
        row
    })
}

pub fn diagonal(values: &[f64]) -> CsrMatrix<f64> {
    CsrMatrix::from_diagonal(values).unwrap()
}

/// ‖b − A x‖₂, written naively.
pub fn naive_residual<T: Scalar>(a: &CsrMatrix<T>, b: &[T], x: &[T]) -> f64 {
    let mut sq = 0.0;
    for (i, &b) in b.iter().enumerate() {
        let (cols, vals) = a.row(i);
        let mut r = b;
        for (&j, &v) in cols.iter().zip(vals) {
            r -= v * x[j as usize];
        }
        sq += r.modulus_f64().powi(2);
    }
    sq.sqrt()
}

pub fn norm<T: Scalar>(v: &[T]) -> f64 {
    v.iter().map(|v| v.modulus_f64().powi(2)).sum::<f64>().sqrt()
}

pub fn distance<T: Scalar>(x: &[T], y: &[T]) -> f64 {
    x.iter().zip(y).map(|(&x, &y)| (x - y).modulus_f64().powi(2)).sum::<f64>().sqrt()
}

/// The oracle: dense LU with partial pivoting.
pub fn dense_solve<T: Scalar>(a: &CsrMatrix<T>, b: &[T]) -> Vec<T> {
    let n = a.nrows();
    let mut m: Vec<Vec<T>> = (0..n).map(|i| (0..n).map(|j| a.get(i, j)).collect()).collect();
    let mut x = b.to_vec();
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| m[i][k].modulus_f64().total_cmp(&m[j][k].modulus_f64())).unwrap();
        m.swap(k, pivot);
        x.swap(k, pivot);
        for i in k + 1..n {
            let factor = m[i][k] / m[k][k];
            for j in k..n {
                let known = factor * m[k][j];
                m[i][j] -= known;
            }
            let known = factor * x[k];
            x[i] -= known;
        }
    }
    for i in (0..n).rev() {
        for j in i + 1..n {
            let known = m[i][j] * x[j];
            x[i] -= known;
        }
        x[i] /= m[i][i];
    }
    x
}

/// A preconditioner that is no map at all: it goes bad (NaN) from the given call on.
pub struct Failing {
    pub good_calls: usize,
}

impl<T: Scalar> Preconditioner<T> for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }
    fn apply(&mut self, r: &[T], z: &mut [T]) -> Result<(), SolveError> {
        z.copy_from_slice(r);
        if self.good_calls == 0 {
            z[0] = T::of(f64::NAN);
        }
        self.good_calls = self.good_calls.saturating_sub(1);
        Ok(())
    }
}
impl<T: Scalar> residua_solvers::LinearPreconditioner<T> for Failing {}
impl<T: Scalar> residua_solvers::SpdPreconditioner<T> for Failing {}

pub type Method<A, T> = Box<dyn Solver<A, T>>;

/// Every method for positive definite systems, without a preconditioner.
pub fn plain_methods<T: Scalar, A: LinearOperator<T> + 'static>() -> Vec<Method<A, T>> {
    vec![
        Box::new(Cg::default()),
        Box::new(Fcg::default()),
        Box::new(Minres::default()),
        Box::new(Gmres::default()),
        Box::new(Fgmres::default()),
        Box::new(Bicgstab::default()),
        Box::new(BicgstabL::default()),
        Box::new(Idrs::default()),
    ]
}

/// The same with a preconditioner of which each method makes its own.
pub fn methods_with<T: Scalar, A, P>(mut precond: impl FnMut() -> P) -> Vec<Method<A, T>>
where
    A: LinearOperator<T> + 'static,
    P: residua_solvers::SpdPreconditioner<T> + 'static,
{
    vec![
        Box::new(Cg::new(precond())),
        Box::new(Fcg::new(precond()).with_window(2)),
        Box::new(Minres::new(precond())),
        Box::new(Gmres::new(precond()).with_restart(20)),
        Box::new(Fgmres::new(precond()).with_restart(20)),
        Box::new(Bicgstab::new(precond())),
        Box::new(BicgstabL::new(precond()).with_degree(3)),
        Box::new(Idrs::new(precond()).with_s(3)),
    ]
}

pub fn jacobi_methods<T: Scalar>(a: &CsrMatrix<T>) -> Vec<Method<CsrMatrix<T>, T>> {
    methods_with(|| Jacobi::new(a).unwrap())
}

/// Solves and returns the outcome, having checked that the number reported is the number at hand.
pub fn solve_checked<T: Scalar>(
    method: &mut dyn Solver<CsrMatrix<T>, T>,
    a: &CsrMatrix<T>,
    b: &[T],
    x: &mut [T],
    stop: &StopRule,
) -> Outcome {
    let name = method.name();
    let system = LinearSystem::new(a, b).unwrap();
    let outcome = method.solve(&system, x, stop, &mut ()).unwrap();
    check_reported(name, a, b, x, &outcome);
    if outcome.converged() {
        let target = (stop.rtol * norm(b)).max(stop.atol);
        let slack = 1.0 + 1e3 * T::epsilon_f64();
        assert!(naive_residual(a, b, x) <= slack * target + f64::MIN_POSITIVE, "{name}: {outcome:?}");
    }
    outcome
}

/// The residual norm reported is ‖b − A x‖ to rounding.
pub fn check_reported<T: Scalar>(name: &str, a: &CsrMatrix<T>, b: &[T], x: &[T], outcome: &Outcome) {
    let truth = naive_residual(a, b, x);
    let rounding = 100.0 * T::epsilon_f64() * (a.norm_inf() * norm(x) + norm(b));
    let is_same = (truth - outcome.residual_norm).abs() <= rounding
        || (!truth.is_finite() && !outcome.residual_norm.is_finite());
    assert!(is_same, "{name} reports {} for {truth}: {outcome:?}", outcome.residual_norm);
}

pub type C64 = Complex<f64>;
pub type C32 = Complex<f32>;

/// `Lsmr` for a square matrix, as any other method.
pub fn lsmr<T: Scalar>() -> Lsmr<T> {
    Lsmr::new()
}
