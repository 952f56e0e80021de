//! `residua transport`: its JSON object, its table, its page.

use super::{Align, Figure, Page, SeriesPlot, Status, Table, finite, or_dash, short};
use residua_solvers::transport::{Ground, TransportOutcome, TransportProblem, TransportProgress};
use serde::Serialize;
use std::time::Duration;

/// The result: its JSON object, field by field and in this order. What is not known or not finite is null.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TransportRecord {
    pub(crate) case: String,
    pub(crate) rows: Option<usize>,
    pub(crate) cols: Option<usize>,
    /// l1, l2 or sqeuclidean; none for a cost from a file.
    pub(crate) ground: Option<String>,
    /// Σ a.
    pub(crate) mass: Option<f64>,
    pub(crate) max_cost: Option<f64>,
    /// The absolute one, as used.
    pub(crate) epsilon: Option<f64>,
    pub(crate) method: Option<String>,
    pub(crate) threads: usize,
    pub(crate) status: Status,
    /// ⟨C, P⟩.
    pub(crate) transport_cost: Option<f64>,
    /// ⟨C, P⟩ + ε Σ P (log P − 1).
    pub(crate) regularised_cost: Option<f64>,
    /// Σ a f + Σ b g − ε Σ P.
    pub(crate) dual_objective: Option<f64>,
    /// ‖P1 − a‖₁ + ‖Pᵀ1 − b‖₁, from the returned potentials.
    pub(crate) marginal_error: Option<f64>,
    /// Passes over all pairs.
    pub(crate) sinkhorn_iterations: Option<usize>,
    pub(crate) newton_iterations: Option<usize>,
    /// Entries of the last Hessian over those of the plan.
    pub(crate) hessian_density: Option<f64>,
    pub(crate) cg_iterations: Option<usize>,
    pub(crate) factorizations: Option<usize>,
    /// At most the least transport cost without regularisation.
    pub(crate) lp_bound: Option<f64>,
    /// ⟨C, P⟩ of the plan rounded to exact marginals, at least that least cost.
    pub(crate) rounded_cost: Option<f64>,
    /// Entries of the plan as written or rounded.
    pub(crate) plan_nnz: Option<usize>,
    /// Σ of the entries left out by the threshold.
    pub(crate) plan_dropped_mass: Option<f64>,
    pub(crate) read_seconds: Option<f64>,
    /// The solve.
    pub(crate) seconds: Option<f64>,
    pub(crate) peak_memory_bytes: Option<u64>,
    /// Advice where it did not converge, the error where the input cannot be used, else null.
    pub(crate) message: Option<String>,
}

impl TransportRecord {
    /// A record of which nothing is known yet.
    pub(crate) fn new(case: &str, threads: usize) -> Self {
        Self {
            case: case.to_owned(),
            rows: None,
            cols: None,
            ground: None,
            mass: None,
            max_cost: None,
            epsilon: None,
            method: None,
            threads,
            status: Status::InvalidInput,
            transport_cost: None,
            regularised_cost: None,
            dual_objective: None,
            marginal_error: None,
            sinkhorn_iterations: None,
            newton_iterations: None,
            hessian_density: None,
            cg_iterations: None,
            factorizations: None,
            lp_bound: None,
            rounded_cost: None,
            plan_nnz: None,
            plan_dropped_mass: None,
            read_seconds: None,
            seconds: None,
            peak_memory_bytes: None,
            message: None,
        }
    }

    /// What is known before the solve.
    pub(crate) fn describe(&mut self, problem: &TransportProblem, ground: Option<Ground>) {
        self.rows = Some(problem.cost().rows());
        self.cols = Some(problem.cost().cols());
        self.ground = ground.map(|g| g.to_string());
        self.mass = finite(problem.mass());
        self.max_cost = finite(problem.cost().max());
    }

