//! `residua solve` for people: the table on the terminal and the page.

use super::{Align, Curve, Page, Plot, SolveRecord, Status, Table, or_dash, short};
use std::time::Duration;

/// Curves that share one plot.
const CURVES_PER_PLOT: usize = super::plot::PALETTE.len();

/// A batch, to be shown.
#[derive(Debug)]
pub(crate) struct SolveView<'a> {
    /// What all cases' names begin with, left out of the table.
    folder: String,
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
            ("Precond", Align::Left),
            ("Status", Align::Left),
            ("Iterations", Align::Right),
            ("Residual", Align::Right),
            ("Set-up s", Align::Right),
            ("Solve s", Align::Right),
        ]);
        let folder = common_folder(records.iter().map(|record| record.case.as_str()));
        table.rows = records.iter().map(|record| cells(record, &folder)).collect();
        Self { folder, records, planned, elapsed, table }
    }

    fn converged(&self) -> usize {
        self.records.iter().filter(|record| record.status == Status::Converged).count()
    }

    /// Advice and errors, of the records that `is_shown`.
    fn messages(&self, is_shown: fn(&SolveRecord) -> bool) -> Vec<(String, String)> {
        let message = |record: &SolveRecord| {
            let text = record.message.as_deref().or(record.warning.as_deref())?;
            let text = text.strip_prefix(&format!("{}: ", record.case)).unwrap_or(text);
            Some((record.case[self.folder.len()..].to_owned(), text.to_owned()))
        };
        self.records.iter().filter(|record| is_shown(record)).filter_map(message).collect()
    }

    /// The table, advice, and one line on the whole.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        if !self.folder.is_empty() {
            text.push_str(&format!("in {}\n", self.folder));
        }
        text.push_str(&format!("{}\n", self.table.to_text()));
        // Inputs that cannot be used were told on standard error.
        for (case, message) in self.messages(|record| record.status != Status::InvalidInput) {
            text.push_str(&format!("{case}: {message}\n"));
        }
        if self.records.len() < self.planned {
            text.push_str(&format!("not reached: {}\n", self.planned - self.records.len()));
        }
        if self.planned > 1 {
            let seconds = short(self.elapsed.as_secs_f64());
            text.push_str(&format!("{} of {} converged in {seconds} s\n", self.converged(), self.planned));
        }
        text
    }

    /// The page.
    pub(crate) fn page(&self, mut curves: Vec<Curve>, rtol: f64) -> Page<'_> {
        curves.retain(Curve::is_worth_drawing);
        for curve in &mut curves {
            curve.label = curve.label[self.folder.len()..].to_owned();
        }
        let total = |f: fn(&SolveRecord) -> Option<f64>| short(self.records.iter().filter_map(f).sum());
        Page {
            title: "residua solve",
            note: (!self.folder.is_empty()).then(|| format!("Files in {}", self.folder)),
            summary: vec![
                ("Cases", self.planned.to_string()),
                ("Converged", self.converged().to_string()),
                ("Set-up, s", total(|r| r.setup_seconds)),
                ("Solve, s", total(|r| r.solve_seconds)),
                ("Elapsed, s", short(self.elapsed.as_secs_f64())),
            ],
            table: &self.table,
            scaling: Vec::new(),
            figures: Vec::new(),
            series: Vec::new(),
            plots: curves.chunks(CURVES_PER_PLOT).map(|curves| plot(curves, rtol)).collect(),
            messages: self.messages(|_| true),
        }
    }
}

fn plot(curves: &[Curve], rtol: f64) -> Plot {
    let title = match curves {
        [one] => one.label.clone(),
        [first, .., last] => format!("{} … {}", first.label, last.label),
        [] => String::new(),
    };
    Plot { title, curves: curves.to_vec(), rtol }
}

/// The folders that all of several names begin with, the last slash included; empty for one name.
fn common_folder<'n>(mut names: impl Iterator<Item = &'n str>) -> String {
    let folder = |name: &'n str| &name[..name.rfind('/').map_or(0, |k| k + 1)];
    let Some(mut common) = names.next().map(folder) else { return String::new() };
    let mut count = 1;
    for name in names {
        count += 1;
        while !name.starts_with(common) {
            common = folder(&common[..common.len() - 1]);
        }
    }
    if count > 1 && common != "/" { common.to_owned() } else { String::new() }
}

fn cells(record: &SolveRecord, folder: &str) -> Vec<String> {
    vec![
        record.case[folder.len()..].to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_folder_is_whole_folders() {
        let common = |names: &[&str]| common_folder(names.iter().copied());
        assert_eq!(common(&["/a/bc/x.mtx", "/a/bc/y.mtx", "/a/bc/d/z.mtx"]), "/a/bc/");
        assert_eq!(common(&["/a/bc/x.mtx", "/a/bd/y.mtx"]), "/a/");
        assert_eq!(common(&["a.mtx", "/a/b.mtx"]), "");
        assert_eq!(common(&["/a.mtx", "/a/b.mtx"]), "");
        assert_eq!(common(&["-", "m/b.mtx"]), "");
        assert_eq!(common(&["m/b.mtx"]), "", "one name stays whole");
        assert_eq!(common(&[]), "");
    }
}
