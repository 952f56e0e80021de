//! Training: the coefficients that lose the most residual in a few steps of CG, over a family of geometries.
//!
//! The objective is J = mean + 0.3 max over cases of log₁₀(‖r₈‖/‖r₀‖)/8, r₈ the residual after 8 steps. It is minimised by
//! a (1 + 1) evolution strategy with the one-fifth rule (Rechenberg 1973): a normal step in the logarithms of the
//! coefficients, kept if it is no worse, the width times 1.5 after a success and 1.5^(-1/4) after a failure. Candidates
//! whose cycle need not be positive definite are drawn again. The start is the derived cycle, so the result is never worse
//! than that on the training cases.
//!
//! Problems are drawn from a family, or are the user's own geometries, of which every fifth is held out.
//!
//! Everything follows from the seed; a limit in seconds makes the number of generations depend on the machine.

mod case;
mod date;
mod geometry;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use geometry::{Geometry, mask_problem};

pub(crate) use date::date;

use crate::coefficients::{Coefficients, LEVELS, PER_LEVEL};
use crate::dcdm::normal;
use crate::{LearnedError, Model};
use case::{Case, objective};
use rand::SeedableRng;
use rand::rngs::StdRng;
use residua_data::poisson::PoissonKind;
use residua_solvers::StopRule;
use std::time::{Duration, Instant};

/// Steps of CG in the objective.
const STEPS: usize = 8;

/// Weight of the worst case.
const WORST: f64 = 0.3;

/// First width of the search, in logarithms.
const SIGMA: f64 = 0.1;

/// Training problems are drawn from seeds beyond these, so that small seeds are unseen.
pub(crate) const FIRST_SEED: u64 = 1 << 40;

/// What to train on, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// 2 or 3.
    pub dim: usize,
    /// Points per side; default 64 in 2D, 32 in 3D. Off by one and a half from problem to problem.
    pub n: usize,
    /// The family: default blobs ([`PoissonKind::Obstacles`]), thin walls, mazes, and no obstacle at all.
    pub family: Vec<PoissonKind>,
    /// Geometries to train on beside the family, which may then be empty; default none.
    pub geometries: Vec<Geometry>,
    /// Problems of each kind; default 3.
    pub cases: usize,
    /// Candidates; default 300.
    pub generations: usize,
    /// Stop after this long all the same.
    pub budget: Option<Duration>,
    /// Draws geometries, right-hand sides and candidates.
    pub seed: u64,
}

impl TrainOptions {
    /// The defaults for `dim` = 2 or 3.
    pub fn new(dim: usize) -> Self {
        let n = if dim == 2 { 64 } else { 32 };
        let family =
            vec![PoissonKind::Obstacles, PoissonKind::Walls, PoissonKind::Maze, PoissonKind::Constant];
        Self { dim, n, family, geometries: Vec::new(), cases: 3, generations: 300, budget: None, seed: 0 }
    }
}

/// How far training is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Candidates so far, and how many there will be at most.
    pub generation: usize,
    /// At most so many.
    pub generations: usize,
    /// The objective of the best: log₁₀ of the residual's reduction a step, negative.
    pub loss: f64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The model, with its metadata.
    pub model: Model,
    /// The objective after every improvement, the first that of the derived cycle.
    pub losses: Vec<f64>,
    /// Mean iterations to 1e-6 on problems not trained on, by kind or geometry: derived cycle, trained cycle.
    pub held_out: Vec<(String, f64, f64)>,
    /// Candidates tried.
    pub generations: usize,
    /// Whether `progress` asked to stop.
    pub is_cut_short: bool,
}

/// A neighbour of `from` whose cycle is positive definite; `from` itself where a hundred draws found none.
fn mutate(from: &Coefficients, sigma: f64, random: &mut StdRng) -> Coefficients {
    for _ in 0..100 {
        let mut values = from.to_vec();
        for (k, v) in values.iter_mut().enumerate() {
            *v *= (sigma * normal(random)).exp();
            if k % PER_LEVEL == 2 {
                *v = v.min(1.0);
            }
            *v = f64::from(*v as f32);
        }
        if let Ok(candidate) = Coefficients::from_slice(from.dim, &values) {
            return candidate;
        }
    }
    *from
}

