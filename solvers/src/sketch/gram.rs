//! (VᵀV)⁺ for a few columns: Cholesky in place that leaves out dependent columns, so that the projection is onto the
//! equations that are left, which have the same solutions where the system is consistent. Written out, as a factorization
//! from a crate would neither leave out columns nor run without allocation at these sizes.

/// A pivot below this share of its diagonal entry belongs to a dependent column.
const DEPENDENT: f64 = 1e-13;

/// G ← L with G = L Lᵀ, k × k by rows, lower triangle; a left-out column has the pivot 0.
pub(super) fn factorize(g: &mut [f64], k: usize) {
    for j in 0..k {
        let full = g[j * k + j];
        let pivot = full - (0..j).map(|p| g[j * k + p].powi(2)).sum::<f64>();
        if !(pivot > DEPENDENT * full) {
            (j..k).for_each(|i| g[i * k + j] = 0.0);
            continue;
        }
        let pivot = pivot.sqrt();
        g[j * k + j] = pivot;
        for i in j + 1..k {
            let sum: f64 = (0..j).map(|p| g[i * k + p] * g[j * k + p]).sum();
            g[i * k + j] = (g[i * k + j] - sum) / pivot;
        }
    }
}

/// y ← G⁻¹ y on the columns that are not left out, 0 on the others.
pub(super) fn solve(l: &[f64], k: usize, y: &mut [f64]) {
    for i in 0..k {
        let sum: f64 = (0..i).map(|p| l[i * k + p] * y[p]).sum();
        y[i] = if l[i * k + i] > 0.0 { (y[i] - sum) / l[i * k + i] } else { 0.0 };
    }
    for i in (0..k).rev() {
        if l[i * k + i] > 0.0 {
            let sum: f64 = (i + 1..k).map(|p| l[p * k + i] * y[p]).sum();
            y[i] = (y[i] - sum) / l[i * k + i];
        }
    }
}
