//! `residua poisson`: model problems by many solvers, with a cost that machines agree on.

use super::columns;
use super::learned;
use super::memory::{self, peak_bytes};
use super::rhs::System;
use crate::exit::Exit;
use crate::interrupt;
use crate::plan::{Context, PoissonPlan, SolverChoice};
use crate::report::{
    Curve, PoissonRecord, PoissonView, Progress, SolveRecord, Status, Stdout, error_line, short, to_line,
    write_page,
};
use residua_data::CsrMatrix;
use residua_data::matrix_market::{self, DenseColumns, Symmetry, WriteOptions};
use residua_data::poisson::{Grid, Medium, PoissonKind, PoissonProblem, PoissonSystem};
use residua_learned::GridMetadata;
use residua_solvers::PrecondKind;
use std::path::Path;
use std::time::Instant;

/// How long products with A are repeated for one timing, in seconds: far above the clock's resolution.
const SAMPLE_SECONDS: f64 = 2e-3;

/// The best of so many timings counts.
const SAMPLES: usize = 7;

/// Solves every problem of `plan` by every solver and reports.
pub(crate) fn poisson(plan: &PoissonPlan, context: &Context) -> Exit {
    let mut suite = Suite {
        plan,
        context,
        stream_gbs: memory::triad_gbs(),
        progress: Progress::new(plan.problems.len() * plan.solvers.len()),
        stdout: Stdout::new(),
        records: Vec::new(),
        curves: Vec::new(),
        exit: Exit::Success,
        started: Instant::now(),
    };
    for problem in &plan.problems {
        if suite.is_over() {
            break;
        }
        suite.run_problem(problem);
    }
    suite.finish()
}

/// The suite in the making.
struct Suite<'a> {
    plan: &'a PoissonPlan,
    context: &'a Context,
    stream_gbs: f64,
    progress: Progress,
    stdout: Stdout,
    records: Vec<PoissonRecord>,
    /// The history of each record that has one, with the name of its problem.
    curves: Vec<(String, Curve)>,
    exit: Exit,
    started: Instant,
}

/// A problem ready to be solved.
struct Prepared {
    label: String,
    problem: PoissonProblem,
    system: System<f64>,
    grid: Grid,
    medium: Medium,
    assembly_seconds: f64,
    /// One y = Ax.
    product_seconds: f64,
}

impl Suite<'_> {
    fn is_over(&self) -> bool {
        interrupt::requested() || (self.stdout.is_gone() && self.context.report.is_none())
    }

    fn fail(&mut self, message: &str) {
        self.progress.error(message);
        self.exit = self.exit.and(Exit::Incomplete);
    }

    fn run_problem(&mut self, problem: &PoissonProblem) {
        let label = label(problem);
        let start = Instant::now();
        let built = match problem.build() {
            Ok(built) => built,
            Err(error) => return self.fail(&format!("{label}: {error}")),
        };
        let assembly_seconds = start.elapsed().as_secs_f64();
        if let Some(folder) = &self.plan.save_matrix
            && let Err(message) = save(folder, &label, &built)
        {
            self.fail(&message);
        }
        let product_seconds = time_of_product(&built.matrix);
        let system = System { a: built.matrix, b: DenseColumns::from_column(built.rhs) };
        let (grid, medium) = (built.grid, built.medium);
        let prepared =
            Prepared { label, problem: *problem, system, grid, medium, assembly_seconds, product_seconds };
        for &solver in &self.plan.solvers {
            if self.is_over() {
                break;
            }
            self.run_solver(&prepared, solver);
        }
    }

    fn run_solver(&mut self, prepared: &Prepared, solver: SolverChoice) {
        let name = solver.to_string();
        self.progress.start(&format!("{} {name}", prepared.label));
        self.progress.phase("setting up");
        memory::reset_peak();
        let mut record = prepared.record(&self.context.seed.to_string(), self.context.threads);
        let options = self.plan.options(solver);
        let mut runs: Vec<(f64, SolveRecord)> = Vec::new();
        let mut curve = None;
        for _ in 0..self.plan.repeat {
            let (stop, bar) = (&self.plan.stop, &mut self.progress);
            let solved = if solver.precond == PrecondKind::Learned {
                let grid = (prepared.grid, &prepared.medium);
                learned::solve_on_grid(&prepared.system, grid, self.plan.model.as_ref(), stop, bar)
            } else if solver.geometric {
                columns::solve_on_grid(&prepared.system, prepared.grid, &prepared.medium, stop, bar)
            } else {
                columns::solve(&prepared.system, &options, stop, false, bar)
            };
            match solved {
                Ok(solved) => {
                    let mut run = record.clone();
                    solved.describe(&mut run);
                    runs.push((solved.elapsed().as_secs_f64(), run));
                    curve = Some(solved.trace.into_curve(name.clone()));
                }
                Err(error) => {
                    record.status = columns::status_of(&error);
                    record.message = Some(format!("{} {name}: {error}", prepared.label));
                    break;
                }
            }
            if interrupt::requested() {
                break;
            }
        }
        let seconds = take_median(&mut runs).map(|(seconds, median)| {
            record = median;
            seconds
        });
        record.peak_memory_bytes = peak_bytes();
        self.curves.extend(curve.map(|curve| (prepared.label.clone(), curve)));
        self.deliver(PoissonRecord {
            problem: prepared.problem.kind.to_string(),
            dim: prepared.problem.dim,
            n: prepared.problem.n,
            unknowns: prepared.system.a.nrows(),
            solver: name,
            seconds,
            unknowns_per_second: seconds.map(|s| prepared.system.a.nrows() as f64 / s),
            spmv_equivalents: seconds.map(|s| s / prepared.product_seconds),
            bandwidth_gbs: product_bytes(&prepared.system.a) / prepared.product_seconds / 1e9,
            stream_gbs: self.stream_gbs,
            spmv_seconds: prepared.product_seconds,
            repeat: self.plan.repeat,
            solve: record,
        });
    }

    fn deliver(&mut self, record: PoissonRecord) {
        let (status, seconds) = (record.solve.status, record.seconds.map_or("-".to_owned(), short));
        self.progress.finish(&format!("{} {}: {status}, {seconds} s", record.solve.case, record.solver));
        if status != Status::Converged {
            self.exit = self.exit.and(Exit::Incomplete);
        }
        if status == Status::InvalidInput {
            self.progress.error(record.solve.message.as_deref().unwrap_or_default());
        }
        if self.context.json {
            self.stdout.line(&to_line(&record));
        }
        self.records.push(record);
    }

    fn finish(mut self) -> Exit {
        let view = PoissonView::new(&self.records, self.stream_gbs, self.started.elapsed());
        if !self.context.json {
            self.stdout.write(view.to_text().as_bytes());
        }
        if self.context.report.is_some() {
            let page = view.page(&self.curves, self.plan.stop.rtol);
            if let Err(message) = write_page(&page, self.context) {
                error_line(&message);
                self.exit = self.exit.and(Exit::Incomplete);
            }
        }
        if interrupt::requested() { Exit::Interrupted } else { self.exit.and(self.stdout.exit()) }
    }
}

