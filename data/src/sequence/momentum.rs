//! Velocities on a staggered grid of a channel, and their explicit step without pressure.
//!
//! Cells (i, j) of side h, i < nx along the channel, j < ny across it. u lives on the nx + 1 faces of a line
//! of cells, at (i h, (j + ½) h); v on the ny + 1 faces of a column, at ((i + ½) h, j h) (the MAC grid of
//! Harlow and Welch 1965, Phys. Fluids 8, 2182). In the interior
//!
//! > w* = w + dt (−a ∂ₓw − b ∂ᵧw + ν Δₕ w), w = u, v
//!
//! with the velocity (a, b) at w's face by averages, first differences on the upwind side, and the 5-point
//! Laplacian. At the inflow i = 0 u is given and v = 0; at the walls u = v = 0; at the outflow i = nx the
//! outer neighbour equals the inner value. With dt (2 max|velocity|/h + 4ν/h²) ≤ 1 each new value is a convex
//! combination of old values and their negatives behind walls, so no step amplifies the largest one.

/// Velocities on the faces of nx × ny cells.
#[derive(Debug, Clone)]
pub(super) struct Velocity {
    pub(super) nx: usize,
    pub(super) ny: usize,
    /// Length (nx + 1) ny, x fastest.
    pub(super) u: Vec<f64>,
    /// Length nx (ny + 1), x fastest.
    pub(super) v: Vec<f64>,
}

impl Velocity {
    /// The parabolic profile 6 y (1 − y) of mean 1 everywhere, on a channel of height 1.
    pub(super) fn parabolic(nx: usize, ny: usize) -> Self {
        let profile = |j: usize| {
            let y = (j as f64 + 0.5) / ny as f64;
            6.0 * y * (1.0 - y)
        };
        let u = (0..(nx + 1) * ny).map(|face| profile(face / (nx + 1))).collect();
        Self { nx, ny, u, v: vec![0.0; nx * (ny + 1)] }
    }

    /// Place in `u` of the west face of cell (i, j); of the outflow for i = nx.
    pub(super) fn u_face(&self, i: usize, j: usize) -> usize {
        j * (self.nx + 1) + i
    }

    /// Place in `v` of the south face of cell (i, j); of the upper wall for j = ny.
    pub(super) fn v_face(&self, i: usize, j: usize) -> usize {
        j * self.nx + i
    }

    /// h times the divergence in cell (i, j).
    pub(super) fn outflux(&self, i: usize, j: usize) -> f64 {
        self.u[self.u_face(i + 1, j)] - self.u[self.u_face(i, j)] + self.v[self.v_face(i, j + 1)]
            - self.v[self.v_face(i, j)]
    }

    /// The largest modulus; NaN if one is.
    pub(super) fn max_abs(&self) -> f64 {
        self.u
            .iter()
            .chain(&self.v)
            .fold(0.0, |most, w| if w.abs() > most || w.is_nan() { w.abs() } else { most })
    }

    /// Writes w* into `next`, whose inflow and walls stay as they are; `courant` = dt/h, `diffusion` = ν dt/h².
    pub(super) fn step(&self, next: &mut Self, courant: f64, diffusion: f64) {
        self.step_u(next, courant, diffusion);
        self.step_v(next, courant, diffusion);
    }

    fn step_u(&self, next: &mut Self, courant: f64, diffusion: f64) {
        let (nx, ny) = (self.nx, self.ny);
        for j in 0..ny {
            for i in 1..=nx {
                let w = self.u[self.u_face(i, j)];
                let east_cell = i.min(nx - 1);
                let across = 0.25
                    * (self.v[self.v_face(i - 1, j)]
                        + self.v[self.v_face(i - 1, j + 1)]
                        + self.v[self.v_face(east_cell, j)]
                        + self.v[self.v_face(east_cell, j + 1)]);
                let around = Around {
                    west: self.u[self.u_face(i - 1, j)],
                    east: if i < nx { self.u[self.u_face(i + 1, j)] } else { w },
                    south: if j > 0 { self.u[self.u_face(i, j - 1)] } else { -w },
                    north: if j + 1 < ny { self.u[self.u_face(i, j + 1)] } else { -w },
                };
                next.u[self.u_face(i, j)] = around.step(w, courant * w, courant * across, diffusion);
            }
        }
    }

