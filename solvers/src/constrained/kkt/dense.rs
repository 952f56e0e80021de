//! Dense symmetric indefinite factorization P K Pᵀ = L B Lᵀ with 1×1 and 2×2 pivots (Bunch and Kaufman 1977,
//! *Math. Comp.* 31): stable, and the inertia of K is that of B (Sylvester).

use super::{Inertia, KktSystem};
use faer::linalg::solvers::{Lblt, Solve};
use faer::{Mat, MatMut, Side};

/// A pivot below this many roundings of the largest entry is zero.
const ZERO_PIVOT: f64 = 4.0;

pub(super) struct DenseLdl {
    factors: Lblt<f64>,
    pub(super) inertia: Inertia,
}

impl DenseLdl {
    pub(super) fn new(system: &KktSystem<'_>) -> Self {
        let (n, m) = (system.n(), system.m());
        let mut k = Mat::<f64>::zeros(n + m, n + m);
        if let Some(h) = system.h {
            for i in 0..n {
                let (columns, values) = h.row(i);
                columns.iter().zip(values).for_each(|(&j, &v)| k[(i, j as usize)] = v);
            }
        }
        for i in 0..n {
            k[(i, i)] += system.diagonal[i] + system.delta_w;
        }
        for i in 0..m {
            let (columns, values) = system.j.row(i);
            columns.iter().zip(values).for_each(|(&j, &v)| k[(n + i, j as usize)] = v);
            k[(n + i, n + i)] = -system.delta_c;
        }
        let factors = Lblt::new(k.as_ref(), Side::Lower);
        let zero = ZERO_PIVOT * (n + m) as f64 * f64::EPSILON * system.max_abs();
        let inertia = inertia(&factors, n + m, zero);
        Self { factors, inertia }
    }

    pub(super) fn solve_in_place(&self, b: &mut [f64]) {
        let len = b.len();
        self.factors.solve_in_place(MatMut::from_column_major_slice_mut(b, len, 1));
    }
}

fn inertia(factors: &Lblt<f64>, size: usize, zero: f64) -> Inertia {
    let (d, e) = (factors.B_diag().column_vector(), factors.B_subdiag().column_vector());
    let mut inertia = Inertia { positive: 0, negative: 0, zero: 0 };
    let mut count = |v: f64| {
        if v > zero {
            inertia.positive += 1;
        } else if v < -zero {
            inertia.negative += 1;
        } else {
            inertia.zero += 1;
        }
    };
    let mut k = 0;
    while k < size {
        if k + 1 < size && e[k] != 0.0 {
            let (mean, half) = (0.5 * (d[k] + d[k + 1]), 0.5 * (d[k] - d[k + 1]));
            let radius = half.hypot(e[k]);
            count(mean + radius);
            count(mean - radius);
            k += 2;
        } else {
            count(d[k]);
            k += 1;
        }
    }
    inertia
}
