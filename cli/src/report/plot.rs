//! Convergence plots: log₁₀ of the relative residual against the iteration, as inline SVG.

use plotters::prelude::*;
use std::fmt::Write;

/// Width and height of a plot, in CSS pixels before the page scales it.
const SIZE: (u32, u32) = (860, 380);

/// Points a curve is drawn with at most; more cannot be seen.
const MAX_POINTS: usize = 600;

/// The lowest decade drawn: rounding errors end far above it.
const LOWEST_DECADE: f64 = -20.0;

/// Paul Tol's bright qualitative scheme without its grey: distinct for the colour-blind, on light and dark.
pub(crate) const PALETTE: [RGBColor; 6] = [
    RGBColor(0x44, 0x77, 0xaa),
    RGBColor(0xee, 0x66, 0x77),
    RGBColor(0x22, 0x88, 0x33),
    RGBColor(0xcc, 0xaa, 0x22),
    RGBColor(0x33, 0xaa, 0xcc),
    RGBColor(0xaa, 0x33, 0x77),
];

/// Drawn in place of the page's own text colour, and replaced by it in the SVG.
const INK: RGBColor = RGBColor(1, 2, 3);
const INK_TEXT: &str = "#010203";

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
    /// (iteration, log₁₀ of the relative residual), at most [`MAX_POINTS`], the last one included.
    fn points(&self) -> Vec<(f64, f64)> {
        let step = self.values.len().div_ceil(MAX_POINTS).max(1);
        let last = self.values.len().saturating_sub(1);
        (0..self.values.len())
            .filter(|k| k % step == 0 || *k == last)
            .map(|k| ((k * self.stride) as f64, self.values[k].log10().max(LOWEST_DECADE)))
            .filter(|(_, decade)| decade.is_finite())
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
        let curves: Vec<Vec<(f64, f64)>> = self.curves.iter().map(Curve::points).collect();
        let all = || curves.iter().flatten();
        all().next()?;
        let right = all().map(|p| p.0).fold(1.0, f64::max);
        let target = self.rtol.log10();
        let with_target = |v: f64| if target.is_finite() { v.min(target) } else { v };
        let low = with_target(all().map(|p| p.1).fold(0.0, f64::min)).floor().max(LOWEST_DECADE);
        let high = all().map(|p| p.1).fold(0.0, f64::max).ceil().max(low + 1.0);
        let mut svg = String::new();
        draw(&mut svg, &curves, (right, low, high), target).ok()?;
        Some(svg.replace(INK_TEXT, "currentColor"))
    }

    /// The legend, as HTML.
    pub(crate) fn legend(&self) -> String {
        let mut html = String::new();
        for (k, curve) in self.curves.iter().enumerate() {
            let RGBColor(r, g, b) = PALETTE[k % PALETTE.len()];
            let _ = write!(
                html,
                "<span><i style=\"background:#{r:02x}{g:02x}{b:02x}\"></i>{}</span>",
                super::html::escape(&curve.label)
            );
        }
        html
    }
}

type DrawError = Box<dyn std::error::Error>;

fn draw(
    svg: &mut String,
    curves: &[Vec<(f64, f64)>],
    (right, low, high): (f64, f64, f64),
    target: f64,
) -> Result<(), DrawError> {
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
        .x_desc("iteration")
        .y_desc("relative residual")
        .x_labels(9)
        .y_labels(((high - low) as usize + 1).min(11))
        .x_label_formatter(&|x| if x.fract() == 0.0 { format!("{x:.0}") } else { String::new() })
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
fn power_of_ten(exponent: i32) -> String {
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
        assert!(points.len() <= MAX_POINTS + 1, "{}", points.len());
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
        assert!(plot(vec![1.0]).legend().contains("&lt;b&gt;"), "labels are escaped");
        assert_eq!((power_of_ten(-12), power_of_ten(0)), ("10⁻¹²".into(), "1".into()));
    }
}
