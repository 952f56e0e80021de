//! `residua sequence`: one system after another, solved by what was learned from those before.

mod contexts;
mod policy;

use crate::exit::Exit;
use crate::interrupt;
use crate::plan::{Context, Selector, SequencePlan};
use crate::report::{
    Hindsight, Progress, SequenceView, Status, Stdout, StepRecord, Summary, error_line, finite, to_line,
    write_page,
};
use contexts::Contexts;
use residua::sequence::{AdaptiveSsor, Configuration, ConfigurationSolver, Cost, ModelOmega, SequenceSolver};
use residua_data::CsrMatrix;
use residua_solvers::stationary::Sor;
use residua_solvers::{History, LinearSystem, Outcome, Solver};
use std::time::Instant;

/// Solves the sequence of `plan` and reports.
pub(crate) fn sequence(plan: &SequencePlan, context: &Context) -> Exit {
    let mut run = Run {
        plan,
        context,
        stdout: Stdout::new(),
        progress: Progress::new(1),
        records: Vec::new(),
        hindsight: Hindsight::default(),
        all: Vec::new(),
        model: ModelOmega::new(),
        spectral_model: AdaptiveSsor::new(),
        exit: Exit::Success,
        started: Instant::now(),
    };
    let mut arms = plan.arms.clone();
    if let Err(message) = run.solve_all(&mut arms) {
        if run.records.is_empty() {
            run.reject(&message);
        } else {
            error_line(&message);
            run.exit = run.exit.and(Exit::Incomplete);
        }
    }
    run.finish(&arms)
}

/// The run in the making.
struct Run<'a> {
    plan: &'a SequencePlan,
    context: &'a Context,
    stdout: Stdout,
    progress: Progress,
    records: Vec<StepRecord>,
    hindsight: Hindsight,
    /// The solver of each configuration, for the hindsight.
    all: Vec<ConfigurationSolver>,
    model: ModelOmega,
    spectral_model: AdaptiveSsor,
    exit: Exit,
    started: Instant,
}

