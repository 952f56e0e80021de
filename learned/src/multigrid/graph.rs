//! A level as a graph: nodes that have a cell, and conductances between nodes of the same or of neighbouring cells.
//!
//! The finest level has one node for each unknown. A coarser cell has one node for each *connected component* of the
//! nodes inside it, so what lies on either side of a thin wall stays apart at any depth.

use crate::LearnedError;
use rayon::prelude::*;
use residua_solvers::precond::multigrid::{Coefficients, GridProblem};

/// Sides of a cell: low x, high x, low y, high y, low z, high z.
const SIDES: usize = 6;

/// A conductance to another node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub(super) to: u32,
    /// The side on which it leaves: 2 axis + (1 if high).
    pub(super) side: u8,
    pub(super) w: f32,
}

/// A conductance to a boundary value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outer {
    pub(super) node: u32,
    pub(super) side: u8,
    pub(super) w: f32,
}

/// Nodes, edges, and conductances to boundary values.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    /// The cell of each node: x, y, z.
    pub(super) cell: Vec<[u16; 3]>,
    /// Edges of node i: `first[i]..first[i + 1]`.
    pub(super) first: Vec<u32>,
    pub(super) edges: Vec<Edge>,
    /// By node and side.
    pub(super) outer: Vec<Outer>,
    /// Faces of a node with every face open.
    pub(super) faces: u8,
}

/// What one row of cells adds to a graph.
#[derive(Default)]
struct RowOfCells {
    cell: Vec<[u16; 3]>,
    degree: Vec<u8>,
    edges: Vec<Edge>,
    outer: Vec<Outer>,
}

impl Graph {
    /// The finest level of a problem that was checked.
    ///
    /// # Errors
    /// [`LearnedError::Geometry`] for more than 65 535 points along an axis, or too many faces to count in 32 bits.
    pub(super) fn of_problem(problem: &GridProblem) -> Result<Self, LearnedError> {
        let dims @ [_, ny, nz] = problem.dims;
        let axes = dims.iter().filter(|&&n| n > 1).count();
        if dims.iter().any(|&n| n > usize::from(u16::MAX)) || problem.points() > (u32::MAX / 6) as usize {
            let expected = "at most 65535 points an axis and 7e8 in all";
            return Err(LearnedError::geometry(format!("a grid of {dims:?} points"), expected));
        }
        let rows: Vec<RowOfCells> = (0..ny * nz).into_par_iter().map(|row| row_of(problem, row)).collect();
        let n = rows.iter().map(|row| row.cell.len()).sum();
        let n_edges = rows.iter().map(|row| row.edges.len()).sum();
        let mut graph = Self { faces: 2 * axes as u8, ..Self::default() };
        graph.cell.reserve(n);
        graph.first.reserve(n + 1);
        graph.edges.reserve(n_edges);
        let mut end = 0u32;
        graph.first.push(0);
        for row in rows {
            graph.cell.extend(row.cell);
            graph.edges.extend(row.edges);
            graph.outer.extend(row.outer);
            graph.first.extend(row.degree.iter().map(|&degree| {
                end += u32::from(degree);
                end
            }));
        }
        Ok(graph)
    }

    pub(super) fn len(&self) -> usize {
        self.cell.len()
    }

    #[inline(always)]
    pub(super) fn edges_of(&self, node: usize) -> &[Edge] {
        &self.edges[self.first[node] as usize..self.first[node + 1] as usize]
    }

    #[inline(always)]
    pub(super) fn outer_of(&self, node: usize) -> impl Iterator<Item = &Outer> {
        let at = self.outer.partition_point(|o| (o.node as usize) < node);
        self.outer[at..].iter().take_while(move |o| o.node as usize == node)
    }

    /// Which nodes have a boundary value.
    pub(super) fn has_outer(&self) -> Vec<bool> {
        let mut has = vec![false; self.len()];
        self.outer.iter().for_each(|o| has[o.node as usize] = true);
        has
    }

    /// The diagonal of A, and which nodes have all faces open.
    pub(super) fn diagonal(&self) -> (Vec<f32>, Vec<bool>) {
        let own = |i: usize| {
            let mut sides = 0u8;
            let mut sum = 0.0;
            for e in self.edges_of(i) {
                sum += e.w;
                sides |= 1 << e.side;
            }
            (sum, sides)
        };
        let mut all: Vec<(f32, u8)> = (0..self.len()).into_par_iter().map(own).collect();
        for o in &self.outer {
            let (sum, sides) = &mut all[o.node as usize];
            *sum += o.w;
            *sides |= 1 << o.side;
        }
        all.into_iter().map(|(sum, sides)| (sum, sides.count_ones() >= u32::from(self.faces))).unzip()
    }
}

/// Row `row` of points, y fastest.
fn row_of(problem: &GridProblem, row: usize) -> RowOfCells {
    let dims @ [nx, ny, _] = problem.dims;
    let mut out = RowOfCells::default();
    out.cell.reserve_exact(nx);
    out.degree.reserve_exact(nx);
    out.edges.reserve_exact(nx * dims.iter().map(|&n| 2 * usize::from(n > 1)).sum::<usize>());
    let point = |[i, j, k]: [usize; 3]| (k * ny + j) * nx + i;
    let unknown = |p: [usize; 3]| match &problem.unknown_of_point {
        None => Some(point(p) as u32),
        Some(unknowns) => unknowns.get(point(p)).copied().filter(|&u| u != u32::MAX),
    };
    for i in 0..nx {
        let p = [i, row % ny, row / ny];
        let Some(node) = unknown(p) else { continue };
        let before = out.edges.len();
        for side in 0..SIDES {
            let (axis, is_high) = (side / 2, side % 2 == 1);
            let mut face = p;
            face[axis] += usize::from(is_high);
            let w = match &problem.coefficients {
                Coefficients::Axes { k, sides } if face[axis] == 0 => k[axis] * sides[axis][0],
                Coefficients::Axes { k, sides } if face[axis] == dims[axis] => k[axis] * sides[axis][1],
                Coefficients::Axes { k, .. } => k[axis],
                Coefficients::Faces { w } => w[axis][(face[2] * (ny + 1) + face[1]) * (nx + 1) + face[0]],
            } as f32;
            if w <= 0.0 {
                continue;
            }
            let mut q = p;
            q[axis] = if is_high { p[axis] + 1 } else { p[axis].wrapping_sub(1) };
            if q[axis] >= dims[axis] {
                out.outer.push(Outer { node, side: side as u8, w });
            } else if let Some(to) = unknown(q) {
                out.edges.push(Edge { to, side: side as u8, w });
            }
        }
        out.cell.push(p.map(|v| v as u16));
        out.degree.push((out.edges.len() - before) as u8);
    }
    out
}
