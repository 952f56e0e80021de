//! The curvature of the Hessian on the null space of the Jacobian, as the published method computes it:
//! λ_min(ZᵀHZ), Z an orthonormal basis of the null space from a complete QR factorization of Jᵀ.

use super::kkt::KktSystem;
use faer::linalg::solvers::ColPivQr;
use faer::{Mat, Side};

/// H is modified where λ_min(ZᵀHZ) is below this (release of Hong et al. 2023).
pub(crate) const LEAST_CURVATURE: f64 = 1e-6;

/// λ_min(ZᵀHZ); +∞ where the null space is empty, 0 where it cannot be computed. Dense: O(n³).
pub(crate) fn least_curvature(system: &KktSystem<'_>) -> f64 {
    let (n, m) = (system.n(), system.m());
    if m >= n {
        return f64::INFINITY;
    }
    let mut jt = Mat::<f64>::zeros(n, m);
    for i in 0..m {
        let (columns, values) = system.j.row(i);
        columns.iter().zip(values).for_each(|(&j, &v)| jt[(j as usize, i)] = v);
    }
    let z = if m == 0 {
        Mat::<f64>::identity(n, n)
    } else {
        let qr = ColPivQr::new(jt.as_ref());
        let q = qr.compute_Q();
        q.as_ref().subcols(m, n - m).to_owned()
    };
    let mut hz = Mat::<f64>::zeros(n, n - m);
    let (mut v, mut y) = (vec![0.0; n], vec![0.0; n]);
    for c in 0..n - m {
        (0..n).for_each(|i| v[i] = z[(i, c)]);
        system.apply_hessian(&v, &mut y);
        (0..n).for_each(|i| hz[(i, c)] = y[i]);
    }
    let reduced = z.transpose() * &hz;
    match reduced.self_adjoint_eigenvalues(Side::Lower) {
        Ok(values) => values.iter().copied().fold(f64::INFINITY, f64::min),
        Err(_) => 0.0,
    }
}
