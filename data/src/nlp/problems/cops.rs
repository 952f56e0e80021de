//! Optimal control and variational problems of any size, after Dolan, Moré and Munson (2004), *Benchmarking optimization software
//! with COPS 3.0*, ANL/MCS-TM-273.
//!
//! States x(t) with x' = F(x, u) are replaced by their values at N + 1 equal steps h, joined by the trapezoidal rule
//!
//! ```text
//! x_{k+1} = x_k + h/2 (F(x_k, u_k) + F(x_{k+1}, u_{k+1})).
//! ```

use super::sq;
use crate::nlp::expression::{Expr, Model};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// A problem for each N.
pub(super) struct Family {
    pub(super) name: &'static str,
    /// The name with the size that a list shows.
    pub(super) listed: &'static str,
    /// N where none is given.
    pub(super) default: usize,
    pub(super) build: fn(&Model, usize),
}

pub(super) const FAMILIES: [Family; 7] = [
    Family { name: "catmix", listed: "catmix:100", default: 100, build: catalyst },
    Family { name: "chain", listed: "chain:100", default: 100, build: chain },
    Family { name: "glider", listed: "glider:25", default: 25, build: glider },
    Family { name: "robot", listed: "robot:50", default: 50, build: robot },
    Family { name: "rocket", listed: "rocket:100", default: 100, build: rocket },
    Family { name: "steering", listed: "steering:50", default: 50, build: steering },
    Family { name: "torsion", listed: "torsion:25", default: 25, build: torsion },
];

/// The values of a function at the steps 0 to `n`, within bounds; its ends are fixed where they are given.
fn path<'m>(
    m: &'m Model,
    n: usize,
    (lower, upper): (f64, f64),
    ends: (Option<f64>, Option<f64>),
    start: impl Fn(f64) -> f64,
) -> Vec<Expr<'m>> {
    (0..=n)
        .map(|k| match (k, ends) {
            (0, (Some(fixed), _)) => m.variable(fixed, fixed, fixed),
            (k, (_, Some(fixed))) if k == n => m.variable(fixed, fixed, fixed),
            _ => m.variable(start(k as f64 / n as f64), lower, upper),
        })
        .collect()
}

const FREE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
const NOT_NEGATIVE: (f64, f64) = (0.0, f64::INFINITY);

/// The trapezoidal rule for x' = `rate`, the derivative at a step.
fn trapezoidal<'m>(m: &'m Model, h: Expr<'m>, x: &[Expr<'m>], rate: impl Fn(usize) -> Expr<'m>) {
    for k in 1..x.len() {
        m.equality(x[k] - x[k - 1] - 0.5 * h * (rate(k - 1) + rate(k)), 0.0);
    }
}

/// The mixing policy of two catalysts along a reactor that makes the most of the third substance: −0.04806.
fn catalyst(m: &Model, n: usize) {
    let x = path(m, n, FREE, (Some(1.0), None), |_| 1.0);
    let y = path(m, n, FREE, (Some(0.0), None), |_| 0.0);
    let u = path(m, n, (0.0, 1.0), (None, None), |_| 0.0);
    let h = m.constant(1.0 / n as f64);
    trapezoidal(m, h, &x, |k| u[k] * (10.0 * y[k] - x[k]));
    trapezoidal(m, h, &y, |k| u[k] * (x[k] - 10.0 * y[k]) - (1.0 - u[k]) * y[k]);
    m.minimize(x[n] + y[n] - 1.0);
}

/// The shape of a hanging chain of length 4 between heights 1 and 3: potential energy 5.0689.
fn chain(m: &Model, n: usize) {
    let (a, b, length) = (1.0, 3.0, 4.0);
    let x = path(m, n, FREE, (Some(a), Some(b)), |t| 4.0 * (b - a) * t * (0.5 * t - 0.25) + a);
    let u = path(m, n, FREE, (None, None), |t| 4.0 * (b - a) * (t - 0.25));
    let step = 1.0 / n as f64;
    trapezoidal(m, m.constant(step), &x, |k| u[k]);
    let arc: Vec<_> = u.iter().map(|u| (1.0 + sq(*u)).sqrt()).collect();
    let weight = |k: usize| if k == 0 || k == n { 0.5 * step } else { step };
    m.minimize((0..=n).map(|k| weight(k) * x[k] * arc[k]).sum());
    m.equality((0..=n).map(|k| weight(k) * arc[k]).sum(), length);
}

/// The farthest flight of a hang glider through an updraft: 1248 metres.
fn glider(m: &Model, n: usize) {
    let (updraft, radius, c0, c1, area, density, mass, gravity) =
        (2.5, 100.0, 0.034, 0.069662, 14.0, 1.13, 100.0, 9.81);
    let (vx, vy) = (13.227567500, -1.2875005200);
    let tf = m.variable(1.0, 0.0, f64::INFINITY);
    let x = path(m, n, NOT_NEGATIVE, (Some(0.0), None), |t| vx * t);
    let y = path(m, n, FREE, (Some(1000.0), Some(900.0)), |t| 1000.0 - 100.0 * t);
    let u = path(m, n, NOT_NEGATIVE, (Some(vx), Some(vx)), |_| vx);
    let w = path(m, n, FREE, (Some(vy), Some(vy)), |_| vy);
    let lift = path(m, n, (0.0, 1.4), (None, None), |_| 0.7);
    // Speed of sinking relative to the air, and the air speed.
    let air: Vec<_> = (0..=n)
        .map(|k| {
            let r = sq(x[k] / radius - 2.5);
            let sinking = w[k] - updraft * (1.0 - r) * (-r).exp();
            (sinking, (sq(u[k]) + sq(sinking)).sqrt())
        })
        .collect();
    let drag = |k: usize| 0.5 * density * area * (c0 + c1 * sq(lift[k])) * air[k].1;
    let force = |k: usize| 0.5 * density * area * lift[k] * air[k].1;
    let h = tf / n as f64;
    trapezoidal(m, h, &x, |k| u[k]);
    trapezoidal(m, h, &y, |k| w[k]);
    trapezoidal(m, h, &u, |k| -(force(k) * air[k].0 + drag(k) * u[k]) / mass);
    trapezoidal(m, h, &w, |k| (force(k) * u[k] - drag(k) * air[k].0) / mass - gravity);
    m.maximize(x[n]);
}

