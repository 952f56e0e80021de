//! Plots of quantities over the steps of a sequence, as inline SVG.

use super::plot::{INK, INK_TEXT, PALETTE, SIZE, legend_entry};
use plotters::prelude::*;

/// Points a line is drawn with at most; more cannot be seen.
const MAX_POINTS: usize = 1200;

/// Lines that share their axes, one value a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SeriesPlot {
    pub(crate) title: String,
    /// What the vertical axis shows.
    pub(crate) what: &'static str,
    /// Name and values, the first step's first.
    pub(crate) lines: Vec<(String, Vec<f64>)>,
    /// Whether the points are joined.
    pub(crate) is_joined: bool,
}

impl SeriesPlot {
    /// The plot as an SVG element; none if it has no points.
    pub(crate) fn to_svg(&self) -> Option<String> {
        let mut svg = String::new();
        self.draw(&mut svg).ok()?;
        Some(svg.replace(INK_TEXT, "currentColor"))
    }

    /// The legend, as HTML.
    pub(crate) fn legend(&self) -> String {
        let mut html = String::new();
        self.lines.iter().enumerate().for_each(|(k, (name, _))| legend_entry(&mut html, k, name, ""));
        html
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let values = || self.lines.iter().flat_map(|line| &line.1).copied().filter(|v| v.is_finite());
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let steps = self.lines.iter().map(|line| line.1.len()).max().unwrap_or(0);
        if low > high || steps == 0 {
            return Err("nothing to draw".into());
        }
        let margin = 0.04 * (high - low).max(1e-9 * high.abs()).max(f64::MIN_POSITIVE);
        let text = |size: u32| ("sans-serif", size).into_font().color(&INK);
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(10)
            .margin_right(24)
            .x_label_area_size(46)
            .y_label_area_size(76)
            .build_cartesian_2d(0.0..steps as f64, low - margin..high + margin)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(INK.mix(0.15))
            .axis_style(INK.mix(0.6))
            .label_style(text(14))
            .axis_desc_style(text(14))
            .x_desc("step")
            .y_desc(self.what)
            .draw()?;
        for (k, (_, values)) in self.lines.iter().enumerate() {
            let color = PALETTE[k % PALETTE.len()];
            let stride = values.len().div_ceil(MAX_POINTS).max(1);
            let points = values
                .iter()
                .enumerate()
                .filter(|(i, v)| v.is_finite() && (i % stride == 0 || i + 1 == values.len()));
            let points = points.map(|(i, &v)| (i as f64 + 1.0, v));
            if self.is_joined {
                chart.draw_series(LineSeries::new(points, color.stroke_width(2)))?;
            } else {
                chart.draw_series(points.map(|p| Circle::new(p, 2, color.mix(0.6).filled())))?;
            }
        }
        root.present()?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn odd_series_do_not_break_the_plot() {
        let plot = |values: Vec<f64>| SeriesPlot {
            title: String::new(),
            what: "cost",
            lines: vec![("<a>".into(), values)],
            is_joined: true,
        };
        assert_eq!(plot(vec![]).to_svg(), None);
        assert_eq!(plot(vec![f64::NAN]).to_svg(), None);
        assert!(plot(vec![0.0; 3]).to_svg().unwrap().contains("<svg"));
        assert!(plot((0..5000).map(f64::from).collect()).to_svg().unwrap().contains("step"));
        assert!(plot(vec![1.0]).legend().contains("&lt;a&gt;"));
    }
}
