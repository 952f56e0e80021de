//! `residua transport`: one problem, from files to potentials, plan and figures.

mod input;

use super::memory::{peak_bytes, reset_peak};
use crate::exit::Exit;
use crate::interrupt;
use crate::plan::{Context, TransportPlan};
use crate::report::{
    Figure, Progress, Status, Stdout, TransportRecord, TransportView, error_line, figures, finite, to_line,
    write_page,
};
use input::Loaded;
use residua_data::arrays::{NamedArray, write_npz};
use residua_data::matrix_market::{WriteOptions, write_csr};
use residua_solvers::transport::{
    Cost, PlanOperator, TransportError, TransportOptions, TransportOutcome, TransportProblem,
    TransportProgress, TransportStatus, lp_bound, plan, round_plan, solve,
};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// What is left out of a plan sums to this share of the tolerance at most, unless a threshold is given.
const DROPPED_SHARE: f64 = 0.1;

/// Solves the problem of `plan` and reports.
pub(crate) fn transport(plan: &TransportPlan, context: &Context) -> Exit {
    let started = Instant::now();
    let mut stdout = Stdout::new();
    let mut progress = Progress::new(1);
    reset_peak();
    let mut record = TransportRecord::new(&input::label(&plan.input), context.threads);
    record.method = Some(plan.options.method.to_string());
    progress.start(&record.case);
    progress.phase("reading");
    let loaded = input::load(&plan.input);
    record.read_seconds = Some(started.elapsed().as_secs_f64());
    let done = loaded.and_then(|loaded| {
        record.describe(&loaded.problem, loaded.ground);
        let outcome = solve_problem(&loaded.problem, &plan.options, &mut progress);
        outcome.map(|outcome| (loaded, outcome)).map_err(|e| format!("{}: {e}", record.case))
    });
    let mut exit = Exit::Success;
    let (mut history, mut drawn) = (Vec::new(), Vec::new());
    match done {
        Err(message) => {
            progress.error(&message);
            record.message = Some(message);
        }
        Ok((loaded, mut outcome)) => {
            history = std::mem::take(&mut outcome.history);
            record.conclude(&outcome, plan.options.tol);
            progress.phase("writing");
            let written = outputs(plan, &loaded.problem, &outcome, &mut record);
            if let Err(message) = written {
                progress.error(&message);
                exit = exit.and(Exit::Incomplete);
            }
            if context.report.is_some() && is_usable(&outcome) {
                drawn = draw(&loaded, &outcome);
            }
        }
    }
    record.peak_memory_bytes = peak_bytes();
    progress.finish(&format!("{}: {}", record.case, record.status));
    if record.status != Status::Converged {
        exit = exit.and(Exit::Incomplete);
    }
    let view = TransportView::new(&record, &history, plan.options.tol, started.elapsed());
    if context.json {
        stdout.line(&to_line(&record));
    } else if record.status != Status::InvalidInput {
        stdout.write(view.to_text().as_bytes());
    }
    if context.report.is_some()
        && let Err(message) = write_page(&view.page(drawn), context)
    {
        error_line(&message);
        exit = exit.and(Exit::Incomplete);
    }
    if interrupt::requested() { Exit::Interrupted } else { exit.and(stdout.exit()) }
}

