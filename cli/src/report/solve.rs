//! `residua solve` for people: the table on the terminal and the page.

use super::{Align, Curve, Page, Plot, SolveRecord, Status, Table, or_dash, short};
use std::time::Duration;

/// Curves that share one plot.
const CURVES_PER_PLOT: usize = super::plot::PALETTE.len();

/// A batch, to be shown.
#[derive(Debug)]
pub(crate) struct SolveView<'a> {
    records: &'a [SolveRecord],
    planned: usize,
    elapsed: Duration,
    table: Table,
}

impl<'a> SolveView<'a> {
    /// Of `planned` cases, those in `records` were done.
    pub(crate) fn new(records: &'a [SolveRecord], planned: usize, elapsed: Duration) -> Self {
        let mut table = Table::new(&[
            ("Case", Align::Left),
            ("Rows", Align::Right),
            ("Entries", Align::Right),
            ("Method", Align::Left),
            ("Preconditioner", Align::Left),
            ("Status", Align::Left),
            ("Iterations", Align::Right),
            ("Residual", Align::Right),
            ("Set-up s", Align::Right),
            ("Solve s", Align::Right),
        ]);
        table.rows = records.iter().map(cells).collect();
        Self { records, planned, elapsed, table }
    }

    fn converged(&self) -> usize {
        self.records.iter().filter(|record| record.status == Status::Converged).count()
    }

    fn messages(&self) -> Vec<(String, String)> {
        let message = |record: &SolveRecord| Some((record.case.clone(), record.message.clone()?));
        self.records.iter().filter_map(message).collect()
    }

    /// The table, advice, and one line on the whole.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.table.to_text());
        for (case, message) in self.messages() {
            let message = message.strip_prefix(&format!("{case}: ")).unwrap_or(&message);
            text.push_str(&format!("{case}: {message}\n"));
        }
        if self.records.len() < self.planned {
            text.push_str(&format!("{} cases were not reached\n", self.planned - self.records.len()));
        }
        if self.planned > 1 {
            let seconds = short(self.elapsed.as_secs_f64());
            text.push_str(&format!("{} of {} converged in {seconds} s\n", self.converged(), self.planned));
        }
        text
    }

    /// The page.
    pub(crate) fn page(&self, curves: Vec<Curve>, rtol: f64) -> Page<'_> {
        let total = |f: fn(&SolveRecord) -> Option<f64>| short(self.records.iter().filter_map(f).sum());
        Page {
            title: "residua solve",
            summary: vec![
                ("Cases", self.planned.to_string()),
                ("Converged", self.converged().to_string()),
                ("Set-up, s", total(|r| r.setup_seconds)),
                ("Solve, s", total(|r| r.solve_seconds)),
                ("Elapsed, s", short(self.elapsed.as_secs_f64())),
            ],
            table: &self.table,
            plots: curves.chunks(CURVES_PER_PLOT).map(|curves| plot(curves, rtol)).collect(),
            messages: self.messages(),
        }
    }
}

fn plot(curves: &[Curve], rtol: f64) -> Plot {
    let title = match curves {
        [one] => one.label.clone(),
        [first, .., last] => format!("{} to {}", first.label, last.label),
        [] => String::new(),
    };
    Plot { title, curves: curves.to_vec(), rtol }
}

fn cells(record: &SolveRecord) -> Vec<String> {
    vec![
        record.case.clone(),
        or_dash(record.rows),
        or_dash(record.nnz),
        or_dash(record.method.clone()),
        or_dash(record.precond.clone()),
        record.status.to_string(),
        or_dash(record.iterations),
        or_dash(record.relative_residual.map(|r| format!("{r:.1e}"))),
        or_dash(record.setup_seconds.map(short)),
        or_dash(record.solve_seconds.map(short)),
    ]
}
