//! Pictures of a transport plan, as inline SVG in the page's own colours.

use super::plot::PALETTE;
use plotters::style::RGBColor;
use residua_data::CsrMatrix;
use residua_data::arrays::DenseArray;
use residua_solvers::transport::{PointCost, TransportProblem};
use std::fmt::Write;

/// Width of a picture before the page scales it, in CSS pixels.
const WIDTH: f64 = 640.0;

/// Cells along a side at most; several pixels or entries share one beyond.
const MAX_CELLS: usize = 96;

/// Arrows and lines at most.
const MAX_MARKS: usize = 1500;

/// Entries of the plan below this share of the heaviest weight are not drawn.
pub(crate) const FAINT: f64 = 1e-4;

/// A titled picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    pub(crate) title: String,
    pub(crate) svg: String,
    /// Below the picture, as text.
    pub(crate) caption: String,
}

fn color(k: usize) -> String {
    let RGBColor(r, g, b) = PALETTE[k];
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn opened(width: f64, height: f64) -> String {
    format!("<svg viewBox=\"0 0 {width:.1} {height:.1}\" role=\"img\" style=\"max-width:{WIDTH}px\">")
}

/// Mean values of a matrix on at most [`MAX_CELLS`] cells a side: (rows, columns, values).
fn coarse(
    rows: usize,
    cols: usize,
    add: impl Fn(&mut dyn FnMut(usize, usize, f64)),
) -> (usize, usize, Vec<f64>) {
    let (m, n) = (rows.clamp(1, MAX_CELLS), cols.clamp(1, MAX_CELLS));
    let mut cells = vec![0.0; m * n];
    add(&mut |i, j, value| cells[i * m / rows * n + j * n / cols] += value);
    (m, n, cells)
}

/// Cells whose opacity is their share of the greatest.
fn push_cells(svg: &mut String, (rows, cols, cells): &(usize, usize, Vec<f64>), side: f64, fill: &str) {
    let greatest = cells.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let _ = write!(svg, "<g fill=\"{fill}\">");
    for i in 0..*rows {
        for j in 0..*cols {
            let share = cells[i * cols + j] / greatest;
            if share > 0.004 {
                let (x, y) = (j as f64 * side, i as f64 * side);
                let _ = write!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{side:.1}\" height=\"{side:.1}\" opacity=\"{share:.2}\"/>"
                );
            }
        }
    }
    svg.push_str("</g>");
}

fn frame(svg: &mut String, width: f64, height: f64) {
    let _ = write!(
        svg,
        "<rect width=\"{width:.1}\" height=\"{height:.1}\" fill=\"none\" stroke=\"currentColor\" opacity=\"0.3\"/></svg>"
    );
}

/// The grey levels of an image; much mass is dark.
pub(crate) fn image(title: &str, array: &DenseArray) -> Figure {
    let cells = image_cells(array);
    let side = WIDTH / 2.0 / cells.1 as f64;
    let (width, height) = (WIDTH / 2.0, cells.0 as f64 * side);
    let mut svg = opened(width, height);
    push_cells(&mut svg, &cells, side, "currentColor");
    frame(&mut svg, width, height);
    let caption = format!("{}, {} x {} pixels", array.file(), array.rows, array.cols);
    Figure { title: title.to_owned(), svg, caption }
}

fn image_cells(array: &DenseArray) -> (usize, usize, Vec<f64>) {
    coarse(array.rows, array.cols, |add| {
        array.values.iter().enumerate().for_each(|(k, v)| add(k / array.cols, k % array.cols, *v));
    })
}

