//! Saying what came of it: JSON Lines, a table, a page; errors and progress on standard error.

pub(crate) mod figures;
mod html;
mod json;
mod minimize;
mod plot;
mod poisson;
mod progress;
mod record;
mod scaling;
mod sequence;
mod series;
mod solve;
mod table;
mod transport;

pub(crate) use figures::Figure;
pub(crate) use html::{Page, write_page};
pub(crate) use json::{Stdout, to_line};
pub(crate) use minimize::{LOG_HEAD, ListedRecord, MinimizeRecord, MinimizeView, list_table, log_line};
pub(crate) use plot::{Curve, Plot};
pub(crate) use poisson::{PoissonRecord, PoissonView};
pub(crate) use progress::Progress;
pub(crate) use record::{ColumnRecord, SolveRecord, Status, finite};
pub(crate) use scaling::ScalingPlot;
pub(crate) use sequence::{Hindsight, SequenceView, StepRecord, Summary};
pub(crate) use series::SeriesPlot;
pub(crate) use solve::SolveView;
pub(crate) use table::{Align, Table};
pub(crate) use transport::{TransportRecord, TransportView};

use std::io::Write;

/// Writes one line, `error: …`, to standard error; a closed standard error is nobody's business.
pub(crate) fn error_line(message: &str) {
    let message = message.replace(['\n', '\r'], " ");
    let _ = writeln!(std::io::stderr(), "error: {message}");
}

/// `value` for people: 3 significant digits, a power of ten where that is shorter.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if (0.01..10_000.0).contains(&size) => format!("{value:.3}"),
        _ => format!("{value:.2e}"),
    }
}

/// `value`, or a dash where there is none.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| v.to_string())
}