fn solve_problem(
    problem: &TransportProblem,
    options: &TransportOptions,
    progress: &mut Progress,
) -> Result<TransportOutcome, TransportError> {
    // The library's tolerance is relative to the mass; the command's is absolute, and no looser than that.
    let tol = options.tol / problem.mass().max(1.0);
    let options = TransportOptions { tol, ..options.clone() };
    let (limit, mass) = (options.max_iters.unwrap_or(usize::MAX), problem.mass());
    let mut monitor = |seen: &TransportProgress| {
        progress.iteration(seen.sweeps + seen.newton, limit, seen.marginal_error / mass, tol);
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    solve(problem, &options, None, &mut monitor)
}

/// Whether the potentials mean anything.
fn is_usable(outcome: &TransportOutcome) -> bool {
    let all = || outcome.potentials.source.iter().chain(&outcome.potentials.target);
    !matches!(outcome.status, TransportStatus::Infeasible | TransportStatus::NonFinite)
        && all().all(|v| v.is_finite())
}

/// Writes what was asked for, and completes the record.
fn outputs(
    typed: &TransportPlan,
    problem: &TransportProblem,
    outcome: &TransportOutcome,
    record: &mut TransportRecord,
) -> Result<(), String> {
    if !is_usable(outcome) {
        let asked = [&typed.out_plan, &typed.out_potentials].into_iter().flatten().next();
        return match asked {
            Some(path) => {
                Err(format!("{}: not written: there is no plan ({})", path.display(), record.status))
            }
            None => Ok(()),
        };
    }
    let bound = lp_bound(problem, &outcome.potentials).map_err(|e| e.to_string())?;
    record.lp_bound = finite(bound.value);
    if let Some(path) = &typed.out_potentials {
        write_potentials(path, outcome)?;
    }
    if typed.out_plan.is_none() && !typed.round {
        return Ok(());
    }
    let pairs = problem.cost().rows() as f64 * problem.cost().cols() as f64;
    let threshold = typed.plan_threshold.unwrap_or(DROPPED_SHARE * typed.options.tol / pairs);
    let sparse = plan(problem, &outcome.potentials, outcome.epsilon, threshold).map_err(|e| e.to_string())?;
    record.plan_dropped_mass = finite(sparse.dropped_mass);
    let mut matrix = sparse.matrix;
    if typed.round {
        let rounded = round_plan(problem, &matrix).map_err(|e| e.to_string())?;
        record.rounded_cost = finite(rounded.transport_cost);
        matrix = rounded.plan;
        if rounded.forbidden_mass > 0.0 {
            record.message = Some(format!(
                "rounding puts the mass {:e} on forbidden pairs: a smaller --tol makes it less",
                rounded.forbidden_mass
            ));
        }
    }
    record.plan_nnz = Some(matrix.nnz());
    match &typed.out_plan {
        Some(path) => {
            let comments = vec![format!(
                "transport plan, epsilon {:e}, marginal error {:e}{}",
                outcome.epsilon,
                outcome.marginal_error,
                if typed.round { ", rounded to exact marginals" } else { "" }
            )];
            let options = WriteOptions { comments, ..WriteOptions::default() };
            write_csr(path, &matrix, &options).map_err(|e| e.to_string())
        }
        None => Ok(()),
    }
}

/// f, g and epsilon.
fn write_potentials(path: &Path, outcome: &TransportOutcome) -> Result<(), String> {
    let (f, g) = (&outcome.potentials.source, &outcome.potentials.target);
    let arrays = [
        NamedArray { name: "f", shape: &[f.len()], values: f },
        NamedArray { name: "g", shape: &[g.len()], values: g },
        NamedArray { name: "epsilon", shape: &[], values: &[outcome.epsilon] },
    ];
    write_npz(path, &arrays).map_err(|e| e.to_string())
}

/// The plan as pictures, after the kind of problem.
fn draw(loaded: &Loaded, outcome: &TransportOutcome) -> Vec<Figure> {
    let problem = &loaded.problem;
    let operator = PlanOperator::new(problem, &outcome.potentials, outcome.epsilon);
    if let (Some((source, target)), Ok(operator)) = (&loaded.images, &operator)
        && let Cost::Points(points) = problem.cost()
        && let Ok(map) = operator.barycentric_map(points.target())
    {
        return vec![
            figures::image("Source", source),
            figures::image("Target", target),
            figures::arrows("Where each source pixel goes on average", source, &map),
        ];
    }
    let heaviest = |w: &[f64]| w.iter().copied().fold(0.0, f64::max);
    let threshold = figures::FAINT * heaviest(problem.source()).min(heaviest(problem.target()));
    let Ok(sparse) = plan(problem, &outcome.potentials, outcome.epsilon, threshold) else {
        return Vec::new();
    };
    match problem.cost() {
        Cost::Points(points) if points.source().dim() == 2 => {
            vec![figures::lines("The plan", points, problem, &sparse.matrix)]
        }
        _ => vec![figures::heat_map("The plan", &sparse.matrix)],
    }
}
