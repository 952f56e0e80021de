use super::*;

fn small() -> TrainOptions {
    let family = vec![PoissonKind::Walls, PoissonKind::Constant];
    TrainOptions { n: 20, cases: 1, generations: 12, family, ..TrainOptions::new(2) }
}

#[test]
fn it_is_deterministic_never_worse_and_in_the_file() {
    let mut calls = 0;
    let a = train(&small(), &mut |p| {
        calls += 1;
        p.generation == calls
    })
    .unwrap();
    let b = train(&small(), &mut |_| true).unwrap();
    assert_eq!((calls, a.model.coefficients, &a.losses), (12, b.model.coefficients, &b.losses));
    assert!(a.losses.len() > 1 && a.losses.windows(2).all(|w| w[1] <= w[0]), "{:?}", a.losses);
    let other = train(&TrainOptions { seed: 1, ..small() }, &mut |_| true).unwrap();
    assert_ne!(other.model.coefficients, a.model.coefficients);
    assert_eq!(Model::from_bytes(&a.model.to_bytes()).unwrap(), a.model);
    assert_eq!(a.model.metadata["seed"], "0");
}

#[test]
fn it_can_be_stopped_and_refuses_nonsense() {
    let cut = train(&small(), &mut |p| p.generation < 3).unwrap();
    assert!(cut.is_cut_short && cut.generations == 3);
    for bad in [
        TrainOptions { dim: 4, ..small() },
        TrainOptions { n: 3, ..small() },
        TrainOptions { family: vec![], ..small() },
        TrainOptions { family: vec![PoissonKind::Convection], ..small() },
    ] {
        assert!(matches!(train(&bad, &mut |_| true), Err(LearnedError::Option { .. })), "{bad:?}");
    }
}

/// On the user's own geometries, some of them held out; the report has them by name.
#[test]
fn a_family_of_ones_own_is_trained_on() {
    let mask = |shift: usize| -> Vec<bool> {
        (0..24 * 20).map(|at| (at % 24 + shift) % 7 != 3 || at / 24 % 9 == shift).collect()
    };
    let geometry = |shift: usize| {
        let problem = mask_problem(&[24, 20], &mask(shift)).unwrap();
        Geometry { name: format!("comb{shift}"), problem }
    };
    let geometries: Vec<Geometry> = (0..5).map(geometry).collect();
    let options = TrainOptions { family: vec![], geometries, generations: 6, ..small() };
    let trained = train(&options, &mut |_| true).unwrap();
    assert_eq!(trained.held_out.len(), 1);
    assert!(trained.held_out[0].0 == "comb4" && trained.held_out[0].2 > 0.0);
    assert!(trained.model.metadata["training_matrix"].contains("comb0"));
    let cube = TrainOptions { dim: 3, ..options };
    assert!(matches!(train(&cube, &mut |_| true), Err(LearnedError::Geometry { .. })));
}
