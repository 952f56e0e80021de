//! `residua train`: a model from nothing but a seed.

use crate::exit::Exit;
use crate::interrupt;
use crate::plan::{Context, TrainPlan};
use crate::report::{Progress, Stdout, error_line, finite};
use residua_learned::train::{Trained, train as search};
use std::time::Instant;

/// Trains, writes the model, reports.
pub(crate) fn train(plan: &TrainPlan, context: &Context) -> Exit {
    let start = Instant::now();
    let mut bar = Progress::new(1);
    bar.start("training");
    let trained = search(&plan.options, &mut |progress| {
        let part = 10f64.powf(progress.loss);
        bar.iteration(progress.generation, progress.generations, part, 0.0);
        !interrupt::requested()
    });
    let written = trained.and_then(|trained| trained.model.write(&plan.out).map(|()| trained));
    bar.finish("trained");
    drop(bar);
    match written {
        Ok(trained) => {
            let mut stdout = Stdout::new();
            let seconds = start.elapsed().as_secs_f64();
            if context.json {
                stdout.line(&to_json(plan, &trained, seconds));
            } else {
                stdout.write(to_text(plan, &trained, seconds).as_bytes());
            }
            if trained.is_cut_short { Exit::Interrupted } else { stdout.exit() }
        }
        Err(error) => {
            error_line(&error.to_string());
            Exit::Incomplete
        }
    }
}

fn to_json(plan: &TrainPlan, trained: &Trained, seconds: f64) -> String {
    let held_out = |(kind, before, after): &(residua_data::poisson::PoissonKind, f64, f64)| serde_json::json!({"problem": kind.to_string(), "derived_iterations": before, "iterations": after});
    serde_json::json!({
        "model": plan.out.display().to_string(),
        "dim": plan.options.dim,
        "seed": plan.options.seed,
        "status": if trained.is_cut_short { "interrupted" } else { "converged" },
        "generations": trained.generations,
        "loss_history": trained.losses.iter().map(|&l| finite(l)).collect::<Vec<_>>(),
        "held_out": trained.held_out.iter().map(held_out).collect::<Vec<_>>(),
        "metadata": trained.model.metadata,
        "seconds": seconds,
    })
    .to_string()
}

fn to_text(plan: &TrainPlan, trained: &Trained, seconds: f64) -> String {
    let first = trained.losses.first().copied().unwrap_or(f64::NAN);
    let last = trained.losses.last().copied().unwrap_or(f64::NAN);
    let mut text = format!(
        "{}: {} generations in {seconds:.1} s, loss {first:.4} -> {last:.4}\nIterations to 1e-6 on problems not trained \
         on, mean:\n",
        plan.out.display(),
        trained.generations
    );
    for (kind, before, after) in &trained.held_out {
        text.push_str(&format!("  {kind:<12} derived {before:5.1}   learned {after:5.1}\n"));
    }
    text
}