    /// What is known after it.
    pub(crate) fn conclude(&mut self, outcome: &TransportOutcome, tol: f64) {
        self.status = outcome.status.into();
        if outcome.converged() && outcome.marginal_error > tol {
            // Costs and weights whose rounding errors exceed the tolerance.
            self.status = Status::Stagnated;
        }
        self.epsilon = finite(outcome.epsilon);
        let figure = |value: f64| if self.status == Status::Infeasible { None } else { finite(value) };
        self.transport_cost = figure(outcome.transport_cost);
        self.regularised_cost = figure(outcome.regularised_cost);
        self.dual_objective = figure(outcome.dual_objective);
        self.marginal_error = figure(outcome.marginal_error);
        self.sinkhorn_iterations = Some(outcome.sinkhorn_iterations);
        self.newton_iterations = Some(outcome.newton_iterations);
        self.hessian_density = finite(outcome.hessian_density);
        self.cg_iterations = Some(outcome.cg_iterations);
        self.factorizations = Some(outcome.factorizations);
        self.seconds = finite(outcome.elapsed.as_secs_f64());
        self.message = (self.status != Status::Converged).then(|| outcome.status.advice().to_owned());
    }
}

/// A finished run, to be shown.
pub(crate) struct TransportView<'a> {
    record: &'a TransportRecord,
    history: &'a [TransportProgress],
    tol: f64,
    elapsed: Duration,
    table: Table,
}

impl<'a> TransportView<'a> {
    pub(crate) fn new(
        record: &'a TransportRecord,
        history: &'a [TransportProgress],
        tol: f64,
        elapsed: Duration,
    ) -> Self {
        let mut table = Table::new(&[
            ("Problem", Align::Left),
            ("Size", Align::Right),
            ("Epsilon", Align::Right),
            ("Method", Align::Left),
            ("Status", Align::Left),
            ("Sweeps", Align::Right),
            ("Newton", Align::Right),
            ("Marginal error", Align::Right),
            ("Transport cost", Align::Right),
            ("Seconds", Align::Right),
        ]);
        let size = record.rows.zip(record.cols).map(|(n, m)| format!("{n} x {m}"));
        table.rows.push(vec![
            record.case.clone(),
            or_dash(size),
            or_dash(record.epsilon.map(short)),
            or_dash(record.method.as_ref()),
            record.status.to_string(),
            or_dash(record.sinkhorn_iterations),
            or_dash(record.newton_iterations),
            or_dash(record.marginal_error.map(|e| format!("{e:.1e}"))),
            or_dash(record.transport_cost.map(|c| format!("{c:.10e}"))),
            or_dash(record.seconds.map(short)),
        ]);
        Self { record, history, tol, elapsed, table }
    }

    /// The costs, name and value.
    fn costs(&self) -> Vec<(&'static str, String)> {
        let r = self.record;
        let costs = [
            ("Transport cost", r.transport_cost),
            ("Regularised cost", r.regularised_cost),
            ("Dual objective", r.dual_objective),
            ("Bound without regularisation", r.lp_bound),
            ("Cost of the rounded plan", r.rounded_cost),
        ];
        costs.iter().filter_map(|(name, value)| Some((*name, format!("{:.12e}", (*value)?)))).collect()
    }

    /// The table, the costs, advice.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.table.to_text());
        for (name, value) in self.costs() {
            text.push_str(&format!("{name:<29} {value}\n"));
        }
        if let Some(message) = &self.record.message {
            text.push_str(&format!("{}: {message}\n", self.record.status));
        }
        text
    }

    pub(crate) fn page(&self, figures: Vec<Figure>) -> Page<'_> {
        let decades = |f: &dyn Fn(&TransportProgress) -> f64| {
            self.history.iter().map(|p| f(p).log10()).collect::<Vec<f64>>()
        };
        let lines = vec![
            ("marginal error at the stage's epsilon".to_owned(), decades(&|p| p.marginal_error)),
            ("epsilon".to_owned(), decades(&|p| p.epsilon)),
            ("tolerance".to_owned(), decades(&|_| self.tol)),
        ];
        let mut summary = self.costs();
        summary.push(("Elapsed, s", short(self.elapsed.as_secs_f64())));
        Page {
            title: "residua transport",
            note: None,
            summary,
            table: &self.table,
            scaling: Vec::new(),
            figures,
            series: vec![SeriesPlot {
                title: "Convergence, by sweeps".to_owned(),
                what: "decades (log10)",
                lines,
                is_joined: true,
            }],
            plots: Vec::new(),
            messages: self.record.message.iter().map(|m| (self.record.case.clone(), m.clone())).collect(),
        }
    }
}
