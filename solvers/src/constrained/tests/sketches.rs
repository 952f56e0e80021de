//! The sketched KKT solver.

use super::*;

#[test]
fn sketches_solve_small_problems_for_every_seed() {
    for problem in [hs6(), hs28(), hs48()] {
        for &kind in SketchKind::ALL {
            for seed in 0..5 {
                let (outcome, _) = solve(&problem, &sketched(kind, seed));
                let label = format!("{} {kind} {seed}: {outcome:?}", problem.name());
                assert!(outcome.kkt_residual <= 1e-6 && outcome.objective.abs() < 1e-4, "{label}");
                assert!(outcome.kkt_solver.starts_with("sketched"), "{label}");
                assert!(outcome.inner_iterations > 0 && outcome.inner_flops > 0.0, "{label}");
            }
        }
    }
}

#[test]
fn sketches_are_those_of_the_seed_and_kind() {
    let bits = |kind, seed| {
        let (outcome, records) = solve(&hs48(), &sketched(kind, seed));
        let x: Vec<u64> = outcome.x.iter().map(|v| v.to_bits()).collect();
        (x, outcome.inner_iterations, records.len())
    };
    for &kind in SketchKind::ALL {
        assert_eq!(bits(kind, 3), bits(kind, 3), "{kind}");
    }
    assert_ne!(bits(SketchKind::Kaczmarz, 3), bits(SketchKind::Kaczmarz, 4));
    assert_ne!(bits(SketchKind::Kaczmarz, 3), bits(SketchKind::Gaussian, 3));
}

#[test]
fn stalled_sketches_fall_over_with_a_warning_only_if_they_may() {
    let short = MinimizeOptions { max_inner: 3, ..sketched(SketchKind::Kaczmarz, 0) };
    let (outcome, _) = solve(&hs28(), &short);
    assert_eq!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
    assert!(outcome.warnings.iter().any(|w| w.contains("not solved by sketched")), "{:?}", outcome.warnings);
    let alone = MinimizeOptions { fall_over: false, max_iters: 3, ..short };
    let (outcome, _) = solve(&hs28(), &alone);
    assert_ne!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
    assert!(!outcome.warnings.iter().any(|w| w.contains("not solved by sketched")));
}
