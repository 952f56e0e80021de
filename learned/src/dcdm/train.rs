//! The training of a network: loss, its derivative, Adam.

use super::conv::Image;
use super::export::Network as File;
use super::network::Network;
use super::ritz::Ritz;
use crate::LearnedError;
use crate::train::{Progress, date};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rayon::prelude::*;
use residua_data::CsrMatrix;
use residua_data::poisson::{PoissonKind, PoissonProblem};
use std::time::{Duration, Instant};

/// What to train a network on, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct DcdmOptions {
    /// Points per side; even; default 64, as in the smaller published net.
    pub n: usize,
    /// Kinds of the matrices; default the empty box, as published.
    pub family: Vec<PoissonKind>,
    /// Matrices of each kind; default 1. Solid points stay zeros of the residual.
    pub cases: usize,
    /// Ritz vectors of each matrix; default 500.
    pub ritz_vectors: usize,
    /// Batches of ten right-hand sides; default 6000.
    pub batches: usize,
    /// Adam's rate; default 1e-4, constant.
    pub rate: f64,
    /// Stop after this long all the same.
    pub budget: Option<Duration>,
    /// Draws weights, matrices and right-hand sides.
    pub seed: u64,
}

impl Default for DcdmOptions {
    fn default() -> Self {
        Self {
            n: 64,
            family: vec![PoissonKind::Constant],
            cases: 1,
            ritz_vectors: 500,
            batches: 6000,
            rate: 1e-4,
            budget: None,
            seed: 0,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedNetwork {
    /// The network, with its metadata.
    pub network: File,
    /// The mean loss of each 50 batches.
    pub losses: Vec<f64>,
    /// The loss on right-hand sides that were not trained on.
    pub held_out: f64,
    /// Batches done.
    pub batches: usize,
    /// Whether `progress` asked to stop.
    pub is_cut_short: bool,
}

/// Right-hand sides a batch.
const BATCH: usize = 10;

/// Batches between two entries of the history.
const REPORT: usize = 50;

/// One matrix on the points of a square.
struct Square {
    a: CsrMatrix<f64>,
    point_of_unknown: Vec<u32>,
    ritz: Ritz,
    n: usize,
}

impl Square {
    fn new(
        kind: PoissonKind,
        seed: u64,
        options: &DcdmOptions,
        random: &mut StdRng,
    ) -> Result<Self, LearnedError> {
        let n = options.n;
        let system = PoissonProblem::new(kind, 2, n)
            .with_seed(seed)
            .build()
            .map_err(|e| LearnedError::geometry(e.to_string(), "a problem"))?;
        let points = 0..(n * n) as u32;
        let point_of_unknown = match system.medium.unknown_of_point() {
            None => points.collect(),
            Some(unknowns) => points.zip(unknowns).filter(|(_, u)| **u != u32::MAX).map(|(p, _)| p).collect(),
        };
        let ritz = Ritz::new(&system.matrix, options.ritz_vectors, random)?;
        Ok(Self { a: system.matrix, point_of_unknown, ritz, n })
    }

    fn image(&self, b: &[f32]) -> Image {
        let mut image = Image::new(1, self.n, self.n);
        for (&at, &b) in self.point_of_unknown.iter().zip(b) {
            image.data[at as usize] = b;
        }
        image
    }

    fn vector(&self, image: &Image) -> Vec<f64> {
        self.point_of_unknown.iter().map(|&at| f64::from(image.data[at as usize])).collect()
    }

    /// ‖b − (yᵀb / yᵀA y) A y‖² and its derivative by y.
    fn loss(&self, b: &[f32], y: &Image) -> (f64, Image) {
        let y = self.vector(y);
        let b: Vec<f64> = b.iter().map(|&b| f64::from(b)).collect();
        let mut w = vec![0.0; y.len()];
        self.a.multiply(&y, &mut w);
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        // A direction of zeros has no step; what is added is far below any other.
        let (yb, yw) = (dot(&y, &b), dot(&y, &w) + 1e-30);
        let step = yb / yw;
        let rest: Vec<f64> = b.iter().zip(&w).map(|(b, w)| b - step * w).collect();
        let mut ar = vec![0.0; y.len()];
        self.a.multiply(&rest, &mut ar);
        let rw = dot(&rest, &w);
        let d: Vec<f32> = (0..y.len())
            .map(|i| (-2.0 * (rw * (b[i] - 2.0 * step * w[i]) / yw + step * ar[i])) as f32)
            .collect();
        (dot(&rest, &rest), self.image(&d))
    }
}

/// Adam's moments, with the constants of its paper and 1e-7 in the place of 1e-8.
struct Adam {
    first: Network,
    second: Network,
    steps: i32,
    rate: f64,
}

impl Adam {
    fn step(&mut self, network: &mut Network, gradient: &Network) {
        self.steps += 1;
        let (b1, b2) = (0.9f32, 0.999f32);
        let corrected = (1.0 - 0.999f64.powi(self.steps)).sqrt() / (1.0 - 0.9f64.powi(self.steps));
        let rate = (self.rate * corrected) as f32;
        let all = network.slices_mut().zip(gradient.slices());
        for ((x, g), (m, v)) in all.zip(self.first.slices_mut().zip(self.second.slices_mut())) {
            for (((x, g), m), v) in x.iter_mut().zip(g).zip(m).zip(v) {
                *m = b1 * *m + (1.0 - b1) * g;
                *v = b2 * *v + (1.0 - b2) * g * g;
                *x -= rate * *m / (v.sqrt() + 1e-7);
            }
        }
    }
}

/// Mean loss of the right-hand sides of a batch, and the sum of their gradients.
fn batch(network: &Network, of: &[(&Square, Vec<f32>)]) -> Result<(f64, Network), LearnedError> {
    let each: Result<Vec<(f64, Network)>, LearnedError> = of
        .par_iter()
        .map(|(square, b)| {
            let mut loss = 0.0;
            let gradient = network.gradient(&square.image(b), |y| {
                let (value, mut d) = square.loss(b, y);
                loss = value;
                d.data.iter_mut().for_each(|d| *d /= of.len() as f32);
                Ok(d)
            })?;
            Ok((loss, gradient))
        })
        .collect();
    let mut each = each?.into_iter();
    let (mut loss, mut sum) = each.next().unwrap_or_else(|| (0.0, network.zeros_like()));
    for (own, gradient) in each {
        loss += own;
        for (sum, g) in sum.slices_mut().zip(gradient.slices()) {
            sum.iter_mut().zip(g).for_each(|(s, g)| *s += g);
        }
    }
    Ok((loss / of.len().max(1) as f64, sum))
}

/// Trains a network; `progress` is called after every batch with log₁₀ of its loss, and stops training by `false`.
///
/// # Errors
/// [`LearnedError::Option`] for options without sense, [`LearnedError::Geometry`].
pub fn train(
    options: &DcdmOptions,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<TrainedNetwork, LearnedError> {
    let wrong = |name, value: String, expected| Err(LearnedError::Option { name, value, expected });
    if !(8..=512).contains(&options.n) || !options.n.is_multiple_of(2) {
        return wrong("n", options.n.to_string(), "it must be even and lie in 8 to 512");
    }
    let unsuited = [PoissonKind::Convection, PoissonKind::Neumann];
    if options.family.is_empty() || options.family.iter().any(|k| unsuited.contains(k)) || options.cases == 0
    {
        return wrong("family", format!("{:?}", options.family), "positive definite problems, one at least");
    }
    if !(8..=4000).contains(&options.ritz_vectors) {
        return wrong("ritz_vectors", options.ritz_vectors.to_string(), "it must lie in 8 to 4000");
    }
    if !(options.rate > 0.0 && options.rate <= 0.1) {
        return wrong("rate", options.rate.to_string(), "it must lie in (0, 0.1]");
    }
    let start = Instant::now();
    let mut random = StdRng::seed_from_u64(options.seed);
    let mut squares = Vec::new();
    for &kind in &options.family {
        for case in 0..options.cases as u64 {
            let seed = crate::train::FIRST_SEED + 1000 * options.seed + case;
            squares.push(Square::new(kind, seed, options, &mut random)?);
        }
    }
    let mut network = Network::new(options.seed);
    let (first, second) = (network.zeros_like(), network.zeros_like());
    let mut adam = Adam { first, second, steps: 0, rate: options.rate };
    let draw = |count: usize, random: &mut StdRng| -> Vec<(&Square, Vec<f32>)> {
        squares.iter().cycle().take(count).map(|square| (square, square.ritz.draw(random))).collect()
    };
    let unseen = draw(40.max(squares.len()), &mut random);
    let (mut losses, mut sum, mut done, mut is_cut_short) = (Vec::new(), 0.0, 0, false);
    while done < options.batches && options.budget.is_none_or(|budget| start.elapsed() < budget) {
        let (loss, gradient) = batch(&network, &draw(BATCH.max(squares.len()), &mut random))?;
        adam.step(&mut network, &gradient);
        done += 1;
        sum += loss;
        if done % REPORT == 0 {
            losses.push(sum / REPORT as f64);
            sum = 0.0;
        }
        if !progress(Progress { generation: done, generations: options.batches, loss: loss.log10() }) {
            is_cut_short = true;
            break;
        }
    }
    let (held_out, _) = batch(&network, &unseen)?;
    let mut metadata = std::collections::BTreeMap::new();
    let history: Vec<String> = losses.iter().map(|l| format!("{l:.4}")).collect();
    let names: Vec<String> = options.family.iter().map(PoissonKind::to_string).collect();
    let matrices = format!("2D {}, n = {}, {} of each", names.join(","), options.n, options.cases);
    for (key, value) in [
        ("spacing", "any: matrices are scaled by h^2, the net's result has no scale".to_owned()),
        ("training_matrix", matrices),
        ("ritz_vectors", options.ritz_vectors.to_string()),
        ("date", date(std::time::SystemTime::now())),
        ("seed", options.seed.to_string()),
        ("batches", format!("{done} of {BATCH}, Adam, rate {}", options.rate)),
        (
            "loss",
            "energy of the residual that is left after one step, right-hand sides of Ritz vectors".to_owned(),
        ),
        ("loss_history", history.join(" ")),
        ("held_out", format!("{held_out:.4}")),
    ] {
        metadata.insert(key.to_owned(), value);
    }
    let network = File::new(&network, metadata);
    Ok(TrainedNetwork { network, losses, held_out, batches: done, is_cut_short })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn small() -> DcdmOptions {
        DcdmOptions { n: 12, ritz_vectors: 60, batches: 60, rate: 3e-3, ..DcdmOptions::default() }
    }

    #[test]
    fn the_derivative_of_the_loss_is_that_of_differences() {
        let mut random = StdRng::seed_from_u64(1);
        let square = Square::new(PoissonKind::Obstacles, 3, &small(), &mut random).unwrap();
        let (b, mut y) = (square.ritz.draw(&mut random), square.image(&square.ritz.draw(&mut random)));
        let (loss, d) = square.loss(&b, &y);
        assert!(loss > 0.0);
        for at in [13, 40, 77] {
            let mut shifted = |by: f32| {
                y.data[at] += by;
                let loss = square.loss(&b, &y).0;
                y.data[at] -= by;
                loss
            };
            let difference = (shifted(1e-3) - shifted(-1e-3)) / 2e-3;
            assert!((difference - f64::from(d.data[at])).abs() < 1e-3 + 0.01 * difference.abs(), "{at}");
        }
        // The best direction is A⁻¹ b; any multiple of it leaves nothing.
        let mut x = vec![0.0; b.len()];
        let rhs: Vec<f64> = b.iter().map(|&b| f64::from(b)).collect();
        let system = residua_solvers::LinearSystem::new(&square.a, &rhs).unwrap();
        let mut cg = residua_solvers::Cg::new(residua_solvers::precond::Jacobi::new(&square.a).unwrap());
        let stop = residua_solvers::StopRule::rtol(1e-10);
        residua_solvers::Solver::solve(&mut cg, &system, &mut x, &stop, &mut ()).unwrap();
        let x: Vec<f32> = x.iter().map(|&x| -2.5 * x as f32).collect();
        assert!(square.loss(&b, &square.image(&x)).0 < 1e-8);
    }

    #[test]
    fn it_learns_and_is_deterministic() {
        let trained = train(&small(), &mut |_| true).unwrap();
        let again = train(&small(), &mut |_| true).unwrap();
        assert_eq!(trained.network.bytes(), again.network.bytes());
        let short = train(&DcdmOptions { batches: 1, ..small() }, &mut |_| true).unwrap();
        assert!(trained.held_out < 0.8 * short.held_out, "{} {}", trained.held_out, short.held_out);
        assert!(train(&small(), &mut |p| p.generation < 2).unwrap().is_cut_short);
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            DcdmOptions { n: 13, ..small() },
            DcdmOptions { family: vec![PoissonKind::Neumann], ..small() },
            DcdmOptions { ritz_vectors: 1, ..small() },
            DcdmOptions { rate: f64::NAN, ..small() },
        ] {
            assert!(matches!(train(&bad, &mut |_| true), Err(LearnedError::Option { .. })), "{bad:?}");
        }
    }
}
