//! A plan with exact marginals from one with approximate marginals.
//!
//! Algorithm 2 of Altschuler, Weed and Rigollet (2017), *Near-linear time approximation algorithms for optimal
//! transport via Sinkhorn iteration*: rows are scaled by min(1, a_i/(P1)_i), then columns by
//! min(1, b_j/(Pᵀ1)_j), and what is missing is added. They add the rank-one matrix of the two deficits, which is
//! dense; here the north-west-corner rule fills them with at most n + m − 1 entries. Their bound holds as well,
//! since it counts only the mass that is removed and added:
//! ‖P' − P‖₁ ≤ 2 (‖P1 − a‖₁ + ‖Pᵀ1 − b‖₁).

use super::{Cost, TransportError, TransportProblem};
use residua_data::CsrMatrix;

/// A plan whose marginals are the weights, to the rounding of their sums.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundedPlan {
    /// P', n × m.
    pub plan: CsrMatrix<f64>,
    /// ⟨C, P'⟩ over the allowed pairs.
    pub transport_cost: f64,
    /// ‖P' − P‖₁.
    pub change: f64,
    /// Mass that had to be put on forbidden pairs; 0 unless some costs are infinite. A plan with a smaller
    /// marginal error needs less of it.
    pub forbidden_mass: f64,
}

/// Rounds `plan`, n × m with entries that are not negative, to the marginals of `problem`.
///
/// # Errors
/// If the shape is not that of the problem, an entry is negative or not finite, or the result has too many
/// entries.
pub fn round_plan(problem: &TransportProblem, plan: &CsrMatrix<f64>) -> Result<RoundedPlan, TransportError> {
    let (a, b) = (problem.source(), problem.target());
    let size = |what, found, expected| TransportError::Size { what, found, expected };
    if plan.nrows() != a.len() {
        return Err(size("the plan's rows", plan.nrows(), a.len()));
    }
    if plan.ncols() != b.len() {
        return Err(size("the plan's columns", plan.ncols(), b.len()));
    }
    if let Some(index) = plan.values().iter().position(|p| !(p.is_finite() && *p >= 0.0)) {
        return Err(TransportError::NonFinite { what: "the plan", index });
    }
    let (col_idx, mut values) = (plan.col_idx(), plan.values().to_vec());
    let bounds = |i: usize| plan.row_ptr()[i] as usize..plan.row_ptr()[i + 1] as usize;
    for (i, a) in a.iter().enumerate() {
        let row = &mut values[bounds(i)];
        let sum: f64 = row.iter().sum();
        if sum > *a {
            row.iter_mut().for_each(|p| *p *= a / sum);
        }
    }
    let mut missing_cols = vec![0.0; b.len()];
    for (j, p) in col_idx.iter().zip(&values) {
        missing_cols[*j as usize] += p;
    }
    let scale: Vec<f64> =
        missing_cols.iter().zip(b).map(|(sum, b)| if sum > b { b / sum } else { 1.0 }).collect();
    values.iter_mut().zip(col_idx).for_each(|(p, j)| *p *= scale[*j as usize]);
    // What is missing now; rounding must not make it negative.
    missing_cols.copy_from_slice(b);
    for (j, p) in col_idx.iter().zip(&values) {
        missing_cols[*j as usize] -= p;
    }
    missing_cols.iter_mut().for_each(|r| *r = r.max(0.0));
    let missing_rows =
        (0..a.len()).map(|i| (a[i] - values[bounds(i)].iter().sum::<f64>()).max(0.0)).collect();
    let added = north_west(missing_rows, missing_cols);
    merged(problem.cost(), plan, &values, &added)
}

/// Entries (row, column, mass) by rows that carry the row sums `rows` and the column sums `cols`, as far as the
/// smaller of both totals reaches.
fn north_west(mut rows: Vec<f64>, mut cols: Vec<f64>) -> Vec<(u32, u32, f64)> {
    let mut entries = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < rows.len() && j < cols.len() {
        let mass = rows[i].min(cols[j]);
        if mass > 0.0 {
            entries.push((i as u32, j as u32, mass));
        }
        rows[i] -= mass;
        cols[j] -= mass;
        if rows[i] <= cols[j] { i += 1 } else { j += 1 }
    }
    entries
}

