//! Tests of [`simd`](super::simd).

#![allow(clippy::unwrap_used)]

use super::simd::*;

#[test]
fn exp_is_right_to_two_units_in_the_last_place() {
    let mut worst = 0.0_f64;
    let mut out = vec![0.0; 1003];
    let zero = vec![0.0; 1003];
    for start in -700..10 {
        let x: Vec<f64> = (0..1003).map(|k| -f64::from(start) - k as f64 / 1003.0).collect();
        let all = [(0, 125)];
        let mut live = [0; 125];
        dispatch(|| exp_row(&&x[..], &zero, 1.0, 0.0, f64::NEG_INFINITY, &all, &mut out, &mut live));
        for (x, e) in x.iter().zip(&out) {
            let exact = (-x).exp();
            worst = worst.max(((e - exact) / exact).abs() / f64::EPSILON);
        }
    }
    assert!(worst <= 2.0, "{worst} units");
}

#[test]
fn chunks_below_the_floor_are_left_out() {
    let cost: Vec<f64> = (0..83).map(f64::from).collect();
    let (mut out, mut live, mut y) = ([0.0; 83], [0; 10], [0.0; 83]);
    let row = exp_row(&&cost[..], &[0.0; 83], 1.0, 0.0, -20.5, &[(0, 1), (2, 10)], &mut out, &mut live);
    // Chunk 1 is in no run, chunks 3 to 9 are below the floor; the last three columns always count.
    assert_eq!((row.chunks, &live[..2]), (2, &[0, 2][..]));
    let used = 2 * LANES + 3;
    axpy(2.0, &out[..used], &live[..2], &mut y);
    for (j, y) in y.iter().enumerate() {
        let expected = if j / 8 == 0 || j / 8 == 2 || j >= 80 { 2.0 * (-(j as f64)).exp() } else { 0.0 };
        assert!((y - expected).abs() <= 1e-15 * expected, "{j}");
    }
    let exact: f64 = cost.iter().zip(&y).map(|(c, y)| 0.5 * c * y).sum();
    assert!((cost_row(&&cost[..], &out[..used], &live[..2]) - exact).abs() < 1e-14);
    assert!((row.sum - 0.5 * y.iter().sum::<f64>()).abs() < 1e-14);
}

#[test]
fn the_ends_of_the_range() {
    let x = [f64::INFINITY, 1e300, 701.0, 0.0, f64::NAN];
    let mut out = [1.0; 5];
    dispatch(|| exp_row(&&x[..], &[0.0; 5], 1.0, 0.0, f64::NEG_INFINITY, &[], &mut out, &mut []));
    assert_eq!(out[..4], [0.0, 0.0, 0.0, 1.0]);
    assert!(out[4].is_nan());
    assert_eq!(dispatch(|| max_row(&&x[..4], &[0.0; 4], 1.0)), 0.0);
}
