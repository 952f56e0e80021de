//! Training: the coefficients that lose the most residual in a few steps of CG, over a family of geometries.
//!
//! The objective is J = mean + 0.3 max over cases of log₁₀(‖r₈‖/‖r₀‖)/8, r₈ the residual after 8 steps. It is minimised by
//! a (1 + 1) evolution strategy with the one-fifth rule (Rechenberg 1973): a normal step in the logarithms of the
//! coefficients, kept if it is no worse, the width times 1.5 after a success and 1.5^(-1/4) after a failure. Candidates
//! whose cycle need not be positive definite are drawn again. The start is the derived cycle, so the result is never worse
//! than that on the training cases.
//!
//! Everything follows from the seed; a limit in seconds makes the number of generations depend on the machine.

use crate::coefficients::{Coefficients, LEVELS, PER_LEVEL};
use crate::dcdm::normal;
use crate::{LearnedError, LearnedMultigrid, Model};
use rand::SeedableRng;
use rand::rngs::StdRng;
use residua_data::poisson::{PoissonKind, PoissonProblem, uniform_rhs};
use residua_solvers::precond::multigrid::{GridProblem, StencilOperator};
use residua_solvers::{Cg, LinearSystem, Solver, StopRule};
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
        Self { dim, n, family, cases: 3, generations: 300, budget: None, seed: 0 }
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
    /// Mean iterations to 1e-6 on problems not trained on, by kind: derived cycle, trained cycle.
    pub held_out: Vec<(PoissonKind, f64, f64)>,
    /// Candidates tried.
    pub generations: usize,
    /// Whether `progress` asked to stop.
    pub is_cut_short: bool,
}

struct Case {
    problem: GridProblem,
    operator: StencilOperator,
    rhs: Vec<f64>,
}

impl Case {
    fn new(kind: PoissonKind, dim: usize, n: usize, seed: u64) -> Result<Self, LearnedError> {
        let refused =
            |e: residua_data::poisson::PoissonError| LearnedError::geometry(e.to_string(), "a problem");
        let (grid, medium) = PoissonProblem::new(kind, dim, n).with_seed(seed).medium().map_err(refused)?;
        let problem = GridProblem::new(grid, &medium)?;
        let operator = StencilOperator::from_grid(&problem)?;
        let rhs = uniform_rhs(problem.unknowns(), seed);
        Ok(Self { problem, operator, rhs })
    }

    /// Iterations, and the relative residual, under `stop`.
    fn solve(&self, coefficients: &Coefficients, stop: &StopRule) -> Result<(usize, f64), LearnedError> {
        let precond = LearnedMultigrid::new(&self.problem, coefficients)?;
        let system = LinearSystem::new(&self.operator, &self.rhs)?;
        let mut x = vec![0.0; self.rhs.len()];
        let outcome = Cg::new(precond).solve(&system, &mut x, stop, &mut ())?;
        Ok((outcome.iterations, outcome.relative_residual))
    }
}

fn objective(cases: &[Case], coefficients: &Coefficients) -> Result<f64, LearnedError> {
    let stop = StopRule { rtol: 1e-14, max_iters: STEPS, ..StopRule::default() };
    let (mut sum, mut worst) = (0.0, f64::NEG_INFINITY);
    for case in cases {
        let (steps, residual) = case.solve(coefficients, &stop)?;
        let rate = residual.max(1e-16).log10() / steps.max(1) as f64;
        sum += rate;
        worst = worst.max(rate);
    }
    let loss = sum / cases.len().max(1) as f64 + WORST * worst;
    Ok(if loss.is_finite() { loss } else { f64::INFINITY })
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
    if options.family.is_empty() || cases == 0 {
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
            all.push(Case::new(kind, dim, size, FIRST_SEED + 1000 * seed + case as u64)?);
        }
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
    let held_out = held_out(options, &best)?;
    let mut model = Model::new(best);
    let note = |text: &[String]| text.join(" ");
    let histories: Vec<String> = losses.iter().map(|l| format!("{l:.5}")).collect();
    let reports: Vec<String> = held_out.iter().map(|(k, a, b)| format!("{k}:{a:.2}->{b:.2}")).collect();
    let names: Vec<String> = options.family.iter().map(PoissonKind::to_string).collect();
    for (key, value) in [
        ("spacing", "any: matrices are scaled by h^2, coefficients have no unit".to_owned()),
        ("training_matrix", format!("{dim}D {}, n = {n} to {}, {cases} of each", names.join(","), n + 6)),
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

/// Mean iterations on unseen problems of twice the size.
fn held_out(
    options: &TrainOptions,
    best: &Coefficients,
) -> Result<Vec<(PoissonKind, f64, f64)>, LearnedError> {
    let stop = StopRule::rtol(1e-6);
    let derived = Coefficients::derived(options.dim);
    let mut report = Vec::new();
    for &kind in &options.family {
        let (mut before, mut after) = (0.0, 0.0);
        for seed in 1..=5 {
            let case = Case::new(kind, options.dim, 2 * options.n, seed)?;
            before += case.solve(&derived, &stop)?.0 as f64 / 5.0;
            after += case.solve(best, &stop)?.0 as f64 / 5.0;
        }
        report.push((kind, before, after));
    }
    Ok(report)
}

/// The day, as YYYY-MM-DD (Gregorian, after Fliegel and Van Flandern's arithmetic on days).
pub(crate) fn date(now: std::time::SystemTime) -> String {
    let seconds = now.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + 400 * era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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

    #[test]
    fn days_have_dates() {
        let at = |days: u64| date(std::time::UNIX_EPOCH + Duration::from_secs(86_400 * days));
        assert_eq!(
            (at(0), at(19_782), at(20_000)),
            ("1970-01-01".into(), "2024-02-29".into(), "2024-10-04".into())
        );
    }
}