/// The plan of these `values` with the entries `added`, which are sorted by rows and columns.
fn merged(
    cost: &Cost,
    plan: &CsrMatrix<f64>,
    values: &[f64],
    added: &[(u32, u32, f64)],
) -> Result<RoundedPlan, TransportError> {
    let (n, m) = (plan.nrows(), plan.ncols());
    let entries = values.len() + added.len();
    if u32::try_from(entries).is_err() {
        return Err(TransportError::PlanTooLarge { entries });
    }
    let (mut row_ptr, mut col_idx, mut out) =
        (vec![0u32], Vec::with_capacity(entries), Vec::with_capacity(entries));
    let (mut transport_cost, mut change, mut forbidden_mass) = (0.0, 0.0, 0.0);
    let mut next = 0;
    for i in 0..n {
        let (cols, before) = plan.row(i);
        let start = plan.row_ptr()[i] as usize;
        let mut k = 0;
        loop {
            let new = added.get(next).filter(|entry| entry.0 as usize == i);
            let (j, mass, was) = match (cols.get(k), new) {
                (Some(&j), Some(&(_, new, mass))) if j == new => {
                    (k, next) = (k + 1, next + 1);
                    (j, values[start + k - 1] + mass, before[k - 1])
                }
                (Some(&j), new) if new.is_none_or(|entry| j < entry.1) => {
                    k += 1;
                    (j, values[start + k - 1], before[k - 1])
                }
                (_, Some(&(_, j, mass))) => {
                    next += 1;
                    (j, mass, 0.0)
                }
                (_, None) => break,
            };
            change += (mass - was).abs();
            if mass > 0.0 {
                let price = cost.entry(i, j as usize);
                if price.is_finite() {
                    transport_cost += mass * price;
                } else {
                    forbidden_mass += mass;
                }
                col_idx.push(j);
                out.push(mass);
            }
        }
        row_ptr.push(col_idx.len() as u32);
    }
    let plan = CsrMatrix::try_new(n, m, row_ptr, col_idx, out)
        .map_err(|_| TransportError::PlanTooLarge { entries })?;
    Ok(RoundedPlan { plan, transport_cost, change, forbidden_mass })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marginals(plan: &CsrMatrix<f64>) -> (Vec<f64>, Vec<f64>) {
        let (mut rows, mut cols) = (vec![0.0; plan.nrows()], vec![0.0; plan.ncols()]);
        for (i, row) in rows.iter_mut().enumerate() {
            let (js, values) = plan.row(i);
            for (j, p) in js.iter().zip(values) {
                *row += p;
                cols[*j as usize] += p;
            }
        }
        (rows, cols)
    }

    fn distance(p: &[f64], q: &[f64]) -> f64 {
        p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum()
    }

    fn dense(n: usize, m: usize, values: &[f64]) -> CsrMatrix<f64> {
        let row_ptr = (0..=n).map(|i| (i * m) as u32).collect();
        let col_idx = (0..n).flat_map(|_| 0..m as u32).collect();
        CsrMatrix::try_new(n, m, row_ptr, col_idx, values.to_vec()).unwrap()
    }

    proptest! {
        /// Marginals, and the bound of the paper, for plans that are far from having them.
        #[test]
        fn marginals_are_exact_and_the_change_is_bounded(
            (n, m) in (1usize..8, 1usize..8),
            numbers in proptest::collection::vec(0.0f64..1.0, 90),
            holes in proptest::collection::vec(0u8..4, 64),
        ) {
            let mut a: Vec<f64> = numbers[..n].iter().map(|w| if *w < 0.1 { 0.0 } else { *w }).collect();
            a[0] += 0.2;
            let mut b: Vec<f64> = numbers[8..8 + m].to_vec();
            b[m - 1] += 0.2;
            let scale = a.iter().sum::<f64>() / b.iter().sum::<f64>();
            b.iter_mut().for_each(|w| *w *= scale);
            let values: Vec<f64> = numbers[16..16 + n * m].iter().zip(&holes)
                .map(|(p, hole)| if *hole == 0 { 0.0 } else { 0.3 * p }).collect();
            let cost = Cost::dense(n, m, numbers[20..20 + n * m].to_vec()).unwrap();
            let problem = TransportProblem::new(cost, a.clone(), b.clone()).unwrap();
            let plan = dense(n, m, &values);
            let (rows, cols) = marginals(&plan);
            let error = distance(&rows, &a) + distance(&cols, &b);
            let rounded = round_plan(&problem, &plan).unwrap();
            let (rows, cols) = marginals(&rounded.plan);
            prop_assert!(distance(&rows, &a) + distance(&cols, &b) <= 1e-14 * (n + m) as f64);
            prop_assert!(rounded.plan.values().iter().all(|p| *p >= 0.0));
            prop_assert!(rounded.change <= 2.0 * error + 1e-14, "{} {}", rounded.change, error);
            prop_assert_eq!(rounded.forbidden_mass, 0.0);
            let nonzero = values.iter().filter(|p| **p > 0.0).count();
            prop_assert!(rounded.plan.nnz() < nonzero + n + m);
        }
    }

    #[test]
    fn an_exact_plan_stays_and_a_bad_one_is_refused() {
        let cost = Cost::dense(2, 2, vec![0.0, 1.0, f64::INFINITY, 0.0]).unwrap();
        let problem = TransportProblem::uniform(cost).unwrap();
        let exact = dense(2, 2, &[0.5, 0.0, 0.0, 0.5]);
        let rounded = round_plan(&problem, &exact).unwrap();
        assert_eq!((rounded.change, rounded.transport_cost), (0.0, 0.0));
        assert_eq!(rounded.plan.nnz(), 2);
        let empty = CsrMatrix::try_new(2, 2, vec![0, 0, 0], vec![], vec![]).unwrap();
        let filled = round_plan(&problem, &empty).unwrap();
        assert_eq!(marginals(&filled.plan), (vec![0.5; 2], vec![0.5; 2]));
        let crossed = round_plan(&problem, &dense(2, 2, &[0.0, 0.5, 0.4, 0.0])).unwrap();
        assert!(crossed.forbidden_mass >= 0.4, "what stands on a forbidden pair is told");
        assert!(round_plan(&problem, &dense(2, 2, &[0.5, f64::NAN, 0.0, 0.5])).is_err());
        assert!(round_plan(&problem, &dense(2, 2, &[0.5, -0.1, 0.0, 0.5])).is_err());
        assert!(round_plan(&problem, &dense(1, 2, &[0.5, 0.5])).is_err());
    }
}
