//! From files to a transport problem; every error is one line that names the file.

use crate::plan::TransportInput;
use residua_data::arrays::{self, DenseArray};
use residua_solvers::transport::{Cost, Ground, PointCloud, TransportProblem};
use std::path::{Path, PathBuf};

/// Relative difference of the two masses that is taken for rounding; the library's own.
const MASS_RTOL: f64 = 1e-9;

/// A problem, and what a report draws of it.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) problem: TransportProblem,
    pub(super) ground: Option<Ground>,
    pub(super) images: Option<(DenseArray, DenseArray)>,
}

/// The name of the problem.
pub(super) fn label(input: &TransportInput) -> String {
    let (source, target) = match input {
        TransportInput::Cost { source, target, .. } | TransportInput::Images { source, target, .. } => {
            (source, target)
        }
        TransportInput::Points { source_points, target_points, .. } => (source_points, target_points),
    };
    format!("{} -> {}", source.display(), target.display())
}

/// Reads and checks.
pub(super) fn load(input: &TransportInput) -> Result<Loaded, String> {
    match input {
        TransportInput::Cost { cost, source, target } => {
            let matrix = read(cost)?;
            if let Some(k) = matrix.values.iter().position(|c| c.is_nan() || *c == f64::NEG_INFINITY) {
                return Err(format!(
                    "{}: the cost is {}: expected a finite number, or inf for a forbidden pair",
                    matrix.place(k),
                    matrix.values[k]
                ));
            }
            let (a, b) = (weights(source)?, weights(target)?);
            let of = |what: &str| {
                format!(
                    "one for each {what} of the {} x {} cost in {}",
                    matrix.rows,
                    matrix.cols,
                    matrix.file()
                )
            };
            check_count(&a, matrix.rows, &of("row"))?;
            check_count(&b, matrix.cols, &of("column"))?;
            check_mass(&a, &b)?;
            let file = matrix.file().to_owned();
            let cost = Cost::dense(matrix.rows, matrix.cols, matrix.values);
            let cost = cost.map_err(|e| format!("{file}: {e}"))?;
            let problem = TransportProblem::new(cost, a.values, b.values).map_err(|e| e.to_string())?;
            Ok(Loaded { problem, ground: None, images: None })
        }
        TransportInput::Points { source_points, target_points, source, target, ground } => {
            let (x, y) = (read(source_points)?, read(target_points)?);
            if x.cols != y.cols {
                let hint = if x.rows == 1 || y.rows == 1 { " (one point a line)" } else { "" };
                return Err(format!(
                    "{}: the points have {} coordinates: expected {}, as in {}{hint}",
                    y.file(),
                    y.cols,
                    x.cols,
                    x.file()
                ));
            }
            let side = |file: &Option<PathBuf>, points: &DenseArray| match file {
                None => Ok(None),
                Some(path) => {
                    let w = weights(path)?;
                    check_count(&w, points.rows, &format!("one for each point in {}", points.file()))?;
                    Ok::<_, String>(Some(w))
                }
            };
            let (a, b) = (side(source, &x)?, side(target, &y)?);
            // Weights that are not given are uniform, of the mass of those that are.
            let sum = |w: &Option<DenseArray>| w.as_ref().map(|w| w.values.iter().sum::<f64>());
            let mass = sum(&a).or(sum(&b)).unwrap_or(1.0);
            if let (Some(a), Some(b)) = (&a, &b) {
                check_mass(a, b)?;
            }
            let or_uniform =
                |w: Option<DenseArray>, n: usize| w.map_or(vec![mass / n as f64; n], |w| w.values);
            let (a, b) = (or_uniform(a, x.rows), or_uniform(b, y.rows));
            let cost = Cost::points(cloud(x)?, cloud(y)?, *ground)
                .map_err(|e| format!("{}: {e}", source_points.display()))?;
            let problem = TransportProblem::new(cost, a, b).map_err(|e| e.to_string())?;
            Ok(Loaded { problem, ground: Some(*ground), images: None })
        }
        TransportInput::Images { source, target, ground } => {
            let (x, y) = (read(source)?, read(target)?);
            let (a, b) = (density(&x)?, density(&y)?);
            let cost = Cost::points(pixels(&x)?, pixels(&y)?, *ground).map_err(|e| e.to_string())?;
            let problem = TransportProblem::new(cost, a, b).map_err(|e| e.to_string())?;
            Ok(Loaded { problem, ground: Some(*ground), images: Some((x, y)) })
        }
    }
}

fn read(path: &Path) -> Result<DenseArray, String> {
    arrays::read(path).map_err(|e| e.to_string())
}

/// Weights that are numbers, and not all zero.
fn weights(path: &Path) -> Result<DenseArray, String> {
    let array = read(path)?;
    if !array.is_vector() {
        return Err(format!(
            "{}: the weights are a {} x {} matrix: expected one row or one column",
            array.file(),
            array.rows,
            array.cols
        ));
    }
    check_weights(&array, "the weight")?;
    Ok(array)
}

fn check_weights(array: &DenseArray, what: &str) -> Result<(), String> {
    if let Some(k) = array.values.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        return Err(format!(
            "{}: {what} is {}: expected a finite number, 0 or greater",
            array.place(k),
            array.values[k]
        ));
    }
    let sum: f64 = array.values.iter().sum();
    if !(sum > 0.0 && sum.is_finite()) {
        return Err(format!("{}: the sum is {sum}: expected a positive, finite mass", array.file()));
    }
    Ok(())
}

fn check_count(weights: &DenseArray, expected: usize, of: &str) -> Result<(), String> {
    let found = weights.values.len();
    if found == expected {
        return Ok(());
    }
    Err(format!("{}: there are {found} weights: expected {expected}, {of}", weights.file()))
}

fn check_mass(a: &DenseArray, b: &DenseArray) -> Result<(), String> {
    let (p, q): (f64, f64) = (a.values.iter().sum(), b.values.iter().sum());
    if (p - q).abs() <= MASS_RTOL * p.max(q) {
        return Ok(());
    }
    Err(format!("{}: the weights sum to {q}: expected the sum of {}, {p}", b.file(), a.file()))
}

fn cloud(points: DenseArray) -> Result<PointCloud, String> {
    if let Some(k) = points.values.iter().position(|v| !v.is_finite()) {
        return Err(format!(
            "{}: the coordinate is {}: expected a finite number",
            points.place(k),
            points.values[k]
        ));
    }
    let file = points.file().to_owned();
    PointCloud::new(points.cols, points.values).map_err(|e| format!("{file}: {e}"))
}

/// Grey levels over their sum.
fn density(image: &DenseArray) -> Result<Vec<f64>, String> {
    check_weights(image, "the grey level")?;
    let sum: f64 = image.values.iter().sum();
    let mut density: Vec<f64> = image.values.iter().map(|v| v / sum).collect();
    // Levels so small that they vanish beside the sum leave its rounding error: make it 1 again.
    let sum: f64 = density.iter().sum();
    density.iter_mut().for_each(|v| *v /= sum);
    Ok(density)
}

/// The centres of the pixels, (row, column), a pixel apart.
fn pixels(image: &DenseArray) -> Result<PointCloud, String> {
    let centres = (0..image.rows).flat_map(|i| (0..image.cols).flat_map(move |j| [i as f64, j as f64]));
    PointCloud::new(2, centres.collect()).map_err(|e| e.to_string())
}
