//! `residua info`: what a matrix is like.

use crate::args::InfoArgs;
use crate::cases::{self, Case, Source};
use crate::engine::{self, Either};
use crate::exit::Exit;
use crate::interrupt;
use crate::plan::Context;
use crate::report::{Align, Page, Progress, Stdout, Table, finite, or_dash, short, to_line, write_page};
use residua_data::CsrMatrix;
use residua_solvers::SolveError;
use residua_solvers::auto::AutoScalar;
use serde::Serialize;
use std::time::Instant;

/// Describes every matrix of `args`.
pub(crate) fn info(args: &InfoArgs, context: &Context) -> Exit {
    let started = Instant::now();
    let cases = cases::discover(&args.paths, None);
    let mut progress = Progress::new(cases.len());
    let mut stdout = Stdout::new();
    let mut exit = Exit::Success;
    let mut records = Vec::new();
    for case in &cases {
        if interrupt::requested() || (stdout.is_gone() && context.report.is_none()) {
            break;
        }
        progress.start(&case.label);
        progress.phase("reading");
        let record = describe(case);
        progress.finish("");
        if let Some(message) = &record.message {
            progress.error(message);
            exit = exit.and(Exit::Incomplete);
        }
        if context.json {
            stdout.line(&to_line(&record));
        } else if record.message.is_none() {
            stdout.write(record.to_text().as_bytes());
        }
        records.push(record);
    }
    let table = table(&records);
    let page = Page {
        title: "residua info",
        note: None,
        summary: vec![
            ("Matrices", cases.len().to_string()),
            ("Elapsed, s", short(started.elapsed().as_secs_f64())),
        ],
        table: &table,
        scaling: Vec::new(),
        figures: Vec::new(),
        series: Vec::new(),
        plots: Vec::new(),
        messages: records.iter().filter_map(|r| Some((r.case.clone(), r.message.clone()?))).collect(),
    };
    if let Err(message) = write_page(&page, context) {
        progress.error(&message);
        exit = exit.and(Exit::Incomplete);
    }
    if interrupt::requested() { Exit::Interrupted } else { exit.and(stdout.exit()) }
}

/// One case of `residua info`: its JSON object. Unknown values are null.
#[derive(Debug, Default, Serialize)]
struct InfoRecord {
    case: String,
    rows: Option<usize>,
    cols: Option<usize>,
    nnz: Option<usize>,
    field: Option<String>,
    /// A = Aᵀ, exactly.
    symmetric: Option<bool>,
    /// A = Aᴴ, exactly; for a real matrix the same as `symmetric`.
    hermitian: Option<bool>,
    pattern_symmetric: Option<bool>,
    /// Every diagonal entry is real and greater than zero.
    positive_diagonal: Option<bool>,
    /// |aᵢᵢ| ≥ Σ |aᵢⱼ| in every row.
    diagonally_dominant: Option<bool>,
    /// max |i − j| over stored entries.
    bandwidth: Option<usize>,
    empty_rows: Option<usize>,
    /// Listed entries that were added to another at the same place.
    duplicates: Option<usize>,
    condition_estimate: Option<f64>,
    suggested_method: Option<String>,
    suggested_precond: Option<String>,
    reason: Option<String>,
    read_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

fn describe(case: &Case) -> InfoRecord {
    let start = Instant::now();
    let mut record = InfoRecord { case: case.label.clone(), ..InfoRecord::default() };
    match engine::read_matrix(&case.source) {
        Ok(file) => {
            record.read_seconds = Some(start.elapsed().as_secs_f64());
            record.field = Some(file.field.to_string());
            record.duplicates = Some(file.duplicates);
            let advised = match &file.matrix {
                Either::Real(a) => record.measure(a),
                Either::Complex(a) => record.measure(a),
            };
            if let Err(error) = advised {
                record.status = Some("invalid_input");
                record.message = Some(format!("{}:1: {error}", case.label));
            }
        }
        Err(error) => {
            let is_path_missing = matches!(case.source, Source::Unusable(_));
            record.status = Some("invalid_input");
            record.message = Some(if is_path_missing { format!("{}: {error}", case.label) } else { error });
        }
    }
    record
}

impl InfoRecord {
    fn measure<T: AutoScalar>(&mut self, a: &CsrMatrix<T>) -> Result<(), SolveError> {
        self.rows = Some(a.nrows());
        self.cols = Some(a.ncols());
        self.nnz = Some(a.nnz());
        self.symmetric = Some(a.is_symmetric());
        self.hermitian = Some(a.is_hermitian());
        self.pattern_symmetric = Some(a.is_pattern_symmetric());
        self.positive_diagonal = Some(a.has_positive_diagonal());
        self.diagonally_dominant = Some(a.is_diagonally_dominant());
        self.bandwidth = Some(a.bandwidth().max());
        self.empty_rows = Some(a.empty_rows());
        let advice = engine::advise(a)?;
        self.condition_estimate = advice.condition_estimate.and_then(finite);
        self.suggested_method = Some(advice.method.to_string());
        self.suggested_precond = Some(advice.precond.to_string());
        self.reason = Some(advice.reason);
        Ok(())
    }

