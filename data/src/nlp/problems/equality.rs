//! Equality-constrained problems of Hock and Schittkowski (1981), of Boggs and Tolle, and of others in CUTEst.

use super::{Builtin, sq};
use std::f64::consts::{PI, SQRT_2};

/// Each with its objective at the known solution.
pub(super) const PROBLEMS: &[Builtin] = &[
    Builtin::new("HS6", 0.0, |m| {
        let x = m.variables(&[-1.2, 1.0]);
        m.minimize(sq(1.0 - x[0]));
        m.equality(10.0 * (x[1] - sq(x[0])), 0.0);
    }),
    Builtin::new("HS7", -1.7320508075688772, |m| {
        let x = m.variables(&[2.0, 2.0]);
        m.minimize((1.0 + sq(x[0])).ln() - x[1]);
        m.equality(sq(1.0 + sq(x[0])) + sq(x[1]), 4.0);
    }),
    Builtin::new("HS8", -1.0, |m| {
        let x = m.variables(&[2.0, 1.0]);
        m.minimize(m.constant(-1.0));
        m.equality(sq(x[0]) + sq(x[1]), 25.0);
        m.equality(x[0] * x[1], 9.0);
    }),
    Builtin::new("HS9", -0.5, |m| {
        let x = m.variables(&[0.0, 0.0]);
        m.minimize((x[0] * (PI / 12.0)).sin() * (x[1] * (PI / 16.0)).cos());
        m.equality(4.0 * x[0] - 3.0 * x[1], 0.0);
    }),
    Builtin::new("HS26", 0.0, |m| {
        let x = m.variables(&[-2.6, 2.0, 2.0]);
        m.minimize(sq(x[0] - x[1]) + (x[1] - x[2]).powi(4));
        m.equality((1.0 + sq(x[1])) * x[0] + x[2].powi(4), 3.0);
    }),
    Builtin::new("HS27", 0.04, |m| {
        let x = m.variables(&[2.0; 3]);
        m.minimize(0.01 * sq(x[0] - 1.0) + sq(x[1] - sq(x[0])));
        m.equality(x[0] + sq(x[2]), -1.0);
    }),
    Builtin::new("HS28", 0.0, |m| {
        let x = m.variables(&[-4.0, 1.0, 1.0]);
        m.minimize(sq(x[0] + x[1]) + sq(x[1] + x[2]));
        m.equality(x[0] + 2.0 * x[1] + 3.0 * x[2], 1.0);
    }),
    Builtin::new("HS39", -1.0, |m| {
        let x = m.variables(&[2.0; 4]);
        m.minimize(-x[0]);
        m.equality(x[1] - x[0].powi(3) - sq(x[2]), 0.0);
        m.equality(sq(x[0]) - x[1] - sq(x[3]), 0.0);
    }),
    Builtin::new("HS40", -0.25, |m| {
        let x = m.variables(&[0.8; 4]);
        m.minimize(-x[0] * x[1] * x[2] * x[3]);
        m.equality(x[0].powi(3) + sq(x[1]), 1.0);
        m.equality(sq(x[0]) * x[3] - x[2], 0.0);
        m.equality(sq(x[3]) - x[1], 0.0);
    }),
    Builtin::new("HS42", 28.0 - 10.0 * SQRT_2, |m| {
        let x = m.variables(&[1.0; 4]);
        m.minimize(sq(x[0] - 1.0) + sq(x[1] - 2.0) + sq(x[2] - 3.0) + sq(x[3] - 4.0));
        m.equality(x[0], 2.0);
        m.equality(sq(x[2]) + sq(x[3]), 2.0);
    }),
    Builtin::new("HS46", 0.0, |m| {
        let x = m.variables(&[SQRT_2 / 2.0, 1.75, 0.5, 2.0, 2.0]);
        m.minimize(sq(x[0] - x[1]) + sq(x[2] - 1.0) + (x[3] - 1.0).powi(4) + (x[4] - 1.0).powi(6));
        m.equality(sq(x[0]) * x[3] + (x[3] - x[4]).sin(), 1.0);
        m.equality(x[1] + x[2].powi(4) * sq(x[3]), 2.0);
    }),
    // The collection has f = 0 at (1, 1, 1, 1, 1), which satisfies the KKT conditions but is no minimum: f is cubic along
    // the constraints there. This is the local minimum next to it.
    Builtin::new("HS47", -0.026714183, |m| {
        let x = m.variables(&[2.0, SQRT_2, -1.0, 2.0 - SQRT_2, 0.5]);
        m.minimize(sq(x[0] - x[1]) + (x[1] - x[2]).powi(3) + (x[2] - x[3]).powi(4) + (x[3] - x[4]).powi(4));
        m.equality(x[0] + sq(x[1]) + x[2].powi(3), 3.0);
        m.equality(x[1] - sq(x[2]) + x[3], 1.0);
        m.equality(x[0] * x[4], 1.0);
    }),
    Builtin::new("HS48", 0.0, |m| {
        let x = m.variables(&[3.0, 5.0, -3.0, 2.0, -2.0]);
        m.minimize(sq(x[0] - 1.0) + sq(x[1] - x[2]) + sq(x[3] - x[4]));
        m.equality(x.iter().copied().sum(), 5.0);
        m.equality(x[2] - 2.0 * (x[3] + x[4]), -3.0);
    }),
    Builtin::new("HS49", 0.0, |m| {
        let x = m.variables(&[10.0, 7.0, 2.0, -3.0, 0.8]);
        m.minimize(sq(x[0] - x[1]) + sq(x[2] - 1.0) + (x[3] - 1.0).powi(4) + (x[4] - 1.0).powi(6));
        m.equality(x[0] + x[1] + x[2] + 4.0 * x[3], 7.0);
        m.equality(x[2] + 5.0 * x[4], 6.0);
    }),
    Builtin::new("HS50", 0.0, |m| {
        let x = m.variables(&[35.0, -31.0, 11.0, 5.0, -5.0]);
        m.minimize(sq(x[0] - x[1]) + sq(x[1] - x[2]) + (x[2] - x[3]).powi(4) + sq(x[3] - x[4]));
        for k in 0..3 {
            m.equality(x[k] + 2.0 * x[k + 1] + 3.0 * x[k + 2], 6.0);
        }
    }),
    Builtin::new("HS51", 0.0, |m| {
        let x = m.variables(&[2.5, 0.5, 2.0, -1.0, 0.5]);
        m.minimize(sq(x[0] - x[1]) + sq(x[1] + x[2] - 2.0) + sq(x[3] - 1.0) + sq(x[4] - 1.0));
        m.equality(x[0] + 3.0 * x[1], 4.0);
        m.equality(x[2] + x[3] - 2.0 * x[4], 0.0);
        m.equality(x[1] - x[4], 0.0);
    }),
    Builtin::new("HS52", 1859.0 / 349.0, |m| {
        let x = m.variables(&[2.0; 5]);
        m.minimize(sq(4.0 * x[0] - x[1]) + sq(x[1] + x[2] - 2.0) + sq(x[3] - 1.0) + sq(x[4] - 1.0));
        m.equality(x[0] + 3.0 * x[1], 0.0);
        m.equality(x[2] + x[3] - 2.0 * x[4], 0.0);
        m.equality(x[1] - x[4], 0.0);
    }),
    Builtin::new("HS56", -3.456, |m| {
        let (a, b) = ((1.0f64 / 4.2).sqrt().asin(), (5.0f64 / 7.2).sqrt().asin());
        let x = m.variables(&[1.0, 1.0, 1.0, a, a, a, b]);
        m.minimize(-x[0] * x[1] * x[2]);
        for k in 0..3 {
            m.equality(x[k] - 4.2 * sq(x[k + 3].sin()), 0.0);
        }
        m.equality(x[0] + 2.0 * x[1] + 2.0 * x[2] - 7.2 * sq(x[6].sin()), 0.0);
    }),
    Builtin::new("HS61", -143.6461421977803, |m| {
        let x = m.variables(&[0.0; 3]);
        let linear = -33.0 * x[0] + 16.0 * x[1] - 24.0 * x[2];
        m.minimize(4.0 * sq(x[0]) + 2.0 * sq(x[1]) + 2.0 * sq(x[2]) + linear);
        m.equality(3.0 * x[0] - 2.0 * sq(x[1]), 7.0);
        m.equality(4.0 * x[0] - sq(x[2]), 11.0);
    }),
    Builtin::new("HS77", 0.24150512879017869, |m| {
        let x = m.variables(&[2.0; 5]);
        let powers = (x[3] - 1.0).powi(4) + (x[4] - 1.0).powi(6);
        m.minimize(sq(x[0] - 1.0) + sq(x[0] - x[1]) + sq(x[2] - 1.0) + powers);
        m.equality(sq(x[0]) * x[3] + (x[3] - x[4]).sin(), 2.0 * SQRT_2);
        m.equality(x[1] + x[2].powi(4) * sq(x[3]), 8.0 + SQRT_2);
    }),
    Builtin::new("HS78", -2.91970040911, |m| {
        let x = m.variables(&[-2.0, 1.5, 2.0, -1.0, -1.0]);
        m.minimize(x[0] * x[1] * x[2] * x[3] * x[4]);
        m.equality(x.iter().map(|x| sq(*x)).sum(), 10.0);
        m.equality(x[1] * x[2] - 5.0 * x[3] * x[4], 0.0);
        m.equality(x[0].powi(3) + x[1].powi(3), -1.0);
    }),
    Builtin::new("HS79", 0.07877682087105697, |m| {
        let x = m.variables(&[2.0; 5]);
        let powers = (x[2] - x[3]).powi(4) + (x[3] - x[4]).powi(4);
        m.minimize(sq(x[0] - 1.0) + sq(x[0] - x[1]) + sq(x[1] - x[2]) + powers);
        m.equality(x[0] + sq(x[1]) + x[2].powi(3), 2.0 + 3.0 * SQRT_2);
        m.equality(x[1] - sq(x[2]) + x[3], -2.0 + 2.0 * SQRT_2);
        m.equality(x[0] * x[4], 2.0);
    }),
    Builtin::new("HS100LNP", 680.6300573744, |m| {
        let x = m.variables(&[1.0, 2.0, 0.0, 4.0, 0.0, 1.0, 1.0]);
        super::inequality::hs100_objective(m, &x);
        m.equality(-2.0 * sq(x[0]) - 3.0 * x[1].powi(4) - x[2] - 4.0 * sq(x[3]) - 5.0 * x[4], -127.0);
        let products = 3.0 * x[0] * x[1] - 5.0 * x[5] + 11.0 * x[6];
        m.equality(-4.0 * sq(x[0]) - sq(x[1]) - 2.0 * sq(x[2]) + products, 0.0);
    }),
    Builtin::new("HS111LNP", -47.76109085936, |m| {
        let x = m.variables(&[-2.3; 10]);
        let c = [-6.089, -17.164, -34.054, -5.914, -24.721, -14.986, -24.1, -10.708, -26.662, -22.179];
        let e: Vec<_> = x.iter().map(|x| x.exp()).collect();
        let log = e.iter().copied().sum::<super::Expr<'_>>().ln();
        m.minimize((0..10).map(|k| e[k] * (c[k] + x[k] - log)).sum());
        m.equality(e[0] + 2.0 * e[1] + 2.0 * e[2] + e[5] + e[9], 2.0);
        m.equality(e[3] + 2.0 * e[4] + e[5] + e[6], 1.0);
        m.equality(e[2] + e[6] + e[7] + 2.0 * e[8] + e[9], 1.0);
    }),
    Builtin::new("BT1", -1.0, |m| {
        let x = m.variables(&[0.08, 0.06]);
        m.minimize(100.0 * (sq(x[0]) + sq(x[1])) - x[0] - 100.0);
        m.equality(sq(x[0]) + sq(x[1]), 1.0);
    }),
    Builtin::new("BT2", 0.03256820039323778, |m| {
        let x = m.variables(&[10.0; 3]);
        m.minimize(sq(x[0] - 1.0) + sq(x[0] - x[1]) + (x[1] - x[2]).powi(4));
        m.equality(x[0] * (1.0 + sq(x[1])) + x[2].powi(4), 4.0 + 3.0 * SQRT_2);
    }),
    Builtin::new("BT3", 4.093023255813954, |m| {
        let x = m.variables(&[20.0; 5]);
        m.minimize(sq(x[0] - x[1]) + sq(x[1] + x[2] - 2.0) + sq(x[3] - 1.0) + sq(x[4] - 1.0));
        m.equality(x[0] + 3.0 * x[1], 0.0);
        m.equality(x[2] + x[3] - 2.0 * x[4], 0.0);
        m.equality(x[1] - x[4], 0.0);
    }),
    Builtin::new("BT4", -45.510550739890625, |m| {
        let x = m.variables(&[4.0382, -2.947, -0.09115]);
        m.minimize(x[0] - x[1] + x[1].powi(3));
        m.equality(sq(x[0]) + sq(x[1]) + sq(x[2]), 25.0);
        m.equality(x[0] + x[1] + x[2], 1.0);
    }),
    Builtin::new("BT5", 961.7151721300521, |m| {
        let x = m.variables(&[2.0; 3]);
        super::inequality::hs63(m, &x);
    }),
    Builtin::new("BT6", 0.27704478876790234, |m| {
        let x = m.variables(&[2.0; 5]);
        let powers = (x[3] - 1.0).powi(4) + (x[4] - 1.0).powi(6);
        m.minimize(sq(x[0] - 1.0) + sq(x[0] - x[1]) + sq(x[2] - 1.0) + powers);
        m.equality(x[3] * sq(x[0]) + (x[3] - x[4]).sin(), 2.0 * SQRT_2);
        m.equality(x[1] + x[2].powi(4) * sq(x[1]), 8.0 + SQRT_2);
    }),
    // From the standard start; another minimum has 306.49641.
    Builtin::new("BT7", 360.37976717428336, |m| {
        let x = m.variables(&[-2.0, 1.0, 1.0, 1.0, 1.0]);
        m.minimize(100.0 * sq(x[1] - sq(x[0])) + sq(x[0] - 1.0));
        m.equality(x[0] * x[1] - sq(x[2]), 1.0);
        m.equality(sq(x[1]) - sq(x[3]) + x[0], 0.0);
        m.equality(sq(x[4]) + x[0], 0.5);
    }),
    Builtin::new("BT8", 1.0, |m| {
        let x = m.variables(&[1.0, 1.0, 1.0, 0.0, 0.0]);
        m.minimize(sq(x[0]) + sq(x[1]) + sq(x[2]));
        m.equality(x[0] + sq(x[1]) - sq(x[3]), 1.0);
        m.equality(sq(x[0]) + sq(x[1]) - sq(x[4]), 1.0);
    }),
    Builtin::new("BT9", -1.0, |m| {
        let x = m.variables(&[2.0; 4]);
        m.minimize(-x[0]);
        m.equality(x[1] - x[0].powi(3) - sq(x[2]), 0.0);
        m.equality(sq(x[0]) - x[1] - sq(x[3]), 0.0);
    }),
    Builtin::new("BT10", -1.0, |m| {
        let x = m.variables(&[2.0; 2]);
        m.minimize(-x[0]);
        m.equality(x[1] - x[0].powi(3), 0.0);
        m.equality(sq(x[0]) - x[1], 0.0);
    }),
    Builtin::new("BT11", 0.824891777, |m| {
        let x = m.variables(&[2.0; 5]);
        let powers = (x[2] - x[3]).powi(4) + (x[3] - x[4]).powi(4);
        m.minimize(sq(x[0] - 1.0) + sq(x[0] - x[1]) + sq(x[1] - x[2]) + powers);
        m.equality(x[0] + sq(x[1]) + x[2].powi(3), -2.0 + 18f64.sqrt());
        m.equality(x[1] + x[3] - sq(x[2]), -2.0 + 8f64.sqrt());
        m.equality(x[0] - x[4], 2.0);
    }),
    Builtin::new("BT12", 6.188118811881188, |m| {
        let x = m.variables(&[15.811, 1.5811, 0.0, 15.083, 3.7164]);
        m.minimize(0.01 * sq(x[0]) + sq(x[1]));
        m.equality(x[0] + x[1] - sq(x[2]), 25.0);
        m.equality(sq(x[0]) + sq(x[1]) - sq(x[3]), 25.0);
        m.equality(x[0] - sq(x[4]), 2.0);
    }),
    Builtin::new("MARATOS", -1.0, |m| {
        let x = m.variables(&[1.1, 0.1]);
        m.minimize(1e-6 * (sq(x[0]) + sq(x[1]) - 1.0) - x[0]);
        m.equality(sq(x[0]) + sq(x[1]), 1.0);
    }),
    Builtin::new("MWRIGHT", 24.97880953175298, |m| {
        let x = m.variables(&[-1.0, 2.0, 1.0, -2.0, -2.0]);
        let powers = (x[1] - x[2]).powi(3) + (x[2] - x[3]).powi(4) + (x[3] - x[4]).powi(4);
        m.minimize(sq(x[0]) + sq(x[0] - x[1]) + powers);
        m.equality(x[0] + sq(x[1]) + sq(x[2]), 2.0 + 3.0 * SQRT_2);
        m.equality(x[1] - sq(x[2]) + x[3], -2.0 + 2.0 * SQRT_2);
        m.equality(x[0] * x[4], 2.0);
    }),
    Builtin::new("BYRDSPHR", -4.683300132670379, |m| {
        let x = m.variables(&[5.0, 1e-4, -1e-4]);
        m.minimize(-x[0] - x[1] - x[2]);
        m.equality(sq(x[0]) + sq(x[1]) + sq(x[2]), 9.0);
        m.equality(sq(x[0] - 1.0) + sq(x[1]) + sq(x[2]), 9.0);
    }),
    Builtin::new("GENHS28", 0.9271736938, |m| {
        let mut start = [1.0; 10];
        start[0] = -4.0;
        let x = m.variables(&start);
        m.minimize((0..9).map(|k| sq(x[k] + x[k + 1])).sum());
        for k in 0..8 {
            m.equality(x[k] + 2.0 * x[k + 1] + 3.0 * x[k + 2], 1.0);
        }
    }),
    // As IPOPT and MadNLP publish it from this start, for every n; x = 1 is feasible too, with f = 0.
    Builtin::new("LUKVLE1", 6.2324586324, |m| {
        let x = m.variables(&[-1.2, 1.0].repeat(5));
        m.minimize((0..9).map(|k| 100.0 * sq(sq(x[k]) - x[k + 1]) + sq(x[k] - 1.0)).sum());
        for k in 0..8 {
            let sines = (x[k + 1] - x[k + 2]).sin() * (x[k + 1] + x[k + 2]).sin();
            let rest = 4.0 * x[k + 1] - x[k] * (x[k] - x[k + 1]).exp();
            m.equality(3.0 * x[k + 1].powi(3) + 2.0 * x[k + 2] + sines + rest, 8.0);
        }
    }),
];
