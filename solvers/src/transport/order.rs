//! Points in an order in which neighbours in the list are neighbours in space.
//!
//! A k-d tree: the list is split along the widest axis of its box at its middle, rounded to whole leaves, until a leaf
//! is left. So every run of `leaf` points from a multiple of `leaf` lies in one small box. Ties are broken by index:
//! the order depends on the points alone.

/// Orders `points` (dim numbers each) by leaves; returns the indices in their new order.
pub(super) fn leaf_order(points: &[f64], dim: usize, leaf: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..(points.len() / dim.max(1)) as u32).collect();
    split(points, dim, leaf.max(1), &mut order);
    order
}

fn split(points: &[f64], dim: usize, leaf: usize, order: &mut [u32]) {
    let mut rest = order;
    // Tail recursion on the right half; the left one is at most half as long.
    while rest.len() > leaf {
        let coordinate = |i: u32, k: usize| points[i as usize * dim + k];
        let width = |k: usize| {
            let (low, high) = rest.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), i| {
                let x = coordinate(*i, k);
                (low.min(x), high.max(x))
            });
            high - low
        };
        let axis = (0..dim).map(|k| (width(k), k)).max_by(|x, y| x.0.total_cmp(&y.0)).map_or(0, |x| x.1);
        let middle = (rest.len().div_ceil(leaf) / 2) * leaf;
        rest.select_nth_unstable_by(middle, |i, j| {
            coordinate(*i, axis).total_cmp(&coordinate(*j, axis)).then(i.cmp(j))
        });
        let (left, right) = rest.split_at_mut(middle);
        split(points, dim, leaf, left);
        rest = right;
    }
    rest.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_permutation_in_small_boxes() {
        let points: Vec<f64> = (0..2000).map(|k| (f64::from(k * k % 1999) * 0.37).sin()).collect();
        let order = leaf_order(&points, 2, 16);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(k, i)| k == *i as usize));
        for leaf in order.chunks(16) {
            let area: f64 = (0..2)
                .map(|k| {
                    let x = || leaf.iter().map(|i| points[2 * *i as usize + k]);
                    x().fold(f64::MIN, f64::max) - x().fold(f64::MAX, f64::min)
                })
                .product();
            assert!(area < 0.25, "{area}");
        }
        assert_eq!(leaf_order(&[1.0; 40], 1, 8), (0..40).collect::<Vec<_>>());
    }
}
