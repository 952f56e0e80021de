//! Tests of [`damped`](super::damped).

#![allow(clippy::unwrap_used)]

use super::damped::*;

fn problem(n: usize, kernel: Vec<f64>, a: Vec<f64>, b: Vec<f64>) -> Damped {
    assert_eq!(kernel.len(), n * b.len());
    Damped::new(kernel, a, b, 0.0)
}

#[test]
fn a_link_of_any_size_is_found() {
    // Two pairs joined by e^-s; 1e-6 has to cross. The exact move is s + log 1e-6, nearly.
    for s in [1.0, 30.0, 1000.0, 1e6] {
        let kernel = vec![0.0, -s, -s, 0.0];
        let mut damped = problem(2, kernel, vec![0.5 + 1e-6, 0.5 - 1e-6], vec![0.5, 0.5]);
        let (steps, error) = damped.minimise(1e-14, 200, || true);
        assert!(error <= 1e-14 && steps < 60, "{s}: {error} after {steps}");
        let moved = damped.y[1] - damped.y[0];
        if s > 20.0 {
            assert!((moved - (s + (2e-6_f64).ln())).abs() < 1e-5, "{s}: {moved}");
        }
    }
}

#[test]
fn a_chain_of_weak_links_carries_its_mass() {
    // Site i is joined to the next by e^-100(i + 1); all the surplus is at one end, all the need at the other.
    let k = 12_usize;
    let kernel = (0..k * k)
        .map(|x| match (x / k, x % k) {
            (i, j) if i == j => 0.0,
            (i, j) if i.abs_diff(j) == 1 => -100.0 * (i.min(j) + 1) as f64,
            _ => f64::NEG_INFINITY,
        })
        .collect();
    let (mut a, mut b) = (vec![1.0 / k as f64; k], vec![1.0 / k as f64; k]);
    (a[0], b[0]) = (a[0] + 1e-3, b[0] - 1e-3);
    (a[k - 1], b[k - 1]) = (a[k - 1] - 1e-3, b[k - 1] + 1e-3);
    let mut damped = problem(k, kernel, a.clone(), b);
    let (steps, error) = damped.minimise(1e-12, 1000, || true);
    assert!(error <= 1e-12, "{error} after {steps}");
    // Rows are exact, and each site sends 2e-3 on.
    for i in 0..k - 1 {
        let row = &damped.plan[i * k..(i + 1) * k];
        assert!((row.iter().sum::<f64>() - a[i]).abs() < 1e-15);
        assert!((row[i + 1] - 2e-3).abs() < 1e-9, "{i}: {}", row[i + 1]);
    }
}

#[test]
fn a_limit_is_kept() {
    let mut damped = problem(2, vec![0.0, -9.0, -9.0, 0.0], vec![0.9, 0.1], vec![0.5, 0.5]);
    assert_eq!(damped.minimise(0.0, 3, || true).0, 3);
    assert_eq!(damped.minimise(0.0, 50, || false).0, 0);
    assert!(damped.y.iter().all(|y| y.is_finite()));
}
