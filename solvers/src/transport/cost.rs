//! Ground costs: a stored matrix, or two point clouds from which entries are computed when needed.

use super::TransportError;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// n points in ℝᵈ.
#[derive(Debug, Clone, PartialEq)]
pub struct PointCloud {
    dim: usize,
    coordinates: Vec<f64>,
}

impl PointCloud {
    /// Points from their coordinates, one point after the other (n × dim, row-major).
    ///
    /// # Errors
    /// If `dim` is 0, the length no multiple of it, there is no point, or a coordinate is not finite.
    pub fn new(dim: usize, coordinates: Vec<f64>) -> Result<Self, TransportError> {
        if dim == 0 || coordinates.is_empty() {
            return Err(TransportError::Empty { what: "the point cloud" });
        }
        if !coordinates.len().is_multiple_of(dim) {
            let expected = coordinates.len().div_ceil(dim) * dim;
            return Err(TransportError::Size {
                what: "the coordinate array",
                found: coordinates.len(),
                expected,
            });
        }
        if let Some(k) = coordinates.iter().position(|v| !v.is_finite()) {
            return Err(TransportError::Coordinate { point: k / dim, axis: k % dim, value: coordinates[k] });
        }
        Ok(Self { dim, coordinates })
    }

    /// d.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// n.
    pub fn len(&self) -> usize {
        self.coordinates.len() / self.dim
    }

    /// Never: a cloud has at least one point.
    pub fn is_empty(&self) -> bool {
        self.coordinates.is_empty()
    }

    /// All coordinates, point after point.
    pub fn coordinates(&self) -> &[f64] {
        &self.coordinates
    }

    /// The coordinates of point `i`.
    ///
    /// # Panics
    /// If there is no such point.
    pub fn point(&self, i: usize) -> &[f64] {
        &self.coordinates[i * self.dim..(i + 1) * self.dim]
    }
}

/// The cost of moving a unit of mass from x to y.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ground {
    /// Σ |x_k − y_k|.
    L1,
    /// √Σ (x_k − y_k)².
    L2,
    /// Σ (x_k − y_k)².
    SqEuclidean,
}

impl Ground {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::L1, Self::L2, Self::SqEuclidean];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::L1 => "l1",
            Self::L2 => "l2",
            Self::SqEuclidean => "sqeuclidean",
        }
    }

    /// The cost between two points of one dimension.
    pub fn between(self, x: &[f64], y: &[f64]) -> f64 {
        let differences = x.iter().zip(y).map(|(x, y)| x - y);
        match self {
            Self::L1 => differences.map(f64::abs).sum(),
            Self::L2 => differences.map(|d| d * d).sum::<f64>().sqrt(),
            Self::SqEuclidean => differences.map(|d| d * d).sum(),
        }
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Ground {
    type Err = TransportError;
    fn from_str(text: &str) -> Result<Self, TransportError> {
        Self::ALL.into_iter().find(|g| g.as_str() == text).ok_or_else(|| TransportError::Unknown {
            what: "ground cost",
            found: text.to_owned(),
            expected: "l1, l2, sqeuclidean",
        })
    }
}

/// The cost of every pair (source, target).
#[derive(Debug, Clone, PartialEq)]
pub enum Cost {
    /// A stored matrix.
    Dense(DenseCost),
    /// Computed from two point clouds whenever an entry is needed: O(n + m) memory.
    Points(PointCost),
}

/// A stored n × m cost matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseCost {
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// Shared by clones.
    pub(super) values: Arc<Vec<f64>>,
    max: f64,
    max_abs: f64,
    forbidden: bool,
}

/// Two point clouds and the cost between their points.
#[derive(Debug, Clone, PartialEq)]
pub struct PointCost {
    pub(super) source: PointCloud,
    pub(super) target: PointCloud,
    pub(super) ground: Ground,
    max: f64,
}

impl DenseCost {
    /// The entries, row after row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

impl PointCost {
    /// The points of the rows.
    pub fn source(&self) -> &PointCloud {
        &self.source
    }
    /// The points of the columns.
    pub fn target(&self) -> &PointCloud {
        &self.target
    }
    /// The cost between two points.
    pub fn ground(&self) -> Ground {
        self.ground
    }
}

impl Cost {
    /// A stored matrix, row-major, +∞ for pairs that are forbidden.
    ///
    /// # Errors
    /// If the length is not rows · cols, an entry is NaN or −∞, or no entry is finite.
    pub fn dense(rows: usize, cols: usize, values: Vec<f64>) -> Result<Self, TransportError> {
        if rows == 0 || cols == 0 {
            return Err(TransportError::Empty { what: "the cost matrix" });
        }
        let expected = rows.saturating_mul(cols);
        if values.len() != expected {
            return Err(TransportError::Size { what: "the cost matrix", found: values.len(), expected });
        }
        let (mut max, mut max_abs, mut forbidden) = (f64::NEG_INFINITY, 0.0_f64, false);
        for (k, &value) in values.iter().enumerate() {
            if value == f64::INFINITY {
                forbidden = true;
            } else if value.is_finite() {
                max = max.max(value);
                max_abs = max_abs.max(value.abs());
            } else {
                return Err(TransportError::Cost { row: k / cols, col: k % cols, value });
            }
        }
        if max == f64::NEG_INFINITY {
            return Err(TransportError::NoFiniteCost);
        }
        let values = Arc::new(values);
        Ok(Self::Dense(DenseCost { rows, cols, values, max, max_abs, forbidden }))
    }

    /// The cost between the points of two clouds. Finding its maximum takes one pass over all pairs.
    ///
    /// # Errors
    /// If the dimensions differ or a cost overflows.
    pub fn points(source: PointCloud, target: PointCloud, ground: Ground) -> Result<Self, TransportError> {
        if source.dim() != target.dim() {
            return Err(TransportError::Dimension { source_dim: source.dim(), target_dim: target.dim() });
        }
        let max = super::cloud::max_cost(&source, &target, ground);
        if !max.is_finite() {
            return Err(TransportError::Cost { row: 0, col: 0, value: max });
        }
        Ok(Self::Points(PointCost { source, target, ground, max }))
    }

    /// n, the number of sources.
    pub fn rows(&self) -> usize {
        match self {
            Self::Dense(c) => c.rows,
            Self::Points(c) => c.source.len(),
        }
    }

    /// m, the number of targets.
    pub fn cols(&self) -> usize {
        match self {
            Self::Dense(c) => c.cols,
            Self::Points(c) => c.target.len(),
        }
    }

    /// The largest finite cost.
    pub fn max(&self) -> f64 {
        match self {
            Self::Dense(c) => c.max,
            Self::Points(c) => c.max,
        }
    }

    /// The largest finite |C_ij|, the unit in which a relative epsilon is given.
    pub fn max_abs(&self) -> f64 {
        match self {
            Self::Dense(c) => c.max_abs,
            Self::Points(c) => c.max,
        }
    }

    /// Whether some pairs are forbidden.
    pub fn has_forbidden(&self) -> bool {
        matches!(self, Self::Dense(c) if c.forbidden)
    }

    /// C_ij.
    ///
    /// # Panics
    /// If there is no such pair.
    pub fn entry(&self, i: usize, j: usize) -> f64 {
        match self {
            Self::Dense(c) => c.values[i * c.cols + j],
            Self::Points(c) => c.ground.between(c.source.point(i), c.target.point(j)),
        }
    }
}
