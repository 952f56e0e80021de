//! The largest cost between two point clouds, exactly.
//!
//! The cost from x to the farthest corner of the box around all y bounds the costs from x to every y. Points x are
//! taken by falling bound until no bound exceeds the maximum found. Rounded differences, products and sums
//! are monotone, so the bound holds for the rounded costs too, and the maximum is that of [`Ground::between`] to the bit.

use super::simd::{self, Euclid, Manhattan, Rule, Square};
use super::{Ground, PointCloud};
use rayon::prelude::*;

/// Points between two looks at the bounds.
const ROUND: usize = 256;

/// Targets whose costs are held at once.
const TILE: usize = 512;

/// max over all pairs of the ground cost; +∞ where one overflows.
pub(super) fn max_cost(source: &PointCloud, target: &PointCloud, ground: Ground) -> f64 {
    match ground {
        Ground::L1 => largest::<Manhattan>(source, target),
        Ground::L2 => largest::<Euclid>(source, target),
        Ground::SqEuclidean => largest::<Square>(source, target),
    }
}

fn largest<G: Rule>(source: &PointCloud, target: &PointCloud) -> f64 {
    let (dim, m) = (source.dim(), target.len());
    let axes: Vec<Vec<f64>> =
        (0..dim).map(|k| target.coordinates().iter().skip(k).step_by(dim).copied().collect()).collect();
    let ends = |y: &Vec<f64>| {
        y.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(*y), high.max(*y)))
    };
    let bounds: Vec<(f64, f64)> = axes.iter().map(ends).collect();
    let bound = |x: &[f64]| {
        let terms = x.iter().zip(&bounds).map(|(x, (low, high))| G::term(x - low).max(G::term(x - high)));
        G::finish(terms.sum())
    };
    let mut order: Vec<(f64, usize)> = (0..source.len()).map(|i| (bound(source.point(i)), i)).collect();
    order.sort_unstable_by(|p, q| q.0.total_cmp(&p.0));
    let row = |i: usize| {
        simd::dispatch(
            #[inline(always)]
            || {
                let mut costs = [0.0_f64; TILE];
                let mut maxima = [0.0_f64; TILE];
                for start in (0..m).step_by(TILE) {
                    let costs = &mut costs[..TILE.min(m - start)];
                    costs.fill(0.0);
                    for (x, y) in source.point(i).iter().zip(&axes) {
                        costs.iter_mut().zip(&y[start..]).for_each(|(c, y)| *c += G::term(x - y));
                    }
                    for (max, c) in maxima.iter_mut().zip(&*costs) {
                        *max = if *c > *max { *c } else { *max };
                    }
                }
                // A root is monotone too: one at the end does.
                G::finish(maxima.into_iter().fold(0.0, f64::max))
            },
        )
    };
    let mut max = 0.0_f64;
    for round in order.chunks(ROUND) {
        if round[0].0 <= max {
            break;
        }
        max = max.max(round.par_iter().map(|(_, i)| row(*i)).reduce(|| 0.0, f64::max));
    }
    max
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_maximum_is_that_of_all_pairs_to_the_bit() {
        for dim in 1..5_usize {
            for ground in Ground::ALL {
                let cloud = |n: usize, shift: f64| {
                    let x = (0..n * dim).map(|k| ((k * k + 3 * k) as f64 * 0.37 + shift).sin()).collect();
                    PointCloud::new(dim, x).unwrap()
                };
                let (x, y) = (cloud(700, 0.1), cloud(1100, 0.7));
                let pairs = (0..700).flat_map(|i| (0..1100).map(move |j| (i, j)));
                let exact = pairs.map(|(i, j)| ground.between(x.point(i), y.point(j))).fold(0.0, f64::max);
                assert_eq!(max_cost(&x, &y, ground), exact, "{dim} {ground}");
            }
        }
    }

    #[test]
    fn overflow_shows() {
        let cloud = |x: f64| PointCloud::new(2, vec![x, 0.0]).unwrap();
        assert_eq!(max_cost(&cloud(1e308), &cloud(-1e308), Ground::L1), f64::INFINITY);
        assert_eq!(max_cost(&cloud(1e200), &cloud(0.0), Ground::L2), f64::INFINITY);
    }
}
