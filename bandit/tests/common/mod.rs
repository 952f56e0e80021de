//! The SOR experiment of Khodak, Chow, Balcan and Talwalkar (2024), ICLR, section 2 and appendix F: the costs are
//! sweeps of successive over-relaxation, run when a policy asks for them.
#![allow(dead_code, missing_docs, unreachable_pub)]

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use residua_bandit::{Context, Policy};
use std::f64::consts::PI;

/// Points a side of the grid, and with its border.
const SIDE: usize = 10;
const WIDTH: usize = SIDE + 2;
/// Values of ω: 1, 1.05, …, 1.95.
pub const ARMS: usize = 20;
/// The range of shifts that contextual policies are told.
pub const RANGE: (f64, f64) = (-0.15, 0.65);

pub fn omega(arm: usize) -> f64 {
    1.0 + 0.05 * arm as f64
}

/// Young's optimal ω for the Laplacian shifted by `c`.
pub fn optimal(c: f64) -> f64 {
    let beta = 4.0 * (PI / (SIDE as f64 + 1.0)).cos() / (4.0 + c);
    1.0 + (beta / (1.0 + (1.0 - beta * beta).sqrt())).powi(2)
}

/// The sweeps with each of `omegas` until ‖b − A x‖ ≤ 1e-8 ‖b‖ from x = 0, A = 5-point Laplacian + `c`.
///
/// With (D/ω + L) y = r the next residual is (1/ω − 1) D y − Lᵀ y.
pub fn sweeps<const N: usize>(c: f64, b: &[f64], omegas: [f64; N]) -> [f64; N] {
    let d = 4.0 + c;
    let mut r = [[0.0; N]; WIDTH * WIDTH];
    let mut y = [[0.0; N]; WIDTH * WIDTH];
    let inside = || (1..=SIDE).flat_map(|i| (1..=SIDE).map(move |j| i * WIDTH + j));
    for (k, &value) in inside().zip(b) {
        r[k] = [value; N];
    }
    let goal = 1e-16 * b.iter().map(|x| x * x).sum::<f64>();
    let (forward, back) = (omegas.map(|w| w / d), omegas.map(|w| (1.0 / w - 1.0) * d));
    let mut counts = [0.0; N];
    for sweep in 1..=10_000 {
        for k in inside() {
            for l in 0..N {
                y[k][l] = (r[k][l] + y[k - WIDTH][l] + y[k - 1][l]) * forward[l];
            }
        }
        let mut norms = [0.0; N];
        for k in inside() {
            for l in 0..N {
                r[k][l] = back[l] * y[k][l] + y[k + 1][l] + y[k + WIDTH][l];
                norms[l] += r[k][l] * r[k][l];
            }
        }
        for l in 0..N {
            if counts[l] == 0.0 && (norms[l] <= goal || sweep == 10_000) {
                counts[l] = f64::from(sweep);
            }
        }
        if counts.iter().all(|&count| count > 0.0) {
            break;
        }
    }
    counts
}

pub fn normal(rng: &mut dyn Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * PI * v).cos()
}

/// How the shifts −0.15 + 0.6 z are drawn.
#[derive(Clone, Copy)]
pub enum Shifts {
    /// z ~ Beta(2, 6).
    LowVariance,
    /// z ~ Beta(½, 3/2).
    HighVariance,
    /// Uniform in a range of c, for each round.
    Uniform(fn(usize) -> (f64, f64)),
}

/// A sequence of systems; costs are kept once they are known.
pub struct Sequence {
    pub shifts: Vec<f64>,
    rhs: Vec<Vec<f64>>,
    known: Vec<f64>,
}

impl Sequence {
    pub fn new(kind: Shifts, rounds: usize, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut shifts = Vec::new();
        let mut rhs = Vec::new();
        for t in 0..rounds {
            shifts.push(match kind {
                Shifts::LowVariance => {
                    let mut u: [f64; 7] = rng.random();
                    u.sort_by(f64::total_cmp);
                    -0.15 + 0.6 * u[1]
                }
                Shifts::HighVariance => {
                    let [a, b, c, d] = [0; 4].map(|_| normal(&mut rng).powi(2));
                    -0.15 + 0.6 * a / (a + b + c + d)
                }
                Shifts::Uniform(range) => {
                    let (low, high) = range(t);
                    rng.random_range(low..high)
                }
            });
            // A Gaussian vector, given that it is no longer than the root of its size.
            rhs.push(loop {
                let b: Vec<f64> = (0..SIDE * SIDE).map(|_| normal(&mut rng)).collect();
                if b.iter().map(|x| x * x).sum::<f64>() <= (SIDE * SIDE) as f64 {
                    break b;
                }
            });
        }
        Self { shifts, rhs, known: vec![0.0; ARMS * rounds] }
    }

    pub fn rounds(&self) -> usize {
        self.shifts.len()
    }

    /// The sweeps of `arm` on system `t`.
    pub fn cost(&mut self, t: usize, arm: usize) -> f64 {
        let known = &mut self.known[t * ARMS + arm];
        if *known == 0.0 {
            [*known] = sweeps(self.shifts[t], &self.rhs[t], [omega(arm)]);
        }
        *known
    }

    /// The total sweeps of 3 arms from `first` on, and with the optimal ω of each system.
    pub fn totals(&mut self, first: usize) -> [f64; 4] {
        let mut totals = [0.0; 4];
        for t in 0..self.rounds() {
            let c = self.shifts[t];
            let omegas = [omega(first), omega(first + 1), omega(first + 2), optimal(c)];
            let counts = sweeps(c, &self.rhs[t], omegas);
            self.known[t * ARMS + first..][..3].copy_from_slice(&counts[..3]);
            (0..4).for_each(|k| totals[k] += counts[k]);
        }
        totals
    }

    /// The costs of 12 arms from `first` on in all rounds, round after round.
    pub fn table(&mut self, first: usize) -> Vec<f64> {
        let mut table = Vec::new();
        for t in 0..self.rounds() {
            for arm in (first..first + 12).step_by(4) {
                let omegas = [0, 1, 2, 3].map(|k| omega(arm + k));
                let counts = sweeps(self.shifts[t], &self.rhs[t], omegas);
                self.known[t * ARMS + arm..][..4].copy_from_slice(&counts);
                table.extend(counts);
            }
        }
        table
    }

    /// The cost of each round under `policy`, which is told the shift if `contextual`.
    pub fn play(&mut self, policy: &mut dyn Policy, contextual: bool, seed: u64) -> Vec<f64> {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut costs = Vec::with_capacity(self.rounds());
        for t in 0..self.rounds() {
            let shift = [self.shifts[t]];
            let context = if contextual { Context::of(&shift) } else { Context::NONE };
            let decision = policy.select(context, &mut rng).expect("a policy for this context");
            let cost = self.cost(t, decision.arm());
            policy.update(decision, cost).expect("its own decision");
            costs.push(cost);
        }
        costs
    }
}
