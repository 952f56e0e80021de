//! A disc that moves through a channel, and which cells of a grid it covers.

use super::draw::unit;
use crate::splitmix::SplitMix64;
use std::f64::consts::PI;

/// Lowest and highest position of the centre, for each coordinate.
pub(super) const CENTRE_BOUNDS: [(f64, f64); 2] = [(0.5, 1.1), (0.3, 0.7)];

/// Radians per unit of time: not in a simple ratio, so that the path does not close soon.
const FREQUENCIES: [f64; 2] = [1.0, 1.7];

/// A disc whose centre swings with one frequency along the channel and with another across it.
///
/// With a radius of at most 0.2 it keeps 0.1 from the walls at y = 0 and 1, and 0.3 from the inflow at x = 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disc {
    radius: f64,
    phases: [f64; 2],
    pub(super) centre: [f64; 2],
    pub(super) velocity: [f64; 2],
}

impl Disc {
    /// Radius (0.1 to 0.2) and phases drawn from `seed`, at time 0.
    pub(super) fn new(seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let radius = 0.1 + 0.1 * unit(&mut random);
        let phases = std::array::from_fn(|_| 2.0 * PI * unit(&mut random));
        let mut disc = Self { radius, phases, centre: [0.0; 2], velocity: [0.0; 2] };
        disc.move_to(0.0);
        disc
    }

    /// Position and velocity at `time`.
    pub(super) fn move_to(&mut self, time: f64) {
        for axis in 0..2 {
            let (low, high) = CENTRE_BOUNDS[axis];
            let (sine, cosine) = (FREQUENCIES[axis] * time + self.phases[axis]).sin_cos();
            self.centre[axis] = 0.5 * (low + high) + 0.5 * (high - low) * sine;
            self.velocity[axis] = 0.5 * (high - low) * FREQUENCIES[axis] * cosine;
        }
    }

    /// Whether the point lies inside.
    pub(super) fn covers(&self, x: f64, y: f64) -> bool {
        (x - self.centre[0]).hypot(y - self.centre[1]) < self.radius
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disc_keeps_its_distance_and_its_velocity_is_the_derivative() {
        for seed in 0..20 {
            let mut disc = Disc::new(seed);
            assert!((0.1..0.2).contains(&disc.radius));
            let mut low = [f64::INFINITY; 2];
            let mut high = [f64::NEG_INFINITY; 2];
            for step in 0..4000 {
                let t = 0.01 * f64::from(step);
                disc.move_to(t + 1e-6);
                let after = disc.centre;
                disc.move_to(t - 1e-6);
                let before = disc.centre;
                disc.move_to(t);
                for axis in 0..2 {
                    let slope = (after[axis] - before[axis]) / 2e-6;
                    assert!((slope - disc.velocity[axis]).abs() < 1e-6);
                    low[axis] = low[axis].min(disc.centre[axis]);
                    high[axis] = high[axis].max(disc.centre[axis]);
                }
            }
            for axis in 0..2 {
                let bounds = CENTRE_BOUNDS[axis];
                assert!(low[axis] >= bounds.0 && low[axis] < bounds.0 + 1e-3);
                assert!(high[axis] <= bounds.1 && high[axis] > bounds.1 - 1e-3);
            }
        }
    }
}
