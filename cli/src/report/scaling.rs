//! Scaling plots: a cost against the number of unknowns, both logarithmic, one line a solver, as inline SVG.

use super::plot::{INK, INK_TEXT, PALETTE, SIZE, legend_entry, power_of_ten};
use super::{PoissonRecord, Status};
use plotters::prelude::*;

/// One solver's costs, (unknowns, cost), by rising size.
type Line = (String, Vec<(f64, f64)>);

/// What a plot shows of a record.
type Cost = fn(&PoissonRecord) -> Option<f64>;

/// Lines that share their axes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ScalingPlot {
    pub(crate) title: String,
    what: &'static str,
    lines: Vec<Line>,
}

impl ScalingPlot {
    /// Seconds and iterations of each problem that was solved in two sizes or more.
    pub(crate) fn of(records: &[PoissonRecord]) -> Vec<Self> {
        let family = |r: &PoissonRecord| format!("{}, {}D", r.problem, r.dim);
        let mut families: Vec<String> = records.iter().map(family).collect();
        families.dedup();
        let costs: [(&'static str, Cost); 2] =
            [("seconds", |r| r.seconds), ("iterations", |r| r.solve.iterations.map(|k| k as f64))];
        let mut plots = Vec::new();
        for name in families {
            for (what, cost) in costs {
                let mut lines: Vec<Line> = Vec::new();
                let solved = |r: &&PoissonRecord| family(r) == name && r.solve.status == Status::Converged;
                for record in records.iter().filter(solved) {
                    let Some(y) = cost(record).filter(|y| *y > 0.0) else { continue };
                    let point = (record.unknowns as f64, y);
                    match lines.iter_mut().find(|line| line.0 == record.solver) {
                        Some(line) => line.1.push(point),
                        None => lines.push((record.solver.clone(), vec![point])),
                    }
                }
                for (_, points) in &mut lines {
                    points.sort_by(|p, q| p.0.total_cmp(&q.0));
                }
                lines.retain(|(_, points)| growth(points).is_some());
                if !lines.is_empty() {
                    plots.push(Self { title: format!("{name}: {what} against unknowns"), what, lines });
                }
            }
        }
        plots
    }

    /// The plot as an SVG element; none if it cannot be drawn.
    pub(crate) fn to_svg(&self) -> Option<String> {
        let mut svg = String::new();
        self.draw(&mut svg).ok()?;
        Some(svg.replace(INK_TEXT, "currentColor"))
    }

    /// The legend, as HTML: each line's name and growth, cost ∝ unknowns^p from its first to its last point.
    pub(crate) fn legend(&self) -> String {
        let mut html = String::new();
        for (k, (name, points)) in self.lines.iter().enumerate() {
            let dashes = if is_dashed(k) { ", dashed" } else { "" };
            let p = growth(points).unwrap_or(f64::NAN);
            legend_entry(&mut html, k, name, &format!(": N^{p:.2}{dashes}"));
        }
        html
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let all = || self.lines.iter().flat_map(|line| &line.1);
        // Whole decades, so that each axis has two labels at least.
        let decades = |of: fn(&(f64, f64)) -> f64| {
            let logs = || all().map(|p| of(p).log10());
            let low = logs().fold(f64::INFINITY, f64::min).floor();
            (low, logs().fold(low, f64::max).ceil().max(low + 1.0))
        };
        let ((left, right), (low, high)) = (decades(|p| p.0), decades(|p| p.1));
        let label = |v: &f64| if v.fract() == 0.0 { power_of_ten(*v as i32) } else { String::new() };
        let text = |size: u32| ("sans-serif", size).into_font().color(&INK);
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(10)
            .margin_right(24)
            .x_label_area_size(46)
            .y_label_area_size(66)
            .build_cartesian_2d(left..right, low..high)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(INK.mix(0.15))
            .axis_style(INK.mix(0.6))
            .label_style(text(14))
            .axis_desc_style(text(14))
            .x_desc("unknowns")
            .y_desc(self.what)
            .x_labels((right - left) as usize + 1)
            .y_labels((high - low) as usize + 1)
            .x_label_formatter(&label)
            .y_label_formatter(&label)
            .draw()?;
        for (k, (_, points)) in self.lines.iter().enumerate() {
            let color = PALETTE[k % PALETTE.len()];
            let points: Vec<_> = points.iter().map(|p| (p.0.log10(), p.1.log10())).collect();
            if is_dashed(k) {
                let line = DashedLineSeries::new(points.clone(), 7, 4, color.stroke_width(2));
                chart.draw_series(line)?;
            } else {
                chart.draw_series(LineSeries::new(points.clone(), color.stroke_width(2)))?;
            }
            chart.draw_series(points.iter().map(|&p| Circle::new(p, 3, color.filled())))?;
        }
        root.present()?;
        Ok(())
    }
}

/// Whether line `k` takes a colour for the second time.
fn is_dashed(k: usize) -> bool {
    k / PALETTE.len() % 2 == 1
}

/// p in cost ∝ unknowns^p between the ends; none for fewer than two sizes.
fn growth(points: &[(f64, f64)]) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    (last.0 > first.0).then(|| (last.1 / first.1).ln() / (last.0 / first.0).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_the_slope_between_the_ends() {
        assert_eq!(growth(&[(10.0, 1.0), (100.0, 50.0), (1000.0, 100.0)]), Some(1.0));
        assert_eq!(growth(&[(10.0, 1.0)]), None);
        assert_eq!(growth(&[(10.0, 1.0), (10.0, 2.0)]), None);
    }
}