impl Run<'_> {
    fn solve_all(&mut self, arms: &mut Vec<Configuration>) -> Result<(), String> {
        let plan = self.plan;
        let contexts = Contexts::new(plan)?;
        let mut sequence = plan.open().map_err(|e| e.to_string())?;
        let mut solver: Option<SequenceSolver> = None;
        let mut x: Vec<f64> = Vec::new();
        let mut has_solution = false;
        self.progress.start(&plan.selector_name);
        loop {
            if interrupt::requested() || (self.stdout.is_gone() && self.context.report.is_none()) {
                return Ok(());
            }
            match sequence.advance(if has_solution { &x } else { &[] }) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    // A folder goes on to the next file.
                    has_solution = false;
                    self.reject(&error.to_string());
                    if sequence.len_hint().is_some_and(|len| self.records.len() >= len) {
                        return Ok(());
                    }
                    continue;
                }
            }
            let (a, b) = (sequence.matrix(), sequence.rhs());
            x.clear();
            match sequence.guess() {
                Some(guess) => x.extend_from_slice(guess),
                None => x.resize(a.ncols(), 0.0),
            }
            if arms.is_empty() {
                *arms = plan.configurations(a)?;
            }
            let features = contexts.of(sequence.as_ref(), self.records.len())?;
            if plan.hindsight || plan.selector == Selector::Oracle {
                self.look_back(a, b, &x, arms);
            }
            let record = if plan.selector == Selector::Oracle {
                self.best_of_all(a, b, &mut x, &features, arms)?
            } else if plan.selector == Selector::Model {
                self.by_model(a, b, &mut x, &features)?
            } else if plan.selector == Selector::SpectralModel {
                self.by_spectral_model(a, b, &mut x, &features)?
            } else {
                let solver = match &mut solver {
                    Some(solver) => solver,
                    None => {
                        let policy = policy::make(plan, arms, &contexts)?;
                        let made = SequenceSolver::new(plan.stop)
                            .with_configurations(arms.clone())
                            .with_policy(policy)
                            .with_cost(plan.cost)
                            .with_seed(plan.seed);
                        solver.insert(self.restored(made)?)
                    }
                };
                let report = solver
                    .solve_in_context(a, b, &mut x, &features)
                    .map_err(|e| format!("{}: {e}", sequence.label()))?;
                StepRecord {
                    step: self.records.len() as u64 + 1,
                    case: String::new(),
                    omega: arms[report.arm].omega,
                    configuration: arms[report.arm].to_string(),
                    probability: report.probability,
                    context: features,
                    iterations: report.iterations,
                    seconds: report.elapsed.as_secs_f64(),
                    status: report.outcome.reason.into(),
                    relative_residual: finite(report.outcome.relative_residual),
                    fallback: report.fallback,
                    message: None,
                }
            };
            has_solution = record.status == Status::Converged;
            self.deliver(StepRecord { case: sequence.label(), ..record });
            if let (Some(path), Some(solver)) = (&plan.state, &solver) {
                solver.save(path).map_err(|e| e.to_string())?;
            }
        }
    }

    /// `solver` with what `--state` holds, if it exists and fits; what does not fit is set aside under another name.
    fn restored(&mut self, mut solver: SequenceSolver) -> Result<SequenceSolver, String> {
        let Some(path) = self.plan.state.as_ref().filter(|path| path.exists()) else { return Ok(solver) };
        if let Err(error) = solver.load(path) {
            let aside = set_aside(path)?;
            self.progress.error(&format!("{error}: kept as {}, learning starts anew", aside.display()));
        }
        Ok(solver)
    }

    /// What every configuration takes for this system.
    fn look_back(&mut self, a: &CsrMatrix, b: &[f64], guess: &[f64], arms: &[Configuration]) {
        if self.all.is_empty() {
            self.all = arms.iter().cloned().map(ConfigurationSolver::new).collect();
        }
        let (mut iterations, mut seconds) = (Vec::new(), Vec::new());
        let (stop, step) = (&self.plan.stop, self.records.len() as u64);
        for arm in &mut self.all {
            let mut x = guess.to_vec();
            let start = Instant::now();
            let solved = LinearSystem::new(a, b).and_then(|system| arm.solve(step, &system, &mut x, stop));
            seconds.push(start.elapsed().as_secs_f64());
            let limit = stop.max_iters;
            iterations.push(solved.map_or(limit, |o| if o.converged() { o.iterations } else { limit }));
        }
        self.hindsight.iterations.push(iterations);
        self.hindsight.seconds.push(seconds);
    }

    /// The solve by the configuration that `look_back` found to be the best.
    fn best_of_all(
        &mut self,
        a: &CsrMatrix,
        b: &[f64],
        x: &mut [f64],
        features: &[f64],
        arms: &[Configuration],
    ) -> Result<StepRecord, String> {
        let costs: Vec<f64> = match self.plan.cost {
            Cost::Seconds => self.hindsight.seconds.last().cloned().unwrap_or_default(),
            Cost::Iterations => {
                let last = self.hindsight.iterations.last();
                last.map(|step| step.iter().map(|&k| k as f64).collect()).unwrap_or_default()
            }
        };
        let best = (0..costs.len()).min_by(|&p, &q| costs[p].total_cmp(&costs[q])).unwrap_or(0);
        let start = Instant::now();
        let system = LinearSystem::new(a, b).map_err(|e| e.to_string())?;
        let step = self.records.len() as u64;
        let outcome = self.all[best].solve(step, &system, x, &self.plan.stop).map_err(|e| e.to_string())?;
        Ok(self.record(&arms[best], features, &outcome, start))
    }

    /// SOR with the ω of the model.
    fn by_model(
        &mut self,
        a: &CsrMatrix,
        b: &[f64],
        x: &mut [f64],
        features: &[f64],
    ) -> Result<StepRecord, String> {
        let omega = self.model.omega(a);
        let mut history = History::new();
        let start = Instant::now();
        let solved = Sor::new(omega)
            .and_then(|mut sor| sor.solve(&LinearSystem::new(a, b)?, x, &self.plan.stop, &mut history));
        let outcome = solved.map_err(|e| e.to_string())?;
        if !self.model.has_learned() {
            self.model.observe(a, history.relative_residuals());
        }
        Ok(self.record(&Configuration::sor(omega), features, &outcome, start))
    }

    /// The solve with the ω of SSOR that estimates of the spectrum suggest.
    fn by_spectral_model(
        &mut self,
        a: &CsrMatrix,
        b: &[f64],
        x: &mut [f64],
        features: &[f64],
    ) -> Result<StepRecord, String> {
        let start = Instant::now();
        let omega = self.spectral_model.omega(a);
        let configuration = Configuration::ssor_cg(omega);
        let solved = LinearSystem::new(a, b).and_then(|system| {
            ConfigurationSolver::new(configuration.clone()).solve(0, &system, x, &self.plan.stop)
        });
        let outcome = solved.map_err(|e| e.to_string())?;
        Ok(self.record(&configuration, features, &outcome, start))
    }

    /// The record of a solve that began at `start` and left nothing to chance.
    fn record(
        &self,
        configuration: &Configuration,
        features: &[f64],
        outcome: &Outcome,
        start: Instant,
    ) -> StepRecord {
        StepRecord {
            step: self.records.len() as u64 + 1,
            case: String::new(),
            omega: configuration.omega,
            configuration: configuration.to_string(),
            probability: 1.0,
            context: features.to_vec(),
            iterations: outcome.iterations,
            seconds: start.elapsed().as_secs_f64(),
            status: outcome.reason.into(),
            relative_residual: finite(outcome.relative_residual),
            fallback: None,
            message: None,
        }
    }

    /// A system that could not be read.
    fn reject(&mut self, message: &str) {
        self.progress.error(message);
        self.exit = self.exit.and(Exit::Incomplete);
        let record = StepRecord {
            step: self.records.len() as u64 + 1,
            case: message.to_owned(),
            omega: None,
            configuration: String::new(),
            probability: 0.0,
            context: Vec::new(),
            iterations: 0,
            seconds: 0.0,
            status: Status::InvalidInput,
            relative_residual: None,
            fallback: None,
            message: Some(message.to_owned()),
        };
        self.deliver(record);
    }

    fn deliver(&mut self, record: StepRecord) {
        if record.status != Status::Converged {
            self.exit = self.exit.and(Exit::Incomplete);
        }
        if self.context.json {
            self.stdout.line(&to_line(&record));
        }
        self.records.push(record);
    }

    fn finish(mut self, arms: &[Configuration]) -> Exit {
        self.progress.finish("");
        let summary = self.summary(arms);
        let names: Vec<String> = arms.iter().map(Configuration::to_string).collect();
        if self.context.json {
            self.stdout.line(&to_line(&summary));
        }
        let elapsed = self.started.elapsed();
        let view = SequenceView::new(&self.records, &summary, &self.hindsight, &names, elapsed);
        if !self.context.json {
            self.stdout.write(view.to_text().as_bytes());
        }
        if self.context.report.is_some()
            && let Err(message) = write_page(&view.page(), self.context)
        {
            error_line(&message);
            self.exit = self.exit.and(Exit::Incomplete);
        }
        if interrupt::requested() { Exit::Interrupted } else { self.exit.and(self.stdout.exit()) }
    }

    fn summary(&self, arms: &[Configuration]) -> Summary {
        let records = &self.records;
        let total_iterations: usize = records.iter().map(|r| r.iterations).sum();
        let total_seconds: f64 = records.iter().fold(0.0, |sum, r| sum + r.seconds); // an empty sum() is -0
        let has_hindsight = self.plan.hindsight && !self.hindsight.iterations.is_empty();
        let iterations: Vec<Vec<f64>> = if has_hindsight {
            self.hindsight.iterations.iter().map(|s| s.iter().map(|&k| k as f64).collect()).collect()
        } else {
            Vec::new()
        };
        let seconds: &[Vec<f64>] = if has_hindsight { &self.hindsight.seconds } else { &[] };
        let best = Hindsight::best_fixed(&iterations);
        let least = |step: &Vec<usize>| step.iter().copied().min().unwrap_or(0);
        let fastest = Hindsight::best_fixed(seconds);
        let selector = &self.plan.selector_name;
        let mut words = format!(
            "{} systems by {selector}: {total_iterations} iterations, {total_seconds:.3} s",
            records.len()
        );
        match (self.plan.cost, best, fastest) {
            (Cost::Iterations, Some((arm, total)), _) => {
                words.push_str(&format!("; the best fixed choice, {}, takes {total} iterations", arms[arm]));
            }
            (Cost::Seconds, _, Some((arm, total))) => {
                words.push_str(&format!("; the best fixed choice, {}, takes {total:.3} s", arms[arm]));
            }
            _ => {}
        }
        Summary {
            summary: words,
            steps: records.len(),
            total_iterations,
            total_seconds,
            selector: selector.clone(),
            fallbacks: records.iter().filter(|r| r.fallback.is_some()).count(),
            best_fixed_omega: best.and_then(|(arm, _)| arms[arm].omega),
            best_fixed_iterations: best.map(|(_, total)| total as usize),
            instance_optimal_iterations: has_hindsight
                .then(|| self.hindsight.iterations.iter().map(least).sum()),
            best_fixed_configuration: fastest.map(|(arm, _)| arms[arm].to_string()),
            best_fixed_seconds: fastest.map(|(_, total)| total),
        }
    }
}

/// Renames a state that cannot be used to a name that is free.
fn set_aside(path: &std::path::Path) -> Result<std::path::PathBuf, String> {
    for k in 1..10_000 {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".unusable{k}"));
        let aside = std::path::PathBuf::from(name);
        if !aside.exists() {
            return std::fs::rename(path, &aside).map(|()| aside).map_err(|e| {
                format!("{}: cannot be set aside ({e}): expected a writable folder", path.display())
            });
        }
    }
    Err(format!("{}: too many unusable states beside it", path.display()))
}
