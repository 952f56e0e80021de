//! `residua minimize`: its JSON objects, its table, its page, its iteration log.

use super::{Align, Curve, Page, Plot, Table, or_dash, short};
use residua_data::nlp::problems::Listed;
use residua_solvers::constrained::IterationRecord;
use serde::Serialize;
use std::time::Duration;

/// One problem's result, field by field; what is not known or not finite is null.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MinimizeRecord {
    pub(crate) problem: String,
    pub(crate) variables: Option<usize>,
    pub(crate) constraints: Option<usize>,
    pub(crate) status: String,
    /// With the sign of the model: of a maximised objective, itself.
    pub(crate) objective: Option<f64>,
    pub(crate) kkt_residual: Option<f64>,
    pub(crate) constraint_violation: Option<f64>,
    pub(crate) iterations: Option<usize>,
    pub(crate) objective_evaluations: Option<usize>,
    pub(crate) inner_iterations: Option<usize>,
    pub(crate) inner_flops: Option<f64>,
    pub(crate) seconds: Option<f64>,
    pub(crate) method: String,
    /// What solved the KKT systems, and why.
    pub(crate) kkt_solver: Option<String>,
    pub(crate) known_optimum: Option<f64>,
    /// Where the answer was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) solution: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<String>,
    /// Advice where it did not converge, the error where the input cannot be used, else null.
    pub(crate) message: Option<String>,
}

impl MinimizeRecord {
    /// Nothing is known yet.
    pub(crate) fn new(problem: String, method: &str) -> Self {
        Self {
            problem,
            variables: None,
            constraints: None,
            status: "invalid_input".to_owned(),
            objective: None,
            kkt_residual: None,
            constraint_violation: None,
            iterations: None,
            objective_evaluations: None,
            inner_iterations: None,
            inner_flops: None,
            seconds: None,
            method: method.to_owned(),
            kkt_solver: None,
            known_optimum: None,
            solution: None,
            warnings: Vec::new(),
            message: None,
        }
    }

    pub(crate) fn has_converged(&self) -> bool {
        self.status == "converged"
    }
}

/// The log's head.
pub(crate) const LOG_HEAD: &str = "  iter      objective  violation        KKT     step       eta1       eta2         mu    shift  inner  phase";

/// The log's line of an iteration.
pub(crate) fn log_line(r: &IterationRecord) -> String {
    format!(
        "{:6} {:14.7e} {:10.2e} {:10.2e} {:8.1e} {:10.2e} {:10.2e} {:10.2e} {:8.1e} {:6}  {}",
        r.iteration,
        r.objective,
        r.constraint_violation,
        r.kkt_residual,
        r.step,
        r.eta1,
        r.eta2,
        r.mu,
        r.hessian_shift,
        r.inner_iterations,
        r.phase
    )
}

/// The built-in problems.
#[derive(Debug, Serialize)]
pub(crate) struct ListedRecord<'a> {
    problem: &'a str,
    variables: usize,
    constraints: usize,
    equality_only: bool,
    known_optimum: Option<f64>,
}

impl<'a> From<&'a Listed> for ListedRecord<'a> {
    fn from(listed: &'a Listed) -> Self {
        Self {
            problem: &listed.name,
            variables: listed.variables,
            constraints: listed.constraints,
            equality_only: listed.is_equality_only,
            known_optimum: listed.known_optimum,
        }
    }
}

/// The table of `--list`.
pub(crate) fn list_table(list: &[Listed]) -> Table {
    let mut table = Table::new(&[
        ("Problem", Align::Left),
        ("Variables", Align::Right),
        ("Constraints", Align::Right),
        ("Kind", Align::Left),
        ("Known optimum", Align::Right),
    ]);
    for p in list {
        let kind = if p.is_equality_only { "equalities" } else { "bounds or inequalities" };
        table.rows.push(vec![
            p.name.clone(),
            p.variables.to_string(),
            p.constraints.to_string(),
            kind.to_owned(),
            or_dash(p.known_optimum.map(|f| format!("{f:.9}"))),
        ]);
    }
    table
}

/// A finished run, to be shown.
pub(crate) struct MinimizeView<'a> {
    records: &'a [MinimizeRecord],
    elapsed: Duration,
    table: Table,
}

impl<'a> MinimizeView<'a> {
    pub(crate) fn new(records: &'a [MinimizeRecord], elapsed: Duration) -> Self {
        let mut table = Table::new(&[
            ("Problem", Align::Left),
            ("Variables", Align::Right),
            ("Constraints", Align::Right),
            ("Status", Align::Left),
            ("Objective", Align::Right),
            ("KKT residual", Align::Right),
            ("Violation", Align::Right),
            ("Iterations", Align::Right),
            ("Inner", Align::Right),
            ("Seconds", Align::Right),
        ]);
        for r in records {
            table.rows.push(vec![
                r.problem.clone(),
                or_dash(r.variables),
                or_dash(r.constraints),
                r.status.clone(),
                or_dash(r.objective.map(|f| format!("{f:.8e}"))),
                or_dash(r.kkt_residual.map(|v| format!("{v:.1e}"))),
                or_dash(r.constraint_violation.map(|v| format!("{v:.1e}"))),
                or_dash(r.iterations),
                or_dash(r.inner_iterations),
                or_dash(r.seconds.map(short)),
            ]);
        }
        Self { records, elapsed, table }
    }

    fn messages(&self) -> impl Iterator<Item = (String, String)> {
        // What is wrong with an input names its file itself.
        let is_told = |r: &MinimizeRecord| !r.has_converged() && r.status != "invalid_input";
        let advice = move |r: &MinimizeRecord| r.message.clone().filter(|_| is_told(r));
        let texts = self.records.iter().flat_map(move |r| {
            let all = advice(r).into_iter().chain(r.warnings.iter().cloned());
            all.map(|text| (r.problem.clone(), text)).collect::<Vec<_>>()
        });
        texts.collect::<Vec<_>>().into_iter()
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.table.to_text());
        self.messages().for_each(|(problem, message)| text.push_str(&format!("{problem}: {message}\n")));
        text
    }

    /// The page; `curves` has the KKT residual and the violation of each problem.
    pub(crate) fn page(&self, curves: Vec<(String, Vec<Curve>)>, tol: f64) -> Page<'_> {
        let converged = self.records.iter().filter(|r| r.has_converged()).count();
        Page {
            figures: Vec::new(),
            title: "residua minimize",
            note: None,
            summary: vec![
                ("Problems", self.records.len().to_string()),
                ("Converged", converged.to_string()),
                ("Elapsed, s", short(self.elapsed.as_secs_f64())),
            ],
            table: &self.table,
            scaling: Vec::new(),
            series: Vec::new(),
            plots: curves.into_iter().filter_map(|(title, curves)| plot(title, curves, tol)).collect(),
            messages: self.messages().take(100).collect(),
        }
    }
}

/// None for a problem that was solved at once.
fn plot(title: String, curves: Vec<Curve>, tol: f64) -> Option<Plot> {
    curves.iter().any(Curve::is_worth_drawing).then_some(Plot { title, curves, rtol: tol })
}