/// Arrows from the heaviest pixels to where their mass goes; `map` holds (row, column) of each pixel's image.
pub(crate) fn arrows(title: &str, array: &DenseArray, map: &[f64]) -> Figure {
    let heaviest = array.values.iter().copied().fold(0.0, f64::max);
    let mut pixels: Vec<usize> = (0..array.values.len())
        .filter(|k| array.values[*k] > 0.02 * heaviest && map[2 * k].is_finite())
        .collect();
    let stride = pixels.len().div_ceil(MAX_MARKS).max(1);
    pixels = pixels.into_iter().step_by(stride).collect();
    let reach =
        |axis: usize, size: usize| pixels.iter().map(|k| map[2 * k + axis] + 1.0).fold(size as f64, f64::max);
    let (rows, cols) = (reach(0, array.rows), reach(1, array.cols));
    let scale = WIDTH / cols;
    let (width, height) = (WIDTH, rows * scale);
    let mut svg = opened(width, height);
    let _ = write!(
        svg,
        "<defs><marker id=\"tip\" viewBox=\"0 0 6 6\" refX=\"5\" refY=\"3\" markerWidth=\"5\" markerHeight=\"5\" \
orient=\"auto\"><path d=\"M0 0L6 3L0 6z\" fill=\"{0}\"/></marker></defs><g stroke=\"{0}\" marker-end=\"url(#tip)\">",
        color(0)
    );
    for &k in &pixels {
        let (i, j) = (k / array.cols, k % array.cols);
        let share = (array.values[k] / heaviest).max(0.15);
        let _ = write!(
            svg,
            "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" opacity=\"{share:.2}\" marker-end=\"url(#tip)\"/>",
            (j as f64 + 0.5) * scale,
            (i as f64 + 0.5) * scale,
            (map[2 * k + 1] + 0.5) * scale,
            (map[2 * k] + 0.5) * scale
        );
    }
    svg.push_str("</g>");
    frame(&mut svg, width, height);
    let caption =
        format!("{} arrows, the darker the more mass (the barycentric map of the plan)", pixels.len());
    Figure { title: title.to_owned(), svg, caption }
}

/// Points in the plane, joined where mass moves between them.
pub(crate) fn lines(
    title: &str,
    points: &PointCost,
    problem: &TransportProblem,
    plan: &CsrMatrix<f64>,
) -> Figure {
    let all = || points.source().coordinates().chunks(2).chain(points.target().coordinates().chunks(2));
    let range = |axis: usize| {
        let values = all().map(move |p| p[axis]);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let ((left, right), (bottom, top)) = (range(0), range(1));
    let span = (right - left).max(top - bottom).max(f64::MIN_POSITIVE);
    let margin = 14.0;
    let scale = (WIDTH - 2.0 * margin) / span;
    let height = (top - bottom) * scale + 2.0 * margin;
    let place = |p: &[f64]| (margin + (p[0] - left) * scale, height - margin - (p[1] - bottom) * scale);
    let mut entries: Vec<(usize, u32, f64)> = (0..plan.nrows())
        .flat_map(|i| {
            let (cols, values) = plan.row(i);
            cols.iter().zip(values).map(move |(j, p)| (i, *j, *p)).collect::<Vec<_>>()
        })
        .collect();
    entries.sort_by(|p, q| q.2.total_cmp(&p.2));
    entries.truncate(MAX_MARKS);
    let heaviest = entries.first().map_or(1.0, |entry| entry.2);
    let mut svg = opened(WIDTH, height);
    svg.push_str("<g stroke=\"currentColor\">");
    for &(i, j, mass) in &entries {
        let ((x, y), (u, v)) = (place(points.source().point(i)), place(points.target().point(j as usize)));
        let share = (mass / heaviest).sqrt().max(0.03);
        let _ = write!(svg, "<path d=\"M{x:.1} {y:.1}L{u:.1} {v:.1}\" opacity=\"{share:.2}\"/>");
    }
    svg.push_str("</g>");
    for (k, (cloud, weights)) in
        [(points.source(), problem.source()), (points.target(), problem.target())].into_iter().enumerate()
    {
        let heaviest = weights.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let stride = cloud.len().div_ceil(4 * MAX_MARKS).max(1);
        let _ = write!(svg, "<g fill=\"{}\">", color(k));
        for i in (0..cloud.len()).step_by(stride).filter(|i| weights[*i] > 0.0) {
            let (x, y) = place(cloud.point(i));
            let radius = 1.2 + 2.8 * (weights[i] / heaviest).sqrt();
            let _ = write!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/>");
        }
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    let caption = format!("Sources blue, targets red; the {} heaviest entries of the plan", entries.len());
    Figure { title: title.to_owned(), svg, caption }
}

/// The plan as a matrix, dark where mass is.
pub(crate) fn heat_map(title: &str, plan: &CsrMatrix<f64>) -> Figure {
    let cells = coarse(plan.nrows(), plan.ncols(), |add| {
        for i in 0..plan.nrows() {
            let (cols, values) = plan.row(i);
            cols.iter().zip(values).for_each(|(j, p)| add(i, *j as usize, *p));
        }
    });
    let side = WIDTH / cells.0.max(cells.1) as f64;
    let (width, height) = (cells.1 as f64 * side, cells.0 as f64 * side);
    let mut svg = opened(width, height);
    push_cells(&mut svg, &cells, side, &color(0));
    frame(&mut svg, width, height);
    let caption =
        format!("{} sources down, {} targets across, dark where mass moves", plan.nrows(), plan.ncols());
    Figure { title: title.to_owned(), svg, caption }
}
