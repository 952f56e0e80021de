use super::*;

#[test]
fn exact_pressures_make_the_flow_free_of_divergence() {
    for seed in 0..3 {
        for steps in [1, 2, 7] {
            let mut flow = MovingObstacleFlow::new(8, steps, seed).unwrap();
            let mut x = Vec::new();
            while flow.advance(&x).unwrap() {
                x = solve(flow.matrix(), flow.rhs());
                assert!(flow.max_divergence() > 1e-3, "there is something to project");
            }
            assert!(flow.max_divergence() < 1e-11, "{}", flow.max_divergence());
            // Again at the end: the correction is made once.
            assert!(!flow.advance(&x).unwrap());
            assert!(flow.max_divergence() < 1e-11);
        }
    }
}

#[test]
fn rows_are_those_of_the_fluid_and_solid_cells() {
    let mut flow = MovingObstacleFlow::new(16, 1, 4).unwrap();
    assert!(flow.advance(&[]).unwrap());
    let (a, nx) = (flow.matrix(), 32);
    assert!(is_positive_definite(a) && has_no_positive_coupling(a));
    let solid = flow.solid();
    assert!(solid.iter().filter(|s| **s).count() > 6);
    for (cell, &is_solid) in solid.iter().enumerate() {
        let sum: f64 = a.row(cell).1.iter().sum();
        // Constants are in the null space but for the outflow, and solid cells are by themselves.
        let expected = match (is_solid, cell % nx == nx - 1) {
            (true, _) => 1.0,
            (false, true) => 2.0,
            (false, false) => 0.0,
        };
        assert_eq!(sum, expected, "cell {cell}");
        if is_solid {
            assert_eq!((a.get(cell, cell), flow.rhs()[cell]), (1.0, 0.0));
        }
    }
    // A corner of the inflow, inside, and the middle of the outflow.
    assert_eq!((a.get(0, 0), a.get(nx + 1, nx + 1), a.get(9 * nx - 1, 9 * nx - 1)), (2.0, 4.0, 5.0));
}

/// Gauss-Seidel sweeps from the guess: as inexact as a solver with a mild tolerance.
fn relax(flow: &MovingObstacleFlow, sweeps: usize) -> Vec<f64> {
    let mut x = flow.guess().unwrap().to_vec();
    for _ in 0..sweeps {
        for i in 0..x.len() {
            let (cols, values) = flow.matrix().row(i);
            let row: f64 = cols.iter().zip(values).map(|(&j, v)| v * x[j as usize]).sum();
            x[i] += 1.7 * (flow.rhs()[i] - row) / flow.matrix().get(i, i);
        }
    }
    x
}

#[test]
fn the_obstacle_moves_and_the_flow_stays_bounded() {
    let mut flow = MovingObstacleFlow::new(16, 600, 2).unwrap();
    let (mut x, mut patterns, mut solids) = (Vec::new(), 0, Vec::new());
    let mut least = [f64::INFINITY; 2];
    let mut most = [f64::NEG_INFINITY; 2];
    while flow.advance(&x).unwrap() {
        assert!(flow.dt() > 1e-3, "the largest velocity stays near 1: dt = {}", flow.dt());
        if flow.solid() != solids {
            patterns += 1;
            solids = flow.solid().to_vec();
        }
        for axis in 0..2 {
            least[axis] = least[axis].min(flow.context()[axis]);
            most[axis] = most[axis].max(flow.context()[axis]);
        }
        x = relax(&flow, 60);
        assert_ne!(flow.guess().unwrap(), x);
    }
    assert!(flow.time() > 1.0);
    assert!(patterns > 20 && patterns < 600, "{patterns} sets of solid cells");
    assert!(most[0] - least[0] > 0.2 && most[1] - least[1] > 0.2, "{least:?} to {most:?}");
}

#[test]
fn unsolved_steps_and_wild_pressures_never_make_nan() {
    let mut flow = MovingObstacleFlow::new(8, 40, 0).unwrap();
    for _ in 0..20 {
        assert!(flow.advance(&[]).unwrap());
        assert!(flow.rhs().iter().all(|b| b.is_finite()));
    }
    let wild: Vec<f64> = (0..128).map(|i| if i % 3 == 0 { 1e300 } else { -1e300 }).collect();
    let end = (0..20).find_map(|_| match flow.advance(&wild) {
        Err(error) => Some(error),
        Ok(_) => {
            assert!(flow.matrix().first_non_finite().is_none());
            None
        }
    });
    assert!(matches!(end, Some(SequenceError::Overflow { .. })));
}

#[test]
fn coarse_and_huge_grids_are_refused() {
    for n in [0, 1, 2, 7] {
        let error = MovingObstacleFlow::new(n, 1, 0).unwrap_err();
        assert_eq!(error.to_string(), format!("n = {n} is too small: expected at least 8"));
    }
    assert!(matches!(MovingObstacleFlow::new(usize::MAX, 1, 0), Err(SequenceError::TooLarge { .. })));
}
