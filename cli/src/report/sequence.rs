//! `residua sequence`: its JSON objects, its summary, its page.

use super::{Align, Page, SeriesPlot, Status, Table, or_dash, short};
use serde::Serialize;
use std::time::Duration;

/// One system of the sequence.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StepRecord {
    /// From 1.
    pub(crate) step: u64,
    /// A file's path, or the step of a simulation.
    pub(crate) case: String,
    /// ω where the arms differ in nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) omega: Option<f64>,
    pub(crate) configuration: String,
    /// With which the configuration was drawn.
    pub(crate) probability: f64,
    /// What the choice could look at.
    pub(crate) context: Vec<f64>,
    pub(crate) iterations: usize,
    /// Set-up and solve.
    pub(crate) seconds: f64,
    pub(crate) status: Status,
    /// ‖b − Ax‖₂/‖b‖₂, recomputed.
    pub(crate) relative_residual: Option<f64>,
    /// Why `auto` had to solve the system, if it had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fallback: Option<String>,
    /// What is wrong with an input that cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

/// The last line.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Summary {
    /// In words.
    pub(crate) summary: String,
    pub(crate) steps: usize,
    pub(crate) total_iterations: usize,
    pub(crate) total_seconds: f64,
    pub(crate) selector: String,
    /// Systems that `auto` had to solve.
    pub(crate) fallbacks: usize,
    /// Null without `--hindsight`, as are the two that follow.
    pub(crate) best_fixed_omega: Option<f64>,
    pub(crate) best_fixed_iterations: Option<usize>,
    pub(crate) instance_optimal_iterations: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) best_fixed_configuration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) best_fixed_seconds: Option<f64>,
}

/// What every configuration would have taken, step by step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hindsight {
    /// Iterations of each configuration in each step.
    pub(crate) iterations: Vec<Vec<usize>>,
    /// Seconds likewise.
    pub(crate) seconds: Vec<Vec<f64>>,
}

impl Hindsight {
    /// The configuration of the least total, and that total; `costs` by step.
    pub(crate) fn best_fixed<T: Copy + Into<f64>>(costs: &[Vec<T>]) -> Option<(usize, f64)> {
        let arms = costs.first()?.len();
        let total = |arm: usize| costs.iter().map(|step| step[arm].into()).sum::<f64>();
        (0..arms).map(|arm| (arm, total(arm))).min_by(|p, q| p.1.total_cmp(&q.1))
    }
}

/// A finished run, to be shown.
pub(crate) struct SequenceView<'a> {
    pub(crate) records: &'a [StepRecord],
    pub(crate) summary: &'a Summary,
    pub(crate) hindsight: &'a Hindsight,
    pub(crate) configurations: &'a [String],
    pub(crate) elapsed: Duration,
    pub(crate) table: Table,
}

impl<'a> SequenceView<'a> {
    pub(crate) fn new(
        records: &'a [StepRecord],
        summary: &'a Summary,
        hindsight: &'a Hindsight,
        configurations: &'a [String],
        elapsed: Duration,
    ) -> Self {
        let mut table = Table::new(&[
            ("Configuration", Align::Left),
            ("Systems", Align::Right),
            ("Iterations", Align::Right),
            ("Seconds", Align::Right),
            ("In hindsight, iterations", Align::Right),
            ("In hindsight, seconds", Align::Right),
        ]);
        for (arm, name) in configurations.iter().enumerate() {
            let own = || records.iter().filter(|r| r.configuration == *name);
            let all = !hindsight.iterations.is_empty();
            let iterations: usize = hindsight.iterations.iter().map(|step| step[arm]).sum();
            let seconds: f64 = hindsight.seconds.iter().map(|step| step[arm]).sum();
            table.rows.push(vec![
                name.clone(),
                own().count().to_string(),
                own().map(|r| r.iterations).sum::<usize>().to_string(),
                short(own().map(|r| r.seconds).sum()),
                or_dash(all.then_some(iterations)),
                or_dash(all.then(|| short(seconds))),
            ]);
        }
        Self { records, summary, hindsight, configurations, elapsed, table }
    }

    /// The table of configurations, and the summary.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.table.to_text(), self.summary.summary);
        for record in self.records.iter().filter(|r| r.status != Status::Converged) {
            text.push_str(&format!("{}: {}\n", record.case, record.status));
        }
        text
    }

    pub(crate) fn page(&self) -> Page<'_> {
        let converged = self.records.iter().filter(|r| r.status == Status::Converged).count();
        let messages = self.records.iter().filter_map(|r| Some((r.case.clone(), r.fallback.clone()?)));
        Page {
            title: "residua sequence",
            note: Some(self.summary.summary.clone()),
            summary: vec![
                ("Systems", self.records.len().to_string()),
                ("Converged", converged.to_string()),
                ("Iterations", self.summary.total_iterations.to_string()),
                ("Solving, s", short(self.summary.total_seconds)),
                ("Elapsed, s", short(self.elapsed.as_secs_f64())),
            ],
            table: &self.table,
            scaling: Vec::new(),
            figures: Vec::new(),
            series: self.series(),
            plots: Vec::new(),
            messages: messages.take(50).collect(),
        }
    }

    /// Cumulated cost beside the best fixed and the instance-optimal choice, and the choice over time.
    fn series(&self) -> Vec<SeriesPlot> {
        let cumulated = |costs: &mut dyn Iterator<Item = f64>| {
            costs
                .scan(0.0, |sum, cost| {
                    *sum += cost;
                    Some(*sum)
                })
                .collect::<Vec<f64>>()
        };
        let mut lines = vec![(
            self.summary.selector.clone(),
            cumulated(&mut self.records.iter().map(|r| r.iterations as f64)),
        )];
        let table = &self.hindsight.iterations;
        let as_f64: Vec<Vec<f64>> = table.iter().map(|s| s.iter().map(|&k| k as f64).collect()).collect();
        if let Some((best, _)) = Hindsight::best_fixed(&as_f64) {
            let name = format!("best fixed: {}", self.configurations[best]);
            lines.push((name, cumulated(&mut as_f64.iter().map(|step| step[best]))));
            let least = |step: &Vec<f64>| step.iter().copied().fold(f64::INFINITY, f64::min);
            lines.push(("instance-optimal".to_owned(), cumulated(&mut as_f64.iter().map(least))));
        }
        let seconds = vec![("seconds".to_owned(), cumulated(&mut self.records.iter().map(|r| r.seconds)))];
        let choice: Vec<f64> =
            self.records.iter().map(|r| r.omega.unwrap_or_else(|| self.arm_of(r) as f64)).collect();
        let is_omega = self.records.iter().any(|r| r.omega.is_some());
        vec![
            SeriesPlot {
                title: "Iterations, cumulated".to_owned(),
                what: "iterations",
                lines,
                is_joined: true,
            },
            SeriesPlot {
                title: "Seconds, cumulated".to_owned(),
                what: "seconds",
                lines: seconds,
                is_joined: true,
            },
            SeriesPlot {
                title: "What was chosen".to_owned(),
                what: if is_omega { "omega" } else { "configuration, numbered as in the table" },
                lines: vec![("chosen".to_owned(), choice)],
                is_joined: false,
            },
        ]
    }

    fn arm_of(&self, record: &StepRecord) -> usize {
        self.configurations.iter().position(|name| *name == record.configuration).map_or(0, |arm| arm + 1)
    }
}
