use super::super::heat::{HeatEquation, diffusivity};
use super::*;
use std::f64::consts::PI;

#[test]
fn the_diffusivity_is_small_for_half_a_period_and_large_for_the_other() {
    for (t, expected) in [(0.0, 0.0), (0.25, 0.1), (0.75, 10.0), (1.25, 0.1), (7.0 / 12.0, 5.0)] {
        assert!((diffusivity(t) - expected).abs() < 1e-12, "kappa({t}) = {}", diffusivity(t));
    }
}

#[test]
fn the_context_is_the_diffusivity_at_the_start_of_the_step() {
    let mut heat = HeatEquation::new(3, 3).unwrap().with_start(0.7).unwrap().with_dt(0.025).unwrap();
    for t in [0.7, 0.725, 0.75] {
        assert!(heat.advance(&[]).unwrap());
        assert!((heat.time() - t).abs() < 1e-15);
        assert!((heat.context()[0] - diffusivity(t)).abs() < 1e-12);
    }
    assert!((heat.context()[0] - 10.0).abs() < 1e-12);
}

/// One step written out on a grid with its boundary.
fn step_by_hand(n: usize, t: f64, dt: f64, u: &dyn Fn(usize, usize) -> f64) -> (Vec<Vec<f64>>, Vec<f64>) {
    let h = 1.0 / n as f64;
    let sine = (2.0 * PI * (t + dt / 2.0)).sin();
    let kappa = if sine > 0.0 { 0.1 * sine } else { -10.0 * sine };
    let angle = 16.0 * PI * (t + dt / 2.0);
    let inner: Vec<(usize, usize)> = (1..n).flat_map(|i| (1..n).map(move |j| (i, j))).collect();
    let laplacian = |p: (usize, usize), q: (usize, usize)| match p.0.abs_diff(q.0) + p.1.abs_diff(q.1) {
        0 => -4.0 / (h * h),
        1 => 1.0 / (h * h),
        _ => 0.0,
    };
    let a = inner.iter().map(|&p| {
        let entry = |&q| f64::from(u8::from(p == q)) - 0.5 * dt * kappa * laplacian(p, q);
        inner.iter().map(entry).collect()
    });
    let b = inner.iter().map(|&(i, j)| {
        let sum = u(i + 1, j) + u(i - 1, j) + u(i, j + 1) + u(i, j - 1) - 4.0 * u(i, j);
        let (x, y) = (i as f64 * h - 0.5 - angle.cos() / 4.0, j as f64 * h - 0.5 - angle.sin() / 4.0);
        let s = 64.0 * (x * x + y * y);
        let f = if s < 1.0 { 32.0 * (1.0 - 1.0 / (1.0 - s)).exp() } else { 0.0 };
        u(i, j) + 0.5 * dt * kappa * sum / (h * h) + dt * f
    });
    (a.collect(), b.collect())
}

#[test]
fn systems_agree_with_the_formula_written_out() {
    let (n, t0, dt) = (12, 0.6, 1e-3);
    let mut heat = HeatEquation::new(n, 4).unwrap().with_start(t0).unwrap();
    let mut u: Vec<f64> = heat.guess().unwrap().to_vec();
    // The bump in the middle has height 1, and at half its radius (here 1.5 spacings) e^(1 − 4/3).
    let at = |u: &[f64], i: usize, j: usize| {
        if i == 0 || j == 0 || i == n || j == n { 0.0 } else { u[(i - 1) * (n - 1) + j - 1] }
    };
    assert_eq!(at(&u, 6, 6), 1.0);
    assert!((at(&u, 7, 6) - (1.0 - 9.0 / 8.0f64).exp()).abs() < 1e-14);
    assert_eq!(at(&u, 9, 6), 0.0);
    for step in 0..4 {
        assert!(heat.advance(if step == 0 { &[] } else { &u }).unwrap());
        let (a, b) = step_by_hand(n, t0 + f64::from(step) * dt, dt, &|i, j| at(&u, i, j));
        for (row, expected) in dense(heat.matrix()).iter().zip(&a) {
            assert!(row.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-12));
        }
        assert!(heat.rhs().iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-12));
        assert!(b.iter().any(|b| *b > 0.01), "the forcing acts on some points");
        u = solve(heat.matrix(), heat.rhs());
        assert_eq!(heat.guess().unwrap().len(), u.len());
    }
}

