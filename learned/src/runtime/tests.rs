use super::*;
use crate::LearnedMultigrid;
use crate::dcdm::{DcdmOptions, train};
use residua_data::poisson::{PoissonKind, PoissonProblem, uniform_rhs};
use residua_solvers::krylov::Fcg;
use residua_solvers::{LinearSystem, Solver, StopRule};

/// The embedded runtime, and ONNX Runtime where there is one.
fn runtimes() -> Vec<Runtime> {
    let mut all = Vec::new();
    if cfg!(feature = "embedded-onnx") {
        all.push(Runtime::Embedded);
    }
    match load_library() {
        Ok(()) => all.push(Runtime::Shared),
        Err(error) => eprintln!("only the embedded runtime is tested: {error}"),
    }
    all
}

/// The ONNX file of the cycle, run, against the kernels.
#[test]
fn both_back_ends_agree() {
    for (kind, dim, n) in [
        (PoissonKind::Obstacles, 2, 61),
        (PoissonKind::Walls, 2, 64),
        (PoissonKind::Maze, 3, 16),
        (PoissonKind::Constant, 3, 17),
        (PoissonKind::Neumann, 2, 24),
        (PoissonKind::Constant, 2, 9),
    ] {
        let (grid, medium) = PoissonProblem::new(kind, dim, n).with_seed(3).medium().unwrap();
        let problem = GridProblem::new(grid, &medium).unwrap();
        let model = Model::shipped(dim).unwrap();
        let mut b = LearnedMultigrid::new(&problem, &model.coefficients).unwrap();
        for runtime in runtimes() {
            let mut a = LearnedDirection::new(&model, &problem, runtime).unwrap();
            for seed in 0..2 {
                let r: Vec<f64> = uniform_rhs(problem.unknowns(), seed).iter().map(|r| 1e-30 * r).collect();
                let (mut za, mut zb) = (vec![0.0; r.len()], vec![0.0; r.len()]);
                a.apply(&r, &mut za).unwrap();
                b.apply(&r, &mut zb).unwrap();
                let defect: f64 = za.iter().zip(&zb).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                let relative = defect / kernels::norm2(&zb);
                assert!(relative <= 1e-5, "{kind} {dim}D {runtime:?}: {relative}");
            }
            assert!(a.apply(&[0.0; 2], &mut [0.0; 2]).is_err());
        }
    }
}

fn grid_of(kind: PoissonKind, n: usize) -> (residua_data::poisson::PoissonSystem, GridMetadata) {
    let system = PoissonProblem::new(kind, 2, n).with_seed(1).build().unwrap();
    let unknown_of_point = system.medium.unknown_of_point().map(<[u32]>::to_vec);
    (system, GridMetadata { dims: vec![n; 2], unknown_of_point })
}

/// The shipped network as a direction: its scale does not matter, solid points and odd sizes are padded, and the loop
/// of DCDM gains on every step.
#[test]
fn the_shipped_network_gives_conjugate_directions() {
    for runtime in runtimes() {
        let shipped = Network::shipped().unwrap();
        for (kind, n) in [(PoissonKind::Constant, 64), (PoissonKind::Obstacles, 33)] {
            let (system, grid) = grid_of(kind, n);
            let mut f = LearnedDirection::network(&shipped, &grid, runtime).unwrap();
            let size = system.rhs.len();
            let (mut z, mut scaled) = (vec![0.0; size], vec![0.0; size]);
            f.apply(&system.rhs, &mut z).unwrap();
            let small: Vec<f64> = system.rhs.iter().map(|r| 1e-9 * r).collect();
            f.apply(&small, &mut scaled).unwrap();
            let cosine = kernels::dot(&z, &scaled) / (kernels::norm2(&z) * kernels::norm2(&scaled));
            assert!(cosine > 1.0 - 1e-9, "{cosine}");
            let mut x = vec![0.0; size];
            let linear = LinearSystem::new(&system.matrix, &system.rhs).unwrap();
            let stop = StopRule { max_iters: 60, ..StopRule::rtol(1e-4) };
            let outcome = Fcg::new(f).with_window(2).solve(&linear, &mut x, &stop, &mut ()).unwrap();
            assert!(outcome.converged(), "{kind} {runtime:?}: {outcome:?}");
        }
    }
}

/// A network's file, written and run, is the network: both runtimes give the same numbers.
#[test]
fn runtimes_agree_on_networks() {
    let [first, second] = runtimes()[..] else { return };
    let shipped = Network::shipped().unwrap();
    let (system, grid) = grid_of(PoissonKind::Obstacles, 40);
    let z = [first, second].map(|runtime| {
        let mut z = vec![0.0; system.rhs.len()];
        LearnedDirection::network(&shipped, &grid, runtime).unwrap().apply(&system.rhs, &mut z).unwrap();
        z
    });
    let defect: Vec<f64> = z[0].iter().zip(&z[1]).map(|(a, b)| a - b).collect();
    assert!(kernels::norm2(&defect) < 1e-5 * kernels::norm2(&z[0]));
}

#[test]
fn what_is_no_network_is_refused() {
    let grid = GridMetadata { dims: vec![8, 8], unknown_of_point: None };
    let cube = GridMetadata { dims: vec![8, 8, 8], unknown_of_point: None };
    for runtime in runtimes() {
        let cycle = Network::from_bytes(&Model::shipped(2).unwrap().to_bytes()).unwrap();
        assert!(matches!(LearnedDirection::network(&cycle, &grid, runtime), Err(LearnedError::Model { .. })));
        let shipped = Network::shipped().unwrap();
        let wrong = LearnedDirection::network(&shipped, &cube, runtime);
        assert!(matches!(wrong, Err(LearnedError::Geometry { .. })));
        // Half of a file.
        let bytes = shipped.bytes();
        if let Ok(half) = Network::from_bytes(&bytes[..bytes.len() / 2]) {
            assert!(LearnedDirection::network(&half, &grid, runtime).is_err());
        }
    }
    assert!(Network::from_bytes(b"no model at all").is_err());
}

/// A network of NaNs is stopped by the solver's safeguards, with the answer all the same.
#[test]
fn broken_networks_do_no_harm() {
    let (system, grid) = grid_of(PoissonKind::Obstacles, 24);
    let untrained = DcdmOptions { n: 8, ritz_vectors: 20, batches: 0, seed: 9, ..DcdmOptions::default() };
    let random = train(&untrained, &mut |_| true).unwrap().network;
    let mut nans = random.bytes().to_vec();
    // The first layer's weights follow their name and raw_data's tag; every float of it becomes NaN.
    let name = b"linear_0.weight";
    let at = nans.windows(name.len()).rposition(|w| w == name).unwrap() + name.len() + 3;
    for word in nans[at..at + 144 * 4].chunks_exact_mut(4) {
        word.copy_from_slice(&f32::NAN.to_le_bytes());
    }
    let nans = Network::from_bytes(&nans).unwrap();
    for runtime in runtimes() {
        for network in [&random, &nans] {
            let f = LearnedDirection::network(network, &grid, runtime).unwrap();
            let mut solver = crate::SafeFcg::new(Box::new(f), &system.matrix, 2).unwrap();
            let mut x = vec![0.0; system.rhs.len()];
            let stop = StopRule::rtol(1e-8);
            let end = solver.solve(&system.matrix, &system.rhs, &mut x, &stop, &mut ()).unwrap();
            assert!(end.outcome.converged() && end.fallback.is_some(), "{end:?}");
        }
    }
}
