//! Problems of Hock and Schittkowski (1981) with bounds and inequalities.

use super::{Builtin, Expr, Model, sq};
use std::f64::consts::SQRT_2;

const INF: f64 = f64::INFINITY;

/// The objective of HS100 and HS100LNP.
pub(super) fn hs100_objective(m: &Model, x: &[Expr<'_>]) {
    let squares = sq(x[0] - 10.0) + 5.0 * sq(x[1] - 12.0) + 3.0 * sq(x[3] - 11.0) + 7.0 * sq(x[5]);
    let powers = x[2].powi(4) + 10.0 * x[4].powi(6) + x[6].powi(4);
    m.minimize(squares + powers - 4.0 * x[5] * x[6] - 10.0 * x[5] - 8.0 * x[6]);
}

/// HS63, which without its bounds is BT5.
pub(super) fn hs63(m: &Model, x: &[Expr<'_>]) {
    m.minimize(1000.0 - sq(x[0]) - 2.0 * sq(x[1]) - sq(x[2]) - x[0] * x[1] - x[0] * x[2]);
    m.equality(sq(x[0]) + sq(x[1]) + sq(x[2]), 25.0);
    m.equality(8.0 * x[0] + 14.0 * x[1] + 7.0 * x[2], 56.0);
}

fn rosenbrock<'m>(x: &[Expr<'m>]) -> Expr<'m> {
    100.0 * sq(x[1] - sq(x[0])) + sq(1.0 - x[0])
}

