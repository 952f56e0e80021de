//! Dense symmetric indefinite factorization P S K S Pᵀ = L B Lᵀ, S from [`Equilibrated`], with 1×1 and 2×2 pivots (Bunch and Kaufman 1977,
//! *Math. Comp.* 31): stable, and the inertia of K is that of B (Sylvester).

use super::equilibrated::Equilibrated;
use super::{Inertia, KktSystem};
use crate::constrained::sparse::Rows;
use faer::linalg::solvers::{Lblt, Solve};
use faer::{Mat, MatMut, Side};

/// A pivot below this many roundings is zero: the largest entries are about one.
const ZERO_PIVOT: f64 = 4.0;

pub(super) struct DenseLdl {
    matrix: Equilibrated,
    factors: Lblt<f64>,
    pub(super) inertia: Inertia,
}

impl DenseLdl {
    pub(super) fn new(system: &KktSystem<'_>, h: &Rows) -> Self {
        let mut matrix = Equilibrated::new(h, system.j);
        matrix.set(system, h);
        let size = matrix.size();
        let mut k = Mat::<f64>::zeros(size, size);
        for (i, w) in matrix.starts.windows(2).enumerate() {
            for at in w[0] as usize..w[1] as usize {
                k[(i, matrix.columns[at] as usize)] = matrix.values[at];
            }
        }
        let factors = Lblt::new(k.as_ref(), Side::Lower);
        let inertia = inertia(&factors, size, ZERO_PIVOT * size as f64 * f64::EPSILON);
        Self { matrix, factors, inertia }
    }

    pub(super) fn solve_in_place(&self, b: &mut [f64]) {
        let len = b.len();
        self.matrix.scale(b);
        self.factors.solve_in_place(MatMut::from_column_major_slice_mut(b, len, 1));
        self.matrix.scale(b);
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
