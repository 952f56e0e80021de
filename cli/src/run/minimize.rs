//! `residua minimize`.

use crate::exit::Exit;
use crate::interrupt;
use crate::plan::{Context, MinimizePlan, MinimizeSource as Source};
use crate::report::{
    self, Curve, LOG_HEAD, ListedRecord, MinimizeRecord, MinimizeView, Progress, Stdout, finite, log_line,
    to_line, write_page,
};
use residua_data::nlp::nl::{self, NlModel, SolveResult};
use residua_data::nlp::{NonlinearProblem, problems};
use residua_solvers::constrained::{self, IterationRecord, MinimizeOutcome, MinimizeStatus};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// Iterations that a curve keeps.
const MAX_DRAWN: usize = 20_000;

/// Solves every problem of `plan` and reports.
pub(crate) fn minimize(plan: &MinimizePlan, context: &Context) -> Exit {
    if plan.is_list {
        return list(context);
    }
    let mut session = Session {
        plan,
        context,
        progress: Progress::new(plan.sources.len()),
        stdout: Stdout::new(),
        records: Vec::new(),
        curves: Vec::new(),
        exit: Exit::Success,
        started: Instant::now(),
    };
    for source in &plan.sources {
        let writes_files = matches!(source, Source::File(_)) || context.report.is_some();
        if interrupt::requested() || (session.stdout.is_gone() && !writes_files) {
            break;
        }
        session.run(source);
    }
    session.finish()
}

fn list(context: &Context) -> Exit {
    let mut stdout = Stdout::new();
    let list = problems::list();
    if context.json {
        list.iter().for_each(|listed| stdout.line(&to_line(&ListedRecord::from(listed))));
    } else {
        stdout.line(&report::list_table(&list).to_text());
    }
    stdout.exit()
}

/// A batch in the making.
struct Session<'a> {
    plan: &'a MinimizePlan,
    context: &'a Context,
    progress: Progress,
    stdout: Stdout,
    records: Vec<MinimizeRecord>,
    curves: Vec<(String, Vec<Curve>)>,
    exit: Exit,
    started: Instant,
}

impl Session<'_> {
    fn run(&mut self, source: &Source) {
        let label = source.label();
        self.progress.start(&label);
        self.progress.phase("reading");
        let mut record = MinimizeRecord::new(label, self.plan.options.method.as_str());
        let result = match source {
            Source::File(path) => self.file(path, &mut record),
            Source::Builtin(name) => problems::by_name(name, self.plan.options.seed)
                .map_err(|e| e.to_string())
                .and_then(|problem| self.solve(problem.as_ref(), &mut record).map(|_| ())),
        };
        self.progress.finish(&format!("{}: {}", record.problem, record.status));
        if let Err(message) = result {
            self.progress.error(&message);
            self.exit = self.exit.and(Exit::Incomplete);
            record.message = Some(message);
        }
        if !record.has_converged() {
            self.exit = self.exit.and(Exit::Incomplete);
        }
        if self.context.json {
            self.stdout.line(&to_line(&record));
        }
        self.records.push(record);
    }

    /// Reads a file, solves it, and writes the answer beside it.
    fn file(&mut self, path: &Path, record: &mut MinimizeRecord) -> Result<(), String> {
        let model = nl::read(path).map_err(|e| e.to_string())?;
        let outcome = self.solve(&model.problem, record)?;
        let answer = nl::path_of(path).with_extension("sol");
        let text = solution(&model, &outcome, record);
        nl::write_sol(&answer, &text).map_err(|e| e.to_string())?;
        record.solution = Some(answer.display().to_string());
        Ok(())
    }

    fn solve(
        &mut self,
        problem: &dyn NonlinearProblem,
        record: &mut MinimizeRecord,
    ) -> Result<MinimizeOutcome, String> {
        record.variables = Some(problem.variables());
        record.constraints = Some(problem.constraints());
        record.known_optimum = problem.known_optimum();
        let (mut kkt, mut violation) = (Vec::new(), Vec::new());
        let options = &self.plan.options;
        if self.plan.is_verbose {
            log(&format!(
                "{}: {} variables, {} constraints",
                record.problem,
                problem.variables(),
                problem.constraints()
            ));
            log(LOG_HEAD);
        }
        let progress = &mut self.progress;
        let mut monitor = |r: &IterationRecord| {
            if kkt.len() < MAX_DRAWN {
                kkt.push(r.kkt_residual);
                violation.push(r.constraint_violation);
            }
            if self.plan.is_verbose {
                log(&log_line(r));
            }
            progress.iteration(r.iteration, options.max_iters, r.kkt_residual, options.tol);
            if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let solved = constrained::minimize(problem, options, None, &mut monitor);
        let outcome = solved.map_err(|e| format!("{}: {e}", record.problem))?;
        describe(record, &outcome);
        if problem.is_maximised() {
            record.objective = finite(-outcome.objective);
        }
        if self.context.report.is_some() {
            let curve = |label: &str, values| Curve { label: label.to_owned(), stride: 1, values };
            let curves = vec![curve("KKT residual", kkt), curve("constraint violation", violation)];
            self.curves.push((record.problem.clone(), curves));
        }
        Ok(outcome)
    }

    fn finish(mut self) -> Exit {
        let view = MinimizeView::new(&self.records, self.started.elapsed());
        if !self.context.json {
            self.stdout.write(view.to_text().as_bytes());
        }
        if self.context.report.is_some() {
            let page = view.page(std::mem::take(&mut self.curves), self.plan.options.tol);
            if let Err(message) = write_page(&page, self.context) {
                self.progress.error(&message);
                self.exit = self.exit.and(Exit::Incomplete);
            }
        }
        if interrupt::requested() { Exit::Interrupted } else { self.exit.and(self.stdout.exit()) }
    }
}