    fn step_v(&self, next: &mut Self, courant: f64, diffusion: f64) {
        let (nx, ny) = (self.nx, self.ny);
        for j in 1..ny {
            for i in 0..nx {
                let w = self.v[self.v_face(i, j)];
                let along = 0.25
                    * (self.u[self.u_face(i, j - 1)]
                        + self.u[self.u_face(i, j)]
                        + self.u[self.u_face(i + 1, j - 1)]
                        + self.u[self.u_face(i + 1, j)]);
                let around = Around {
                    west: if i > 0 { self.v[self.v_face(i - 1, j)] } else { -w },
                    east: if i + 1 < nx { self.v[self.v_face(i + 1, j)] } else { w },
                    south: self.v[self.v_face(i, j - 1)],
                    north: self.v[self.v_face(i, j + 1)],
                };
                next.v[self.v_face(i, j)] = around.step(w, courant * along, courant * w, diffusion);
            }
        }
    }
}

/// The four neighbours of a velocity.
struct Around {
    west: f64,
    east: f64,
    south: f64,
    north: f64,
}

impl Around {
    /// w + dt (−a ∂ₓw − b ∂ᵧw + ν Δₕ w), with a dt/h and b dt/h as `along` and `across`.
    fn step(&self, w: f64, along: f64, across: f64, diffusion: f64) -> f64 {
        let upwind = |speed: f64, before: f64, after: f64| {
            if speed > 0.0 { speed * (w - before) } else { speed * (after - w) }
        };
        w - upwind(along, self.west, self.east) - upwind(across, self.south, self.north)
            + diffusion * (self.west + self.east + self.south + self.north - 4.0 * w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitmix::SplitMix64;

    #[test]
    fn the_parabolic_profile_has_mean_one_and_no_divergence() {
        let flow = Velocity::parabolic(8, 200);
        let mean = (0..200).map(|j| flow.u[flow.u_face(3, j)]).sum::<f64>() / 200.0;
        assert!((mean - 1.0).abs() < 1e-4, "{mean}");
        assert!((0..8).all(|i| (0..200).all(|j| flow.outflux(i, j) == 0.0)));
    }

    #[test]
    fn viscosity_slows_the_profile_by_its_second_derivative() {
        // u = 6 y (1 − y): ν u'' = −12 ν, exactly so for central differences away from the walls.
        let (flow, dt, nu) = (Velocity::parabolic(8, 16), 1e-3, 0.1);
        let mut next = flow.clone();
        flow.step(&mut next, dt * 16.0, nu * dt * 256.0);
        for j in 1..15 {
            let change = next.u[flow.u_face(4, j)] - flow.u[flow.u_face(4, j)];
            assert!((change + 12.0 * nu * dt).abs() < 1e-12, "line {j}: {change}");
        }
        assert!(next.v.iter().all(|v| *v == 0.0));
    }

    #[test]
    fn no_step_within_the_limit_amplifies_the_largest_velocity() {
        let mut random = SplitMix64::new(3);
        let mut flow = Velocity::parabolic(9, 7);
        for _ in 0..50 {
            flow.u.iter_mut().chain(&mut flow.v).for_each(|w| *w = random.uniform());
            let most = flow.max_abs();
            // courant 2 max|w| + 4 diffusion = 1.
            let diffusion = 0.1;
            let mut next = flow.clone();
            flow.step(&mut next, 0.6 / (2.0 * most), diffusion);
            assert!(next.max_abs() <= most * (1.0 + 1e-14));
        }
    }
}
