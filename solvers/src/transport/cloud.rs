//! Passes over all pairs of two point clouds.

use super::{Ground, PointCloud};
use rayon::prelude::*;

/// max over all pairs of the ground cost; a maximum is the same for every order.
pub(super) fn max_cost(source: &PointCloud, target: &PointCloud, ground: Ground) -> f64 {
    (0..source.len())
        .into_par_iter()
        .with_min_len(16)
        .map(|i| {
            let x = source.point(i);
            (0..target.len())
                .map(|j| ground.between(x, target.point(j)))
                .fold(0.0_f64, |a, b| if b <= a { a } else { b })
        })
        .reduce(|| 0.0, f64::max)
}