/// A line of the log for people; a closed standard error is nobody's business.
fn log(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn describe(record: &mut MinimizeRecord, outcome: &MinimizeOutcome) {
    record.status = outcome.status.as_str().to_owned();
    record.objective = finite(outcome.objective);
    record.kkt_residual = finite(outcome.kkt_residual);
    record.constraint_violation = finite(outcome.constraint_violation);
    record.iterations = Some(outcome.iterations);
    record.objective_evaluations = Some(outcome.objective_evaluations);
    record.inner_iterations = Some(outcome.inner_iterations);
    record.inner_flops = finite(outcome.inner_flops);
    record.seconds = Some(outcome.elapsed.as_secs_f64());
    record.kkt_solver = Some(outcome.kkt_solver.clone());
    record.warnings.clone_from(&outcome.warnings);
    // Another solver than the one that was asked for is never passed off as it.
    if record.method != "auto" && !outcome.kkt_solver.starts_with(&record.method) {
        record
            .warnings
            .push(format!("KKT systems were not solved by {}: {}", record.method, outcome.kkt_solver));
    }
    if outcome.status != MinimizeStatus::Converged {
        record.message = Some(outcome.message.clone());
    }
}

/// The text of the `.sol` file.
fn solution(model: &NlModel, outcome: &MinimizeOutcome, record: &MinimizeRecord) -> String {
    let result = match outcome.status {
        MinimizeStatus::Converged => SolveResult::Solved,
        MinimizeStatus::Infeasible | MinimizeStatus::LocallyInfeasible => SolveResult::Infeasible,
        MinimizeStatus::Unbounded => SolveResult::Unbounded,
        MinimizeStatus::MaxIterations | MinimizeStatus::TimeLimit => SolveResult::Limit,
        MinimizeStatus::Interrupted => SolveResult::Interrupted,
        _ => SolveResult::Failure,
    };
    let objective = record.objective.map_or_else(|| "not finite".to_owned(), |f| format!("{f:.10e}"));
    let message = format!(
        "residua {}: {}; objective {objective}\n{} iterations, KKT residual {:.1e}",
        env!("CARGO_PKG_VERSION"),
        record.status,
        outcome.iterations,
        outcome.kkt_residual
    );
    model.solution_text(&message, &outcome.x, &outcome.multipliers, result)
}