/// Trains a model; `progress` is called after every candidate and stops training by `false`, with the best so far.
///
/// # Errors
/// [`LearnedError::Option`] for options without sense, and what a problem's set-up refuses.
pub fn train(
    options: &TrainOptions,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Trained, LearnedError> {
    let TrainOptions { dim, n, cases, generations, seed, .. } = *options;
    let wrong =
        |name, value: usize, expected| Err(LearnedError::Option { name, value: value.to_string(), expected });
    if !matches!(dim, 2 | 3) {
        return wrong("dim", dim, "it must be 2 or 3");
    }
    if !(8..=1024).contains(&n) || n.pow(dim as u32) > 1 << 24 {
        return wrong("n", n, "it must lie in 8 to 1024 (256 in 3D): models serve all sizes");
    }
    if options.family.is_empty() && options.geometries.is_empty() || cases == 0 {
        return wrong("cases", cases, "training needs a problem");
    }
    if options.family.contains(&PoissonKind::Convection) {
        return wrong(
            "family",
            0,
            "convection is not symmetric: choose obstacles, walls, maze, constant, jump or neumann",
        );
    }
    let start = Instant::now();
    let mut all = Vec::new();
    for &kind in &options.family {
        for case in 0..cases {
            // Odd sizes and even ones.
            let size = n + [0, 3, 1, 6, 5][case % 5];
            all.push(Case::of_kind(kind, dim, size, FIRST_SEED + 1000 * seed + case as u64)?);
        }
    }
    let (own, own_held_out) = geometry::split(&options.geometries);
    for (k, geometry) in own.iter().enumerate() {
        all.push(Case::new(geometry.problem.clone(), dim, FIRST_SEED + 1000 * seed + k as u64)?);
    }
    let mut random = StdRng::seed_from_u64(seed);
    let mut best = Model::new(Coefficients::derived(dim)).coefficients;
    let mut loss = objective(&all, &best)?;
    let (mut losses, mut sigma, mut done, mut is_cut_short) = (vec![loss], SIGMA, 0, false);
    while done < generations && options.budget.is_none_or(|budget| start.elapsed() < budget) {
        let candidate = mutate(&best, sigma, &mut random);
        let its_loss = objective(&all, &candidate)?;
        done += 1;
        if its_loss <= loss {
            (best, loss) = (candidate, its_loss);
            losses.push(loss);
            sigma = (1.5 * sigma).min(0.3);
        } else {
            sigma = (sigma * 1.5f64.powf(-0.25)).max(0.003);
        }
        if !progress(Progress { generation: done, generations, loss }) {
            is_cut_short = true;
            break;
        }
    }
    let held_out = held_out(options, &own_held_out, &best)?;
    let mut model = Model::new(best);
    let note = |text: &[String]| text.join(" ");
    let histories: Vec<String> = losses.iter().map(|l| format!("{l:.5}")).collect();
    let reports: Vec<String> = held_out.iter().map(|(k, a, b)| format!("{k}:{a:.2}->{b:.2}")).collect();
    let names: Vec<String> = options.family.iter().map(PoissonKind::to_string).collect();
    let mut trained_on: Vec<String> = own.iter().map(|geometry| geometry.name.clone()).collect();
    if !names.is_empty() {
        trained_on.push(format!("{}, n = {n} to {}, {cases} of each", names.join(","), n + 6));
    }
    for (key, value) in [
        ("spacing", "any: matrices are scaled by h^2, coefficients have no unit".to_owned()),
        ("training_matrix", format!("{dim}D {}", trained_on.join(" "))),
        ("date", date(std::time::SystemTime::now())),
        ("seed", seed.to_string()),
        ("generations", done.to_string()),
        ("loss", format!("log10 of the residual's reduction a step, mean + {WORST} worst, {STEPS} steps")),
        ("loss_history", note(&histories)),
        ("held_out", format!("mean iterations to 1e-6, derived->trained: {}", note(&reports))),
        ("levels", LEVELS.to_string()),
    ] {
        model.metadata.insert(key.to_owned(), value);
    }
    Ok(Trained { model, losses, held_out, generations: done, is_cut_short })
}

/// Mean iterations on unseen problems of twice the size, and on the geometries held out.
fn held_out(
    options: &TrainOptions,
    geometries: &[&Geometry],
    best: &Coefficients,
) -> Result<Vec<(String, f64, f64)>, LearnedError> {
    let stop = StopRule::rtol(1e-6);
    let derived = Coefficients::derived(options.dim);
    let mut report = Vec::new();
    for &kind in &options.family {
        let (mut before, mut after) = (0.0, 0.0);
        for seed in 1..=5 {
            let case = Case::of_kind(kind, options.dim, 2 * options.n, seed)?;
            before += case.solve(&derived, &stop)?.0 as f64 / 5.0;
            after += case.solve(best, &stop)?.0 as f64 / 5.0;
        }
        report.push((kind.to_string(), before, after));
    }
    for (geometry, seed) in geometries.iter().zip(1..) {
        let case = Case::new(geometry.problem.clone(), options.dim, seed)?;
        let [before, after] = [&derived, best].map(|c| case.solve(c, &stop));
        report.push((geometry.name.clone(), before?.0 as f64, after?.0 as f64));
    }
    Ok(report)
}
