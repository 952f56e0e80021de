//! The plan as a sparse matrix.

use super::{Potentials, TransportError, TransportProblem};
use rayon::prelude::*;
use residua_data::CsrMatrix;

/// A sparse plan and what was left out of it.
#[derive(Debug, Clone)]
pub struct Plan {
    /// P_ij, n × m.
    pub matrix: CsrMatrix<f64>,
    /// Σ of the entries left out.
    pub dropped_mass: f64,
}

/// P_ij = exp((f_i + g_j − C_ij)/ε) where that is above `threshold` and both weights are positive. `threshold`
/// is absolute; 0 keeps every entry that does not underflow.
///
/// # Errors
/// If the potentials have other lengths than the weights, or the entries do not fit 32-bit indices.
pub fn plan(
    problem: &TransportProblem,
    potentials: &Potentials,
    epsilon: f64,
    threshold: f64,
) -> Result<Plan, TransportError> {
    check_potentials(problem, potentials)?;
    let (a, b, cost) = (problem.source(), problem.target(), problem.cost());
    let rows: Vec<(Vec<u32>, Vec<f64>, f64)> = (0..a.len())
        .into_par_iter()
        .map(|i| {
            let (mut cols, mut values, mut dropped) = (Vec::new(), Vec::new(), 0.0);
            if a[i] > 0.0 {
                for j in 0..b.len() {
                    if b[j] > 0.0 {
                        let p = ((potentials.source[i] + potentials.target[j] - cost.entry(i, j)) / epsilon)
                            .exp();
                        if p > threshold {
                            cols.push(j as u32);
                            values.push(p);
                        } else {
                            dropped += p;
                        }
                    }
                }
            }
            (cols, values, dropped)
        })
        .collect();
    let entries: usize = rows.iter().map(|r| r.0.len()).sum();
    if entries > u32::MAX as usize {
        return Err(TransportError::PlanTooLarge { entries });
    }
    let (mut row_ptr, mut col_idx, mut values) =
        (Vec::with_capacity(a.len() + 1), Vec::with_capacity(entries), Vec::with_capacity(entries));
    row_ptr.push(0);
    let mut dropped_mass = 0.0;
    for (cols, vals, dropped) in rows {
        col_idx.extend(cols);
        values.extend(vals);
        row_ptr.push(col_idx.len() as u32);
        dropped_mass += dropped;
    }
    let matrix = CsrMatrix::try_new(a.len(), b.len(), row_ptr, col_idx, values)
        .map_err(|_| TransportError::PlanTooLarge { entries })?;
    Ok(Plan { matrix, dropped_mass })
}

/// Refuses potentials of other lengths, or not finite.
pub(super) fn check_potentials(
    problem: &TransportProblem,
    potentials: &Potentials,
) -> Result<(), TransportError> {
    for (what, values, expected) in [
        ("the source potential", &potentials.source, problem.source().len()),
        ("the target potential", &potentials.target, problem.target().len()),
    ] {
        if values.len() != expected {
            return Err(TransportError::Size { what, found: values.len(), expected });
        }
        if let Some(index) = values.iter().position(|x| !x.is_finite()) {
            return Err(TransportError::NonFinite { what, index });
        }
    }
    Ok(())
}
