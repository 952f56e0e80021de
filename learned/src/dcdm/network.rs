//! The network of deep conjugate direction methods in 2D: 16 channels, one level of pooling, residual blocks.
//!
//! ```text
//! conv 1→16; conv ReLU; block; conv ReLU =: S      full resolution
//! average of 2×2; block, block, block              half resolution
//! each point twice each way; + S; block, block; conv 1×1 16→1
//! block: u = ReLU(conv x), x ← x + ReLU(conv u)
//! ```
//!
//! That is the net for 64 points a side of Kaneda et al. (2023), *A deep conjugate direction method for iteratively solving
//! linear systems*, ICML, with 3×3 in the place of 3×3×3 taps: 32,657 numbers, 1.5·10⁴ products a point.

use super::conv::{Conv, Image};
use crate::LearnedError;

/// Channels inside.
pub(super) const CHANNELS: usize = 16;

/// What comes after what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// One convolution.
    Linear,
    /// One, and ReLU.
    Relu,
    /// Two, and a shortcut.
    Block,
    /// Keep the image for [`Step::Add`].
    Keep,
    /// Half the resolution.
    Pool,
    /// Twice the resolution, and the kept image.
    Add,
}

/// The whole net.
pub(super) const STEPS: [Step; 13] = [
    Step::Linear,
    Step::Relu,
    Step::Block,
    Step::Relu,
    Step::Keep,
    Step::Pool,
    Step::Block,
    Step::Block,
    Step::Block,
    Step::Add,
    Step::Block,
    Step::Block,
    Step::Linear,
];

/// The convolutions in their order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Network {
    pub(super) convs: Vec<Conv>,
}

/// What a step had, to go back: its input, and what is inside of a block.
struct Seen {
    x: Image,
    inner: Option<[Image; 2]>,
}

impl Network {
    pub(super) fn new(seed: u64) -> Self {
        let mut convs = vec![(1, CHANNELS, 3)];
        convs.extend([(CHANNELS, CHANNELS, 3); 14]);
        convs.push((CHANNELS, 1, 1));
        let own = |(k, (inputs, outputs, width)): (usize, (usize, usize, usize))| {
            Conv::new(inputs, outputs, width, seed.wrapping_mul(1000).wrapping_add(k as u64))
        };
        Self { convs: convs.into_iter().enumerate().map(own).collect() }
    }

    pub(super) fn zeros_like(&self) -> Self {
        Self { convs: self.convs.iter().map(Conv::zeros_like).collect() }
    }

    /// The numbers of all layers, layer by layer.
    pub(super) fn slices_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.convs.iter_mut().flat_map(|c| [&mut c.weight[..], &mut c.bias[..]])
    }

    /// See [`slices_mut`](Self::slices_mut).
    pub(super) fn slices(&self) -> impl Iterator<Item = &[f32]> {
        self.convs.iter().flat_map(|c| [&c.weight[..], &c.bias[..]])
    }

    /// y = f(x); `seen`, if given, takes what `backward` needs.
    fn run(&self, x: &Image, mut seen: Option<&mut Vec<Seen>>) -> Image {
        let mut convs = self.convs.iter();
        let mut next = |x: &Image| convs.next().map_or_else(|| x.clone(), |conv| conv.forward(x));
        let (mut x, mut kept) = (x.clone(), Image::default());
        for step in STEPS {
            let mut inner = None;
            let y = match step {
                Step::Linear => next(&x),
                Step::Relu => relu(next(&x)),
                Step::Block => {
                    let u = relu(next(&x));
                    let v = relu(next(&u));
                    let y = sum(v.clone(), &x);
                    inner = Some([u, v]);
                    y
                }
                Step::Keep => {
                    kept = x.clone();
                    x.clone()
                }
                Step::Pool => pool(&x),
                Step::Add => sum(double(&x), &kept),
            };
            let x = std::mem::replace(&mut x, y);
            if let Some(seen) = &mut seen {
                // ReLU's mask is read from its result, which the next step has as input.
                seen.push(Seen { x, inner });
            }
        }
        x
    }

    /// f(x) for an image of one channel whose sides are even.
    #[cfg(test)]
    pub(super) fn forward(&self, x: &Image) -> Image {
        self.run(x, None)
    }

    /// f(x), and the gradient of a function of f(x): `derivative` maps y to ∂y.
    ///
    /// # Errors
    /// What `derivative` refuses.
    pub(super) fn gradient(
        &self,
        x: &Image,
        derivative: impl FnOnce(&Image) -> Result<Image, LearnedError>,
    ) -> Result<Self, LearnedError> {
        let mut seen = Vec::with_capacity(STEPS.len());
        let y = self.run(x, Some(&mut seen));
        let mut d = derivative(&y)?;
        let mut gradient = self.zeros_like();
        let mut convs = self.convs.iter().zip(&mut gradient.convs).rev();
        let mut back = |x: &Image, d: &Image| match convs.next() {
            Some((conv, gradient)) => conv.backward(x, d, gradient),
            None => d.clone(),
        };
        let (mut kept, mut result) = (Image::default(), y);
        for (step, Seen { x, inner }) in STEPS.into_iter().zip(seen).rev() {
            d = match (step, inner) {
                (Step::Linear, _) => back(&x, &d),
                (Step::Relu, _) => back(&x, &masked(d, &result)),
                (Step::Block, Some([u, v])) => {
                    let du = back(&u, &masked(d.clone(), &v));
                    sum(back(&x, &masked(du, &u)), &d)
                }
                (Step::Keep, _) => sum(d, &kept),
                (Step::Pool, _) => scaled(double(&d), 0.25),
                (Step::Add, _) => {
                    let half = scaled(pool(&d), 4.0);
                    kept = d;
                    half
                }
                (Step::Block, None) => d,
            };
            result = x;
        }
        Ok(gradient)
    }
}