#[test]
fn the_lowest_mode_decays_as_the_equation_says() {
    // Without forcing, and for κ = 0.1 sin 2πt, the mode sin πx sin πy is multiplied until t by
    // exp(−2π² ∫κ) with ∫κ = 0.1 (1 − cos 2πt) / 2π. Two runs in step, so that the forcing drops out.
    let (n, steps) = (32, 200);
    let mode: Vec<f64> = (0..(n - 1) * (n - 1))
        .map(|i| [i / (n - 1) + 1, i % (n - 1) + 1].map(|k| (PI * k as f64 / n as f64).sin()))
        .map(|s| s[0] * s[1])
        .collect();
    let zero = vec![0.0; mode.len()];
    let mut with = HeatEquation::new(n, steps + 1).unwrap();
    let mut without = with.clone();
    assert!(with.advance(&[]).unwrap() && without.advance(&[]).unwrap());
    let mut decay = 1.0;
    let mut image = zero.clone();
    for _ in 0..steps {
        assert!(with.advance(&mode).unwrap() && without.advance(&zero).unwrap());
        with.matrix().multiply(&mode, &mut image);
        let kept = |i: usize| with.rhs()[i] - without.rhs()[i];
        let factor = kept(200) / image[200];
        // An eigenvector of both sides: (A factor − (I + …)) mode = 0.
        assert!((0..mode.len()).all(|i| (kept(i) - factor * image[i]).abs() < 1e-12));
        decay *= factor;
    }
    let integral = |t: f64| 0.1 * (1.0 - (2.0 * PI * t).cos()) / (2.0 * PI);
    let expected = (-2.0 * PI * PI * (integral(0.201) - integral(0.001))).exp();
    assert!((decay / expected - 1.0).abs() < 5e-4, "{decay}, not {expected}");
}

/// Plain CG from `x` to ‖r‖ ≤ 1e-8 ‖b‖; the number of steps.
fn cg(a: &CsrMatrix<f64>, b: &[f64], x: &mut [f64]) -> usize {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let mut q = vec![0.0; b.len()];
    a.multiply(x, &mut q);
    let mut r: Vec<f64> = b.iter().zip(&q).map(|(b, q)| b - q).collect();
    let mut p = r.clone();
    let (mut rho, target) = (dot(&r, &r), 1e-16 * dot(b, b));
    let mut iterations = 0;
    while rho > target {
        a.multiply(&p, &mut q);
        let alpha = rho / dot(&p, &q);
        for i in 0..b.len() {
            x[i] += alpha * p[i];
            r[i] -= alpha * q[i];
        }
        let next = dot(&r, &r);
        p.iter_mut().zip(&r).for_each(|(p, r)| *p = r + next / rho * *p);
        rho = next;
        iterations += 1;
    }
    iterations
}

#[test]
fn plain_cg_takes_the_published_experiments_number_of_iterations() {
    // An independent port of the authors' program takes 85 422 in all at n = 25.
    let mut heat = HeatEquation::new(25, 5000).unwrap();
    let mut x = Vec::new();
    let mut total = 0;
    while heat.advance(&x).unwrap() {
        x = heat.guess().unwrap().to_vec();
        total += cg(heat.matrix(), heat.rhs(), &mut x);
    }
    // Other roundings may move the end of a solve by a step.
    assert!((85_400..85_444).contains(&total), "{total}");
}

#[test]
fn grids_without_points_and_odd_steps_are_refused() {
    for n in [0, 1] {
        let error = HeatEquation::new(n, 1).unwrap_err();
        assert_eq!(error.to_string(), format!("n = {n} is too small: expected at least 2"));
    }
    assert!(matches!(HeatEquation::new(usize::MAX, 1), Err(SequenceError::TooLarge { .. })));
    assert_eq!(HeatEquation::new(2, 1).unwrap().matrix().nrows(), 1);
    for dt in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(HeatEquation::new(2, 1).unwrap().with_dt(dt).is_err());
    }
    assert!(HeatEquation::new(2, 1).unwrap().with_start(f64::NAN).is_err());
}
