//! `residua solve`.

use super::columns;
use super::learned;
use super::memory::{peak_bytes, reset_peak};
use super::rhs::{self, AnySystem, System};
use super::store::{Store, fingerprint};
use crate::cases::{Case, Source};
use crate::engine::{self, Columns, Either, MatrixFile};
use crate::exit::Exit;
use crate::interrupt;
use crate::plan::{Context, SolvePlan};
use crate::report::{
    self, Curve, Progress, SolveRecord, SolveView, Status, Stdout, short, to_line, write_page,
};
use residua_data::matrix_market::DenseColumns;
use residua_solvers::PrecondKind;
use residua_solvers::auto::AutoScalar;
use std::time::Instant;

/// Solves every case of `plan` and reports.
pub(crate) fn solve(plan: &SolvePlan, context: &Context) -> Exit {
    let mut session = match Session::new(plan, context) {
        Ok(session) => session,
        Err(message) => {
            report::error_line(&message);
            return Exit::Incomplete;
        }
    };
    for (k, case) in plan.cases.iter().enumerate() {
        if interrupt::requested() || session.nobody_listens() {
            break;
        }
        session.run(k, case);
    }
    session.finish()
}

/// What a case leaves.
struct Solved {
    record: SolveRecord,
    solution: Option<Columns>,
    curve: Option<Curve>,
}

/// A batch in the making.
struct Session<'a> {
    plan: &'a SolvePlan,
    context: &'a Context,
    options: String,
    progress: Progress,
    stdout: Stdout,
    store: Option<Store>,
    records: Vec<SolveRecord>,
    curves: Vec<Curve>,
    exit: Exit,
    started: Instant,
}

impl<'a> Session<'a> {
    fn new(plan: &'a SolvePlan, context: &'a Context) -> Result<Self, String> {
        let store = plan.out.as_ref().map(|out| Store::open(out, &plan.cases, plan.resume)).transpose()?;
        Ok(Self {
            plan,
            context,
            options: plan.options_line(),
            progress: Progress::new(plan.cases.len()),
            stdout: Stdout::new(),
            store,
            records: Vec::new(),
            curves: Vec::new(),
            exit: Exit::Success,
            started: Instant::now(),
        })
    }

    /// Whether results would reach no one: standard output has gone and nothing is written to disk.
    fn nobody_listens(&self) -> bool {
        self.stdout.is_gone() && self.store.is_none() && self.context.report.is_none()
    }

    fn run(&mut self, k: usize, case: &Case) {
        let input = fingerprint(case, &self.plan.rhs);
        let stored = self.store.as_mut().and_then(|s| s.reuse(k, case, &self.options, input.as_deref()));
        if let Some(stored) = stored {
            self.curves.extend(stored.record.history.as_ref().map(|values| Curve {
                label: case.label.clone(),
                stride: 1,
                values: values.iter().map(|v| v.unwrap_or(f64::NAN)).collect(),
            }));
            return self.show(stored.record, &stored.line);
        }
        self.progress.start(&case.label);
        let mut record = SolveRecord::new(&case.label, self.context.threads, &self.options);
        record.input = input;
        reset_peak();
        let mut solved = self.solve_case(case, record);
        solved.record.peak_memory_bytes = peak_bytes();
        let saved = self.save_solution(k, &mut solved);
        self.curves.extend(solved.curve);
        self.progress.finish(&summary(&solved.record));
        let line = to_line(&solved.record);
        let kept = saved.and_then(|()| match &mut self.store {
            Some(store) => store.append(&case.label, &line),
            None => Ok(()),
        });
        if let Err(message) = kept {
            self.progress.error(&message);
            self.exit = self.exit.and(Exit::Incomplete);
        }
        if solved.record.status == Status::InvalidInput {
            self.progress.error(solved.record.message.as_deref().unwrap_or_default());
        }
        self.show(solved.record, &line);
    }

    fn show(&mut self, mut record: SolveRecord, line: &str) {
        if self.context.json {
            self.stdout.line(line);
        }
        if record.status != Status::Converged {
            self.exit = self.exit.and(Exit::Incomplete);
        }
        record.history = None;
        self.records.push(record);
    }

    fn save_solution(&self, k: usize, solved: &mut Solved) -> Result<(), String> {
        let (Some(store), Some(solution)) = (&self.store, solved.solution.take()) else { return Ok(()) };
        let (name, path) = store.solution(k);
        if engine::write_columns(&path, &solution)? {
            solved.record.solution = Some(name);
        }
        Ok(())
    }

