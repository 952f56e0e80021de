//! `residua train`: a model from nothing but a seed, or from a folder of geometries.

use super::geometries;
use crate::exit::Exit;
use crate::interrupt;
use crate::plan::{Context, TrainKind, TrainPlan};
use crate::report::{Progress, Stdout, error_line, finite};
use residua_learned::LearnedError;
use residua_learned::dcdm;
use residua_learned::train as multigrid;
use std::collections::BTreeMap;
use std::time::Instant;

/// What came of either kind.
struct Made {
    kind: &'static str,
    unit: &'static str,
    dim: usize,
    seed: u64,
    steps: usize,
    losses: Vec<f64>,
    held_out: Vec<(String, f64, f64)>,
    metadata: BTreeMap<String, String>,
    is_cut_short: bool,
}

/// Trains, writes the model, reports.
pub(crate) fn train(plan: &TrainPlan, context: &Context) -> Exit {
    let start = Instant::now();
    let mut bar = Progress::new(1);
    bar.start("training");
    let made = make(plan, &mut |progress| {
        let part = 10f64.powf(progress.loss);
        bar.iteration(progress.generation, progress.generations, part, 0.0);
        !interrupt::requested()
    });
    bar.finish("trained");
    drop(bar);
    match made {
        Ok(made) => {
            let mut stdout = Stdout::new();
            let seconds = start.elapsed().as_secs_f64();
            if context.json {
                stdout.line(&to_json(plan, &made, seconds));
            } else {
                stdout.write(to_text(plan, &made, seconds).as_bytes());
            }
            if made.is_cut_short { Exit::Interrupted } else { stdout.exit() }
        }
        Err(message) => {
            error_line(&message);
            Exit::Incomplete
        }
    }
}

fn make(plan: &TrainPlan, progress: &mut dyn FnMut(multigrid::Progress) -> bool) -> Result<Made, String> {
    let text = |e: LearnedError| e.to_string();
    match &plan.kind {
        TrainKind::Multigrid(options, folder) => {
            let mut options = options.clone();
            if let Some(folder) = folder {
                options.geometries = geometries::read_folder(folder, options.dim)?;
            }
            let trained = multigrid::train(&options, progress).map_err(text)?;
            trained.model.write(&plan.out).map_err(text)?;
            Ok(Made {
                kind: "multigrid",
                unit: "generations",
                dim: options.dim,
                seed: options.seed,
                steps: trained.generations,
                losses: trained.losses,
                held_out: trained.held_out,
                metadata: trained.model.metadata,
                is_cut_short: trained.is_cut_short,
            })
        }
        TrainKind::Dcdm(options) => {
            let trained = dcdm::train(options, progress).map_err(text)?;
            trained.network.write(&plan.out).map_err(text)?;
            Ok(Made {
                kind: "dcdm",
                unit: "batches",
                dim: 2,
                seed: options.seed,
                steps: trained.batches,
                losses: trained.losses,
                held_out: Vec::new(),
                metadata: trained.network.metadata,
                is_cut_short: trained.is_cut_short,
            })
        }
    }
}

fn to_json(plan: &TrainPlan, made: &Made, seconds: f64) -> String {
    let held_out = |(name, before, after): &(String, f64, f64)| serde_json::json!({"problem": name, "derived_iterations": before, "iterations": after});
    serde_json::json!({
        "model": plan.out.display().to_string(),
        "kind": made.kind,
        "dim": made.dim,
        "seed": made.seed,
        "status": if made.is_cut_short { "interrupted" } else { "converged" },
        made.unit: made.steps,
        "loss_history": made.losses.iter().map(|&l| finite(l)).collect::<Vec<_>>(),
        "held_out": made.held_out.iter().map(held_out).collect::<Vec<_>>(),
        "metadata": made.metadata,
        "seconds": seconds,
    })
    .to_string()
}

fn to_text(plan: &TrainPlan, made: &Made, seconds: f64) -> String {
    let first = made.losses.first().copied().unwrap_or(f64::NAN);
    let last = made.losses.last().copied().unwrap_or(f64::NAN);
    let (out, steps, unit) = (plan.out.display(), made.steps, made.unit);
    let mut text = format!("{out}: {steps} {unit} in {seconds:.1} s, loss {first:.4} -> {last:.4}\n");
    if let Some(loss) = made.metadata.get("held_out").filter(|_| made.held_out.is_empty()) {
        text.push_str(&format!("On problems not trained on: {loss}\n"));
    } else {
        text.push_str("Iterations to 1e-6 on problems not trained on, mean:\n");
    }
    for (name, before, after) in &made.held_out {
        text.push_str(&format!("  {name:<12} derived {before:5.1}   learned {after:5.1}\n"));
    }
    text
}