impl Prepared {
    /// What is known of every solve of this problem.
    fn record(&self, seed: &str, threads: usize) -> SolveRecord {
        let a = &self.system.a;
        let contrast = self.problem.contrast.or(self.problem.kind.default_contrast());
        let contrast = contrast.map_or(String::new(), |c| format!(" contrast={c:e}"));
        let mut record = SolveRecord::new(&self.label, threads, &format!("seed={seed}{contrast}"));
        record.rows = Some(a.nrows());
        record.cols = Some(a.ncols());
        record.nnz = Some(a.nnz());
        record.symmetric = Some(self.problem.kind != PoissonKind::Convection);
        record.field = Some("real".to_owned());
        record.read_seconds = Some(self.assembly_seconds);
        record.rhs = Some("uniform".to_owned());
        record
    }
}

/// The name of a problem, also of its files; contrast and seed only where they were given.
fn label(problem: &PoissonProblem) -> String {
    let PoissonProblem { kind, dim, n, contrast, seed } = problem;
    let contrast = contrast.map_or(String::new(), |c| format!("-c{c:e}"));
    let seed = if *seed == 0 { String::new() } else { format!("-s{seed}") };
    format!("{kind}-{dim}d-n{n}{contrast}{seed}")
}

/// Writes A and b of `built` into `folder`.
fn save(folder: &Path, label: &str, built: &PoissonSystem) -> Result<(), String> {
    let mut comments = vec![built.description()];
    if built.problem.kind != PoissonKind::Convection {
        let dims = vec![built.grid.n(); built.grid.dim()];
        let unknown_of_point = built.medium.unknown_of_point().map(<[u32]>::to_vec);
        comments.extend(GridMetadata { dims, unknown_of_point }.to_comments());
    }
    let symmetry = (built.problem.kind != PoissonKind::Convection).then_some(Symmetry::Symmetric);
    let options = WriteOptions { symmetry, comments: comments.clone(), ..WriteOptions::default() };
    let b = DenseColumns::from_column(built.rhs.clone());
    matrix_market::write_csr(folder.join(format!("{label}.mtx")), &built.matrix, &options)
        .and_then(|()| matrix_market::write_dense(folder.join(format!("{label}_b.mtx")), &b, &comments[..1]))
        .map_err(|e| e.to_string())
}

/// Takes the run of median time out of `runs`; of an even number the lower of the middle two.
fn take_median(runs: &mut Vec<(f64, SolveRecord)>) -> Option<(f64, SolveRecord)> {
    if runs.is_empty() {
        return None;
    }
    runs.sort_by(|p, q| p.0.total_cmp(&q.0));
    Some(runs.swap_remove((runs.len() - 1) / 2))
}

/// Seconds of one y = Ax on the current pool: the best of several means.
fn time_of_product(a: &CsrMatrix<f64>) -> f64 {
    let x = vec![1.0; a.ncols()];
    let mut y = vec![0.0; a.nrows()];
    let mut time = |count: usize| {
        let start = Instant::now();
        for _ in 0..count {
            a.multiply(std::hint::black_box(&x), &mut y);
        }
        std::hint::black_box(&y);
        start.elapsed().as_secs_f64() / count as f64
    };
    let first = time(1).max(1e-9);
    let count = (SAMPLE_SECONDS / first).ceil().clamp(1.0, 1e6) as usize;
    (0..SAMPLES).map(|_| time(count)).fold(f64::INFINITY, f64::min)
}

/// Bytes that y = Ax moves at least: A once, x and y once.
fn product_bytes(a: &CsrMatrix<f64>) -> f64 {
    (12 * a.nnz() + 4 * (a.nrows() + 1) + 8 * (a.nrows() + a.ncols())) as f64
}
