//! `residua poisson`: its JSON object, its table, its page.

use super::{Align, Curve, Page, Plot, ScalingPlot, SolveRecord, Status, Table, or_dash, short};
use serde::Serialize;
use std::time::Duration;

/// One solve of the suite: the fields of [`SolveRecord`], and these. `read_seconds` is the assembly.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PoissonRecord {
    pub(crate) problem: String,
    pub(crate) dim: usize,
    /// Unknowns per side.
    pub(crate) n: usize,
    pub(crate) unknowns: usize,
    /// METHOD or METHOD+PRECOND, as asked for.
    pub(crate) solver: String,
    /// Set-up and solve, the median of the repetitions.
    pub(crate) seconds: Option<f64>,
    /// `unknowns` over `seconds`.
    pub(crate) unknowns_per_second: Option<f64>,
    /// `seconds` over the time of one y = Ax with this matrix.
    pub(crate) spmv_equivalents: Option<f64>,
    /// Of that product: its least traffic over its time.
    pub(crate) bandwidth_gbs: f64,
    /// Of the triad, measured in the same run.
    pub(crate) stream_gbs: f64,
    /// One y = Ax.
    pub(crate) spmv_seconds: f64,
    pub(crate) repeat: usize,
    #[serde(flatten)]
    pub(crate) solve: SolveRecord,
}

/// A run of the suite, to be shown.
#[derive(Debug)]
pub(crate) struct PoissonView<'a> {
    records: &'a [PoissonRecord],
    stream_gbs: f64,
    elapsed: Duration,
    table: Table,
}

impl<'a> PoissonView<'a> {
    pub(crate) fn new(records: &'a [PoissonRecord], stream_gbs: f64, elapsed: Duration) -> Self {
        let mut table = Table::new(&[
            ("Problem", Align::Left),
            ("Unknowns", Align::Right),
            ("Solver", Align::Left),
            ("Status", Align::Left),
            ("Iterations", Align::Right),
            ("Residual", Align::Right),
            ("Seconds", Align::Right),
            ("Unknowns/s", Align::Right),
            ("Products", Align::Right),
            ("GB/s", Align::Right),
        ]);
        table.rows = records.iter().map(|record| cells(record, is_fastest(record, records))).collect();
        Self { records, stream_gbs, elapsed, table }
    }

    fn messages(&self) -> Vec<(String, String)> {
        let message = |r: &PoissonRecord| {
            let name = format!("{} {}", r.solve.case, r.solver);
            let text = r.solve.message.as_deref()?;
            let text = text.strip_prefix(&format!("{name}: ")).unwrap_or(text).to_owned();
            Some((name, text))
        };
        self.records.iter().filter_map(message).collect()
    }

    /// The table, advice, and how to read it.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.table.to_text());
        for (name, message) in self.messages() {
            text.push_str(&format!("{name}: {message}\n"));
        }
        let stream = short(self.stream_gbs);
        text.push_str(&format!(
            "* the fastest of its problem. Products: set-up and solve, in times of one y = Ax. GB/s: of that \
product; the triad reaches {stream}.\n"
        ));
        text
    }

    /// The page; a plot for each problem, of as many curves as there are colours.
    pub(crate) fn page(&self, curves: &[(String, Curve)], rtol: f64) -> Page<'_> {
        let converged = self.records.iter().filter(|r| r.solve.status == Status::Converged).count();
        let curves: Vec<&(String, Curve)> =
            curves.iter().filter(|(_, curve)| curve.is_worth_drawing()).collect();
        let same_problem = curves.chunk_by(|p, q| p.0 == q.0);
        let plots =
            same_problem.flat_map(|group| group.chunks(super::plot::PALETTE.len())).map(|group| Plot {
                title: group[0].0.clone(),
                curves: group.iter().map(|named| named.1.clone()).collect(),
                rtol,
            });
        Page {
            title: "residua poisson",
            note: Some(
                "* the fastest of its problem. Products: set-up and solve, in times of one y = Ax. GB/s: of \
that product."
                    .to_owned(),
            ),
            summary: vec![
                ("Solves", self.records.len().to_string()),
                ("Converged", converged.to_string()),
                ("Triad, GB/s", short(self.stream_gbs)),
                ("Elapsed, s", short(self.elapsed.as_secs_f64())),
            ],
            table: &self.table,
            scaling: ScalingPlot::of(self.records),
            figures: Vec::new(),
            series: Vec::new(),
            plots: plots.collect(),
            messages: self.messages(),
        }
    }
}

/// Whether `record` is the fastest of several answers to its problem.
fn is_fastest(record: &PoissonRecord, records: &[PoissonRecord]) -> bool {
    let answers = || {
        let same = |r: &&PoissonRecord| r.solve.case == record.solve.case;
        records.iter().filter(same).filter(|r| r.solve.status == Status::Converged)
    };
    let best = answers().filter_map(|r| r.seconds).fold(f64::INFINITY, f64::min);
    record.solve.status == Status::Converged && answers().count() > 1 && record.seconds == Some(best)
}

fn cells(record: &PoissonRecord, is_fastest: bool) -> Vec<String> {
    vec![
        record.solve.case.clone(),
        record.unknowns.to_string(),
        if is_fastest { format!("{} *", record.solver) } else { record.solver.clone() },
        record.solve.status.to_string(),
        or_dash(record.solve.iterations),
        or_dash(record.solve.relative_residual.map(|r| format!("{r:.1e}"))),
        or_dash(record.seconds.map(short)),
        or_dash(record.unknowns_per_second.map(|s| format!("{s:.1e}"))),
        or_dash(record.spmv_equivalents.map(|s| format!("{s:.0}"))),
        format!("{:.1}", record.bandwidth_gbs),
    ]
}