/// The shortest time in which a robot arm moves from one position at rest to another: 9.141.
fn robot(m: &Model, n: usize) {
    let length = 5.0;
    let rest = (Some(0.0), Some(0.0));
    let rho = path(m, n, (0.0, length), (Some(4.5), Some(4.5)), |_| 4.5);
    let theta = path(m, n, (-PI, PI), (Some(0.0), Some(2.0 * PI / 3.0)), |t| 2.0 * PI / 3.0 * t * t);
    let phi = path(m, n, (0.0, PI), (Some(FRAC_PI_4), Some(FRAC_PI_4)), |_| FRAC_PI_4);
    let rho_rate = path(m, n, FREE, rest, |_| 0.0);
    let theta_rate = path(m, n, FREE, rest, |t| 4.0 * PI / 3.0 * t);
    let phi_rate = path(m, n, FREE, rest, |_| 0.0);
    let torques: [_; 3] = std::array::from_fn(|_| path(m, n, (-1.0, 1.0), (None, None), |_| 0.0));
    let tf = m.variable(1.0, 0.0, f64::INFINITY);
    let h = tf / n as f64;
    let inertia = |k: usize| ((length - rho[k]).powi(3) + rho[k].powi(3)) / 3.0;
    trapezoidal(m, h, &rho, |k| rho_rate[k]);
    trapezoidal(m, h, &theta, |k| theta_rate[k]);
    trapezoidal(m, h, &phi, |k| phi_rate[k]);
    trapezoidal(m, h, &rho_rate, |k| torques[0][k] / length);
    trapezoidal(m, h, &theta_rate, |k| torques[1][k] / (inertia(k) * sq(phi[k].sin())));
    trapezoidal(m, h, &phi_rate, |k| torques[2][k] / inertia(k));
    m.minimize(tf);
}

/// The greatest height of a rocket, by its thrust over time (Goddard's problem): 1.01283 radii.
fn rocket(m: &Model, n: usize) {
    let (gravity, empty, drag_scale) = (1.0, 0.6, 310.0);
    let (most_thrust, exhaust) = (3.5, 0.5);
    let h = path(m, n, (1.0, f64::INFINITY), (Some(1.0), None), |_| 1.0);
    let v = path(m, n, NOT_NEGATIVE, (Some(0.0), None), |t| t * (1.0 - t));
    let mass = path(m, n, (empty, 1.0), (Some(1.0), Some(empty)), |t| 1.0 - (1.0 - empty) * t);
    let thrust = path(m, n, (0.0, most_thrust), (None, None), |_| most_thrust / 2.0);
    let step = m.variable(1.0 / n as f64, 0.0, f64::INFINITY);
    trapezoidal(m, step, &h, |k| v[k]);
    trapezoidal(m, step, &v, |k| {
        let drag = drag_scale * sq(v[k]) * (-500.0 * (h[k] - 1.0)).exp();
        (thrust[k] - drag) / mass[k] - gravity / sq(h[k])
    });
    trapezoidal(m, step, &mass, |k| -thrust[k] / exhaust);
    m.maximize(h[n]);
}

/// The shortest time to steer a particle to a given height and velocity: 0.55457.
fn steering(m: &Model, n: usize) {
    let acceleration = 100.0;
    let u = path(m, n, (-FRAC_PI_2, FRAC_PI_2), (None, None), |_| 0.0);
    let x = path(m, n, FREE, (Some(0.0), None), |_| 0.0);
    let y = path(m, n, FREE, (Some(0.0), Some(5.0)), |t| 5.0 * t);
    let vx = path(m, n, FREE, (Some(0.0), Some(45.0)), |t| 45.0 * t);
    let vy = path(m, n, FREE, (Some(0.0), Some(0.0)), |t| 45.0 * t);
    let tf = m.variable(1.0, 0.0, f64::INFINITY);
    let h = tf / n as f64;
    trapezoidal(m, h, &x, |k| vx[k]);
    trapezoidal(m, h, &y, |k| vy[k]);
    trapezoidal(m, h, &vx, |k| acceleration * u[k].cos());
    trapezoidal(m, h, &vy, |k| acceleration * u[k].sin());
    m.minimize(tf);
}

/// The elastic-plastic torsion of a square bar under force 5, on N × N points: −0.418.
fn torsion(m: &Model, n: usize) {
    let (force, h) = (5.0, 1.0 / (n + 1) as f64);
    let boundary_distance = |i: usize, j: usize| h * i.min(j).min(n + 1 - i).min(n + 1 - j) as f64;
    let v: Vec<Vec<_>> = (0..n + 2)
        .map(|i| {
            let bound = |j| boundary_distance(i, j);
            (0..n + 2).map(|j| m.variable(bound(j), -bound(j), bound(j))).collect()
        })
        .collect();
    let mut terms = Vec::with_capacity(3 * (n + 1) * (n + 1));
    for i in 0..=n {
        for j in 0..=n {
            terms.push(0.5 * sq(v[i + 1][j] - v[i][j]));
            terms.push(0.5 * sq(v[i][j + 1] - v[i][j]));
            terms.push((-force * h * h) * v[i][j]);
        }
    }
    m.minimize(terms.into_iter().sum());
}
