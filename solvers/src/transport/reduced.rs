//! The problem that is solved: rows and columns without mass taken out, weights scaled to sum 1, costs
//! readable by a kernel row by row.

use super::coarse::Clusters;
use super::order::leaf_order;
use super::tiles::{GROUP, Tiles};
use super::{Cost, Ground, TransportProblem};
use std::borrow::Cow;

/// A problem whose weights are all positive and sum to 1 on both sides.
#[derive(Debug)]
pub(super) struct Reduced<'a> {
    /// Weights of the rows kept.
    pub(super) a: Vec<f64>,
    /// Weights of the columns kept.
    pub(super) b: Vec<f64>,
    /// log b.
    pub(super) log_b: Vec<f64>,
    /// Original indices of the rows kept.
    pub(super) rows: Vec<u32>,
    /// Original indices of the columns kept.
    pub(super) cols: Vec<u32>,
    /// min b.
    pub(super) least_b: f64,
    /// Costs of the pairs kept.
    pub(super) costs: Costs<'a>,
    /// Boxes around runs of points.
    pub(super) tiles: Option<Tiles>,
    /// Groups of rows and columns that move together in a coarse step.
    pub(super) clusters: Option<Clusters>,
}

/// Clouds with fewer pairs are left in their order.
const ORDERED_PAIRS: usize = 1 << 14;

/// The costs of a reduced problem.
#[derive(Debug)]
pub(super) enum Costs<'a> {
    /// Row-major.
    Dense(Cow<'a, [f64]>),
    /// Coordinates axis by axis: `x[k * n + i]`, `y[k * m + j]`.
    Points { x: Vec<f64>, y: Vec<f64>, dim: usize, ground: Ground },
}

impl<'a> Reduced<'a> {
    /// The problem, with clusters for coarse steps if asked for.
    pub(super) fn new(problem: &'a TransportProblem, clustered: bool) -> Self {
        let keep = |w: &[f64]| -> Vec<u32> { (0..w.len() as u32).filter(|i| w[*i as usize] > 0.0).collect() };
        Self::on(
            problem.cost(),
            problem.source(),
            problem.target(),
            keep(problem.source()),
            keep(problem.target()),
            clustered,
        )
    }

    /// The problem on some rows and columns; points are put in order of space.
    fn on(
        cost: &'a Cost,
        source: &[f64],
        target: &[f64],
        mut rows: Vec<u32>,
        mut cols: Vec<u32>,
        clustered: bool,
    ) -> Self {
        let ordered = rows.len() * cols.len() >= ORDERED_PAIRS && rows.len().min(cols.len()) >= 2 * GROUP;
        if let Cost::Points(c) = cost
            && ordered
        {
            for (cloud, keep) in [(&c.source, &mut rows), (&c.target, &mut cols)] {
                let points: Vec<f64> = keep.iter().flat_map(|i| cloud.point(*i as usize)).copied().collect();
                let order = leaf_order(&points, cloud.dim(), GROUP / 2);
                *keep = order.iter().map(|k| keep[*k as usize]).collect();
            }
        }
        let normalised = |w: &[f64], keep: &[u32]| -> Vec<f64> {
            let sum: f64 = keep.iter().map(|i| w[*i as usize]).sum();
            keep.iter().map(|i| w[*i as usize] / sum).collect()
        };
        let (a, b) = (normalised(source, &rows), normalised(target, &cols));
        let costs = match cost {
            Cost::Dense(c) if rows.len() == c.rows && cols.len() == c.cols => {
                Costs::Dense(Cow::Borrowed(&c.values[..]))
            }
            Cost::Dense(c) => {
                let mut values = Vec::with_capacity(rows.len() * cols.len());
                for &i in &rows {
                    let row = &c.values[i as usize * c.cols..(i as usize + 1) * c.cols];
                    values.extend(cols.iter().map(|j| row[*j as usize]));
                }
                Costs::Dense(Cow::Owned(values))
            }
            Cost::Points(c) => {
                let by_axis = |cloud: &super::PointCloud, keep: &[u32]| -> Vec<f64> {
                    (0..cloud.dim())
                        .flat_map(|k| keep.iter().map(move |i| cloud.point(*i as usize)[k]))
                        .collect()
                };
                Costs::Points {
                    x: by_axis(&c.source, &rows),
                    y: by_axis(&c.target, &cols),
                    dim: c.source.dim(),
                    ground: c.ground,
                }
            }
        };
        let mut problem = Self::of(a, b, costs, ordered, clustered);
        problem.rows = rows;
        problem.cols = cols;
        problem
    }

    /// A problem whose rows and columns are numbered as given, `ordered` if points are in order of space,
    /// `clustered` if coarse steps are wanted.
    pub(super) fn of(a: Vec<f64>, b: Vec<f64>, costs: Costs<'a>, ordered: bool, clustered: bool) -> Self {
        let log_b = b.iter().map(|b| b.ln()).collect();
        let least_b = b.iter().copied().fold(f64::INFINITY, f64::min);
        let tiles = match &costs {
            Costs::Points { x, y, dim, ground } if ordered => Some(Tiles::new(x, y, *dim, *ground)),
            _ => None,
        };
        let (rows, cols) = ((0..a.len() as u32).collect(), (0..b.len() as u32).collect());
        let clusters = if clustered { Clusters::new(&a, &b, &costs, tiles.is_some()) } else { None };
        Self { log_b, least_b, a, b, rows, cols, costs, tiles, clusters }
    }

    pub(super) fn n(&self) -> usize {
        self.a.len()
    }

    pub(super) fn m(&self) -> usize {
        self.b.len()
    }

    /// C_ij of the pairs kept.
    pub(super) fn entry(&self, i: usize, j: usize) -> f64 {
        match &self.costs {
            Costs::Dense(c) => c[i * self.m() + j],
            Costs::Points { x, y, dim, ground } => {
                let (n, m) = (self.n(), self.m());
                let differences = (0..*dim).map(|k| x[k * n + i] - y[k * m + j]);
                match ground {
                    Ground::L1 => differences.map(f64::abs).sum(),
                    Ground::L2 => differences.map(|d| d * d).sum::<f64>().sqrt(),
                    Ground::SqEuclidean => differences.map(|d| d * d).sum(),
                }
            }
        }
    }
}