    /// Reads and solves one case.
    fn solve_case(&mut self, case: &Case, mut record: SolveRecord) -> Solved {
        self.progress.phase("reading");
        let start = Instant::now();
        let read = engine::read_matrix(&case.source).map_err(|error| match case.source {
            Source::Unusable(_) => format!("{}: {error}", case.label),
            _ => error,
        });
        let joined = read.and_then(|file| {
            describe_matrix(&mut record, &file);
            rhs::join(case, file, &self.plan.rhs, self.context.seed)
        });
        record.read_seconds = Some(start.elapsed().as_secs_f64());
        let (system, rhs) = match joined {
            Ok(joined) => joined,
            Err(message) => {
                return Solved { record: record.invalid(message), solution: None, curve: None };
            }
        };
        record.rhs = Some(rhs);
        self.progress.phase("setting up");
        self.solve_any(case, record, &system)
    }

    fn solve_any(&mut self, case: &Case, record: SolveRecord, system: &AnySystem) -> Solved {
        match system {
            Either::Real(system) if self.plan.options.precond == PrecondKind::Learned => {
                self.solve_learned(case, record, system)
            }
            Either::Complex(_) if self.plan.options.precond == PrecondKind::Learned => {
                let message =
                    format!("{}:1: is complex: expected a real matrix with --precond learned", case.label);
                Solved { record: record.invalid(message), solution: None, curve: None }
            }
            Either::Real(system) => self.solve_system(case, record, system, Either::Real),
            Either::Complex(system) => self.solve_system(case, record, system, Either::Complex),
        }
    }

    fn solve_system<T: AutoScalar>(
        &mut self,
        case: &Case,
        mut record: SolveRecord,
        system: &System<T>,
        wrap: impl Fn(DenseColumns<T>) -> Columns,
    ) -> Solved {
        let SolvePlan { options, stop, monitor, .. } = self.plan;
        match columns::solve(system, options, stop, *monitor, &mut self.progress) {
            Ok(solved) => {
                solved.describe(&mut record);
                let curve = Some(solved.trace.into_curve(case.label.clone()));
                Solved { record, solution: Some(wrap(rhs::columns_of(system.a.ncols(), solved.x))), curve }
            }
            Err(error) => {
                record.status = columns::status_of(&error);
                record.message = Some(format!("{}:1: {error}", case.label));
                Solved { record, solution: None, curve: None }
            }
        }
    }

    fn solve_learned(&mut self, case: &Case, mut record: SolveRecord, system: &System<f64>) -> Solved {
        let grid = learned::metadata_of(&case.source);
        let start = Instant::now();
        let problem = grid.and_then(|grid| grid.problem(&system.a).map_err(|e| e.to_string()));
        let problem = match problem {
            Ok(problem) => problem,
            Err(message) => {
                let message = format!("{}:1: {message}", case.label);
                return Solved { record: record.invalid(message), solution: None, curve: None };
            }
        };
        let SolvePlan { model, stop, monitor, .. } = self.plan;
        let (model, bar) = (model.as_ref(), &mut self.progress);
        match learned::solve(system, &problem, model, start, stop, *monitor, bar) {
            Ok(solved) => {
                solved.describe(&mut record);
                let curve = Some(solved.trace.into_curve(case.label.clone()));
                let x = rhs::columns_of(system.a.ncols(), solved.x);
                Solved { record, solution: Some(Either::Real(x)), curve }
            }
            Err(error) => {
                record.status = columns::status_of(&error);
                record.message = Some(format!("{}:1: {error}", case.label));
                Solved { record, solution: None, curve: None }
            }
        }
    }

    /// The end of the batch, also of an interrupted one: everything finished is reported.
    fn finish(mut self) -> Exit {
        if let Some(Err(message)) = self.store.take().map(Store::finish) {
            self.progress.error(&message);
            self.exit = self.exit.and(Exit::Incomplete);
        }
        let view = SolveView::new(&self.records, self.plan.cases.len(), self.started.elapsed());
        if !self.context.json {
            self.stdout.write(view.to_text().as_bytes());
        }
        if self.context.report.is_some() {
            let page = view.page(std::mem::take(&mut self.curves), self.plan.stop.rtol);
            if let Err(message) = write_page(&page, self.context) {
                self.progress.error(&message);
                self.exit = self.exit.and(Exit::Incomplete);
            }
        }
        if interrupt::requested() { Exit::Interrupted } else { self.exit.and(self.stdout.exit()) }
    }
}

/// What is known as soon as the matrix is read.
fn describe_matrix(record: &mut SolveRecord, file: &MatrixFile) {
    record.rows = Some(file.rows());
    record.cols = Some(file.cols());
    record.nnz = Some(file.nnz());
    record.symmetric = Some(file.is_symmetric());
    record.field = Some(file.field.to_string());
}

/// One line on a finished case, for the terminal.
fn summary(record: &SolveRecord) -> String {
    let iterations = record.iterations.map_or(String::new(), |n| format!(", {n} iterations"));
    let residual = record.relative_residual.map_or(String::new(), |r| format!(", residual {}", short(r)));
    format!("{}: {}{iterations}{residual}", record.case, record.status)
}
