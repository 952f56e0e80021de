//! The page of `--report`: one file that needs no network and prints what it takes to repeat the run.

use super::{Align, Figure, Plot, ScalingPlot, SeriesPlot, Table};
use crate::cases::plain;
use crate::plan::Context;
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Plots a page shows at most; a browser struggles with more.
const MAX_PLOTS: usize = 60;

/// What the page shows.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    /// What to know before reading the table.
    pub(crate) note: Option<String>,
    /// Facts on the run, name and value.
    pub(crate) summary: Vec<(&'static str, String)>,
    pub(crate) table: &'a Table,
    /// Costs against sizes, where there are several sizes.
    pub(crate) scaling: Vec<ScalingPlot>,
    /// Pictures of the result.
    pub(crate) figures: Vec<Figure>,
    /// Quantities over the steps of a sequence.
    pub(crate) series: Vec<SeriesPlot>,
    pub(crate) plots: Vec<Plot>,
    /// Advice and errors, case and text.
    pub(crate) messages: Vec<(String, String)>,
}

/// Writes `page` where `--report` says, as a whole or not at all; the error is one line.
pub(crate) fn write_page(page: &Page<'_>, context: &Context) -> Result<(), String> {
    let Some(path) = &context.report else { return Ok(()) };
    residua_data::whole_file::write_bytes(path, page.to_html(context).as_bytes()).map_err(|e| {
        format!("{}: cannot be written ({}): expected room for the report", path.display(), plain(&e))
    })
}

/// `text` as HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Page<'_> {
    fn to_html(&self, context: &Context) -> String {
        let mut html = String::new();
        let title = escape(self.title);
        // Writing to a string does not fail.
        let _ = write!(
            html,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        );
        push_facts(&mut html, "summary", &self.summary);
        html.push_str("<h2>Results</h2>\n");
        if let Some(note) = &self.note {
            let _ = writeln!(html, "<p>{}</p>", escape(note));
        }
        push_table(&mut html, self.table);
        if !self.messages.is_empty() {
            html.push_str("<h2>Messages</h2>\n<ul class=\"messages\">\n");
            for (case, message) in &self.messages {
                let _ = writeln!(html, "<li><b>{}</b> {}</li>", escape(case), escape(message));
            }
            html.push_str("</ul>\n");
        }
        push_scaling(&mut html, &self.scaling);
        for figure in &self.figures {
            push_figure(&mut html, &figure.title, &figure.svg, &escape(&figure.caption));
        }
        push_series(&mut html, &self.series);
        push_plots(&mut html, &self.plots);
        html.push_str("<h2>How to repeat this run</h2>\n");
        let _ = writeln!(html, "<pre>{}</pre>", escape(&command_line()));
        push_facts(&mut html, "machine", &surroundings(context));
        let _ = write!(html, "</main>\n<script>{SORT}</script>\n</body>\n</html>\n");
        html
    }
}

