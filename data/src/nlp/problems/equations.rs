//! Systems of n nonlinear equations in n variables, from CUTEst: no objective, the solution is where c(x) = 0.

use super::{Builtin, sq};
use std::f64::consts::PI;

/// The objective is 0.
pub(super) const PROBLEMS: &[Builtin] = &[
    Builtin::new("BOOTH", 0.0, |m| {
        let x = m.variables(&[0.0; 2]);
        m.equality(x[0] + 2.0 * x[1], 7.0);
        m.equality(2.0 * x[0] + x[1], 5.0);
    }),
    Builtin::new("CLUSTER", 0.0, |m| {
        let x = m.variables(&[0.0; 2]);
        m.equality((x[0] - sq(x[1])) * (x[0] - x[1].sin()), 0.0);
        m.equality((x[1].cos() - x[0]) * (x[1] - x[0].cos()), 0.0);
    }),
    Builtin::new("GOTTFR", 0.0, |m| {
        let x = m.variables(&[0.5; 2]);
        m.equality(x[0] - 0.1136 * (x[0] + 3.0 * x[1]) * (1.0 - x[0]), 0.0);
        m.equality(x[1] + 7.5 * (2.0 * x[0] - x[1]) * (1.0 - x[1]), 0.0);
    }),
    Builtin::new("HIMMELBA", 0.0, |m| {
        let x = m.variables(&[8.0, 9.0]);
        m.equality(4.0 * (x[0] - 5.0), 0.0);
        m.equality(x[1], 6.0);
    }),
    Builtin::new("HIMMELBC", 0.0, |m| {
        let x = m.variables(&[1.0; 2]);
        m.equality(sq(x[0]) + x[1], 11.0);
        m.equality(x[0] + sq(x[1]), 7.0);
    }),
    Builtin::new("HYPCIR", 0.0, |m| {
        let x = m.variables(&[0.0, 1.0]);
        m.equality(x[0] * x[1], 1.0);
        m.equality(sq(x[0]) + sq(x[1]), 4.0);
    }),
    Builtin::new("POWELLBS", 0.0, |m| {
        let x = m.variables(&[0.0, 1.0]);
        m.equality(1e4 * x[0] * x[1], 1.0);
        m.equality((-x[0]).exp() + (-x[1]).exp(), 1.0001);
    }),
    Builtin::new("RSNBRNE", 0.0, |m| {
        let x = m.variables(&[-1.2, 1.0]);
        m.equality(10.0 * (x[1] - sq(x[0])), 0.0);
        m.equality(x[0], 1.0);
    }),
    Builtin::new("SINVALNE", 0.0, |m| {
        let x = m.variables(&[4.712389, -1.0]);
        m.equality(10.0 * (x[1] - x[0].sin()), 0.0);
        m.equality(0.25 * x[0], 0.0);
    }),
    Builtin::new("CUBENE", 0.0, |m| {
        let x = m.variables(&[-1.2, 1.0]);
        m.equality(x[0], 1.0);
        m.equality(10.0 * (x[1] - x[0].powi(3)), 0.0);
    }),
    Builtin::new("HELIXNE", 0.0, |m| {
        let x = m.variables(&[-1.0, 0.0, 0.0]);
        m.equality(10.0 * (x[2] - x[1].atan2(x[0]) * (5.0 / PI)), 0.0);
        m.equality(10.0 * (sq(x[0]) + sq(x[1])).sqrt(), 10.0);
        m.equality(x[2], 0.0);
    }),
    Builtin::new("ZANGWIL3", 0.0, |m| {
        let x = m.variables(&[100.0, -1.0, 2.5]);
        m.equality(x[0] - x[1] + x[2], 0.0);
        m.equality(x[1] - x[0] + x[2], 0.0);
        m.equality(x[0] + x[1] - x[2], 0.0);
    }),
    Builtin::new("WAYSEA1NE", 0.0, |m| {
        let x = m.variables(&[2.0; 2]);
        m.equality(x[0].powi(6) + x[1].powi(4), 17.0);
        m.equality(2.0 * x[0] + x[1], 4.0);
    }),
    Builtin::new("TRIGON1NE", 0.0, |m| {
        let x = m.variables(&[0.1; 10]);
        let cosines: super::Expr<'_> = x.iter().map(|x| x.cos()).sum();
        for (k, x) in x.iter().enumerate() {
            let i = (k + 1) as f64;
            m.equality(i * (1.0 - x.cos()) - cosines - x.sin(), -10.0);
        }
    }),
    Builtin::new("BROYDN3D", 0.0, |m| {
        let n = 20;
        let x = m.variables(&vec![-1.0; n]);
        for k in 0..n {
            let left = if k > 0 { x[k - 1] } else { m.constant(0.0) };
            let right = if k + 1 < n { x[k + 1] } else { m.constant(0.0) };
            m.equality((3.0 - 2.0 * x[k]) * x[k] - left - 2.0 * right, -1.0);
        }
    }),
];
