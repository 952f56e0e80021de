//! Adam (Kingma and Ba 2015), the optimiser of the published training.

use super::network::Network;

/// Adam's moments, with the constants of its paper and 1e-7 in the place of 1e-8.
pub(super) struct Adam {
    first: Network,
    second: Network,
    steps: i32,
    rate: f64,
}

impl Adam {
    /// For networks of the shape of `network`.
    pub(super) fn new(network: &Network, rate: f64) -> Self {
        Self { first: network.zeros_like(), second: network.zeros_like(), steps: 0, rate }
    }

    /// One step of `network` against `gradient`.
    pub(super) fn step(&mut self, network: &mut Network, gradient: &Network) {
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