/// Of HS74.
fn shifted_sine(angle: Expr<'_>) -> Expr<'_> {
    1000.0 * (angle - 0.25).sin()
}

/// Each with its objective at the known solution.
pub(super) const PROBLEMS: &[Builtin] = &[
    Builtin::new("HS1", 0.0, |m| {
        let x = [m.variable(-2.0, -INF, INF), m.variable(1.0, -1.5, INF)];
        m.minimize(rosenbrock(&x));
    }),
    Builtin::new("HS2", 0.0504261879, |m| {
        let x = [m.variable(-2.0, -INF, INF), m.variable(1.0, 1.5, INF)];
        m.minimize(rosenbrock(&x));
    }),
    Builtin::new("HS3", 0.0, |m| {
        let x = [m.variable(10.0, -INF, INF), m.variable(1.0, 0.0, INF)];
        m.minimize(x[1] + 1e-5 * sq(x[1] - x[0]));
    }),
    Builtin::new("HS4", 8.0 / 3.0, |m| {
        let x = [m.variable(1.125, 1.0, INF), m.variable(0.125, 0.0, INF)];
        m.minimize((x[0] + 1.0).powi(3) / 3.0 + x[1]);
    }),
    Builtin::new("HS5", -1.9132229549810367, |m| {
        let x = [m.variable(0.0, -1.5, 4.0), m.variable(0.0, -3.0, 3.0)];
        m.minimize((x[0] + x[1]).sin() + sq(x[0] - x[1]) - 1.5 * x[0] + 2.5 * x[1] + 1.0);
    }),
    Builtin::new("HS10", -1.0, |m| {
        let x = m.variables(&[-10.0, 10.0]);
        m.minimize(x[0] - x[1]);
        m.at_least(-3.0 * sq(x[0]) + 2.0 * x[0] * x[1] - sq(x[1]), -1.0);
    }),
    Builtin::new("HS11", -8.498464223, |m| {
        let x = m.variables(&[4.9, 0.1]);
        m.minimize(sq(x[0] - 5.0) + sq(x[1]) - 25.0);
        m.at_least(x[1] - sq(x[0]), 0.0);
    }),
    Builtin::new("HS12", -30.0, |m| {
        let x = m.variables(&[0.0, 0.0]);
        m.minimize(0.5 * sq(x[0]) + sq(x[1]) - x[0] * x[1] - 7.0 * x[0] - 7.0 * x[1]);
        m.at_most(4.0 * sq(x[0]) + sq(x[1]), 25.0);
    }),
    Builtin::new("HS14", 1.393_464_980_687_885, |m| {
        let x = m.variables(&[2.0, 2.0]);
        m.minimize(sq(x[0] - 2.0) + sq(x[1] - 1.0));
        m.at_most(0.25 * sq(x[0]) + sq(x[1]), 1.0);
        m.equality(x[0] - 2.0 * x[1], -1.0);
    }),
    Builtin::new("HS21", -99.96, |m| {
        let x = [m.variable(-1.0, 2.0, 50.0), m.variable(-1.0, -50.0, 50.0)];
        m.minimize(0.01 * sq(x[0]) + sq(x[1]) - 100.0);
        m.at_least(10.0 * x[0] - x[1], 10.0);
    }),
    Builtin::new("HS22", 1.0, |m| {
        let x = m.variables(&[2.0, 2.0]);
        m.minimize(sq(x[0] - 2.0) + sq(x[1] - 1.0));
        m.at_most(x[0] + x[1], 2.0);
        m.at_least(x[1] - sq(x[0]), 0.0);
    }),
    Builtin::new("HS24", -1.0, |m| {
        let x = m.bounded_variables(&[1.0, 0.5], 0.0, INF);
        let root = 3f64.sqrt();
        m.minimize((sq(x[0] - 3.0) - 9.0) * x[1].powi(3) / (27.0 * root));
        m.at_least(x[0] / root - x[1], 0.0);
        m.range(0.0, x[0] + root * x[1], 6.0);
    }),
    Builtin::new("HS29", -16.0 * SQRT_2, |m| {
        let x = m.variables(&[1.0; 3]);
        m.minimize(-x[0] * x[1] * x[2]);
        m.at_most(sq(x[0]) + 2.0 * sq(x[1]) + 4.0 * sq(x[2]), 48.0);
    }),
    Builtin::new("HS35", 1.0 / 9.0, |m| {
        let x = m.bounded_variables(&[0.5; 3], 0.0, INF);
        let linear = 9.0 - 8.0 * x[0] - 6.0 * x[1] - 4.0 * x[2];
        let products = 2.0 * x[0] * x[1] + 2.0 * x[0] * x[2];
        m.minimize(linear + 2.0 * sq(x[0]) + 2.0 * sq(x[1]) + sq(x[2]) + products);
        m.at_most(x[0] + x[1] + 2.0 * x[2], 3.0);
    }),
    Builtin::new("HS37", -3456.0, |m| {
        let x = m.bounded_variables(&[10.0; 3], 0.0, 42.0);
        m.minimize(-x[0] * x[1] * x[2]);
        m.range(0.0, x[0] + 2.0 * x[1] + 2.0 * x[2], 72.0);
    }),
    Builtin::new("HS41", 52.0 / 27.0, |m| {
        let x: Vec<_> = (0..4).map(|k| m.variable(1.0, 0.0, if k < 3 { 1.0 } else { 2.0 })).collect();
        m.minimize(2.0 - x[0] * x[1] * x[2]);
        m.equality(x[0] + 2.0 * x[1] + 2.0 * x[2] - x[3], 0.0);
    }),
    Builtin::new("HS43", -44.0, |m| {
        let x = m.variables(&[0.0; 4]);
        let s: Vec<_> = x.iter().map(|x| sq(*x)).collect();
        let linear = -5.0 * x[0] - 5.0 * x[1] - 21.0 * x[2] + 7.0 * x[3];
        m.minimize(s[0] + s[1] + 2.0 * s[2] + s[3] + linear);
        m.at_most(s[0] + s[1] + s[2] + s[3] + x[0] - x[1] + x[2] - x[3], 8.0);
        m.at_most(s[0] + 2.0 * s[1] + s[2] + 2.0 * s[3] - x[0] - x[3], 10.0);
        m.at_most(2.0 * s[0] + s[1] + s[2] + 2.0 * x[0] - x[1] - x[3], 5.0);
    }),
    Builtin::new("HS53", 4.093023255813954, |m| {
        let x = m.bounded_variables(&[2.0; 5], -10.0, 10.0);
        m.minimize(sq(x[0] - x[1]) + sq(x[1] + x[2] - 2.0) + sq(x[3] - 1.0) + sq(x[4] - 1.0));
        m.equality(x[0] + 3.0 * x[1], 0.0);
        m.equality(x[2] + x[3] - 2.0 * x[4], 0.0);
        m.equality(x[1] - x[4], 0.0);
    }),
    Builtin::new("HS60", 0.03256820025, |m| {
        let x = m.bounded_variables(&[2.0; 3], -10.0, 10.0);
        m.minimize(sq(x[0] - 1.0) + sq(x[0] - x[1]) + (x[1] - x[2]).powi(4));
        m.equality(x[0] * (1.0 + sq(x[1])) + x[2].powi(4), 4.0 + 3.0 * SQRT_2);
    }),
    Builtin::new("HS63", 961.7151721300521, |m| {
        let x = m.bounded_variables(&[2.0; 3], 0.0, INF);
        hs63(m, &x);
    }),
    Builtin::new("HS65", 0.9535288567, |m| {
        let bound = [4.5, 4.5, 5.0];
        let x: Vec<_> = [-5.0, 5.0, 0.0].iter().zip(bound).map(|(s, b)| m.variable(*s, -b, b)).collect();
        m.minimize(sq(x[0] - x[1]) + sq(x[0] + x[1] - 10.0) / 9.0 + sq(x[2] - 5.0));
        m.at_most(sq(x[0]) + sq(x[1]) + sq(x[2]), 48.0);
    }),
    Builtin::new("HS66", 0.5181632741, |m| {
        let upper = [100.0, 100.0, 10.0];
        let x: Vec<_> = [0.0, 1.05, 2.9].iter().zip(upper).map(|(s, u)| m.variable(*s, 0.0, u)).collect();
        m.minimize(0.2 * x[2] - 0.8 * x[0]);
        m.at_least(x[1] - x[0].exp(), 0.0);
        m.at_least(x[2] - x[1].exp(), 0.0);
    }),
    Builtin::new("HS71", 17.0140172891563, |m| {
        let x = m.bounded_variables(&[1.0, 5.0, 5.0, 1.0], 1.0, 5.0);
        m.minimize(x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2]);
        m.at_least(x[0] * x[1] * x[2] * x[3], 25.0);
        m.equality(x.iter().map(|x| sq(*x)).sum(), 40.0);
    }),
    Builtin::new("HS76", -4.681818181818181, |m| {
        let x = m.bounded_variables(&[0.5; 4], 0.0, INF);
        let squares = sq(x[0]) + 0.5 * sq(x[1]) + sq(x[2]) + 0.5 * sq(x[3]) - x[0] * x[2] + x[2] * x[3];
        m.minimize(squares - x[0] - 3.0 * x[1] + x[2] - x[3]);
        m.at_most(x[0] + 2.0 * x[1] + x[2] + x[3], 5.0);
        m.at_most(3.0 * x[0] + x[1] + 2.0 * x[2] - x[3], 4.0);
        m.at_least(x[1] + 4.0 * x[2], 1.5);
    }),
    Builtin::new("HS80", 0.0539498478, |m| {
        let start = [-2.0, 2.0, 2.0, -1.0, -1.0];
        let bounds = [2.3, 2.3, 3.2, 3.2, 3.2];
        let x: Vec<_> = start.iter().zip(bounds).map(|(s, b)| m.variable(*s, -b, b)).collect();
        m.minimize((x[0] * x[1] * x[2] * x[3] * x[4]).exp());
        m.equality(x.iter().map(|x| sq(*x)).sum(), 10.0);
        m.equality(x[1] * x[2] - 5.0 * x[3] * x[4], 0.0);
        m.equality(x[0].powi(3) + x[1].powi(3), -1.0);
    }),
    Builtin::new("HS100", 680.6300573744, |m| {
        let x = m.variables(&[1.0, 2.0, 0.0, 4.0, 0.0, 1.0, 1.0]);
        hs100_objective(m, &x);
        m.at_most(2.0 * sq(x[0]) + 3.0 * x[1].powi(4) + x[2] + 4.0 * sq(x[3]) + 5.0 * x[4], 127.0);
        m.at_most(7.0 * x[0] + 3.0 * x[1] + 10.0 * sq(x[2]) + x[3] - x[4], 282.0);
        m.at_most(23.0 * x[0] + sq(x[1]) + 6.0 * sq(x[5]) - 8.0 * x[6], 196.0);
        let products = 5.0 * x[5] - 11.0 * x[6] - 3.0 * x[0] * x[1];
        m.at_most(4.0 * sq(x[0]) + sq(x[1]) + 2.0 * sq(x[2]) + products, 0.0);
    }),
    Builtin::new("HS110", -45.77846971, |m| {
        let x = m.bounded_variables(&[9.0; 10], 2.001, 9.999);
        let logs = x.iter().map(|x| sq((*x - 2.0).ln()) + sq((10.0 - *x).ln())).sum::<Expr<'_>>();
        let product = x[1..].iter().fold(x[0], |p, x| p * *x);
        m.minimize(logs - product.powf(0.2));
    }),
    Builtin::new("HS62", -26272.514, |m| {
        let x = m.bounded_variables(&[0.7, 0.2, 0.1], 0.0, 1.0);
        let d = 0.03;
        let tail = x[1] + x[2];
        let first = -32.174 * 255.0 * ((x[0] + tail + d) / (0.09 * x[0] + tail + d)).ln();
        let second = -32.174 * 280.0 * ((tail + d) / (0.07 * x[1] + x[2] + d)).ln();
        let third = -32.174 * 290.0 * ((x[2] + d) / (0.13 * x[2] + d)).ln();
        m.minimize(first + second + third);
        m.equality(x[0] + x[1] + x[2], 1.0);
    }),
    Builtin::new("HS74", 5126.498109, |m| {
        let x = [
            m.variable(0.0, 0.0, 1200.0),
            m.variable(0.0, 0.0, 1200.0),
            m.variable(0.0, -0.55, 0.55),
            m.variable(0.0, -0.55, 0.55),
        ];
        let cubes = 1e-6 * x[0].powi(3) + 2e-6 / 3.0 * x[1].powi(3);
        m.minimize(3.0 * x[0] + cubes + 2.0 * x[1]);
        m.range(-0.55, x[3] - x[2], 0.55);
        m.equality(shifted_sine(-x[2]) + shifted_sine(-x[3]) - x[0], -894.8);
        m.equality(shifted_sine(x[2]) + shifted_sine(x[2] - x[3]) - x[1], -894.8);
        m.equality(shifted_sine(x[3]) + shifted_sine(x[3] - x[2]), -1294.8);
    }),
    Builtin::new("HS113", 24.30620906818, |m| {
        let x = m.variables(&[2.0, 3.0, 5.0, 5.0, 1.0, 2.0, 7.0, 3.0, 6.0, 10.0]);
        let squares = sq(x[0]) + sq(x[1]) + x[0] * x[1] - 14.0 * x[0] - 16.0 * x[1] + sq(x[2] - 10.0);
        let more = 4.0 * sq(x[3] - 5.0) + sq(x[4] - 3.0) + 2.0 * sq(x[5] - 1.0) + 5.0 * sq(x[6]);
        m.minimize(squares + more + 7.0 * sq(x[7] - 11.0) + 2.0 * sq(x[8] - 10.0) + sq(x[9] - 7.0) + 45.0);
        m.at_most(4.0 * x[0] + 5.0 * x[1] - 3.0 * x[6] + 9.0 * x[7], 105.0);
        m.at_most(10.0 * x[0] - 8.0 * x[1] - 17.0 * x[6] + 2.0 * x[7], 0.0);
        m.at_most(-8.0 * x[0] + 2.0 * x[1] + 5.0 * x[8] - 2.0 * x[9], 12.0);
        m.at_most(3.0 * sq(x[0] - 2.0) + 4.0 * sq(x[1] - 3.0) + 2.0 * sq(x[2]) - 7.0 * x[3], 120.0);
        m.at_most(5.0 * sq(x[0]) + 8.0 * x[1] + sq(x[2] - 6.0) - 2.0 * x[3], 40.0);
        m.at_most(0.5 * sq(x[0] - 8.0) + 2.0 * sq(x[1] - 4.0) + 3.0 * sq(x[4]) - x[5], 30.0);
        m.at_most(sq(x[0]) + 2.0 * sq(x[1] - 2.0) - 2.0 * x[0] * x[1] + 14.0 * x[4] - 6.0 * x[5], 0.0);
        m.at_most(-3.0 * x[0] + 6.0 * x[1] + 12.0 * sq(x[8] - 8.0) - 7.0 * x[9], 0.0);
    }),
];