fn push_facts(html: &mut String, class: &str, facts: &[(&'static str, String)]) {
    let _ = write!(html, "<dl class=\"{class}\">");
    for (name, value) in facts {
        let _ = write!(html, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(value));
    }
    html.push_str("</dl>\n");
}

fn push_table(html: &mut String, table: &Table) {
    html.push_str("<div class=\"scroll\"><table>\n<thead><tr>");
    let class = |align: Align| if align == Align::Right { " class=\"number\"" } else { "" };
    for (title, align) in &table.columns {
        let _ = write!(html, "<th{} tabindex=\"0\">{}</th>", class(*align), escape(title));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        html.push_str("<tr>");
        for (cell, (title, align)) in row.iter().zip(&table.columns) {
            let is_status = *title == "Status";
            let status = if is_status { format!(" data-status=\"{}\"", escape(cell)) } else { String::new() };
            let _ = write!(html, "<td{}{status}>{}</td>", class(*align), escape(cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
}

fn push_scaling(html: &mut String, plots: &[ScalingPlot]) {
    if !plots.is_empty() {
        html.push_str("<h2>Scaling</h2>\n<p>N^p: how the cost grows with the number of unknowns.</p>\n");
    }
    for plot in plots {
        if let Some(svg) = plot.to_svg() {
            push_figure(html, &plot.title, &svg, &plot.legend());
        }
    }
}

fn push_series(html: &mut String, plots: &[SeriesPlot]) {
    for plot in plots {
        if let Some(svg) = plot.to_svg() {
            push_figure(html, &plot.title, &svg, &plot.legend());
        }
    }
}

/// A plot below its title, above its legend, both HTML already.
fn push_figure(html: &mut String, title: &str, svg: &str, legend: &str) {
    let title = escape(title);
    let _ = write!(html, "<figure>\n<h3>{title}</h3>\n{svg}\n<figcaption>{legend}</figcaption>\n</figure>\n");
}

fn push_plots(html: &mut String, plots: &[Plot]) {
    let drawn = plots.iter().take(MAX_PLOTS).filter_map(|plot| plot.to_svg().map(|svg| (plot, svg)));
    let mut has_head = false;
    for (plot, svg) in drawn {
        if !has_head {
            html.push_str(
                "<h2>Convergence</h2>\n<p>The residual that the method carries, relative to b; the \
dashed line is the tolerance.</p>\n",
            );
            has_head = true;
        }
        push_figure(html, &plot.title, &svg, &plot.legend());
    }
    if plots.len() > MAX_PLOTS {
        let _ = writeln!(html, "<p>{} more plots are left out.</p>", plots.len() - MAX_PLOTS);
    }
}

/// The command as typed, quoted for a shell.
fn command_line() -> String {
    let quote = |word: std::ffi::OsString| {
        let word = word.to_string_lossy().into_owned();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=+,:@%".contains(c);
        if !word.is_empty() && word.chars().all(is_plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    let typed = std::env::args_os().skip(1).map(quote);
    std::iter::once("residua".to_owned()).chain(typed).collect::<Vec<_>>().join(" ")
}

fn surroundings(context: &Context) -> Vec<(&'static str, String)> {
    let folder = std::env::current_dir().map_or_else(|_| "unknown".into(), |d| d.display().to_string());
    let (cpu, memory) = machine();
    vec![
        ("Version", format!("residua {}", env!("CARGO_PKG_VERSION"))),
        ("Folder", folder),
        ("Threads", context.threads.to_string()),
        ("Seed", context.seed.to_string()),
        ("Machine", format!("{cpu}, {memory}, {} {}", std::env::consts::OS, std::env::consts::ARCH)),
        ("Written", utc_now()),
    ]
}

/// Processor and memory, where the system tells.
fn machine() -> (String, String) {
    let value = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(key))?;
        line.split_once(':').map(|(_, v)| v.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = value("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let kib = value("/proc/meminfo", "MemTotal").and_then(|v| v.split(' ').next()?.parse::<f64>().ok());
    let memory = kib
        .map_or_else(|| "unknown memory".to_owned(), |k| format!("{:.1} GiB memory", k / (1 << 20) as f64));
    (format!("{cpu}, {cores} cores"), memory)
}

/// Now, as `2026-01-31 12:00:00 UTC`.
fn utc_now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_date(days);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", rest / 3600, rest % 3600 / 60, rest % 60)
}

/// Year, month and day, `days` after 1970-01-01: years run from March, so that a leap day ends one.
fn civil_date(days: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097; // 400 years
    let shifted = days + 719_468; // days from 0000-03-01 to 1970-01-01
    let (era, day_of_era) = (shifted / DAYS_PER_ERA, shifted % DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

const STYLE: &str = include_str!("page.css");
const SORT: &str = include_str!("page.js");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(civil_date(0), (1970, 1, 1));
        assert_eq!(civil_date(19_782), (2024, 2, 29));
        assert_eq!(civil_date(20_454), (2026, 1, 1));
    }

    #[test]
    fn nothing_in_a_name_becomes_markup() {
        assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
