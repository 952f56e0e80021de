//! The training of a network on batches of right-hand sides.

use super::adam::Adam;
use super::export::Network as File;
use super::network::Network;
use super::square::Square;
use crate::LearnedError;
use crate::train::{Progress, date};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rayon::prelude::*;
use residua_data::poisson::PoissonKind;
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
            squares.push(Square::new(kind, seed, options.n, options.ritz_vectors, &mut random)?);
        }
    }
    let mut network = Network::new(options.seed);
    let mut adam = Adam::new(&network, options.rate);
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
