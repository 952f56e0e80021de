//! Convergence plots: log₁₀ of the relative residual against the iteration, as inline SVG.

use plotters::prelude::*;
use std::fmt::Write;

/// Width and height of a plot, in CSS pixels before the page scales it.
pub(super) const SIZE: (u32, u32) = (860, 380);

/// Points a curve is drawn with at most; more cannot be seen.
const MAX_POINTS: usize = 600;

/// The first points are all drawn: a logarithmic axis shows them.
const ALL_DRAWN: usize = 64;

/// The lowest decade drawn: rounding errors end far above it.
const LOWEST_DECADE: f64 = -20.0;

/// After Paul Tol's bright qualitative scheme without its grey, a little lighter: distinct for the
/// colour-blind, on light and dark.
pub(crate) const PALETTE: [RGBColor; 6] = [
    RGBColor(0x44, 0x77, 0xaa),
    RGBColor(0xee, 0x66, 0x77),
    RGBColor(0x2a, 0x9d, 0x4b),
    RGBColor(0xcc, 0xaa, 0x22),
    RGBColor(0x33, 0xaa, 0xcc),
    RGBColor(0xb9, 0x48, 0x8e),
];

/// Drawn in place of the page's own text colour, and replaced by it in the SVG.
pub(super) const INK: RGBColor = RGBColor(1, 2, 3);
pub(super) const INK_TEXT: &str = "#010203";

/// A curve of fewer values, such as a factorization's, shows nothing.
const MIN_VALUES: usize = 3;

/// Curves whose lengths differ by more than this share a logarithmic axis.
const LOG_AXIS_RATIO: f64 = 12.0;

/// One residual history.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    pub(crate) label: String,
    /// Iterations from one value to the next.
    pub(crate) stride: usize,
    /// ‖r‖₂/‖b‖₂, the initial one first.
    pub(crate) values: Vec<f64>,
}

impl Curve {
    pub(crate) fn is_worth_drawing(&self) -> bool {
        self.values.len() >= MIN_VALUES
    }

    /// (iteration, log₁₀ of the relative residual), about [`MAX_POINTS`], both ends included.
    fn points(&self) -> Vec<(f64, f64)> {
        let step = self.values.len().div_ceil(MAX_POINTS).max(1);
        let last = self.values.len().saturating_sub(1);
        (0..self.values.len())
            .filter(|&k| (k < ALL_DRAWN || k % step == 0 || k == last) && self.values[k].is_finite())
            .map(|k| ((k * self.stride) as f64, self.values[k].log10().max(LOWEST_DECADE)))
            .collect()
    }
}

/// Curves that share their axes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) curves: Vec<Curve>,
    /// The tolerance, drawn as a line.
    pub(crate) rtol: f64,
}

impl Plot {
    /// The plot as an SVG element; none if there is nothing to draw.
    pub(crate) fn to_svg(&self) -> Option<String> {
        let mut curves: Vec<Vec<(f64, f64)>> = self.curves.iter().map(Curve::points).collect();
        let ends = || curves.iter().filter_map(|points| Some(points.last()?.0));
        let (shortest, longest) = (ends().fold(f64::INFINITY, f64::min), ends().fold(1.0, f64::max));
        let is_log = longest > LOG_AXIS_RATIO * shortest.max(1.0);
        if is_log {
            // The first value is that of x = 0 and has no place on this axis.
            curves.iter_mut().for_each(|points| {
                points.retain(|p| p.0 >= 1.0);
                points.iter_mut().for_each(|p| p.0 = p.0.log10());
            });
        }
        let all = || curves.iter().flatten();
        all().next()?;
        let target = self.rtol.log10();
        let lowest = all().map(|p| p.1).fold(if target.is_finite() { target } else { 0.0 }, f64::min);
        let low = lowest.floor().max(LOWEST_DECADE);
        let high = all().map(|p| p.1).fold(0.0, f64::max).ceil().max(low + 1.0);
        let right = if is_log { longest.log10() } else { longest };
        let mut svg = String::new();
        draw(&mut svg, &curves, &Axes { right, low, high, target, is_log }).ok()?;
        Some(svg.replace(INK_TEXT, "currentColor"))
    }

    /// The legend, as HTML.
    pub(crate) fn legend(&self) -> String {
        let mut html = String::new();
        for (k, curve) in self.curves.iter().enumerate() {
            legend_entry(&mut html, k, &curve.label, "");
        }
        html
    }
}

