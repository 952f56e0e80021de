//! Features of a matrix that are known before its system is solved.

use residua_data::CsrMatrix;

/// tr(A) / n, the mean of the diagonal; 0 for an empty matrix.
pub fn mean_diagonal(a: &CsrMatrix) -> f64 {
    let d = a.diagonal();
    if d.is_empty() { 0.0 } else { d.iter().sum::<f64>() / d.len() as f64 }
}

/// min_i (a_ii − Σ_{j≠i} |a_ij|), by how much the rows are dominant: c for a Laplacian + c I with interior rows.
pub fn diagonal_shift(a: &CsrMatrix) -> f64 {
    let slack = |i: usize| {
        let (cols, vals) = a.row(i);
        cols.iter().zip(vals).map(|(&j, &v)| if j as usize == i { v } else { -v.abs() }).sum::<f64>()
    };
    (0..a.nrows()).map(slack).reduce(f64::min).unwrap_or(0.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use residua_data::poisson::{PoissonKind, PoissonProblem};

    #[test]
    fn a_shifted_laplacian_shows_its_shift() {
        let mut a = PoissonProblem::new(PoissonKind::Constant, 2, 5).build().unwrap().matrix;
        assert_eq!((mean_diagonal(&a), diagonal_shift(&a)), (4.0, 0.0));
        for i in 0..a.nrows() {
            let k = a.row_ptr()[i] as usize + a.row(i).0.partition_point(|&j| (j as usize) < i);
            a.values_mut()[k] += 0.25;
        }
        assert_eq!((mean_diagonal(&a), diagonal_shift(&a)), (4.25, 0.25));
    }
}
