//! What the published theory promises: descent, accuracy, rate.

use super::*;

#[test]
fn the_merit_descends_at_every_accepted_step() {
    let options = MinimizeOptions { memory: 1, ..with(KktMethod::Direct) };
    for problem in [hs6(), hs7(), hs40(), bt11(), sphere(12)] {
        let (_, records) = solve(&problem, &options);
        for r in &records[1..] {
            assert!(r.merit.1 <= r.merit.0 + 1e-12 * r.merit.0.abs(), "{} {r:?}", problem.name());
        }
    }
}

#[test]
fn convergence_is_superlinear_close_to_a_solution() {
    for problem in [hs7(), hs40(), sphere(12)] {
        let options = MinimizeOptions { tol: 1e-12, ..with(KktMethod::Direct) };
        let (outcome, records) = solve(&problem, &options);
        assert_eq!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
        let last = records.len() - 1;
        let (a, b) = (records[last - 2].kkt_residual, records[last - 1].kkt_residual);
        assert!(b <= a.powf(1.5).max(1e-12) * 100.0, "{} {a} {b}", problem.name());
        assert_eq!(records[last].step, 1.0);
    }
}

#[test]
fn sketched_steps_descend_and_reach_the_published_accuracy_at_every_iteration() {
    for accuracy in [Accuracy::Published, Accuracy::PublishedSuperlinear] {
        for problem in [hs6(), hs7(), hs28(), hs40(), hs48()] {
            let options = MinimizeOptions {
                accuracy,
                memory: 1,
                second_order_correction: false,
                hessian_shift: HessianShift::Published,
                ..sketched(SketchKind::Block, 1)
            };
            let (outcome, records) = solve(&problem, &options);
            let label = format!("{} {accuracy:?}", problem.name());
            assert_eq!(outcome.status, MinimizeStatus::Converged, "{label} {outcome:?}");
            for r in &records[1..] {
                assert!(r.requested_residual > 0.0 && r.requested_residual < 1e-3, "{label} {r:?}");
                assert!(r.reached_residual <= r.requested_residual.max(1e-13), "{label} {r:?}");
                assert!(r.merit.1 <= r.merit.0 + 1e-12 * r.merit.0.abs(), "{label} {r:?}");
            }
        }
    }
}

#[test]
fn the_sketched_method_is_superlinear_with_a_forcing_term() {
    for problem in [hs7(), hs40()] {
        let options = MinimizeOptions { tol: 1e-11, ..sketched(SketchKind::Block, 0) };
        let (outcome, records) = solve(&problem, &options);
        assert_eq!(outcome.status, MinimizeStatus::Converged, "{outcome:?}");
        let kkt: Vec<f64> = records.iter().map(|r| r.kkt_residual).filter(|k| *k < 1e-2).collect();
        // The order of the forcing term ‖∇L‖^½ is 3/2; the ratio of one residual to the last falls with the residual.
        for pair in kkt.windows(2).filter(|p| p[1] > 1e-12) {
            assert!(pair[1] <= 30.0 * pair[0].powf(1.4), "{} {kkt:?}", problem.name());
        }
    }
}
