use super::*;

#[test]
fn faces_have_the_harmonic_mean_of_their_points() {
    let (side, dt) = (9, 0.5);
    let mut sequence = JumpDrift::new(side, 300, 1e6).unwrap().with_dt(dt).unwrap();
    for _ in 0..120 {
        assert!(sequence.advance(&[]).unwrap());
    }
    let k = sequence.coefficient().to_vec();
    let log = sequence.context()[0];
    assert!((k.iter().copied().fold(0.0, f64::max).log10() - log).abs() < 1e-12);
    assert!(k.contains(&1.0));
    let scale = dt * 100.0;
    for i in 0..side * side {
        let (x, y) = (i % side, i / side);
        let mut diagonal = 1.0;
        let neighbours = [(y > 0, -9), (x > 0, -1), (x + 1 < side, 1), (y + 1 < side, 9)];
        for (inner, offset) in neighbours {
            let face = if inner {
                let j = i.checked_add_signed(offset).unwrap();
                let mean = 2.0 * k[i] * k[j] / (k[i] + k[j]);
                assert!((sequence.matrix().get(i, j) + scale * mean).abs() <= 1e-12 * scale * mean);
                mean
            } else {
                k[i]
            };
            diagonal += scale * face;
        }
        assert!((sequence.matrix().get(i, i) - diagonal).abs() <= 1e-12 * diagonal);
    }
}

#[test]
fn the_contrast_drifts_and_the_inclusion_moves() {
    let mut sequence = JumpDrift::new(15, 300, 1e-4).unwrap();
    let (mut least, mut centres) = (0.0f64, Vec::new());
    for step in 1..=300 {
        assert!(sequence.advance(&[]).unwrap());
        least = least.min(sequence.context()[0]);
        if step % 50 == 0 && step < 300 {
            let k = sequence.coefficient();
            let inside: Vec<usize> = (0..k.len()).filter(|&i| k[i] < 0.9).collect();
            centres.push(inside.iter().map(|i| i % 15).sum::<usize>() as f64 / inside.len() as f64);
        }
    }
    assert!((least + 4.0).abs() < 1e-12);
    assert!(sequence.context()[0].abs() < 1e-12, "back to contrast 1");
    // A quarter of a turn each: the middle, left, middle, right.
    assert!((centres[0] - 7.0).abs() < 0.5 && centres[1] < 5.0 && centres[3] > 9.0, "{centres:?}");
}

#[test]
fn the_solution_is_carried_on_towards_the_steady_state() {
    // Constant k = 1: one very long step solves −Δu = 1, whose maximum is 0.0737.
    let mut sequence = JumpDrift::new(15, 2, 1.0).unwrap().with_dt(1e6).unwrap();
    assert!(sequence.advance(&[]).unwrap());
    let u = solve(sequence.matrix(), sequence.rhs());
    assert!((u[7 * 15 + 7] - 0.0737).abs() < 5e-4, "{}", u[7 * 15 + 7]);
    assert!(sequence.advance(&u).unwrap());
    assert_eq!(sequence.guess().unwrap(), u);
    assert!(sequence.rhs().iter().zip(&u).all(|(b, u)| *b == u + 1e6));
}

#[test]
fn parameters_are_checked() {
    assert!(matches!(JumpDrift::new(0, 1, 10.0), Err(SequenceError::TooSmall { .. })));
    assert!(matches!(JumpDrift::new(usize::MAX, 1, 10.0), Err(SequenceError::TooLarge { .. })));
    for contrast in [0.0, -3.0, 1e13, f64::NAN] {
        let error = JumpDrift::new(3, 1, contrast).unwrap_err();
        assert!(error.to_string().starts_with("contrast = "), "{error}");
    }
    assert!(JumpDrift::new(1, 1, 10.0).unwrap().with_dt(0.0).is_err());
}