/// Appends line `k` of a plot to its legend: its colour, its name, and a note that is HTML already.
pub(super) fn legend_entry(html: &mut String, k: usize, name: &str, note: &str) {
    let RGBColor(r, g, b) = PALETTE[k % PALETTE.len()];
    let name = super::html::escape(name);
    let _ = write!(html, "<span><i style=\"background:#{r:02x}{g:02x}{b:02x}\"></i>{name}{note}</span>");
}

type DrawError = Box<dyn std::error::Error>;

/// What the axes show, the vertical ones in decades.
struct Axes {
    right: f64,
    low: f64,
    high: f64,
    target: f64,
    /// Whether the horizontal axis is in decades too.
    is_log: bool,
}

fn draw(svg: &mut String, curves: &[Vec<(f64, f64)>], axes: &Axes) -> Result<(), DrawError> {
    let &Axes { right, low, high, target, is_log } = axes;
    let iteration = move |x: &f64| match (x.fract() == 0.0, is_log) {
        (true, false) => format!("{x:.0}"),
        (true, true) => format!("{:.0}", 10f64.powf(*x)),
        _ => String::new(),
    };
    let text = |size: u32| ("sans-serif", size).into_font().color(&INK);
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(10)
        .margin_right(24)
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d(0.0..right, low..high)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.15))
        .axis_style(INK.mix(0.6))
        .label_style(text(14))
        .axis_desc_style(text(14))
        .x_desc(if is_log { "iteration, logarithmic" } else { "iteration" })
        .y_desc("relative residual")
        .x_labels(if is_log { right as usize + 1 } else { 9 })
        .y_labels(((high - low) as usize + 1).min(11))
        .x_label_formatter(&iteration)
        .y_label_formatter(&|y| if y.fract() == 0.0 { power_of_ten(*y as i32) } else { String::new() })
        .draw()?;
    if target >= low && target <= high {
        let line = [(0.0, target), (right, target)];
        chart.draw_series(DashedLineSeries::new(line, 6, 5, INK.mix(0.55).stroke_width(1)))?;
    }
    for (k, points) in curves.iter().enumerate() {
        let color = PALETTE[k % PALETTE.len()];
        chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?;
        if let Some(&end) = points.last() {
            chart.draw_series([Circle::new(end, 3, color.filled())])?;
        }
    }
    root.present()?;
    Ok(())
}

/// 10 to the power `exponent`, in text.
pub(super) fn power_of_ten(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let superscript = |c: char| c.to_digit(10).map_or('⁻', |d| DIGITS[d as usize]);
    match exponent {
        0 => "1".to_owned(),
        _ => format!("10{}", exponent.to_string().chars().map(superscript).collect::<String>()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_is_thinned_and_keeps_both_ends() {
        let curve = Curve {
            label: "a".into(),
            stride: 2,
            values: (0..100_000).map(|k| 1.0 / f64::from(k + 1)).collect(),
        };
        let points = curve.points();
        assert!(points.len() <= MAX_POINTS + ALL_DRAWN, "{}", points.len());
        assert_eq!(points[0], (0.0, 0.0));
        assert_eq!(points.last().unwrap().0, 2.0 * 99_999.0);
    }

    #[test]
    fn odd_histories_do_not_break_the_plot() {
        let plot = |values: Vec<f64>| Plot {
            title: String::new(),
            curves: vec![Curve { label: "<b>".into(), stride: 1, values }],
            rtol: 1e-8,
        };
        assert_eq!(plot(vec![]).to_svg(), None);
        assert_eq!(plot(vec![f64::NAN, f64::INFINITY]).to_svg(), None);
        let svg = plot(vec![1.0, 0.0, f64::NAN, 1e-30, 1e300]).to_svg().unwrap();
        assert!(svg.contains("<svg") && svg.contains("currentColor") && !svg.contains(INK_TEXT));
        let mut pair = plot((0..500).map(|k| 0.9f64.powi(k)).collect());
        pair.curves.push(Curve { label: "short".into(), stride: 1, values: vec![1.0, 1e-4, 1e-8] });
        assert!(pair.to_svg().unwrap().contains("logarithmic"), "lengths 500 and 3 share no linear axis");
        assert!(plot(vec![1.0]).legend().contains("&lt;b&gt;"), "labels are escaped");
        assert_eq!((power_of_ten(-12), power_of_ten(0)), ("10⁻¹²".into(), "1".into()));
    }
}
