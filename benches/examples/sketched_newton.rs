//! Sketched against GMRES inner solves on the problems of Hong, Na, Mahoney and Kolar (2023): operations of all inner solves and
//! the KKT residual, with no factors to help the sketches.
//!
//! `cargo run --release -p residua-benches --example sketched_newton [SECONDS]`: at most so many for each solve, default 2.

#![allow(clippy::print_stdout)]

use residua_data::nlp::problems;
use residua_solvers::constrained::{
    IterationRecord, KktMethod, MinimizeOptions, MinimizeOutcome, MinimizeStatus, SketchKind, minimize,
};
use std::error::Error;
use std::ops::ControlFlow;
use std::time::Duration;

/// Those of the published list that are built in.
const LIST: [&str; 36] = [
    "HS6",
    "BT5",
    "BT9",
    "HS28",
    "BT10",
    "HIMMELBA",
    "BT12",
    "HS40",
    "BT3",
    "BT6",
    "BT11",
    "HS7",
    "GENHS28",
    "HS51",
    "BOOTH",
    "SINVALNE",
    "HS52",
    "HS47",
    "WAYSEA1NE",
    "HS48",
    "HS50",
    "RSNBRNE",
    "CUBENE",
    "HS77",
    "MWRIGHT",
    "ZANGWIL3",
    "TRIGON1NE",
    "BA-L1SP",
    "HS78",
    "HS56",
    "HELIXNE",
    "HS42",
    "HS79",
    "ORTHREGB",
    "HS100LNP",
    "GOTTFR",
];

fn main() -> Result<(), Box<dyn Error>> {
    let seconds: f64 = std::env::args().nth(1).map_or(Ok(2.0), |s| s.parse())?;
    let limit = Duration::try_from_secs_f64(seconds)?;
    let sketched = |sketch| MinimizeOptions {
        method: KktMethod::Sketched,
        sketch,
        fall_over: false,
        tol: 1e-4,
        time_limit: Some(limit),
        ..MinimizeOptions::default()
    };
    let columns = [
        ("gmres", MinimizeOptions { method: KktMethod::Gmres, ..sketched(SketchKind::Kaczmarz) }),
        ("kaczmarz", sketched(SketchKind::Kaczmarz)),
        ("gaussian", sketched(SketchKind::Gaussian)),
        ("block", sketched(SketchKind::Block)),
        ("published", MinimizeOptions { time_limit: Some(limit), ..MinimizeOptions::published() }),
    ];
    print!("| problem | n, m |");
    columns.iter().for_each(|(name, _)| print!(" {name} |"));
    println!("\n|---|---|{}", "---|".repeat(columns.len()));
    let mut solved = vec![Vec::new(); columns.len()];
    for name in LIST {
        let Ok(problem) = problems::by_name(name, 0) else { continue };
        print!("| {name} | {}, {} |", problem.variables(), problem.constraints());
        for ((_, options), solved) in columns.iter().zip(&mut solved) {
            let mut silent = |_: &IterationRecord| ControlFlow::Continue(());
            let outcome = minimize(problem.as_ref(), options, None, &mut silent)?;
            print!(" {} |", cell(&outcome));
            if outcome.status == MinimizeStatus::Converged {
                solved.push((name, outcome.inner_flops));
            }
        }
        println!();
    }
    println!();
    for ((name, _), own) in columns.iter().zip(&solved) {
        let mut ratios: Vec<f64> = own
            .iter()
            .filter_map(|(problem, flops)| {
                let gmres = solved[0].iter().find(|(p, _)| p == problem)?.1;
                (gmres > 0.0).then_some(flops / gmres)
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        let median = ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN);
        let fewer = ratios.iter().filter(|r| **r < 1.0).count();
        println!(
            "{name}: {} solved, median operations {median:.1} times those of gmres, fewer on {fewer} problems",
            own.len()
        );
    }
    Ok(())
}

/// Operations and KKT residual; the status where it is not solved.
fn cell(outcome: &MinimizeOutcome) -> String {
    let figures = format!("{:.1e}, {:.0e}", outcome.inner_flops, outcome.kkt_residual);
    if outcome.status == MinimizeStatus::Converged {
        figures
    } else {
        format!("{figures} ({})", outcome.status)
    }
}