    /// The facts, one a line.
    fn to_text(&self) -> String {
        let yes = |b: Option<bool>| or_dash(b.map(|b| if b { "yes" } else { "no" }));
        let shape = format!("{} x {}", or_dash(self.rows), or_dash(self.cols));
        let per_row = self.nnz.zip(self.rows).filter(|(_, m)| *m > 0);
        let per_row =
            per_row.map_or(String::new(), |(nnz, m)| format!(" ({:.1} a row)", nnz as f64 / m as f64));
        let facts = [
            ("size", shape),
            ("entries", format!("{}{per_row}", or_dash(self.nnz))),
            ("field", or_dash(self.field.clone())),
            ("symmetric", yes(self.symmetric)),
            ("Hermitian", yes(self.hermitian)),
            ("pattern symmetric", yes(self.pattern_symmetric)),
            ("positive diagonal", yes(self.positive_diagonal)),
            ("diagonally dominant", yes(self.diagonally_dominant)),
            ("bandwidth", or_dash(self.bandwidth)),
            ("empty rows", or_dash(self.empty_rows)),
            ("duplicates", or_dash(self.duplicates)),
            ("condition, estimated", or_dash(self.condition_estimate.map(short))),
            ("suggestion", self.suggestion()),
            ("because", or_dash(self.reason.clone())),
        ];
        // For a real matrix the two are the same.
        let is_complex = self.field.as_deref() == Some("complex");
        let shown = facts.iter().filter(|(name, _)| is_complex || *name != "Hermitian");
        let lines = shown.map(|(name, value)| format!("  {name:<20}  {value}\n"));
        format!("{}\n{}\n", self.case, lines.collect::<String>())
    }

    fn suggestion(&self) -> String {
        let method = or_dash(self.suggested_method.clone());
        match self.suggested_precond.as_deref() {
            None | Some("none" | "auto") => format!("--method {method}"),
            Some(precond) => format!("--method {method} --precond {precond}"),
        }
    }
}

fn table(records: &[InfoRecord]) -> Table {
    let mut table = Table::new(&[
        ("Case", Align::Left),
        ("Rows", Align::Right),
        ("Columns", Align::Right),
        ("Entries", Align::Right),
        ("Field", Align::Left),
        ("Symmetric", Align::Left),
        ("Dominant", Align::Left),
        ("Bandwidth", Align::Right),
        ("Condition", Align::Right),
        ("Suggestion", Align::Left),
    ]);
    let row = |r: &InfoRecord| {
        vec![
            r.case.clone(),
            or_dash(r.rows),
            or_dash(r.cols),
            or_dash(r.nnz),
            or_dash(r.field.clone()),
            or_dash(r.symmetric),
            or_dash(r.diagonally_dominant),
            or_dash(r.bandwidth),
            or_dash(r.condition_estimate.map(short)),
            r.suggestion(),
        ]
    };
    table.rows = records.iter().map(row).collect();
    table
}