fn relu(mut x: Image) -> Image {
    x.data.iter_mut().for_each(|v| *v = v.max(0.0));
    x
}

/// d where y > 0.
fn masked(mut d: Image, y: &Image) -> Image {
    d.data.iter_mut().zip(&y.data).for_each(|(d, &y)| *d = if y > 0.0 { *d } else { 0.0 });
    d
}

fn sum(mut x: Image, y: &Image) -> Image {
    x.data.iter_mut().zip(&y.data).for_each(|(x, y)| *x += y);
    x
}

fn scaled(mut x: Image, by: f32) -> Image {
    x.data.iter_mut().for_each(|x| *x *= by);
    x
}

/// Means of 2 × 2 points.
fn pool(x: &Image) -> Image {
    let mut y = Image::new(x.channels, x.height / 2, x.width / 2);
    let width = y.width.max(1);
    for (row, y) in y.data.chunks_exact_mut(width).enumerate() {
        let (upper, lower) = x.data[2 * row * x.width..][..2 * x.width].split_at(x.width);
        for ((y, a), b) in y.iter_mut().zip(upper.chunks_exact(2)).zip(lower.chunks_exact(2)) {
            *y = 0.25 * ((a[0] + a[1]) + (b[0] + b[1]));
        }
    }
    y
}

/// Every point four times.
fn double(x: &Image) -> Image {
    let mut y = Image::new(x.channels, 2 * x.height, 2 * x.width);
    let width = y.width.max(1);
    for (row, y) in y.data.chunks_exact_mut(width).enumerate() {
        let x = &x.data[row / 2 * x.width..][..x.width];
        y.chunks_exact_mut(2).zip(x).for_each(|(y, &x)| y.fill(x));
    }
    y
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_size_of_the_published_one() {
        let network = Network::new(0);
        assert_eq!(network.slices().map(<[f32]>::len).sum::<usize>(), 32_657);
        let x = Image { data: (0..96).map(|i| (i as f32).sin()).collect(), ..Image::new(1, 8, 12) };
        let y = network.forward(&x);
        assert_eq!((y.channels, y.height, y.width), (1, 8, 12));
        assert!(y.data.iter().all(|y| y.is_finite()) && y.data.iter().any(|&y| y != 0.0));
    }

    /// Against differences of ½‖f(x)‖², in some numbers of each layer.
    #[test]
    fn the_gradient_is_that_of_differences() {
        let mut network = Network::new(3);
        let x = Image { data: (0..64).map(|i| (i as f32 * 1.7).sin()).collect(), ..Image::new(1, 8, 8) };
        let gradient = network.gradient(&x, |y| Ok(y.clone())).unwrap();
        let gradient: Vec<Vec<f32>> = gradient.slices().map(<[f32]>::to_vec).collect();
        let value = |network: &Network| {
            0.5 * network.forward(&x).data.iter().map(|&y| f64::from(y).powi(2)).sum::<f64>()
        };
        let mut largest = 0.0f64;
        for (layer, expected) in gradient.iter().enumerate() {
            let at = expected.len() / 2;
            let mut shifted = |by: f32| {
                let slice = network.slices_mut().nth(layer).unwrap();
                let old = slice[at];
                slice[at] += by;
                let value = value(&network);
                network.slices_mut().nth(layer).unwrap()[at] = old;
                value
            };
            let difference = (shifted(3e-4) - shifted(-3e-4)) / 6e-4;
            let expected = f64::from(expected[at]);
            largest = largest.max(expected.abs());
            assert!(
                (difference - expected).abs() < 0.03 * expected.abs() + 2e-3,
                "{layer}: {difference} {expected}"
            );
        }
        assert!(largest > 0.05, "{largest}");
    }
}
