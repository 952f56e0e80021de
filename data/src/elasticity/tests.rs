use super::*;
use faer::Side;
use faer::linalg::solvers::Solve;

/// x by a dense Cholesky factorization, which exists only if K is positive definite.
fn solve(system: &ElasticitySystem) -> Vec<f64> {
    let llt = system.matrix.to_dense().unwrap().llt(Side::Lower).unwrap();
    let b = faer::Mat::from_fn(system.rhs.len(), 1, |i, _| system.rhs[i]);
    let x = llt.solve(&b);
    (0..system.rhs.len()).map(|i| x[(i, 0)]).collect()
}

/// Bending and shear of a slender beam under an end load of 1 (Timoshenko): L³/(3 E I) + L/(5/6 G A), all on a cross
/// section of `width` × 1.
fn timoshenko(length: f64, width: f64, young: f64, poisson_ratio: f64) -> f64 {
    let shear_modulus = young / (2.0 * (1.0 + poisson_ratio));
    length.powi(3) / (3.0 * young * width / 12.0) + length / (5.0 / 6.0 * shear_modulus * width)
}

/// The mean deflection of the loaded end, as the load weighs it.
fn tip(system: &ElasticitySystem) -> f64 {
    solve(system).iter().zip(&system.rhs).map(|(x, b)| x * b).sum()
}

#[test]
fn the_matrices_are_symmetric_and_the_load_is_one() {
    for problem in [ElasticityProblem::beam_2d(5, 3), ElasticityProblem::beam_3d(3, 2, 2)] {
        let system = problem.build().unwrap();
        assert!(system.matrix.is_symmetric());
        assert_eq!(system.matrix.nrows(), problem.dim * system.coordinates.len());
        assert!((system.rhs.iter().sum::<f64>() + 1.0).abs() < 1e-14);
        assert!(solve(&system).iter().all(|x| x.is_finite()));
    }
}

#[test]
fn rigid_motions_strain_nothing() {
    let plate = ElasticityProblem { plane: Plane::Stress, ..ElasticityProblem::beam_2d(5, 3) };
    for problem in [plate, ElasticityProblem::beam_3d(3, 2, 2)] {
        let problem = ElasticityProblem { size: [2.0, 0.7, 1.3], young: 7.0, ..problem };
        let (k, coordinates) = problem.build_free().unwrap();
        let modes = rigid_body_modes(problem.dim, &coordinates);
        assert_eq!(modes.len(), if problem.dim == 2 { 3 } else { 6 });
        let mut y = vec![0.0; k.nrows()];
        for mode in &modes {
            k.multiply(mode, &mut y);
            assert!(y.iter().all(|y| y.abs() < 1e-13 * k.max_abs()), "{y:?}");
        }
        // A stretch is no rigid motion.
        let stretch: Vec<f64> =
            coordinates.iter().flat_map(|p| [p[0], 0.0, 0.0].into_iter().take(problem.dim)).collect();
        k.multiply(&stretch, &mut y);
        assert!(y.iter().any(|y| y.abs() > 1e-3 * k.max_abs()));
    }
}

#[test]
fn a_slender_beam_bends_as_theory_says() {
    let (young, poisson_ratio) = (1.0, 0.3);
    let strain = ElasticityProblem::beam_2d(64, 8);
    let stress = ElasticityProblem { plane: Plane::Stress, ..strain };
    for (problem, effective) in [(stress, young), (strain, young / (1.0 - poisson_ratio * poisson_ratio))] {
        let ratio = tip(&problem.build().unwrap()) / timoshenko(8.0, 1.0, effective, poisson_ratio);
        assert!((ratio - 1.0).abs() < 0.02, "{:?}: {ratio}", problem.plane);
    }
    let ratio = tip(&ElasticityProblem::beam_3d(20, 2, 4).build().unwrap())
        / timoshenko(5.0, 0.5, young, poisson_ratio);
    assert!((ratio - 1.0).abs() < 0.06, "{ratio}");
}

#[test]
fn parameters_are_checked() {
    let beam = ElasticityProblem::beam_2d(4, 2);
    let error = |problem: ElasticityProblem| problem.build().unwrap_err().to_string();
    assert!(error(ElasticityProblem::beam_2d(4, 0)).contains("axis 1"));
    assert!(error(ElasticityProblem::beam_3d(0, 1, 1)).contains("axis 0"));
    assert!(error(ElasticityProblem { poisson_ratio: 0.5, ..beam }).contains("poisson_ratio = 0.5"));
    assert!(error(ElasticityProblem { young: f64::NAN, ..beam }).contains("young"));
    assert!(error(ElasticityProblem { size: [0.0, 1.0, 1.0], ..beam }).contains("size"));
    assert!(error(ElasticityProblem::beam_2d(usize::MAX, 2)).contains("too many"));
}
